"""What both forms of sampler are judged by: the marginals' velocity, the member that was found, and
known faults as explanations.

Conventions: b is the drift for dt < 0, c² the squared noise; a place is ``(x, t, λ)`` with x ``(n,
d)``.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np

from scoreproof.claims.reverse_family.faults import FAULTS, compose
from scoreproof.claims.reverse_family.statement import truth
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.reverse_sampler.targets import Diffused

__all__ = [
    "VACUOUS",
    "describe_effect",
    "explain_deviation",
    "member_note",
    "percent",
    "velocity_error",
]


#: a bound wider than this part of the velocity acquits no one
VACUOUS = 1e-2


def velocity_error(
    target: Diffused, x: np.ndarray, t: float, found: tuple[np.ndarray, float], lam: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Deviation of ``b + c²/2 s`` from ``f - g²/2 s`` per row, the size of its terms, and the size
    of what rounding could amplify.
    """
    b, c2 = found
    g2, s, f = target.diffusion(t) ** 2, target.score(x, t), target.drift(x, t)
    alpha, _, var = target.level(t)
    size = np.max(np.abs(f) + g2 * np.abs(s), axis=1) + np.sqrt(g2)
    # a model given as x0, v or F hides the score behind (α x0 - x)/σ²: that subtraction is the
    # sampler's to make
    amplified = size * (1 + abs(lam)) + g2 * (np.max(np.abs(x), axis=1) + 1) / var
    return np.max(np.abs(b + c2 / 2 * s - (f - g2 / 2 * s)), axis=1), size, amplified


class _Remembered:
    """A target that evaluates each function once at each place: two hundred candidate explanations
    ask the same questions.
    """

    def __init__(self, target: Diffused) -> None:
        self.target, self.horizon, self._known = target, target.horizon, {}  # type: ignore[var-annotated]

    def _ask(self, name: str, *at: Any) -> Any:
        key = (
            name,
            *(id(a) if isinstance(a, np.ndarray) else a for a in at),
        )  # the arrays outlive this object
        if key not in self._known:
            self._known[key] = getattr(self.target, name)(*at)
        return self._known[key]

    def drift(self, x: np.ndarray, t: float) -> np.ndarray:
        return self._ask("drift", x, t)

    def diffusion(self, t: float) -> float:
        return self._ask("diffusion", t)

    def score(self, x: np.ndarray, t: float) -> np.ndarray:
        return self._ask("score", x, t)

    def density(self, x: np.ndarray, t: float) -> np.ndarray:
        return self._ask("density", x, t)


def explain_deviation(
    target: Diffused,
    places: list[tuple[np.ndarray, float, float]],
    found: list[tuple[np.ndarray, float]],
    rounding: float,
) -> Diagnosis:
    """The known fault, or pair of faults, whose drift and noise at these ``places`` (x, t, λ) come
    closest to ``found``.
    """

    known = _Remembered(target)
    sizes = []
    for x, t, lam in places:
        g2 = (1 + abs(lam)) * known.diffusion(t) ** 2
        sizes.append(
            (
                float(np.max(np.abs(known.drift(x, t))))
                + g2 * float(np.max(np.abs(known.score(x, t)))),
                g2,
            )
        )

    def flat(values: list[tuple[Any, Any]]) -> np.ndarray:
        parts = []
        for (b, c2), (drift_size, g2) in zip(values, sizes, strict=True):
            parts += [np.ravel(b) / drift_size, np.full(b.size, float(np.ravel(c2)[0]) / g2)]
        return np.concatenate(parts)

    subjects: dict[str, Any] = {f.name: f.subject for f in FAULTS}
    for a, b in combinations(subjects.copy(), 2):
        both = compose((a, b))
        if both is not None:
            subjects[f"{a} + {b}"] = both
    right = flat([truth(known, x, t, lam) for x, t, lam in places])
    candidates = {
        name: flat([s(known, x, t, lam) for x, t, lam in places]) for name, s in subjects.items()
    }
    # at λ = 1, say, some faults are no faults: they explain nothing
    candidates = {
        n: c
        for n, c in candidates.items()
        if np.linalg.norm(c - right) > 1e-9 * np.linalg.norm(right)
    }
    return diagnose(
        flat(found),
        right,
        candidates,
        resolution=max(1e-6, rounding),
        reasons={f.name: f.why for f in FAULTS},
    )


def member_note(
    target: Diffused,
    places: list[tuple[np.ndarray, float, float]],
    found: list[tuple[np.ndarray, float]],
    tolerance: float,
) -> tuple[str, ...]:
    """Says which member of the family was found, where it is not the one asked for."""
    notes: dict[float, list[float]] = {}
    for (_, t, lam), (_, c2) in zip(places, found, strict=True):
        notes.setdefault(lam, []).append(1 - c2 / target.diffusion(t) ** 2)
    wrong = [
        (lam, min(e), max(e))
        for lam, e in notes.items()
        if max(abs(v - lam) for v in e) > tolerance * (1 + abs(lam))
    ]
    if not wrong:
        return ()
    text = ", ".join(
        f"asked for λ = {lam:g} it is the member λ = {round(low, 4) + 0:g}"
        + ("" if high - low < 1e-3 else f" to {round(high, 4) + 0:g} (it varies with t)")
        for lam, low, high in wrong
    )
    return (f"The marginals are right, but it means something else by λ: {text}.",)


def describe_effect(
    target: Diffused, lam: float, low: float, mean: np.ndarray, cov: np.ndarray
) -> tuple[float, str]:
    """Relative error of a final Gaussian law, and the clause that reports it."""
    right_mean, right_cov = target.moments(low)
    variance, right = float(cov[0, 0]), float(right_cov[0, 0])
    moved = (
        float(np.max(np.abs(cov - right_cov))) / right
        + float(np.max(np.abs(mean - right_mean))) / right**0.5
    )
    if not np.isfinite(moved):
        return (
            1e300,
            f"with λ = {lam:g} a Gaussian started exactly right blows up before t = {low:.3g}",
        )
    return (
        moved,
        (
            f"with λ = {lam:g} a Gaussian started exactly right ends at t = {low:.3g} with variance"
            f" {variance:.3g} where {right:.3g} is right (mean {float(mean[0]):.3g}, right"
            f" {float(right_mean[0]):.3g})"
        ),
    )


def percent(part: float) -> str:
    """A relative error for a sentence: in percent, or as a power of ten when it is tiny."""
    return f"{100 * part:.3g} %" if part >= 1e-4 else f"a part {part:.2g}"
