"""zuko: the gradient of its continuous flow's log-likelihood, its trace estimator, whether its
flows' densities have mass 1, and the score of its mixture.
"""

from __future__ import annotations

import math

import torch
import zuko
from report import judge, not_judged
from zuko.transforms import FreeFormJacobianTransform

from scoreproof import (
    GaussianMixture,
    check_fokker_planck,
    check_log_likelihood_gradient,
    check_score,
    check_trace_estimator,
)


def field(z, params, s):
    """tanh(A z + b + c s), z in R²."""
    a, b, c = params[:4].reshape(2, 2), params[4:6], params[6:8]
    return torch.tanh(z @ a.T + b + c * s)


PARAMS = [0.4, -0.7, 0.6, 0.2, 0.1, -0.2, 0.3, 0.5]
ROWS = [[0.3, -0.8], [1.2, 0.4]]


def gradient(x, params, nu, tol):
    """Of log p by `FreeFormJacobianTransform(exact=True)`; ν is not used."""
    rows = []
    for row in x:
        at = params.detach().requires_grad_()
        with torch.enable_grad():
            flow = FreeFormJacobianTransform(
                lambda s, z, at=at: field(z, at, s),
                t0=1.0,
                t1=0.0,
                phi=(at,),
                atol=tol,
                rtol=tol,
                exact=True,
            )
            z, ladj = flow.call_and_ladj(row[None])
            log_p = (ladj - 0.5 * (z**2).sum(1) - math.log(2 * math.pi)).sum()
            rows.append(torch.autograd.grad(log_p, at)[0])
    return torch.stack(rows)


def estimator(f, z):
    """The change of log-volume of a flow so short that it is the trace itself."""
    h = 1e-6
    flow = FreeFormJacobianTransform(lambda s, x: h * f(x), atol=1e-14, rtol=1e-12, exact=False)
    return flow.call_and_ladj(z)[1] / h


def density(flow):
    """The density as the stationary one of dX = ∇log p dt + √2 dW: that gives its mass."""

    def log_density(x, t):
        return flow().log_prob(x)

    def drift(x, t):
        return torch.func.vmap(torch.func.grad(lambda row: flow().log_prob(row)))(x)

    return check_fokker_planck(
        drift,
        lambda t: 2**0.5,
        log_density=log_density,
        dimension=2,
        times=(0.5, 1.0),
        framework="torch",
        domain=(-4.0, 4.0),
    )


def mixture():
    torch.manual_seed(0)
    law = zuko.mixtures.GMM(2, components=3).double()()
    weights = law.logits.softmax(-1).detach().numpy()
    base = law.base
    noise = 0.1 * torch.eye(2, dtype=torch.float64)
    covs = (base.covariance_matrix - noise).detach().numpy()

    def score(y):
        with torch.enable_grad():
            at = y.detach().requires_grad_()
            return torch.autograd.grad(law.log_prob(at).sum(), at)[0]

    prior = GaussianMixture(weights, base.loc.detach().numpy(), covs)
    return check_score(score, prior, noise.numpy(), framework="torch")


def run() -> None:
    judge(
        "zuko",
        "FreeFormJacobianTransform(exact=True): ∂ log p / ∂φ by its adjoint",
        "likelihood gradient",
        lambda: check_log_likelihood_gradient(
            field, PARAMS, ROWS, gradient, in_expectation=True, framework="torch"
        ),
    )
    judge(
        "zuko",
        "FreeFormJacobianTransform(exact=False): its trace estimate",
        "trace estimator",
        lambda: check_trace_estimator(estimator, dimension=3, framework="torch", tolerance=0.05),
    )
    torch.manual_seed(1)
    smooth = {"activation": torch.nn.Tanh}  # at a kink of the density there is no equation
    flows = {
        "MAF(2, transforms=2)": zuko.flows.MAF(2, transforms=2, **smooth),
    }
    for name, flow in flows.items():
        judge(
            "zuko",
            f"{name}.log_prob as a stationary density",
            "density",
            lambda f=flow: density(f.double()),
        )
    not_judged(
        "zuko",
        "NSF, and flows with ReLU networks: log_prob",
        "density",
        "a density with kinks solves no differential equation in the strong sense, and no public"
        " check looks at a mass alone",
    )
    judge("zuko", "GMM(2, components=3).log_prob, its gradient", "score", mixture)


if __name__ == "__main__":
    run()
