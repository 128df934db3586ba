"""Wrong gradients of a flow's log-likelihood, as they stand in people's training loops."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_log_likelihood_gradient

D, H = 2, 3
#: W1 (H, D), b1 (H,), t1 (H,), W2 (D, H), b2 (D,)
SIZES = (H * D, H, H, D * H, D)
RNG = np.random.default_rng(7)
PARAMS = RNG.normal(0, 0.6, sum(SIZES))
X = RNG.normal(0, 1, (3, D))


def split(p: Any) -> tuple[Any, ...]:
    a, b, c, d, e = (p[i:j] for i, j in zip(np.cumsum((0, *SIZES)), np.cumsum(SIZES), strict=False))
    return a.reshape(H, D), b, c, d.reshape(D, H), e


def torch_field(z: Any, p: Any, s: Any) -> Any:
    import torch

    w1, b1, t1, w2, b2 = split(p)
    return torch.tanh(z @ w1.T + b1 + t1 * s) @ w2.T + b2


def field(z: Any, p: Any, s: Any) -> Any:
    w1, b1, t1, w2, b2 = split(p)
    return np.tanh(z @ w1.T + b1 + t1 * s) @ w2.T + b2


def normal(z: Any, std: float = 1.0) -> Any:
    return -0.5 * ((z / std) ** 2).sum(-1) - z.shape[-1] * np.log(std * np.sqrt(2 * np.pi))


def divergence(f: Any, z: Any, s: Any, nu: Any, second_order: bool = True) -> tuple[Any, Any]:
    """f and νᵀJν, as ffjord's ``divergence_approx``."""
    import torch

    with torch.enable_grad():
        z = z if z.requires_grad else z.requires_grad_(True)
        dz = f(z, s)
        e_dzdx = torch.autograd.grad(dz, z, nu, create_graph=second_order)[0]
    return dz, (e_dzdx * nu).sum(1)


def rk4(rate: Callable[..., Any], state: tuple[Any, ...], t0: float, t1: float, n: int = 24) -> Any:
    h = (t1 - t0) / n

    def moved(k: Any, c: float) -> Any:
        return tuple(a + c * b for a, b in zip(state, k, strict=True))

    for i in range(n):
        s = t0 + i * h
        a = rate(s, state)
        b = rate(s + h / 2, moved(a, h / 2))
        c = rate(s + h / 2, moved(b, h / 2))
        d = rate(s + h, moved(c, h))
        slope = tuple((p + 2 * q + 2 * r + w) / 6 for p, q, r, w in zip(a, b, c, d, strict=True))
        state = moved(slope, h)
    return state


def flow(
    x: Any, p: Any, nu: Any, *, trace: Any = divergence, t0: float = 1.0, t1: float = 0.0
) -> Any:
    """z(t1) and the integral of the divergence over [t1, t0]."""

    def rate(s: float, state: tuple[Any, ...]) -> tuple[Any, Any]:
        return trace(lambda z, s: torch_field(z, p, s), state[0], s, nu)

    z, minus = rk4(rate, (x, x[:, 0] * 0), t0, t1)
    return z, -minus


def by_autograd(log_p: Callable[..., Any], reduce: str = "rows") -> Callable[..., Any]:
    """The gradient of a log p̂ written in torch."""

    def gradient(x: Any, params: Any, nu: Any) -> Any:
        import torch

        p = params.detach().clone().requires_grad_(True)
        value = log_p(x.clone(), p, nu)
        if reduce != "rows":
            (value.mean() if reduce == "mean" else value.sum()).backward()
            return torch.zeros_like(p) if p.grad is None else p.grad
        rows = [torch.autograd.grad(v, p, retain_graph=True, allow_unused=True)[0] for v in value]
        return torch.stack([torch.zeros_like(p) if r is None else r for r in rows])

    return gradient


def judged(gradient: Callable[..., Any], **more: Any) -> Evidence:
    more = {"accuracy": 1e-5, "framework": "torch"} | more
    return check_log_likelihood_gradient(torch_field, PARAMS, X, gradient, **more)


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
    says=r"(given ν|ν that it is given|ν given).*(ignored|not used)|ignores the ν|does not use the ν|does not depend on (the )?ν",
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
    says=r"(params|parameters?) ?\[?18(\]|,)? (and )?(params\[)?19",
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
    says=r"(entries|params|weights?)[^.]*(another order|other order|permut|exchanged|swapped|transpose)",
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


# -- adjoints by hand, in NumPy --------------------------------------------------------------------


