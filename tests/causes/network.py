"""Wrong networks of x and a time: what they predict, what they are told, what stands around them.

All are exact denoisers of a small data set, with a mistake where people make it.
"""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_denoiser

RNG = np.random.default_rng(11)
DATA = RNG.normal(size=(20, 2, 3, 3)) * 0.6 + RNG.normal(size=(20, 1, 1, 1)) * 0.4 + 0.1
FLAT = DATA.reshape(len(DATA), -1)
BETAS = np.linspace(1e-4, 0.05, 200)
ABAR = np.cumprod(1 - BETAS)
SIGMAS = np.geomspace(0.1, 5.0, 10)


def x0_of(x, alpha, sigma, data=FLAT):
    """E[x_0 | x] for a level of each sample."""
    rows = x.reshape(len(x), -1)
    a, s = (np.broadcast_to(np.ravel(v), (len(x),))[:, None] for v in (alpha, sigma))
    logits = -((rows[:, None] / a[:, None] - data) ** 2).sum(-1) / (2 * (s / a) ** 2)
    w = np.exp(logits - logits.max(1, keepdims=True))
    return (w @ data / w.sum(1, keepdims=True)).reshape(x.shape)


def wide(v, x):
    return np.reshape(v, (-1, *[1] * (x.ndim - 1)))


def levels(t, table=ABAR):
    abar = table[np.asarray(t, int)]
    return np.sqrt(abar), np.sqrt(1 - abar)


def eps_net(x, t, table=ABAR):
    alpha, sigma = levels(t, table)
    return (x - wide(alpha, x) * x0_of(x, alpha, sigma)) / wide(sigma, x)


class Scheduler:
    """What a library's scheduler shows: its table and what it is configured for."""

    def __init__(self, prediction_type="epsilon", table=ABAR):
        self.alphas_cumprod = table
        self.config = {"prediction_type": prediction_type}


class Flow:
    """A straight path from data (t = 0) to noise (t = 1)."""

    horizon = 0.98

    def alpha(self, t):
        return 1 - t

    def sigma(self, t):
        return t

    def derivatives(self, t):
        return -1.0, 1.0


def velocity_net(x, t):
    t = np.ravel(t)
    x0 = x0_of(x, 1 - t, t)
    return (x - x0) / wide(t, x)  # ε - x_0 = (x - x_0)/t


def sweep(net, **more):
    return check_denoiser(net, DATA, **({"schedule": SIGMAS} | more))


def ideal(x, sigma):
    return x0_of(x, 1.0, sigma)


@wrong("an x0-network in a scheduler that is configured for ε", says=r"prediction='x0'|E\[x_0")
def x0_for_eps():
    def unet(x, t):
        return x0_of(x, *levels(t))

    return sweep(unet, schedule=Scheduler("epsilon"))


@wrong("v with the other sign", says=r"other sign, as prediction='v'|-v\b|sign")
def v_negated():
    def unet(x, t):
        a, s = levels(t)
        x0 = x0_of(x, a, s)
        eps = (x - wide(a, x) * x0) / wide(s, x)
        return wide(s, x) * x0 - wide(a, x) * eps

    return sweep(unet, schedule=Scheduler("v_prediction"))


@wrong("the timestep's index is off by one", says=r"off by one|t \+ 1")
def one_based():
    def unet(x, t):
        return eps_net(x, np.maximum(np.asarray(t) - 1, 0))

    return sweep(unet, schedule=Scheduler())


@wrong("told t where it wants t/T", says=r"t ?/ ?T")
def fraction_wanted():
    def net(x, t):
        return eps_net(x, np.clip(np.round(np.asarray(t, float) * len(ABAR)), 0, len(ABAR) - 1))

    return sweep(net, schedule=Scheduler())


@wrong("told log σ where it wants σ", says=r"told (σ|σ/α)\b")
def log_sigma_told():
    return sweep(ideal, time="log_sigma")


@wrong("c_noise = log(σ)/4 is wanted, σ is given", says=r"c_noise|log\(σ/α\) ?/ ?4")
def c_noise_wanted():
    def net(x, c_noise):
        return x0_of(x, 1.0, np.exp(np.clip(4 * c_noise, -20, 20)))

    return sweep(net)


@wrong("scale_model_input was not called", says=r"scale_model_input|√\(α² \+ σ²\)|c_in")
def unscaled():
    def net(x, sigma):
        return x0_of(x * wide(np.sqrt(np.ravel(sigma) ** 2 + 1), x), 1.0, sigma)

    return sweep(net)


@wrong("x_0 from ε with ᾱ in place of √ᾱ", says=r"ᾱ|α²|divided by alpha twice|alpha_bar")
def root_of_abar_missing():
    def denoiser(x, t):
        abar = wide(ABAR[np.asarray(t, int)], x)
        return (x - np.sqrt(1 - abar) * eps_net(x, t)) / abar

    return sweep(denoiser, schedule={"alphas_cumprod": ABAR})


