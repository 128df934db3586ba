"""Wrong KL divergences of Gaussians, as variational code writes them."""

from __future__ import annotations

from typing import Any

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_kl


def _torch() -> Any:
    import torch

    return torch


def _vae(loss: Any, **options: Any) -> Evidence:
    """A VAE's regulariser in torch, of mean and log-variance."""
    given = {"parameterization": "logvar", "framework": "torch", "reduction": "none"} | options
    return check_kl(loss, form="diagonal", against="standard", **given)


# -- the VAE's regulariser -------------------------------------------------------------------------


@wrong("the factor 1/2 is missing", says=r"factor 1/2 is missing|doubled|2 times", needs="torch")
def vae_without_half() -> Evidence:
    return _vae(lambda mu, logvar: -(1 + logvar - mu.pow(2) - logvar.exp()).sum(-1))


@wrong(
    "mean over the latent dimensions, not their sum",
    says=r"average over the dimensions|1/d\b",
    needs="torch",
)
def vae_mean_over_latents() -> Evidence:
    return _vae(lambda mu, logvar: -0.5 * (1 + logvar - mu.pow(2) - logvar.exp()).mean(-1))


@wrong(
    "-0.5 over the first terms alone: the exponential has no 1/2",
    says=r"trace.*(1/2|twice|double)|(twice|2 times)[^.]*(trace|v0|σ0²|variance)",
    needs="torch",
)
def vae_half_over_first_terms() -> Evidence:
    return _vae(lambda mu, logvar: (-0.5 * (1 + logvar - mu**2) + logvar.exp()).sum(-1))


@wrong("(log σ)² for log σ²", says=r"log[^.]*square", needs="torch")
def vae_log_squared() -> Evidence:
    def kl(mu: Any, sigma: Any) -> Any:
        return 0.5 * (mu**2 + sigma**2 - 1.0 - sigma.log() ** 2).sum(1)

    return _vae(kl, parameterization="std")


@wrong(
    "exp(log σ) for its square: a log-std, whose exponential is not squared",
    says=r"(exp\(logvar/2\)|exp of half|standard deviation)[^.]*variance|square",
    needs="torch",
)
def vae_exp_not_squared() -> Evidence:
    return _vae(lambda mu, logvar: -0.5 * (1 + logvar - mu**2 - (0.5 * logvar).exp()).sum(1))


@wrong(
    "log-variance read as log-std",
    says=r"log-?var\S* (are )?read as log[- ]?(std|standard)",
    needs="torch",
)
def vae_logvar_as_logstd() -> Evidence:
    return _vae(lambda mu, logvar: -0.5 * (1 + 2 * logvar - mu**2 - logvar.exp() ** 2).sum(1))


@wrong(
    "the -1 taken once, not once a dimension",
    says=r"(-1|constant|-d|d/2)[^.]*(once|dimension)",
    needs="torch",
)
def vae_minus_one_once() -> Evidence:
    return _vae(lambda mu, logvar: 0.5 * (mu**2 + logvar.exp() - logvar).sum(1) - 0.5)


@wrong(
    "the mean is not squared",
    says=r"(mean|μ)[^.]*not squared|square[^.]*(missing|left out)",
    needs="torch",
)
def vae_mean_not_squared() -> Evidence:
    return _vae(lambda mu, logvar: -0.5 * (1 + logvar - mu - logvar.exp()).sum(1))


@wrong("the mean term is missing", says=r"(mean|distance)[^.]*(missing|left out)", needs="torch")
def vae_without_mean() -> Evidence:
    return _vae(lambda mu, logvar: -0.5 * (1 + logvar - logvar.exp()).sum(1))


@wrong("log-variance clamped to [-2, 2]", says=r"clamp[^.]*2\b", needs="torch")
def vae_clamped_logvar() -> Evidence:
    def kl(mu: Any, logvar: Any) -> Any:
        logvar = logvar.clamp(-2.0, 2.0)
        return -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1)

    return _vae(kl)


