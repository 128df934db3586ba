"""The Gaussian KL as an identity of rational functions: moments, standard deviations and their
logarithms as symbols.

Conventions: m, s are the first law's means and standard deviations, n, t the second law's; ls, lt
are log s and log t.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.claims.gaussian_kl.faults import of_form
from scoreproof.claims.gaussian_kl.statement import KL
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence

__all__ = ["moments"]


@check(
    kind="exact",
    instances=lambda profile: (Instance("d = 3, all means and variances", lambda rng: 3),),
    blind=dict.fromkeys(
        of_form("full"), "the full form takes determinants, whose logarithms are no symbols here"
    ),
)
def moments(subject: KL, d: int, rng: Any) -> Evidence:
    """E_0[log p_0 - log p_1] with the moments E_0[x] = μ and E_0[x²] = μ² + σ² as symbols, and log
    σ as a symbol of its own: its difference to the isotropic and to the diagonal formula must be
    the zero rational function.
    """
    from scoreproof.numerics.rational_functions import Positive, Ratio, symbols

    names = [f"{s}{i}" for i in range(d) for s in ("m", "n", "s", "t", "ls", "lt")]
    by_name: dict[str, Ratio] = dict(zip(names, symbols(*names), strict=True))

    def column(prefix: str) -> np.ndarray:
        return np.array([by_name[f"{prefix}{i}"] for i in range(d)], dtype=object)

    m0, m1 = column("m"), column("n")

    def expected(s0: Any, s1: Any, l0: Any, l1: Any) -> Any:
        # log p(x) = -(x - m)²/(2 s²) - l - log √(2π); E_0 (x - m1)² = s0² + m0² - 2 m0 m1 + m1²
        first = -sum((s0**2 + m0**2 - 2 * m0 * m0 + m0**2) / (2 * s0**2)) - sum(l0)
        second = -sum((s0**2 + m0**2 - 2 * m0 * m1 + m1**2) / (2 * s1**2)) - sum(l1)
        return first - second

    s, t, ls, lt = by_name["s0"], by_name["t0"], by_name["ls0"], by_name["lt0"]
    ones = np.array([by_name["s0"] * 0 + 1] * d, dtype=object)
    isotropic = subject.isotropic(m0, Positive(s, ls), m1, Positive(t, lt)) - expected(
        ones * s, ones * t, ones * ls, ones * lt
    )
    logvar0 = np.array(
        [_LogVariance(by_name[f"s{i}"], by_name[f"ls{i}"]) for i in range(d)], dtype=object
    )
    logvar1 = np.array(
        [_LogVariance(by_name[f"t{i}"], by_name[f"lt{i}"]) for i in range(d)], dtype=object
    )
    diagonal = subject.diagonal(m0, logvar0, m1, logvar1)
    diagonal = getattr(diagonal, "log_value", diagonal) - expected(
        column("s"), column("t"), column("ls"), column("lt")
    )
    nonzero = sum(0 if r.is_zero() else r.terms() for r in (isotropic, diagonal))
    return Evidence.exact(
        nonzero,
        f"the difference to E_0[log p_0 - log p_1] in d = {d}, for all means and variances at once,"
        f" has {nonzero} terms",
    )


class _LogVariance:
    """A log-variance ``c·log s`` whose exponential ``s^c`` is a rational function: what the
    diagonal form computes with.
    """

    def __init__(
        self,
        std: Any,
        log_std: Any,
        powers: tuple[tuple[Any, int], ...] | None = None,
        log_value: Any = None,
    ) -> None:
        self.powers = powers if powers is not None else ((std, 2),)
        self.log_value = log_value if log_value is not None else 2 * log_std

    def exp(self) -> Any:
        result = 1
        for base, power in self.powers:
            result = base**power * result
        return result

    def _combine(self, other: _LogVariance, sign: int) -> _LogVariance:
        return _LogVariance(
            None,
            None,
            self.powers + tuple((b, sign * p) for b, p in other.powers),
            self.log_value + sign * other.log_value,
        )

    def __add__(self, other: Any) -> Any:
        if isinstance(other, _LogVariance):
            return self._combine(other, 1)
        return self.log_value + other  # leaves the logarithms: a plain number from here on

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return (
            self._combine(other, -1) if isinstance(other, _LogVariance) else self.log_value - other
        )

    def __neg__(self) -> _LogVariance:
        return _LogVariance(None, None, tuple((b, -p) for b, p in self.powers), -self.log_value)

    def __mul__(self, n: int) -> _LogVariance:
        return _LogVariance(
            None, None, tuple((b, n * p) for b, p in self.powers), n * self.log_value
        )

    __rmul__ = __mul__

    def __truediv__(self, n: int) -> _LogVariance:
        return _LogVariance(
            None, None, tuple((b, p // n) for b, p in self.powers), self.log_value / n
        )
