"""reverse_family: every reverse-time SDE of the λ-family has the forward marginals."""

from __future__ import annotations

from scoreproof.claims.reverse_family.checks_flow import quantiles, spectral_solve
from scoreproof.claims.reverse_family.checks_gaussian import euler_chain, gaussian_moments
from scoreproof.claims.reverse_family.checks_identity import closed_forms, jet_symbols, log_form
from scoreproof.claims.reverse_family.checks_joint import two_time_correlation, wrong_score
from scoreproof.claims.reverse_family.checks_samplers import ddim_limit, particles
from scoreproof.claims.reverse_family.faults import FAULTS, compose, perturbations
from scoreproof.claims.reverse_family.statement import STATEMENT, truth
from scoreproof.core import Claim

__all__ = ["CLAIM"]

CLAIM = Claim(
    statement=STATEMENT,
    truth=truth,
    checks=(
        jet_symbols,
        closed_forms,
        ddim_limit,
        log_form,
        quantiles,
        spectral_solve,
        gaussian_moments,
        euler_chain,
        two_time_correlation,
        wrong_score,
        particles,
    ),
    faults=FAULTS,
    perturbations=perturbations(),
    compose=compose,
)
