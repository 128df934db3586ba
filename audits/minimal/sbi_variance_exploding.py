"""sbi's VE estimator declares σ(t)² where its SDE, started at the parameters, has σ(t)² - σ(0)²."""

import torch
from sbi.neural_nets.estimators.score_estimator import VEScoreEstimator

from scoreproof import check_marginals

one = torch.Size([1])
ve = VEScoreEstimator(torch.nn.Identity(), one, one).double()


def marginal(x0, t):
    return ve.mean_t_fn(t[None]).reshape(()) * x0, ve.std_fn(t[None]).reshape(())


def diffusion(t):
    return ve.diffusion_fn(torch.zeros(1), t[None]).reshape(())


for reading in ("literal", "blurred"):
    evidence = check_marginals(
        lambda x, t: 0 * x, diffusion, marginal, reading=reading, framework="torch"
    )
    print(reading, "-", evidence.explain())
