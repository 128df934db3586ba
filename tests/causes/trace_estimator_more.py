"""Wrong estimators of a divergence, as they stand in people's flows and score models: more."""

from __future__ import annotations

import math

import numpy as np

from causes import wrong
from causes._traces import exact_jacobian, jvp
from scoreproof import Evidence, check_trace_estimator


@wrong(
    "the exact trace averaged over the coordinates",
    says=r"average over the (dimensions|coordinates)|1/D",
)
def exact_mean() -> Evidence:
    def estimator(f, z, nu):
        return np.einsum("nii->ni", exact_jacobian(f, z)).mean(axis=1)

    return check_trace_estimator(estimator)


@wrong("bits for nats: divided by log 2", says=r"log\(?2|ln 2|log₂|bits|base.2")
def in_bits() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: (nu * jvp(f, z, nu)).sum(axis=1) / math.log(2))


@wrong("the squared norm of Jν", says=r"Frobenius|length of Jν|\|Jν\|")
def squared_norm() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: (jvp(f, z, nu) ** 2).sum(axis=1))


@wrong(
    "ν reshaped where it is to be transposed: rows mixed",
    says=r"another row|rows.*mixed|other rows|coordinates? of ν",
    needs="torch",
)
def rows_mixed() -> Evidence:
    import torch

    def estimator(f, x, v):
        v = v.reshape(x.shape[1], x.shape[0]).T
        _, jv = torch.func.jvp(f, (x,), (v,))
        return (v * jv).sum(1)

    return check_trace_estimator(estimator, framework="torch")


@wrong("the Jacobians of the batch averaged", says=r"averaged", needs="jax")
def batch_averaged() -> Evidence:
    import jax

    def estimator(f, x, v):
        jac = jax.vmap(jax.jacfwd(lambda y: f(y[None])[0]))(x)
        return jax.numpy.trace(jac.mean(axis=0)) * jax.numpy.ones(len(x))

    return check_trace_estimator(estimator, framework="jax")


# -- written after the check was mended for those above --------------------------------------------


@wrong(
    "own Gaussian ν of standard deviation 1/2", says=r"mean of ν_k² is 0\.2\d* .*where 1 is due|1/4"
)
def narrow_noise() -> Evidence:
    rng = np.random.default_rng(11)

    def estimator(f, z):
        v = rng.normal(0, 0.5, z.shape)
        return (v * jvp(f, z, v)).sum(axis=1)

    return check_trace_estimator(estimator)


@wrong("own Gaussian ν of mean 1", says=r"mean of ν is")
def shifted_noise() -> Evidence:
    rng = np.random.default_rng(12)

    def estimator(f, z):
        v = rng.normal(1.0, 1.0, z.shape)
        return (v * jvp(f, z, v)).sum(axis=1)

    return check_trace_estimator(estimator)


@wrong("ν² times the gradient of the sum", says=r"ν²|off-diagonal|all entries", needs="torch")
def squares_times_sum() -> Evidence:
    import torch

    def estimator(f, x, v):
        x = x.clone().requires_grad_(True)
        return (v**2 * torch.autograd.grad(f(x).sum(), x)[0]).sum(1)

    return check_trace_estimator(estimator, framework="torch")


@wrong(
    "the exact trace by one-sided differences with h = 0.01",
    says=r"one-sided difference|differences?.*h = 0\.01",
)
def exact_by_differences() -> Evidence:
    def divergence(f, z, nu, h=1e-2):
        base = f(z)
        return sum((f(z + h * e)[:, k] - base[:, k]) / h for k, e in enumerate(np.eye(z.shape[1])))

    return check_trace_estimator(divergence)


@wrong("the divergence is multiplied by dt", says=r"0\.05|1/20")
def times_step() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: 0.05 * (nu * jvp(f, z, nu)).sum(axis=1))


@wrong("the first coordinate is skipped: 1:", says=r"first coordinate.*left out")
def first_skipped() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: (nu * jvp(f, z, nu))[:, 1:].sum(axis=1))


@wrong("the estimate is clipped to [-10, 10]", says=r"clip")
def clipped_estimate() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: np.clip((nu * jvp(f, z, nu)).sum(1), -10, 10))


@wrong("ν and -ν summed, not averaged", says=r"twice|factor 2|Halve")
def antithetic_sum() -> Evidence:
    def estimator(f, z, nu):
        return sum((v * jvp(f, z, v)).sum(axis=1) for v in (nu, -nu))

    return check_trace_estimator(estimator)


@wrong("a complex step that is not divided by its length", says=r"1e-20")
def complex_step_not_divided() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: (nu * np.imag(f(z + 1e-20j * nu))).sum(axis=1))


@wrong(
    "ν divided by its standard deviation over the batch",
    says=r"standard deviation|std|whole batch|rows are mixed",
)
def standardised() -> Evidence:
    def estimator(f, z, nu):
        v = nu / nu.std()
        return (v * jvp(f, z, v)).sum(axis=1)

    return check_trace_estimator(estimator)


@wrong("the largest term for the sum of all", says=r"largest|maximum|max")
def largest_term() -> Evidence:
    return check_trace_estimator(lambda f, z, nu: (nu * jvp(f, z, nu)).max(axis=1))


@wrong("the last row's ν for all rows", says=r"ν of the last row")
def last_row() -> Evidence:
    def estimator(f, z, nu):
        for v in nu:
            w = np.broadcast_to(v, z.shape)
        return (w * jvp(f, z, w)).sum(axis=1)

    return check_trace_estimator(estimator)
