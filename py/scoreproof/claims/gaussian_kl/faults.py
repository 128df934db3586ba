"""Wrong versions of the Gaussian KL that people write. Each edits one term of one form, so faults
of different terms compose.

Conventions: a fault of the diagonal or the full form carries the form's name in front; the
isotropic ones, which edit the
claim as printed, do not. ``s`` are standard deviations, ``v`` log-variances, ``c`` covariances.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.claims.gaussian_kl.statement import KL, diagonal_terms, full_terms, isotropic_terms
from scoreproof.core import Fault
from scoreproof.numerics.functions import exp, log

__all__ = ["FAULTS", "compose", "of_form"]

Edit = Callable[..., Any]  # (terms, m0, scale0, m1, scale1) -> the edited term
MEAN, TRACE, LOG, ALL = 0, 1, 2, 3
_TERMS = {"isotropic": isotropic_terms, "diagonal": diagonal_terms, "full": full_terms}


# -- edits that every form can have ----------------------------------------------------------------


def mean_twice(t: Any, *laws: Any) -> Any:
    return 2 * t[MEAN]


def mean_minus(t: Any, *laws: Any) -> Any:
    return -t[MEAN]


def no_minus_one(t: Any, m0: Any, *laws: Any) -> Any:
    return (2 * t[TRACE] + len(m0)) / 2


def trace_twice(t: Any, *laws: Any) -> Any:
    return 2 * t[TRACE]


def log_minus(t: Any, *laws: Any) -> Any:
    return -t[LOG]


def log_twice(t: Any, *laws: Any) -> Any:
    return 2 * t[LOG]


def _swap(form: str, term: int) -> Edit:
    """The edit that takes ``term`` (or the whole divergence) with the two laws exchanged."""

    def edit(t: Any, m0: Any, scale0: Any, m1: Any, scale1: Any) -> Any:
        terms = _TERMS[form](m1, scale1, m0, scale0)
        return sum(terms) if term == ALL else terms[term]

    return edit


# -- isotropic -------------------------------------------------------------------------------------


def mean_over_sigma(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return np.sum((m1 - m0) ** 2) / (2 * s1)


def trace_without_d(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return (s0**2 / s1**2 - 1) / 2


def trace_of_sigmas(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return (s0 / s1 - 1) * len(m0) / 2


def log_without_d(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return log(s1 / s0)


# -- diagonal: the VAE's form ----------------------------------------------------------------------


def logvar_as_logstd(t: Any, m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
    return sum(diagonal_terms(m0, 2 * v0, m1, 2 * v1))


def mean_over_dimensions(t: Any, m0: Any, *laws: Any) -> Any:
    return sum(t) / len(m0)


def trace_of_exp_half(t: Any, m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
    return np.sum(exp((v0 - v1) / 2) - 1) / 2


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
        _swap("isotropic", MEAN),
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
        _swap("isotropic", TRACE),
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
        _swap("isotropic", ALL),
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
        _swap("diagonal", MEAN),
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
        _swap("diagonal", TRACE),
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
        _swap("diagonal", ALL),
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
        _swap("full", MEAN),
        "the distance is measured by C0⁻¹ in place of C1⁻¹",
    ),
    "full_no_minus_d": (
        "full",
        TRACE,
        no_minus_one,
        "the -d is missing: the divergence of a law to itself is d/2",
    ),
    "full_trace_without_half": ("full", TRACE, trace_twice, "the 1/2 of the trace term is missing"),
    "full_trace_swapped": ("full", TRACE, _swap("full", TRACE), "tr C0⁻¹C1 in place of tr C1⁻¹C0"),
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
        _swap("full", ALL),
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
        terms = _TERMS[form](m0, scale0, m1, scale1)
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
