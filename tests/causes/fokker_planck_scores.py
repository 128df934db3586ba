"""Wrong scores, judged by their own equation."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._fokker_planck_noises import (
    BASKET,
    KICK,
    MU,
    SPREAD,
    G,
    L,
    basket_noise,
    langevin,
    langevin_drift,
    ou,
    ou_drift,
)
from scoreproof import Evidence, check_fokker_planck

RHO = 0.9


@wrong("Σ⁻¹ with one entry lost: no gradient, and the same divergence", says=r"score_not_gradient")
def score_with_a_rotation() -> Evidence:
    _, score = ou(G @ G.T)
    turn = np.zeros((3, 3))
    turn[0, 1], turn[1, 0] = 0.02, -0.02
    return check_fokker_planck(ou_drift, G, score=lambda x, t: score(x, t) + x @ turn, dimension=3)


@wrong("-score, an energy's gradient (energy-based models)", says=r"wrong sign|score_sign")
def score_of_an_energy() -> Evidence:
    log_p, score = ou(G @ G.T)
    return check_fokker_planck(
        ou_drift, G, log_density=log_p, score=lambda x, t: -score(x, t), dimension=3
    )


@wrong("∇p for ∇ log p", says=r"∇p, not ∇ ?log p")
def gradient_of_the_density() -> Evidence:
    log_p, score = ou(G @ G.T)
    return check_fokker_planck(
        ou_drift,
        G,
        log_density=log_p,
        score=lambda x, t: score(x, t) * np.exp(log_p(x, t))[:, None],
        dimension=3,
    )


@wrong("a score equation without ∇(∇·f) (score PINNs)", says=r"∇\(∇·f\) is left out")
def score_without_the_divergence() -> Evidence:
    """∇ log(2 + tanh x) solves it with the drift -ρ² tanh x."""

    def score(x, t):
        return (1 - np.tanh(x) ** 2) / (2 + np.tanh(x)) + 0 * t

    return check_fokker_planck(lambda x, t: -(RHO**2) * np.tanh(x), RHO, score=score)


@wrong("a score equation without ∇|s|²", says=r"½ sᵀ Σ s\) is left out")
def score_without_the_square() -> Evidence:
    def score(x, t):
        return -x - 0.6 * np.sin(2 * x) * np.exp(-2 * RHO**2 * t)

    return check_fokker_planck(lambda x, t: 0 * x, RHO, score=score)


@wrong("a schedule that runs backward beside a score that does not", says=r"for the time 1\.3 - t")
def score_of_a_reversed_schedule() -> Evidence:
    def variance(t):  # ∫ (0.2 + 2 s) ds
        return 0.3 + 0.2 * t + t * t

    def noise(t):
        return np.sqrt(0.2 + 2 * (1.3 - t))

    return check_fokker_planck(
        lambda x, t: 0 * x, noise, score=lambda x, t: -x / variance(t), dimension=2
    )


@wrong("the sign of a score that is alone", says=r"-score solves the equation")
def score_alone_with_its_sign() -> Evidence:
    _, score = ou(G @ G.T)
    return check_fokker_planck(ou_drift, G, score=lambda x, t: -score(x, t), dimension=3)


@wrong("D = σ²/2 for σ", says=r"diffusivity|√\(2D\)")
def score_with_the_diffusivity() -> Evidence:
    sigma = np.array([0.9, 1.4])

    def score(x, t):
        return -x / (0.3 + sigma**2 * t)

    return check_fokker_planck(lambda x, t: 0 * x, 0.5 * sigma**2, score=score, dimension=2)


@wrong("the score of log S, its Jacobian 1/x forgotten", says=r"-1/x added")
def score_of_the_logarithm() -> Evidence:
    precision, mu = np.linalg.inv(L @ L.T), MU - 0.5 * np.diag(L @ L.T)

    def score(x, t):  # ∇ of log N(log x), without -1/x
        return -((np.log(x) - mu * t) @ precision) / (t + SPREAD) / x

    return check_fokker_planck(
        lambda x, t: MU * x, basket_noise, score=score, interpretation="ito", **BASKET
    )


@wrong("a momentum's score with the positions' noise", says=r"noise is in the velocity")
def score_of_the_momenta() -> Evidence:
    noise = np.diag([KICK, KICK, 0.0, 0.0])
    return check_fokker_planck(langevin_drift, noise, score=langevin()[1], dimension=4)


@wrong("the law of Itô where the score's equation is Stratonovich's", says=r"of the Itô equation")
def score_of_the_other_reading() -> Evidence:
    vols = np.array([0.5, 0.3, 0.4])

    def score(x, t):
        y = np.log(x) - (MU - 0.5 * vols**2) * t
        return (-y / (vols**2 * (t + SPREAD)) - 1) / x

    return check_fokker_planck(
        lambda x, t: MU * x,
        lambda x, t: vols * x,
        score=score,
        interpretation="stratonovich",
        **BASKET,
    )


@wrong(
    "a prediction of the noise ε for the score", says=r"c\(t\) = -σ\(t\).*prediction of the noise"
)
def noise_for_the_score() -> Evidence:
    def variance(t):
        return 1 + np.exp(-2 * t)

    return check_fokker_planck(
        lambda x, t: -x,
        np.sqrt(2),
        log_density=lambda x, t: (
            -(x**2).sum(axis=1) / 2 / variance(t) - np.log(2 * np.pi * variance(t))
        ),
        score=lambda x, t: x / np.sqrt(variance(t)),
        dimension=2,
    )


@wrong("a score weighed by the time of its loss", says=r"c\(t\) = t.*score_factor_of_time")
def score_times_time() -> Evidence:
    log_p, score = ou(G @ G.T)
    return check_fokker_planck(
        ou_drift, G, log_density=log_p, score=lambda x, t: t * score(x, t), dimension=3
    )


@wrong("a vortex: locally a gradient", says=r"∮ s · dx.*score_circulates")
def score_of_a_vortex() -> Evidence:
    def score(x, t):
        return np.stack([-x[:, 1], x[:, 0]], axis=1) / (x**2).sum(axis=1, keepdims=True)

    return check_fokker_planck(lambda x, t: 0.5 * score(x, t), 1.0, score=score, dimension=2)


@wrong("a drift with a piece that no bend of log p goes with", says=r"flux f p.*jumps.*flux_jumps")
def drift_with_a_leak() -> Evidence:
    def drift(x, t):
        return -0.5 * x + 0.1 * (x.real > 0.3) * np.exp(x**2 / 2) * np.sqrt(2 * np.pi)

    return check_fokker_planck(
        drift, 1.0, log_density=lambda x, t: -(x[:, 0] ** 2) / 2 - 0.5 * np.log(2 * np.pi)
    )


@wrong("ω for ω² in the force of a stationary Langevin pair", says=r"cannot tell.*x\[:, 0\].*1\.2")
def force_without_the_square() -> Evidence:
    omega, gamma, heat = 1.2, 0.7, 0.6

    def drift(x, t):
        return np.stack([x[:, 1], -omega * x[:, 0] - gamma * x[:, 1]], axis=1)

    def log_p(x, t):
        energy = (omega**2 * x[:, 0] ** 2 + x[:, 1] ** 2) / 2
        return -energy / heat - np.log(2 * np.pi * heat / omega)

    noise = np.array([[0.0], [np.sqrt(2 * gamma * heat)]])
    return check_fokker_planck(drift, noise, log_density=log_p, dimension=2)
