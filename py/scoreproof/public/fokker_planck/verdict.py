"""What was found against what is due: the terms at points by the rule, and what else may speak
against them.

Conventions: as in `strong`; resolution: the relative deviation, of f in one coordinate or of ρ², at
one time, that half of the points would have shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck import words
from scoreproof.public.fokker_planck.alone import each_alone
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.strong import Found, Terms
from scoreproof.public.rule import WITHIN_ROUNDING, compared, settled

__all__ = ["AtPlaces", "coarsest", "coverage", "median", "pointwise", "resolution", "seen_of"]

EPS = float(np.finfo(float).eps)
#: so many more of what was measured of an error may be there: it is an estimate from a few values
MEASURED = 3.0


@dataclass(frozen=True, eq=False)
class AtPlaces:
    """Deviations at all places that were asked, of any of the two equations, relative to the terms;
    ``excuse``: errors that were measured scatter, a noise of the caller's own may show as a few.
    """

    found: Found
    error: np.ndarray
    bound: np.ndarray
    excuse: np.ndarray
    tolerance: float | None

    @classmethod
    def of(cls, found: Found, tolerance: float | None) -> AtPlaces:
        terms = found.terms
        error = np.concatenate([np.abs(t.residual) / np.maximum(t.size, 1e-300) for t in terms])
        bound = np.concatenate(
            [np.maximum(t.error / np.maximum(t.size, 1e-300), 8 * EPS) for t in terms]
        )
        scatter = np.concatenate([t.scatter / np.maximum(t.size, 1e-300) for t in terms])
        return cls(found, error, bound, MEASURED * np.minimum(bound, scatter), tolerance)

    @property
    def room(self) -> np.ndarray:
        return self.bound + self.excuse + (self.tolerance or 0.0)

    @property
    def worst(self) -> int:
        return int(np.argmax(self.error / self.room))

    def compared(self, sentence: str, seen: Coverage, calls: dict[str, int]) -> Evidence:
        """By the rule; its curve is the largest deviation at each time."""
        found = self.found
        blocks = np.split(self.error, np.cumsum([len(t.x) for t in found.terms])[:-1])
        return compared(
            self.error,
            self.bound,
            sentence,
            coverage=seen,
            excuse=self.excuse,
            tolerance=self.tolerance,
            cost=calls,
            curves={
                "largest error": ([t.t for t in found.terms], [float(np.max(b)) for b in blocks])
            },
            labels=("t", "relative error"),
            notes=(found.by_values,) if found.by_values else (),
        )

    def stays(self, evidence: Evidence) -> bool:
        """Undecided for what no part alone would change."""
        return evidence.verdict == "undecided" and (
            not np.all(np.isfinite(self.bound)) or WITHIN_ROUNDING in evidence.sentence
        )

    def settled(self, evidence: Evidence, seen: Coverage, finest: float, remedy: str) -> Evidence:
        """`compared` speaks of all terms together; one coordinate's part has to be seen by
        itself.
        """
        plain = Evidence.measured(
            evidence.value,
            evidence.bound,
            evidence.sentence,
            cost=evidence.cost,
            curves=evidence.curves,
            labels=evidence.labels,
            notes=evidence.notes,
        )
        return settled(
            plain,
            resolution=finest,
            coverage=seen,
            tolerance=self.tolerance,
            remedy=remedy,
        )


def pointwise(s: Subject, found: Found, place: Place, tolerance: float | None) -> Evidence:
    """The strong form at all points that could be asked."""
    at = AtPlaces.of(found, tolerance)
    seen, sentence = coverage(found, place), words.sentence(found, at.worst)
    evidence = at.compared(sentence, seen, s.calls)
    if evidence.verdict == "refuted":
        wrong = at.error > at.room
        evidence = replace(evidence, sentence=words.off(found, at.worst, wrong))
        return words.diagnosed(evidence, s, found, at.error > at.bound, (place, tolerance))
    if at.stays(evidence):
        return evidence
    plain = replace(evidence, sentence=sentence)
    decided = at.settled(plain, seen, resolution(found), words.FINER)
    return each_alone(decided, s, found, (place, tolerance))


def resolution(found: Found) -> float:
    """The worst over times, and over the parts of the equation that are not zero there."""
    return coarsest(
        found, lambda t: [*(_part(t, i) for i in range(t.x.shape[1])), np.abs(t.spread)]
    )


def coarsest(found: Found, parts: Callable[[Any], list[np.ndarray]]) -> float:
    """The worst over times and parts; one that is nowhere more than its own rounding is no
    evidence.
    """
    worst = found.forward_blur
    for t in found.terms:
        error = np.maximum(t.error, 8 * EPS * t.size)
        seen = [median(error, part) for part in parts(t) if np.any(part > 0)]
        worst = max([worst, *seen]) if seen else np.inf
    return float(worst)


def _part(t: Terms, i: int) -> np.ndarray:
    """What a factor on f_i changes; where f_i p is constant along i nothing does, and its two terms
    count.
    """
    return seen_of(t.carried[:, i], t.f[:, i] * t.first[:, i], t.df[:, i])


def seen_of(carried: np.ndarray, along: np.ndarray, squeezed: np.ndarray) -> np.ndarray:
    """The size of ∂_i (f_i p); where its two terms cancel at most places, of the larger one."""
    whole, single = np.abs(carried), np.maximum(np.abs(along), np.abs(squeezed))
    return single if np.mean(whole <= 1e-9 * single) > 0.5 else whole


def median(error: np.ndarray, part: np.ndarray) -> float:
    """What half of the places where there is a part would have shown of it."""
    there = part > 0
    return float(np.quantile(2 * error[there] / part[there], 0.5, method="lower"))


def coverage(found: Found, place: Place) -> Coverage:
    """Times, points, and what is missing of them."""
    empty, lost = (sum(n for _, n in rows) for rows in (found.empty, found.unresolved))
    out = []
    if empty:
        out.append(
            Omission(
                "points",
                empty,
                "where the density is 0 or less than floats hold",
                words.listed(found.empty),
            )
        )
    if lost:
        out.append(
            Omission(
                "points",
                lost,
                "where the derivatives could not be had to 0.5 %",
                words.listed(found.unresolved),
            )
        )
    sides = place.box.domain
    span = (
        "the points you named"
        if place.points is not None
        else f"random points in {words.box(sides)}, new ones at each time"
    )
    return Coverage(
        {"times": len(place.times.times), "points": found.asked},
        tuple(out),
        f"{place.times.describe()}; {span}",
    )
