"""The proposals of a Metropolis kernel as maps of its noise, and the noise that leads back.

Conventions: ``y = F_x(z)``: what the kernel returns where it accepts. F is a map of the noise for
Gaussian proposals (MALA, random walks, independence) and for trajectories (HMC: z is the momentum)
alike, and the density of y is φ(z) / |det ∂F_x/∂z|. Derivatives are central differences with widths
δ, δ/2, δ/4, extrapolated; they are exact but for rounding where F is affine in z.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Moved", "back", "log_density", "moved"]

#: δ in double and in coarser types
FINE, COARSE = 2.0**-4, 2.0**-2
#: roundoff from which a type is coarse
SINGLE = 1e-10
STARTS = 4
ROUNDS = 14

Map = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Moved:
    """``y`` ``(n, d)``; ``jacobian`` ``(n, d, d)`` of y in z, and what it is off by."""

    y: np.ndarray
    jacobian: np.ndarray
    off: np.ndarray
    width: float

    @property
    def log_det(self) -> np.ndarray:
        return np.asarray(np.linalg.slogdet(self.jacobian)[1])

    def log_det_off(self, rounding: float) -> np.ndarray:
        """What its error, and rounding of y, leave of it."""
        with np.errstate(all="ignore"):
            least = np.linalg.svd(self.jacobian, compute_uv=False)[:, -1]
            return np.asarray(self.jacobian.shape[1] * (self.off + rounding / self.width) / least)


def moved(run: Map, x: np.ndarray, z: np.ndarray, eps: float) -> Moved:
    """One call of 1 + 6 d rows for each pair."""
    n, d = x.shape
    widest = FINE if eps < SINGLE else COARSE
    widths = (widest, widest / 2, widest / 4)
    steps = np.concatenate(
        [np.zeros((1, d))] + [s * w * np.eye(d) for w in widths for s in (1, -1)]
    )
    each = len(steps)
    out = run(np.repeat(x, each, axis=0), (z[:, None, :] + steps).reshape(-1, d)).reshape(
        n, each, d
    )
    rest = out[:, 1:].reshape(n, len(widths), 2, d, d)
    slopes = [
        (rest[:, k, 0] - rest[:, k, 1]).transpose(0, 2, 1) / (2 * w) for k, w in enumerate(widths)
    ]
    rough = [(4 * slopes[k + 1] - slopes[k]) / 3 for k in range(2)]
    fine = (16 * rough[1] - rough[0]) / 15
    off = np.max(np.abs(fine - rough[1]), axis=(1, 2))
    return Moved(out[:, 0], fine, off, widths[-1])


def back(
    run: Map, x: np.ndarray, y: np.ndarray, z: np.ndarray, rounding: float, eps: float
) -> tuple[np.ndarray, Moved, np.ndarray]:
    """The noise that leads from y to x, by Newton's method from several starts; the map there; and
    which rows it was found for.
    """
    n = len(x)
    best = np.zeros_like(z)
    found = np.zeros(n, bool)
    limit = 64 * rounding  # of the way there and of the way back
    for start in (0.0, -1.0, 1.0, 0.5)[:STARTS]:
        trial = np.where(found[:, None], best, start * z)
        for _ in range(ROUNDS):
            here = moved(run, y, trial, eps)
            rest = x - here.y
            small = np.max(np.abs(rest), axis=1) <= limit
            if np.all(small | found):
                break
            with np.errstate(all="ignore"):
                step = np.stack(
                    [np.linalg.lstsq(j, r, rcond=None)[0] if np.all(np.isfinite(j)) else 0 * r
                     for j, r in zip(here.jacobian, rest, strict=True)]
                )  # fmt: skip
            trial = np.where(
                (small | found)[:, None] | ~np.all(np.isfinite(step), axis=1)[:, None],
                trial,
                trial + np.clip(step, -3, 3),
            )
        small = np.max(np.abs(x - moved(run, y, trial, eps).y), axis=1) <= limit
        best = np.where((small & ~found)[:, None], trial, best)
        found |= small
        if np.all(found):
            break
    return best, moved(run, y, best, eps), found


def log_density(z: np.ndarray, at: Moved, kind: str) -> np.ndarray:
    """``log q`` of the proposal, without the constant of φ."""
    if kind == "uniform":
        inside = np.all((z > 0) & (z < 1), axis=1)
        return np.where(inside, -at.log_det, -np.inf)
    return np.asarray(-0.5 * np.sum(z * z, axis=1) - at.log_det)
