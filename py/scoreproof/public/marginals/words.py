"""What was found, in the words of someone who writes schedules: why people make a mistake, where
mean or standard deviation are off, and what was looked at.

Conventions: as in `verdict`; times, numbers and rows are quoted with as many digits as it takes.
"""

from __future__ import annotations

import numpy as np

from scoreproof.claims.variance_exploding.faults import EDITS
from scoreproof.coverage import Omission
from scoreproof.public.marginals.asking import HALF, SIZES
from scoreproof.public.marginals.mistakes import SLOTS
from scoreproof.public.marginals.verdict import Case, Errors

__all__ = [
    "REASONS",
    "SLOTS",
    "WITH_DRIFT",
    "WHY",
    "about",
    "drowned",
    "holding",
    "reason",
    "refuting",
    "short",
    "unresolved",
]

WHY = {
    "drift_no_half": "the drift is -β x where -½ β x is due",
    "drift_halved": "the drift has half the rate that the marginal has",
    "drift_sign": "the drift has the sign of the reverse clock",
    "drift_forgotten_in_variance": "the variance is ∫g², as without a drift",
    "drift_forgotten_in_marginal": "the marginal is that of the SDE without its drift",
    "variance_over_alpha": "the standard deviation is σ/α, the level in the coordinate X/α",
    "variance_times_alpha": "the standard deviation is multiplied by α once more",
    "coefficients_reversed": "drift and diffusion at T - t (or β_min and β_max exchanged)",
    "half_missing_in_log_mean": (
        "log α = -∫β where -½ ∫β is due, in mean and standard deviation alike"
    ),
    "half_twice_in_log_mean": (
        "log α = -¼ ∫β where -½ ∫β is due, in mean and standard deviation alike"
    ),
    "preserving_std": "the standard deviation √(1-α²) of the variance-preserving SDE",
    "preserving_std_of_root": (
        "the standard deviation √(1-α) where √(1-α²) is due: α, the root of ᾱ, taken for ᾱ"
    ),
    "sub_preserving_std": "the standard deviation 1-α² of the sub-VP SDE",
    "variance_for_std": "the marginal returns a variance where a standard deviation is due",
    "log_std": "the marginal returns log σ",
    "log_variance": "the marginal returns log σ²",
    "std_twice": (
        "the declared standard deviation is twice the one implied: a factor 2 in it, or ½ in g"
    ),
    "std_halved": (
        "the declared standard deviation is half the one implied: a factor ½ in it, or 2 in g"
    ),
    "std_negative": "the standard deviation has the wrong sign",
    "mean_not_scaled": "the mean is x0, without its factor",
    "half_missing_in_mean": "log α = -∫β where -½ ∫β is due, in the mean only",
    "half_twice_in_mean": "log α = -¼ ∫β where -½ ∫β is due, in the mean only",
    "mean_inverted": "the mean is divided by α",
    "mean_sign": "the mean has the wrong sign",
    "rate_slope_squared": "g = dσ/dt, the slope of σ, where g² = d(σ²)/dt is due",
    "rate_slope": "g² = dσ/dt where g² = d(σ²)/dt is due",
    "rate_no_two": "g² = σ σ' where g² = 2 σ σ' is due: the 2 of the chain rule forgotten",
    "rate_twice": "g² = 4 σ σ' where g² = 2 σ σ' is due",
    "rate_over_t": (
        "g² = σ²/t, the mean rate, where g² = d(σ²)/dt is due (they agree for Brownian motion only)"
    ),
    "rate_sigma_squared": "g = σ(t), the noise level, where g² = d(σ²)/dt is due",
    "rate_squared_again": "the diffusion returns g² where g is due",
    "rate_reversed": "the diffusion is that of T - t: the sampler's clock in the forward SDE",
    "variance_reversed": (
        "mean and standard deviation are those of T - t: the sampler's clock in the forward kernel"
        " (or the ends of the schedule, σ_min and σ_max, exchanged)"
    ),
}


#: why people make each mistake
REASONS = {name: why for name, (_, why) in EDITS.items()} | WHY


HALF_OF_IT = (
    "the declared variance is half the one implied: a 2 is missing in it, or g² is 2 times too"
    " large (g √2 times)"
)
#: what those about ρ² and σ mean where there is a drift
WITH_DRIFT = {
    "rate_no_two": (
        "the declared variance is 2 times the one implied: a ½ is missing in it, or √2 in g"
    ),
    "rate_twice": HALF_OF_IT,
    "exponent_no_half": HALF_OF_IT,
    "variance_for_std": "the marginal returns a variance where a standard deviation is due",
    "std_as_variance": "the declared standard deviation is the root of the one due",
    "exponent_sigma": "the declared standard deviation is the root of the one due",
}


def reason(name: str) -> str:
    """Why people make the mistake called ``name`` (several joined by `` + ``)."""
    return "; ".join(REASONS[part] for part in name.split(" + "))


def short(start: np.ndarray) -> str:
    """One number, or one for each coordinate."""
    if np.all(start == start[0]):
        return f"{start[0]:.3g}"
    shown = ", ".join(f"{s:.3g}" for s in start[:8])
    return f"[{shown}{', …' if len(start) > 8 else ''}]"


def holding(case: Case, early: Omission | None) -> str:
    """The first sentence where nothing is wrong."""
    times = case.implied.times
    blur = f"with the data first blurred by {short(case.start)}"
    how = blur if np.any(case.start) else "started at x0"
    return (
        "drift and diffusion imply the declared mean and standard deviation at"
        f" {len(times)} times from {times[0]:.3g} to {times[-1]:.3g} ({how})"
        + (f", not at {early.where}" if early else "")
    )


