"""Wrong pairs of an SDE and a density, as in papers' code and lecture notebooks: more."""

from __future__ import annotations

import numpy as np
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.stats import multivariate_normal, norm

from causes import wrong
from causes._fokker_planck import SIGMA, THETA, X0, gaussian, judged, ou, ou_variance
from scoreproof import Evidence, check_fokker_planck


@wrong("gᵀg for g gᵀ", says=r"gᵀ ?g|transpos", needs="scipy")
def noise_transposed() -> Evidence:
    g = np.array([[0.9, 0.0], [0.6, 0.7]])

    def log_p(x, t):
        return multivariate_normal.logpdf(x, np.zeros(2), 0.2 * np.eye(2) + t * (g @ g.T))

    return check_fokker_planck(
        lambda x, t: 0 * x, lambda x, t: g.T, log_density=log_p, dimension=2, interpretation="ito"
    )


@wrong(
    "transport without the Jacobian: p0 at the foot of the path",
    says=r"p ∇·f.*(missing|left out)|gradient_outside|f·∇p for|normaliser",
)
def no_jacobian() -> Evidence:
    def log_p(x, t):
        return gaussian(x * np.exp(THETA * t), 0.3, 0.5)

    return judged(log_p, noise=lambda t: 0.0)


@wrong(
    "the Jacobian with the wrong sign",
    says=r"sign of p ?∇·f|p ∇·f.*(sign|times -1|twice)|-p ∇·f|normaliser",
)
def jacobian_sign() -> Evidence:
    def log_p(x, t):
        return gaussian(x * np.exp(THETA * t), 0.3, 0.5) - THETA * t

    return judged(log_p, noise=lambda t: 0.0)


@wrong(
    "the probability-flow drift together with the noise",
    says=r"probability.flow|½ ?ρ² ∇log p|noise (is )?(counted|taken) twice|without (the )?noise",
)
def flow_drift_with_noise() -> Evidence:
    def drift(x, t):
        score = -(x - X0 * np.exp(-THETA * t)) / ou_variance(t)
        return -THETA * x - SIGMA**2 / 2 * score

    return judged(ou, drift=drift)


@wrong(
    "the reverse SDE's drift with time running forward", says=r"reverse.?time|reverse SDE|ρ² ∇log p"
)
def reverse_drift() -> Evidence:
    def drift(x, t):
        score = -(x - X0 * np.exp(-THETA * t)) / ou_variance(t)
        return -THETA * x - SIGMA**2 * score

    return judged(ou, drift=drift)


@wrong(
    "the stationary density of another temperature: kT for 2kT",
    says=r"(noise|diffusion|ρ²?)\b.*(multiply it by (2|0\.5)|√2)|half of what|twice what"
    r"|(multiply it by|factor) 2\b",
)
def stationary_temperature() -> Evidence:
    def p(x, t):
        z = quad(lambda y: np.exp(-(y**4) / 4 / 0.5), -8, 8)[0]
        return np.exp(-(x[:, 0] ** 4) / 4 / 0.5) / z

    return check_fokker_planck(lambda x, t: -(x**3), lambda t: np.sqrt(0.5), p)


@wrong("a pdf passed as log_density", says=r"log_density|logarithm|pass density|not a log|density=")
def pdf_as_log() -> Evidence:
    return judged(lambda x, t: np.exp(ou(x, t)))


@wrong("the log base 10", says=r"base.10|log10|log_10|ln 10|2\.30|0\.434")
def log_base_ten() -> Evidence:
    return judged(lambda x, t: ou(x, t) / np.log(10))


@wrong(
    "a mixture whose second component keeps its variance",
    says=r"with x\[0\] from|(second|one) component|near x =",
)
def component_forgotten() -> Evidence:
    def log_p(x, t):
        a = gaussian(x, -1.5 * np.exp(-THETA * t), ou_variance(t))
        b = gaussian(x, 1.5 * np.exp(-THETA * t), 0.1)
        return np.logaddexp(a, b) - np.log(2)

    return judged(log_p)


