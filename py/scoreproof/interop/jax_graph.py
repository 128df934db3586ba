"""Reads the computation graph of a JAX function from its jaxpr. Nested ``jit`` is inlined;
``scan``, ``while`` and ``cond`` are one node each.

The function is traced in double precision (``jax.enable_x64``), and floating types that it names
(``x.astype(jnp.bfloat16)``) become float64. Where that fails, or gives another function (random
numbers drawn inside depend on the type), it is traced in its own type and run in double precision,
or else in its own type, and then a note says so.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.callables import unit_roundoff
from scoreproof.interop.frameworks import require
from scoreproof.interop.jax_equations import Equations
from scoreproof.interop.jax_program import JaxProgram, floating, in_x64
from scoreproof.interop.signatures import argument_names
from scoreproof.interop.traced import Node

__all__ = ["trace"]

DOUBLE = float(np.finfo(float).eps)
#: Traced in double precision (custom rules are then traced in it as well); traced in its own type
#: and run in double precision, so that random numbers drawn inside stay the same; run as it is.
ATTEMPTS = ("traced", "cast", "own")


def trace(function: Callable[..., Any], inputs: Sequence[Any], attempt: int = 0) -> JaxProgram:
    """Read the graph of ``function(*inputs)`` (inputs may be pytrees of arrays; it returns one
    floating array).

    Sources are the floating arrays of the inputs, in pytree order. Raises ``ArgumentError`` where
    JAX cannot trace it or it returns something else, ``CallableError`` where an equation cannot be
    run, ``MissingExtraError`` without jax. ``attempt``: which of `ATTEMPTS` to begin with. The
    function is called once here for each attempt (one, as a rule), and once for each gradient of
    its own.
    """
    jax = require("jax")
    flat, tree = jax.tree_util.tree_flatten(tuple(inputs))
    flat = [jax.numpy.asarray(x) for x in flat]
    names = _names(jax, function, inputs)

    def called(*arrays: Any) -> Any:
        return function(*jax.tree_util.tree_unflatten(tree, arrays))

    failed = "random numbers drawn inside, or a type that it insists on, make it another function"
    for k, attempted in enumerate(ATTEMPTS[attempt:-1], attempt):
        try:
            program = _Reader(jax, called, flat, names, attempted).read()
            _differentiated(program)
            program.attempt = k
            return program
        except (ArgumentError, CallableError) as error:
            failed = _shortened(str(error))
    program = _Reader(jax, called, flat, names, "own").read()
    program.attempt = len(ATTEMPTS) - 1
    program.notes += (f"It cannot be run in float64 ({failed}), so it was judged in its own type.",)
    return program


def _shortened(text: str, most: int = 160) -> str:
    """The first line of an error, without its end where that is long."""
    first = text.splitlines()[0]
    return first if len(first) <= most else f"{first[:most].rsplit(' ', 1)[0]} …"


def _differentiated(program: JaxProgram) -> None:
    """Raise ``CallableError`` where a rule of the user's own does not run in that type."""
    for v, node in enumerate(program.nodes):
        if node.custom and node.slots:
            own = program.local(v)
            own.pull(own.value)


def _names(jax: Any, function: Any, inputs: Sequence[Any]) -> list[str]:
    """``params['w']``: the argument's name and the place in it."""
    out = []
    for name, x in zip(argument_names(function, len(inputs)), inputs, strict=True):
        paths, _ = jax.tree_util.tree_flatten_with_path(x)
        out += [name + jax.tree_util.keystr(path) for path, _ in paths]
    return out


class _Reader:
    """Traces the function, and has its equations run, in one of the `ATTEMPTS`."""

    def __init__(
        self,
        jax: Any,
        called: Callable[..., Any],
        own: Sequence[Any],
        names: Sequence[str],
        attempted: str,
    ) -> None:
        self.jax, self.called, self.own, self.names = jax, called, list(own), names
        self.eps = max([DOUBLE, *[unit_roundoff(x) for x in own]])
        self.double, self.cast = attempted != "own", attempted == "cast"
        self.traced_in_double = attempted == "traced" or self.eps <= DOUBLE

    def read(self) -> JaxProgram:
        jax, flat = self.jax, self.own
        with in_x64() if self.double else contextlib.nullcontext():
            if self.double:
                flat = [
                    jax.numpy.asarray(np.asarray(x, np.float64)) if floating(x) else x for x in flat
                ]
        with in_x64() if self.traced_in_double else contextlib.nullcontext():
            closed = self.trace(flat if self.traced_in_double else self.own)
        with in_x64() if self.double or self.traced_in_double else contextlib.nullcontext():
            return self.run(closed, flat)

    def trace(self, flat: Sequence[Any]) -> Any:
        try:
            return self.jax.make_jaxpr(self.called)(*flat)
        except Exception as error:
            raise ArgumentError(
                "backward",
                "traceable by jax.make_jaxpr",
                f"{type(error).__name__}: {str(error).splitlines()[0]}",
                "use jax.numpy and jax.lax control flow",
            ) from error

    def run(self, closed: Any, flat: Sequence[Any]) -> JaxProgram:
        equations = Equations(self.eps, self.double, self.cast)
        where: dict[Any, int] = {}
        inputs = []
        for i, (variable, x) in enumerate(zip(closed.jaxpr.invars, flat, strict=True)):
            where[variable] = equations.add(Node(self.names[i], self.names[i]), x)
            if floating(x):
                inputs.append(where[variable])
        self.forget(closed)
        result = equations.walk(closed.jaxpr, closed.consts, where)
        if len(result) != 1 or not floating(equations.natives[result[0]]):
            raise ArgumentError(
                "backward",
                "a function that returns one floating array computed from its inputs",
                f"{len(result)} outputs",
                "return the loss",
            )
        program = JaxProgram(
            nodes=tuple(equations.nodes),
            natives=tuple(equations.natives),
            inputs=tuple(inputs),
            parameters=(),
            v_out=result[0],
            eps=equations.eps,
            unit=DOUBLE if self.double else equations.eps,
            stored=self.eps,
            called=self.called,
            flat=tuple(self.own),
            x64=self.double or self.eps <= DOUBLE,
        )
        program.examine()
        return program

    def forget(self, closed: Any) -> None:
        """JAX caches a NumPy constant of the function in the type of the trace, and fails on it
        afterwards in the user's own type: what it compiled is forgotten then.
        """
        foreign = any(not isinstance(x, self.jax.Array) for x in closed.consts)
        if self.traced_in_double and self.eps > DOUBLE and foreign:
            self.jax.clear_caches()
