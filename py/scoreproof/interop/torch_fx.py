"""torch.fx made to keep what matters for a backward pass: a custom ``autograd.Function`` stays one
node, with its own backward, and a module that torch.fx cannot read becomes one.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from threading import RLock
from types import FunctionType
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop.frameworks import require
from scoreproof.interop.signatures import argument_names
from scoreproof.interop.torch_program import in_type
from scoreproof.interop.torch_tracer import tracer_of, unreadable

__all__ = ["Custom", "called", "copied", "operations", "read_graph"]

CASTS = ("double", "float", "half", "bfloat16")


class Custom:
    """A call of a user's ``autograd.Function``, kept as one node of the graph."""

    def __init__(self, function: Any) -> None:
        self.function = function
        self.__name__ = function.__name__
        self.__module__ = __name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function.apply(*args, **kwargs)


class _Stand:
    """Lends its code to ``torch.autograd.Function.apply``, in whose module it then runs."""

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        _ = __class__  # type: ignore[name-defined]  # the original refers to its class: so must this
        return torch.autograd._scoreproof(cls, args, kwargs)  # type: ignore[name-defined]  # noqa: F821


_LENT = _Stand.__dict__["apply"].__func__.__code__
_TRACING = RLock()


@contextmanager
def _custom_functions_as_nodes(torch: Any) -> Iterator[None]:
    """While tracing, ``SomeFunction.apply(proxy)`` becomes a node; torch.fx would inline its
    forward and lose its backward. One trace at a time: a second one, which would put back the
    code that the first lent, waits.
    """
    with _TRACING:
        if torch.autograd.Function.__dict__["apply"].__func__.__code__ is _LENT:
            yield  # a trace inside a trace
        else:
            with _lent(torch):
                yield


@contextmanager
def _lent(torch: Any) -> Iterator[None]:
    function = torch.autograd.Function.__dict__["apply"].__func__
    code = function.__code__
    original = FunctionType(
        code, function.__globals__, code.co_name, function.__defaults__, function.__closure__
    )

    def intercepted(cls: Any, args: Any, kwargs: Any) -> Any:
        found: list[Any] = []
        torch.fx.node.map_aggregate(
            (args, kwargs), lambda a: found.append(a) if isinstance(a, torch.fx.Proxy) else None
        )
        if found:
            return found[0].tracer.create_proxy("call_function", Custom(cls), args, kwargs)
        return original(cls, *args, **kwargs)

    # the code, not the attribute: ``square = Square.apply`` was bound before
    torch.autograd._scoreproof = intercepted
    function.__code__ = _LENT
    try:
        yield
    finally:
        function.__code__ = code  # other threads may still be in the lent code: its callee stays


def read_graph(
    torch: Any, thing: Any, arguments: int, leaves: Collection[Any] = ()
) -> tuple[Any, Any, tuple[str, ...]]:
    """``(graph, root module, notes)``. A module that torch.fx cannot read becomes one node; a
    function is refused; ``leaves`` are modules that stay one node. A node's ``meta["line"]`` is
    the user's line that made it.
    """
    if thing in leaves:
        return *_one_node(torch, thing, arguments), ()
    try:
        with _custom_functions_as_nodes(torch):
            tracer = tracer_of(torch, argument_names(thing, arguments), leaves)
            whole = isinstance(thing, torch.nn.Module | FunctionType)
            graph = tracer.trace(thing if whole else lambda *args: thing(*args))
        inner = [n for n in graph.nodes if n.target is torch.autograd.grad]
        if inner:
            note = "It differentiates inside (torch.autograd.grad), so it was judged as one node."
            if not all(n.kwargs.get("create_graph") or n.args[4:5] == (True,) for n in inner):
                note += (
                    " A torch.autograd.grad in it is without create_graph=True: its result is a"
                    " constant for the backward."
                )
            return *_one_node(torch, _differentiating(torch, thing), arguments), (note,)
        return graph, tracer.root, ()
    except Exception as error:
        if not isinstance(thing, torch.nn.Module):
            got, remedy = unreadable(error)
            raise ArgumentError(
                "backward", "a function whose graph torch.fx can read", got, remedy
            ) from error
        graph, root = _one_node(torch, thing, arguments)
        got, _ = unreadable(error)
        note = f"torch.fx cannot read the module ({got}), so it was judged as one node."
        return graph, root, (note,)


