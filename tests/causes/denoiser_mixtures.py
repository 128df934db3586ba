"""Wrong posterior means of Gaussian mixtures: gains, responsibilities, covariances."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes.denoiser import softmax
from scoreproof import GaussianMixture, check_denoiser

PRIOR = GaussianMixture(
    [0.2, 0.5, 0.3],
    [[-1.5, 0.0, 0.5], [1.0, 1.2, -0.5], [0.3, -1.4, 1.0]],
    [
        np.diag([0.3, 0.6, 0.2]),
        np.array([[0.5, 0.1, 0.0], [0.1, 0.2, 0.05], [0.0, 0.05, 0.4]]),
        0.15 * np.eye(3),
    ],
)


@wrong("σ in place of σ² before the score", says=r"σ where σ² is due|square root of Σ")
def tweedie_with_sigma():
    cov = 0.49 * np.eye(3)
    score = PRIOR.noised(cov).score
    return check_denoiser(lambda y: y + 0.7 * score(y), PRIOR, cov)


@wrong(
    "the components' normalising constants (determinants) are left out",
    says=r"normalis|determinant",
)
def no_determinants():
    noise = 0.3 * np.eye(3)

    def denoise(y):
        logits, means = [], []
        for w, m, c in zip(PRIOR.weights, PRIOR.means, PRIOR.covariances, strict=True):
            total = c + noise
            gap = y - m
            logits.append(np.log(w) - 0.5 * np.sum(gap @ np.linalg.inv(total) * gap, axis=1))
            means.append(m + gap @ np.linalg.solve(total, c))
        r = softmax(np.array(logits).T)
        return np.einsum("mk,kmd->md", r, np.array(means))

    return check_denoiser(denoise, PRIOR, noise)


@wrong("responsibilities with the prior's covariances, without the noise", says=r"responsib")
def responsibilities_of_the_prior():
    noise = 0.3 * np.eye(3)

    def denoise(y):
        r = PRIOR.responsibilities(y) if hasattr(PRIOR, "responsibilities") else None
        means = []
        for m, c in zip(PRIOR.means, PRIOR.covariances, strict=True):
            means.append(m + (y - m) @ np.linalg.solve(c + noise, c))
        return np.einsum("mk,kmd->md", r, np.array(means))

    return check_denoiser(denoise, PRIOR, noise)


@wrong(
    "one Gaussian of the same mean and covariance (Wiener filter)",
    says=r"linear|Wiener|one Gaussian",
)
def wiener_filter():
    mean, cov = PRIOR.mean(), PRIOR.covariance()
    gain = cov @ np.linalg.inv(cov + 0.3 * np.eye(3))
    return check_denoiser(lambda y: mean + (y - mean) @ gain.T, PRIOR, 0.3)


@wrong("the prior's means are forgotten in the gain: μ + gain·y", says=r"μ is not subtracted")
def gain_without_mean():
    def denoise(y):
        r, means, _ = PRIOR.component_posteriors(y, 0.3 * np.eye(3))
        gains = [np.linalg.solve(c + 0.3 * np.eye(3), c).T for c in PRIOR.covariances]
        each = [m + y @ g.T for m, g in zip(PRIOR.means, gains, strict=True)]
        return sum(r[:, [k]] * each[k] for k in range(len(each)))

    return check_denoiser(denoise, PRIOR, 0.3)


@wrong(
    "y + σ² ∇log p with the gradient summed over a mean: σ²/n",
    says=r"score|term of|ε|1/64|0\.015625|x_0",
)
def mean_of_log_density():
    score = PRIOR.noised(0.49 * np.eye(3)).score
    return check_denoiser(lambda y: y + 0.49 * score(y) / 4, PRIOR, 0.49)


@wrong("the score's sign: y - σ² ∇log p", says=r"sign")
def score_subtracted():
    law = PRIOR.noised(0.4 * np.eye(3))
    return check_denoiser(lambda y: y - 0.4 * law.score(y), PRIOR, 0.4)


@wrong("the components' covariances are given as standard deviations", says=r"root|squared|C²")
def stds():
    prior = GaussianMixture(PRIOR.weights, PRIOR.means, [c @ c for c in PRIOR.covariances])
    return check_denoiser(lambda y: prior.posterior_mean(y, 0.3 * np.eye(3)), PRIOR, 0.3)


@wrong("the weights are in the wrong order", says=r"reverse order|weights .*0\.3.*0\.5.*0\.2")
def weight_order():
    prior = GaussianMixture(PRIOR.weights[::-1], PRIOR.means, PRIOR.covariances)
    return check_denoiser(lambda y: prior.posterior_mean(y, 0.3 * np.eye(3)), PRIOR, 0.3)


@wrong("the mixture's C is Cholesky L (not L Lᵀ)", says=r"rooted: standard deviations")
def deviations_for_variances():
    prior = PRIOR
    L = [np.diag(np.sqrt(np.diag(c))) for c in prior.covariances]
    p = GaussianMixture(prior.weights, prior.means, L)
    return check_denoiser(lambda y: p.posterior_mean(y, 0.3 * np.eye(3)), prior, 0.3)
