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
from collections.abc import Callable, Sequence
from typing import Any

from scoreproof.evidence import Evidence
from scoreproof.interop.frameworks import guarded
from scoreproof.objects.graphs import Graph
from scoreproof.public.arguments import accepted, seeded
from scoreproof.public.backward.arguments import as_graph, refuse_hand_written, traced_framework
from scoreproof.public.backward.asking import Question
from scoreproof.public.backward.hand_written import judge_hand_written
from scoreproof.public.backward.problems import standard_graphs
from scoreproof.public.backward.verdict import judge_traced
from scoreproof.public.rule import public_check
from scoreproof.streams import stream

__all__ = ["check_backward"]


@public_check
def check_backward(
    backward: Any,
    graph: Graph | Sequence[tuple[int, int]] | None = None,
    inputs: Any = None,
    *,
    gradient: Callable[..., Any] | None = None,
    framework: str | None = None,
    dimension: int = 2,
    tolerance: float | None = None,
    seed: int = 0,
) -> Evidence:
    """Is a backward pass the sum over all paths of the products of the partials?

    Three uses.

    1. *A hand-written pass*: ``backward(graph, partials, v_out, one) -> gradients``. ``graph`` has
       ``size``, ``order`` (a linear topological order), ``successors[v]`` and ``predecessors[v]``
       (pairs ``(node, slot)``); ``partials`` is an array ``(slots, d, d)``, ``one`` the seed ``(d,
       d)``, d = ``dimension``; it returns one ``(d, d)`` gradient per node (a sequence, or a
       mapping in which absent nodes are zero). Partials are random integers times powers of two, of
       very different sizes, so that most gradients are fractions or very large, and the comparison
       with the sum over paths (Σ A^k) is exact; where a graph is so deep, or the type so coarse,
       that the products do not fit, no terms cancel and the rounding bound γ_K replaces it. The
       pass runs twice on each problem, the second time with other partials: that shows gradients
       left over from the first. On your own ``graph`` (a ``Graph``, or its edges) when given;
       otherwise on standard ones, with ``u * u``, up to 24 arguments or consumers of a node, 12
       slots between two nodes, a chain of 48, isolated nodes and nodes after v_out.
       Calls: ``4 * graphs``.

    2. *A PyTorch* ``nn.Module``, *function or* ``autograd.Function`` (its class or its ``apply``),
       with example ``inputs`` (a tensor or a tuple): the graph is read by torch.fx. Buffers that a
       module writes are put back after every call; a function that calls ``torch.autograd.grad``
       is one node.

    3. *A JAX function*, with example ``inputs``: the graph is read from its jaxpr.

    In uses 2 and 3 the graph is run node by node in double precision, whatever the type of the
    inputs, and two things are judged. Every node's own rule (the framework's vector-Jacobian
    product, a custom ``autograd.Function`` or ``custom_vjp`` included) against the *values* of the
    node: derivatives along random directions by Richardson's differences, at the inputs and
    nearby; at a kink any slope between the two one-sided ones is right. And, entry by entry, the
    framework's gradient (or, if given, the hand-written ``gradient(*inputs)``, one array per
    floating input, for a function with one number as value) in the function's own type against the
    sum over paths in double precision, by both loops. The bound of an entry is what rounding in the
    own type moves it by, measured by running the graph with every number moved by its roundoff. An
    entry is judged relative to itself; up to 5 % of them may be too small for their type to
    resolve, which the coverage then says. bfloat16 and float16 resolve a few percent at best: pass
    a ``tolerance``, or use float64. The function is called twice, and ``gradient`` once; each once
    more where a gradient is zero at the inputs (it is then judged nearby), and a JAX function once
    more where it cannot be run in float64, a module of one's own with buffers once more (and up to
    three times where it is refuted).

    A backward that is *meant* to differ from the derivative (a straight-through estimator,
    ``detach`` or ``stop_gradient`` on a path that matters) is refuted: it is no derivative. The
    sentence names the node, and says whether the gradient is right with that node held constant.

    Parameters
    ----------
    framework: ``"numpy"``, ``"torch"`` or ``"jax"``: what a hand-written pass computes with
        (default numpy), or what the function is written in (default: read off ``backward`` and
        ``inputs``).
    tolerance: the relative error that you accept, for a backward pass that approximates (a
        continuous adjoint, a gradient in bfloat16): of each node's product as a whole (of
        your own rules also at single entries), of each array of the gradient by its norm, and of
        each entry relative to the larger of it and its array's root mean square. None accepts
        rounding only.
    seed: names the random partials, seeds and directions.

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
    rng = stream(seeded(seed), "backprop", "check_backward")
    tolerance = accepted(tolerance)
    if inputs is not None:
        given = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,)
        named = traced_framework(backward, graph, given, framework)
        trace = importlib.import_module(f"scoreproof.interop.{named}_graph").trace
        question = Question(
            named, gradient, given, tolerance, lambda n: trace(backward, given, attempt=n)
        )
        return judge_traced(trace(backward, given), question, rng)
    refuse_hand_written(backward, gradient, dimension)
    graphs = standard_graphs(rng) if graph is None else [as_graph(graph)]
    user = guarded(backward, "backward", framework or "numpy")
    return judge_hand_written(user, graphs, dimension, rng, tolerance)
