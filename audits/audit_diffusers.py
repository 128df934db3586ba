"""Schedulers of diffusers: add_noise as declared marginals, step as the law it produces, step as a
member of the λ-family, orders of convergence.

No Monte Carlo: x and noise are injected and the model is the exact one; everything else is the
schedulers' own code.
"""

from __future__ import annotations

from diffusers_family import audit_family
from diffusers_marginals import audit_add_noise, audit_start
from diffusers_orders import audit_orders
from diffusers_steps import audit_ddpm_variance, audit_grid, audit_predictions, audit_told_level

if __name__ == "__main__":
    for audit in (
        audit_add_noise,
        audit_grid,
        audit_predictions,
        audit_told_level,
        audit_ddpm_variance,
        audit_family,
        audit_orders,
        audit_start,
    ):
        audit()
