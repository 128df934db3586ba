"""The stand-in for PyTorch: a module whose answers are leaves that want a gradient."""

from __future__ import annotations

from typing import Any, cast

import torch

from scoreproof.public.loss.standin import DifferentiatedError, Script, recorded, shaped, told

__all__ = ["TorchModel"]


class TorchModel(torch.nn.Module):
    """``model(x, t, …)``; it has one parameter, for code that asks where its network is."""

    def __init__(self, script: Script) -> None:
        super().__init__()
        object.__setattr__(self, "_script", script)
        self.nothing = torch.nn.Parameter(torch.zeros(1, dtype=torch.float32))
        for name, value in script.attributes().items():
            setattr(self, name, value)

    @property
    def device(self) -> Any:
        return torch.device("cpu")

    @property
    def dtype(self) -> Any:
        return torch.get_default_dtype()

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        script: Script = cast(Any, self)._script
        x, when = told(args, kwargs)
        if any(_differentiated(a) for a in (x, when)):
            # of an x that is made of its answer, or forward (torch.func.jvp)
            forward = bool(script.calls) or not all(_plain(a) for a in (x, when))
            forward = forward or not _differentiated(x)
            raise DifferentiatedError(forward)
        x, when = shaped(script, x, when)
        answer = script.answer
        call = recorded(script, x, when)
        # of a copy that is frozen (an EMA, a teacher) nothing is trained
        wanted = torch.is_grad_enabled() and self.nothing.requires_grad
        out = torch.tensor(answer, dtype=x.dtype, requires_grad=wanted)
        call.leaf = out if out.requires_grad else None
        if kwargs.get("return_dict") is False:
            return (out,)
        # a copy is handed out, so that code which writes into an answer does not spoil the leaf
        given: Any = out.clone() if out.requires_grad else out
        given.sample = given  # as diffusers' networks answer
        if kwargs.get("return_logvar"):  # EDM2's, whose u(σ) is 0 here
            return given, torch.zeros(len(answer), *[1] * (answer.ndim - 1), dtype=x.dtype)
        return given


def _differentiated(value: Any) -> bool:
    """Not of parameters alone, as a learned schedule, or an encoder, has them."""
    if not isinstance(value, torch.Tensor):
        return False
    if not _plain(value):
        return True
    return any(not isinstance(a, torch.nn.Parameter) for a in _leaves(value))


def _leaves(value: Any) -> list[Any]:
    """The tensors that want a gradient, of which it is made."""
    if not value.requires_grad:
        return []
    if value.grad_fn is None:
        return [value]
    found, seen, left = [], set(), [value.grad_fn]
    while left:
        node = left.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if hasattr(node, "variable"):
            found.append(node.variable)
        left += [k for k, _ in node.next_functions]
    return found


def _plain(value: Any) -> bool:
    """Whether it is not differentiated in forward, or as a function."""
    if not isinstance(value, torch.Tensor):
        return True
    inside = cast(Any, torch)._C._functorch
    if inside.is_functorch_wrapped_tensor(value):
        return bool(inside.is_batchedtensor(value))
    return torch.autograd.forward_ad.unpack_dual(value).tangent is None
