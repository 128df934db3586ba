"""FFJORD's adjoint: a stochastic gradient of a continuous normalizing flow's log-likelihood."""

from __future__ import annotations

from scoreproof.claims.ffjord.checks_certified import closed_form_flow
from scoreproof.claims.ffjord.checks_exact import designs, identity
from scoreproof.claims.ffjord.checks_float import expectation, fixed_nu
from scoreproof.claims.ffjord.checks_kink import relu_kink
from scoreproof.claims.ffjord.checks_random import random_nu
from scoreproof.claims.ffjord.faults import FAULTS, TRUTH, compose, perturbations
from scoreproof.claims.ffjord.statement import STATEMENT
from scoreproof.core import Claim

__all__ = ["CLAIM"]

CLAIM = Claim(
    statement=STATEMENT,
    truth=TRUTH,
    checks=(identity, designs, closed_form_flow, expectation, fixed_nu, relu_kink, random_nu),
    faults=FAULTS,
    perturbations=perturbations(),
    compose=compose,
)
