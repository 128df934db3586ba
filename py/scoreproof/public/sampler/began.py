"""Whether a sampler that draws its own start draws as much noise as its first step takes it for.

Conventions: the steps themselves are judged from the exact law, whatever the start is.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.rule import COARSEST
from scoreproof.public.sampler.start import Began
from scoreproof.public.sampler.words import at_level

__all__ = ["begins_wrong"]

#: where α is a smaller part of σ than this, the start is noise and nothing else
NOISE = 0.1


def begins_wrong(name: str, began: Began | None) -> Evidence | None:
    """A start whose noise is not that of the first level. What x has of the data there may be left
    out or not: σ and √(α² + σ²) are granted, and all between.
    """
    if began is None:
        return None
    alpha, sigma = began.level.alpha, began.level.sigma
    most = float(np.hypot(alpha, sigma))
    if sigma * (1 - COARSEST) <= began.scale <= most * (1 + COARSEST):
        return None
    due = f"{sigma:.4g}" if most < sigma * (1 + COARSEST) else f"{sigma:.4g} to {most:.4g}"
    text = (
        f"{name}: it starts from {began.scale:.4g} times N(0, 1) ({began.where}), but its first"
        f" step is made for x at {at_level(began.level)}, whose noise is {due} times N(0, 1):"
        f" x begins with {began.scale / sigma:.3g} times the noise that is due"
    )
    if began.scale > most and alpha > NOISE * sigma:  # wide data may make up for it
        return Evidence.undecided("convergent", f"{text}, if the data are no wider than 1")
    off = abs(began.scale / sigma - 1)
    remedy = f"multiply what is drawn by {sigma / began.scale:.4g}, the noise of the first time"
    wrong = Evidence("convergent", "refuted", off, COARSEST, text)
    return wrong.with_diagnosis(Diagnosis.cause("start", f"Cause: {remedy}."))
