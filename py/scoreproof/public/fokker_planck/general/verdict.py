"""What was found against what is due, for any noise: the terms at points or on segments, and the
symmetry of a score's Jacobian.

Conventions: as in `terms`; resolution: the relative deviation, of f in one coordinate, of Σ along
one of its principal directions or of all that the noise brings, at one time, that half of the
places would have shown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck import verdict, words
from scoreproof.public.fokker_planck.alone import room
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.general.causes import diagnosed
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.general.terms import Terms
from scoreproof.public.fokker_planck.readings import Reading
from scoreproof.public.fokker_planck.strong import Found

__all__ = ["pointwise", "right_side"]

EPS = float(np.finfo(float).eps)


def right_side(reading: Reading, of_state: bool) -> str:
    """The right side of the equation for log p, in words."""
    noise = "½ Σ ∂_i∂_j (Σ_ij p)/p"
    if not of_state:
        return f"-∇·f - f·∇log p + {noise}"
    if reading.fick:
        return "-∇·f - f·∇log p + ½ ∇·(Σ ∇p)/p (read as Fick)"
    if reading.alpha:
        said = reading.said if reading.name == "alpha" else f"{reading.said}, α = ½"
        return f"-∇·f - f·∇log p + {noise} - α ∇·(C p)/p (read as {said})"
    return f"-∇·f - f·∇log p + {noise} (read as Itô)"


def pointwise(g: General, found: Found, place: Place, tolerance: float | None) -> Evidence:
    """The strong form at all places that could be asked."""
    at = verdict.AtPlaces.of(found, tolerance)
    right = right_side(g.reading, g.of_state)
    said = words.OF_A_SCORE if g.only_score else words.OF_A_DENSITY
    seen, sentence = coverage(g, found, place), words.sentence(found, at.worst, right, said)
    evidence = at.compared(sentence, seen, g.calls)
    if evidence.verdict == "refuted":
        wrong = at.error > at.room
        evidence = replace(evidence, sentence=words.off(found, at.worst, wrong, right, said))
        only = words.at_a_few(wrong)
        if only is not None:
            return evidence.with_diagnosis(only)
        return diagnosed(evidence, g, found, place, tolerance)
    if at.stays(evidence):
        return evidence
    remedy = words.FINER_SCORE if g.only_score else words.FINER
    decided = at.settled(replace(evidence, sentence=sentence), seen, resolution(found), remedy)
    return _each_alone(decided, g, found, place, tolerance)


def coverage(g: General, found: Found, place: Place) -> Coverage:
    """As in `verdict`; of a score, segments are looked at."""
    seen = verdict.coverage(found, place)
    if not g.only_score:
        return seen
    asked: dict[str, Any] = dict(seen.asked)
    asked["segments"] = asked.pop("points")
    out = tuple(replace(o, what="segments") for o in seen.left_out)
    return Coverage(asked, out, seen.span)


def resolution(found: Found) -> float:
    """The worst over times, and over the parts of the equation that are not zero there."""
    return verdict.coarsest(found, _parts)


def _parts(t: Terms) -> list[np.ndarray]:
    """The drift by coordinates, Σ by its principal directions, and all that the noise brings; a
    noise along the level lines of p brings nothing in its reading, and its parts do.
    """
    drift = [_part(t, i) for i in range(t.x.shape[1])]
    noise = [np.abs(t.shares[:, k]) for k in range(t.shares.shape[1])]
    return [*drift, *noise, verdict.seen_of(t.spread, t.ito, t.spread - t.ito)]


def _part(t: Terms, i: int) -> np.ndarray:
    """What a factor on f_i changes; where f_i p is constant along i nothing does, and its two terms
    count.
    """
    return verdict.seen_of(t.carried[:, i], t.along[:, i], t.squeezed[:, i])


def _each_alone(
    evidence: Evidence, g: General, found: Found, place: Place, tolerance: float | None
) -> Evidence:
    """A ``holds`` within a tolerance, if no coordinate alone may be off by more than it."""
    if tolerance is None or evidence.verdict != "holds" or place.dimension == 1:
        return evidence
    left = room(found)
    i = int(np.argmax(left))
    if left[i] <= tolerance:
        return evidence
    text = (
        f"{evidence.sentence}: within the tolerance {tolerance:g} of all terms together, but all "
        f"of what is left may be the error of one coordinate, {left[i]:.3g} of the terms of "
        f"coordinate {i}: pass a closer one, or judge the coordinates by themselves"
    )
    return replace(evidence, verdict="undecided", sentence=text, resolution=float(left[i]))
