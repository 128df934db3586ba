"""Derivatives of a user's field ``f(z, params, s)``: complex steps (NumPy), torch.func or jax.

Conventions: ``field(z (n, D), params (P,), s) -> (n, D)`` with one number s a call. θ moves along
the K columns of ``directions (P, K)``
only, ``θ = params + directions @ c``, so that the cost does not grow with P. Second derivatives in
NumPy: a complex step along v inside an eighth-order real stencil in the other variable.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded, as_numpy
from scoreproof.interop.frameworks import require
from scoreproof.numerics.complex_step import STEP

__all__ = ["EIGHTH_ORDER", "FOURTH_ORDER", "SECOND_ORDER", "BlackBoxField", "stencil"]

#: c_k of Σ_k c_k (F(kh) - F(-kh)) / h, exact for polynomials of degree 8, of 4 and of 2
EIGHTH_ORDER = (4 / 5, -1 / 5, 4 / 105, -1 / 280)
FOURTH_ORDER = (2 / 3, -1 / 12)
SECOND_ORDER = (1 / 2,)


def stencil(
    f: Callable[[float], np.ndarray], h: float, weights: tuple[float, ...] = EIGHTH_ORDER
) -> Any:
    """``dF(0)`` by real evaluations: truncation ``h⁸/630`` times the ninth derivative (eighth
    order), rounding ``eps/h``.
    """
    return sum(c * (f(k * h) - f(-k * h)) for k, c in enumerate(weights, start=1)) / h


class BlackBoxField:
    """The user's field behind its guard, with directional derivatives. ``width`` is the real
    stencil's step.
    """

    def __init__(
        self,
        guard: Guarded,
        params: np.ndarray,
        directions: np.ndarray,
        framework: str,
        points: np.ndarray,
    ) -> None:
        self.guard, self.params, self.directions, self.framework = (
            guard,
            params,
            directions,
            framework,
        )
        self.width = 0.02
        self.ad: Any = None
        self.compiled: Any = None
        if framework == "torch":
            self.ad = require("torch").func
        elif framework == "jax":
            self.ad = require("jax")
        guard.deterministic(points, params, 0.5, shape=points.shape)
        self.analytic = framework == "numpy" and self._complex_steps_work(points)

    def __call__(self, z: np.ndarray, s: float, params: np.ndarray | None = None) -> np.ndarray:
        """f at rows z, in whatever real arithmetic the callable has."""
        return self._call(z, self.params if params is None else params, float(s))

    def _call(self, z: np.ndarray, params: np.ndarray, s: float) -> np.ndarray:
        """The callable without the guard's copies, which its first calls have passed; at the least
        oddity the guard takes over.
        """
        if self.framework == "numpy" and self.guard.prepare is None:
            self.guard.calls += 1
            try:
                result = self.guard.function(z, params, s)
                if (
                    isinstance(result, np.ndarray)
                    and result.shape == z.shape
                    and result.dtype in (float, complex)
                    and np.isfinite(result).all()
                ):
                    return result
            except Exception:  # the guard will say what it was
                pass
        return self.guard(z, params, s, shape=z.shape)

    # -- first derivatives ------------------------------------------------------------------

    def _complex(self, z: np.ndarray, s: float, params: np.ndarray) -> np.ndarray:
        return np.imag(self._call(z, params, float(s))) / STEP

    def _complex_steps_work(self, z: np.ndarray) -> bool:
        """Whether the callable takes complex numbers and is analytic: compared with a real stencil,
        in z and in θ.
        """
        v, w = np.cos(1 + np.arange(z.size)).reshape(z.shape), self.directions[:, 0]
        try:
            in_z = self._complex(z + 1j * STEP * v, 0.5, self.params.astype(complex))
            in_theta = self._complex(z.astype(complex), 0.5, self.params + 1j * STEP * w)
        except (CallableError, TypeError, ValueError):
            return False
        h = self.width / 4
        real_z, real_theta = (
            stencil(lambda t: self(z + t * v, 0.5), h),
            stencil(lambda t: self(z, 0.5, self.params + t * w), h),
        )
        scale = float(np.max(np.abs(real_z)) + np.max(np.abs(real_theta))) + 1e-300
        return (
            float(max(np.max(np.abs(in_z - real_z)), np.max(np.abs(in_theta - real_theta))))
            <= (1e-6 + 10 * self.guard.eps / h) * scale
        )

    def along_z(
        self, z: np.ndarray, s: float, v: np.ndarray, params: np.ndarray | None = None
    ) -> np.ndarray:
        """``J v`` at rows z."""
        params = self.params if params is None else params
        if self.ad is not None:
            return self._autodiff(lambda q: self._raw(q, self._of(params), s), z, v)
        if self.analytic:
            return self._complex(z + 1j * STEP * v, s, params.astype(complex))
        return stencil(lambda t: self(z + t * v, s, params), self.width)

    def along_theta(self, z: np.ndarray, s: float, w: np.ndarray) -> np.ndarray:
        """``∂f/∂θ w`` at rows z."""
        if self.ad is not None:
            return self._autodiff(lambda p: self._raw(self._of(z), p, s), self.params, w)
        if self.analytic:
            return self._complex(z.astype(complex), s, self.params + 1j * STEP * w)
        return stencil(lambda t: self(z, s, self.params + t * w), self.width)

    # -- second derivatives -----------------------------------------------------------------

    def quad_along_z(self, z: np.ndarray, s: float, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """``∂_z(uᵀ J v)`` at rows z: ``(n, D)``."""
        n, d = z.shape
        if self.ad is not None:
            us, vs = self._of(u), self._of(v)
            grad = self.ad.grad(
                lambda q: (
                    us
                    * self.ad.jvp(lambda y: self._raw(y, self._of(self.params), s), (q,), (vs,))[1]
                ).sum()
            )
            return self._numpy(grad(self._of(z)))
        tiles = [np.tile(a, (d, 1)) for a in (z, u, v)]
        axes = np.repeat(np.eye(d), n, axis=0)
        values = stencil(
            lambda t: (tiles[1] * self.along_z(tiles[0] + t * axes, s, tiles[2])).sum(axis=1),
            self.width,
        )
        return values.reshape(d, n).T

    def quad_along_theta(self, z: np.ndarray, s: float, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """``∂_θ(uᵀ J v)`` at rows z along the directions: ``(n, K)``."""
        if self.ad is not None:
            us, vs, zs = self._of(u), self._of(v), self._of(z)

            def value(p: Any) -> Any:
                return (us * self.ad.jvp(lambda y: self._raw(y, p, s), (zs,), (vs,))[1]).sum(-1)

            columns = [self._autodiff(value, self.params, w) for w in self.directions.T]
        else:

            def moved(t: float, w: np.ndarray) -> np.ndarray:
                return (u * self.along_z(z, s, v, self.params + t * w)).sum(axis=1)

            columns = [stencil(partial(moved, w=w), self.width) for w in self.directions.T]
        return np.stack(columns, axis=1)

    # -- frameworks -------------------------------------------------------------------------

    def _of(self, a: np.ndarray) -> Any:
        return self.guard.prepare(a) if self.guard.prepare is not None else a

    def _numpy(self, a: Any) -> np.ndarray:
        return self.guard.accept(as_numpy(a), None)

    def _raw(self, z: Any, params: Any, s: float) -> Any:
        self.guard.calls += 1
        return self.guard.function(z, params, float(s))

    def _autodiff(self, f: Callable[[Any], Any], x: np.ndarray, v: np.ndarray) -> np.ndarray:
        try:
            return self._numpy(self.ad.jvp(f, (self._of(x),), (self._of(v),))[1])
        except CallableError:
            raise
        except Exception as error:
            raise CallableError(
                self.guard.name,
                f"be differentiable by {self.framework}",
                f"{type(error).__name__}: {error}",
                "write it without in-place operations, as a function of z and params",
            ) from error
