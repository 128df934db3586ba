"""The levels of a process that a function is run on: α, σ, and their rates where a velocity asks
for them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.public.sampler.data import Level

__all__ = ["falling", "level_of_sigma", "levels_of_process", "to_the_data", "with_rates"]

#: relative to t: the error of the five-point rule is near 1e-12 of a rate
STEP = 1e-3


def level_of_sigma(sigma: float) -> Level:
    """The model is told σ, and x = x_0 + σ ε."""
    return Level(sigma, 1.0, sigma, (0.0, 1.0))


def levels_of_process(process: Any, rates: bool) -> Callable[[float], Level]:
    """Raises ``ArgumentError`` where it has no ``alpha(t)`` and ``sigma(t)``."""
    missing = [n for n in ("alpha", "sigma") if not callable(getattr(process, n, None))]
    if missing:
        raise ArgumentError(
            "process",
            "an object with alpha(t) and sigma(t)",
            f"{type(process).__name__} without {', '.join(missing)}",
            "see scoreproof.objects.schedules, or DiscreteVP(betas) for a table",
        )

    def at(t: float) -> np.ndarray:
        return np.array([float(np.ravel(f(t))[0]) for f in (process.alpha, process.sigma)])

    def level_of(t: float) -> Level:
        alpha, sigma = at(t)
        return Level(t, float(alpha), float(sigma), _rates(process, at, t) if rates else None)

    return level_of


def falling(times: Any, process: Any, prediction: str, step: bool) -> None:
    """Raises ``ArgumentError`` for times that rise from noise to data, as a flow's often do: with
    the line that turns them, of a ``step`` or of a whole sampler.
    """
    try:
        given = np.ravel(np.asarray(times, dtype=float))
    except (TypeError, ValueError):
        return  # no times at all
    if process is None or len(given) < 3 or not np.all(np.diff(given) > 0):
        return
    level_of = levels_of_process(process, False)
    if not _nearer(level_of(float(given[0])), level_of(float(given[-1]))):
        return
    c = f"{given[0] + given[-1]:.6g}"
    model = f"lambda y, s: {'-' * (prediction == 'velocity')}model(y, {c} - s)"  # dx/dt turns too
    line = f"lambda model, x, t: mine({model}, x, {c} - t)"
    if step:
        line = f"lambda x, t, u, model: mine(x, {c} - t, {c} - u, {model})"
    raise ArgumentError(
        "times",
        "falling",
        f"from {given[0]:g} to {given[-1]:g}, which rise from noise to data",
        f"turn the clock: check_sampler({line}, process, times={c} - times, …), with a process that"
        f" has alpha and sigma at {c} - t (FlowMatching() where yours are t and 1 - t)",
    )


def to_the_data(level_of: Callable[[float], Level], times: Sequence[float]) -> None:
    """Raises ``ArgumentError`` where the process has the data at the first of the times."""
    first, last = level_of(times[0]), level_of(times[-1])
    if _nearer(first, last):
        return
    ends = ", ".join(f"α = {v.alpha:.3g}, σ = {v.sigma:.3g} at {v.when:g}" for v in (first, last))
    raise ArgumentError(
        "times",
        "leading from noise to data on the clock of process",
        f"{ends}, the first and the last",
        "pass a process whose clock falls from noise to data, as FlowMatching()'s, where α = 1 - t"
        " and σ = t",
    )


def _nearer(first: Level, last: Level) -> bool:
    """Whether the second has less noise beside its signal."""
    return first.sigma * last.alpha > last.sigma * first.alpha


def with_rates(process: Any, level: Level, table: bool) -> None:
    """Raises ``ArgumentError`` if a velocity is not defined there."""
    if table or level.rates is None:
        raise ArgumentError(
            "process",
            "one whose dα/dt and dσ/dt are known, for prediction='velocity'",
            f"{type(process).__name__}, not differentiable in t at {level.when:g}",
            "give it derivatives(t), which returns both; for a table say 'v', 'eps' or 'flow'",
        )


def _rates(process: Any, at: Callable[[float], np.ndarray], t: float) -> tuple[float, float] | None:
    """dα/dt and dσ/dt: the process's own or, as at an end where its SDE has no limit, differences;
    ``None`` where neither is finite.
    """
    own = getattr(process, "derivatives", None)
    for derived in (own, lambda t: _differences(at, t)):
        if callable(derived):
            # a process may know neither: a table has its timesteps alone
            with np.errstate(all="ignore"), suppress(Exception):
                alpha_dot, sigma_dot = (float(np.ravel(v)[0]) for v in derived(t))
                if np.isfinite(alpha_dot) and np.isfinite(sigma_dot):
                    return alpha_dot, sigma_dot
    return None


def _differences(at: Callable[[float], np.ndarray], t: float) -> np.ndarray:
    h = STEP * (abs(t) or 1.0)
    far, near = at(t + 2 * h) - at(t - 2 * h), at(t + h) - at(t - h)
    return np.asarray((8 * near - far) / (12 * h))
