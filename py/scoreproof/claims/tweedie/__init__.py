"""Tweedie's formula: the posterior mean and covariance under Gaussian noise are derivatives of log
p_Y.
"""

from __future__ import annotations

from scoreproof.claims.tweedie.checks_certified import atoms_in_balls, quadrature
from scoreproof.claims.tweedie.checks_exact import polynomial
from scoreproof.claims.tweedie.checks_float import atoms, digits, mixtures
from scoreproof.claims.tweedie.faults import FAULTS, compose
from scoreproof.claims.tweedie.statement import STATEMENT, TRUTH, posterior
from scoreproof.core import Claim

__all__ = ["CLAIM"]

CLAIM = Claim(
    statement=STATEMENT,
    truth=TRUTH,
    checks=(polynomial, quadrature, atoms_in_balls, atoms, mixtures, digits),
    faults=FAULTS,
    perturbations={
        "score": lambda eps: posterior(score_scale=1 + eps),
        "y": lambda eps: posterior(y_scale=1 + eps),
        "prior_covariance_term": lambda eps: posterior(cov_scale=1 + eps),
        "hessian": lambda eps: posterior(hessian_scale=1 + eps),
    },
    compose=compose,
)
