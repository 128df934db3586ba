"""What is asked of the formulas: the steps' coefficients, and the numbers that formulas speak of.

Conventions: as in `steps`; a number of each step.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.numbers import names
from scoreproof.public.sampler.causes.steps import Steps, steps_of
from scoreproof.public.sampler.causes.tableau import measured as measured_by
from scoreproof.public.sampler.causes.tableau import steps_looked_at
from scoreproof.public.sampler.data import Data, Level, rates_of
from scoreproof.public.sampler.scheduler import setting

__all__ = ["question", "shape_of"]

#: relative to what the arithmetic, and tables of single precision, may do
TIGHT, LOOSE = 1e-7, 1e4


def shape_of(steps: Steps) -> str:
    """VP, VE, flow or other: what α and σ have to do with each other at all levels."""
    alpha, sigma = (np.array([getattr(v, n) for v in steps.before]) for n in ("alpha", "sigma"))
    for name, off in (
        ("VE", alpha - 1),
        ("VP", alpha**2 + sigma**2 - 1),
        ("flow", alpha + sigma - 1),
    ):
        if np.max(np.abs(off)) < 1e-5:
            return name
    return "other"


def question(
    job: Job, steps: Steps, eps: float, i: int = 0, by_eps: Steps | None = None
) -> Question:
    """Of coordinate i; ``by_eps``: the steps where ε is prescribed, not x_0."""
    measured = {n: v[:, i] for n, v in steps.coefficients.items()}
    outs = []
    for stage in range(steps.stages):
        told = [t[stage] if len(t) > stage else t[-1] for t in steps.told if t]
        told += [told[-1]] * (steps.count - len(told))
        outs.append(_out(job, told, by_eps is steps))
    inner = np.array(
        [u.sigma > 0 < v.sigma for u, v in zip(steps.before, steps.after, strict=True)]
    )
    inner &= np.all([np.isfinite(v) for v in measured.values()], axis=0)
    inner &= np.array([len(t) == steps.stages for t in steps.told])
    known = names(job, steps)
    if "x_next.c2" in measured:
        with np.errstate(all="ignore"):
            known["epsilon"] = measured["x_next.c2"] * known["sigma_next"] ** 2 / known["a_next"]
    tolerance = max(TIGHT, LOOSE * eps)
    found = Question(measured, steps.sizes, known, tuple(outs), inner, tolerance)
    if by_eps is None or by_eps is steps:
        return found
    found = replace(found, by_eps=question(job, by_eps, eps, i, by_eps))
    if job.form.prediction in ("flow", "velocity"):
        found = replace(found, by_out=_by_out(job, eps, i))
    return found


def _by_out(job: Job, eps: float, i: int) -> Question | None:
    """The same where what the model returns is prescribed."""
    table = measured_by(job, steps_looked_at(job), "out")
    steps = None if table is None else steps_of(table)
    if steps is None or steps.stages > 1:
        return None
    one = np.ones(steps.count)
    return replace(question(job, steps, eps, i), outs=((0 * one, one),))


class _Fixed(Data):
    """An x_0 that is given."""

    def denoised(self, x: np.ndarray, alpha: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        return np.full(x.shape, self.mean)


def _out(job: Job, told: list[Level], by_eps: bool) -> tuple[np.ndarray, np.ndarray]:
    """What the model returns, as x and x_0 (or ε) make it, at each step."""
    rows, one, zero = np.ones((len(told), 1)), np.ones(1), np.zeros(1)
    alpha, sigma = (np.array([[getattr(v, n)] for v in told]) for n in ("alpha", "sigma"))
    more = dict(getattr(job.form, "more", {}))
    scheduler = getattr(job.form, "scheduler", None)
    if scheduler is not None:
        more = {"sigma_data": float(setting(scheduler, "sigma_data", 0.5))}
    kind = job.form.prediction
    if kind == "velocity":
        more |= rates_of(told)
    of_x = _Fixed(zero, one).predicted(rows, alpha, sigma, kind, **more)[:, 0]
    of_x0 = _Fixed(one, one).predicted(0 * rows, alpha, sigma, kind, **more)[:, 0]
    if not by_eps:
        return of_x, of_x0
    with np.errstate(all="ignore"):  # x_0 = (x - σ ε)/α
        a, s = alpha[:, 0], sigma[:, 0]
        return of_x + of_x0 / a, -of_x0 * s / a
