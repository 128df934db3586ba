"""A right wrapper around a network that is told another level: which, and by what rule.

Conventions: ρ = σ/α is the level of x, r the one that the network inside answers for. Inside are
ε or v of ``x/√(α² + σ²)``, a straight flow's velocity of ``x/(α + σ)``, or EDM's F.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.denoiser.inner_rules import Told, rule_of
from scoreproof.public.denoiser.sweep import AtLevel, Sweep
from scoreproof.public.posterior.cases import Case
from scoreproof.public.posterior.fitted import fitted, misfit
from scoreproof.public.posterior.means import mean_under

__all__ = ["of_the_network_inside"]

#: log(r/ρ) from which a fit starts, and σ_data
STARTS = np.concatenate([np.linspace(-1, 1, 21), np.linspace(-10, 10, 41)])
SIGMA_DATA = (0.5, 1.0)
#: relative: a level this near to what is due is that
SAME = 1e-6


@dataclass(frozen=True)
class Inside:
    """``of``: x_0 of the wrapper at a case, for log(r/ρ) and what else is fitted."""

    name: str
    words: str
    starts: tuple[float, ...]
    of: Callable[[Case, np.ndarray], np.ndarray]


def _level(case: Case) -> tuple[float, float]:
    return case.due.problem.alpha, float(np.sqrt(case.due.problem.noise.variance or 0.0))


def _mean(case: Case, y: np.ndarray, r: float) -> np.ndarray:
    """E[x_0 | x_0 + r ε = y]."""
    alpha, one = case.due.problem.alpha, np.ones(case.due.problem.dimension)
    return mean_under(case.due.problem.known, alpha * y, (alpha * r) ** 2 * one) / alpha


def _preserving(kind: str) -> Callable[[Case, np.ndarray], np.ndarray]:
    def of(case: Case, p: np.ndarray) -> np.ndarray:
        alpha, sigma = _level(case)
        r, whole = sigma / alpha * float(np.exp(p[0])), float(np.hypot(alpha, sigma))
        x, a = case.y / whole, 1 / float(np.hypot(1, r))
        mean = _mean(case, x / a, r)
        if kind == "eps":
            return np.asarray((case.y - sigma * (x - a * mean) / (r * a)) / alpha)
        return np.asarray((alpha * x - sigma * (a * x - mean) / (r * a)) / whole)

    return of


def _flow(case: Case, p: np.ndarray) -> np.ndarray:
    alpha, sigma = _level(case)
    r, whole = sigma / alpha * float(np.exp(p[0])), alpha + sigma
    x, a = case.y / whole, 1 / (1 + r)
    return np.asarray(x - sigma / whole * (x - _mean(case, x / a, r)) / (r * a))


def _edm(case: Case, p: np.ndarray) -> np.ndarray:
    alpha, sigma = _level(case)
    rho, data = sigma / alpha, float(np.exp(p[1]))
    r, y = rho * float(np.exp(p[0])), case.y / alpha
    own, due = float(np.hypot(r, data)), float(np.hypot(rho, data))
    there = y / due * own
    f = (_mean(case, there, r) - (data / own) ** 2 * there) / (r * data / own)
    return np.asarray((data / due) ** 2 * y + rho * data / due * f)


INSIDE = (
    Inside("eps", "the ε-network inside", (), _preserving("eps")),
    Inside("v", "the v-network inside", (), _preserving("v")),
    Inside("flow", "the velocity-network", (), _flow),
    Inside("F", "the network F inside EDM's wrapper", SIGMA_DATA, _edm),
)


def of_the_network_inside(at: Sequence[tuple[AtLevel, Case]], sweep: Sweep) -> Diagnosis | None:
    """``None`` unless other levels inside explain every level that is looked at, of which there
    must be two.
    """
    if len(at) < 2 or any(case.heavy or case.due.problem.noise.variance is None for _, case in at):
        return None
    for inside in INSIDE:
        found = list(_levels(inside, at))
        if len(found) < len(at) or all(abs(v.ratio / v.due - 1) <= SAME for v in found):
            continue
        found.sort(key=lambda v: v.due)
        rule = rule_of(found, sweep.levels, inside.name)
        some = [found[0], found[-1]]
        pairs = " and ".join(f"for σ/α = {v.ratio:.6g} where {v.due:.6g} is due" for v in some)
        why = f": {rule}" if rule else ""
        text = f"Cause: {inside.words} is told another noise level than x has{why}; it answers"
        return Diagnosis.cause("level_inside", f"{text} {pairs}, and what is around it is right.")
    return None


def _levels(inside: Inside, at: Sequence[tuple[AtLevel, Case]]) -> Iterator[Told]:
    for a, case in at:
        few = case.few

        def residual(p: np.ndarray, few: Case = few) -> np.ndarray:
            value = few.told(few.due.problem.alpha * inside.of(few, p))
            return misfit(value, few.value, few.limit)

        starts = [np.array([v]) for v in STARTS]
        if inside.starts:
            starts = [np.array([v, np.log(s)]) for v in STARTS for s in inside.starts]
        found = fitted(residual, starts)
        if found is None:
            return
        value = case.told(case.due.problem.alpha * inside.of(case, found))
        if not case.explains(value):
            return
        yield Told(a.level, a.level.ratio * float(np.exp(found[0])))
