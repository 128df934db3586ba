"""A fifth round of wrong marginals, held out like the ones before."""

from __future__ import annotations

import math

import numpy as np

from causes import wrong
from scoreproof import check_marginals


def beta(t):
    return 0.1 + 19.9 * t


def integral(t):
    return 0.1 * t + 9.95 * t * t


def judged(marginal, **more):
    return check_marginals(
        lambda x, t: -0.5 * beta(t) * x, lambda t: math.sqrt(beta(t)), marginal, **more
    )


@wrong(
    "torch: log_mean_coeff has -0.25 t² (β_1 - β_0) - 0.5 t β_1",
    says=r"must be -10 - 9\.95 t|coefficient of t in .* β\(0\) 20 for 0\.1",
    needs="torch",
)
def torch_wrong_end():
    import torch

    class VPSDE:
        beta_0, beta_1 = 0.1, 20.0

        def drift(self, x, t):
            return -0.5 * (self.beta_0 + t * (self.beta_1 - self.beta_0)) * x

        def diffusion(self, t):
            return torch.sqrt(self.beta_0 + t * (self.beta_1 - self.beta_0))

        def marginal_prob(self, x, t):
            log = -0.25 * t**2 * (self.beta_1 - self.beta_0) - 0.5 * t * self.beta_1
            return torch.exp(log) * x, torch.sqrt(-torch.expm1(2.0 * log))

    sde = VPSDE()
    return check_marginals(
        sde.drift, sde.diffusion, sde.marginal_prob, framework="torch", dtype="float64"
    )


@wrong(
    "the std has the noise of the whole span",
    says=r"deviation is 0\.9999\d* at all times",
)
def deviation_of_the_end():
    return judged(
        lambda x, t: (x * math.exp(-integral(t) / 2), math.sqrt(1 - math.exp(-integral(1))))
    )


@wrong("α is taken for α², and σ² = 1 - α of it too", says=r"-¼ ∫β where -½ ∫β")
def alpha_bar_root():
    def marginal(x, t):
        a = math.exp(-integral(t) / 4)
        return a * x, math.sqrt(1 - a * a)

    return judged(marginal)


@wrong("Ornstein-Uhlenbeck: θ² for θ in the mean only", says=r"log α is 1\.5 times")
def squared_rate():
    theta = 1.5
    return check_marginals(
        lambda x, t: -theta * x,
        lambda t: 1.0,
        lambda x, t: (
            x * np.exp(-(theta**2) * t),
            np.sqrt((1 - np.exp(-2 * theta * t)) / 2 / theta),
        ),
    )


@wrong(
    "the diffusion has a sign that makes no difference, but 2σ for σ",
    says=r"half the one implied[^.]*2 in g",
)
def diffusion_doubled():
    return check_marginals(
        lambda x, t: 0 * x, lambda t: -2 * 0.7, lambda x, t: (x, 0.7 * math.sqrt(t))
    )


@wrong(
    "flow: the path (1-t, t) with a drift of -x/t",
    says=r"time 1 - t, where t is due .it is α/σ times",
)
def flow_drift():
    return check_marginals(
        lambda x, t: -x / t,
        lambda t: math.sqrt(2 * t / (1 - t)),
        lambda x, t: ((1 - t) * x, t),
        times=np.linspace(0.05, 0.9, 18),
    )


@wrong("the std of the first coordinate is used for all", says=r"same in all coordinates")
def first_deviation():
    g = np.array([0.5, 1.5])
    return check_marginals(
        lambda x, t: 0 * x, lambda t: g, lambda x, t: (x, g[0] * math.sqrt(t) * np.ones(2))
    )


@wrong("x0 is normalised in the mean", says=r"not of the form α x0")
def normalised():
    def marginal(x, t):
        return math.exp(-integral(t) / 2) * x / np.abs(x).max(axis=1, keepdims=True), math.sqrt(
            1 - math.exp(-integral(t))
        )

    return judged(marginal)


@wrong(
    "σ² + 1e-5 under the root and the mean of t + 1e-5", says=r"added to the variance|t \+ 1e-05"
)
def two_epsilons():
    def marginal(x, t):
        a = math.exp(-integral(t + 1e-4) / 2)
        return a * x, math.sqrt(1 - math.exp(-integral(t)) + 1e-4)

    return judged(marginal)


@wrong(
    "logarithmic time: σ = σ_min (σ_max/σ_min)^t with t in place of its square root",
    says=r"your g² is that of time √t, where t is due",
)
def other_schedule():
    low, high = 0.01, 50.0
    k = math.log(high / low)

    def diffusion(t):
        return low * math.exp(k * math.sqrt(t)) * math.sqrt(2 * k)

    return check_marginals(
        lambda x, t: 0 * x, diffusion, lambda x, t: (x, low * math.sqrt(math.expm1(2 * k * t)))
    )
