"""The computation graph of a PyTorch module or function, read by torch.fx, with the products of
every node.

Backward products are torch's own (``torch.autograd.grad`` through the one node: the rule that
``loss.backward()`` runs, custom ``autograd.Function`` included). Forward products are
``torch.func.jvp`` through the node's function; for a custom ``autograd.Function`` through the code
of its ``forward``, so that its ``backward`` has no say in them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.frameworks import require
from scoreproof.interop.traced import Leaves, SlotMap, TracedGraph, difference_jvp, same_value
from scoreproof.objects.graphs import Graph

__all__ = ["trace"]


class _Custom:
    """A call of a user's ``autograd.Function``, kept as one node of the graph."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.__name__ = function.__name__
        self.__module__ = __name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function.apply(*args, **kwargs)

    def primal(self, *args: Any, **kwargs: Any) -> Any:
        """The code of ``forward``, without its ``backward``."""
        from torch.autograd.function import _is_setup_context_defined

        if _is_setup_context_defined(self.function.setup_context):
            return self.function.forward(*args, **kwargs)
        return self.function.forward(_Context(), *args, **kwargs)


class _Context:
    """Takes whatever a ``forward`` stores for its ``backward``."""

    needs_input_grad = (True,) * 64

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *args, **kwargs: None


@contextmanager
def _custom_functions_as_nodes(torch: Any) -> Iterator[None]:
    """While tracing, ``SomeFunction.apply(proxy)`` becomes a node; torch.fx would inline its
    forward and lose its backward.
    """
    original = torch.autograd.Function.__dict__["apply"]

    def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
        found: list[Any] = []
        torch.fx.node.map_aggregate(
            (args, kwargs), lambda a: found.append(a) if isinstance(a, torch.fx.Proxy) else None
        )
        if found:
            return found[0].tracer.create_proxy("call_function", _Custom(cls), args, kwargs)
        return original.__func__(cls, *args, **kwargs)

    torch.autograd.Function.apply = classmethod(apply)
    try:
        yield
    finally:
        torch.autograd.Function.apply = original


def _read(torch: Any, thing: Any, arguments: int) -> tuple[Any, Any, tuple[str, ...]]:
    """``(graph, root module, notes)``. A module that torch.fx cannot read becomes one node; a
    function is refused.
    """
    try:
        with _custom_functions_as_nodes(torch):
            tracer = torch.fx.Tracer()
            graph = tracer.trace(thing)
        return graph, tracer.root, ()
    except Exception as error:
        reason = f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}"
        if not isinstance(thing, torch.nn.Module):
            raise ArgumentError(
                "backward",
                "traceable by torch.fx",
                reason,
                "control flow must not depend on tensor values; pass the nn.Module itself where"
                " parameters belong to one",
            ) from error
        graph, root = torch.fx.Graph(), torch.nn.Module()
        root.add_module("module", thing)
        graph.output(
            graph.call_module(
                "module", tuple(graph.placeholder(f"input_{i}") for i in range(arguments))
            )
        )
        return (
            graph,
            root,
            (f"torch.fx cannot read the module ({reason}), so it was judged as one node.",),
        )


def trace(thing: Any, inputs: Sequence[Any]) -> TracedGraph:
    """Read the graph of ``thing(*inputs)``: an ``nn.Module`` (copied first) or a function of
    tensors.

    ``inputs`` are tensors, or arrays, which become float64 tensors. Sources are the floating
    inputs, then the parameters that require a gradient. A module that torch.fx cannot read is one
    node. Raises ``ArgumentError`` where torch.fx cannot read a function, or a node works in place,
    ``CallableError`` where a node raises or is random, ``MissingExtraError`` without torch. The
    function is called twice: to read it, and for torch's gradient.
    """
    torch = require("torch")
    thing = copy.deepcopy(thing) if isinstance(thing, torch.nn.Module) else thing
    given = [
        x.detach().clone() if isinstance(x, torch.Tensor) else torch.tensor(np.asarray(x))
        for x in inputs
    ]
    graph, root, notes = _read(torch, thing, len(given))
    return _Reader(torch, thing, graph, root, given, notes).read()


