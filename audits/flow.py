"""The flow that the solvers' audits share: a small smooth field, its parameters and data (FFJORD
objective, fixed ν).
"""

from __future__ import annotations

import numpy as np

__all__ = ["DIMENSION", "PARAMS", "ROWS", "sizes"]

DIMENSION, HIDDEN = 2, 3
RNG = np.random.default_rng(20240607)
#: W1 (H, D), b1 (H,), time weights (H,), W2 (D, H): a flat vector
PARAMS = 0.7 * RNG.standard_normal(HIDDEN * DIMENSION + 2 * HIDDEN + DIMENSION * HIDDEN)
ROWS = RNG.standard_normal((3, DIMENSION))


def sizes() -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Names and shapes of the pieces of PARAMS, in order."""
    return (
        ("w1", (HIDDEN, DIMENSION)),
        ("b1", (HIDDEN,)),
        ("u", (HIDDEN,)),
        ("w2", (DIMENSION, HIDDEN)),
    )
