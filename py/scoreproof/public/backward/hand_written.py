"""The verdict on a hand-written pass, asked on the problems, against the sum over paths."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scoreproof.claims.backprop.checks_float import rounding_bounds
from scoreproof.coverage import Coverage
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded, as_numpy
from scoreproof.objects.graphs import BackwardPass, Graph, power_sums
from scoreproof.public.backward.pass_words import Answer, pass_diagnosis
from scoreproof.public.backward.problems import Problem, problems_on
from scoreproof.public.rule import compared, settled

__all__ = ["judge_hand_written"]

NOTHING_DUE = 1e300  # the gain where the sum over paths is empty: any deviation there is refuted


def judge_hand_written(
    user: Guarded,
    graphs: Sequence[Graph],
    d: int,
    rng: np.random.Generator,
    tolerance: float | None = None,
) -> Evidence:
    """The evidence of ``check_backward`` on a pass over graphs (see there)."""
    problems: list[Problem] = []
    answers: list[Answer] = []
    for problem in problems_on(graphs, d, rng, lambda: user.eps):
        problems.append(problem)
        for k, run in enumerate(problem.runs):
            try:
                measured = _gradients(user, problem.graph, run, d)
            except CallableError:
                if not any(a.wrong for a in answers):
                    raise
                # it has overflowed, say, on its mistake
                return _named(_verdict(user, problems, answers, tolerance), problems, answers)
            due = np.stack(power_sums(run, run.seeded()))
            gamma, absolute = rounding_bounds(run, user.eps / 2)
            answers.append(
                Answer(
                    len(problems) - 1,
                    k == 1,
                    measured,
                    due,
                    np.stack(absolute),
                    2 * np.array(gamma)[:, None, None] * np.ones((d, d)),
                    problem.integers[k] * user.eps < 1,
                )
            )
    evidence = _verdict(user, problems, answers, tolerance)
    return evidence if evidence.verdict != "refuted" else _named(evidence, problems, answers)


def _named(evidence: Evidence, problems: Sequence[Problem], answers: Sequence[Answer]) -> Evidence:
    """With the known mistake that it looks like, on the problems that were answered."""
    whole = len(answers) // 2
    if not any(a.wrong for a in answers[: 2 * whole]):
        return evidence
    return evidence.with_diagnosis(pass_diagnosis(problems[:whole], answers[: 2 * whole]))


def _verdict(
    user: Guarded,
    problems: Sequence[Problem],
    answers: Sequence[Answer],
    tolerance: float | None,
) -> Evidence:
    graphs = list(dict.fromkeys(p.graph for p in problems))
    count = sum(a.measured.shape[0] for a in answers)
    coverage = Coverage({"graphs": len(graphs), "gradients": count}, (), _span(graphs))
    where = f"on {len(graphs)} graph{'s' if len(graphs) > 1 else ''} ({count} gradients)"
    more: dict[str, Any] = {
        "cost": {"calls": user.calls},
        "curves": {"relative error of each gradient": _curve(answers)},
        "labels": ("gradient (node by node)", "relative error"),
    }
    wrong = sum(int(np.count_nonzero(a.error)) for a in answers if a.exact)
    if not tolerance and (wrong or all(a.exact for a in answers)):
        first = "" if not wrong else f"; {_first(problems, [a for a in answers if a.exact])}"
        sentence = f"{wrong} entries differ from the sum over paths {where}{first}"
        return settled(Evidence.exact(wrong, sentence, **more), resolution=0.0, coverage=coverage)
    judged = [a for a in answers if tolerance or not a.exact]
    size = [np.where(a.absolute > 0, a.absolute, 1.0) for a in judged]
    empty = [a.absolute == 0 for a in judged]
    error = [a.error / s for a, s in zip(judged, size, strict=True)]
    bound = [np.where(e, 0.0, a.bound) for a, e in zip(judged, empty, strict=True)]
    gain = [
        np.where(e, NOTHING_DUE, np.abs(a.due) / s)
        for a, s, e in zip(judged, size, empty, strict=True)
    ]
    if tolerance:  # the size of what adds up; at an empty sum nothing is accepted
        gain = [np.where(e, 0.0, 1.0) for e in empty]
    flat = [np.concatenate([x.ravel() for x in side]) for side in (error, bound, gain)]
    if tolerance:
        due = flat[2] > 0
        stray = np.any(flat[0][~due] > 0)
        if not stray:
            flat = [side[due] for side in flat]
    off = [a for a in judged if np.any(a.error > (2 * a.bound + (tolerance or 0)) * a.absolute)]
    first = f"; {_first(problems, off)}" if off else ""
    return compared(
        flat[0],
        flat[1],
        f"error relative to the sum over paths of absolute values {where}{first}",
        gain=flat[2],
        coverage=coverage,
        tolerance=tolerance,
        remedy="return float64, or pass a tolerance",
        **more,
    )


def _span(graphs: Sequence[Graph]) -> str:
    arguments = max(len(p) for g in graphs for p in g.predecessors)
    consumers = max(len(s) for g in graphs for s in g.successors)
    longest = max(g.longest_path() for g in graphs)
    return (
        f"up to {arguments} arguments and {consumers} consumers of a node, paths of up to {longest}"
        " edges; each pass run twice, with other partials"
    )


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
    return user.accept(result, (graph.size, d, d), "gradients")


def _curve(answers: Sequence[Answer]) -> tuple[list[float], list[float]]:
    with np.errstate(over="ignore"):
        sizes = [
            float(np.abs(e).max() / max(np.abs(t).max(), 1e-300))
            for a in answers
            for e, t in zip(a.error, a.due, strict=True)
        ]
    return [float(i) for i in range(len(sizes))], sizes


def _first(problems: Sequence[Problem], answers: Sequence[Answer]) -> str:
    """The first place, on the way back, where it shows, and what is due there."""
    answer = next(a for a in answers if np.any(a.error > a.bound * a.absolute * (not a.exact)))
    problem = problems[answer.problem]
    graph, run = problem.graph, problem.runs[answer.second]
    ratio = answer.error - answer.bound * answer.absolute * (not answer.exact)
    off = (ratio > 0).any(axis=(1, 2))
    node = next(v for v in reversed(graph.order) if off[v])
    i, j = (int(k) for k in np.unravel_index(int(np.argmax(ratio[node])), ratio[node].shape))
    again = " in the second of two runs" if answer.second else ""
    shown = (
        ", ".join(f"{u}→{v}" for u, v in graph.edges)
        if len(graph.edges) <= 12
        else f"{graph.size} nodes and {len(graph.edges)} slots"
    )
    return (
        f"first at node {node} on the way back from v_out = {run.v_out} of the graph {shown}{again}"
        f" ({np.count_nonzero(off)} of its {graph.size} nodes are wrong): entry [{i}, {j}] is"
        f" {answer.measured[node, i, j]:.10g} where {answer.due[node, i, j]:.10g} is due"
        f" ({len(graph.predecessors[node])} arguments, {len(graph.successors[node])} consumers)"
    )
