"""Which formulas a sampler's steps may be meant as, the likeliest first.

Conventions: as in `formulas` and `question`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.formulas import Formula, formulas
from scoreproof.public.sampler.causes.language import places
from scoreproof.public.sampler.causes.question import shape_of
from scoreproof.public.sampler.causes.steps import Steps

__all__ = ["eta_given", "likely"]


def likely(job: Job, steps: Steps, q: Question) -> list[Formula]:
    """The formulas that steps of that process may be, the likeliest first."""
    discrete = job.kind == "scheduler" or job.form.grid.whole
    return _ordered(job, formulas(shape_of(steps), steps.stages, discrete), q)


def eta_given(job: Job) -> float | None:
    given = job.form.options.get("eta")
    return float(given) if isinstance(given, int | float) else None


def _ordered(job: Job, every: Sequence[Formula], q: Question) -> list[Formula]:
    """What the sampler is called by goes first, then what draws noise if it does."""
    kinds = type(getattr(job.form, "scheduler", None)).__mro__
    called = " ".join([job.name, *(k.__name__ for k in kinds)]).lower()
    noisy = bool(np.any(q.measured["x_next.z"][q.inner] > 0)) if "x_next.z" in q.measured else False

    def rank(f: Formula) -> tuple[int, int, bool, bool]:
        named = f.name.lower().split()[0].removesuffix("'s") in called
        ddpm = f.name.startswith("DDPM") and noisy and "eta" not in job.form.options
        draws = any(p == ("name", "z") for _, t in f.program for p, _ in places(t))
        # a loop is written as in Ho et al., a library forms x_0 first
        posterior = any(target == "mean" for target, _ in f.program)
        return (
            0 if named else 1,
            0 if ddpm else 1,
            draws != noisy,
            posterior == (job.kind == "sample"),
        )

    return sorted(every, key=rank)
