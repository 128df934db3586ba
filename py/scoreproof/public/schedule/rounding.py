"""How far an entry may be off by rounding alone.

Conventions: relative to the entry; ``coarse`` is the unit roundoff of the types involved.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.schedule.tables import Base, Table

__all__ = ["SINGLE", "held", "in_single", "split"]

SINGLE = float(np.finfo(np.float32).eps)

#: roundings of one entry of a table, beside those of its ᾱ
ROUNDINGS = 8
#: an error of this size is none, where rounding may be larger
STANDS = 5e-3
#: the error of an entry that is not finite where a number is due
WRONG = 1e300


def in_single(values: np.ndarray) -> bool:
    """Whether all are numbers of single precision, and not whole: then they were computed in it.

    >>> in_single(np.array([0.1, 0.2])), in_single(np.array([0.1, 0.2], np.float32).astype(float))
    (False, True)
    """
    with np.errstate(all="ignore"):
        same = np.array_equal(values.astype(np.float32).astype(float), values, equal_nan=True)
        return same and bool(np.any(values != np.round(values)))


def held(
    values: np.ndarray, due: np.ndarray, coarse: float, table: Table, base: Base
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Relative errors, what rounding explains of them, and what more it may explain.

    Infinite entries have to be infinite.
    """
    size = np.where(np.isfinite(due), np.maximum(np.abs(due), table.least), 0.0)
    largest = float(size.max()) or 1.0
    size = np.where(size > 1e-12 * largest, size, largest)
    with np.errstate(all="ignore"):
        error = np.where(values == due, 0.0, np.abs(values - due) / size)
        rounding = coarse * (base.roundings + ROUNDINGS) * table.loss(base)
    error = np.where(np.isfinite(error), error, WRONG)
    if table.least:  # what is relative in its argument is absolute in a logarithm
        rounding = rounding / size + coarse
    # of a number that is exactly known nothing is lost
    rounding = np.where(np.isfinite(rounding), rounding, coarse)
    return error, *split(error, rounding, coarse)


def split(error: np.ndarray, rounding: np.ndarray, coarse: float) -> tuple[np.ndarray, np.ndarray]:
    """The bound, and the excuse beyond it.

    Where rounding could explain more than half a percent, an entry within half a percent stands as
    it is, and one beyond is excused.

    >>> bound, excuse = split(np.array([0.004, 0.02]), np.array([0.1, 0.1]), 1e-7)
    >>> bound.tolist(), excuse.round(3).tolist()
    ([0.004, 0.005], [0.096, 0.095])
    """
    stands = np.maximum(ROUNDINGS * coarse, np.minimum(error, STANDS))
    bound = np.where(rounding > STANDS, stands, rounding)
    return bound, np.maximum(rounding - bound, 0.0)
