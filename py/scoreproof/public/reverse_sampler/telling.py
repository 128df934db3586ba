"""What is wrong with the multiples of the terms: f alone, g throughout, the noise, the weight of
the score.

Conventions: as in `terms`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.reverse_sampler.geometric import geometric
from scoreproof.public.reverse_sampler.laws import Law, is_plain, level_at, number
from scoreproof.public.reverse_sampler.members import members, velocity
from scoreproof.public.reverse_sampler.several import apart, schedule
from scoreproof.public.reverse_sampler.telling_words import clock, in_clock, kind
from scoreproof.public.reverse_sampler.terms import Terms, Told

__all__ = ["told"]


def told(s: Terms) -> Told | None:
    """What is wrong with the multiples."""
    for look in (
        _whole,
        _forward,
        _diffusion,
        _noise,
        _weight,
        members,
        _of_another_time,
        schedule,
        apart,
    ):
        found = look(s)
        if found is not None:
            return in_clock(s, found)
    return None


def _whole(s: Terms) -> Told | None:
    """The drift as a whole: zero, negated, multiplied."""
    if s.same(s.a, 0) and s.same(s.w, 0):
        return Told("no_drift", "there is no drift: nothing but the noise moves x")
    factor = s.w / s.own
    if s.same(factor, 1) or not s.same(s.a, factor):
        return None
    found = s.law(factor, reverse=False)
    if found is None:
        return None
    if found.constant is not None and abs(found.constant + 1) <= s.tol:
        return Told(
            "reversed_clock",
            f"the sign of the whole drift is wrong{clock(s)}",
        )
    right = ", the noise is right" if s.same(s.c, 1 - s.lam) else ""
    return Told("whole_drift", f"the whole drift is multiplied by {found.text}{right}")


def _forward(s: Terms) -> Told | None:
    """f alone is wrong: the score's weight is that of the noise."""
    if s.same(s.a, 1) or not s.same(s.w, s.own):
        return None
    found = s.law(s.a)
    if found is None:
        return None
    if found.constant is None:
        text = f"the forward drift f is multiplied by {found.text}"
        if "T-t" in found.text:
            text += " (its coefficient is taken at T - t)"
        elif "log α" in found.text:
            text += " (its coefficient is log α, an integral ∫, and must be the derivative of it)"
    elif abs(found.constant) <= s.tol:
        text = "the forward drift f is left out of the reverse drift"
    elif abs(found.constant + 1) <= s.tol:
        text = "the forward drift f has the wrong sign"
    else:
        k = found.constant
        text = f"the forward drift f enters {found.text} times" + (
            " (is its ½ missing?)" if abs(k - 2) <= s.tol else ""
        )
    noise = (
        "and the noise are right"
        if s.same(s.c, 1 - s.lam)
        else "is the one that belongs to the noise"
    )
    return Told("forward_drift", f"{text}; the term of the score {noise}")


def _diffusion(s: Terms) -> Told | None:
    """Another g throughout."""
    w, c = 1 - s.lam / 2, 1 - s.lam
    scale = s.w / w
    seen = c > s.tol
    if s.same(scale, 1) or not np.any(seen) or np.any(scale <= 0):
        return None
    if not s.same(s.c[seen] / c[seen], scale[seen]) or not s.same(s.c[~seen], 0):
        return None
    drift_too = not s.same(s.a, 1)
    if drift_too and not s.same(s.a, scale):
        return None
    found = s.law(scale)
    where = "drift, score and noise" if drift_too else "the score's factor and the noise"
    if found is not None and "T-t" in found.text:
        return Told(
            "reversed_coefficients",
            f"g{' and f' if drift_too else ''} are those of T - t"
            " (a schedule that is flipped): g² is multiplied by"
            f" {found.text} in {where}",
        )
    g = np.array([s.target.diffusion(t) for t in s.t])
    level = np.array([s.target.level(t)[2] ** 0.5 for t in s.t])
    used, text = np.sqrt(scale) * g, ""
    equal = s.law(used, reverse=False)
    if s.same(used, level):
        due = "√(dσ²/dt)" if not drift_too and s.same(_alpha(s), 1) else "g"
        equal = Law(f"σ(t), where {due} is due")
    if found is not None and found.constant is not None:
        text = f"g² enters {number(found.constant)} times (g {number(found.constant**0.5)} times)"
        if abs(found.constant * np.log(10) - 1) <= s.tol:
            text += ": a base-10 logarithm (log10) where the natural one is due"
        elif abs(found.constant * np.log(2) - 1) <= s.tol:
            text += ": a base-2 logarithm where the natural one is due"
        elif known := geometric(s, found.constant):
            root = number(found.constant**0.5)
            text = f"{known}: g is {root} times the one due, g² {number(found.constant)} times"
            equal = None
    elif found is not None:
        text = f"g² is multiplied by {found.text}"
    varies = found is not None and found.constant is None
    if equal is not None and equal.constant is not None and varies:
        text = f"g is {equal.text} at all times, where that of the process varies"
    elif equal is not None and equal.constant is None:
        text = f"g is taken for {equal.text}" + (f": {text}" if text else "")
    return Told("diffusion", f"{text}, in {where} alike") if text else None


