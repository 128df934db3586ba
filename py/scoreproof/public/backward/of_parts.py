"""A whole gradient that is m times, or 1/m of, what is due: parts of a batch that were added up.

Conventions: of a gradient that was written by hand, whose parts all have the factor.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.backward.arrays import common_factor
from scoreproof.public.backward.compared import Compared
from scoreproof.public.backward.seen import Seen

__all__ = ["of_parts"]

WHOLE = 1e-6  # how sharply a number of parts is whole
ALIKE = 1e-6  # a mean or a sum, relative


def of_parts(seen: Seen, c: Compared) -> Diagnosis | None:
    """What a whole multiple of everything is, first of all; None if it is no such multiple."""
    every = list(range(len(c.names)))
    fit = common_factor(c, every)
    if seen.question.gradient is None or len(every) < 2 or c.wrong != every or fit is None:
        return None
    factor, within = fit
    m = round(factor if factor > 1 else 1 / factor) if factor > 0 else 0
    off = abs((factor if factor > 1 else 1 / factor) / m - 1) if m else 1.0
    if m < 2 or off > min(2 * within + 1e-9, WHOLE):
        return None
    whole = factor > 1
    over = _reduced(seen, m, np.mean if whole else np.sum)
    rows = max((len(a) for x in seen.program.values for a in x.arrays if a.ndim), default=0)
    if m > rows and not over:
        return None  # a batch has no more parts than rows
    if whole:
        shown, remedy = f"{m}", f"divide by {m}"
        parts = f"a sum over {m} micro-batches (or devices) that is not divided by their number"
        first = over and f"a sum over {over} of which the mean is due"
        two = "a factor ½ of the loss that is forgotten"
    else:
        shown, remedy = f"{factor:.6g} = 1/{m}", f"multiply by {m}"
        parts = f"a mean over {m} micro-batches (or devices) of which the sum is due"
        first = over and f"a mean over {over} of which the sum is due"
        two = "the 2 of a square that is forgotten"
    told = [first, two if m == 2 and not whole else "", parts if m <= rows else ""]
    told = [text for text in told if text]
    told += [two] if m == 2 and whole else []
    what = ", or ".join(f"of {text}" for text in told)
    text = f"Cause: the whole gradient is {shown} times what is due, as {what}: {remedy}."
    return Diagnosis.cause("factor", text)


def _reduced(seen: Seen, m: int, by: Callable[[np.ndarray], Any]) -> str:
    """Of what m entries, rows or columns the function's value is the mean, or the sum."""
    values = seen.program.values
    out = values[seen.program.v_out]
    if out.size != 1:
        return ""
    y = float(out.flat()[0])
    for x in values:
        if len(x.arrays) != 1 or x.size < 2:
            continue
        a = np.asarray(x.arrays[0], float)
        whole = abs(float(by(a)) - y) <= ALIKE * abs(y)
        rows = by is np.mean and abs(float(a.sum()) / len(a) - y) <= ALIKE * abs(y)
        if whole and m == a.size:
            return f"the {m} entries"
        if (whole or rows) and m == len(a):
            return f"the {m} rows"
        if whole and a.ndim > 1 and m == a.size // len(a):
            return f"the {m} columns"
    return ""
