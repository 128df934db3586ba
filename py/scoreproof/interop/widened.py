"""A copy of a model in double precision: the function that its weights define, without the rounding
of the type they are kept in.

Conventions: nothing of the caller's is changed. A PyTorch module is copied; of a function, a method
or a partial, the modules and tensors that it holds (in its closure, among the globals it names, in
its defaults). JAX widens by itself where it may: see `wide_jax`.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import sys
import types
from collections.abc import Callable
from typing import Any

from scoreproof.interop.frameworks import require

__all__ = ["wide_jax", "widened"]

#: functions within functions are followed so far
DEPTH = 4


def wide_jax(framework: str, dtype: Any) -> Any:
    """A context in which JAX computes in double precision, where the caller names no type."""
    if framework != "jax" or dtype is not None:
        return contextlib.nullcontext()
    jax = require("jax")
    if jax.config.jax_enable_x64:
        return contextlib.nullcontext()
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    return require("jax.experimental").enable_x64()  # older versions


def widened(function: Any) -> Any | None:
    """The same function of double-precision copies of what it holds; ``None`` where it holds
    nothing of lower precision (or is no code of PyTorch's).

    >>> widened(lambda x: 2 * x) is None
    True
    """
    torch = sys.modules.get("torch")  # nothing of it can be held before it was imported
    if torch is None:
        return None
    found = _wide(torch, function, DEPTH, {})
    return None if found is function else found


def _wide(torch: Any, thing: Any, depth: int, seen: dict[int, Any]) -> Any:
    if id(thing) in seen:
        return seen[id(thing)]
    made = thing
    if isinstance(thing, torch.nn.Module):
        made = _module(torch, thing)
    elif torch.is_tensor(thing):
        low = thing.is_floating_point() and thing.dtype != torch.float64
        made = thing.detach().double() if low else thing
    elif depth == 0:
        return thing
    elif isinstance(thing, functools.partial):
        inner = _wide(torch, thing.func, depth - 1, seen)
        args = tuple(_wide(torch, a, depth - 1, seen) for a in thing.args)
        named = {k: _wide(torch, v, depth - 1, seen) for k, v in thing.keywords.items()}
        same = inner is thing.func and _same(args, thing.args)
        if not (same and _same(named.values(), thing.keywords.values())):
            made = functools.partial(inner, *args, **named)
    elif isinstance(thing, types.MethodType):
        owner = _wide(torch, thing.__self__, depth - 1, seen)
        if owner is not thing.__self__:
            made = getattr(owner, thing.__name__)
    elif isinstance(thing, types.FunctionType):
        made = _function(torch, thing, depth, seen)
    elif type(thing) in (list, tuple, dict):
        made = _container(torch, thing, depth, seen)
    seen[id(thing)] = made
    return made


def _same(new: Any, old: Any) -> bool:
    return all(a is b for a, b in zip(new, old, strict=True))


def _module(torch: Any, module: Any) -> Any:
    """A deep copy in double precision, plain attributes that are tensors with it."""
    held = [*module.parameters(), *module.buffers()]
    plain = [v for m in module.modules() for v in vars(m).values() if torch.is_tensor(v)]
    low = [p for p in (*held, *plain) if p.is_floating_point() and p.dtype != torch.float64]
    if not low:
        return module
    made = copy.deepcopy(module).double()
    for part in made.modules():
        for name, value in list(vars(part).items()):
            if torch.is_tensor(value) and value.is_floating_point():
                setattr(part, name, value.double())
    return made


def _container(torch: Any, thing: Any, depth: int, seen: dict[int, Any]) -> Any:
    if type(thing) is dict:
        new = {k: _wide(torch, v, depth - 1, seen) for k, v in thing.items()}
        return thing if _same(new.values(), thing.values()) else new
    items = [_wide(torch, v, depth - 1, seen) for v in thing]
    return thing if _same(items, thing) else type(thing)(items)


def _function(torch: Any, f: Any, depth: int, seen: dict[int, Any]) -> Any:
    """The function with other cells, globals and defaults, if any of those is to be widened."""
    cells = f.__closure__ or ()
    inner = [_wide(torch, _content(c), depth - 1, seen) for c in cells]
    kept = all(a is _content(c) for a, c in zip(inner, cells, strict=True))
    named = {n: f.__globals__[n] for n in f.__code__.co_names if n in f.__globals__}
    other = {
        n: _wide(torch, v, depth - 1, seen)
        for n, v in named.items()
        if not isinstance(v, type | types.ModuleType | types.BuiltinFunctionType)
        and not _of_library(v)
    }
    changed = {n: v for n, v in other.items() if v is not named[n]}
    defaults = tuple(_wide(torch, v, depth - 1, seen) for v in f.__defaults__ or ())
    if kept and not changed and _same(defaults, f.__defaults__ or ()):
        return f
    made: Callable[..., Any] = types.FunctionType(
        f.__code__,
        {**f.__globals__, **changed} if changed else f.__globals__,
        f.__name__,
        defaults or None,
        tuple(
            c if v is _content(c) else types.CellType(v) for v, c in zip(inner, cells, strict=True)
        ),
    )
    made.__kwdefaults__ = f.__kwdefaults__
    return made


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _of_library(value: Any) -> bool:
    """Functions of a library hold no weights of the caller's."""
    home = (getattr(value, "__module__", None) or "").partition(".")[0]
    return isinstance(value, types.FunctionType) and home in ("torch", "numpy", "math", "scipy")
