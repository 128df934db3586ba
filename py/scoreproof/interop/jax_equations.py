"""The equations of a jaxpr as nodes, run one by one as they are read."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import unit_roundoff
from scoreproof.interop.frameworks import require
from scoreproof.interop.jax_program import differentiable, floating
from scoreproof.interop.signatures import source_line
from scoreproof.interop.traced import Node

__all__ = ["Equations"]

DOUBLE = float(np.finfo(float).eps)
#: Parameters of equations that name a floating type for a result.
TYPES = ("new_dtype", "preferred_element_type", "dtype", "out_dtype")
LOOPS = ("scan", "while", "cond")
_NOT_THE_USER = (
    f"{os.sep}jax{os.sep}",
    f"{os.sep}jaxlib{os.sep}",
    os.path.dirname(os.path.dirname(__file__)),
)
INLINED = ("jit", "pjit", "closed_call", "core_call")


class Equations:
    """Collects ``nodes`` and their values ``natives``.

    ``double``: floating numbers and types become float64. ``cast``: the jaxpr is of a coarser type,
    so that arguments are cast at every equation, and scans, whose bodies are typed, are unrolled.
    ``eps``: the coarsest type of a result that depends on the inputs; ``base``: that of the inputs.
    """

    def __init__(self, base: float, double: bool, cast: bool) -> None:
        self.jax = require("jax")
        self.base, self.eps, self.double, self.cast = base, base, double, cast
        self.nodes: list[Node] = []
        self.natives: list[Any] = []

    def add(self, node: Node, value: Any) -> int:
        """A further node; returns its number."""
        self.nodes.append(node)
        self.natives.append(value)
        return len(self.nodes) - 1

    def typed(self, x: Any) -> Any:
        """A constant in the type of this run."""
        if self.double and hasattr(x, "dtype") and floating(x):
            return self.jax.numpy.asarray(np.asarray(x).astype(np.float64))
        return x

    def walk(self, jaxpr: Any, consts: Sequence[Any], where: dict[Any, int]) -> list[int]:
        """Add the equations of a jaxpr, whose inputs ``where`` knows; where its outputs are."""
        for variable, x in zip(jaxpr.constvars, consts, strict=True):
            where[variable] = self.add(Node("constant", "constant"), self.typed(x))
        for equation in jaxpr.eqns:
            inner = self.inside(equation)
            if inner is not None:
                places = [self.place(atom, where) for atom in equation.invars]
                variables = dict(zip(inner.jaxpr.invars, places, strict=True))
                outputs = self.walk(inner.jaxpr, inner.consts, variables)
            elif self.cast and equation.primitive.name == "scan":
                outputs = self.unrolled(equation, where)
            else:
                outputs = self.equation(equation, where)
            where.update(zip(equation.outvars, outputs, strict=True))
        return [self.place(v, where) for v in jaxpr.outvars]

    def inside(self, equation: Any) -> Any:
        """The jaxpr of a call that is inlined; None for others."""
        inner = equation.params.get("jaxpr")
        if equation.primitive.name in INLINED and hasattr(inner, "jaxpr"):
            return inner
        if self.cast and _jax_knows_best(equation):  # its jaxpr is of the own type
            return equation.params["call_jaxpr"]
        return None

    def unrolled(self, equation: Any, where: dict[Any, int]) -> list[int]:
        """A scan whose body is of the own type, step by step."""
        jax, given = self.jax, equation.params
        places = [self.place(atom, where) for atom in equation.invars]
        first, second = given["num_consts"], given["num_consts"] + given["num_carry"]
        carry, body, rows = places[first:second], given["jaxpr"], []
        steps = range(given["length"])
        for i in reversed(steps) if given["reverse"] else steps:
            xs = [self.simple("take", lambda a, i=i: a[0][i], (u,)) for u in places[second:]]
            variables = dict(zip(body.jaxpr.invars, [*places[:first], *carry, *xs], strict=True))
            outputs = self.walk(body.jaxpr, body.consts, variables)
            carry = outputs[: given["num_carry"]]
            rows.append(outputs[given["num_carry"] :])
        if given["reverse"]:
            rows.reverse()
        stack = [
            self.simple("stack", lambda a: jax.numpy.stack(a), tuple(column))
            for column in zip(*rows, strict=True)
        ]
        return [*carry, *stack]

    def of_type(self, equation: Any) -> float:
        """The spacing at 1 of the coarsest type at an equation, as in the user's own trace."""
        found = [unit_roundoff(a.aval) for a in (*equation.invars, *equation.outvars)]
        # the inputs' own type was replaced by float64
        return max([x if x > DOUBLE else self.base for x in found if x > 0], default=self.base)

    def simple(self, name: str, run: Any, places: tuple[int, ...]) -> int:
        """A node of our own making."""
        value = run([self.natives[u] for u in places])
        slots = tuple(k for k, u in enumerate(places) if differentiable(self.natives[u]))
        shown = ", ".join(self.nodes[u].name for u in places)
        name = f"{name}_{len(self.nodes)}"
        return self.add(Node(name, f"{name}({shown})", places, slots, run), value)

    def place(self, atom: Any, where: dict[Any, int]) -> int:
        if hasattr(atom, "val"):  # a literal
            value = self.jax.numpy.asarray(atom.val)
            return self.add(Node("literal", "literal"), self.typed(value))
        return where[atom]

    def equation(self, equation: Any, where: dict[Any, int]) -> list[int]:
        """A node for the equation, and one more for each of its outputs if it has several."""
        primitive = equation.primitive
        params, named = dict(equation.params), 0.0
        for name in TYPES:
            kind = params.get(name)
            if kind is not None and floating(np.zeros(0, kind)):
                named = max(named, unit_roundoff(np.zeros(0, kind)))
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
            if not self.cast:
                return primitive.bind(*subfunctions, *full, **parameters)
            found = primitive.bind(*subfunctions, *map(_double, full), **parameters)
            return list(map(_double, found)) if primitive.multiple_results else _double(found)

        eps = 0.0
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
        if slots:  # a coarse constant is exact; a coarse result is not
            eps = max([named, self.of_type(equation)])
            self.eps = max(self.eps, eps)
        line = _line(equation)
        custom = primitive.name.startswith("custom_") and not _jax_knows_best(equation)
        inner = 4 if custom else 64 if primitive.name in LOOPS else 1
        if not primitive.multiple_results or len(outputs) == 1:
            one = (lambda a: run(a)[0]) if primitive.multiple_results else run
            made = Node(name, label, places, slots, one, custom, inner, eps, line)
            return [self.add(made, outputs[0])]
        me = self.add(
            Node(name, label, places, slots, lambda a: tuple(run(a)), custom, inner, eps, line),
            tuple(outputs),
        )
        return [
            self.add(
                Node(f"{name}[{i}]", f"{name}[{i}]", (me,), (0,) if slots else (), _picks(i)), x
            )
            for i, x in enumerate(outputs)
        ]


def _picks(i: int) -> Callable[[Sequence[Any]], Any]:
    return lambda arguments: arguments[0][i]


def _double(x: Any) -> Any:
    return x.astype(np.float64) if hasattr(x, "astype") and floating(x) else x


def _line(equation: Any) -> str:
    """The user's line that made an equation, as far as JAX tells."""
    frames = getattr(getattr(equation.source_info, "traceback", None), "frames", ())
    for frame in frames:
        if not any(part in frame.file_name for part in _NOT_THE_USER):
            return source_line(frame.file_name, frame.line_num)
    return ""


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