class _Reader:
    """Walks the fx graph once, evaluating node by node and making one slot per differentiable
    argument.
    """

    def __init__(
        self,
        torch: Any,
        thing: Any,
        graph: Any,
        root: Any,
        given: list[Any],
        notes: tuple[str, ...],
    ) -> None:
        self.notes = notes
        self.torch, self.thing, self.fx_graph, self.root, self.given = (
            torch,
            thing,
            graph,
            root,
            given,
        )
        self.values: list[Any] = []  # per node: what it returned (any nest of tensors)
        self.leaves: list[Leaves] = []
        self.names: list[str] = []
        self.labels: list[str] = []
        self.edges: list[tuple[int, int]] = []
        self.slots: list[SlotMap] = []
        self.number: dict[Any, int] = {}  # fx node or parameter id -> node
        self.parameters: list[tuple[Any, int]] = []
        self.inputs: list[tuple[Any, int]] = []
        self.eps = float(np.finfo(float).eps)

    # -- tensors <-> leaves
    def floats(self, value: Any) -> list[Any]:
        flat, _ = self.torch.utils._pytree.tree_flatten(value)
        return [x for x in flat if isinstance(x, self.torch.Tensor) and x.is_floating_point()]

    def to_leaves(self, tensors: Sequence[Any]) -> Leaves:
        return Leaves([t.detach().cpu().numpy() for t in tensors])

    def with_floats(self, value: Any, replacements: Sequence[Any]) -> Any:
        flat, spec = self.torch.utils._pytree.tree_flatten(value)
        source = iter(replacements)
        flat = [
            next(source) if isinstance(x, self.torch.Tensor) and x.is_floating_point() else x
            for x in flat
        ]
        return self.torch.utils._pytree.tree_unflatten(flat, spec)

    def add(self, key: Any, name: str, label: str, value: Any) -> int:
        node = len(self.values)
        self.number[key] = node
        self.values.append(value)
        tensors = self.floats(value)
        self.eps = max([self.eps, *[float(self.torch.finfo(t.dtype).eps) for t in tensors]])
        self.leaves.append(
            Leaves([a.copy() for a in self.to_leaves(tensors).arrays])
        )  # a copy: in-place operations show
        self.names.append(name)
        self.labels.append(label)
        return node

    def parameter(self, name: str, tensor: Any) -> int:
        if id(tensor) not in self.number:
            node = self.add(id(tensor), name, name, tensor.detach())
            if tensor.requires_grad:
                self.parameters.append((tensor, node))
        return self.number[id(tensor)]

    def read(self) -> TracedGraph:
        torch, given = self.torch, iter(self.given)
        out = None
        for node in self.fx_graph.nodes:
            if node.op == "placeholder":
                try:
                    tensor = next(given)
                except StopIteration:
                    if node.args:  # a default value
                        self.add(node, node.name, node.name, node.args[0])
                        continue
                    raise ArgumentError(
                        "inputs",
                        "one example per argument of the function",
                        f"{len(self.given)}",
                        "add the missing ones",
                    ) from None
                self.add(node, node.name, node.name, tensor)
                if tensor.is_floating_point():
                    self.inputs.append((tensor, self.number[node]))
            elif node.op == "get_attr":
                value: Any = self.root
                for part in node.target.split("."):
                    value = getattr(value, part)
                if isinstance(value, torch.Tensor):
                    self.number[node] = self.parameter(node.target, value)
                else:
                    self.add(node, node.name, node.name, value)
            elif node.op == "output":
                if not isinstance(node.args[0], torch.fx.Node):
                    raise ArgumentError(
                        "backward",
                        "a function that returns one tensor",
                        type(node.args[0]).__name__,
                        "return the loss alone",
                    )
                out = self.number[node.args[0]]
            else:
                self.call(node)
        if next(given, None) is not None:
            raise ArgumentError(
                "inputs",
                "one example per argument of the function",
                f"{len(self.given)}",
                "drop the extra ones",
            )
        if out is None or not self.leaves[out].arrays:
            raise ArgumentError(
                "backward", "a function that returns a floating tensor", "none", "return the loss"
            )
        return self.finish(out)

    def finish(self, out: int) -> TracedGraph:
        torch = self.torch
        leaves = [*self.inputs, *self.parameters]

        def gradient(seed: Leaves) -> list[Leaves]:
            inputs = [x.detach().clone().requires_grad_(x.is_floating_point()) for x in self.given]
            floating = [x for x in inputs if x.is_floating_point()]
            wanted = [*floating, *[p for p, _ in self.parameters]]
            result = self.thing(*inputs)
            seeds = [torch.as_tensor(a) for a in seed.arrays]
            if not wanted:
                return []
            found = torch.autograd.grad(self.floats(result), wanted, seeds, allow_unused=True)
            return [
                self.to_leaves([torch.zeros_like(w) if g is None else g])
                for g, w in zip(found, wanted, strict=True)
            ]

        return TracedGraph(
            Graph(len(self.values), tuple(self.edges), tuple(self.names)),
            tuple(self.labels),
            tuple(self.slots),
            tuple(self.leaves),
            tuple(node for _, node in leaves),
            tuple(node for _, node in self.inputs),
            out,
            self.eps,
            gradient,
            self.notes,
        )

    def call(self, node: Any) -> None:
        """Evaluate one call and make a slot for each of its differentiable arguments (twice for ``u
        * u``).
        """
        torch = self.torch
        where: list[int] = []  # the graph nodes of its arguments, in order, repeated where repeated
        torch.fx.node.map_arg((node.args, node.kwargs), lambda a: where.append(self.number[a]))
        function, extra, label = self.function(node)
        where += extra

        def evaluate(arguments: Sequence[Any], primal: bool = False) -> Any:
            source = iter(arguments)
            args, kwargs = torch.fx.node.map_arg((node.args, node.kwargs), lambda a: next(source))
            return function(list(source), args, kwargs, primal)

        current = [self.values[u] for u in where]
        with torch.no_grad():
            value = self.guard(label, lambda: evaluate(current))
        self.refuse_inplace(label, where)
        me = self.add(node, node.name, label, value)
        differentiable = [k for k, u in enumerate(where) if self.leaves[u].arrays]
        if not self.leaves[me].arrays or not differentiable:
            return
        # the node's own tape, made once: its arguments as leaves, one per occurrence
        taped = [
            self.with_floats(v, [t.detach().clone().requires_grad_() for t in self.floats(v)])
            for v in current
        ]
        with torch.enable_grad():
            result = self.guard(label, lambda: evaluate(taped))
        outputs = self.floats(result)
        same_value(label, self.leaves[me], self.to_leaves(outputs), self.eps)
        for k in differentiable:
            self.edges.append((where[k], me))
            self.slots.append(
                self.slot(label, evaluate, current, k, self.floats(taped[k]), outputs)
            )

    def slot(
        self,
        label: str,
        evaluate: Callable[..., Any],
        current: list[Any],
        k: int,
        arguments: list[Any],
        outputs: list[Any],
    ) -> SlotMap:
        torch = self.torch
        live = [o for o in outputs if o.requires_grad]

        def pull(gradient: Leaves) -> Leaves:
            seeds = [
                torch.tensor(a)
                for a, o in zip(gradient.arrays, outputs, strict=True)
                if o.requires_grad
            ]
            if not live:
                return Leaves([np.zeros_like(t.detach().numpy()) for t in arguments])

            def run() -> Any:
                return torch.autograd.grad(
                    live, arguments, seeds, retain_graph=True, allow_unused=True
                )

            found = self.guard(f"the backward of {label}", run)
            return self.to_leaves(
                [
                    torch.zeros_like(t) if g is None else g
                    for g, t in zip(found, arguments, strict=True)
                ]
            )

        def of_argument(*tensors: Any, primal: bool = True) -> tuple[Any, ...]:
            arguments = list(current)
            arguments[k] = self.with_floats(current[k], tensors)
            return tuple(self.floats(evaluate(arguments, primal)))

        here = tuple(t.detach() for t in self.floats(current[k]))

        def exact(tangent: Leaves) -> Leaves:
            return self.to_leaves(
                torch.func.jvp(of_argument, here, tuple(torch.tensor(a) for a in tangent.arrays))[1]
            )

        x = self.to_leaves(here)
        try:
            exact(Leaves([np.ones_like(a) for a in x.arrays]))
        # no forward mode (NumPy code or a compiled kernel inside): differences, with their error
        except Exception:
            plain, at, eps = self.plain(evaluate, current, k)
            return SlotMap(
                pull,
                lambda t: difference_jvp(plain, at, t, eps)[0],
                lambda t: difference_jvp(plain, at, t, eps)[1],
            )
        return SlotMap(pull, exact)

    def plain(
        self, evaluate: Callable[..., Any], current: list[Any], k: int
    ) -> tuple[Callable[[Leaves], Leaves], Leaves, float]:
        """The node as a function of argument k alone, where it is now, and its unit roundoff: in
        double precision if it takes that.
        """
        torch = self.torch

        def of(values: list[Any]) -> Callable[[Leaves], Leaves]:
            def run(x: Leaves) -> Leaves:
                arguments = list(values)
                like = self.floats(values[k])
                arguments[k] = self.with_floats(
                    values[k],
                    [torch.tensor(a, dtype=v.dtype) for a, v in zip(x.arrays, like, strict=True)],
                )
                with torch.no_grad():
                    return self.to_leaves(self.floats(evaluate(arguments)))

            return run

        doubled = [
            self.with_floats(v, [t.detach().double() for t in self.floats(v)]) for v in current
        ]
        for values, eps in ((doubled, float(np.finfo(float).eps)), (current, self.eps)):
            at = self.to_leaves(self.floats(values[k]))
            try:
                if all(a.dtype == np.float64 for a in of(values)(at).arrays) or values is current:
                    return of(values), at, eps
            except Exception:  # it insists on its own dtype
                if values is current:
                    raise
        raise AssertionError("one of the two returns")

    def function(self, node: Any) -> tuple[Callable[..., Any], list[int], str]:
        """``(own parameters, args, kwargs, primal) -> value`` of a call, the parameters' nodes, and
        a readable label.
        """
        torch = self.torch
        shown = ", ".join(str(a) for a in node.args)
        if node.op == "call_module":
            module = self.root.get_submodule(node.target)
            named = [(n, p) for n, p in module.named_parameters()]
            extra = [self.parameter(f"{node.target}.{n}", p) for n, p in named]

            def run(own: list[Any], args: Any, kwargs: Any, primal: bool) -> Any:
                return torch.func.functional_call(
                    module, {n: p for (n, _), p in zip(named, own, strict=True)}, args, kwargs
                )

            return run, extra, f"{node.name} = {type(module).__name__}({shown})"
        if node.op == "call_method":
            return (
                (
                    lambda own, args, kwargs, primal: getattr(args[0], node.target)(
                        *args[1:], **kwargs
                    )
                ),
                [],
                f"{node.name} = .{node.target}({shown})",
            )
        target = node.target
        title = getattr(target, "__name__", str(target)) + (
            ".apply" if isinstance(target, _Custom) else ""
        )

        def call(own: list[Any], args: Any, kwargs: Any, primal: bool) -> Any:
            return (
                target.primal(*args, **kwargs)
                if primal and isinstance(target, _Custom)
                else target(*args, **kwargs)
            )

        return call, [], f"{node.name} = {title}({shown})"

    def refuse_inplace(self, label: str, where: list[int]) -> None:
        for u in where:
            tensors = self.floats(self.values[u])
            if any(
                not np.array_equal(t, a, equal_nan=True)
                for t, a in zip(self.to_leaves(tensors).arrays, self.leaves[u].arrays, strict=True)
            ):
                raise ArgumentError(
                    "backward",
                    "free of in-place operations",
                    label,
                    "use the out-of-place form (inplace=False)",
                )

    @staticmethod
    def guard(label: str, run: Callable[[], Any]) -> Any:
        try:
            return run()
        except Exception as error:
            if "in-place" in str(error):
                raise ArgumentError(
                    "backward",
                    "free of in-place operations",
                    label,
                    "use the out-of-place form (inplace=False)",
                ) from error
            raise CallableError(
                label,
                "return normally",
                f"it raised {type(error).__name__}: {error}",
                "run the function once by hand",
            ) from error
