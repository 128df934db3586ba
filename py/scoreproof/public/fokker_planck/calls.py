"""The ways in which a network may take points and a time.

Conventions: each is ``f(x, t)`` of rows x ``(n, d)`` and one time t, in the framework's own arrays;
derivatives go through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from scoreproof.interop.frameworks import require
from scoreproof.interop.signatures import fits
from scoreproof.public.fokker_planck.order import more

__all__ = ["ways"]


def ways(
    function: Any, framework: str, first: str, rows: bool = False
) -> Iterator[tuple[str, Callable[[Any, Any], Any], bool]]:
    """The ways in which it may take x and t, in words and as ``f(x, t)``, and whether x and t go
    into one array; ``rows``: of what returns a row for each row, x alone is a way too.
    """
    turned, rest = first == "tx", more(function)

    def two(x: Any, t: Any) -> Any:
        return function(t, x, *rest) if turned else function(x, t, *rest)

    def joined(x: Any, t: Any) -> Any:
        parts = [_clock(t, x, framework, 1), x] if turned else [x, _clock(t, x, framework, 1)]
        return function(_cat(parts, framework))

    def shown(t: str) -> str:
        return f"({t}, x)" if turned else f"(x, {t})"

    many, one = fits(function, 2 + len(rest)), fits(function, 1)
    if many:
        yield shown("t"), two, False
        yield shown("t of shape (n,)"), lambda x, t: two(x, _clock(t, x, framework, 0)), False
        yield shown("t of shape (n, 1)"), lambda x, t: two(x, _clock(t, x, framework, 1)), False
    if one:
        yield f"[{', '.join('tx' if turned else 'xt')}] in one array", joined, True
    if one and rows:
        yield "x alone", lambda x, t: function(x), False
    if framework != "jax":
        return
    jax = require("jax")
    if many:
        by_two = jax.vmap(lambda *both: function(*both, *rest))

        def each(x: Any, t: Any, k: int) -> Any:
            when = _clock(t, x, framework, k)
            return by_two(when, x) if turned else by_two(x, when)

        yield shown("t") + " point by point", lambda x, t: each(x, t, 0), False
        yield shown("t of shape (1,)") + " point by point", lambda x, t: each(x, t, 1), False
    if one:
        by_one = jax.vmap(function)

        def together(x: Any, t: Any) -> Any:
            parts = [_clock(t, x, framework, 1), x] if turned else [x, _clock(t, x, framework, 1)]
            return by_one(_cat(parts, framework))

        yield f"[{', '.join('tx' if turned else 'xt')}] point by point", together, True


def _clock(t: Any, x: Any, framework: str, columns: int) -> Any:
    """t for every row of x, ``(n,)`` or ``(n, 1)``; derivatives in t go through."""
    shape: tuple[int, ...] = (len(x), 1) if columns else (len(x),)
    if framework == "torch":
        torch = require("torch")
        return torch.as_tensor(t, dtype=x.dtype).reshape(()).expand(*shape)
    xp = np if framework == "numpy" else require("jax").numpy
    return xp.broadcast_to(xp.asarray(t, dtype=None if framework == "numpy" else x.dtype), shape)


def _cat(parts: list[Any], framework: str) -> Any:
    if framework == "torch":
        return require("torch").cat(parts, dim=-1)
    return (np if framework == "numpy" else require("jax").numpy).concatenate(parts, axis=-1)
