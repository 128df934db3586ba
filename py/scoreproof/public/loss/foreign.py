"""Networks of PyTorch that run inside of a loss beside the model that it is given.

Conventions: a network is a module with parameters of its own; the model, and what only holds it, is
none.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from torch.nn.modules.module import register_module_forward_pre_hook

from scoreproof.public.loss.standin_torch import TorchModel

__all__ = ["networks_seen"]


@contextmanager
def networks_seen() -> Iterator[set[str]]:
    """The names of their classes, while it lasts."""
    seen: set[str] = set()

    def note(module: Any, given: Any) -> None:
        own = next(module.parameters(recurse=False), None)
        if own is not None and not isinstance(module, TorchModel):
            seen.add(type(module).__name__)

    handle = register_module_forward_pre_hook(note)
    try:
        yield seen
    finally:
        handle.remove()
