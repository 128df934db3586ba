"""The score of a Gaussian, moved along a direction h: a model of any array library that can be
differentiated in x and in θ.

Conventions: rows ``(n, d)``; the covariance is a matrix, so that coordinates depend on each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.interop.frameworks import require
from scoreproof.public.loss.standin import told

__all__ = ["AffineModel", "Direction", "direction"]


@dataclass(frozen=True, eq=False)
class Direction:
    """h(x) = ``matrix`` x + ``bend`` (``along`` · x)²; ``inner`` = E[s · h], ``square`` = E|h|²
    of the affine part.
    """

    matrix: np.ndarray
    along: np.ndarray
    bend: np.ndarray


class AffineModel:
    """The exact score plus θ h, in whatever library x is of."""

    def __init__(self, mean: np.ndarray, precision: np.ndarray, h: Direction, theta: Any) -> None:
        self.mean, self.precision, self.h, self.theta = mean, precision, h, theta
        self.asked: list[Any] = []

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        x, when = told(args, kwargs)
        if np.ndim(x) < np.ndim(when):
            x, when = when, x
        self.asked.append(x)
        like = _like(x)
        alone = x.shape == self.shape
        rows = x.reshape(-1, len(self.mean))
        centred = rows - like(self.mean)
        score = -(centred @ like(self.precision))
        move = rows @ like(self.h.matrix.T)
        move = move + ((rows @ like(self.h.along)) ** 2)[:, None] * like(self.h.bend)
        out = score + self.theta * move
        return out.reshape(self.shape if alone else x.shape)

    shape: tuple[int, ...] = ()


def _like(x: Any) -> Any:
    package = type(x).__module__.split(".")[0]
    if package == "torch":
        torch = require("torch")
        return lambda a: torch.as_tensor(a, dtype=x.dtype)
    if package in ("jax", "jaxlib"):
        return require("jax").numpy.asarray
    return np.asarray


def direction(rng: np.random.Generator, d: int, bent: bool) -> Direction:
    matrix = np.diag(rng.uniform(0.5, 1.5, d)) + 0.4 * rng.standard_normal((d, d))
    along, bend = rng.standard_normal(d), rng.uniform(0.5, 1.0, d)
    return Direction(matrix, along if bent else 0 * along, bend if bent else 0 * bend)
