"""What the noise of the steps is in every one of them, if a usual size is.

Conventions: as in `coefficients`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.confusions import NOISES
from scoreproof.public.sampler.causes.language import evaluated, parsed, places, shown
from scoreproof.public.sampler.causes.words import constant

__all__ = ["sized"]

NEAR = 1e-6
MORE = (
    "sqrt(dt)",
    "sqrt(sigma_t * dt)",
    "sqrt(sigma_t / a_t) * sqrt(dt)",
    "sqrt(sigma_next * dt)",
    "sqrt(2 * sigma_t * dt)",
    "t * sqrt(dt)",
)


def sized(q: Question, noise: np.ndarray) -> str:
    """What the noise is in every step, if a usual size is."""
    at = q.inner & (noise > 0)
    for text in (*MORE, *NOISES):
        tree = parsed(f"w = {text}")[0][1]
        if {p[1] for p, _ in places(tree) if p[0] == "name"} <= set(q.names):
            with np.errstate(all="ignore"):
                value = evaluated((("w", tree),), q.names)["w"]
                ratio = (noise / value)[at]
            if np.all(np.isfinite(ratio)) and np.ptp(ratio) <= NEAR * ratio[0]:
                c = "" if abs(ratio[0] - 1) < NEAR else f"{constant(float(ratio[0]))}·"
                return f"{c}{shown(tree)}"
    return ""
