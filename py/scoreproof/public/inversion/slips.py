"""What is wrong with one of the two: its steps are read off, as `check_sampler` reads a sampler's.

Conventions: the inverse's steps lead up, the sampler's down; who of them is wrong is said.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.public.inversion import rounds
from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.forms import RisingScheduler
from scoreproof.public.sampler.arguments import Job as One
from scoreproof.public.sampler.causes import forward
from scoreproof.public.sampler.causes.etas import right
from scoreproof.public.sampler.causes.explain import earlier, read
from scoreproof.public.sampler.causes.formulas import formulas
from scoreproof.public.sampler.causes.question import question, shape_of
from scoreproof.public.sampler.causes.steps import Steps, relevelled, steps_of
from scoreproof.public.sampler.causes.tableau import Tableau, measured
from scoreproof.public.sampler.data import Level
from scoreproof.public.sampler.functions import StepForm, WholeForm
from scoreproof.public.sampler.words import at_level

__all__ = ["slip"]

#: steps without which nothing is said of all
FEW = 4
DOWN = (
    "each step goes down where it must go up: it takes x to be at the noisier of its two ends, and"
    " leads it to the other, nearer to the data, as the sampler's steps do. Let it lead from the"
    " level that x is at (the time that is nearer to the data) to the next noisier one: α and σ of"
    " the two ends exchanged"
)
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
        text = rounds.mistaken(job, form, table)
        if text:
            return _claimed(name, f"in the {name}, {text}")
        every = list(_steps(one, table))
        back = next((text for steps in every if (text := _back(one, steps))), "")
        if back:
            return _claimed(name, f"in the {name}, {back}")
        if form is job.up and any(_down(one, steps, eps) for steps in every):
            return _claimed(name, f"in the {name}, {DOWN}")
        wrong = [_first(one, table, steps, eps) for steps in every]
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
        yield relevelled(steps, told, (*told[1:], _last(steps, told)))
    else:
        yield steps


def _last(steps: Steps, told: tuple[Level, ...]) -> Level:
    """Where the last step leads: its timestep is not told. Up, or it is as it is."""
    a, c = (steps.coefficients[n][-1, 0] for n in ("x_next.x", "x_next.c1"))
    signal, noise = float(a * told[-1].alpha + c), float(abs(a) * told[-1].sigma)
    upward = signal > 0 and noise / signal >= told[-1].sigma / told[-1].alpha
    return Level(told[-1].when, signal, noise) if upward else steps.after[-1]


def _back(one: One, steps: Steps) -> str:
    """Where the last step of an inverse leads back down to the data."""
    if not isinstance(one.form, RisingScheduler) or steps.stages > 1 or steps.count < 4:
        return ""
    before, after = steps.before[-1], steps.after[-1]
    a, c = (steps.coefficients[n][-1, 0] for n in ("x_next.x", "x_next.c1"))
    off = max(abs(a * before.alpha + c - 1), abs(a) * before.sigma)
    if after.sigma > 0 or off > 1e-4 or before.snr > steps.before[0].snr:
        return ""
    return (
        f"the last step, from {at_level(before)}, leads back to the data, to x_0 itself (ᾱ = 1):"
        " past the end of the table the inverse takes the ᾱ that the sampler ends with"
        " (final_alpha_cumprod). Let it stop at the last entry, or take ᾱ = 0 there"
    )


def _down(one: One, steps: Steps, eps: float) -> bool:
    """Whether the steps of an inverse are those of a sampler, from their upper end to the lower."""
    turned = relevelled(steps, steps.after, steps.before)
    q = question(one, turned, eps)
    if len(q.outs) != steps.stages or np.sum(q.inner) < FEW:
        return False
    discrete = one.kind == "scheduler" or one.form.grid.whole
    every = formulas(shape_of(turned), steps.stages, discrete)
    return bool(right([f for f in every if f.kind == one.form.prediction], q, None))


def _first(one: One, table: Tableau, steps: Steps, eps: float) -> tuple[str, str] | None:
    """The first mistake that is found; ``None`` where the steps are right."""
    for name, text in read(one, table, steps, eps, earlier(one, steps)):
        if name == "right":
            return None
        if text and name:
            return name, text
    return "", ""