def about(case: Case, found: Errors) -> str:
    """The clause of the coverage beyond the times: points, nodes, scales."""
    rows, i = np.abs(case.said.rows), case.implied
    span = float(i.times[-1])
    parts = [
        f"|x0| from {np.min(rows):.2g} to {np.max(rows):.2g}",
        f"drift and diffusion read at {i.quadrature.nodes.size} times, nowhere further apart than "
        f"{100 * i.node_gap / span:.2g} % of the span, the drift at |x| up to {SIZES[-1][1]:g} and "
        f"at {np.max(np.abs(case.said.probe.rows[-1])):g}, on both sides of 0",
    ]
    small = ~found.own.all(axis=(1, 2))
    if small.any():
        parts.append(
            f"the mean by the size of X_t, not its own, at {int(small.sum())} times, where it is"
            " too small beside the noise"
        )
    if i.limit:
        parts.append(f"the law at t = {span:.6g} as a limit, for drift and diffusion are singular")
    return "; ".join(parts)


def drowned(case: Case) -> str:
    """Why the first of the default times are left out."""
    return (
        "where the standard deviation drowns in the rounding of the"
        f" {_type(max(case.eps, case.said.law.eps))} numbers it is made of"
    )


def _type(eps: float) -> str:
    names = {2.0**-52: "float64", 2.0**-23: "float32", 2.0**-10: "float16", 2.0**-7: "bfloat16"}
    return names.get(eps, "coarse")


def unresolved(case: Case, found: Errors) -> str:
    """The remedy where the verdict is undecided."""
    eps = max(case.eps, case.said.law.eps)
    left = found.bound > 0.5 * case.seen
    if left.any() and eps < HALF:
        finer = "use float64, " if eps > 1e-10 else ""
        t = case.implied.times[int(np.argmax(left.any(axis=(0, 2, 3))))]
        return (
            f"from t = {t:.3g} on the quadrature of drift and diffusion did not converge, for they"
            f" are singular, jump too often or lost their digits; {finer}name jumps in breaks=,"
            " raise max_panels=, or end before a singular time with horizon="
        )
    if eps > 1e-10:
        return (
            f"{_type(eps)} loses that much; use float64, larger times=, or pass the relative error"
            " that you accept as tolerance="
        )
    return (
        "a difference such as 1 - exp(-x) may lose that much, expm1 does not; use larger times=, or"
        " pass the relative error that you accept as tolerance="
    )


def refuting(case: Case, found: Errors, tolerance: float | None) -> str:
    """What is wrong, by how much, where."""
    ratio = found.ratio(tolerance)
    which, k, r, c = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
    wrong = ratio > 1
    where = _where(case, wrong[which])
    other = "" if which or not wrong[1].any() else "; the standard deviation is wrong too"
    mean, std = case.law(case.start)
    t = case.implied.times[k]
    if which == 0:
        implied, says = _apart(float(mean[k, r, c]), float(case.said.mean[k, r, c]))
        return (
            f"your drift implies the mean {implied} at t={t:.3g} from x0 ="
            f" {case.said.rows[r, c]:.3g}, your marginal says {says}{where}{other}"
        )
    says_std, right = float(case.said.std[k, r, c]), float(std[k, c])
    if says_std < 0:
        return (
            f"your marginal returns the negative standard deviation {says_std:.4g} at t={t:.3g};"
            f" your drift and diffusion imply {right:.4g}{where}"
        )
    blur = f" (the data being blurred by {short(case.start)} first)" if np.any(case.start) else ""
    if case.implied.origin:
        blur = f" (started at t={case.implied.origin:.3g} from what is declared there)"
    implied, says = _apart(right**2, says_std**2)
    times = f": ratio {_apart(says_std**2 / right**2, 1.0)[0]}" if right > 0 else ""
    return (
        f"your drift and diffusion imply variance {implied} at t={t:.3g}{blur}, your marginal says"
        f" {says}{times}{where}"
    )


def _where(case: Case, wrong: np.ndarray) -> str:
    """In which times, coordinates and rows, where it is not in all."""
    times = case.implied.times
    at, rows, coordinates = (np.asarray(wrong.any(axis=a)) for a in ((1, 2), (0, 2), (0, 1)))
    parts = []
    if not at.all() and len(times) > 1:
        bad = times[at]
        span = f"t = {bad[0]:.3g}" if len(bad) == 1 else f"t from {bad[0]:.3g} to {bad[-1]:.3g}"
        parts.append(f"at {len(bad)} of {len(times)} times, {span}")
    if not coordinates.all():
        some = np.flatnonzero(coordinates)
        listed = ", ".join(str(c) for c in some[:6])
        parts.append(f"in coordinate {listed}{', …' if len(some) > 6 else ''} of {wrong.shape[2]}")
    if not rows.all():
        sizes = np.max(np.abs(case.said.rows), axis=1)[rows]
        parts.append(f"in {int(rows.sum())} of {len(rows)} rows, |x0| up to {np.max(sizes):.3g}")
    return f" (wrong {', '.join(parts)})" if parts else ""


def _apart(one: float, other: float) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    gap = abs(one - other) / max(abs(one), abs(other), 1e-300)
    digits = 3 if gap > 0.01 else min(17, 3 - int(np.floor(np.log10(max(gap, 1e-17)))))
    return f"{one:.{digits}g}", f"{other:.{digits}g}"
