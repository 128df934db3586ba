"""The score, x0, ε or v that a drift was made of, read off it: clipped, squashed, or another
function of what is due.

Conventions: the score of a drift f - w g² s, w the weight that belongs to the noise; rows of all
places together, coordinates last.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.answers import Answer, reading
from scoreproof.causes.wholes import MAPS
from scoreproof.objects.parameterizations import convert
from scoreproof.public.laws import number
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.terms import Told
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["of_another_score"]

KINDS = {"drift": "the drift", "x0": "x0", "eps": "ε", "score": "the score", "v": "v"}
READINGS = {"clipped", "coordinates_exchanged", "rotated", "coordinates_mixed", *MAPS}
#: rows of each sort that tell a clipped norm; what a reading may leave, relative to the largest
LEAST, LEFT = 3, 1e-7


def of_another_score(target: Diffused, places: list[Found]) -> Told | None:
    """What the drift's score, or what it was made from, is of the one that is due."""
    for kind, name in KINDS.items():
        found, due = _pairs(target, places, kind)
        if not np.all(np.isfinite(found)) or not np.all(np.isfinite(due)):
            continue
        size = np.maximum(np.abs(due), np.abs(found))
        read = reading(Answer.of(found, due, LEFT * size))
        if read is not None and read.name in READINGS:
            return Told(
                f"implied_{read.name}",
                f"{_in_the_drift(name)} is {_what(read.words)}; {read.remedy}",
            )
        norm = _norm(found, due)
        if norm is not None:
            return Told(
                "norm_clipped",
                f"{_in_the_drift(name)} is what is due, shortened to the norm {number(norm)} where"
                " it is longer; do not shorten it: an exact model goes beyond",
            )
    return None


def _what(words: str) -> str:
    return words.removeprefix("it is ").removeprefix("each row is ")


def _in_the_drift(name: str) -> str:
    return name if name == "the drift" else f"{name} in the drift"


def _pairs(target: Diffused, places: list[Found], kind: str) -> tuple[np.ndarray, np.ndarray]:
    """The quantity implied by the drift, and the one due."""
    implied, right = [], []
    for f in places:
        x = f.x[~f.jumps]
        g2 = target.diffusion(f.t) ** 2
        w = (1 + float(np.trace(f.cov)) / (len(f.cov) * g2)) / 2
        alpha, shift, var = target.level(f.t)
        if kind == "drift":
            implied.append(f.b[~f.jumps])
            right.append(target.drift(x, f.t) - w * g2 * target.score(x, f.t))
            continue
        scores = (target.drift(x, f.t) - f.b[~f.jumps]) / (w * g2), target.score(x, f.t)
        with np.errstate(all="ignore"):
            found, due = (convert(s, x - shift, "score", kind, alpha, var**0.5) for s in scores)
        implied.append(found)
        right.append(due)
    return np.concatenate(implied), np.concatenate(right)


def _norm(found: np.ndarray, due: np.ndarray) -> float | None:
    """The largest norm, if all longer ones are shortened to it."""
    if found.shape[1] == 1:
        return None
    lengths, right = (np.linalg.norm(v, axis=1) for v in (found, due))
    longest = float(np.max(lengths))
    cut = right > longest * (1 + LEFT)
    if min(np.sum(cut), np.sum(~cut)) < LEAST:
        return None
    scale = np.where(cut, longest / np.maximum(right, 1e-300), 1.0)
    if np.max(np.abs(found - scale[:, None] * due)) > 10 * LEFT * np.max(np.abs(due)):
        return None
    return float(f"{longest:.6g}")
