"""Wrong gradients of a flow's log-likelihood, as they stand in people's training loops: more."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._likelihood_gradients import (
    RIGHT,
    D,
    adjoint,
    by_autograd,
    divergence,
    flow,
    flow_value,
    judged,
    judged_by_hand,
    normal,
    rk4,
    torch_field,
    vjp,
)
from scoreproof import Evidence


@wrong("J a for aᵀJ", says=r"J a for a J|transpos")
def adjoint_transposed() -> Evidence:
    def rate(a, m):
        return -np.einsum("ndk,nk->nd", m[0], a) - m[2], -vjp(a, m[1]) - m[3]

    return judged_by_hand(adjoint(rate))


@wrong("a(0) = z for a Gaussian", says=r"a\(0\) = \+z|sign of the score")
def score_sign() -> Evidence:
    return judged_by_hand(
        adjoint(lambda a, m: (-vjp(a, m[0]) - m[2], -vjp(a, m[1]) - m[3]), lambda z: z)
    )


@wrong("the trace term halved in the adjoint of θ", says=r"(0\.5|1/2) times the part of ∂_θ")
def half_of_the_trace() -> Evidence:
    return judged_by_hand(adjoint(lambda a, m: (-vjp(a, m[0]) - m[2], -vjp(a, m[1]) - m[3] / 2)))


@wrong(
    "sign of the log-determinant in all three places, by hand",
    says=r"sign of the (log-det|integral|trace term)|\+ ?∫|log-det\w* .*(sign|negat)",
)
def log_det_sign_by_hand() -> Evidence:
    return judged_by_hand(adjoint(lambda a, m: (-vjp(a, m[0]) + m[2], -vjp(a, m[1]) + m[3])))


@wrong(
    "the whole gradient twice: both halves of a symmetric step added",
    says=r"factor 2|2 times|twice|doubled",
)
def doubled() -> Evidence:
    right = adjoint(lambda a, m: (-vjp(a, m[0]) - m[2], -vjp(a, m[1]) - m[3]))
    return judged_by_hand(lambda x, p, nu: 2 * right(x, p, nu))


@wrong("log p̂ without the 2π of the prior", says=r"2π|1\.83|log\(2π\)|normalis")
def value_without_two_pi() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow_value(x, p, nu)
        return -0.5 * (z * z).sum(axis=1) - delta

    return judged_by_hand(RIGHT, log_likelihood=log_p)


@wrong("log p̂ in bits per dimension", says=r"bits|log\(?2|ln 2|factor.*dimension")
def value_in_bits() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow_value(x, p, nu)
        return (normal(z) - delta) / (D * np.log(2))

    return judged_by_hand(RIGHT, log_likelihood=log_p)


@wrong(
    "log p̂ has the sign of the log-determinant wrong, its gradient is right",
    says=r"log p_Z \+ ℓ̂|sign of the (integral|log-det|trace term)|ℓ̂' = \+",
)
def value_log_det_sign() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow_value(x, p, nu)
        return normal(z) + delta

    return judged_by_hand(RIGHT, log_likelihood=log_p)


# -- written after the check was mended for those above --------------------------------------------


@wrong("a Laplace prior", says=r"prior|log p_Z", needs="torch")
def laplace_prior() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return -z.abs().sum(1) - delta

    return judged(by_autograd(log_p))


@wrong("a prior of mean 0.5", says=r"(prior|log p_Z).*0\.5|mean.*0\.5", needs="torch")
def prior_mean() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z - 0.5) - delta

    return judged(by_autograd(log_p))


@wrong(
    "the log-determinant is divided by the number of steps",
    says=r"log-determinant counts.*(1/24|0\.0416)",
    needs="torch",
)
def log_det_averaged_over_steps() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) - delta / 24

    return judged(by_autograd(log_p))


@wrong("only the last layer is trained", says=r"parameters 0 to 7 of 14 are 0", needs="torch")
def last_layer_only() -> Evidence:
    def log_p(x, p, nu):
        import torch

        q = torch.cat([p[:8].detach(), p[8:]])
        z, delta = flow(x, q, nu)
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong("the field is asked at s = 1/2 throughout", says=r"s = (0\.5|1/2)", needs="torch")
def half_time() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu, trace=lambda f, z, s, e: divergence(f, z, 0.5, e))
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong(
    "the prior is averaged over the coordinates",
    says=r"prior.*(1/D|1/2|0\.5|averag)",
    needs="torch",
)
def prior_averaged() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return -0.5 * (z**2).mean(1) - delta

    return judged(by_autograd(log_p))


@wrong("ν is brought to unit length", says=r"unit length|length 1|1/\|ν\|", needs="torch")
def noise_of_unit_length() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu / nu.norm(dim=1, keepdim=True))
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong("the first row's ν for all rows", says=r"ν of the first row", needs="torch")
def noise_of_the_first_row() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu[:1].expand_as(nu))
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong("midpoint with 6 steps", says=r"midpoint with 6 steps", needs="torch")
def midpoint_steps() -> Evidence:
    def log_p(x, p, nu):
        z, total, h = x, 0.0, 1 / 6
        for k in range(6):
            s = 1 - k * h
            dz, _ = divergence(lambda y, s: torch_field(y, p, s), z, s, nu)
            dz, div = divergence(lambda y, s: torch_field(y, p, s), z - h / 2 * dz, s - h / 2, nu)
            z, total = z - h * dz, total + h * div
        return normal(z) - total

    return judged(by_autograd(log_p))


@wrong("entries clipped to [-0.3, 0.3]", says=r"clipped", needs="torch")
def clipped_entries() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) - delta

    return judged(lambda *a: by_autograd(log_p)(*a).clamp(-0.3, 0.3))


@wrong(
    "the divergence is integrated by left sums, z by RK4",
    says=r"sum|quadrature|trace term|log-det",
    needs="torch",
)
def left_sums() -> Evidence:
    def log_p(x, p, nu):
        z, total = x, 0.0
        for k in range(20):
            s = 1 - k / 20
            total = total + divergence(lambda y, s: torch_field(y, p, s), z, s, nu)[1] / 20
            z = rk4(lambda s, y: (torch_field(y[0], p, s),), (z,), s, s - 1 / 20, 2)[0]
        return normal(z) - total

    return judged(by_autograd(log_p))


@wrong(
    "log p̂ lacks the ½ of the prior and its gradient has it",
    says=r"of log p̂|log p̂ is",
    needs="torch",
)
def value_without_half() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) - delta

    def value(x, p, nu):
        z, delta = flow(x, p, nu)
        return (-(z**2).sum(1) - D / 2 * np.log(2 * np.pi) - delta).detach()

    return judged(by_autograd(log_p), log_likelihood=value)
