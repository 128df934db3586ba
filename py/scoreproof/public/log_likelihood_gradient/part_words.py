"""What it means that the parts of a gradient are multiplied by 0, 1, 2 or -1.

Conventions: as in `parts`: the multiples of ``prior``, ``state`` and ``rate``; ``{q}`` is νᵀJν or
tr J.
"""

from __future__ import annotations

__all__ = ["CASES", "SLOTS"]

SLOTS: tuple[dict[float, str], ...] = (
    {0.0: "a_starts_at_zero", -1.0: "score_sign"},
    {0.0: "a_trace_missing", -1.0: "a_trace_sign", 2.0: "a_trace_doubled"},
    {0.0: "b_trace_missing", -1.0: "b_trace_sign", 2.0: "b_trace_doubled"},
)

CASES: tuple[tuple[tuple[float, float, float], str, str], ...] = (
    (
        (1, -1, -1),
        "log_det_sign",
        "the sign of the log-determinant, in value and adjoint alike: the gradient is that of"
        " log p_Z(z(0)) + ∫ {q} ds; with z(1) = x the integral over [0, 1] is to be subtracted",
    ),
    (
        (1, 0, 0),
        "log_det_missing",
        "the log-determinant -∫ {q} ds has no gradient: it is missing from the loss, or detached"
        " (a trace without create_graph=True, or the plain neural-ODE adjoint); add it, with its"
        " graph",
    ),
    (
        (0, 1, 1),
        "prior_missing",
        "log p_Z(z(0)) has no gradient: the prior is missing from the loss, z(0) is detached, or"
        " p_Z"
        " is taken at x, which does not depend on the parameters; add log p_Z at z(0), with its"
        " graph",
    ),
    (
        (1, 2, 2),
        "log_det_doubled",
        "the log-determinant -∫ {q} ds is counted twice: once in the augmented state and once by"
        " hand? Subtract it once",
    ),
    (
        (-1, 1, 1),
        "score_sign",
        "the prior's part has the wrong sign: a(0) is the score ∂ log p_Z, for a normal prior"
        " -z(0)",
    ),
    (
        (-1, -1, -1),
        "gradient_of_the_loss",
        "it is the gradient of -log p, the loss; return that of log p",
    ),
    (
        (2, 1, 1),
        "prior_doubled",
        "log p_Z(z(0)) is counted twice, as a normal prior without its ½ is: |z|² for |z|²/2",
    ),
    ((0, 0, 0), "nothing", "it returns 0: nothing reaches the parameters"),
    (
        (0, 0, 1),
        "b_jacobian_missing",
        "only the rate {q} itself is differentiated in θ, and z is taken as a constant: the path"
        " z(s)"
        " is detached at every step; let the graph run through the solver",
    ),
    (
        (1, 1, 0),
        "b_trace_missing",
        "∂_θ({q}) is left out of the integral over the parameters: b' = -a ∂f/∂θ alone",
    ),
    (
        (1, 0, 1),
        "a_trace_missing",
        "∂_z({q}) is left out of a': the trace is taken at a detached z, or with the plain"
        " neural-ODE"
        " adjoint",
    ),
    ((1, -1, 1), "a_trace_sign", "the sign of ∂_z({q}) in a'"),
    ((1, 1, -1), "b_trace_sign", "the sign of ∂_θ({q}) in b'"),
    ((1, 2, 1), "a_trace_doubled", "∂_z({q}) is counted twice in a'"),
    ((1, 1, 2), "b_trace_doubled", "∂_θ({q}) is counted twice in b'"),
    ((-1, -1, 1), "b_jacobian_sign", "the sign of a ∂f/∂θ in b'"),
)
