"""flowjax: its flows' densities have mass 1, and the KL divergence and score that its Gaussians
give.
"""

from __future__ import annotations

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
from flowjax import bijections as bij  # noqa: E402
from flowjax.distributions import MultivariateNormal, Normal, Transformed  # noqa: E402
from flowjax.flows import coupling_flow, masked_autoregressive_flow  # noqa: E402
from report import judge  # noqa: E402

from scoreproof import GaussianMixture, check_fokker_planck, check_score  # noqa: E402

KEY = jax.random.key(0)


def density(flow):
    """The density as the stationary one of dX = ∇log p dt + √2 dW: that gives its mass."""
    log_p = jax.jit(lambda x: flow.log_prob(x))
    score = jax.jit(jax.vmap(jax.grad(lambda x: flow.log_prob(x))))
    return check_fokker_planck(
        lambda x, t: score(x),
        lambda t: 2**0.5,
        log_density=lambda x, t: log_p(x),
        dimension=2,
        times=(0.5, 1.0),
        framework="jax",
        domain=(-4.0, 4.0),
    )


def affine(matrix, shift, cov):
    """log_prob of A z + b for Gaussian z, at 0.1 I of noise."""
    noise = 0.1 * jnp.eye(2)
    inner = jnp.linalg.cholesky(matrix @ cov @ matrix.T + noise)
    law = Transformed(Normal(jnp.zeros(2)), bij.TriangularAffine(shift, inner))
    prior = GaussianMixture.gaussian(shift, matrix @ cov @ matrix.T)
    score = jax.vmap(jax.grad(law.log_prob))
    return check_score(score, prior, jnp.asarray(noise), framework="jax")


def gaussian():
    cov = jnp.array([[0.5, 0.2], [0.2, 0.4]])
    law = MultivariateNormal(jnp.array([0.3, -0.2]), cov)
    prior = GaussianMixture.gaussian([0.3, -0.2], cov - 0.1 * jnp.eye(2))
    score = jax.vmap(jax.grad(law.log_prob))
    return check_score(score, prior, 0.1, framework="jax")


def run() -> None:
    flows = {
        "masked_autoregressive_flow": masked_autoregressive_flow(
            KEY,
            base_dist=Normal(jnp.zeros(2)),
            flow_layers=2,
            nn_width=8,
            nn_activation=jax.nn.tanh,
        ),
        "coupling_flow": coupling_flow(
            KEY,
            base_dist=Normal(jnp.zeros(2)),
            transformer=bij.Affine(),
            flow_layers=2,
            nn_width=8,
            nn_activation=jax.nn.tanh,  # a kink of the density would be seen as a jump
        ),
    }
    for name, flow in flows.items():
        judge(
            "flowjax",
            f"{name}.log_prob as a stationary density",
            "density",
            lambda f=flow: density(f),
        )
    judge("flowjax", "MultivariateNormal.log_prob, its gradient", "score", gaussian)
    matrix, shift = jnp.array([[0.8, 0.0], [0.5, 1.1]]), jnp.array([0.4, -0.1])
    judge(
        "flowjax",
        "Transformed(Normal, TriangularAffine).log_prob, its gradient",
        "score",
        lambda: affine(matrix, shift, jnp.diag(jnp.array([0.3, 0.6]))),
    )


if __name__ == "__main__":
    run()
