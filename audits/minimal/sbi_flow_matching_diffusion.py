"""sbi's flow-matching estimator: g² = 2 (t+ν)/(1-t) where its own path wants 2 (t+ν)(1+ν)/(1-t)."""

import torch
from sbi.neural_nets.estimators.flowmatching_estimator import FlowMatchingEstimator

from scoreproof import check_marginals

nu, one = 0.1, torch.Size([1])
fm = FlowMatchingEstimator(torch.nn.Identity(), one, one, noise_scale=nu).double()


def marginal(x0, t):
    return fm.mean_t_fn(t[None]).reshape(()) * x0, fm.std_fn(t[None]).reshape(())


for factor in (1.0, (1 + nu) ** 0.5):

    def diffusion(t, factor=factor):
        return factor * fm.diffusion_fn(torch.zeros(1), t[None]).reshape(())

    evidence = check_marginals(
        lambda x, t: fm.drift_fn(x, t[None]),
        diffusion,
        marginal,
        initial_std=nu,
        horizon=0.98,
        framework="torch",
    )
    print(f"g times {factor:.4f} -", evidence.explain())
