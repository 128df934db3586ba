"""What wrong engines return: other walks over the graph, other starts, other sums and products.

Conventions
-----------
- A candidate is a list of answers, one array ``(size, d, d)`` for each run of each problem, in the
  order in which the pass was asked.
- An engine keeps its gradients from one run of a problem to the next, as objects with a ``.grad``
  do; a right one clears them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from scoreproof.objects.graphs import BackwardPass
from scoreproof.public.backward.engine import Engine, walked
from scoreproof.public.backward.kept import cached, kept, visited_kept
from scoreproof.public.backward.problems import Problem
from scoreproof.public.backward.walks import OTHERS, RIGHT, WALKS
from scoreproof.public.backward.work_lists import TooLongError

__all__ = ["engine_pairs", "engines", "walked_over"]

Candidates = dict[str, list[np.ndarray]]


def walked_over(run: BackwardPass) -> dict[str, Callable[[], list[Any]]]:
    """The engines with other walks, on one run over any maps; each raises where it does not fit."""
    return {
        name: partial(walked, engine, run, list(run.zeros))
        for name, engine in _SINGLE.items()
        if engine.product == "right" and engine.zeroed == "all" and engine.seed == "v_out"
    }


def _answers(engine: Engine, problems: Sequence[Problem]) -> list[np.ndarray] | None:
    out = []
    with np.errstate(all="ignore"):
        for problem in problems:
            state = list(problem.runs[0].zeros)
            for run in problem.runs:
                try:
                    state = walked(engine, run, state)
                except (TooLongError, RecursionError):
                    return None
                out.append(np.stack(state))
    return out


_SINGLE = {name: Engine(walk) for name, (walk, _) in WALKS.items()} | {
    "partials_transposed": Engine(product="transposed"),
    "partials_transposed_and_swapped": Engine(product="transposed_and_swapped"),
    "zeroed_leaves_only": Engine(zeroed="leaves"),
    "seed_at_end_of_order": Engine(seed="last"),
    "seed_everywhere": Engine(seed="everywhere"),
    "seed_at_all_sinks": Engine(seed="sinks"),
    "seed_of_ones": Engine(seed="ones"),
    "seed_identity": Engine(seed="identity"),
}
_SINGLE["recursion_overwrites"] = Engine(WALKS["recursion_slot_by_slot"][0], assigns=True)
_SINGLE |= {f"assigns{name}": Engine(walk, assigns=True) for name, walk in OTHERS.items()}
_SECOND: dict[str, dict[str, Any]] = {
    "assigns": {"assigns": True},
    "no_zero_grad": {"zeroed": "none"},
    "zeroed_leaves_only": {"zeroed": "leaves"},
    "operands_swapped": {"product": "swapped"},
    "partials_transposed": {"product": "transposed"},
}


def engines(problems: Sequence[Problem], everything: Sequence[Problem]) -> Candidates:
    """One departure each; ``everything`` that the pass was asked, in order, up to ``problems``."""
    found = {name: _answers(engine, problems) for name, engine in _SINGLE.items()}
    found["first_call_again"] = cached(problems, everything)
    found["visited_kept"] = visited_kept(problems, everything)
    found["kept_over_calls"] = kept(problems, everything, added=False)
    found["kept_over_calls_with_seed_added"] = kept(problems, everything, added=True)
    found["shared_zeros"] = _each(problems, _shared)
    for name, place in (("last_partial_for_all", -1), ("first_partial_for_all", 0)):
        found[name] = _each(problems, partial(_one_partial, place))
    for name, power in (("averaged_over_consumers", 1.0), ("divided_by_root_of_consumers", 0.5)):
        found[name] = _each(problems, partial(_averaged, power))
    return {name: answers for name, answers in found.items() if answers is not None}


def engine_pairs(problems: Sequence[Problem]) -> Candidates:
    """Two departures."""
    found = {}
    for name, engine in _SINGLE.items():
        for other, change in _SECOND.items():
            if any(getattr(engine, k) != getattr(Engine(), k) for k in change):
                continue
            answers = _answers(replace(engine, **change), problems)
            if answers is not None:
                found[f"{name} + {other}"] = answers
    return found


def _each(
    problems: Sequence[Problem], answer: Callable[[BackwardPass], list[Any]]
) -> list[np.ndarray]:
    with np.errstate(all="ignore"):
        return [np.stack(answer(run)) for p in problems for run in p.runs]


def _one_partial(place: int, run: BackwardPass) -> list[Any]:
    """All arguments of a node get the partial of one of them."""
    grad = run.seeded()
    for v, u, _ in RIGHT(run):
        grad[u] = grad[u] + grad[v] @ run.partials[run.predecessors[v][place][1]]
    return grad


def _shared(run: BackwardPass) -> list[Any]:
    shared = np.zeros_like(run.one)
    grad = [shared] * len(run.order)
    grad[run.v_out] = np.array(run.one)
    for v, u, slot in RIGHT(run):
        grad[u] += grad[v] @ run.partials[slot]
    return grad


def _averaged(power: float, run: BackwardPass) -> list[Any]:
    grad, count = run.seeded(), np.zeros(len(run.order))
    reached = {run.v_out}
    count[run.v_out] = 1
    for v in reversed(run.order):
        if v not in reached:
            continue
        grad[v] = grad[v] / count[v] ** power
        for u, slot in run.predecessors[v]:
            grad[u] = grad[u] + grad[v] @ run.partials[slot]
            count[u] += 1
            reached.add(u)
    return list(grad)
