"""Wrong divergences, entropies and their like as reports of them tell: other scales, shared ones,
other quantities, other sums.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_kl

LOG_2_PI = float(np.log(2 * np.pi))


def _torch() -> Any:
    import torch

    return torch


def _distributions() -> Any:
    import torch.distributions

    return torch.distributions


# -- scales that are handed over otherwise ---------------------------------------------------------


@wrong(
    "spinningup's TRPO: 1e-3 is added to the variance of the second law below the fraction",
    says=r"0\.001 is added to the variances of the second law everywhere but in the logarithm",
)
def trpo_epsilon_below() -> Evidence:
    def diagonal_gaussian_kl(mu0: Any, log_std0: Any, mu1: Any, log_std1: Any) -> Any:
        var0, var1 = np.exp(2 * log_std0), np.exp(2 * log_std1)
        pre_sum = 0.5 * (((mu1 - mu0) ** 2 + var0) / (var1 + 1e-3) - 1) + log_std1 - log_std0
        return pre_sum.sum(axis=1)

    return check_kl(diagonal_gaussian_kl)


@wrong(
    "a TRPO of a book: the parenthesis closes before the division, σ0² is not divided by 2 σ1²",
    says=r"trace term, σ0² \(not divided by σ1²\) stands where",
    needs="torch",
)
def trpo_parenthesis() -> Evidence:
    def kl(mu0: Any, logstd0: Any, mu: Any, logstd: Any) -> Any:
        std0, std = logstd0.exp(), logstd.exp()
        each = logstd - logstd0 + (std0**2 + ((mu0 - mu) ** 2) / (2.0 * std**2)) - 0.5
        return each.sum(1)

    roles = ("mean0", "scale0", "mean1", "scale1")
    return check_kl(kl, given=roles, form="diagonal", parameterization="logstd", framework="torch")


@wrong(
    "Bayesian compression: a log-variance is taken for the log of a standard deviation",
    says=r"log-variances are read as log standard deviations.*parameterization=\"logstd\"",
    needs="torch",
)
def bayesian_layer_logvar() -> Evidence:
    def kl(weight_mu: Any, weight_logvar: Any) -> Any:
        each = -weight_logvar + 0.5 * (weight_logvar.exp().pow(2) + weight_mu.pow(2)) - 0.5
        return each.sum(1)

    return check_kl(
        kl, form="diagonal", parameterization="logvar", against="standard", framework="torch"
    )


@wrong(
    "a graph VAE: exp(logstd) is not squared, where the logarithm is doubled",
    says=r"trace term, ½ σ \(not squared\) stands where ½ σ² is due",
    needs="torch",
)
def graph_vae_logstd() -> Evidence:
    def kl(mean: Any, logstd: Any) -> Any:
        return -0.5 * (1 + 2 * logstd - mean**2 - logstd.exp()).sum(1)

    return check_kl(kl, framework="torch")


@wrong(
    "whitened Gaussian process: the Cholesky factor's diagonal alone in the trace",
    says=r"trace term, ½ \|L0/diag L1\|², of the diagonal|trace[^.]*Cholesky factor",
)
def whitened_process_trace() -> Evidence:
    def gauss_kl(q_mu: Any, q_sqrt: Any) -> Any:
        diagonal = np.diagonal(q_sqrt, axis1=1, axis2=2)
        trace = np.trace(q_sqrt, axis1=1, axis2=2)  # of L, where L Lᵀ is due
        log_det = np.log(diagonal**2).sum(1)
        return 0.5 * ((q_mu**2).sum(1) - q_mu.shape[1] - log_det + trace)

    return check_kl(gauss_kl)


@wrong(
    "a sparse Gaussian process: log det from Cholesky factors without the factor 2",
    says=r"log term ½ log det C1/det C0 is halved",
)
def process_log_det() -> Evidence:
    def gaussian_cholesky_kl(mu_1: Any, chol_1: Any, mu_2: Any, chol_2: Any) -> Any:
        m = np.linalg.solve(chol_2, chol_1)
        z = np.linalg.solve(chol_2, (mu_1 - mu_2)[:, :, None])
        logs = [np.log(np.diagonal(c, axis1=1, axis2=2)).sum(1) for c in (chol_2, chol_1)]
        quadratic = (m**2).sum((1, 2)) + (z**2).sum((1, 2)) - mu_1.shape[1]
        return 0.5 * (quadratic + logs[0] - logs[1])

    return check_kl(gaussian_cholesky_kl)


@wrong(
    "MultivariateNormal: L is transposed, Lᵀ L stands for L Lᵀ",
    says=r"Cholesky factors are taken as upper triangular: Lᵀ L for L Lᵀ",
    needs="torch",
)
def factor_transposed() -> Evidence:
    def kl(mu0: Any, L0: Any, mu1: Any, L1: Any) -> Any:
        normal = _distributions().MultivariateNormal
        laws = [normal(m, f.mT @ f) for m, f in ((mu0, L0), (mu1, L1))]
        return _distributions().kl_divergence(*laws)

    return check_kl(kl, framework="torch")


@wrong(
    "precisions are handed to Normal as its scale",
    says=r"precisions, 1/σ² are read as",
    needs="torch",
)
def precision_as_scale() -> Evidence:
    def kl(mu: Any, precision: Any) -> Any:
        d = _distributions()
        return d.kl_divergence(d.Normal(mu, precision), d.Normal(0.0, 1.0)).sum(-1)

    return check_kl(kl, framework="torch")


@wrong(
    "Bayes by backprop: softplus(rho) is taken for the variance",
    says=r"softplus makes σ of go through softplus, and what it gives is taken for σ²",
    needs="torch",
)
def bayes_by_backprop() -> Evidence:
    def kl(mu: Any, rho: Any) -> Any:
        var = _torch().nn.functional.softplus(rho)
        return 0.5 * (mu**2 + var - 1 - var.log()).sum(1)

    return check_kl(kl, framework="torch")


# -- laws that share a scale, or know it -----------------------------------------------------------


@wrong(
    "a posterior matching loss: σ of both laws is not squared",
    says=r"mean term, ½ \(μ1 - μ0\)²/σ1 stands where",
)
def shared_scale_not_squared() -> Evidence:
    return check_kl(lambda mu0, mu1, sigma: ((mu0 - mu1) ** 2 / (2 * sigma)).sum(1))


@wrong(
    "fixed variance: the squared error has no 1/2",
    says=r"mean term ½ Σ \(μ1 - μ0\)²/σ1² is doubled",
    needs="torch",
)
def fixed_scale_without_half() -> Evidence:
    def kl(mean_q: Any, mean_p: Any) -> Any:
        return ((mean_q - mean_p) ** 2).flatten(1).sum(1) / 0.2**2

    return check_kl(kl, fixed={"scale": 0.2}, framework="torch")


@wrong(
    "a wide prior N(0, 2²): its logarithm is left out",
    says=r"log σ1² is left out",
)
def prior_log_left_out() -> Evidence:
    def kl(mu: Any, std: Any) -> Any:
        return (0.5 * ((mu**2 + std**2) / 4.0 - 1) - np.log(std)).sum(1)

    return check_kl(kl, form="diagonal", fixed={"mean1": 0.0, "scale1": 2.0})


# -- sums and averages -----------------------------------------------------------------------------


@wrong(
    "keras' VAE: reduce_mean over everything where the sum over the latents is due",
    says=r"average over the dimensions where their sum is due \(1/d",
    needs="torch",
)
def mean_over_everything() -> Evidence:
    def kl(z_mean: Any, z_log_var: Any) -> Any:
        return -0.5 * (1 + z_log_var - z_mean.square() - z_log_var.exp()).mean()

    return check_kl(kl, reduction="mean", framework="torch")


@wrong(
    "guided diffusion: mean_flat is due, and the dimensions are summed",
    says=r"sum over the dimensions where their average is due",
)
def sum_for_mean_flat() -> Evidence:
    def kl(mean1: Any, logvar1: Any, mean2: Any, logvar2: Any) -> Any:
        squared = (mean1 - mean2) ** 2 * np.exp(-logvar2)
        kl = 0.5 * (-1.0 + logvar2 - logvar1 + np.exp(logvar1 - logvar2) + squared)
        return kl.sum(axis=(1, 2, 3)) / np.log(2.0)

    return check_kl(kl, shape=(3, 2, 2), dims="mean", units="bits")


@wrong(
    "bits per dimension without the ln 2",
    says=r"in nats where bits are due",
)
def nats_per_dimension() -> Evidence:
    def kl(mean1: Any, logvar1: Any, mean2: Any, logvar2: Any) -> Any:
        squared = (mean1 - mean2) ** 2 * np.exp(-logvar2)
        kl = 0.5 * (-1.0 + logvar2 - logvar1 + np.exp(logvar1 - logvar2) + squared)
        return kl.mean(axis=1)

    return check_kl(kl, dims="mean", units="bits")


@wrong(
    "kl_divergence of two Normals with its arguments in the wrong order",
    says=r"the two laws are exchanged: KL\(N_1 ‖ N_0\) in place of KL\(N_0 ‖ N_1\)",
    needs="torch",
)
def distributions_exchanged() -> Evidence:
    d = _distributions()
    return check_kl(lambda q, p: d.kl_divergence(p, q).sum(-1), law=d.Normal)


# -- entropies -------------------------------------------------------------------------------------


@wrong(
    "RLlib: the entropy of a diagonal Gaussian with log-variances for log standard deviations",
    says=r"term ½ Σ log σ² is doubled|log-variances are read as log standard deviations",
)
def entropy_of_log_variances() -> Evidence:
    def entropy(logvar: Any) -> Any:
        return (logvar + 0.5 * np.log(2.0 * np.pi * np.e)).sum(axis=1)

    return check_kl(entropy, quantity="entropy")


@wrong(
    "ML-Agents: log(2πe σ) with σ not squared",
    says=r"term ½ Σ log σ² is halved",
    needs="torch",
)
def entropy_not_squared() -> Evidence:
    def entropy(mean: Any, std: Any) -> Any:
        return 0.5 * (2 * np.pi * np.e * std).log().sum(1)

    return check_kl(entropy, quantity="entropy", framework="torch")


@wrong(
    "the entropy as -log of the density's height: the 1/2 of each dimension is missing",
    says=r"2π stands where 2πe is due",
)
def entropy_without_half() -> Evidence:
    return check_kl(lambda log_std: (log_std + 0.5 * LOG_2_PI).sum(1), quantity="entropy")


@wrong(
    "the entropy's constant once, not once a dimension",
    says=r"½ \(1 \+ log 2π\), once and not d times",
)
def entropy_constant_once() -> Evidence:
    def entropy(cov: Any) -> Any:
        return 0.5 * np.linalg.slogdet(cov)[1] + 0.5 * np.log(2 * np.pi * np.e)

    return check_kl(entropy, quantity="entropy")


@wrong("the log det has the wrong sign", says=r"log det C has the wrong sign")
def entropy_of_precisions() -> Evidence:
    def entropy(cov: Any) -> Any:
        d = cov.shape[1]
        return 0.5 * (d * np.log(2 * np.pi * np.e) + np.linalg.slogdet(np.linalg.inv(cov))[1])

    return check_kl(entropy, quantity="entropy")


@wrong(
    "Gaussian negative log-likelihood as a cross entropy: the first law's variance is left out",
    says=r"term ½ Σ σ0²/σ1² is left out",
)
def cross_entropy_of_the_mean() -> Evidence:
    def cross(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        return (0.5 * LOG_2_PI + np.log(s1) + (m0 - m1) ** 2 / (2 * s1**2)).sum(1)

    return check_kl(cross, quantity="cross_entropy", form="diagonal")


# -- both directions, and other orders -------------------------------------------------------------


@wrong(
    "symmetric KL of a reward: the average is due, and both directions are added",
    says=r"the sum of both directions, where the average of both directions is due",
)
def symmetric_added() -> Evidence:
    def kld(m1: Any, m2: Any, v1: Any, v2: Any) -> Any:
        return (0.5 * ((m1 - m2) ** 2 + (v1 + v2)) * (1 / v1 + 1 / v2) - 2).sum(1)

    return check_kl(kld, quantity="symmetric")


@wrong("Jeffreys as twice one direction", says=r"it is twice KL\(N_0 ‖ N_1\)")
def jeffreys_of_one_direction() -> Evidence:
    def kl(m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
        return (np.log(v1 / v0) + (v0 + (m0 - m1) ** 2) / v1 - 1).sum(1)

    return check_kl(kl, quantity="jeffreys", form="diagonal", parameterization="variance")


def _renyi(m0: Any, v0: Any, m1: Any, v1: Any, a: float, mixed: Any, factor: float) -> Any:
    logs = np.log(mixed) - (1 - a) * np.log(v0) - a * np.log(v1)
    return (a / 2 * (m0 - m1) ** 2 / mixed + factor * logs).sum(1)


@wrong(
    "Rényi: the weights of the two variances are exchanged",
    says=r"α σ0² \+ \(1 - α\) σ1²\) stands where",
)
def renyi_weights() -> Evidence:
    def kl(m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
        a = 0.3
        return _renyi(m0, v0, m1, v1, a, a * v0 + (1 - a) * v1, -1 / (2 * (a - 1)))

    return check_kl(kl, quantity="renyi", order=0.3, form="diagonal", parameterization="variance")


@wrong("Rényi: the factor 1/(α - 1) of the logarithm is left out", says=r"-log of the integral")
def renyi_without_factor() -> Evidence:
    def kl(m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
        a = 0.3
        mixed = a * v1 + (1 - a) * v0
        return (1 - a) * _renyi(m0, v0, m1, v1, a, mixed, -1 / (2 * (a - 1)))

    return check_kl(kl, quantity="renyi", order=0.3, form="diagonal", parameterization="variance")


@wrong(
    "Rényi of order 2 by determinants: a number where the divergence is infinite",
    says=r"divergence is infinite\. Return inf",
)
def renyi_where_it_is_infinite() -> Evidence:
    def kl(m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
        mixed = 2 * v1 - v0
        mean = ((m0 - m1) ** 2 / mixed).sum(1)
        return mean - 0.5 * np.log(np.prod(mixed, 1) * np.prod(v0, 1) / np.prod(v1, 1) ** 2)

    return check_kl(kl, quantity="renyi", order=2, form="diagonal", parameterization="variance")


@wrong(
    "Bhattacharyya: 1/8 over the sum of the variances, where it is over their mean",
    says=r"term ⅛ Σ \(μ1 - μ0\)²/σ\*² is halved",
)
def bhattacharyya_over_the_sum() -> Evidence:
    def distance(mu1: Any, sigma1: Any, mu2: Any, sigma2: Any) -> Any:
        both = sigma1**2 + sigma2**2
        return ((mu1 - mu2) ** 2 / both / 8 + np.log(both / (2 * sigma1 * sigma2)) / 2).sum(1)

    return check_kl(distance, quantity="bhattacharyya", form="diagonal")
