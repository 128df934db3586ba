"""Wrong log-likelihoods: of score_sde, FFJORD and torchdiffeq, flow_matching, k-diffusion, sbi."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._likelihoods import (
    LOG_2PI,
    VESDE,
    VPSDE,
    cnf,
    rk4,
    score_sde,
    standard_normal,
)
from scoreproof import check_log_likelihood


def of_sde(sde, function, **more):
    return check_log_likelihood(function, sde, framework="torch", **more)


def reverse_drift(sde, model, x, t):
    drift, diffusion = sde.sde(x, t)
    return drift - diffusion.reshape(-1, *[1] * (x.ndim - 1)) ** 2 * model(x, t)


# -- the drift of the ODE, and what the trace is taken of ------------------------------------------


@wrong("score_sde: probability_flow left False", says=r"f - g² ∇log p. The ODE", needs="torch")
def whole_g2():
    sde = VPSDE(0.1, 5.0)
    return of_sde(sde, score_sde(sde, reverse_drift))


@wrong("the trace of the reverse SDE's drift", says=r"trace is that of f - g² ∇log p, x moves",
       needs="torch")  # fmt: skip
def trace_whole_g2():
    sde = VPSDE(0.1, 5.0)
    return of_sde(sde, score_sde(sde, divergence=reverse_drift))


@wrong("g for g² in a VE process", says=r"½ g ∇log p where ½ g²", needs="torch")
def g_for_g2():
    def drift(sde, model, x, t):
        f, g = sde.sde(x, t)
        return f - 0.5 * g[:, None] * model(x, t)

    sde = VESDE(0.1, 5.0)
    return of_sde(sde, score_sde(sde, drift))


@wrong("the divergence of the model", says=r"trace is that of the score, not of the drift",
       needs="torch")  # fmt: skip
def divergence_of_the_score():
    sde = VPSDE(0.1, 5.0)
    return of_sde(sde, score_sde(sde, divergence=lambda sde, model, x, t: model(x, t)))


@wrong("the trace without that of f", says=r"trace lacks that of f", needs="torch")
def trace_of_the_score_part():
    def part(sde, model, x, t):
        return -0.5 * sde.sde(x, t)[1][:, None] ** 2 * model(x, t)

    sde = VPSDE(0.1, 5.0)
    return of_sde(sde, score_sde(sde, divergence=part))


@wrong("½ g² ∇log p added", says=r"it is subtracted", needs="torch")
def score_added():
    def drift(sde, model, x, t):
        f, g = sde.sde(x, t)
        return f + 0.5 * g[:, None] ** 2 * model(x, t)

    sde = VESDE(0.05, 3.0)
    return of_sde(sde, score_sde(sde, drift))


@wrong("f dropped, as in a VE code used for VP", says=r"f, the drift of the forward process",
       needs="torch")  # fmt: skip
def no_forward_drift():
    def drift(sde, model, x, t):
        return -0.5 * sde.sde(x, t)[1][:, None] ** 2 * model(x, t)

    sde = VPSDE(0.1, 6.0)
    return of_sde(sde, score_sde(sde, drift))


# -- the prior -------------------------------------------------------------------------------------


@wrong("score_sde: the prior of the data", says=r"evaluated at x, where the flow begins",
       needs="torch")  # fmt: skip
def prior_at_the_data():
    sde = VPSDE(0.1, 5.0)
    return of_sde(sde, score_sde(sde, prior=lambda z, x: sde.prior_logp(x)))


@wrong("a unit prior for a VE process", says=r"prior is N\(0, I\), where the noise", needs="torch")
def unit_prior():
    sde = VESDE()
    return of_sde(sde, score_sde(sde, prior=lambda z, x: VPSDE().prior_logp(z)))


@wrong("a prior of σ_max, without square", says=r"standard deviation where its variance",
       needs="torch")  # fmt: skip
def width_for_variance():
    sde = VESDE()

    def prior(z, x):
        n = z[0].numel()
        return -n / 2 * np.log(2 * np.pi * sde.sigma_max) - (z**2).sum(1) / (2 * sde.sigma_max)

    return of_sde(sde, score_sde(sde, prior=prior))


@wrong("another σ_max in the prior", says=r"the prior is N\(0, 50² I\), where .* 30 is due",
       needs="torch")  # fmt: skip
def other_sigma_max():
    sde = VESDE()
    return of_sde(sde, score_sde(sde, prior=lambda z, x: VESDE(0.01, 50.0).prior_logp(z)))


@wrong("FFJORD: the prior without its constant", says=r"lacks its constant -d/2 log\(2π\)",
       needs="torch")  # fmt: skip
def no_constant():
    function = cnf(prior=lambda z, x: -0.5 * (z**2).sum(1))
    return check_log_likelihood(function, framework="torch")


@wrong("log(2π)/2 once", says=r"-½ log\(2π\) once", needs="torch")
def one_constant():
    function = cnf(prior=lambda z, x: -0.5 * ((z**2).sum(1) + LOG_2PI))
    return check_log_likelihood(function, framework="torch")


@wrong("the width missing in the constant", says=r"lacks its constant -d log σ", needs="torch")
def no_log_sigma():
    sde = VESDE()

    def prior(z, x):
        return -((z / sde.sigma_max) ** 2).sum(1) / 2 - z.shape[1] / 2 * LOG_2PI

    return of_sde(sde, score_sde(sde, prior=prior))


@wrong("the prior averaged over coordinates", says=r"prior is the mean over coordinates",
       needs="torch")  # fmt: skip
def mean_prior():
    import torch

    def prior(z, x):
        return torch.distributions.Normal(0.0, 1.0).log_prob(z).mean(1)

    return check_log_likelihood(cnf(prior=prior), framework="torch")


# -- sign and direction ----------------------------------------------------------------------------


@wrong("torchdiffeq: logp_z + ∫ where it is minus", says=r"∫ tr.* has the wrong sign",
       needs="torch")  # fmt: skip
def trace_added():
    return check_log_likelihood(cnf(add=1.0), framework="torch")


@wrong("FFJORD: divergence not negated", says=r"∫ tr.* has the wrong sign", needs="torch")
def not_negated():
    return check_log_likelihood(cnf(sign=1.0), framework="torch")


@wrong("the CNF integrated from the base to the data", says=r"begins at the time of the noise",
       needs="torch")  # fmt: skip
def from_base_to_data():
    return check_log_likelihood(cnf(back=(0.0, 1.0)), framework="torch")


@wrong("stepping with +dt where the time falls", says=r"followed the wrong way|x goes with -dx/dt")
def dt_of_the_wrong_sign():
    def log_likelihood(velocity, div, x, n_steps=80):
        dt, total = 1 / n_steps, 0.0
        for k in range(n_steps):
            t = 1 - k * dt
            half = x + dt / 2 * velocity(x, t)
            x, total = x + dt * velocity(half, t - dt / 2), total - dt * div(half, t - dt / 2)
        return standard_normal(x) + total

    return check_log_likelihood(log_likelihood)


@wrong("rectified flow with its clock turned", says=r"told T - t where t is due|begins at the time")
def clock_turned():
    def log_likelihood(velocity, div, x, n_steps=100):
        dt, total = 1 / n_steps, 0.0
        for k in range(n_steps):
            s = (k + 0.5) * dt
            half = x + dt / 2 * velocity(x, k * dt)
            x, total = x + dt * velocity(half, s), total + dt * div(half, s)
        return standard_normal(x) + total

    return check_log_likelihood(log_likelihood)


# -- the trace's estimate --------------------------------------------------------------------------


@wrong("mean(dim=1) for ν·Jν", says=r"mean over coordinates stands where ν·Jν", needs="torch")
def mean_of_the_products():
    def trace(dz, z):
        import torch

        nu = torch.randn_like(z)
        return (torch.autograd.grad(dz, z, nu)[0] * nu).mean(1)

    return check_log_likelihood(cnf(trace=trace), framework="torch")


@wrong("signs of ½ for ν", says=r"0.25 times what is due: a probe", needs="torch")
def half_signs():
    def trace(dz, z):
        import torch

        nu = torch.randint_like(z, 0, 2) - 0.5
        return (torch.autograd.grad(dz, z, nu)[0] * nu).sum(1)

    return check_log_likelihood(cnf(trace=trace), framework="torch")


@wrong("ν normalised to length one", says=r"mean over coordinates stands where ν·Jν", needs="torch")
def unit_probe():
    def trace(dz, z):
        import torch

        nu = torch.nn.functional.normalize(torch.randn_like(z), dim=1)
        return (torch.autograd.grad(dz, z, nu)[0] * nu).sum(1)

    return check_log_likelihood(cnf(trace=trace), framework="torch")


@wrong("log|det| summed over the batch", says=r"summed or averaged over the batch", needs="torch")
def batch_summed():
    function = cnf()
    return check_log_likelihood(
        lambda func, x, n_steps: function(func, x, n_steps).mean(), framework="torch"
    )


@wrong(
    "the trace of the first point only, times T",
    says=r"trace is that at the start, times the whole time",
)
def trace_held():
    def log_likelihood(velocity, div, x, n_steps=50):
        dt, start = 1 / n_steps, x
        for k in range(n_steps):
            t = 1 - k * dt
            half = x - dt / 2 * velocity(x, t)
            x = x - dt * velocity(half, t - dt / 2)
        return standard_normal(x) - div(start, 1.0)

    return check_log_likelihood(log_likelihood)


# -- bits per dimension ----------------------------------------------------------------------------


def bits(**more):
    sde = VPSDE(0.1, 5.0)
    return of_sde(
        sde, score_sde(sde, bits=True, **more), units="bits_per_dim", data_range=(-1, 1),
        shape=(1, 1, 3),
    )  # fmt: skip


@wrong("score_sde: offset 8 for data in [-1, 1]", says=r"one bit too large", needs="torch")
def offset_eight():
    return bits(offset=8.0)


@wrong("no offset", says=r"bits of the levels of the data are missing", needs="torch")
def no_offset():
    return bits(offset=0.0)


@wrong("the offset subtracted", says=r"offset .* is subtracted", needs="torch")
def minus_offset():
    return bits(offset=-7.0)


@wrong("bits without the division by d", says=r"not divided by the number of coordinates",
       needs="torch")  # fmt: skip
def bits_of_all():
    sde = VPSDE(0.1, 5.0)
    inner = score_sde(sde)

    def bpd(model, x, rtol=1e-3, atol=1e-3):
        return -inner(model, x, rtol, atol)[0] / np.log(2) + 7.0

    return of_sde(sde, bpd, units="bits_per_dim", data_range=(-1, 1))


@wrong("nats per dimension", says=r"in nats: divide by log 2", needs="torch")
def nats_per_dim():
    sde = VPSDE(0.1, 5.0)
    inner = score_sde(sde)

    def bpd(model, x, rtol=1e-3, atol=1e-3):
        return -inner(model, x, rtol, atol)[0] / x.shape[1] + 7.0

    return of_sde(sde, bpd, units="bits_per_dim", data_range=(-1, 1))


@wrong("the scaler 2x - 1 without its log 2", says=r"log\|dy/dx\| of that is not added",
       needs="torch")  # fmt: skip
def scaler():
    sde = VPSDE(0.1, 5.0)
    return of_sde(sde, score_sde(sde, scaled=lambda x: 2 * x - 1))


@wrong("the negative log-likelihood returned as log p", says=r"its sign is turned", needs="torch")
def negative():
    function = cnf()

    def log_prob(func, x, n_steps=8):
        return -function(func, x, n_steps)

    return check_log_likelihood(log_prob, framework="torch")


# -- times -----------------------------------------------------------------------------------------


@wrong("solved to T/2 only", says=r"stops before the time of the noise", needs="torch")
def half_way():
    sde = VPSDE(0.1, 5.0)
    return of_sde(sde, score_sde(sde, t1=0.5))


@wrong("solved from t = 0.1", says=r"begins after the time of the data", needs="torch")
def late():
    sde = VPSDE(0.1, 5.0)
    return of_sde(sde, score_sde(sde, t0=0.1))


@wrong("log p of the drift f - g² s beside x of the right one, in JAX", needs="jax",
       says=r"trace is that of f - g² ∇log p")  # fmt: skip
def jax_trace_whole_g2():
    import jax
    import jax.numpy as jnp

    from scoreproof.objects.schedules import VPLinear

    process = VPLinear(0.1, 4.0)

    def beta(t):
        return 0.1 + 3.9 * t

    def log_prob(score_fn, x, n_steps=10):
        def drift(y, t, by):
            return -0.5 * beta(t) * y - by * beta(t) * score_fn(y[None], t)[0]

        def rate(t, state):
            y = state[0]
            move = jax.vmap(lambda v: drift(v, t, 0.5))(y)
            traces = jax.vmap(lambda v: jnp.trace(jax.jacfwd(lambda u: drift(u, t, 1.0))(v)))(y)
            return move, traces

        z, change = rk4(rate, (x, jnp.zeros(len(x))), 1e-3, 1.0, n_steps)
        return standard_normal(z) + change

    return check_log_likelihood(log_prob, process, framework="jax", t_min=1e-3)


@wrong("a denoiser's ODE, the prior of σ_max as a variance", needs="torch",
       says=r"standard deviation where its variance")  # fmt: skip
def karras_prior():
    def log_likelihood(model, x, sigma_min, sigma_max, n_steps=30):
        import torch

        v = torch.randint_like(x, 2) * 2 - 1

        def rate(log_sigma, state):
            sigma = np.exp(log_sigma)
            with torch.enable_grad():
                y = state[0].detach().requires_grad_()
                d = y - model(y, sigma * y.new_ones([len(y)]))
                grad = torch.autograd.grad((d * v).sum(), y)[0]
            return d.detach(), (v * grad).flatten(1).sum(1)

        ends = np.log(sigma_min), np.log(sigma_max)
        z, delta = rk4(rate, (x, x.new_zeros(len(x))), *ends, n_steps)
        prior = torch.distributions.Normal(0, sigma_max**0.5).log_prob(z).flatten(1).sum(1)
        return prior + delta

    return check_log_likelihood(log_likelihood, framework="torch")
