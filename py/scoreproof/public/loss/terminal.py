"""Tables that are rescaled to zero terminal SNR on one side only: in the loss, or in the process.

Conventions: α' = (α - α_T) α_0/(α_0 - α_T) (Lin et al. 2024), so that α' is 0 at the end, and as it
was at t = 0.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.weights import Levels

__all__ = ["rescaled_elsewhere"]

#: relative: a line
STRAIGHT = 1e-6
#: an α that is none
NOTHING = 1e-9


def rescaled_elsewhere(v: Levels, a: np.ndarray) -> str:
    """Words, where a is α rescaled, or α is a rescaled; else empty. ``a``: ``(B,)``, as read."""
    steps, alpha = v.process.steps, v.alpha
    if steps is None or np.ptp(alpha) < 1e-3:
        return ""
    slope, start = (float(c) for c in np.polyfit(alpha, a, 1))
    if np.max(np.abs(start + slope * alpha - a)) > STRAIGHT or abs(slope - 1) <= STRAIGHT:
        return ""
    first, last = (v.process.level_of(float(t)).alpha for t in (0, steps - 1))
    if abs(start + slope * first - first) > STRAIGHT:
        return ""
    end = start + slope * last
    if abs(end) <= STRAIGHT and last > NOTHING:
        return (
            "is rescaled to zero terminal SNR (its last ᾱ is 0), and the process is not: give"
            " the process the rescaled table too, or neither"
        )
    if last <= NOTHING and end > STRAIGHT:
        return (
            "is not rescaled to zero terminal SNR, and the process is (its last ᾱ is 0): take"
            " α and σ of the rescaled table in the loss too"
        )
    return ""
