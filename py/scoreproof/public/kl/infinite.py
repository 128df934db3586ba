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
from scoreproof.public.kl.laws import Draw
from scoreproof.public.kl.overlap import finite

__all__ = ["where_infinite"]

#: log of σ0²/σ1² beyond the largest that is finite
BEYOND = 1.0
RAISES = (
    "Where the divergence is infinite (α σ1² + (1 - α) σ0² is not positive) it returns nan or"
    " raises; inf is its value there."
)


def where_infinite(
    guard: Guarded, options: Options, rng: np.random.Generator, evidence: Evidence
) -> Evidence:
    """Refuted if a number comes back of laws in d = 2 whose divergence has none: the determinant of
    a matrix that is negative there is positive.
    """
    wanted = options.wanted
    tied = options.layout.tied or options.sides is not None
    if wanted.quantity != "renyi" or wanted.order <= 1 or evidence.verdict != "holds" or tied:
        return evidence
    most = np.log(wanted.order / (wanted.order - 1))
    ratio = most + BEYOND * np.array([0.5, 1.0, 1.5, 2.0])
    d = options.layout.d or 2
    laws = Draw(options, rng).apart("infinite", 4, d, gap=np.full(4, 0.7), ratio=ratio, condition=1)
    assert not np.any(finite(laws, wanted.order))
    try:
        answers: list[Answer] = ask(guard, laws, options, finite=False)
    except CallableError:
        return replace(evidence, notes=(*evidence.notes, RAISES))
    returned = np.concatenate([a.returned for a in answers])
    if not np.any(np.isfinite(returned)):
        nan = not np.all(returned == np.inf)
        return replace(evidence, notes=(*evidence.notes, RAISES)) if nan else evidence
    k = int(np.argmax(np.isfinite(returned)))
    sentence = (
        f"{wanted.name} of {options.form} Gaussians returns {returned[k]:.6g} where it is infinite,"
        f" in d = {d} (α σ1² + (1 - α) σ0² is negative)"
    )
    cause = Diagnosis.cause(
        "finite_where_infinite",
        "Cause: that α σ1² + (1 - α) σ0² is positive definite is not asked for: where it is not,"
        " the divergence is infinite. Return inf there.",
    )
    refuted = replace(evidence, verdict="refuted", sentence=sentence, value=1.0)
    return refuted.with_diagnosis(cause)
