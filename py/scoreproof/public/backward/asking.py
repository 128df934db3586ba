"""How a function of PyTorch or JAX, or the user's own gradient of it, is asked for its gradient."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import Guarded
from scoreproof.interop.frameworks import require
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Program

__all__ = ["Question", "asked", "refused"]


@dataclass(frozen=True)
class Question:
    """``gradient``: the user's own, or None for the framework's. ``given``: the user's inputs.
    ``retrace(attempt)`` reads the graph again, in another way.
    """

    framework: str
    gradient: Callable[..., Any] | None
    given: tuple[Any, ...]
    tolerance: float | None
    retrace: Callable[[int], Program]

    @property
    def who(self) -> str:
        """Whose gradient it is."""
        return "the given gradient" if self.gradient is not None else f"{self.framework}'s gradient"

    def at(self, program: Program) -> tuple[int, ...]:
        """The nodes whose gradients it returns."""
        return program.inputs if self.gradient is not None else program.sources


def refused(program: Program, question: Question) -> None:
    """Raise ``ArgumentError`` for what cannot be asked."""
    size = program.values[program.v_out].size
    if question.gradient is not None and size != 1:
        raise ArgumentError(
            "backward",
            "a function whose value is one number when gradient is given",
            f"{size}",
            "sum it",
        )
    if not program.sources:
        raise ArgumentError(
            "inputs",
            "at least one floating input or parameter",
            "none",
            "gradients are taken with respect to floating arrays",
        )


def asked(
    program: Program, question: Question, seed: Leaves, point: Sequence[Leaves] | None = None
) -> tuple[Leaves | None, list[Leaves]]:
    """``(value, gradients)`` at the given inputs, or at other ones; a user's own gradient has no
    value.
    """
    if question.gradient is None:
        return program.own(seed, point)
    guard = Guarded(question.gradient, "gradient")
    given = list(question.given)
    if point is not None:
        given = _moved(program, question, point)
    result = guard.raw(*given)
    parts = list(result) if isinstance(result, tuple | list) else [result]
    if len(parts) != len(program.inputs):
        raise ArgumentError(
            "gradient",
            f"a function that returns {len(program.inputs)} arrays, one per floating input",
            len(parts),
            "return a tuple",
        )
    out = []
    for i, (part, v) in enumerate(zip(parts, program.inputs, strict=True)):
        shape = program.values[v].arrays[0].shape
        out.append(Leaves([guard.accept(part, shape, f"the gradient of input {i}")]))
    program.rounded_to(guard.eps)
    return None, out


def _moved(program: Program, question: Question, point: Sequence[Leaves]) -> list[Any]:
    """The user's inputs with other numbers in the floating ones, in their own types."""
    if question.framework == "jax":
        tree = require("jax").tree_util
        flat, structure = tree.tree_flatten(question.given)
    else:
        flat, structure = list(question.given), None
    source = iter(point)
    moved = [_like(x, next(source).arrays[0]) if _is_floating(x) else x for x in flat]
    return list(tree.tree_unflatten(structure, moved)) if structure is not None else moved


def _is_floating(x: Any) -> bool:
    name = str(x.dtype if hasattr(x, "dtype") else np.asarray(x).dtype)
    return "float" in name or "complex" in name


def _like(x: Any, array: np.ndarray) -> Any:
    kind = type(x).__module__.split(".")[0]
    if kind == "torch":
        return require("torch").tensor(array, dtype=x.dtype)
    if kind.startswith("jax"):
        return require("jax").numpy.asarray(array, dtype=x.dtype)
    return np.asarray(array, dtype=np.asarray(x).dtype)
