"""A function solved finer and finer: what it tends to, how near it is to that, or that it runs off.

Conventions: ``unit`` makes nats of its values; a refinement halves the steps. A solver of order one
is extrapolated, 2 v_k - v_{k-1}; one of a higher order is near its limit after few refinements.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

__all__ = ["FINEST", "Limit", "refined"]

#: refinements at the most
FINEST = 6
#: of the change before, the next of a solver of order one
HALF = (0.4, 0.65)
#: of the change before, the next of what has no limit
GROWS = 1.3
#: changes in a row that say so
IN_A_ROW = 3

Values = np.ndarray


@dataclass(frozen=True, eq=False)
class Limit:
    """``change``: how far the last refinement moved it, in nats; ``count`` of refinements, 0 where
    the function makes no use of them; ``extrapolated``: of order one. ``growth`` ``(P,)``: the last
    change in nats of what has no limit.
    """

    values: Values
    change: float
    count: int
    extrapolated: bool = False
    growth: Values | None = None


def refined(
    first: Values,
    finer: Callable[[int], Values | None],
    enough: Callable[[Values], float],
    unit: float,
) -> Limit:
    """``finer(k)``: the values of the k-th refinement, ``None`` where the first is no other run;
    ``enough(values)``: a change in nats beyond which more refinements are of no use.
    """
    made, changes = [first], list[float]()
    for k in range(1, FINEST + 1):
        values = finer(k)
        if values is None:
            return Limit(first, np.inf, 0)
        made.append(values)
        changes.append(float(np.max(np.abs(values - made[-2]))) / unit)
        if changes[-1] <= enough(values):
            return Limit(values, changes[-1], k)
        by_order = _of_order_one(made, changes, unit)
        if by_order is not None and by_order.change <= enough(by_order.values):
            return by_order
        if _runs_away(changes) and changes[-1] > 1:
            return Limit(values, changes[-1], k, growth=(values - made[-2]) / unit)
    by_order = _of_order_one(made, changes, unit)
    if by_order is not None and by_order.change < changes[-1]:
        return by_order
    return Limit(made[-1], changes[-1], FINEST)


def _of_order_one(made: list[Values], changes: list[float], unit: float) -> Limit | None:
    last = changes[-IN_A_ROW:]
    ratios = [b / a for a, b in pairwise(last) if a > 0]
    if len(ratios) < IN_A_ROW - 1:
        return None
    if not all(HALF[0] < r < HALF[1] for r in ratios):
        return None
    now, before = (2 * made[k] - made[k - 1] for k in (-1, -2))
    return Limit(now, float(np.max(np.abs(now - before))) / unit, len(changes), True)


def _runs_away(changes: list[float]) -> bool:
    last = changes[-IN_A_ROW:]
    grows = all(b >= GROWS * a for a, b in pairwise(last))
    return len(last) == IN_A_ROW and grows
