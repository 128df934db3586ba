"""Wrong pairs of an SDE and a density, as they stand in papers' code and lecture notebooks."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.linalg import expm
from scipy.stats import multivariate_normal, norm

from causes import wrong
from scoreproof import Evidence, check_fokker_planck

THETA, SIGMA, X0 = 0.8, 0.9, 1.2


def gaussian(x: Any, m: Any, v: Any) -> Any:
    """log N(x; m, v) of the first coordinate."""
    return -0.5 * (x[:, 0] - m) ** 2 / v - 0.5 * np.log(2 * np.pi * v)


def ou_variance(t: Any, theta: float = THETA, sigma: float = SIGMA) -> Any:
    return sigma**2 / (2 * theta) * (1 - np.exp(-2 * theta * t)) + 0.1 * np.exp(-2 * theta * t)


def ou(x: Any, t: Any) -> Any:
    return gaussian(x, X0 * np.exp(-THETA * t), ou_variance(t))


def ou_drift(x: Any, t: Any) -> Any:
    return -THETA * x


def ou_noise(t: Any) -> float:
    return SIGMA


def judged(log_density: Any, drift: Any = ou_drift, noise: Any = ou_noise, **more: Any) -> Evidence:
    return check_fokker_planck(drift, noise, log_density=log_density, **more)


@wrong("the variance relaxes at θ where 2θ is due", says=r"variance")
def variance_rate() -> Evidence:
    def log_p(x, t):
        v = SIGMA**2 / (2 * THETA) * (1 - np.exp(-THETA * t))
        return gaussian(x, X0 * np.exp(-THETA * t), v)

    return judged(log_p)


@wrong(
    "scale= is given the variance",
    says=r"σ⁴|variance.*(square|σ\b|std)|square of (the|its) variance|std",
)
def variance_as_scale() -> Evidence:
    def p(x, t):
        return norm.pdf(x[:, 0], loc=X0 * np.exp(-THETA * t), scale=ou_variance(t))

    return check_fokker_planck(ou_drift, ou_noise, p)


@wrong(
    "diffusion returns σ², not σ",
    says=r"(ρ|diffusion|noise).*(σ² for σ|square|multiply it by (1\.23|1\.11))",
)
def squared_noise() -> Evidence:
    return judged(ou, noise=lambda t: SIGMA**2)


@wrong(
    "diffusion returns the diffusivity D = σ²/2",
    says=r"(ρ|diffusion|noise).*(√\(?2|D = ρ²/2|ρ²/2 for ρ|diffusivity)",
)
def diffusivity() -> Evidence:
    return check_fokker_planck(
        lambda x, t: 0 * x,
        lambda t: 0.5 * (1 + t) ** 2,  # D(t), where √(2 D) = 1 + t is due
        log_density=lambda x, t: gaussian(x, 0.0, ((1 + t) ** 3 - 1) / 3 + 0.2),
    )


@wrong(
    "the ½ is missing: ∂_t p = σ² ∂_xx p",
    says=r"½.*(left out|missing)|half_missing|twice the|factor 2\b.*noise|noise.*factor (2|1/2|0\.5)\b",
)
def half_missing() -> Evidence:
    return judged(
        lambda x, t: gaussian(x, X0 + 0.5 * t, 0.1 + 2 * SIGMA**2 * t),
        drift=lambda x, t: 0.5 + 0 * x,
    )


@wrong("the drift's sign", says=r"sign of the drift|drift.*(negat|times -1|-1 times|by -1)")
def drift_sign() -> Evidence:
    return judged(ou, drift=lambda x, t: THETA * x)


@wrong(
    "time runs backward in the density: T - t",
    says=r"T ?- ?t|time (runs|counted) (backward|downward)|1\.3 - t|first_time \+|at t →|other direction of time",
)
def reversed_time() -> Evidence:
    return judged(lambda x, t: ou(x, 1.3 - t))


@wrong(
    "time runs backward in the density, with a schedule",
    says=r"T ?- ?t|1 - t\b|time (runs|counted) (backward|downward)|other direction of time",
)
def reversed_time_of_a_schedule() -> Evidence:
    def beta(t):
        return 0.1 + 3 * t

    def log_p(x, t):
        s = 1 - t
        a = np.exp(-(0.1 * s + 1.5 * s * s) / 2)
        return gaussian(x, 0.7 * a, 1 - a * a + 0.04 * a * a)

    return judged(
        log_p,
        drift=lambda x, t: -beta(t) * x / 2,
        noise=lambda t: np.sqrt(beta(t)),
        times=(0.1, 0.5, 0.9),
    )


@wrong(
    "the density's clock is twice as fast",
    says=r"time.*(factor|times) ?2\b|clock.*\b2\b|\b2 ?t\b|2 times as fast|factor 2",
)
def clock_twice() -> Evidence:
    return judged(lambda x, t: ou(x, 2 * t))


@wrong(
    "the drift of VP without its ½",
    says=r"drift is to be 0\.5 = 1/2 times",
)
def vp_drift_without_half() -> Evidence:
    def beta(t):
        return 0.1 + 3 * t

    def log_p(x, t):
        a = np.exp(-(0.1 * t + 1.5 * t * t) / 2)
        return gaussian(x, 0.7 * a, 1 - a * a + 0.04 * a * a)

    return judged(log_p, drift=lambda x, t: -beta(t) * x, noise=lambda t: np.sqrt(beta(t)))


@wrong("∫β taken as β(t) t", says=r"β\(t\) t was taken")
def beta_times_t() -> Evidence:
    def beta(t):
        return 0.1 + 3 * t

    def log_p(x, t):
        a = np.exp(-beta(t) * t / 2)
        return gaussian(x, 0.7 * a, 1 - a * a + 0.04 * a * a)

    return judged(log_p, drift=lambda x, t: -beta(t) * x / 2, noise=lambda t: np.sqrt(beta(t)))


@wrong("VE: g = σ(t) where √(dσ²/dt) is due", says=r"(ρ|noise|variance).*(√|needs|due|should)")
def ve_noise() -> Evidence:
    def std(t):
        return 0.05 * 40**t

    return judged(
        lambda x, t: gaussian(x, 0.5, std(t) ** 2 + 0.04), drift=lambda x, t: 0 * x, noise=std
    )


@wrong("the normaliser lacks 1/√(2π)", says=r"multiply the density by 0\.398|2π")
def normaliser() -> Evidence:
    return judged(lambda x, t: ou(x, t) + 0.5 * np.log(2 * np.pi))


@wrong("the normaliser lacks 1/√v(t)", says=r"normaliser")
def normaliser_of_time() -> Evidence:
    return judged(lambda x, t: ou(x, t) + 0.5 * np.log(ou_variance(t)))


@wrong("d = 2 normalised as d = 1: √(2π) for 2π", says=r"2π|0\.398|2\.50")
def normaliser_in_the_plane() -> Evidence:
    def log_p(x, t):
        v = ou_variance(t)
        m = X0 * np.exp(-THETA * t)
        return -0.5 * ((x - m) ** 2).sum(axis=1) / v - np.log(v) - 0.5 * np.log(2 * np.pi)

    return judged(log_p, dimension=2)


@wrong("the mean decays at 2θ", says=r"mean")
def mean_rate() -> Evidence:
    return judged(lambda x, t: gaussian(x, X0 * np.exp(-2 * THETA * t), ou_variance(t)))


@wrong(
    "the long-run mean is missing from the drift",
    says=r"constant|mean.*(drift|0\.4)|lacks? 0\.4|offset",
)
def long_run_mean() -> Evidence:
    def log_p(x, t):
        return gaussian(x, 0.5 + (X0 - 0.5) * np.exp(-THETA * t), ou_variance(t))

    return judged(log_p)


@wrong("the second coordinate keeps the first one's rate", says=r"(coordinate 1|\[:, 1\])")
def coordinate_rate() -> Evidence:
    def log_p(x, t):
        return ou(x[:, :1], t) + ou(x[:, 1:], t)

    rates = np.array([THETA, 1.5])
    return judged(log_p, drift=lambda x, t: -rates * x, dimension=2)


@wrong("x @ A where x @ A.T is due", says=r"transpos|A\.T|Aᵀ", needs="scipy")
def matrix_transposed() -> Evidence:
    a = np.array([[-1.0, 0.8], [0.1, -0.6]])
    c0, m0 = 0.3 * np.eye(2), np.array([0.6, -0.4])
    big = np.block([[a, SIGMA**2 * np.eye(2)], [np.zeros((2, 2)), -a.T]])

    def log_p(x, t):
        e = expm(big * t)
        flow, noise = e[:2, :2], e[:2, 2:] @ e[:2, :2].T
        return multivariate_normal.logpdf(np.real(x), flow @ m0, flow @ c0 @ flow.T + noise)

    return judged(log_p, drift=lambda x, t: x @ a, dimension=2)


@wrong("a rotation in the wrong direction", says=r"transpos|rotat|A\.T|Aᵀ|antisymmetric")
def rotation_sense() -> Evidence:
    w = 1.5

    def log_p(x, t):
        v = ou_variance(t)
        m = X0 * np.exp(-THETA * t) * np.array([np.cos(w * t), np.sin(w * t)])
        return gaussian(x, m[0], v) + gaussian(x[:, 1:], m[1], v)

    spin = np.array([[0, w], [-w, 0]])  # x @ spin.T turns clockwise
    return judged(log_p, drift=lambda x, t: -THETA * x + x @ spin.T, dimension=2)


@wrong("Itô's formula for a Stratonovich law: log X has drift μ", says=r"Stratonovich")
def stratonovich_for_ito() -> Evidence:
    def p(x, t):
        y = np.log(x[:, 0])
        return norm.pdf(y, 0.2 * t, np.sqrt(0.05 + 0.16 * t)) / x[:, 0]

    return check_fokker_planck(
        lambda x, t: 0.2 * x, lambda x, t: 0.4 * x[:, 0], p, interpretation="ito", domain=(0.3, 3.0)
    )


@wrong("Itô's law where Stratonovich is said", says=r"Itô|ito_")
def ito_for_stratonovich() -> Evidence:
    def p(x, t):
        y = np.log(x[:, 0])
        return norm.pdf(y, (0.2 - 0.08) * t, np.sqrt(0.05 + 0.16 * t)) / x[:, 0]

    return check_fokker_planck(
        lambda x, t: 0.2 * x,
        lambda x, t: 0.4 * x[:, 0],
        p,
        interpretation="stratonovich",
        domain=(0.3, 3.0),
    )


@wrong("Fick's law ∇·(D ∇p) for Itô's", says=r"Fick|∇·\(D ?∇p\)|Hänggi|anti-Itô|kinetic")
def fick_for_ito() -> Evidence:
    def p(x, t):
        y = np.log(x[:, 0])
        return norm.pdf(y, (0.2 + 0.08) * t, np.sqrt(0.05 + 0.16 * t)) / x[:, 0]

    return check_fokker_planck(
        lambda x, t: 0.2 * x, lambda x, t: 0.4 * x[:, 0], p, interpretation="ito", domain=(0.3, 3.0)
    )


@wrong("½ missing for a noise of the state", says=r"½.*(left out|missing)|half_missing|twice")
def half_missing_of_state() -> Evidence:
    def p(x, t):
        y = np.log(x[:, 0])
        return norm.pdf(y, (0.2 - 0.16) * t, np.sqrt(0.05 + 0.32 * t)) / x[:, 0]

    return check_fokker_planck(
        lambda x, t: 0.2 * x, lambda x, t: 0.4 * x[:, 0], p, interpretation="ito", domain=(0.3, 3.0)
    )


@wrong("σ² x² given as the diffusion of geometric Brownian motion", says=r"square|g for g²|g²")
def squared_noise_of_state() -> Evidence:
    def p(x, t):
        y = np.log(x[:, 0])
        return norm.pdf(y, (0.2 - 0.08) * t, np.sqrt(0.05 + 0.16 * t)) / x[:, 0]

    return check_fokker_planck(
        lambda x, t: 0.2 * x,
        lambda x, t: 0.16 * x[:, 0] ** 2,
        p,
        interpretation="ito",
        domain=(0.3, 3.0),
    )


@wrong(
    "the correlation of the noise is left out of the density", says=r"off-diagonal|correlat|cross"
)
def correlation_ignored() -> Evidence:
    g = np.array([[0.9, 0.0], [0.6, 0.7]])
    var = np.diag(g @ g.T)

    def log_p(x, t):
        return gaussian(x, 0.0, 0.2 + var[0] * t) + gaussian(x[:, 1:], 0.0, 0.2 + var[1] * t)

    return check_fokker_planck(
        lambda x, t: 0 * x, lambda x, t: g, log_density=log_p, dimension=2, interpretation="ito"
    )


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
    says=r"(noise|diffusion|ρ²?)\b.*(multiply it by (2|0\.5)|√2)|half of what|twice what|(multiply it by|factor) 2\b",
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
        lambda x, t: k * (m - x), lambda x, t: sigma * x[:, 0], p, interpretation="ito", domain=(0.2, 3.0)
    )


@wrong("the mean of the last coordinate does not move", says=r"mean.*coordinate 2")
def mean_of_a_coordinate() -> Evidence:
    def log_p(x, t):
        m = np.array([X0, 0.4, -0.7]) * np.array([np.exp(-THETA * t)] * 2 + [1.0])
        return sum(gaussian(x[:, i : i + 1], m[i], ou_variance(t)) for i in range(3))

    return judged(log_p, dimension=3)


@wrong("the noise of sub-VP with the density of VP", says=r"noise is wrong and the drift is right")
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


@wrong("underdamped Langevin with √(γ kT) for √(2γ kT)", says=r"½ is left\s+out|√\(2D\)|multiplied by 2")
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

    return judged(log_p, drift=lambda x, t: -(0.1 + 3 * t) * x / 2, noise=lambda t: np.sqrt(0.1 + 3 * t))


@wrong("an Itô drift corrected as if it were Stratonovich's", says=r"correction.*(wrong sign|once too often)")
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
            gaussian(x[:, i : i + 1], 0.8 * np.exp(-r * t), ou_variance(t, r)) for i, r in enumerate(rates)
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


@wrong("the covariance of two coupled coordinates is left out", says=r"covariance of coordinates 0 and 1|off-diagonal")
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
