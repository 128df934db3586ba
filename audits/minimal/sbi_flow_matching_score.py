"""sbi's flow-matching score lacks the factor 1/(1+ν), with the exact velocity inside."""

import torch
from sbi.neural_nets.estimators.flowmatching_estimator import FlowMatchingEstimator

from scoreproof import GaussianMixture, check_score

nu, t, two = 0.1, 0.4, torch.Size([2])
prior = GaussianMixture.gaussian([0.0, 0.0], [[1.0, 0.0], [0.0, 1.0]])


class Velocity(torch.nn.Module):  # E[θ₁ - θ₀ | θ_t] for θ₀ ~ N(0, I), scaled as sbi wants it
    def forward(self, scaled, condition, time):
        x = scaled * ((1 - t) ** 2 + t**2 + 1e-6) ** 0.5
        return (2 * t + nu - 1) / ((1 - t) ** 2 + (t + nu) ** 2) * x / 2**0.5


fm = FlowMatchingEstimator(Velocity(), two, torch.Size([1]), noise_scale=nu).double()
time = torch.tensor([t], dtype=torch.float64)
for factor in (1.0, 1 / (1 + nu)):

    def score(x, factor=factor):
        return factor * fm.score(x, torch.zeros(1, 1, dtype=x.dtype), time)

    evidence = check_score(score, prior, (t + nu) ** 2, alpha=1 - t, framework="torch")
    print(f"score times {factor:.4f} -", evidence.explain())