@wrong(
    "x_0 from ε with 1 - ᾱ in place of its root",
    says=r"σ² (stands |in place|where|for)|variance .*(deviation|σ)|σ squared|is σ times",
)
def variance_in_x0():
    def denoiser(x, t):
        abar = wide(ABAR[np.asarray(t, int)], x)
        return (x - (1 - abar) * eps_net(x, t)) / np.sqrt(abar)

    return sweep(denoiser, schedule={"alphas_cumprod": ABAR})


@wrong(
    "clip_denoised: x_0 is clipped to ±1",
    says=r"clip.*(±1\b|\[-1, 1\]|at least -1 and at most 1\b)",
)
def clip_denoised():
    return sweep(lambda x, s: np.clip(ideal(x, s), -1, 1))


@wrong("trained on data in [-1, 1], judged on [0, 1]", says=r"2 .*- ?1|\[-1, 1\]")
def wrong_range():
    images = np.random.default_rng(2).uniform(0, 1, size=(16, 1, 3, 3))
    trained = (2 * images - 1).reshape(len(images), -1)
    return check_denoiser(lambda x, s: x0_of(x, 1.0, s, trained), images, schedule=SIGMAS)


@wrong("EDM's wrapper has σ_data = 1, the network was trained with 0.5", says=r"σ_data|sigma_data")
def wrong_sigma_data():
    def raw(x_in, sigma):  # F of a network that was trained with σ_data = 0.5
        s, d = wide(np.ravel(sigma), x_in), 0.5
        x = x_in * np.sqrt(s**2 + d**2)
        return (ideal(x, sigma) - d**2 / (s**2 + d**2) * x) * np.sqrt(s**2 + d**2) / (s * d)

    def denoiser(x, sigma):
        s = wide(np.ravel(sigma), x)
        x_in = x / np.sqrt(s**2 + 0.5**2)
        return x / (s**2 + 1) + s / np.sqrt(s**2 + 1) * raw(x_in, sigma)

    return sweep(denoiser)


@wrong("c_skip x was forgotten", says=r"c_skip|prediction='F'")
def c_skip_forgotten():
    def denoiser(x, sigma):
        s, d = wide(np.ravel(sigma), x), 0.5
        return ideal(x, sigma) - d**2 / (s**2 + d**2) * x

    return sweep(denoiser)


@wrong("a flow with the time from noise to data", says=r"other way|1 - t|T - t|reversed")
def flow_reversed():
    return sweep(
        lambda x, t: velocity_net(x, 1 - np.ravel(t)),
        schedule=Flow(),
        prediction="flow",
        levels=[0.1, 0.3, 0.5, 0.7, 0.9],
    )


@wrong("x_0 - ε where the flow is ε - x_0", says=r"sign")
def flow_negated():
    return sweep(lambda x, t: -velocity_net(x, t), schedule=Flow(), prediction="flow")


@wrong("1000 t is wanted, t given", says=r"1000 t|999 t")
def flow_times_1000():
    def net(x, timestep):
        return velocity_net(x, np.clip(np.ravel(timestep) / 1000, 1e-4, 1))

    return sweep(net, schedule=Flow(), prediction="flow")


@wrong(
    "the cosine schedule's network, the linear schedule's table",
    says=r"answer(s| is that)? for (the )?(noise level )?σ/α|another schedule",
)
def other_schedule():
    steps = np.arange(201) / 200
    f = np.cos((steps + 0.008) / 1.008 * np.pi / 2) ** 2
    cosine = np.clip(f[1:] / f[0], 1e-4, 1)
    return sweep(lambda x, t: eps_net(x, t, cosine), schedule=Scheduler())


@wrong("the two channels come back exchanged (BGR)", says=r"channel|permut|exchang")
def channels_exchanged():
    return sweep(lambda x, s: ideal(x, s)[:, ::-1])


@wrong("height and width are exchanged", says=r"transpos|permut|height")
def transposed():
    return sweep(lambda x, s: ideal(x, s).transpose(0, 1, 3, 2))


@wrong("guidance leaves ε 1.5 times as large", says=r"1\.5\b|3/2")
def guided():
    return sweep(lambda x, t: 1.5 * eps_net(x, t), schedule=Scheduler())


@wrong("the time is cut at σ = 1", says=r"(clamp|stands still|cut|stops|as at|as if told).*\b1\b")
def time_clamped():
    return sweep(lambda x, s: ideal(x, np.minimum(s, 1.0)))


@wrong(
    "near, but learned: 5 % rms in the middle levels",
    says=r"rms error.*% within 2 %.*tolerance",
)
def learned():
    w = np.random.default_rng(5).normal(size=(18, 18)) / 4

    def net(x, sigma):
        x0 = ideal(x, sigma)
        s = wide(np.ravel(sigma), x)
        rows = np.tanh(x.reshape(len(x), -1) @ w).reshape(x.shape)
        return x0 + 0.08 * s / (0.25 + s**2) * rows

    return sweep(net, tolerance=0.02)


