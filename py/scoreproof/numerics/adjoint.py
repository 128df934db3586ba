"""Solutions of ``z' = f(z, s)`` and of the linear equations along them, by Gauss–Legendre
collocation.

Conventions: time runs over [0, 1] in equal steps; ``z`` is given at s = 1 and solved down to 0.
Arrays carry
``(steps, stages, ..., D)``; the stages of a step lie at the Gauss nodes, so those of the mirrored
time 1 - s are the same ones in reverse order.

Why Gauss: the method is symmetric (solving down and up visit the same stages) and symplectic (it
conserves bilinear
invariants such as a·δz + b·δθ - δℓ exactly). So an adjoint solved on a path's own stages is the
exact derivative of the *discrete* log-likelihood: agreement is limited by rounding at any step
size, and the truncation error is a matter of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.numerics.collocation import gauss_legendre

__all__ = ["Grid", "Path", "accumulate", "advance", "integrate_backward"]

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Grid:
    """``steps`` equal steps on [0, 1] with ``stages`` Gauss nodes each: order ``2·stages``."""

    steps: int
    stages: int

    @property
    def times(self) -> np.ndarray:
        """The stage times ``(steps, stages)``."""
        return (np.arange(self.steps)[:, None] + gauss_legendre(self.stages)[0]) / self.steps

    @property
    def weights(self) -> np.ndarray:
        """Quadrature weights ``(stages,)`` of one step, the step size included."""
        return gauss_legendre(self.stages)[2] / self.steps


@dataclass(frozen=True)
class Path:
    """A solution on a grid: ``start`` z(0), ``end`` z(1), ``stages (steps, stages, ..., D)``."""

    grid: Grid
    start: np.ndarray
    end: np.ndarray
    stages: np.ndarray

    @property
    def mirrored(self) -> np.ndarray:
        """z(1 - s) at the stage times s."""
        return self.stages[::-1, ::-1]


def _small(change: np.ndarray, size: np.ndarray) -> bool:
    """Converged to rounding, in the real and (for complex steps) in the imaginary parts."""
    parts = [(np.real(change), np.real(size))] + (
        [(np.imag(change), np.imag(size))] if np.iscomplexobj(change) else []
    )
    return all(
        float(np.max(np.abs(c), initial=0.0)) <= 2 * EPS * float(np.max(np.abs(v), initial=0.0))
        for c, v in parts
    )


def _step(
    rhs: Callable[[np.ndarray], np.ndarray], y: np.ndarray, h: float, stages: int, sweeps: int
) -> tuple[np.ndarray, np.ndarray]:
    """One Gauss step ``y -> y(h)`` and its stage values; the stage equations are solved by
    iteration.
    """
    _, a, b = gauss_legendre(stages)
    values = np.repeat(y[None], stages, axis=0)
    k = rhs(values)
    for _ in range(sweeps):
        values = y + h * np.tensordot(a, k, axes=1)
        new = rhs(values)
        done = _small(new - k, new)
        k = new
        if done:
            break
    return y + h * np.tensordot(b, k, axes=1), y + h * np.tensordot(a, k, axes=1)


def integrate_backward(
    f: Callable[[np.ndarray, np.ndarray], Any], x: np.ndarray, grid: Grid, *, sweeps: int = 60
) -> Path:
    """The path of ``z' = f(z, s)`` that ends in ``z(1) = x``. ``f`` takes stages ``(stages, ...,
    D)`` and times ``(stages,)``.

    Complex x (or a complex f) is welcome: nothing is conjugated, so complex steps pass through.

    >>> path = integrate_backward(lambda z, s: z, np.array([1.0]), Grid(2, 8))
    >>> bool(abs(path.start[0] - np.exp(-1)) < 1e-15)
    True
    """
    y, found = np.asarray(x), []
    with np.errstate(over="ignore", invalid="ignore"):
        for n in reversed(range(grid.steps)):
            times = grid.times[n][::-1]

            def rhs(values: np.ndarray, times: np.ndarray = times) -> np.ndarray:
                return np.asarray(f(values, times))

            y, values = _step(rhs, y, -1 / grid.steps, grid.stages, sweeps)
            found.append(values[::-1])
    return Path(grid, y, np.asarray(x), np.stack(found[::-1]))


def advance(
    rate: Callable[[int, np.ndarray], np.ndarray], y: np.ndarray, grid: Grid, *, sweeps: int = 60
) -> tuple[np.ndarray, np.ndarray]:
    """``(y(1), stages)`` of ``y' = rate(step, y at the stages)`` from ``y(0) = y``, on the grid's
    own stages.
    """
    stages = []
    with np.errstate(over="ignore", invalid="ignore"):
        for n in range(grid.steps):

            def rhs(values: np.ndarray, n: int = n) -> np.ndarray:
                return rate(n, values)

            y, values = _step(rhs, y, 1 / grid.steps, grid.stages, sweeps)
            stages.append(values)
    return y, np.stack(stages)


def accumulate(rates: np.ndarray, grid: Grid) -> np.ndarray:
    """``∫₀¹`` of stage values ``(steps, stages, ...)`` by the grid's own quadrature.

    >>> grid = Grid(3, 4)
    >>> bool(abs(accumulate(grid.times**3, grid) - 0.25) < 1e-15)
    True
    """
    return np.tensordot(grid.weights, rates.sum(axis=0), axes=1)
