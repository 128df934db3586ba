"""Computation graphs: nodes, edges with a slot each, linear extensions, and sums over paths.

Conventions
-----------
- Nodes are ``0 … size - 1``. Slot ``k`` is the edge ``edges[k] = (u, v)``: v's function takes u as
  an argument. The graph is a multigraph: ``u * u`` has two slots from u, each with its own partial;
  ``merged`` turns them into one slot with the total partial. Mixing the two readings doubles ``u *
  u``.
- Gradients are rows: the gradient space M_v is whatever holds ``grad[v]``, and ``partials[k]`` is
  an additive map M_head → M_tail that keeps 0, applied from the right, ``grad[head] @
  partials[k]``. Matrices, words, residues or pullbacks all do.
- An order lists all nodes, every edge pointing forward; a backward pass runs through it in reverse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError

__all__ = [
    "BackwardPass",
    "Graph",
    "all_graphs",
    "all_multigraphs",
    "path_sums",
    "power_sums",
    "random_graph",
    "tangents",
]

Links = tuple[tuple[tuple[int, int], ...], ...]  # per node: (neighbour, slot)


@dataclass(frozen=True)
class Graph:
    """A directed acyclic multigraph. Raises ``ArgumentError`` for an edge outside ``0 … size - 1``
    and for a cycle, which it names.

    >>> diamond = Graph(4, ((0, 1), (0, 2), (1, 3), (2, 3)))
    >>> diamond.order, diamond.successors[0], len(list(diamond.linear_extensions()))
    ((0, 1, 2, 3), ((1, 0), (2, 1)), 2)
    >>> Graph(3, ((0, 1), (1, 2), (2, 0)))
    Traceback (most recent call last):
        ...
    scoreproof.errors.ArgumentError: graph must be acyclic (got the cycle 0 → 1 → 2 → 0); ...
    """

    size: int
    edges: tuple[tuple[int, int], ...]
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        try:
            object.__setattr__(self, "size", int(self.size))
            object.__setattr__(self, "edges", tuple((int(u), int(v)) for u, v in self.edges))
        except (TypeError, ValueError) as error:
            raise ArgumentError(
                "graph",
                "a number of nodes and pairs (tail, head)",
                repr(self.edges)[:60],
                "e.g. Graph(3, ((0, 1), (1, 2)))",
            ) from error
        for u, v in self.edges:
            if not (0 <= u < self.size and 0 <= v < self.size):
                raise ArgumentError(
                    "graph",
                    f"made of edges between nodes 0 … {self.size - 1}",
                    f"edge ({u}, {v})",
                    "raise size or correct the edge",
                )
        if self.names and len(self.names) != self.size:
            raise ArgumentError(
                "names",
                f"{self.size} names, one per node",
                f"{len(self.names)}",
                "omit names to number the nodes",
            )
        if len(self.order) < self.size:
            cycle = self._cycle(set(range(self.size)) - set(self.order))
            label = " → ".join(self.names[v] if self.names else str(v) for v in cycle)
            raise ArgumentError(
                "graph",
                "acyclic",
                f"the cycle {label}",
                "a computation graph has no loops: unroll the recurrence",
            )

    @cached_property
    def successors(self) -> Links:
        """``successors[v]``: the pairs ``(w, slot)`` with an edge v → w, by slot."""
        out: list[list[tuple[int, int]]] = [[] for _ in range(self.size)]
        for slot, (u, v) in enumerate(self.edges):
            out[u].append((v, slot))
        return tuple(map(tuple, out))

    @cached_property
    def predecessors(self) -> Links:
        """``predecessors[v]``: the pairs ``(u, slot)`` with an edge u → v, by slot."""
        out: list[list[tuple[int, int]]] = [[] for _ in range(self.size)]
        for slot, (u, v) in enumerate(self.edges):
            out[v].append((u, slot))
        return tuple(map(tuple, out))

    @cached_property
    def order(self) -> tuple[int, ...]:
        """A linear topological order: the one that always takes the smallest node whose
        predecessors are done.
        """
        import heapq

        waiting = [len(p) for p in self.predecessors]
        ready = [v for v in range(self.size) if not waiting[v]]
        out = []
        while ready:
            out.append(v := heapq.heappop(ready))
            for w, _ in self.successors[v]:
                waiting[w] -= 1
                if not waiting[w]:
                    heapq.heappush(ready, w)
        return tuple(out)

    def _cycle(self, left: set[int]) -> list[int]:
        """A cycle among the nodes that no order can place: walk backwards until a node repeats."""
        walk = [min(left)]
        while True:
            walk.append(next(u for u, _ in self.predecessors[walk[-1]] if u in left))
            if walk[-1] in walk[:-1]:
                return walk[walk.index(walk[-1]) :][::-1]

    def linear_extensions(self) -> Iterator[tuple[int, ...]]:
        """Every linear topological order (there can be size! of them)."""
        waiting = [len(p) for p in self.predecessors]

        def extend(prefix: list[int], ready: list[int]) -> Iterator[tuple[int, ...]]:
            if len(prefix) == self.size:
                yield tuple(prefix)
            for v in ready:
                freed = []
                for w, _ in self.successors[v]:
                    waiting[w] -= 1
                    if not waiting[w]:
                        freed.append(w)
                yield from extend([*prefix, v], [u for u in ready if u != v] + freed)
                for w, _ in self.successors[v]:
                    waiting[w] += 1

        yield from extend([], [v for v in range(self.size) if not waiting[v]])

    def random_order(self, rng: np.random.Generator) -> tuple[int, ...]:
        """A random linear topological order (every one has positive probability; not uniform)."""
        waiting = [len(p) for p in self.predecessors]
        ready = [v for v in range(self.size) if not waiting[v]]
        draws = rng.random(self.size)
        out = []
        for draw in draws:
            i = int(draw * len(ready))
            ready[i], ready[-1] = ready[-1], ready[i]
            out.append(v := ready.pop())
            for w, _ in self.successors[v]:
                waiting[w] -= 1
                if not waiting[w]:
                    ready.append(w)
        return tuple(out)

    def merged(self) -> Graph:
        """The graph with one slot per pair of nodes (edges as a set); partials are then totals."""
        return Graph(self.size, tuple(dict.fromkeys(self.edges)), self.names)

    def longest_path(self) -> int:
        """The number of edges of the longest path."""
        depth = [0] * self.size
        for v in self.order:
            for w, _ in self.successors[v]:
                depth[w] = max(depth[w], depth[v] + 1)
        return max(depth, default=0)


@dataclass(frozen=True, slots=True)
class BackwardPass:
    """What a backward pass is given: an order, the neighbours in the order the inner loop visits
    them, the partials, the seed.

    ``zeros[v]`` is the zero of M_v, ``one`` the seed in M_{v_out}.
    """

    order: Sequence[int]
    successors: Sequence[Sequence[tuple[int, int]]]
    predecessors: Sequence[Sequence[tuple[int, int]]]
    partials: Sequence[Any]
    zeros: Sequence[Any]
    v_out: int
    one: Any

    @classmethod
    def of(
        cls, graph: Graph, partials: Sequence[Any], zeros: Sequence[Any], v_out: int, one: Any
    ) -> BackwardPass:
        """The pass over ``graph`` in its own order."""
        return cls(graph.order, graph.successors, graph.predecessors, partials, zeros, v_out, one)

    def shuffled(self, rng: np.random.Generator) -> BackwardPass:
        """The same pass with every inner loop in a random order."""

        def shuffle(links: Sequence[Sequence[tuple[int, int]]]) -> list[list[tuple[int, int]]]:
            keys = rng.random(
                len(self.partials)
            ).tolist()  # one key per slot sorts every inner list at once
            return [
                sorted(link, key=lambda pair: keys[pair[1]]) if len(link) > 1 else list(link)
                for link in links
            ]

        return replace(
            self, successors=shuffle(self.successors), predecessors=shuffle(self.predecessors)
        )

    def seeded(self) -> list[Any]:
        """The state after ``zero_grad`` and ``v_out.grad = 1``, as a fresh list."""
        state = list(self.zeros)
        state[self.v_out] = self.one
        return state

    def total(self, u: int, v: int) -> Any:
        """The total partial of v with respect to u: the sum over the slots between them."""
        slots = [slot for w, slot in self.successors[u] if w == v]
        out = self.partials[slots[0]]
        for slot in slots[1:]:
            out = out + self.partials[slot]
        return out


def path_sums(run: BackwardPass, start: Sequence[Any]) -> list[Any]:
    """``Σ_u start(u) · paths(u → v)`` for every v, path by path: one product per path, nothing
    shared (exponential).
    """
    out = list(start)

    def walk(v: int, product: Any) -> None:
        for u, slot in run.predecessors[v]:
            longer = product @ run.partials[slot]
            out[u] = out[u] + longer
            walk(u, longer)

    for u, g in enumerate(start):
        walk(u, g)
    return out


def power_sums(run: BackwardPass, start: Sequence[Any]) -> list[Any]:
    """The same sum as ``Σ_k start A^k``, A the matrix of partials: k steps add the paths of length
    k. It needs no order.
    """
    out, layer = list(start), dict(enumerate(start))
    while layer:
        following: dict[int, Any] = {}
        for v, g in layer.items():
            for u, slot in run.predecessors[v]:
                term = g @ run.partials[slot]
                following[u] = following[u] + term if u in following else term
        for u, g in following.items():
            out[u] = out[u] + g
        layer = following
    return out


def tangents(run: BackwardPass, injected: Sequence[Any]) -> list[Any]:
    """Forward accumulation: ``t(w) = injected(w) + Σ partial(slot) @ t(v)`` over the slots v → w.

    For gradients from a start g₀, ``Σ_v grad(v) @ injected(v) = Σ_u g₀(u) @ t(u)``: both are the
    sum over all paths of start · partials · injected. One identity, O(edges), tests every gradient
    at once.
    """
    out = list(injected)
    for v in run.order:
        for u, slot in run.predecessors[v]:
            out[v] = out[v] + run.partials[slot] @ out[u]
    return out


def all_graphs(size: int) -> Iterator[Graph]:
    """Every DAG on ``0 … size - 1`` whose edges point from smaller to larger numbers:
    ``2^(size(size-1)/2)`` of them.
    """
    pairs = [(i, j) for j in range(size) for i in range(j)]
    for bits in range(1 << len(pairs)):
        yield Graph(size, tuple(p for k, p in enumerate(pairs) if bits >> k & 1))


def all_multigraphs(size: int, multiplicity: int) -> Iterator[Graph]:
    """Every multigraph on i < j with up to ``multiplicity`` slots per pair and at least one
    repeated pair.
    """
    from itertools import product

    pairs = [(i, j) for j in range(size) for i in range(j)]
    for counts in product(range(multiplicity + 1), repeat=len(pairs)):
        if max(counts, default=0) > 1:
            yield Graph(
                size, tuple(p for p, c in zip(pairs, counts, strict=True) for _ in range(c))
            )


def random_graph(
    rng: np.random.Generator,
    size: int,
    degree: int = 3,
    reach: int | None = None,
    repeated: float = 0.1,
) -> Graph:
    """A random multigraph: each node takes ``degree`` arguments among the ``reach`` nodes before it
    (all of them by default); a part ``repeated`` of the slots repeats the one before it, as in ``u
    * u``. Nodes are renumbered at random, so that the numbering is no topological order.
    """
    reach = reach or size
    heads = np.repeat(np.arange(1, size), degree)
    lowest = np.maximum(0, heads - reach)
    tails = lowest + (rng.random(heads.size) * (heads - lowest)).astype(int)
    tails[::degree] = heads[::degree] - 1  # a spine: every node reaches the last one
    again = rng.random(heads.size) < repeated
    again[::degree] = False
    tails[again] = tails[np.flatnonzero(again) - 1]
    label = rng.permutation(size)
    return Graph(size, tuple(zip(label[tails].tolist(), label[heads].tolist(), strict=True)))
