"""Noise that is added to the steps of an equation without noise.

Conventions: clauses without a full stop; empty where there is no such mistake.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.confusions import NOISES
from scoreproof.public.sampler.causes.etas import halves, right
from scoreproof.public.sampler.causes.formulas import Formula
from scoreproof.public.sampler.causes.language import evaluated, parsed, places, shown
from scoreproof.public.sampler.causes.steps import Steps
from scoreproof.public.sampler.causes.words import constant, place

__all__ = ["kept"]

NEAR = 1e-6
MORE = (
    "sqrt(dt)",
    "sqrt(sigma_t * dt)",
    "sqrt(sigma_next * dt)",
    "sqrt(2 * sigma_t * dt)",
    "t * sqrt(dt)",
)


def kept(steps: Steps, q: Question, same: Sequence[Formula]) -> str:
    """The drift of a step without noise, kept while noise is added."""
    noise = q.measured.get("x_next.z")
    if noise is None or "x_next.z_2" in q.measured or not np.any(noise[q.inner] > NEAR):
        return ""
    silent = [
        f for f in same if not any(p == ("name", "z") for _, t in f.program for p, _ in places(t))
    ]
    good = right(silent, halves(q)[0], None)
    if not good:
        return ""
    k = int(np.argmax(q.inner & (noise > 0)))
    size = _size(q, noise) or f"{noise[k]:.4g} in the step from {place(steps.before[k])}"
    return (
        f"the steps are those of {good[0][0].name}, which draw no noise, but noise of standard"
        f" deviation w = {size} is added to them, and the drift that belongs to it is not: for"
        " noise w the ε that is kept has to fall from σ_next to √(σ_next² - w²) (that is"
        " w²/(2 σ_next)·ε less, or w²/2·score more, for a small w)"
    )


def _size(q: Question, noise: np.ndarray) -> str:
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
