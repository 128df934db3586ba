"""A gradient that is exact for too few steps of a solver: which one, and how many steps.

Conventions: log p̂ by a fixed-step method from s = 1 down to 0, its derivative along directions in θ
by real stencils; nothing of the caller's gradient is asked.
"""

from __future__ import annotations

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
FIRST, MOST = 12, 160
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
        for name, (order, *_) in METHODS.items():

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
            near = round(FIRST * ratio ** (-1 / order))
            for steps in (near, near + 1, near - 1, near + 2, near - 2):
                if 1 <= steps <= MOST and np.all(np.abs(along(steps) - found) <= 4 * limit):
                    return _said(name, order, steps)
    except CallableError:
        return None
    return None


def _said(name: str, order: int, steps: int) -> Diagnosis:
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
