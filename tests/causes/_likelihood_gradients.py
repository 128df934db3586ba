"""What the wrong subjects of check_log_likelihood_gradient are built with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof import Evidence, check_log_likelihood_gradient

D, H = 2, 2


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


def rk4(rate: Callable[..., Any], state: tuple[Any, ...], t0: float, t1: float, n: int = 12) -> Any:
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


def flow_value(x: Any, p: Any, nu: Any) -> tuple[Any, Any]:
    def down(s: float, y: tuple[Any, ...]) -> tuple[Any, Any]:
        return field(y[0], p, s), pieces(y[0], p, s, nu)[4]

    z, minus = rk4(down, (x, np.zeros(len(x))), 1.0, 0.0)
    return z, -minus


RIGHT = adjoint(lambda a, m: (-vjp(a, m[0]) - m[2], -vjp(a, m[1]) - m[3]))
