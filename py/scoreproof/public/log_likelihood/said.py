"""Single arguments of `check_log_likelihood` that are held to what they may be."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.public.bits import Units, units_of

__all__ = ["listed", "mapping", "time", "units_said"]


def mapping(options: Any) -> dict[str, Any]:
    """``options`` by name."""
    if options is not None and not (
        isinstance(options, Mapping) and all(isinstance(n, str) for n in options)
    ):
        raise ArgumentError(
            "options",
            "a mapping of names of arguments to values",
            repr(options),
            'pass e.g. options={"n_steps": 50}',
        )
    return dict(options or {})


def listed(given: Any) -> tuple[str, ...] | None:
    """``given`` as names in order."""
    names = (given,) if isinstance(given, str) else given
    if names is None:
        return None
    if not isinstance(names, (list, tuple)) or not all(isinstance(n, str) for n in names):
        raise ArgumentError(
            "given",
            "the names of the arguments, in order",
            repr(given),
            'pass e.g. given=("model", "x")',
        )
    return tuple(names)


def time(name: str, value: Any) -> float | None:
    """A time, where one is said."""
    if value is None:
        return None
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= float(value) < np.inf:
        raise ArgumentError(
            name, "a number >= 0", repr(value), f"pass {name}=1e-3, a time on the model's clock"
        )
    return float(value)


def units_said(given: Any, d: int) -> Units:
    """``given``: has units, data_range and levels."""
    units = units_of(given.units, given.data_range, given.levels, d)
    if units.data_range is not None and units.name != "bits_per_dim":
        raise ArgumentError(
            "data_range",
            f"left away with units={units.name!r}",
            repr(given.data_range),
            "say units='bits_per_dim', which count the levels of the data",
        )
    return units