@wrong("float16 network, told as float64", says=r"float16|half precision")
def half_precision():
    def net(x, s):
        return (
            ideal(x.astype(np.float16).astype(float), s.astype(np.float16).astype(float))
            .astype(np.float16)
            .astype(float)
        )

    return sweep(net)


@wrong("the score where ε is configured: -ε/σ", says=r"score|1/σ")
def score_for_eps():
    def unet(x, t):
        return -eps_net(x, t) / wide(levels(t)[1], x)

    return sweep(unet, schedule=Scheduler())


@wrong("σ for σ/α: k-diffusion's level told to a VP network's x", says=r"told|x / α|σ/α|units")
def unscaled_vp():
    def net(x, t):
        alpha, sigma = levels(t)
        return x0_of(x, 1.0, sigma / alpha)

    return sweep(net, schedule={"alphas_cumprod": ABAR})


@wrong("the timestep is rounded to multiples of 10", says=r"multiple|rounded|earlier|timestep")
def coarse_time():
    return sweep(lambda x, t: eps_net(x, np.asarray(t) // 10 * 10), schedule=Scheduler())


@wrong("the time is ignored", says=r"(does not use|ignores?|whatever it is told|stands still)")
def time_ignored():
    return sweep(lambda x, s: ideal(x, 0.8))


@wrong("the channel means are left out of the answer", says=r"mean")
def mean_left_out():
    mean = DATA.mean(0)
    return sweep(lambda x, s: ideal(x, s) - mean)


@wrong("σ² is passed for σ", says=r"variance|σ²|square")
def variance_told():
    return sweep(lambda x, s: ideal(x, np.sqrt(s)))


@wrong(
    "a constant 0.05 in the first channel",
    says=r"0\.05.*(channel 0|coordinates 0 to 8)|(channel 0|coordinates 0 to 8).*0\.05",
)
def channel_offset():
    def net(x, s):
        out = ideal(x, s).copy()
        out[:, 0] += 0.05
        return out

    return sweep(net)


@wrong("sub-VP: σ = 1 - ᾱ in the network", says=r"σ² for σ")
def subvp():
    def net(x, t):
        a, s = levels(t)
        s2 = s**2
        return (x - wide(a, x) * x0_of(x, a, s2)) / wide(s2, x)

    return sweep(net, schedule=Scheduler())


@wrong("t//2: half of the timesteps (a T of 100)", says=r"t / 2|half|timestep|earlier")
def half():
    return sweep(lambda x, t: eps_net(x, np.asarray(t) // 2), schedule=Scheduler())


@wrong("σ_min is added: σ + 0.01", says=r"0\.01\b")
def sigma_plus():
    return sweep(lambda x, s: ideal(x, s + 0.01))


@wrong("velocity × T", says=r"1000")
def velocity_scaled():
    return sweep(lambda x, t: 1000 * velocity_net(x, t), schedule=Flow(), prediction="flow")


@wrong("classifier-free guidance with w=2 against the mean", says=r"mean is 2 times")
def cfg():
    mean = DATA.mean(0)
    return sweep(lambda x, s: mean + 2 * (ideal(x, s) - mean))


@wrong("noise offset: the network subtracts the channel mean of x", says=r"minus its own mean")
def centre():
    return sweep(lambda x, s: ideal(x - x.mean((1, 2, 3), keepdims=True), s))


@wrong("x0 → eps conversion forgets α: (x - x0)/σ", says=r"x_0 in it is 1/α times")
def eps_forgets():
    def net(x, t):
        a, s = levels(t)
        return (x - x0_of(x, a, s)) / wide(s, x)

    return sweep(net, schedule=Scheduler())


@wrong("v with α and σ exchanged: σ ε - α x0", says=r"α and σ exchanged")
def v_swapped():
    def net(x, t):
        a, s = levels(t)
        x0 = x0_of(x, a, s)
        e = (x - wide(a, x) * x0) / wide(s, x)
        return wide(s, x) * e - wide(a, x) * x0

    return sweep(net, schedule=Scheduler("v_prediction"))


@wrong("network told t in [0,1] reversed: 1 - t/T", says=r"other way|1 - t|T - t|T - 1 - t")
def timesteps_reversed():
    return sweep(lambda x, t: eps_net(x, len(ABAR) - 1 - np.asarray(t)), schedule=Scheduler())


@wrong("x0 from v with swapped coefficients σ x - α v", says=r"a E\[x_0 \| x\] \+ b x with a = ")
def x0_of_v_exchanged():
    def f(x, t):
        a, s = (wide(v, x) for v in levels(t))
        x0 = x0_of(x, *levels(t))
        v = a * (x - a * x0) / s - s * x0
        return s * x - a * v

    return sweep(f, schedule={"alphas_cumprod": ABAR})
