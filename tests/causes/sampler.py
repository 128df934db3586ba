"""Wrong samplers: one of the right ones of `_samplers`, or a loop, with a line mistaken."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._samplers import (
    BETAS,
    DDIM,
    DDPM,
    Euler,
    Flow,
    changed,
    corrected,
    ddpm_loop,
    dpmpp_2m,
    dpmpp_2s,
    heun,
    karras_edm,
    lms,
    pairs,
    reverse,
    rk4,
)
from scoreproof import check_sampler
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import FlowMatching, VPLinear

VP, TABLE = VPLinear(0.1, 20.0), DiscreteVP(BETAS)
SIGMAS = np.linspace(15 ** (1 / 7), 0.03 ** (1 / 7), 20) ** 7
FLOW = {"times": np.linspace(0.96, 0.04, 24), "shape": 2}
SHORT = np.linspace(1e-3, 0.2, 100)


def of(scheduler, eta=1.0, **more):
    return check_sampler(scheduler, options={"eta": eta}, **({"steps": 25, "shape": 2} | more))


def few(scheduler, **more):
    return check_sampler(scheduler, **({"steps": 25, "shape": 2} | more))


# -- DDIM ------------------------------------------------------------------------------------------


@wrong("η² where DDIM has η, in front of the noise", says=r"η²·√var·z where std·z is due")
def ddim_eta_squared():
    return of(changed(DDIM, spread=lambda self, std, eta, var, prev: eta**2 * var**0.5), 0.5)


@wrong("the noise is multiplied by the variance", says=r"var·z where std·z is due")
def ddim_variance_for_std():
    return of(changed(DDIM, spread=lambda self, std, eta, var, prev: eta * var))


@wrong(
    "√(1 - ᾱ_prev) in front of ε while noise is added",
    says=r"√\(1 - ᾱ_prev\)·ε where √\(1 - ᾱ_prev - std²\)",
)
def ddim_direction_without_the_variance():
    return of(changed(DDIM, direction=lambda self, prev, std, bar: (1 - prev) ** 0.5), 0.7)


@wrong(
    "σ_t for σ_t² under the root: nan", says=r"√\(1 - ᾱ_prev - std\)·ε where √\(1 - ᾱ_prev - std²\)"
)
def ddim_std_not_squared():
    with np.errstate(all="ignore"):
        return of(changed(DDIM, direction=lambda self, prev, std, bar: (1 - prev - std) ** 0.5))


@wrong("σ_t in front of ε", says=r"std·ε where √\(1 - ᾱ_prev - std²\)·ε is due")
def ddim_direction_is_the_std():
    return of(changed(DDIM, direction=lambda self, prev, std, bar: std))


@wrong("x_0 divided by ᾱ for √ᾱ", says=r"/ᾱ_t where .*/√ᾱ_t is due")
def ddim_x0_without_the_root():
    return of(changed(DDIM, x0_of=lambda self, e, x, bar: (x - (1 - bar) ** 0.5 * e) / bar), 0.0)


@wrong("the v-prediction's x_0 with a plus", says=r"\+ √\(1 - ᾱ_t\)·out where - √\(1 - ᾱ_t\)·out")
def ddim_v_sign():
    def x0_of(self, out, x, bar):
        return bar**0.5 * x + (1 - bar) ** 0.5 * out

    return of(changed(DDIM, "v_prediction", x0_of=x0_of), 0.0)


@wrong("the model's v is taken for ε", says=r"output is v = .* take it for the noise ε")
def ddim_v_as_epsilon():
    return of(DDIM(), 0.0, prediction="v")


@wrong("one timestep back, not a stride", says=r"leads to timestep t - 1")
def ddim_previous_is_t_minus_one():
    return of(changed(DDIM, previous=lambda self, t: t - 1), 0.0, exact=True)


@wrong(
    "the stride of 'leading' on timesteps from linspace",
    says=r"from 999 to 899\), but the next one",
)
def ddim_stride_on_linspace():
    def set_timesteps(self, n):
        self.num_inference_steps = n
        self.timesteps = np.linspace(999, 0, n).round().astype(int)

    return of(changed(DDIM, set_timesteps=set_timesteps), 0.0, steps=10)


@wrong("add_noise with ᾱ for √ᾱ", says=r"add_noise gives x_0 the factor ᾱ where √ᾱ")
def add_noise_without_the_root():
    def add_noise(self, x, noise, t):
        bar = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
        return bar * x + np.sqrt(1 - bar) * noise

    return of(changed(DDIM, add_noise=add_noise), 0.0)


# -- DDPM ------------------------------------------------------------------------------------------


@wrong("ᾱ before the first is ᾱ_0, not 1", says=r"alphas_cumprod_prev\[0\].*is ᾱ_0 where 1 is due")
def ddpm_padded_with_the_first():
    return few(changed(DDPM, bar_of=lambda self, t: self.alphas_cumprod[max(t, 0)]), steps=200)


@wrong("β for β̃", says=r"variance β_t where DDPM's posterior has β̃_t")
def ddpm_beta_for_the_posterior_variance():
    return few(changed(DDPM, std=lambda self, bar, prev, beta: beta**0.5), exact=True)


@wrong("β_t of the table with a stride of 40", says=r"β_t is the training table's betas")
def ddpm_beta_of_the_table():
    def step(self, out, t, x, rng=None):
        bar, prev, beta = self.bar_of(t), self.bar_of(self.previous(t)), self.betas[t]
        after = self.mean(self.x0_of(out, x, bar), x, bar, prev, beta)
        return (after + (t > 0) * beta**0.5 * rng.standard_normal(x.shape),)

    return few(changed(DDPM, step=step))


@wrong("the last step adds noise", says=r"adds noise of standard deviation.*none in the last step")
def ddpm_noise_in_the_last_step():
    def std(self, bar, prev, beta):
        return beta**0.5

    return few(changed(DDPM, noisy=lambda self, t: True, std=std))


def loop(**wrong_part):
    return check_sampler(
        ddpm_loop(SHORT, **wrong_part),
        DiscreteVP(SHORT),
        prediction="eps",
        exact=True,
        times=np.arange(99, -1, -1),
        shape=2,
    )


@wrong("1 - ᾱ for its root under ε", says=r"β_t/\(1 - ᾱ_t\)·ε\).* where .*β_t/√\(1 - ᾱ_t\)·ε")
def ddpm_loop_without_the_root():
    return loop(factor=lambda t: SHORT[t] / (1 - np.cumprod(1 - SHORT)[t]))


@wrong(
    "1/√α left out", says=r"it has x - β_t/√\(1 - ᾱ_t\)·ε .*where \(x - β_t/√\(1 - ᾱ_t\)·ε\)/√α_t"
)
def ddpm_loop_without_the_scale():
    return loop(scale=lambda t: 1.0)


# -- on σ ------------------------------------------------------------------------------------------


@wrong("ε × 0.99", says=r"out is multiplied by 0\.99")
def euler_scaled_epsilon():
    return few(changed(Euler, x0_of=lambda self, out, x, sigma: x - 0.99 * sigma * out))


@wrong("the σ of the next step", says=r"step's start .*from the next index of the grid")
def euler_sigma_shifted_by_one():
    def pair(self, i):
        return self.sigmas[min(i + 1, len(self.sigmas) - 2)], self.sigmas[i + 1]

    return few(changed(Euler, pair=pair))


@wrong("σ_to for σ_down", says=r"\(σ_next - σ_t\)·d where \(σ_down - σ_t\)·d is due")
def ancestral_to_for_down():
    return few(changed(Euler, ancestral=True, gap=lambda self, sigma, to, down: to - sigma))


@wrong(
    "the second slope is divided by the first σ", says=r"\(mid - x_0_2\)/σ_t where .*/σ_next is due"
)
def heun_divides_by_the_first_sigma():
    return check_sampler(lambda m, x, s: heun(m, x, s, second=lambda a, b: a), shape=2, order=2)


@wrong("the second call is told the first σ", says=r"told t, the step's start,.*in the second call")
def heun_tells_the_first_sigma():
    return check_sampler(lambda m, x, s: heun(m, x, s, told=lambda a, b: a), shape=2, order=2)


@wrong("S_noise = 1.05", says=r"z is multiplied by 1\.05 .*S_noise")
def edm_s_noise():
    return check_sampler(lambda m, x, s, rng: karras_edm(m, x, s, rng, s_noise=1.05), shape=2)


@wrong("σ̂ - σ for √(σ̂² - σ²)", says=r"\(σ̂ - σ_t\)·z where √\(σ̂² - σ_t²\)·z is due")
def edm_churn_without_the_squares():
    def sample(m, x, s, rng):
        return karras_edm(m, x, s, rng, size=lambda a, h: h - a)

    return check_sampler(sample, shape=2)


@wrong("the model is told σ, x is at σ̂", says=r"told σ, while the churn has taken x to σ̂")
def edm_tells_sigma():
    def sample(m, x, s, rng):
        return karras_edm(m, x, s, rng, told=lambda a, h: a)

    return check_sampler(sample, shape=2, exact=True)


@wrong("log10 for log", says=r"formed with log10")
def dpmpp_log10():
    return check_sampler(lambda m, x, s: dpmpp_2m(m, x, s, fn=np.log10), shape=2, times=SIGMAS)


@wrong("the ½ of 1/(2r) is missing", says=r"1/r where 1/\(2·r\) is due")
def dpmpp_without_the_half():
    def sample(m, x, s):
        return dpmpp_2m(m, x, s, mix=lambda r: 1 / r)

    return check_sampler(sample, shape=2, order=2, times=SIGMAS)


@wrong("LMS with the sign of its slopes turned", says=r"LMS.*x - \(w_1·d|LMS.*wrong sign")
def lms_sign():
    return check_sampler(lambda m, x, s: lms(m, x, s, sign=-1.0), shape=2)


@wrong("the noise of a 2S step has σ_down", says=r"2S\) ancestral.*σ_down·z where σ_up·z is due")
def dpmpp_2s_noise_down():
    def sample(m, x, s, rng):
        return dpmpp_2s(m, x, s, rng, noise=lambda up, down: down)

    return check_sampler(sample, shape=2)


def euler(model, x, sigmas, told=lambda s: s, slope=lambda x, out, s: (x - out) / s):
    for s, n in pairs(sigmas):
        x = x + (n - s) * slope(x, model(x, told(s)), s)
    return x


@wrong("the denoiser is told σ²", says=r"told the square of it")
def euler_told_the_variance():
    return check_sampler(lambda m, x, s: euler(m, x, s, told=lambda v: v**2), shape=2)


@wrong(
    "the model's x_0 is taken for ε", says=r"output is the denoised x_0, but the steps take it for"
)
def euler_denoiser_as_epsilon():
    return check_sampler(lambda m, x, s: euler(m, x, s, slope=lambda x, out, s: out), shape=2)


@wrong(
    "outputs are mapped from [0, 1], data are not",
    says=r"out is doubled.*added to the predicted x_0",
)
def euler_other_range():
    def slope(x, out, s):
        return (x - (2 * out - 1)) / s

    return check_sampler(lambda m, x, s: euler(m, x, s, slope=slope), shape=2)


@wrong(
    "the model is asked at the network's scaled input", says=r"asked at x/√\(1 \+ σ²\), not at x"
)
def euler_scaled_input():
    def sample(model, x, sigmas):
        return euler(lambda y, s: model(y / (1 + s**2) ** 0.5, s), x, sigmas)

    return check_sampler(sample, shape=2)


@wrong("one noise for all steps", says=r"noise of draw 0 .* is used in 19 steps again")
def ancestral_noise_drawn_once():
    def sample(model, x, sigmas, rng):
        z = rng.standard_normal(x.shape)
        for s, n in pairs(sigmas):
            up = (n**2 * (s**2 - n**2) / s**2) ** 0.5
            x = x + ((n**2 - up**2) ** 0.5 - s) * (x - model(x, s)) / s + up * z
        return x

    return check_sampler(sample, shape=2)


@wrong("the loop stops two steps early", says=r"stops 2 steps before the end")
def euler_stops_early():
    return check_sampler(lambda m, x, s: euler(m, x, s[:-2]), shape=2)


# -- flows and SDEs --------------------------------------------------------------------------------


@wrong("x_0 and noise exchanged in scale_noise", says=r"scale_noise exchanges x_0 and the noise")
def flow_scale_noise_exchanged():
    def scale_noise(self, sample, timestep, noise):
        return Flow.scale_noise(self, noise, timestep, sample)

    return few(changed(Flow, scale_noise=scale_noise), steps=50)


@wrong("the sign of dt", says=r"- \(σ_next - σ_t\)·v where .*\(the sign\)")
def flow_sign():
    return few(changed(Flow, change=lambda self, i: self.sigmas[i] - self.sigmas[i + 1]))


@wrong("dt is 1/n on a grid that is not even", says=r"in front of v stands -0\.04.* = -1/2\d")
def flow_even_steps():
    def set_timesteps(self, n):
        self.sigmas, self.step_index = np.linspace(1, 0, n + 1) ** 1.5, 0
        self.timesteps = 1000 * self.sigmas[:-1]

    return few(changed(Flow, set_timesteps=set_timesteps, change=lambda self, i: -0.04))


@wrong("the model is told 1 - t", says=r"told 1 - t for t")
def flow_reversed_time():
    def sample(model, x, times):
        for t, n in pairs(times):
            x = x + (n - t) * (x - model(x, 1 - t)) / t
        return x

    return check_sampler(sample, FlowMatching(), prediction="x0", **FLOW)


@wrong("RK4 with equal weights", says=r"out \+ \(out_2 \+ out_3\) \+ out_4\) where .*2·\(out_2")
def rk4_weights():
    def sample(model, x, times):
        return rk4(model, x, times, weights=(1, 1, 1, 1))

    return check_sampler(sample, FlowMatching(), prediction="flow", **FLOW)


def sde(**wrong_part):
    def step(x, t, n, z, model):
        return reverse(model, x, t, n, z, **wrong_part)

    return check_sampler(step, VP, times=np.linspace(0.95, 0.05, 20), shape=2)


@wrong("½ g² s while noise is added", says=r"probability-flow ODE, ½ g² score, kept while noise")
def sde_half_score_with_noise():
    return sde(half=0.5)


@wrong("h for √h in front of the noise", says=r"√g²·dt·z where √g²·√dt·z is due")
def sde_noise_with_h():
    return sde(root=lambda h: h)


@wrong("the score is subtracted", says=r"\(f·x \+ g²·score\)·dt where \(f·x - g²·score\)·dt")
def sde_sign_of_the_score():
    return sde(sign=-1.0)


@wrong("√ε for √(2ε) in the corrector", says=r"√e·z_2 where √\(2·e\)·z_2 is due")
def corrector_noise():
    def sample(model, x, times, rng):
        return corrected(model, x, times, rng, VP, factor=1.0)

    return check_sampler(sample, VP, times=np.linspace(0.95, 0.05, 25), prediction="score", shape=2)


def ddim_loop(model, x, times, told=lambda t, n: t):
    for t, n in pairs(times):
        eps = model(x, told(t, n))
        x0 = (x - TABLE.sigma(t) * eps) / TABLE.alpha(t)
        x = TABLE.alpha(n) * x0 + TABLE.sigma(n) * eps
    return x


@wrong("the model is told the next time", says=r"told the next time, t_next,")
def ddim_loop_told_the_next_timestep():
    def sample(model, x, times):
        return ddim_loop(model, x, times, told=lambda t, n: n)

    times = np.arange(980, -1, -20)
    return check_sampler(sample, TABLE, times=times, prediction="eps", exact=True, shape=2)
