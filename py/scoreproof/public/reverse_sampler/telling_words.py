"""The words for a cause that depend on what was declared: the clock, and what the model predicts.

Conventions: as in `terms`; clauses without a full stop.
"""

from __future__ import annotations

from scoreproof.public.reverse_sampler.laws import Law
from scoreproof.public.reverse_sampler.terms import Terms, Told

__all__ = ["clock", "in_clock", "kind"]

#: causes whose sentence has a formula of the drift, with its sign
IN_CLOCK_T = {"ode_drift_with_noise", "ode_drift_missing", "two_members", "velocity_form"}


def in_clock(s: Terms, found: Told) -> Told:
    """With the clock in which its formulas are, if that is not the one declared."""
    if s.job.form == "step" or s.job.sign > 0 or found.name not in IN_CLOCK_T:
        return found
    more = " (in the clock t; in the one declared, s, every drift has the opposite sign)"
    return Told(found.name, found.text + more)


def clock(s: Terms) -> str:
    """What it is the drift of, and what is due in the clock that was declared."""
    drift = "f - (1 - λ/2) g² ∇log p"
    if s.job.form == "step":
        return (
            f", as by the sign of the step: over h = t - t_next > 0, x_next = x - h ({drift}) is"
            " due, without the noise"
        )
    if s.job.sign < 0:
        return (
            f": it is {drift}, the drift of the clock t (dt < 0), where -f + (1 - λ/2) g² ∇log p is"
            " due in the clock declared, s = T - t (ds > 0)"
        )
    return (
        f": it is that of the clock s = T - t (ds > 0), where {drift} is due in the clock declared,"
        " t (dt < 0)"
    )


def kind(s: Terms, found: Law) -> str:
    """Which slip of what the model returns a factor of the score's term is."""
    if s.job.prediction == "eps" and found.text in ("√σ(t)", "1/√σ(t)"):
        by = "√σ" if found.text[0] == "√" else "σ^(3/2)"
        return f" (∇log p = -ε/{by} where -ε/σ is due: ε is divided by {by})"
    return {
        "σ(t)": " (1/σ is left out: ∇log p = -ε/σ)",
        "-σ(t)": " (as if ε were the score: ∇log p = -ε/σ)",
        "1/σ(t)": " (divided by σ twice: -ε/σ² where -ε/σ is due)",
        "1/g(t)": " (g where g² is due)",
        "g(t)": " (g³ where g² is due)",
        "g(t)²": " (g⁴ where g² is due: the square of g²)",
        "σ(t)²": " (1/σ² is left out)",
    }.get(found.text, "")
