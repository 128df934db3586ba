"""How torch.fx is made to read a function: one placeholder an example input, the user's lines kept,
methods of modules with the module's parameters; and what it cannot read, in words.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Collection, Sequence
from typing import Any

from scoreproof.interop.signatures import source_line

__all__ = ["Method", "tracer_of", "unreadable"]

#: What stands in an exception of torch.fx, what it means, and what helps.
_REFUSALS = (
    (
        "used as inputs to control flow",
        "an if or a while that asks for the value of a tensor",
        "torch.where and masks do without it; or put the part into an autograd.Function or an"
        " nn.Module and pass the module",
    ),
    (
        "not installed as a submodule",
        "a module that the function calls but does not receive",
        "pass the nn.Module itself, with a forward that returns what is to be differentiated",
    ),
    (
        "item assignment",
        "an assignment into a tensor, x[i] = …",
        "use torch.where, or torch.stack of the parts",
    ),
    ("'len'", "len(x) of a tensor", "write x.shape[0]"),
    (
        "cannot be iterated",
        "a loop over a tensor, or *tensor",
        "loop over range(n) and index, or use x.unbind()",
    ),
    (
        "__array_struct__",
        "a NumPy function of a tensor",
        "use the function of torch, torch.sin for numpy.sin",
    ),
    (
        "Proxy",
        "a tensor turned into a number, an array or a shape (float(x), x.item(), np.…(x), len(x))",
        "stay in torch, and write sizes as numbers",
    ),
)


def unreadable(error: Exception) -> tuple[str, str]:
    """What stands in the way, and what helps."""
    text = str(error)
    for part, got, remedy in _REFUSALS:
        if part in text:
            return got, remedy
    first = text.splitlines()[0] if text else ""
    return (
        f"{type(error).__name__}: {first}" if first else type(error).__name__,
        "torch.fx calls the function once with stand-ins for the tensors; it must not depend on"
        " their values",
    )


def tracer_of(torch: Any, names: Sequence[str], leaves: Collection[Any] = ()) -> Any:
    """Makes one placeholder for each example input, whatever the signature, and keeps the lines;
    ``leaves`` are modules that stay one node.
    """

    class Tracer(torch.fx.Tracer):  # type: ignore[misc]
        def create_args_for_root(
            self, root_fn: Any, is_module: bool, concrete_args: Any = None
        ) -> tuple[Any, list[Any]]:
            given = [self.create_proxy("placeholder", name, (), {}) for name in names]
            return root_fn, [self.root, *given] if is_module else given

        def is_leaf_module(self, m: Any, module_qualified_name: str) -> bool:
            return m in leaves or bool(super().is_leaf_module(m, module_qualified_name))

        def create_node(self, *args: Any, **kwargs: Any) -> Any:
            node = super().create_node(*args, **kwargs)
            node.meta["line"] = _line(torch)
            return node

    return Tracer()


def _line(torch: Any) -> str:
    """The user's line that is being run."""
    frame = sys._getframe(1)
    inside = (os.path.dirname(torch.__file__), os.path.dirname(os.path.dirname(__file__)))
    while frame is not None and frame.f_code.co_filename.startswith(inside):
        frame = frame.f_back  # type: ignore[assignment]
    if frame is None:
        return ""
    return source_line(frame.f_code.co_filename, frame.f_lineno)


class Method:
    """Makes a module of a method of one, so that the owner's parameters are read."""

    OWNER = "_owner_"

    @classmethod
    def of(cls, torch: Any, owner: Any, method: Any) -> Any:
        """A module whose forward is ``method(owner, ...)``."""

        class Bound(torch.nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.add_module(cls.OWNER, owner)

            def forward(self, *args: Any) -> Any:
                return method(getattr(self, cls.OWNER), *args)

        Bound.forward.__signature__ = inspect.signature(method)  # type: ignore[attr-defined]
        return Bound()
