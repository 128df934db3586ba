"""Bounds to make mistakes in: guided-diffusion's in NumPy and PyTorch, with parts to exchange."""

from __future__ import annotations

import numpy as np
from scipy.special import ndtr

BETAS = np.linspace(1e-4, 0.02, 1000)


def normal_kl(mean1, logvar1, mean2, logvar2):
    return 0.5 * (
        -1.0
        + logvar2
        - logvar1
        + np.exp(logvar1 - logvar2)
        + (mean1 - mean2) ** 2 * np.exp(-logvar2)
    )


def discretized(x, means, log_scales, half=1 / 255, cdf=ndtr, open_ends=True):
    """log P of the bin of x."""
    centered, inv = x - means, np.exp(-log_scales)
    above, below = cdf(inv * (centered + half)), cdf(inv * (centered - half))
    if open_ends:
        above = np.where(x > 0.999, 1.0, above)
        below = np.where(x < -0.999, 0.0, below)
    return np.log(np.maximum(above - below, 1e-12))


class Diffusion:
    """Tables, and the terms in bits per dimension; what is to be wrong is overwritten."""

    variance = "fixed_small"
    kl = staticmethod(normal_kl)
    nll = staticmethod(discretized)
    scale = staticmethod(lambda logvar: 0.5 * logvar)
    log2 = np.log(2.0)
    last = 0

    def __init__(self, betas=BETAS):
        self.betas = betas
        self.num_timesteps = len(betas)
        alphas = 1 - betas
        self.bar = np.cumprod(alphas)
        self.prev = np.append(1.0, self.bar[:-1])
        self.posterior_variance = betas * (1 - self.prev) / (1 - self.bar)
        self.logvar = np.log(np.append(self.posterior_variance[1], self.posterior_variance[1:]))
        self.coef1 = betas * np.sqrt(self.prev) / (1 - self.bar)
        self.coef2 = (1 - self.prev) * np.sqrt(alphas) / (1 - self.bar)

    def at(self, table, t, x):
        return np.asarray(table)[t].reshape((-1,) + (1,) * (x.ndim - 1))

    def q_posterior(self, x_start, x_t, t):
        return self.at(self.coef1, t, x_t) * x_start + self.at(self.coef2, t, x_t) * x_t

    def true_logvar(self, t, x):
        return self.at(self.logvar, t, x)

    def model_logvar(self, second, t, x):
        if self.variance == "learned_range":
            part = (second + 1) / 2
            low, high = self.at(self.logvar, t, x), self.at(np.log(self.betas), t, x)
            return part * high + (1 - part) * low
        return self.at(self.logvar, t, x)

    def flat(self, x):
        return x.reshape(len(x), -1).mean(axis=1)

    def vb_terms_bpd(self, model, x_start, x_t, t):
        out = model(x_t, t)
        second = None
        if self.variance.startswith("learned"):
            out, second = np.split(out, 2, axis=1)
        a, s = self.at(np.sqrt(self.bar), t, x_t), self.at(np.sqrt(1 - self.bar), t, x_t)
        mean = self.q_posterior((x_t - s * out) / a, x_t, t)
        logvar = self.model_logvar(second, t, x_t) + 0 * x_t
        true_mean = self.q_posterior(x_start, x_t, t)
        kl = self.flat(self.kl(true_mean, self.true_logvar(t, x_t), mean, logvar)) / self.log2
        nll = -self.flat(self.nll(x_start, mean, self.scale(logvar))) / self.log2
        return {"output": np.where(t == self.last, nll, kl), "pred_xstart": x_start}

    def prior_bpd(self, x_start):
        kl = self.kl(np.sqrt(self.bar[-1]) * x_start, np.log(1 - self.bar[-1]), 0.0, 0.0)
        return self.flat(kl) / np.log(2.0)

    def q_sample(self, x_start, t, noise):
        return (
            self.at(np.sqrt(self.bar), t, x_start) * x_start
            + self.at(np.sqrt(1 - self.bar), t, x_start) * noise
        )

    def calc_bpd_loop(self, model, x_start, rng):
        vb = []
        for k in range(self.num_timesteps)[::-1]:
            t = np.full(len(x_start), k)
            x_t = self.q_sample(x_start, t, rng.standard_normal(x_start.shape))
            vb.append(self.vb_terms_bpd(model, x_start, x_t, t)["output"])
        vb, prior = np.stack(vb, axis=1), self.prior_bpd(x_start)
        return {"total_bpd": self.total(vb, prior), "prior_bpd": prior, "vb": vb}

    def total(self, vb, prior):
        return vb.sum(axis=1) + prior
