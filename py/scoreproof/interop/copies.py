"""A deep copy of what holds a model, and which part of the copy stands for which of the original.

Conventions: parts are known by their ids, for as long as the original lives. PyTorch is not
imported here; nothing of it can be held before it was.
"""

from __future__ import annotations

import copy
import sys
import types
from typing import Any

__all__ = ["copied", "parts"]


def copied(thing: Any) -> tuple[Any, dict[int, Any]]:
    """A deep copy of an object, or of a method that of its object, and what of the copy stands for
    which part of the original, by its id; the thing itself where it cannot be copied.
    """
    if isinstance(thing, types.FunctionType | types.BuiltinFunctionType | type):
        return thing, {}
    owner: Any = thing.__self__ if isinstance(thing, types.MethodType) else thing
    try:
        if type(owner).__name__ == "_InverseTransform":  # what it is the inverse of is not copied
            made = copy.deepcopy(owner.inv).inv
        else:
            made = copy.deepcopy(owner, _held_fixed(owner))
    except Exception:  # caches with weak references, generators
        return thing, {}
    stands = {id(owner): made, **parts(owner, made)}
    return (made if owner is thing else getattr(made, thing.__name__)), stands


def _held_fixed(owner: Any) -> dict[int, Any]:
    """The memo of a deep copy: tensors that were computed from others, which torch does not copy,
    are those numbers.
    """
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(owner, torch.nn.Module):
        return {}
    kept: dict[int, Any] = {}
    for part in owner.modules():
        for value in vars(part).values():
            several = value.values() if isinstance(value, dict) else value
            for one in several if isinstance(value, list | tuple | dict) else (value,):
                if torch.is_tensor(one) and not one.is_leaf:
                    kept[id(one)] = one.detach().clone()
    return kept


def parts(owner: Any, made: Any) -> dict[int, Any]:
    """Modules, parameters and buffers of a copied module, by the ids of the original's."""
    torch = sys.modules.get("torch")
    if torch is None or not isinstance(owner, torch.nn.Module):
        return {}
    found: dict[int, Any] = {}
    for kind in ("modules", "parameters", "buffers"):
        pairs = zip(getattr(owner, kind)(), getattr(made, kind)(), strict=True)
        found |= {id(a): b for a, b in pairs}
    return found
