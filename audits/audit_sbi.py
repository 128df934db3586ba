"""sbi's vector-field estimators by their own methods: the SDE that each declares (drift_fn,
diffusion_fn), its kernel (mean_t_fn, std_fn), its score, and the Euler-Maruyama step of its
sampler.

The networks inside are exact for standard normal parameters, so that the score is known.
"""

from __future__ import annotations

from types import SimpleNamespace

import torch
from report import judge, not_judged
from sbi.neural_nets.estimators.flowmatching_estimator import FlowMatchingEstimator
from sbi.neural_nets.estimators.score_estimator import (
    SubVPScoreEstimator,
    VEScoreEstimator,
    VPScoreEstimator,
)
from sbi.samplers.score.predictors import EulerMaruyama

from scoreproof import GaussianMixture, check_marginals, check_sampler, check_score

WIDTH = 2
CONDITION = torch.zeros(1, 1, dtype=torch.float64)
PRIOR = GaussianMixture.gaussian([0.0] * WIDTH, [[1.0, 0.0], [0.0, 1.0]])


class Velocity(torch.nn.Module):
    """E[θ₁ - θ₀ | θ_t] for θ₀ ~ N(0, I) and θ_t = (1-t) θ₀ + (t+ν) θ₁, scaled as sbi wants it."""

    def __init__(self, noise_scale: float) -> None:
        super().__init__()
        self.nu = noise_scale

    def forward(self, scaled, condition, time):
        t = time[:, None]
        # sbi hands the network its input divided by this, and multiplies the output by √2
        x = scaled * torch.sqrt((1 - t) ** 2 + t**2 + 1e-6)
        data, noise = 1 - t, t + self.nu
        return (noise - data) / (data**2 + noise**2) * x / 2**0.5


class Zero(torch.nn.Module):
    """sbi adds the Gaussian part itself."""

    def forward(self, scaled, condition, time):
        return torch.zeros_like(scaled)


def flow(noise_scale: float) -> FlowMatchingEstimator:
    shape, one = torch.Size([WIDTH]), torch.Size([1])
    return FlowMatchingEstimator(
        Velocity(noise_scale), shape, one, noise_scale=noise_scale
    ).double()


def score_estimator(kind: type) -> torch.nn.Module:
    return kind(Zero(), torch.Size([WIDTH]), torch.Size([1])).double()


def time(t) -> torch.Tensor:
    return torch.as_tensor(t, dtype=torch.float64).reshape(1)


def alpha(model, t):
    return model.mean_t_fn(time(t)).reshape(())


def sigma(model, t):
    return model.std_fn(time(t)).reshape(())


def marginals(model, **how):
    return check_marginals(
        drift=lambda x, t: model.drift_fn(x, time(t)),
        diffusion=lambda t: model.diffusion_fn(torch.zeros(1), time(t)).reshape(()),
        marginal=lambda x0, t: (alpha(model, t) * x0, sigma(model, t)),
        framework="torch",
        **how,
    )


def score(model, t: float):
    return check_score(
        lambda x: model.score(x, CONDITION, time(t)),
        PRIOR,
        float(sigma(model, t)) ** 2,
        alpha=float(alpha(model, t)),
        framework="torch",
    )


def sampler(model, times, eta: float = 1.0):
    """`EulerMaruyama.predict` in a loop, as `Diffuser.run` calls it."""

    def sample(network, x, grid):
        potential = SimpleNamespace(
            device="cpu", vector_field_estimator=model, gradient=lambda x, t: network(x, t)
        )
        predictor = EulerMaruyama(potential, eta=eta)
        for t, t_next in zip(grid[:-1], grid[1:], strict=True):
            x = predictor(x, t, t_next)
        return x

    process = SimpleNamespace(alpha=lambda t: alpha(model, t), sigma=lambda t: sigma(model, t))
    return check_sampler(
        sample, process, times=times, prediction="score", framework="torch", shape=(WIDTH,)
    )


def run() -> None:
    for kind in (VPScoreEstimator, SubVPScoreEstimator, VEScoreEstimator):
        model, name = score_estimator(kind), kind.__name__
        judge(
            "sbi",
            f"{name}.drift_fn, diffusion_fn, mean_t_fn, std_fn",
            "forward process",
            lambda model=model: marginals(model),
            reading="the parameters are first blurred by σ_min (the usual convention of the class)",
            minimal="sbi_variance_exploding",
        )
        judge("sbi", f"{name}.score at t = 0.4", "score", lambda model=model: score(model, 0.4))
        times = [1 - 0.03 * k for k in range(33)]
        judge(
            "sbi",
            f"EulerMaruyama of {name}, t from 1 to 0.04",
            "sampler",
            lambda model=model, times=times: sampler(model, times),
        )
    blurred = score_estimator(VEScoreEstimator)
    judge(
        "sbi",
        "VEScoreEstimator, reading='blurred'",
        "forward process",
        lambda: marginals(blurred, reading="blurred"),
    )
    for noise_scale in (1e-3, 0.1):
        model, name = flow(noise_scale), f"FlowMatchingEstimator(noise_scale={noise_scale:g})"
        judge(
            "sbi",
            f"{name}.drift_fn, diffusion_fn, mean_t_fn, std_fn up to t = 0.98",
            "forward process",
            lambda model=model, nu=noise_scale: marginals(model, horizon=0.98, initial_std=nu),
            reading="none found: right only with noise_scale = 0. With θ_t = (1-t) θ₀ + (t+ν) θ₁"
            " the drift -θ/(1-t) wants g² = 2 (t+ν)(1+ν)/(1-t); sbi's lacks the factor 1 + ν",
            minimal="sbi_flow_matching_diffusion",
        )
        judge(
            "sbi",
            f"{name}.score at t = 0.4",
            "score",
            lambda model=model: score(model, 0.4),
            reading="none found: right only with noise_scale = 0. With θ_t = (1-t) θ₀ + (t+ν) θ₁"
            " the score is -(θ + (1-t) v) / ((t+ν)(1+ν)); sbi's lacks the factor 1 + ν",
            minimal="sbi_flow_matching_score",
        )
        judge(
            "sbi",
            f"EulerMaruyama of {name}, the exact score, t from 0.97 to 0.1",
            "sampler",
            lambda model=model: sampler(model, [0.97 - 0.03 * k for k in range(30)]),
            reading="its diffusion lacks the factor √(1 + ν), see above",
            minimal="sbi_flow_matching_sampler",
        )
    not_judged(
        "sbi",
        "FMPE.loss, NPSE.loss",
        "loss",
        "a training loss is a mean over the noise and the time that it draws; no public check"
        " takes one",
    )
    not_judged(
        "sbi",
        "LangevinCorrector, GibbsCorrector",
        "corrector",
        "a corrector keeps one law instead of leading to the next; no public check takes one",
    )


if __name__ == "__main__":
    run()
