"""The KL divergence of Gaussians: isotropic as the claim states it, diagonal as a VAE uses it,
full.
"""

from __future__ import annotations

from typing import Any

from scoreproof.claims.gaussian_kl.checks_certified import integrals
from scoreproof.claims.gaussian_kl.checks_exact import moments
from scoreproof.claims.gaussian_kl.checks_float import cubature, near_equal
from scoreproof.claims.gaussian_kl.faults import FAULTS, compose
from scoreproof.claims.gaussian_kl.statement import (
    KL,
    STATEMENT,
    TRUTH,
    assemble,
    diagonal_terms,
    full_terms,
    isotropic_terms,
)
from scoreproof.core import Claim

__all__ = ["CLAIM"]


def _perturbed(**factors: Any) -> KL:
    return KL(
        assemble(isotropic_terms, **factors),
        assemble(diagonal_terms, **factors),
        assemble(full_terms, **factors),
    )


CLAIM = Claim(
    statement=STATEMENT,
    truth=TRUTH,
    checks=(moments, integrals, cubature, near_equal),
    faults=FAULTS,
    perturbations={
        "mean": lambda eps: _perturbed(mean=1 + eps),
        "trace": lambda eps: _perturbed(trace=1 + eps),
        "log": lambda eps: _perturbed(log_ratio=1 + eps),
    },
    compose=compose,
)
