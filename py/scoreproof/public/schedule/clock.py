"""Timesteps of a list of σ without a table: the function of σ that they are.

Conventions: T σ in flow matching, ln σ / 4 in EDM; σ fall.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared, settled
from scoreproof.public.schedule import words
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
    text = (
        f"timesteps[{k}] = {t[k]:.6g} for σ = {s[k]:.6g}: they are neither {total:g} σ (flow"
        f" matching), ln σ / 4 (EDM), ln σ nor σ, {words.entries(off[name] > bound)}"
    )
    cause = Diagnosis.unknown(
        f"No known cause explains it; the nearest is {name}, of which timesteps[{k}] would be"
        f" {known[name][k]:.6g}."
    )
    if slip:
        cause = Diagnosis.cause("timesteps", f"Cause: {slip}.")
    return replace(evidence, sentence=text).with_diagnosis(cause)


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
            by = _constant(s * (1 - u) / (u * (1 - s)))
            if s.max() <= 1 and by and by != 1:
                if by > 1:
                    return f"they are {size:g} times the σ before a shift of {by:.6g}"
                return f"they are {size:g} times the σ after one more shift, of {1 / by:.6g}"
        for name, values in _functions(s):
            if factor := _constant(t / values):
                return f"they are {number(factor, 1e-6, {'T': total})} times {name}"
            shift = t - values
            if len(t) > 2 and np.ptp(shift) <= 1e-6 * np.max(np.abs(t)):
                return f"they are {name} + {float(np.median(shift)):.6g}"
            shift = t - total * values
            if len(t) > 2 and np.ptp(shift) <= 1e-6 * total:
                return f"they are {total:g} {name} + {float(np.median(shift)):.6g}"
    return ""


def _functions(s: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Of σ, for what people take timesteps from."""
    return [
        ("σ", s),
        ("ln σ", np.log(s)),
        ("log₁₀ σ", np.log10(s)),
        ("σ²", s**2),
        ("√σ", np.sqrt(s)),
        ("1 - σ", 1 - s),
        ("1 / σ", 1 / s),
        ("σ / (1 + σ)", s / (1 + s)),
        ("σ / √(1 + σ²)", s / np.sqrt(1 + s**2)),
        ("the σ reversed", s[::-1]),
        ("the σ one entry before", np.append(np.nan, s[:-1])),
        ("the σ one entry after", np.append(s[1:], np.nan)),
    ]


def _constant(ratio: np.ndarray) -> float:
    ratio = ratio[np.isfinite(ratio)]
    middle = float(np.median(ratio)) if ratio.size > 2 else 0.0
    return middle if middle and np.ptp(ratio) <= 1e-3 * abs(middle) else 0.0