def _one_node(torch: Any, module: Any, arguments: int) -> tuple[Any, Any]:
    graph, root = torch.fx.Graph(), torch.nn.Module()
    root.add_module("module", module)
    inputs = tuple(graph.placeholder(f"input_{i}") for i in range(arguments))
    graph.output(graph.call_module("module", inputs))
    return graph, root


def _differentiating(torch: Any, thing: Any) -> Any:
    """A module of a function that takes gradients of its inputs, which need a tape for that."""

    class Whole(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inside = thing

        def forward(self, *args: Any) -> Any:
            taped = torch.is_grad_enabled()
            with torch.enable_grad():
                value = self.inside(*[_needing(torch, a) for a in args])
            return value if taped else value.detach()

    return Whole()


def _needing(torch: Any, x: Any) -> Any:
    floating = isinstance(x, torch.Tensor) and (x.is_floating_point() or x.is_complex())
    return x.requires_grad_() if floating and not x.requires_grad else x


def copied(module: Any) -> Any:
    """A copy of a module; hooks on its parameters, which change gradients, are kept."""
    out = copy.deepcopy(module)
    for p, q in zip(module.parameters(), out.parameters(), strict=True):
        for hook in (getattr(p, "_backward_hooks", None) or {}).values():
            q.register_hook(hook)
    return out


def operations(torch: Any, module: Any) -> int:
    """About how many operations a module makes, if it is made of others or loops."""
    if isinstance(module, torch.nn.RNNBase):
        return 64
    inside = sum(1 for m in module.modules() if not list(m.children()))
    return 1 if not list(module.children()) else 8 * inside


def called(
    node: Any, root: Any, parameter: Callable[[str, Any], int], dtype: Any
) -> tuple[Any, list[int], str]:
    """``(own parameters, args, kwargs) -> value`` of a call, the parameters' nodes, and a
    readable label.
    """
    torch = require("torch")
    shown = ", ".join(_shown(a) for a in node.args)
    if node.op == "call_module":
        module = root.get_submodule(node.target)
        names = [n for n, _ in module.named_parameters()]
        every = sum(1 for _ in module.named_modules(remove_duplicate=False))
        shared = every > sum(1 for _ in module.modules())
        extra = [parameter(f"{node.target}.{n}", p) for n, p in module.named_parameters()]

        def run(own: list[Any], args: Any, kwargs: Any) -> Any:
            state = dict(zip(names, own, strict=True))
            # clones: batch statistics that a call updates are not the user's
            state |= {n: in_type(b, dtype).clone() for n, b in module.named_buffers()}
            # of a module that is in there twice torch would not put back what it replaced
            return torch.func.functional_call(module, state, args, kwargs, tie_weights=not shared)

        return run, extra, f"{node.name} = {type(module).__name__}({shown})"
    target = node.target
    if node.op == "call_method":
        cast = dtype is not None and target in CASTS

        def method(own: list[Any], args: Any, kwargs: Any) -> Any:
            if cast:
                return args[0].to(dtype)
            return getattr(args[0], target)(*args[1:], **kwargs)

        return method, [], f"{node.name} = .{target}({shown})"
    apply = ".apply" if isinstance(target, Custom) else ""
    title = getattr(target, "__name__", str(target)) + apply

    def call(own: list[Any], args: Any, kwargs: Any) -> Any:
        return target(*args, **kwargs)

    return call, [], f"{node.name} = {title}({shown})"


def _shown(argument: Any) -> str:
    """An argument as its author called it (torch.fx writes names in small letters)."""
    return str(argument.target if getattr(argument, "op", "") == "placeholder" else argument)
