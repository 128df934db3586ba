"""The sampler asked again with another model: one that predicts something else, the negative, or a
multiple; and whether it is right then.

Conventions: a place is right again if its error is within the bound, or within a millionth of what
it was.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.errors import CallableError, ScoreproofError
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.laws import Law, law
from scoreproof.public.reverse_sampler.model import exact_model
from scoreproof.public.reverse_sampler.sweeping import again
from scoreproof.public.reverse_sampler.targets import PREDICTIONS, Diffused
from scoreproof.public.reverse_sampler.terms import Told
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["NAMES", "asked_again", "is_right", "multiplied", "retyped"]

#: what each kind of prediction is, in a sentence
NAMES = {
    "score": "the score ∇log p",
    "eps": "the noise ε",
    "x0": "the denoised x0",
    "v": "v = α ε - σ x0",
    "velocity": "the velocity f - ½ g² ∇log p",
    "F": "EDM's raw network F",
}
#: what is to be done where one is used as another, beyond converting it
RELATIONS = {
    ("v", "eps"): "ε = σ x_t + α v where α² + σ² = 1",
    ("eps", "v"): "v = α ε - σ x0",
    ("x0", "eps"): "ε = (x_t - α x0)/σ",
    ("eps", "x0"): "x0 = (x_t - σ ε)/α",
    ("velocity", "score"): "velocity = f - ½ g² ∇log p",
    ("score", "velocity"): "velocity = f - ½ g² ∇log p",
}
BOUNDS, PART = 16, 1e-6


def asked_again(job: Job, target: Diffused, places: list[Found]) -> list[Found] | None:
    """The same places of another job; ``None`` where it fails."""
    try:
        with np.errstate(all="ignore"):
            return [again(job, target, f, f.x) for f in places]
    except (CallableError, ScoreproofError, FloatingPointError, ValueError):
        return None


def is_right(new: list[Found] | None, old: list[Found]) -> bool:
    """Whether nothing, or nothing but a millionth of the deviation, is left."""
    if new is None:
        return False
    worst = max(float(np.max(np.where(f.jumps, 0.0, f.error))) for f in old)
    for f in new:
        if np.any(f.jumps) or not np.all(np.isfinite(f.error)):
            return False
        if np.any(f.error > np.maximum(BOUNDS * f.bound, PART * worst)):
            return False
    return True


def _model(job: Job, change: Callable[[Any, Diffused, float], Any], prediction: str) -> Job:
    """The job with a model whose answers are changed."""

    def model(target: Diffused, x: np.ndarray, t: float) -> Callable[[Any, Any], Any]:
        if prediction == job.prediction and job.model is not None:
            inner = job.model(target, x, t)
        else:
            inner = exact_model(target, prediction)
        return lambda points, time: change(inner(points, time), target, t)

    return replace(job, model=model)


def retyped(job: Job, target: Diffused, places: list[Found]) -> Told | None:
    """What the model would have to return for the sampler to be right."""
    for sign in (-1, 1):
        for kind in PREDICTIONS:
            if (kind == job.prediction and sign == 1) or (kind == "F" and job.prediction != "F"):
                continue
            other = _model(job, _times(sign), kind)
            first = places[:1]
            if not is_right(asked_again(other, target, first), first):
                continue
            if not is_right(asked_again(other, target, places), places):
                continue
            return Told("model_type", _typed(job.prediction, kind, sign))
    return None


def _times(factor: float) -> Callable[[Any, Diffused, float], Any]:
    return lambda value, target, t: factor * value


def _typed(given: str, used: str, sign: int) -> str:
    if given == used:
        return (
            "it is right if the model's answer is negated: the sign of the model, or of the score's"
            " term that is made from it, is wrong"
        )
    relation = RELATIONS.get((given, used))
    minus = "minus " if sign < 0 else ""
    why = f" ({relation})" if relation else ""
    how = "" if sign < 0 else f', or pass prediction="{used}" if that is what the model predicts'
    return (
        f"it is right if the model returns {minus}{NAMES[used]}: the model predicts {NAMES[given]}"
        f" and its answer is taken for {minus}{NAMES[used]}{why}. Convert it{how}"
    )


def multiplied(job: Job, target: Diffused, places: list[Found], tol: float) -> Told | None:
    """By what the model's answer is to be multiplied, if that makes the sampler right."""
    silent = asked_again(_model(job, _times(0), job.prediction), target, places)
    if silent is None:
        return None
    factors = []
    for f, none in zip(places, silent, strict=True):
        keep = ~f.jumps & ~none.jumps
        weight = 1 / f.size[keep][:, None]
        moved, rest = (f.excess - none.excess)[keep] * weight, none.excess[keep] * weight
        total = float(np.sum(moved**2))
        if total == 0:
            return None
        r = -float(np.sum(moved * rest)) / total
        factors.append(r)
    found = law(np.array(factors), *_at(places), target, max(tol, 1e-6))
    if found is None or (found.constant is not None and abs(found.constant) < 1e-3):
        return None
    inverse = law(1 / np.array(factors), *_at(places), target, max(tol, 1e-6))
    values = dict(zip([(f.t, f.lam) for f in places], factors, strict=True))

    def scaled(value: Any, target: Diffused, t: float) -> Any:
        # steps begin a little beside the time of their place
        near = min(values, key=lambda key: abs(key[0] - t))
        return value * values[near]

    if len({f.lam for f in places}) == 1 or found.constant is not None or _of_time(places, factors):
        right = asked_again(_model(job, scaled, job.prediction), target, places)
        if is_right(right, places) or (job.form == "step" and _nearly(right, places)):
            return Told("model_factor", _scaled(job.prediction, found, inverse))
    return None


def _at(places: list[Found]) -> tuple[np.ndarray]:
    return (np.array([f.t for f in places]),)


def _of_time(places: list[Found], factors: list[float]) -> bool:
    seen: dict[float, float] = {}
    return all(
        abs(seen.setdefault(f.t, r) - r) <= 1e-6 * abs(r)
        for f, r in zip(places, factors, strict=True)
    )


def _nearly(new: list[Found] | None, old: list[Found]) -> bool:
    """As `is_right`, for a factor that was fitted in a limit of short steps."""
    if new is None or any(np.any(f.jumps) for f in new):
        return False
    worst = max(float(np.max(f.error)) for f in old)
    return all(bool(np.all(f.error <= 1e-4 * worst)) for f in new)


def _scaled(given: str, found: Law, inverse: Law | None) -> str:
    name = NAMES[given].split(" = ")[0]
    if found.constant is not None and inverse is not None:
        return (
            f"it is right if the model's answer, {name}, is multiplied by {found.text}: it enters"
            f" {inverse.text} times"
        )
    hint = {
        "α(t)": ", so α is missing before it"
        + (" (the score is (α x0 - x)/σ²)" if given == "x0" else ""),
        "σ(t)": ", so it is divided by σ once too often",
        "1/σ(t)": ", so 1/σ is missing before it",
        "1/α(t)": ", so it is multiplied by α once too often",
        "1/σ(t)²": ", so 1/σ² is missing before it",
        "σ(t)²": ", so it is divided by σ² once too often",
    }.get(found.text, "")
    return f"it is right if the model's answer, {name}, is multiplied by {found.text}{hint}"
