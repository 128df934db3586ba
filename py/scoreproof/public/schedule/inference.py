"""What an inference makes of a table: which timesteps it visits, with which σ, where it starts.

Conventions: as in `spacing`; σ lists fall, with a trailing 0 or without.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared, settled
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.spacing import SPACINGS, variants

__all__ = ["sigmas_at", "start", "terminal", "timesteps"]

#: predictions from which x_0 cannot be had without signal
BLIND = ("epsilon", "eps", "noise", "score")
#: ᾱ below this is none
NO_SIGNAL = 1e-12


def timesteps(given: Given) -> Evidence | None:
    """The timesteps against their spacing."""
    t = given.timesteps
    if t is None or given.total is None or len(t) == 0:
        return None
    whole = bool(np.all(t == np.round(t)))
    table = given.base is not None
    if table and (np.any(t < 0) or np.any(t > given.total - 1)):
        bad = t[(t < 0) | (t > given.total - 1)][0]
        raise ArgumentError(
            "timesteps",
            f"in the table, 0 to {given.total - 1}",
            bad,
            "a table of T steps has the timesteps 0 to T - 1 (steps_offset too large?)",
        )
    if given.spacing is None or not whole or not table or len(np.unique(t)) != len(t):
        return None
    n, falling = len(t), np.sort(t)[::-1]
    known = variants(given.spacing, n, given.total, given.offset)
    name = next((k for k, v in known.items() if np.array_equal(v, falling)), given.spacing)
    due = known[name]
    off = float(np.max(np.abs(falling - due)))
    seen = Coverage({"timesteps": n})
    text = f"{n} timesteps with {name} spacing"
    evidence = settled(Evidence.measured(off, 0.0, text), resolution=0.0, coverage=seen)
    if evidence.verdict != "refuted":
        return evidence
    k = int(np.argmax(np.abs(falling - due)))
    other = [
        f"{s} spacing" + (f" and steps_offset {o}" if o else "")
        for spacing in SPACINGS
        for o in (0, 1)
        for s, v in variants(spacing, n, given.total, o).items()
        if np.array_equal(falling, v)
    ]
    cause = f": they have {other[0]}" if other else ""
    text = (
        f"timesteps[{k}] = {falling[k]:g} where {due[k]} is due for {given.spacing} spacing"
        f" with steps_offset {given.offset}{cause}"
    )
    return replace(evidence, sentence=text)


def sigmas_at(given: Given) -> Evidence | None:
    """The list of σ against the table's at these timesteps (log σ straight between them)."""
    if given.sigmas is None:
        return None
    if given.base is None:
        return _clock(given)
    train = np.sqrt((1 - given.base.bar) / np.maximum(given.base.bar, 1e-300))
    s = given.sigmas
    s = s[:-1] if len(s) and s[-1] == 0 else s
    t = given.timesteps
    if len(s) == len(train):  # all of the table, in whichever order
        due = train if s[0] < s[-1] else train[::-1]
        what = "sigmas are √((1 - ᾱ) / ᾱ) of the table"
    elif t is not None and len(t) == len(s):
        due = np.exp(np.interp(t, np.arange(len(train)), np.log(train)))
        what = "sigmas are √((1 - ᾱ) / ᾱ) at the timesteps"
    else:
        return None
    with np.errstate(all="ignore"):
        error = np.abs(s / due - 1)
    blur = max(given.sigmas_eps, given.base.eps)
    # t between two entries has been found from σ in the same type
    bound = np.minimum(blur * 64 * (len(train) + 1 / due**2), 5e-3)
    evidence = compared(
        error,
        bound,
        what,
        coverage=Coverage({"tables": 1, "entries": len(s)}),
        tolerance=given.tolerance,
    )
    if evidence.verdict != "refuted":
        return evidence
    k = int(np.argmax(error / bound))
    likely = {
        "σ² = (1 - ᾱ) / ᾱ": due**2,
        "√(1 - ᾱ), the σ of a variance-preserving process": due / np.sqrt(1 + due**2),
        "in reverse order": due[::-1],
    }
    cause = next(
        (f": they are {n}" for n, v in likely.items() if np.all(np.abs(s / v - 1) < 1e-3)), ""
    )
    text = f"sigmas[{k}] = {s[k]:.6g} where {due[k]:.6g} follows from {given.source}{cause}"
    return replace(evidence, sentence=text)


