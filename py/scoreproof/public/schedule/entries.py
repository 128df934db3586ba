"""Factors of x_0 and noise that differ among the entries of a sample, where one is due for all."""

from __future__ import annotations

import numpy as np

from scoreproof.public.schedule.asking import Levels

__all__ = ["NAMES", "Dues", "own_factors", "wrong_axis"]

NAMES = ("x_0", "noise")
Dues = tuple[np.ndarray, np.ndarray]


def own_factors(levels: Levels, dues: Dues, close: np.ndarray) -> str:
    """Some entries of a sample have factors of their own."""
    texts = []
    for part, values in enumerate((levels.alpha, levels.sigma)):
        due = dues[part][:, None]
        off = np.abs(values - due) > close[part][:, None] * np.abs(due)
        columns = np.flatnonzero(np.any(off, axis=0))
        if 0 < columns.size < values.shape[1]:
            k = int(np.argmax(off[:, columns[0]]))
            ratio = values[k, columns[0]] / dues[part][k]
            listed = ", ".join(map(str, columns[:6])) + (", …" if columns.size > 6 else "")
            what = "entry" if columns.size == 1 else "entries"
            texts.append(
                f"{NAMES[part]} has another factor at {what} {listed} of {values.shape[1]} of a"
                f" sample, {ratio:.6g} times that of the others"
            )
    return "; ".join(texts)


def wrong_axis(found: Levels, dues: Dues) -> str:
    """The factor of sample j stands at entry j of every sample."""
    for values, due in zip((found.alpha, found.sigma), dues, strict=True):
        n, d = values.shape
        if d > 1 and n >= d and np.ptp(due[:d]) > 0 and np.ptp(values[0]) > 0:
            likely = np.broadcast_to(due[:d], values.shape)
            if np.all(np.abs(values - likely) <= 1e-4 * np.abs(likely)):
                return "entry j of every sample gets the factor of sample j: the wrong axis"
    return ""
