"""A term that is added to the drift: a power of x times a function of t.

Conventions: what is left of the drift after the one that belongs to the noise.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.reverse_sampler.laws import law
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.terms import Told
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["added"]

POWERS = {0: "", 1: "x", 2: "x²", 3: "x³"}


def added(target: Diffused, places: list[Found]) -> Told | None:
    """The term, if there is one for all places."""
    for power, name in POWERS.items():
        factors = [_factor(target, f, power) for f in places]
        if any(k is None for k in factors):
            continue
        values = np.array(factors, float)
        if np.max(np.abs(values)) == 0:
            return None
        found = law(values, np.array([f.t for f in places]), target, 1e-6)
        if found is None or (found.constant is not None and found.constant == 0):
            continue
        term = " ".join(p for p in (found.text, name) if p)
        return Told("added", f"{term} is added to the drift, which is right without it")
    return None


def _factor(target: Diffused, f: Found, power: int) -> float | None:
    g2, keep = target.diffusion(f.t) ** 2, ~f.jumps
    c = float(np.trace(f.cov)) / (len(f.cov) * g2)
    x = f.x[keep]
    left = f.b[keep] - target.drift(x, f.t) + (1 + c) / 2 * g2 * target.score(x, f.t)
    term = x**power / f.size[keep][:, None]
    part = left / f.size[keep][:, None]
    k = float(np.sum(part * term) / np.sum(term * term))
    allowed = max(1e-9, 256 * float(np.max(f.bound)))
    return k if np.max(np.abs(part - k * term)) <= allowed else None
