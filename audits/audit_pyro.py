"""Pyro: KL divergences of Gaussians that it registers, as it hands them out."""

from __future__ import annotations

import pyro.distributions as dist
from pyro.distributions import kl
from report import judge
from torch.distributions import kl_divergence

from scoreproof import check_kl

assert kl  # importing it registers Pyro's own divergences


def diagonal(mu0, std0, mu1, std1):
    return kl_divergence(dist.Normal(mu0, std0).to_event(1), dist.Normal(mu1, std1).to_event(1))


def against_full(mu0, std0, mu1, std1):
    """Independent Normal against MultivariateNormal: a formula of Pyro's own."""
    q = dist.MultivariateNormal(mu1, (std1**2).diag_embed())
    return kl_divergence(dist.Normal(mu0, std0).to_event(1), q)


def full(mu0, cov0, mu1, cov1):
    return kl_divergence(dist.MultivariateNormal(mu0, cov0), dist.MultivariateNormal(mu1, cov1))


def run() -> None:
    for name, function, form in (
        ("Normal.to_event(1) ‖ Normal.to_event(1)", diagonal, "diagonal"),
        ("Normal.to_event(1) ‖ MultivariateNormal", against_full, "diagonal"),
        ("MultivariateNormal ‖ MultivariateNormal", full, "full"),
    ):
        judge(
            "pyro-ppl",
            f"kl_divergence({name})",
            "KL",
            lambda k=function, f=form: check_kl(k, form=f, framework="torch"),
        )


if __name__ == "__main__":
    run()
