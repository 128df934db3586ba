"""The caller's own field, with νᵀJν and tr J by derivatives.

Conventions: as in `fields`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.interop.frameworks import guarded
from scoreproof.public.black_box_field import BlackBoxField

__all__ = ["UserField"]

#: numbers that go through the user's field in one call
BLOCK = 1 << 20


@dataclass(eq=False)
class UserField:
    """The caller's field; J ν by forward mode, complex steps or stencils."""

    function: Callable[[Any], Any]
    box: BlackBoxField
    roundings: float = 8.0

    @classmethod
    def of(cls, field: Callable[..., Any], z: np.ndarray, framework: str, dtype: Any) -> UserField:
        guard = guarded(lambda q, params, s: field(q) + 0 * params[0], "field", framework, dtype)
        return cls(field, BlackBoxField(guard, np.ones(1), np.ones((1, 1)), framework, z))

    def product(self, z: np.ndarray, v: np.ndarray) -> np.ndarray:
        """``J v``."""
        step = max(1, BLOCK // z.shape[1])
        parts = [
            self.box.along_z(z[k : k + step], 0.5, v[k : k + step]) for k in range(0, len(z), step)
        ]
        return np.concatenate(parts)

    def values(self, z: np.ndarray) -> np.ndarray:
        """``f(z)``."""
        return np.real(self.box(z, 0.5))

    def diagonal(self, z: np.ndarray) -> np.ndarray:
        """J_kk, axis by axis."""
        units = np.eye(z.shape[1])
        columns = [self.product(z, np.broadcast_to(e, z.shape))[:, k] for k, e in enumerate(units)]
        return np.stack(columns, axis=1)

    def quadratic(self, z: np.ndarray, nu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        terms = nu * self.product(z, nu)
        # the same a few roundings away: what the field's own rounding does to it
        aside = z * (1 + 4 * self.box.guard.eps * np.where(np.arange(z.shape[1]) % 2, 1, -1))
        moved = nu * self.product(aside, nu)
        size = np.abs(terms).sum(axis=1) + np.abs(moved - terms).sum(axis=1) / self.box.guard.eps
        if self.box.ad is None and not self.box.analytic:
            size = size * (1e-9 / self.box.guard.eps)  # a stencil's own error
        return terms.sum(axis=1), size

    def trace(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        d = z.shape[1]
        points, which = np.unique(z, axis=0, return_inverse=True)
        value, size = np.empty(len(points)), np.empty(len(points))
        for i, row in enumerate(points):
            parts = np.zeros(2)
            for k in range(0, d, max(1, BLOCK // d)):
                axes = np.eye(d)[k : k + max(1, BLOCK // d)]
                part, part_size = self.quadratic(np.repeat(row[None], len(axes), axis=0), axes)
                parts += part.sum(), part_size.sum()
            value[i], size[i] = parts
        return value[which.ravel()], size[which.ravel()]
