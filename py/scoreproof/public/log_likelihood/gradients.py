"""The gradient of log p in x, as the user's library differentiates the user's function.

Conventions: rows ``(P, d)``, in nats, averaged over the probes of a point. What is due is the
derivative of log p of the exact flow, by differences of fourth order.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.draws import intercepted
from scoreproof.public.log_likelihood.asking import Asker, log_p_of
from scoreproof.public.log_likelihood.due import Due, due_at
from scoreproof.public.log_likelihood.made import Made
from scoreproof.public.log_likelihood.model import Model
from scoreproof.public.log_likelihood.probes import Design
from scoreproof.public.log_likelihood.runs import GRANTED, Run
from scoreproof.public.log_likelihood.spans import Affine
from scoreproof.public.rule import compared
from scoreproof.public.sampler.asking import to_framework

__all__ = ["judged"]

#: of the differences, and what they are good for: the flow is solved to about 1e-10
STEP, GOOD = 3e-3, 1e-7


def judged(asker: Asker, run: Run, affine: Affine | Made) -> Evidence:
    """Against the gradient that is due, on one law."""
    job, due = asker.job, run.due
    if isinstance(affine, Made):
        text = (
            f"{job.name}: the gradient of log p is not judged where x is no scaling of what it was"
            " at the beginning of the ODE; pass x on as it is"
        )
        return Evidence.undecided("float", text)
    x = affine.back(due.y)
    truth = _due(due, affine, x)
    level = run.refined
    found = _asked(asker, due, x, level)
    size = float(np.sqrt(np.mean(truth**2)))
    bound = GRANTED
    if level:
        before = _asked(asker, due, x, level - 1)
        bound = 2 * float(np.max(np.abs(found - before))) / size
    bound += GOOD + 16 * asker.eps * due.job.d
    error = np.abs(found - truth) / size
    k = np.unravel_index(int(np.argmax(error)), error.shape)
    text = (
        f"{job.name}: the gradient of log p in x of {due.law.name}, by {job.framework}'s autograd:"
        f" {found[k]:.5g} came back where {truth[k]:.5g} is due in coordinate {k[1] + 1}"
    )
    return compared(
        error.ravel(),
        bound,
        text,
        coverage=Coverage({"points": len(x), "coordinates": x.shape[1]}),
        tolerance=job.tolerance,
        remedy="let it take n_steps, or rtol and atol; a continuous adjoint wants tolerance=",
        kind="convergent" if level else "float",
    )


def _due(due: Due, affine: Affine, x: np.ndarray) -> np.ndarray:
    """Four points a coordinate, all in one batch."""
    n, d = x.shape
    steps = STEP * np.array([2.0, 1.0, -1.0, -2.0])
    moved = x[None, None] + steps[:, None, None, None] * np.eye(d)[None, :, None, :]
    value = due_at(due.job, due.law, due.span, affine, moved.reshape(-1, d)).value
    far, near, back, least = value.reshape(4, d, n)
    return np.asarray(((8 * (near - back) - (far - least)) / (12 * STEP)).T)


def _asked(asker: Asker, due: Due, x: np.ndarray, finer: int) -> np.ndarray:
    job = asker.job
    points, d = x.shape
    design = Design(points, d)
    design = Design(points * design.m, d, held=asker.held)
    rows = np.repeat(x, design.m, axis=0)
    given = to_framework(rows, job.shape, job.framework, job.dtype)
    model = Model(due.law, job.clock, job.kind, job.shape)
    double = job.framework == "torch" and job.dtype is None
    with intercepted(job.framework, design.served, double=double) as log:
        log.coins = design.coins
        if job.framework == "torch":
            found = _of_torch(asker, model, given, design, finer, log)
        else:
            jax = sys.modules["jax"]

            def total(values: Any) -> Any:
                arguments, named = asker.arguments(model, values, design, finer, log)
                return log_p_of(asker.run(arguments, named), len(rows)).sum()

            found = jax.grad(total)(given)
    asker.asked += model.calls
    flat = np.asarray(as_numpy(found), dtype=float).reshape(points, design.m, d)
    return np.asarray(flat.mean(axis=1) / job.units.factor)


def _of_torch(asker: Asker, model: Any, given: Any, design: Design, finer: int, log: Any) -> Any:
    torch = sys.modules["torch"]
    given = given.requires_grad_(True)
    arguments, named = asker.arguments(model, given, design, finer, log)
    value = log_p_of(asker.run(arguments, named), len(given))
    if not value.requires_grad:
        raise CallableError(
            "log_likelihood",
            "return what torch can differentiate in x, with gradients=True",
            "its result does not require grad",
            "leave out torch.no_grad() and detach(), and take the divergence with"
            " create_graph=True",
        )
    return torch.autograd.grad(value.sum(), given)[0]
