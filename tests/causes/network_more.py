"""Wrong networks: a right network in a wrong wrapper, and what is not its own level."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_denoiser
from scoreproof.objects.schedules import FlowMatching

RNG = np.random.default_rng(29)
DATA = RNG.normal(size=(15, 4)) * [1.2, 0.8, 1.0, 0.6] + 0.2
ODD = RNG.uniform(-1, 1, size=(12, 2, 3, 2))
BETAS = np.linspace(2e-4, 0.03, 300)
BARS = np.cumprod(1 - BETAS)
SIGMAS = np.geomspace(0.2, 12, 8)


def x0_of(x, alpha, sigma, data=DATA):
    rows, flat = x.reshape(len(x), -1), data.reshape(len(data), -1)
    a, s = (np.broadcast_to(np.ravel(v), (len(x),)) for v in (alpha, sigma))
    logits = -((rows[:, None] - a[:, None, None] * flat) ** 2).sum(-1) / (2 * s[:, None] ** 2)
    w = np.exp(logits - logits.max(1, keepdims=True))
    return (w @ flat / w.sum(1, keepdims=True)).reshape(x.shape)


def at(t, table=BARS):
    bar = table[np.asarray(t, int)]
    return np.sqrt(bar)[:, None], np.sqrt(1 - bar)[:, None]


def eps_of(x, t):
    a, s = at(t)
    return (x - a * x0_of(x, a, s)) / s


def by_step(net, **more):
    return check_denoiser(net, DATA, schedule={"betas": BETAS}, **more)


def by_sigma(net, **more):
    return check_denoiser(net, DATA, schedule=SIGMAS, **more)


@wrong("the level of the first row serves the whole batch", says=r"time of the first row is used")
def first_level():
    return by_sigma(lambda x, sigma: x0_of(x, 1.0, sigma[0]))


@wrong("the rows' levels are averaged", says=r"average of the rows' times is used")
def averaged_level():
    def net(x, sigma):
        if sigma.ndim != 1:
            raise ValueError("a level for each row")
        return x0_of(x, 1.0, sigma.mean())

    return by_sigma(net)


@wrong("σ is looked up one place too far", says=r"ε-network inside.*next larger level.*index")
def lookup_off_by_one():
    table = np.sqrt((1 - BARS) / BARS)

    def net(x, sigma):
        t = np.minimum(np.abs(table[None] - sigma[:, None]).argmin(1) + 1, len(table) - 1)
        return x - sigma[:, None] * eps_of(x / np.sqrt(1 + sigma**2)[:, None], t)

    sigmas = table[[20, 70, 120, 170, 220, 270]]
    return check_denoiser(net, DATA, schedule=sigmas)


def edm(c_noise):
    """An EDM denoiser whose inner network reads its level from what it is told."""
    data = 0.7

    def inner(x, told):
        s = np.exp(4 * told)[:, None]
        whole = np.sqrt(s**2 + data**2)
        y = x * whole
        return (x0_of(y, 1.0, s) - (data / whole) ** 2 * y) / (s * data / whole)

    def net(x, sigma):
        s = sigma[:, None]
        whole = np.sqrt(s**2 + data**2)
        return (data / whole) ** 2 * x + s * data / whole * inner(x / whole, c_noise(sigma))

    return by_sigma(net)


@wrong("c_noise is not divided by 4", says=r"c_noise is log σ, where log\(σ\)/4 is due")
def c_noise_undivided():
    return edm(np.log)


@wrong("c_noise has a decimal logarithm", says=r"log₁₀ σ stands where log σ is due")
def c_noise_decimal():
    return edm(lambda s: np.log10(s) / 4)


@wrong("the flow's time becomes an integer", says=r"rounded down, to multiples of 1/250")
def time_cast():
    def net(x, t):
        t = np.maximum((t * 250).astype(int), 1) / 250
        return (x - x0_of(x, 1 - t, t)) / t[:, None]

    return check_denoiser(net, DATA, schedule=FlowMatching(), prediction="velocity")


@wrong("the network inside is told t - 1", says=r"network inside.*1 earlier than that of x")
def told_the_step_before():
    def net(x, t):
        a, s = at(t)
        return (x - s * eps_of(x, np.maximum(t - 1, 0))) / a

    return by_step(net)


@wrong("a DDPM's mean of the step before comes back", says=r"mean of x at t - 1 given x and x_0")
def mean_of_the_step():
    def net(x, t):
        beta, (_, s) = BETAS[t][:, None], at(t)
        return (x - beta / s * eps_of(x, t)) / np.sqrt(1 - beta)

    return by_step(net)


@wrong("the step's own α and β in place of the products", says=r"√α_t and √β_t of one step stand")
def of_one_step():
    def net(x, t):
        beta = BETAS[t][:, None]
        return (x - np.sqrt(beta) * eps_of(x, t)) / np.sqrt(1 - beta)

    return by_step(net)


@wrong("coefficients of the step after", says=r"α and σ are those of t \+ 1")
def of_the_step_after():
    table = np.append(BARS[1:], BARS[-1])

    def net(x, t):
        a, s = at(t, table)
        return (x - s * eps_of(x, t)) / a

    return by_step(net, levels=[10, 80, 150, 220, 280])


@wrong("x_0 = α x + σ v", says=r"sign of σ v is turned in x_0 = α x - σ v")
def v_added():
    def net(x, t):
        a, s = at(t)
        v = (a * x - x0_of(x, a, s)) / s
        return a * x + s * v

    return by_step(net)


@wrong("α is clamped before it divides", says=r"α is clamped to at least 0\.3 in a divisor")
def alpha_clamped():
    def net(x, t):
        a, s = at(t)
        return (x - s * eps_of(x, t)) / np.maximum(a, 0.3)

    return by_step(net)


@wrong("0.02 is added to σ²", says=r"σ²/\(σ² \+ 0\.02\) times what is due")
def added_to_the_variance():
    def net(x, sigma):
        s = sigma[:, None]
        return (x0_of(x, 1.0, sigma) - x) / (s**2 + 0.02)

    return by_sigma(net, prediction="score")


def of_labels(answer):
    """Two classes; class 0 is the data that are given, any other label all of them."""
    part = DATA[:7] + 0.5
    every = np.concatenate([part, DATA[7:]])

    def one(x, sigma, label):
        own, other = x0_of(x, 1.0, sigma, part), x0_of(x, 1.0, sigma, every)
        return np.where((label == 0)[:, None], own, other)

    def net(x, sigma, label):
        return answer(one, x, sigma, label)

    return check_denoiser(net, part, schedule=SIGMAS, options={"label": np.zeros(1, int)})


@wrong("the label is dropped", says=r"label is not used")
def label_dropped():
    return of_labels(lambda one, x, s, label: one(x, s, np.full_like(label, 7)))


@wrong("guidance at scale 3", says=r"it is guided.*label")
def guided_without_options():
    def answer(one, x, s, label):
        null = one(x, s, np.full_like(label, 9))
        return null + 3.0 * (one(x, s, label) - null)

    return of_labels(answer)


@wrong("the variance comes first", says=r"in the second half of the channels")
def variance_first():
    def net(x, sigma):
        mean = x0_of(x, 1.0, sigma, ODD)
        return np.concatenate([np.cos(x) * 0.1, mean], axis=1)

    return check_denoiser(net, ODD, schedule=SIGMAS)
