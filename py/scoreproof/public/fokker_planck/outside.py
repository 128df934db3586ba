"""Whether a density has mass far from its modes: looked for, and ruled out where that can be.

Conventions: as in `modes`. No finite number of values says that a density is 0 elsewhere; two
things come near it. A logarithm that is finite everywhere falls from every mode on; where it rises
again there is another one, and a fine ladder of distances sees the rise long before the top. A
density that underflows in between is asked at complex points m + r(1 + iκ)u, m the outermost mode
in the direction u and κ nearly 1: there a Gaussian around m falls slowly, since (1 + iκ)² is nearly
imaginary, and one further out would be huge.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.fokker_planck.arguments import Box
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.modes import Mode, climbed
from scoreproof.streams import stream

__all__ = ["Outside", "look"]

#: the ladder's ratio in d = 1 and 2, how far it reaches in half sides, and directions in the plane
RATIO, REACH, RAYS = {1: 1.01, 2: 1.05}, 1e9, 64
#: points of an even grid on each side, d = 1
GRID = 2**17
#: a rise of log p that is no rounding
RISE = 1e-6
#: at complex points a Gaussian falls as exp(-FALL r²/2), so that one a little off the mode stays
#: bounded: |log p| to so much, and so much for each width. One 15 widths away is more, and the
#: panels of the integral reach 40. Up to ANALYTIC widths more than that of a fall says that the
#: function took the real part or the modulus: it tells nothing.
FALL, SIZE, SLOPE, ANALYTIC = 0.25, 5.0, 5.0, 36.0
#: points from which a climb begins
STARTS = 16


@dataclass(frozen=True, eq=False)
class Outside:
    """Modes that were found further out, and whether there can be none that were not."""

    modes: list[Mode]
    ruled_out: bool


def look(s: Subject, box: Box, t: float, found: list[Mode], seed: int) -> Outside:
    """In d = 1 and 2, some ten thousand points, or a quarter of a million where p underflows."""
    sides = box.sides
    middle, half = sides.mean(axis=1), float(np.max(sides[:, 1] - sides[:, 0])) / 2
    rays = _rays(box.dimension, seed)
    ladder = half * np.exp(np.arange(0.0, np.log(REACH), np.log(RATIO[box.dimension])))
    logs = np.stack([_asked(s, middle + ladder[:, None] * u, t) for u in rays])
    beyond = np.stack([_beyond(middle, u, ladder, found) for u in rays])
    with np.errstate(invalid="ignore"):
        rises = np.diff(logs, axis=1) > RISE * (1 + np.abs(logs[:, 1:]))
    rises &= beyond[:, 1:] & np.isfinite(logs[:, :-1])
    known = not np.any(np.isnan(logs))
    starts = [
        middle + ladder[1:][k] * u for u, row in zip(rays, rises, strict=True) for k in _tops(row)
    ]
    if not starts and box.dimension == 1 and np.any(np.isneginf(logs)):
        starts = _alone(s, box, t, found)
    if starts:
        x = np.stack(starts)[:: max(1, len(starts) // STARTS)]
        new = climbed(s, x, _asked(s, x, t), np.full(box.dimension, half), t)
        new = [m for m in new if not any(_near(m, n) for n in found)]
        return Outside(new, False)
    if not known or np.any(rises):
        return Outside([], False)
    if np.all(np.isfinite(logs)):
        return Outside([], True)
    return Outside([], all(_keeps_its_size(s, u, t, found, half) for u in rays))


def _rays(d: int, seed: int) -> np.ndarray:
    if d == 1:
        return np.array([[1.0], [-1.0]])
    turn = stream(seed, "fokker_planck", "outside").uniform(0, 2 * np.pi / RAYS)
    angle = turn + 2 * np.pi * np.arange(RAYS) / RAYS
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


def _asked(s: Subject, x: np.ndarray, t: float) -> np.ndarray:
    return s.change(x, t, np.zeros(len(x)))


def _width(m: Mode, u: np.ndarray) -> float:
    return float(np.sqrt(u @ m.covariance @ u))


def _near(m: Mode, n: Mode) -> bool:
    r = m.mean - n.mean
    return bool(r @ np.linalg.solve(n.covariance, r) < 1)


def _beyond(middle: np.ndarray, u: np.ndarray, ladder: np.ndarray, found: list[Mode]) -> np.ndarray:
    """Where the ray has passed all modes that are known."""
    last = max(float(np.linalg.norm(m.mean - middle)) + 3 * _width(m, u) for m in found)
    return np.asarray(ladder > last)


def _tops(rising: np.ndarray) -> np.ndarray:
    """Where a stretch of rises ends."""
    return np.flatnonzero(rising & ~np.append(rising[1:], False))


def _alone(s: Subject, box: Box, t: float, found: list[Mode]) -> list[np.ndarray]:
    """The highest points of stretches of an even grid that nothing joins to a known mode, d = 1."""
    step = min(_width(m, np.ones(1)) for m in found)
    x = float(box.sides.mean()) + step * np.arange(-GRID, GRID + 1.0)
    logs = _asked(s, x[:, None], t)
    there = np.isfinite(logs)
    ends = np.flatnonzero(np.diff(np.concatenate([[0], there.astype(int), [0]])))
    starts = []
    for a, b in zip(ends[::2], ends[1::2], strict=True):
        if not any(x[a] - step <= float(m.mean[0]) <= x[b - 1] + step for m in found):
            starts.append(x[a + int(np.argmax(logs[a:b]))][None])
    return starts


def _fallen(s: Subject, m: Mode, u: np.ndarray, t: float) -> float:
    """How far from the mode log p has fallen by ½: a flat top is no wide one."""
    r = _width(m, u) * 2.0 ** (np.arange(-64, 65) / 8)
    fallen = _asked(s, m.mean + r[:, None] * u, t) < m.log - 0.5
    return float(r[int(np.argmax(fallen))]) if np.any(fallen) else float(r[-1])


def _keeps_its_size(s: Subject, u: np.ndarray, t: float, found: list[Mode], half: float) -> bool:
    m = max(found, key=lambda m: float(m.mean @ u))
    width = _fallen(s, m, u, t)
    r = width * np.exp(np.arange(0.0, np.log(REACH * max(half / width, 1)), np.log(RATIO[1])))
    z = m.mean + (r * (1 + 1j * (1 - FALL) ** 0.5))[:, None] * u
    with np.errstate(all="ignore"):
        size = np.log(np.abs(s.ratio(z, t, np.full(len(z), m.log))))
    r = r / width
    near = r < ANALYTIC
    least = -SIZE - SLOPE * r[near] - FALL * r[near] ** 2
    return bool(np.all(size <= SIZE + SLOPE * r) and np.all(size[near] >= least))
