"""Wrong posterior means whose parts are wrong one by one: a solve, a gain, a softmax by chunks."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import GaussianMixture, check_denoiser

RNG = np.random.default_rng(5)
ROOTS = RNG.standard_normal((3, 3, 3))
COVS = ROOTS @ ROOTS.transpose(0, 2, 1) / 2 + 0.2 * np.eye(3)
MEANS = 2 * RNG.standard_normal((3, 3))
WEIGHTS = np.array([0.2, 0.5, 0.3])
PRIOR = GaussianMixture(WEIGHTS, MEANS, COVS)
DATA = RNG.standard_normal((48, 4)) * [1.0, 0.6, 1.5, 0.8]
NOISE = 0.35


def normal(total, gap):
    factor = np.linalg.cholesky(total)
    white = np.linalg.solve(factor, gap.T)
    return -0.5 * (white**2).sum(0) - np.log(np.diag(factor)).sum()


def mixed(logs, parts):
    p = np.exp(logs - logs.max(0))
    return np.einsum("km,kmd->md", p / p.sum(0), parts)


def posterior(y, noise=NOISE, share=NOISE, determinant=None):
    """The mean, with a noise of its own in gains, in responsibilities, in their determinant."""
    logs, parts = [], []
    for w, m, c in zip(WEIGHTS, MEANS, COVS, strict=True):
        gap = y - m
        gain = c @ np.linalg.inv(c + noise * np.eye(3))
        log = np.log(w) + normal(c + share * np.eye(3), gap)
        if determinant is not None:
            log += np.linalg.slogdet(c + share * np.eye(3))[1] / 2 - determinant(c)
        logs.append(log)
        parts.append(m + gap @ gain.T)
    return mixed(np.array(logs), np.array(parts))


def score(y, solved):
    """The score with `solved(total, gap)` for (C + Σ)⁻¹ r."""
    logs, parts = [], []
    for w, m, c in zip(WEIGHTS, MEANS, COVS, strict=True):
        total, gap = c + NOISE * np.eye(3), y - m
        logs.append(np.log(w) + normal(total, gap))
        parts.append(-solved(total, gap))
    return mixed(np.array(logs), np.array(parts))


def chunked(y, parts, together):
    found = []
    for part in parts:
        logs = -((y[:, None] - DATA[part]) ** 2).sum(-1) / (2 * NOISE)
        p = np.exp(logs - logs.max(1, keepdims=True))
        found.append((p @ DATA[part], p.sum(1, keepdims=True), len(part)))
    return together(found)


@wrong("σ in place of σ² in the gain alone", says=r"gain.*(σ for σ²)")
def sigma_in_the_gain():
    return check_denoiser(lambda y: posterior(y, noise=NOISE**0.5), PRIOR, NOISE)


@wrong("σ in place of σ² in the responsibilities alone", says=r"responsibilities.*(σ for σ²)")
def sigma_in_the_responsibilities():
    return check_denoiser(lambda y: posterior(y, share=NOISE**0.5), PRIOR, NOISE)


@wrong("1.5 σ² in the gain alone", says=r"gains.*1\.5.*noise variance")
def more_noise_in_the_gain():
    return check_denoiser(lambda y: posterior(y, noise=1.5 * NOISE), PRIOR, NOISE)


@wrong("log det of the prior's covariances in the responsibilities", says=r"determinant|normalis")
def determinant_of_the_prior():
    return check_denoiser(
        lambda y: posterior(y, determinant=lambda c: np.linalg.slogdet(c)[1] / 2), PRIOR, NOISE
    )


@wrong("an ε network: one triangular solve missing", says=r"triangular solve.*missing")
def eps_one_solve():
    def eps(y):
        white = score(y, lambda s, r: np.linalg.solve(np.linalg.cholesky(s).T, r.T).T)
        return -(NOISE**0.5) * white

    return check_denoiser(eps, PRIOR, NOISE, prediction="eps")


@wrong("softmax per chunk of 7, the last one shorter", says=r"parts of the data, 7 at a time")
def chunks_of_seven():
    def together(found):
        return np.mean([a / b for a, b, _ in found], axis=0)

    parts = np.split(np.arange(48), range(7, 48, 7))
    return check_denoiser(lambda y: chunked(y, parts, together), DATA, NOISE)


@wrong("softmax on each of 3 devices, strided", says=r"every 3th|one of 3 parts")
def strided():
    def together(found):
        return np.mean([a / b for a, b, _ in found], axis=0)

    parts = [np.arange(i, 48, 3) for i in range(3)]
    return check_denoiser(lambda y: chunked(y, parts, together), DATA, NOISE)


@wrong(
    "each chunk's own maximum subtracted, sums added as they are",
    says=r"largest exponent.*(not made good|alone)",
)
def online_softmax_not_rescaled():
    def together(found):
        return sum(a for a, _, _ in found) / sum(b for _, b, _ in found)

    parts = np.array_split(np.arange(48), 5)
    return check_denoiser(lambda y: chunked(y, parts, together), DATA, NOISE)


@wrong("a VE denoiser is given x_t, not x_t/α", says=r"σ/α.*divide x by α")
def not_divided_by_alpha():
    alpha, sigma = 0.6, 0.8

    def denoise(x):
        logs = -((x[:, None] - DATA) ** 2).sum(-1) / (2 * (sigma / alpha) ** 2)
        p = np.exp(logs - logs.max(1, keepdims=True))
        return p @ DATA / p.sum(1, keepdims=True)

    return check_denoiser(denoise, DATA, sigma**2, alpha=alpha)


@wrong("responsibilities by the Euclidean distance |r|²/2", says=r"identity stands where C \+ Σ")
def euclidean_responsibilities():
    def denoise(y):
        logs, parts = [], []
        for w, m, c in zip(WEIGHTS, MEANS, COVS, strict=True):
            total, gap = c + NOISE * np.eye(3), y - m
            logs.append(np.log(w) - (gap**2).sum(1) / 2 - np.linalg.slogdet(total)[1] / 2)
            parts.append(m + gap @ np.linalg.inv(total) @ c)
        return mixed(np.array(logs), np.array(parts))

    return check_denoiser(denoise, PRIOR, NOISE)


@wrong("log responsibilities are a mean over the coordinates", says=r"responsibilit.*1/(3|d)")
def mean_of_log_responsibilities():
    def denoise(y):
        logs, parts = [], []
        for w, m, c in zip(WEIGHTS, MEANS, COVS, strict=True):
            total, gap = c + NOISE * np.eye(3), y - m
            logs.append((np.log(w) + normal(total, gap)) / 3)
            parts.append(m + gap @ np.linalg.inv(total) @ c)
        return mixed(np.array(logs), np.array(parts))

    return check_denoiser(denoise, PRIOR, NOISE)
