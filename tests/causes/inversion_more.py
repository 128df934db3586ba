"""Wrong inverses that seek a fixed point, and noise maps that are made of another x."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_inversion
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import FlowMatching

TABLE = DiscreteVP(np.linspace(5e-4, 0.03, 600))
TIMES = {"times": range(560, 19, -36), "prediction": "eps", "shape": 1}
STRAIGHT = {"times": np.linspace(0.9, 0.1, 12), "prediction": "flow", "shape": 1}


def ddim(x, e, t, n):
    ratio = TABLE.alpha(n) / TABLE.alpha(t)
    return ratio * x + (TABLE.sigma(n) - ratio * TABLE.sigma(t)) * e


def pairs(times):
    return list(zip(times[:-1], times[1:], strict=True))


def down(model, x, times):
    for t, n in pairs(times):
        x = ddim(x, model(x, t), t, n)
    return x


def up(*, rounds=4, base=lambda x, y: x):
    def aidi(model, x, times):
        for t, n in pairs(times):
            y = x
            for _ in range(rounds):
                y = ddim(base(x, y), model(y, n), t, n)
            x = y
        return x

    return aidi


@wrong("each round starts from the last iterate", says=r"inverse.*adds the whole step to y.*4 roun")
def fixed_point_from_the_last_iterate():
    return check_inversion(up(base=lambda x, y: y), down, TABLE, form="sample", **TIMES)


@wrong("the rounds of a flow start from the last", says=r"inverse.*adds the whole step to y.*v\(y")
def fixed_point_of_a_flow_from_the_last_iterate():
    def renoise(model, x, times):
        for t, n in pairs(times):
            y = x + (n - t) * model(x, t)
            for _ in range(2):
                y = y + (n - t) * model(y, n)
            x = y
        return x

    def euler(model, x, times):
        for t, n in pairs(times):
            x = x + (n - t) * model(x, t)
        return x

    return check_inversion(renoise, euler, FlowMatching(), form="sample", **STRAIGHT)


@wrong("y is moved along (x - D(y))/σ", says=r"inverse.*whole step to y.*\(x - α x_0\)/σ of that x")
def fixed_point_with_the_slope_of_x():
    def invert(model, x, sigmas):
        for s, n in pairs(sigmas):
            y = x
            for _ in range(3):
                y = y + (n - s) * (x - model(y, n)) / n
            x = y
        return x

    def euler(model, x, sigmas):
        for s, n in pairs(sigmas):
            x = x + (n - s) * (x - model(x, s)) / s
        return x

    return check_inversion(invert, euler, times=np.geomspace(8, 0.06, 24), shape=1)


def maps(asked=0, mean=0, whole=1):
    """Noise maps of x at other times than the step's: in encode only."""

    def step(x, e, t, n):
        a, b = TABLE.alpha(t), TABLE.alpha(n)
        var = (1 - b**2) * (1 - (a / b) ** 2) / (1 - a**2) * 0.8
        x0 = (x - TABLE.sigma(t) * e) / a
        return b * x0 + (1 - b**2 - var) ** 0.5 * e, var**0.5

    def encode(model, xs, times):
        last, zs = len(times) - 1, []
        for k, (t, n) in enumerate(pairs(times)):
            e = model(xs[min(k + asked, last)], t)
            mu, std = step(xs[min(k + mean, last)], e, t, n)
            zs.append((xs[min(k + whole, last)] - mu) / std)
        return zs

    def decode(model, x, zs, times):
        for z, (t, n) in zip(zs, pairs(times), strict=True):
            mu, std = step(x, model(x, t), t, n)
            x = mu + std * z
        return x

    return check_inversion(encode, decode, TABLE, form="noises", **TIMES)


@wrong(
    "the mean is that of the x to come", says=r"model is asked at, and the mean is.* xs\[k \+ 1\]"
)
def noises_of_the_next_x():
    return maps(asked=1, mean=1)


@wrong("the model is asked at the x to come", says=r"step k the model is asked at xs\[k \+ 1\] \(")
def noises_whose_model_is_asked_at_the_next_x():
    return maps(asked=1)


@wrong("the mean is taken off x before the step", says=r"step k the mean is taken off xs\[k\] \(")
def noises_taken_off_the_x_before():
    return maps(whole=0)
