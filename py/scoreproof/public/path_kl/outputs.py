"""What a function of paths returned: one number a path, or of the batch; and its paths.

Conventions: as in `asking`; a tuple may hold both, in any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy, unit_roundoff
from scoreproof.public.path_kl.arguments import Job

__all__ = ["Output", "read"]


@dataclass(frozen=True, eq=False)
class Output:
    """``values (n,)`` or ``()``; the path ``(K + 1, n, d)`` if there was one; whether the values
    came step by step.
    """

    values: np.ndarray
    path: np.ndarray | None
    steps: bool
    eps: float = 0.0


def _arrays(out: Any) -> Iterator[Any]:
    if isinstance(out, dict):
        out = list(out.values())
    if isinstance(out, (tuple, list)) and any(np.ndim(as_numpy(v)) for v in out if v is not None):
        for v in out:
            yield from _arrays(v)
    elif isinstance(out, tuple):
        yield from out
    elif out is not None:
        yield out


def read(out: Any, job: Job, n: int, steps: int) -> Output:
    """Raises ``CallableError`` if no number a path is among it."""
    n = 1 if job.single else n
    values = path = None
    shapes, eps, by_step = [], 0.0, False
    for item in _arrays(out):
        try:
            array = as_numpy(item)
            rounding = unit_roundoff(array)
            array = np.asarray(array, dtype=float)
        except (TypeError, ValueError, AttributeError):
            shapes.append(type(item).__name__)
            continue
        shapes.append(str(array.shape))
        laid = _path(array, job, n, steps)
        if laid is not None:
            path = laid
            continue
        found, stepwise = _values(array, job, n, steps)
        if found is not None and values is not None:
            raise CallableError(
                "path_kl",
                f"return one number a path, of shape ({n},), or their mean",
                f"it returned two that may be it, {' and '.join(shapes)}",
                "return the one to be judged, with paths or alone",
            )
        if found is not None:
            values, by_step, eps = found, stepwise, rounding
    _as_said(values, job, shapes)
    if values is None:
        raise CallableError(
            "path_kl",
            f"return one number a path, of shape ({n},), or their mean",
            f"it returned {', '.join(shapes) or 'nothing'}",
            "return the values, or a tuple of paths and values; layout= says how paths lie",
        )
    if not np.all(np.isfinite(values)):
        raise CallableError(
            "path_kl",
            "return finite numbers",
            f"{int(np.sum(~np.isfinite(values)))} of {values.size} are nan or inf",
            "look for a division by the noise at a time where it is 0",
        )
    return Output(values, path, by_step, eps)


def _as_said(values: np.ndarray | None, job: Job, shapes: list[str]) -> None:
    """Raises ``CallableError`` where it is said which of both it is, and it is not."""
    said = job.said["reduction"]
    if said is None or values is None or job.single or (values.ndim == 0) != (said == "none"):
        return
    due = "one number a path" if said == "none" else "one number for the batch"
    what = "averages or adds up the batch" if said == "none" else "keeps the paths of a batch apart"
    other = '"mean" or "sum"' if said == "none" else '"none"'
    raise CallableError(
        "path_kl",
        f'return {due}, as reduction="{said}" says',
        f"it returned {', '.join(shapes)}",
        f"pass reduction={other} if it {what}",
    )


def _path(a: np.ndarray, job: Job, n: int, steps: int) -> np.ndarray | None:
    a = a[..., None] if job.flat else a
    if job.single:
        return a[:, None] if a.shape == (steps + 1, job.d) else None
    if job.said["layout"] == "batch first":
        return a.swapaxes(0, 1) if a.shape == (n, steps + 1, job.d) else None
    return a if a.shape == (steps + 1, n, job.d) else None


def _values(a: np.ndarray, job: Job, n: int, steps: int) -> tuple[np.ndarray | None, bool]:
    if job.single:
        if a.size == 1:
            return a.reshape(()), False
        return (np.asarray(a.sum()), True) if a.shape == (steps,) else (None, False)
    if a.ndim == 0 or a.shape == (1,):
        return a.reshape(()), False
    if a.shape in ((n,), (n, 1)):
        return a.reshape(n), False
    for axis, shape in ((0, (steps, n)), (1, (n, steps))):
        if a.shape[:2] == shape and a.size == n * steps:
            return a.reshape(shape).sum(axis=axis), True
    return None, False
