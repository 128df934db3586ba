"""Wrong correctors whose steps follow x, whose noise is used twice, or that have no step size."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_corrector


@wrong("a step size that follows the score", says=r"the step size depends on x\. Add h ∇e\(x\)")
def normalised_score():
    def step(score, x, step_size, rng):
        s = score(x)
        own = step_size / (0.3 + np.linalg.norm(s, axis=1, keepdims=True))
        return x + own * s + np.sqrt(2 * own) * rng.standard_normal(x.shape)

    return check_corrector(step)


@wrong("the divergence of a scalar metric is missing", says=r"the step size depends on x")
def metric_without_divergence():
    import torch

    def step(grad, x, eps):
        for _ in range(2):
            metric = 1 + 0.3 * torch.sigmoid(x.sum(1, keepdim=True))
            drift = eps * metric * grad(x)
            x = x + drift + (2 * eps * metric) ** 0.5 * torch.randn_like(x)
        return x

    return check_corrector(step, framework="torch")


@wrong("√(2b) in a pCN step", says=r"1\.25 times the covariance that keeps p_t beside its drift")
def langevin_noise_in_pcn():
    def pcn(x, mean, cov, rng, b=0.4):
        root = np.linalg.cholesky(cov)
        noise = rng.standard_normal(x.shape) @ root.T
        return mean + (1 - b) * (x - mean) + np.sqrt(2 * b) * noise

    return check_corrector(pcn)


@wrong("independent draws, the covariance three times", says=r"has 3 times the covariance")
def wide_draws():
    def draw(x, mean, cov, rng):
        z = rng.standard_normal(x.shape)
        return mean + z @ np.linalg.cholesky(3 * cov).T

    return check_corrector(draw)


@wrong("pCN about 0", says=r"the covariance is kept, and the mean is not")
def pcn_about_zero():
    def pcn(x, cov, rng, b=0.6):
        noise = rng.standard_normal(x.shape) @ np.linalg.cholesky(cov).T
        return np.sqrt(1 - b**2) * x + b * noise

    return check_corrector(pcn)


@wrong("one z in two steps", says=r"drawn once and used in each of its 2 steps")
def one_noise_in_two_steps():
    def corrector(x, score, h, rng):
        z = np.sqrt(h) * rng.normal(size=x.shape)
        for _ in range(2):
            x = x + h / 2 * score(x) + z
        return x

    return check_corrector(corrector)


@wrong("half of the drift, in a scheme of order ½", says=r"its variance is|√2|goes with noise √h")
def half_with_roots():
    def step(score, x, h, rng):
        drift = h / 2 * (1 + np.sqrt(h)) * score(x)
        return x + drift + np.sqrt(2 * h) * rng.standard_normal(x.shape)

    return check_corrector(step)


@wrong("√ε of NCSN without its ½, in a level of its own", says=r"√2 is missing in the noise")
def level_of_its_own():
    def anneal(x, scorenet, sigmas, rng, lr=1e-4):
        for sigma in sigmas:
            step = lr * (sigma / sigmas[-1]) ** 2
            for _ in range(2):
                x = x + step * scorenet(x, sigma) + np.sqrt(step) * rng.standard_normal(x.shape)
        return x

    return check_corrector(lambda x, scorenet, rng: anneal(x, scorenet, [0.9], rng))
