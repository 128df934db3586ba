"""The arguments of `check_sampler`, validated once, and the form that they make."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, replace
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop.signatures import needed, parameters
from scoreproof.public.arguments import a_function, accepted, count, one_of, sample_shape, seeded
from scoreproof.public.called import MODELS
from scoreproof.public.given_process import process_given
from scoreproof.public.sampler.functions import StepForm, WholeForm
from scoreproof.public.sampler.grid import grid_of
from scoreproof.public.sampler.levels import (
    falling,
    level_of_sigma,
    levels_of_process,
    to_the_data,
    with_rates,
)
from scoreproof.public.sampler.scheduler import SchedulerForm, is_scheduler, prediction_of
from scoreproof.public.sampler.unfit import COUNTS, fits_a_loop

__all__ = ["FORMS", "KINDS", "TABLES", "Job", "Request", "recognised", "validate"]

FORMS = ("scheduler", "sample", "step")
KINDS = ("eps", "x0", "v", "score", "F", "flow", "velocity")
STEPS = 50
#: how a whole sampler calls its first argument
#: A whole sampler's third argument, where a step has the next time.
TIMES = ("sigmas", "times", "timesteps", "ts", "t_steps", "steps", "schedule", "grid", "levels")
#: a list of σ is no process: it is the times
TABLES = ("betas", "alphas_cumprod")
FIRST = (*MODELS, "f", "m")


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of `check_sampler` as they were given."""

    sampler: Any
    process: Any
    form: str | None
    prediction: Any
    steps: Any
    times: Any
    shape: Any
    order: float | None
    exact: bool
    options: dict[str, Any] = field(default_factory=dict)
    setup: dict[str, Any] = field(default_factory=dict)
    tolerance: float | None = None
    framework: str | None = None
    dtype: Any = None
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Job:
    """A validated request: ``form`` can be run, ``steps`` are those of the caller's own run."""

    form: Any
    name: str
    kind: str
    steps: int
    shape: tuple[int, ...]
    order: float | None
    exact: bool
    tolerance: float | None
    seed: int


def validate(given: Request) -> Job:
    """The request as a job; raises ``ArgumentError``."""
    if given.process is not None:
        given = replace(given, process=process_given(given.process, TABLES)[0])
    kind = given.form or recognised(given.sampler)
    if kind not in FORMS:
        raise ArgumentError(
            "form", f"one of {', '.join(FORMS)}", repr(kind), "see the docstring of check_sampler"
        )
    shape = sample_shape(given.shape)
    framework = given.framework or _framework(given, kind)
    prediction = given.prediction
    if prediction is None:
        prediction = (
            {"scheduler": prediction_of(given.sampler)}.get(kind, "x0")
            if (kind != "step")
            else "score"
        )
    one_of("prediction", prediction, KINDS, "it is what model returns")
    level_of = (
        None
        if given.process is None
        else levels_of_process(given.process, prediction == "velocity")
    )
    double = framework == "torch" and given.dtype is None
    common = {
        "shape": shape,
        "prediction": prediction,
        "framework": framework,
        "double": double,
        "dtype": given.dtype,
        "options": dict(given.options),
    }
    form: Any
    if kind == "scheduler":
        if prediction == "velocity" and level_of is None:
            raise ArgumentError(
                "prediction",
                "another than 'velocity' for a scheduler, whose timesteps have no dα/dt",
                repr(prediction),
                "say 'flow' (ε - x_0) or 'v' (α ε - σ x_0), whichever its model returns",
            )
        form = SchedulerForm(given.sampler, level_of=level_of, setup=dict(given.setup), **common)
        steps = STEPS if given.steps is None else count("steps", given.steps, 4, "of the chain")
    else:
        if kind == "step" and level_of is None:
            raise ArgumentError(
                "process",
                "given for a step",
                None,
                "pass an object with alpha(t) and sigma(t), DiscreteVP(betas), or form='sample'",
            )
        level_of = level_of or level_of_sigma
        falling(given.times, given.process, prediction, kind == "step")
        grid = grid_of(given.times, given.process)
        to_the_data(level_of, grid.base)
        grid = grid.evened(level_of)
        if prediction == "velocity":
            with_rates(given.process, level_of(grid.base[0]), table=grid.whole)
        make = StepForm if kind == "step" else WholeForm
        form = make(given.sampler, level_of=level_of, grid=grid, **common)
        steps = grid.steps
    name = type(given.sampler).__name__
    name = getattr(given.sampler, "__name__", name) if kind != "scheduler" else name
    return Job(
        form,
        name,
        kind,
        steps,
        shape,
        given.order,
        bool(given.exact),
        accepted(given.tolerance),
        seeded(given.seed),
    )


def recognised(sampler: Any) -> str:
    if is_scheduler(sampler):
        return "scheduler"
    a_function(
        "sampler",
        sampler,
        "a scheduler object with step, or a function",
        "pass sample(model, x, sigmas), step(x, t, t_next, noise, model), or the object",
    )
    forward = getattr(type(sampler), "forward", None)
    if getattr(forward, "__name__", "") == "_forward_unimplemented":
        raise ArgumentError(
            "sampler",
            "a scheduler object with step, or a function",
            f"{type(sampler).__name__}, a module without forward that cannot be called",
            "write its loop as sample(model, x, times), the model handed in where it holds its"
            " network: `scoreproof check sampler MODULE:NAME --wrap` writes that",
        )
    positional = len(needed(sampler))
    names = [p.name for p in parameters(sampler) or ()]
    # a whole sampler is handed its model first, a step last
    whole = positional < 4 or next(iter(names), "").lower() in FIRST
    whole = whole or _third(names) in (*TIMES, *COUNTS)
    if whole:
        fits_a_loop(sampler)
    return "sample" if whole else "step"


def _third(names: Any) -> str:
    return next(iter(list(names)[2:3]), "").lower()


def _framework(given: Request, kind: str) -> str:
    torch = sys.modules.get("torch")
    if kind == "scheduler" and torch is not None:
        held = [*vars(given.sampler).values(), getattr(given.sampler, "timesteps", None)]
        if any(isinstance(v, torch.Tensor) for v in held):
            return "torch"
    return "numpy"
