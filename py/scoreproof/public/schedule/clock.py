"""Timesteps of a list of σ without a table: the function of σ that they are.

Conventions: T σ in flow matching, ln σ / 4 in EDM; σ fall.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared, settled
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.noise_levels import exactly, rounded, used
from scoreproof.public.schedule.rounding import SINGLE

__all__ = ["clock"]


def clock(given: Given) -> Evidence | None:
    """Timesteps against the function of σ that is nearest."""
    t = given.timesteps
    if given.sigmas is None or t is None or (given.base is not None and not given.flow):
        return None
    s, total = used(given), float(given.total or 1000)
    if len(s) != len(t):
        return _open(
            t, f"{len(t)} timesteps and {len(s)} sigmas: nothing says which belong together"
        )
    if way := rounded(given, s):
        return exactly(t, f"timesteps are {total:g} σ, {way}")
    known = _known(t, s, total)
    off = {
        name: np.abs(t - v) / np.maximum(np.abs(v), float(np.max(np.abs(v))) * 1e-2)
        for name, v in known.items()
        if np.any(v)
    }
    name = min(off, key=lambda k: float(np.median(off[k])))
    # ln σ passes through 0, and 1 - σ starts there
    bound = 64 * max(given.sigmas_eps, SINGLE) * (1 if name in (f"{total:g} σ", "σ") else 100)
    seen = Coverage({"timesteps": len(t)})
    text = f"timesteps are {name}"
    evidence = compared(off[name], bound, text, coverage=seen, tolerance=given.tolerance)
    if evidence.verdict != "refuted":
        return evidence
    k = int(np.argmax(off[name]))
    slip = _slip(t, s, total)
    # indices of a table that is not here
    if not slip and np.all(t == np.round(t)) and s.max() > 1 and t.max() < total:
        return _open(t, f"{len(t)} sigmas of whole timesteps, without their table (betas=)")
    cause = slip or (
        f"the nearest is {name}, and timesteps[{k}] = {t[k]:.6g} where {known[name][k]:.6g} is due"
        f" for σ = {s[k]:.6g}"
    )
    text = f"timesteps are neither {total:g} σ (flow matching), ln σ / 4 (EDM), ln σ nor σ: {cause}"
    return replace(evidence, sentence=text)


def _open(t: np.ndarray, text: str) -> Evidence:
    seen = Coverage({"timesteps": len(t)})
    return settled(Evidence.undecided("float", text), resolution=np.inf, coverage=seen)


def _known(t: np.ndarray, s: np.ndarray, total: float) -> dict[str, np.ndarray]:
    known = {
        f"{total:g} σ": total * s,
        "σ": s,
        f"{total:g} (1 - σ)": total * (1 - s),
        "1 - σ": 1 - s,
        "ln σ / 4": np.log(s) / 4,
        "1000 ln σ / 4": 250 * np.log(s),
        "ln σ": np.log(s),
    }
    span = np.log(s[-1] / s[0])
    if t[0] == 1 and span:  # σ_min (σ_max / σ_min)^t
        known["straight in log σ, from 1"] = 1 + np.log(s / s[0]) * (t[-1] - 1) / span
    return known


def _slip(t: np.ndarray, s: np.ndarray, total: float) -> str:
    """Another function of σ, a shift left out or done twice."""
    with np.errstate(all="ignore"):
        for size in (total, 1.0):
            u = t / size
            shift = _constant(s * (1 - u) / (u * (1 - s)))
            if s.max() <= 1 and shift and shift != 1:
                if shift > 1:
                    return f"they are {size:g} times the σ before a shift of {shift:.6g}"
                return f"they are {size:g} times the σ after one more shift, of {1 / shift:.6g}"
        for name, values in (("σ", s), ("ln σ", np.log(s)), ("σ²", s**2), ("1 - σ", 1 - s)):
            if factor := _constant(t / values):
                return f"they are {factor:.6g} times {name}"
    return ""


def _constant(ratio: np.ndarray) -> float:
    ratio = ratio[np.isfinite(ratio) & (ratio != 0)]
    middle = float(np.median(ratio)) if ratio.size > 2 else 0.0
    return middle if middle and np.ptp(ratio) <= 1e-3 * abs(middle) else 0.0
