"""Which leaves of a tree are parameters, and what each must be: an array of one floating type.

Conventions: what is no array is static and stays as it is. Whole numbers in a plain container are
an error, as they are to ``jax.grad``; in an object of a class of its own they are static.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy
from scoreproof.public.log_likelihood_gradient.trees import classes_of, is_array, walked

__all__ = ["chosen", "type_of"]


def chosen(tree: Any, framework: str) -> dict[str, Any]:
    """The leaves that are parameters by their names; raises ``ArgumentError`` naming a leaf."""
    found: dict[str, Any] = {}
    classes = classes_of(tree, framework)
    # equinox differentiates arrays: plain numbers are settings there, and not parameters
    filtered = any(b.__module__.split(".")[0] == "equinox" for c in classes for b in c.__mro__)
    for name, leaf in walked(tree, framework):
        if "Uninitialized" in type(leaf).__name__:  # it has no shape to look at
            mend = "call the module once before"
            raise _refused(name, "of a known shape", "not initialised", mend)
        if leaf is None or not (is_array(leaf) or isinstance(leaf, int | float | complex)):
            continue
        if isinstance(leaf, bool) or _strange(leaf):
            continue
        kind = "c" if isinstance(leaf, complex) else _kind(leaf)
        if kind == "c":
            raise _refused(name, "real", _shown(leaf), "pass its real and imaginary parts")
        if kind != "f" and classes:
            continue
        if filtered and isinstance(leaf, float):
            continue
        if kind != "f":
            mend = "make it floating, or keep it out of params: it has no gradient"
            raise _refused(name, "of a floating type", _shown(leaf), mend)
        _judged(name, leaf)
        if name in found:
            mend = "give its leaves names that differ"
            raise _refused(name, "the only one of this name", "two of them", mend)
        found[name] = leaf
    if not found:
        raise ArgumentError(
            "params",
            "an array, or a tree of arrays (a dict, a list, a module), of floating type",
            f"{type(tree).__name__} without any",
            "pass the parameters in which the gradient is taken",
        )
    type_of(found)
    _once(found)
    return found


def _judged(name: str, leaf: Any) -> None:
    if int(np.prod(leaf.shape if is_array(leaf) else (), dtype=int)) == 0:
        raise _refused(name, "non-empty", _shown(leaf), "leave it out of params")
    values = np.asarray(as_numpy(leaf), dtype=float)
    if not np.all(np.isfinite(values)):
        bad = values[~np.isfinite(values)].ravel()[0]
        raise _refused(name, "finite", bad, "look at what made it so")


def type_of(leaves: dict[str, Any]) -> str | None:
    """The one floating type of the arrays, by its name; ``None`` where all are plain numbers."""
    first: tuple[str, str] | None = None
    for name, leaf in leaves.items():
        if isinstance(leaf, float):  # a plain number takes the type of the others
            continue
        kind = str(leaf.dtype).removeprefix("torch.")
        if first is not None and kind != first[1]:
            expected = f"of the type of the others ({first[0]} is {first[1]})"
            raise _refused(name, expected, kind, "cast all leaves to one floating type")
        first = first or (name, kind)
    return None if first is None else first[1]


def _once(leaves: dict[str, Any]) -> None:
    """A tensor that is two leaves has one gradient: that of both places together."""
    seen: dict[int, str] = {}
    for name, leaf in leaves.items():
        if not hasattr(leaf, "requires_grad"):  # only PyTorch's tensors are what they are by place
            continue
        if id(leaf) in seen:
            raise _refused(
                name,
                "a parameter of its own",
                f"the same tensor as {seen[id(leaf)]}",
                "pass a shared parameter once, or the module itself",
            )
        seen[id(leaf)] = name


def _refused(name: str, expected: str, got: object, mend: str) -> ArgumentError:
    return ArgumentError(f"the leaf {name} of params", expected, got, mend)


def _shown(leaf: Any) -> str:
    if not is_array(leaf):
        return repr(leaf)
    return f"{str(leaf.dtype).removeprefix('torch.')} of shape {tuple(leaf.shape)}"


def _kind(leaf: Any) -> str:
    """``f``, ``c`` or another letter, as NumPy has them."""
    if isinstance(leaf, int | float):
        return "f" if isinstance(leaf, float) else "i"
    name = str(leaf.dtype).removeprefix("torch.")
    return "f" if "float" in name else "c" if "complex" in name else "i"


def _strange(leaf: Any) -> bool:
    """A key of jax's random numbers, text, an object."""
    if not is_array(leaf):
        return False
    name = str(leaf.dtype)
    return (
        name.startswith("key<")
        or getattr(leaf.dtype, "kind", "f") in "OUSV"
        and ("float" not in name)
    )
