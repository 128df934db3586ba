"""Samplers that ask their model once, before their loop, however many steps they are given.

Conventions: as in `end`; the end of the chain is all that there is to be judged.
"""

from __future__ import annotations

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.rule import COARSEST, settled
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.asking import Tape, passed
from scoreproof.public.sampler.convergence import deviation
from scoreproof.public.sampler.data import Data, Level, gaussian
from scoreproof.public.sampler.functions import WholeForm
from scoreproof.public.sampler.rows import counting
from scoreproof.public.sampler.words import at_level

__all__ = ["asked_once"]

CLEAN = Level(0.0, 1.0, 0.0)


def asked_once(job: Job) -> Evidence | None:
    """A refutation where one call serves all steps and the chain ends at no law that it may end at;
    ``None`` where the model is asked more often, or noise is drawn.
    """
    if not isinstance(job.form, WholeForm):
        return None
    data = gaussian(int(np.prod(job.shape)))
    off = []
    for n in (job.steps, job.form.finer(job.steps)):
        tape, end = passed(job.form, n, data, counting(job.shape))
        if tape.calls != 1 or tape.log.draws or not tape.states:
            return None
        laws = _laws(data, tape)
        off.append(min(float(np.max(np.abs(deviation(end, d, level)))) for d, level in laws))
    if not min(off) > COARSEST:
        return None
    first, steps = tape.states[0].level, job.steps
    text = (
        f"{job.name}: it asks its model once, at {at_level(first)}, whatever the number of its"
        f" steps ({steps} of them here): the law of x at its end is off by {off[0]:.3g} of the"
        f" standard deviation that is due, with {steps} steps, and by {off[1]:.3g} with more"
    )
    cause = (
        "Cause: the model is called outside the loop, so that all steps use what it returned for"
        " the first x: call it in every step, with the x and the time of that step."
    )
    seen = Coverage({"ends": 1, "coordinates": len(data.mean)})
    wrong = settled(
        Evidence("convergent", "refuted", min(off), COARSEST, text),
        resolution=2 * COARSEST,
        coverage=seen,
    )
    return wrong.with_diagnosis(Diagnosis.cause("one call", cause))


def _laws(data: Data, tape: Tape) -> list[tuple[Data, Level]]:
    """The data, the level that is declared, and what the first x is denoised to."""
    first = tape.states[0].level
    _, std = data.moments(first)
    shrunk = Data(data.mean, data.width * first.alpha * data.width / std)
    last = [tape.last] if tape.last is not None and tape.last.sigma > 0 else []
    return [(data, CLEAN), (shrunk, CLEAN), *((data, level) for level in last)]
