"""Which level of noise a model is told, where it is not that of the noise in x_t.

Conventions: σ is the deviation of the noise in x_t, s what the model is told; both ``(B,)``.
"""

from __future__ import annotations

import numpy as np

__all__ = ["level_told"]

#: relative: two levels so near are the same
SAME = 1e-5


def level_told(told: np.ndarray, sigma: np.ndarray) -> str | None:
    """σ in terms of s, if it is a power of s or a line in s; ``None`` if it is neither.

    >>> s = np.array([0.1, 0.5, 1.0, 4.0])
    >>> level_told(s, s**2), level_told(s, 2 * s), level_told(s, s + 0.25)
    ('s²', '2 s', 's + 0.25')
    """
    if np.unique(sigma).size < 4 or np.any(told <= 0) or np.any(sigma <= 0):
        return None
    power, start = np.polyfit(np.log(told), np.log(sigma), 1)
    # a power that is not a plain one stands for no formula that people write
    power = round(4 * float(power)) / 4
    factor = float(np.exp(np.mean(np.log(sigma) - power * np.log(told))))
    if power > 0 and _same(factor * told**power, sigma):
        return _times(factor, {1.0: "s", 2.0: "s²", 0.5: "√s"}.get(power, f"s^{power:g}"))
    slope, start = (float(c) for c in np.polyfit(told, sigma, 1))
    if slope > 0 and _same(start + slope * told, sigma):
        return f"{_times(slope, 's')} {'-' if start < 0 else '+'} {abs(start):.4g}"
    return None


def _same(found: np.ndarray, sigma: np.ndarray) -> bool:
    return bool(np.max(np.abs(found / sigma - 1)) <= SAME)


def _times(factor: float, word: str) -> str:
    return word if abs(factor - 1) <= SAME else f"{factor:.4g} {word}"
