"""A gradient in the form of the parameters as rows of a flat vector.

Conventions: an answer is flat already, ``(P,)``, ``(1, P)`` or ``(n, P)``, or has the leaves of the
parameters, each ``S`` (the sum over the rows) or ``(n, *S)``, in a tree or in ``.grad``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.public.log_likelihood_gradient.holding import Held
from scoreproof.public.log_likelihood_gradient.leaves import Leaf, Leaves
from scoreproof.public.log_likelihood_gradient.trees import is_array, is_tree

__all__ = ["flat_rows"]


def flat_rows(answer: Any, left: Mapping[str, Any] | None, held: Held, n: int) -> Any:
    """``left``: what the call left in ``.grad``, which counts where it returned nothing else."""
    leaves = held.leaves
    if left is not None and (answer is None or not is_tree(answer) and len(np.shape(answer)) == 0):
        return _joined(dict(left), leaves, held, n)
    if leaves.plain:
        return answer
    named = held.named(answer)
    if named is None:
        if answer is None:
            raise CallableError(
                "gradient",
                "return the gradient, or leave it in .grad",
                "it returned None and left no .grad",
                "return it, or call backward() on the sum of log p̂",
            )
        whole = as_numpy(answer)
        if whole.shape in ((leaves.size,), (1, leaves.size), (n, leaves.size)):
            return whole
        if len(leaves) > 1 or leaves.all[0].name != "params":
            raise ArgumentError(
                "gradient",
                f"a function that returns a gradient for each of the {len(leaves)} leaves of"
                f" params ({leaves.all[0].name}, …), or one of shape ({n}, {leaves.size}) or"
                f" ({leaves.size},)",
                f"an array of shape {whole.shape}",
                "return it in the form of params",
            )
        named = {"params": answer}
    return _joined(named, leaves, held, n)


def _joined(named: dict[str, Any], leaves: Leaves, held: Held, n: int) -> np.ndarray:
    for leaf in leaves:
        if leaf.name not in named:
            raise CallableError(
                "gradient",
                "return a gradient for every leaf of params",
                f"{leaf.name} is missing: there are {_some(named)}",
                "return it in the form of params, None where a leaf gets none",
            )
    for name, value in named.items():
        number = is_array(value) or isinstance(value, (int, float)) and not isinstance(value, bool)
        if name not in leaves.by_name and number and not _static(name, held):
            raise CallableError(
                "gradient",
                "return the leaves of params",
                f"{name} is none of them",
                f"params has {_some(leaves.by_name)}",
            )
    arrays = [(leaf, _array(leaf, named[leaf.name])) for leaf in leaves]
    rows: dict[int | None, str] = {}
    for leaf, array in arrays:
        if array is not None:
            rows.setdefault(_rows(leaf, array, n), leaf.name)
    if not rows:
        many = None
    elif len(rows) > 1:
        (one, first), (two, second) = list(rows.items())[:2]
        raise CallableError(
            "gradient",
            "return every leaf by rows, or every leaf summed over them",
            f"{first} {_told(one)} and {second} {_told(two)}",
            "sum all of them, or none",
        )
    else:
        many = next(iter(rows))
    held.detached |= {leaf.name for leaf, array in arrays if array is None}
    parts = [
        np.zeros((many or 1, leaf.stop - leaf.start))
        if array is None
        else array.reshape(many or 1, -1)
        for leaf, array in arrays
    ]
    whole = np.concatenate(parts, axis=1)
    return whole[0] if many is None else whole


def _told(rows: int | None) -> str:
    return "is summed over the rows" if rows is None else f"has {rows} row{'s' * (rows != 1)}"


def _some(names: Any) -> str:
    listed = [str(n) for n in names]
    return ", ".join(listed[:4]) + (", …" if len(listed) > 4 else "")


def _static(name: str, held: Held) -> bool:
    """Whether it stands in the parameters, as what has no gradient."""
    named = held.named(held.params) or {}
    return name in named


def _array(leaf: Leaf, value: Any) -> np.ndarray | None:
    """The gradient of a leaf as an array; ``None`` where there is none."""
    if value is None or str(getattr(value, "dtype", "")) == "[('float0', 'V')]":
        return None
    if hasattr(value, "is_sparse") and value.is_sparse:
        value = value.to_dense()
    try:
        array = as_numpy(value)
    except Exception as error:
        raise _not_numbers(leaf, type(value).__name__) from error
    if array.dtype.kind not in "fiub":
        raise _not_numbers(leaf, f"{type(value).__name__} of dtype {array.dtype}")
    bad = np.argwhere(~np.isfinite(array))
    if bad.size:
        at = f"[{', '.join(map(str, bad[0].tolist()))}]" if array.ndim else ""
        raise CallableError(
            "gradient",
            "return finite numbers",
            f"{leaf.name}{at} is {array[tuple(bad[0])]}",
            "look for an overflow, or a root or a norm at 0",
        )
    return array


def _not_numbers(leaf: Leaf, got: str) -> CallableError:
    return CallableError(
        "gradient", f"return an array of numbers for {leaf.name}", got, "return floats"
    )


def _rows(leaf: Leaf, array: np.ndarray, n: int) -> int | None:
    """``None``: summed over the rows."""
    if array.shape == leaf.shape:
        return None
    if array.shape in ((n, *leaf.shape), (1, *leaf.shape)):
        return array.shape[0]
    turned = array.shape[-len(leaf.shape) :] == leaf.shape[::-1] and len(leaf.shape) > 1
    raise CallableError(
        "gradient",
        f"return for {leaf.name} the shape {leaf.shape}, or {(n, *leaf.shape)} by rows",
        f"it returned {array.shape}" + (": is it transposed?" if turned else ""),
        "return the gradient of each leaf in the leaf's own shape",
    )
