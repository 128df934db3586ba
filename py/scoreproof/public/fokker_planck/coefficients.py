"""What a wrong coefficient of the equation is, in words: a number, or a function of time.

Conventions: as in `summands`; ρ is what ``diffusion`` returned, ``needed`` = √c ρ what the density
and the drift agree with.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.closed_forms import closed_form, number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.noise import (
    noise,
    noise_of_time,
    of_dimension,
    of_the_start,
    rate_of_square,
    related_to,
    same,
)
from scoreproof.public.fokker_planck.of_functions import factor_of_time, polynomials
from scoreproof.public.fokker_planck.other_clocks import drift_at
from scoreproof.public.fokker_planck.summands import Family, Judged, constant, families, in_time
from scoreproof.public.fokker_planck.variances import start_undecayed
from scoreproof.words import stretch

__all__ = ["one_number", "one_number_a_time"]

STILL = (
    "the density does not depend on t, and drift and diffusion would change it: it is not their"
    " stationary density, or t does not reach it"
)
STEPS = (
    "the density does not change around any t, and is another one at later times: it goes in steps,"
    " as where t is rounded or becomes an index (round, int, //, a table) on its way into it; use"
    " t itself, or interpolate between the steps"
)
CLOCK = "the density runs through time {c} times as fast as drift and diffusion say"


def one_number(s: Subject, j: Judged, d: int) -> Diagnosis | None:
    """One coefficient, the same at all times; those that explain equally are named together."""
    told: list[tuple[str, str]] = []
    # of what nothing moves, a factor of time alone is a normaliser: nothing is carried wrongly
    resting = bool(np.all(np.abs(j.residual - j.rate) <= j.blur))
    for family in families(j):
        if resting and family.name in ("squeezed", "along", "clock") and np.any(j.rate):
            continue
        found = constant(j, family)
        if found is None or abs(found[0] - family.due) <= found[1]:
            continue
        if family.name == "clock" and abs(found[0]) <= found[1]:
            if not told:
                told.append(_still(s, j))
            continue
        c, within = found
        if family.name == "noise" and np.ptp(j.rho) > 1e-9 * float(np.max(np.abs(j.rho))):
            related = related_to(s, j, c + 0 * j.rho, within + 0 * j.rho, np.arange(len(j.rho)))
            if related is not None:
                return related
        told.append(_words(family.name, c, within, j, d))
        if told[-1][0] == "noise_factor" and c > 1:
            told += start_undecayed(s, j, c * j.rho**2)
        if family.name == "noise":
            told += of_dimension(c, within, d) + of_the_start(s, j, c, within)
        if family.name == "noise" and not np.any(j.along) and not np.any(j.squeezed):
            break  # without a drift the clock is the noise's
    if not told:
        return None
    names = tuple(dict.fromkeys(name for name, _ in told))
    if len(told) == 1:
        return Diagnosis(names, 0.0, None, f"Cause: {told[0][1]} ({names[0]}).")
    text = "; or ".join(f"{what} ({name})" for name, what in told[:3])
    return Diagnosis(
        names, 0.0, None, f"Cause: one of these, which cannot be told apart here: {text}."
    )


def _still(s: Subject, j: Judged) -> tuple[str, str]:
    """A density whose derivative in t is 0: one that is the same at all times, or goes in steps."""
    x = j.x[:4]
    first, last = (s.logs(x, float(t)) for t in (np.min(j.times), np.max(j.times)))
    moved = np.abs(last - first) > 1e-6 * (1 + np.abs(first))
    return ("density_in_steps", STEPS) if np.any(moved) else ("density_constant", STILL)


def _words(family: str, c: float, within: float, j: Judged, d: int) -> tuple[str, str]:
    relative = within / max(abs(c), 1e-300)
    known = {"d": d} if d > 1 else None
    shown = number(c, relative, known)
    form = closed_form(c, relative, known) or f"{c:.5g}"
    if family == "noise":
        return noise(c, within, (shown, form), j)
    if family == "drift":
        if abs(c + 1) <= within:
            return "drift_sign", "the sign of the drift: the density moves with -f; return -f"
        return (
            "drift_factor",
            f"the drift is to be {shown} times what it is: multiply it by {form}",
        )
    if family == "clock":
        if abs(c + 1) <= within:
            return (
                "reversed_clock",
                "time is counted downward: ∂_t p has the opposite sign of the right side, as where"
                " the density is given T - t for t",
            )
        return (
            "clock_factor",
            f"{CLOCK.format(c=shown)}: divide the time in the density by {form}, or multiply the"
            f" drift and ρ² by {form}",
        )
    if family == "squeezed":
        names = {0.0: "gradient_outside", 0.5: "symmetric_ordering", -1.0: "divergence_sign"}
        why = {
            "gradient_outside": "p ∇·f is left out, f·∇p for ∇·(f p): values are carried along"
            " paths"
            " and not divided by the Jacobian of the flow",
            "symmetric_ordering": "p ∇·f is counted by half",
            "divergence_sign": "p ∇·f has the wrong sign: multiplied by the Jacobian of the flow"
            " where it is to be divided by it",
        }
        near = [n for v, n in names.items() if abs(c - v) <= within]
        if near:
            return near[0], why[near[0]]
        return "divergence_factor", f"p ∇·f enters {shown} times where it is due once"
    if family == "along":
        if abs(c) <= within:
            return "divergence_only", "f·∇p is left out, p ∇·f for ∇·(f p)"
        return "advection_factor", f"f·∇p enters {shown} times where it is due once"
    return (
        "normaliser_of_time",
        f"the density's normaliser grows or falls at the rate {shown} per unit of time, the same at"
        f" all x, where its mass is to stay: divide it by exp({form} t)",
    )


def one_number_a_time(s: Subject, j: Judged) -> Diagnosis | None:
    """One coefficient that depends on time."""
    # of a linear drift p ∇·f is a multiple of p at each time: the density's normaliser
    for family in sorted(families(j), key=lambda f: f.name in ("squeezed", "along")):
        found = in_time(j, family)
        if found is None:
            continue
        values, within = found
        ok = np.isfinite(values)
        if np.all(np.abs(values[ok] - family.due) <= within[ok]):
            continue
        return _of_time(s, j, family, values, within)
    return None


def _for_a_while(j: Judged, family: str, c: np.ndarray, off: np.ndarray) -> Diagnosis:
    """Right at some times, and off at others."""
    what = {
        "noise": "ρ²",
        "drift": "the drift",
        "clock": "the right side as a whole",
        "squeezed": "p ∇·f",
        "along": "f·∇p",
    }.get(family)
    low, high = float(np.min(c[off])), float(np.max(c[off]))
    size = f"{low:.5g}" if high - low <= 1e-4 * abs(high) else f"{low:.5g} to {high:.5g}"
    how = f"{what} is to be {size} times what it is, or the density depends on t wrongly there"
    if what is None:
        how = f"the mass of the density grows at the rate {size}, and it is to stay"
    name = f"{family}_for_a_while"
    return Diagnosis.cause(
        name,
        f"Cause: {stretch(j.times, off)}, {how}, and at the other times all terms agree ({name}).",
    )


def _digits(c: float) -> int:
    """As many as tell c from 1."""
    return 4 + max(0, int(np.ceil(-np.log10(max(abs(c - 1), 1e-12)))) - 2)


def _fits_only(what: str, span: str) -> Diagnosis:
    """A function of time that was fitted to one of time is no cause."""
    return Diagnosis.unknown(
        f"No known fault explains it, but one function of time fits: {what}, c(t) = {span}; or the"
        " density depends on t wrongly in that way."
    )


def _of_time(s: Subject, j: Judged, of: Family, c: np.ndarray, within: np.ndarray) -> Diagnosis:
    ok, family = np.flatnonzero(np.isfinite(c)), of.name
    off = np.isfinite(c) & (np.abs(c - of.due) > within + 1e-9)
    if len(ok) - off.sum() >= max(2, 0.1 * len(ok)):
        return _for_a_while(j, family, c, off)
    k = int(ok[np.argmax(np.abs(c[ok] - of.due))])
    span = f"{c[k]:.{_digits(c[k])}g} at t = {j.times[k]:.3g}"
    if of.due:
        a, b = int(ok[0]), int(ok[-1])
        span = ", ".join(
            f"{c[i]:.{_digits(c[i])}g} at t = {j.times[i]:.3g}" for i in sorted({a, k, b})
        )
    if family == "noise":
        return noise_of_time(s, j, c, within, ok)
    if family == "clock":
        names, text = ("clock_of_time",), CLOCK.format(c="c(t)") + f", c(t) = {span}"
        rate = rate_of_square(s, j)
        if rate is not None:
            due = 1 + j.times * rate / j.rho**2
            if same(due, c, within, ok):
                text += (
                    ", which is (t β)'/β for β = ρ²: β(t) t was taken where the integral ∫₀ᵗ β ds"
                    " is"
                    " due"
                )
                return Diagnosis.cause("beta_times_t", f"Cause: {text} (beta_times_t).")
        for power, what in ((1, "t²/2"), (2, "t³/3"), (-0.5, "2√t"), (-1, "log t")):
            ratio = c[ok] / j.times[ok] ** power
            if np.ptp(ratio) <= 4 * np.max(within[ok] / j.times[ok] ** power):
                times = "" if abs(ratio.mean() - 1) < 1e-4 else f"{ratio.mean():.4g} times "
                text += (
                    f": its time is {times}{what} where t is due; multiply drift and ρ² by c(t), or"
                    " pass the density the same t"
                )
                return Diagnosis(names, 0.0, None, f"Cause: {text} ({names[0]}).")
        both = polynomials(j.times, j.rho**2, c * j.rho**2)
        if both is not None:
            return Diagnosis.cause(
                "coefficient_of_noise",
                f"Cause: {CLOCK.format(c='c(t)')}: {both.told('ρ²')}, the drift in proportion"
                " (coefficient_of_noise): the integral ∫ ρ² dt in the density, or ρ² and the drift,"
                " have another coefficient of t.",
            )
        return factor_of_time(j, "the drift and ρ²", c, within) or _fits_only(
            "with c(t) in front of both, the drift and ρ² would agree with the density", span
        )
    if family == "drift":
        return (
            factor_of_time(j, "the drift", c, within) or drift_at(s, j, c, within)
        ) or _fits_only("with c(t) times the drift everything else would agree", span)
    if family in ("squeezed", "along"):
        what = "p ∇·f" if family == "squeezed" else "f·∇p"
        return _fits_only(f"with c(t) times {what} everything else would agree", span)
    return Diagnosis.cause(
        "normaliser_of_time",
        "Cause: the density is right up to a normaliser that depends on t wrongly: its mass grows"
        " at"
        f" the rate {span}, the same at all x, where it is to stay 1 (normaliser_of_time). Divide"
        f" by"
        " the integral at each t, as where a factor 1/√(2πv(t)) is missing or doubled.",
    )
