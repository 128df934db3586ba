"""What explains numbers that are not due: a known fault, a floor of the noise, a factor.

Conventions: an estimate of KL that is no sum over Euler's steps may be right all the same, in the
limit; a cause is claimed of it only if it explains every number to rounding.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.path_kl.alongside import Alongside
from scoreproof.public.path_kl.floors import floored
from scoreproof.public.path_kl.scaled import scaled
from scoreproof.public.path_kl.words import plainly, reasons

__all__ = ["cause_of"]


def cause_of(found: Alongside) -> Diagnosis:
    """With and without the stochastic integral, where it is not asked for."""
    job = found.looks[0].job
    size = np.abs(found.energy) + np.abs(found.ends) + np.abs(found.ito)
    first = None
    if job.ratio and np.all(found.returned > 0) and _explains_log(found):
        return Diagnosis.cause(
            "exponential",
            "Cause: it is the weight itself, exp of what is due: return its logarithm.",
        )
    for c in (1.0,) if job.ratio else (0.0, 1.0):
        here = replace(found, c=c)
        predicted = here.predicted(c)
        if not job.ratio:  # what is no fault of a mean
            predicted.pop("ito_left_out", None)
            predicted.pop("ito_subtracted", None)
        if not c:  # the same as the sign of the whole
            predicted.pop("energy_subtracted", None)
        named = diagnose(
            here.returned / size,
            here.due / size,
            {n: v / size for n, v in predicted.items()},
            reasons=reasons(job),
            limit=found.blur / size,
            read=job.ratio,
        )
        if named.names and (job.ratio or _explains(found, predicted[named.names[0]])):
            return plainly(named, found.returned, found.due)
        other = floored(here, c) or scaled(here, c) or _constant(here)
        other = other or (None if job.ratio else _factor(here))
        if other is not None:
            return other
        first = first or named
    assert first is not None
    return replace(first, names=()) if not job.ratio else first


def _explains(found: Alongside, predicted: np.ndarray) -> bool:
    return bool(np.all(np.abs(found.returned - predicted) <= found.blur))


def _explains_log(found: Alongside) -> bool:
    rounding = found.blur + np.finfo(float).eps * np.abs(found.due)
    return bool(np.all(np.abs(np.log(found.returned) - found.due) <= rounding))


def _constant(found: Alongside) -> Diagnosis | None:
    """A number is added to every value."""
    gap = found.returned - found.due
    weight = 1 / found.blur**2
    much = float(np.sum(weight * gap) / np.sum(weight))
    if abs(much) <= 2 * float(np.max(found.blur)) or not _explains(found, found.due + much):
        return None
    return plainly(Diagnosis(("offset",), 0.0, None, ""), found.due + much, found.due)


def _factor(found: Alongside) -> Diagnosis | None:
    """The whole is what is due times a number."""
    weight = 1 / found.blur**2
    factor = float(np.sum(weight * found.returned * found.due) / np.sum(weight * found.due**2))
    known = 2 * float(np.min(found.blur / np.abs(found.due)))
    if abs(factor - 1) <= known or not _explains(found, factor * found.due):
        return None
    read = diagnose(np.array([factor, factor]), np.ones(2), {}, limit=known)
    return plainly(read, found.returned, found.due) if read.names else None
