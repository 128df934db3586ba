"""Wrong samplers that strangers wrote, in other numbers and another layout."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_reverse_sampler
from scoreproof.objects.schedules import FlowMatching, VPLinear

VP = VPLinear(beta_min=0.2, beta_max=6.0)
FEW = (0.0, 0.5, 1.0)


def _euler(noisy):
    """Euler-Maruyama, with another function of the noise."""

    def step(x, t, t_next, noise, score, lam):
        h, b = t - t_next, 0.2 + 5.8 * t
        mean = x + h * (0.5 * b * x + (1 - lam / 2) * b * score(x, t))
        return mean + noisy(np.sqrt((1 - lam) * b * h), noise)

    return step


@wrong("the coefficient holds the draw, and is multiplied by it", says=r"the square of the draw")
def noise_times_noise():
    return check_reverse_sampler(_euler(lambda c, z: (c * z) * z), VP, FEW)


@wrong("|z| for z", says=r"the absolute value of the draw is added")
def absolute_noise():
    return check_reverse_sampler(_euler(lambda c, z: c * np.abs(z)), VP, FEW)


@wrong("the noise has the mean 1/2", says=r"g √h is added to x at every step, whatever x is")
def noise_with_a_mean():
    return check_reverse_sampler(_euler(lambda c, z: c * (z + 0.5)), VP, (0.0,))


@wrong("both signs of the score's term, at several η", says=r"sign of the term ½ c² ∇log p")
def sign_of_the_correction():
    def step(x, s, s_next, noise, velocity, lam):
        c2 = 2 * (1 - lam) * s / (1 - s)
        v, dt = velocity(x, s), s_next - s
        score = -(x + (1 - s) * v) / s
        return x + (v + c2 / 2 * score) * dt + np.sqrt(c2 * -dt) * noise

    return check_reverse_sampler(step, FlowMatching(), FEW, prediction="velocity")


@wrong("t / 1000 in f only", says=r"f alone is wrong: the rate of f is .*that of t/1000")
def rate_of_t_in_thousands():
    def sampler(x, t, score, lam):
        b = 0.2 + 5.8 * t
        drift = -0.5 * (0.2 + 5.8 * t / 1000) * x - (1 - lam / 2) * b * score(x, t)
        return drift, np.sqrt((1 - lam) * b)

    return check_reverse_sampler(sampler, VP, form="sde")


@wrong("noise is switched off at λ = 1, and not scaled before", says=r"1 g² at λ = 0\.5 where 0\.5")
def noise_is_on_or_off():
    def sampler(x, t, score, lam):
        b = 0.2 + 5.8 * t
        drift = -0.5 * b * x - (1 - lam / 2) * b * score(x, t)
        return drift, 0.0 if lam == 1 else np.sqrt(b)

    return check_reverse_sampler(sampler, VP, FEW, form="sde")
