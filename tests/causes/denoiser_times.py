"""Wrong networks over a schedule: told another time, of data in another layout, with guidance."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_denoiser
from scoreproof.objects.schedules import FlowMatching

RNG = np.random.default_rng(11)
POINTS = RNG.normal(size=(18, 4)) * [1.0, 0.7, 1.3, 0.9]
IMAGES = RNG.uniform(-1, 1, size=(14, 3, 4, 2))
BETAS = np.linspace(1e-4, 0.02, 400)
BARS = np.cumprod(1 - BETAS)
SIGMAS = list(np.geomspace(0.3, 25, 8))


def averaged(x, alpha, sigma, data):
    """E[x_0 | x] over the data, at a level for each row."""
    alpha, sigma = np.broadcast_to(alpha, len(x))[:, None], np.broadcast_to(sigma, len(x))
    logits = -((x[:, None] - alpha[:, None] * data) ** 2).sum(-1) / (2 * sigma[:, None] ** 2)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return weights @ data / weights.sum(1, keepdims=True)


def flow(told):
    """A rectified flow's velocity, of a network that makes ``told(t)`` of its time."""

    def network(x, t):
        s = told(t)
        return (x - averaged(x, 1 - s, s, POINTS)) / s[:, None]

    return check_denoiser(network, POINTS, schedule=FlowMatching(), prediction="flow")


@wrong("t divided by 1000 once too often", says=r"right when told 1000 t\b")
def divided_twice() -> Evidence:
    return flow(lambda t: t / 1000)


@wrong("t multiplied by 100 once too often", says=r"right when told t / 100\b")
def multiplied_twice() -> Evidence:
    return flow(lambda t: t * 100)


@wrong("the timestep shift of 3 is applied twice", says=r"right when told t / \(3 - 2 t\).*shift")
def shifted_twice() -> Evidence:
    return flow(lambda t: 3 * t / (1 + 2 * t))


@wrong("the times are those of another interval", says=r"right when told 1\.25 t - 0\.125\b")
def another_interval() -> Evidence:
    return flow(lambda t: 0.1 + 0.8 * t)


def by_table(bars):
    """Of ᾱ by the timestep."""

    def network(x, t):
        a = bars[t]
        return averaged(x, np.sqrt(a), np.sqrt(1 - a), POINTS)

    return check_denoiser(network, POINTS, schedule={"betas": BETAS})


@wrong(
    "the table of the step before, which begins with 1",
    says=r"right when told t \+ 1: its index is off by one",
)
def table_of_the_step_before() -> Evidence:
    return by_table(np.append(1.0, BARS[:-1]))


@wrong(
    "the table of the step before, which begins with nearly 1",
    says=r"right when told t \+ 1: its index is off by one",
)
def table_that_begins_with_little_noise() -> Evidence:
    return by_table(np.append(1 - 1e-7, BARS[:-1]))


@wrong("three timesteps too early", says=r"3 earlier|told t \+ 3: its index is off by 3")
def three_timesteps_early() -> Evidence:
    return by_table(np.append([1 - 1e-7, 1 - 2e-7, 1 - 3e-7], BARS[:-3]))


@wrong("ᾱ x in place of √ᾱ x", says=r"multiplied by α² where α is due")
def root_missing() -> Evidence:
    def network(x, t):
        a = BARS[t][:, None]
        x0 = averaged(x, np.sqrt(a[:, 0]), np.sqrt(1 - a[:, 0]), POINTS)
        v = (np.sqrt(a) * x - x0) / np.sqrt(1 - a)
        return a * x - np.sqrt(1 - a) * v

    return check_denoiser(network, POINTS, schedule={"betas": BETAS})


def of_images(axes, seen=(0, 1, 2, 3)):
    bank = IMAGES.transpose(axes).reshape(len(IMAGES), -1)

    def network(x, sigma):
        flat = x.transpose(seen).reshape(len(x), -1)
        return averaged(flat, 1.0, sigma, bank).reshape(x.shape)

    return check_denoiser(network, IMAGES, schedule=SIGMAS)


@wrong("the images are kept as HWC", says=r"data .*in the order \(height, width, channels\)")
def bank_of_another_layout() -> Evidence:
    return of_images((0, 2, 3, 1))


@wrong("height and width of the images are exchanged", says=r"data transposed: height and width")
def bank_transposed() -> Evidence:
    return of_images((0, 1, 3, 2))


@wrong("x is turned to HWC, the images are not", says=r"x were given .*\(height, width, channels\)")
def input_of_another_layout() -> Evidence:
    return of_images((0, 1, 2, 3), (0, 2, 3, 1))


@wrong(
    "guidance from cond, one too strong",
    says=r"outside the range of the data.*guidance",
)
def guided_past_the_data() -> Evidence:
    part = POINTS[:6] * 0.5 + 0.8

    def network(x, sigma):
        wanted, other = (averaged(x, 1.0, sigma, data) for data in (part, POINTS))
        return wanted + 2.0 * (wanted - other)

    return check_denoiser(network, part, schedule=SIGMAS)
