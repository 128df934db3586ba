"""The two graph-form backward passes are equivalent, and both are the sum over paths."""

from __future__ import annotations

from scoreproof.claims.backprop.checks_certified import jacobians
from scoreproof.claims.backprop.checks_exact import prime_fields, two_loops, words
from scoreproof.claims.backprop.checks_float import bitwise, float_reassociation
from scoreproof.claims.backprop.faults import FAULTS, compose
from scoreproof.claims.backprop.statement import STATEMENT, TRUTH, scaled
from scoreproof.core import Claim

__all__ = ["CLAIM"]

CLAIM = Claim(
    statement=STATEMENT,
    truth=TRUTH,
    checks=(words, prime_fields, two_loops, jacobians, float_reassociation, bitwise),
    faults=FAULTS,
    perturbations={
        "partial": lambda eps: scaled(partial=1 + eps),
        "seed": lambda eps: scaled(seed=1 + eps),
    },
    compose=compose,
)
