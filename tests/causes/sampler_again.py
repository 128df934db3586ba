"""Wrong samplers of a newcomer: another timestep than the next one, a churn whose level is
forgotten, a model that is asked where there is no noise.
"""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._samplers import pairs
from scoreproof import check_sampler
from scoreproof.objects.schedules import FlowMatching

SIGMAS = np.append((np.linspace(40 ** (1 / 7), 0.01 ** (1 / 7), 14)) ** 7, 0)


class Loop:
    """A scheduler of a short table; ``back``: where a step from t leads."""

    def __init__(self, back, eta=0.0, size=120):
        betas = np.linspace(2e-3, 0.1, size)
        self.alphas_cumprod, self.back, self.eta = np.cumprod(1 - betas), back, eta
        self.num_train_timesteps = size

    def set_timesteps(self, n):
        self.stride = len(self.alphas_cumprod) // n
        self.timesteps = np.arange(n)[::-1] * self.stride

    def level(self, t):
        return self.alphas_cumprod[t] if t >= 0 else 1.0

    def add_noise(self, x, z, t):
        a = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
        return a**0.5 * x + (1 - a) ** 0.5 * z

    def step(self, eps, t, x, generator=None):
        a, b = self.level(t), self.level(self.back(t, self.stride))
        var = (1 - b) / (1 - a) * (1 - a / b)
        x_0 = (x - (1 - a) ** 0.5 * eps) / a**0.5
        x = b**0.5 * x_0 + (1 - b - self.eta**2 * var) ** 0.5 * eps
        return x + self.eta * var**0.5 * generator.standard_normal(x.shape)


@wrong("t - 1 for the next timestep", says=r"Refuted \(float\).*timestep t - 1.*timesteps is 110:")
def ddim_to_the_entry_before():
    return check_sampler(Loop(lambda t, k: t - 1), steps=24, shape=1)


@wrong("the same, of steps with noise", says=r"from 112 to 111, and not to 104.*timestep t - 1")
def ddim_with_noise_to_the_entry_before():
    return check_sampler(Loop(lambda t, k: t - 1, 1.0), steps=15, shape=1)


def churned(forgets, low=0.1, high=12.0, gamma=0.25):
    """EDM's steps of Heun; ``forgets``: which of the levels that x is raised to."""

    def sample(model, x, times, rng):
        for s, n in pairs(times):
            hat = s * (1 + gamma) if low <= s <= high else s
            size = hat - s if forgets == "root" else np.sqrt(hat**2 - s**2)
            x = x + size * rng.standard_normal(x.shape)
            hat = s if forgets == "level" else hat
            d = (x - model(x, hat)) / hat
            y = x + (n - hat) * d
            if n > 0:
                y = x + (n - hat) * (d + (y - model(y, n)) / n) / 2
            x = y
        return x

    return check_sampler(sample, times=SIGMAS, shape=1)


@wrong(
    "σ̂ is σ_t again after the noise", says=r"in 8 of 14 steps.*churn.*γ = 0\.25, tell the model σ̂"
)
def churn_whose_level_is_forgotten():
    return churned("level")


@wrong("σ̂ - σ for the root, in some steps", says=r"in the steps from σ = 11\.78 to σ = 0\.1909 \(8")
def churn_in_some_steps_without_a_root():
    return churned("root")


def midway(model, x, times):
    """Heun's method to the very end."""
    for t, n in pairs(times):
        v = model(x, t)
        x = x + (n - t) / 2 * (v + model(x + (n - t) * v, n))
    return x


@wrong(
    "Heun's method down to σ = 0", says=r"asks the model at σ = 0 as well.*step of Euler's method"
)
def heun_asks_at_the_data():
    given = {"times": np.linspace(1, 0, 15), "prediction": "velocity", "shape": 1}
    return check_sampler(midway, FlowMatching(), **given)
