"""Passes that keep something from one call to the next: answers, gradients, visited nodes.

Conventions: as in `engines`; ``everything`` is what the pass was asked, in order, and the answers
are those to ``problems``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scoreproof.objects.graphs import BackwardPass
from scoreproof.public.backward.engine import Engine, walked
from scoreproof.public.backward.problems import Problem
from scoreproof.public.backward.walks import RIGHT

__all__ = ["cached", "kept", "visited_kept"]


def cached(problems: Sequence[Problem], everything: Sequence[Problem]) -> list[np.ndarray]:
    """What is known of a graph and v_out is returned again."""
    known: dict[Any, np.ndarray] = {}
    wanted, out = {id(p) for p in problems}, []
    for problem in everything:
        for run in problem.runs:
            key = problem.graph, run.v_out
            if key not in known:
                known[key] = np.stack(walked(Engine(), run, list(run.zeros)))
            if id(problem) in wanted:
                out.append(known[key])
    return out


def kept(
    problems: Sequence[Problem], everything: Sequence[Problem], *, added: bool
) -> list[np.ndarray]:
    """Nodes known by their numbers keep their gradients over all calls; the seed is set, or
    ``added``.
    """
    state: dict[int, Any] = {}
    wanted, out = {id(p) for p in problems}, []
    for problem in everything:
        for run in problem.runs:
            grad = [state.get(v, run.zeros[v]) for v in range(len(run.order))]
            grad[run.v_out] = run.one + (grad[run.v_out] if added else 0.0)
            with np.errstate(all="ignore"):
                for v, u, slot in RIGHT(run):
                    grad[u] = grad[u] + grad[v] @ run.partials[slot]
            state |= dict(enumerate(grad))
            if id(problem) in wanted:
                out.append(np.stack(grad))
    return out


def visited_kept(
    problems: Sequence[Problem], everything: Sequence[Problem]
) -> list[np.ndarray] | None:
    """The order is built by depth, with a visited set that lives on."""
    seen: set[int] = set()
    wanted, out = {id(p) for p in problems}, []

    def build(run: BackwardPass, v: int, topo: list[int]) -> None:
        if v not in seen:
            seen.add(v)
            for u, _ in run.predecessors[v]:
                build(run, u, topo)
            topo.append(v)

    for problem in everything:
        for run in problem.runs:
            topo: list[int] = []
            try:
                build(run, run.v_out, topo)
            except RecursionError:
                return None
            if id(problem) in wanted:
                grad = run.seeded()
                for v in reversed(topo):
                    for u, slot in run.predecessors[v]:
                        grad[u] = grad[u] + grad[v] @ run.partials[slot]
                out.append(np.stack(grad))
    return out
