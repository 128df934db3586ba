"""Several multiples of the terms that are wrong at once: another schedule, or each by itself.

Conventions: as in `terms`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.families import FAMILIES, Sides, discount, family_of
from scoreproof.public.reverse_sampler.laws import is_plain, number, of_time
from scoreproof.public.reverse_sampler.terms import Terms, Told

__all__ = ["apart", "schedule"]

#: multiples of t that people take for t
OTHER_TIMES = (
    (1e-3, "t/1000"),
    (1 / 999, "t/999"),
    (1e-2, "t/100"),
    (0.1, "t/10"),
    (0.5, "t/2"),
    (0.999, "0.999 t"),
)


def schedule(s: Terms) -> Told | None:
    """The sampler's own f or g², as functions of t, beside those of the process."""
    w, c = 1 - s.lam / 2, 1 - s.lam
    g2 = np.array([s.target.diffusion(t) ** 2 for t in s.t])
    rate = np.array([s.target.rate(t) for t in s.t])
    scale, seen = s.w / w, c > s.tol
    if not s.same(scale, 1):
        if not s.same(s.c[seen], (scale * c)[seen]) or not s.same(s.c[~seen], 0):
            return None
    elif s.same(s.a, 1) or not s.same(s.c, c):
        return None
    parts, alone = [], ""
    for name, found, due in (("g²", scale * g2, g2), ("the rate of f", s.a * rate, rate)):
        if s.same(found, due):
            continue
        if not _of_time_alone(s, found):
            return None
        one, other = (of_time(v, s.t, max(s.tol, 1e-7)) for v in (found, due))
        if one is None and (power := _power(found, due, s.tol)):
            one, other = f"that of the process to the power {power}", None
        if one is None:
            ends = np.argmin(s.t), np.argmax(s.t)
            gap = max(float(np.max(np.abs(found - due)[k] / np.abs(due[k]))) for k in ends)
            digits = max(4, min(12, 2 - int(np.floor(np.log10(max(gap, 1e-12))))))
            one, other = (
                " and ".join(f"{v[k]:.{digits}g} at t = {s.t[k]:.3g}" for k in ends)
                for v in (found, due)
            )
        times = _of_other_times(s, name == "g²", found)
        parts.append(
            f"{name} is {one}{times} in the sampler"
            + (f", {other} in the process" if other else "")
        )
        alone = "f" if name != "g²" else "g"
    if not parts:
        return None
    if len(parts) == 2:
        return Told("schedule", f"another schedule: {'; '.join(parts)}")
    right = "the term of the score and the noise are" if alone == "f" else "f is"
    if alone == "g" and (known := of_a_family(s, scale * g2)):
        return Told("g_of_another_family", f"g alone is wrong: {known}; f is right")
    return Told("schedule", f"{alone} alone is wrong: {parts[0]}; {right} right")


def _of_time_alone(s: Terms, found: np.ndarray) -> bool:
    """Whether what is found is the same for every λ: a schedule knows t alone."""
    return all(s.same(found[s.t == t], found[s.t == t][0]) for t in np.unique(s.t).tolist())


def of_a_family(s: Terms, g2: np.ndarray) -> str:
    """The process whose g² it is, where it is that of another; or what of a sub-VP's is."""
    t = np.unique(s.t)
    first = np.array([int(np.argmax(s.t == u)) for u in t])
    level = [s.target.level(u) for u in t.tolist()]
    alpha, std = np.array([v[0] for v in level]), np.array([v[2] ** 0.5 for v in level])
    rate, own = np.array([s.target.rate(u) for u in t.tolist()]), g2[first]
    law_is = family_of(alpha, std, s.tol)
    if not law_is or np.any(rate >= 0):
        return ""
    sides = Sides(t, alpha, std, rate, np.log(alpha), own, max(s.tol, 1e-6), True)
    name, _, needs = FAMILIES[law_is]
    if sides.own and sides.own != law_is:
        other, _, has = FAMILIES[sides.own]
        return f"it is that of {other}, {has}, and the process is {name}, {needs}"
    if law_is == "sub-VP" and (wrong := discount(sides)):
        return f"the process is {name}, {needs}; {wrong}"
    return ""


def _power(found: np.ndarray, due: np.ndarray, tol: float) -> str:
    """As of 10^(log g) for e^(log g)."""
    if np.any(found <= 0) or np.any(due <= 0) or np.any(np.abs(np.log(due)) < 1e-3):
        return ""
    p = np.log(found) / np.log(due)
    middle = float(np.median(p))
    if np.max(np.abs(p - middle)) > 10 * max(tol, 1e-9) * abs(middle):
        return ""
    ten = abs(middle - np.log(10)) < 1e-5
    return f"{middle:.6g} = ln 10 (10^… for e^…)" if ten else number(middle)


def _of_other_times(s: Terms, of_g: bool, found: np.ndarray) -> str:
    """The process's own, at a multiple of t."""
    for times, words in OTHER_TIMES:
        with np.errstate(all="ignore"):
            at = [
                s.target.diffusion(times * t) ** 2 if of_g else s.target.rate(times * t)
                for t in s.t.tolist()
            ]
        if s.same(found, np.array(at)):
            return f" (that of {words})"
    return ""


def _terms(s: Terms) -> dict[str, np.ndarray]:
    """The multiples of the drift's terms; where the model returns x_0, of those in x and x_0."""
    w = 1 - s.lam / 2
    if s.job.prediction != "x0":
        of_score = "the term of ε" if s.job.prediction == "eps" else "the score's term"
        return {"f": s.a, of_score: s.w / w}
    rate = np.array([s.target.rate(t) for t in s.t])
    pull = np.array([s.target.diffusion(t) ** 2 / s.target.level(t)[2] for t in s.t])
    with np.errstate(all="ignore"):
        of_x = (s.a * rate + s.w * pull) / (rate + w * pull)
    return {
        "the coefficient of x in the drift": of_x,
        "the coefficient of x_0 in the drift": s.w / w,
    }


def apart(s: Terms) -> Told | None:
    """Several multiples are wrong, each by itself."""
    c = 1 - s.lam
    seen = c > s.tol
    parts = [(what, s.law(v)) for what, v in _terms(s).items() if not s.same(v, 1)]
    if not s.same(s.c, c):
        ratio = s.law(s.c[seen] / c[seen], seen) if s.same(s.c[~seen], 0) and np.any(seen) else None
        parts.append(("the noise's variance", ratio))
    if not parts or any(found is None for _, found in parts):
        return None
    plain = [f for _, f in parts if f is not None and (f.constant is None or is_plain(f.constant))]
    if len(plain) < len(parts):
        return None
    if s.job.prediction == "x0" and any(f is not None and f.constant is None for _, f in parts):
        return None  # what x_0 is multiplied by belongs to the model's answer
    text = ", ".join(
        f"{what} is left out"
        if found.constant is not None and abs(found.constant) <= s.tol
        else f"{what} is multiplied by {found.text}"
        for what, found in parts
        if found is not None
    )
    return Told("multiples", f"{text}, beside what is due at the λ asked for")
