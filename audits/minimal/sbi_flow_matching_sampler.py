"""sbi's Euler-Maruyama on its flow-matching estimator: the laws are off, as g² lacks 1 + ν."""

from types import SimpleNamespace

import torch
from sbi.neural_nets.estimators.flowmatching_estimator import FlowMatchingEstimator
from sbi.samplers.score.predictors import EulerMaruyama

from scoreproof import check_sampler

nu, one = 0.1, torch.Size([1])
fm = FlowMatchingEstimator(torch.nn.Identity(), one, one, noise_scale=nu).double()


path = SimpleNamespace(alpha=lambda t: 1 - t, sigma=lambda t: t + nu)
times = [0.97 - 0.03 * k for k in range(30)]
for factor in (1.0, (1 + nu) ** 0.5):

    def sample(score, x, times, factor=factor):
        mended = SimpleNamespace(
            drift_fn=fm.drift_fn, diffusion_fn=lambda x, t: factor * fm.diffusion_fn(x, t)
        )
        held = SimpleNamespace(device="cpu", vector_field_estimator=mended, gradient=score)
        for t, t_next in zip(times[:-1], times[1:], strict=True):
            x = EulerMaruyama(held).predict(x, t, t_next)
        return x

    evidence = check_sampler(sample, path, times=times, prediction="score", framework="torch")
    print(f"g times {factor:.4f} -", evidence.explain())
