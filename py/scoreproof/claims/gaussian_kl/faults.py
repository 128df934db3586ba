"""Wrong versions of the Gaussian KL that people write. Each edits one term of one form, so faults
of different terms compose.

Conventions: a fault of the diagonal or the full form carries the form's name in front; the
isotropic ones, which edit the claim as printed, do not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scoreproof.claims.gaussian_kl.edits import (
    ALL,
    LOG,
    MEAN,
    TERMS,
    TRACE,
    Edit,
    log_minus,
    log_twice,
    log_without_d,
    logvar_as_logstd,
    mean_minus,
    mean_over_dimensions,
    mean_over_sigma,
    mean_twice,
    no_minus_one,
    swap,
    trace_of_exp_half,
    trace_of_sigmas,
    trace_twice,
    trace_without_d,
)
from scoreproof.claims.gaussian_kl.statement import KL
from scoreproof.core import Fault

__all__ = ["FAULTS", "compose", "of_form"]

#: name -> (form, term, edit, why)
EDITS: dict[str, tuple[str, int, Edit, str]] = {
    "no_half_in_mean": (
        "isotropic",
        MEAN,
        mean_twice,
        "the 1/2 before the squared distance is missing",
    ),
    "mean_over_sigma0": (
        "isotropic",
        MEAN,
        swap("isotropic", MEAN),
        "the distance is divided by σ0² in place of σ1²: the reverse KL's scale",
    ),
    "mean_over_sigma": (
        "isotropic",
        MEAN,
        mean_over_sigma,
        "σ1 in place of σ1² under the distance",
    ),
    "mean_minus": ("isotropic", MEAN, mean_minus, "the sign of the distance term"),
    "no_minus_one": (
        "isotropic",
        TRACE,
        no_minus_one,
        "the -1 is missing: the divergence of a law to itself is d/2",
    ),
    "trace_without_d": (
        "isotropic",
        TRACE,
        trace_without_d,
        "the dimension is missing in the trace term",
    ),
    "trace_without_half": ("isotropic", TRACE, trace_twice, "the 1/2 of the trace term is missing"),
    "trace_of_sigmas": (
        "isotropic",
        TRACE,
        trace_of_sigmas,
        "σ0/σ1 in place of σ0²/σ1²: standard deviations taken for variances",
    ),
    "trace_inverted": (
        "isotropic",
        TRACE,
        swap("isotropic", TRACE),
        "σ1²/σ0² in place of σ0²/σ1²",
    ),
    "log_without_d": ("isotropic", LOG, log_without_d, "the dimension is missing in the log term"),
    "log_minus": ("isotropic", LOG, log_minus, "log(σ0/σ1) in place of log(σ1/σ0)"),
    "log_of_variances": (
        "isotropic",
        LOG,
        log_twice,
        "log of the variances' ratio without its 1/2",
    ),
    "swapped_arguments": (
        "isotropic",
        ALL,
        swap("isotropic", ALL),
        "KL(N_1 ‖ N_0) in place of KL(N_0 ‖ N_1)",
    ),
    "diagonal_no_half_in_mean": (
        "diagonal",
        MEAN,
        mean_twice,
        "the 1/2 before the squared distance is missing",
    ),
    "diagonal_mean_minus": ("diagonal", MEAN, mean_minus, "the sign of the distance term"),
    "diagonal_mean_over_first": (
        "diagonal",
        MEAN,
        swap("diagonal", MEAN),
        "the distance is divided by the first law's variances",
    ),
    "diagonal_no_minus_one": (
        "diagonal",
        TRACE,
        no_minus_one,
        "the -1 is missing: the divergence of a law to itself is d/2",
    ),
    "diagonal_trace_without_half": (
        "diagonal",
        TRACE,
        trace_twice,
        "the 1/2 of the trace term is missing",
    ),
    "diagonal_exp_of_half": (
        "diagonal",
        TRACE,
        trace_of_exp_half,
        "exp(logvar/2), a standard deviation, where the variance is due",
    ),
    "diagonal_trace_inverted": (
        "diagonal",
        TRACE,
        swap("diagonal", TRACE),
        "the ratio of variances upside down",
    ),
    "diagonal_logvar_minus": (
        "diagonal",
        LOG,
        log_minus,
        "the sign of the log-variances in the log term",
    ),
    "diagonal_log_without_half": (
        "diagonal",
        LOG,
        log_twice,
        "the 1/2 before the log-variances is missing",
    ),
    "diagonal_swapped_arguments": (
        "diagonal",
        ALL,
        swap("diagonal", ALL),
        "KL(N_1 ‖ N_0) in place of KL(N_0 ‖ N_1)",
    ),
    "logvar_as_logstd": (
        "diagonal",
        ALL,
        logvar_as_logstd,
        "log-variances read as log standard deviations",
    ),
    "mean_over_dimensions": (
        "diagonal",
        ALL,
        mean_over_dimensions,
        "an average over the dimensions where a sum is due",
    ),
    "full_no_half_in_mean": (
        "full",
        MEAN,
        mean_twice,
        "the 1/2 before the quadratic form is missing",
    ),
    "full_precision_of_first": (
        "full",
        MEAN,
        swap("full", MEAN),
        "the distance is measured by C0⁻¹ in place of C1⁻¹",
    ),
    "full_no_minus_d": (
        "full",
        TRACE,
        no_minus_one,
        "the -d is missing: the divergence of a law to itself is d/2",
    ),
    "full_trace_without_half": ("full", TRACE, trace_twice, "the 1/2 of the trace term is missing"),
    "full_trace_swapped": ("full", TRACE, swap("full", TRACE), "tr C0⁻¹C1 in place of tr C1⁻¹C0"),
    "full_log_det_minus": (
        "full",
        LOG,
        log_minus,
        "log det C0/det C1 in place of log det C1/det C0",
    ),
    "full_log_det_without_half": (
        "full",
        LOG,
        log_twice,
        "the 1/2 before the log-determinants is missing",
    ),
    "full_swapped_arguments": (
        "full",
        ALL,
        swap("full", ALL),
        "KL(N_1 ‖ N_0) in place of KL(N_0 ‖ N_1)",
    ),
}


def compose(names: tuple[str, ...]) -> KL | None:
    """The subject with several faults at once, or ``None`` when two of them edit the same term."""
    slots: dict[tuple[str, int], Edit] = {}
    for name in names:
        form, term, edit, _ = EDITS[name]
        taken = {t for f, t in slots if f == form}
        if term in taken or ALL in taken or (term == ALL and taken):
            return None
        slots[form, term] = edit
    return KL(
        **{
            form: _edited(form, {t: e for (f, t), e in slots.items() if f == form})
            for form in {f for f, _ in slots}
        }
    )


def _edited(form: str, edits: dict[int, Edit]) -> Callable[..., Any]:
    def formula(m0: Any, scale0: Any, m1: Any, scale1: Any) -> Any:
        terms = TERMS[form](m0, scale0, m1, scale1)
        if ALL in edits:
            return edits[ALL](terms, m0, scale0, m1, scale1)
        return sum(
            edits[k](terms, m0, scale0, m1, scale1) if k in edits else term
            for k, term in enumerate(terms)
        )

    return formula


FAULTS = tuple(Fault(name, compose((name,)), why) for name, (_, _, _, why) in EDITS.items())


def of_form(form: str) -> tuple[str, ...]:
    """The names of the faults that edit ``form``."""
    return tuple(name for name, (f, _, _, _) in EDITS.items() if f == form)
