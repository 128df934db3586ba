"""Wrong versions of the Gaussian KL that people write. Each edits one term of one form, so faults of different terms compose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.claims.gaussian_kl.statement import KL, diagonal_terms, full_terms, isotropic_terms
from scoreproof.core import Fault
from scoreproof.numerics.functions import exp, log
from scoreproof.numerics.linear import solve_rows

__all__ = ["FAULTS", "compose"]

Edit = Callable[..., Any]  # (terms, m0, scale0, m1, scale1) -> the edited term
MEAN, TRACE, LOG, ALL = 0, 1, 2, 3


def _squared_gap(m0: Any, m1: Any) -> Any:
    return sum((m1 - m0) ** 2)


# -- isotropic: the claim as printed -----------------------------------------------------------------------


def no_half_in_mean(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return 2 * t[MEAN]


def mean_over_sigma0(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return _squared_gap(m0, m1) / (2 * s0**2)


def mean_over_sigma(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return _squared_gap(m0, m1) / (2 * s1)


def mean_minus(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return -t[MEAN]


def no_minus_one(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return s0**2 / s1**2 * len(m0) / 2


def trace_without_d(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return (s0**2 / s1**2 - 1) / 2


def trace_without_half(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return 2 * t[TRACE]


def trace_of_sigmas(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return (s0 / s1 - 1) * len(m0) / 2


def trace_inverted(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return (s1**2 / s0**2 - 1) * len(m0) / 2


def log_without_d(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return log(s1 / s0)


def log_minus(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return -t[LOG]


def log_of_variances(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return 2 * t[LOG]


def swapped_arguments(t: Any, m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
    return sum(isotropic_terms(m1, s1, m0, s0))


# -- diagonal: the VAE's form ------------------------------------------------------------------------------


def logvar_as_logstd(t: Any, m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
    return sum(diagonal_terms(m0, np.array([2 * v for v in v0]), m1, np.array([2 * v for v in v1])))


def mean_over_dimensions(t: Any, m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
    return sum(t) / len(m0)


def diagonal_logvar_minus(t: Any, m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
    return -t[LOG]


def diagonal_exp_of_half(t: Any, m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
    return sum(exp((a - b) / 2) - 1 for a, b in zip(v0, v1, strict=True)) / 2


# -- full --------------------------------------------------------------------------------------------------


def full_trace_swapped(t: Any, m0: Any, c0: Any, m1: Any, c1: Any) -> Any:
    return (sum(np.diagonal(solve_rows(c0, c1))) - len(m0)) / 2


def full_log_det_without_half(t: Any, m0: Any, c0: Any, m1: Any, c1: Any) -> Any:
    return 2 * t[LOG]


def full_precision_of_first(t: Any, m0: Any, c0: Any, m1: Any, c1: Any) -> Any:
    return (solve_rows(c0, (m1 - m0)[None]) @ (m1 - m0))[0] / 2


#: name -> (form, term, edit, why)
EDITS: dict[str, tuple[str, int, Edit, str]] = {
    "no_half_in_mean": ("isotropic", MEAN, no_half_in_mean, "the 1/2 before the squared distance is missing"),
    "mean_over_sigma0": ("isotropic", MEAN, mean_over_sigma0, "the distance is divided by σ0² in place of σ1²: the reverse KL's scale"),
    "mean_over_sigma": ("isotropic", MEAN, mean_over_sigma, "σ1 in place of σ1² under the distance"),
    "mean_minus": ("isotropic", MEAN, mean_minus, "the sign of the distance term"),
    "no_minus_one": ("isotropic", TRACE, no_minus_one, "the -1 is missing: the divergence of a law to itself is d/2"),
    "trace_without_d": ("isotropic", TRACE, trace_without_d, "the dimension is missing in the trace term"),
    "trace_without_half": ("isotropic", TRACE, trace_without_half, "the 1/2 of the trace term is missing"),
    "trace_of_sigmas": ("isotropic", TRACE, trace_of_sigmas, "σ0/σ1 in place of σ0²/σ1²: standard deviations taken for variances"),
    "trace_inverted": ("isotropic", TRACE, trace_inverted, "σ1²/σ0² in place of σ0²/σ1²"),
    "log_without_d": ("isotropic", LOG, log_without_d, "the dimension is missing in the log term"),
    "log_minus": ("isotropic", LOG, log_minus, "log(σ0/σ1) in place of log(σ1/σ0)"),
    "log_of_variances": ("isotropic", LOG, log_of_variances, "log of the variances' ratio without its 1/2"),
    "swapped_arguments": ("isotropic", ALL, swapped_arguments, "KL(N_1 ‖ N_0) in place of KL(N_0 ‖ N_1)"),
    "logvar_as_logstd": ("diagonal", ALL, logvar_as_logstd, "log-variances read as log standard deviations"),
    "mean_over_dimensions": ("diagonal", ALL, mean_over_dimensions, "an average over the dimensions where a sum is due"),
    "diagonal_logvar_minus": ("diagonal", LOG, diagonal_logvar_minus, "the sign of the log-variances in the log term"),
    "diagonal_exp_of_half": ("diagonal", TRACE, diagonal_exp_of_half, "exp(logvar/2), a standard deviation, where the variance is due"),
    "full_trace_swapped": ("full", TRACE, full_trace_swapped, "tr C0⁻¹C1 in place of tr C1⁻¹C0"),
    "full_log_det_without_half": ("full", LOG, full_log_det_without_half, "the 1/2 before the log-determinants is missing"),
    "full_precision_of_first": ("full", MEAN, full_precision_of_first, "the distance is measured by C0⁻¹ in place of C1⁻¹"),
}

_TERMS = {"isotropic": isotropic_terms, "diagonal": diagonal_terms, "full": full_terms}


def compose(names: tuple[str, ...]) -> KL | None:
    """The subject with several faults at once, or ``None`` when two of them edit the same term."""
    slots: dict[tuple[str, int], Edit] = {}
    for name in names:
        form, term, edit, _ = EDITS[name]
        taken = {t for f, t in slots if f == form}
        if term in taken or ALL in taken or (term == ALL and taken):
            return None
        slots[form, term] = edit
    return KL(**{form: _edited(form, {t: e for (f, t), e in slots.items() if f == form}) for form in {f for f, _ in slots}})


def _edited(form: str, edits: dict[int, Edit]) -> Callable[..., Any]:
    def formula(m0: Any, scale0: Any, m1: Any, scale1: Any) -> Any:
        terms = _TERMS[form](m0, scale0, m1, scale1)
        if ALL in edits:
            return edits[ALL](terms, m0, scale0, m1, scale1)
        return sum(edits[k](terms, m0, scale0, m1, scale1) if k in edits else term for k, term in enumerate(terms))

    return formula


FAULTS = tuple(Fault(name, compose((name,)), why) for name, (_, _, _, why) in EDITS.items())


def of_form(form: str) -> tuple[str, ...]:
    """The names of the faults that edit ``form``."""
    return tuple(name for name, (f, _, _, _) in EDITS.items() if f == form)