def _alpha(s: Terms) -> np.ndarray:
    return np.array([s.target.level(t)[0] for t in s.t])


def _noise(s: Terms) -> Told | None:
    """The drift is right, the noise is not."""
    if not (s.same(s.a, 1) and s.same(s.w, 1 - s.lam / 2)):
        return None
    due = 1 - s.lam
    if s.same(s.c, due):
        return None
    if s.same(s.c, 0):
        return Told(
            "noise_missing",
            f"the drift is that of {_lambdas(s.lam)}, but without its noise"
            f" √(1-λ) g{_hint(s.lam)}: nothing is added to it (noise of λ = 1)",
        )
    some = due > s.tol
    found = s.law(s.c[some] / due[some], some) if s.same(s.c[~some], 0) else None
    if found is not None:
        if found.constant is not None:
            k = found.constant
            text = f"{number(k**0.5)} times as large as the √(1-λ) g that is due"
            return Told(
                "noise_factor",
                f"the drift is right, the noise is {text} (variance {number(k)} times)",
            )
        return Told(
            "noise_factor",
            f"the drift is right, the variance of the noise is multiplied by {found.text}",
        )
    part = s.share(s.c)
    if part is not None:
        due_text = "η²" if s.job.parameter == "eta" else "(1-λ)"
        return Told(
            "noise_share",
            f"the drift is right, the noise is not: its variance rate is {part} g² where"
            f" {due_text} g² is due",
        )
    return _noise_of_each(s)


def _noise_of_each(s: Terms) -> Told | None:
    """The noise is a number times g, of no law in λ."""
    wrong, right = [], []
    for lam in np.unique(s.lam).tolist():
        mine = s.c[s.lam == lam]
        middle = float(np.median(mine))
        if not s.same(mine, middle):
            return None
        if s.same(mine, 1 - lam):
            right.append(f"{lam:g}")
        else:
            wrong.append(f"{number(middle)} g² at λ = {lam:g} where {number(1 - lam)} g² is due")
    but = f" (it is right at λ = {' and '.join(right)})" if right else ""
    text = f"the drift is right, the noise is not: its variance is {', '.join(wrong)}{but}"
    return Told("noise_of_each", text) if wrong else None


def _weight(s: Terms) -> Told | None:
    """The noise is right as asked, the weight of the score is not."""
    if not (s.same(s.a, 1) and s.same(s.c, 1 - s.lam)) or s.same(s.w, s.own):
        return None
    found = s.law(s.w / s.own)
    if s.same(s.w, 0):
        return Told(
            "score_missing", "the term of the score is missing from the drift: it is f alone"
        )
    if found is not None and found.constant is not None and not is_plain(found.constant):
        return velocity(s, varies=False)
    if found is not None and not (s.same(s.w, 0.5) or s.same(s.w, 1)):
        if found.constant is not None and abs(found.constant + 1) <= s.tol:
            return Told("score_sign", "the sign of the score's term is wrong")
        large = found.constant is not None and found.constant > 1
        much = "too large by the factor" if large else "multiplied by"
        return Told(
            "score_factor",
            f"f and the noise are right, the score's term is {much} {found.text}{kind(s, found)}",
        )
    return None


def _of_another_time(s: Terms) -> Told | None:
    """The weight of the score, with a level that is taken at another time."""
    if not (s.same(s.a, 1) and s.same(s.c, 1 - s.lam)):
        return None
    found = level_at(s.w / s.own, s.t, s.target, s.tol)
    if found is None:
        return None
    return Told(
        "level_of_another_time",
        f"f and the noise are right, the score's term is multiplied by {found[0]}: a level is taken"
        f" at {found[1]}, not at t",
    )


def _lambdas(lam: np.ndarray) -> str:
    some = np.unique(lam)
    return f"λ = {some[0]:g}" if len(some) == 1 else "the λ asked for"


def _hint(lam: np.ndarray) -> str:
    return " = g" if np.all(lam == 0) else ""
