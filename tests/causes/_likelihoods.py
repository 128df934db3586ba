"""Log-likelihoods as people write them, right: what the wrong subjects vary.

Each dialect is a function of the places where mistakes are made, which are right by default.
"""

from __future__ import annotations

from typing import Any

import numpy as np

LOG_2PI = float(np.log(2 * np.pi))


class VESDE:
    """As score_sde has it, in torch: σ_t = σ_min (σ_max/σ_min)^t."""

    def __init__(self, sigma_min: float = 0.01, sigma_max: float = 30.0) -> None:
        self.sigma_min, self.sigma_max, self.T = sigma_min, sigma_max, 1

    def sde(self, x: Any, t: Any) -> Any:
        import torch

        sigma = self.sigma_min * (self.sigma_max / self.sigma_min) ** t
        diffusion = sigma * np.sqrt(2 * np.log(self.sigma_max / self.sigma_min))
        return torch.zeros_like(x), diffusion

    def marginal_prob(self, x: Any, t: Any) -> Any:
        return x, self.sigma_min * (self.sigma_max / self.sigma_min) ** t

    def prior_logp(self, z: Any) -> Any:
        n = np.prod(z.shape[1:])
        power = z.flatten(1).pow(2).sum(1)
        return -n / 2 * np.log(2 * np.pi * self.sigma_max**2) - power / (2 * self.sigma_max**2)


class VPSDE:
    """As score_sde has it, in torch: β from 0.1 to 20."""

    def __init__(self, beta_min: float = 0.1, beta_max: float = 20.0) -> None:
        self.beta_0, self.beta_1, self.T = beta_min, beta_max, 1

    def sde(self, x: Any, t: Any) -> Any:
        beta = self.beta_0 + t * (self.beta_1 - self.beta_0)
        return -0.5 * beta.reshape(-1, *[1] * (x.ndim - 1)) * x, beta**0.5

    def marginal_prob(self, x: Any, t: Any) -> Any:
        import torch

        log_mean = -0.25 * t**2 * (self.beta_1 - self.beta_0) - 0.5 * t * self.beta_0
        mean = torch.exp(log_mean.reshape(-1, *[1] * (x.ndim - 1))) * x
        return mean, torch.sqrt(1 - torch.exp(2 * log_mean))

    def prior_logp(self, z: Any) -> Any:
        n = np.prod(z.shape[1:])
        return -n / 2 * np.log(2 * np.pi) - z.flatten(1).pow(2).sum(1) / 2


def ode_drift(sde: Any, model: Any, x: Any, t: Any) -> Any:
    """f - ½ g² score."""
    drift, diffusion = sde.sde(x, t)
    return drift - 0.5 * diffusion.reshape(-1, *[1] * (x.ndim - 1)) ** 2 * model(x, t)


def skilling(fn: Any, x: Any, t: Any, eps: Any) -> Any:
    """score_sde's ``get_div_fn``."""
    import torch

    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        grad = torch.autograd.grad(torch.sum(fn(x, t) * eps), x)[0]
    return torch.sum(grad * eps, dim=tuple(range(1, x.ndim)))


def score_sde(
    sde: Any,
    drift: Any = ode_drift,
    *,
    divergence: Any = None,
    moved: Any = None,
    probe: str = "Rademacher",
    prior: Any = None,
    t0: float = 1e-5,
    t1: float = 1.0,
    bits: bool = False,
    offset: float = 7.0,
    scaled: Any = lambda x: x,
) -> Any:
    """``get_likelihood_fn`` of score_sde: scipy's RK45 over x and the change of log p side by side.

    ``divergence``: of what the trace is taken; ``moved``: what x moves with.
    """

    def likelihood_fn(model: Any, data: Any, rtol: float = 1e-3, atol: float = 1e-3) -> Any:
        import torch
        from scipy import integrate

        with torch.no_grad():
            data = scaled(data)
            shape, n = data.shape, data.shape[0]
            if probe == "Gaussian":
                epsilon = torch.randn_like(data)
            else:
                epsilon = torch.randint_like(data, low=0, high=2).float() * 2 - 1.0

            def ode_func(t: float, state: Any) -> Any:
                x = torch.from_numpy(state[:-n].reshape(shape)).to(data.dtype)
                vec_t = torch.ones(n) * t
                go = (moved or drift)(sde, model, x, vec_t)
                change = skilling(
                    lambda xx, tt: (divergence or drift)(sde, model, xx, tt), x, vec_t, epsilon
                )
                return np.concatenate([go.numpy().reshape(-1), change.numpy().reshape(-1)])

            init = np.concatenate([data.numpy().reshape(-1), np.zeros(n)])
            out = integrate.solve_ivp(ode_func, (t0, t1), init, rtol=rtol, atol=atol, method="RK45")
            z = torch.from_numpy(out.y[:-n, -1].reshape(shape))
            delta_logp = torch.from_numpy(out.y[-n:, -1])
            prior_logp = sde.prior_logp(z) if prior is None else prior(z, data)
            if not bits:
                return prior_logp + delta_logp, z, out.nfev
            bpd = -(prior_logp + delta_logp) / np.log(2) / np.prod(shape[1:])
            return bpd + offset, z, out.nfev

    return likelihood_fn


def rk4(rate: Any, state: Any, t0: float, t1: float, n: int) -> Any:
    """A tuple of states, from t0 to t1."""
    dt = (t1 - t0) / n
    t = t0
    for _ in range(n):
        k1 = rate(t, state)
        k2 = rate(t + dt / 2, tuple(s + dt / 2 * k for s, k in zip(state, k1, strict=True)))
        k3 = rate(t + dt / 2, tuple(s + dt / 2 * k for s, k in zip(state, k2, strict=True)))
        k4 = rate(t + dt, tuple(s + dt * k for s, k in zip(state, k3, strict=True)))
        steps = zip(state, k1, k2, k3, k4, strict=True)
        state = tuple(s + dt / 6 * (a + 2 * b + 2 * c + d) for s, a, b, c, d in steps)
        t = t + dt
    return state


def exact_trace(dz: Any, z: Any) -> Any:
    """torchdiffeq's example: one backward pass a coordinate."""
    import torch

    total = torch.zeros(len(z), dtype=z.dtype)
    for i in range(z.shape[1]):
        total = total + torch.autograd.grad(dz[:, i].sum(), z, create_graph=True)[0][:, i]
    return total


def standard_normal(z: Any) -> Any:
    return -0.5 * (z**2).sum(1) - 0.5 * z.shape[1] * LOG_2PI


def cnf(
    *,
    trace: Any = exact_trace,
    sign: float = -1.0,
    prior: Any = lambda z, x: standard_normal(z),
    back: tuple[float, float] = (1.0, 0.0),
    add: float = -1.0,
) -> Any:
    """torchdiffeq's cnf example: func(t, z), from the data at t1 to the base at t0."""

    def log_prob(func: Any, x: Any, n_steps: int = 8) -> Any:
        import torch

        def augmented(t: float, states: Any) -> Any:
            z = states[0]
            with torch.set_grad_enabled(True):
                z = z.detach().requires_grad_(True)
                dz = func(torch.tensor(t), z)
                change = sign * trace(dz, z)
            return dz.detach(), change.detach()

        zero = torch.zeros(len(x))
        z, delta = rk4(augmented, (x, zero), *back, n_steps)
        return prior(z, x) + add * delta

    return log_prob
