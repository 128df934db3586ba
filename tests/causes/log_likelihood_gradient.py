"""Wrong gradients of a flow's log-likelihood, as they stand in people's training loops."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._likelihood_gradients import (
    D,
    H,
    adjoint,
    by_autograd,
    divergence,
    flow,
    judged,
    judged_by_hand,
    normal,
    torch_field,
    vjp,
)
from scoreproof import Evidence


@wrong(
    "the sign of the log-determinant, in value and adjoint alike",
    says=r"sign of the (log-det|integral|trace term)|\+ ?∫|log-det\w* .*(sign|negat)",
    needs="torch",
)
def log_det_sign() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) + delta

    return judged(by_autograd(log_p))


@wrong(
    "the sign of the log-determinant, with log p̂ given too",
    says=r"sign of the (log-det|integral|trace term)|\+ ?∫|log-det\w* .*(sign|negat)",
    needs="torch",
)
def log_det_sign_with_value() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) + delta

    return judged(by_autograd(log_p), log_likelihood=lambda x, p, nu: log_p(x, p, nu).detach())


@wrong("the prior at x, not at z(0)", says=r"at x\b", needs="torch")
def prior_at_x() -> Evidence:
    def log_p(x, p, nu):
        _, delta = flow(x, p, nu)
        return normal(x) - delta

    return judged(by_autograd(log_p), log_likelihood=lambda x, p, nu: log_p(x, p, nu).detach())


@wrong(
    "no prior: the loss is the log-determinant alone",
    says=r"(prior|latent density|log p_Z).*(missing|forgotten|left out|no gradient)",
    needs="torch",
)
def prior_missing() -> Evidence:
    return judged(by_autograd(lambda x, p, nu: -flow(x, p, nu)[1]))


@wrong(
    "no log-determinant: the loss is the prior alone",
    says=r"(log-det\w*|trace term|integral).*(missing|left out|no gradient|forgotten)",
    needs="torch",
)
def log_det_missing() -> Evidence:
    return judged(by_autograd(lambda x, p, nu: normal(flow(x, p, nu)[0])))


@wrong(
    "the log-determinant counted twice",
    says=r"(log-det\w*|trace term|integral).*(doubled|twice|factor 2)",
    needs="torch",
)
def log_det_doubled() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) - 2 * delta

    return judged(by_autograd(log_p))


@wrong(
    "the trace is detached: no create_graph",
    says=r"(trace|log-det\w*|divergence|integral).*(detached|missing|left out|no gradient)",
    needs="torch",
)
def trace_without_graph() -> Evidence:
    def trace(f, z, s, nu):
        dz, div = divergence(f, z, s, nu, second_order=True)
        return dz, div.detach()

    def log_p(x, p, nu):
        z, delta = flow(x, p, nu, trace=trace)
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong(
    "the trace is taken at a detached z",
    says=r"∂_z\(ν.*left out|trace.*detached z|z.*(detached|constant)",
    needs="torch",
)
def trace_at_detached_state() -> Evidence:
    def trace(f, z, s, nu):
        _, div = divergence(f, z.detach(), s, nu)
        return f(z, s), div

    def log_p(x, p, nu):
        z, delta = flow(x, p, nu, trace=trace)
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong(
    "z(0) is detached before the prior",
    says=r"(prior|latent density|log p_Z|a\(0\)).*(= 0|detached|forgotten|no gradient|missing)",
    needs="torch",
)
def latent_detached() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z.detach()) - delta

    return judged(by_autograd(log_p))


@wrong(
    "ν drawn anew at every evaluation of the field",
    says=r"ν of its own|does not use the ν|own ν|new ν",
    needs="torch",
)
def noise_at_every_step() -> Evidence:
    import torch

    torch.manual_seed(0)

    def log_p(x, p, nu):
        z, delta = flow(x, p, nu, trace=lambda f, z, s, _: divergence(f, z, s, torch.randn_like(z)))
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong(
    "a fixed ν of its own, the one given is ignored",
    says=r"(given ν|ν that it is given|ν given).*(ignored|not used)|ignores the ν"
    r"|does not use the ν|does not depend on (the )?ν",
    needs="torch",
)
def given_noise_ignored() -> Evidence:
    import torch

    fixed = torch.tensor(np.random.default_rng(3).choice([-1.0, 1.0], (8, D)))

    def log_p(x, p, nu):
        z, delta = flow(x, p, fixed[: len(x)])
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong("the exact trace where ν is given", says=r"exact trace|in_expectation", needs="torch")
def exact_trace() -> Evidence:
    def trace(f, z, s, nu):
        import torch

        units = torch.eye(D, dtype=z.dtype)
        parts = [divergence(f, z, s, e.expand_as(z)) for e in units]
        return parts[0][0], sum(part[1] for part in parts)

    def log_p(x, p, nu):
        z, delta = flow(x, p, nu, trace=trace)
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong(
    "a prior of std 2",
    says=r"(std|σ|standard deviation).*\b2\b|\b2\b.*(std|σ|standard deviation)",
    needs="torch",
)
def prior_std() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z, 2.0) - delta

    return judged(by_autograd(log_p))


@wrong(
    "the flow is stopped at t = 0.1",
    says=r"0\.1\b.*(not|for|instead of|where) .*0|stop\w* at (s|t) = 0\.1|from (s|t) = 0\.1",
    needs="torch",
)
def stopped_early() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu, t1=0.1)
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong(
    "the flow is run over [0, 2]", says=r"\[0, 2\]|T = 2|\b2\b.*(time|long)|twice", needs="torch"
)
def end_time_two() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu, t0=2.0)
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong(
    "the flow is run from 0 to 1 where 1 to 0 is due",
    says=r"direction|from (s = )?0 to (s = )?1|forward",
    needs="torch",
)
def flow_forward() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu, t0=0.0, t1=1.0)
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong("the field is asked at 1 - s", says=r"1 ?- ?s|1 ?- ?t|at the mirrored time", needs="torch")
def mirrored_clock() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu, trace=lambda f, z, s, e: divergence(f, z, 1 - s, e))
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong(
    "the field never gets its time: always s = 0",
    says=r"s = 0|always.*time|does not (use|get) .*time",
    needs="torch",
)
def time_forgotten() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu, trace=lambda f, z, s, e: divergence(f, z, 0.0, e))
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong(
    "the biases b2 are not among the optimiser's parameters",
    says=r"parameters 12 and 13 of 14 are 0",
    needs="torch",
)
def biases_without_gradient() -> Evidence:
    def log_p(x, p, nu):
        import torch

        q = torch.cat([p[:-2], p[-2:].detach()])
        z, delta = flow(x, q, nu)
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong(
    "the gradient of the mean over the batch",
    says=r"batch was averaged|mean over the (batch|rows)|1/n",
    needs="torch",
)
def batch_mean() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) - delta

    return judged(by_autograd(log_p, "mean"))


@wrong("the gradient of the loss -log p", says=r"-log p|negative log|the loss", needs="torch")
def loss_gradient() -> Evidence:
    def loss(x, p, nu):
        z, delta = flow(x, p, nu)
        return -(normal(z) - delta)

    return judged(by_autograd(loss, "sum"))


@wrong(
    "zero_grad is missing: gradients add up over calls",
    says=r"accumulat|add(s|ed)? up|zero_grad|not (reset|cleared)",
    needs="torch",
)
def accumulated() -> Evidence:
    buffer = None

    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) - delta

    def gradient(x, params, nu):
        nonlocal buffer
        new = by_autograd(log_p, "sum")(x, params, nu)
        buffer = new if buffer is None else buffer + new
        return buffer.clone()

    return judged(gradient)


@wrong("the gradient is clipped to norm 1", says=r"clip|norm", needs="torch")
def clipped_norm() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) - delta

    def gradient(x, params, nu):
        g = by_autograd(log_p, "sum")(x, params, nu)
        return g / max(1.0, float(g.norm()))

    return judged(gradient)


@wrong(
    "weight decay 0.1 in the gradient",
    says=r"weight decay|‖?params‖?²|multiple of (the )?params|regular",
    needs="torch",
)
def weight_decay() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) - delta - 0.05 * (p * p).sum()

    return judged(by_autograd(log_p))


@wrong(
    "Euler with 20 steps",
    says=r"Euler.*20 steps|20 steps.*Euler|too few steps|discreti",
    needs="torch",
)
def euler_steps() -> Evidence:
    def log_p(x, p, nu):
        z, total, h = x, 0.0, 1 / 20
        for k in range(20):
            dz, div = divergence(lambda y, s: torch_field(y, p, s), z, 1 - k * h, nu)
            z, total = z - h * dz, total + h * div
        return normal(z) - total

    return judged(by_autograd(log_p))


@wrong(
    "the weights come before the biases in the other order",
    says=r"(entries|params|weights?)[^.]*(another order|other order|permut|exchanged"
    r"|swapped|transpose)",
    needs="torch",
)
def transposed_weights() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) - delta

    def gradient(x, params, nu):
        g = by_autograd(log_p)(x, params, nu).clone()
        g[:, : H * D] = g[:, : H * D].reshape(-1, H, D).transpose(1, 2).reshape(-1, H * D)
        return g

    return judged(gradient)


@wrong("a' = + a J: the sign of the adjoint", says=r"a' = \+ ?a J|sign of the adjoint")
def adjoint_sign() -> Evidence:
    return judged_by_hand(adjoint(lambda a, m: (vjp(a, m[0]) - m[2], -vjp(a, m[1]) - m[3])))


@wrong("the parameter integral lacks the divergence's part", says=r"∂_θ\(ν.*left out")
def divergence_part_missing() -> Evidence:
    return judged_by_hand(adjoint(lambda a, m: (-vjp(a, m[0]) - m[2], -vjp(a, m[1]))))


@wrong(
    "the plain neural-ODE adjoint: no divergence part at all",
    says=r"∂_z\(ν.*∂_θ\(ν|(trace term|log-det\w*).*(missing|left out|no gradient)",
)
def plain_adjoint() -> Evidence:
    return judged_by_hand(adjoint(lambda a, m: (-vjp(a, m[0]), -vjp(a, m[1]))))
