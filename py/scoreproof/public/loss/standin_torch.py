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
        x, when = shaped(script, *told(args, kwargs))
        if x.requires_grad:
            raise DifferentiatedError
        call = recorded(script, x, when)
        out = torch.tensor(script.answer, dtype=x.dtype, requires_grad=torch.is_grad_enabled())
        call.leaf = out if out.requires_grad else None
        if kwargs.get("return_dict") is False:
            return (out,)
        # a copy is handed out, so that code which writes into an answer does not spoil the leaf
        given: Any = out.clone() if out.requires_grad else out
        given.sample = given  # as diffusers' networks answer
        return given
