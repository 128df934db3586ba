"""A gradient that is exact for too few steps of a solver: which one, and how many steps.

Conventions: log p̂ by a fixed-step method from s = 1 down to 0, its derivative along directions in θ
by real stencils; nothing of the caller's gradient is asked.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.public.black_box_field import FOURTH_ORDER, BlackBoxField, stencil
from scoreproof.public.log_likelihood_gradient.flows import Wanted

__all__ = ["few_steps"]

#: nodes and coefficients (a, b) of each method, with its order
METHODS: dict[str, tuple[int, tuple[float, ...], tuple[tuple[float, ...], ...], tuple[float, ...]]]
METHODS = {
    "Euler": (1, (0.0,), ((),), (1.0,)),
    "midpoint": (2, (0.0, 0.5), ((), (0.5,)), (0.0, 1.0)),
    "Heun": (2, (0.0, 1.0), ((), (1.0,)), (0.5, 0.5)),
    "RK4": (
        4,
        (0.0, 0.5, 0.5, 1.0),
        ((), (0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)),
        (1 / 6, 1 / 3, 1 / 3, 1 / 6),
    ),
    "RK4 (3/8 rule)": (
        4,
        (0.0, 1 / 3, 2 / 3, 1.0),
        ((), (1 / 3,), (-1 / 3, 1.0), (1.0, -1.0, 1.0)),
        (1 / 8, 3 / 8, 3 / 8, 1 / 8),
    ),
}
#: sums over the steps for the integral of νᵀJν, z by RK4: weights of the steps' starts and ends
SUMS = {
    "left sums": (1, (1.0, 0.0)),
    "right sums": (1, (0.0, 1.0)),
    "the trapezoid rule": (2, (0.5, 0.5)),
}
FIRST, MOST = 6, 160
#: what a number of steps may leave of the deviation to be tried, and to be hinted at
LEFT = 0.3


def few_steps(field: BlackBoxField, wanted: Wanted, rng: np.random.Generator) -> Diagnosis | None:
    """The method and its steps, if its discrete log p̂ has the gradient that was found."""
    if len(wanted.nus) != 1:
        return None
    w = rng.standard_normal(field.params.size)
    w = w / np.linalg.norm(w)
    columns = wanted.how[1]
    if columns is not None:
        w = columns @ rng.standard_normal(columns.shape[1])
        w = w / np.linalg.norm(w)
    weights = w if columns is None else np.linalg.lstsq(columns, w, rcond=None)[0]
    found, due = wanted.found @ weights, wanted.due @ weights
    limit = wanted.limit @ np.abs(weights)
    deviation = found - due
    if not np.any(np.abs(deviation) > 4 * limit):
        return None
    mix = wanted.how[0]
    try:
        orders = {n: m[0] for n, m in METHODS.items()} | {n: m[0] for n, m in SUMS.items()}
        for name, order in orders.items():

            def along(steps: int, name: str = name) -> np.ndarray:
                def value(t: float) -> np.ndarray:
                    return log_likelihood(field, wanted, field.params + t * w, name, steps)

                return mix @ np.asarray(stencil(value, 0.01, FOURTH_ORDER))

            effect = along(FIRST) - due
            ratio = float(deviation @ effect) / (float(effect @ effect) or 1.0)
            left = float(np.linalg.norm(deviation - ratio * effect)) / float(
                np.linalg.norm(deviation)
            )
            if ratio <= 0 or left > LEFT:
                continue
            near = _refined(along, deviation, due, round(FIRST * ratio ** (-1 / order)), order)
            for steps in (near, near + 1, near - 1, near + 2, near - 2):
                if 1 <= steps <= MOST and np.all(np.abs(along(steps) - found) <= 4 * limit):
                    return _said(name, order, steps)
    except CallableError:
        return None
    return None


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
    return Diagnosis.cause(
        "few_steps",
        f"Cause: it is the exact gradient of what {name} with {steps} steps gives, and that is not"
        f" log p̂ yet: too few steps; its error falls as 1/N{'' if order == 1 else f'^{order}'} with"
        " their number N (few_steps). Take more steps or a method of higher order, or pass the"
        " accuracy that you mean.",
    )


def log_likelihood(
    field: BlackBoxField, wanted: Wanted, params: np.ndarray, name: str, steps: int
) -> np.ndarray:
    """``(n,)``."""
    if name in SUMS:
        return _by_sums(field, wanted, params, name, steps)
    _, nodes, a, b = METHODS[name]
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
