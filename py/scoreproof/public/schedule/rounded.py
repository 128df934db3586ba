"""A list that is its form, rounded: to digits, to whole numbers, to the levels of a table.

Conventions: as in `formula`; clauses without a full stop.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.schedule.forms import BETA_FORMS
from scoreproof.public.schedule.shapes import LEAST

__all__ = ["irregular", "rounded"]

#: digits after the point that people round to; how near an entry is to a level, relative
DIGITS, NEAR = range(7), 1e-6
#: the steps of the tables that models are trained with
STEPS = 1000


def rounded(
    values: np.ndarray, due: np.ndarray, wrong: np.ndarray, *, sigmas: bool
) -> tuple[str, str] | None:
    """To what, if every entry is what is due, rounded."""
    if not np.all(np.isfinite(values)) or np.sum(wrong) < LEAST:
        return None
    for digits in DIGITS:
        for way, by in (("", np.round), (" down", np.floor), (" up", np.ceil)):
            made = by(due * 10.0**digits) / 10.0**digits
            if np.all(np.abs(values - made) <= NEAR * np.abs(made)):
                to = "whole numbers" if digits == 0 else f"{digits} digits after the point"
                return "rounded_digits", f"they are what is due, rounded{way} to {to}"
    for words, levels in _tables() if sigmas else ():
        if _are_levels(values, due, levels):
            return (
                "rounded_to_table",
                f"every one is a level of {words}, next to what is due: they are rounded to the"
                " levels of that table (leave them as the formula gives them)",
            )
    return None


def irregular(values: np.ndarray, due: np.ndarray, wrong: np.ndarray) -> str:
    """A clause for entries that are off now up, now down, between ends that are right."""
    with np.errstate(all="ignore"):
        off = np.where(wrong, values / due - 1, 0.0)
    inner = off[1:-1]
    signs = np.sign(inner[inner != 0])
    turns = int(np.sum(signs[1:] != signs[:-1]))
    if wrong[0] or wrong[-1] or len(signs) < 2 * LEAST or turns < max(2, len(signs) // 5):
        return ""
    return (
        "; both ends are exact, the entries between are off irregularly, some up and some down, by"
        f" up to {100 * float(np.max(np.abs(inner))):.2g} %, as where they are rounded to a"
        " table of levels"
    )


def _tables() -> Iterator[tuple[str, np.ndarray]]:
    """σ of the tables that most models have."""
    for name, of in (("scaled_linear", "0.00085 to 0.012"), ("linear", "0.0001 to 0.02")):
        bar = np.cumprod(1 - BETA_FORMS[name][""](STEPS))
        text = f"√((1 - ᾱ)/ᾱ) of {STEPS} {name} β from {of}"
        yield text, np.sqrt((1 - bar) / bar)


def _are_levels(values: np.ndarray, due: np.ndarray, levels: np.ndarray) -> bool:
    """Whether all are levels, none further from what is due than its neighbours are."""
    logs = np.log(levels)
    with np.errstate(all="ignore"):
        found, wanted = np.log(values), np.log(due)
    if not np.all(np.isfinite(found)):
        return False
    k = np.argmin(np.abs(found[:, None] - logs), axis=1)
    if np.any(np.abs(found - logs[k]) > NEAR):
        return False
    low, high = logs[np.maximum(k - 1, 0)], logs[np.minimum(k + 1, len(logs) - 1)]
    return bool(np.all((wanted >= low - NEAR) & (wanted <= high + NEAR)))
