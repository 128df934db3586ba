"""The variance-exploding SDE: ρ² = d(σ²)/dt gives the Gaussian kernel of variance σ_t² - σ_0²."""

from __future__ import annotations

from scoreproof.claims.variance_exploding.checks_certified import (
    chapman_kolmogorov,
    heat_equation,
    integral_of_rate,
    normalisation,
)
from scoreproof.claims.variance_exploding.checks_exact import initial_trace, polynomial
from scoreproof.claims.variance_exploding.checks_float import many_points
from scoreproof.claims.variance_exploding.checks_practice import schedules
from scoreproof.claims.variance_exploding.faults import FAULTS, Variant, compose
from scoreproof.claims.variance_exploding.statement import STATEMENT
from scoreproof.core import Claim

__all__ = ["CLAIM"]

CLAIM = Claim(
    statement=STATEMENT,
    truth=Variant(),
    checks=(
        polynomial,
        initial_trace,
        heat_equation,
        normalisation,
        integral_of_rate,
        chapman_kolmogorov,
        many_points,
        schedules,
    ),
    faults=FAULTS,
    perturbations={
        "spread": lambda eps: Variant(spread_factor=1 + eps),
        "root": lambda eps: Variant(root_factor=1 + eps),
        "rate": lambda eps: Variant(rate_factor=1 + eps),
    },
    compose=compose,
)
