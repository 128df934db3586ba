"""NumPyro: KL divergences of Gaussians, and the score of a mixture's log_prob."""

from __future__ import annotations

import jax

jax.config.update("jax_enable_x64", True)

import jax.numpy as jnp  # noqa: E402
import numpyro.distributions as dist  # noqa: E402
from report import judge  # noqa: E402

from scoreproof import GaussianMixture, check_kl, check_score  # noqa: E402

WEIGHTS, MEANS = [0.3, 0.7], [[-1.0, 0.5], [1.0, 0.0]]
COVS = [[[0.5, 0.2], [0.2, 0.4]], [[0.3, 0.0], [0.0, 0.6]]]
NOISE = [[0.2, 0.05], [0.05, 0.1]]


def diagonal(mu0, std0, mu1, std1):
    p, q = (dist.Normal(m, s).to_event(1) for m, s in ((mu0, std0), (mu1, std1)))
    return dist.kl_divergence(p, q)


def full(mu0, cov0, mu1, cov1):
    p, q = (dist.MultivariateNormal(m, c) for m, c in ((mu0, cov0), (mu1, cov1)))
    return dist.kl_divergence(p, q)


def mixture_score():
    law = dist.MixtureSameFamily(
        dist.Categorical(jnp.array(WEIGHTS)),
        dist.MultivariateNormal(jnp.array(MEANS), jnp.array(COVS) + jnp.array(NOISE)),
    )
    score = jax.vmap(jax.grad(law.log_prob))
    return check_score(score, GaussianMixture(WEIGHTS, MEANS, COVS), NOISE, framework="jax")


def run() -> None:
    for name, function, form in (
        ("Normal.to_event(1)", diagonal, "diagonal"),
        ("MultivariateNormal", full, "full"),
    ):
        for dtype in ("float64", "float32"):
            judge(
                "numpyro",
                f"kl_divergence({name}), {dtype}",
                "KL",
                lambda k=function, f=form, d=dtype: check_kl(k, form=f, framework="jax", dtype=d),
            )
    judge("numpyro", "MixtureSameFamily.log_prob, its gradient", "score", mixture_score)


if __name__ == "__main__":
    run()
