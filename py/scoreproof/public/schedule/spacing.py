"""Which timesteps of a table an inference of n steps visits.

Conventions: falling, from noise to data, as schedulers list them.
"""

from __future__ import annotations

import numpy as np

__all__ = ["SPACINGS", "spaced", "variants"]

SPACINGS = ("leading", "trailing", "linspace")


def spaced(spacing: str, n: int, total: int, offset: int = 0) -> np.ndarray:
    """n of ``total`` timesteps. ``offset`` is added to leading ones (``steps_offset``).

    >>> [spaced(s, 4, 1000).tolist() for s in SPACINGS]
    [[750, 500, 250, 0], [999, 749, 499, 249], [999, 666, 333, 0]]
    """
    if spacing == "leading":
        return (np.arange(n) * (total // n))[::-1] + offset
    if spacing == "trailing":
        return np.round(np.arange(total, 0, -total / n))[:n].astype(int) - 1
    return np.round(np.linspace(0, total - 1, n))[::-1].astype(int)


def variants(spacing: str, n: int, total: int, offset: int = 0) -> dict[str, np.ndarray]:
    """The lists that go by that name: DPM-Solver and its kind leave out the end at the data."""
    found = {spacing: spaced(spacing, n, total, offset)}
    if spacing == "linspace":
        found["linspace without its last"] = spaced(spacing, n + 1, total)[:-1]
    if spacing == "leading":
        longer = (np.arange(n + 1) * (total // (n + 1)))[::-1][:-1] + offset
        found["leading without its last"] = longer
    return found
