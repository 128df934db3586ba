"""The computation graph of a JAX function, read from its jaxpr, with the products of every
equation.

Backward products are ``jax.vjp`` through the one equation (the rule that ``jax.grad`` runs,
``custom_vjp`` included). Forward products are ``jax.jvp`` through the equation; for a user's
``custom_vjp`` or ``custom_jvp`` through the jaxpr of the function itself, so that the custom rule
has no say in them. Nested ``jit`` is inlined; ``scan``, ``while`` and ``cond`` are one node each.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.frameworks import require
from scoreproof.interop.traced import Leaves, SlotMap, TracedGraph, difference_jvp
from scoreproof.objects.graphs import Graph

__all__ = ["trace"]


def _floating(x: Any) -> bool:
    return (
        np.issubdtype(np.asarray(x).dtype, np.floating)
        if hasattr(x, "dtype") or isinstance(x, float)
        else False
    )


def trace(function: Callable[..., Any], inputs: Sequence[Any]) -> TracedGraph:
    """Read the graph of ``function(*inputs)`` (inputs may be pytrees of arrays; it returns one
    floating array).

    Sources are the floating arrays of the inputs, in pytree order. Raises ``ArgumentError`` where
    JAX cannot trace it or it returns something else, ``CallableError`` where an equation cannot be
    differentiated, ``MissingExtraError`` without jax. The function
    is called twice: to read it, and for JAX's gradient.
    """
    jax = require("jax")
    return _Reader(jax, function, tuple(inputs)).read()


class _Reader:
    def __init__(self, jax: Any, function: Callable[..., Any], inputs: tuple[Any, ...]) -> None:
        self.jax, self.callable = jax, function
        self.flat, self.tree = jax.tree_util.tree_flatten(inputs)
        self.flat = [jax.numpy.asarray(x) for x in self.flat]
        self.values: list[Any] = []
        self.leaves: list[Leaves] = []
        self.labels: list[str] = []
        self.names: list[str] = []
        self.edges: list[tuple[int, int]] = []
        self.slots: list[SlotMap] = []
        self.eps = float(np.finfo(float).eps)

    def called(self, *flat: Any) -> Any:
        return self.callable(*self.jax.tree_util.tree_unflatten(self.tree, flat))

    def add(self, name: str, label: str, outputs: Sequence[Any]) -> int:
        floats = [np.asarray(x) for x in outputs if _floating(x)]
        for x in floats:
            self.eps = max(self.eps, float(self.jax.numpy.finfo(x.dtype).eps))
            if not np.all(np.isfinite(x)):
                raise CallableError(
                    label,
                    "return finite numbers",
                    "its value holds nan or inf",
                    "pass inputs at which the function is finite",
                )
        self.values.append(tuple(outputs))
        self.leaves.append(Leaves(floats))
        self.names.append(name)
        self.labels.append(label)
        return len(self.values) - 1

    def read(self) -> TracedGraph:
        jax = self.jax
        try:
            closed = jax.make_jaxpr(self.called)(*self.flat)
        except Exception as error:
            raise ArgumentError(
                "backward",
                "traceable by jax.make_jaxpr",
                f"{type(error).__name__}: {str(error).splitlines()[0]}",
                "use jax.numpy and jax.lax control flow",
            ) from error
        where: dict[Any, tuple[int, int]] = {}  # variable -> (node, which of its outputs)
        sources = []
        for i, (variable, x) in enumerate(zip(closed.jaxpr.invars, self.flat, strict=True)):
            where[variable] = (self.add(f"input {i}", f"input {i}", [x]), 0)
            if _floating(x):
                sources.append(where[variable][0])
        result = self.walk(closed.jaxpr, closed.consts, where)
        if len(result) != 1 or result[0] is None or not self.leaves[result[0][0]].arrays:
            raise ArgumentError(
                "backward",
                "a function that returns one floating array computed from its inputs",
                f"{len(result)} outputs",
                "return the loss",
            )
        node, index = result[0]
        if len(self.values[node]) > 1:  # one of several outputs: a node that picks it
            node = self.pick(node, index)
        return TracedGraph(
            Graph(len(self.values), tuple(self.edges), tuple(self.names)),
            tuple(self.labels),
            tuple(self.slots),
            tuple(self.leaves),
            tuple(sources),
            tuple(sources),
            node,
            self.eps,
            self.gradient,
        )

    def gradient(self, seed: Leaves) -> list[Leaves]:
        jax = self.jax
        floating = [i for i, x in enumerate(self.flat) if _floating(x)]

        def of_floats(*floats: Any) -> Any:
            flat = list(self.flat)
            for i, x in zip(floating, floats, strict=True):
                flat[i] = x
            return jax.tree_util.tree_leaves(self.called(*flat))[0]

        _, back = jax.vjp(of_floats, *[self.flat[i] for i in floating])
        return [Leaves([np.asarray(g)]) for g in back(jax.numpy.asarray(seed.arrays[0]))]

    def walk(
        self, jaxpr: Any, consts: Sequence[Any], where: dict[Any, tuple[int, int]]
    ) -> list[tuple[int, int] | None]:
        """Add the equations of a jaxpr; ``where`` knows its inputs. Returns where its outputs are."""
        for variable, x in zip(jaxpr.constvars, consts, strict=True):
            where[variable] = (self.add("constant", "constant", [x]), 0)
        for equation in jaxpr.eqns:
            inner = equation.params.get("jaxpr")
            if (
                equation.primitive.name in ("jit", "pjit", "closed_call", "core_call")
                and inner is not None
                and hasattr(inner, "jaxpr")
            ):
                inside = {}
                for variable, atom in zip(inner.jaxpr.invars, equation.invars, strict=True):
                    inside[variable] = self.place(atom, where)
                outputs = self.walk(inner.jaxpr, inner.consts, inside)
                for variable, place in zip(equation.outvars, outputs, strict=True):
                    if place is not None:
                        where[variable] = place
            else:
                node = self.equation(equation, where)
                for i, variable in enumerate(equation.outvars):
                    where[variable] = (node, i)
        return [self.place(v, where) for v in jaxpr.outvars]

    def place(self, atom: Any, where: dict[Any, tuple[int, int]]) -> tuple[int, int]:
        if hasattr(atom, "val"):  # a literal
            return self.add("literal", "literal", [self.jax.numpy.asarray(atom.val)]), 0
        return where[atom]

    def equation(self, equation: Any, where: dict[Any, tuple[int, int]]) -> int:
        primitive = equation.primitive
        bound = primitive.get_bind_params(equation.params)
        subfunctions, parameters = (
            bound if isinstance(bound, tuple) else ((), bound)
        )  # older versions of jax return a pair
        places = [None if hasattr(a, "val") else where[a] for a in equation.invars]
        current = [
            a.val if p is None else self.values[p[0]][p[1]]
            for a, p in zip(equation.invars, places, strict=True)
        ]

        def evaluate(*arguments: Any) -> tuple[Any, ...]:
            out = primitive.bind(*subfunctions, *arguments, **parameters)
            return tuple(out) if primitive.multiple_results else (out,)

        primal = evaluate
        if primitive.name in (
            "custom_vjp_call",
            "custom_jvp_call",
            "custom_vjp_call_jaxpr",
        ) and not _jax_knows_best(equation):
            body = equation.params.get("call_jaxpr", equation.params.get("fun_jaxpr"))

            def primal(*arguments: Any) -> tuple[Any, ...]:
                return tuple(
                    importlib.import_module("jax.extend.core").jaxpr_as_fun(body)(*arguments)
                )

        title, written = _titles(equation)
        name = f"{title}_{len(self.values)}"
        label = (
            f"{name} ="
            f" {written}({', '.join('·' if p is None else self.names[p[0]] for p in places)})"
        )
        try:
            value = evaluate(*current)
        except Exception as error:
            raise CallableError(
                label,
                "return normally",
                f"it raised {type(error).__name__}: {error}",
                "run the function once by hand",
            ) from error
        me = self.add(name, label, value)
        for k, place in enumerate(places):
            if place is not None and _floating(current[k]) and self.leaves[me].arrays:
                self.edges.append((place[0], me))
                self.slots.append(self.slot(label, evaluate, primal, current, k, place))
        return me

    def pick(self, node: int, index: int) -> int:
        value = self.values[node][index]
        me = self.add("output", "output", [value])
        position = self.position(node, index)
        self.edges.append((node, me))
        self.slots.append(
            SlotMap(
                lambda g: self.embed(node, position, g.arrays[0]),
                lambda t: Leaves([t.arrays[position]]),
            ),
        )
        return me

    def position(self, node: int, index: int) -> int:
        """Where output ``index`` of a node stands among its floating ones."""
        return sum(_floating(x) for x in self.values[node][:index])

    def embed(self, node: int, position: int, gradient: np.ndarray) -> Leaves:
        return Leaves(
            [
                gradient if i == position else np.zeros_like(a)
                for i, a in enumerate(self.leaves[node].arrays)
            ]
        )

    def slot(
        self,
        label: str,
        evaluate: Any,
        primal: Any,
        current: list[Any],
        k: int,
        place: tuple[int, int],
    ) -> SlotMap:
        jax, (node, index) = self.jax, place
        position = self.position(node, index)

        def of_argument(function: Any) -> Callable[[Any], tuple[Any, ...]]:
            return lambda x: tuple(
                y for y in function(*current[:k], x, *current[k + 1 :]) if _floating_type(y)
            )

        x = jax.numpy.asarray(current[k])
        state: dict[str, Any] = {}

        def pull(gradient: Leaves) -> Leaves:
            try:
                if "back" not in state:
                    _, state["back"] = jax.vjp(of_argument(evaluate), x)
                (found,) = state["back"](tuple(jax.numpy.asarray(a) for a in gradient.arrays))
            except Exception as error:
                raise CallableError(
                    f"the backward of {label}",
                    "return normally",
                    f"it raised {type(error).__name__}: {error}",
                    "differentiate it once by hand",
                ) from error
            return self.embed(node, position, np.asarray(found))

        def exact(tangent: Leaves) -> Leaves:
            return Leaves(
                [
                    np.asarray(a)
                    for a in jax.jvp(
                        of_argument(primal), (x,), (jax.numpy.asarray(tangent.arrays[position]),)
                    )[1]
                ]
            )

        def plain(at: Leaves) -> Leaves:
            return Leaves(
                [np.asarray(a) for a in of_argument(evaluate)(jax.numpy.asarray(at.arrays[0]))]
            )

        here, ones = Leaves([np.asarray(x)]), Leaves([np.ones_like(np.asarray(x))])
        try:
            exact(self.embed(node, position, ones.arrays[0]))
        except (
            Exception
        ):  # a custom_vjp inside a scan, say, has no forward mode: differences, with their error

            def differences(t: Leaves) -> tuple[Leaves, float]:
                return difference_jvp(plain, here, Leaves([t.arrays[position]]), self.eps)

            return SlotMap(pull, lambda t: differences(t)[0], lambda t: differences(t)[1])
        return SlotMap(pull, exact)


def _jax_knows_best(equation: Any) -> bool:
    """JAX's own ``custom_jvp`` rules (relu, logsumexp, …) are kept: they choose a value where their
    function has a kink.
    """
    info = getattr(getattr(equation.params.get("call_jaxpr"), "jaxpr", None), "debug_info", None)
    return equation.primitive.name == "custom_jvp_call" and "/jax/_src/" in str(
        getattr(info, "func_src_info", "")
    ).replace("\\", "/")


def _titles(equation: Any) -> tuple[str, str]:
    """What an equation is called in a node's name and in its label: for a custom rule, the name of
    the user's function.
    """
    kind = equation.primitive.name
    if not kind.startswith("custom"):
        return kind, kind
    info = getattr(getattr(equation.params.get("call_jaxpr"), "jaxpr", None), "debug_info", None)
    name = str(equation.params.get("name") or getattr(info, "func_name", None) or kind)
    return name, f"{kind.removesuffix('_call')} {name}"


def _floating_type(x: Any) -> bool:
    return np.issubdtype(x.dtype, np.floating)
