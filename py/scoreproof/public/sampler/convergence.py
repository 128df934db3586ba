"""Chains of ever more steps: the error of their laws at the same levels, its limit and its order.

Conventions: errors are signed and relative to the standard deviation that is due: of the mean, and
of the standard deviation, coordinate by coordinate (and of correlations, where they are known).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator, interp1d

from scoreproof.public.sampler.chain import Chain, State
from scoreproof.public.sampler.data import Data, Level
from scoreproof.public.sampler.rows import Law

__all__ = [
    "FLOOR",
    "GONE",
    "Limit",
    "deviation",
    "errors_of",
    "extrapolated",
    "inner",
    "limit",
    "order_of",
    "rounding",
    "width",
]

#: levels are the same if their signal-to-noise ratios agree so far
SAME = 1e-4
#: roundings of a step, and the part of them that random walks keep
ROUNDINGS = 16
#: a power is taken for the next whole one that it is nearer to than this
CLEAR = 0.3
#: a deviation of a law by less than this is none: trees of Brownian noise are cut off there
FLOOR = 5e-5
#: the error of a law that is not finite
GONE = 1e12


@dataclass(frozen=True, eq=False)
class Limit:
    """At each of the levels of the coarsest chain: the errors of the finest one, what they tend to,
    how far that is known, and what tables of low precision may do beyond, all ``(places, 2, d)``.
    """

    levels: tuple[Level, ...]
    finest: np.ndarray
    limit: np.ndarray
    blur: np.ndarray
    tables: np.ndarray


def deviation(law: Law, data: Data, level: Level, unit: np.ndarray | None = None) -> np.ndarray:
    """Errors ``(2, d)`` of a law at a level, in units of the standard deviation due there."""
    mean, std = data.moments(level)
    unit = std if unit is None else unit
    with np.errstate(all="ignore"):
        wide = (law.std - std) / unit
        if law.cov is not None:  # what coordinates share counts as an error of each
            shared = np.abs(law.cov - np.diag(np.diag(law.cov))) / np.outer(unit, unit)
            worst = shared.max(axis=1)
            wide = np.where(worst > np.abs(wide), worst, wide)
        off = np.stack([(law.mean - mean) / unit, wide])
    return np.asarray(np.nan_to_num(off, nan=GONE, posinf=GONE, neginf=-GONE))


def errors_of(chain: Chain) -> np.ndarray:
    """Errors ``(states, 2, d)`` of a whole chain, without its start and its end."""
    return np.stack([deviation(s.law, chain.data, s.level) for s in inner(chain)])


def inner(chain: Chain) -> list[State]:
    """The states between the start and the end; of several at one level in a row the last, which
    the earlier ones were on the way to.
    """
    found = [s for s in chain.states if s.step >= 0 and s.level.sigma > 0]
    after = [*found[1:], None]
    return [
        s
        for s, t in zip(found, after, strict=True)
        if t is None or abs(t.level.sigma - s.level.sigma) > 1e-6 * s.level.sigma
    ]


def limit(chains: Sequence[Chain], eps: float, table: float) -> Limit:
    """What the errors of three chains, each of twice as many steps, tend to, at the levels of the
    first.

    The last elimination changes the result by what it is known to.
    ``eps``: the arithmetic's precision, ``table``: that of the numbers it starts from.
    """
    levels = tuple(s.level for s in inner(chains[0]))
    pairs = [_at(c, levels, eps) for c in chains]
    rows, doubts = [p[0] for p in pairs], [p[1] for p in pairs]
    finest = rows[-1]
    with np.errstate(all="ignore"):
        once, twice = extrapolated(rows, [width(c) for c in chains])
        # signed errors pass through 0 somewhere: the largest change at any level counts at all
        change = np.max(np.abs(twice - once), axis=(0, 2), keepdims=True)
        blur = 2 * change + 8 * (doubts[-1] + doubts[-2])
        # a chain that is exact at every number of steps has nothing to extrapolate
        exact = np.all([np.abs(r) <= b for r, b in zip(rows, doubts, strict=True)], axis=0)
    found = np.where(exact, finest, twice)
    # of four times as many steps
    coarse = np.array([2 * rounding(chains[0], s, table) for s in inner(chains[0])])[:, None, None]
    return Limit(levels, finest, found, np.where(exact, doubts[-1], blur), coarse + 0 * found)


def order_of(chains: Sequence[Chain], eps: float) -> float:
    """The power of the step by which the error falls between the last two chains; infinite where
    it is rounding only.
    """
    levels = tuple(s.level for s in inner(chains[0]))
    size = [float(np.sqrt(np.mean(_at(c, levels, eps)[0] ** 2))) for c in chains]
    if size[-1] <= 4 * max(rounding(chains[-1], s, eps) for s in inner(chains[-1])):
        return np.inf
    return float(np.log(size[-2] / size[-1]) / np.log(width(chains[-2]) / width(chains[-1])))


def width(chain: Chain) -> float:
    """The mean width of a step: what a table of 1000 makes of 400 steps is no width of 1000/400."""
    states = chain.states
    return abs(states[0].level.when - states[-1].level.when) / max(len(states) - 1, 1)


def extrapolated(rows: Sequence[np.ndarray], h: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
    """What three errors at the widths h tend to: by the last two of them, and by all.

    The error is ``E + c h^p`` or ``E + c h^p + e h^(p+1)``, p the whole power, 1 to 3, that the
    differences of the errors fall with, whatever E is.
    """
    w = np.asarray(h) / h[0]
    p = _power(rows, w)
    two = np.linalg.solve(np.stack([np.ones(2), w[1:] ** p]), [1.0, 0.0])
    three = np.linalg.solve(np.stack([np.ones(3), w**p, w ** (p + 1)]), [1.0, 0.0, 0.0])
    once = sum(c * r for c, r in zip(two, rows[1:], strict=True))
    return once, sum(c * r for c, r in zip(three, rows, strict=True))


def _power(rows: Sequence[np.ndarray], w: np.ndarray) -> int:
    first, second = (float(np.linalg.norm(a - b)) for a, b in zip(rows[:-1], rows[1:], strict=True))
    if not (np.isfinite(first) and second > 0):
        return 1
    powers = np.arange(1, 4) - CLEAR
    falls = (w[0] ** powers - w[1] ** powers) / (w[1] ** powers - w[2] ** powers)
    return max(1, int(np.sum(first / second > falls)))


def _at(chain: Chain, levels: Sequence[Level], eps: float) -> tuple[np.ndarray, np.ndarray]:
    """Errors ``(places, 2, d)`` of a chain at these levels, and how far they are known; between
    its own levels they are interpolated in log α/σ.
    """
    states = inner(chain)
    own = np.array([np.log(s.level.snr) for s in states])
    wanted = np.array([np.log(v.snr) for v in levels])
    off = errors_of(chain)
    bound = np.array([rounding(chain, s, eps) for s in states])
    near = np.abs(own[:, None] - wanted).argmin(axis=0)
    same = np.abs(own[near] - wanted) < SAME
    found, doubt = off[near], np.broadcast_to(bound[near][:, None, None], off[near].shape).copy()
    if not np.all(same):
        smooth, straight = (
            make(own, off, axis=0)(wanted[~same]) for make in (PchipInterpolator, _straight)
        )
        found[~same] = smooth
        doubt[~same] += np.abs(smooth - straight)
    return found, doubt


def _straight(x: np.ndarray, y: np.ndarray, axis: int) -> Any:
    return lambda at: interp1d(x, y, axis=axis, fill_value="extrapolate")(at)


def rounding(chain: Chain, state: State, eps: float) -> float:
    """What rounding may cost a state, relative to its standard deviation.

    A step forms x_0 from x and ε with some `ROUNDINGS` roundings of numbers of the size of the mean
    and of x/α, of which the next α is taken; 1 - ᾱ is a difference of numbers of size 1. Roundings
    of different steps add up like a random walk.
    """
    level = state.level
    mean, std = chain.data.moments(level)
    before = chain.states[max(0, _position(chain, state) - 1)].level
    growth = level.alpha / before.alpha * before.sigma if before.alpha > 0 else before.sigma
    size = 3 + float(np.max((3 * growth + np.abs(mean)) / std))
    small = 1 / level.sigma**2 if level.alpha**2 + level.sigma**2 < 1.5 else 0.0
    return float(eps * (ROUNDINGS * np.sqrt(state.step + 2) * size + small))


def _position(chain: Chain, state: State) -> int:
    return next(k for k, s in enumerate(chain.states) if s is state)
