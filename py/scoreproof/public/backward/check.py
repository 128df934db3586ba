"""``check_backward``: a hand-written backward pass, or the gradient of a PyTorch or JAX function.

Conventions
-----------
- A hand-written pass gets a multigraph with one partial per slot; ``partials[k]`` is the Jacobian
  (outputs × inputs) of slot k, gradients are rows, ``grad[w] @ partials[k]``.
- The seed is a square matrix, so that a gradient is the whole Jacobian of v_out and operand order
  shows.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.interop.frameworks import FRAMEWORKS, guarded
from scoreproof.objects.graphs import Graph
from scoreproof.public.backward.hand_written import judge_hand_written, standard_graphs
from scoreproof.public.backward.traced import judge_traced
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

    1. *A hand-written pass*: ``backward(graph, partials, v_out, one) -> gradients``. ``graph`` has
       ``size``, ``order`` (a linear topological order), ``successors[v]`` and ``predecessors[v]``
       (pairs ``(node, slot)``); ``partials`` is an array ``(slots, d, d)``, ``one`` the seed ``(d,
       d)``, d = ``dimension``; it returns one ``(d, d)`` gradient per node (a sequence, or a
       mapping in which absent nodes are zero). Partials are small random integers, so that the
       comparison with the sum over paths (Σ A^k) is exact; on graphs so deep that these would grow
       too large they are scaled, and it is within the rounding bound γ_K. The pass runs twice on
       each problem: the second time shows gradients left over from the first. On your own ``graph``
       (a ``Graph``, or its edges) when given; on four small ones (``u * u`` among them) otherwise.
       Calls: ``4 * graphs``.
    2. *A PyTorch* ``nn.Module`` *or function*, with example ``inputs`` (a tensor or a tuple): the
    graph is read by torch.fx. 3. *A JAX function*, with example ``inputs``: the graph is read from
    its jaxpr.

    In uses 2 and 3 both loops run over that graph with the framework's real vector-Jacobian
    products, and three things are judged: every node's product against the forward-mode derivative
    of the node's own function (⟨g J, t⟩ = ⟨g, J t⟩ for random g, t), which finds and names a wrong
    ``autograd.Function`` or ``custom_vjp``; both loops against the sum over paths by forward
    accumulation; and the framework's gradient (or, if given, the hand-written
    ``gradient(*inputs)``, one array per floating input, for a function with one number as value)
    against the same sum. Evaluations happen at the inputs' own dtype, and bounds follow it. Where a
    node has no forward mode, differences with their error replace it and a note says so. The
    function is called twice (``gradient`` once). A backward that is *meant* to differ from the
    derivative (a straight-through estimator) is refuted: it is no derivative.

    Parameters
    ----------
    framework: ``"numpy"``, ``"torch"`` or ``"jax"``: what a hand-written pass computes with
        (default numpy), or what the function is written in (default: read off ``backward`` and
        ``inputs``).
    seed: names the random partials, seeds and tangents.

    Raises ``ArgumentError`` (a cycle, which it names; a function that cannot be traced; in-place
    operations), ``CallableError`` (it raised, returned another shape or nan, changed its arguments,
    is random) and ``MissingExtraError``.

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
        raise ArgumentError(
            "inputs",
            "given with gradient",
            "nothing",
            "pass the point at which the gradient is taken",
        )
    if _framework_of(backward) == "torch" and hasattr(backward, "parameters"):
        raise ArgumentError(
            "inputs",
            "given with a torch module",
            "nothing",
            "pass one example input, e.g. inputs=torch.randn(2, 3)",
        )
    if not isinstance(dimension, int) or dimension < 1:
        raise ArgumentError(
            "dimension", "an integer >= 1", dimension, "2 shows operand order, 1 does not"
        )
    graphs = standard_graphs(rng) if graph is None else [_as_graph(graph)]
    return judge_hand_written(
        guarded(backward, "backward", framework or "numpy"), graphs, dimension, rng
    )


def _as_graph(graph: Any) -> Graph:
    if isinstance(graph, Graph):
        found = graph
    else:
        try:
            edges = tuple((int(u), int(v)) for u, v in graph)
        except (TypeError, ValueError) as error:
            raise ArgumentError(
                "graph",
                "a Graph or a list of edges (tail, head)",
                type(graph).__name__,
                "e.g. [(0, 1), (1, 2)]",
            ) from error
        found = Graph(1 + max((max(e) for e in edges), default=0), edges)
    if not found.edges:
        raise ArgumentError(
            "graph", "a graph with edges", "none", "a graph without edges tests nothing"
        )
    return found


# -- a function of PyTorch or JAX ------------------------------------------------------------------


def _framework_of(*things: Any) -> str | None:
    for thing in things:
        inside = (
            list(thing.values())
            if isinstance(thing, Mapping)
            else thing
            if isinstance(thing, list | tuple)
            else ()
        )
        found = _framework_of(*inside)
        if found is not None:
            return found
        for kind in type(thing).__mro__:
            package = (kind.__module__ or "").split(".")[0]
            if package in ("torch", "jax", "jaxlib"):
                return "torch" if package == "torch" else "jax"
    return None


def _traced(
    function: Any,
    graph: Any,
    inputs: Any,
    gradient: Any,
    framework: str | None,
    rng: np.random.Generator,
) -> Evidence:
    if graph is not None:
        raise ArgumentError(
            "graph",
            "omitted when inputs are given",
            type(graph).__name__,
            "the graph is read from the function",
        )
    if not callable(function):
        raise ArgumentError(
            "backward", "callable", type(function).__name__, "pass a module or a function"
        )
    given = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
    framework = framework or _framework_of(function, *given)
    if framework not in ("torch", "jax"):
        asked = "nothing" if framework is None else repr(framework)
        raise ArgumentError(
            "framework",
            f"{' or '.join(FRAMEWORKS[1:])} when inputs are given",
            asked,
            'e.g. framework="torch"',
        )
    reader = importlib.import_module(f"scoreproof.interop.{framework}_graph")
    return judge_traced(reader.trace(function, given), framework, gradient, given, rng)
