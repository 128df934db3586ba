"""Pairs of Gaussians, drawn in batches that have one thing in common.

Conventions: ``v`` are variances, ``(n, 1)`` for the isotropic form, ``(n, d)`` for the diagonal
one, and covariances ``(n, d, d)`` for the full one; means are ``(n, d)``. Against the standard law
the second mean is 0 and the second variance 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.numerics.linear import random_covariance
from scoreproof.public.kl.arguments import Options

__all__ = ["MILD", "Apart", "Draw", "Laws", "alternate"]

CONDITION = 10.0  # of the covariances of the full form
LONG = 256  # coordinates, above which there are fewer draws to choose from
MILD = 3.0  # of those of nearly equal laws, where rounding counts most


@dataclass(frozen=True, eq=False)
class Laws:
    """One batch. ``sharp``: a relative deviation of its divergences is to be seen; else (laws
    nearly equal, or long sums in half precision) only what exceeds rounding is. ``alone``: row i
    differs in coordinate i (modulo d) alone. ``each``: every row is what the batch is about;
    ``close``: it is about laws that are close.
    """

    what: str
    m0: np.ndarray
    v0: np.ndarray
    m1: np.ndarray
    v1: np.ndarray
    sharp: bool = True
    alone: bool = False
    each: bool = False
    close: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """``(n, d)``."""
        n, d = self.m0.shape
        return n, d


@dataclass(frozen=True, eq=False)
class Apart:
    """Means ``gap`` standard deviations apart, up to a random factor, and variances ``ratio`` apart
    in their logarithms, ``(n,)`` each; those of the second law lie about ``level``. ``condition``:
    of covariances. ``sharp`` and ``close``: as in `Laws`.
    """

    gap: np.ndarray
    ratio: np.ndarray
    level: np.ndarray | None = None
    condition: float = MILD
    sharp: bool = True
    close: bool = False


def alternate(n: int, low: float, high: float) -> np.ndarray:
    """``n`` numbers from ``low`` to ``high``, every other one negative."""
    return np.linspace(low, high, n) * np.resize([1, -1], n)


class Draw:
    """Draws of one form, against a second law or the standard one."""

    def __init__(self, options: Options, rng: np.random.Generator) -> None:
        self.options, self.rng = options, rng
        self.spread = 0.5  # of means that are not what a batch is about

    def _shaped(self, log_variance: np.ndarray, d: int, condition: float = CONDITION) -> np.ndarray:
        """Log-variances ``(n, 1)`` or ``(n, d)`` as variances of the form."""
        n = len(log_variance)
        if self.options.form == "isotropic":
            return np.exp(log_variance[:, :1])
        if self.options.form == "diagonal":
            return np.exp(np.broadcast_to(log_variance, (n, d)))
        unit = [
            random_covariance(self.rng, d, condition) if condition > 1 else np.eye(d)
            for _ in range(n)
        ]
        return np.exp(log_variance[:, :1])[:, :, None] * np.stack(unit)

    def _second(self, m1: np.ndarray, v1: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if not self.options.standard:
            return m1, v1
        unit = np.eye(m1.shape[1]) if self.options.form == "full" else 1.0
        return 0 * m1, np.broadcast_to(unit, v1.shape).copy()

    def random(self, what: str, n: int, d: int, strict: bool = False, sharp: bool = True) -> Laws:
        """Nothing in common. ``strict``: a divergence that is no small rest of its terms."""
        width = 1.5 if d <= 7 else 0.5  # a determinant in d = 255 is to be a number
        if self.options.form == "full":
            width = 0.5  # beside the spread of the eigenvalues
        many = 40 * n if d <= LONG else 4 * n
        m0, m1 = self.rng.standard_normal((2, many, d)) * (2 if strict else 1)
        log0, log1 = self.rng.uniform(-width, width, (2, many, d))
        m1, log1 = (0 * m1, 0 * log1) if self.options.standard else (m1, log1)
        if self.options.form != "diagonal":
            log0, log1 = (np.broadcast_to(v[:, :1], m0.shape) for v in (log0, log1))
        mean, trace = (np.abs(m0) + np.abs(m1)) ** 2 * np.exp(-log1), np.exp(log0 - log1)
        logs = np.abs(log0) + np.abs(log1)
        terms = (mean + trace) * (1 + logs / 10) + 1 + logs + np.exp(log1 - log0)
        terms = np.sum(terms, axis=1)
        divergence = (m0 - m1) ** 2 * np.exp(-log1) + np.expm1(log0 - log1) - (log0 - log1)
        divergence = np.sum(divergence, axis=1)
        rest = np.argsort(terms / divergence)
        within = np.sum(terms <= (1.8 if strict else 50.0) * divergence)
        rest = rest[: max(n, int(within))]
        # small and large divergences alike
        cells = np.array_split(rest[np.argsort(divergence[rest])], n)
        keep = self.rng.permutation([self.rng.choice(cell) for cell in cells])
        m0, m1, log0, log1 = m0[keep], m1[keep], log0[keep], log1[keep]
        m1, v1 = self._second(m1, self._shaped(log1, d))
        return Laws(what, m0, self._shaped(log0, d), m1, v1, sharp)

    def apart(self, what: str, n: int, d: int, how: Apart) -> Laws:
        """Laws that are ``how`` far apart in every coordinate."""
        level = np.zeros(n) if how.level is None else how.level
        log1 = level[:, None] + 0.5 * self.rng.uniform(-1, 1, (n, d))
        unit = np.exp(level / 2)[:, None]
        m1 = self.spread * unit * self.rng.standard_normal((n, d))
        m1, v1 = self._second(m1, self._shaped(log1, d, how.condition))
        step = self.rng.choice([-1, 1], (n, d)) * self.rng.uniform(0.7, 1.3, (n, d))
        widths = np.sqrt(np.diagonal(v1, axis1=1, axis2=2)) if v1.ndim == 3 else np.sqrt(v1)
        growth = np.exp(how.ratio).reshape(-1, *[1] * (v1.ndim - 1))
        m0 = m1 + how.gap[:, None] * step * widths
        return Laws(what, m0, v1 * growth, m1, v1, how.sharp, each=True, close=how.close)

    def scaled(self, most: float, deepest: float, *, gap: float, d: int = 2) -> Laws:
        """Log-variances from ``-most`` to three quarters of it, alike and as unlike as can be; the
        first law's no more than ``deepest`` below the second's.
        """
        low, high = -most, 0.75 * most
        log1 = np.array([low, high, high, low, 0.4 * high, 0.4 * low, 0, 0, low / 2])
        log0 = np.array([low, high, low, high, 0.4 * low, 0.4 * high, low, high, 0])
        log1 = 0 * log1 if self.options.standard else log1
        log0 = np.maximum(log0, log1 - deepest)
        lowest, highest = (f"e^{f([log0, log1]) / 2:.2g}" for f in (np.min, np.max))
        what = f"scales from {lowest} to {highest}"
        log0, log1 = (v * self.rng.uniform(0.93, 1.0, 9) for v in (log0, log1))
        gaps = alternate(9, gap, gap + 2)
        return self.apart(what, 9, d, Apart(gaps, log0 - log1, log1))

    def one_coordinate(self, n: int, d: int, gap: float) -> Laws:
        """Row ``i`` differs in coordinate ``i`` (modulo ``d``) alone: the mean, and in the diagonal
        form the variance.
        """
        laws = self.apart("", n, d, Apart(np.zeros(n), np.zeros(n)))
        rows, here = np.arange(n), np.arange(n) % d
        m0, v0 = laws.m1.copy(), laws.v1.copy()
        widths = np.diagonal(v0, axis1=1, axis2=2) if v0.ndim == 3 else v0
        widths = np.broadcast_to(np.sqrt(widths), (n, d))
        m0[rows, here] += gap * widths[rows, here] * np.resize([1, -1], n)
        differ = "means differ"
        if self.options.form == "diagonal":
            v0[rows, here] *= np.exp(alternate(n, 1.0, 1.5))
            differ = "mean and variance differ"
        what = f"laws whose {differ} in one of {d} coordinates"
        return Laws(what, m0, v0, laws.m1, laws.v1, alone=True)
