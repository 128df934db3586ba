"""Functions that name time first, ``f(t, y)`` as SDE solvers have it, asked in their own order.

Conventions: the check asks ``(x, t)``. Only names decide: the first of two is time's and the second
is a state's. A third one without a default, ``args``, is given ``None``.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

__all__ = ["in_order"]

TIMES = ("t", "time", "tau", "ts")
STATES = ("x", "y", "z", "X", "Y", "Z", "state", "xs", "ys", "x_t", "xt", "y_t", "yt")
POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def in_order(function: Any) -> Any:
    """``function`` as one of (x, t).

    >>> in_order(lambda t, y: y - t)(5, 2), in_order(lambda x, t: x - t)(5, 2)
    (3, 3)
    >>> in_order(lambda t, y, args: (y, t, args))(5, 2)
    (5, 2, None)
    """
    try:
        given = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return function
    names = [p.name for p in given if p.kind in POSITIONAL and p.default is p.empty]
    if len(names) not in (2, 3) or names[0] not in TIMES or names[1] not in STATES:
        return function
    if len(names) == 3:
        return _asked(function, (None,)) if names[2] == "args" else function
    return _asked(function, ())


def _asked(function: Callable[..., Any], more: tuple[Any, ...]) -> Callable[[Any, Any], Any]:
    def of_x_and_t(x: Any, t: Any) -> Any:
        return function(t, x, *more)

    return of_x_and_t
