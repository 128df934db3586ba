"""What is wrong with one of the two: its steps are read off, as `check_sampler` reads a sampler's.

Conventions: the inverse's steps lead up, the sampler's down; who of them is wrong is said.
"""

from __future__ import annotations

from collections.abc import Iterator

from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.forms import RisingScheduler
from scoreproof.public.sampler.arguments import Job as One
from scoreproof.public.sampler.causes import forward
from scoreproof.public.sampler.causes.explain import earlier, read
from scoreproof.public.sampler.causes.steps import Steps, relevelled, steps_of
from scoreproof.public.sampler.causes.tableau import Tableau, measured
from scoreproof.public.sampler.data import Level
from scoreproof.public.sampler.functions import StepForm, WholeForm

__all__ = ["slip"]

CLEAN = Level(0.0, 1.0, 0.0)
MOST = 100


def slip(job: Job, eps: float) -> Diagnosis | None:
    """The mistake of the inverse, else that of the sampler; ``None`` where both are right, or where
    it is not found.
    """
    return safely(lambda: _slip(job, eps))


def _slip(job: Job, eps: float) -> Diagnosis | None:
    text = forward.mistaken(_one(job, job.down, "sampler"))
    if text:
        return _claimed("forward process", text)
    for form, name in ((job.up, "inverse"), (job.down, "sampler")):
        one = _one(job, form, name)
        try:
            table = measured(one, min(job.steps, MOST))
        except (CallableError, ArgumentError):
            continue
        if table is None:
            continue
        wrong = [_first(one, table, steps, eps) for steps in _steps(one, table)]
        if wrong and all(w is not None for w in wrong):  # of two readings one may be right
            found = next((w for w in wrong if w and w[0]), None)
            if found is not None:
                return _claimed(name, f"in the {name}, {found[1]}")
    return None


def _one(job: Job, form: object, name: str) -> One:
    kind = "sample" if isinstance(form, WholeForm) else "step"
    kind = kind if isinstance(form, WholeForm | StepForm) else "scheduler"
    return One(form, name, kind, job.steps, job.shape, None, False, None, job.seed)


def _claimed(name: str, text: str) -> Diagnosis:
    return Diagnosis((name,), 0.0, None, f"Cause: {text.rstrip('.')}.")


def _steps(one: One, table: Tableau) -> Iterator[Steps]:
    """The steps by what their timesteps may mean: of an inverse's, x before it or after it."""
    steps = steps_of(table)
    if steps is None:
        return
    if isinstance(one.form, RisingScheduler):
        told = steps.before
        first = one.form.taken_for(one.form.scheduler) or CLEAN
        yield relevelled(steps, (first, *told[:-1]), told)
        yield relevelled(steps, told, (*told[1:], steps.after[-1]))
    else:
        yield steps


def _first(one: One, table: Tableau, steps: Steps, eps: float) -> tuple[str, str] | None:
    """The first mistake that is found; ``None`` where the steps are right."""
    for name, text in read(one, table, steps, eps, earlier(one, steps)):
        if name == "right":
            return None
        if text and name:
            return name, text
    return "", ""
