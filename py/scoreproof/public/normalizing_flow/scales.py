"""What log_det is where the logarithm of a scale, or of an elementwise map's slope, is wrong.

Conventions: a is ``|J_ii|``, the scale of coordinate i; s is what a network would have returned
for it: a = exp(s), sigmoid(s + 2), softplus(s), ….
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoreproof.public.normalizing_flow.look import Look

__all__ = ["scales"]

Form = Callable[[np.ndarray], np.ndarray]


def _softplus(x: np.ndarray) -> np.ndarray:
    return np.logaddexp(0.0, x)


def _logit(a: np.ndarray) -> np.ndarray:
    return np.log(a) - np.log1p(-a)


OF_SCALE: dict[str, Form] = {
    "not_logged": lambda a: a,
    "not_logged_sign": lambda a: -a,
    "sigmoid_shift": lambda a: -_softplus(2 - _logit(a)),
    "sigmoid_shift_back": lambda a: -_softplus(-2 - _logit(a)),
    "sigmoid_raw": _logit,
    "sigmoid_raw_shifted": lambda a: _logit(a) - 2,
    "softplus_raw": lambda a: np.log(np.expm1(a)),
    "tanh_raw": lambda a: np.arctanh(np.log(a)),
}

OF_TANH: dict[str, Form] = {
    "tanh_twice": lambda x: np.log1p(-(np.tanh(np.tanh(x)) ** 2)),
    "no_square": lambda x: np.log1p(-np.tanh(x)),
    "tanh_of_x": lambda x: np.log1p(-(x**2)),
    "softplus_factor": lambda x: np.log(2) - x - _softplus(-2 * x),
    "softplus_sign": lambda x: 2 * (np.log(2) - x - _softplus(2 * x)),
    "softplus_argument": lambda x: 2 * (np.log(2) - x - _softplus(-x)),
    "no_log_2": lambda x: 2 * (-x - _softplus(-2 * x)),
}

OF_SIGMOID: dict[str, Form] = {
    "log_sigmoid_only": lambda x: -_softplus(-x),
    "log_one_minus_sigmoid_only": lambda x: -_softplus(x),
    "sigmoid_softplus_factor": lambda x: -x - _softplus(-x),
    "sigmoid_softplus_sign": lambda x: -x + 2 * _softplus(-x),
}


def scales(look: Look) -> dict[str, np.ndarray]:
    """The candidates, those of a tanh or a sigmoid only where the map is one."""
    x, z = look.x, look.answer.z
    a = np.abs(look.diagonal)
    moves = np.any(np.abs(a - 1) > 1e-9, axis=0)
    found: dict[str, np.ndarray] = {}
    with np.errstate(all="ignore"):
        for name, form in OF_SCALE.items():
            found[name] = np.where(moves, form(a), 0.0).sum(axis=1)
        # a row of signs: the same mistake, and the sign that goes with the way back
        for name, form in (OF_TANH | OF_SIGMOID).items():
            mine = np.tanh(x) if name in OF_TANH else 1 / (1 + np.exp(-x))
            if _alike(mine, z):
                found[name] = form(x).sum(axis=1)
        found |= _leaky(a)
        found |= _logits(look)
    return found


def _alike(a: np.ndarray, b: np.ndarray) -> bool:
    return a.shape == b.shape and bool(np.max(np.abs(a - b)) <= 1e-5)


def _leaky(a: np.ndarray) -> dict[str, np.ndarray]:
    """Of a map with the slope 1 here and another one there."""
    other = a[np.abs(a - 1) > 1e-6]
    if not other.size or np.ptp(other) > 1e-6 * np.max(other) or other.size == a.size:
        return {}
    slope, there = float(np.median(other)), np.abs(a - 1) > 1e-6
    return {
        "slope_elsewhere": np.log(slope) * (~there).sum(axis=1),
        "slope_not_logged": slope * there.sum(axis=1),
        "everywhere": np.full(len(a), np.log(slope) * a.shape[1]),
    }


def squeezed(look: Look) -> float | None:
    """α of ``z = logit(α + (1 - 2α) x)``, where the map is that."""
    x, z = look.x, look.answer.z
    with np.errstate(all="ignore"):
        alpha = (1 / (1 + np.exp(-z)) - x) / (1 - 2 * x)
    far = np.abs(1 - 2 * x) > 0.2
    if not np.any(far) or np.any(x <= 0) or np.any(x >= 1):
        return None
    value = float(np.median(alpha[far]))
    straight = np.all(np.abs(alpha[far] - value) <= 1e-5)
    return value if straight and 1e-9 < value < 0.5 else None


def _logits(look: Look) -> dict[str, np.ndarray]:
    alpha = squeezed(look)
    if alpha is None:
        return {}
    x = look.x
    whole = (-np.log(x) - np.log1p(-x)).sum(axis=1)
    return {"logit_as_if_unscaled": whole + x.shape[1] * np.log(1 - 2 * alpha)}
