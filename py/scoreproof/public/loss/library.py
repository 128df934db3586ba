"""In which array library a loss is written, read off the names that its code uses."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

__all__ = ["library_of"]

LIBRARIES = ("torch", "jax")
#: how far functions that call functions are followed
DEEP = 3


def library_of(loss: Any) -> str:
    """ "torch" or "jax" where something of it is used, else "numpy".

    >>> import numpy as np
    >>> library_of(lambda model, x0: np.mean(model(x0)))
    'numpy'
    """
    return next(_found(loss, DEEP, set()), "numpy")


def _found(thing: Any, depth: int, seen: set[int]) -> Iterator[str]:
    if id(thing) in seen or depth < 0:
        return
    seen.add(id(thing))
    kinds = thing.__mro__ if isinstance(thing, type) else type(thing).__mro__
    homes = [getattr(k, "__module__", "") or "" for k in kinds]
    if isinstance(thing, types.ModuleType):
        homes = [thing.__name__]
    for home in homes:
        if home.split(".")[0].removesuffix("lib") in LIBRARIES:
            yield home.split(".")[0].removesuffix("lib")
    holder = getattr(thing, "__self__", None)
    if holder is not None and not isinstance(holder, types.ModuleType):
        yield from _found(holder, depth - 1, seen)
        yield from (
            (k for v in vars(holder).values() for k in _found(v, 0, seen))
            if hasattr(holder, "__dict__")
            else ()
        )
    inner = getattr(thing, "func", None)  # functools.partial
    if inner is not None:
        yield from _found(inner, depth, seen)
    methods = vars(thing).values() if isinstance(thing, type) else ()
    call = None if isinstance(thing, type) else vars(type(thing)).get("__call__")
    for function in (thing, getattr(thing, "__func__", None), *methods, call):
        if isinstance(function, types.FunctionType):
            yield from _used(function, depth, seen)


def _used(function: types.FunctionType, depth: int, seen: set[int]) -> Iterator[str]:
    """Of what a function's code, and the code in it, names."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    todo: list[types.CodeType] = [function.__code__]
    while todo:
        code = todo.pop()
        todo += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        for name in (*code.co_names, *code.co_freevars):
            if name in LIBRARIES:
                yield name
            value = function.__globals__.get(name)
            if value is None and name in cells:
                try:
                    value = cells[name].cell_contents
                except ValueError:  # not there yet
                    continue
            if value is not None:
                yield from _found(value, depth - 1, seen)
