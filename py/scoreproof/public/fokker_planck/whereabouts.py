"""Where a refuted strong form is wrong, and a factor as if which it were: said where no cause is.

Conventions: as in `strong`; ``wrong``: per point, in order.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.fokker_planck.strong import Found

__all__ = ["UNEXPLAINED", "as_if", "where"]

#: a single factor that leaves more than this part of the error is no explanation
UNEXPLAINED = 0.02


def where(found: Found, wrong: np.ndarray) -> str:
    """Which times, and which side of which coordinate, if not all."""
    if np.mean(wrong) > 0.9:
        return ""
    t = np.concatenate([np.full(len(p.x), p.t) for p in found.terms])
    x = np.concatenate([p.x for p in found.terms])
    parts = [f"It is so at {int(wrong.sum())} of {wrong.size} points and times"]
    low, high = t[wrong].min(), t[wrong].max()
    if low > t.min() or high < t.max():
        parts.append(f"with t from {low:.3g} to {high:.3g}")
    within = (t >= low) & (t <= high)
    if np.mean(wrong[within]) < 0.9:
        best = (1.0, "")
        for i in range(x.shape[1]):
            v = x[within, i]
            bad = wrong[within]
            inside = (v >= v[bad].min()) & (v <= v[bad].max())
            mistaken = float(np.mean(inside & ~bad)) / max(float(np.mean(~bad)), 1e-12)
            if mistaken < best[0]:
                best = (mistaken, f"x[{i}] from {v[bad].min():.3g} to {v[bad].max():.3g}")
        if best[0] < 0.1:
            parts.append(f"with {best[1]}")
    return ", ".join(parts) + "."


def as_if(found: Found, wrong: np.ndarray) -> str:
    """A factor on one coordinate of f, on ρ² or on ∂_t log p that would explain it."""
    residual, parts = [], []
    for t in found.terms:
        weight = 1 / np.maximum(t.size, 1e-300)
        residual.append(t.residual * weight)
        whole = t.carried.sum(axis=1)
        parts.append(np.column_stack([whole, -t.spread, t.carried]) * weight[:, None])
    r, columns = np.concatenate(residual)[wrong], np.concatenate(parts)[wrong]
    with np.errstate(all="ignore"):
        # residual = (1 - 1/c) · term if the term is c times what it should be
        share = (columns * r[:, None]).sum(axis=0) / (columns**2).sum(axis=0)
        rest = np.linalg.norm(r[:, None] - share * columns, axis=0) / np.linalg.norm(r)
    rest = np.where(np.isfinite(rest), rest, np.inf)
    # the whole drift goes before one coordinate of it that does as well
    k = int(np.argmin(rest * (1 + 1e-6 * np.arange(rest.size)) + 1e-9 * np.arange(rest.size)))
    # a factor that takes most of a term away explains by that alone much of what was due to it
    if rest[k] > UNEXPLAINED * min(1.0, abs(1 - share[k])) or abs(1 - share[k]) < 1e-9:
        return ""
    name = ("the drift", "ρ²")[k] if k < 2 else f"drift(x, t)[:, {k - 2}]"
    if abs(share[k]) < 1e-4:
        return f"It is as if {name} were off by the relative {share[k]:.3g}."
    return (
        f"It is as if {name} were {1 / (1 - share[k]):.5g} times what the other terms need: "
        f"multiply it by {1 - share[k]:.5g}."
    )
