"""What stands for a noise ν, rows ``(n, D)``, by mistake: normalised, of another row, mixed.

Conventions: ν is one batch as it was asked; so is what is made of it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["VECTORS", "Rows"]

Rows = Callable[[np.ndarray], np.ndarray]


def _unit(nu: np.ndarray) -> np.ndarray:
    length = np.sqrt((nu * nu).sum(axis=1, keepdims=True))
    return np.divide(nu, length, out=np.zeros_like(nu), where=length > 0)


def _in_batch(nu: np.ndarray) -> np.ndarray:
    length = np.sqrt((nu * nu).sum())
    return nu / length if length > 0 else nu


VECTORS: dict[str, Rows] = {
    "nu": lambda nu: nu,
    "ones": np.ones_like,
    "signs": np.sign,
    "unit": _unit,
    "unit_in_batch": _in_batch,
    "sphere": lambda nu: np.sqrt(nu.shape[1]) * _unit(nu),
    "absolute": np.abs,
    "squares": np.square,
    "previous": lambda nu: np.roll(nu, 1, axis=0),
    "next": lambda nu: np.roll(nu, -1, axis=0),
    "first": lambda nu: np.broadcast_to(nu[:1], nu.shape),
    "last": lambda nu: np.broadcast_to(nu[-1:], nu.shape),
    "turned": lambda nu: nu[::-1],
    "backward": lambda nu: nu[:, ::-1],
    "shifted": lambda nu: np.roll(nu, 1, axis=1),
    "reshaped": lambda nu: nu.reshape(nu.shape[::-1]).T,
    "unfolded": lambda nu: nu.T.reshape(nu.shape),
    "mean_removed": lambda nu: nu - nu.mean(axis=1, keepdims=True),
    "standardised": lambda nu: nu / (nu.std() or 1.0),
}
