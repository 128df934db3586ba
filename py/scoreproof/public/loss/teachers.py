"""Targets that another network has made: a teacher's answer, or what an encoder makes of the data.

Conventions: as in `reading`. All pairs of a row lead to one x_t, of which a teacher has one answer.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.limits import off_bound
from scoreproof.public.loss.noised import cause_of_input
from scoreproof.public.loss.reading import Found
from scoreproof.public.loss.shapes import cause_of_shape
from scoreproof.public.loss.targets import cause_of_target

__all__ = ["made_by_a_network", "taught"]

OF_X_ALONE = (
    "its target is a function of x_t alone, which is neither x_0 nor ε nor made of both: another"
    " network's answer (distillation), of which the exact model is no minimiser unless that network"
    " is exact; this check asks of losses whose target is made of x_0 and ε: pass one of those, or"
    " judge the teacher, and the student, by check_denoiser"
)
OF_A_NETWORK = (
    "another network than its model runs in it, and its target is not made of x_0 and ε alone (a"
    " teacher, a loss of features, an encoder of the data): whether it is right hangs on that"
    " network, which is not judged here; pass the loss without it, of what that network returns"
)
OF_X = (
    "another network than its model makes of the data what is noised (an encoder): x_t is not made"
    " of x_0 and ε then; pass the loss of what that network returns, lambda model, latents: …"
)


def made_by_a_network(job: Job, found: Found, asking: Asking) -> str | None:
    """Why an x_t is not told that is not made of x_0 and ε; ``None`` if no network runs."""
    if not asking.foreign or np.max(found.rest / found.v.sigma) <= 1e-3:
        return None
    return OF_X if cause_of_input(job, found) == ("", "") else None


def taught(job: Job, found: Found, asking: Asking) -> str | None:
    """Why a loss whose minimiser is not the exact model may yet be right; ``None`` if it is not."""
    if not found.straight:
        shape = cause_of_shape(found, found.eps)
        return OF_A_NETWORK if asking.foreign and not shape[0] else None
    if cause_of_target(job, found) != ("", ""):
        return None
    bound = (8 * off_bound(found) * found.size)[:, None]
    alike = np.abs(found.targets - found.targets[0]) <= bound
    if found.coupling is None and np.all(alike) and not np.all(found.due == found.due[0]):
        return OF_X_ALONE
    return OF_A_NETWORK if asking.foreign else None
