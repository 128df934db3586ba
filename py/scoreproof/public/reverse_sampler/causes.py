"""Known faults as explanations of what was found; the member of the family that it is, if right.

Conventions: b is the drift for dt < 0, C the noise's covariance per unit of time.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np

from scoreproof.claims.reverse_family.faults import FAULTS, compose
from scoreproof.claims.reverse_family.statement import truth
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["explain_deviation", "member_note"]

#: times by which a deviation is explained: two hundred candidates are asked at each, for each λ
TIMES = 4


class _Remembered:
    """A target that evaluates each function once at each place: two hundred candidate explanations
    ask the same questions.
    """

    def __init__(self, target: Diffused) -> None:
        self.target, self.horizon = target, target.horizon
        self._known: dict[Any, Any] = {}

    def _ask(self, name: str, *at: Any) -> Any:
        # the arrays outlive this object
        key = (name, *(id(a) if isinstance(a, np.ndarray) else a for a in at))
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


def explain_deviation(target: Diffused, places: list[tuple[Found, ...]]) -> Diagnosis:
    """The known fault, or pair of faults, whose drift and noise come closest to what was found.

    ``places``: the times where something deviates; of many, `TIMES` spread over them are taken.
    """
    rows = np.unique(np.linspace(0, len(places) - 1, min(TIMES, len(places))).astype(int))
    found = [f for k in rows for f in places[k] if not np.any(f.jumps)]
    known, shapes = _Remembered(target), []
    for f in found:
        g2 = (1 + abs(f.lam)) * known.diffusion(f.t) ** 2
        drift = float(np.max(np.abs(known.drift(f.x, f.t))))
        shapes.append((drift + g2 * float(np.max(np.abs(known.score(f.x, f.t)))), g2))

    def flat(values: list[tuple[Any, Any]]) -> np.ndarray:
        parts = []
        for (b, cov), (size, g2) in zip(values, shapes, strict=True):
            # the noise weighs as much as the drift
            weight = (np.size(b) / target.dimension) ** 0.5
            variances = np.diag(cov)
            across = np.linalg.norm(cov - np.diag(variances))
            parts += [np.ravel(b) / size, np.append(variances, across) / g2 * weight]
        return np.concatenate(parts)

    eye = np.eye(target.dimension)

    def predicted(candidate: Any) -> np.ndarray:
        answers = [candidate(known, f.x, f.t, f.lam) for f in found]
        return flat([(b, float(np.ravel(c2)[0]) * eye) for b, c2 in answers])

    subjects: dict[str, Any] = {f.name: f.subject for f in FAULTS}
    for a, b in combinations(subjects.copy(), 2):
        both = compose((a, b))
        if both is not None:
            subjects[f"{a} + {b}"] = both
    right = predicted(truth)
    candidates = {name: predicted(subject) for name, subject in subjects.items()}
    # at λ = 1, say, some faults are no faults: they explain nothing
    candidates = {
        n: c
        for n, c in candidates.items()
        if np.linalg.norm(c - right) > 1e-9 * np.linalg.norm(right)
    }
    blur = max((float(np.max(f.bound)) for f in found), default=0.0)
    best = diagnose(
        flat([(f.b, f.cov) for f in found]),
        right,
        candidates,
        resolution=max(1e-6, 10 * blur),
        reasons={f.name: f.why for f in FAULTS},
        read=False,
    )
    # the reasons say it in words: the names are for programs, in ``names``
    text = best.sentence
    for f in FAULTS:
        text = text.replace(f" ({f.name})", "")
    return replace(best, sentence=text)


def member_note(target: Diffused, places: list[Found]) -> tuple[str, ...]:
    """Says which member of the family was found, where it is not the one asked for."""
    notes: dict[float, list[float]] = {}
    blur: dict[float, float] = {}
    for f in places:
        g2 = target.diffusion(f.t) ** 2
        notes.setdefault(f.lam, []).append(1 - float(np.trace(f.cov)) / (len(f.cov) * g2))
        blur[f.lam] = max(blur.get(f.lam, 1e-9), 10 * float(np.max(f.bound)))
    wrong = [
        (lam, min(e), max(e))
        for lam, e in notes.items()
        if max(abs(v - lam) for v in e) > blur[lam] * (1 + abs(lam))
    ]
    if not wrong:
        return ()
    text = ", ".join(
        f"asked for λ = {lam:g} it is the member λ = {round(low, 4) + 0:g}"
        + ("" if high - low < 1e-3 else f" to {round(high, 4) + 0:g} (it varies with t)")
        for lam, low, high in wrong
    )
    return (f"The marginals are right, but it means something else by λ: {text}.",)
