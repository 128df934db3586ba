"""Wrong bounds in continuous time, of variational diffusion models, and of VAEs."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_variational_bound


class Linear:
    """γ from -13.3 to 5, as in the paper's code."""

    def gamma(self, t):
        return -13.3 + 18.3 * t


def noised(x0, t, noise):
    gamma = Linear().gamma(t)[:, None]
    return x0 / np.sqrt(1 + np.exp(gamma)) + noise / np.sqrt(1 + np.exp(-gamma))


@wrong("VDM: the ½ is missing", says=r"factor ½ is missing")
def diffusion_without_half():
    def loss(model, x, t, eps):
        return 18.3 * ((eps - model(noised(x, t, eps), t)) ** 2).sum(axis=1)

    return check_variational_bound(loss, Linear())


@wrong("VDM: SNR(t) - SNR(s)", says=r"s and t are exchanged")
def s_and_t():
    def loss(model, x, t, eps):
        gamma = Linear().gamma
        square = ((eps - model(noised(x, t, eps), t)) ** 2).sum(axis=1)
        return 0.5 * 1000 * np.expm1(gamma(t - 1e-3) - gamma(t)) * square

    return check_variational_bound(loss, Linear(), steps=1000)


@wrong("VDM: T is missing", says=r"factor T is missing")
def diffusion_without_steps():
    def loss(model, x, t, eps):
        gamma = Linear().gamma
        square = ((eps - model(noised(x, t, eps), t)) ** 2).sum(axis=1)
        return 0.5 * np.expm1(gamma(t) - gamma(t - 1e-3)) * square

    return check_variational_bound(loss, Linear(), steps=1000)


@wrong("VDM: γ' is missing", says=r"γ'\(t\) is missing: it is ½")
def without_the_rate():
    def loss(model, x, t, eps):
        return 0.5 * ((eps - model(noised(x, t, eps), t)) ** 2).sum(axis=1)

    return check_variational_bound(loss, Linear())


@wrong("VDM: the weight of x before ε's square", says=r"weight is that of \|x - x̂\|²")
def weight_of_x():
    def loss(model, x, t, eps):
        square = ((eps - model(noised(x, t, eps), t)) ** 2).sum(axis=1)
        return 0.5 * 18.3 * np.exp(-Linear().gamma(t)) * square

    return check_variational_bound(loss, Linear())


@wrong("VDM: the prior's x is not scaled", says=r"takes x_0 for the mean")
def end_not_scaled():
    def loss_klz(x):
        var = 1 / (1 + np.exp(-Linear().gamma(1.0)))
        return 0.5 * (x**2 + var - np.log(var) - 1).sum(axis=1)

    return check_variational_bound(loss_klz, Linear(), term="L_T")


def latent(mu, logvar):
    return -0.5 * (1 + logvar - mu**2 - np.exp(logvar))


@wrong("VAE: mean square with a summed KL", says=r"mean square over.*summed: sum both")
def mean_square():
    def loss(recon_x, x, mu, logvar):
        return np.mean((recon_x - x) ** 2) + latent(mu, logvar).sum(axis=1).mean()

    return check_variational_bound(loss)


@wrong("VAE: MSE for -log p", says=r"it is the square \|x - x̂\|² alone|it is \|x - x̂\|² / σ²")
def square_alone():
    def loss(recon_x, x, mu, logvar):
        return ((recon_x - x) ** 2).sum() + latent(mu, logvar).sum()

    return check_variational_bound(loss)


@wrong("VAE: the constant of -log p", says=r"constant d/2 log\(2π σ²\).*is missing")
def no_constant():
    def loss(recon_x, x, mu, logvar):
        return 0.5 * ((recon_x - x) ** 2).sum(axis=1) + latent(mu, logvar).sum(axis=1)

    return check_variational_bound(loss)


@wrong("VAE: the KL is subtracted", says=r"KL has the wrong sign")
def kl_subtracted():
    def loss(recon_x, x, mu, logvar):
        square = 0.5 * ((recon_x - x) ** 2).sum(axis=1)
        return square - latent(mu, logvar).sum(axis=1)

    return check_variational_bound(loss, decoder="gaussian_up_to_constant")


@wrong("VAE: β = 4", says=r"KL is multiplied by 4")
def beta():
    def loss(recon_x, x, mu, logvar):
        square = 0.5 * ((recon_x - x) ** 2).sum(axis=1)
        return square + 4 * latent(mu, logvar).sum(axis=1)

    return check_variational_bound(loss, decoder="gaussian_up_to_constant")


@wrong("VAE: the KL is averaged over z", says=r"KL is averaged over the entries of z")
def kl_mean():
    def loss(recon_x, x, mu, logvar):
        cross = -(x * np.log(recon_x) + (1 - x) * np.log(1 - recon_x)).sum(axis=1)
        return cross + latent(mu, logvar).mean(axis=1)

    return check_variational_bound(loss, decoder="bernoulli")


