"""A user's field linearized along a path, as the claim's solver takes it.

Conventions: as in `black_box_field`; stage arrays carry ``(steps, stages)`` in front.
"""

from __future__ import annotations

import numpy as np

from scoreproof.claims.ffjord.solver import Prepared
from scoreproof.numerics.adjoint import Grid, Path, integrate_backward
from scoreproof.public.black_box_field import BlackBoxField

__all__ = ["Flipped", "SampledLinearization", "path_of", "prepare_black_box", "quadratic_along"]


def path_of(
    field: BlackBoxField, x: np.ndarray, grid: Grid, params: np.ndarray | None = None
) -> Path:
    """z with z(1) = x."""
    return integrate_backward(
        lambda z, times: np.stack([field(row, s, params) for row, s in zip(z, times, strict=True)]),
        x,
        grid,
    )


def quadratic_along(
    field: BlackBoxField, path: Path, nu: np.ndarray, params: np.ndarray | None = None
) -> np.ndarray:
    """``νᵀ J ν`` at the stages: ``(steps, stages, n)``."""
    values = [
        [(nu * field.along_z(z, s, nu, params)).sum(axis=1) for z, s in zip(*row, strict=True)]
        for row in zip(path.stages, path.grid.times, strict=True)
    ]
    return np.array(values)


class SampledLinearization:
    """The `Linearization` of a black-box field: J and ∂f/∂θ once, quadratic forms on demand and
    remembered by their vectors.
    """

    def __init__(self, field: BlackBoxField, z: np.ndarray, times: np.ndarray) -> None:
        self.field, self.z, self.times = field, z, times
        n, d = z.shape[1:]
        jacobians, parameter = [], []
        for row, s in zip(z, times, strict=True):
            columns = field.along_z(np.tile(row, (d, 1)), s, np.repeat(np.eye(d), n, axis=0))
            jacobians.append(np.moveaxis(columns.reshape(d, n, d), 0, 2))
            parameter.append(
                np.stack([field.along_theta(row, s, w) for w in field.directions.T], axis=-1)
            )
        self.jacobian, self.parameter_jacobian = np.stack(jacobians), np.stack(parameter)
        self._known: dict[tuple[str, bytes, bytes], np.ndarray] = {}

    def jvp(self, v: np.ndarray) -> np.ndarray:
        return (self.jacobian * v[..., None, :]).sum(axis=-1)

    def vjp(self, a: np.ndarray) -> np.ndarray:
        return (a[..., :, None] * self.jacobian).sum(axis=-2)

    def vjp_theta(self, a: np.ndarray) -> np.ndarray:
        return (a[..., :, None] * self.parameter_jacobian).sum(axis=-2)

    def quad(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return (u * self.jvp(v)).sum(axis=-1)

    def _remember(self, method: str, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        key = (method, u.tobytes(), v.tobytes())
        if key not in self._known:
            shape = self.z.shape[1:]
            u, v = np.broadcast_to(u, shape), np.broadcast_to(v, shape)
            self._known[key] = np.stack(
                [
                    getattr(self.field, method)(row, s, u, v)
                    for row, s in zip(self.z, self.times, strict=True)
                ]
            )
        return self._known[key]

    def quad_z(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return self._remember("quad_along_z", u, v)

    def quad_theta(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return self._remember("quad_along_theta", u, v)


class Flipped:
    """A linearization with its stages in reverse order (times 1 - s), sharing what the original
    remembers.
    """

    def __init__(self, local: SampledLinearization) -> None:
        self.local = local

    def quad(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return self.local.quad(u, v)[::-1]

    def jvp(self, v: np.ndarray) -> np.ndarray:
        return self.local.jvp(v[::-1])[::-1]

    def vjp(self, a: np.ndarray) -> np.ndarray:
        return self.local.vjp(a[::-1])[::-1]

    def vjp_theta(self, a: np.ndarray) -> np.ndarray:
        return self.local.vjp_theta(a[::-1])[::-1]

    def quad_z(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return self.local.quad_z(u, v)[::-1]

    def quad_theta(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return self.local.quad_theta(u, v)[::-1]


def prepare_black_box(field: BlackBoxField, path: Path) -> Prepared:
    """The user's field linearized along a path, ready for `solver.solve`."""
    here = tuple(
        SampledLinearization(field, z, s) for z, s in zip(path.stages, path.grid.times, strict=True)
    )
    return Prepared(path, here, tuple(Flipped(local) for local in here[::-1]))
