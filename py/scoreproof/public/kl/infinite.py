"""A Rényi divergence of order above 1 where it is infinite.

Conventions: the integral of ``p_0^α p_1^(1-α)`` is finite as long as α σ1² + (1 - α) σ0² > 0 in
every direction.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.asking import Answer, ask
from scoreproof.public.kl.laws import Apart, Draw, Laws
from scoreproof.public.kl.overlap import finite

__all__ = ["where_infinite"]

#: log of σ0²/σ1² beyond the largest that is finite
BEYOND = 1.0
#: of the largest that is finite: σ0²/σ1² in one direction, and in all others
OUTSIDE, INSIDE = 1.15, 0.6
RAISES = (
    "Where the divergence is infinite (α σ1² + (1 - α) σ0² is not positive) it returns nan or"
    " raises; inf is its value there."
)


def where_infinite(
    guard: Guarded, options: Options, rng: np.random.Generator, evidence: Evidence
) -> Evidence:
    """Refuted if a number comes back of laws whose divergence has none."""
    wanted = options.wanted
    tied = options.layout.tied or options.sides is not None
    if wanted.quantity != "renyi" or wanted.order <= 1 or evidence.verdict != "holds" or tied:
        return evidence
    d = options.layout.d or 3
    answers: list[Answer] = []
    try:
        for laws in _infinite(options, rng, d):
            answers += ask(guard, laws, options, finite=False)
    except CallableError:
        return replace(evidence, notes=(*evidence.notes, RAISES))
    returned = np.concatenate([a.returned for a in answers])
    if not np.any(np.isfinite(returned)):
        nan = not np.all(returned == np.inf)
        return replace(evidence, notes=(*evidence.notes, RAISES)) if nan else evidence
    k = int(np.argmax(np.isfinite(returned)))
    places = [a.laws.what for a in answers for _ in a.returned]
    sentence = (
        f"{wanted.name} of {options.form} Gaussians returns {returned[k]:.6g} where it is infinite,"
        f" in d = {d} (α σ1² + (1 - α) σ0² is negative{places[k]})"
    )
    cause = Diagnosis.cause(
        "finite_where_infinite",
        "Cause: that α σ1² + (1 - α) σ0² is positive definite is not asked for: where it is not,"
        " the divergence is infinite. Return inf there.",
    )
    refuted = replace(evidence, verdict="refuted", sentence=sentence, value=1.0)
    return refuted.with_diagnosis(cause)


def _infinite(options: Options, rng: np.random.Generator, d: int) -> list[Laws]:
    """In every direction, where the determinant of an even number of them is positive; and in a
    single one, which is not the first, nor a coordinate of matrices.
    """
    most = options.wanted.order / (options.wanted.order - 1)
    ratio = np.log(most) + BEYOND * np.array([0.5, 1.0, 1.5, 2.0])
    draw = Draw(options, rng)
    even = options.layout.d or 2
    every = draw.apart("", 4, even, Apart(np.full(4, 0.7), ratio, condition=1))
    found = [every]
    if d > 1 and options.form != "isotropic":
        what = " in one coordinate" if options.form == "diagonal" else " in one direction"
        one = draw.apart(what, 4, d, Apart(np.full(4, 0.7), 0 * ratio, condition=1))
        found.append(replace(one, v0=_in_one(one.v1, most)))
    assert not any(np.any(finite(laws, options.wanted.order)) for laws in found)
    return found


def _in_one(v1: np.ndarray, most: float) -> np.ndarray:
    """First laws that are too wide in one direction of each row."""
    n, d = v1.shape[:2]
    v0 = INSIDE * most * v1
    rows, here = np.arange(n), 1 + np.arange(n)[::-1] % (d - 1)
    if v1.ndim == 2:
        v0[rows, here] *= OUTSIDE / INSIDE
        return v0
    widths = np.sqrt(np.diagonal(v1, axis1=1, axis2=2))
    across = (OUTSIDE - INSIDE) * most * widths[rows, 0] * widths[rows, here]
    v0[rows, 0, here] += across
    v0[rows, here, 0] += across
    return v0
