"""What each name of a diagnosis means, in words, and what a field leaves unused."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scoreproof.claims.ffjord.faults import FAULTS
from scoreproof.coverage import Omission
from scoreproof.public.log_likelihood_gradient.leaves import Leaves

__all__ = ["REASONS", "still", "without_use"]

#: what each name of a diagnosis means, in words, and what would mend it
REASONS = {f.name: f.why for f in FAULTS} | {
    "ell_sign": "the sign of the log-determinant: it is ℓ̂' = -νᵀJν, so that log p̂ = log p_Z -"
    " ∫νᵀJν",
    "ell_doubled": "the log-determinant is counted twice in log p̂: subtract it once",
    "ell_added": "the sign of the log-determinant: it is log p̂ = log p_Z(z(0)) - ∫νᵀJν ds",
    "a_jacobian_sign": "a' = +a J - …, the sign of the adjoint's own equation: a' = -a J -"
    " ∂_z(νᵀJν)",
    "a_trace_sign": "the sign of ∂_z(νᵀJν) in a': a' = -a J - ∂_z(νᵀJν)",
    "a_trace_missing": (
        "∂_z(νᵀJν) is left out of a': the trace is taken at a detached z, or the plain neural-ODE"
        " adjoint is used; let the trace depend on z"
    ),
    "a_trace_doubled": "∂_z(νᵀJν) is counted twice in a': in the augmented state and by hand?",
    "a_jacobian_missing": "a J is left out of a': a' = -a J - ∂_z(νᵀJν)",
    "jacobian_transposed": "J a for a J: a Jacobian is transposed, a jvp stands for a vjp",
    "b_jacobian_sign": "the sign of a ∂f/∂θ in b': b' = -a ∂f/∂θ - ∂_θ(νᵀJν)",
    "b_jacobian_missing": (
        "a ∂f/∂θ is left out of b': only the trace is differentiated in θ, and z is a constant"
        " (detached at every step); let the graph run through the solver"
    ),
    "b_trace_sign": "the sign of ∂_θ(νᵀJν) in b': b' = -a ∂f/∂θ - ∂_θ(νᵀJν)",
    "b_trace_missing": (
        "∂_θ(νᵀJν) is left out of the integral over the parameters, b' = -a ∂f/∂θ - ∂_θ(νᵀJν): the"
        " plain neural-ODE adjoint"
    ),
    "b_trace_doubled": "∂_θ(νᵀJν) is counted twice in b'",
    "a_starts_at_zero": (
        "a(0) = 0, log p_Z(z(0)) has no gradient: the prior is missing from the loss, or z(0) is"
        " detached, or p_Z is taken at a point that does not depend on the parameters, as x; a(0)"
        " is ∂ log p_Z at z(0)"
    ),
    "score_sign": "a(0) = +z(0) for a normal prior: the sign of the score; a(0) = ∂ log p_Z ="
    " -z(0)",
    "latent_at_x": "p_Z and its gradient are taken at x, not at z(0)",
    "b_not_reset": "b starts from what a buffer held, here 1 in each entry: set it to 0",
    "trace_in_adjoint": (
        "the exact trace stands where νᵀJν of the given ν is due, so that the gradient does not"
        " depend on ν: right in the mean over ν, and not the gradient of this log p̂; use the ν"
        " given, or pass in_expectation=True if the exact trace is meant"
    ),
    "mean_for_sum": "νᵀJν is averaged over the D coordinates (1/D), or ν has length 1: sum over"
    " them",
    "time_reversed": (
        "the stored path is read at 1 - s: it was saved while solving downward and not flipped"
    ),
    "last_nu_missing": "the last ν is missing in the estimate: νᵀJ was summed, where νᵀJν is due",
}


def without_use(parameters: np.ndarray, leaves: Leaves) -> Omission:
    """The parameters ``(P,)``, true for some, that the field does not use."""
    which = np.flatnonzero(parameters)
    if leaves.plain:
        named = ", ".join(f"params[{k}]" for k in which[:3]) + (" …" if which.size > 3 else "")
    else:
        named = leaves.some(parameters)
    return Omission(
        "parameters",
        int(which.size),
        "which the field does not use at these rows (changed, it returns the same bit for bit) and"
        " whose entries are 0, as is due",
        named,
        wished=True,  # it is the field that leaves them out
    )


def still(frozen: Mapping[str, int]) -> Omission:
    """Parameters of a module that are not trained."""
    names = list(frozen)
    return Omission(
        "parameters",
        sum(frozen.values()),
        "frozen (requires_grad=False), which have no gradient",
        ", ".join(names[:3]) + (" …" if len(names) > 3 else ""),
        wished=True,
    )
