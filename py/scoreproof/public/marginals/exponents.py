"""The declared log α as another function of the drift's rate than its integral.

Conventions: as in `reading`; clauses without a full stop.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.laws import is_plain, number, same
from scoreproof.public.marginals.polynomials import one_coefficient
from scoreproof.public.marginals.reading import Declaration

__all__ = ["exponent"]

#: a schedule in discrete time has this many steps, or more
STEPS = 10


def exponent(d: Declaration, alpha: np.ndarray) -> str | None:
    """log α as a multiple of the one due, or as another function of the drift's rate."""
    if np.any(alpha <= 0) or np.any(d.alpha_due <= 0):
        return None
    log, due = np.log(alpha), np.log(d.alpha_due)
    told = (np.abs(due) > 1e-3) & (np.abs(due) < 12)  # elsewhere a logarithm is rounding
    if np.sum(told) < 4 or same(log[told], due[told], d.loose):
        return None
    ratio = log[told] / due[told]
    k = float(np.median(ratio))
    if same(ratio, k, d.loose) and abs(k) > 1e-6:
        hint = ""
        if any(abs(k / base - 1) < 1e-6 for base in (np.log(10), np.log(2))):
            hint = f": a power of {round(np.exp(k))} stands where one of e is due"
        elif steps := _steps(k):
            hint = (
                f" (if β is that of one step of {steps}, a unit of time has {steps} of them:"
                f" multiply it by {steps} in the drift and in g²)"
            )
        elif steps := _steps(1 / k):
            hint = (
                f" (is β multiplied by the number of steps, {steps}, once too often, or a step"
                " counted as a unit of time?)"
            )
        return f"the declared log α is {_part(k)} times the integral of the drift's rate{hint}"
    alone = one_coefficient(d.t[told], log[told], due[told])
    if alone is not None:
        return alone
    rate = d.context.moments.value(d.context.moments.a, d.t)[:, d.context.coordinate][told]
    t, end = d.t[told], float(d.context.log_at(np.array([d.context.end]))[0])
    edges = d.context.moments.value(d.context.moments.a, np.array([d.t[0], d.t[-1]]))
    first, last = edges[:, d.context.coordinate]
    with np.errstate(all="ignore"):
        for text, value in (
            (" t times the drift's rate at t, and must be its integral from 0 to t", rate * t),
            (" the drift's rate at t, and must be its integral from 0 to t", rate),
            (" t times the drift's rate at 0, and must be its integral from 0 to t", first * t),
            (" t times the drift's rate at T, and must be its integral from 0 to t", last * t),
            (" the drift's rate integrated from t to T, and must be from 0 to t", end - due[told]),
        ):
            some = np.abs(value) > 1e-6 * np.max(np.abs(value))  # at T nothing is left to T
            if not np.any(some):  # a rate that is 0 there
                continue
            ratio = log[told][some] / value[some]
            k = float(np.median(ratio))
            # the rate at an end is read at the times next to it
            if same(ratio, k, 1e-3 if "at 0" in text or "at T" in text else d.loose):
                factor = "" if same(np.array([k]), 1, 1e-6) else f" {number(k)} times"
                linear = (
                    " (t² stands where t²/2 is due, for a linear β)" if "rate at t" in text else ""
                )
                return f"the declared log α is{factor}{text}{linear}"
    return None


def _steps(k: float) -> int:
    """A usual number of steps; 0 if it is none."""
    whole = round(k) if np.isfinite(k) else 0
    return whole if whole >= STEPS and whole % 10 == 0 and abs(k / whole - 1) <= 1e-6 else 0


def _part(k: float) -> str:
    """A number, or one over a short one: 0.992063 = 1/1.008."""
    short = float(f"{1 / k:.4g}")
    is_one_over = not is_plain(k) and abs(short * k - 1) <= 1e-7
    return f"{number(k)} = 1/{short:g}" if is_one_over else number(k)
