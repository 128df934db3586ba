"""diffrax: the gradient of the FFJORD log-likelihood through each of its adjoints, as the tolerance
goes to zero (double precision).
"""

from __future__ import annotations

import math
import warnings
from typing import Any

import diffrax
import jax
import jax.numpy as jnp
from common import judged
from flow import PARAMS, ROWS, sizes

from scoreproof import check_log_likelihood_gradient

warnings.filterwarnings("ignore")
jax.config.update("jax_enable_x64", True)


def field(z: jax.Array, params: jax.Array, s: Any) -> jax.Array:
    """``tanh(z W1ᵀ + b1 + s u) W2ᵀ``."""
    pieces, start = {}, 0
    for name, shape in sizes():
        count = math.prod(shape)
        pieces[name], start = params[start : start + count].reshape(shape), start + count
    return jnp.tanh(z @ pieces["w1"].T + pieces["b1"] + s * pieces["u"]) @ pieces["w2"].T


def gradient_by(solver: Any, adjoint: Any) -> Any:
    def log_likelihood(params: jax.Array, x: jax.Array, nu: jax.Array, tol: float) -> jax.Array:
        def dynamics(s: Any, state: Any, args: Any) -> Any:
            p, v = args
            f, pull = jax.vjp(lambda z: field(z, p, s), state[0])
            return f, -jnp.sum(pull(v)[0] * v, axis=1)

        solution = diffrax.diffeqsolve(
            diffrax.ODETerm(dynamics),
            solver,
            t0=1.0,
            t1=0.0,
            dt0=None,
            y0=(x, jnp.zeros(len(x))),
            args=(params, nu),
            stepsize_controller=diffrax.PIDController(rtol=tol, atol=tol),
            adjoint=adjoint,
            max_steps=100_000 if not isinstance(adjoint, diffrax.DirectAdjoint) else 4096,
        )
        z, change = solution.ys[0][-1], solution.ys[1][-1]
        return jnp.sum(-0.5 * z**2 - 0.5 * math.log(2 * math.pi)) - jnp.sum(change)

    compiled = jax.jit(jax.grad(log_likelihood))

    def gradient(x: jax.Array, params: jax.Array, nu: jax.Array, tol: float) -> jax.Array:
        return compiled(params, x, nu, tol)

    return gradient


CASES = [
    (
        "RecursiveCheckpointAdjoint(), Tsit5()",
        diffrax.Tsit5(),
        diffrax.RecursiveCheckpointAdjoint(),
    ),
    (
        "RecursiveCheckpointAdjoint(), Dopri8()",
        diffrax.Dopri8(),
        diffrax.RecursiveCheckpointAdjoint(),
    ),
    (
        "RecursiveCheckpointAdjoint(), Kvaerno5()",
        diffrax.Kvaerno5(),
        diffrax.RecursiveCheckpointAdjoint(),
    ),
    ("BacksolveAdjoint(), Tsit5()", diffrax.Tsit5(), diffrax.BacksolveAdjoint()),
    ("BacksolveAdjoint(), Dopri5()", diffrax.Dopri5(), diffrax.BacksolveAdjoint()),
    ("BacksolveAdjoint(), Dopri8()", diffrax.Dopri8(), diffrax.BacksolveAdjoint()),
]


def main() -> None:
    for name, solver, adjoint in CASES:
        evidence = check_log_likelihood_gradient(
            field, PARAMS, ROWS, gradient_by(solver, adjoint), framework="jax"
        )
        curve = evidence.curves.get("error")
        errors = (
            "; errors " + ", ".join(f"{e:.1g} at {t:g}" for t, e in zip(*curve, strict=True))
            if curve
            else ""
        )
        judged(
            "diffrax",
            f"diffeqsolve(adjoint={name})",
            "the gradient of the FFJORD log-likelihood at a fixed ν as rtol = atol = tol goes to"
            f" 0{errors}",
            evidence,
        )


if __name__ == "__main__":
    main()