def pieces(z: Any, p: Any, s: float, nu: Any) -> tuple[Any, Any, Any, Any, Any]:
    """J (n, D, D), ∂f/∂θ (n, D, P), ∂_z(νᵀJν) (n, D), ∂_θ(νᵀJν) (n, P), νᵀJν (n,)."""
    w1, b1, t1, w2, _ = split(p)
    h = np.tanh(z @ w1.T + b1 + t1 * s)
    g = 1 - h * h
    left, right = nu @ w2, nu @ w1.T
    n = len(z)
    quad = (left * g * right).sum(axis=1)
    pre = left * right * (-2 * h * g)  # derivative of quad in the pre-activation
    to_theta = np.zeros((n, D, p.size))
    quad_theta = np.zeros((n, p.size))
    ends = np.cumsum((0, *SIZES))
    hidden = np.einsum("dh,nh->ndh", w2, g)
    to_theta[:, :, : ends[1]] = np.einsum("ndh,nk->ndhk", hidden, z).reshape(n, D, -1)
    to_theta[:, :, ends[1] : ends[2]] = hidden
    to_theta[:, :, ends[2] : ends[3]] = hidden * s
    to_theta[:, :, ends[3] : ends[4]] = np.einsum("de,nh->ndeh", np.eye(D), h).reshape(n, D, -1)
    to_theta[:, :, ends[4] :] = np.eye(D)
    first = np.einsum("nh,nk->nhk", pre, z) + np.einsum("nh,nk->nhk", left * g, nu)
    quad_theta[:, : ends[1]] = first.reshape(n, -1)
    quad_theta[:, ends[1] : ends[2]] = pre
    quad_theta[:, ends[2] : ends[3]] = pre * s
    quad_theta[:, ends[3] : ends[4]] = np.einsum("nd,nh->ndh", nu, g * right).reshape(n, -1)
    jac = np.einsum("dh,nh,hk->ndk", w2, g, w1)
    return jac, to_theta, pre @ w1, quad_theta, quad


def adjoint(
    rate: Callable[..., Any], start: Callable[..., Any] = lambda z: -z
) -> Callable[..., Any]:
    """Down with z, then up with z, a and b; ``rate(a, pieces) -> (a', b')``."""

    def gradient(x: Any, p: Any, nu: Any) -> Any:
        z0 = rk4(lambda s, y: (field(y[0], p, s),), (x,), 1.0, 0.0)[0]

        def up(s: float, y: tuple[Any, ...]) -> tuple[Any, ...]:
            return (field(y[0], p, s), *rate(y[1], pieces(y[0], p, s, nu)))

        return rk4(up, (z0, start(z0), np.zeros((len(x), p.size))), 0.0, 1.0)[2]

    return gradient


def judged_by_hand(gradient: Callable[..., Any], **more: Any) -> Evidence:
    return check_log_likelihood_gradient(field, PARAMS, X, gradient, **more)


def vjp(a: Any, m: Any) -> Any:
    return np.einsum("nd,ndk->nk", a, m)


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


def flow_value(x: Any, p: Any, nu: Any) -> tuple[Any, Any]:
    def down(s: float, y: tuple[Any, ...]) -> tuple[Any, Any]:
        return field(y[0], p, s), pieces(y[0], p, s, nu)[4]

    z, minus = rk4(down, (x, np.zeros(len(x))), 1.0, 0.0)
    return z, -minus


RIGHT = adjoint(lambda a, m: (-vjp(a, m[0]) - m[2], -vjp(a, m[1]) - m[3]))


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


@wrong("the log-determinant is divided by the number of steps", says=r"log-determinant counts.*(1/24|0\.0416)", needs="torch")
def log_det_averaged_over_steps() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) - delta / 24

    return judged(by_autograd(log_p))


@wrong("only the last layer is trained", says=r"parameters 0 to 11 of 20 are 0", needs="torch")
def last_layer_only() -> Evidence:
    def log_p(x, p, nu):
        import torch

        q = torch.cat([p[:12].detach(), p[12:]])
        z, delta = flow(x, q, nu)
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong("the field is asked at s = 1/2 throughout", says=r"s = (0\.5|1/2)", needs="torch")
def half_time() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu, trace=lambda f, z, s, e: divergence(f, z, 0.5, e))
        return normal(z) - delta

    return judged(by_autograd(log_p))


@wrong("the prior is averaged over the coordinates", says=r"prior.*(1/D|1/2|0\.5|averag)", needs="torch")
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


@wrong("the divergence is integrated by left sums, z by RK4", says=r"sum|quadrature|trace term|log-det", needs="torch")
def left_sums() -> Evidence:
    def log_p(x, p, nu):
        z, total = x, 0.0
        for k in range(20):
            s = 1 - k / 20
            total = total + divergence(lambda y, s: torch_field(y, p, s), z, s, nu)[1] / 20
            z = rk4(lambda s, y: (torch_field(y[0], p, s),), (z,), s, s - 1 / 20, 2)[0]
        return normal(z) - total

    return judged(by_autograd(log_p))


@wrong("log p̂ lacks the ½ of the prior and its gradient has it", says=r"of log p̂|log p̂ is", needs="torch")
def value_without_half() -> Evidence:
    def log_p(x, p, nu):
        z, delta = flow(x, p, nu)
        return normal(z) - delta

    def value(x, p, nu):
        z, delta = flow(x, p, nu)
        return (-(z**2).sum(1) - D / 2 * np.log(2 * np.pi) - delta).detach()

    return judged(by_autograd(log_p), log_likelihood=value)
