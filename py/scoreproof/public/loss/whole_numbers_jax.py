"""From which range JAX has drawn whole numbers, of the bits that it made them of.

Conventions: ``jax.random.randint`` takes two numbers of ``width`` bits, of which ours are equal,
and returns the least number plus (h 2^width + l) mod the length of the range.
"""

from __future__ import annotations

import numpy as np

__all__ = ["range_of"]

#: of the table's length: ranges so long are tried
LONGEST = 2


def range_of(bits: np.ndarray, width: int, times: np.ndarray, steps: int) -> tuple[int, int] | None:
    """``(low, high)``, high not among them; ``None`` if these bits do not make these times.

    >>> bits = np.array([0, 3_000_000_019, 12_345, 777_777_777, 99], dtype=np.uint64)
    >>> whole = (bits.astype(object) * (2**32 + 1)) % 7 + 1
    >>> range_of(bits, 32, whole.astype(float), 8)
    (1, 8)
    """
    if bits.size != times.size or bits.size < 4:
        return None
    whole = bits.astype(object) * (2**width + 1)
    low = int(times.ravel()[int(np.argmin(bits))])  # that of 0
    offset = np.round(times.ravel()).astype(int) - low
    if np.any(offset < 0) or np.unique(offset).size < 3:
        return None
    for length in range(int(offset.max()) + 1, LONGEST * steps + 1):
        if all(int(w) % length == o for w, o in zip(whole, offset, strict=True)):
            return low, low + length
    return None
