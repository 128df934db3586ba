"""Wrong samplers that strangers wrote, in other numbers and another layout."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_reverse_sampler

LOW, HIGH = 0.2, 7.0


def beta(t):
    return LOW + (HIGH - LOW) * t


def whole(t):
    return LOW * t + (HIGH - LOW) * t**2 / 2


class SubPreserving:
    horizon = 1.0

    def alpha(self, t):
        return np.exp(-whole(t) / 2)

    def sigma(self, t):
        return -np.expm1(-whole(t))

    def drift(self, x, t):
        return -beta(t) / 2 * x

    def diffusion(self, t):
        return np.sqrt(-beta(t) * np.expm1(-2 * whole(t)))


class Preserving(SubPreserving):
    def sigma(self, t):
        return np.sqrt(-np.expm1(-whole(t)))

    def diffusion(self, t):
        return np.sqrt(beta(t))


class Exploding:
    horizon = 1.0

    def alpha(self, t):
        return 1.0

    def sigma(self, t):
        return 0.05 * 400.0**t

    def drift(self, x, t):
        return 0 * x

    def diffusion(self, t):
        return self.sigma(t) * np.sqrt(2 * np.log(400.0))


def of_g2(process, g2) -> Evidence:
    def sampler(x, t, score, lam):
        drift = process.drift(x, t) - (1 - lam / 2) * g2(t) * score(x, t)
        return drift, np.sqrt((1 - lam) * g2(t))

    return check_reverse_sampler(sampler, process, dimension=1)


@wrong(
    "the SDE's g for a sub-VP process", says=r"variance-preserving SDE.*process is the sub-VP SDE"
)
def discount_forgotten():
    return of_g2(SubPreserving(), beta)


@wrong("the discount is 1 - e^-∫β", says=r"sub-VP SDE.*it is \(1 - α²\), not 1 - α⁴")
def discount_of_one_integral():
    return of_g2(SubPreserving(), lambda t: -beta(t) * np.expm1(-whole(t)))


@wrong("log r outside the root", says=r"g is σ √2 L, L outside the root")
def logarithm_outside_the_root():
    p = Exploding()
    return of_g2(p, lambda t: 2 * (p.sigma(t) * np.log(400.0)) ** 2)


@wrong("σ_min is left out of the logarithm", says=r"g is σ √\(2 log σ_max\)")
def logarithm_of_one_end():
    p = Exploding()
    return of_g2(p, lambda t: 2 * p.sigma(t) ** 2 * np.log(20.0))


@wrong("only the noise's correction is left", says=r"the ODE's - ½ g² ∇log p is left out")
def correction_alone():
    def sampler(x, t, score, lam):
        return -beta(t) / 2 * x - (1 - lam) / 2 * beta(t) * score(x, t), np.sqrt(
            (1 - lam) * beta(t)
        )

    return check_reverse_sampler(sampler, Preserving(), dimension=1)


@wrong("from v: α v - σ x for α v + σ x", says=r"ε = -σ x \+ α v is made where ε = σ x \+ α v")
def noise_of_a_velocity():
    p = Preserving()

    def sampler(x, t, model, lam):
        noise = p.alpha(t) * model(x, t) - p.sigma(t) * x
        drift = -beta(t) / 2 * x + (1 - lam / 2) * beta(t) * noise / p.sigma(t)
        return drift, np.sqrt((1 - lam) * beta(t))

    return check_reverse_sampler(sampler, p, dimension=1, prediction="v")


@wrong("the draw is squared, every λ in two dimensions", says=r"the square of the draw is added")
def squared_draws():
    def step(x, t, t_next, noise, score, lam):
        h = t - t_next
        mean = x + h * beta(t) * (x / 2 + (1 - lam / 2) * score(x, t))
        return mean + np.sqrt((1 - lam) * beta(t) * h) * noise**2

    return check_reverse_sampler(step, Preserving(), dimension=2)
