"""Why a coefficient is wrong: another σ_data, another formula, another σ, a constant.

Conventions: a cause is named if it gives the values at every level to rounding in their type.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from scoreproof.causes.answers import Answer, reading
from scoreproof.causes.wholes import factor
from scoreproof.public.preconditioning.arguments import Job
from scoreproof.public.preconditioning.forms import FORMS, as_spread, built, slips, spread_in
from scoreproof.public.preconditioning.logarithms import another_logarithm
from scoreproof.public.preconditioning.other_forms import of_another_form
from scoreproof.public.preconditioning.overwritten import plain, products, with_another
from scoreproof.public.preconditioning.standin import Found

__all__ = ["SIGN", "cause_of", "coarser", "follows", "of_another_level"]

#: roundings that two ways to compute a coefficient may be apart, and what is lost where 1 cancels
ROUNDINGS = 256.0
#: the same in one coefficient, roundly
ROUNDED = 8.0
TYPES = {"float16": 2.0**-10, "bfloat16": 2.0**-7, "float32": 2.0**-23}
#: forms that have no σ_data
OWN = ("v", "eps")
SIGN = "its sign is wrong"
#: what it means that a coefficient is 0
NOTHING = {
    "c_skip": "x is not added",
    "c_out": "the network's answer is not added",
    "c_in": "the network is given zeros for x",
    "c_noise": "the network is not told σ",
}
Formula = Callable[[np.ndarray], np.ndarray]


def follows(value: np.ndarray, other: np.ndarray, eps: float) -> bool:
    """Whether the values are those of a formula, to rounding."""
    if not np.all(np.isfinite(other)):
        return False
    size = np.maximum(np.abs(other), 1e-6 * np.max(np.abs(other)))
    return bool(np.all(np.abs(value - other) <= ROUNDINGS * eps * size))


def cause_of(
    name: str, found: Found, due: Mapping[str, np.ndarray], job: Job, spread: float
) -> tuple[str, str] | None:
    """A name and words for what one coefficient is instead."""
    value, right, eps = found.values[name], due[name], found.eps[name]
    if follows(value, -right, eps):
        return "sign", SIGN
    if not np.any(value):
        return "nothing", f"it is 0: {NOTHING[name]}"
    if job.name == "edm":
        rest = [n for n in found.values if n not in (name, "c_noise")]
        alone = all(follows(found.values[n], due[n], found.eps[n]) for n in rest)
        other = _other_spread(name, value, job, spread, eps, alone=alone)
        if other:
            return "sigma_data", other
        for words, formula in slips(name).items():
            with np.errstate(all="ignore"):
                if follows(value, formula(job.sigmas, spread), eps):
                    return "formula", words
    with np.errstate(all="ignore"):
        words = of_another_form(name, value, job.name, job.sigmas, lambda v: follows(value, v, eps))
    if words:
        return "another_form", words
    for words, other_value in products(
        name, due, job.sigmas, None if job.name in OWN else spread, eps
    ):
        if follows(value, other_value, eps):
            return "formula", words
    with np.errstate(all="ignore"):
        for words, other_value in with_another(name, job.form, due, job.sigmas, spread):
            if follows(value, other_value, eps):
                return "overwritten", words
    if name == "c_noise" and (words := another_logarithm(value, right, job.sigmas, eps)):
        return "logarithm", words
    with np.errstate(all="ignore"):
        limit = ROUNDINGS * eps * np.maximum(np.abs(right), 1e-6 * np.max(np.abs(right)))
        known = {"σ_data": spread} if job.name == "edm" else {}
        answer = Answer.of(value, right, limit, known)
        simple = factor(answer)
        if simple is None and job.name == "edm" and name != "c_noise":
            for words, formula in built().items():
                if follows(value, formula(job.sigmas, spread), eps):
                    return "formula", words
        if simple is None and job.name in OWN and (words := plain(value, job.sigmas, None, eps)):
            return "formula", f"it is {words}"
        simple = simple or reading(answer)
    if simple is None:
        return None
    of = as_spread(simple.factor, name, spread) if job.name == "edm" else ""
    text = f"{simple.words}{of}: {simple.remedy}"
    return simple.name, text


def _other_spread(
    name: str, value: np.ndarray, job: Job, spread: float, eps: float, *, alone: bool
) -> str:
    """Another σ_data in it; ``alone``: the other coefficients are right."""
    formula = FORMS["edm"].of(name)
    fits = spread_in(name, job.sigmas, value)
    good = fits[np.isfinite(fits) & (fits > 0)]
    if name == "c_noise" or formula is None or len(good) == 0:
        return ""
    # each level gives it to other digits: the one next to it gives most
    for own in sorted(good, key=lambda f: abs(np.log(np.median(good) / f)))[:3]:
        nearest = int(np.argmin(np.abs(np.log(job.sigmas / own))))
        own = fits[nearest] if np.isfinite(fits[nearest]) and fits[nearest] > 0 else own
        if abs(own / spread - 1) > ROUNDINGS * eps and follows(
            value, formula(job.sigmas, own), eps
        ):
            why = ""
            if abs(own / spread**2 - 1) <= 1e-6:
                why = ", its square: σ_data is squared once too often"
            elif abs(own / spread**0.5 - 1) <= 1e-6:
                why = ", its root: σ_data² is σ_data in it"
            elif abs(own - 1) <= 1e-6:
                why = ", as for data of standard deviation 1"
            elif name == "c_skip" and alone:  # it is a function of σ/σ_data
                why = f", or σ is multiplied by {float(f'{spread / own:.6g}'):g} in it"
            return f"σ_data is {own:.4g} in it where {spread:.4g} is declared{why}"
    return ""


def of_another_level(
    found: Found, due: Mapping[str, np.ndarray], wrong: Mapping[str, np.ndarray], job: Job, d: float
) -> str:
    """Words where the wrong coefficients are right for another σ, one rule for all of them; empty
    if there is none.
    """
    names = [n for n, bad in wrong.items() if np.any(bad) and n in found.values]
    formulas = {n: f for n in names if (f := _formula(n, job, d)) is not None}
    if not formulas or len(formulas) < len(names):
        return ""
    for words, rule in _rules(found, wrong, formulas, job):
        with np.errstate(all="ignore"):
            moved = rule(job.sigmas)
            if np.all(moved > 0) and all(
                follows(found.values[n], f(moved), found.eps[n]) for n, f in formulas.items()
            ):
                return words
    return ""


def _formula(name: str, job: Job, d: float) -> Formula | None:
    if name == "c_noise":
        return job.c_noise
    formula = job.form.of(name)
    return None if formula is None else lambda s: formula(s, d)


def _rules(
    found: Found,
    wrong: Mapping[str, np.ndarray],
    formulas: Mapping[str, Formula],
    job: Job,
) -> Iterator[tuple[str, Formula]]:
    """What σ may have become: fixed beyond an end, a power, a multiple, shifted."""
    s = job.sigmas
    yield "σ² is passed for σ: a variance where a standard deviation is due", lambda v: v**2
    yield "√σ is passed for σ: a standard deviation was taken for a variance", np.sqrt
    yield "1/σ is passed for σ", np.reciprocal
    yield "log σ is passed for σ", np.log
    name = max(formulas, key=lambda n: int(np.sum(wrong[n])))
    own = _solved(formulas[name], found.values[name])
    bad = np.isfinite(own) & wrong[name]
    if np.sum(bad) < 1:
        return
    if np.sum(bad) < len(s) and np.ptp(own[bad]) <= 1e-4 * np.max(own[bad]):
        at = float(np.median(own[bad]))
        at = float(f"{at:.6g}")
        if s[bad][0] < at:
            yield (
                f"σ is clamped at {at:.6g} below: from there down all is as at σ = {at:.6g}",
                lambda v: np.maximum(v, at),
            )
        yield (
            f"σ is clamped at {at:.6g} above: from there up all is as at σ = {at:.6g}",
            lambda v: np.minimum(v, at),
        )
    good = np.isfinite(own) & (own > 0)
    if np.sum(good) < 3:
        return
    middle = float(np.median(own[good] / s[good]))
    shown = float(f"{middle:.9g}")
    yield f"σ is multiplied by {shown:.6g}", lambda v: shown * v
    shift = float(np.median((own - s)[good]))
    sign = "less" if shift < 0 else "more"
    for more in (float(f"{shift:.3g}"), shift):
        yield (
            f"it is σ {'-' if more < 0 else '+'} {abs(more):.6g} where σ is due: {abs(more):.6g}"
            f" {sign}" + (", as a consistency model's σ - σ_min" if more < 0 else ""),
            _shifted(more),
        )
    slope, level = np.polyfit(np.log(s[good]), np.log(own[good]), 1)
    power = float(f"{slope:.3g}")
    factor = float(np.exp(np.median(np.log(own[good]) - power * np.log(s[good]))))
    yield (
        f"{factor:.6g} σ^{power:g} is passed for σ",
        lambda v: factor * v**power,
    )


def _shifted(more: float) -> Formula:
    return lambda v: v + more


def _solved(formula: Formula, values: np.ndarray) -> np.ndarray:
    """The σ at which the coefficient has these values; nan where it has none."""
    grid = np.geomspace(1e-6, 1e6, 4001)
    with np.errstate(all="ignore"):
        curve = formula(grid)
    if not np.all(np.isfinite(curve)):
        return np.full(len(values), np.nan)
    sign = 1.0 if curve[-1] > curve[0] else -1.0
    rising = sign * curve
    if np.any(np.diff(rising) < 0):
        return np.full(len(values), np.nan)
    out = np.full(len(values), np.nan)
    for k, v in enumerate(sign * values):
        if not rising[0] < v < rising[-1]:
            continue
        low, high = np.log(grid[0]), np.log(grid[-1])
        for _ in range(80):
            middle = (low + high) / 2
            below = sign * formula(np.array([np.exp(middle)]))[0] < v
            low, high = (middle, high) if below else (low, middle)
        out[k] = np.exp(low)
    return out


def coarser(found: Found, due: Mapping[str, np.ndarray]) -> str:
    """Words where x reaches the network in a coarser type than the caller's, and rounding in that
    type explains all; empty otherwise.
    """
    eps = found.eps.get("c_in", 0.0)
    name = next((n for n, e in TYPES.items() if abs(eps / e - 1) < 1e-9), "")
    if not name:
        return ""
    for n, right in due.items():
        size = np.maximum(np.abs(right), 1.0) if n == "c_noise" else np.abs(right)
        if np.any(np.abs(found.values[n] - right) > ROUNDED * eps * size):
            return ""
    return f"x reaches the network in {name}, and rounding in that type explains the error"
