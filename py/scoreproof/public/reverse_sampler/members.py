"""Two members of the family in one sampler: the drift of one, the noise of another.

Conventions: as in `terms`; v is the ODE's drift f - ½ g² ∇log p, c² the variance of the noise per
unit of time.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.reverse_sampler.laws import Law, number
from scoreproof.public.reverse_sampler.terms import Terms, Told

__all__ = ["members", "velocity"]

#: factors that people put before ½ c² ∇log p
USUAL = (-1.0, 2.0, 0.5, -2.0, -0.5)
RULE = (
    "noise of variance c² per unit of time belongs to the drift f - ½ (g² + c²) ∇log p, which is"
    " v - ½ c² ∇log p with v the ODE's drift"
)


def members(s: Terms) -> Told | None:
    """The drift's λ is read from the weight of the score, the noise's from its variance."""
    if not s.same(s.a, 1) or s.same(s.w, s.own):
        return None
    drift, noise = 2 * s.w - 1, s.c
    of_drift, of_noise = s.law(drift), s.law(noise)
    varies = of_noise is None or of_noise.constant is None
    if s.same(drift, 0) and not s.same(noise, 0):
        return Told(
            "ode_drift_with_noise",
            f"the ODE's drift v is kept while noise is added{_noise_words(s, of_noise)}:"
            f" - ½ c² ∇log p is missing ({RULE})",
        )
    if s.same(s.w, noise / 2) and np.any(noise > s.tol):
        return Told(
            "ode_drift_missing",
            f"the drift is f - ½ c² ∇log p: the ODE's - ½ g² ∇log p is left out of it ({RULE})",
        )
    found = velocity(s, varies=varies)
    if found is not None:
        return found
    of_both = [None if v is None else v.constant for v in (of_drift, of_noise)]
    if of_both[0] is not None and of_both[1] is not None:
        one, other = 1 - of_both[0], 1 - of_both[1]
        kept = ""
        if abs(one) <= s.tol and abs(other - 1) <= s.tol:
            kept = ": the SDE's drift without its noise, or a missing ½ in that of the ODE"
        return Told(
            "two_members",
            f"the drift is that of λ = {number(one)}{_named(one)}, the noise that of"
            f" λ = {number(other)}{_named(other, noise=True)}{kept} ({RULE})",
        )
    one_share, other_share = s.share(drift), s.share(noise)
    if one_share is None and of_drift is not None and of_drift.constant is not None:
        one_share = of_drift.text
    if other_share is None and of_noise is not None and of_noise.constant is not None:
        other_share = of_noise.text
    if one_share is not None and other_share is not None and one_share != other_share:
        extra = ""
        if (one_share, other_share) == ("η", "η²"):
            extra = ": η for η² in the drift"
        return Told(
            "two_members",
            f"the noise is that of c² = {other_share} g², the drift that of c² = {one_share} g²"
            f"{extra} ({RULE})",
        )
    return None


def velocity(s: Terms, *, varies: bool) -> Told | None:
    """v - k · ½ c² ∇log p, where k is one that people write, or the noise has no λ of its own."""
    drift, noise = 2 * s.w - 1, s.c
    some = noise > s.tol  # without noise, of λ = 1, there is no term
    if not np.any(some) or not s.same(drift[~some], 0):
        return None
    ratio = s.law(drift[some] / noise[some], some, reverse=False)
    k = None if ratio is None else ratio.constant
    if k is None:
        return None
    plain = not varies and (s.same(drift, 1) or s.same(noise, 1))
    if not varies and (plain or not any(abs(k - u) <= s.tol for u in USUAL)):
        return None
    if abs(k + 1) <= s.tol:
        text = "the sign of the term ½ c² ∇log p is wrong: the drift is v + ½ c² ∇log p"
    else:
        times = "c² ∇log p" if abs(k - 2) <= s.tol else f"{number(k)} · ½ c² ∇log p"
        text = f"the drift is v - {times}"
    return Told("velocity_form", f"{text} where v - ½ c² ∇log p is due ({RULE})")


def _noise_words(s: Terms, found: Law | None) -> str:
    if found is not None and found.constant is not None:
        return f" (noise of λ = {number(1 - found.constant)})"
    part = s.share(s.c)
    return "" if part is None else f" (c² = {part} g²)"


def _named(lam: float, *, noise: bool = False) -> str:
    if noise:
        return " (g)" if abs(lam) <= 1e-6 else " (none)" if abs(lam - 1) <= 1e-6 else ""
    if abs(lam) <= 1e-6:
        return " (f - g² ∇log p)"
    return " (the ODE's)" if abs(lam - 1) <= 1e-6 else ""
