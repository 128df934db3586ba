"""Wrong gradients of a flow's log-likelihood: sweeps, times and places of the adjoint."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._likelihood_gradients import (
    adjoint,
    by_autograd,
    divergence,
    field,
    flow,
    judged,
    judged_by_hand,
    normal,
    pieces,
    rk4,
    torch_field,
    vjp,
)
from scoreproof import Evidence


def swept(x, p, nu, *, first=0.0, last=1.0, clock=lambda s: s, steps=20):
    """z, a and b from s = first to s = last, the derivatives at the time ``clock(s)``."""
    z0 = rk4(lambda s, y: (field(y[0], p, s),), (x,), 1.0, 0.0, steps)[0]

    def up(s, y):
        m = pieces(y[0], p, clock(s), nu)
        return field(y[0], p, s), -vjp(y[1], m[0]) - m[2], -vjp(y[1], m[1]) - m[3]

    return rk4(up, (z0, -z0, np.zeros((len(x), p.size))), first, last, steps)[2]


@wrong(
    "the upward loop begins at the third of 25 steps", says=r"sweep.*starts at s = 0\.08, not at 0"
)
def starts_late() -> Evidence:
    return judged_by_hand(lambda x, p, nu: swept(x, p, nu, first=0.08))


@wrong("the upward loop leaves its last step out", says=r"sweep ends at s = 0\.95, not at 1: 1/20 ")
def ends_early() -> Evidence:
    return judged_by_hand(lambda x, p, nu: swept(x, p, nu, last=0.95))


@wrong(
    "the adjoint's Jacobians at the time of the way down",
    says=r"vector-Jacobian products are those of the field at the time 1 - s, not at s",
)
def mirrored_jacobians() -> Evidence:
    return judged_by_hand(lambda x, p, nu: swept(x, p, nu, clock=lambda s: 1 - s))


@wrong(
    "the adjoint's Jacobians half a step of 1/20 too late",
    says=r"vector-Jacobian products are those of the field at s \+ 0\.025,",
)
def jacobians_half_a_step_off() -> Evidence:
    return judged_by_hand(lambda x, p, nu: swept(x, p, nu, clock=lambda s: s + 0.025))


@wrong(
    "the divergence is taken at the data point and not along the path",
    says=r"νᵀJν is taken at x, where z begins",
    needs="torch",
)
def divergence_at_the_data() -> Evidence:
    def log_p(x, p, nu):
        def rate(s, y):
            f = lambda z, s: torch_field(z, p, s)  # noqa: E731
            return f(y[0], s), divergence(f, x.detach().clone(), s, nu)[1]

        z, minus = rk4(rate, (x, x[:, 0] * 0), 1.0, 0.0, 16)
        return normal(z) + minus

    return judged(by_autograd(log_p), accuracy=1e-4)


@wrong(
    "σ where σ² is due in the score of a normal prior of σ = 1.6",
    says=r"1\.6 times ∂ log p_Z .*divided by σ, once, where -\(z - m\)/σ² is due",
)
def divided_by_the_std() -> Evidence:
    def rate(a, m):
        return -vjp(a, m[0]) - m[2], -vjp(a, m[1]) - m[3]

    return judged_by_hand(adjoint(rate, lambda z: -z / 1.6), log_latent=lambda z: normal(z, 1.6))


@wrong(
    "the standard normal's score for a prior of σ = 0.7",
    says=r"0\.49 times ∂ log p_Z .*not divided by σ² at all",
)
def standard_score_for_a_narrow_prior() -> Evidence:
    def rate(a, m):
        return -vjp(a, m[0]) - m[2], -vjp(a, m[1]) - m[3]

    return judged_by_hand(adjoint(rate), log_latent=lambda z: normal(z, 0.7))


def _penalised(penalty) -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) - delta - penalty(z)

    return judged(by_autograd(log_p))


@wrong(
    "a penalty on the squared length of z(0) is left in the loss",
    says=r"either as of a regulariser, 0\.05 \|z\(0\)\|² taken from log p",
    needs="torch",
)
def penalty_on_the_length() -> Evidence:
    return _penalised(lambda z: 0.05 * (z**2).sum(1))


@wrong(
    "a penalty on the absolute values of z(0) is left in the loss",
    says=r"a regulariser: 0\.03 Σ\|z_k\(0\)\| is taken from log p.* or the prior is another",
    needs="torch",
)
def penalty_on_absolute_values() -> Evidence:
    return _penalised(lambda z: 0.03 * z.abs().sum(1))


@wrong(
    "RK4 downward in 9 steps, its third stage told s + h/2 for s - h/2",
    says=r"RK4 with 9 steps.*its third stage is told s \+ h/2, where s - h/2 is due \(stage_time\)",
    needs="torch",
)
def third_stage_told_another_time() -> Evidence:
    def log_p(x, p, nu):
        h = 1 / 9

        def rate(s, y):
            return divergence(lambda z, s: torch_field(z, p, s), y[0], s, nu)

        z, gone = x, 0 * x[:, 0]
        for k in range(9):
            s = 1 - k * h
            a = rate(s, (z,))
            b = rate(s - h / 2, (z - h / 2 * a[0],))
            c = rate(s + h / 2, (z - h / 2 * b[0],))
            d = rate(s - h, (z - h * c[0],))
            z = z - h / 6 * (a[0] + 2 * b[0] + 2 * c[0] + d[0])
            gone = gone + h / 6 * (a[1] + 2 * b[1] + 2 * c[1] + d[1])
        return normal(z) - gone

    return judged(by_autograd(log_p), log_likelihood=log_p)
