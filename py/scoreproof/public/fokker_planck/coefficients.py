"""What a wrong coefficient of the equation is, in words: a number, or a function of time.

Conventions: as in `summands`; ρ is what ``diffusion`` returned, ``needed`` = √c ρ what the density and
the drift agree with.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.closed_forms import closed_form, number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.summands import Judged, constant, families, in_time

__all__ = ["one_number", "one_number_a_time"]

STILL = (
    "the density does not depend on t, and drift and diffusion would change it: it is not their"
    " stationary density, or t does not reach it"
)
CLOCK = "the density runs through time {c} times as fast as drift and diffusion say"


def one_number(s: Subject, j: Judged, d: int) -> Diagnosis | None:
    """One coefficient, the same at all times; those that explain equally are named together."""
    told: list[tuple[str, str]] = []
    for family in families(j):
        found = constant(j, family)
        if found is None or abs(found[0] - (family.name != "normaliser")) <= found[1]:
            continue
        if family.name == "clock" and abs(found[0]) <= found[1]:
            if not told:
                told.append(("density_constant", STILL))
            continue
        c, within = found
        if family.name == "noise" and np.ptp(j.rho) > 1e-9 * float(np.max(np.abs(j.rho))):
            related = _related(s, j, c + 0 * j.rho, within + 0 * j.rho, np.arange(len(j.rho)))
            if related is not None:
                return related
        told.append(_words(family.name, c, within, j, d))
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


def _words(family: str, c: float, within: float, j: Judged, d: int) -> tuple[str, str]:
    relative = within / max(abs(c), 1e-300)
    known = {"d": d} if d > 1 else None
    shown = number(c, relative, known)
    form = closed_form(c, relative, known) or f"{c:.5g}"
    if family == "noise":
        return _noise(c, within, shown, form, j)
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
            "gradient_outside": "p ∇·f is left out, f·∇p for ∇·(f p): values are carried along paths"
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


def _noise(c: float, within: float, shown: str, form: str, j: Judged) -> tuple[str, str]:
    rho = float(j.rho[0]) if np.ptp(j.rho) <= 1e-12 * np.max(np.abs(j.rho)) else None
    if abs(c) <= within:
        return (
            "noise_not_due",
            "with this drift the density needs no noise: the drift holds the noise already, as that"
            " of the probability-flow ODE, f - ½ ρ² ∇log p; return 0 from diffusion, or the SDE's own"
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
            "the density spreads with ρ² Δp where ½ ρ² Δp is due: the ½ is left out, or diffusion"
            " returns √D where √(2D) is due; multiply ρ² by 2, ρ by √2, or mend the variance",
        )
    if abs(c - 0.5) <= within:
        return (
            "half_twice",
            "the density spreads with ¼ ρ² Δp where ½ ρ² Δp is due: the ½ is taken twice, or ρ is √2"
            " times too large; multiply ρ² by 0.5, or mend the variance",
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


def one_number_a_time(s: Subject, j: Judged) -> Diagnosis | None:
    """One coefficient that depends on time."""
    for family in families(j):
        found = in_time(j, family)
        if found is None:
            continue
        values, within = found
        ok = np.isfinite(values)
        if np.all(np.abs(values[ok] - (family.name != "normaliser")) <= within[ok]):
            continue
        return _of_time(s, j, family.name, values, within)
    return None


def _of_time(s: Subject, j: Judged, family: str, c: np.ndarray, within: np.ndarray) -> Diagnosis:
    ok = np.flatnonzero(np.isfinite(c))
    a, b = int(ok[0]), int(ok[-1])
    span = f"{c[a]:.4g} at t = {j.times[a]:.3g} and {c[b]:.4g} at t = {j.times[b]:.3g}"
    if family == "noise":
        return _noise_of_time(s, j, c, within, ok)
    if family == "clock":
        names, text = ("clock_of_time",), CLOCK.format(c="c(t)") + f", c(t) = {span}"
        rate = _rate_of_square(s, j)
        if rate is not None:
            due = 1 + j.times * rate / j.rho**2
            if _same(due, c, within, ok):
                text += (
                    ", which is (t β)'/β for β = ρ²: β(t) t was taken where the integral ∫₀ᵗ β ds is"
                    " due"
                )
                return Diagnosis.cause("beta_times_t", f"Cause: {text} (beta_times_t).")
        for power, what in ((1, "t²/2"), (2, "t³/3"), (-0.5, "2√t"), (-1, "log t")):
            ratio = c[ok] / j.times[ok] ** power
            if np.ptp(ratio) <= 4 * np.max(within[ok] / j.times[ok] ** power):
                text += f": its time is {ratio.mean():.4g} ({what}) where t is due"
                break
        text += "; drift and ρ² both need that factor, or the density another time"
        return Diagnosis(names, 0.0, None, f"Cause: {text} ({names[0]}).")
    if family == "drift":
        return Diagnosis.cause(
            "drift_of_time",
            f"Cause: the drift is to be c(t) times what it is, c(t) = {span}: its factor of time is"
            " wrong (drift_of_time).",
        )
    if family in ("squeezed", "along"):
        what = "p ∇·f" if family == "squeezed" else "f·∇p"
        return Diagnosis.cause(
            f"{family}_of_time",
            f"Cause: {what} enters c(t) times where it is due once, c(t) = {span}"
            f" ({family}_of_time).",
        )
    return Diagnosis.cause(
        "normaliser_of_time",
        "Cause: the density is right up to a normaliser that depends on t wrongly: its mass grows at"
        f" the rate {span}, the same at all x, where it is to stay 1 (normaliser_of_time). Divide by"
        " the integral at each t: a factor 1/√(2πv(t)) is missing or doubled?",
    )


def _same(due: np.ndarray, c: np.ndarray, within: np.ndarray, ok: np.ndarray) -> bool:
    return bool(np.all(np.abs(due[ok] - c[ok]) <= within[ok] + 1e-6 * np.abs(due[ok])))


def _rate_of_square(s: Subject, j: Judged) -> np.ndarray | None:
    """d(ρ²)/dt at the times."""
    h = 1e-4 * j.times
    try:
        ends = [
            [s.rho(float(t + k * e)) ** 2 for t, e in zip(j.times, h, strict=True)]
            for k in (-2, -1, 1, 2)
        ]
    except Exception:
        return None
    a, b, c, d = np.array(ends)
    return np.asarray((8 * (c - b) - (d - a)) / (12 * h))


def _related(
    s: Subject, j: Judged, c: np.ndarray, within: np.ndarray, ok: np.ndarray
) -> Diagnosis | None:
    """What the ρ² that is needed has to do with the ρ(t) that was given."""
    needed, blur = c * j.rho**2, within * j.rho**2
    for value, name, text in POWERS:
        if _same(value(j.rho), needed, blur, ok):
            return Diagnosis.cause(name, f"Cause: {text} ({name}).")
    start = s.rho_at_start()
    if np.isfinite(start) and _same(start**2 + 0 * needed, needed, blur, ok):
        return Diagnosis.cause(
            "rho_of_start", "Cause: the density spreads with ρ(0) where ρ(t) is due (rho_of_start)."
        )
    rate = _rate_of_square(s, j)
    for power, what in (((1.0, "d(ρ²)/dt"), rate), ((0.5, "½ d(ρ²)/dt"), rate)):
        if what is not None and _same(power[0] * what, needed, blur, ok):
            return Diagnosis.cause(
                "std_for_rho",
                f"Cause: the density needs {power[1]} for ρ²: diffusion returns the standard"
                " deviation of X_t, and not the coefficient of dW, which is √(d(σ²)/dt)"
                " (std_for_rho).",
            )
    if rate is not None and _same(j.rho**2 + j.times * rate, needed, blur, ok):
        return Diagnosis.cause(
            "rho_times_t",
            "Cause: the variance of the density holds ρ(t)² t where the integral ∫ ρ² dt is due"
            " (rho_times_t).",
        )
    return None


def _noise_of_time(
    s: Subject, j: Judged, c: np.ndarray, within: np.ndarray, ok: np.ndarray
) -> Diagnosis:
    related = _related(s, j, c, within, ok)
    if related is not None:
        return related
    needed, blur = c * j.rho**2, within * j.rho**2
    if np.ptp(needed[ok]) <= 4 * float(np.max(blur[ok])):
        return Diagnosis.cause(
            "constant_noise",
            f"Cause: the density spreads with a constant ρ = {np.sqrt(needed[ok].mean()):.5g}, and"
            " diffusion depends on t (constant_noise).",
        )
    a, b = int(ok[0]), int(ok[-1])
    negative = " (a negative ρ²: no noise does that)" if np.any(needed[ok] < 0) else ""
    return Diagnosis.cause(
        "noise_of_time",
        f"Cause: the noise is wrong and the drift is right: ρ² is {j.rho[a] ** 2:.4g} at t ="
        f" {j.times[a]:.3g} and {j.rho[b] ** 2:.4g} at t = {j.times[b]:.3g}, and the density needs"
        f" {needed[a]:.4g} and {needed[b]:.4g}{negative} (noise_of_time).",
    )
