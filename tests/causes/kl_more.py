"""More wrong KL divergences, written after the first were named."""

from __future__ import annotations

from typing import Any

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_kl


def _torch() -> Any:
    import torch

    return torch


def _normal_kl(mu0: Any, s0: Any, mu1: Any, s1: Any) -> Any:
    normal = _torch().distributions.Normal
    return _torch().distributions.kl_divergence(normal(mu0, s0), normal(mu1, s1))


@wrong(
    "torch's Normal gets the variance for its scale",
    says=r"variances? are read as standard deviations",
    needs="torch",
)
def normal_of_variances() -> Evidence:
    def kl(mu0: Any, v0: Any, mu1: Any, v1: Any) -> Any:
        return _normal_kl(mu0, v0, mu1, v1).sum(-1)

    return check_kl(kl, form="diagonal", parameterization="variance", framework="torch")


@wrong(
    "covariances are given to MultivariateNormal as precision_matrix",
    says=r"covariances? (are )?read as precision",
    needs="torch",
)
def multivariate_of_precisions() -> Evidence:
    def kl(m0: Any, c0: Any, m1: Any, c1: Any) -> Any:
        d = _torch().distributions
        laws = (d.MultivariateNormal(m, precision_matrix=c) for m, c in ((m0, c0), (m1, c1)))
        return d.kl_divergence(*laws)

    return check_kl(kl, form="full", framework="torch")


@wrong(
    "cross entropy: the entropy of the first law is not subtracted",
    says=r"cross[- ]entropy|entropy[^.]*not subtracted|log σ0²[^.]*left out",
)
def cross_entropy() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        nll = 0.5 * (np.log(2 * np.pi * s1**2) + ((m0 - m1) ** 2 + s0**2) / s1**2)
        return nll.sum(axis=-1)

    return check_kl(kl, form="diagonal")


