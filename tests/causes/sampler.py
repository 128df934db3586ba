"""Wrong samplers: schedulers in the libraries' style, functions, and whole loops.

A few right samplers are written out with their formulas in methods or arguments; a subject is one
of them with a line as somebody would mistake it.
"""

from __future__ import annotations

import numpy as np
from causes import wrong

from scoreproof import check_sampler
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import FlowMatching, VPLinear

BETAS = np.linspace(1e-4, 0.02, 1000)
VP = VPLinear(0.1, 20.0)
TIMES = np.linspace(0.95, 0.05, 20)


class DDIM:
    """With η, on a table, in NumPy; ε-prediction or v."""

    def __init__(self, kind="epsilon"):
        self.betas = BETAS
        self.alphas_cumprod = np.cumprod(1 - BETAS)
        self.final_alpha_cumprod = 1.0
        self.config = {"prediction_type": kind, "num_train_timesteps": 1000}

    def set_timesteps(self, n):
        self.num_inference_steps = n
        self.timesteps = (np.arange(n) * (1000 // n))[::-1]

    def add_noise(self, x, noise, t):
        bar = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
        return np.sqrt(bar) * x + np.sqrt(1 - bar) * noise

    def previous(self, t):
        return t - 1000 // self.num_inference_steps

    def bar_of(self, t):
        return self.alphas_cumprod[t] if t >= 0 else self.final_alpha_cumprod

    def x0_of(self, out, x, bar):
        if self.config["prediction_type"] == "v_prediction":
            return bar**0.5 * x - (1 - bar) ** 0.5 * out
        return (x - (1 - bar) ** 0.5 * out) / bar**0.5

    def variance(self, bar, prev):
        return (1 - prev) / (1 - bar) * (1 - bar / prev)

    def direction(self, prev, std, bar):
        return (1 - prev - std**2) ** 0.5

    def spread(self, std, eta, variance, prev):
        return std

    def step(self, out, t, x, eta=0.0, rng=None):
        bar, prev = self.bar_of(t), self.bar_of(self.previous(t))
        x0 = self.x0_of(out, x, bar)
        eps = (x - bar**0.5 * x0) / (1 - bar) ** 0.5
        variance = self.variance(bar, prev)
        std = eta * variance**0.5
        after = prev**0.5 * x0 + self.direction(prev, std, bar) * eps
        if eta > 0:
            after = after + self.spread(std, eta, variance, prev) * rng.standard_normal(x.shape)
        return (after,)


def of(scheduler, eta=1.0, **more):
    return check_sampler(scheduler, options={"eta": eta}, **({"steps": 25, "shape": 2} | more))


@wrong("η² where DDIM has η, in front of the noise", says=r"η²|eta\s*\*\*\s*2")
def ddim_eta_squared():
    class Wrong(DDIM):
        def spread(self, std, eta, variance, prev):
            return eta**2 * variance**0.5

    return of(Wrong(), 0.5)


@wrong("the noise is multiplied by the variance", says=r"(variance|σ²|var\b).*(standard dev|std|√)")
def ddim_variance_for_std():
    class Wrong(DDIM):
        def spread(self, std, eta, variance, prev):
            return eta * variance

    return of(Wrong())


@wrong("the direction keeps √(1 - ᾱ_prev) while noise is added", says=r"1 [-−] (ᾱ_prev|abar_prev)")
def ddim_direction_without_the_variance():
    class Wrong(DDIM):
        def direction(self, prev, std, bar):
            return (1 - prev) ** 0.5

    return of(Wrong(), 0.7)


@wrong("σ_t for σ_t² under the root", says=r"std.*std\s*(²|\*\*\s*2)|σ for σ²|root of a negative")
def ddim_std_not_squared():
    class Wrong(DDIM):
        def direction(self, prev, std, bar):
            return (1 - prev - std) ** 0.5

    with np.errstate(all="ignore"):
        return of(Wrong())


@wrong("the noise has √(1 - ᾱ_prev) for its size", says=r"(noise|z\b).*1 [-−] (ᾱ|abar)_prev")
def ddim_noise_of_the_next_level():
    class Wrong(DDIM):
        def spread(self, std, eta, variance, prev):
            return eta * (1 - prev) ** 0.5

    return of(Wrong())


@wrong("the direction is multiplied by σ_t", says=r"std·ε where √\(1 - ᾱ_prev - std²\)·ε is due")
def ddim_direction_is_the_std():
    class Wrong(DDIM):
        def direction(self, prev, std, bar):
            return std

    return of(Wrong())


@wrong("x_0 divided by ᾱ for √ᾱ", says=r"/ᾱ_t where .*/√ᾱ_t is due")
def ddim_x0_without_the_root():
    class Wrong(DDIM):
        def x0_of(self, out, x, bar):
            return (x - (1 - bar) ** 0.5 * out) / bar

    return of(Wrong(), 0.0)


@wrong(
    "the v-prediction's x_0 with a plus",
    says=r"\+ √\(1 - ᾱ_t\)·out where - √\(1 - ᾱ_t\)·out is due",
)
def ddim_v_sign():
    class Wrong(DDIM):
        def x0_of(self, out, x, bar):
            return bar**0.5 * x + (1 - bar) ** 0.5 * out

    return of(Wrong("v_prediction"), 0.0)


@wrong("the model's v is taken for ε", says=r"output is v = .* take it for the noise ε")
def ddim_v_as_epsilon():
    return of(DDIM(), 0.0, prediction="v")


@wrong(
    "one timestep back, not a stride",
    says=r"t − 1\b|t - 1\b|one (entry|timestep|index)|timestep_prev",
)
def ddim_previous_is_t_minus_one():
    class Wrong(DDIM):
        def previous(self, t):
            return t - 1

    return of(Wrong(), 0.0, exact=True)


@wrong(
    "the stride of 'leading' on timesteps from linspace",
    says=r"(next|prev).{0,40}timestep.{0,80}(grid|leads|linspace|list|timesteps)",
)
def ddim_stride_on_linspace():
    class Wrong(DDIM):
        def set_timesteps(self, n):
            self.num_inference_steps = n
            self.timesteps = np.linspace(999, 0, n).round().astype(int)

    return of(Wrong(), 0.0, steps=10)


@wrong("ᾱ before the first is ᾱ_0, not 1", says=r"alphas_cumprod_prev|final_alpha_cumprod")
def ddpm_padded_with_the_first():
    class Wrong(DDPM):
        def bar_of(self, t):
            return self.alphas_cumprod[max(t, 0)]

    return check_sampler(Wrong(), steps=1000, shape=1)


@wrong("add_noise with ᾱ for √ᾱ", says=r"add_noise.*(√ᾱ|root)")
def add_noise_without_the_root():
    class Wrong(DDIM):
        def add_noise(self, x, noise, t):
            bar = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
            return bar * x + np.sqrt(1 - bar) * noise

    return of(Wrong(), 0.0)


@wrong("add_noise with 1 - ᾱ for its root", says=r"add_noise.*(√\(1 [-−] ᾱ|root)")
def add_noise_with_the_variance():
    class Wrong(DDIM):
        def add_noise(self, x, noise, t):
            bar = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
            return np.sqrt(bar) * x + (1 - bar) * noise

    return of(Wrong(), 0.0)


# -- DDPM ------------------------------------------------------------------------------------------


class DDPM(DDIM):
    """The posterior's mean as q_posterior has it, from x_0."""

    def mean(self, x0, x, bar, prev, beta):
        return prev**0.5 * beta / (1 - bar) * x0 + (1 - beta) ** 0.5 * (1 - prev) / (1 - bar) * x

    def std(self, bar, prev, beta):
        return np.exp(0.5 * np.log(np.maximum((1 - prev) / (1 - bar) * beta, 1e-20)))

    def noisy(self, t):
        return t > 0

    def step(self, out, t, x, rng=None):
        bar, prev = self.bar_of(t), self.bar_of(self.previous(t))
        beta = 1 - bar / prev
        after = self.mean(self.x0_of(out, x, bar), x, bar, prev, beta)
        if self.noisy(t):
            after = after + self.std(bar, prev, beta) * rng.standard_normal(x.shape)
        return {"prev_sample": after}


def ddpm(scheduler, **more):
    return check_sampler(scheduler, **({"steps": 25, "shape": 2} | more))


@wrong("√ᾱ_t for √ᾱ_prev in front of x_0", says=r"ᾱ_t.*ᾱ_prev|abar_t.*abar_prev")
def ddpm_mean_with_the_wrong_end():
    class Wrong(DDPM):
        def mean(self, x0, x, bar, prev, beta):
            return bar**0.5 * beta / (1 - bar) * x0 + (1 - beta) ** 0.5 * (1 - prev) / (1 - bar) * x

    return ddpm(Wrong())


@wrong("exp(log variance) for its half", says=r"(variance|var\b|β̃).*(√|std|standard)|log.?variance")
def ddpm_exp_of_the_log_variance():
    class Wrong(DDPM):
        def std(self, bar, prev, beta):
            return np.exp(np.log(np.maximum((1 - prev) / (1 - bar) * beta, 1e-20)))

    return ddpm(Wrong())


@wrong("β for β̃", says=r"β where.*β̃|β for β̃|√β_t")
def ddpm_beta_for_the_posterior_variance():
    class Wrong(DDPM):
        def std(self, bar, prev, beta):
            return beta**0.5

    return ddpm(Wrong(), exact=True)


@wrong(
    "the noise of β_t of the table, with a stride of 40",
    says=r"β.{0,30}(table|one entry|stride|skip)|betas\[t\]",
)
def ddpm_beta_of_the_table():
    class Wrong(DDPM):
        def step(self, out, t, x, rng=None):
            bar, prev = self.bar_of(t), self.bar_of(self.previous(t))
            beta = self.betas[t]
            after = self.mean(self.x0_of(out, x, bar), x, bar, prev, beta)
            return (after + (t > 0) * beta**0.5 * rng.standard_normal(x.shape),)

    return ddpm(Wrong())


@wrong("the last step adds noise", says=r"last step.*noise|noise.*last step")
def ddpm_noise_in_the_last_step():
    class Wrong(DDPM):
        def noisy(self, t):
            return True

        def std(self, bar, prev, beta):
            return beta**0.5

    return ddpm(Wrong())


def ddpm_loop(betas, *, scale=None, factor=None, noise=None):
    """Algorithm 2 of Ho et al. over all timesteps, as a function."""
    alphas = 1 - betas
    bars = np.cumprod(alphas)
    scale = scale or (lambda t: 1 / np.sqrt(alphas[t]))
    factor = factor or (lambda t: betas[t] / np.sqrt(1 - bars[t]))
    noise = noise or (lambda t: np.sqrt(betas[t] * (1 - bars[t - 1]) / (1 - bars[t])))

    def sample(model, x, timesteps, rng):
        for t in timesteps.astype(int)[:-1]:
            z = rng.standard_normal(x.shape)
            x = scale(t) * (x - factor(t) * model(x, t)) + noise(t) * z
        return x

    return sample


def loop(**wrong_part):
    betas = np.linspace(1e-3, 0.2, 100)
    return check_sampler(
        ddpm_loop(betas, **wrong_part),
        DiscreteVP(betas),
        prediction="eps",
        exact=True,
        times=np.arange(99, -1, -1),
        shape=2,
    )


@wrong("1 - ᾱ for its root under ε", says=r"√\(1 [-−] ᾱ_t\)")
def ddpm_loop_without_the_root():
    betas = np.linspace(1e-3, 0.2, 100)
    return loop(factor=lambda t: betas[t] / (1 - np.cumprod(1 - betas)[t]))


@wrong("1/√α left out", says=r"where \(x - β_t/√\(1 - ᾱ_t\)·ε\)/√α_t .*is due")
def ddpm_loop_without_the_scale():
    return loop(scale=lambda t: 1.0)


@wrong("√ᾱ for √α", says=r"ᾱ_t.*α_t|alpha bar")
def ddpm_loop_with_alpha_bar():
    betas = np.linspace(1e-3, 0.2, 100)
    return loop(scale=lambda t: 1 / np.sqrt(np.cumprod(1 - betas)[t]))


@wrong("β·z for √β·z", says=r"(β̃?_t|variance|var\b).*√")
def ddpm_loop_beta_times_noise():
    return loop(noise=lambda t: np.linspace(1e-3, 0.2, 100)[t])


# -- Euler, Heun, ancestral, DPM++ on σ ------------------------------------------------------------


class Euler:
    """On the σ of a table, as k-diffusion's in a library; ancestral with eta."""

    ancestral = False

    def __init__(self):
        bar = np.cumprod(1 - BETAS)
        self.table = np.sqrt((1 - bar) / bar)
        self.config = {"prediction_type": "epsilon", "num_train_timesteps": 1000}

    def set_timesteps(self, n):
        self.timesteps = np.linspace(999, 0, n)
        at = np.interp(self.timesteps, np.arange(1000), self.table)
        self.sigmas, self.step_index = np.append(at, 0.0), 0

    def add_noise(self, x, noise, t):
        level = np.interp(t, np.arange(1000), self.table)
        return x + np.reshape(level, (-1,) + (1,) * (x.ndim - 1)) * noise

    def pair(self, i):
        return self.sigmas[i], self.sigmas[i + 1]

    def gap(self, sigma, to, down):
        return down - sigma

    def up(self, sigma, to):
        return (to**2 * (sigma**2 - to**2) / sigma**2) ** 0.5

    def x0_of(self, out, x, sigma):
        return x - sigma * out

    def step(self, out, t, x, rng=None):
        sigma, to = self.pair(self.step_index)
        self.step_index += 1
        up = self.up(sigma, to) if self.ancestral else 0.0
        down = (to**2 - min(up, to) ** 2) ** 0.5
        d = (x - self.x0_of(out, x, sigma)) / sigma
        x = x + d * self.gap(sigma, to, down)
        if self.ancestral:
            x = x + up * rng.standard_normal(x.shape)
        return {"prev_sample": x}


@wrong("ε × 0.99", says=r"(model|ε|eps|output).*0\.99")
def euler_scaled_epsilon():
    class Wrong(Euler):
        def x0_of(self, out, x, sigma):
            return x - 0.99 * sigma * out

    return check_sampler(Wrong(), steps=25, shape=2)


@wrong(
    "the σ of the next step",
    says=r"sigmas\[k \+ 1\]|next (level|σ)|σ_next.*σ_t|(one|index).*(off|late|early|shifted)|next step",
)
def euler_sigma_shifted_by_one():
    class Wrong(Euler):
        def pair(self, i):
            return self.sigmas[min(i + 1, len(self.sigmas) - 2)], self.sigmas[i + 1]

    return check_sampler(Wrong(), steps=25, shape=2)


@wrong("σ_to for σ_down", says=r"σ_down|sigma_down")
def ancestral_to_for_down():
    class Wrong(Euler):
        ancestral = True

        def gap(self, sigma, to, down):
            return to - sigma

    return check_sampler(Wrong(), steps=25, shape=2)


@wrong("σ_up without the root", says=r"σ_up|sigma_up")
def ancestral_up_without_the_root():
    class Wrong(Euler):
        ancestral = True

        def step(self, out, t, x, rng=None):
            sigma, to = self.pair(self.step_index)
            self.step_index += 1
            up = self.up(sigma, to)
            x = x + out * ((to**2 - up**2) ** 0.5 - sigma)
            return {"prev_sample": x + up**2 * rng.standard_normal(x.shape)}

    return check_sampler(Wrong(), steps=25, shape=2)


def heun(model, x, sigmas, *, second=lambda s, n: n, half=0.5, told=lambda s, n: n):
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        d = (x - model(x, s)) / s
        if n == 0:
            x = x + (n - s) * d
        else:
            y = x + (n - s) * d
            x = x + (n - s) * half * (d + (y - model(y, told(s, n))) / second(s, n))
    return x


@wrong("the ½ of Heun's mean is missing", says=r"½|1/2|0\.5|doubled|twice|halv|\b2\b.*(d|slope)")
def heun_without_the_half():
    return check_sampler(lambda model, x, sigmas: heun(model, x, sigmas, half=1.0), shape=2)


@wrong(
    "the second slope is divided by the first σ",
    says=r"σ_next|next σ|second (slope|call|evaluation)",
)
def heun_divides_by_the_first_sigma():
    return check_sampler(lambda m, x, s: heun(m, x, s, second=lambda a, b: a), shape=2, order=2)


@wrong(
    "the second call is told the first σ",
    says=r"second (call|time|evaluation).*(told|asked)|told.*σ_t\b.*second|model.*told",
)
def heun_tells_the_first_sigma():
    return check_sampler(lambda m, x, s: heun(m, x, s, told=lambda a, b: a), shape=2, order=2)


def karras_edm(net, x, sigmas, rng, *, s_noise=1.0, told=lambda s, h: h, size=None):
    size = size or (lambda s, h: (h**2 - s**2) ** 0.5)
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        hat = s * (1 + min(10 / (len(sigmas) - 1), 2**0.5 - 1))
        x = x + s_noise * size(s, hat) * rng.standard_normal(x.shape)
        x = x + (n - hat) * (x - net(x, told(s, hat))) / hat
    return x


@wrong("S_noise = 1.05", says=r"S_noise.*1\.05|1\.05.*noise|noise.*1\.05")
def edm_s_noise():
    return check_sampler(lambda m, x, s, rng: karras_edm(m, x, s, rng, s_noise=1.05), shape=2)


@wrong("σ̂ - σ for √(σ̂² - σ²)", says=r"\(σ̂_next - σ_next\)·z where √\(σ̂_next² - σ_next²\)·z is due")
def edm_churn_without_the_squares():
    return check_sampler(
        lambda m, x, s, rng: karras_edm(m, x, s, rng, size=lambda a, h: h - a), shape=2
    )


@wrong("the model is told σ, x is at σ̂", says=r"told.*σ̂|σ̂.*told|churn.*told|told.*churn")
def edm_tells_sigma():
    return check_sampler(
        lambda m, x, s, rng: karras_edm(m, x, s, rng, told=lambda a, h: a), shape=2, exact=True
    )


def dpmpp_2m(model, x, sigmas, *, mix=lambda r: 1 / (2 * r), fn=np.log, sign=1.0):
    old, last = None, None
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        denoised = model(x, s)
        h = fn(s) - fn(n)
        d = denoised
        if old is not None:
            r = last / h
            d = (1 + mix(r)) * denoised - mix(r) * old
        x = n / s * x - sign * np.expm1(-h) * d
        old, last = denoised, h
    return x


def dpm(**wrong_part):
    times = np.linspace(15 ** (1 / 7), 0.03 ** (1 / 7), 20) ** 7
    return check_sampler(
        lambda m, x, s: dpmpp_2m(m, x, s, **wrong_part), shape=2, order=2, times=times
    )


@wrong("log10 for log", says=r"log10|base.?10|2\.30")
def dpmpp_log10():
    return dpm(fn=np.log10)


@wrong(
    "the ½ of 1/(2r) is missing",
    says=r"1\s*/\s*\(?2|½|previous (output|x_0|denoised).*(2|twice|double)",
)
def dpmpp_without_the_half():
    return dpm(mix=lambda r: 1 / r)


@wrong(
    "the weight of the previous x_0 has the wrong sign", says=r"-1/\(2·r\) where|-h_prev/h where"
)
def dpmpp_sign_of_the_previous():
    return dpm(mix=lambda r: -1 / (2 * r))


# -- flows -----------------------------------------------------------------------------------------


class Flow:
    """A rectified flow on σ from 1 to 0: x = (1 - σ) x_0 + σ ε, the model is ε - x_0."""

    def __init__(self):
        self.config = {"num_train_timesteps": 1000}

    def set_timesteps(self, n):
        self.sigmas, self.step_index = np.linspace(1, 0, n + 1), 0
        self.timesteps = 1000 * self.sigmas[:-1]

    def scale_noise(self, sample, timestep, noise):
        sigma = (timestep / 1000).reshape(-1, *[1] * (sample.ndim - 1))
        return sigma * noise + (1.0 - sigma) * sample

    def change(self, i):
        return self.sigmas[i + 1] - self.sigmas[i]

    def step(self, model_output, timestep, sample):
        i, self.step_index = self.step_index, self.step_index + 1
        return (sample + self.change(i) * model_output,)


@wrong(
    "x_0 and noise exchanged in scale_noise", says=r"scale_noise.*exchang|exchang.*scale_noise|swap"
)
def flow_scale_noise_exchanged():
    class Wrong(Flow):
        def scale_noise(self, sample, timestep, noise):
            return super().scale_noise(noise, timestep, sample)

    return check_sampler(Wrong(), steps=50, shape=2)


@wrong(
    "the sign of dt", says=r"\(σ_t - σ_next\)·out where \(σ_next - σ_t\)·out is due|\(the sign\)"
)
def flow_sign():
    class Wrong(Flow):
        def change(self, i):
            return self.sigmas[i] - self.sigmas[i + 1]

    return check_sampler(Wrong(), steps=25, shape=2)


@wrong(
    "the model is x_0 - ε, not ε - x_0",
    says=r"\(σ_t - σ_next\)·out where \(σ_next - σ_t\)·out is due|\(the sign\)|negated",
)
def flow_reversed_velocity():
    def sample(model, x, times):
        for t, n in zip(times[:-1], times[1:], strict=True):
            x = x - (n - t) * model(x, t)
        return x

    return check_sampler(
        sample, FlowMatching(), times=np.linspace(0.99, 0, 26), prediction="flow", shape=2
    )


@wrong("the model is told 1 - t", says=r"told 1 [-−] t")
def flow_reversed_time():
    def sample(model, x, times):
        for t, n in zip(times[:-1], times[1:], strict=True):
            x0 = model(x, 1 - t)
            x = (1 - n) * x0 + n * (x - (1 - t) * x0) / t
        return x

    return check_sampler(
        sample, FlowMatching(), times=np.linspace(0.96, 0.04, 24), prediction="x0", shape=2
    )


# -- score SDEs in continuous time -----------------------------------------------------------------


def reverse(model, x, t, n, z, *, half=1.0, g2=None, root=np.sqrt, sign=1.0, told=None):
    h = t - n
    beta = g2(t) if g2 else 0.1 + t * 19.9
    s = model(x, t if told is None else told(t, n))
    return x + h * (0.5 * beta * x + sign * half * beta * s) + np.sqrt(beta) * root(h) * z


def sde(**wrong_part):
    return check_sampler(
        lambda x, t, n, z, model: reverse(model, x, t, n, z, **wrong_part), VP, times=TIMES, shape=2
    )


@wrong("½ g² s while noise is added", says=r"probability-flow ODE, ½ g² score, kept while noise")
def sde_half_score_with_noise():
    return sde(half=0.5)


@wrong("h for √h in front of the noise", says=r"√\(?h|√\(t|root.*h|h for √h|√dt")
def sde_noise_with_h():
    return sde(root=lambda h: h)


@wrong("√h is missing", says=r"√\(?h|√\(t|√dt")
def sde_noise_without_h():
    return sde(root=lambda h: 1.0)


@wrong(
    "the score is subtracted", says=r"g²·score.*\(the sign\)|\(f·x \+ g²·score\)·dt where|negated"
)
def sde_sign_of_the_score():
    return sde(sign=-1.0)


@wrong("the model is told the next time", says=r"(told|asked|time).*(t_next|next)")
def ddim_loop_told_the_next_timestep():
    table = DiscreteVP(BETAS)

    def sample(model, x, times):
        for t, n in zip(times[:-1], times[1:], strict=True):
            eps = model(x, n)
            x0 = (x - table.sigma(t) * eps) / table.alpha(t)
            x = table.alpha(n) * x0 + table.sigma(n) * eps
        return x

    return check_sampler(
        sample, table, times=np.arange(980, -1, -20), prediction="eps", exact=True, shape=2
    )


@wrong("the denoiser is told σ²", says=r"σ²|sigma\s*\*\*\s*2|variance")
def euler_told_the_variance():
    def sample(model, x, sigmas):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            x = x + (n - s) * (x - model(x, s**2)) / s
        return x

    return check_sampler(sample, shape=2)


@wrong(
    "the model's x_0 is taken for ε",
    says=r"output is the denoised x_0, but the steps take it for the noise ε",
)
def euler_denoiser_as_epsilon():
    def sample(model, x, sigmas):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            x = x + (n - s) * model(x, s)
        return x

    return check_sampler(sample, shape=2)


@wrong("guidance as uncond + w (cond) without the difference", says=r"·d is multiplied by 1\.5")
def guidance_without_the_difference():
    def sample(model, x, sigmas, scale=0.5):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            e = (x - model(x, s)) / s
            x = x + (n - s) * (e + scale * e)
        return x

    return check_sampler(sample, shape=2)


@wrong(
    "one noise for all steps",
    says=r"(same|one|again).{0,60}(noise|draw|z)|(noise|draw|z).{0,60}(same|again|every step|all steps)",
)
def ancestral_noise_drawn_once():
    def sample(model, x, sigmas, rng):
        z = rng.standard_normal(x.shape)
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            up = (n**2 * (s**2 - n**2) / s**2) ** 0.5
            x = x + ((n**2 - up**2) ** 0.5 - s) * (x - model(x, s)) / s + up * z
        return x

    return check_sampler(sample, shape=2)


@wrong("the loop stops one step early", says=r"stops 2 steps before the end")
def euler_stops_early():
    def sample(model, x, sigmas):
        for i in range(len(sigmas) - 3):
            s, n = sigmas[i], sigmas[i + 1]
            x = x + (n - s) * (x - model(x, s)) / s
        return x

    return check_sampler(sample, shape=2)
