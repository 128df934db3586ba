"""What is wrong with the noise, in words: the coefficient c of ½ρ²Δp, a number or a function of
time.

Conventions: as in `coefficients`; ``needed`` = c ρ² is what the density and the drift agree with.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.of_functions import polynomials
from scoreproof.public.fokker_planck.other_clocks import noise_at
from scoreproof.public.fokker_planck.summands import Judged
from scoreproof.public.fokker_planck.variances import apart, variance_of_alpha

__all__ = [
    "noise",
    "noise_of_time",
    "of_dimension",
    "of_the_start",
    "rate_of_square",
    "related_to",
    "same",
]


def noise(c: float, within: float, words: tuple[str, str], j: Judged) -> tuple[str, str]:
    """A constant c; ``words``: the number, and its closed form."""
    shown, form = words
    rho = float(j.rho[0]) if np.ptp(j.rho) <= 1e-12 * np.max(np.abs(j.rho)) else None
    if abs(c) <= within:
        return (
            "noise_not_due",
            "with this drift the density needs no noise: the drift holds the noise already, as that"
            " of the probability-flow ODE, f - ½ ρ² ∇log p; return 0 from diffusion, or the SDE's"
            " own"
            " drift",
        )
    if abs(c + 1) <= within:
        return (
            "laplacian_sign",
            "the noise would have to be negative, -½ ρ² Δp: the drift is that of the reverse-time"
            " SDE, f - ρ² ∇log p, with time running forward, or the Laplacian has the wrong sign;"
            " return the forward drift, or the density at T - t",
        )
    if abs(c - 2) <= within:
        return (
            "half_missing",
            "diffusion returns √D where √(2D) is due, the coefficient of dW: multiply it by √2; or,"
            " if it is right, the density spreads with ρ² Δp where ½ ρ² Δp is due: the ½ is left"
            " out of its variance",
        )
    if abs(c - 0.5) <= within:
        return (
            "half_twice",
            "diffusion returns √2 times what is due, as √(2D) for √D: divide it by √2; or, if it is"
            " right, the density spreads with ¼ ρ² Δp where ½ ρ² Δp is due: the ½ is taken twice"
            " in its variance",
        )
    if c < 0:
        return "noise_factor", f"the noise would have to be {shown} times ½ ρ² Δp"
    if rho is not None:
        power = _power_of(rho, c * rho**2, within * rho**2)
        if power is not None:
            return power
    root = f"{np.sqrt(c):.5g}"
    return (
        "noise_factor",
        f"ρ² is to be {shown} times what it is: multiply it by {form}, that is diffusion by {root}",
    )


def of_dimension(c: float, within: float, d: int) -> list[tuple[str, str]]:
    """A factor d, or 1/d."""
    # a factor 2 or ½ is that of Itô's formula; in the plane it is also d, or 1/d
    if d == 1 or (d > 2 and min(abs(c - 2), abs(c - 0.5)) <= within):
        return []
    if d == 2 and abs(c - 2) <= within:
        return [("laplacian_times_d", "in the plane this may be a factor d in its variance")]
    if d == 2 and abs(c - 0.5) <= within:
        return [("laplacian_over_d", "in the plane this may be a mean over the d derivatives")]
    if abs(c - d) <= within:
        return [
            (
                "laplacian_times_d",
                f"the density's variance has d = {d} times the noise, as in E|dW|² = d dt",
            )
        ]
    if abs(c - 1 / d) <= within:
        return [("laplacian_over_d", "the mean of the second derivatives stands for their sum")]
    return []


def of_the_start(s: Subject, j: Judged, c: float, within: float) -> list[tuple[str, str]]:
    """ρ(0) for ρ(t)."""
    start, rho = s.rho_at_start(), float(j.rho[0])
    if not np.isfinite(start) or np.ptp(j.rho) > 1e-9 * abs(rho):
        return []
    if abs(start**2 - c * rho**2) > within * rho**2 + 1e-9 or abs(start - rho) < 1e-9:
        return []
    return [("rho_of_start", "the density spreads with ρ(0) where ρ(t) is due")]


def _power_of(rho: float, needed: float, within: float) -> tuple[str, str] | None:
    """ρ of the density, squared, as a power of the one that was given."""
    for value, name, text in POWERS:
        if abs(value(rho) - needed) <= within and abs(rho - 1) > 1e-3:
            return name, text
    return None


POWERS = (
    (
        lambda r: r,
        "rho_not_squared",
        "diffusion returns σ² where σ is due, the coefficient of dW: return its square root",
    ),
    (
        lambda r: 2 * r,
        "diffusivity_for_rho",
        "diffusion returns the diffusivity D = σ²/2 where σ = √(2D) is due, the coefficient of dW:"
        " return √(2D)",
    ),
    (
        lambda r: r**4,
        "rho_root",
        "diffusion returns √σ where σ is due: return its square",
    ),
    (
        lambda r: 1 + 0 * r,
        "rho_missing",
        "the density spreads as with ρ = 1: its variance lacks the factor ρ²",
    ),
    (
        lambda r: r**4 / 2,
        "rho_root",
        "ρ⁴/2 is needed for ρ²: the variance of the density holds ρ⁴, its standard deviation was"
        " squared twice",
    ),
)


def same(due: np.ndarray, c: np.ndarray, within: np.ndarray, ok: np.ndarray) -> bool:
    return bool(np.all(np.abs(due[ok] - c[ok]) <= within[ok] + 1e-6 * np.abs(due[ok])))


def rate_of_square(s: Subject, j: Judged) -> np.ndarray | None:
    """d(ρ²)/dt at the times."""
    h = 1e-4 * j.times
    try:
        ends = [
            [s.rho(float(t + k * e)) ** 2 for t, e in zip(j.times, h, strict=True)]
            for k in (-2, -1, 1, 2)
        ]
    except CallableError:
        return None
    a, b, c, d = np.array(ends)
    return np.asarray((8 * (c - b) - (d - a)) / (12 * h))


def related_to(
    s: Subject, j: Judged, c: np.ndarray, within: np.ndarray, ok: np.ndarray
) -> Diagnosis | None:
    """What the ρ² that is needed has to do with the ρ(t) that was given."""
    needed, blur = c * j.rho**2, within * j.rho**2
    for value, name, text in POWERS:
        if same(value(j.rho), needed, blur, ok):
            return Diagnosis.cause(name, f"Cause: {text} ({name}).")
    start = s.rho_at_start()
    if np.isfinite(start) and same(start**2 + 0 * needed, needed, blur, ok):
        return Diagnosis.cause(
            "rho_of_start", "Cause: the density spreads with ρ(0) where ρ(t) is due (rho_of_start)."
        )
    rate = rate_of_square(s, j)
    for power, what in (((1.0, "d(ρ²)/dt"), rate), ((0.5, "½ d(ρ²)/dt"), rate)):
        if what is not None and same(power[0] * what, needed, blur, ok):
            return Diagnosis.cause(
                "std_for_rho",
                f"Cause: the density needs {power[1]} for ρ²: diffusion returns the standard"
                " deviation of X_t, and not the coefficient of dW, which is √(d(σ²)/dt)"
                " (std_for_rho).",
            )
    if rate is not None and same(j.rho**2 + j.times * rate, needed, blur, ok):
        return Diagnosis.cause(
            "rho_times_t",
            "Cause: the variance of the density holds ρ(t)² t where the integral ∫ ρ² dt is due"
            " (rho_times_t).",
        )
    return None


def noise_of_time(
    s: Subject, j: Judged, c: np.ndarray, within: np.ndarray, ok: np.ndarray
) -> Diagnosis:
    related = related_to(s, j, c, within, ok)
    if related is not None:
        return related
    needed, blur = c * j.rho**2, within * j.rho**2
    if np.ptp(needed[ok]) <= 4 * float(np.max(blur[ok])) and needed[ok].mean() > 0:
        return Diagnosis.cause(
            "constant_noise",
            f"Cause: the density spreads with a constant ρ = {np.sqrt(needed[ok].mean()):.5g}, and"
            " diffusion depends on t (constant_noise).",
        )
    of_alpha = variance_of_alpha(s, j, needed, blur, ok) or noise_at(s, j, needed, blur)
    if of_alpha is not None:
        return of_alpha
    both = polynomials(j.times, j.rho**2, needed)
    if both is not None:
        return Diagnosis.cause(
            "coefficient_of_noise",
            f"Cause: the noise and the density differ in a coefficient: {both.told('ρ²')} by the"
            " density with this drift (coefficient_of_noise): compare ρ² with what is integrated"
            " over t in the density.",
        )
    # a function of time is fitted to one of time: no cause, but what is right, and two readings
    k = int(ok[np.argmax(np.abs(c[ok] - 1))])
    is_, due = apart(float(j.rho[k] ** 2), float(needed[k]))
    negative = " (a negative ρ²: no noise does that)" if np.any(needed[ok] < 0) else ""
    return Diagnosis.unknown(
        f"Of the drift nothing is seen to be wrong; two readings fit equally well: either the"
        f" noise is wrong, ρ² = {is_} at t = {j.times[k]:.3g} where the density needs"
        f" {due}{negative}; or the variance of the density is: with this drift and noise it is to"
        f" obey V' = 2 A V + ρ², A the slope of the drift, and at t = {j.times[k]:.3g} V' - 2 A V"
        f" is {due} where ρ² = {is_} is due."
    )
