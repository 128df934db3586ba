"""The whole Jacobian of each row, with the error that its entries may have.

Conventions: ``J[n, i, j] = ∂z_i/∂x_j``. PyTorch and JAX by reverse mode, a pass for each i; what
they say is held against a difference along one direction, so that a detached part is noticed.
NumPy, and what autodiff does not do, by differences of sixth order at several steps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import require
from scoreproof.public.normalizing_flow.asking import Flow
from scoreproof.public.normalizing_flow.frameworks import steady

__all__ = ["Jacobian", "as_autodiff_says", "jacobian", "nearby", "sixth_order"]

#: the longest of three steps, halved twice, of each ladder
LADDERS = (2.0**-3, 2.0**-6, 2.0**-9, 2.0**-12, 2.0**-15)
#: numbers that go in at once
CHUNK = 1 << 21
#: how far autodiff may be from a difference, relative to the difference's size
ALIKE = 1e-2
#: dimensions up to which its rounding is asked for twice
WIDE = 64


@dataclass(frozen=True, eq=False)
class Jacobian:
    """``entries`` and ``error`` ``(n, d, d)``; ``rounding``: errors are as good as independent.
    ``how`` it was made; ``detached``: autodiff told another one than differences did.
    """

    entries: np.ndarray
    error: np.ndarray
    rounding: bool
    how: str
    detached: bool = False


def jacobian(flow: Flow, x: np.ndarray) -> Jacobian:
    """At the rows of x."""
    framework = flow.job.framework
    found = None
    if framework != "numpy":
        found = _reverse(flow, x, framework)
        if found is not None and (flow.trusted or _agrees(flow, x, found)):
            flow.trusted = True
            # a derivative that is made of the output, 1 - tanh², rounds as the output does
            size = np.abs(found) + np.abs(flow.forward(x).z)[:, :, None]
            error = _shaken(flow, x, found) + 4 * flow.eps * size * (found != 0)
            return Jacobian(found, error, True, "autodiff")
    entries, error = _differences(flow, x)
    return Jacobian(entries, error, False, "differences", found is not None)


def nearby(x: np.ndarray, eps: float, wide: bool = True) -> list[np.ndarray]:
    """Steps so short that what is smooth has no second difference, and long enough that what is
    rounded has one: also of a function that is flat to rounding.
    """
    signs = np.where(np.indices(x.shape).sum(axis=0) % 2, 1.0, -1.0)
    size = np.maximum(np.abs(x), 1e-2)
    return [k * np.sqrt(eps) * size * signs for k in ((1.0, 1.7) if wide else (1.0,))]


def _shaken(flow: Flow, x: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Second differences of the Jacobian: what it rounds."""
    gap = np.zeros_like(found)
    for step in nearby(x, flow.eps, x.shape[1] <= WIDE):
        sides = [_reverse(flow, x + sign * step, flow.job.framework) for sign in (1, -1)]
        if sides[0] is not None and sides[1] is not None:
            with np.errstate(all="ignore"):
                gap = np.fmax(gap, np.abs(sides[0] + sides[1] - 2 * found))
    return gap


def _reverse(flow: Flow, x: np.ndarray, framework: str) -> np.ndarray | None:
    """By the framework; ``None`` where it cannot."""
    prepare = flow.guard(lambda v: v, "forward").prepare
    assert prepare is not None
    flow.calls["forward"] += 1
    n, d = x.shape
    point = prepare(flow.shaped(x))
    try:
        with steady(flow.seed), flow.precise():
            if framework == "torch":
                return _of_torch(flow, point, n, d)
            return _of_jax(flow, point, n, d)
    except Exception:  # what it cannot differentiate is differenced; what fails alone is told there
        return None


def _rows(z: Any, n: int, concatenate: Any) -> Any:
    """z as rows of the library's own; a list of scales joined."""
    if isinstance(z, tuple | list):
        parts = [_rows(part, n, concatenate) for part in z]
        return concatenate(parts, 1)
    return z.reshape(n, -1)


def _whole(z: Any, n: int, d: int, concatenate: Any) -> Any:
    rows = _rows(z, n, concatenate)
    if rows.shape[1] != d and isinstance(z, tuple | list):
        rows = _rows(z[-1], n, concatenate)
    return rows


def _of_torch(flow: Flow, point: Any, n: int, d: int) -> np.ndarray | None:
    torch = require("torch")
    out = np.empty((n, d, d))
    with torch.enable_grad():
        point = point.requires_grad_(True)
        z = _whole(flow.native(point)[0], n, d, torch.cat)
        if not z.requires_grad:
            return None
        if not flow.singly and _batched(z, point, out, torch):
            return out
        flow.singly = True
        for i in range(d):
            (row,) = torch.autograd.grad(z[:, i].sum(), point, retain_graph=True, allow_unused=True)
            out[:, i] = 0.0 if row is None else as_numpy(row).reshape(n, d)
    return out


