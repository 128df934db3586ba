"""A table of the ᾱ that there was before it was rescaled to end at 0, as Lin et al. do.

Conventions: the rescale shifts and stretches √ᾱ so that it starts where it did, and ends at 0.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.schedule.reading import READERS
from scoreproof.public.schedule.tables import TABLES, Base

__all__ = ["before_rescale"]

#: an ᾱ that ends at 0, or is kept from it by less; how near to the rescaled √ᾱ counts as it
ENDS_AT, NEAR = 1e-6, 1e-6


def before_rescale(name: str, values: np.ndarray, base: Base) -> str:
    """What is said where rescaling the ᾱ of the values gives the ᾱ of the table; else empty.

    >>> bar = np.linspace(0.98, 0.1, 50) ** 2
    >>> root = (np.sqrt(bar) - 0.1) * 0.98 / 0.88
    >>> ends = Base(1 - np.append(root[0], root[1:] / root[:-1]) ** 2, root**2, 2e-16)
    >>> before_rescale("sigma_t", np.sqrt(1 - bar), ends)
    'it is √(1 - ᾱ_t) of the ᾱ before the rescale to zero terminal SNR: make it after that'
    """
    if name not in READERS or base.bar[-1] > ENDS_AT or len(values) != len(base.bar):
        return ""
    with np.errstate(all="ignore"):
        root = np.sqrt(READERS[name](values))
        if not np.all(np.isfinite(root)) or not root[0] > root[-1] > ENDS_AT:
            return ""
        made = (root - root[-1]) * root[0] / (root[0] - root[-1])
        if np.any(np.abs(made - np.sqrt(base.bar)) > NEAR):
            return ""
    words = TABLES[name].words.split(",")[0]
    return f"it is {words} of the ᾱ before the rescale to zero terminal SNR: make it after that"
