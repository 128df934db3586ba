"""What `check_backward` was given: a hand-written pass and graph, or a function and inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop.frameworks import FRAMEWORKS
from scoreproof.objects.graphs import Graph
from scoreproof.public.arguments import a_function

__all__ = ["as_graph", "framework_of", "refuse_hand_written", "traced_framework"]


def as_graph(graph: Any) -> Graph:
    """A ``Graph`` with edges, or ``ArgumentError``."""
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


def framework_of(*things: Any) -> str | None:
    """``"torch"`` or ``"jax"``, if one of the objects (or one inside it) comes from there."""
    for thing in things:
        inside: tuple[Any, ...] = ()
        if isinstance(thing, Mapping):
            inside = tuple(thing.values())
        elif isinstance(thing, list | tuple):
            inside = tuple(thing)
        found = framework_of(*inside)
        if found is not None:
            return found
        for kind in type(thing).__mro__:
            package = (kind.__module__ or "").split(".")[0]
            if package in ("torch", "jax", "jaxlib"):
                return "torch" if package == "torch" else "jax"
    return None


def refuse_hand_written(backward: Any, gradient: Any, dimension: Any) -> None:
    """What makes no sense without ``inputs``."""
    if gradient is not None:
        raise ArgumentError(
            "inputs",
            "given with gradient",
            "nothing",
            "pass the point at which the gradient is taken",
        )
    if framework_of(backward) == "torch" and hasattr(backward, "parameters"):
        raise ArgumentError(
            "inputs",
            "given with a torch module",
            "nothing",
            "pass one example input, e.g. inputs=torch.randn(2, 3)",
        )
    what = _of_a_framework(backward)
    if what:
        raise ArgumentError(
            "inputs",
            f"given with {what}",
            "nothing",
            "pass example inputs, e.g. inputs=(x,): its backward is judged there",
        )
    if not isinstance(dimension, int) or isinstance(dimension, bool) or dimension < 1:
        raise ArgumentError(
            "dimension", "an integer >= 1", dimension, "2 shows operand order, 1 does not"
        )


def _of_a_framework(backward: Any) -> str:
    """What it is, if it is no pass over a graph; "" where it may be one."""
    owner = backward if isinstance(backward, type) else getattr(backward, "__self__", None)
    bases = [f"{c.__module__.split('.')[0]}.{c.__name__}" for c in getattr(owner, "__mro__", ())]
    if "torch.Function" in bases:
        return "a torch.autograd.Function"
    kind = type(backward)
    if kind.__module__.split(".")[0] in ("jax", "jaxlib"):
        return f"a function of jax ({kind.__name__})"
    if isinstance(backward, type):
        return "a class, which is called for what it judges"
    return ""


def traced_framework(
    function: Any, graph: Any, given: tuple[Any, ...], framework: str | None
) -> str:
    """The framework of a function with inputs."""
    if graph is not None:
        raise ArgumentError(
            "graph",
            "omitted when inputs are given",
            type(graph).__name__,
            "the graph is read from the function",
        )
    a_function("backward", function, "callable", "pass a module or a function")
    framework = framework or framework_of(function, *given)
    if framework is None and any(hasattr(x, "grad") for x in given):
        raise ArgumentError(
            "inputs",
            "tensors of torch, or arrays of jax",
            f"objects of {type(given[0]).__name__}",
            "pass the same function with torch tensors as inputs, and your engine as gradient=,"
            " which makes its own objects of the arrays it gets and returns their .grad",
        )
    if framework not in ("torch", "jax"):
        asked = "nothing" if framework is None else repr(framework)
        raise ArgumentError(
            "framework",
            f"{' or '.join(FRAMEWORKS[1:])} when inputs are given",
            asked,
            'e.g. framework="torch"',
        )
    return framework