@wrong(
    "θ in the drift only in the first coordinate: x[:, :1] broadcast",
    says=r"coordinate 1|\[:, 1\]|x\[:, 0\]|x_0",
)
def first_coordinate_broadcast() -> Evidence:
    def log_p(x, t):
        return ou(x[:, :1], t) + ou(x[:, 1:], t)

    return judged(log_p, drift=lambda x, t: -THETA * np.repeat(x[:, :1], 2, axis=1), dimension=2)


@wrong(
    "in torch: dX = -x dt + 2 dW with the density of √2",
    says=r"multiply it by 0\.5\b|√2|ρ/√2",
    needs="torch",
)
def temperature_in_torch() -> Evidence:
    import torch

    def log_p(x, t):
        v = 1 - 0.6 * torch.exp(-2 * t)
        return -(x[:, 0] ** 2) / (2 * v) - 0.5 * torch.log(2 * torch.pi * v)

    return check_fokker_planck(lambda x, t: -x, lambda t: 2.0, log_density=log_p, framework="torch")


# -- written after the check was mended for those above --------------------------------------------


@wrong("σ x for the σ √x of a square-root process", says=r"D = .*x|√x|power of x|∝ x")
def square_root_process() -> Evidence:
    k, m, sigma = 1.0, 1.0, 0.5

    def p(x, t):  # stationary: gamma with shape 2km/σ²
        a, rate = 2 * k * m / sigma**2, 2 * k / sigma**2
        y = x[:, 0]
        from scipy.special import gammaln

        return np.exp(a * np.log(rate) - gammaln(a) + (a - 1) * np.log(y) - rate * y)

    return check_fokker_planck(
        lambda x, t: k * (m - x),
        lambda x, t: sigma * x[:, 0],
        p,
        interpretation="ito",
        domain=(0.2, 3.0),
    )


@wrong("the mean of the last coordinate does not move", says=r"mean.*coordinate 2")
def mean_of_a_coordinate() -> Evidence:
    def log_p(x, t):
        m = np.array([X0, 0.4, -0.7]) * np.array([np.exp(-THETA * t)] * 2 + [1.0])
        return sum(gaussian(x[:, i : i + 1], m[i], ou_variance(t)) for i in range(3))

    return judged(log_p, dimension=3)


@wrong("the noise of sub-VP with the density of VP", says=r"noise is wrong for this density")
def sub_vp_noise() -> Evidence:
    def integral(t):
        return 0.1 * t + 1.5 * t * t

    def log_p(x, t):
        a = np.exp(-integral(t) / 2)
        return gaussian(x, 0.7 * a, 1 - a * a + 0.04 * a * a)

    def noise(t):
        return np.sqrt((0.1 + 3 * t) * (1 - np.exp(-2 * integral(t))))

    return judged(log_p, drift=lambda x, t: -(0.1 + 3 * t) * x / 2, noise=noise)


@wrong("(2π)^d for (2π)^(d/2)", says=r"2π|6\.28")
def normaliser_power() -> Evidence:
    def log_p(x, t):
        return ou(x[:, :1], t) + ou(x[:, 1:], t) - np.log(2 * np.pi)

    return judged(log_p, dimension=2)


@wrong(
    "underdamped Langevin with √(γ kT) for √(2γ kT)",
    says=r"½ is left\s+out|√\(2D\)|multiplied by 2",
)
def underdamped() -> Evidence:
    gamma, kt = 0.7, 0.8

    def log_p(x, t):
        return -0.5 * (x**2).sum(axis=1) / kt - np.log(2 * np.pi * kt)

    def drift(x, t):
        return np.stack([x[:, 1], -x[:, 0] - gamma * x[:, 1]], axis=1)

    return check_fokker_planck(
        drift,
        lambda x, t: np.array([[0.0, 0.0], [0.0, np.sqrt(gamma * kt)]]),
        log_density=log_p,
        dimension=2,
        interpretation="ito",
    )


