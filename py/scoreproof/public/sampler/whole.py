"""A list of all timesteps of a table, where ``exact=True`` asks about that very list: it is judged
as it is.

Conventions: as in `convergence`. Steps that lead from t to t - 1 whatever the list were not made
for a thinner one, so that there is no limit of several lists, and Gaussian data tell nothing else.
The steps are read off instead: x_next = a x + b x_0 + z with what the model predicts at x, at its
time. Those which keep the law of one point, and add no more noise than DDPM's do, are DDIM's for
some η between 0 and 1 each: of them it is known that the law of any data tends to the forward
process's.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared
from scoreproof.public.sampler import end, words
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.question import LOOSE, TIGHT
from scoreproof.public.sampler.causes.steps import Steps, steps_of
from scoreproof.public.sampler.causes.tableau import Tableau, measured
from scoreproof.public.sampler.convergence import errors_of
from scoreproof.public.sampler.demands import kept
from scoreproof.public.sampler.functions import StepForm, WholeForm
from scoreproof.public.sampler.runs import Runs

__all__ = ["on_the_whole_table", "remedy"]

#: a coefficient of less than this is rounding
NOTHING = 1e-9


def remedy(job: Job) -> str:
    """What to do where thinner lists do not tell what the error of the caller's tends to."""
    if isinstance(job.form, StepForm | WholeForm) and job.form.grid.finest and not job.exact:
        return (
            "these are all timesteps of the table: pass exact=True, which judges the steps of this"
            " very list, and no thinner one"
        )
    return "pass more steps, or timesteps whose gaps halve"


def on_the_whole_table(job: Job, runs: Runs) -> Evidence | None:
    """The verdict on that list; ``None`` where there is a finer one, or where the steps are not of
    the kind that needs none.
    """
    form = job.form
    if not job.exact or job.order is not None or not isinstance(form, StepForm | WholeForm):
        return None
    law = kept(job, runs)
    if not form.grid.finest or law is None or law.verdict == "undecided":
        return None
    if law.verdict == "refuted":
        return law
    last = _end(job, runs)
    if last.verdict != "holds":
        return last if last.verdict == "refuted" else None
    table = measured(job, job.steps)
    steps = None if table is None else steps_of(table)
    tolerance = max(TIGHT, LOOSE * runs.table)
    if table is None or steps is None or not _of_ddim(table, steps, tolerance):
        return None
    if runs.mixes(job.steps):
        return None
    off = float(np.max(np.abs(errors_of(runs.of(True, job.steps)))))
    text = (
        f"{law.sentence}; {last.sentence.split(': ', 1)[1]}. Every step, read off, is one of DDIM's"
        " for some η between 0 and 1, so that with finer tables the law of any data tends to the"
        f" forward process's; with this one Gaussian data are {words.deviations([off])} off at most"
    )
    seen = [e.coverage for e in (law, last) if e.coverage is not None]
    return replace(law, sentence=text, coverage=Coverage.together(seen, "data at one point"))


def _end(job: Job, runs: Runs) -> Evidence:
    """Where the chain ends, for data at one point."""
    chain = runs.first()
    name, off = min(end.options(chain).items(), key=lambda o: float(np.max(np.abs(o[1]))))
    floor = end.ROUNDINGS * runs.eps
    bound = np.maximum(floor, np.minimum(np.abs(off), 1e4 * runs.table))
    evidence = compared(
        off,
        np.minimum(bound, 1e-3),
        f"{job.name}: the chain ends at {name}",
        coverage=Coverage({"ends": 1}),
        tolerance=job.tolerance,
    )
    if evidence.verdict != "refuted":
        return evidence
    mean, wide = (float(np.max(np.abs(v))) for v in off)
    text = (
        f"{job.name}: where the chain ends x has a mean off by {mean:.3g} and a standard deviation"
        f" off by {wide:.3g}, in units of the last σ before (data at one point;"
        f" {chain.steps} steps)"
    )
    return replace(evidence, sentence=text)


def _of_ddim(table: Tableau, steps: Steps, tolerance: float) -> bool:
    """Whether each step is one of DDIM's family, of a model that is asked at x and told t."""
    c = dict(steps.coefficients)
    a, b = c.pop("x_next.x"), c.pop("x_next.c1")
    noise = sum((c.pop(n) ** 2 for n in ("x_next.z", "x_next.z_2") if n in c), 0 * a)
    alone = steps.stages == 1 and steps.short == 0 and not steps.stale and steps.lasting is None
    if not alone or any(np.any(np.abs(v) > NOTHING) for v in c.values()):
        return False
    asked = table.states[: steps.count] if table.stepwise else table.asked[: steps.count]
    if len(table.asked) < steps.count or not np.allclose(table.asked[: steps.count], asked):
        return False
    told = [t[0] for t in steps.told if t]
    if len(told) < steps.count or any(
        abs(u.alpha - v.alpha) + abs(u.sigma - v.sigma) > TIGHT * v.sigma
        for u, v in zip(told, steps.before, strict=True)
    ):
        return False
    before, after = (
        np.array([[v.alpha, v.sigma] for v in side]).T[:, :, None]
        for side in (steps.before, steps.after)
    )
    (alpha, sigma), (signal, left) = before, after
    ends = np.max(np.abs([a[-1], np.sqrt(noise[-1]), b[-1] - 1])) <= tolerance
    if ends:  # it leads to the data, whatever the last time is
        signal[-1], left[-1] = 1.0, 0.0
    most = left * np.sqrt(np.maximum(1 - (alpha * left / (signal * sigma)) ** 2, 0))
    off = [a * alpha + b - signal, np.hypot(a * sigma, np.sqrt(noise)) - left, steps.offset]
    sound = all(np.all(np.abs(v) <= tolerance * sigma) for v in off)
    more = np.sqrt(noise) > most + tolerance * left
    return bool(sound and np.all(a >= -tolerance) and not np.any(more))
