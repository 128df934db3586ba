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
)
def normal_of_variances() -> Evidence:
    def kl(mu0: Any, v0: Any, mu1: Any, v1: Any) -> Any:
        return _normal_kl(mu0, v0, mu1, v1).sum(-1)

    return check_kl(kl, form="diagonal", parameterization="variance", framework="torch")


@wrong(
    "covariances are given to MultivariateNormal as precision_matrix",
    says=r"covariances? (are )?read as precision",
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


@wrong("the square root of the divergence", says=r"square root|√")
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


@wrong("JAX: variances are floored at 0.01", says=r"at least 0\.01|clamp[^.]*0\.01")
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
