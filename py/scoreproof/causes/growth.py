"""How an error grows along a positive quantity: an exponent and a range.

Conventions: clauses without a full stop.
"""

from __future__ import annotations

import numpy as np

__all__ = ["grows"]

#: the values must span this factor, and the fit leave at most this much of log |error|
SPAN, SCATTER = 3.0, 0.12


def grows(
    along: np.ndarray, error: np.ndarray, symbol: str, floor: np.ndarray | float = 0.0
) -> str:
    """``"growing as 1/t from t = 0.1 down"``; empty where no power fits.

    ``floor``: errors up to it are rounding and not looked at. The power is said if it is a multiple
    of a half to 5 %, over the longest stretch from one end of the range on which it fits; a
    stretch has five values at least, over a factor of 3 or more.

    >>> t = np.geomspace(1e-3, 1, 12)
    >>> grows(t, 0.1 / t, "t"), grows(t, np.ones(12), "t")
    ('growing as 1/t', '')
    >>> grows(t, np.where(t < 0.1, 1 / t**2, 100.0), "t")
    'growing as 1/t² from t = 0.0811 down'
    """
    along, error = np.asarray(along, float).ravel(), np.abs(np.asarray(error, float)).ravel()
    with np.errstate(all="ignore"):
        seen = np.isfinite(error) & (error > np.broadcast_to(floor, error.shape)) & (along > 0)
    if seen.sum() < 5:
        return ""
    order = np.argsort(along[seen], kind="stable")
    x, y = np.log(along[seen][order]), np.log(error[seen][order])
    whole = _power(x, y)
    if whole is not None:
        return f"growing as {_word(symbol, whole)}" if whole else ""
    found = []
    for k in range(len(x) - 1, 4, -1):
        for low, side in ((True, slice(0, k)), (False, slice(len(x) - k, len(x)))):
            power = _power(x[side], y[side])
            if power is not None and (power < 0) == low and power != 0:
                end = np.exp(x[side][-1] if low else x[side][0])
                where = f"from {symbol} = {end:.3g} {'down' if low else 'up'}"
                found.append(f"growing as {_word(symbol, power)} {where}")
        if found:
            return found[0]
    return ""


def _power(x: np.ndarray, y: np.ndarray) -> float | None:
    if len(x) < 5 or x[-1] - x[0] < np.log(SPAN):
        return None
    slope, start = np.polyfit(x, y, 1)
    half = round(2 * slope) / 2
    if np.std(y - slope * x - start) > SCATTER or abs(slope - half) > 0.05 or abs(half) > 6:
        return None
    return half


def _word(symbol: str, power: float) -> str:
    name = symbol if len(symbol) == 1 or symbol.startswith(("‖", "|")) else f"({symbol})"
    size = abs(power)
    text = {0.5: f"√{name}", 1.0: name, 1.5: f"{name}^(3/2)", 2.0: f"{name}²"}.get(
        size, f"{name}^{size:g}"
    )
    return f"1/{text}" if power < 0 else text
