"""The order in which a function takes x and t, by what its author called them.

Conventions: the check asks ``(x, t)``. One table for drifts, diffusions, densities, scores and
networks: of two arguments exactly one is named as time is, and that one is time. A last one without
a default that is called ``args``, as SDE solvers have it, is given ``None``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from scoreproof.interop.signatures import needed

__all__ = ["in_order", "more", "told"]

#: t, ts, t1, tau, time, timesteps, t_batch, time_cond, batch_t; not x_t, xt: those are states
CLOCK = re.compile(
    r"_*((t|ts|tt|tau|τ|times?|time_?steps?)\d*(_(batch|vec|vector|cur|now|in|i|n|b|cond|input))?"
    r"|(batch|vec|cur|current|diffusion)_(t|ts|times?|time_?steps?))_*",
    re.IGNORECASE,
)
ARGS = "args"


def more(function: Any) -> tuple[None, ...]:
    """What goes in behind x and t: ``None`` for an ``args`` that has to be given."""
    names = needed(function)
    return (None,) if len(names) in (2, 3) and names[-1] == ARGS else ()


def told(function: Any) -> str | None:
    """``"tx"`` or ``"xt"`` where the names say so.

    >>> told(lambda timestep, q: q), told(lambda x_t, t: x_t), told(lambda a, b: a)
    ('tx', 'xt', None)
    """
    names = needed(function)
    names = names[: len(names) - len(more(function))]
    if len(names) != 2:
        return None
    first, second = (CLOCK.fullmatch(name) is not None for name in names)
    return None if first == second else "tx" if first else "xt"


def in_order(function: Any, said: str | None = None) -> Any:
    """``function`` as one of (x, t), or of t where it takes no more; ``said`` where no name tells.

    >>> in_order(lambda t, y: y - t)(5, 2), in_order(lambda x, t: x - t)(5, 2)
    (3, 3)
    >>> in_order(lambda t, y, args: (y, t, args))(5, 2)
    (5, 2, None)
    """
    names, rest = needed(function), more(function)
    if len(names) - len(rest) == 1 and rest:
        return _of_t(function)
    turned = len(names) - len(rest) == 2 and (told(function) or said) == "tx"
    return _of_both(function, turned, rest) if turned or rest else function


def _of_t(function: Callable[..., Any]) -> Callable[[Any], Any]:
    def of_t(t: Any) -> Any:
        return function(t, None)

    return of_t


def _of_both(
    function: Callable[..., Any], turned: bool, rest: tuple[None, ...]
) -> Callable[[Any, Any], Any]:
    def of_x_and_t(x: Any, t: Any) -> Any:
        return function(t, x, *rest) if turned else function(x, t, *rest)

    return of_x_and_t
