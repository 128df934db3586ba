"""Forward processes of a table: β of 1000 steps, or a list of noise levels, with exact marginals at
every index.

Conventions: times are the table's own indices (timesteps) 0 … T-1; -1 is the data. Between two
indices the process is the one with constant coefficients that agrees with the table at both, so
that a table can be used wherever a process is asked for. σ is a standard deviation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.objects.schedule import Schedule

__all__ = ["DiscreteVE", "DiscreteVP"]

#: log ᾱ of a table that ends without signal (β = 1): α is 1e-152 there
NOTHING_LEFT = -700.0


class _Table(Schedule):
    """Coefficients that are constant between indices."""

    steps: int

    @property
    def horizon(self) -> float:  # type: ignore[override]
        return float(self.steps - 1)

    @property
    def breaks(self) -> tuple[float, ...]:  # type: ignore[override]
        return tuple(float(k) for k in range(self.steps))

    @property
    def timesteps(self) -> np.ndarray:
        """0 … T-1."""
        return np.arange(self.steps)

    def _index(self, t: Any) -> np.ndarray:
        """The index whose coefficients hold on (index - 1, index]."""
        return np.clip(np.ceil(np.asarray(t, dtype=float)).astype(int), 0, self.steps - 1)

    def _between(self, t: Any, values: np.ndarray) -> np.ndarray:
        """``values`` at -1 … T-1, straight between them; raises where the table does not reach."""
        at = np.asarray(t, dtype=float)
        if np.any(at < -1) or np.any(at > self.steps - 1) or not np.all(np.isfinite(at)):
            raise ArgumentError(
                "t",
                f"a timestep of the table, 0 to {self.steps - 1} (-1: the data)",
                t,
                "timesteps are indices, not fractions of T",
            )
        return np.interp(at, np.arange(-1, self.steps), values)


class DiscreteVP(_Table):
    """``x_t = √(1 - β_t) x_{t-1} + √β_t z``: the table of a DDPM.

    ``betas`` ``(T,)``, each in (0, 1), the last perhaps 1 (no signal is left). Any array library.
    Raises ``ArgumentError``.

    >>> p = DiscreteVP([0.1, 0.2, 0.5])
    >>> p.alphas_cumprod.round(3).tolist(), round(float(p.alpha(1)) ** 2, 3)
    ([0.9, 0.72, 0.36], 0.72)
    >>> [round(float(v), 4) for v in p.posterior(1)]      # of x_0, of x_1, variance
    [0.6776, 0.3194, 0.0714]
    """

    def __init__(self, betas: Any) -> None:
        b = _table("betas", betas)
        if np.any(b <= 0) or np.any(b[:-1] >= 1) or b[-1] > 1:
            last = len(b) - 1
            bad = int(np.argmax((b <= 0) | (b > 1) | ((b == 1) & (np.arange(len(b)) < last))))
            remedy = "they are variances of a step, not ᾱ; for ᾱ pass 1 - ᾱ_t / ᾱ_{t-1}"
            if bad == 0 and b[0] == 0:
                remedy = "a first β of 0 is the data: pass betas[1:] (and the other tables so too)"
            raise ArgumentError("betas", "in (0, 1)", f"betas[{bad}] = {b[bad]:g}", remedy)
        self.betas = b
        self.steps = len(b)
        with np.errstate(divide="ignore"):
            self._rates = np.maximum(np.log1p(-b), NOTHING_LEFT)
        self._logs = np.concatenate([[0.0], np.maximum(np.cumsum(self._rates), NOTHING_LEFT)])

    @classmethod
    def of_alphas_cumprod(cls, alphas_cumprod: Any) -> DiscreteVP:
        """The table whose ᾱ is that.

        >>> DiscreteVP.of_alphas_cumprod([0.9, 0.72]).betas.round(6).tolist()
        [0.1, 0.2]
        """
        bar = _table("alphas_cumprod", alphas_cumprod)
        if np.any(np.diff(bar) >= 0) or bar[0] >= 1 or bar[-1] < 0:
            raise ArgumentError("alphas_cumprod", "falling, in (0, 1)", *_not_falling(bar))
        return cls(1 - bar / np.concatenate([[1.0], bar[:-1]]))

    @property
    def alphas_cumprod(self) -> np.ndarray:
        """ᾱ ``(T,)``."""
        return np.exp(self._logs[1:])

    def rate(self, t: Any) -> Any:
        return _plain(0.5 * self._rates[self._index(t)], t)

    def diffusion(self, t: Any) -> Any:
        return _plain(np.sqrt(-self._rates[self._index(t)]), t)

    def alpha(self, t: Any) -> Any:
        return _plain(np.exp(0.5 * self._between(t, self._logs)), t)

    def sigma(self, t: Any) -> Any:
        return _plain(np.sqrt(-np.expm1(self._between(t, self._logs))), t)

    def log_snr(self, t: Any) -> Any:
        """log(ᾱ / (1 - ᾱ))."""
        logs = self._between(t, self._logs)
        return _plain(logs - np.log(-np.expm1(logs)), t)

    def posterior(self, k: Any) -> tuple[Any, Any, Any]:
        """Of ``q(x_{k-1} | x_k, x_0)``: the coefficients of x_0 and of x_k, and the variance."""
        k = np.asarray(k)
        if k.dtype.kind not in "iu" or np.any(k < 0) or np.any(k >= self.steps):
            raise ArgumentError(
                "k", f"a timestep of the table, 0 to {self.steps - 1}", k, "an index"
            )
        b, before = self.betas[k], np.exp(self._logs[k])
        rest = -np.expm1(self._logs[k + 1])
        rest_before = -np.expm1(self._logs[k])
        return (
            b * np.sqrt(before) / rest,
            rest_before * np.sqrt(1 - b) / rest,
            b * rest_before / rest,
        )


class DiscreteVE(_Table):
    """``x_t = x_0 + σ_t z``: a list of noise levels; a falling one is read from its end, a trailing
    0 is the data.

    >>> p = DiscreteVE([10.0, 1.0, 0.1, 0.0])
    >>> p.sigmas.tolist(), float(p.sigma(2))
    ([0.1, 1.0, 10.0], 10.0)
    """

    def __init__(self, sigmas: Any) -> None:
        s = _table("sigmas", sigmas)
        s = s[::-1] if s[0] > s[-1] else s
        s = s[1:] if s[0] == 0 else s
        if len(s) == 0 or np.any(s <= 0) or np.any(np.diff(s) <= 0):
            raise ArgumentError(
                "sigmas",
                "positive and all falling, or all rising",
                _not_sorted(s),
                "sort them and drop what occurs twice; one trailing 0 is allowed",
            )
        self.sigmas = s
        self.steps = len(s)
        self._squares = np.concatenate([[0.0], s**2])

    def rate(self, t: Any) -> Any:
        return _plain(0.0 * np.asarray(t, dtype=float), t)

    def diffusion(self, t: Any) -> Any:
        return _plain(np.sqrt(np.diff(self._squares)[self._index(t)]), t)

    def alpha(self, t: Any) -> Any:
        return _plain(1.0 + 0.0 * self._between(t, self._squares), t)

    def sigma(self, t: Any) -> Any:
        return _plain(np.sqrt(self._between(t, self._squares)), t)


def _not_falling(bar: np.ndarray) -> tuple[str, str]:
    """What is wrong with ᾱ, and what helps."""
    if len(bar) > 1 and bar[0] == 1 and np.all(np.diff(bar) < 0):
        return "ᾱ_0 = 1", "that is the data: leave the first entry out (of the other tables too)"
    if len(bar) > 1 and np.all(np.diff(bar) > 0):
        return f"from {bar[0]:g} to {bar[-1]:g}", "reverse it: ᾱ_t is the product of 1 - β up to t"
    wrong = np.append(bar[0] >= 1, np.diff(bar) >= 0) | (bar < 0)
    k = int(np.argmax(wrong))
    before = f" after {bar[k - 1]:.9g}" if k else ""
    return f"[{k}] = {bar[k]:.9g}{before}", "ᾱ_t is the product of 1 - β up to t, and β > 0"


def _not_sorted(s: np.ndarray) -> str:
    """The first entry, in the order the list is read from its end, that is out of order."""
    if len(s) == 0:
        return "0 alone"
    k = int(np.argmax(np.append(s[0] <= 0, np.diff(s) <= 0)))
    return f"{s[k]:g} next to {s[k - 1]:g}" if k else f"{s[0]:g}"


def _table(name: str, values: Any) -> np.ndarray:
    from scoreproof.interop.callables import to_float

    table = to_float(name, values, shape=(None,))
    if len(table) == 0:
        raise ArgumentError(name, "one entry or more", "none", "pass the whole table")
    return table


def _plain(value: np.ndarray, t: Any) -> Any:
    """A float for a float."""
    return float(value) if np.ndim(t) == 0 else value
