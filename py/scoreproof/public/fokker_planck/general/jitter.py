"""The rounding of what a function computes from t: an inverse, a matrix exponential, a table.

Conventions: relative to the function's usual size. Such an error is the same at all x of one time,
so that no derivative in x shows it, and another one at a time a few units in the last place away:
what is not linear between such times is rounding.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["jitter"]

#: units in the last place between two times, and how many times what was seen may be there
ULPS, SEEN = 4, 4.0


def jitter(ask: Callable[[float], np.ndarray], value: np.ndarray, t: float, eps: float) -> float:
    """``ask(t)`` is ``value``; four calls more. Of float32's rounding it is no more than √eps.

    >>> smooth = lambda t: np.array([np.sin(t), 2.0])
    >>> jitter(smooth, smooth(0.7), 0.7, 2.2e-16) < 1e-15
    True
    >>> rough = lambda t: np.array([np.sin(t), 2.0]) * (1 + 1e-12 * np.sin(1e16 * t))
    >>> bool(1e-14 < jitter(rough, rough(0.7), 0.7, 2.2e-16) < 1e-11)
    True
    """
    near = [ask(t * (1 + k * ULPS * eps)) for k in (1, -1, 2, -2)]
    with np.errstate(all="ignore"):
        bent = [np.abs(near[k] + near[k + 1] - 2 * value) for k in (0, 2)]
        size = 1 + float(np.median(np.abs(value)))
        seen = SEEN * float(np.max(np.maximum(*bent))) / size
    return min(seen, float(np.sqrt(eps))) if np.isfinite(seen) else 0.0
