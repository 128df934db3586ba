"""The denoiser's answers, as posterior means of alpha x_0, beside what is due."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.interop.callables import Guarded
from scoreproof.public.denoiser.arguments import Request
from scoreproof.public.posterior.asking import Answers, ask
from scoreproof.public.posterior.due import Due
from scoreproof.public.posterior.points import choose
from scoreproof.public.posterior.scale import Scale, make_scale

__all__ = ["Asked", "asked"]


@dataclass(frozen=True, eq=False)
class Asked:
    """``found``: the answers as posterior means at every place; ``due``: at every point."""

    answers: Answers
    found: np.ndarray
    due: Due
    scale: Scale

    def in_type(self, eps: float) -> Asked:
        """The same answers beside what is due for the prior in the callable's own type."""
        return replace(self, due=Due(self.due.problem.in_type(eps), self.due.y))


def asked(guard: Guarded, request: Request) -> Asked:
    """Asks three times, four where a coarser type comes back than went in."""
    problem = request.problem
    scale = make_scale(problem)
    answers = ask(guard, lambda grid: choose(problem, scale, grid), problem.seed, problem.name)
    y = answers.points.y[answers.which]
    return Asked(
        answers, request.kind.to_mean(answers.places, y), Due(problem, answers.points.y), scale
    )
