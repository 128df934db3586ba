"""Wrong pairs of a density and an SDE whose noise is a matrix, or depends on x in any dimension."""

from __future__ import annotations

import numpy as np
from scipy.linalg import cholesky

from causes import wrong
from causes._fokker_planck_noises import (
    BASKET,
    KICK,
    MU,
    SPREAD,
    A,
    G,
    L,
    basket_noise,
    langevin,
    langevin_drift,
    log_normal,
    ou,
    ou_drift,
)
from scoreproof import Evidence, check_fokker_planck


def basket(log_p, noise=basket_noise, **more) -> Evidence:
    given = {"interpretation": "ito"} | BASKET | more
    return check_fokker_planck(lambda x, t: MU * x, noise, log_density=log_p, **given)


@wrong(
    "a basket of assets without -σ²/2: log S has drift μ (multi-asset pricing code)",
    says=r"Stratonovich",
)
def basket_without_half_variance() -> Evidence:
    return basket(log_normal(MU, L))


@wrong("half of σ²: log S moves with μ - σ²/4", says=r"half of the Stratonovich correction")
def basket_with_a_quarter() -> Evidence:
    return basket(log_normal(MU - 0.25 * np.diag(L @ L.T), L))


@wrong("+σ²/2: the correction of an Itô drift with the wrong sign", says=r"∇p|g ∂g = ?D'|Fick")
def basket_with_plus() -> Evidence:
    return basket(log_normal(MU + 0.5 * np.diag(L @ L.T), L))


@wrong("Itô's law, and the solver was Stratonovich's (torchsde: sde_type)", says=r"of the Itô eq")
def basket_of_a_stratonovich_solver() -> Evidence:
    mu = MU - 0.5 * np.diag(L @ L.T)
    return basket(log_normal(mu, L), interpretation="stratonovich")


@wrong("the correlation matrix's upper factor (scipy.linalg.cholesky)", says=r"transpos|upper")
def upper_cholesky() -> Evidence:
    upper = cholesky(L @ L.T)  # R with Rᵀ R = Σ
    log_p = log_normal(MU - 0.5 * np.diag(L @ L.T), L)
    return basket(log_p, lambda x, t: x[:, :, None] * upper)


@wrong("the volatilities stand at each other's assets", says=r"other coordinates.*\[1, 0, 2\]")
def volatilities_exchanged() -> Evidence:
    vols = np.array([0.5, 0.3, 0.4])
    log_p = log_normal(MU - 0.5 * vols**2, np.diag(vols))
    return basket(log_p, lambda x, t: (vols * x)[:, [1, 0, 2]])


@wrong("position-dependent friction: D(x) without the drift D'", says=r"Fick|D'\(x\)")
def boltzmann_with_ito() -> Evidence:
    """Overdamped motion, D(x) = kT/γ(x): e^{-U/kT} is stationary only with the drift ∇D."""

    def mobility(x):
        return 1 + 0.4 * np.sin(x)

    return check_fokker_planck(
        lambda x, t: -mobility(x) * x**3,  # -D U', kT = 1
        lambda x, t: np.sqrt(2 * mobility(x)),
        log_density=lambda x, t: -(x**4).sum(axis=1) / 4 + 0 * t,
        dimension=3,
        domain=(-1.5, 1.5),
        normalized=False,
        interpretation="ito",
    )


@wrong("the same with the drift D' in it, and Fick's reading that has it already", says=r"Itô eq")
def drift_of_fick_twice() -> Evidence:
    def mobility(x):
        return 1 + 0.4 * np.sin(x)

    return check_fokker_planck(
        lambda x, t: -mobility(x) * x**3 + 0.4 * np.cos(x),
        lambda x, t: np.sqrt(2 * mobility(x)),
        log_density=lambda x, t: -(x**4).sum(axis=1) / 4 + 0 * t,
        dimension=3,
        domain=(-1.5, 1.5),
        normalized=False,
        interpretation="isothermal",
    )


