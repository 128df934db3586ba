"""Why a loss that is not what is due may yet be right, and is left undecided.

Conventions: as in `verdict`; the parts are asked in its order.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.blurred import blurred
from scoreproof.public.loss.coupled_words import bent_and_coupled, by_entries
from scoreproof.public.loss.laid_out import clean_entries
from scoreproof.public.loss.own_draws import drawn_elsewhere
from scoreproof.public.loss.reading import Found
from scoreproof.public.loss.teachers import made_by_a_network, taught
from scoreproof.public.loss.variances import DECODER, bent_at_the_decoder

__all__ = ["open_at"]


def open_at(job: Job, found: Found, asking: Asking, part: str, wrong: np.ndarray) -> str | None:
    """``None`` where it is wrong. ``wrong``: in which rows that part is."""
    if part == "x_t":
        v, x0 = found.v, found.inside[0]
        due = v.alpha[:, None] * x0 + v.sigma[:, None] * found.pairs.noise[0]
        fine = 1e-4 * v.sigma[:, None] + 1e3 * found.eps
        return (
            clean_entries(found.runs[0].asked.x, due, x0, fine)
            or by_entries(job, found)
            or blurred(job, found)
            or made_by_a_network(job, found, asking)
            or drawn_elsewhere(job, found, asking)
        )
    if part == "minimiser" and np.all(np.isfinite(found.off)):
        if bent_at_the_decoder(found, wrong):
            return DECODER
        return bent_and_coupled(found) or taught(job, found, asking)
    return None
