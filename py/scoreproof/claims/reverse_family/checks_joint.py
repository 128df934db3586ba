"""What the family does not keep, and what a wrong score does: both in closed form for a Gaussian
process.

Conventions: ρ is the forward correlation of X_t and X_T; the reverse process runs from T down to t.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scoreproof.claims.reverse_family.checks_flow import EPS, ladder
from scoreproof.claims.reverse_family.gaussian import Rotating, Scaled, reverse_moments
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence

__all__ = ["scaled_variance_ratio", "two_time_correlation", "wrong_score"]


@dataclass(frozen=True)
class Pair:
    process: Rotating
    lambdas: tuple[float, ...]
    start: float
    end: float
    steps: tuple[int, ...]
    factor: float = 1.0

    @property
    def correlation(self) -> float:
        """The forward correlation of X_end and X_start."""
        v0, v1 = (float(self.process.moments(t)[1][0, 0]) for t in (self.end, self.start))
        return (
            self.process.alpha(self.start) / self.process.alpha(self.end) * float(np.sqrt(v0 / v1))
        )


def _pair(profile: str, factor: float, rng: np.random.Generator) -> Pair:
    lambdas = {"faults": (-0.5,), "quick": (-0.5, 0.4)}.get(
        profile, (-3.0, -1.5, -0.5, 0.0, 0.4, 1.0)
    )
    # variance 0.5 and w(1) = 6: ρ² = 0.5/(0.5 + 6) = 1/13 between t = 0 and t = 1, whatever α is
    process = Rotating(
        np.array([0.7]), np.array([[0.5]]), np.zeros((1, 1)), (0.35, 0.15), (2.0, 4.0)
    )
    return Pair(
        process,
        lambdas,
        1.0,
        0.0,
        {"faults": (4, 8), "quick": (8, 16)}.get(profile, (16, 32)),
        factor,
    )


def _correlations(profile: str) -> tuple[Instance, ...]:
    return (Instance("variance 0.5, ρ² = 1/13", partial(_pair, profile, 1.0)),)


@check(kind="convergent", instances=_correlations, probes=("score",))
def two_time_correlation(subject: Any, pair: Pair, rng: Any) -> Evidence:
    """Shows that the joint laws do not agree: the correlation of X̄_t and X̄_T, from the reverse
    moment equations of a Gaussian process, must be ρ^(1-λ) with ρ the forward correlation, hence
    the forward one for λ = 0 only.
    """
    begin, rho = pair.process.moments(pair.start), pair.correlation
    exact = np.array([rho ** (1 - lam) for lam in pair.lambdas])

    def correlation(lam: float, steps: int) -> float:
        m = reverse_moments(subject, pair.process, lam, pair.start, pair.end, steps, begin)
        with np.errstate(all="ignore"):
            return float(
                np.nan_to_num(m.link[0, 0] * np.sqrt(begin[1][0, 0] / m.cov[0, 0]), nan=1e3)
            )

    found = [np.array([correlation(lam, n) for lam in pair.lambdas]) for n in pair.steps]
    values = ", ".join(
        f"{c:.4f} for λ = {lam:g}" for c, lam in zip(found[-1], pair.lambdas, strict=True)
    )
    return ladder(
        found,
        exact,
        1.0,
        64 * EPS,
        8,
        f"the correlation of X_{pair.end:g} and X_{pair.start:g} is {values} (forward: {rho:.4f})",
    )


def scaled_variance_ratio(rho: float, factor: float, lam: float) -> float:
    """Var X̄_0 / Var X_0 when a centred Gaussian process is run backward with ``factor`` times its
    score: n/m + (1 - n/m) ρ^(2m).

    >>> [round(0.5 * scaled_variance_ratio(13**-0.5, 1.1, lam), 3) for lam in (-3, 1)]
    [0.444, 0.387]
    """
    m, n = factor * (2 - lam) - 1, 1 - lam
    if abs(m) < 1e-12:  # r' = -n along τ = -log ρ²
        return 1 - n * np.log(rho * rho)
    return n / m + (1 - n / m) * rho ** (2 * m)


def _wrong(profile: str) -> tuple[Instance, ...]:
    return tuple(
        Instance(f"{k:g} times the score", partial(_pair, profile, k))
        for k in ((1.1,) if profile in ("faults", "quick") else (1.1, 0.9))
    )


@check(kind="convergent", instances=_wrong, probes=("score",))
def wrong_score(subject: Any, pair: Pair, rng: Any) -> Evidence:
    """Quantifies what a wrong score does: with κ times the score of a Gaussian of variance 0.5 the
    variance of X̄_0 must be off by the factor n/m + (1 - n/m) ρ^(2m), m = κ(2-λ) - 1, n = 1 - λ: it
    depends on λ, and the marginals no longer agree.
    """
    process = Scaled(pair.process, pair.factor)
    begin, variance = pair.process.moments(pair.start), float(pair.process.cov0[0, 0])
    exact = variance * np.array(
        [scaled_variance_ratio(pair.correlation, pair.factor, lam) for lam in pair.lambdas]
    )
    found = [
        np.array(
            [
                reverse_moments(subject, process, lam, pair.start, pair.end, n, begin).cov[0, 0]
                for lam in pair.lambdas
            ]
        )
        for n in pair.steps
    ]
    values = ", ".join(
        f"{v:.4f} for λ = {lam:g}" for v, lam in zip(found[-1], pair.lambdas, strict=True)
    )
    return ladder(
        found,
        exact,
        variance,
        64 * EPS,
        8,
        f"with {pair.factor:g} times the score the variance of X_0 is {values} (right:"
        f" {variance:g})",
    )
