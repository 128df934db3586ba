"""In which array library a callable is written, read off what made it and what its code names."""

from __future__ import annotations

import dis
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["library_of"]

#: package -> the library whose arrays it works on
FAMILIES = {
    **dict.fromkeys(("torch", "pyro", "zuko", "normflows", "nflows", "torchdiffeq"), "torch"),
    **dict.fromkeys(("jax", "jaxlib", "equinox", "flax", "haiku", "diffrax"), "jax"),
    **dict.fromkeys(("distrax", "flowjax", "chex", "optax"), "jax"),
}
OF_JAX = "tensorflow_probability.substrates.jax"
#: methods of tensors alone, of those that people call
OF_TENSORS = frozenset(
    ("exp", "log", "pow", "clamp", "clamp_min", "sqrt", "rsqrt", "sigmoid", "tanh", "log1p")
    + ("expm1", "softmax", "logsumexp", "unsqueeze", "detach", "chunk", "norm", "abs", "square")
    + ("requires_grad_", "numel", "new_zeros", "new_ones", "masked_fill", "expand", "cpu")
)
#: methods of an object that are what it does
CALLED = ("__call__", "forward")
#: how far functions that call functions are followed
DEEP = 3


def library_of(thing: Any) -> str:
    """ "torch" or "jax" where something of it is used, else "numpy".

    >>> import numpy as np
    >>> library_of(lambda model, x0: np.exp(model(x0))), library_of(lambda mu: mu.exp())
    ('numpy', 'torch')
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
    codes: list[types.CodeType] = []
    while todo:
        code = todo.pop()
        codes.append(code)
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
    yield from ("torch" for c in codes if _by_methods(c, function.__globals__))


def _called(step: dis.Instruction) -> bool:
    """Whether an attribute is loaded to be called, ``x.log()``, and not as a value, ``cfg.log``."""
    if sys.version_info >= (3, 12):
        return step.arg is not None and bool(step.arg & 1)
    return step.opname == "LOAD_METHOD"


def _by_methods(code: types.CodeType, names: Mapping[str, Any]) -> bool:
    """Whether something is called by a method that tensors have and NumPy's arrays have not:
    ``x.exp()``, not ``np.exp(x)``.
    """
    owner: Any = None  # the module whose attribute is taken, if it is one
    for step in dis.get_instructions(code):
        if step.opname in ("LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF"):
            owner = names.get(step.argval)
        elif step.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            method = step.argval in OF_TENSORS and not isinstance(owner, types.ModuleType)
            if method and _called(step):
                return True
            owner = getattr(owner, str(step.argval), None)
        elif step.opname not in ("PRECALL", "CACHE", "PUSH_NULL", "EXTENDED_ARG"):
            owner = None
    return False
