"""A clamp: where the sampler is wrong, the x0 (or ε, v, score) that its drift implies is constant.

Conventions: rows are right or wrong by their bounds; the implied score is that of a drift
f - w g² s, w the weight that belongs to the noise.
"""

from __future__ import annotations

import numpy as np

from scoreproof.objects.parameterizations import convert
from scoreproof.public.reverse_sampler.laws import number
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.terms import Told
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["clamped"]

KINDS = {"x0": "x0", "eps": "ε", "score": "the score", "v": "v"}
#: rows of each sort that tell a clamp
LEAST = 3


def clamped(target: Diffused, places: list[Found]) -> Told | None:
    """The quantity that is clamped, and where."""
    if target.dimension > 1:
        return None
    sides: dict[str, list[tuple[float, float, bool]]] = {kind: [] for kind in KINDS}
    for f in places:
        keep, wrong = ~f.jumps, (f.error > 16 * f.bound) & ~f.jumps
        g2 = target.diffusion(f.t) ** 2
        w = (1 + float(np.trace(f.cov)) / (len(f.cov) * g2)) / 2
        implied = (target.drift(f.x, f.t) - f.b) / (w * g2)
        alpha, shift, var = target.level(f.t)
        for kind in KINDS:
            with np.errstate(all="ignore"):
                due, found = (
                    convert(s, f.x - shift, "score", kind, alpha, var**0.5)
                    for s in (target.score(f.x, f.t), implied)
                )
            sides[kind] += [
                (float(due[k, 0]), float(found[k, 0]), bool(wrong[k])) for k in np.flatnonzero(keep)
            ]
    for kind, rows in sides.items():
        limits = _limits(np.array([r[:2] for r in rows]), np.array([r[2] for r in rows]))
        if limits is not None:
            return Told(
                "clamp",
                f"{KINDS[kind]} is clamped to {limits}: the drift is right where {KINDS[kind]} is"
                " inside, and outside it is that of the limit (an exact model goes beyond it)",
            )
    return None


def _limits(values: np.ndarray, wrong: np.ndarray) -> str | None:
    """The interval, if what is found is the due value clamped to it."""
    if np.sum(wrong) < LEAST or np.sum(~wrong) < LEAST or not np.all(np.isfinite(values)):
        return None
    due, found = values.T
    limits = []
    for above in (False, True):
        side = wrong & ((found < due) == above)
        if not np.any(side):
            limits.append(np.inf if above else -np.inf)
            continue
        c = float(np.median(found[side]))
        if np.max(np.abs(found[side] - c)) > 1e-6 * (abs(c) + 1e-3):
            return None
        limits.append(c)
    low, high = limits
    inside = (due >= low - 1e-6) & (due <= high + 1e-6)
    if np.any(inside & wrong) or np.any(~inside & ~wrong):
        return None
    if np.isinf(low):
        return f"at most {number(float(f'{high:.6g}'))}"
    if np.isinf(high):
        return f"at least {number(float(f'{low:.6g}'))}"
    return f"[{number(float(f'{low:.6g}'))}, {number(float(f'{high:.6g}'))}]"
