"""A PyTorch module as it is: its parameters put to others for one call, its gradients where it
leaves them.

Conventions: parameters are those with ``requires_grad``; a shared one counts once, by its first
name. Frozen ones and buffers stay, in the type of the call. Nothing of the module is changed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import require
from scoreproof.interop.torch_buffers import put_back
from scoreproof.public.log_likelihood_gradient.chosen import chosen, type_of
from scoreproof.public.log_likelihood_gradient.holding import Held, Returned, asked_alive
from scoreproof.public.log_likelihood_gradient.leaves import Leaves
from scoreproof.public.log_likelihood_gradient.trees import is_tree, walked

__all__ = ["Module", "is_module"]


def is_module(value: Any) -> bool:
    """A ``torch.nn.Module``; torch is imported by whoever made one."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


class Module(Held):
    """``others``: modules that are used with it, as the field is; ``only``: the parameters in which
    the gradient is taken, if not all, by the names that the user has for them.
    """

    framework = "torch"

    def __init__(
        self, module: Any, others: list[Any], only: Mapping[str, Any] | None = None
    ) -> None:
        self.params, self.detached = module, set()
        trained = {n: v for n, v in module.named_parameters() if v.requires_grad}
        if not trained and only is None:
            raise ArgumentError(
                "params",
                "a module with parameters that require a gradient",
                f"{type(module).__name__}, all of whose parameters are frozen",
                "call requires_grad_() on those that are trained",
            )
        self.live: dict[str, Any] = chosen(trained if only is None else dict(only), "torch")
        self.leaves = Leaves((n, tuple(v.shape)) for n, v in self.live.items())
        self.flat = np.concatenate([as_numpy(v).astype(float).ravel() for v in self.live.values()])
        kind = type_of(self.live)
        self.dtype = None if kind == "float64" else kind
        #: every module that is used, once: a shared one stands at several places
        self._modules = list(
            {id(m): m for held in (module, *others) for m in held.modules()}.values()
        )
        pairs = zip(self.live.values(), self.leaves, strict=True)
        self._places = {id(v): leaf for v, leaf in pairs}
        if only is None:
            frozen = {n: v for n, v in module.named_parameters() if not v.requires_grad}
            self.frozen = {n: v.numel() for n, v in frozen.items()}
        self._every = list(module.named_parameters(remove_duplicate=False))

    def under(self, p: Any, call: Callable[[Any], Any]) -> Any:
        def put(v: Any) -> Any:
            leaf = self._places.get(id(v))
            if leaf is not None:
                return p[leaf.place].reshape(leaf.shape)
            other = v.detach().clone()
            return other.to(p.dtype) if other.is_floating_point() else other

        with _put(self._modules, put):
            return call(self.params)

    def asked(self, call: Callable[[Any], Any], p: Any) -> Returned:
        with ExitStack() as kept:
            for m in self._modules:
                kept.enter_context(put_back(m) if m._buffers else nullcontext())
            return asked_alive(self.live, lambda: call(self.params))

    def named(self, answer: Any) -> dict[str, Any] | None:
        """A dictionary by name, nested or not; a list in the order of ``parameters()``."""
        if isinstance(answer, list | tuple) and not hasattr(answer, "_fields"):
            return self._in_order(answer)
        if not is_tree(answer):
            return None
        found = dict(walked(answer, "torch"))
        first = {id(v): n for n, v in self.live.items()}
        for name, v in self._every:  # a shared parameter by another of its names
            mine = first.get(id(v))
            if name in found and name not in self.live:
                same = found.pop(name)
                if mine is not None and found.get(mine) is None:
                    found[mine] = same
        return found

    def _in_order(self, answer: Any) -> dict[str, Any]:
        values = list(answer)
        if len(values) == len(self.live):
            return dict(zip(self.live, values, strict=True))
        every = [n for n, _ in self.params.named_parameters()]
        if len(values) == len(every):  # frozen ones among them
            return {n: v for n, v in zip(every, values, strict=True) if n in self.live}
        names = list(self.live)
        missing = names[len(values)] if len(values) < len(names) else names[-1]
        raise ArgumentError(
            "gradient",
            f"a function that returns one array for each of the {len(names)} parameters, in their"
            f" order ({', '.join(names[:3])}{', …' if len(names) > 3 else ''})",
            f"{len(values)} arrays, so that "
            + ("nothing is for " if len(values) < len(names) else "more than one follows ")
            + missing,
            "return list(torch.autograd.grad(log_p.sum(), module.parameters())), or a dict by name",
        )


@contextmanager
def _put(modules: list[Any], put: Callable[[Any], Any]) -> Iterator[None]:
    """Every tensor of the modules replaced: parameters, buffers and plain attributes; a tensor that
    stands at several places by one.
    """
    torch = require("torch")
    before: list[tuple[dict[str, Any], str, Any]] = []
    known: dict[int, Any] = {}
    for m in modules:
        for held in (m._parameters, m._buffers, vars(m)):
            before += [(held, name, v) for name, v in held.items() if torch.is_tensor(v)]
    try:
        for held, name, v in before:
            if id(v) not in known:
                known[id(v)] = put(v)
            held[name] = known[id(v)]
        yield
    finally:
        for held, name, v in before:
            held[name] = v
