"""From steps of halved widths to the limit of short ones, and what that leaves open.

Conventions: values are lists over the widths h, h/2, h/4, …, longest first; rows are points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scoreproof.claims.reverse_family.checks_gaussian import romberg

__all__ = ["Limit", "best_limit", "noise_jumps", "rows_that_jump", "same_images", "stays"]

#: an image that is further off than this many times what a step is due, and does not come closer
JUMP = 20


@dataclass(frozen=True, eq=False)
class Limit:
    """An extrapolation: the weights of the widths, and what it leaves open in each row."""

    weights: np.ndarray
    open: np.ndarray

    def of(self, values: list[np.ndarray]) -> np.ndarray:
        """The limit of these values."""
        return np.asarray(np.tensordot(self.weights, np.stack(values), axes=1))


@lru_cache(maxsize=32)
def _weights(first: int, count: int) -> np.ndarray:
    """``(count - first, count)``: how the widths from ``first`` on are weighed, with ever more of
    them.
    """
    rows = np.zeros((count - first, count))
    rows[:, first:] = np.stack(romberg(list(np.eye(count - first))))
    return rows


def best_limit(
    values: list[np.ndarray], widths: tuple[float, ...], rounding: np.ndarray, size: np.ndarray
) -> Limit:
    """From which widths to extrapolate, and for each row what rounding and the last one leave open.

    What the last width changed bounds what the next would. It is taken relative to each row's size
    and the largest counts: in one row it may be small by chance. In all rows it may be, once; so
    three widths are the least, and the change before, which was of lower order, counts as well.
    """
    stack, inverse, count = np.stack(values) / size[:, None], 1 / np.array(widths), len(widths)
    largest = float(np.max(rounding / size))
    best, least = Limit(np.eye(count)[-1], np.full(len(size), np.inf)), np.inf
    for first in range(count - 2):
        weights = _weights(first, count)
        table = np.tensordot(weights, stack, axes=1)
        changes = np.max(np.abs(np.diff(table, axis=0)), axis=(1, 2))
        for k in range(2, len(table)):
            amplified = float(np.abs(weights[k]) @ inverse)
            change = 4 * max(float(changes[k - 1]), float(changes[k - 2]) / 2 ** (k + 1))
            if largest * amplified + change < least:
                least = largest * amplified + change
                best = Limit(weights[k], rounding * amplified + change * size)
    return best


def stays(parts: list[float], noisy: float) -> bool:
    """Whether something relative to the noise stays as the step gets shorter; what comes from a
    model that is asked at noised points falls with √h at least.
    """
    return parts[-1] > 16 * noisy and parts[-1] > 0.85 * parts[-2]


def rows_that_jump(
    slopes: list[np.ndarray], widths: tuple[float, ...], size: np.ndarray
) -> np.ndarray:
    """Rows whose image does not come closer as the step gets shorter."""
    first, last = (np.max(np.abs(slopes[k]), axis=1) * widths[k] for k in (0, -1))
    return (last > JUMP * size * widths[-1]) & (last > 0.5 * first)


def noise_jumps(covs: list[np.ndarray], widths: tuple[float, ...], rate: float) -> bool:
    """Whether the noise does not shrink with the step, as √h; ``rate`` is the variance due."""
    first, last = (float(np.trace(covs[k])) / len(covs[k]) * widths[k] for k in (0, -1))
    return last > JUMP * rate * widths[-1] and last > 0.5 * first


def same_images(images: np.ndarray, x: np.ndarray) -> bool:
    """Whether images are equal to each other where the points were not, as a clip makes them."""
    return len(x) > 1 and any(
        np.unique(images[:, i]).size < np.unique(x[:, i]).size for i in range(x.shape[1])
    )
