"""The noise levels of a schedule, read from whatever form people have it in.

Conventions: as in `levels`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy, to_float, unit_roundoff
from scoreproof.objects.discrete import DiscreteVE, DiscreteVP
from scoreproof.public.network.levels import Levels, NoiseLevel
from scoreproof.public.posterior.rounding import grown

__all__ = ["levels_of"]

#: of a process without a table, times from this part of its span on: samplers stop there
FIRST = 1e-3
GRID = 512
PREDICTIONS = {"epsilon": "eps", "sample": "x0", "v_prediction": "v", "flow_prediction": "velocity"}


def levels_of(schedule: Any) -> Levels:
    """The levels of a schedule; raises ``ArgumentError``.

    ``schedule``: a list of σ (``x = x_0 + σ ε``; the time is σ), ``{"betas": …}``,
    ``{"alphas_cumprod": …}`` or ``{"sigmas": …}``, an object with one of these two tables of a
    DDPM, a diffusers scheduler, a table or process of ``scoreproof.objects``, or any object with
    ``alpha(t)``, ``sigma(t)`` and ``horizon``.

    >>> levels = levels_of({"betas": [0.1, 0.2, 0.5]})
    >>> [round(v.ratio, 3) for v in levels.spread(3)]
    [0.333, 0.624, 1.333]
    """
    if isinstance(schedule, Mapping):
        return _of_mapping(schedule)
    if _is_process(schedule):
        return _of_process(schedule)
    for name in ("alphas_cumprod", "betas"):
        table = getattr(schedule, name, None)
        if table is not None and not callable(table):
            return _of_table(name, table, _predicted(schedule))
    if callable(getattr(schedule, "scale_noise", None)):
        return _of_flow(schedule)
    if callable(getattr(schedule, "precondition_outputs", None)):
        raise ArgumentError(
            "schedule",
            "the list of σ, for a scheduler that preconditions",
            type(schedule).__name__,
            "pass schedule=scheduler.sigmas[:-1] and the preconditioned denoiser (x, σ)",
        )
    try:
        sigmas = np.ravel(np.asarray(as_numpy(schedule), dtype=float))
    except (TypeError, ValueError):
        raise ArgumentError(
            "schedule",
            "a list of σ, a mapping such as {'betas': …}, a scheduler or a process",
            type(schedule).__name__,
            "see levels_of for the forms; a process has alpha(t), sigma(t) and horizon",
        ) from None
    if sigmas.size and np.max(sigmas) < 1:
        raise ArgumentError(
            "schedule",
            "named, where all of a list is below 1",
            f"a list of {sigmas.size} numbers from {np.min(sigmas):.3g} to {np.max(sigmas):.3g}",
            "pass {'sigmas': …}, {'betas': …} or {'alphas_cumprod': …}",
        )
    return _of_sigmas(sigmas)


def _is_process(schedule: Any) -> bool:
    return all(callable(getattr(schedule, n, None)) for n in ("alpha", "sigma"))


def _of_mapping(given: Mapping[str, Any]) -> Levels:
    known = [name for name in ("alphas_cumprod", "betas", "sigmas") if name in given]
    if len(known) != 1:
        raise ArgumentError(
            "schedule",
            "a mapping with one of alphas_cumprod, betas, sigmas",
            ", ".join(map(str, given)) or "an empty one",
            "check_schedule says whether several tables agree",
        )
    name = known[0]
    if name == "sigmas":
        return _of_sigmas(np.ravel(np.asarray(as_numpy(given[name]), dtype=float)))
    return _of_table(name, given[name], None)


def _of_table(name: str, table: Any, prediction: str | None) -> Levels:
    made = DiscreteVP(table) if name == "betas" else DiscreteVP.of_alphas_cumprod(table)
    return replace(_of_process(made, prediction), eps=_roundoff(table))


def _roundoff(table: Any) -> float:
    return unit_roundoff(table) if hasattr(table, "dtype") else 0.0


def _of_sigmas(sigmas: np.ndarray) -> Levels:
    rising = DiscreteVE(sigmas).sigmas
    return Levels(lambda s: NoiseLevel(s, 1.0, s, (0.0, 1.0)), rising, False, "σ")


def _of_process(process: Any, prediction: str | None = None) -> Levels:
    table = isinstance(process, DiscreteVP | DiscreteVE)

    def of(t: float) -> NoiseLevel:
        alpha, sigma = (_value(process, name, t)[0] for name in ("alpha", "sigma"))
        rates = None
        if hasattr(process, "derivatives") and sigma > 0:
            a, b = (float(np.ravel(as_numpy(v))[0]) for v in process.derivatives(t))
            rates = (a, b)
        # a product of t + 1 factors, or exp of minus an integral
        steps = grown(int(t) + 1) if table else 8 * (1 - np.log(max(alpha, 1e-300)))
        return NoiseLevel(t, alpha, sigma, rates, float(steps))

    if table:
        times = process.timesteps.astype(float)
        return Levels(of, times, True, "timestep", prediction)
    horizon = getattr(process, "horizon", None)
    if horizon is None or not np.isfinite(float(horizon)) or float(horizon) <= 0:
        raise ArgumentError(
            "schedule",
            "a process with a finite horizon > 0",
            f"{type(process).__name__} with horizon {horizon!r}",
            "give it an attribute horizon, its last time, or name levels=",
        )
    eps = max(_value(process, name, float(horizon))[1] for name in ("alpha", "sigma"))
    grid = np.unique(
        np.concatenate([np.geomspace(FIRST, 1, GRID // 2), np.linspace(FIRST, 1, GRID // 2)])
    )
    return Levels(of, float(horizon) * grid, False, "t", prediction, eps)


def _value(process: Any, name: str, t: float) -> tuple[float, float]:
    """α or σ of a process at t, and the spacing at 1 of its type; PyTorch gets a tensor if it wants
    one.
    """
    function = getattr(process, name)
    try:
        try:
            value = function(t)
        except TypeError:
            torch = sys.modules.get("torch")
            if torch is None:
                raise
            value = function(torch.tensor(t, dtype=torch.float64))
        number = float(np.ravel(np.asarray(as_numpy(value), dtype=float))[0])
        if np.isnan(number):
            raise ValueError(f"it is {value!r}")
    except Exception as error:
        raise ArgumentError(
            "schedule",
            f"a process with {name}(t)",
            f"{name}({t:g}) that raised {type(error).__name__}: {error}",
            "α and σ are functions of a number t",
        ) from error
    return number, unit_roundoff(value) if hasattr(value, "dtype") else 0.0


def _of_flow(scheduler: Any) -> Levels:
    """A flow-matching scheduler: ``x = (1 - σ) x_0 + σ ε``, told its own timesteps."""
    held = [getattr(scheduler, name, None) for name in ("timesteps", "sigmas")]
    when, sigmas = (None if v is None else np.ravel(to_float("schedule", v)) for v in held)
    if when is None or sigmas is None or len(when) == 0 or len(sigmas) < len(when):
        raise ArgumentError(
            "schedule",
            "with timesteps and sigmas",
            f"{type(scheduler).__name__} without them",
            "call set_timesteps first, or pass a process with alpha(t) and sigma(t)",
        )
    order = np.argsort(when)
    times, levels = when[order], sigmas[: len(when)][order]

    def of(t: float) -> NoiseLevel:
        if not times[0] <= t <= times[-1]:
            raise ArgumentError(
                "levels",
                f"timesteps from {times[0]:g} to {times[-1]:g}",
                f"{t:g}",
                "beyond its timesteps the scheduler has no σ",
            )
        sigma = float(np.interp(t, times, levels))
        return NoiseLevel(t, 1 - sigma, sigma, (-1.0, 1.0))

    eps = max(_roundoff(v) for v in held)
    return Levels(of, times, False, "timestep", "velocity", eps)


def _predicted(schedule: Any) -> str | None:
    config = getattr(schedule, "config", None)
    named = (
        config.get("prediction_type")
        if isinstance(config, Mapping)
        else getattr(config, "prediction_type", None)
    )
    return None if named is None else PREDICTIONS.get(str(named), str(named))
