"""A copy of a model in double precision: the function that its weights define, without the rounding
of the type they are kept in.

Conventions: nothing of the caller's is changed. A PyTorch module is copied; of a function, a
method, a partial or another object, the modules and tensors that it holds (in its closure, among
the globals it names, in its defaults, in its attributes), `DEPTH` things within one another. What
cannot be copied stays as it is. JAX widens by itself where it may: see `wide_jax`.
"""

from __future__ import annotations

import contextlib
import copy
import functools
import sys
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scoreproof.interop.copies import copied, parts
from scoreproof.interop.frameworks import require

__all__ = ["following", "wide_jax", "widened", "widened_together"]

#: things within things are followed so far
DEPTH = 8
#: what torch.nn.Module keeps its own parts in
OF_MODULES = ("_parameters", "_buffers", "_modules")


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
    found = widened_together(function)[0]
    return None if found is function else found


def widened_together(*things: Any) -> list[Any]:
    """Things that may hold the same modules, of the same copies of them; each one itself where it
    holds nothing of lower precision.

    >>> widened_together(None, 2.0)
    [None, 2.0]
    """
    torch = sys.modules.get("torch")  # nothing of it can be held before it was imported
    if torch is None:
        return list(things)
    walk = _Walk(torch, True)
    return [walk.of(thing, DEPTH) for thing in things]


def following(thing: Any, stands: Mapping[int, Any]) -> Any:
    """The function that ``thing`` is when the parts of an original are those of its copy."""
    torch = sys.modules.get("torch")
    if torch is None or not stands:
        return thing
    return _Walk(torch, False, dict(stands)).of(thing, DEPTH)


@dataclass(frozen=True, eq=False)
class _Walk:
    """Through all that a thing holds. ``double``: what is of lower precision is copied; in any case
    what ``seen`` names is exchanged.
    """

    torch: Any
    double: bool
    seen: dict[int, Any] = field(default_factory=dict)
    #: what was met, kept so that no id is used twice
    met: list[Any] = field(default_factory=list)

    def of(self, thing: Any, depth: int) -> Any:
        if id(thing) in self.seen:
            return self.seen[id(thing)]
        if depth == 0 or thing is None or isinstance(thing, str | bytes | int | float | type):
            return thing
        self.met.append(thing)
        self.seen[id(thing)] = thing  # of what holds itself
        made = self._made(thing, depth)
        self.seen[id(thing)] = made
        return made

    def _made(self, thing: Any, depth: int) -> Any:
        torch = self.torch
        if isinstance(thing, torch.nn.Module):
            return self._module(thing, depth) if self.double else thing
        if torch.is_tensor(thing):
            low = self.double and thing.is_floating_point() and thing.dtype != torch.float64
            return thing.detach().double() if low else thing
        if isinstance(thing, functools.partial):
            inner = self.of(thing.func, depth - 1)
            args = tuple(self.of(a, depth - 1) for a in thing.args)
            named = {k: self.of(v, depth - 1) for k, v in thing.keywords.items()}
            same = inner is thing.func and _same(args, thing.args)
            if same and _same(named.values(), thing.keywords.values()):
                return thing
            return functools.partial(inner, *args, **named)
        if isinstance(thing, types.MethodType):
            owner = self.of(thing.__self__, depth - 1)
            if owner is thing.__self__:
                return thing
            return types.MethodType(thing.__func__, owner)
        if isinstance(thing, types.MethodWrapperType):
            return getattr(self.of(thing.__self__, depth - 1), thing.__name__)
        if isinstance(thing, types.FunctionType):
            return thing if _of_library(thing) else self._function(thing, depth)
        if type(thing) in (list, tuple, dict):
            return self._container(thing, depth)
        return self._object(thing, depth)

    def _module(self, module: Any, depth: int) -> Any:
        """A deep copy in double precision, what its plain attributes hold with it."""
        torch = self.torch
        held = [*module.parameters(), *module.buffers()]
        low = any(p.is_floating_point() and p.dtype != torch.float64 for p in held)
        plain = [(m, k, v) for m in module.modules() for k, v in _plain(m)]
        if not low and all(self.of(v, depth - 1) is v for _, _, v in plain):
            return module
        made, stands = copied(module)
        if made is module:
            return module
        made.double()
        # tensors of another type are others
        self.seen.update(stands | parts(module, made))
        self.met.append(made)
        for part in made.modules():
            for name, value in _plain(part):
                vars(part)[name] = self.of(value, depth - 1)
        return made

    def _object(self, thing: Any, depth: int) -> Any:
        """A shallow copy with other attributes, if any of those is another."""
        if not hasattr(thing, "__dict__") or isinstance(thing, types.ModuleType):
            return thing
        held = vars(thing)
        other = {k: self.of(v, depth - 1) for k, v in held.items()}
        if _same(other.values(), held.values()):
            return thing
        try:
            made = copy.copy(thing)
            for name, value in other.items():
                if value is not held[name]:
                    vars(made)[name] = value
        except Exception:  # it forbids to be copied
            return thing
        return made

    def _container(self, thing: Any, depth: int) -> Any:
        if type(thing) is dict:
            new = {k: self.of(v, depth - 1) for k, v in thing.items()}
            return thing if _same(new.values(), thing.values()) else new
        items = [self.of(v, depth - 1) for v in thing]
        return thing if _same(items, thing) else type(thing)(items)

    def _function(self, f: Any, depth: int) -> Any:
        """The function with other cells, globals and defaults, if any of those is another."""
        cells = f.__closure__ or ()
        inner = [self.of(_content(c), depth - 1) for c in cells]
        kept = all(a is _content(c) for a, c in zip(inner, cells, strict=True))
        named = {n: f.__globals__[n] for n in f.__code__.co_names if n in f.__globals__}
        other = {
            n: self.of(v, depth - 1)
            for n, v in named.items()
            if not isinstance(v, type | types.ModuleType | types.BuiltinFunctionType)
        }
        changed = {n: v for n, v in other.items() if v is not named[n]}
        defaults = tuple(self.of(v, depth - 1) for v in f.__defaults__ or ())
        if kept and not changed and _same(defaults, f.__defaults__ or ()):
            return f
        pairs = zip(inner, cells, strict=True)
        made: Callable[..., Any] = types.FunctionType(
            f.__code__,
            {**f.__globals__, **changed} if changed else f.__globals__,
            f.__name__,
            defaults or None,
            tuple(c if v is _content(c) else types.CellType(v) for v, c in pairs),
        )
        made.__kwdefaults__ = f.__kwdefaults__
        return made


def _same(new: Any, old: Any) -> bool:
    return all(a is b for a, b in zip(new, old, strict=True))


def _plain(module: Any) -> list[tuple[str, Any]]:
    """Attributes that are no parts of a module to torch."""
    return [
        (k, v) for k, v in vars(module).items()
        if k not in OF_MODULES and not (k.startswith("_") and k.endswith("_hooks"))
    ]  # fmt: skip


def _content(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def _of_library(value: Any) -> bool:
    """Functions of a library hold no weights of the caller's."""
    home = (getattr(value, "__module__", None) or "").partition(".")[0]
    return isinstance(value, types.FunctionType) and home in ("torch", "numpy", "math", "scipy")
