"""What arguments the public checks have in common are held to."""

from __future__ import annotations

from collections.abc import Collection
from numbers import Integral, Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.frameworks import FRAMEWORKS, require
from scoreproof.interop.library import library_of

__all__ = ["a_function", "a_library", "accepted", "count", "one_of", "sample_shape", "seeded"]


def accepted(tolerance: Any) -> float | None:
    """``tolerance`` as the relative error that the caller accepts: ``None``, or in (0, 1)."""
    if tolerance is None:
        return None
    if not (isinstance(tolerance, Real) and np.isfinite(float(tolerance))) or isinstance(
        tolerance, bool
    ):
        raise ArgumentError(
            "tolerance",
            "a number in (0, 1)",
            repr(tolerance),
            "it is the relative error that you accept",
        )
    if not 0 <= float(tolerance) < 1:
        raise ArgumentError(
            "tolerance",
            "in (0, 1)",
            tolerance,
            "it is the relative error that you accept, e.g. 0.01",
        )
    return float(tolerance) or None


def count(argument: str, value: Any, least: int, remedy: str) -> int:
    """``value`` as an integer of at least ``least``."""
    if not isinstance(value, Integral) or isinstance(value, bool) or value < least:
        raise ArgumentError(argument, f"an integer >= {least}", repr(value), remedy)
    return int(value)


def a_function(argument: str, value: Any, expected: str, remedy: str) -> None:
    """Raises ``ArgumentError`` if ``value`` cannot be called."""
    if not callable(value):
        raise ArgumentError(argument, expected, type(value).__name__, remedy)


def a_library(framework: Any, function: Any, what: str) -> str:
    """The library that ``function`` is written in, as is said or as its code says. Raises
    ``ArgumentError`` for one that is not known, ``MissingExtraError`` for one that is not there.

    >>> a_library(None, lambda x: x, "loss"), a_library("numpy", lambda x: x, "loss")
    ('numpy', 'numpy')
    """
    found = framework or library_of(function)
    one_of("framework", found, FRAMEWORKS, f"name the library that the {what} is written in")
    if found != "numpy":
        require(found)
    return str(found)


def one_of(argument: str, value: Any, known: Collection[str], remedy: str) -> None:
    """Raises ``ArgumentError`` if ``value`` is no name that is known."""
    if value not in known:
        raise ArgumentError(argument, f"one of {', '.join(known)}", repr(value), remedy)


def seeded(seed: Any) -> int:
    """``seed`` as an integer >= 0."""
    return count("seed", seed, 0, "it names the random streams; 0 is as good as any")


def sample_shape(shape: Any) -> tuple[int, ...]:
    """``shape`` as the shape of one sample, without the batch.

    >>> sample_shape(4), sample_shape((3, 8, 8))
    ((4,), (3, 8, 8))
    """
    try:
        sizes = tuple(int(s) for s in ((shape,) if np.ndim(shape) == 0 else shape))
    except (TypeError, ValueError):
        sizes = ()
    if not sizes or min(sizes) < 1:
        raise ArgumentError(
            "shape", "the shape of one sample, without the batch", shape, "e.g. shape=(3, 8, 8)"
        )
    return sizes
