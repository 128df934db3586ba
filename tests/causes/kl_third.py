"""Wrong divergences: sizes known by heart, and terms over some of the coordinates."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_kl

VAE = {"form": "diagonal", "parameterization": "logvar", "against": "standard"}


def each(mu, logvar):
    return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar)


@wrong("the mean divides by a batch of 96", says=r"divided by one number.*the number is 96\b")
def batch_by_heart():
    return check_kl(lambda m, v: each(m, v).sum() / 96, reduction="mean", **VAE)


@wrong("the log term over the first half", says=r"in the log term only the first half")
def half_a_log():
    def kl(mu, logvar):
        half = max(1, logvar.shape[1] // 2)
        return 0.5 * ((mu**2 + np.exp(logvar) - 1).sum(1) - logvar[:, :half].sum(1))

    return check_kl(kl, **VAE)


@wrong("σ is kept at 1 or more", says=r"standard deviations are clamped to at least 1\b")
def sigma_at_least_one():
    def kl(mu, sigma):
        s = np.maximum(sigma, 1.0)
        return (0.5 * (mu**2 + s**2 - 1) - np.log(s)).sum(1)

    return check_kl(kl, **(VAE | {"parameterization": "std"}))


@wrong("softplus for the exponential", says=r"trace term.*softplus where the exponential is due")
def softplus_variance():
    def kl(mu, logvar):
        return 0.5 * (mu**2 + np.logaddexp(0, logvar) - 1 - logvar).sum(1)

    return check_kl(kl, **VAE)


@wrong("the distance from a capacity of 8", says=r"how far it is from a capacity.*capacity of 8")
def from_a_capacity():
    return check_kl(lambda m, v: np.abs(each(m, v).sum(1) - 8.0), **VAE)


@wrong("log-variances clamped at both ends", says=r"clamped to \[-5, 2\], at both ends")
def clamped_at_both_ends():
    return check_kl(lambda m, v: each(m, np.clip(v, -5, 2)).sum(1), **VAE)


@wrong("log-variances clamped far below and near above", says=r"clamped to at most 2")
def clamped_above_alone():
    return check_kl(lambda m, v: each(m, np.clip(v, -20, 2)).sum(1), **VAE)


@wrong("prior and posterior exchanged", says=r"if that is what is meant, pass quantity=.reverse")
def prior_first():
    def kl(post_mean, post_std, prior_mean, prior_std):
        ratio = (prior_std / post_std) ** 2
        apart = ((prior_mean - post_mean) / post_std) ** 2
        return 0.5 * (ratio + apart - 1 - np.log(ratio)).sum(axis=1)

    return check_kl(kl)


@wrong(
    "free bits of each coordinate's mean over the batch", says=r"each coordinate's mean over the"
)
def free_bits_of_batch_means():
    def kl(mu, logvar):
        return np.maximum(each(mu, logvar).mean(0), 0.25).sum()

    return check_kl(kl, reduction="mean", **VAE)


@wrong("μ² is clamped at 100", says=r"in the mean term μ² is clamped to at most 100\.")
def squared_mean_clamped():
    def kl(mu, logvar):
        return 0.5 * (np.minimum(mu**2, 100) + np.exp(logvar) - 1 - logvar).sum(1)

    return check_kl(kl, **VAE)


@wrong("(μ0 - μ1)² is clamped at 50", says=r"\(μ0 - μ1\)² is clamped to at most 50\.")
def squared_distance_clamped():
    def kl(mu0, std0, mu1, std1):
        apart = np.minimum((mu0 - mu1) ** 2, 50)
        return (np.log(std1 / std0) + (std0**2 + apart) / (2 * std1**2) - 0.5).sum(1)

    return check_kl(kl)


@wrong("0 for a batch of one row", says=r"a batch of one row gets 0")
def nothing_of_one_row():
    return check_kl(lambda m, v: each(m, v).sum(1) * (len(m) > 1), **VAE)


@wrong("channels are averaged", says=r"average over the axis of length 4 of a sample \(4, 3, 3\)")
def mean_over_channels():
    return check_kl(lambda mu, logvar: each(mu, logvar).sum((2, 3)).mean(1), shape=(4, 3, 3))


@wrong("a factor of 1 + 1e-7", says=r"is \(1 \+ 1e-07\) times what is due")
def all_but_due():
    return check_kl(lambda m, v: each(m, v).sum(1) * (1 + 1e-7), **VAE)
