"""Constants that the caller's functions hold in float32 or less: what their rounding may change.

Conventions: a weight, a learned rate or a schedule's number that is kept in float32 is the one that
was meant to a unit in the last place of that type, however precisely it is computed with.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from scoreproof.evidence import Evidence

__all__ = ["AS_ROUNDED", "as_rounded", "coarsest", "of_rounding"]

#: things within things are followed so far, and so many of them
DEPTH, MANY = 6, 2000
#: units in the last place, relative to the terms, that a deviation of rounding may be
UNITS = 64
EPS = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
#: modules whose objects are no numbers of the caller's
LIBRARIES = ("numpy", "torch", "jax", "jaxlib", "equinox", "scipy", "builtins")
AS_ROUNDED = (
    "The drift, the diffusion or the density holds numbers in float32 or less, and what is left is"
    " no more than their rounding: it is judged to that, and not to double precision. Keep them in"
    " float64 (.double(), jax_enable_x64, np.float64) for a finer verdict."
)


def coarsest(*functions: Any) -> float:
    """The unit in the last place of the coarsest floating type that they hold; 0 where all is in
    double precision.

    >>> import numpy as np
    >>> rate = np.float32(0.7)
    >>> coarsest(lambda x, t: -rate * x) == 2.0**-23, coarsest(lambda x, t: -x)
    (True, 0.0)
    """
    seen: dict[int, Any] = {}
    worst = 0.0
    open_ = [(f, DEPTH) for f in functions]
    while open_ and len(seen) < MANY:
        thing, depth = open_.pop()
        if id(thing) in seen:
            continue
        seen[id(thing)] = thing
        worst = max(worst, _own(thing))
        if depth:
            open_ += [(part, depth - 1) for part in _parts(thing)]
    return worst


def of_rounding(evidence: Evidence, eps: float) -> bool:
    """Whether it was refuted by a deviation as small as that rounding may be."""
    return evidence.verdict == "refuted" and bool(eps) and evidence.value <= UNITS * eps


def as_rounded(evidence: Evidence) -> Evidence:
    """A verdict to that precision, and why it is none to a finer one."""
    return replace(evidence, notes=(*evidence.notes, AS_ROUNDED))


def _own(thing: Any) -> float:
    if isinstance(thing, types.CodeType):
        said = (*thing.co_names, *(c for c in thing.co_consts if isinstance(c, str)))
        return max((EPS.get(name, 0.0) for name in said), default=0.0)
    if isinstance(thing, type | types.ModuleType | types.FunctionType):
        return 0.0
    try:
        dtype = getattr(thing, "dtype", None)
    except Exception:  # an object of the caller's that does not say
        return 0.0
    return 0.0 if dtype is None else EPS.get(str(dtype).removeprefix("torch."), 0.0)


def _parts(thing: Any) -> Iterator[Any]:
    if isinstance(thing, functools.partial):
        yield from (thing.func, *thing.args, *thing.keywords.values())
    elif isinstance(thing, types.MethodType):
        yield from (thing.__self__, thing.__func__)
    elif isinstance(thing, types.FunctionType):
        if _of_library(thing.__module__):
            return
        yield thing.__code__
        yield from thing.__defaults__ or ()
        yield from (thing.__kwdefaults__ or {}).values()
        for cell in thing.__closure__ or ():
            try:
                yield cell.cell_contents
            except ValueError:  # not filled yet
                continue
        for name in _names(thing.__code__):
            if name in thing.__globals__:
                yield thing.__globals__[name]
    elif isinstance(thing, types.CodeType):
        yield from (c for c in thing.co_consts if isinstance(c, types.CodeType))
    elif isinstance(thing, list | tuple | set):
        yield from list(thing)[:MANY]
    elif isinstance(thing, dict):
        yield from list(thing.values())[:MANY]
    elif not isinstance(thing, type | types.ModuleType) and hasattr(thing, "__dict__"):
        yield from list(vars(thing).values())
        kind = vars(type(thing))
        call = kind.get("forward", kind.get("__call__"))
        if isinstance(call, types.FunctionType):
            yield call


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for c in code.co_consts:
        if isinstance(c, types.CodeType):
            yield from _names(c)


def _of_library(module: str | None) -> bool:
    return (module or "").split(".")[0] in LIBRARIES
