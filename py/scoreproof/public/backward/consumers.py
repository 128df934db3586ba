"""How often each contribution was counted: a wrong pass over a graph, node by node.

The gradient of a node is due to be the sum of what its consumers send, and the consumers' gradients
are known as the pass returned them. So the factor with which each contribution entered is the
solution of a few linear equations a node, whatever went wrong elsewhere; which rule the factors
follow says what the mistake is, and where they follow none it says the place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.objects.graphs import Graph
from scoreproof.public.backward.problems import Problem
from scoreproof.words import enumerated

__all__ = ["Counted", "counted", "counting"]

SAME = 1e-9  # relative; sums are exact or rounded by float64
ROUNDING, CLOSE = 1e-15, 1e-8  # a factor that rounding moves by more than this is not told
SHOWN = 4


@dataclass(frozen=True)
class Counted:
    """The contribution of ``consumer`` through ``slot`` entered the gradient of ``node`` by
    ``factor``.
    """

    problem: int
    node: int
    consumer: int
    slot: int
    factor: float


def counted(
    problems: Sequence[Problem], measured: Sequence[np.ndarray]
) -> tuple[list[Counted], list[tuple[int, int]]]:
    """The factors that could be told, and the ``(problem, node)`` whose gradient is no combination
    of what its consumers send. ``measured``: two runs a problem.
    """
    found: list[Counted] = []
    strange: list[tuple[int, int]] = []
    for k, problem in enumerate(problems):
        pairs = list(zip(problem.runs, measured[2 * k : 2 * k + 2], strict=True))
        for v, out in enumerate(problem.graph.successors):
            if v == problem.runs[0].v_out:
                continue
            live = [(w, s) for w, s in out if any(np.any(g[w]) for _, g in pairs)]
            # one factor a slot for both runs
            columns = [
                np.concatenate([(g[w] @ run.partials[s]).ravel() for run, g in pairs])
                for w, s in live
            ]
            target = np.concatenate([g[v].ravel() for _, g in pairs])
            factors = _solved(columns, target)
            if factors is None:
                strange.append((k, v))
            elif len(factors):
                found += [
                    Counted(k, v, w, s, c)
                    for (w, s), c in zip(live, factors, strict=True)
                    if c is not None
                ]
    return found, strange


def _solved(columns: Sequence[np.ndarray], target: np.ndarray) -> list[float | None] | None:
    """Factors, [] or None where they cannot be told; None for all where there are none."""
    size = float(np.abs(target).max(initial=0.0))
    if not columns:
        return [] if size == 0 else None
    norms = np.array([max(float(np.linalg.norm(c)), 1e-300) for c in columns])
    matrix = np.stack(columns, axis=1) / norms
    with np.errstate(all="ignore"):
        solution, _, rank, singular = np.linalg.lstsq(matrix, target, rcond=1e-12)
        left = float(np.linalg.norm(matrix @ solution - target))
    if not left <= SAME * max(size, float(np.abs(solution).max())):
        return None
    if rank < len(columns) or len(columns) >= target.size:
        return []
    blur = ROUNDING * size / float(singular[-1])
    return [
        _simple(float(c / n)) if blur <= CLOSE * n else None
        for c, n in zip(solution, norms, strict=True)
    ]


def _simple(c: float) -> float:
    """The fraction with a small denominator that it is up to rounding."""
    for denominator in range(1, 25):
        nearest = round(c * denominator) / denominator
        if abs(c - nearest) <= 10 * CLOSE:
            return nearest
    return c


def counting(problems: Sequence[Problem], measured: Sequence[np.ndarray]) -> Diagnosis | None:
    """The mistake, if the factors follow a rule; or where they are wrong; None where they say
    nothing.
    """
    seeds = _seed(problems, measured)
    found, strange = counted(problems, measured)
    wrong = [c for c in found if c.factor != 1]
    if seeds is not None and not wrong and not strange:
        return Diagnosis.cause("seed", f"Cause: {seeds}.")
    if not wrong or strange:
        return _place(wrong, strange)
    for name, feature, words in _RULES:
        groups: dict[Any, set[float]] = {}
        for c in found:
            groups.setdefault(feature(problems[c.problem].graph, c), set()).add(c.factor)
        if all(len(g) == 1 for g in groups.values()):
            odd = {key: next(iter(g)) for key, g in groups.items() if g != {1.0}}
            rest = "everything else is right" if seeds is None else seeds
            return Diagnosis.cause(name, f"Cause: {words(odd)}; {rest}.")
    return _place(wrong, strange)


def _seed(problems: Sequence[Problem], measured: Sequence[np.ndarray]) -> str | None:
    """What is wrong with the gradient of v_out itself, of which nothing else is known."""
    got, due = [], []
    for k, problem in enumerate(problems):
        for run, g in zip(problem.runs, measured[2 * k : 2 * k + 2], strict=True):
            got.append(g[run.v_out].ravel())
            due.append(np.asarray(run.one, float).ravel())
    x, y = np.concatenate(got), np.concatenate(due)
    if np.array_equal(x, y):
        return None
    c = float(x @ y / (y @ y))
    if np.allclose(x, c * y, rtol=SAME, atol=0):
        return (
            f"the seed is multiplied by {_simple(c):.6g}: the gradient of v_out is this multiple of"
            " the given seed, and all others follow from it rightly"
        )
    return (
        "the gradient of v_out is not the given seed, and all others follow from it rightly: start"
        " from grad[v_out] = one"
    )


def _place(wrong: Sequence[Counted], strange: Sequence[tuple[int, int]]) -> Diagnosis | None:
    """Where it is wrong: no cause is claimed."""
    problem = min([c.problem for c in wrong] + [k for k, _ in strange], default=None)
    if problem is None:
        return None
    parts = [
        f"at node {c.node} the contribution of node {c.consumer} through slot {c.slot} is"
        f" {_times(c.factor)}"
        for c in wrong
        if c.problem == problem
    ]
    odd = [v for k, v in strange if k == problem]
    if odd:
        parts.append(
            f"the gradient of node {enumerated(odd[:SHOWN])} is no sum of what its consumers send"
        )
    shown = "; ".join(parts[:SHOWN]) + ("; …" if len(parts) > SHOWN else "")
    text = f"Given the gradients that it returned for the consumers, {shown}."
    return Diagnosis((), float("nan"), None, text)


def _times(factor: float) -> str:
    if factor == 0:
        return "missing"
    if factor == -1:
        return "counted with the wrong sign"
    return f"counted {factor:.6g} times"


# -- what the factors may follow: features of a slot, and what they mean ---------------------------


def _position(graph: Graph, c: Counted) -> int:
    return [s for _, s in graph.predecessors[c.consumer]].index(c.slot) + 1


def _beside(graph: Graph, c: Counted) -> list[int]:
    return [s for w, s in graph.successors[c.node] if w == c.consumer]


def _repeat(graph: Graph, c: Counted) -> tuple[str, ...]:
    beside = _beside(graph, c)
    if len(beside) == 1:
        return ("single",)
    return ("last",) if c.slot == beside[-1] else ("earlier",)


def _many(odd: dict[Any, float], what: Callable[[Any], str]) -> str:
    return "; ".join(f"{what(key)} is {_times(factor)}" for key, factor in sorted(odd.items()))


def _constant(odd: dict[Any, float]) -> str:
    return f"every contribution of a node to its argument is {_times(next(iter(odd.values())))}"


def _by_position(odd: dict[Any, float]) -> str:
    return (
        f"what a node sends to {_many(odd, lambda k: f'argument {k}')} (as where the rule of a"
        " subtraction or a division misses its second slot)"
    )


def _by_repeat(odd: dict[Any, float]) -> str:
    names = {
        ("single",): "a slot that is alone between two nodes",
        ("last",): "the last of several slots",
        ("earlier",): "each but the last of several slots",
    }
    text = _many(odd, lambda k: names[k])
    return f"between the same two nodes (u * u), {text}: each slot has a partial of its own"


def _by_number(what: str) -> Callable[[dict[Any, float]], str]:
    def words(odd: dict[Any, float]) -> str:
        if all(abs(f * n - 1) < SAME for n, f in odd.items()):
            return (
                f"each contribution is divided by the number of {what}: contributions add up, they"
                " are not averaged"
            )
        return f"with {_many(odd, lambda n: f'{n} {what}, a contribution')}"

    return words


_RULES: tuple[tuple[str, Callable[[Graph, Counted], Any], Callable[..., str]], ...] = (
    ("every_contribution", lambda graph, c: 0, _constant),
    ("argument_position", _position, _by_position),
    ("repeated_slots", _repeat, _by_repeat),
    (
        "consumers_of_node",
        lambda graph, c: len(graph.successors[c.node]),
        _by_number("consumers of a node"),
    ),
    (
        "arguments_of_consumer",
        lambda graph, c: len(graph.predecessors[c.consumer]),
        _by_number("arguments of the consumer"),
    ),
)
