"""σ of a table at timesteps that may lie between two of its entries.

What is straight between the two is a convention: k-diffusion takes log σ, diffusers σ, DPM-Solver
log ᾱ. Conventions: σ = √((1 - ᾱ) / ᾱ); timesteps are indices of the table.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.schedule.tables import Base

__all__ = ["by_each", "interpolated", "log_levels", "unsettled"]


def log_levels(base: Base) -> np.ndarray:
    """log √((1 - ᾱ) / ᾱ) ``(T,)``."""
    return np.log((1 - base.bar) / np.maximum(base.bar, 1e-300)) / 2


def by_each(base: Base, t: np.ndarray) -> dict[str, np.ndarray]:
    """σ at ``t``, by what is straight between two entries; whole timesteps by one alone.

    >>> table = Base(np.array([0.1, 0.2]), np.array([0.9, 0.72]), 1e-16)
    >>> {n: float(v[0].round(4)) for n, v in by_each(table, np.array([0.5])).items()}
    {'log σ': 0.4559, 'σ': 0.4785, 'log ᾱ': 0.4922, 'ᾱ': 0.4843, '√ᾱ': 0.4883}
    """
    logs = log_levels(base)
    grid, bar = np.arange(len(logs)), np.maximum(base.bar, 1e-300)

    def of_bar(values: np.ndarray) -> np.ndarray:
        return np.sqrt((1 - values) / values)

    found = {"log σ": np.exp(np.interp(t, grid, logs))}
    if np.all(t == np.round(t)):
        return found
    return found | {
        "σ": np.interp(t, grid, np.exp(logs)),
        "log ᾱ": of_bar(np.exp(np.interp(t, grid, np.log(bar)))),
        "ᾱ": of_bar(np.interp(t, grid, bar)),
        "√ᾱ": of_bar(np.interp(t, grid, np.sqrt(bar)) ** 2),
    }


def interpolated(base: Base, t: np.ndarray, s: np.ndarray | None = None) -> tuple[str, np.ndarray]:
    """σ at ``t`` by the convention that is nearest to ``s``, and a clause that says which."""
    found, between = by_each(base, t), t != np.round(t)
    if s is None or len(found) == 1:
        return "", found["log σ"]
    with np.errstate(all="ignore"):
        off = {n: float(np.median(np.abs(s / v - 1)[between])) for n, v in found.items()}
    name = min(off, key=lambda n: np.nan_to_num(off[n], nan=np.inf))
    return f", with {name} straight between two entries of the table", found[name]


def unsettled(base: Base, t: np.ndarray, s: np.ndarray, wrong: np.ndarray) -> bool:
    """Whether all that is wrong lies between two entries of the table, and σ between theirs, where
    an interpolation that is not known here would put it too.
    """
    if np.any(wrong & (t == np.round(t))):
        return False
    sigma = np.exp(log_levels(base))
    low, high = sigma[np.floor(t).astype(int)], sigma[np.ceil(t).astype(int)]
    room = 1e-3 * (high - low)  # not one of the two: that is another timestep
    return bool(np.all(((s > low + room) & (s < high - room))[wrong]))
