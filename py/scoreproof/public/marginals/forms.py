"""The declared factor of x0, rest of the mean, and standard deviation as formulas in those due.

Conventions: as in `reading`; a form is said only if it gives the declared numbers to what rounding
explains.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.answers import Answer, reading
from scoreproof.public.laws import Law, law, number, same
from scoreproof.public.marginals.reading import Declaration, Told

__all__ = ["formed"]


def formed(d: Declaration, means: np.ndarray, means_due: np.ndarray) -> list[Told] | None:
    """A cause for each part that is wrong; ``None`` unless all are explained. ``means``: (m, n)."""
    if not d.straight:
        limit = d.tol * (np.abs(means_due) + 1e-300)
        found = reading(Answer.of(means, means_due, limit))
        if found is None or d.std_wrong:
            return None
        return [Told(f"mean_{found.name}", f"the mean: {found.words}; {found.remedy}")]
    causes: list[Told | None] = []
    if d.mean_wrong:
        causes.append(_common(d) or _factor(d))
    if d.shift_wrong:
        causes.append(_shift(d))
    common = causes and causes[0] is not None and causes[0].name == "exponent"
    if d.std_wrong and not common:
        causes.append(_std(d))
    told = [c for c in causes if c is not None]
    return told if told and len(told) == len(causes) else None


def _exponent(d: Declaration) -> str | None:
    """log α as a multiple of the one due, or as another function of the drift's rate."""
    if np.any(d.alpha <= 0) or np.any(d.alpha_due <= 0):
        return None
    log, due = np.log(d.alpha), np.log(d.alpha_due)
    told = np.abs(due) > 1e-6  # elsewhere a logarithm is rounding
    if np.sum(told) < 4:
        return None
    tol = max(d.tol, 1e-7)
    ratio = log[told] / due[told]
    k = float(np.median(ratio))
    if same(ratio, k, tol) and abs(k) > 1e-6:
        return f"log α is {number(k)} times the ∫ of the drift's rate that is due"
    rate = d.context.moments.value(d.context.moments.a, d.t)[:, d.context.coordinate][told]
    t = d.t[told]
    with np.errstate(all="ignore"):
        for text, value in (
            ("t times the drift's rate at t where its integral from 0 to t is due", rate * t),
            ("the drift's rate at t where its integral from 0 to t is due", rate),
        ):
            k = float(np.median(log[told] / value))
            if same(log[told] / value, k, tol):
                factor = "" if same(np.array([k]), 1, tol) else f"{number(k)} times "
                return f"log α is {factor}{text} (for β_0 + β_1 t: t² where t²/2 is due)"
    return None


def _common(d: Declaration) -> Told | None:
    """One wrong exponent in the mean and, by it, in the standard deviation."""
    text = _exponent(d)
    if text is None or not d.std_wrong or np.ptp(d.alpha_due) <= d.tol:
        return None
    # what the standard deviation is of α, if all noise is what the mean has lost
    total = d.std_due**2 / (1 - d.alpha_due**2)
    if d.start or not same(total, float(total[-1]), 1e-6):
        return None
    implied = np.sqrt(np.maximum(total * (1 - d.alpha**2), 0))
    told = d.alpha_due < 1 - 1e-6
    if not np.all(np.abs(implied - d.std)[told] <= max(d.tol, 1e-6) * implied[told]):
        return None
    return Told("exponent", f"{text}, in the mean and in the standard deviation alike")


def _factor(d: Declaration) -> Told | None:
    if same(d.alpha, 0, d.tol):
        return Told("mean_without_x0", "the mean does not depend on x0: its term α x0 is missing")
    form = _exponent(d) if not same(d.alpha / d.alpha_due, 1, d.tol) else None
    found = d.law(d.alpha / d.alpha_due)
    if found is not None and found.constant is not None:
        text = f"the factor of x0 in the mean is {found.text} times the one due"
        return Told("mean_factor", f"{text}: divide it by {found.text}")
    if form is not None:
        return Told("mean_exponent", f"in the mean {form}")
    if found is not None:
        return Told("mean_factor", f"the factor of x0 in the mean is that due times {found.text}")
    whole = d.law(d.alpha)
    if whole is not None:
        return Told("mean_factor", f"the factor of x0 in the mean is {whole.text} where α is due")
    return None


def _shift(d: Declaration) -> Told | None:
    """The part of the mean that does not depend on x0."""
    top = float(np.max(np.abs(d.shift)))
    if top <= d.tol:
        return Told("shift_missing", "the part of the mean that does not depend on x0 is left out")
    steady = same(d.shift, float(np.median(d.shift)), 1e-6)
    if steady and np.any(d.shift_due):
        gone = 1 - d.alpha_due
        told = gone > 1e-3
        fixed = d.shift_due[told] / gone[told]
        if same(fixed, float(np.median(d.shift)), 1e-6):
            return Told(
                "shift_factor",
                f"the constant part of the mean is the long-run mean {number(d.shift[0])} at all"
                " times, not by x0's share: its factor 1 - α is missing",
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
    found = _some_law(d, (d.shift[told] / d.shift_due[told]), told)
    if found is None:
        return None
    return Told(
        "shift_factor", f"the part of the mean that does not depend on x0 is {found.text} times due"
    )


def _some_law(d: Declaration, values: np.ndarray, told: np.ndarray) -> Law | None:
    return law(values, {"α": d.alpha_due[told], "t": d.t[told]}, max(d.tol, 1e-7))


def _std(d: Declaration) -> Told | None:
    limit = np.maximum(d.tol, 1e-12) * np.abs(d.std_due)
    with np.errstate(all="ignore"):
        squares = d.std**2 / d.std_due**2
    found = d.law(d.std / d.std_due)
    if found is not None and found.constant is not None:
        return Told("std_factor", _std_factor(d, found))
    by_square = d.law(squares)
    if by_square is not None:
        text = f"the variance is the one due times {by_square.text}"
        if by_square.text == "1/(1 + α)":
            text += " (1 - α where 1 - α² is due: α for α² in the exponent)"
        return Told("std_factor", text)
    gap = d.std**2 - d.std_due**2
    extra = d.law(gap) if np.all(np.abs(gap) > 0) else None
    if extra is not None:
        more = "added to the variance" if gap[0] > 0 else "taken from the variance"
        return Told("variance_offset", f"{extra.text.lstrip('-')} is {more}")
    simple = reading(Answer.of(d.std, d.std_due, limit))
    if simple is not None:
        return Told(
            f"std_{simple.name}", f"the standard deviation: {simple.words}; {simple.remedy}"
        )
    whole = d.law(d.std) if d.std[0] != 0 else None
    if whole is not None:
        return Told("std_form", f"the standard deviation is {whole.text} where σ is due")
    return None


def _std_factor(d: Declaration, found: Law) -> str:
    k = found.constant or 0.0
    text = (
        f"the standard deviation is {found.text} times the one due (the variance {number(k * k)}"
        " times)"
    )
    if abs(k * k / np.log(10) - 1) < 1e-6 or abs(k * k * np.log(10) - 1) < 1e-6:
        text += ": a base-10 logarithm (log10) stands where the natural one is due"
        return text + (", in g" if k > 1 else ", in σ")
    if abs(k * k / np.log(2) - 1) < 1e-6 or abs(k * k * np.log(2) - 1) < 1e-6:
        return f"{text}: a base-2 logarithm stands where the natural one is due"
    side = "or g by as much too small" if abs(k) > 1 else "or g by as much too large"
    return f"{text}, {side}" if k > 0 else text
