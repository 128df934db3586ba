"""The flows that people run in place of the one that is due, and what is said of them.

Conventions: as in `flows`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

__all__ = ["FLOWS", "TURNED", "Field"]

Field = Callable[[Any, Any, Any], Any]
FLOWS: tuple[tuple[str, Callable[[Field], Field], str], ...] = (
    (
        "flow_forward",
        lambda f: lambda z, p, s: -f(z, p, 1 - s),
        "the flow is run in the other direction, from x at s = 0 forward to s = 1: x sits at s = 1,"
        " and z(0) is found by integrating from 1 down to 0",
    ),
    (
        "mirrored_clock",
        lambda f: lambda z, p, s: f(z, p, 1 - s),
        "the field is asked at 1 - s where s is due: on the way down from 1 to 0 the time is not to"
        " be turned again",
    ),
    (
        "field_sign",
        lambda f: lambda z, p, s: -f(z, p, s),
        "the field's sign is turned, dz/ds = -f, and its clock is not: on the way down the step"
        " ds is"
        " negative already",
    ),
    (
        "time_at_0",
        lambda f: lambda z, p, s: f(z, p, 0 * s),
        "the field is always asked at s = 0: the time does not reach it",
    ),
    (
        "time_at_1",
        lambda f: lambda z, p, s: f(z, p, 0 * s + 1),
        "the field is always asked at s = 1: the time does not reach it",
    ),
    (
        "time_in_thousandths",
        lambda f: lambda z, p, s: f(z, p, 1000 * s),
        "the field is asked at 1000 s where s is due: its time is in steps",
    ),
)

#: flows whose velocity is turned: what is said of a log-determinant that is not turned with it (so
#: that it is right once the velocity is), and of one that is
TURNED = {
    "flow_forward": (
        "the log-determinant is subtracted, as is due then",
        "the log-determinant is added, as for a model with x at s = 0: with x at s = 1 it is"
        " subtracted",
    ),
    "field_sign": (
        "that is so in the velocity alone: νᵀJν is that of f, as is due",
        "νᵀJν is that of -f as well",
    ),
}
