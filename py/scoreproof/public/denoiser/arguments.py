"""What `check_denoiser` was given, validated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scoreproof.errors import ArgumentError
from scoreproof.interop.signatures import needed
from scoreproof.public.posterior.prediction import Prediction
from scoreproof.public.posterior.problem import Problem, make_problem

__all__ = ["Request", "alone", "make_request"]


@dataclass(frozen=True, eq=False)
class Request:
    """The problem, and what the callable predicts.

    ``blur``: by what part alpha and the standard deviation of the noise may be off in the callable,
    for an arithmetic of unit roundoff u, where it computes them itself from a time.
    """

    problem: Problem
    kind: Prediction
    blur: Callable[[float], tuple[float, float]] | None = None


def make_request(
    prior: Any,
    cov: Any,
    *,
    prediction: str,
    sigma_data: float,
    rates: Any,
    blur: Callable[[float], tuple[float, float]] | None = None,
    **problem: Any,
) -> Request:
    """Raises ``ArgumentError``."""
    if prior is None:
        raise ArgumentError(
            "prior",
            "a GaussianMixture, Atoms or a data set",
            None,
            "use check_score(…, prior=None) where the prior is not known",
        )
    made = make_problem(prior, cov, name="check_denoiser", **problem)
    return Request(made, Prediction(prediction, made, sigma_data, rates), blur)


def alone(denoiser: Any) -> None:
    """Raises ``ArgumentError`` for a function that needs a time beside y."""
    names = needed(denoiser)
    if len(names) > 1:
        raise ArgumentError(
            "denoiser",
            "a function of y alone, where there is no schedule",
            f"one of ({', '.join(names)})",
            "pass schedule=, a list of σ or a table, to have it asked at its noise levels; or fix"
            " the time, lambda y: network(y, t)",
        )
