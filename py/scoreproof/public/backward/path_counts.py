"""How often each path was counted: a wrong pass whose gradients are sums over paths all the same.

A walk that sends too early, or again, adds up products along paths as the right one does, but not
each once. The multiplicities are the solution of a few linear equations a node, where few paths
lead to it; they must be whole. Which consumer's share of a node counts more than another's says who
sent too early.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.objects.graphs import Graph
from scoreproof.public.backward.problems import Problem

__all__ = ["PathCount", "path_counts", "paths_told"]

SAME = 1e-9  # relative
SHARP = 1e-6  # how near a multiplicity is to a whole number
MOST, LARGEST = 12, 64  # paths to a node, and how often one may count
SHOWN = 3

Path = tuple[tuple[int, int], ...]  # (node, slot to it), from v_out on; the first slot is -1


@dataclass(frozen=True)
class PathCount:
    """The path counts ``times`` times in the gradient of its last node."""

    path: Path
    times: int

    @property
    def shown(self) -> str:
        return "→".join(str(v) for v, _ in self.path)


def _paths(graph: Graph, v_out: int, u: int) -> Iterator[Path]:
    """The paths from v_out back to u."""
    if u == v_out:
        yield ((v_out, -1),)
        return
    for w, slot in graph.successors[u]:
        for path in _paths(graph, v_out, w):
            yield (*path, (u, slot))


def _few(graph: Graph, v_out: int) -> dict[int, list[Path]]:
    """The paths to each node to which few lead."""
    number = [0] * graph.size
    number[v_out] = 1
    for v in reversed(graph.order):
        if v != v_out:
            number[v] = sum(number[w] for w, _ in graph.successors[v])
    return {
        v: list(_paths(graph, v_out, v))
        for v in reversed(graph.order)
        if v != v_out and 0 < number[v] <= MOST
    }


def path_counts(problem: Problem, runs: Sequence[np.ndarray]) -> list[PathCount] | None:
    """The multiplicities of the paths to all nodes where they can be told; None where the gradient
    of one of these is no whole combination of its paths. ``runs``: both answers.
    """
    found: list[PathCount] = []
    for v, paths in _few(problem.graph, problem.runs[0].v_out).items():
        columns = []
        for path in paths:
            parts = []
            for run in problem.runs:
                product = np.asarray(run.one, float)
                for _, slot in path[1:]:
                    product = product @ run.partials[slot]
                parts.append(product.ravel())
            columns.append(np.concatenate(parts))
        target = np.concatenate([g[v].ravel() for g in runs])
        if len(columns) >= target.size:
            continue
        matrix = np.stack(columns, axis=1)
        sizes = np.maximum(np.linalg.norm(matrix, axis=0), 1e-300)
        with np.errstate(all="ignore"):
            scaled, _, rank, _ = np.linalg.lstsq(matrix / sizes, target, rcond=1e-10)
        if rank < len(columns):
            continue
        times = np.round(scaled / sizes)
        left = np.abs(matrix @ times - target)
        if (
            np.any(times < 0)
            or np.any(times > LARGEST)
            or np.any(np.abs(scaled / sizes - times) > SHARP)
            or np.any(left > SAME * (np.abs(matrix) @ np.maximum(times, 1)))
        ):
            return None
        found += [PathCount(p, int(n)) for p, n in zip(paths, times, strict=True)]
    return found


def paths_told(
    problems: Sequence[Problem], measured: Sequence[np.ndarray]
) -> tuple[str, str] | None:
    """Who sent too early, or again, and which paths count for it: ``(name, words)``; None unless in
    every problem each path counts a whole number of times, and one node explains the first.
    """
    first: tuple[Problem, list[PathCount]] | None = None
    for k, problem in enumerate(problems):
        counts = path_counts(problem, measured[2 * k : 2 * k + 2])
        if counts is None:
            return None
        if first is None and any(c.times != 1 for c in counts):
            first = problem, counts
    if first is None:
        return None
    problem, counts = first
    who = _early(counts) or _again(counts)
    if who is None:
        return None
    name, why = who
    odd = [c for c in counts if c.times != 1]
    told = [f"{c.shown} {_times(c.times)}" for c in odd[:SHOWN]]
    more = f"; and {len(odd) - SHOWN} more" if len(odd) > SHOWN else ""
    graph = ", ".join(f"{u}→{v}" for u, v in problem.graph.edges)
    return name, f"on the graph {graph} the path {'; '.join(told)}{more}: {why}"


def _times(n: int) -> str:
    return {0: "is missing", 2: "counts twice"}.get(n, f"counts {n} times")


def _early(counts: Sequence[PathCount]) -> tuple[str, str] | None:
    """The first node that got each path once and passed them on unlike: it sent before one of its
    consumers had.
    """
    times = {c.path: c.times for c in counts}
    by_rest: dict[tuple[int, Path], list[tuple[int, int]]] = {}
    for c in counts:
        for i in range(1, len(c.path) - 1):
            if times.get(c.path[: i + 1], 1) == 1:
                before = c.path[i - 1][0]
                by_rest.setdefault((c.path[i][0], c.path[i + 1 :]), []).append((c.times, before))
    for (v, _), through in by_rest.items():
        (most, early), (least, late) = max(through), min(through)
        if most == least or early == late:
            continue
        name = "sent_early_and_again" if least else "sent_early"
        then = (
            ", and then passed the whole of it on again"
            if least
            else ", and what came later was not passed on"
        )
        return name, f"node {v} passed its gradient on before node {late} had sent to it{then}"
    return None


def _again(counts: Sequence[PathCount]) -> tuple[str, str] | None:
    """One node of which all that it sends counts several times."""
    for w in dict.fromkeys(v for c in counts for v, _ in c.path[:-1]):
        through = {c.times for c in counts if w in [v for v, _ in c.path[:-1]]}
        rest = {c.times for c in counts if w not in [v for v, _ in c.path[:-1]]}
        if rest <= {1} and len(through) == 1 and min(through) > 1:
            return "sends_again", f"node {w} passes its whole gradient on {_often(min(through))}"
    return None


def _often(n: int) -> str:
    return "twice" if n == 2 else f"{n} times"
