"""torch.distributions: KL divergences of Gaussians, and the score of a mixture's log_prob."""

from __future__ import annotations

import torch
from report import judge
from torch import distributions as dist

from scoreproof import GaussianMixture, check_kl, check_score

WEIGHTS, MEANS = [0.3, 0.7], [[-1.0, 0.5], [1.0, 0.0]]
COVS = [[[0.5, 0.2], [0.2, 0.4]], [[0.3, 0.0], [0.0, 0.6]]]
NOISE = [[0.2, 0.05], [0.05, 0.1]]


def diagonal(mu0, std0, mu1, std1):
    p, q = (dist.Independent(dist.Normal(m, s), 1) for m, s in ((mu0, std0), (mu1, std1)))
    return dist.kl_divergence(p, q)


def isotropic(mu0, std0, mu1, std1):
    return diagonal(mu0, std0.expand_as(mu0), mu1, std1.expand_as(mu1))


def full(mu0, cov0, mu1, cov1):
    p, q = (dist.MultivariateNormal(m, c) for m, c in ((mu0, cov0), (mu1, cov1)))
    return dist.kl_divergence(p, q)


def low_rank(mu0, std0, mu1, std1):
    """A diagonal covariance as a factor that is nearly nothing, and the diagonal."""
    p, q = (
        dist.LowRankMultivariateNormal(m, torch.zeros(*m.shape, 1, dtype=m.dtype), s**2)
        for m, s in ((mu0, std0), (mu1, std1))
    )
    return dist.kl_divergence(p, q)


def mixture_score():
    covs = torch.tensor(COVS, dtype=torch.float64) + torch.tensor(NOISE, dtype=torch.float64)
    law = dist.MixtureSameFamily(
        dist.Categorical(torch.tensor(WEIGHTS, dtype=torch.float64)),
        dist.MultivariateNormal(torch.tensor(MEANS, dtype=torch.float64), covs),
    )

    def score(y):
        with torch.enable_grad():
            at = y.detach().requires_grad_()
            return torch.autograd.grad(law.log_prob(at).sum(), at)[0]

    return check_score(score, GaussianMixture(WEIGHTS, MEANS, COVS), NOISE, framework="torch")


def run() -> None:
    for name, kl, form in (
        ("Independent(Normal)", diagonal, "diagonal"),
        ("Normal, one scale", isotropic, "isotropic"),
        ("MultivariateNormal", full, "full"),
        ("LowRankMultivariateNormal", low_rank, "diagonal"),
    ):
        for dtype in ("float64", "float32"):
            judge(
                "torch",
                f"kl_divergence({name}), {dtype}",
                "KL",
                lambda k=kl, f=form, d=dtype: check_kl(k, form=f, framework="torch", dtype=d),
            )
    judge("torch", "MixtureSameFamily.log_prob, its gradient", "score", mixture_score)


if __name__ == "__main__":
    run()