@wrong("the density is one step of 0.05 late", says=r"t [+-] 0\.05|shift|0\.05")
def shifted_time() -> Evidence:
    def log_p(x, t):
        t = t - 0.05
        a = np.exp(-(0.1 * t + 1.5 * t * t) / 2)
        return gaussian(x, 0.7 * a, 1 - a * a + 0.04 * a * a)

    return judged(
        log_p, drift=lambda x, t: -(0.1 + 3 * t) * x / 2, noise=lambda t: np.sqrt(0.1 + 3 * t)
    )


@wrong(
    "an Itô drift corrected as if it were Stratonovich's",
    says=r"correction.*(wrong sign|once too often)",
)
def corrected_twice() -> Evidence:
    def p(x, t):
        y = np.log(x[:, 0])
        return norm.pdf(y, (0.2 - 0.16) * t, np.sqrt(0.05 + 0.16 * t)) / x[:, 0]

    return check_fokker_planck(
        lambda x, t: 0.2 * x, lambda x, t: 0.4 * x[:, 0], p, interpretation="ito", domain=(0.3, 3.0)
    )


@wrong("the coordinates of the drift are exchanged", says=r"coordinates.*exchanged")
def exchanged_drift() -> Evidence:
    rates = np.array([0.5, 1.4])

    def log_p(x, t):
        return sum(
            gaussian(x[:, i : i + 1], 0.8 * np.exp(-r * t), ou_variance(t, r))
            for i, r in enumerate(rates)
        )

    return judged(log_p, drift=lambda x, t: -rates[::-1] * x, dimension=2)


@wrong("β(1 - t) in the drift, β(t) in the noise", says=r"drift.*(factor of time|1 - t)")
def drift_of_the_mirrored_time() -> Evidence:
    def log_p(x, t):
        a = np.exp(-(0.1 * t + 1.5 * t * t) / 2)
        return gaussian(x, 0.7 * a, 1 - a * a + 0.04 * a * a)

    return judged(
        log_p, drift=lambda x, t: -(0.1 + 3 * (1 - t)) * x / 2, noise=lambda t: np.sqrt(0.1 + 3 * t)
    )


@wrong(
    "the covariance of two coupled coordinates is left out",
    says=r"covariance of coordinates 0 and 1|off-diagonal",
)
def covariance_left_out() -> Evidence:
    a = np.array([[-1.0, 0.8], [0.1, -0.6]])
    big = np.block([[a, SIGMA**2 * np.eye(2)], [np.zeros((2, 2)), -a.T]])

    def log_p(x, t):
        e = expm(big * t)
        c = e[:2, 2:] @ e[:2, :2].T + 0.3 * e[:2, :2] @ e[:2, :2].T
        m = e[:2, :2] @ np.array([0.6, -0.4])
        return gaussian(x[:, :1], m[0], c[0, 0]) + gaussian(x[:, 1:], m[1], c[1, 1])

    return judged(log_p, drift=lambda x, t: x @ a.T, dimension=2)


@wrong("half of the noise, in JAX", says=r"multiply it by 4|diffusion by 2\b", needs="jax")
def half_noise_in_jax() -> Evidence:
    import jax.numpy as jnp

    def log_p(x, t):
        v = 1 - 0.6 * jnp.exp(-2 * t)
        return -(x[:, 0] ** 2) / (2 * v) - 0.5 * jnp.log(2 * jnp.pi * v)

    return check_fokker_planck(
        lambda x, t: -x, lambda t: 0.5 * 2**0.5, log_density=log_p, framework="jax"
    )


@wrong("an energy for a log density: the sign", says=r"-log p|energy|flip its sign")
def energy_for_log() -> Evidence:
    return judged(lambda x, t: -ou(x, t))