def _clock(given: Given) -> Evidence | None:
    """Timesteps of a list of σ without a table: T σ, as in flow matching, or ln σ / 4, as EDM's."""
    s, t = given.sigmas, given.timesteps
    if s is None or t is None:
        return None
    s = s[:-1] if len(s) == len(t) + 1 else s
    if len(s) != len(t) or np.any(s <= 0):
        return None
    total = float(given.total or 1000)
    known = {f"{total:g} σ": total * s, "ln σ / 4": np.log(s) / 4, "σ": s}
    off = {name: float(np.max(np.abs(t - v) / np.max(np.abs(v)))) for name, v in known.items()}
    name = min(off, key=lambda k: off[k])
    bound = 64 * max(given.sigmas_eps, 2.0**-23)
    seen = Coverage({"timesteps": len(t)})
    text = f"timesteps are {name}"
    evidence = compared(off[name], bound, text, coverage=seen, tolerance=given.tolerance)
    if evidence.verdict != "refuted":
        return evidence
    ratio = float(np.median(t / s))
    text = (
        f"timesteps are neither {total:g} σ (flow matching) nor ln σ / 4 (EDM) nor σ: the first is"
        f" {t[0]:.6g} at σ = {s[0]:.6g}, and t/σ about {ratio:.6g}"
    )
    return replace(evidence, sentence=text)


def terminal(given: Given) -> Evidence | None:
    """What can be predicted where the table ends without signal."""
    if given.base is None or given.prediction is None:
        return None
    last = float(given.base.bar[-1])
    seen = Coverage({"ends": 1})
    if last > NO_SIGNAL:
        text = f"ᾱ ends at {last:.3g}, so that {given.prediction} tells x_0 everywhere"
        return settled(Evidence.measured(0.0, 0.0, text), resolution=0.0, coverage=seen)
    if str(given.prediction) not in BLIND:
        text = f"ᾱ ends at 0, where {given.prediction} still tells x_0"
        return settled(Evidence.measured(0.0, 0.0, text), resolution=0.0, coverage=seen)
    text = (
        f"ᾱ ends at 0 (zero terminal SNR), where x_0 = (x - √(1 - ᾱ) ε) / √ᾱ divides by 0: a model "
        f"of {given.prediction} says nothing at the first step; train and sample with v_prediction"
    )
    return replace(
        settled(Evidence.measured(1.0, 0.0, text), resolution=0.0, coverage=seen), sentence=text
    )


def start(given: Given) -> Evidence | None:
    """What x_T is scaled by, against the law at the first level."""
    if given.start is None:
        return None
    if given.sigmas is not None and len(given.sigmas) and given.base is not None:
        top = float(np.max(given.sigmas))
        options = {"σ_max": top, "√(1 + σ_max²)": float(np.hypot(1, top)), "1": 1.0}
    elif given.sigmas is not None:
        top = float(np.max(given.sigmas))
        options = {"σ_max": top, "√(1 + σ_max²)": float(np.hypot(1, top))}
    else:
        options = {"1": 1.0}
    off = {name: abs(given.start / value - 1) for name, value in options.items()}
    name = min(off, key=lambda k: off[k])
    bound = 64 * max(given.sigmas_eps, 2.0**-23)
    text = f"x_T is scaled by {name} = {options[name]:.6g}"
    seen = Coverage({"starts": 1})
    evidence = compared(off[name], bound, text, coverage=seen, tolerance=given.tolerance)
    if evidence.verdict != "refuted":
        return evidence
    listed = " or ".join(f"{n} = {v:.6g}" for n, v in options.items())
    text = f"x_T is scaled by init_noise_sigma = {given.start:.6g} where {listed} is due"
    return replace(evidence, sentence=text)
