"""flow-matching (Meta): the path and velocity of every scheduler, the conversions of what a network
predicts, the ODE solver, and the likelihood.

Its time runs from noise at 0 to data at 1.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import torch
from flow_matching.path import AffineProbPath
from flow_matching.path.scheduler import (
    CondOTScheduler,
    CosineScheduler,
    LinearVPScheduler,
    PolynomialConvexScheduler,
    VPScheduler,
)
from flow_matching.solver import ODESolver
from report import judge, not_judged

from scoreproof import (
    GaussianMixture,
    check_denoiser,
    check_fokker_planck,
    check_marginals,
    check_sampler,
)

PROJECT = "flow-matching"
SCHEDULERS = {
    "CondOTScheduler()": CondOTScheduler(),
    "PolynomialConvexScheduler(n=2)": PolynomialConvexScheduler(2),
    "VPScheduler()": VPScheduler(),
    "LinearVPScheduler()": LinearVPScheduler(),
    "CosineScheduler()": CosineScheduler(),
}
#: fixed-step methods of torchdiffeq by their order
METHODS = {"euler": 1, "midpoint": 2, "heun2": 2, "heun3": 3, "rk4": 4}
MIXTURE = GaussianMixture(
    [0.4, 0.6], [[-1.0, 0.5], [1.0, 0.0]], [[[0.3, 0.1], [0.1, 0.2]], [[0.2, 0.0], [0.0, 0.4]]]
)
#: how a network's answer is made from E[x₁ | x_t], and what it is then
CONVERSIONS = {
    "target_to_velocity": "velocity",
    "target_to_epsilon": "eps",
    "epsilon_to_velocity(target_to_epsilon)": "velocity",
    "epsilon_to_target(target_to_epsilon)": "x0",
    "velocity_to_target(target_to_velocity)": "x0",
    "velocity_to_epsilon(target_to_velocity)": "eps",
}


def path_of(scheduler, own_start: bool = False):
    """X_t of the path, given x_1, is what its conditional velocity leads to: from x_0, or from
    where the path itself is at t = 0.
    """
    path = AffineProbPath(scheduler)
    first = scheduler(torch.tensor(0.0, dtype=torch.float64))
    target = torch.tensor([[0.7, -1.3]], dtype=torch.float64)

    def velocity(x, t):
        return path.target_to_velocity(x_1=target.expand_as(x), x_t=x, t=t)

    def marginal(x0, t):
        at = t.reshape(1).expand(len(x0))
        if own_start:
            x0 = (x0 - first.alpha_t * target) / first.sigma_t
        spread = path.sample(x_0=torch.ones_like(x0), x_1=0 * x0, t=at).x_t
        return path.sample(x_0=x0, x_1=target.expand_as(x0), t=at).x_t, spread

    spread = float(first.sigma_t) if own_start else 1.0
    return check_marginals(
        velocity, lambda t: 0.0, marginal, initial_std=spread, horizon=0.98, framework="torch"
    )


def converted(scheduler, conversion: str, t: float = 0.6):
    path, at = AffineProbPath(scheduler), torch.tensor(t, dtype=torch.float64)
    out = scheduler(at)
    outer, inner = conversion.rstrip(")").split("(") if "(" in conversion else (conversion, None)

    def network(y):
        clean = MIXTURE.affine(alpha * np.eye(2)).posterior_mean(y.numpy(), cov) / alpha
        answer = torch.tensor(clean)
        for name in (inner, outer):
            if name:
                answer = getattr(path, name)(answer, y, at)
        return answer

    alpha, cov = float(out.alpha_t), float(out.sigma_t) ** 2 * np.eye(2)
    return check_denoiser(
        network,
        MIXTURE,
        cov,
        alpha=alpha,
        prediction=CONVERSIONS[conversion],
        rates=(float(out.d_alpha_t), float(out.d_sigma_t)),
        framework="torch",
    )


def solved(method: str, order: float | None):
    """`ODESolver.sample` on its time grid; the velocity is that of the straight path."""

    def sample(model, x, times):
        solver = ODESolver(lambda x, t: -model(x, 1 - t))
        return solver.sample(x, step_size=None, method=method, time_grid=1 - times)

    straight = SimpleNamespace(alpha=lambda s: 1 - s, sigma=lambda s: s)
    return check_sampler(
        sample,
        straight,
        times=[1 - k / 20 for k in range(20)],  # at 0 the exact velocity is 0/0
        prediction="flow",
        framework="torch",
        order=order,
    )


def likelihood(exact: bool):
    """log p at time T is `compute_likelihood` of the velocity T v(x, T t): it must solve the
    continuity equation of v.
    """
    turn = torch.tensor([[0.4, -0.7], [0.6, 0.2]], dtype=torch.float64)

    def velocity(x, t):
        return torch.tanh(x @ turn) + 0.3 * torch.cos(3 * t) * x

    def log_density(x, t):
        solver = ODESolver(lambda x, t, T=t: T * velocity(x, T * t))
        _, log_p = solver.compute_likelihood(
            x,
            lambda z: -0.5 * (z**2).sum(1) - torch.log(torch.tensor(2 * torch.pi)),
            step_size=None,
            method="dopri5",
            atol=1e-9,
            rtol=1e-9,
            exact_divergence=exact,
        )
        return log_p.detach()

    return check_fokker_planck(
        velocity,
        lambda t: 0.0,
        log_density=log_density,
        dimension=2,
        framework="torch",
        domain=(-3.0, 3.0),
        tolerance=1e-3,
    )


def run() -> None:
    for name, scheduler in SCHEDULERS.items():
        judge(
            PROJECT,
            f"AffineProbPath({name}): path and conditional velocity, t from 0 to 0.98",
            "forward process",
            lambda s=scheduler: path_of(s),
            reading="at t = 0 the path is at α₀ x₁ + σ₀ x₀ with α₀ = exp(-T/2) = 0.0066, not at"
            " x₀: the VP path reaches pure noise only as ∫β grows. From its own start it holds",
            minimal="flow_matching_vp_start",
        )
    judge(
        PROJECT,
        "AffineProbPath(VPScheduler()), from its own α₀ x₁ + σ₀ x₀, t from 0 to 0.98",
        "forward process",
        lambda: path_of(VPScheduler(), own_start=True),
    )
    for conversion in CONVERSIONS:
        judge(
            PROJECT,
            f"AffineProbPath(VPScheduler()).{conversion}, t = 0.6",
            "prediction",
            lambda c=conversion: converted(VPScheduler(), c),
        )
    for method, order in METHODS.items():
        judge(
            PROJECT,
            f"ODESolver.sample(method='{method}')" + (f", order {order}" if order else ""),
            "sampler and order" if order else "sampler",
            lambda m=method, o=order: solved(m, o),
        )
    judge(
        PROJECT,
        "ODESolver.compute_likelihood(exact_divergence=True)",
        "likelihood",
        lambda: likelihood(True),
    )
    not_judged(
        PROJECT,
        "ODESolver.compute_likelihood: gradient in parameters",
        "likelihood gradient",
        "it detaches velocity and divergence at every step (also with enable_grad=True): there is"
        " no gradient in the parameters to judge",
    )
    not_judged(
        PROJECT,
        "MixtureDiscreteEulerSolver, discrete paths",
        "sampler",
        "states are tokens; scoreproof's checks are of real-valued x",
    )


if __name__ == "__main__":
    run()