@wrong("underdamped Langevin: the noise in the positions", says=r"noise is in the velocity")
def kick_of_positions() -> Evidence:
    noise = np.diag([KICK, KICK, 0.0, 0.0])
    return check_fokker_planck(langevin_drift, noise, log_density=langevin()[0], dimension=4)


@wrong("underdamped Langevin: the noise in all coordinates", says=r"Σ\[0, 0\] is to be 0\b")
def kick_of_everything() -> Evidence:
    return check_fokker_planck(langevin_drift, KICK, log_density=langevin()[0], dimension=4)


@wrong("2γkT where its root is due (BAOAB write-ups)", says=r"square|√")
def kick_squared() -> Evidence:
    noise = np.array([0, 0, KICK**2, KICK**2])
    return check_fokker_planck(langevin_drift, noise, log_density=langevin()[0], dimension=4)


@wrong("γkT for 2γkT: the ½ of ½ Σ", says=r"½.*(left out|missing)|√\(2D\)")
def kick_without_two() -> Evidence:
    noise = np.array([0, 0, KICK, KICK]) / np.sqrt(2)
    return check_fokker_planck(langevin_drift, noise, log_density=langevin()[0], dimension=4)


@wrong("the off-diagonal part of Σ dropped", says=r"off-diagonal|correlat")
def diagonal_of_sigma() -> Evidence:
    log_p, _ = ou(np.diag(np.diag(G @ G.T)))
    return check_fokker_planck(ou_drift, G, log_density=log_p, dimension=3)


@wrong("2 Σ_ij ∂_i∂_j in a sum over all i, j", says=r"off-diagonal.*twice")
def cross_terms_twice() -> Evidence:
    g = np.array([[0.7, 0.0, 0.0], [0.15, 0.6, 0.0], [-0.1, 0.12, 0.65]])
    sigma = g @ g.T
    log_p, _ = ou(2 * sigma - np.diag(np.diag(sigma)))
    return check_fokker_planck(ou_drift, g, log_density=log_p, dimension=3)


@wrong("Σ passed for g: np.cov of the increments", says=r"diffusion_is='covariance'")
def covariance_for_g() -> Evidence:
    return check_fokker_planck(ou_drift, G @ G.T, log_density=ou(G @ G.T)[0], dimension=3)


@wrong("D = Σ/2 where Σ was said", says=r"diffusion_is='diffusivity'")
def diffusivity_for_covariance() -> Evidence:
    half = G @ G.T / 2
    return check_fokker_planck(
        ou_drift, half, log_density=ou(G @ G.T)[0], dimension=3, diffusion_is="covariance"
    )


@wrong("Σ = g gᵀ where D was said", says=r"diffusion_is='covariance'")
def covariance_for_diffusivity() -> Evidence:
    return check_fokker_planck(
        ou_drift, G @ G.T, log_density=ou(G @ G.T)[0], dimension=3, diffusion_is="diffusivity"
    )


@wrong("a number for a correlated noise", says=r"another Σ.*Σ\[0, 1\] is to be 0\.21")
def number_for_a_matrix() -> Evidence:
    return check_fokker_planck(ou_drift, 0.7, log_density=ou(G @ G.T)[0], dimension=3)


@wrong("the second coordinate's volatility of another run", says=r"coordinate 1 of 3.*1\.44")
def one_volatility() -> Evidence:
    vols = np.array([0.5, 0.36, 0.4])
    log_p = log_normal(MU - 0.5 * vols**2, np.diag(vols))
    return basket(log_p, lambda x, t: np.array([0.5, 0.3, 0.4]) * x)


@wrong("x @ A for x @ A.T with a full noise", says=r"drift.*(transpos|A\.T|Aᵀ)|transpos.*drift")
def drift_transposed() -> Evidence:
    return check_fokker_planck(lambda x, t: x @ A, G, log_density=ou(G @ G.T)[0], dimension=3)


@wrong("the noise of a start that was spread otherwise", says=r"clock|2 times as fast")
def clock_of_a_basket() -> Evidence:
    log_p = log_normal(MU - 0.5 * np.diag(L @ L.T), L)
    return basket(lambda x, t: log_p(x, 2 * t + SPREAD))
