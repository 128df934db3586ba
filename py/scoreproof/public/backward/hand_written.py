"""Judging a hand-written backward pass: integer partials on a few graphs, so that the comparison
with the sum over paths is exact.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.claims.backprop.checks_float import rounding_bounds
from scoreproof.claims.backprop.faults import FAULTS, REASONS, compose, version_of
from scoreproof.claims.backprop.statement import Loops
from scoreproof.diagnosis import diagnose
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded, as_numpy
from scoreproof.objects.graphs import BackwardPass, Graph, power_sums, random_graph

__all__ = ["judge_hand_written", "predicted", "problems_on", "standard_graphs"]

INTEGERS = 2.0**50  # sums of integers below this are exact in float64


def standard_graphs(rng: np.random.Generator) -> list[Graph]:
    return [
        Graph(2, ((0, 1), (0, 1))),  # u * u
        Graph(
            6, ((2, 0), (2, 0), (2, 4), (0, 4), (0, 1), (4, 1), (4, 3), (1, 3), (2, 3), (3, 5))
        ),  # several consumers, and a node after v_out
        random_graph(rng, 8, 2, None, 0.3),
        random_graph(rng, 12, 3, 6, 0.2),
    ]


def problems_on(
    graphs: Sequence[Graph], d: int, rng: np.random.Generator
) -> list[tuple[Graph, BackwardPass]]:
    """Two problems per graph: v_out the last node of the order, and an earlier one (a third back),
    with fresh integer partials.
    """
    out = []
    for graph in graphs:
        for v_out in (graph.order[-1], graph.order[-1 - graph.size // 3]):
            partials = rng.integers(1, 4, (len(graph.edges), d, d)) * rng.choice(
                [-1.0, 1.0], (len(graph.edges), d, d)
            )
            one = rng.integers(1, 4, (d, d)) * rng.choice([-1.0, 1.0], (d, d))
            run = BackwardPass.of(graph, partials, [np.zeros((d, d))] * graph.size, v_out, one)
            out.append((graph, run if _largest(run) < INTEGERS else _levelled(run)))
    return out


def _largest(run: BackwardPass) -> float:
    """The largest entry of the sums over paths of absolute values."""
    with np.errstate(over="ignore", invalid="ignore"):
        largest = max(float(a.max()) for a in rounding_bounds(run)[1])
    return largest if np.isfinite(largest) else np.inf


def _array(partials: Sequence[Any]) -> Any:
    return np.stack(partials)


def _levelled(run: BackwardPass) -> BackwardPass:
    """The pass with each node's partials scaled by a power of two, so that sums of absolute values
    stay near 1 on a graph of any depth.
    """
    partials = list(run.partials)
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


def judge_hand_written(
    user: Guarded, graphs: Sequence[Graph], d: int, rng: np.random.Generator
) -> Evidence:
    problems = problems_on(graphs, d, rng)
    measured, truth, absolute, gamma = [], [], [], []
    for graph, run in problems:
        exact = np.stack(power_sums(run, run.seeded()))
        for _ in range(2):
            measured.append(_gradients(user, graph, run, d))
            truth.append(exact)
        bounds, sizes = rounding_bounds(run, user.eps / 2)
        gamma += [bounds, bounds]
        absolute += [np.stack(sizes)] * 2
    errors = [np.abs(m - t) for m, t in zip(measured, truth, strict=True)]
    whole = all(np.array_equal(run.partials, np.round(run.partials)) for _, run in problems)
    largest = max(float(a.max()) for a in absolute)
    nodes = sum(graph.size for graph, _ in problems)
    relative = _norm(errors) / _norm(truth)
    where = (
        f"on {len(graphs)} graph{'s' if len(graphs) > 1 else ''} ({nodes} gradients, each pass run"
        " twice)"
    )
    curves = {"relative error of each gradient": _curve(errors, truth)}
    more: dict[str, Any] = {
        "cost": {"calls": user.calls},
        "curves": curves,
        "labels": ("gradient (node by node)", "relative error"),
    }
    if (
        whole and largest * user.eps < 1
    ):  # every intermediate number is an integer that the dtype holds exactly
        wrong = sum(int(np.count_nonzero(e)) for e in errors)
        first = "" if not wrong else f"; {_first(problems, errors)}"
        evidence = Evidence.exact(
            wrong,
            f"{wrong} entries differ from the sum over paths {where}, {relative:.2g} of their"
            f" size{first}",
            **more,
        )
    else:
        ratios = [
            (
                float((e / np.maximum(a, np.finfo(float).tiny)).max(axis=(1, 2))[v]),
                2 * b[v],
            )  # the sum over paths is rounded too
            for e, a, b in zip(errors, absolute, gamma, strict=True)
            for v in range(len(b))
        ]
        value, bound = max(ratios, key=lambda pair: pair[0] / max(pair[1], 1e-300))
        evidence = Evidence.measured(
            value, bound, f"error relative to the sum over paths of absolute values {where}", **more
        )
    if evidence.verdict != "refuted":
        return evidence
    return evidence.with_diagnosis(_diagnosis(problems, measured, truth))


def _gradients(user: Guarded, graph: Graph, run: BackwardPass, d: int) -> np.ndarray:
    """Call the pass once and return its gradients as ``(size, d, d)``."""
    result = user.raw(graph, run.partials, run.v_out, run.one)
    if isinstance(result, Mapping):
        unknown = [k for k in result if k not in range(graph.size)]
        if unknown:
            raise CallableError(
                "backward",
                "return gradients by node",
                f"it returned the key {unknown[0]!r}",
                f"keys are 0 … {graph.size - 1}",
            )
        result = [result.get(v, run.zeros[v]) for v in range(graph.size)]
    if isinstance(result, list | tuple):
        if len(result) != graph.size:
            raise CallableError(
                "backward",
                f"return {graph.size} gradients",
                f"it returned {len(result)}",
                "return one gradient per node, in node order",
            )
        parts = [user.accept(g, (d, d), f"the gradient of node {v}") for v, g in enumerate(result)]
        return np.stack(parts)
    array = as_numpy(result)
    if array.shape != (graph.size, d, d):
        raise CallableError(
            "backward",
            f"return gradients of shape {(graph.size, d, d)}",
            f"it returned shape {array.shape}",
            "return one gradient per node, in node order",
        )
    return user.accept(array, (graph.size, d, d), "gradients")


def _norm(arrays: Sequence[np.ndarray]) -> float:
    return float(np.sqrt(sum(float(np.sum(np.square(a))) for a in arrays)))


def _curve(
    errors: Sequence[np.ndarray], truth: Sequence[np.ndarray]
) -> tuple[list[float], list[float]]:
    sizes = [
        float(np.abs(e).max() / max(np.abs(t).max(), 1e-300))
        for es, ts in zip(errors, truth, strict=True)
        for e, t in zip(es, ts, strict=True)
    ]
    return [float(i) for i in range(len(sizes))], sizes


def _first(problems: Sequence[tuple[Graph, BackwardPass]], errors: Sequence[np.ndarray]) -> str:
    """The simplest place where it shows."""
    index = next(i for i, e in enumerate(errors) if np.any(e))
    graph, run = problems[index // 2]
    node = int(np.flatnonzero(errors[index].any(axis=(1, 2)))[0])
    again = " in the second of two runs" if index % 2 else ""
    shown = (
        ", ".join(f"{u}→{v}" for u, v in graph.edges)
        if len(graph.edges) <= 12
        else f"{graph.size} nodes and {len(graph.edges)} slots"
    )
    return f"first at node {node} of the graph {shown} with v_out = {run.v_out}{again}"


def predicted(
    subject: Loops, name: str, problems: Sequence[tuple[Graph, BackwardPass]]
) -> np.ndarray:
    """What a pass with this fault returns in both runs of every problem, in one vector."""
    version = subject.push if version_of(name) == "push" else subject.pull
    out = []
    for _, run in problems:
        state = version(run, subject.prepare(run, list(run.zeros)))
        out.append(np.stack(state).ravel())
        out.append(np.stack(version(run, subject.prepare(run, list(state)))).ravel())
    return np.concatenate(out)


def _diagnosis(problems: Any, measured: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> Any:
    got, right = (
        np.concatenate([m.ravel() for m in measured]),
        np.concatenate([t.ravel() for t in truth]),
    )
    candidates = {f.name: predicted(f.subject, f.name, problems) for f in FAULTS}
    found = diagnose(got, right, candidates, reasons=REASONS)
    if found.names and found.misfit < 1e-6:
        return found
    names = [f.name for f in FAULTS]
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            pair = compose((a, b))
            if pair is not None:
                candidates[f"{a} + {b}"] = predicted(pair, f"{a} + {b}", problems)
    return diagnose(got, right, candidates, reasons=REASONS)
