"""Tweedie's formula in floating point: atoms and mixtures in many dimensions, and real data as the
prior.

The score is always the derivative of log p_Y, by the complex step; it never comes from a posterior
mean. Errors are relative to the size of the posterior mean (or covariance), maximum norm.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scoreproof.claims.tweedie.statement import Posterior
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.complex_step import gradient
from scoreproof.numerics.linear import random_covariance
from scoreproof.objects.empirical import Atoms
from scoreproof.objects.mixtures import GaussianMixture

__all__ = ["atoms", "digits", "mixtures"]

EPS = float(np.finfo(float).eps)
_NO_COVARIANCE = "only the posterior mean is looked at here"
_COVARIANCE_FAULTS = (
    "hessian_minus",
    "hessian_one_cov",
    "covariance_without_noise",
    "covariance_of_noise",
)


@dataclass(frozen=True)
class NoisyData:
    """Atoms, the noise's covariance and the points y at which the two sides are compared."""

    prior: Atoms
    cov: np.ndarray
    y: np.ndarray
    where: str = ""


#: Everything in these units too: a limit to a score, a point or a covariance shows in one of them.
UNITS = {"in thousandths": 1e-3, "in thousands": 1e3}


def _random_atoms(
    rng: np.random.Generator, d: int, n: int, m: int, condition: float, unit: float = 1.0
) -> NoisyData:
    # atoms spread in the metric of the noise: closer to each other than about two standard
    # deviations in every dimension, so that the softmax has several effective atoms in any d
    cov = unit**2 * random_covariance(rng, d, condition)
    prior = Atoms(rng.standard_normal((n, d)) @ np.linalg.cholesky(cov).T * (1.5 / np.sqrt(d)))
    return NoisyData(prior, cov, prior.noised(cov).noisy(rng, m))


def _atoms(profile: str) -> tuple[Instance, ...]:
    sizes = {
        "faults": ((3, 12, 8, 4.0),),
        "quick": ((10, 40, 16, 20.0),),
        "default": ((10, 40, 16, 20.0), (1000, 60, 4, 20.0)),
    }
    chosen = tuple(
        Instance(
            f"{n} atoms in R^{d}, condition {c:g}",
            partial(_random_atoms, d=d, n=n, m=m, condition=c),
        )
        for d, n, m, c in sizes.get(profile, (*sizes["default"], (1000, 500, 16, 1e3)))
    )
    if profile == "faults":
        return chosen
    return chosen + tuple(
        Instance(name, partial(_random_atoms, d=3, n=12, m=8, condition=4.0, unit=unit))
        for name, unit in UNITS.items()
    )


def mean_bound(cov: np.ndarray, exponent: float, terms: int, eps: float = EPS) -> float:
    """Rounding in ``y + Σ ∇log p`` against a softmax average, relative to the largest posterior
    mean.

    A softmax weight inherits the absolute rounding of its exponent (``eps`` times its size) and of
    a sum of ``terms``; the whitening and its inverse cost the square root of the condition number
    of Σ each.
    """
    return eps * (exponent + np.log2(terms) + len(cov) + np.linalg.cond(cov))


def _compare_means(subject: Posterior, data: NoisyData) -> Evidence:
    law = data.prior.noised(data.cov)
    score = gradient(law.log_density, data.y)
    truth = law.posterior_mean(data.y)
    scale = float(np.max(np.abs(truth)) + np.max(np.abs(data.y)))
    error = float(np.max(np.abs(subject.mean(data.y, score, data.cov) - truth))) / scale
    perplexity = law.perplexity(data.y)
    spread = f"{perplexity.min():.1f} to {perplexity.max():.1f} of {data.prior.size}"
    return Evidence.measured(
        error,
        mean_bound(data.cov, law.exponent(data.y), data.prior.size),
        f"y + Σ ∇log p_Y(y) against the softmax average of {data.prior.size} atoms in"
        f" R^{data.prior.dimension} at {len(data.y)} points (softmax perplexity"
        f" {spread}){data.where}",
        cost={"evaluations": data.y.size},
    )


@check(
    kind="float",
    instances=_atoms,
    blind=dict.fromkeys(_COVARIANCE_FAULTS, _NO_COVARIANCE),
    probes=("score", "y"),
)
def atoms(subject: Posterior, data: NoisyData, rng: Any) -> Evidence:
    """Random atoms with a full covariance: the complex-step gradient of log p_Y against the softmax
    average of the atoms, at points whose softmax perplexity lies between 2 and n/2.
    """
    return _compare_means(subject, data)


