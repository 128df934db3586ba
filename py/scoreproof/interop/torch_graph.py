"""Reads the computation graph of a PyTorch module or function by torch.fx.

The nodes are then run in double precision, whatever the type of the inputs: floating types that the
function names (``x.float()``, ``dtype=torch.float16``) become float64. Where a node refuses that,
the graph is run in its own type, and a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, ScoreproofError
from scoreproof.interop.callables import unit_roundoff
from scoreproof.interop.frameworks import require
from scoreproof.interop.signatures import fits, written_signature
from scoreproof.interop.torch_buffers import writers
from scoreproof.interop.torch_fx import Custom, called, copied, operations, read_graph
from scoreproof.interop.torch_program import TorchProgram, floats, in_type, leaves_of
from scoreproof.interop.torch_tracer import Method
from scoreproof.interop.traced import Node

__all__ = ["trace"]

DOUBLE = float(np.finfo(float).eps)


def trace(thing: Any, inputs: Sequence[Any], attempt: int = 0) -> TorchProgram:
    """Read the graph of ``thing(*inputs)``: an ``nn.Module`` (copied first), a function of tensors
    or an ``autograd.Function``.

    ``inputs`` are tensors, or arrays, which become tensors of their own type. Sources are the
    floating inputs, then the parameters that require a gradient. A module that torch.fx cannot read
    is one node. Raises ``ArgumentError`` where torch.fx cannot read a function, or a node works in
    place, ``CallableError`` where a node raises or is random, ``MissingExtraError`` without torch.
    The function is called once here (a module of the user's own with buffers once more), and once
    for each gradient of its own. ``attempt=1``
    keeps its own type.
    """
    torch = require("torch")
    if isinstance(thing, type) and issubclass(thing, torch.autograd.Function):
        thing = thing.apply  # type: ignore[attr-defined]
    if not fits(thing, len(inputs)):
        raise ArgumentError(
            "inputs",
            "one example per argument of the function",
            f"{len(inputs)}",
            f"it is called with {written_signature(thing)}",
        )
    owner = getattr(thing, "__self__", None)
    if isinstance(owner, torch.nn.Module) and hasattr(thing, "__func__"):
        thing = Method.of(torch, copied(owner), thing.__func__)
    elif isinstance(thing, torch.nn.Module):
        thing = copied(thing)
    given = tuple(
        x.detach().clone() if isinstance(x, torch.Tensor) else torch.tensor(np.asarray(x))
        for x in inputs
    )
    graph, root, notes = read_graph(torch, thing, len(given), writers(torch, thing, given))
    own = _Reader(torch, graph, root, given)
    own.read()
    if own.eps <= DOUBLE or attempt > 0:
        program = own.program(thing, notes, own.eps)
        if own.eps <= DOUBLE:
            program.coarse = _coarse(_Reader(torch, graph, root, given, dtype=torch.float32), thing)
        return program
    doubled = _Reader(torch, graph, root, given, own, torch.float64)
    try:
        doubled.read()
        program = doubled.program(thing, notes, own.eps)
    except ScoreproofError as error:  # a kernel that takes one type only, say
        note = f"It cannot be run in float64 ({error}), so it was judged in its own type."
        return own.program(thing, (*notes, note), own.eps)
    program.coarse = own.program(thing, notes, own.eps)
    return program


def _coarse(reader: _Reader, thing: Any) -> TorchProgram | None:
    """A function in float64 run in float32, which shows how its nodes round inside."""
    try:
        reader.read()
        return reader.program(thing, (), reader.unit)
    except ScoreproofError:  # numbers too large for it, or a kernel that takes float64 only
        return None


class _Reader:
    """Walks the fx graph once, evaluating node by node; in ``dtype`` after an ``own`` walk."""

    def __init__(
        self,
        torch: Any,
        graph: Any,
        root: Any,
        given: Sequence[Any],
        own: _Reader | None = None,
        dtype: Any = None,
    ) -> None:
        self.torch, self.fx_graph, self.root, self.given = torch, graph, root, tuple(given)
        self.own, self.dtype = own, dtype
        self.nodes: list[Node] = []
        self.natives: list[Any] = []
        self.number: dict[Any, int] = {}  # fx node or parameter id -> node
        self.parameters: list[tuple[Any, int]] = []
        self.inputs: list[int] = []
        self.eps = self.stored = DOUBLE
        self.out = -1

    @property
    def unit(self) -> float:
        """The spacing of numbers at 1 in the type of this walk."""
        return float(self.torch.finfo(self.dtype).eps) if self.dtype is not None else self.eps

    def program(self, thing: Any, notes: tuple[str, ...], eps: float) -> TorchProgram:
        program = TorchProgram(
            nodes=tuple(self.nodes),
            natives=tuple(self.natives),
            inputs=tuple(self.inputs),
            parameters=tuple(node for _, node in self.parameters),
            v_out=self.out,
            eps=eps,
            unit=self.unit,
            stored=self.stored,
            notes=notes,
            thing=thing,
            given=self.given,
            leaf_parameters=tuple(p for p, _ in self.parameters),
            default=self.dtype,
        )
        program.examine()
        return program

    def typed(self, value: Any) -> Any:
        return in_type(value, self.dtype)

    def add(self, key: Any, node: Node, value: Any) -> int:
        self.number[key] = len(self.nodes)
        self.nodes.append(node)
        self.natives.append(value)
        if node.slots:  # a coarse constant is exact; a coarse result is not
            self.eps = max(self.eps, node.eps)
        return self.number[key]

    def stores(self, value: Any) -> None:
        self.stored = max(self.stored, unit_roundoff(value))
        self.eps = max(self.eps, self.stored)

    def leaf(self, key: Any, name: str, value: Any) -> int:
        name = name.removeprefix(f"{Method.OWNER}.")
        value = self.typed(value)
        if isinstance(value, self.torch.Tensor):
            value = value.detach().clone()
        return self.add(key, Node(name, name), value)

    def parameter(self, name: str, tensor: Any) -> int:
        if id(tensor) not in self.number:
            node = self.leaf(id(tensor), name, tensor)
            if tensor.requires_grad and tensor.is_leaf:
                self.parameters.append((tensor, node))
                self.stores(tensor)
        return self.number[id(tensor)]

    def read(self) -> None:
        given = iter(self.given)
        for node in self.fx_graph.nodes:
            if node.op == "placeholder":
                tensor = next(given)
                self.leaf(node, str(node.target), tensor)
                if tensor.is_floating_point() or tensor.is_complex():
                    self.inputs.append(self.number[node])
                    self.stores(tensor)
            elif node.op == "get_attr":
                value: Any = self.root
                for part in node.target.split("."):
                    value = getattr(value, part)
                if isinstance(value, self.torch.Tensor):
                    self.number[node] = self.parameter(node.target, value)
                else:
                    self.leaf(node, node.name, value)
            elif node.op == "output":
                self.output(node)
            else:
                self.call(node)
        if self.out < 0 or not floats(self.natives[self.out]):
            raise ArgumentError(
                "backward", "a function that returns a floating tensor", "none", "return the loss"
            )

    def output(self, node: Any) -> None:
        if not isinstance(node.args[0], self.torch.fx.Node):
            raise ArgumentError(
                "backward",
                "a function that returns one tensor",
                type(node.args[0]).__name__,
                "return the loss alone",
            )
        self.out = self.number[node.args[0]]

    def call(self, node: Any) -> None:
        """Evaluate one call; it has a slot for each differentiable argument (two for ``u * u``)."""
        torch = self.torch
        where: list[int] = []  # the graph nodes of its arguments, in order, repeated where repeated
        torch.fx.node.map_arg((node.args, node.kwargs), lambda a: where.append(self.number[a]))
        function, extra, label = called(node, self.root, self.parameter, self.dtype)
        where += extra

        written = self.typed(node.args), self.typed(node.kwargs)

        def run(arguments: Sequence[Any]) -> Any:
            source = iter(arguments)
            args, kwargs = torch.fx.node.map_arg(written, lambda a: next(source))
            return function(list(source), args, kwargs)

        plain = Node(node.name, label, tuple(where), (), run)
        before = [leaves_of(floats(self.natives[u])) for u in where]
        holder = self.holder()
        value = holder.untaped(plain, [self.natives[u] for u in where])
        after = [leaves_of(floats(self.natives[u])) for u in where]
        for u, old, new in zip(where, before, after, strict=True):
            if not np.array_equal(old.flat(), new.flat(), equal_nan=True):
                self.natives[u] = holder.write(self.natives[u], old)
                raise ArgumentError(
                    "backward",
                    "free of in-place operations",
                    label,
                    "use the out-of-place form (inplace=False)",
                )
        slots = tuple(k for k, u in enumerate(where) if floats(self.natives[u]))
        if not floats(value):
            slots = ()
        custom = isinstance(node.target, Custom)
        inner = 4 if custom else 1
        if node.op == "call_module":
            inner = operations(torch, self.root.get_submodule(node.target))
        types = [unit_roundoff(t) for t in floats([value, *[self.natives[k] for k in where]])]
        eps = max(types, default=0.0)
        if self.own is not None:
            eps = self.own.nodes[len(self.nodes)].eps
        line, label = node.meta.get("line", ""), label.replace(f"{Method.OWNER}_", "")
        made = Node(node.name, label, tuple(where), slots, run, custom, inner, eps, line)
        self.add(node, made, value)

    def holder(self) -> TorchProgram:
        return TorchProgram((), (), (), (), 0, self.eps, self.eps, self.eps, default=self.dtype)
