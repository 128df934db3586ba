"""A fifth round of wrong reverse-time samplers, held out like the ones before."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_reverse_sampler
from scoreproof.objects.linear_sde import LinearSDE
from scoreproof.objects.schedules import EDM, FlowMatching, VPLinear

VP, KARRAS, STRAIGHT = VPLinear(0.1, 20.0), EDM(), FlowMatching()


@wrong(
    "torch: the score's term is halved though noise is added", says=r"ODE's drift", needs="torch"
)
def torch_flag_ignored():
    import torch

    class RSDE:
        def __init__(self, probability_flow=False):
            self.probability_flow = probability_flow

        def sde(self, x, t, model):
            b = 0.1 + t * 19.9
            drift, diffusion = -0.5 * b * x, torch.as_tensor(b, dtype=x.dtype).sqrt()
            drift = drift - 0.5 * diffusion**2 * model(x, t)
            return drift, 0.0 * diffusion if self.probability_flow else diffusion

    rsde = RSDE()
    return check_reverse_sampler(
        lambda x, t, model: rsde.sde(x, t, model),
        VP,
        (0.0,),
        form="sde",
        framework="torch",
        dtype="float64",
        dimension=2,
    )


@wrong(
    "jax: g² of the score's term without its square, and the sign of f",
    says=r"f[^.]*-1[\s\S]*1/g\(t\)|f negated[\s\S]*g in place of g²",
    needs="jax",
)
def jax_two_faults():
    import jax.numpy as jnp

    def sampler(x, t, model):
        b = 0.1 + t * 19.9
        return 0.5 * b * x - jnp.sqrt(b) * model(x, t), jnp.sqrt(b)

    return check_reverse_sampler(
        sampler, VP, (0.0,), form="sde", framework="jax", dtype="float32", dimension=2
    )


@wrong("S_noise = 1.003 in the churn", says=r"1\.003")
def s_noise():
    def step(x, t, t_next, z, denoiser):
        t_hat = t + 0.5 * (t - t_next)
        x = x + np.sqrt(t_hat**2 - t**2) * 1.003 * z
        return x + (t_next - t_hat) * (x - denoiser(x, t_hat)) / t_hat

    return check_reverse_sampler(step, KARRAS, (0.5,), prediction="x0", times=(0.1, 50.0))


@wrong(
    "no noise below t = 0.3, while the SDE's drift is kept",
    says=r"t = 0\.1 to 0\.2\d*[\s\S]*(without its noise|noise (is missing|of λ = 1))",
)
def noise_stops():
    def sampler(x, t, score):
        b = 0.1 + t * 19.9
        return -0.5 * b * x - b * score(x, t), np.sqrt(b) if t > 0.3 else 0.0

    return check_reverse_sampler(sampler, VP, (0.0,), form="sde")


@wrong(
    "the flow's score -(x + (1-t) v)/t with t and 1 - t exchanged",
    says=r"∇log p = -x/α - σ/α v is made where ∇log p = -x/σ - α/σ v is due",
)
def flow_score_exchanged():
    def sampler(x, t, v):
        u, c = v(x, t), np.sqrt(2 * t / (1 - t))
        score = -(x + t * u) / (1 - t)
        return u - c**2 / 2 * score, c

    return check_reverse_sampler(sampler, STRAIGHT, (0.0,), form="sde", prediction="velocity")


@wrong(
    "v is given the other sign: data to noise for noise to data",
    says=r"negated|minus the velocity|sign of (the model|the whole drift|dt)",
)
def flow_sign():
    def sampler(x, t, v, lam):
        u, c2 = -v(x, t), (1 - lam) * 2 * t / (1 - t)
        score = -(x + (1 - t) * v(x, t)) / t
        return u - c2 / 2 * score, np.sqrt(c2)

    return check_reverse_sampler(sampler, STRAIGHT, (1.0,), form="sde", prediction="velocity")


@wrong(
    "the noise has the variance of one coordinate in all: σ = (0.5, 1) read as 0.5",
    says=r"g² enters 0\.25",
)
def half_diffusion():
    ou = LinearSDE(-1.0, 0.0, 1.0, dimension=2)

    def sampler(x, t, score, lam):
        g = 0.5
        return -x - (1 - lam / 2) * g**2 * score(x, t), np.sqrt(1 - lam) * g

    return check_reverse_sampler(sampler, ou)


@wrong("slopes are added with weights that sum to 3/2", says=r"(score's term|whole drift)[^.]*1\.5")
def heun_same_point():
    def step(x, t, t_next, z, denoiser):
        h = t_next - t
        d = (x - denoiser(x, t)) / t
        other = (x - denoiser(x, t)) / t_next
        return x + h * d + h * (other - d) / 2 * 3 + h * d / 2

    return check_reverse_sampler(step, KARRAS, (1.0,), prediction="x0", times=(0.1, 50.0))


@wrong("dropout of the model: every fourth row gets no score", says=r"rows 3, 7, 11 and 15 of 16")
def rows_without_score():
    def sampler(x, t, score):
        b = 0.1 + t * 19.9
        s = np.array(score(x, t))
        s[3::4] = 0
        return -0.5 * b * x - b * s, np.sqrt(b)

    return check_reverse_sampler(sampler, VP, (0.0,), form="sde")


@wrong(
    "exp(log g) with log10 in it: 10**(log g) for e**",
    says=r"g alone is wrong: g² is that of the process to the power.*ln 10",
)
def power_of_ten():
    def sampler(x, t, score, lam):
        g = 10 ** (0.5 * np.log(0.1 + t * 19.9))
        return -0.5 * (0.1 + t * 19.9) * x - (1 - lam / 2) * g**2 * score(x, t), np.sqrt(
            1 - lam
        ) * g

    return check_reverse_sampler(sampler, VP)