@wrong(
    "Jeffreys: the average of both directions",
    says=r"both directions|symmetri|Jeffreys",
)
def symmetrised() -> Evidence:
    def one(m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
        return 0.5 * (np.log(v1 / v0) + (v0 + (m0 - m1) ** 2) / v1 - 1).sum(1)

    def kl(m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
        return 0.5 * (one(m0, v0, m1, v1) + one(m1, v1, m0, v0))

    return check_kl(kl, form="diagonal", parameterization="variance")


@wrong("the square root of the divergence", says=r"square root|√", needs="torch")
def root_of_the_divergence() -> Evidence:
    def kl(mu: Any, logvar: Any) -> Any:
        value = 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1)
        return value.clamp(min=0).sqrt()

    given = {"parameterization": "logvar", "framework": "torch", "against": "standard"}
    return check_kl(kl, form="diagonal", **given)


@wrong("the squared Wasserstein distance", says=r"Wasserstein")
def wasserstein() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        return ((m0 - m1) ** 2 + (s0 - s1) ** 2).sum(1)

    return check_kl(kl, form="diagonal")


@wrong(
    "the dimension is hard-coded: 3",
    says=r"\b3 stands for d",
)
def dimension_by_heart() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        s0, s1 = s0[:, 0], s1[:, 0]
        gap = ((m0 - m1) ** 2).sum(1)
        return 3 * np.log(s1 / s0) - 1.5 + (3 * s0**2 + gap) / (2 * s1**2)

    return check_kl(kl)


@wrong("JAX: variances are floored at 0.01", says=r"at least 0\.01|clamp[^.]*0\.01", needs="jax")
def floored_variances() -> Evidence:
    import jax.numpy as jnp

    def kl(m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
        v0, v1 = jnp.maximum(v0, 1e-2), jnp.maximum(v1, 1e-2)
        return 0.5 * (jnp.log(v1 / v0) + (v0 + (m0 - m1) ** 2) / v1 - 1).sum(-1)

    given = {"parameterization": "variance", "framework": "jax", "dtype": "float32"}
    return check_kl(kl, form="diagonal", **given)


@wrong(
    "a Monte-Carlo estimate from one draw",
    says=r"two (equal )?calls|estimate from",
)
def one_draw() -> Evidence:
    rng = np.random.default_rng(3)

    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        z = m0 + s0 * rng.standard_normal(m0.shape)
        log_q = -0.5 * ((z - m0) / s0) ** 2 - np.log(s0)
        log_p = -0.5 * ((z - m1) / s1) ** 2 - np.log(s1)
        return (log_q - log_p).sum(1)

    return check_kl(kl, form="diagonal")


@wrong(
    "exp(logvar/2), standard deviations, where variances are due everywhere",
    says=r"(exp\(logvar/2\)|standard deviations?|not squared)[^.]*(variance|σ)",
)
def deviations_for_variances() -> Evidence:
    def kl(m0: Any, l0: Any, m1: Any, l1: Any) -> Any:
        s0, s1 = np.exp(0.5 * l0), np.exp(0.5 * l1)
        return 0.5 * (l1 - l0 + (s0 + (m0 - m1) ** 2) / s1 - 1).sum(1)

    return check_kl(kl, form="diagonal", parameterization="logvar")


@wrong("the squares are taken before the difference", says=r"μ1² - μ0²|μ0² - μ1²")
def squares_before_difference() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        gap = (m0**2 - m1**2).sum(1)
        d = m0.shape[1]
        s0, s1 = s0[:, 0], s1[:, 0]
        return d * (np.log(s1) - np.log(s0)) + (d * s0**2 + gap) / (2 * s1**2) - d / 2

    return check_kl(kl)


@wrong("log det C0/det C1: the quotient is upside down", says=r"log term[^.]*wrong sign")
def full_log_upside_down() -> Evidence:
    def kl(m0: Any, c0: Any, m1: Any, c1: Any) -> Any:
        out = []
        for a, p, b, q in zip(m0, c0, m1, c1, strict=True):
            inverse = np.linalg.inv(q)
            log = np.log(np.linalg.det(p) / np.linalg.det(q))
            out.append(np.trace(inverse @ p) + (b - a) @ inverse @ (b - a) - len(a) + log)
        return np.array(out) / 2

    return check_kl(kl, form="full")


@wrong(
    "JAX: the 1/2 of the log-determinants is missing",
    says=r"log[^.]*(1/2|doubled|2 times)|(1/2|doubled|2 times)[^.]*log",
    needs="jax",
)
def jax_log_without_half() -> Evidence:
    import jax.numpy as jnp

    def kl(m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
        quadratic = (v0 + (m0 - m1) ** 2) / v1
        return jnp.sum(jnp.log(v1) - jnp.log(v0) + 0.5 * quadratic - 0.5, axis=-1)

    given = {"parameterization": "variance", "framework": "jax", "dtype": "float32"}
    return check_kl(kl, form="diagonal", **given)


# -- a third set, of reports and libraries ---------------------------------------------------------

VAE = {"form": "diagonal", "parameterization": "logvar", "against": "standard"}


@wrong("the prior is N(0, 1/4)", says=r"prior has the variance 0\.25")
def narrow_prior() -> Evidence:
    def kl(mu: Any, logvar: Any) -> Any:
        prior = 0.25
        return 0.5 * ((mu**2 + np.exp(logvar)) / prior - 1 - logvar + np.log(prior)).sum(1)

    return check_kl(kl, **VAE)


@wrong(
    "graph autoencoders: log-std for log-variance, and divided by the number of nodes",
    says=r"read as log standard deviations.*number of rows",
)
def graph_autoencoder() -> Evidence:
    def kl(mu: Any, logstd: Any) -> Any:
        each = 1 + 2 * logstd - mu**2 - np.exp(logstd) ** 2
        return -0.5 / len(mu) * each.sum(1)

    return check_kl(kl, **VAE)


@wrong(
    "residual form: the arguments are differences to the prior, and are passed as they are",
    says=r"without μ1.*not divided by σ1².*log σ1² is left out",
)
def residual_posterior() -> Evidence:
    def kl(delta_mu: Any, delta_logvar: Any, mu: Any, logvar: Any) -> Any:
        inner = 1 + delta_logvar - delta_mu**2 / np.exp(logvar) - np.exp(delta_logvar)
        return -0.5 * inner.sum(1)

    return check_kl(kl, form="diagonal", parameterization="logvar")


@wrong("the constant of steps T for that of dimensions", says=r"constant is -5, once, where -½ d")
def constant_of_steps() -> Evidence:
    def kl(mu: Any, sigma: Any) -> Any:
        steps = 10
        return 0.5 * (mu**2 + sigma**2 - 2 * np.log(sigma)).sum(1) - steps * 0.5

    return check_kl(kl, form="diagonal", against="standard")


@wrong("slogdet's sign for its logarithm", says=r"log term ½ log det C1/det C0 is left out")
def sign_of_the_determinant() -> Evidence:
    def kl(m0: Any, c0: Any, m1: Any, c1: Any) -> Any:
        inverse, gap = np.linalg.inv(c1), m1 - m0
        trace = np.trace(inverse @ c0, axis1=1, axis2=2)
        distance = np.einsum("ni,nij,nj->n", gap, inverse, gap)
        logs = np.linalg.slogdet(c1)[0] - np.linalg.slogdet(c0)[0]
        return 0.5 * (trace + distance - gap.shape[1] + logs)

    return check_kl(kl, form="full")


@wrong("only the inverse's diagonal in the distance", says=r"inverse's diagonal alone")
def entrywise_distance() -> Evidence:
    def kl(m0: Any, c0: Any, m1: Any, c1: Any) -> Any:
        inverse, gap = np.linalg.inv(c1), m1 - m0
        distance = (gap**2 * np.diagonal(inverse, axis1=1, axis2=2)).sum(1)
        logs = np.log(np.linalg.det(c1) / np.linalg.det(c0))
        return 0.5 * ((inverse * c0).sum((1, 2)) + distance - gap.shape[1] + logs)

    return check_kl(kl, form="full")


@wrong("½ log 2π is kept in one of the densities", says=r"log 2π")
def constant_of_a_density() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        d = m0.shape[1]
        rest = s0**2 / (2 * s1**2) - 0.5 + np.log(s1 / s0) + 0.5 * np.log(2 * np.pi)
        return ((m0 - m1) ** 2 / (2 * s1**2)).sum(1) + d * rest[:, 0]

    return check_kl(kl)


@wrong("1e-6 below the quotients alone", says=r"1e-06 is added to the variances of the second")
def epsilon_below() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        below = 2 * (s1**2 + 1e-6)
        return (np.log(s1 / s0) + (s0**2 + (m0 - m1) ** 2) / below - 0.5).sum(1)

    return check_kl(kl, form="diagonal")


@wrong("σ0 is added before the square", says=r"mean term|σ0 \+", known="the place is said alone")
def squared_sum() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        return (np.log(s1 / s0) + (s0 + m0 - m1) ** 2 / (2 * s1**2) - 0.5).sum(1)

    return check_kl(kl, form="diagonal")


@wrong("the densities are compared at the mean alone", says=r"trace term.*left out.*-½ d.*left out")
def densities_at_the_mean() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        return (np.log(s1 / s0) + (m0 - m1) ** 2 / (2 * s1**2)).sum(1)

    return check_kl(kl, form="diagonal")
