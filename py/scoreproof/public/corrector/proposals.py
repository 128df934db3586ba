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

__all__ = ["Back", "Moved", "Way", "back", "log_density", "moved"]

#: δ in double and in coarser types
FINE, COARSE = 2.0**-4, 2.0**-2
#: roundoff from which a type is coarse
SINGLE = 1e-10
ROUNDS = 14
#: relative: determinants that differ by less are the same
DISTINCT = 1e-5

Map = Callable[[np.ndarray, np.ndarray], np.ndarray]


@dataclass(frozen=True, eq=False)
class Way:
    """``run(x, z)`` is F; ``rounding`` what is taken from y, ``eps`` the roundoff; ``simple``: it
    asks for nothing on its way, as trajectories do.
    """

    run: Map
    rounding: np.ndarray
    eps: float
    simple: bool = False


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

    def log_det_off(self, rounding: np.ndarray) -> np.ndarray:
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


@dataclass(frozen=True, eq=False)
class Back:
    """``z``: the noise that leads back; ``sure``: rows of which that is the one way back, because
    the map is affine in its noise or because it changes volumes as the way there does.
    """

    z: np.ndarray
    moved: Moved
    sure: np.ndarray


def back(way: Way, x: np.ndarray, there: Moved, starts: list[np.ndarray]) -> Back:
    """By Newton's method from several starts. A long trajectory may lead back by several noises, of
    which one is the reverse of the way there: det ∂F/∂z is then the same.
    """
    y, rounding, eps = there.y, way.rounding, way.eps
    level = moved(way.run, y, np.zeros_like(x), eps)
    best, gap = starts[0], np.full(len(x), np.inf)
    ends: list[tuple[np.ndarray, np.ndarray]] = []
    for start in starts:
        trial, small = _newton(way, x, y, start)
        ends.append((trial, small))
        at = moved(way.run, y, trial, eps)
        with np.errstate(invalid="ignore"):
            apart = np.where(small, np.abs(at.log_det - there.log_det), np.inf)
        better = apart < gap - DISTINCT
        best, gap = np.where(better[:, None], trial, best), np.minimum(apart, gap)
        size = np.max(np.abs(at.jacobian), axis=(1, 2))
        bent = np.max(np.abs(at.jacobian - level.jacobian), axis=(1, 2))
        blur = at.off + level.off + rounding / at.width
        affine = bent <= DISTINCT * size + 16 * blur
        if np.all((gap <= DISTINCT) | (affine & small)):
            break
    end = moved(way.run, y, best, eps)
    left = np.max(np.abs(x - end.y), axis=1) <= 64 * rounding
    same = gap <= DISTINCT + there.log_det_off(rounding) + end.log_det_off(rounding)
    return Back(best, end, left & (same | affine | (way.simple & _alone(best, ends))))


def _alone(best: np.ndarray, ends: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Rows in which every start that came to an end came to the same one, and two did."""
    count, other = np.zeros(len(best), int), np.zeros(len(best), bool)
    for trial, small in ends:
        near = np.max(np.abs(trial - best), axis=1) <= 1e-6 * (1 + np.max(np.abs(best), axis=1))
        count += small & near
        other |= small & ~near
    return np.asarray((count >= 2) & ~other)


def _newton(
    way: Way, x: np.ndarray, y: np.ndarray, start: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    trial, small = start.copy(), np.zeros(len(x), bool)
    for _ in range(ROUNDS):
        here = moved(way.run, y, trial, way.eps)
        rest = x - here.y
        small = np.max(np.abs(rest), axis=1) <= 64 * way.rounding
        if np.all(small):
            break
        for k in np.flatnonzero(~small):
            if np.all(np.isfinite(here.jacobian[k])):
                step = np.linalg.lstsq(here.jacobian[k], rest[k], rcond=None)[0]
                trial[k] += np.clip(step, -3, 3)
    return trial, small


def log_density(z: np.ndarray, at: Moved, kind: str) -> np.ndarray:
    """``log q`` of the proposal, without the constant of φ."""
    if kind == "uniform":
        inside = np.all((z > 0) & (z < 1), axis=1)
        return np.where(inside, -at.log_det, -np.inf)
    return np.asarray(-0.5 * np.sum(z * z, axis=1) - at.log_det)
