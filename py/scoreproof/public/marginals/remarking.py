"""What is said besides: the reading under which there is no mistake, and digits that are lost."""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.marginals.verdict import Case, errors

__all__ = ["digits_lost", "remarks"]

#: spacing of float32 at 1
SINGLE = 2.0**-23


def remarks(case: Case, found: Diagnosis) -> tuple[str, ...]:
    """What the mistake means, and the reading under which there is none."""
    notes = []
    error = float(np.max(errors(case, case.start).error))
    if not found.names and max(case.eps, case.said.law.eps) < SINGLE / 1e3 and error < 32 * SINGLE:
        notes.append(
            f"Nowhere is it off by more than {error:.1g} (relative), a few roundings of float32: is"
            " something in it computed in single precision (a table, a tensor of the default type,"
            ' a quotient of integers in torch)? Make it float64, or pass dtype="float32" or'
            " tolerance=."
        )
    if np.any(case.start) and case.fits(0 * case.start):
        notes.append('It is right for the SDE started at x0 itself: pass reading="literal".')
    return tuple(notes)


def digits_lost(case: Case) -> tuple[str, ...]:
    """A marginal that loses digits to cancellation at small times holds, with a remark."""
    lost = errors(case, case.start).error[1].max(axis=(1, 2))
    k = int(np.argmax(lost))
    if lost[k] <= 1e5 * case.said.law.eps:
        return ()
    where = (
        f"At t = {case.implied.times[k]:.3g} the declared standard deviation is off by"
        f" {lost[k]:.1g} (relative)"
    )
    return (f"{where}: a difference such as 1 - exp(-x) loses digits, expm1 does not.",)
