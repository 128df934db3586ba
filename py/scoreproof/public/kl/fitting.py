"""Drawn laws as the function can be handed them: forms of its own, scales shared, numbers fixed.

Conventions: distances of means are kept in standard deviations of the second law, and ratios of
variances where both are free.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws

__all__ = ["deviations", "fitted"]

#: rows that have a batch of their own where one scale is for the whole batch
ROWS = 3
#: how far above 1 a ratio of variances may be, of what an integral of powers allows
ROOM = 0.6


def deviations(variances: np.ndarray, d: int) -> np.ndarray:
    """Standard deviations ``(n, d)`` of the coordinates."""
    if variances.ndim == 3:
        variances = np.diagonal(variances, axis1=1, axis2=2)
    return np.sqrt(np.broadcast_to(variances, (len(variances), d)))


def fitted(laws: Laws, options: Options, several: bool) -> Iterator[Laws]:
    """The batch, or batches, in its place; ``several``: each row is what it is about."""
    if options.classic:
        yield laws
        return
    laws = _formed(laws, options)
    layout = options.layout
    if not layout.tied:
        yield _admissible(laws, options)
        return
    n = laws.shape[0]
    if not layout.single:
        yield _admissible(_tied(laws, options), options)
        return
    for row in range(n) if several else (0,):
        rows = (row + np.arange(min(n, ROWS))) % n
        if several and n > 1:
            taken = replace(
                laws, m0=laws.m0[rows], v0=laws.v0[rows], m1=laws.m1[rows], v1=laws.v1[rows]
            )
        else:
            taken = laws
        yield _admissible(_tied(replace(taken, alone=False), options), options)


def _formed(laws: Laws, options: Options) -> Laws:
    """Each law in its own form; laws that are to be close in the narrower of the two."""
    if options.sides is None:
        return laws
    forms = [side.form for side in options.sides]
    order = ("isotropic", "diagonal", "full")
    if laws.close:
        forms = [min(forms, key=order.index)] * 2
    v0, v1 = (_narrow(v, f) for v, f in zip((laws.v0, laws.v1), forms, strict=True))
    return replace(laws, v0=v0, v1=v1)


def _narrow(v: np.ndarray, form: str) -> np.ndarray:
    """Variances with the same level that a form can have."""
    if form == "full" or (form == "diagonal" and v.ndim == 2):
        return v
    entries = np.diagonal(v, axis1=1, axis2=2) if v.ndim == 3 else v
    if form == "isotropic":
        level = np.exp(np.log(entries).mean(axis=1))[:, None]
        entries = np.broadcast_to(level, entries.shape)
    return entries[:, :, None] * np.eye(entries.shape[1]) if v.ndim == 3 else np.array(entries)


def _times(v: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Variances multiplied by one number a row, or one an entry where they have entries."""
    if v.ndim == 3:
        return v * factor.mean(axis=1)[:, None, None]
    return np.asarray(v * factor)


def _constant(v: np.ndarray, value: float) -> np.ndarray:
    unit = np.eye(v.shape[-1]) if v.ndim == 3 else 1.0
    return np.array(np.broadcast_to(value * unit, v.shape))


def _entries(v: np.ndarray) -> np.ndarray:
    return np.diagonal(v, axis1=1, axis2=2) if v.ndim == 3 else v


def _tied(laws: Laws, options: Options) -> Laws:
    layout, (n, d) = options.layout, laws.shape
    apart = (laws.m0 - laws.m1) / deviations(laws.v1, d)
    v0, v1 = _scales(laws.v0, laws.v1, options)
    m1 = _level(laws.m1, "mean1", options)
    m0 = m1 + (0 if layout.same_means else 1) * apart * deviations(v1, d)
    m0 = _level(m0, "mean0", options)
    numbers = layout.numbers
    if "mean0" in numbers and "mean1" not in numbers:
        m1 = _level(m1 - (m0 - numbers["mean0"]), "mean1", options)
    if "mean0" in numbers:
        m0 = np.full((n, d), numbers["mean0"])
    return replace(laws, m0=m0, v0=v0, m1=m1, v1=v1)


def _level(mean: np.ndarray, role: str, options: Options) -> np.ndarray:
    layout, shape = options.layout, mean.shape
    if role in layout.numbers:
        return np.full(shape, layout.numbers[role])
    mean = mean[:1] if role in layout.single else mean
    mean = mean[:, :1] if role in layout.level else mean
    return np.array(np.broadcast_to(mean, shape))


def _scales(v0: np.ndarray, v1: np.ndarray, options: Options) -> tuple[np.ndarray, np.ndarray]:
    layout = options.layout
    numbers, single = layout.numbers, layout.single
    first, second = ({role, "scale"} & single for role in ("scale0", "scale1"))
    if second and not first:
        v0 = _times(v0, _entries(v1)[:1] / _entries(v1))
    if first and not second:
        v1 = _times(v1, _entries(v0)[:1] / _entries(v0))
    v0 = np.repeat(v0[:1], len(v0), axis=0) if first else v0
    v1 = np.repeat(v1[:1], len(v1), axis=0) if second else v1
    of0, of1 = (numbers.get(role, numbers.get("scale")) for role in ("scale0", "scale1"))
    if layout.shared:
        v0 = v1
    if of0 is not None and of1 is None:
        v1 = _times(v1, of0 / _entries(v0))
    if of1 is not None and of0 is None:
        v0 = _times(v0, of1 / _entries(v1))
    v0 = v0 if of0 is None else _constant(v0, of0)
    v1 = v1 if of1 is None else _constant(v1, of1)
    return v0, v1


def _admissible(laws: Laws, options: Options) -> Laws:
    """With first laws narrow enough for the integral of ``p_0^α p_1^(1-α)`` to be finite."""
    alpha = options.wanted.alpha
    if not options.wanted.overlap or alpha <= 1 or options.layout.shared:
        return laws
    most = 1 + ROOM / (alpha - 1)
    if laws.v0.ndim == 3:
        root = np.linalg.inv(np.linalg.cholesky(laws.v1))
        ratio = np.linalg.eigvalsh(root @ laws.v0 @ np.swapaxes(root, 1, 2))[:, -1:]
    else:
        ratio = np.max(laws.v0 / laws.v1, axis=1, keepdims=True)
    if options.layout.single:
        ratio = np.full_like(ratio, np.max(ratio))
    factor = np.minimum(1.0, most / ratio)
    known = {*options.layout.numbers}
    if {"scale0", "scale1"} <= known:
        return laws
    if "scale0" in known:
        return replace(laws, v1=_times(laws.v1, 1 / factor))
    return replace(laws, v0=_times(laws.v0, factor))
