"""Wrong gradients of log p in parameters and in t: of torchdiffeq's example, FFJORD, score_sde."""

from __future__ import annotations

from typing import Any

from causes import wrong
from causes._likelihoods import LOG_2PI, exact_trace, rk4, standard_normal
from scoreproof import check_log_likelihood
from scoreproof.objects.schedules import VPLinear


def trained(
    *,
    held: bool = False,
    cut: bool = False,
    prior: Any = standard_normal,
    asked: Any = lambda func, t, z: func(t, z),
    told: Any = lambda value: value,
) -> Any:
    """A CNF as it is trained by autograd through its solver."""

    def log_prob(func: Any, x: Any, n_steps: int = 4) -> Any:
        import torch

        def augmented(t: float, states: Any) -> Any:
            z = states[0]
            if held or not z.requires_grad:
                z = z.detach().requires_grad_(True)
            dz = asked(func, torch.tensor(t), z)
            change = exact_trace(dz, z)
            return dz, change.detach() if cut else change

        z, delta = rk4(augmented, (x, torch.zeros(len(x))), 1.0, 0.0, n_steps)
        return told(prior(z) + delta)

    return log_prob


def of_params(function: Any) -> Any:
    return check_log_likelihood(
        function, framework="torch", shape=1, gradients="params", tolerance=0.01
    )


def flipped(value: Any) -> Any:
    """Of the same value, with the gradient turned: an adjoint derived with another sign."""
    return 2 * value.detach() - value


@wrong("FFJORD: the divergence without create_graph", says=r"gradient of ∫ tr is missing",
       needs="torch")  # fmt: skip
def trace_detached():
    return of_params(trained(cut=True))


@wrong("torchdiffeq: z.detach().requires_grad_() in the field", says=r"z is detached at every step",
       needs="torch")  # fmt: skip
def state_detached():
    return of_params(trained(held=True))


@wrong("z and the divergence detached in each step", needs="torch",
       says=r"detached at every step, and the divergence too")  # fmt: skip
def state_and_trace_detached():
    return of_params(trained(held=True, cut=True))


@wrong("the prior of z.detach()", says=r"gradient of log π\(z\) is missing", needs="torch")
def prior_detached():
    return of_params(trained(prior=lambda z: standard_normal(z.detach())))


@wrong("score_sde: a training loss of likelihood_fn, which runs under no_grad", needs="torch",
       says=r"log p does not depend on it in the graph")  # fmt: skip
def detached_result():
    return of_params(trained(told=lambda value: value.detach()))


@wrong("parameters that are no longer trained, as of an EMA copy", needs="torch",
       says=r"log p does not depend on it in the graph")  # fmt: skip
def frozen_copy():
    import copy

    function = trained()

    def log_prob(func: Any, x: Any, n_steps: int = 4) -> Any:
        return function(copy.deepcopy(func).requires_grad_(False), x, n_steps)

    return of_params(log_prob)


@wrong("an adjoint with the sign of the trace's part", says=r"gradient of ∫ tr has the wrong sign",
       needs="torch")  # fmt: skip
def trace_sign():
    function, half = trained(), trained(prior=lambda z: 0 * z.sum(1))

    def log_prob(func: Any, x: Any, n_steps: int = 4) -> Any:
        trace = half(func, x, n_steps)
        return function(func, x, n_steps) - trace + flipped(trace)

    return of_params(log_prob)


@wrong("the gradient of an objective that is minimised", says=r"the gradient has the wrong sign",
       needs="torch")  # fmt: skip
def turned():
    return of_params(trained(told=flipped))


@wrong("JAX: stop_gradient of the divergence", says=r"gradient of ∫ tr is missing", needs="jax")
def jax_trace_stopped():
    return check_log_likelihood(
        jax_flow(stop=True), framework="jax", shape=1, gradients="params", tolerance=0.01
    )


def jax_flow(stop: bool = False) -> Any:
    def log_prob(velocity: Any, x: Any, n_steps: int = 16) -> Any:
        import jax
        import jax.numpy as jnp

        h = -1 / n_steps

        def step(state: Any, k: Any) -> Any:
            y, total = state
            t = 1 + (k + 0.5) * h
            half = y + h / 2 * velocity(y, t - h / 2)
            one = jnp.ones_like(half)
            move, change = jax.jvp(lambda u: velocity(u, t), (half,), (one,))
            trace = jax.lax.stop_gradient(change) if stop else change
            return (y + h * move, total + h * trace.sum(-1)), None

        (z, delta), _ = jax.lax.scan(step, (x, jnp.zeros(len(x))), jnp.arange(n_steps))
        return standard_normal(z) + delta

    return log_prob


# -- the time of the data --------------------------------------------------------------------------


def of_time(start: Any = lambda t: t, prior: Any = standard_normal, steps: Any = None) -> Any:
    """Log p_t of a VP process, β from 0.1 to 5."""

    def log_prob(score_fn: Any, x: Any, t: Any, n_steps: int = 6) -> Any:
        import torch

        def rate(s: Any, states: Any) -> Any:
            z = states[0]
            if not z.requires_grad:
                z = z.detach().requires_grad_(True)
            dz = -(0.1 + 4.9 * s) / 2 * (z + score_fn(z, s))
            return dz, exact_trace(dz, z)

        z, delta = rk4(rate, (x, torch.zeros(len(x))), start(t), 1.0, n_steps)
        return prior(z) + delta

    return log_prob


def in_t(function: Any) -> Any:
    return check_log_likelihood(
        function, VPLinear(0.1, 5.0), framework="torch", shape=1, gradients="t", tolerance=0.01
    )


@wrong("t turned into a number", says=r"log p does not depend on it in the graph", needs="torch")
def time_is_a_number():
    return in_t(of_time(start=lambda t: t.item() if hasattr(t, "item") else t))


@wrong("the prior of z.detach(), in t", says=r"gradient of log π\(z\) is missing", needs="torch")
def time_prior_detached():
    return in_t(of_time(prior=lambda z: -(z.detach() ** 2).sum(1) / 2 - z.shape[1] / 2 * LOG_2PI))
