"""Which timesteps of a table an inference of n steps visits.

Conventions: falling, from noise to data, as schedulers list them.
"""

from __future__ import annotations

import numpy as np

__all__ = ["SPACINGS", "exact", "mistakes", "spaced", "variants"]

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


def exact(spacing: str, n: int, total: int) -> np.ndarray:
    """The same before it is rounded."""
    if spacing == "leading":
        return spaced(spacing, n, total).astype(float)
    if spacing == "trailing":
        return np.arange(total, 0, -total / n)[:n] - 1
    return np.linspace(0, total - 1, n)[::-1]


def variants(spacing: str, n: int, total: int, offset: int = 0) -> dict[str, np.ndarray]:
    """The lists that go by that name: DPM-Solver and its kind leave out the end at the data, its
    inversion the end at the noise.
    """
    found = {f"{spacing} spacing": spaced(spacing, n, total, offset)}
    if spacing == "linspace":
        longer = spaced(spacing, n + 1, total)
        found["linspace spacing, the last left out"] = longer[:-1]
        found["linspace spacing, the first left out"] = longer[1:]
    if spacing == "leading":
        longer = (np.arange(n + 1) * (total // (n + 1)))[::-1][:-1] + offset
        found["leading spacing, the last left out"] = longer
    return found


def mistakes(n: int, total: int) -> dict[str, np.ndarray]:
    """Lists that come of a slip."""
    down = np.floor(np.linspace(0, total - 1, n))[::-1].astype(int)
    return {
        "leading spacing by T / n, not T // n": np.round(np.arange(n) * total / n)[::-1].astype(
            int
        ),
        "leading spacing by T / n, rounded down": np.floor(np.arange(n) * total / n)[::-1].astype(
            int
        ),
        "linspace spacing, rounded down": down,
    }