@wrong("VAE: logvar as the log of σ", says=r"logvar is taken for the log of the standard deviation")
def log_std():
    def loss(recon_x, x, mu, logvar):
        cross = -(x * np.log(recon_x) + (1 - x) * np.log(1 - recon_x)).sum(axis=1)
        return cross + latent(mu, 2 * logvar).sum(axis=1)

    return check_variational_bound(loss, decoder="bernoulli")


@wrong("VAE: log(p + 1e-9)", says=r"1e-09 is added inside of the logs.*tolerance=1e-0")
def added_in_logs():
    def loss(recon_x, x, mu, logvar):
        cross = x * np.log(recon_x + 1e-9) + (1 - x) * np.log(1 - recon_x + 1e-9)
        return latent(mu, logvar).sum(axis=1) - cross.sum(axis=1)

    return check_variational_bound(loss, decoder="bernoulli")


@wrong(
    "VAE: the KL over all entries of the batch", says=r"KL is multiplied by .* = 1/35, the number"
)
def kl_over_the_batch():
    def loss(recon_x, x, mu, logvar):
        cross = -(x * np.log(recon_x) + (1 - x) * np.log(1 - recon_x)).sum()
        return cross + latent(mu, logvar).sum() / x.size

    return check_variational_bound(loss, decoder="bernoulli")


@wrong("VAE: mean of one, sum of the other", says=r"KL is summed over the batch.*is averaged")
def kl_summed_over_the_batch():
    def loss(recon_x, x, mu, logvar):
        cross = -(x * np.log(recon_x) + (1 - x) * np.log(1 - recon_x)).sum(axis=1).mean()
        return cross + latent(mu, logvar).sum()

    return check_variational_bound(loss, decoder="bernoulli")


@wrong("VAE: exp(logvar)² in the KL", says=r"exp\(2 logvar\) stands where exp\(logvar\)")
def variance_squared():
    def loss(recon_x, x, mu, logvar):
        kl = -0.5 * (1 + logvar - mu**2 - np.exp(logvar) ** 2).sum(axis=1)
        return 0.5 * ((recon_x - x) ** 2).sum(axis=1) + kl

    return check_variational_bound(loss, decoder="gaussian_up_to_constant")


@wrong("VDM: floor for ceil", says=r"t = 0 is drawn, and s = t - 1/T is before it.*ceil\(u T\)/T")
def floor_for_ceil():
    def loss(model, x, rng):
        t = np.floor(rng.random(len(x)) * 100) / 100
        eps = rng.standard_normal(x.shape)
        gamma = Linear().gamma
        square = ((eps - model(noised(x, t, eps), t)) ** 2).sum(axis=1)
        return 0.5 * 100 * np.expm1(gamma(t) - gamma(t - 0.01)) * square

    return check_variational_bound(loss, Linear(), steps=100, term="diffusion")


@wrong("VDM: the network is told 1 - t", says=r"told 1 - t where it is asked")
def told_backwards():
    def loss(model, x, t, eps):
        square = ((eps - model(noised(x, t, eps), 1 - t)) ** 2).sum(axis=1)
        return 0.5 * 18.3 * square

    return check_variational_bound(loss, Linear())


@wrong("VDM of x: no SNR", says=r"stands before \|x_0 - x̂_0\|²: SNR\(t\) is missing")
def weight_of_noise_before_x():
    def loss(model, x, t, eps):
        return 0.5 * 18.3 * ((x - model(noised(x, t, eps), t)) ** 2).sum(axis=1)

    return check_variational_bound(loss, Linear(), prediction="x0")


@wrong("VDM: a quarter", says=r"Cause: the factor ½ stands twice[^;]*$")
def half_twice():
    def loss(model, x, t, eps):
        return 0.25 * 18.3 * ((eps - model(noised(x, t, eps), t)) ** 2).sum(axis=1)

    return check_variational_bound(loss, Linear())


@wrong("VDM: s and t exchanged with the sign", says=r"s and t are exchanged, and the sign")
def negative_of_s_and_t():
    def loss(model, x, t, eps):
        gamma = Linear().gamma
        square = ((eps - model(noised(x, t, eps), t)) ** 2).sum(axis=1)
        return -0.5 * 100 * np.expm1(gamma(t - 0.01) - gamma(t)) * square

    return check_variational_bound(loss, Linear(), steps=100)


@wrong("VDM's prior: α for α²", says=r"√ᾱ_T stands where ᾱ_T is due before x_0²")
def end_not_squared():
    def loss_klz(x):
        var = 1 / (1 + np.exp(-Linear().gamma(1.0)))
        return 0.5 * (np.sqrt(1 - var) * x**2 + var - np.log(var) - 1).sum(axis=1)

    return check_variational_bound(loss_klz, Linear(), term="L_T")
