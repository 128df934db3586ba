"""The shape of what the function returned, and what it says of the batch and the coordinates.

Conventions: one number a law, unless the batch is reduced; one a coordinate, if ``dims="none"``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws

__all__ = ["Reduced", "Unsummed", "coordinates", "shaped"]


class Reduced(CallableError):
    """One number came back for a batch of laws."""


class Unsummed(CallableError):
    """One number a coordinate came back."""


def shaped(
    guard: Guarded, result: np.ndarray, shape: tuple[int, int], options: Options
) -> np.ndarray:
    """``(n,)``, ``(1,)`` of a reduced batch, or with as many columns as coordinates. Raises
    ``CallableError`` that says what to do where it is none of these.
    """
    n, d = shape
    if np.iscomplexobj(result):
        if np.any(result.imag):
            got = f"an imaginary part of {np.max(np.abs(result.imag)):.2g}"
            raise CallableError(guard.name, "return real numbers", got, "a divergence is real")
        result = result.real
    reduced = options.reduction != "none" and not options.layout.unbatched
    if options.wanted.dims == "none":
        return _by_coordinate(guard, result, shape, reduced, options)
    if reduced:
        if result.size == 1:
            return result.reshape(1)
        raise _wrong_shape(
            guard,
            f"one number for a batch of {n} laws, as reduction={options.reduction!r} says",
            result,
            'pass reduction="none" if it returns one number a law',
        )
    if result.shape in ((n,), (n, 1)) or (n == 1 and result.size == 1):
        return result.reshape(n)
    remedy, kind = "return one number a law", CallableError
    if result.size == 1:
        kind = Reduced
        remedy = 'pass reduction="sum" or reduction="mean" if it adds up or averages the batch'
    elif result.shape in ((n, d), (n, *(options.layout.sample or ()))):
        kind = Unsummed
        remedy = (
            "sum over the dimensions, e.g. .sum(axis=-1), or pass"
            ' dims="none" if it returns one number a coordinate'
        )
    elif result.shape == (n, n):
        remedy = (
            "it broadcasts (n, 1) against (n,): use scale[:, 0] beside a sum over the last axis"
        )
    elif result.shape == (d,):
        remedy = "it sums over the rows: sum over the last axis, .sum(axis=-1)"
    due = f"an array of shape ({n},) for {n} laws in d = {d}"
    raise _wrong_shape(guard, due, result, remedy, kind)


def _by_coordinate(
    guard: Guarded, result: np.ndarray, shape: tuple[int, int], reduced: bool, options: Options
) -> np.ndarray:
    n, d = shape
    sample = options.layout.sample or (d,)
    due = sample if reduced else (n, *sample)
    if result.shape in (due, (d,) if reduced else (n, d)) or result.size == d * n == 1:
        return result.reshape(1 if reduced else n, d)
    if options.layout.unbatched and result.shape in (sample, (d,)):
        return result.reshape(1, d)
    remedy = 'pass dims="sum" or dims="mean" if it sums or averages the coordinates'
    if reduced and result.shape == (n, *sample):
        remedy = 'pass reduction="none" if it keeps the laws of a batch apart'
    elif not reduced and result.shape in (sample, (d,)):
        remedy = 'pass reduction="sum" or reduction="mean" if it adds up or averages the batch'
    raise _wrong_shape(
        guard, f"an array of shape {due} for {n} laws, as dims='none' says", result, remedy
    )


def _wrong_shape(
    guard: Guarded,
    due: str,
    result: np.ndarray,
    remedy: str,
    kind: type[CallableError] = CallableError,
) -> CallableError:
    return kind(guard.name, f"return {due}", f"it returned shape {result.shape}", remedy)


def coordinates(
    laws: Laws, returned: np.ndarray, options: Options
) -> Iterator[tuple[Laws, np.ndarray]]:
    """Laws of one coordinate each with what came back of them, in nats: all at once, or those of
    one coordinate where the batch is reduced.
    """
    n, d = laws.shape
    v0, v1 = (np.broadcast_to(v, (n, d)) for v in (laws.v0, laws.v1))
    returned = options.wanted.plain(returned, 1)
    if options.reduction == "none" or options.layout.unbatched:
        flat = (np.array(a).reshape(-1, 1) for a in (laws.m0, v0, laws.m1, v1))
        yield _part(laws, *flat), returned.reshape(-1)
        return
    for k in range(d):
        column = (np.array(a[:, k : k + 1]) for a in (laws.m0, v0, laws.m1, v1))
        yield _part(laws, *column), returned[0, k : k + 1]


def _part(laws: Laws, *of: np.ndarray) -> Laws:
    m0, v0, m1, v1 = of
    return replace(laws, m0=m0, v0=v0, m1=m1, v1=v1, alone=False)
