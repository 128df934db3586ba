"""What an answer as a whole is instead of the right one: a factor, an offset, its root, clipped.

Conventions: as in `answer`. Each function gives a `Reading`, or None if it does not explain.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoreproof.causes.answer import Answer, Reading
from scoreproof.causes.closed_forms import closed_form, number

__all__ = ["MAPS", "affine", "clipped", "factor", "mapped", "nothing", "offset", "same_everywhere"]


#: A factor nearer to 1 is rounding's, or of no use to a reader.
BARELY = 1e-6


def nothing(a: Answer) -> Reading | None:
    if np.all(np.abs(a.found) <= a.limit):
        return Reading("nothing", "it is 0 everywhere", "return the value itself")
    return None


def factor(a: Answer) -> Reading | None:
    size = float(np.vdot(a.due, a.due).real)
    if size == 0:
        return None
    c = np.vdot(a.due, a.found) / size
    if abs(c.imag) > 1e-9 * abs(c) or not a.explained(c.real * a.due, abs(c)):
        return None
    c, within = float(c.real), a.within
    if abs(c - 1) <= max(2 * within, BARELY):
        return None
    if abs(c + 1) <= 2 * within:
        return Reading("sign", "it is the negative of what is due", "flip the sign", -1.0)
    form = closed_form(c, within, a.known)
    if a.told < 2 and (form is None or within > 1e-6):
        return None
    shown = number(c, within, a.known)
    return Reading("factor", f"it is {shown} times what is due", f"divide it by {form or shown}", c)


def same_everywhere(a: Answer) -> Reading | None:
    if np.iscomplexobj(a.found) or a.told < 3:
        return None
    if np.ptp(a.found) <= float(np.max(a.limit)) and np.ptp(a.due) > 4 * float(np.max(a.limit)):
        text = f"it is {float(np.mean(a.found)):.6g} everywhere, whatever is asked"
        return Reading("constant", text, "use what is given")
    return None


def offset(a: Answer) -> Reading | None:
    gap = a.found - a.due
    b = np.mean(gap)
    if np.iscomplexobj(gap) or a.told < 2 or not a.explained(a.due + b):
        return None
    within = float(np.max(a.limit)) / max(abs(float(b)), 1e-300)
    shown = number(float(b), within, a.known)
    more = "more" if b > 0 else "less"
    size = shown.removeprefix("-") if "= -" not in shown else f"{abs(float(b)):.6g}"
    text = f"it is what is due and {size} {more}, everywhere"
    return Reading("offset", text, f"{'subtract' if b > 0 else 'add'} {size}")


MAPS: dict[str, tuple[Callable[[np.ndarray], np.ndarray], str, str]] = {
    "absolute": (np.abs, "the absolute value of what is due", "take no absolute value"),
    "squared": (np.square, "the square of what is due", "take its square root"),
    "rooted": (np.sqrt, "the square root of what is due", "square it"),
    "inverted": (np.reciprocal, "1 / what is due", "invert it"),
    "inverse_square": (lambda t: t**-2.0, "1 / (what is due)²", "raise it to the power -1/2"),
    "inverse_root": (lambda t: t**-0.5, "1 / √(what is due)", "raise it to the power -2"),
    "log": (np.log, "the natural logarithm of what is due", "exponentiate it"),
    "log10": (np.log10, "the base-10 logarithm of what is due", "raise 10 to it"),
    "log2": (np.log2, "the base-2 logarithm of what is due", "raise 2 to it"),
    "half_log": (lambda t: 0.5 * np.log(t), "half the logarithm of what is due", "take exp(2 ·)"),
    "exp": (np.exp, "the exponential of what is due", "take the logarithm"),
    "softplus": (lambda t: np.logaddexp(0, t), "the softplus of what is due", "invert softplus"),
    "relu": (
        lambda t: np.maximum(t, 0),
        "what is due with negative numbers cut to 0",
        "leave out the relu",
    ),
    "tanh": (np.tanh, "the tanh of what is due", "leave out the last tanh"),
    "sigmoid": (lambda t: 1 / (1 + np.exp(-t)), "the sigmoid of what is due", "invert it"),
    "complement": (lambda t: 1 - t, "1 minus what is due", "subtract it from 1"),
    "rounded": (np.round, "what is due, rounded to whole numbers", "keep the fractions"),
    "cut": (np.trunc, "what is due without its fractions (an integer type)", "use a float type"),
}


def mapped(a: Answer) -> Reading | None:
    if np.iscomplexobj(a.found) or np.iscomplexobj(a.due) or a.told < 2:
        return None
    for name, (function, words, remedy) in MAPS.items():
        with np.errstate(all="ignore"):
            value = function(a.due.astype(float))
            if not np.all(np.isfinite(value)) or np.allclose(value, a.due, rtol=0, atol=0):
                continue
            # the limit moves with the slope of the map; enough entries must stay sharp
            moved = np.abs(function(a.due + a.limit) - value)
        moved = np.where(np.isfinite(moved), moved, np.inf)
        sharp = moved <= 1e-3 * np.abs(value)
        if np.mean(sharp | (value == 0)) < 0.75 or np.sum(sharp) < 2:
            continue
        scale = np.minimum(moved, 1e-2 * np.abs(value)) / np.maximum(a.limit, 1e-300)
        for sign, text in ((1, words), (-1, f"the negative of {words}")):
            if a.explained(sign * value, scale):
                return Reading(name, f"it is {text}", remedy)
    return None


def clipped(a: Answer) -> Reading | None:
    if np.iscomplexobj(a.found) or a.found.size < 4:
        return None
    low, high = float(np.min(a.found)), float(np.max(a.found))
    if high - low <= 2 * float(np.max(a.limit)) or not a.explained(np.clip(a.due, low, high)):
        return None
    inside = (a.due > low) & (a.due < high)
    cut_low, cut_high = np.sum(a.due < low - a.limit), np.sum(a.due > high + a.limit)
    # one entry that is too small is cut at itself: a limit is seen where several meet it
    if not np.any(inside) or cut_low + cut_high <= (cut_low > 0) + (cut_high > 0):
        return None
    parts = [
        f"at {'least' if side == 'low' else 'most'} {number(value, a.within)}"
        for side, value, count in (("low", low, cut_low), ("high", high, cut_high))
        if count
    ]
    share = f"{int(cut_low + cut_high)} of {a.found.size} entries are cut"
    return Reading(
        "clipped",
        f"it is what is due, clipped to {' and '.join(parts)} ({share})",
        "do not clip it, or clip further out",
    )


def affine(a: Answer) -> Reading | None:
    if np.iscomplexobj(a.found) or a.told < 5:
        return None
    t, m = a.due.ravel(), a.found.ravel()
    c, b = np.polyfit(t, m, 1)
    if abs(c - 1) <= BARELY and abs(b) <= BARELY * np.max(np.abs(t)):
        return None
    if not a.explained(c * a.due + b, abs(c)) or abs(c) <= 1e-9:
        return None
    shown = number(float(c), a.within, a.known)
    text = f"it is {shown} times what is due {'+' if b > 0 else '-'} {abs(b):.6g}"
    return Reading("affine", text, f"units differ: undo x -> {c:.6g} x {b:+.6g}")