def _digits(rng: np.random.Generator, c: float, m: int) -> NoisyData | None:
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        return None
    points = load_digits().data / 16.0
    prior = Atoms(points)
    # three pixels are constant over the whole set: without a ridge Σ is singular
    cov = c * (prior.covariance() + 1e-2 * np.eye(64))
    where = (
        f"; scikit-learn's handwritten digits as the prior, Σ = {c:g}·(their covariance + 0.01 I)"
    )
    return NoisyData(prior, cov, prior.noised(cov).noisy(rng, m), where)


def _digit_instances(profile: str) -> tuple[Instance, ...]:
    m = {"faults": 2, "quick": 4, "default": 8}.get(profile, 64)
    scales = (4.0,) if profile in ("faults", "quick") else (4.0, 10.0, 30.0)
    return tuple(Instance(f"digits, c = {c:g}", partial(_digits, c=c, m=m)) for c in scales)


@check(
    kind="float",
    instances=_digit_instances,
    blind=dict.fromkeys(_COVARIANCE_FAULTS, _NO_COVARIANCE),
    requires="data",
    real_input=True,
)
def digits(subject: Posterior, data: NoisyData | None, rng: Any) -> Evidence:
    """Real data: the 1797 handwritten digits of scikit-learn are the prior, in 64 dimensions, and
    the exact posterior mean of a noisy digit is compared with y + Σ ∇log p_Y(y); the score is the
    complex-step derivative of log p_Y.
    """
    if data is None:
        return Evidence.not_run(
            "float", "scikit-learn is not installed; run: pip install scikit-learn"
        )
    return _compare_means(subject, data)


@dataclass(frozen=True)
class NoisyMixture:
    """A Gaussian mixture, the noise's covariance and the points y."""

    prior: GaussianMixture
    cov: np.ndarray
    y: np.ndarray


def _random_mixture(
    rng: np.random.Generator, d: int, k: int, m: int, condition: float, unit: float = 1.0
) -> NoisyMixture:
    cov = unit**2 * random_covariance(rng, d, condition)
    means = unit * rng.standard_normal((k, d)) * (1.5 / np.sqrt(d))
    weights = rng.dirichlet(np.full(k, 5.0))
    covariances = np.stack([random_covariance(rng, d, condition) for _ in range(k)])
    prior = GaussianMixture(weights, means, unit**2 * covariances)
    return NoisyMixture(prior, cov, prior.noised(cov).sample(rng, m))


def _mixtures(profile: str) -> tuple[Instance, ...]:
    sizes = {
        "faults": ((3, 2, 6, 4.0),),
        "quick": ((8, 3, 8, 20.0),),
        "default": ((8, 3, 8, 20.0), (100, 3, 4, 20.0)),
    }
    chosen = tuple(
        Instance(
            f"{k} Gaussians in R^{d}, condition {c:g}",
            partial(_random_mixture, d=d, k=k, m=m, condition=c),
        )
        for d, k, m, c in sizes.get(profile, (*sizes["default"], (300, 4, 4, 100.0)))
    )
    if profile == "faults":
        return chosen
    return chosen + tuple(
        Instance(name, partial(_random_mixture, d=3, k=2, m=6, condition=4.0, unit=unit))
        for name, unit in UNITS.items()
    )


@check(kind="float", instances=_mixtures, probes=("score", "y", "prior_covariance_term", "hessian"))
def mixtures(subject: Posterior, data: NoisyMixture, rng: Any) -> Evidence:
    """Gaussian mixtures with full covariances: the gradient (complex step) and Hessian of log p_Y
    against the posterior mean and covariance by a Kalman update of each component.
    """
    law = data.prior.noised(data.cov)
    score = gradient(law.log_density, data.y)
    hessian = law.hessian_log_density(data.y)
    mean, spread = (
        data.prior.posterior_mean(data.y, data.cov),
        data.prior.posterior_covariance(data.y, data.cov),
    )
    mean_error = np.max(np.abs(subject.mean(data.y, score, data.cov) - mean)) / (
        np.max(np.abs(mean)) + np.max(np.abs(data.y))
    )
    # the covariance is Σ plus a negative term: errors are relative to Σ
    spread_error = np.max(np.abs(subject.covariance(hessian, data.cov) - spread)) / np.max(
        np.abs(data.cov)
    )
    condition = max(float(np.linalg.cond(c)) for c in (data.cov, *law.covariances))
    # exponents are quadratic forms of about 2 d (and their maximum over components that matter)
    exponent = float(np.max(np.sum((data.y - law.mean()) ** 2, axis=1))) / float(
        np.linalg.eigvalsh(law.covariances[0])[0]
    )
    d = law.dimension
    bound = EPS * (exponent + d + 2 * condition)
    return Evidence.measured(
        float(max(mean_error, spread_error)),
        bound,
        f"posterior mean and covariance of {len(law.weights)} Gaussians in R^{d} at {len(data.y)}"
        " points",
        cost={"evaluations": data.y.size},
    )
