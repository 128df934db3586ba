"""How causes are put together: of a gradient and of log p̂, of the exact trace and of more.

Conventions: as in `explaining`.
"""

from __future__ import annotations

from dataclasses import replace

from scoreproof.diagnosis import Diagnosis

__all__ = ["ALIKE", "SOLVERS", "nearly", "with_the_trace"]

#: the part of the deviation that a fixed-step solver's own error may be
SOLVERS = 1e-3


def nearly(cause: Diagnosis) -> Diagnosis:
    left = f"to {SOLVERS:g} of the deviation, which a solver's own error may leave:"
    return replace(cause, sentence=cause.sentence.replace("Cause:", f"Cause, {left}", 1))


#: causes of log p̂ that the same mistake in the gradient implies
ALIKE = {
    "ell_sign": {"log_det_sign", "ell_sign", "ell_added"},
    "log_det_missing": {"log_det_missing"},
    "ell_doubled": {"log_det_doubled", "ell_doubled"},
    "mean_for_sum": {"mean_for_sum", "log_det_factor"},
    "prior_missing": {"prior_missing", "a_starts_at_zero"},
    "negative": {"gradient_of_the_loss"},
    "factor": {"factor"},
}


def with_the_trace(more: Diagnosis | None, in_expectation: bool) -> Diagnosis | None:
    if in_expectation:
        return more
    text = (
        "Cause: it is the gradient with the exact trace tr J, and does not depend on the ν that"
        " it is"
        " given (exact_trace). If that is meant, pass in_expectation=True; else use νᵀJν"
    )
    if more is None:
        return Diagnosis(("exact_trace", "trace_in_adjoint"), 0.0, None, f"{text}.")
    names = tuple(" + ".join(("trace_in_adjoint", n)) for n in more.names)
    return replace(
        more, names=names, sentence=f"{text}. Besides, {more.sentence.removeprefix('Cause: ')}"
    )
