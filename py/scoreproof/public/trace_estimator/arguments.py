"""What `check_trace_estimator` was given, held to its docstring."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import Guarded, as_numpy, to_float, unit_roundoff
from scoreproof.interop.frameworks import guarded
from scoreproof.interop.signatures import needed, parameters
from scoreproof.public.arguments import accepted, count, seeded

__all__ = ["DEFAULT_DIMENSIONS", "Given", "given"]

#: one even and one odd: a pairing of coordinates, say, is right for one of the two only
DEFAULT_DIMENSIONS = (4, 5)
LEAST_DRAWS = 30


@dataclass(frozen=True, eq=False)
class Given:
    """``points`` ``(n, D)`` or none; ``dimensions``: the D to judge in; ``takes_nu``: ν too."""

    guard: Guarded
    field: Callable[..., Any] | None
    points: np.ndarray | None
    dimensions: tuple[int, ...]
    takes_nu: bool
    draws: int
    tolerance: float | None
    framework: str
    dtype: Any
    seed: int

    def convert(self, a: np.ndarray) -> Any:
        """``a`` as what the estimator is fed with."""
        return self.guard.prepare(a) if self.guard.prepare is not None else a

    def rounded(self, a: np.ndarray) -> np.ndarray:
        """``a`` in double precision, as it is after passing through the floating type."""
        return np.asarray(as_numpy(self.convert(a)), dtype=float)

    @property
    def eps(self) -> float:
        """The unit roundoff of what the estimator is fed with, or has returned so far."""
        return max(self.guard.eps, unit_roundoff(self.convert(np.ones(1))))


def given(
    estimator: Any,
    field: Any,
    dimension: Any,
    points: Any,
    draws: Any,
    tolerance: Any,
    framework: str,
    dtype: Any,
    seed: Any,
) -> Given:
    """Validated; raises ``ArgumentError``."""
    guard = guarded(estimator, "estimator", framework, dtype)
    if field is not None and not callable(field):
        raise ArgumentError(
            "field", "callable", type(field).__name__, "pass f(z), rows to rows, or leave it out"
        )
    rows = None
    dimensions: tuple[int, ...] = DEFAULT_DIMENSIONS
    if points is not None:
        rows = to_float("points", points, shape=(None, None))
        if rows.size == 0:
            raise ArgumentError("points", "at least one row", "none", "leave it out")
        dimensions = (rows.shape[1],)
    elif dimension is not None:
        remedy = "in one dimension every estimator with ν = ±1 is exact"
        dimensions = (count("dimension", dimension, 2, remedy),)
    elif field is not None:
        dimensions = DEFAULT_DIMENSIONS[:1]
    return Given(
        guard,
        field,
        rows,
        dimensions,
        _takes_nu(estimator),
        count("draws", draws, LEAST_DRAWS, "the test of means needs that many"),
        accepted(tolerance),
        framework,
        dtype,
        seeded(seed),
    )


def _takes_nu(estimator: Any) -> bool:
    taken = parameters(estimator)
    if taken is None:
        return True
    return len(needed(estimator)) >= 3 or any(p.kind == p.VAR_POSITIONAL for p in taken)
