"""What `check_score` was given, validated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from scoreproof.public.posterior.prediction import Prediction
from scoreproof.public.posterior.problem import Problem, make_problem

__all__ = ["Request", "make_request"]


@dataclass(frozen=True, eq=False)
class Request:
    """The problem (without a prior, if it is not known), and what the callable predicts."""

    problem: Problem
    kind: Prediction


def make_request(
    prior: Any,
    cov: Any,
    *,
    prediction: str,
    sigma_data: float,
    rates: Any,
    **problem: Any,
) -> Request:
    """Raises ``ArgumentError``."""
    made = make_problem(prior, cov, name="check_score", **problem)
    return Request(made, Prediction(prediction, made, sigma_data, rates))
