"""What is done to right values: a clamp, half precision, a factor, a summand.

Conventions: as in `words`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.closed_forms import number

__all__ = ["LEAST", "PART", "most_of_it", "shaped", "span"]

#: wrong entries that a cause has to explain
LEAST = 3
#: what a cause may leave of the deviation, where the bound is coarse
PART = 0.03


def shaped(
    values: np.ndarray, due: np.ndarray, allowed: np.ndarray, wrong: np.ndarray
) -> tuple[str, str] | None:
    """A clamp, half precision, a factor (``words`` end in "times"), a summand."""
    if np.sum(wrong) < LEAST or not np.all(np.isfinite(values)):
        return None
    for least, words in ((True, "at least"), (False, "at most")):
        level = values[wrong]
        if np.ptp(level) == 0 and not np.all(wrong):
            cut = np.maximum(due, level[0]) if least else np.minimum(due, level[0])
            if np.all(np.abs(values - cut) <= allowed * np.abs(cut)):
                text = f"it is clamped to {words} {level[0]:.6g}{_power_of(level[0], values)}"
                return "clamped", f"{text}, which cuts it off {span(wrong)}"
    ends = np.unique(values[wrong])
    if ends.size == 2 and not np.all(wrong):
        cut = np.clip(due, ends[0], ends[1])
        if np.all(np.abs(values - cut) <= allowed * np.abs(cut)):
            return "clamped", f"it is clamped to [{ends[0]:.6g}, {ends[1]:.6g}]"
    if half := _half(values, due):
        return "half_precision", half
    with np.errstate(all="ignore"):
        of = {"its square": values**2, "one minus its square": 1 - values**2}
        made = {"its square": due**2, "one minus its square": 1 - due**2}
    for words, inner in of.items():
        with np.errstate(all="ignore"):
            rounded = inner.astype(np.float16).astype(float)
        near = bool(np.all(np.abs(inner - rounded) <= 4e-7))
        near = near and np.median(np.abs(inner)) > 1e-3
        if near and (half := _half(rounded, made[words])):
            return "half_precision", f"{words}: {half}".replace("it was", "that was")
    return _affine(values, due, allowed, wrong) or _inside(values, due, allowed, wrong)


def _power_of(level: float, values: np.ndarray) -> str:
    """Of a table of logarithms, what it is the logarithm of."""
    of = float(f"{np.exp(level):.2g}") if -60 < level < 0 and values.max() <= 0 else 0.0
    return f" = log {of:g}" if of and abs(np.log(of) - level) < 1e-6 else ""


def _half(values: np.ndarray, due: np.ndarray) -> str:
    """All are numbers of 16 bits, and no further off than their rounding makes a product."""
    with np.errstate(all="ignore"):
        error = np.abs(values / due - 1)
        bits = values.astype(np.float32).view(np.uint32)
        kinds = {
            "float16": (np.array_equal(values.astype(np.float16).astype(float), values), 2.0**-10),
            "bfloat16": (
                bool(np.all(bits & 0xFFFF == 0))
                and np.array_equal(values.astype(np.float32).astype(float), values),
                2.0**-7,
            ),
        }
    whole = bool(np.all(values == np.round(values)))
    small = np.abs(values) < 6.2e-5  # float16 has few digits there
    for name, (exact, eps) in kinds.items():
        most = eps * (2 + np.arange(len(values)))
        few = np.mean(small) < 0.5
        if exact and few and not whole and np.all((error <= most) | small):
            return (
                f"it was computed in {name}: a product of t factors is off by up to t · {eps:.1g}"
                " (keep the tables in float64, and round the result)"
            )
    return ""


def _affine(
    values: np.ndarray, due: np.ndarray, allowed: np.ndarray, wrong: np.ndarray
) -> tuple[str, str] | None:
    with np.errstate(all="ignore"):
        ratio = values / due
    fits = np.isfinite(ratio) & np.isfinite(due) & (due != 0)
    if np.sum(fits & wrong) < LEAST:
        return None
    middle = float(np.median(ratio[fits]))
    same = np.all(np.abs(ratio - middle)[fits] <= allowed[fits] * abs(middle))
    if same and most_of_it(values - middle * due, values - due, fits & wrong):
        logs = {
            1 / np.log(10): " (log₁₀ for log)",
            1 / np.log(2): " (log₂ for log)",
            10 / np.log(10): " (decibels, 10 log₁₀, for log)",
            20 / np.log(10): " (20 log₁₀ for log)",
        }
        of = next((text for v, text in logs.items() if abs(middle / v - 1) < 1e-5), "")
        shown = f"{middle:.6g}" if of else number(middle, 1e-6)
        return "factor", f"it is {shown} times{of}"
    fits = np.isfinite(due) & np.isfinite(values)
    shift = float(np.median((values - due)[fits]))
    same = np.abs(values - due - shift)[fits] <= allowed[fits] * np.abs(values[fits])
    small = np.median(np.abs(due[fits])) >= 1e6 * abs(shift)
    most = most_of_it(values - due - shift, values - due, fits & wrong)
    if np.all(same) and most and not small:
        return "summand", f"{number(shift, 1e-6)} is added to each entry"
    return None


def most_of_it(left: np.ndarray, off: np.ndarray, wrong: np.ndarray) -> bool:
    """Whether what is left is a small part of the deviation, where the bound is coarse."""
    with np.errstate(all="ignore"):
        part = np.abs(left / off)[wrong]
    part = part[np.isfinite(part)]  # an infinite due leaves none
    return part.size > 0 and bool(np.median(part) <= PART)


#: what a table may be a function of, and its inverse
INSIDE = (
    ("the logarithm", np.exp, np.log),
    ("the root", np.square, np.sqrt),
    ("the reciprocal", lambda v: 1 / v, lambda v: 1 / v),
    ("the reciprocal of the root", lambda v: v**-2, lambda v: v**-0.5),
)


def _inside(
    values: np.ndarray, due: np.ndarray, allowed: np.ndarray, wrong: np.ndarray
) -> tuple[str, str] | None:
    """A number that is added inside of a logarithm or a root: against log 0, or 1 / 0."""
    for words, inner, outer in INSIDE:
        with np.errstate(all="ignore"):
            shift = (inner(values) - inner(due))[wrong & np.isfinite(due)]
            c = float(np.median(shift)) if shift.size >= LEAST else np.nan
            short = float(f"{c:.2g}") if np.isfinite(c) and c else np.nan
            for more in (short, c):
                made = outer(inner(due) + more)
                left = np.abs(values - made)
                seen = np.isfinite(made)
                same = np.all(left[seen] <= allowed[seen] * np.abs(made[seen]))
                most = most_of_it(left, values - due, wrong & np.isfinite(due))
                if more > 0 and same and most:
                    return "inside", f"{more:.4g} is added inside {words}, before it is taken"
    return None


def span(wrong: np.ndarray) -> str:
    """Which entries are wrong.

    >>> span(np.arange(9) > 6), span(np.arange(9) < 3), span(np.arange(9) % 4 == 1)
    ('from entry 7 on', 'up to entry 2', 'the first 1, the last 5')
    """
    at = np.flatnonzero(wrong)
    if np.any(np.diff(at) != 1):
        return f"the first {at[0]}, the last {at[-1]}"
    if at[-1] == len(wrong) - 1:
        return f"from entry {at[0]} on"
    return f"up to entry {at[-1]}" if at[0] == 0 else f"at entries {at[0]} to {at[-1]}"
