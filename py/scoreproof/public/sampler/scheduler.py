"""A scheduler object as it is shipped: ``set_timesteps``, ``timesteps``, ``step``, ``add_noise`` or
``scale_noise``.

Conventions: the level of a timestep is what the object's own forward process makes of it, if it has
one; the state after the k-th step belongs to the level of the timestep after it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import as_numpy, rounded_before, unit_roundoff
from scoreproof.interop.draws_numpy import numpy_generator
from scoreproof.interop.signatures import parameters
from scoreproof.interop.sources import source_of
from scoreproof.public.sampler.asking import Tape, to_framework
from scoreproof.public.sampler.data import Data, Level
from scoreproof.public.sampler.hooks import Hooks
from scoreproof.public.sampler.model import ExactModel
from scoreproof.public.sampler.scheduler_levels import between, last_level
from scoreproof.public.sampler.trained import contradicted

__all__ = ["SchedulerForm", "is_scheduler", "prediction_of"]

#: what a scheduler's configuration calls the prediction, in this package's words
NAMES = {
    "epsilon": "eps",
    "sample": "x0",
    "v_prediction": "v",
    "flow_prediction": "flow",
}


def is_scheduler(sampler: Any) -> bool:
    """Whether it is an object whose method ``step`` makes one step of a chain."""
    return callable(getattr(sampler, "step", None)) and not isinstance(sampler, type)


def setting(scheduler: Any, name: str, default: Any = None) -> Any:
    """An entry of the object's configuration, or an attribute of its own."""
    config = getattr(scheduler, "config", None)
    for holder in (config, scheduler):
        value = holder.get(name) if isinstance(holder, dict) else getattr(holder, name, None)
        if value is not None:
            return value
    return default


def prediction_of(scheduler: Any) -> str:
    """What its ``step`` takes: as its configuration says, else ε."""
    if callable(getattr(scheduler, "precondition_outputs", None)):
        # at sigma_data = 1 its v is that of x at unit length, minus F
        turned = setting(scheduler, "prediction_type") == "v_prediction"
        return "v" if turned and float(setting(scheduler, "sigma_data", 0.5)) == 1 else "F"
    flows = hasattr(scheduler, "scale_noise") and not hasattr(scheduler, "add_noise")
    named = setting(scheduler, "prediction_type", "flow_prediction" if flows else "epsilon")
    return NAMES.get(str(named), str(named))


