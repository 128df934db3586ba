"""The mass of a density on the line or in the plane, with the modes that lie far from the box.

Conventions: as in `mass`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.fokker_planck.arguments import Box
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.modes import Mode
from scoreproof.public.fokker_planck.outside import look
from scoreproof.public.fokker_planck.panels import integral

__all__ = ["Whole", "no_mass", "whole"]

#: looks for mass far from the modes that are known
AGAIN = 4
#: the box of other panels that a mass unlike 1 is integrated over again, in boxes
OTHER = 1.1234


@dataclass(frozen=True, eq=False)
class Whole:
    """The integral, its error, whether no mass can have been missed, and the modes ``(k, d)``."""

    value: float
    error: float
    sure: bool
    means: np.ndarray


def no_mass(logs: np.ndarray) -> np.ndarray:
    """``logs``, with no mass where they are not defined, as a logarithm of x for x < 0: what lies
    there is missed, so that the integral is short of 1, and one that is 1 has it all.
    """
    return np.where(np.isnan(logs), -np.inf, logs)


def whole(s: Subject, box: Box, t: float, found: list[Mode], seed: int) -> Whole | None:
    """The integral over panels around all modes; what is short of 1 is sure only if there can be
    no other modes.
    """

    def over(sides: np.ndarray) -> tuple[float, float]:
        peaks = [(m.mean, m.covariance) for m in found]
        return integral(lambda x: no_mass(s.change(x, t, np.zeros(len(x)))), peaks, sides)

    ruled_out = False
    for _ in range(AGAIN):
        value, error = over(box.sides)
        if not np.isfinite(error):
            return None
        short = value + 2 * error < 1
        if not short:
            break
        elsewhere = look(s, box, t, found, seed)
        ruled_out = elsewhere.ruled_out
        if not elsewhere.modes:
            break
        found = [*found, *elsewhere.modes]
    if abs(value - 1) > 2 * error:
        # a jump near a panel's end is seen by neither it nor its halves: others have other ends
        middle = box.sides.mean(axis=1, keepdims=True)
        error += abs(value - over(middle + OTHER * (box.sides - middle))[0])
    height = max(abs(m.log) for m in found)
    error += s.law.eps * (8 + 2 * height) * value
    return Whole(value, error, not short or ruled_out, np.stack([m.mean for m in found]))
