"""The edits of one term that people make by mistake, for every form of the divergence.

Conventions: an edit is ``(terms, m0, scale0, m1, scale1) -> the edited term`` (or the whole
divergence, where it concerns all of it). ``s`` are standard deviations, ``v`` log-variances.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.claims.gaussian_kl.statement import diagonal_terms, full_terms, isotropic_terms
from scoreproof.numerics.functions import exp, log

__all__ = [
    "ALL",
    "LOG",
    "MEAN",
    "TERMS",
    "TRACE",
    "Edit",
    "log_minus",
    "log_twice",
    "log_without_d",
    "logvar_as_logstd",
    "mean_minus",
    "mean_over_dimensions",
    "mean_over_sigma",
    "mean_twice",
    "no_minus_one",
    "swap",
    "trace_of_exp_half",
    "trace_of_sigmas",
    "trace_twice",
    "trace_without_d",
]

Edit = Callable[..., Any]
MEAN, TRACE, LOG, ALL = 0, 1, 2, 3
TERMS = {"isotropic": isotropic_terms, "diagonal": diagonal_terms, "full": full_terms}


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


def swap(form: str, term: int) -> Edit:
    """The edit that takes ``term`` (or the whole divergence) with the two laws exchanged."""

    def edit(t: Any, m0: Any, scale0: Any, m1: Any, scale1: Any) -> Any:
        terms = TERMS[form](m1, scale1, m0, scale0)
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
