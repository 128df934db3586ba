"""What was read of a loss.

Conventions: rows ``(B, d)``; pairs come first, ``(K, B, d)``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from scoreproof.public.loss.pairs import Pairs
from scoreproof.public.loss.rows import Run
from scoreproof.public.loss.times import Law
from scoreproof.public.loss.weights import Levels

if TYPE_CHECKING:
    from scoreproof.public.loss.coupled import Coupling

__all__ = ["ROUNDINGS", "Found", "rms"]

#: relative: what a loss that is quadratic in the answer bends by
STRAIGHT = 1e-6

#: how much more rounding shows, at most, in what is made of a prediction
MADE = 1e3

#: how often what rounding left is counted
ROUNDINGS = 16.0


@dataclass(eq=False)
class Found:
    """``inside``: x_0 as it is noised; ``a``, ``b``, ``rest``: of each pair, x_t = a x_0 + b ε and
    what is left, ``(K, B)``.
    ``gradients`` at the exact ``answer``; ``weights`` per entry, and their
    mean along one direction, ``curvature`` ``(K, B)``; ``targets`` and what is ``due``,
    all ``(K, B, d)``. ``bend``: how far the gradient is from affine in the answer, ``(B,)``;
    ``across``: how far it depends on the answers of other rows;
    ``floor``: what rounding leaves of a weight; ``step``: what was added to the answers.
    """

    v: Levels
    pairs: Pairs
    a: np.ndarray
    b: np.ndarray
    rest: np.ndarray
    label: np.ndarray | None
    inside: np.ndarray
    answer: np.ndarray
    due: np.ndarray
    gradients: np.ndarray
    weights: np.ndarray
    curvature: np.ndarray
    targets: np.ndarray
    bend: np.ndarray
    across: np.ndarray
    blur: np.ndarray
    extra: np.ndarray
    drawn: np.ndarray
    floor: np.ndarray
    step: np.ndarray
    runs: list[Run] = field(default_factory=list)
    law: Law | None = None
    eps: float = 0.0
    #: λ of each row in a batch of one time, where t is given
    alone: np.ndarray | None = None
    #: where t is drawn, λ in a batch of other t over that in the first, on average
    shifted: float | None = None
    #: samples that are not trained in batches of other t either
    left_out: np.ndarray | None = None
    #: it is a square near the exact model only
    near: bool = False
    #: and bends where errors, or outputs, may well be
    doubtful: bool = False
    #: whether the mean's gradient depends on the variance that is answered
    varied: bool = False
    #: how it pairs its batch anew; ``pairs`` are then those of x_t, these what it was given
    coupling: Coupling | None = None
    handed: Pairs | None = None

    @property
    def given(self) -> Pairs:
        """The pairs that the loss is asked with."""
        return self.pairs if self.handed is None else self.handed

    @property
    def size(self) -> np.ndarray:
        """Of the target, root mean square of each row ``(B,)``."""
        return np.asarray(np.sqrt(np.mean(self.due**2, axis=(0, 2))))

    @property
    def weight(self) -> np.ndarray:
        """λ of each row ``(B,)``."""
        return np.asarray(np.einsum("kb,kb->b", self.pairs.chance, self.curvature))

    @property
    def off(self) -> np.ndarray:
        """How far the loss's minimiser is from the exact answer, of the target's size ``(B,)``;
        where it is no square, the part of the gradient that is left on average.
        """
        if self.coupling is not None and self.straight:
            return self._off_each
        mean = np.einsum("kb,kbd->bd", self.pairs.chance, self.gradients)
        square = np.einsum("kb,kbd->b", self.pairs.chance, self.gradients**2)
        with np.errstate(all="ignore"):
            away = rms(mean / self.weight[:, None]) / self.size
            left = np.sqrt(np.sum(mean**2, axis=1) / np.where(square > 0, square, 1.0))
            # pairs whose targets hardly differ show little of it
            left = left * np.minimum(1.0, np.max(rms(self.answer - self.due), axis=0) / self.size)
        return np.asarray(np.where(self.straight, away, left))

    @property
    def _off_each(self) -> np.ndarray:
        """Of pairs that share no x_t: of each target, and each weight."""
        with np.errstate(all="ignore"):
            away = np.max(rms(self.targets - self.due), axis=0) / self.size
            weights = self.curvature / np.mean(self.curvature, axis=0) - 1
        return np.asarray(np.maximum(away, np.max(np.abs(weights), axis=0)))

    @property
    def line(self) -> np.ndarray:
        """What rounding may bend, ``(B,)``: of a prediction made into another 1/α or 1/σ times."""
        with np.errstate(all="ignore"):
            r = self.v.alpha / self.v.sigma
            made = np.minimum(1 + r + 1 / r, MADE)
        return np.asarray(STRAIGHT + 64 * (self.eps * made + self.blur))

    @property
    def straight(self) -> bool:
        """Whether the loss is quadratic in the answers."""
        return bool(np.all(self.bend <= self.line))


def rms(rows: np.ndarray) -> np.ndarray:
    """Root mean square of each."""
    return np.asarray(np.sqrt(np.mean(rows**2, axis=-1)))