@wrong("softplus for exp", says=r"softplus", needs="torch")
def vae_softplus() -> Evidence:
    def kl(mu: Any, rho: Any) -> Any:
        std = _torch().nn.functional.softplus(rho)
        return (-std.log() + 0.5 * (std**2 + mu**2) - 0.5).sum(1)

    return _vae(kl)


@wrong(
    "mean over the batch where its sum is due",
    says=r"averaged where it is to be summed|mean[^.]*batch[^.]*sum",
    needs="torch",
)
def vae_mean_for_sum() -> Evidence:
    def kl(mu: Any, logvar: Any) -> Any:
        return (-0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1)).mean()

    return _vae(kl, reduction="sum")


@wrong("mean over batch and dimensions", says=r"dimensions|1/d\b", needs="torch")
def vae_mean_over_all() -> Evidence:
    def kl(mu: Any, logvar: Any) -> Any:
        return -0.5 * _torch().mean(1 + logvar - mu**2 - logvar.exp())

    return _vae(kl, reduction="mean")


@wrong("the sign of the whole is wrong", says=r"wrong sign|negative|-1 times", needs="torch")
def vae_elbo_sign() -> Evidence:
    return _vae(lambda mu, logvar: 0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(1))


@wrong("free bits: each coordinate at least 0.25", says=r"free[_ ]bits|0\.25", needs="torch")
def vae_free_bits() -> Evidence:
    def kl(mu: Any, logvar: Any) -> Any:
        each = -0.5 * (1 + logvar - mu**2 - logvar.exp())
        return each.clamp(min=0.25).sum(1)

    return _vae(kl)


@wrong(
    "variances are passed, and read as standard deviations",
    says=r"variances?( are)? read as (std|standard)",
    needs="torch",
)
def vae_variance_as_std() -> Evidence:
    def kl(mu: Any, sigma: Any) -> Any:
        return 0.5 * (mu**2 + sigma**2 - 1 - (sigma**2).log()).sum(1)

    return _vae(kl, parameterization="variance")


# -- two diagonal laws -----------------------------------------------------------------------------


def _normal_kl(mean1: Any, logvar1: Any, mean2: Any, logvar2: Any, xp: Any = np) -> Any:
    return 0.5 * (
        -1.0
        + logvar2
        - logvar1
        + xp.exp(logvar1 - logvar2)
        + (mean1 - mean2) ** 2 * xp.exp(-logvar2)
    )


@wrong("arguments reversed", says=r"KL\(N_1 ‖ N_0\)|reverse|exchanged")
def normal_kl_reversed() -> Evidence:
    def kl(m0: Any, l0: Any, m1: Any, l1: Any) -> Any:
        return _normal_kl(m1, l1, m0, l0).sum(axis=-1)

    return check_kl(kl, form="diagonal", parameterization="logvar")


@wrong("bits: divided by ln 2", says=r"bits")
def normal_kl_in_bits() -> Evidence:
    def kl(*laws: Any) -> Any:
        return _normal_kl(*laws).sum(axis=-1) / np.log(2.0)

    return check_kl(kl, form="diagonal", parameterization="logvar")


@wrong("bits per dimension", says=r"(bits.*dimension|dimension.*bits|1/\(d ln 2\))")
def normal_kl_in_bits_per_dimension() -> Evidence:
    def kl(*laws: Any) -> Any:
        return _normal_kl(*laws).mean(axis=-1) / np.log(2.0)

    return check_kl(kl, form="diagonal", parameterization="logvar")


@wrong(
    "the distance is weighted by the first law's variance",
    says=r"divided by the first|first law's|σ0|C0",
    needs="torch",
)
def distance_over_first() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        log = _torch().log
        return (log(s1 / s0) + s0**2 / (2 * s1**2) + (m0 - m1) ** 2 / (2 * s0**2) - 0.5).sum(-1)

    return check_kl(kl, form="diagonal", framework="torch")


