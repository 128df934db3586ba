"""The nodes of a JAX graph, run one by one: values, and the products that JAX's backward uses
(``jax.vjp`` through the one equation, ``custom_vjp`` and ``custom_jvp`` included).
"""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import require
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Node, Program, Pull

__all__ = ["JaxProgram", "differentiable", "floating", "in_x64"]


def in_x64() -> Any:
    """A context in which JAX has double precision."""
    jax = require("jax")
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    return importlib.import_module("jax.experimental").enable_x64()  # older versions


def floating(x: Any) -> bool:
    """Whether an array is real and floating (bfloat16 is)."""
    kind = getattr(x, "dtype", None)
    return kind is not None and bool(require("jax").numpy.issubdtype(kind, np.floating))


def differentiable(x: Any) -> bool:
    """Whether an array is floating or complex."""
    kind = getattr(x, "dtype", None)
    return kind is not None and bool(require("jax").numpy.issubdtype(kind, np.inexact))


def _parts(native: Any) -> list[Any]:
    return [x for x in (native if isinstance(native, tuple) else (native,)) if differentiable(x)]


def _guarded(label: str, step: Callable[[], Any]) -> Any:
    try:
        return step()
    except Exception as error:
        raise CallableError(
            label,
            "return normally",
            f"it raised {type(error).__name__}: {error}",
            "differentiate it once by hand",
        ) from error


def _pairs(native: Any, cotangent: Any) -> list[tuple[Any, Any]]:
    if isinstance(native, tuple):
        return list(zip(native, cotangent, strict=True))
    return [(native, cotangent)]


def _to_real(x: Any, sign: int = 1) -> np.ndarray:
    array = as_numpy(x)
    if array.dtype.kind == "c":
        array = np.stack([array.real, sign * array.imag], axis=-1)
    return np.array(array, dtype=float)


def _from_real(array: np.ndarray, like: Any, sign: int = 1) -> Any:
    jax = require("jax")
    if jax.numpy.issubdtype(like.dtype, np.complexfloating):
        array = array[..., 0] + sign * 1j * array[..., 1]
    return jax.numpy.asarray(array, dtype=like.dtype)


@dataclass
class JaxProgram(Program):
    """``called(*flat)`` is the user's function; ``x64``: whether the nodes are run with it on."""

    called: Callable[..., Any] = lambda: None
    flat: tuple[Any, ...] = ()
    x64: bool = False

    def context(self) -> Any:
        return in_x64() if self.x64 else contextlib.nullcontext()

    def read(self, native: Any) -> Leaves:
        return Leaves([_to_real(x) for x in _parts(native)])

    def write(self, native: Any, leaves: Leaves) -> Any:
        source = iter(leaves.arrays)
        with self.context():
            out = tuple(
                _from_real(next(source), x) if differentiable(x) else x
                for x in (native if isinstance(native, tuple) else (native,))
            )
        return out if isinstance(native, tuple) else out[0]

    def untaped(self, node: Node, arguments: Sequence[Any]) -> Any:
        assert node.run is not None
        with self.context():
            return node.run(arguments)

    def taped(self, node: Node, arguments: Sequence[Any]) -> tuple[Any, Pull]:
        jax, run = require("jax"), node.run
        assert run is not None
        at = [arguments[k] for k in node.slots]

        def of_floats(*moving: Any) -> tuple[Any, Any]:
            full = list(arguments)
            for k, x in zip(node.slots, moving, strict=True):
                full[k] = x
            value = run(full)
            return tuple(_parts(value)), value

        label = f"the backward of {node.label}"
        with self.context():
            outputs, back, value = _guarded(label, lambda: jax.vjp(of_floats, *at, has_aux=True))

        def pull(g: Leaves) -> list[Leaves]:
            # JAX's cotangents of complex numbers are conjugate to the gradient as a vector
            with self.context():
                seeds = tuple(_from_real(a, o, -1) for a, o in zip(g.arrays, outputs, strict=True))
                found = _guarded(label, lambda: back(seeds))
            # integers of a tuple (the counter of a loop) have cotangents without numbers
            return [
                Leaves([_to_real(part, -1) for a, part in _pairs(x, g) if differentiable(a)])
                for x, g in zip(at, found, strict=True)
            ]

        return value, pull

    def own(
        self, seed: Leaves, sources: Sequence[Leaves] | None = None
    ) -> tuple[Leaves, list[Leaves]]:
        jax = require("jax")
        with in_x64() if self.eps <= np.finfo(float).eps else contextlib.nullcontext():
            flat = list(self.flat)
            moving = [i for i, x in enumerate(flat) if floating(x)]
            if sources is not None:
                for i, x in zip(moving, sources, strict=True):
                    flat[i] = _from_real(x.arrays[0], flat[i])

            def of_floats(*floats: Any) -> Any:
                full = list(flat)
                for i, x in zip(moving, floats, strict=True):
                    full[i] = x
                return jax.tree_util.tree_leaves(self.called(*full))[0]

            label = "the backward of the whole function"
            value, back = _guarded(label, lambda: jax.vjp(of_floats, *[flat[i] for i in moving]))
            grads = _guarded(label, lambda: back(_from_real(seed.arrays[0], value)))
        return Leaves([_to_real(value)]), [Leaves([_to_real(g)]) for g in grads]
