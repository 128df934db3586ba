"""The gradient of log p, as the user's library differentiates the user's function.

Conventions: rows ``(P, k)``, in nats, averaged over the probes of a point: in x, in the parameters
of the model, or in the time of the data.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis, diagnose, safely
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.draws import intercepted
from scoreproof.public.log_likelihood.arguments import Job
from scoreproof.public.log_likelihood.asking import Asker, log_p_of
from scoreproof.public.log_likelihood.due import Due
from scoreproof.public.log_likelihood.handed import handed_over, theta_like
from scoreproof.public.log_likelihood.made import Made
from scoreproof.public.log_likelihood.model import Model
from scoreproof.public.log_likelihood.probes import Design
from scoreproof.public.log_likelihood.runs import GRANTED, Run
from scoreproof.public.log_likelihood.slopes import GOOD, Slope, slope_of
from scoreproof.public.log_likelihood.spans import Affine
from scoreproof.public.log_likelihood.variables import early, time_role
from scoreproof.public.log_likelihood.words import IN_WORDS, SLOPES
from scoreproof.public.rule import compared
from scoreproof.public.sampler.asking import to_framework

__all__ = ["judged"]


def judged(asker: Asker, run: Run, affine: Affine | Made, of: str) -> Evidence:
    """Against the gradient that is due, on one law."""
    job, due = asker.job, run.due
    if isinstance(affine, Made):
        text = (
            f"{job.name}: the gradient of log p is not judged where x is no scaling of what it was"
            " at the beginning of the ODE; pass x on as it is"
        )
        return Evidence.undecided("float", text)
    x = affine.back(due.y)
    slope = slope_of(due, affine, x, of)
    truth, size = slope.value, slope.sizes
    level = run.refined
    found = _asked(asker, due, x, level, of)
    bound = np.full(len(size), GRANTED)
    if level:
        before = _asked(asker, due, x, level - 1, of)
        bound = 2 * np.max(np.abs(found - before), axis=0) / size
    bound = bound + GOOD + 16 * asker.eps * due.job.d
    error = np.abs(found - truth) / size
    k = np.unravel_index(int(np.argmax(error)), error.shape)
    text = (
        f"{job.name}: the gradient of log p in {IN_WORDS[of]} of {due.law.name}, by"
        f" {job.framework}'s autograd: {found[k]:.5g} came back where {truth[k]:.5g} is due in"
        f" {slope.places[k[1]]}"
    )
    limit = (bound + (job.tolerance or 0.0)) * size
    evidence = compared(
        error.ravel(),
        np.broadcast_to(bound, error.shape).ravel(),
        text,
        coverage=Coverage({"points": len(x), _COUNTED[of]: truth.shape[1]}),
        tolerance=job.tolerance,
        remedy="let it take n_steps, or rtol and atol; a continuous adjoint wants tolerance=",
        kind="convergent" if level else "float",
    )
    if evidence.verdict != "refuted":
        return evidence
    return replace(evidence, diagnosis=safely(lambda: _explained(found, slope, limit)))


_COUNTED = {"x": "coordinates", "params": "parameters", "t": "times"}


def _explained(found: np.ndarray, slope: Slope, limit: np.ndarray) -> Diagnosis:
    prior, trace = slope.prior, slope.trace
    candidates = {
        "detached": 0 * prior,
        "trace_detached": prior,
        "prior_detached": trace,
        "trace_gradient_sign": prior - trace,
        "gradient_sign": -slope.value,
    }
    if slope.held is not None:
        candidates |= {
            "state_detached": slope.held[0] + slope.held[1],
            "state_and_trace_detached": slope.held[0],
        }
    return diagnose(
        found,
        slope.value,
        candidates,
        resolution=1e-4,
        reasons=SLOPES,
        limit=np.broadcast_to(np.maximum(limit, 1e-9), found.shape),
        read=False,
    )


def _asked(asker: Asker, due: Due, x: np.ndarray, finer: int, of: str) -> np.ndarray:
    job = asker.job
    points, d = x.shape
    design = Design(points, d)
    design = Design(points * design.m, d, held=asker.held)
    rows = np.repeat(x, design.m, axis=0)
    given = to_framework(rows, job.shape, job.framework, job.dtype)
    model = Model(due.law, job.clock, job.kind, job.shape)
    double = job.framework == "torch" and job.dtype is None
    means = (points, design.m)

    def value(handed: Any, values: Any, time: Any = None) -> Any:
        """Log p of every point, averaged over its probes."""
        role = time_role(job.taken, job.clock)
        asker.instead = {role: time} if time is not None and role else {}
        try:
            arguments, named = asker.arguments(handed, values, design, finer, log)
            return log_p_of(asker.run(arguments, named), len(rows)).reshape(means).mean(1)
        finally:
            asker.instead = {}

    with intercepted(job.framework, design.served, double=double) as log:
        log.coins = design.coins
        by = _of_torch if job.framework == "torch" else _of_jax
        found = by(value, job, model, given, of)
    asker.asked += model.calls
    if of == "x":
        found = found.reshape(points, design.m, d).sum(axis=1)
    return np.asarray(found / job.units.factor)


def _leaves(model: Model, given: Any, of: str) -> tuple[Any, ...]:
    """What is differentiated in, by its value: x, or a shift and a log of a scale, or t."""
    if of == "x":
        return (given,)
    if of == "t":
        return (0 * given.reshape(-1)[0] + early(model.clock),)
    return theta_like(given)


def _of_torch(value: Any, job: Job, model: Model, given: Any, of: str) -> np.ndarray:
    torch = sys.modules["torch"]
    handed = handed_over(job, model, given)
    leaves = tuple(v.detach().requires_grad_() for v in _leaves(model, given, of))
    if of == "x":
        out = value(handed, leaves[0])
    elif of == "t":
        out = value(handed, given, leaves[0])
    else:
        leaves = handed.shift, handed.log_scale
        out = value(handed, given)
    if not out.requires_grad and of == "x":
        raise CallableError(
            "log_likelihood",
            "return what torch can differentiate in x, with gradients=True",
            "its result does not require grad",
            "leave out torch.no_grad() and detach(), and take the divergence with"
            " create_graph=True",
        )
    if of == "x":
        return np.asarray(as_numpy(torch.autograd.grad(out.sum(), leaves[0])[0]), float)
    found = []
    for one in out:
        if not one.requires_grad:
            slopes: Any = (None,) * len(leaves)
        else:
            slopes = torch.autograd.grad(one, leaves, retain_graph=True, allow_unused=True)
        parts = [torch.zeros_like(v) if s is None else s for v, s in zip(leaves, slopes,
                                                                         strict=True)]  # fmt: skip
        found.append(np.concatenate([np.ravel(as_numpy(s)) for s in parts]))
    return np.asarray(found, dtype=float)


def _of_jax(value: Any, job: Job, model: Model, given: Any, of: str) -> np.ndarray:
    jax = sys.modules["jax"]
    leaves = _leaves(model, given, of)
    if of == "x":
        return np.asarray(as_numpy(jax.grad(lambda x: value(model, x).sum())(given)), float)

    def total(*leaves: Any) -> Any:
        if of == "t":
            return value(model, given, leaves[0])
        model.theta = leaves
        return value(model, given)

    out, back = jax.vjp(total, *leaves)
    found = []
    for row in np.eye(len(out)):
        slopes = back(jax.numpy.asarray(row, dtype=out.dtype))
        found.append(np.concatenate([np.ravel(as_numpy(s)) for s in slopes]))
    return np.asarray(found, dtype=float)
