"""Reads the computation graph of a JAX function from its jaxpr. Nested ``jit`` is inlined;
``scan``, ``while`` and ``cond`` are one node each.

The function is traced in double precision (``jax.enable_x64``), and floating types that it names
(``x.astype(jnp.bfloat16)``) become float64. Where that fails, or gives another function (random
numbers drawn inside depend on the type), its own type is used, and a note says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.callables import unit_roundoff
from scoreproof.interop.frameworks import require
from scoreproof.interop.jax_program import JaxProgram, differentiable, floating, in_x64
from scoreproof.interop.traced import Node

__all__ = ["trace"]

DOUBLE = float(np.finfo(float).eps)
#: Parameters of equations that name a floating type for a result.
TYPES = ("new_dtype", "preferred_element_type", "dtype", "out_dtype")
LOOPS = ("scan", "while", "cond")
INLINED = ("jit", "pjit", "closed_call", "core_call")


def trace(function: Callable[..., Any], inputs: Sequence[Any], double: bool = True) -> JaxProgram:
    """Read the graph of ``function(*inputs)`` (inputs may be pytrees of arrays; it returns one
    floating array).

    Sources are the floating arrays of the inputs, in pytree order. Raises ``ArgumentError`` where
    JAX cannot trace it or it returns something else, ``CallableError`` where an equation cannot be
    run, ``MissingExtraError`` without jax. The function is called once here (twice where it cannot
    be run in double precision), and once for each gradient of its own. ``double=False`` keeps
    its own type.
    """
    jax = require("jax")
    flat, tree = jax.tree_util.tree_flatten(tuple(inputs))
    flat = [jax.numpy.asarray(x) for x in flat]
    eps = max([DOUBLE, *[unit_roundoff(x) for x in flat]])

    def called(*arrays: Any) -> Any:
        return function(*jax.tree_util.tree_unflatten(tree, arrays))

    if eps <= DOUBLE:
        with in_x64():
            return _Reader(jax, called, flat, flat, eps, double=False).read()
    failed = "random numbers drawn inside, or a type that it insists on, make it another function"
    if double:
        try:
            with in_x64():
                doubled = [
                    jax.numpy.asarray(np.asarray(x, np.float64)) if floating(x) else x for x in flat
                ]
                return _Reader(jax, called, flat, doubled, eps, double=True).read()
        except (ArgumentError, CallableError) as error:
            failed = str(error)
    program = _Reader(jax, called, flat, flat, eps, double=False).read()
    program.notes += (f"It cannot be run in float64 ({failed}), so it was judged in its own type.",)
    return program


class _Reader:
    """Runs the equations one by one."""

    def __init__(
        self,
        jax: Any,
        called: Callable[..., Any],
        own: Sequence[Any],
        flat: Sequence[Any],
        eps: float,
        double: bool,
    ) -> None:
        self.jax, self.called, self.own, self.flat = jax, called, list(own), list(flat)
        self.eps, self.double = eps, double
        self.nodes: list[Node] = []
        self.natives: list[Any] = []

    def add(self, node: Node, value: Any) -> int:
        self.nodes.append(node)
        self.natives.append(value)
        return len(self.nodes) - 1

    def read(self) -> JaxProgram:
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
        where: dict[Any, int] = {}
        inputs = []
        for i, (variable, x) in enumerate(zip(closed.jaxpr.invars, self.flat, strict=True)):
            where[variable] = self.add(Node(f"input {i}", f"input {i}"), x)
            if floating(x):
                inputs.append(where[variable])
        result = self.walk(closed.jaxpr, closed.consts, where)
        if len(result) != 1 or not floating(self.natives[result[0]]):
            raise ArgumentError(
                "backward",
                "a function that returns one floating array computed from its inputs",
                f"{len(result)} outputs",
                "return the loss",
            )
        program = JaxProgram(
            nodes=tuple(self.nodes),
            natives=tuple(self.natives),
            inputs=tuple(inputs),
            parameters=(),
            v_out=result[0],
            eps=self.eps,
            unit=DOUBLE if self.double else self.eps,
            called=self.called,
            flat=tuple(self.own),
            x64=self.double or self.eps <= DOUBLE,
        )
        program.examine()
        return program

    def typed(self, x: Any) -> Any:
        """A constant in the type of this run."""
        self.eps = max(self.eps, unit_roundoff(x) if hasattr(x, "dtype") else 0.0)
        if self.double and hasattr(x, "dtype") and floating(x):
            return self.jax.numpy.asarray(np.asarray(x).astype(np.float64))
        return x

    def walk(self, jaxpr: Any, consts: Sequence[Any], where: dict[Any, int]) -> list[int]:
        """Add the equations of a jaxpr, whose inputs ``where`` knows; where its outputs are."""
        for variable, x in zip(jaxpr.constvars, consts, strict=True):
            where[variable] = self.add(Node("constant", "constant"), self.typed(x))
        for equation in jaxpr.eqns:
            inner = equation.params.get("jaxpr")
            if equation.primitive.name in INLINED and hasattr(inner, "jaxpr"):
                inside = {
                    variable: self.place(atom, where)
                    for variable, atom in zip(inner.jaxpr.invars, equation.invars, strict=True)
                }
                outputs = self.walk(inner.jaxpr, inner.consts, inside)
            else:
                outputs = self.equation(equation, where)
            where.update(zip(equation.outvars, outputs, strict=True))
        return [self.place(v, where) for v in jaxpr.outvars]

    def place(self, atom: Any, where: dict[Any, int]) -> int:
        if hasattr(atom, "val"):  # a literal
            value = self.jax.numpy.asarray(atom.val)
            return self.add(Node("literal", "literal"), self.typed(value))
        return where[atom]

    def equation(self, equation: Any, where: dict[Any, int]) -> list[int]:
        """A node for the equation, and one more for each of its outputs if it has several."""
        primitive = equation.primitive
        params = dict(equation.params)
        for name in TYPES:
            kind = params.get(name)
            if kind is not None and floating(np.zeros(0, kind)):
                self.eps = max(self.eps, unit_roundoff(np.zeros(0, kind)))
                if self.double and primitive.name != "bitcast_convert_type":
                    params[name] = np.dtype(np.float64)
        bound = primitive.get_bind_params(params)
        # older versions of jax return a pair
        subfunctions, parameters = bound if isinstance(bound, tuple) else ((), bound)
        literals = {i: a.val for i, a in enumerate(equation.invars) if hasattr(a, "val")}
        places = tuple(where[a] for a in equation.invars if not hasattr(a, "val"))

        def run(arguments: Sequence[Any]) -> Any:
            source = iter(arguments)
            full = [
                literals[i] if i in literals else next(source) for i in range(len(equation.invars))
            ]
            return primitive.bind(*subfunctions, *full, **parameters)

        title, written = _titles(equation)
        name = f"{title}_{len(self.nodes)}"
        shown = ", ".join(
            "·" if hasattr(a, "val") else self.nodes[where[a]].name for a in equation.invars
        )
        label = f"{name} = {written}({shown})"
        try:
            value = run([self.natives[u] for u in places])
        except Exception as error:
            raise CallableError(
                label,
                "return normally",
                f"it raised {type(error).__name__}: {error}",
                "run the function once by hand",
            ) from error
        slots = tuple(k for k, u in enumerate(places) if differentiable(self.natives[u]))
        outputs = list(value) if primitive.multiple_results else [value]
        if not any(differentiable(x) for x in outputs):
            slots = ()
        custom = primitive.name.startswith("custom_") and not _jax_knows_best(equation)
        inner = 4 if custom else 64 if primitive.name in LOOPS else 1
        if not primitive.multiple_results or len(outputs) == 1:
            one = (lambda a: run(a)[0]) if primitive.multiple_results else run
            return [self.add(Node(name, label, places, slots, one, custom, inner), outputs[0])]
        me = self.add(
            Node(name, label, places, slots, lambda a: tuple(run(a)), custom, inner), tuple(outputs)
        )
        return [
            self.add(
                Node(f"{name}[{i}]", f"{name}[{i}]", (me,), (0,) if slots else (), _picks(i)), x
            )
            for i, x in enumerate(outputs)
        ]


def _picks(i: int) -> Callable[[Sequence[Any]], Any]:
    return lambda arguments: arguments[0][i]


def _jax_knows_best(equation: Any) -> bool:
    """JAX's own ``custom_jvp`` rules (relu, logsumexp, …), which are no user's."""
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
