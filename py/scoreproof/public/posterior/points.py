"""Where to look: draws of y, points between components, and draws far out.

A draw of y has, as a rule, one effective component where the noise is small: there the identity
says only that the nearest is the nearest, and a wrong weight cannot be seen. So a part of the
points lies where two components weigh about the same. Points are numbers of the callable's own
type (``grid``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse.csgraph import breadth_first_order, minimum_spanning_tree

from scoreproof.objects.empirical import Atoms
from scoreproof.public.posterior.due import MANY, Due, draw, least, perplexity
from scoreproof.public.posterior.problem import Problem
from scoreproof.public.posterior.scale import Scale
from scoreproof.streams import stream

__all__ = ["Points", "choose"]

Grid = Callable[[np.ndarray], np.ndarray]
#: of more neighbours than these, and than have NEAR numbers, only some are looked at
NEIGHBOURS, NEAR = 256, 1 << 18
#: a coordinate that moves less than this part of what draws of y move stands still
STILL = 0.01
JOINED = 16  # draws that join the caller's points where those stand still
POOL = 1 << 20  # numbers among which draws far out are sought


@dataclass(frozen=True, eq=False)
class Points:
    """Rows ``(m, d)`` and what each is: asked, draws, between, far or joined."""

    y: np.ndarray
    kinds: np.ndarray

    def count(self, kind: str) -> int:
        return int(np.sum(self.kinds == kind))

    def describe(self, problem: Problem) -> str:
        """One clause for `Coverage.span`."""
        named = {
            "asked": "as asked",
            "draws": "draws of y",
            "between": f"between two {problem.kind}" if problem.prior is not None else "",
            "far": "draws far out",
            "joined": "draws of y, since a coordinate stands still at the others",
        }
        listed = [f"{self.count(k)} {text}" for k, text in named.items() if self.count(k)]
        draws = self.count("draws")
        if draws:
            missed = 100 * (1 - 0.05 ** (1 / draws))
            listed.append(f"which miss a region of {missed:.2g} % of y with probability 5 %")
        return ", ".join(listed)


def choose(problem: Problem, scale: Scale | None, grid: Grid) -> Points:
    """The points of a problem; the same ones for the same seed and type."""
    if problem.points is not None:
        y = grid(problem.points)
        asked = Points(y, np.full(len(y), "asked"))
        return (
            asked if scale is None or not _still(problem, scale, y) else _joined(problem, y, grid)
        )
    rng = stream(problem.seed, problem.name, "points")
    n, many = problem.n, problem.components
    far = n // 4
    each = many if many <= MANY else 0  # a turn for each of a few
    between = max(n // 4, min(each, 3 * n // 8)) if many > 1 else 0
    draws = grid(draw(problem, rng, n - far - between))
    middle = _between(problem, rng, between, grid)
    if many > 1 and between == 0:  # a point or two or three: one of them has to decide
        found = _between(problem, rng, 1, grid)
        draws, middle = (draws[: len(draws) - len(found)], found)
    draws = np.concatenate([draws, grid(draw(problem, rng, n - far - len(draws) - len(middle)))])
    outer = grid(_far(problem, rng, far))
    kinds = ["draws"] * len(draws) + ["between"] * len(middle) + ["far"] * len(outer)
    return Points(np.concatenate([draws, middle, outer]), np.array(kinds))


def _still(problem: Problem, scale: Scale, y: np.ndarray) -> bool:
    """Whether some coordinate does not move at these points: right and wrong would look alike."""
    due = Due(problem, y)
    own = np.max(np.abs(due.mean - scale.centre), axis=0)
    noise = np.max(np.abs(due.mean - y), axis=0)
    return bool(
        np.any(own[scale.from_centre > 0] < STILL * scale.from_centre[scale.from_centre > 0])
        or np.any(noise < STILL * scale.from_y)
    )


def _joined(problem: Problem, y: np.ndarray, grid: Grid) -> Points:
    more = grid(draw(problem, stream(problem.seed, problem.name, "joined"), JOINED))
    return Points(np.concatenate([y, more]), np.array(["asked"] * len(y) + ["joined"] * len(more)))


def _far(problem: Problem, rng: np.random.Generator, count: int) -> np.ndarray:
    """Of many draws the farthest from the mean, and those farthest along single coordinates."""
    d = problem.dimension
    if count == 0:
        return np.empty((0, d))
    pool = draw(problem, rng, int(np.clip(POOL // d, 4 * count, 4096)))
    unit = np.std(pool, axis=0)
    away = (pool - np.mean(pool, axis=0)) / unit
    chosen = [int(np.argmax(np.sum(away**2, axis=1)))]
    axes = np.concatenate([rng.permutation(d) for _ in range(-(-count // d))])
    for axis, sign in zip(axes, rng.choice([-1.0, 1.0], size=len(axes)), strict=True):
        # the other end the second time round
        taken = int(np.argmax(sign * away[:, axis]))
        chosen.append(taken if taken not in chosen else int(np.argmin(sign * away[:, axis])))
    return np.asarray(pool[chosen[:count]])


def _between(problem: Problem, rng: np.random.Generator, count: int, grid: Grid) -> np.ndarray:
    """Up to ``count`` points at which two or more components share, each pair in its turn."""
    kept, of = np.empty((0, problem.dimension)), np.empty(0, int)
    if count == 0:
        return kept
    pairs = _pairs(problem, rng, count)
    for noise in (1.0, 1.0, 0.3, 0.0):
        turn = np.resize(np.roll(np.arange(len(pairs)), -len(kept)), 2 * count)
        y = grid(_shared(problem, rng, pairs[turn], noise))
        good = perplexity(problem, y) >= least(problem)
        kept, of = np.concatenate([kept, y[good]]), np.concatenate([of, turn[good]])
        reached = len(np.unique(of)) >= min(len(pairs), count)
        if len(kept) >= count and (reached or problem.components > max(MANY, count)):
            break
    # the first of every pair before the second of any
    order = np.argsort(of, kind="stable")
    earlier = np.empty(len(of), int)
    earlier[order] = np.arange(len(of)) - np.searchsorted(of[order], of[order])
    return np.asarray(kept[np.argsort(earlier, kind="stable")[:count]])


def _pairs(problem: Problem, rng: np.random.Generator, count: int) -> np.ndarray:
    """Pairs of components ``(pairs, 2)``: of a few, those of a shortest tree that joins them all,
    so that every weight is held against every other; of many, some and their neighbours.

    Short ways, since on a long one the exponents are large and their rounding is too.
    """
    known = problem.known
    if isinstance(known, Atoms):
        where, extent = known.points, problem.noise.diagonal
    else:
        where, extent = (
            known.means,
            problem.noise.diagonal
            + np.mean(np.diagonal(known.covariances, axis1=1, axis2=2), axis=0),
        )
    where = where / np.sqrt(extent)
    if problem.components <= MANY:
        gaps = np.linalg.norm(where[:, None] - where, axis=2)
        # the order of the gaps alone decides on a shortest tree; one near 0 would be no edge
        ranks = 1.0 + np.unique(gaps, return_inverse=True)[1].reshape(gaps.shape)
        tree = minimum_spanning_tree(ranks * ~np.eye(len(where), dtype=bool))
        root = int(rng.integers(len(where)))
        _, towards = breadth_first_order(tree, root, directed=False)
        towards[root] = int(np.flatnonzero(towards == root)[0])
        # each component in its turn, towards its neighbour on the way to the root
        return np.asarray(rng.permutation(np.stack([np.arange(len(where)), towards], axis=1)))
    firsts = rng.permutation(len(where))[: 4 * count]
    pairs = np.array([sorted((int(a), _nearest(where, a, rng))) for a in firsts])
    pairs = rng.permutation(np.unique(pairs, axis=0))  # two may be the nearest of each other
    ways = np.linalg.norm(where[pairs[:, 0]] - where[pairs[:, 1]], axis=1)
    return np.asarray(pairs[np.argsort(ways)[:count]])


def _nearest(where: np.ndarray, a: int, rng: np.random.Generator) -> int:
    """The nearest of the others, or of some of them."""
    others = rng.permutation(len(where))[: max(NEIGHBOURS, NEAR // where.shape[1])]
    others = others[others != a]
    return int(others[np.argmin(np.sum((where[others] - where[a]) ** 2, axis=1))])


def _shared(
    problem: Problem, rng: np.random.Generator, pairs: np.ndarray, noise: float
) -> np.ndarray:
    """Points on lines from a draw of one component of each pair to one of the other, by the same
    random numbers, where the log weight of the first is passed, within one, by that of another.
    """
    known, (a, b) = problem.known, pairs.T
    target, z = rng.uniform(-1, 1, len(a)), noise * rng.standard_normal((len(a), problem.dimension))
    if not isinstance(known, Atoms):
        turned = z @ np.swapaxes(problem.roots, -1, -2)
        each = np.arange(len(a))
        start, end = (known.means[k] + turned[k, each] for k in (a, b))
        t = _passed(problem, start, end - start, pairs, target)
        return np.asarray(start + np.clip(t, -0.5, 1.5)[:, None] * (end - start))
    way, drift = known.points[b] - known.points[a], problem.noise.times(z, 0.5)
    if problem.components > MANY:
        scaled = problem.noise.times(way, -1.0)
        length, logs = np.sum(scaled * way, axis=1), np.log(np.asarray(known.weights))
        t = 0.5 + (logs[a] - logs[b] - np.sum(scaled * drift, axis=1) - target) / length
    else:
        t = _passed(problem, known.points[a] + drift, way, pairs, target)
    return np.asarray(known.points[a] + drift + np.clip(t, -0.5, 1.5)[:, None] * way)


def _passed(
    problem: Problem, start: np.ndarray, way: np.ndarray, pairs: np.ndarray, target: np.ndarray
) -> np.ndarray:
    """Where on each line the first component's log weight is passed by the next one's, whichever
    that is: differences of log weights are quadratic functions of t.
    """
    each, (a, b) = np.arange(len(pairs)), pairs.T

    def lead(t: float) -> np.ndarray:
        logs = problem.law.log_components(start + t * way)
        return np.asarray(logs[each, a][:, None] - logs)

    zero, half, one = lead(0.0), lead(0.5), lead(1.0)
    bend = 2 * (zero + one - 2 * half)
    slope, level = one - zero - bend, zero - target[:, None]
    square = slope**2 - 4 * bend * level
    root = np.sqrt(np.maximum(square, 0.0))
    # the form of the formula that does not cancel
    q = -(slope + np.where(slope < 0, -root, root)) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        roots = np.stack([q / bend, level / q])
    roots[:, each, a] = np.inf
    # where the square is negative the two are nowhere even, and the root is only where they are
    # nearest to it
    crossed = np.isfinite(roots) & (roots > 0) & (roots < 1.5) & (square >= 0)
    ahead = np.where(crossed, roots, np.inf)
    first = np.min(ahead, axis=(0, 2))
    # where the first component leads nowhere: as near the middle as the second is even with it
    even = roots[:, each, b]
    even = np.where(np.isfinite(even), even, 0.5)
    middle = even[np.argmin(np.abs(even - 0.5), axis=0), each]
    return np.asarray(np.where(np.isfinite(first), first, middle))