@wrong(
    "standard deviations are read as variances",
    says=r"std (are )?read as variance|standard deviations? (are )?(read|taken)[^.]*variance",
)
def std_as_variance() -> Evidence:
    def kl(m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
        return 0.5 * (np.log(v1 / v0) + (v0 + (m0 - m1) ** 2) / v1 - 1).sum(1)

    return check_kl(kl, form="diagonal")


@wrong("the log term is missing", says=r"log[^.]*(missing|left out)")
def log_left_out() -> Evidence:
    def kl(m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
        return 0.5 * ((v0 + (m0 - m1) ** 2) / v1 - 1).sum(1)

    return check_kl(kl, form="diagonal", parameterization="variance")


@wrong(
    "RVC: the trace term is missing (only the squared distance and the logs are there)",
    says=r"trace[^.]*(missing|left out)|σ0²/σ1²[^.]*(missing|left out)",
    needs="torch",
)
def trace_left_out() -> Evidence:
    def kl(m_q: Any, logs_q: Any, m_p: Any, logs_p: Any) -> Any:
        out = logs_p / 2 - logs_q / 2 - 0.5
        out += 0.5 * (m_q - m_p) ** 2 * _torch().exp(-logs_p)
        return out.sum(1)

    return check_kl(kl, form="diagonal", parameterization="logvar", framework="torch")


@wrong("log to base 10", says=r"base 10|log₁₀|1/ln 10")
def log_base_10() -> Evidence:
    def kl(m0: Any, v0: Any, m1: Any, v1: Any) -> Any:
        return 0.5 * (np.log10(v1 / v0) + (v0 + (m0 - m1) ** 2) / v1 - 1).sum(1)

    return check_kl(kl, form="diagonal", parameterization="variance")


@wrong("log base 2 in the log term alone", says=r"base 2|log₂|1/ln 2", needs="torch")
def log_base_2() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        torch = _torch()
        return (torch.log2(s1 / s0) + (s0**2 + (m0 - m1) ** 2) / (2 * s1**2) - 0.5).sum(1)

    return check_kl(kl, form="diagonal", framework="torch")


@wrong("absolute values of each coordinate's parts: |log σ1/σ0|", says=r"absolute value|abs|\|log")
def absolute_logarithm() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        return (np.abs(np.log(s1 / s0)) + (s0**2 + (m0 - m1) ** 2) / (2 * s1**2) - 0.5).sum(1)

    return check_kl(kl, form="diagonal")


@wrong(
    "each row uses the second law of the row before",
    says=r"rows?[^.]*(mixed|shifted|other|before|another)",
)
def rows_mixed() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        m1, s1 = np.roll(m1, 1, axis=0), np.roll(s1, 1, axis=0)
        return (np.log(s1 / s0) + (s0**2 + (m0 - m1) ** 2) / (2 * s1**2) - 0.5).sum(1)

    return check_kl(kl, form="diagonal")


@wrong("the last coordinate is left out", says=r"coordinate[^.]*(last|\b[36]\b)|last coordinate")
def last_coordinate_left_out() -> Evidence:
    def kl(*laws: Any) -> Any:
        return (
            _normal_kl(*laws)[:, :-1].sum(axis=-1)
            if laws[0].shape[1] > 1
            else _normal_kl(*laws).sum(axis=-1)
        )

    return check_kl(kl, form="diagonal", parameterization="logvar")


@wrong(
    "σ1 for σ1² under both",
    says=r"/σ1 stands where \S+ ?\(μ1 - μ0\)²/σ1² is due",
)
def second_scale_not_squared() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        return (np.log(s1 / s0) + (s0**2 + (m0 - m1) ** 2) / (2 * s1) - 0.5).sum(1)

    return check_kl(kl, form="diagonal")


# -- full covariances, isotropic laws --------------------------------------------------------------


def _full(m0: Any, c0: Any, m1: Any, c1: Any, trace: Any = None, precision: Any = None) -> Any:
    d, gap = m0.shape[1], m1 - m0
    precision = np.linalg.inv(c1) if precision is None else precision
    trace = np.trace(precision @ c0, axis1=1, axis2=2) if trace is None else trace
    mahalanobis = np.einsum("ni,nij,nj->n", gap, precision, gap)
    return 0.5 * (trace - d + mahalanobis + np.linalg.slogdet(c1)[1] - np.linalg.slogdet(c0)[1])


@wrong(
    "tr C0⁻¹C1 for tr C1⁻¹C0",
    says=r"tr C0⁻¹ ?C1 in place|trace[^.]*(inverted|upside down|exchanged)",
)
def full_trace_inverted() -> Evidence:
    def kl(m0: Any, c0: Any, m1: Any, c1: Any) -> Any:
        return _full(m0, c0, m1, c1, np.trace(np.linalg.inv(c0) @ c1, axis1=1, axis2=2))

    return check_kl(kl, form="full")


@wrong(
    "log-determinants from Cholesky factors without the factor 2",
    says=r"log[^.]*(half|0\.5|1/2|1/4)",
    needs="torch",
)
def full_cholesky_log_without_two() -> Evidence:
    def kl(m0: Any, c0: Any, m1: Any, c1: Any) -> Any:
        torch = _torch()
        l0, l1 = torch.linalg.cholesky(c0), torch.linalg.cholesky(c1)
        z = torch.linalg.solve_triangular(l1, (m1 - m0)[..., None], upper=False)[..., 0]
        m = torch.linalg.solve_triangular(l1, l0, upper=False)
        logs = [torch.diagonal(l, dim1=-2, dim2=-1).log().sum(-1) for l in (l1, l0)]
        return 0.5 * ((m**2).sum((-2, -1)) - m0.shape[1] + (z**2).sum(-1) + logs[0] - logs[1])

    return check_kl(kl, form="full", framework="torch")


@wrong(
    "the Mahalanobis distance uses C1, not its inverse",
    says=r"C1[^.]*(not its inverse|in place of C1⁻¹|for C1⁻¹)|multiplied by",
)
def full_not_inverted() -> Evidence:
    def kl(m0: Any, c0: Any, m1: Any, c1: Any) -> Any:
        gap = m1 - m0
        trace = np.trace(np.linalg.solve(c1, c0), axis1=1, axis2=2)
        mahalanobis = np.einsum("ni,nij,nj->n", gap, c1, gap)
        logs = np.linalg.slogdet(c1)[1] - np.linalg.slogdet(c0)[1]
        return 0.5 * (trace + mahalanobis - m0.shape[1] + logs)

    return check_kl(kl, form="full")


@wrong("-d is missing", says=r"-d is missing|-½? ?d[^.]*(missing|left out)")
def full_without_d() -> Evidence:
    return check_kl(lambda m0, *rest: _full(m0, *rest) + m0.shape[1] / 2, form="full")


@wrong(
    "the dimension is missing in the log term",
    says=r"dimension[^.]*log term|log[^.]*(dimension|not d times)",
)
def isotropic_log_without_d() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        d, s0, s1 = m0.shape[1], s0[:, 0], s1[:, 0]
        quadratic = ((m0 - m1) ** 2).sum(1) + d * s0**2
        return np.log(s1 / s0) + quadratic / (2 * s1**2) - d / 2

    return check_kl(kl)


@wrong("the distance is not squared: a norm", says=r"not squared|norm|square")
def isotropic_norm() -> Evidence:
    def kl(m0: Any, s0: Any, m1: Any, s1: Any) -> Any:
        d, s0, s1 = m0.shape[1], s0[:, 0], s1[:, 0]
        quadratic = np.linalg.norm(m0 - m1, axis=1) + d * s0**2
        return d * np.log(s1 / s0) + quadratic / (2 * s1**2) - d / 2

    return check_kl(kl)
