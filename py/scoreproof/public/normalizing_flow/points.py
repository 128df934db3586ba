"""Where a flow is looked at, and for samples of which shape.

Conventions: rows ``(n, d)``; the last third of them lies farther out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.public.normalizing_flow.asking import Flow
from scoreproof.streams import stream

__all__ = ["domains", "placed", "sized"]

#: numbers of a sample that are tried in turn where the flow does not say
SIZES = (4, 2, 3, 6, 8, 5, 1, 10, 16, 12, 7, 9, 32, 64)
IMAGES = ((4, 4, 4), (3, 4, 4), (2, 4, 4), (12, 4, 4), (1, 4, 4), (6, 4, 4), (8, 4, 4))
DIMENSIONS: tuple[str, ...] = (
    "features",
    "dim",
    "dims",
    "in_features",
    "input_dim",
    "num_inputs",
    "n_features",
)
DIMENSIONS += ("num_features", "n_dim", "ndim", "data_dim", "x_dim", "input_size", "d", "D", "size")
ROWS, FAR = 11, 4.0
#: numbers in all Jacobians together
ENTRIES = 20_000


def rows_for(d: int) -> int:
    """How many rows are looked at; no axis of a sample is as long.

    >>> rows_for(4), rows_for(11), rows_for(3072)
    (11, 13, 3)
    """
    n = min(ROWS, max(3 if d > 256 else 5, ENTRIES // d**2))
    return n + 2 if n == d else n


def sized(flow: Flow) -> tuple[Flow, bool]:
    """The flow with the shape of a sample, and whether that was found by trying."""
    job = flow.job
    if job.shape is not None:
        return flow, False
    rng = stream(job.seed, "normalizing_flow", "shape")
    first: CallableError | None = None
    for shape in _shapes(flow):
        other = flow.within(shape)
        size = (3, other.job.d)
        for x in (rng.standard_normal(size), rng.uniform(0.1, 0.9, size)):
            try:
                other.forward(x)
            except CallableError as error:  # of another shape, or outside of its domain
                first = first or error
            else:
                return other, True
    assert first is not None
    raise CallableError(first.name, first.expected, first.got, f"{first.remedy}, or say shape=")


def _shapes(flow: Flow) -> Iterator[tuple[int, ...]]:
    said = flow.form(3).shape
    if said is not None:
        yield said
        return
    owner = getattr(flow.object, "__self__", flow.object)
    for name in DIMENSIONS:
        value = getattr(owner, name, None)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value <= 512:
            yield (value,)
    torch = sys.modules.get("torch")
    for value in vars(owner).values() if hasattr(owner, "__dict__") else ():
        if torch is not None and isinstance(value, torch.nn.Linear):
            yield (value.in_features,)
    for size in SIZES:
        yield (size,)
    yield from IMAGES


def domains(flow: Flow) -> list[tuple[str, np.ndarray]]:
    """Points of several kinds, the first of which is in most flows' domain."""
    job, d = flow.job, flow.job.d
    if job.points is not None:
        return [("the points given", job.points)]
    rng, n = stream(job.seed, "normalizing_flow", "points"), rows_for(flow.job.d)
    normal = rng.standard_normal((n, d))
    scale = np.where(np.arange(n) % 3 == 2, FAR, np.where(np.arange(n) % 3 == 1, 0.4, 1.0))
    # two numbers alike, or ordered, would hide what is exchanged
    unit = rng.uniform(0.02, 0.98, (n, d))
    found = [
        (f"normal points, each third {FAR:g} times as far out", normal * scale[:, None]),
        ("normal points", normal),
        ("points in (0, 1)", unit),
        ("points in (-1, 1)", 2 * unit - 1),
        ("positive points", np.exp(normal)),
    ]
    if job.units.data_range is not None:
        low, high = job.units.data_range
        found.insert(0, ("points of the data's range", low + (high - low) * unit))
    return found


def _allowed(flow: Flow, x: np.ndarray) -> bool:
    """Whether a transform of torch.distributions says that its domain has such points."""
    check = getattr(getattr(flow.object, "domain", None), "check", None)
    if check is None or flow.job.points is not None:
        return True
    prepare = flow.guard(lambda v: v, "forward").prepare
    given = flow.shaped(x)
    try:
        return bool(np.all(as_numpy(check(given if prepare is None else prepare(given)))))
    except Exception:  # a domain of other shapes
        return True


def placed(flow: Flow) -> tuple[str, np.ndarray, Any]:
    """The first kind of points at which z is finite, with the answer there."""
    last, raised = None, None
    for name, x in domains(flow):
        if not _allowed(flow, x):
            continue
        try:
            answer = flow.forward(x)
        except CallableError as error:
            raised = raised or error
            continue
        if np.all(np.isfinite(answer.z)):
            return name, x, answer
        last = last or answer
    if raised is not None and last is None:
        raise raised
    if last is None:
        raise CallableError(
            f"{flow.job.name}'s forward",
            "take some of the points that are tried",
            f"its domain is {type(getattr(flow.object, 'domain', None)).__name__}",
            "pass points= of it",
        )
    raise CallableError(
        f"{flow.job.name}'s forward",
        "return a finite z",
        f"{int(np.sum(~np.isfinite(last.z)))} of {last.z.size} entries are nan or inf",
        "pass points= of its domain",
    )
