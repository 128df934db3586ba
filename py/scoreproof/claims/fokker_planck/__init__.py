"""The Fokker–Planck equation: the density of an Itô SDE with state-independent noise solves ∂_t p =
-∇·(f p) + (ρ²/2) Δp.
"""

from __future__ import annotations

from scoreproof.claims.fokker_planck.checks_closed import closed_forms
from scoreproof.claims.fokker_planck.checks_exact import no_decay, one_step, polynomial
from scoreproof.claims.fokker_planck.checks_explosion import explosion
from scoreproof.claims.fokker_planck.checks_log_form import log_form
from scoreproof.claims.fokker_planck.checks_weak import euler_kernel, weak_form
from scoreproof.claims.fokker_planck.faults import FAULTS, compose, perturbations
from scoreproof.claims.fokker_planck.statement import STATEMENT, truth
from scoreproof.core import Claim

__all__ = ["CLAIM"]

CLAIM = Claim(
    statement=STATEMENT,
    truth=truth,
    checks=(
        one_step,
        polynomial,
        closed_forms,
        log_form,
        weak_form,
        euler_kernel,
        explosion,
        no_decay,
    ),
    faults=FAULTS,
    perturbations=perturbations(),
    compose=compose,
)
