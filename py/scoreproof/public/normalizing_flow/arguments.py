"""The arguments of `check_normalizing_flow`, validated once.

Conventions: points are rows ``(n, d)`` here, whatever the shape of a sample is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy, to_float
from scoreproof.public.arguments import a_library, accepted, one_of, sample_shape, seeded
from scoreproof.public.bits import Units, units_of

__all__ = ["MOST", "Job", "Request", "validate"]

DIRECTIONS = ("x_to_z", "z_to_x")
#: dimensions of which a whole Jacobian is made
MOST = 3072


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of `check_normalizing_flow` as they were given."""

    flow: Any
    inverse: Any
    log_prob: Any
    base: Any
    shape: Any
    context: Any
    points: Any
    units: str
    data_range: Any
    levels: Any
    direction: Any
    returns: Any
    options: Any
    moved: Any
    tolerance: Any
    framework: Any
    dtype: Any
    seed: Any


@dataclass(frozen=True, eq=False)
class Job:
    """A validated request. ``shape`` is ``None`` where it has to be found, ``points`` rows or
    ``None``.
    """

    flow: Any
    name: str
    inverse: Any
    log_prob: Any
    base: Any
    shape: tuple[int, ...] | None
    context: np.ndarray | None
    points: np.ndarray | None
    units: Units
    direction: str | None
    returns: tuple[str, ...] | None
    options: Mapping[str, Any]
    moved: bool
    tolerance: float | None
    framework: str
    dtype: Any
    seed: int

    @property
    def d(self) -> int:
        return int(np.prod(self.shape or (0,)))


def validate(given: Request) -> Job:
    """The request as a job; raises ``ArgumentError``."""
    flow = given.flow
    if flow is None or isinstance(flow, str | int | float | np.ndarray | list | dict):
        raise ArgumentError(
            "flow",
            "a function x -> (z, log_det), or an object with forward",
            type(flow).__name__,
            "pass the layer or the flow itself; several layers as a function that runs them",
        )
    for what in ("inverse", "log_prob"):
        value = getattr(given, what)
        if value is not None and not callable(value):
            raise ArgumentError(
                what, "a function", type(value).__name__, f"pass e.g. flow.{what}, uncalled"
            )
    framework = a_library(given.framework, flow, "flow")
    if given.direction is not None:
        one_of("direction", given.direction, DIRECTIONS, "it is which way forward runs")
    shape = None if given.shape is None else sample_shape(given.shape)
    points = None
    if given.points is not None:
        points, shape = _points(given.points, shape)
    if shape is not None and int(np.prod(shape)) > MOST:
        raise ArgumentError(
            "shape",
            f"of at most {MOST} numbers",
            shape,
            "a layer of convolutions takes smaller images, e.g. (3, 8, 8): its formulas are alike",
        )
    name = getattr(flow, "__name__", type(flow).__name__)
    return Job(
        flow,
        "the flow" if name == "<lambda>" else str(name),
        given.inverse,
        given.log_prob,
        given.base,
        shape,
        None if given.context is None else _context(given.context),
        points,
        units_of(given.units, given.data_range, given.levels, int(np.prod(shape or (1,)))),
        given.direction,
        _returns(given.returns),
        _options(given.options),
        bool(given.moved),
        accepted(given.tolerance),
        framework,
        given.dtype,
        seeded(given.seed),
    )


def _points(value: Any, shape: tuple[int, ...] | None) -> tuple[np.ndarray, tuple[int, ...]]:
    points = to_float("points", value)
    if points.ndim < 2 or (shape is not None and points.shape[1:] != shape) or not len(points):
        raise ArgumentError(
            "points",
            f"rows of shape {shape}" if shape else "rows (n, d), or images (n, c, h, w)",
            f"shape {points.shape}",
            "points are rows: add the batch's axis with x[None]",
        )
    return points.reshape(len(points), -1), points.shape[1:]


def _context(value: Any) -> np.ndarray:
    array = np.asarray(as_numpy(value))
    return array[None] if array.ndim < 2 else array


def _options(value: Any) -> dict[str, Any]:
    if not (value is None or isinstance(value, Mapping)) or not all(
        isinstance(k, str) for k in value or ()
    ):
        raise ArgumentError(
            "options", "arguments by their names", repr(value), 'a dict, e.g. {"temperature": 1.0}'
        )
    return dict(value or {})


def _returns(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    named = isinstance(value, Iterable) and not isinstance(value, str)
    names = tuple(map(str, value)) if named else (str(value),)
    if names.count("z") != 1 or names.count("log_det") != 1:
        raise ArgumentError(
            "returns",
            "the names of what forward returns, z and log_det among them",
            ", ".join(names) or "nothing",
            'e.g. returns=("z", "prior", "log_det")',
        )
    return names
