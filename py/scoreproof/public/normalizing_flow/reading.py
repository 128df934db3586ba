"""z and log_det out of what forward returned.

Conventions: z ``(n, d)``, log_det ``(n,)``; a log_det of one number is that of every row, one of
z's own shape is summed over a sample.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded

__all__ = ["Answer", "pair", "parts_of"]

NAMES_OF_Z = ("z", "y", "x", "out", "output", "outputs", "u", "zs")


@dataclass(frozen=True, eq=False)
class Answer:
    """``how`` log_det came: ``rows``, ``one`` for all, ``entries`` that are summed here, ``part``
    (of the entries: summed over some axes only), ``axis`` (one a coordinate) or ``none``; ``raw``
    as it came.
    """

    z: np.ndarray
    log_det: np.ndarray | None
    how: str
    raw: np.ndarray | None = None
    #: of z, without the batch, one for each scale
    shapes: tuple[tuple[int, ...], ...] = ()


def _flat(result: Any, n: int, guard: Guarded) -> np.ndarray:
    """An array, or a list of the scales of an image, as rows."""
    if isinstance(result, tuple | list):
        parts = [_flat(r, n, guard) for r in result]
        return np.concatenate(parts, axis=1) if parts else np.empty((n, 0))
    array = np.real(guard.accept(result, None, "z", finite=False))
    return array.reshape(n, -1) if array.size and array.size % n == 0 else np.empty((n, 0))


def parts_of(result: Any, returns: tuple[str, ...] | None) -> tuple[Any, Any]:
    """The native z and log_det of what was returned; ``None`` for a log_det that is not there."""
    if isinstance(result, dict):
        z = next((result[k] for k in NAMES_OF_Z if k in result), None)
        rest = next((v for k, v in result.items() if "det" in k or "ldj" in k or "jac" in k), None)
        return z, rest
    if not isinstance(result, tuple | list):
        return result, None
    if returns is not None:
        if len(result) != len(returns):
            raise ValueError(f"it returned {len(result)} things")
        return result[returns.index("z")], result[returns.index("log_det")]
    if len(result) < 2:
        return result[0], None
    return result[0], result[1]


def pair(result: Any, n: int, d: int, guard: Guarded, returns: tuple[str, ...] | None) -> Answer:
    """z and log_det; raises ``CallableError`` where they cannot be told."""
    several = isinstance(result, tuple | list) and len(result) > 2 and returns is None
    try:
        z, det = parts_of(result, returns)
    except ValueError as error:
        raise _unlike(guard, str(error)) from None
    rows = _flat(z, n, guard)
    if rows.shape[1] != d and isinstance(z, tuple | list) and len(z):
        z = z[-1]  # all that it went through; the last is z
        rows = _flat(z, n, guard)
    if rows.shape[1] != d:
        sizes = f"it returned {_told(result)} for {n} rows of {d} numbers"
        if rows.shape[1] > 0 and _one_a_row(det, n):
            raise CallableError(
                guard.name,
                "return z of as many numbers as x",
                sizes,
                "a map into another dimension has no log |det J|: pass the part that keeps it",
            )
        raise _unlike(guard, sizes)
    if several:
        raise _unlike(guard, f"it returned {len(result)} things, {_told(result)}")
    shapes = _shapes(z)
    if det is None:
        return Answer(rows, None, "none", None, shapes)
    array = np.real(guard.accept(det, None, "log_det", finite=False))
    return replace(_summed(rows, array, n, guard), shapes=shapes)


def _one_a_row(det: Any, n: int) -> bool:
    return tuple(getattr(det, "shape", ())) in ((n,), (n, 1))


def _shapes(z: Any) -> tuple[tuple[int, ...], ...]:
    if isinstance(z, tuple | list):
        return tuple(s for part in z for s in _shapes(part))
    return (tuple(int(k) for k in getattr(z, "shape", ())[1:]),)


def _summed(z: np.ndarray, det: np.ndarray, n: int, guard: Guarded) -> Answer:
    d = z.shape[1]
    if det.shape in ((n,), (n, 1)) or (det.size == n and det.shape and det.shape[0] == n):
        return Answer(z, det.reshape(n), "rows", det)
    if det.size == 1:
        return Answer(z, np.full(n, float(det.ravel()[0])), "one", det)
    if det.size == n * d and det.shape[0] == n:
        return Answer(z, det.reshape(n, d).sum(axis=1), "entries", det)
    if det.shape[:1] == (n,) and d % (det.size // n) == 0:
        return Answer(z, det.reshape(n, -1).sum(axis=1), "part", det)
    if d % det.size == 0 and det.shape[:1] != (n,):
        return Answer(z, np.full(n, det.sum()), "axis", det)
    raise CallableError(
        guard.name,
        f"return a log_det of shape ({n},)",
        f"it returned shape {det.shape} for {n} rows",
        "one number a row: sum over all axes but the first",
    )


def _told(result: Any) -> str:
    if isinstance(result, tuple | list):
        return f"({', '.join(_told(r) for r in result)})"
    shape = getattr(result, "shape", None)
    return type(result).__name__ if shape is None else f"shape {tuple(shape)}"


def _unlike(guard: Guarded, what: str) -> CallableError:
    return CallableError(
        guard.name,
        "return z, of as many numbers as x, and log_det",
        what,
        'say what the things are, e.g. returns=("z", "prior", "log_det"), or pass a lambda that'
        " returns (z, log_det)",
    )
