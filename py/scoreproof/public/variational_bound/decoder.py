"""-log of the probability of a bin: L_0 of data on a grid of 256 numbers in [-1, 1].

Conventions: the bin of x reaches ``half`` to either side, without end at -1 and 1; nats.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.variational_bound.terms import Gaussian

__all__ = ["HALF", "Bins", "binned", "grid"]

HALF = 1.0 / 255.0
#: public code takes what is beyond for the last bin
EDGE = 0.999


@dataclass(frozen=True)
class Bins:
    """How wide, whether the outer ones are without end, and which cumulative function."""

    half: float = HALF
    open_ends: bool = True
    tanh: bool = False
    #: how often the half width is taken to either side
    below: float = 1.0
    above: float = 1.0
    #: of the standard deviation: exp(power · log variance)
    power: float = 0.5


def grid(values: np.ndarray) -> np.ndarray:
    """The number of the grid next to each."""
    return np.asarray(np.round((np.clip(values, -1, 1) + 1) * 127.5) / 127.5 - 1)


def _tanh(z: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))))


def binned(p: Gaussian, x0: np.ndarray, bins: Bins = Bins()) -> tuple[np.ndarray, np.ndarray]:
    """-log P(bin of x_0), and P."""
    from scipy.special import ndtr

    scale = np.exp(bins.power * p.logvar)
    low = (x0 - bins.below * bins.half - p.mean) / scale
    high = (x0 + bins.above * bins.half - p.mean) / scale
    if bins.open_ends:
        low = np.where(x0 < -EDGE, -np.inf, low)
        high = np.where(x0 > EDGE, np.inf, high)
    if bins.tanh:
        with np.errstate(invalid="ignore"):
            low, high = (np.clip(z, -1e3, 1e3) for z in (low, high))
        mass = _tanh(high) - _tanh(low)
    else:  # by the nearer tail
        right = low > 0
        mass = np.where(right, ndtr(-low) - ndtr(-high), ndtr(high) - ndtr(low))
    with np.errstate(divide="ignore"):
        return -np.log(np.maximum(mass, 1e-12)), mass
