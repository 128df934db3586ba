"""In which array library a callable is written, read off what made it and what its code names."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

__all__ = ["library_of"]

#: package -> the library whose arrays it works on
FAMILIES = {
    **dict.fromkeys(("torch", "pyro", "zuko", "normflows", "nflows", "torchdiffeq"), "torch"),
    **dict.fromkeys(("jax", "jaxlib", "equinox", "flax", "haiku", "diffrax"), "jax"),
    **dict.fromkeys(("distrax", "flowjax", "chex", "optax"), "jax"),
}
OF_JAX = "tensorflow_probability.substrates.jax"
#: methods of an object that are what it does
CALLED = ("__call__", "forward")
#: how far functions that call functions are followed
DEEP = 3


def library_of(thing: Any) -> str:
    """ "torch" or "jax" where something of it is used, else "numpy".

    >>> import numpy as np
    >>> library_of(lambda model, x0: np.mean(model(x0)))
    'numpy'
    """
    return next(_found(thing, DEEP, set()), "numpy")


def _found(thing: Any, depth: int, seen: set[int]) -> Iterator[str]:
    if id(thing) in seen or depth < 0:
        return
    seen.add(id(thing))
    kinds = thing.__mro__ if isinstance(thing, type) else type(thing).__mro__
    homes = [getattr(k, "__module__", "") or "" for k in kinds]
    if isinstance(thing, types.ModuleType):
        homes = [thing.__name__]
    for home in homes:
        package = "jax" if home.startswith(OF_JAX) else home.partition(".")[0]
        if package in FAMILIES:
            yield FAMILIES[package]
    holder = getattr(thing, "__self__", None)
    if holder is not None and not isinstance(holder, types.ModuleType):
        yield from _found(holder, depth - 1, seen)
    inner = getattr(thing, "func", None)  # functools.partial
    if inner is not None:
        yield from _found(inner, depth, seen)
    methods = vars(thing).values() if isinstance(thing, type) else ()
    calls = () if isinstance(thing, type) else [getattr(type(thing), n, None) for n in CALLED]
    for function in (thing, getattr(thing, "__func__", None), *methods, *calls):
        if isinstance(function, types.FunctionType):
            yield from _used(function, depth, seen)
    code = type | types.ModuleType | types.FunctionType
    if hasattr(thing, "__dict__") and not isinstance(thing, code):
        yield from (k for v in vars(thing).values() for k in _found(v, 0, seen))


def _used(function: types.FunctionType, depth: int, seen: set[int]) -> Iterator[str]:
    """Of what a function's code, and the code in it, names."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    todo: list[types.CodeType] = [function.__code__]
    while todo:
        code = todo.pop()
        todo += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        for name in (*code.co_names, *code.co_freevars):
            if name in FAMILIES:
                yield FAMILIES[name]
            value = function.__globals__.get(name)
            if value is None and name in cells:
                try:
                    value = cells[name].cell_contents
                except ValueError:  # not there yet
                    continue
            if value is not None:
                yield from _found(value, depth - 1, seen)
