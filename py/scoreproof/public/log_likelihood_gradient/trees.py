"""Trees of arrays without flattening by hand: what a leaf is called, and the same tree with others.

Conventions: dictionaries, lists, tuples, named tuples and dataclasses in the order in which they
are written (NumPy, PyTorch); in JAX whatever ``jax.tree_util`` knows, in its order. ``None`` and
what is no array (a function, a string, a flag) is static: it stays where it is.
"""

from __future__ import annotations

import copy
import dataclasses
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from scoreproof.interop.frameworks import require

__all__ = ["classes_of", "framework_of", "is_array", "is_tree", "rebuilt", "walked"]

Named = tuple[str, Any]


def is_array(value: Any) -> bool:
    """An array of any framework, or a NumPy scalar; an element of a type of jax's own, too."""
    return hasattr(value, "dtype") and hasattr(value, "shape")


def _children(tree: Any) -> list[tuple[Any, Any]] | None:
    """The keys and values of a container; ``None`` for a leaf."""
    if isinstance(tree, Mapping):
        return list(tree.items())
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return list(zip(tree._fields, tree, strict=True))
    if isinstance(tree, list | tuple):
        return list(enumerate(tree))
    if dataclasses.is_dataclass(tree) and not isinstance(tree, type):
        return [(f.name, getattr(tree, f.name)) for f in dataclasses.fields(tree)]
    return None


def is_tree(value: Any) -> bool:
    """A container, or an object that jax knows as one."""
    if _children(value) is not None:
        return True
    return not is_array(value) and _jax_node(value)


def _jax_node(value: Any) -> bool:
    if "jax" not in sys.modules or value is None or callable(value) and isinstance(value, type):
        return False
    return not require("jax").tree_util.all_leaves([value])


def _inner(tree: Any, framework: str) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Paths and leaves; nothing is left out, ``None`` neither."""
    if framework == "jax":
        util = require("jax").tree_util
        found = util.tree_flatten_with_path(tree, is_leaf=lambda v: v is None)[0]
        for path, leaf in found:
            yield tuple(_key(k) for k in path), leaf
        return
    children = _children(tree)
    if children is None:
        yield (), tree
        return
    for key, value in children:
        for path, leaf in _inner(value, framework):
            yield (key, *path), leaf


def _key(entry: Any) -> Any:
    """What jax's key entries hold, each kind by another name."""
    return next((getattr(entry, a) for a in ("key", "idx", "name") if hasattr(entry, a)), entry)


def walked(tree: Any, framework: str) -> list[Named]:
    """Every leaf with its name: ``layers.0.weight``; ``params.0`` where a list is the whole.

    >>> import numpy as np
    >>> [n for n, _ in walked({"w": np.zeros(2), "b": [1.0, None]}, "numpy")]
    ['w', 'b.0', 'b.1']
    """
    found = []
    for path, leaf in _inner(tree, framework):
        # a variable of flax's holds its array as `value`
        steps = path[:-1] if len(path) > 1 and path[-1] in ("value", "raw_value") else path
        name = ".".join(str(p) for p in steps)
        if not steps or isinstance(steps[0], int):
            name = f"params.{name}" if name else "params"
        found.append((name, leaf))
    return found


def rebuilt(tree: Any, framework: str, replace: Callable[[str, Any], Any]) -> Any:
    """The same tree with ``replace(name, leaf)`` for each leaf."""
    names = iter([name for name, _ in walked(tree, framework)])
    if framework == "jax":
        util = require("jax").tree_util
        leaves, structure = util.tree_flatten(tree, is_leaf=lambda v: v is None)
        return util.tree_unflatten(structure, [replace(next(names), v) for v in leaves])

    def made(node: Any) -> Any:
        children = _children(node)
        if children is None:
            return replace(next(names), node)
        values = [(key, made(value)) for key, value in children]
        if isinstance(node, Mapping):
            return type(node)(values) if isinstance(node, dict) else dict(values)
        if isinstance(node, tuple) and hasattr(node, "_fields"):
            return type(node)(*(v for _, v in values))
        if isinstance(node, list | tuple):
            return type(node)(v for _, v in values)
        other = copy.copy(node)
        for key, value in values:
            object.__setattr__(other, key, value)
        return other

    return made(tree)


def framework_of(tree: Any) -> str:
    """What a tree's arrays are of: ``torch`` or ``jax`` where any leaf is, else ``numpy``."""
    leaves = [leaf for _, leaf in _inner(tree, "numpy")]
    torch = sys.modules.get("torch")
    if torch is not None and any(isinstance(v, torch.Tensor) for v in leaves):
        return "torch"
    jax = sys.modules.get("jax")
    if jax is not None:
        leaves += jax.tree_util.tree_leaves(tree)
        if any(isinstance(v, jax.Array) for v in leaves):
            return "jax"
    return "numpy"


def classes_of(tree: Any, framework: str) -> set[type]:
    """The classes of the nodes that are no plain containers: they may hold what is static."""
    found: set[type] = set()
    if framework != "jax":
        nodes = [tree]
        while nodes:
            node = nodes.pop()
            children = _children(node)
            if children is not None:
                nodes += [value for _, value in children]
                if not isinstance(node, Mapping | list | tuple):
                    found.add(type(node))
        return found
    for path, _ in require("jax").tree_util.tree_flatten_with_path(tree)[0]:
        node = tree
        for step in path:
            if node is not None and not isinstance(node, Mapping | list | tuple):
                found.add(type(node))
            node = _under(node, step)
    return found


def _under(node: Any, step: Any) -> Any:
    """What a step of a path leads to; ``None`` where that is not said."""
    try:
        return getattr(node, step.name) if hasattr(step, "name") else node[_key(step)]
    except Exception:  # a class that flattens into what it does not show
        return None
