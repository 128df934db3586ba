"""``check_backward``: a hand-written backward pass, or the gradient of a PyTorch or JAX function.

Conventions
-----------
- A hand-written pass gets a multigraph with one partial per slot; ``partials[k]`` is the Jacobian (outputs × inputs) of slot
  k, gradients are rows, ``grad[w] @ partials[k]``.
- The seed is a square matrix, so that a gradient is the whole Jacobian of v_out and operand order shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scoreproof.claims.backprop.checks_float import rounding_bounds
from scoreproof.claims.backprop.faults import FAULTS, compose, version_of
from scoreproof.claims.backprop.judge_traced import judge_traced
from scoreproof.claims.backprop.statement import Loops
from scoreproof.diagnosis import diagnose
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded, as_numpy
from scoreproof.interop.frameworks import FRAMEWORKS, guarded
from scoreproof.objects.graphs import BackwardPass, Graph, power_sums, random_graph
from scoreproof.streams import stream

__all__ = ["check_backward"]


def check_backward(
    backward: Any,
    graph: Graph | Sequence[tuple[int, int]] | None = None,
    inputs: Any = None,
    *,
    gradient: Callable[..., Any] | None = None,
    framework: str | None = None,
    dimension: int = 2,
    seed: int = 0,
) -> Evidence:
    """Is a backward pass the sum over all paths of the products of the partials?

    Three uses.

    1. *A hand-written pass*: ``backward(graph, partials, v_out, one) -> gradients``. ``graph`` has ``size``, ``order`` (a linear
       topological order), ``successors[v]`` and ``predecessors[v]`` (pairs ``(node, slot)``); ``partials`` is an array ``(slots, d, d)``, ``one``
       the seed ``(d, d)``, d = ``dimension``; it returns one ``(d, d)`` gradient per node (a sequence, or a mapping in which absent
       nodes are zero). Partials are small random integers, so that the comparison with the sum over paths (Σ A^k) is exact
       as long as numbers stay below the reciprocal of the dtype's unit roundoff, and within the rounding bound γ_K otherwise. The pass runs
       twice on each problem: the second time shows gradients left over from the first. On your own ``graph`` (a ``Graph``, or its
       edges) when given; on four small ones (``u * u`` among them) otherwise. Calls: ``4 * graphs``.
    2. *A PyTorch* ``nn.Module`` *or function*, with example ``inputs`` (a tensor or a tuple): the graph is read by torch.fx.
    3. *A JAX function*, with example ``inputs``: the graph is read from its jaxpr.

    In uses 2 and 3 both loops run over that graph with the framework's real vector-Jacobian products, and three things are judged:
    every node's product against the forward-mode derivative of the node's own function (⟨g J, t⟩ = ⟨g, J t⟩ for random g, t),
    which finds and names a wrong ``autograd.Function`` or ``custom_vjp``; both loops against the sum over paths by forward
    accumulation; and the framework's gradient (or, if given, the hand-written ``gradient(*inputs)``, one array per floating input,
    for a function with one number as value) against the same sum. Evaluations happen at the inputs' own dtype, and bounds follow
    it. Where a node has no forward mode, differences with their error replace it and a note says so. The function is called twice (``gradient`` once).
    A backward that is *meant* to differ from the derivative (a straight-through estimator) is refuted: it is no derivative.

    Parameters
    ----------
    framework: ``"numpy"``, ``"torch"`` or ``"jax"``: what a hand-written pass computes with (default numpy), or what the function
        is written in (default: read off ``backward`` and ``inputs``).
    seed: names the random partials, seeds and tangents.

    Raises ``ArgumentError`` (a cycle, which it names; a function that cannot be traced; in-place operations), ``CallableError`` (it
    raised, returned another shape or nan, changed its arguments, is random) and ``MissingExtraError``.

    Source: Homework 1, problem 4 (generative models, spring 2024).

    >>> def backward(graph, partials, v_out, one):
    ...     grad = [0 * one for _ in range(graph.size)]
    ...     grad[v_out] = one
    ...     for v in reversed(graph.order):
    ...         for u, slot in graph.predecessors[v]:
    ...             grad[u] = partials[slot] @ grad[v]
    ...     return grad
    >>> evidence = check_backward(backward)
    >>> bool(evidence), evidence.diagnosis.names
    (False, ('operands_swapped + push_overwrites',))
    """
    rng = stream(seed, "backprop", "check_backward")
    if inputs is not None:
        return _traced(backward, graph, inputs, gradient, framework, rng)
    if gradient is not None:
        raise ArgumentError("inputs", "given with gradient", "nothing", "pass the point at which the gradient is taken")
    if _framework_of(backward) == "torch" and hasattr(backward, "parameters"):
        raise ArgumentError("inputs", "given with a torch module", "nothing", "pass one example input, e.g. inputs=torch.randn(2, 3)")
    if not isinstance(dimension, int) or dimension < 1:
        raise ArgumentError("dimension", "an integer >= 1", dimension, "2 shows operand order, 1 does not")
    graphs = _standard_graphs(rng) if graph is None else [_as_graph(graph)]
    return _hand_written(guarded(backward, "backward", framework or "numpy"), graphs, dimension, rng)


# -- a hand-written pass -----------------------------------------------------------------------------


def _as_graph(graph: Any) -> Graph:
    if isinstance(graph, Graph):
        found = graph
    else:
        try:
            edges = tuple((int(u), int(v)) for u, v in graph)
        except (TypeError, ValueError) as error:
            raise ArgumentError("graph", "a Graph or a list of edges (tail, head)", type(graph).__name__, "e.g. [(0, 1), (1, 2)]") from error
        found = Graph(1 + max((max(e) for e in edges), default=0), edges)
    if not found.edges:
        raise ArgumentError("graph", "a graph with edges", "none", "a graph without edges tests nothing")
    return found


def _standard_graphs(rng: np.random.Generator) -> list[Graph]:
    return [
        Graph(2, ((0, 1), (0, 1))),  # u * u
        Graph(6, ((2, 0), (2, 0), (2, 4), (0, 4), (0, 1), (4, 1), (4, 3), (1, 3), (2, 3), (3, 5))),  # several consumers, and a node after v_out
        random_graph(rng, 8, 2, None, 0.3),
        random_graph(rng, 12, 3, 6, 0.2),
    ]


def _problems(graphs: Sequence[Graph], d: int, rng: np.random.Generator) -> list[tuple[Graph, BackwardPass]]:
    """Two problems per graph: v_out the last node of the order, and an earlier one (a third back), with fresh integer partials."""
    out = []
    for graph in graphs:
        for v_out in (graph.order[-1], graph.order[-1 - graph.size // 3]):
            partials = rng.integers(1, 4, (len(graph.edges), d, d)) * rng.choice([-1.0, 1.0], (len(graph.edges), d, d))
            one = rng.integers(1, 4, (d, d)) * rng.choice([-1.0, 1.0], (d, d))
            out.append((graph, BackwardPass.of(graph, partials, [np.zeros((d, d))] * graph.size, v_out, one)))
    return out


def _hand_written(user: Guarded, graphs: Sequence[Graph], d: int, rng: np.random.Generator) -> Evidence:
    problems = _problems(graphs, d, rng)
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
    largest = max(float(a.max()) for a in absolute)
    nodes = sum(graph.size for graph, _ in problems)
    relative = _norm(errors) / _norm(truth)
    where = f"on {len(graphs)} graph{'s' if len(graphs) > 1 else ''} ({nodes} gradients, each pass run twice)"
    curves = {"relative error of each gradient": _curve(errors, truth)}
    more: dict[str, Any] = {"cost": {"calls": user.calls}, "curves": curves, "labels": ("gradient (node by node)", "relative error")}
    if largest * user.eps < 1:  # every intermediate number is an integer that the dtype holds exactly
        wrong = sum(int(np.count_nonzero(e)) for e in errors)
        first = "" if not wrong else f"; {_first(problems, errors)}"
        evidence = Evidence.exact(wrong, f"{wrong} entries differ from the sum over paths {where}, {relative:.2g} of their size{first}", **more)
    else:
        ratios = [
            (float((e / np.maximum(a, 1.0)).max(axis=(1, 2))[v]), 2 * b[v])  # the sum over paths is rounded too
            for e, a, b in zip(errors, absolute, gamma, strict=True)
            for v in range(len(b))
        ]
        value, bound = max(ratios, key=lambda pair: pair[0] / max(pair[1], 1e-300))
        evidence = Evidence.measured(value, bound, f"error relative to the sum over paths of absolute values {where}", **more)
    if evidence.verdict != "refuted":
        return evidence
    return evidence.with_diagnosis(_diagnosis(problems, measured, truth))


def _gradients(user: Guarded, graph: Graph, run: BackwardPass, d: int) -> np.ndarray:
    """Call the pass once and return its gradients as ``(size, d, d)``."""
    result = user.raw(graph, run.partials, run.v_out, run.one)
    if isinstance(result, Mapping):
        unknown = [k for k in result if k not in range(graph.size)]
        if unknown:
            raise CallableError("backward", "return gradients by node", f"it returned the key {unknown[0]!r}", f"keys are 0 … {graph.size - 1}")
        result = [result.get(v, run.zeros[v]) for v in range(graph.size)]
    if isinstance(result, list | tuple):
        if len(result) != graph.size:
            raise CallableError("backward", f"return {graph.size} gradients", f"it returned {len(result)}", "return one gradient per node, in node order")
        parts = [user.accept(g, (d, d), f"the gradient of node {v}") for v, g in enumerate(result)]
        return np.stack(parts)
    array = as_numpy(result)
    if array.shape != (graph.size, d, d):
        raise CallableError(
            "backward", f"return gradients of shape {(graph.size, d, d)}", f"it returned shape {array.shape}", "return one gradient per node, in node order"
        )
    return user.accept(array, (graph.size, d, d), "gradients")


def _norm(arrays: Sequence[np.ndarray]) -> float:
    return float(np.sqrt(sum(float(np.sum(np.square(a))) for a in arrays)))


def _curve(errors: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> tuple[list[float], list[float]]:
    sizes = [float(np.abs(e).max() / max(np.abs(t).max(), 1e-300)) for es, ts in zip(errors, truth, strict=True) for e, t in zip(es, ts, strict=True)]
    return [float(i) for i in range(len(sizes))], sizes


def _first(problems: Sequence[tuple[Graph, BackwardPass]], errors: Sequence[np.ndarray]) -> str:
    """The simplest place where it shows."""
    index = next(i for i, e in enumerate(errors) if np.any(e))
    graph, run = problems[index // 2]
    node = int(np.flatnonzero(errors[index].any(axis=(1, 2)))[0])
    again = " in the second of two runs" if index % 2 else ""
    shown = ", ".join(f"{u}→{v}" for u, v in graph.edges) if len(graph.edges) <= 12 else f"{graph.size} nodes and {len(graph.edges)} slots"
    return f"first at node {node} of the graph {shown} with v_out = {run.v_out}{again}"


def predicted(subject: Loops, name: str, problems: Sequence[tuple[Graph, BackwardPass]]) -> np.ndarray:
    """What a pass with this fault returns in both runs of every problem, in one vector."""
    version = subject.push if version_of(name) == "push" else subject.pull
    out = []
    for _, run in problems:
        state = version(run, subject.prepare(run, list(run.zeros)))
        out.append(np.stack(state).ravel())
        out.append(np.stack(version(run, subject.prepare(run, list(state)))).ravel())
    return np.concatenate(out)


def _diagnosis(problems: Any, measured: Sequence[np.ndarray], truth: Sequence[np.ndarray]) -> Any:
    got, right = np.concatenate([m.ravel() for m in measured]), np.concatenate([t.ravel() for t in truth])
    candidates = {f.name: predicted(f.subject, f.name, problems) for f in FAULTS}
    found = diagnose(got, right, candidates)
    if found.names and found.misfit < 1e-6:
        return found
    names = [f.name for f in FAULTS]
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            pair = compose((a, b))
            if pair is not None:
                candidates[f"{a} + {b}"] = predicted(pair, f"{a} + {b}", problems)
    return diagnose(got, right, candidates)


# -- a function of PyTorch or JAX -----------------------------------------------------------------------


def _framework_of(*things: Any) -> str | None:
    for thing in things:
        inside = list(thing.values()) if isinstance(thing, Mapping) else thing if isinstance(thing, list | tuple) else ()
        found = _framework_of(*inside)
        if found is not None:
            return found
        for kind in type(thing).__mro__:
            package = (kind.__module__ or "").split(".")[0]
            if package in ("torch", "jax", "jaxlib"):
                return "torch" if package == "torch" else "jax"
    return None


def _traced(function: Any, graph: Any, inputs: Any, gradient: Any, framework: str | None, rng: np.random.Generator) -> Evidence:
    if graph is not None:
        raise ArgumentError("graph", "omitted when inputs are given", type(graph).__name__, "the graph is read from the function")
    if not callable(function):
        raise ArgumentError("backward", "callable", type(function).__name__, "pass a module or a function")
    given = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
    framework = framework or _framework_of(function, *given)
    if framework not in ("torch", "jax"):
        asked = "nothing" if framework is None else repr(framework)
        raise ArgumentError("framework", f"{' or '.join(FRAMEWORKS[1:])} when inputs are given", asked, 'e.g. framework="torch"')
    if framework == "torch":
        from scoreproof.interop.torch_graph import trace
    else:
        from scoreproof.interop.jax_graph import trace
    traced = trace(function, given)
    return judge_traced(traced, framework, gradient, given, rng)


