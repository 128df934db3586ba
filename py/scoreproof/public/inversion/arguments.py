"""The arguments of `check_inversion`, validated once, and the two forms that they make."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.public.given_process import process_given
from scoreproof.public.inversion.forms import Rising, RisingScheduler, ToData
from scoreproof.public.sampler import arguments as of_sampler
from scoreproof.public.sampler.data import Level
from scoreproof.public.sampler.functions import StepForm, WholeForm
from scoreproof.public.sampler.grid import STEPS, grid_of, karras
from scoreproof.public.sampler.scheduler import is_scheduler, prediction_of

__all__ = ["FORMS", "Job", "Request", "validate"]

FORMS = (*of_sampler.FORMS, "noises")


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of `check_inversion` as they were given."""

    inverse: Any
    sampler: Any
    process: Any
    form: str | None
    prediction: str | None
    steps: Any
    times: Any
    shape: Any
    order: float | None
    options: dict[str, Any]
    inverse_options: dict[str, Any]
    setup: dict[str, Any]
    tolerance: float | None
    framework: str | None
    dtype: Any
    seed: int


@dataclass(frozen=True, eq=False)
class Job:
    """A validated request: ``up`` and ``down`` can be run; ``follows``: a function that is handed
    the timesteps of a scheduler; ``noises``: encode and decode.
    """

    up: Any
    down: Any
    name: str
    steps: int
    shape: tuple[int, ...]
    order: float | None
    tolerance: float | None
    seed: int
    follows: bool
    noises: bool


def validate(given: Request) -> Job:
    """The request as a job; raises ``ArgumentError``."""
    if given.process is not None:
        given = replace(given, process=process_given(given.process, of_sampler.TABLES)[0])
    if given.form is not None and given.form not in FORMS:
        raise ArgumentError(
            "form", f"one of {', '.join(FORMS)}", repr(given.form), "see check_inversion"
        )
    noises = given.form == "noises"
    for name, value in (("inverse", given.inverse), ("sampler", given.sampler)):
        if (noises and not callable(value)) or not (callable(value) or is_scheduler(value)):
            raise ArgumentError(
                name,
                "a function" if noises else "a scheduler object with step, or a function",
                type(value).__name__,
                "see the docstring of check_inversion",
            )
    job = of_sampler.validate(_of_the_sampler(given, noises))
    down = job.form
    scheduler = is_scheduler(given.sampler) and not noises
    if not scheduler:
        down.grid = ToData(down.grid.base, down.grid.whole).evened(down.level_of)
    up = _upward(given, job, scheduler)
    return Job(
        up,
        down,
        f"{_name(given.inverse)} and {_name(given.sampler)}",
        job.steps,
        job.shape,
        given.order,
        job.tolerance,
        job.seed,
        scheduler and not isinstance(up, RisingScheduler),
        noises,
    )


def _of_the_sampler(given: Request, noises: bool) -> of_sampler.Request:
    times = given.times
    free = not is_scheduler(given.sampler)
    if free and times is None and getattr(given.process, "horizon", None) is None:
        times = karras(STEPS)[:-1]  # what starts at σ = 0 cannot ask a denoiser there
    form, prediction = ("sample" if noises else given.form), given.prediction
    if noises and prediction is None and given.process is not None:
        prediction = "eps"
    return of_sampler.Request(
        given.sampler,
        given.process,
        form,
        prediction,
        given.steps,
        times,
        given.shape,
        given.order,
        False,
        given.options,
        given.setup,
        given.tolerance,
        given.framework,
        given.dtype,
        given.seed,
    )


def _upward(given: Request, job: of_sampler.Job, scheduler: bool) -> Any:
    down = job.form
    common = {
        "shape": job.shape,
        "prediction": down.prediction,
        "framework": down.framework,
        "double": down.double,
        "dtype": down.dtype,
        "options": given.inverse_options,
    }
    if is_scheduler(given.inverse) and given.form != "noises":
        if not scheduler:
            raise ArgumentError(
                "inverse",
                "a function, where the sampler is one",
                type(given.inverse).__name__,
                "wrap its loop as invert(model, x, times), or pass a scheduler as the sampler",
            )
        own = prediction_of(given.inverse)
        if given.prediction is None and own != down.prediction:
            raise ArgumentError(
                "inverse",
                f"configured for the sampler's prediction type ({down.prediction})",
                own,
                "one network serves both: make the inverse with prediction_type as the sampler's"
                " (from_config(sampler.config))",
            )
        return RisingScheduler(
            given.inverse, level_of=down.level_of, setup=dict(given.setup), **common
        )
    kind = given.form or of_sampler.recognised(given.inverse)
    make = StepForm if kind == "step" else WholeForm
    grid = grid_of((2.0, 1.0, 0.0), None) if scheduler else down.grid
    form = make(
        given.inverse,
        level_of=getattr(down, "level_of", None) or _unknown,
        grid=Rising(grid.base, grid.whole, grid.even),
        **common,
    )
    if isinstance(form, WholeForm):
        form.scale = 1.0  # it starts from x, not from noise
    return form


def _unknown(t: float) -> Level:
    """Until the timesteps of the scheduler are known."""
    return Level(t, 1.0, 1.0)


def _name(function: Any) -> str:
    return str(getattr(function, "__name__", type(function).__name__))
