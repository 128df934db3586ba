"""A gradient that is exact for too few steps of a solver: which one, and how many steps.

Conventions: log p̂ by a fixed-step method from s = 1 down to 0, its derivative along directions in
θ by real stencils; nothing of the caller's gradient is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.public.black_box_field import (
    FOURTH_ORDER,
    SECOND_ORDER,
    BlackBoxField,
    stencil,
)
from scoreproof.public.log_likelihood_gradient.flows import Wanted
from scoreproof.public.log_likelihood_gradient.solvers import METHODS, STRAYED, SUMS

__all__ = ["OF_BOTH", "Value", "few_steps"]

#: causes that are those of a log p̂ that is off as well, if that was handed in
OF_BOTH = ("few_steps", "coarse_integral", "stage_time")
FIRST, MOST = 6, 160
#: what a number of steps may leave of the deviation to be tried, and to be claimed: two methods
#: of one order differ by 1/N of their errors if their numbers of steps N are chosen so
LEFT, PART = 0.3, 3e-3
#: steps below which their number is found to two
FEW = 20
#: times nearer than any other that one has to be
CLEAR = 5.0
#: what a method that is the caller's own leaves: none can be nearer, the plainest goes first
OWN = 1e-6


@dataclass(frozen=True, eq=False)
class Value:
    """log p̂ that was handed in at the rows of the gradient, what is due there, and its limit."""

    found: np.ndarray
    due: np.ndarray
    limit: np.ndarray


def few_steps(
    field: BlackBoxField, wanted: Wanted, rng: np.random.Generator, value: Value | None = None
) -> Diagnosis | None:
    """The method and its steps, if its discrete log p̂ has the gradient that was found, and is the
    log p̂ that was handed in, where that is off.
    """
    if len(wanted.nus) != 1:
        return None
    sides = [_Side(field, wanted, rng) for _ in range(2)]
    first = sides[0]
    if not np.any(np.abs(first.deviation) > 4 * first.limit):
        return None
    met: list[tuple[float, str, int, int]] = []
    try:
        orders = {n: m[0] for n, m in (METHODS | STRAYED).items()}
        orders |= {n: m[0] for n, m in SUMS.items()}
        for name, order in orders.items():
            effect = first.along(name, FIRST, SECOND_ORDER) - first.due
            ratio = float(first.deviation @ effect) / (float(effect @ effect) or 1.0)
            left = float(np.linalg.norm(first.deviation - ratio * effect)) / float(
                np.linalg.norm(first.deviation)
            )
            if ratio <= 0 or left > LEFT:
                continue

            def along(steps: int, name: str = name) -> np.ndarray:
                return first.along(name, steps, SECOND_ORDER)

            near = round(FIRST * ratio ** (-1 / order))
            near = _refined(along, first.deviation, first.due, near, order)
            for steps in (near, near + 1, near - 1, *((near + 2, near - 2) if near < FEW else ())):
                if not 1 <= steps <= MOST:
                    continue
                off = first.off(name, steps)
                if steps == near and off > 4 * order / near:  # one step more changes less
                    break
                if off > PART:
                    continue
                off = max(off, sides[1].off(name, steps))  # one direction may be met by chance
                if off > PART:
                    continue
                here = log_likelihood(field, wanted, field.params, name, steps)
                if _same_value(value, here):
                    if off <= OWN:
                        return _said(name, order, steps)
                    met.append((off, name, order, steps))
                    break
    except CallableError:
        return None
    return _the_nearest(met)


def _the_nearest(met: list[tuple[float, str, int, int]]) -> Diagnosis | None:
    """The one that leaves the least, if it is clearly nearer than each of another method."""
    if not met:
        return None
    off, name, order, steps = min(met)
    near = [m for m in met if m[1] != name and m[0] < CLEAR * off]
    if not near:
        return _said(name, order, steps)
    return Diagnosis.unknown("More than one slip of a solver's steps is as near to it.")


class _Side:
    """The gradient along one random direction of the parameters."""

    def __init__(self, field: BlackBoxField, wanted: Wanted, rng: np.random.Generator) -> None:
        w = rng.standard_normal(field.params.size)
        columns = wanted.how[1]
        if columns is not None:
            w = columns @ rng.standard_normal(columns.shape[1])
        self.w = w / np.linalg.norm(w)
        weights = self.w
        if columns is not None:
            weights = np.linalg.lstsq(columns, self.w, rcond=None)[0]
        self.field, self.wanted = field, wanted
        self.found, self.due = wanted.found @ weights, wanted.due @ weights
        self.limit = wanted.limit @ np.abs(weights)
        self.deviation = self.found - self.due

    def along(self, name: str, steps: int, weights: tuple[float, ...] = FOURTH_ORDER) -> np.ndarray:
        def value(t: float) -> np.ndarray:
            params = self.field.params + t * self.w
            return log_likelihood(self.field, self.wanted, params, name, steps)

        mix = self.wanted.how[0]
        return np.asarray(mix @ np.asarray(stencil(value, 0.01, weights)))

    def off(self, name: str, steps: int) -> float:
        """The part of the deviation that is left; infinite beyond the limit, which adds up over all
        parameters and is wide along one direction.
        """
        left = np.abs(self.along(name, steps) - self.found)
        if np.any(left > 4 * self.limit):
            return np.inf
        return float(np.linalg.norm(left)) / (float(np.linalg.norm(self.deviation)) or 1.0)


def _same_value(value: Value | None, here: np.ndarray) -> bool:
    """log p̂ is right, or off by what this method is off by, up to a constant."""
    if value is None or np.all(np.abs(value.found - value.due) <= value.limit):
        return True
    left = value.found - here
    wide = float(np.max(value.limit)) + 10 * PART * float(np.max(np.abs(here - value.due)))
    return float(np.ptp(left)) <= 2 * wide


def _refined(
    along: Callable[[int], np.ndarray],
    deviation: np.ndarray,
    due: np.ndarray,
    near: int,
    order: int,
) -> int:
    """The number of steps again, from one near it."""
    if not 2 <= near <= MOST:
        return near
    effect = along(near) - due
    ratio = float(deviation @ effect) / (float(effect @ effect) or 1.0)
    return round(near * ratio ** (-1 / order)) if ratio > 0 else near


def _said(name: str, order: int, steps: int) -> Diagnosis:
    if name in SUMS:
        return Diagnosis.cause(
            "coarse_integral",
            f"Cause: z is right, and the log-determinant ∫ νᵀJν ds is taken by {name} over {steps}"
            " steps, which is coarser (coarse_integral). Integrate it with z, in one augmented"
            " state, or by a rule of higher order (Simpson).",
        )
    if name in STRAYED:
        method, _, text = name.partition(": ")
        return Diagnosis.cause(
            "stage_time",
            f"Cause: it is the exact gradient of what {method} with {steps} steps (h = 1/{steps})"
            f" gives if {text} (stage_time): from s = 1 down to 0 the time falls within a step.",
        )
    return Diagnosis.cause(
        "few_steps",
        f"Cause: it is the exact gradient of what {name} with {steps} steps gives, and that is not"
        f" log p̂ yet: too few steps; its error falls as 1/N{'' if order == 1 else f'^{order}'}"
        f" with"
        " their number N (few_steps). Take more steps or a method of higher order, or pass the"
        " accuracy that you mean.",
    )


def log_likelihood(
    field: BlackBoxField, wanted: Wanted, params: np.ndarray, name: str, steps: int
) -> np.ndarray:
    """``(n,)``."""
    if name in SUMS:
        return _by_sums(field, wanted, params, name, steps)
    _, nodes, a, b = METHODS[name] if name in METHODS else STRAYED[name]
    z, nu, h = wanted.x, wanted.nus[0], 1 / steps
    total = np.zeros(len(z))
    for k in range(steps):
        s = 1 - k * h
        slopes: list[np.ndarray] = []
        rates: list[np.ndarray] = []
        for c, row in zip(nodes, a, strict=True):
            moved = z - h * sum((w * f for w, f in zip(row, slopes, strict=True)), np.zeros_like(z))
            slopes.append(field(moved, s - c * h, params))
            rates.append((nu * field.along_z(moved, s - c * h, nu, params)).sum(axis=1))
        z = z - h * sum((w * f for w, f in zip(b, slopes, strict=True)), np.zeros_like(z))
        total = total + h * sum((w * q for w, q in zip(b, rates, strict=True)), np.zeros(len(z)))
    return np.asarray(wanted.latent.log_density(z) - total)


def _by_sums(
    field: BlackBoxField, wanted: Wanted, params: np.ndarray, name: str, steps: int
) -> np.ndarray:
    z, nu, h = wanted.x, wanted.nus[0], 1 / steps
    first, last = SUMS[name][1]
    total = np.zeros(len(z))

    def rate(s: float) -> np.ndarray:
        return np.asarray((nu * field.along_z(z, s, nu, params)).sum(axis=1))

    for k in range(steps):
        s = 1 - k * h
        total = total + h * first * rate(s)
        for half in range(2):
            z = _rk4(field, params, z, s - half * h / 2, h / 2)
        total = total + (h * last * rate(s - h) if last else 0.0)
    return np.asarray(wanted.latent.log_density(z) - total)


def _rk4(field: BlackBoxField, params: np.ndarray, z: np.ndarray, s: float, h: float) -> np.ndarray:
    """One step downward."""
    a = field(z, s, params)
    b = field(z - h / 2 * a, s - h / 2, params)
    c = field(z - h / 2 * b, s - h / 2, params)
    e = field(z - h * c, s - h, params)
    return np.asarray(z - h / 6 * (a + 2 * b + 2 * c + e))
