"""Single arguments of `check_log_likelihood` that are held to what they may be."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.public.arguments import count, one_of
from scoreproof.public.log_likelihood.units import UNITS, Units

__all__ = ["listed", "mapping", "time", "units_of"]


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


def units_of(given: Any, d: int) -> Units:
    """``given``: has units, data_range and levels."""
    one_of("units", given.units, UNITS, "say what the function returns")
    levels = count("levels", given.levels, 1, "say how many values a byte of the data has: 256")
    if given.data_range is None:
        if given.units == "bits_per_dim" and levels != 1:
            raise ArgumentError(
                "data_range",
                "said with units='bits_per_dim', whose offset it is",
                None,
                "pass data_range=(0, 1) where 8 bits are added, data_range=(-1, 1) where 7 are, or"
                " levels=1 where none are: -log2 p(x) / d of x as it is",
            )
        return Units(given.units, d, None, levels)
    try:
        low, high = (float(v) for v in given.data_range)
    except (TypeError, ValueError):
        low = high = 0.0
    if not high > low:
        raise ArgumentError(
            "data_range",
            "(low, high), the range of x",
            repr(given.data_range),
            "(0, 1) or (-1, 1); left away, log p is a density of x as it is",
        )
    if given.units != "bits_per_dim":
        raise ArgumentError(
            "data_range",
            f"left away with units={given.units!r}",
            repr(given.data_range),
            "say units='bits_per_dim', which count the levels of the data",
        )
    return Units(given.units, d, (low, high), levels)
