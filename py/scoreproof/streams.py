"""Random streams named by what they are for: the same names and seed give the same numbers in any
process or order.
"""

from __future__ import annotations

import hashlib

import numpy as np

__all__ = ["stream"]


def stream(seed: int, *names: str) -> np.random.Generator:
    """A generator derived from ``seed`` and a path of names, independent of all other paths.

    >>> a, b = stream(0, "tweedie", "atoms"), stream(0, "tweedie", "atoms")
    >>> bool(a.random() == b.random()), bool(stream(0, "x").random() == stream(0, "y").random())
    (True, False)
    """
    digest = hashlib.sha256("\x1f".join(names).encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "big") for i in range(0, 32, 4)]
    return np.random.default_rng(np.random.SeedSequence([int(seed), *words]))
