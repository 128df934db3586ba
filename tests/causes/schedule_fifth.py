"""Wrong schedules: lists that are rounded, and a logarithm of the standard deviation."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_schedule


def karras(n, low, high):
    return np.linspace(high ** (1 / 7), low ** (1 / 7), n) ** 7


@wrong("σ rounded to the levels of the model", says=r"rounded to the\s+levels of that table")
def rounded_to_levels():
    bar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    table = np.sqrt((1 - bar) / bar)
    sigmas = karras(18, table[0], table[-1])
    near = table[np.argmin(np.abs(sigmas[:, None] - table), axis=1)]
    return check_schedule(sigmas=np.append(near, 0.0), form="karras")


@wrong("σ rounded to two digits", says=r"rounded to 2 digits after the point")
def rounded_to_digits():
    sigmas = np.round(karras(12, 0.05, 12.5), 2)
    return check_schedule(sigmas=np.append(sigmas, 0.0), form="karras")
