"""Where nothing explains a deviation: which part of the sampler it is in, and how it grows.

Conventions: exponents are those of a straight line through the logarithms, said only if it fits.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.laws import number
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["part_wrong"]

#: how far from a straight line the logarithms of an error that grows as a power may be
STRAIGHT = 0.15


def part_wrong(job: Job, target: Diffused, places: list[Found], known: Diagnosis) -> str:
    """Drift or noise; how it grows with t and x; and the nearest known fault."""
    parts = [_part(job, target, places), *_growth(target, places)]
    near = ""
    if known.runner_up is not None and known.misfit < 0.5:
        near = (
            f" The nearest known fault, {known.runner_up[0]}, leaves"
            f" {100 * known.misfit:.0f} % of it"
        )
    text = "; ".join(p for p in parts if p)
    return f"No known fault explains it. {text[0].upper()}{text[1:]}.{near}{'.' if near else ''}"


def _part(job: Job, target: Diffused, places: list[Found]) -> str:
    noise, drift = [], []
    for f in places:
        g2, keep = target.diffusion(f.t) ** 2, ~f.jumps
        due = 1 - f.lam
        noise.append(abs(float(np.trace(f.cov)) / (len(f.cov) * g2) - due))
        b = target.drift(f.x, f.t) - (1 - f.lam / 2) * g2 * target.score(f.x, f.t)
        off = np.max(np.abs(f.b - b), axis=1) / f.size
        drift.append(float(np.max(off[keep], initial=0.0)))
    allowed = max(1e-6, 100 * max(float(np.max(f.bound)) for f in places))
    if max(noise) <= allowed:
        return (
            "the noise is right, √(1-λ) g; it is the drift that differs from"
            f" f - (1 - λ/2) g² ∇log p, by up to {100 * max(drift):.3g} % of its terms"
        )
    if max(drift) <= allowed:
        return (
            "the drift is right, f - (1 - λ/2) g² ∇log p; it is the noise whose variance differs"
            f" from (1-λ) g², by up to {max(noise):.3g} g²"
        )
    shares = [
        (f.t, 1 - float(np.trace(f.cov)) / (len(f.cov) * target.diffusion(f.t) ** 2))
        for f in places
    ]
    first, last = min(shares), max(shares)
    same = abs(first[1] - last[1]) < 1e-3
    of = number(float(f"{first[1]:.4g}"))
    varies = "" if same else f" at t = {first[0]:.3g}, of λ = {last[1]:.3g} at t = {last[0]:.3g}"
    return (
        f"the noise found is that of λ = {of}{varies}, and the drift is not the one that belongs"
        " to it, f - ½ (g² + c²) ∇log p"
    )


def _growth(target: Diffused, places: list[Found]) -> list[str]:
    parts = []
    t = np.array([f.t for f in places])
    error = np.array([float(np.max(np.abs(f.excess[~f.jumps]), initial=0.0)) for f in places])
    seen = error > 0
    if len(np.unique(t[seen])) >= 4:
        found = _line(np.log(t[seen]), np.log(error[seen]))
        if found is not None and abs(found) > 0.2:
            parts.append(
                f"in absolute terms it {'grows' if found > 0 else 'falls'} as t^{found:.2g}"
            )
    rows = [
        (np.linalg.norm(f.x[k]), np.max(np.abs(f.excess[k])))
        for f in places[-1:]
        for k in np.flatnonzero(~f.jumps)
    ]
    size, off = np.array(rows).T if rows else (np.zeros(0), np.zeros(0))
    good = (off > 0) & (size > 0)
    if np.sum(good) >= 5:
        found = _line(np.log(size[good]), np.log(off[good]))
        if found is not None and abs(found) > 0.2:
            parts.append(f"with ‖x‖ it grows as ‖x‖^{found:.2g}")
    return parts


def _line(x: np.ndarray, y: np.ndarray) -> float | None:
    """The slope of a straight line through the points, if they lie on one."""
    if np.ptp(x) < 0.5:
        return None
    slope, intercept = np.polyfit(x, y, 1)
    off = float(np.max(np.abs(y - slope * x - intercept)))
    return float(slope) if off <= STRAIGHT * max(1.0, float(np.ptp(y))) else None
