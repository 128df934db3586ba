"""flow-matching's VP path is at α₀ x₁ + σ₀ x₀ at t = 0, α₀ = 0.0066, not at x₀."""

import torch
from flow_matching.path import AffineProbPath
from flow_matching.path.scheduler import VPScheduler

from scoreproof import check_marginals

path, x1 = AffineProbPath(VPScheduler()), torch.tensor([[0.7, -1.3]], dtype=torch.float64)


def velocity(x, t):
    return path.target_to_velocity(x_1=x1.expand_as(x), x_t=x, t=t)


def marginal(x0, t):
    at, sigma = t.reshape(1).expand(len(x0)), path.scheduler(t).sigma_t
    return path.sample(x_0=x0, x_1=x1.expand_as(x0), t=at).x_t, sigma


print("at t = 0:", path.scheduler(torch.tensor(0.0)))
print(
    check_marginals(
        velocity, lambda t: 0.0, marginal, initial_std=1.0, horizon=0.98, framework="torch"
    ).explain()
)
