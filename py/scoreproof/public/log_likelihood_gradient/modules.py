"""A PyTorch module as it is: its parameters put to others for one call, its gradients where it
leaves them.

Conventions: parameters are those with ``requires_grad``; a shared one counts once, by its first
name. Frozen ones and buffers stay, in the type of the call. Nothing of the module is changed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
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
        torch = require("torch")
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
        self._shell = _shell(torch, [module, *others])
        names = {id(v): n for n, v in self._shell.named_parameters()}
        pairs = zip(self.live.values(), self.leaves, strict=True)
        self._places = {names[id(v)]: leaf for v, leaf in pairs}
        self._every = list(module.named_parameters(remove_duplicate=False))

    def under(self, p: Any, call: Callable[[Any], Any]) -> Any:
        shell = self._shell
        put: dict[str, Any] = {}
        for name, v in (*shell.named_parameters(), *shell.named_buffers()):
            leaf = self._places.get(name)
            if leaf is not None:
                put[name] = p[leaf.place].reshape(leaf.shape)
            else:
                other = v.detach().clone()
                put[name] = other.to(p.dtype) if other.is_floating_point() else other
        with _attributes(shell, p.dtype):
            return require("torch").func.functional_call(shell, put, (lambda: call(self.params),))

    def asked(self, call: Callable[[Any], Any], p: Any) -> Returned:
        with put_back(self._shell):
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


def _shell(torch: Any, modules: list[Any]) -> Any:
    """A module that holds them and calls whatever it is given: ``functional_call`` on it puts the
    parameters of all, wherever they are used.
    """
    shell = torch.nn.Module()
    kept: list[Any] = []
    for module in modules:
        if not any(module is m for m in kept):
            shell.add_module(f"held{len(kept)}", module)
            kept.append(module)
    shell.forward = lambda call: call()
    return shell


@contextmanager
def _attributes(shell: Any, dtype: Any) -> Iterator[None]:
    """Tensors that are plain attributes of the modules, in the type of the call."""
    torch = require("torch")
    before = [
        (m, name, v)
        for m in shell.modules()
        for name, v in vars(m).items()
        if torch.is_tensor(v) and v.is_floating_point() and v.dtype != dtype
    ]
    for m, name, v in before:
        vars(m)[name] = v.to(dtype)
    try:
        yield
    finally:
        for m, name, v in before:
            vars(m)[name] = v
