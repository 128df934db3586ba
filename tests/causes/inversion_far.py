"""Wrong inverses: clipped far out, turned round, and noise maps whose sides differ in a term."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_inversion
from scoreproof.objects.discrete import DiscreteVP

TABLE = DiscreteVP(np.linspace(2e-4, 0.025, 800))
TIMES = {"times": range(760, 39, -45), "prediction": "eps", "shape": 1}


def pairs(times):
    return list(zip(times[:-1], times[1:], strict=True))


def level(t):
    return float(TABLE.alpha(t)), float(TABLE.sigma(t))


def ddim(most=np.inf, turned=False):
    def run(model, x, times):
        for t, n in pairs(times):
            (a, s), (b, r) = level(t), level(n)
            if turned:
                (a, s), (b, r) = (b, r), (a, s)
            x0 = np.clip((x - s * model(x, n if turned else t)) / a, -most, most)
            x = b * x0 + r * (x - a * x0) / s
        return x

    return run


@wrong("x_0 is clipped to ±1.5 on the way up only", says=r"inverse clips.* x_0 at ±1\.5, and the s")
def inverse_alone_clips():
    return check_inversion(ddim(most=1.5), ddim(), TABLE, **TIMES)


@wrong(
    "the inverse's steps lead down", says=r"in the inverse, each step goes down where it must go"
)
def inverse_that_goes_down():
    return check_inversion(ddim(turned=True), ddim(), TABLE, **TIMES)


def maps(up="right", down="right"):
    """Noise maps with η = 0.6; ``up`` and ``down``: the direction of encode and of decode."""

    def step(model, x, t, n, how):
        (a, s), (b, r) = level(t), level(n)
        var = (r / s) ** 2 * (1 - (a / b) ** 2)
        e = model(x, t)
        x0 = (x - s * e) / a
        taken = {"eta": 0.6 * var, "none": 0.0}.get(how, 0.36 * var)
        return b * x0 + (r**2 - taken) ** 0.5 * e, 0.6 * var**0.5

    def encode(model, xs, times):
        made = [(k, *step(model, xs[k], t, n, up)) for k, (t, n) in enumerate(pairs(times))]
        return [(xs[k + 1] - mean) / std for k, mean, std in made]

    def decode(model, x, zs, times):
        for z, (t, n) in zip(zs, pairs(times), strict=True):
            mean, std = step(model, x, t, n, down)
            x = mean + std * z
        return x

    return check_inversion(encode, decode, TABLE, form="noises", **TIMES)


@wrong(
    "η·var for η²·var in decode", says=r"in decode, .*ᾱ_prev - η·var\)·ε where √\(1 - ᾱ_prev - st"
)
def noises_put_in_beside_another_direction():
    return maps(down="eta")


@wrong(
    "encode's direction keeps all of ε", says=r"in encode, .*√\(1 - ᾱ_prev\)·ε where .* decode's st"
)
def noises_taken_out_beside_another_direction():
    return maps(up="none")
