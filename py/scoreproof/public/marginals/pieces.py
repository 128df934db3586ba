"""A declared law that is right up to a time: from there on a constant is missing in an integral, or
its rate is another.

Conventions: as in `reading`. The integrals are log α, and the variance in the coordinate X/α.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.laws import number
from scoreproof.public.marginals.reading import Declaration, Told

__all__ = ["pieces"]

#: times before and after that tell a piece from a law of its own
LEAST = 5
#: times between two of them at which a piece may begin
FINE = 1001


def pieces(d: Declaration) -> Told | None:
    """What is missing, from when on."""
    if not d.straight or d.shift_wrong or np.any(d.alpha <= 0) or np.any(d.alpha_due <= 0):
        return None
    if d.mean_wrong:
        log, due = np.log(d.alpha), np.log(d.alpha_due)
        found = _piece(d, log, due, log=True)
        if found is None:
            return None
        if d.std_wrong:
            total = d.total
            if total is None:
                return None
            implied = np.sqrt(np.maximum(total * (1 - d.alpha**2), 0))
            if not np.all(np.abs(implied - d.std) <= d.loose * np.maximum(implied, 1e-3)):
                return None
        where = "in the mean and in the standard deviation alike" if d.std_wrong else "in the mean"
        return Told("piece", f"{found}, {where}")
    if not d.std_wrong:
        return None
    with np.errstate(all="ignore"):
        own, due = (s**2 / d.alpha_due**2 for s in (d.std, d.std_due))
    found = _piece(d, own, due, log=False)
    return None if found is None else Told("piece", found)


def _piece(d: Declaration, own: np.ndarray, due: np.ndarray, *, log: bool) -> str | None:
    off = own - due
    size = np.maximum(np.abs(due), 1e-3)
    wrong = np.abs(off) > d.loose * size
    k = int(np.argmax(wrong))
    if not LEAST <= k <= len(off) - LEAST or not np.all(wrong[k:]):
        return None
    what = "log α" if log else "variance, divided by α²,"
    more = float(np.median(off[k:]))
    if np.all(np.abs(off[k:] - more) <= 10 * d.loose * size[k:]):
        return _constant(d, k, more, log=log)
    # another rate from there on
    slope, start = np.polyfit(due[k:] - due[k - 1], off[k:], 1)
    left = np.abs(off[k:] - start - slope * (due[k:] - due[k - 1]))
    if not np.all(left <= 10 * d.loose * size[k:]) or abs(slope) < 1e-6:
        return None
    when = _when(d, k, float(due[k - 1] - start / slope), log=log)  # where the two agree
    if when is None:
        return None
    rate = "the drift's rate" if log else "g²"
    return (
        f"from t = {when:g} on the declared {what} changes {number(float(f'{1 + slope:.6g}'))}"
        f" times as fast as {rate} says; up to there it is right"
    )


def _constant(d: Declaration, k: int, more: float, *, log: bool) -> str:
    """The same number at all times from the k-th on."""
    start, size = _when(d, k, -more, log=log), f"{abs(more):.6g}"
    after = (
        f"t = {start:g}" if start is not None else f"a time from {d.t[k - 1]:.3g} to {d.t[k]:.3g}"
    )
    what = "log α" if log else "variance, divided by α²,"
    if log:
        lacks = "lacks" if more > 0 else "has too much:"
        lost = f": ∫β {lacks} {abs(2 * more):.6g} (for a drift -½ β x)"
    else:
        lost = f": {size} is missing" if more < 0 else ""
    whole = ", all of the integral up to there" if start is not None else ""
    return (
        f"from {after} on the declared {what} is {size} too {'large' if more > 0 else 'small'} at"
        f" all times{lost}{whole}; a piece has to begin with what those before it integrate to"
    )


def _when(d: Declaration, k: int, value: float, *, log: bool) -> float | None:
    """When, between times k - 1 and k, the integral that is due has this value."""
    u = np.linspace(d.t[k - 1], d.t[k], FINE)
    factor, spread = d.at(u)
    with np.errstate(all="ignore"):
        due = np.log(factor) if log else (spread / factor) ** 2
    if not np.all(np.isfinite(due)) or not (due.min() <= value <= due.max()):
        return None
    order = np.argsort(due)
    return float(f"{np.interp(value, due[order], u[order]):.4g}")
