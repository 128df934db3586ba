"""A table of the ᾱ that there was before it was rescaled to end at 0, or of one rescaled otherwise.

Conventions: the rescale shifts and stretches √ᾱ so that it starts where it did, and ends at 0.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.schedule.reading import READERS
from scoreproof.public.schedule.tables import TABLES, Base

__all__ = ["rescaled"]

#: an ᾱ that ends at 0, or is kept from it by less; how near to the rescaled √ᾱ counts as it
ENDS_AT, NEAR = 1e-6, 1e-6


def rescaled(name: str, values: np.ndarray, base: Base) -> str:
    """What is said where rescaling the ᾱ of the values gives the ᾱ of the table, or the reverse;
    else empty.

    >>> bar = np.linspace(0.98, 0.1, 50) ** 2
    >>> root = (np.sqrt(bar) - 0.1) * 0.98 / 0.88
    >>> steps = 1 - np.append(root[0], root[1:] / root[:-1]) ** 2
    >>> rescaled("sigma_t", np.sqrt(1 - bar), Base(steps, root**2, 2e-16))
    'it is √(1 - ᾱ_t) of the ᾱ before the rescale to zero terminal SNR: make it after that'
    """
    if name not in READERS or len(values) != len(base.bar):
        return ""
    words = TABLES[name].words.split(",")[0]
    with np.errstate(all="ignore"):
        bar = READERS[name](values)
        if not np.all(np.isfinite(bar)) or np.any(bar < 0):
            return ""
        if base.bar[-1] <= ENDS_AT < bar[-1] and _near(_to_zero(bar), base.bar):
            text = "of the ᾱ before the rescale to zero terminal SNR: make it after that"
            return f"it is {words} {text}"
        if base.bar[-1] <= ENDS_AT or bar[-1] > ENDS_AT:
            return ""
        own = base.bar
        moved = np.sqrt(own) - np.sqrt(own[-1])
        ways = {
            "": _to_zero(own),
            ", √ᾱ only shifted to end at 0: its factor √ᾱ_0 / (√ᾱ_0 - √ᾱ_T) is missing": moved**2,
            ", but ᾱ was, where √ᾱ is to be": (own - own[-1]) * own[0] / (own[0] - own[-1]),
            ", to start at 1, not at √ᾱ_0": (moved / moved[0]) ** 2,
            ", but not squared: √ᾱ is taken for ᾱ": moved * np.sqrt(own[0]) / moved[0],
        }
    for how, made in ways.items():
        if _near(made, bar):
            return (
                f"it is {words} of ᾱ rescaled to zero terminal SNR{how}; β were not rescaled:"
                " make them anew, 1 - ᾱ_t / ᾱ_{t-1}"
            )
    return ""


def _to_zero(bar: np.ndarray) -> np.ndarray:
    root = np.sqrt(bar)
    return np.asarray(((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2)


def _near(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.all(np.isfinite(one)) and np.all(np.abs(one - other) <= NEAR))