def _batched(z: Any, point: Any, out: np.ndarray, torch: Any) -> bool:
    """Many passes at once; false where an operation cannot be batched."""
    n, d = z.shape
    width = max(1, CHUNK // (16 * n * d))
    for start in range(0, d, width):
        axes = range(start, min(start + width, d))
        seeds = torch.zeros(len(axes), n, d, dtype=z.dtype)
        for k, i in enumerate(axes):
            seeds[k, :, i] = 1.0
        try:
            (found,) = torch.autograd.grad(
                z, point, seeds, retain_graph=True, is_grads_batched=True, allow_unused=True
            )
        except Exception:  # no rule for a batch of a custom function
            return False
        out[:, start : start + len(axes)] = 0.0
        if found is not None:
            rows = as_numpy(found).reshape(len(axes), n, d)
            out[:, start : start + len(axes)] = np.moveaxis(rows, 0, 1)
    return True


def _of_jax(flow: Flow, point: Any, n: int, d: int) -> np.ndarray | None:
    jax = require("jax")

    def rows(x: Any) -> Any:
        return _whole(flow.native(x)[0], n, d, jax.numpy.concatenate)

    z, pull = jax.vjp(rows, point)
    basis = jax.numpy.eye(d, dtype=z.dtype)
    pulled = jax.vmap(lambda e: pull(jax.numpy.broadcast_to(e, z.shape))[0])(basis)
    return np.moveaxis(as_numpy(pulled).reshape(d, n, d), 0, 1).astype(float)


def as_autodiff_says(flow: Flow, x: np.ndarray) -> Jacobian | None:
    """Without a second opinion: of a flow some part of which is held fixed on purpose."""
    found = _reverse(flow, x, flow.job.framework)
    if found is None:
        return None
    return Jacobian(found, 64 * flow.eps * np.abs(found), True, "autodiff")


def _agrees(flow: Flow, x: np.ndarray, found: np.ndarray) -> bool:
    """Whether a difference along one direction says the same, where it says anything."""
    v = np.sin(1.0 + 2.3 * np.arange(x.shape[1]))
    value, error = sixth_order(lambda s: flow.forward(x + s * v).z, flow.eps)
    told = found @ v
    size = np.max(np.abs(value), axis=1, keepdims=True)
    off = np.abs(told - value) > ALIKE * size + 4 * error
    return not np.any(off & np.isfinite(error))


def sixth_order(f: Any, eps: float) -> tuple[np.ndarray, np.ndarray]:
    """The derivative of ``f(s)`` at 0 entry by entry, by the best of several ladders of steps, and
    its error.

    >>> value, error = sixth_order(np.exp, 2.0**-52)
    >>> bool(abs(value - 1) <= error < 1e-10)
    True
    """
    values, errors = [], []
    for h in LADDERS:
        with np.errstate(all="ignore"):
            near = [_central(f, k * h) for k in (1, 0.5, 0.25)]
            e1, e2 = ((4 * b[0] - a[0]) / 3 for a, b in zip(near[:-1], near[1:], strict=True))
            size = np.maximum(np.maximum(near[0][1], near[1][1]), near[2][1])
            error = np.abs(e2 - e1) / 5 + 16 * eps * (size + 1e-3) / h
        values.append((16 * e2 - e1) / 15)
        errors.append(np.where(np.isfinite(error), error, np.inf))
    # a ladder is believed as far as the next shorter one says the same
    best, least = values[-1], 2 * errors[-1]
    for k in range(len(LADDERS) - 1):
        with np.errstate(all="ignore"):
            error = errors[k] + np.abs(values[k] - values[k + 1])
        less = error < least
        best, least = np.where(less, values[k], best), np.where(less, error, least)
    return best, least


def _central(f: Any, h: float) -> tuple[np.ndarray, np.ndarray]:
    """A central difference, and the size of what was subtracted."""
    ahead, behind = _value(f, h), _value(f, -h)
    return (ahead - behind) / (2 * h), np.maximum(np.abs(ahead), np.abs(behind))


def _value(f: Any, h: float) -> np.ndarray:
    try:
        return np.asarray(f(h), float)
    except CallableError:  # a step out of its domain; what fails everywhere has failed before
        return np.asarray(np.nan)


def _differences(flow: Flow, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n, d = x.shape
    width = max(1, min(d, CHUNK // (n * d)))
    columns = []
    for start in range(0, d, width):
        axes = np.arange(start, min(start + width, d))
        unit = np.eye(d)[axes]

        def moved(s: float, unit: np.ndarray = unit) -> np.ndarray:
            shifted = x + s * unit[:, None, :]
            if flow.noisy:  # as many rows a call: the same noise for each
                return np.stack([flow.forward(block).z for block in shifted])
            return flow.forward(shifted.reshape(-1, d)).z.reshape(len(unit), n, d)

        columns.append(sixth_order(moved, flow.eps))
    value, error = (np.concatenate([c[k] for c in columns]) for k in (0, 1))
    return np.moveaxis(value, 0, 2), np.moveaxis(error, 0, 2)
