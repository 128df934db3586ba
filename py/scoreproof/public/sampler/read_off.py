"""Steps that are those of a method known to converge, where its limit is too far off to be seen.

Conventions: as in `causes.question`; a deviation of a coefficient is relative to the noise that a
step ends with, and those of all steps add up. Euler–Maruyama on a grid of equal steps in t needs
some ten thousand of them near t = 0, and is right all the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.rule import COARSEST
from scoreproof.public.sampler import words
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.etas import right
from scoreproof.public.sampler.causes.explain import read
from scoreproof.public.sampler.causes.formulas import RENOISED, Formula
from scoreproof.public.sampler.causes.likely import eta_given, likely
from scoreproof.public.sampler.causes.question import question
from scoreproof.public.sampler.causes.readings import name
from scoreproof.public.sampler.causes.steps import Steps, steps_of
from scoreproof.public.sampler.causes.tableau import measured
from scoreproof.public.sampler.convergence import errors_of
from scoreproof.public.sampler.runs import Runs

__all__ = ["read_off"]

FINE = float(np.finfo(float).eps)
#: coordinates whose coefficients differ by less have the same
ALIKE = 1e-9
#: the longest chain that is read off step by step
LONGEST = 1000


def read_off(evidence: Evidence, job: Job, runs: Runs) -> Evidence:
    """An undecided limit, decided where all steps are a known method's, with the caller's number of
    steps and with more.
    """
    counts = job.steps, job.form.finer(job.steps)
    # numbers of a coarse type hide what is looked for, and a table ends where no more steps are
    if not 0 < job.steps <= LONGEST or counts[1] > 3 * job.steps or runs.eps > 8 * FINE:
        return evidence
    try:
        found = [_method(job, n) for n in counts]
    except (CallableError, ArgumentError, ArithmeticError, LookupError, TypeError, ValueError):
        return evidence  # what is undecided stays so
    if None in found or len({f for f, _ in found if f}) != 1:
        return evidence
    least = max(open_ for f, open_ in found if f)
    if not least <= (job.tolerance or COARSEST):
        return evidence
    chains = runs.chains(False)
    sizes = [float(np.max(np.abs(errors_of(c)))) for c in chains]
    text = (
        f"{job.name}: every step, read off one by one with {counts[0]} steps and with"
        f" {counts[1]}, is one of {found[0][0]} to rounding, a method that tends to"
        f" the forward process's laws with more steps; its own limit is too far off to be seen"
        f" (data at one point; {words.trend(chains, sizes)} off at most)"
    )
    return replace(evidence, verdict="holds", sentence=text, resolution=least, value=least / 2)


def _method(job: Job, n: int) -> tuple[str, float]:
    """Its name, and what deviation of all steps together would not have been seen; or no name."""
    table = measured(job, n)
    steps = None if table is None else steps_of(table)
    if table is None or steps is None or steps.count != n or not _alike(steps):
        return "", np.inf
    q = question(job, steps, FINE)
    same = [f for f in likely(job, steps, q) if f.kind == job.form.prediction and _whole(f)]
    good = right(same, q, eta_given(job))
    # the last step may lead to σ = 0, where no formula stands: where that ends is seen by itself
    last = steps.after[-1].sigma == 0
    if not good or not np.all(q.inner[: steps.count - last]):
        return "", np.inf
    told = next(((k, t) for k, t in read(job, table, steps, FINE) if t), ("", ""))
    if told[0] != "right":
        return "", np.inf
    return name(*good[0]), q.tolerance * steps.count


def _whole(f: Formula) -> bool:
    """Whether it says what every step is, and tends to the right laws."""
    return f.start == 0 and f.name != RENOISED


def _alike(steps: Steps) -> bool:
    """Whether all coordinates have the same steps."""
    return all(
        float(np.max(np.ptp(np.nan_to_num(v), axis=1), initial=0.0)) <= ALIKE
        for v in steps.coefficients.values()
    )
