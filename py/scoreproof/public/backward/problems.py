"""What a hand-written pass is asked: graphs that hide little, and partials that make the sum over
paths exact.

Conventions
-----------
- A partial is a matrix of integers times ``2^(a_u - a_w)`` on the slot u → w, with a power a_v of
  its own for every node: every path into a node has the same power, so sums stay exact, while
  gradients range from small fractions to numbers beyond 2^64.
- Where the integers would not fit, the entries along all paths have the same sign, so that no terms
  cancel: a gradient is then as large as the sum of its terms, and rounding is relative to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.claims.backprop.checks_float import rounding_bounds
from scoreproof.objects.graphs import BackwardPass, Graph, random_graph

__all__ = ["Problem", "problems_on", "standard_graphs"]

DOUBLE = float(np.finfo(float).eps)
COARSE = 1e-5  # types coarser than this have few exponents
LARGEST = (127, 15, 3, 0)  # of the integers, the first that fits; 0: permutations and shears
FAR, NEAR = 30, 3  # powers of two of the nodes
DEGREE, SLOTS, CHAIN, LAYER = 24, 12, 48, 8


@dataclass(frozen=True)
class Problem:
    """A graph with two passes over it (same v_out, other partials), asked one after the other.

    ``exact``: whether all sums of each pass are exact in the type that the pass has shown so far.
    ``scales[k][v]``: the size of the gradient of node v, for comparisons across nodes.
    """

    graph: Graph
    runs: tuple[BackwardPass, BackwardPass]
    integers: tuple[float, float]  # the largest integer that appears in each
    scales: tuple[np.ndarray, np.ndarray]


def standard_graphs(rng: np.random.Generator) -> list[Graph]:
    """``u * u``; several consumers and a node after v_out; a hub, a chain, layers, two random."""
    return [
        Graph(2, ((0, 1), (0, 1))),
        Graph(6, ((2, 0), (2, 0), (2, 4), (0, 4), (0, 1), (4, 1), (4, 3), (1, 3), (2, 3), (3, 5))),
        _renumbered(_hub(), rng),
        _renumbered(_chain(), rng),
        _renumbered(_layers(), rng),
        random_graph(rng, 8, 2, None, 0.3),
        random_graph(rng, 12, 3, 6, 0.2),
    ]


def _hub() -> Graph:
    """One node with `DEGREE` consumers and one with `DEGREE` arguments, `SLOTS` slots from that one
    to the next, two further sinks and two isolated nodes.
    """
    first, hub, top = 0, DEGREE + 1, DEGREE + 2
    edges = [(first, k) for k in range(1, DEGREE + 1)] + [(k, hub) for k in range(1, DEGREE + 1)]
    edges += [(hub, top)] * SLOTS + [(top, top + 1), (3, top + 2)]
    return Graph(top + 5, tuple(edges))


def _chain() -> Graph:
    """A long chain, with a branch that skips a part of it and one that ends aside."""
    edges = [(k, k + 1) for k in range(CHAIN)]
    edges += [(5, CHAIN // 2), (9, CHAIN + 1), (CHAIN + 2, 7)]
    return Graph(CHAIN + 4, tuple(edges))


def _layers() -> Graph:
    """Three layers, each node of one an argument of each of the next, and one node at the end."""
    at = [range(k * LAYER, (k + 1) * LAYER) for k in range(3)]
    edges = [(u, v) for a, b in zip(at, at[1:], strict=False) for u in a for v in b]
    edges += [(u, 3 * LAYER) for u in at[2]]
    return Graph(3 * LAYER + 1, tuple(edges))


def _renumbered(graph: Graph, rng: np.random.Generator) -> Graph:
    label = rng.permutation(graph.size)
    edges = [(int(label[u]), int(label[v])) for u, v in graph.edges]
    return Graph(graph.size, tuple(edges[k] for k in rng.permutation(len(edges))))


def problems_on(
    graphs: Sequence[Graph],
    d: int,
    rng: np.random.Generator,
    unit: Callable[[], float] = lambda: DOUBLE,
) -> Iterator[Problem]:
    """Two problems a graph: v_out the node with the most ancestors, and one in the middle.

    ``unit()``: the spacing of numbers at 1 in the coarsest type that the pass has returned by now;
    the first problem is small, so that it shows.
    """
    first = True
    for graph in graphs:
        for v_out in _outputs(graph):
            passes = [_pass(graph, v_out, d, rng, unit(), first) for _ in range(2)]
            (a, n, x), (b, m, y) = passes
            yield Problem(graph, (a, b), (n, m), (x, y))
            first = False


def _outputs(graph: Graph) -> tuple[int, int]:
    ancestors: list[set[int]] = [set() for _ in range(graph.size)]
    for v in graph.order:
        for u, _ in graph.predecessors[v]:
            ancestors[v] |= ancestors[u] | {u}
    ranked = sorted(graph.order, key=lambda v: (len(ancestors[v]), graph.order.index(v)))
    inner = [v for v in ranked if ancestors[v] and graph.successors[v]] or ranked
    return ranked[-1], inner[2 * len(inner) // 3]


def _pass(
    graph: Graph, v_out: int, d: int, rng: np.random.Generator, unit: float, first: bool
) -> tuple[BackwardPass, float, np.ndarray]:
    """``(pass, largest integer, scales)``; the largest is infinite where nothing fits."""
    zeros = [np.zeros((d, d))] * graph.size
    far = NEAR if first or unit > COARSE else FAR
    powers = 2.0 ** rng.integers(-far, far + 1, graph.size)
    for most in LARGEST[1:] if first else LARGEST:
        partials, one = _integers(len(graph.edges), d, most, rng)
        run = BackwardPass.of(graph, _array(partials), zeros, v_out, one)
        largest = _largest(run)
        if largest * max(unit, 2.0**-22 if first else 0) < 0.25:
            break
    else:
        partials, one = (np.abs(x) for x in _integers(len(graph.edges), d, LARGEST[1], rng))
        run = _levelled(BackwardPass.of(graph, _array(partials + 0.125), zeros, v_out, one + 0.125))
        largest = np.inf
        signs = rng.choice([-1.0, 1.0], (graph.size, d))
        run = _signed(run, graph, signs)
    sizes = np.array([max(float(a.max()), 1.0) for a in rounding_bounds(run)[1]])
    return _powered(run, graph, powers), largest, sizes * powers


def _integers(
    slots: int, d: int, most: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    if most:
        sign = rng.choice([-1.0, 1.0], (slots + 1, d, d))
        every = rng.integers(1, most + 1, (slots + 1, d, d)) * sign
        return every[:-1], every[-1]
    eye = np.eye(d)
    every = np.stack([eye[rng.permutation(d)] for _ in range(slots + 1)])
    every *= rng.choice([-1.0, 1.0], (slots + 1, 1, d))
    for k in range(0, slots, 3):  # a shear now and then: products grow, and do not commute
        i, j = rng.integers(d, size=2)
        every[k, i, j] += 1.0
    return every[:-1], every[-1]


def _array(partials: np.ndarray) -> Any:
    return partials  # one array, which users can index by slot


def _largest(run: BackwardPass) -> float:
    """The largest entry of the sums over paths of absolute values."""
    with np.errstate(over="ignore", invalid="ignore"):
        largest = max(float(a.max()) for a in rounding_bounds(run)[1])
    return largest if np.isfinite(largest) else np.inf


def _levelled(run: BackwardPass) -> BackwardPass:
    """The pass with each node's partials scaled by a power of two, so that sums of absolute values
    stay near 1 on a graph of any depth.
    """
    partials = np.array(run.partials)
    absolute = [np.abs(g) for g in run.seeded()]
    for v in reversed(run.order):
        total = absolute[v] + sum(
            absolute[w] @ np.abs(partials[slot]) for w, slot in run.successors[v]
        )
        largest = float(total.max())
        scale = 2.0 ** -round(np.log2(largest)) if largest > 0 and v != run.v_out else 1.0
        for _, slot in run.successors[v]:
            partials[slot] = partials[slot] * scale
        absolute[v] = total * scale
    return replace(run, partials=_array(partials))


def _signed(run: BackwardPass, graph: Graph, signs: np.ndarray) -> BackwardPass:
    partials = np.array(
        [
            signs[w][:, None] * p * signs[u][None, :]
            for p, (u, w) in zip(run.partials, graph.edges, strict=True)
        ]
    )
    return replace(run, partials=_array(partials), one=run.one * signs[run.v_out][None, :])


def _powered(run: BackwardPass, graph: Graph, powers: np.ndarray) -> BackwardPass:
    partials = np.array(
        [p * (powers[u] / powers[w]) for p, (u, w) in zip(run.partials, graph.edges, strict=True)]
    )
    return replace(run, partials=_array(partials), one=run.one * powers[run.v_out])
