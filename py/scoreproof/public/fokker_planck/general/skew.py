"""Is a score a gradient? Its Jacobian is to be symmetric.

Conventions: ``J[i, j] = ∂_i s_j``; errors relative to the largest entry of J at the point.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.general.segments import Skew
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.rule import COARSEST, compared, settled
from scoreproof.words import part_of

__all__ = ["both", "judged"]

EPS = float(np.finfo(float).eps)
UNSEEN = "a factor of time alone, the normaliser, is not in a score"


def judged(g: General, skews: list[Skew], place: Place, tolerance: float | None) -> Evidence | None:
    """Every pair of coordinates at every point; ``None`` in one dimension."""
    d = place.dimension
    if d == 1:
        return None
    upper = np.triu_indices(d, 1)
    size = np.concatenate([_size(k) for k in skews])
    skew = np.concatenate([np.abs(k.skew[:, upper[0], upper[1]]) for k in skews])
    error = np.concatenate(
        [(k.error + np.swapaxes(k.error, 1, 2))[:, upper[0], upper[1]] for k in skews]
    )
    seen = Coverage(
        {"times": len(place.times.times), "points": len(size), "pairs": len(upper[0])},
        (),
        place.times.describe(),
    )
    with np.errstate(all="ignore"):
        off, bound = skew / size[:, None], np.maximum(error / size[:, None], 8 * EPS)
    good = np.all(bound <= (tolerance or COARSEST), axis=1)
    clear = off > bound + (tolerance or 0.0)
    kept = good | np.any(clear, axis=1)
    evidence = compared(
        off[kept],
        bound[kept],
        "the Jacobian of the score against its transpose",
        coverage=seen,
        tolerance=tolerance,
        cost=g.calls,
    )
    if evidence.verdict != "refuted":
        return evidence
    over = np.where(kept[:, None], off / (bound + (tolerance or 0.0)), 0.0)
    row, pair = np.unravel_index(int(np.argmax(over)), over.shape)
    i, j = int(upper[0][pair]), int(upper[1][pair])
    sizes = np.cumsum([len(k.x) for k in skews])
    which = int(np.searchsorted(sizes, row, side="right"))
    k = skews[which]
    at = int(row) - (int(sizes[which - 1]) if which else 0)
    point = ", ".join(f"{c:.3g}" for c in k.x[at][:3]) + (", …" if d > 3 else "")
    a, b = float(k.jacobian[at, i, j]), float(k.jacobian[at, j, i])
    text = (
        f"the score is not the gradient of anything: ∂s[{j}]/∂x[{i}] is {a:.6g} and"
        f" ∂s[{i}]/∂x[{j}] is {b:.6g} at t = {k.t:.3g}, x = ({point}), which differ by"
        f" {part_of(float(off[row, pair]), 'the largest entry of its Jacobian')}"
    )
    return replace(evidence, sentence=text).with_diagnosis(_cause(skews, tolerance or 0.0))


def _size(k: Skew) -> np.ndarray:
    size = np.max(np.abs(k.jacobian), axis=(1, 2))
    return np.where(size > 0, size, 1.0)


def _cause(skews: list[Skew], accepted: float) -> Diagnosis:
    """Whether the asymmetric part is one matrix, at one time or at all: a linear term."""
    text = (
        "Cause: the score has a part that is no gradient, of which its divergence knows nothing: a"
        " rotation, a matrix that is not symmetric (a Σ⁻¹ with one entry changed, A for Aᵀ), or one"
        " coordinate's formula with another's indices"
    )
    skew = np.concatenate([k.skew for k in skews])
    noise = np.concatenate([k.error + np.swapaxes(k.error, 1, 2) for k in skews])
    first = np.median(skew, axis=0)
    if np.all(np.abs(skew - first) <= 4 * noise + accepted * np.max(np.abs(first))):
        i, j = np.unravel_index(int(np.argmax(np.abs(first))), first.shape)
        text += f"; at all points and times ∂s[{j}]/∂x[{i}] - ∂s[{i}]/∂x[{j}] is {first[i, j]:.5g}"
    return Diagnosis.cause("score_not_gradient", f"{text} (score_not_gradient).")


def both(
    of_time: Evidence, symmetric: Evidence | None, tolerance: float | None, loops: int
) -> Evidence:
    """The equation, and that there is a density at all; what neither sees is said. ``loops``: how
    many were looked at, around which nothing is gathered.
    """
    if of_time.verdict == "refuted":
        return of_time
    said = replace(of_time, sentence=f"{of_time.sentence}; {UNSEEN}")
    if symmetric is None or of_time.verdict != "holds":
        return said
    if symmetric.verdict != "holds":
        return replace(
            symmetric, sentence=f"{of_time.sentence}; but {symmetric.sentence}", curves={}
        )
    around = (
        f"its Jacobian is symmetric and ∮ s · dx is 0 around {loops} loops, so that it is a"
        " gradient"
        if loops
        else "its Jacobian is symmetric at the points, around no loop was looked"
    )
    text = f"{of_time.sentence}; {around}; {UNSEEN}"
    assert of_time.coverage is not None
    return settled(
        replace(of_time, sentence=text),
        resolution=max(of_time.resolution or 0.0, symmetric.resolution or 0.0),
        coverage=of_time.coverage,
        tolerance=tolerance,
    )
