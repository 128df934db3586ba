"""Saved states that do not follow from those beside them, as one that was saved in another's place.

Conventions: as in `measure`. Stretches here are two saved steps long, from every saved time on: in
an average over an eighth of the times one state is lost. What counts is what a test function gains
over two steps beyond what the equation brings, as a part of its integral against p: a state that is
off by less than what is accepted is none.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck.grid.found import Found, weighed
from scoreproof.words import percent

__all__ = ["with_leaps"]

#: a test function that sees less than this part of what another one does is not asked
LITTLE = 0.01
#: of what half of the times tell about a stretch, so many times more may be there
MEASURED = 3.0


def with_leaps(evidence: Evidence, found: Found, accepted: float) -> Evidence:
    """``evidence``, refuted where a state leaps out of its neighbours."""
    if evidence.verdict == "refuted":
        return evidence
    t = found.measure.solution.times
    every = np.arange(len(t))
    leap = _worst(found, every, accepted)
    if leap is None:
        return evidence
    part, a, b = leap
    text = (
        f"the states saved from t = {t[a]:.4g} to {t[b]:.4g} do not follow from each other: a test"
        f" function gains {percent(part)} of its integral against the density more or less than"
        f" drift and diffusion bring in that time, and {percent(accepted)} is accepted"
    )
    off = replace(evidence, verdict="refuted", sentence=text, value=part, bound=accepted)
    for k in range(a, b + 1):
        if _worst(found, np.delete(every, k), accepted) is None:
            cause = Diagnosis.cause(
                "state_out_of_line",
                f"Cause: without the state at t = {t[k]:.4g} the others follow from each other: it"
                " is another time's, or was changed after it was solved for"
                " (state_out_of_line).",
            )
            return off.with_diagnosis(cause)
    return off


def _worst(found: Found, kept: np.ndarray, accepted: float) -> tuple[float, int, int] | None:
    """The largest leap beyond all that may be there, as a part, and the times it lies between;
    ``kept``: the saved times that are looked at.
    """
    worst = None
    for first in (0, 1):
        times = kept[first:]
        ends = np.arange(0, len(times), 2)
        if len(ends) < 2:
            continue
        seen = weighed(found.measure.regrouped(times, ends), found.grid)
        fine = seen.parts
        left = np.abs(fine.residual) - (MEASURED * seen.bound + seen.excuse) * seen.scale
        left = left - accepted * fine.size
        share = left / np.maximum(fine.ends / 2, 1e-300)
        share = np.where(fine.ends >= LITTLE * np.max(fine.ends), share, 0.0)
        s, j = np.unravel_index(int(np.argmax(share)), share.shape)
        if share[s, j] > accepted and (worst is None or share[s, j] > worst[0]):
            worst = float(share[s, j]), int(times[ends[s]]), int(times[ends[s + 1]])
    return worst
