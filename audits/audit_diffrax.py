"""diffrax: the gradient of a flow's log-likelihood by its adjoints and solvers."""

from __future__ import annotations

import math

import jax

jax.config.update("jax_enable_x64", True)

import diffrax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
from report import judge, not_judged  # noqa: E402

from scoreproof import check_log_likelihood_gradient  # noqa: E402

PARAMS = [0.4, -0.7, 0.6, 0.2, 0.1, -0.2, 0.3, 0.5]
ROWS = [[0.3, -0.8], [1.2, 0.4]]
ADJOINTS = {
    "RecursiveCheckpointAdjoint()": diffrax.RecursiveCheckpointAdjoint,
    "BacksolveAdjoint()": diffrax.BacksolveAdjoint,
    "DirectAdjoint()": diffrax.DirectAdjoint,
}


def field(z, params, s):
    """tanh(A z + b + c s), z in R²."""
    a, b, c = params[:4].reshape(2, 2), params[4:6], params[6:8]
    return jnp.tanh(z @ a.T + b + c * s)


def gradient_by(solver, adjoint):
    def log_p(params, row, nu, tol):
        def dynamics(s, state, args):
            params, nu = args
            dz, product = jax.jvp(lambda z: field(z, params, s), (state[0],), (nu,))
            return dz, jnp.sum(product * nu)

        end = diffrax.diffeqsolve(
            diffrax.ODETerm(dynamics),
            solver(),
            1.0,
            0.0,
            None,
            (row, jnp.zeros(())),
            (params, nu),
            stepsize_controller=diffrax.PIDController(rtol=tol, atol=tol),
            adjoint=adjoint(),
            max_steps=100_000 if adjoint is not diffrax.DirectAdjoint else 4096,
        )
        z, change = (part[-1] for part in end.ys)
        return change - 0.5 * jnp.sum(z**2) - math.log(2 * math.pi)

    by_row = jax.jit(jax.vmap(jax.grad(log_p), (None, 0, 0, None)))

    def gradient(x, params, nu, tol):
        return by_row(params, x, nu, tol)

    return gradient


def run() -> None:
    for name, adjoint in ADJOINTS.items():
        for solver in (diffrax.Tsit5, diffrax.Dopri8, diffrax.Heun):
            if solver is not diffrax.Tsit5 and adjoint is diffrax.DirectAdjoint:
                continue
            judge(
                "diffrax",
                f"diffeqsolve({solver.__name__}(), adjoint={name}): ∂ log p̂ / ∂θ",
                "likelihood gradient",
                lambda s=solver, a=adjoint: check_log_likelihood_gradient(
                    field, PARAMS, ROWS, gradient_by(s, a), framework="jax"
                ),
            )
    not_judged(
        "diffrax",
        "VirtualBrownianTree and SDE solvers",
        "sampler",
        "check_sampler hands its model over as a function that JAX cannot trace, and diffeqsolve"
        " traces its vector field",
    )


if __name__ == "__main__":
    run()