@dataclass(eq=False)
class SchedulerForm:
    """The object, copied afresh for every run; ``options`` go to ``step`` (``eta=1.0``), ``setup``
    to ``set_timesteps``.
    """

    scheduler: Any
    shape: tuple[int, ...]
    prediction: str
    framework: str
    double: bool
    dtype: Any
    level_of: Callable[[float], Level] | None
    options: dict[str, Any] = field(default_factory=dict)
    setup: dict[str, Any] = field(default_factory=dict)
    hooked: list[str] = field(default_factory=list)
    odd: Evidence | None = None

    @property
    def eps(self) -> float:
        """The spacing at 1 of the coarsest floating table that the object holds."""
        tables = [
            v
            for v in vars(self.scheduler).values()
            if hasattr(v, "dtype") and getattr(v, "ndim", 0) > 0
        ]
        held = [unit_roundoff(v) for v in tables]
        if any(rounded_before(np.asarray(as_numpy(v))) for v in tables):
            held.append(float(np.finfo(np.float32).eps))
        return max([float(np.finfo(float).eps), *held])

    def fresh(self) -> Any:
        return copy.deepcopy(self.scheduler)

    def finer(self, n: int) -> int:
        """The next number of steps: of a table of 1000 one that divides it, if n does."""
        bar = getattr(self.scheduler, "alphas_cumprod", None)
        total = int(setting(self.scheduler, "num_train_timesteps", 0 if bar is None else len(bar)))
        if total and total % n == 0:
            return next((k for k in range(int(1.6 * n), total + 1) if total % k == 0), 2 * n)
        return 2 * n

    def prepared(self, s: Any, n: int) -> tuple[Any, Any]:
        """The copy with its timesteps set."""
        if hasattr(s, "set_timesteps"):
            try:
                s.set_timesteps(n, **self.setup)
            except Exception as error:
                raise CallableError(
                    "sampler.set_timesteps",
                    "set n timesteps",
                    f"it raised {type(error).__name__}: {error} for n = {n}",
                    "pass steps= that it takes, or setup={…} with its further arguments",
                ) from error
        timesteps = getattr(s, "timesteps", None)
        if timesteps is None or len(timesteps) == 0:
            raise ArgumentError(
                "sampler",
                "an object with set_timesteps(n) and timesteps",
                f"{type(self.scheduler).__name__} without timesteps",
                "wrap it as a function sample(model, x, timesteps)",
            )
        return s, timesteps

    def levels(self, s: Any, timesteps: Any) -> list[Level]:
        """The level of each timestep."""
        when = np.asarray(as_numpy(timesteps), dtype=float).ravel()
        if self.level_of is not None:
            return [self.level_of(float(t)) for t in when]
        one = to_framework(np.ones((len(when), 1)), (1,), self.framework, self.dtype)
        forward = getattr(s, "scale_noise", None) or getattr(s, "add_noise", None)
        if forward is None:
            raise ArgumentError(
                "process",
                "given, where the scheduler has neither add_noise nor scale_noise",
                None,
                "pass process=DiscreteVP(betas), or any object with alpha(t) and sigma(t)",
            )
        swapped = hasattr(s, "scale_noise")

        def made(x: Any, noise: Any) -> np.ndarray:
            out = forward(x, timesteps, noise) if swapped else forward(x, noise, timesteps)
            made = np.asarray(as_numpy(out), dtype=float)
            if made.size != len(when):
                raise CallableError(
                    f"sampler.{'scale_noise' if swapped else 'add_noise'}",
                    f"return an array of the sample's shape, {(len(when), 1)}",
                    f"it returned shape {made.shape} for timesteps of shape {(len(when),)}",
                    "give the factors of each timestep the axes of a sample",
                )
            return made.ravel()

        alpha, sigma = made(one, 0 * one), made(0 * one, one)
        found = [
            Level(float(t), float(a), float(b)) for t, a, b in zip(when, alpha, sigma, strict=True)
        ]
        return [
            between(s, level) if level.when != after.when and level.sigma == after.sigma else level
            for level, after in zip(found, [*found[1:], found[-1]], strict=True)
        ]

    def run(self, fresh: Any, n: int, data: Data, tape: Tape) -> np.ndarray:
        s, timesteps = self.prepared(fresh, n)
        levels = self.levels(s, timesteps)
        model = ExactModel(data, lambda t: levels[0], self.prediction, self.shape)
        model.more = {"sigma_data": float(setting(s, "sigma_data", 0.5))}
        rows = tape.rows.start(*data.moments(levels[0]))
        x = to_framework(rows, self.shape, self.framework, self.dtype)
        tape.reached(rows, levels[0], -1)
        takes = _parameters(s.step)
        options = dict(self.options)
        if "generator" in takes and self.framework == "torch":
            tape.seeded = options.get("generator") is None
            made = source_of("torch", "generator", tape.rows.noise, tape.log, 0)
            options["generator"] = options.get("generator") or made
        if self.framework == "numpy":
            for name in ("generator", "rng"):
                if name in takes and options.get(name) is None:
                    options[name] = numpy_generator(tape.rows.noise, tape.log)
        if "return_dict" in takes:
            options.setdefault("return_dict", False)
        hooks = _hooks(s)
        for k, t in enumerate(timesteps):
            model.level_of = _always(levels[k])
            hooks.input(s, x, t, levels[k])
            try:
                out = s.step(model(x, t), t, x, **options)
            except CallableError:
                raise
            except Exception as error:
                raise CallableError(
                    "sampler.step",
                    "return normally",
                    f"it raised {type(error).__name__}: {error} at step {k} of {len(timesteps)}",
                    "call it once by hand as step(model_output, t, sample)",
                ) from error
            x = _sample(out)
            rows = np.asarray(as_numpy(x), dtype=float).reshape(len(rows), -1)
            if k + 1 < len(levels):
                tape.reached(rows, levels[k + 1], k)
        tape.calls, tape.steps = model.calls, len(timesteps)
        tape.last = last_level(s)
        if not self.hooked:  # the caller's own number of steps comes first
            if self.level_of is None:
                self.odd = contradicted(type(self.scheduler).__name__, s, levels, hooks)
            told = [] if self.odd is not None else hooks.said(levels[0])
            self.hooked = [*told, ""]
        tape.notes.extend(n for n in self.hooked if n)
        return rows


def _hooks(s: Any) -> Hooks:
    """The object's members beside its steps. A σ_data of its own is that of the network's input."""
    conditioned = hasattr(s, "precondition_outputs")
    start = getattr(s, "init_noise_sigma", None)
    return Hooks(
        float(setting(s, "sigma_data", 0.5 if conditioned else 1.0)),
        conditioned,
        None if start is None else float(np.ravel(as_numpy(start))[0]),
    )


def _always(level: Level) -> Callable[[float], Level]:
    return lambda _: level


def _parameters(function: Any) -> set[str]:
    return {p.name for p in parameters(function) or ()}


def _sample(out: Any) -> Any:
    """The next sample, from what a ``step`` returns."""
    if isinstance(out, tuple | list):
        return out[0]
    for name in ("prev_sample", "sample", "x"):
        if isinstance(out, dict) and name in out:
            return out[name]
        if not hasattr(out, "dtype") and hasattr(out, name):
            return getattr(out, name)
    return out
