"""A network's answer that is right as another kind of prediction, in words."""

from __future__ import annotations

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.public.denoiser.sweep import Sweep
from scoreproof.public.posterior.kind_words import comes_back

__all__ = ["kind_words"]

#: relative: factors of v at two levels that are this near are the same
SAME = 1e-6


def kind_words(kinds: tuple[str, ...], sweep: Sweep) -> tuple[str, ...]:
    due, one = sweep.asked_for, all(a.level.alpha == 1.0 for a in sweep.at)

    def words(k: str) -> str:
        name, minus = k.removeprefix("-"), k.startswith("-")
        say = f"it is right with the other sign, as prediction={name!r}"
        say = say if minus else f"it is right as prediction={name!r}"
        if name == sweep.prediction:
            return say
        lost = f"{missing}; if v is meant" if k == "v" and (missing := _missing(sweep)) else ""
        return f"{lost or comes_back(name, due, minus=minus, one=one)}, {say}"

    return tuple(words(k) for k in kinds)


def _missing(sweep: Sweep) -> str:
    """What v lacks to be the path's velocity: with α² + σ² = 1 that is σ'/α v."""
    if sweep.prediction != "velocity":
        return ""
    kinds = [(a.request.kind.rates, a.level.alpha, a.level.sigma) for a in sweep.at]
    if any(rates is None or alpha <= 0 or sigma <= 0 for rates, alpha, sigma in kinds):
        return ""
    ratio = np.array([(-r[0] / sigma, r[1] / alpha) for r, alpha, sigma in kinds if r is not None])
    if np.ptp(ratio) > SAME * np.max(np.abs(ratio)):
        return ""
    return (
        "it returns v = α ε - σ x_0, but the velocity of the path, α' x_0 + σ' ε, is"
        f" v times {number(float(ratio[0, 0]), SAME)}: this factor is missing"
    )
