"""Wrong pairs of an SDE and a density, as they stand in papers' code and lecture notebooks."""

from __future__ import annotations

import numpy as np
from scipy.linalg import expm
from scipy.stats import multivariate_normal, norm

from causes import wrong
from causes._fokker_planck import (
    SIGMA,
    THETA,
    X0,
    gaussian,
    judged,
    ou,
    ou_drift,
    ou_noise,
    ou_variance,
)
from scoreproof import Evidence, check_fokker_planck


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
    says=r"½.*(left out|missing)|half_missing|twice the|factor 2\b.*noise|noise.*factor (2"
    r"|1/2|0\.5)\b",
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
    says=r"T ?- ?t|time (runs|counted) (backward|downward)|1\.3 - t|first_time \+|at t →"
    r"|other direction of time",
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
