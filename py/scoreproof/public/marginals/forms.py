"""The declared factor of x0, rest of the mean, and standard deviation as formulas in those due.

Conventions: as in `reading`; a form is said only if it gives the declared numbers to what rounding
explains.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.causes.answers import Answer, reading
from scoreproof.causes.wholes import MAPS
from scoreproof.public.laws import Law, is_plain, law, number, same
from scoreproof.public.marginals.exponents import exponent
from scoreproof.public.marginals.rates import of_rates
from scoreproof.public.marginals.reading import Declaration, Told
from scoreproof.public.marginals.retiming import retimed

__all__ = ["formed"]


def formed(d: Declaration, means: np.ndarray, means_due: np.ndarray) -> list[Told] | None:
    """A cause for each part that is wrong; ``None`` unless all are explained. ``means``: (m, n)."""
    if not d.straight:
        limit = d.tol * (np.abs(means_due) + 1e-300)
        found = reading(Answer.of(means, means_due, limit))
        if found is None or d.std_wrong or found.name not in {"clipped", *MAPS}:
            return None
        return [Told(f"mean_{found.name}", f"the mean: {found.words}; {found.remedy}")]
    causes: list[Told | None] = []
    if d.mean_wrong:
        causes.append(_common(d) or _factor(d) or retimed(replace(d, std=d.std_due)))
    if d.shift_wrong:
        causes.append(_shift(d))
    common = causes and causes[0] is not None and causes[0].name == "exponent"
    if d.std_wrong and not common:
        alone = replace(d, alpha=d.alpha_due, shift=d.shift_due)
        causes.append(_std(d) or retimed(alone))
    told = [c for c in causes if c is not None]
    if len(d.t) < 4 and not all(c.rigid for c in told):
        return None
    return told if told and len(told) == len(causes) else None


def _common(d: Declaration) -> Told | None:
    """One wrong exponent in the mean and, by it, in the standard deviation."""
    text, total = exponent(d, d.alpha), d.total
    if text is None or total is None or not d.std_wrong:
        return None
    implied = np.sqrt(np.maximum(total * (1 - d.alpha**2), 0))
    told = d.alpha_due < 1 - 1e-3
    if not np.all(np.abs(implied - d.std)[told] <= d.loose * implied[told]):
        return None
    return Told("exponent", f"{text}, in the mean and in the standard deviation alike")


def _factor(d: Declaration) -> Told | None:
    if same(d.alpha, 0, d.tol):
        return Told("mean_without_x0", "the mean does not depend on x0: its α x0 is missing", True)
    found = d.law(d.alpha / d.alpha_due)
    if found is not None and found.constant is not None:
        text = f"the factor of x0 in the mean is {found.text} times the one due"
        text += f": divide it by {found.text.split(' = ')[-1]}"
        return Told("mean_factor", text, is_plain(found.constant))
    whole = d.whole(d.alpha, std=False)
    if whole is not None:
        return Told("mean_form", f"the factor of x0 in the mean is {whole} where α is due")
    form = exponent(d, d.alpha)
    if form is not None:
        return Told("mean_exponent", f"in the mean {form}")
    if found is not None:
        return Told(
            "mean_factor", f"the factor of x0 in the mean is the one due times {found.text}"
        )
    return None


def _shift(d: Declaration) -> Told | None:
    """The part of the mean that does not depend on x0."""
    top = float(np.max(np.abs(d.shift)))
    if top <= d.tol:
        return Told(
            "shift_missing", "the part of the mean that does not depend on x0 is left out", True
        )
    fixed = _of_fixed_point(d)
    if fixed is not None:
        return fixed
    steady = same(d.shift, float(np.median(d.shift)), d.loose)
    if steady and np.any(d.shift_due):
        gone = 1 - d.alpha_due
        told = gone > 1e-3
        fixed = d.shift_due[told] / gone[told]
        if same(fixed, float(np.median(d.shift)), d.loose):
            return Told(
                "shift_factor",
                f"the constant part of the mean is the long-run mean {number(d.shift[0])} at all"
                " times: its factor 1 - α is missing",
            )
    if steady:
        due = "the due part varies with t" if np.ptp(d.shift_due) > 0 else "0 is due"
        return Told(
            "shift_constant",
            f"the mean has a constant part {float(np.median(d.shift)):.6g}, independent of x0,"
            f" where {due}",
        )
    if not np.any(d.shift_due):
        found = d.law(d.shift)
        return (
            None
            if found is None
            else Told(
                "shift_added",
                f"the mean has a part {found.text}, independent of x0, where 0 is due",
            )
        )
    told = np.abs(d.shift_due) > 1e-6 * np.max(np.abs(d.shift_due))
    parts = {"α": d.alpha_due[told], "t": d.t[told]}
    found = law(d.shift[told] / d.shift_due[told], parts, d.loose)
    if found is None:
        return None
    return Told(
        "shift_factor", f"the part of the mean that does not depend on x0 is {found.text} times due"
    )


def _of_fixed_point(d: Declaration) -> Told | None:
    """The constant part as another function of α times the fixed point μ of the drift."""
    gone = 1 - d.alpha_due
    told = gone > 1e-3
    if np.sum(told) < 4 or not np.any(d.shift_due):
        return None
    fixed = d.shift_due[told] / gone[told]
    mu = float(np.median(fixed))
    if mu == 0 or not same(fixed, mu, d.loose):
        return None
    a, part = d.alpha_due[told], d.shift[told] / mu
    forms = {"μ (1 + α)": 1 + a, "μ (1 - α²)": 1 - a**2, "μ α": a, "μ (α - 1)": a - 1}
    forms |= {
        "μ √(1 - α²)": np.sqrt(1 - a**2),
        "2 μ (1 - α)": 2 * (1 - a),
        "½ μ (1 - α)": (1 - a) / 2,
    }
    for text, value in forms.items():
        if same(part, value, d.loose):
            return Told(
                "shift_form",
                f"the part of the mean that does not depend on x0 is {text} where μ (1 - α) is due,"
                f" μ = {number(mu)} the fixed point of the drift",
            )
    return None


def _std(d: Declaration) -> Told | None:
    """The standard deviation."""
    with np.errstate(all="ignore"):
        ratio = d.std / d.std_due
    found = d.law(ratio)
    if found is not None and found.constant is not None:
        if number(found.constant) == "1":
            return None  # it would be divided by 1
        return Told("std_factor", _std_factor(d, found, found.constant), is_plain(found.constant))
    whole = d.whole(d.std, std=True)
    if whole is not None:
        right = " = √(1 - α²)" if same(np.array([d.total or 0.0]), 1, d.loose) else ""
        return Told("std_form", f"the standard deviation is {whole} where σ{right} is due")
    if d.total is not None:
        lost = 1 - d.std**2 / d.total
        form = exponent(d, np.sqrt(lost)) if np.all(lost > 0) else None
        if form is not None:
            for k, power in (("0.5", "α"), ("2", "α⁴")):
                if f"log α is {k} times" in form:
                    form += f": it is made of 1 - {power} where 1 - α² is due"
            return Told("std_exponent", f"in the standard deviation {form}")
    by_square = d.law(ratio**2)
    if by_square is not None:
        return Told("variance_factor", f"the variance is the one due times {by_square.text}")
    gap = d.std**2 - d.std_due**2
    extra = d.law(gap) if np.all(np.abs(gap) > 0) else None
    if extra is not None:
        more = "added to the variance" if gap[0] > 0 else "taken from the variance"
        # of a function of time it may be g² that is another
        name = "variance_constant" if extra.constant is not None else "variance_offset"
        return Told(name, f"{extra.text.lstrip('-')} is {more}")
    simple = reading(Answer.of(d.std, d.std_due, d.tol * np.abs(d.std_due)))
    if simple is not None and (simple.name != "clipped" or d.cut >= 4):
        return Told(
            f"std_{simple.name}", f"the standard deviation: {simple.words}; {simple.remedy}"
        )
    return None


def _std_factor(d: Declaration, found: Law, k: float) -> str:
    form = found.text.split(" = ")[-1]
    if k < 0:
        return f"the standard deviation is {found.text} times the one due: it must be positive"
    text = (
        f"the standard deviation is {found.text} times the one that drift and diffusion imply"
        f" (the variance {number(k * k)} times)"
    )
    for base in (10, 2):
        for sign in (1, -1):
            if abs(k * k * np.log(base) ** -sign - 1) < 1e-6:
                return (
                    f"{text}: a base-{base} logarithm stands where the natural one is due, in"
                    f" {'g' if sign > 0 else 'the standard deviation'}"
                )
    if known := of_rates(d, k * k):
        return (
            f"the declared variance is {number(k * k)} times the one that drift and diffusion"
            f" imply, {known}; either the standard deviation must be divided by {form}, or g"
            " multiplied by it"
        )
    return f"{text}: divide it by {form}, or multiply g by {form}"
