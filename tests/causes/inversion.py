"""Wrong inverses and samplers that do not lead back: DDIM both ways, Euler on σ, noise maps."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_inversion
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import FlowMatching

BETAS = np.linspace(1e-4, 0.02, 1000)
TABLE = DiscreteVP(BETAS)


class DDIM:
    """Down, or up as DDIMInverseScheduler: the model is told the timestep that x is led to."""

    def __init__(self, up=False, betas=BETAS, offset=0):
        self.alphas_cumprod = np.cumprod(1 - betas)
        self.up, self.offset = up, offset
        self.config = {"prediction_type": "epsilon", "num_train_timesteps": 1000}

    def set_timesteps(self, n):
        self.stride = 1000 // n
        times = np.arange(n) * self.stride + self.offset
        self.timesteps = times if self.up else times[::-1]

    def bar_of(self, t):
        return self.alphas_cumprod[min(t, 999)] if t >= 0 else 1.0

    def add_noise(self, x, noise, t):
        bar = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
        return bar**0.5 * x + (1 - bar) ** 0.5 * noise

    def ends(self, t):
        return (t - self.stride, t) if self.up else (t, t - self.stride)

    def x0_of(self, eps, x, bar):
        return (x - (1 - bar) ** 0.5 * eps) / bar**0.5

    def step(self, eps, t, x):
        before, after = (self.bar_of(k) for k in self.ends(t))
        x0 = self.x0_of(eps, x, before)
        return (after**0.5 * x0 + (1 - after) ** 0.5 * eps,)


def both(up, down=None, **more):
    return check_inversion(up, down or DDIM(), **({"shape": 2, "steps": 25} | more))


@wrong("another table in the inverse", says=r"tables differ")
def inverse_of_another_table():
    return both(DDIM(True, np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2))


@wrong(
    "the inverse goes from t to t - stride, as the sampler does",
    says=r"in the inverse, each step goes down where it must go up",
)
def inverse_steps_down():
    class Wrong(DDIM):
        def ends(self, t):
            return (t, t - self.stride)

    return both(Wrong(True))


@wrong("x_0 divided by ᾱ for √ᾱ in the inverse", says=r"in the inverse.*/ᾱ_t where .*/√ᾱ_t is due")
def inverse_x0_without_the_root():
    class Wrong(DDIM):
        def x0_of(self, eps, x, bar):
            return (x - (1 - bar) ** 0.5 * eps) / bar

    return both(Wrong(True))


@wrong("the sampler's ε × 0.99", says=r"sampler.*0\.99|0\.99.*sampler")
def sampler_scales_epsilon():
    class Wrong(DDIM):
        def x0_of(self, eps, x, bar):
            return super().x0_of(0.99 * eps, x, bar)

    return both(DDIM(True), Wrong())


def euler(model, x, sigmas, told=lambda s, n: s, change=lambda s, n: n - s):
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        x = x + change(s, n) * (x - model(x, told(s, n))) / s
    return x


@wrong("the sign of the step in the inverse", says=r"in the inverse.*\(the sign\)")
def euler_up_with_the_sign_of_down():
    return both(lambda m, x, s: euler(m, x, s, change=lambda a, b: a - b), euler, steps=None)


@wrong("the inverse's model is told σ²", says=r"in the inverse, the model is told the square")
def euler_up_told_the_variance():
    return both(lambda m, x, s: euler(m, x, s, told=lambda a, b: a**2), euler, steps=None)


@wrong("the inverse hands its list of σ on in falling order", says=r"times in reversed order")
def euler_up_on_reversed_sigmas():
    return both(lambda m, x, s: euler(m, x, s[::-1]), euler, steps=None)


@wrong(
    "the inverse's model is told the index, not the timestep", says=r"told the index of the step"
)
def inverse_told_the_index():
    def invert(model, x, times):
        for i, (t, n) in enumerate(zip(times[:-1], times[1:], strict=True)):
            eps = model(x, i)
            x0 = (x - TABLE.sigma(t) * eps) / TABLE.alpha(t)
            x = TABLE.alpha(n) * x0 + TABLE.sigma(n) * eps
        return x

    def sample(model, x, times):
        for t, n in zip(times[:-1], times[1:], strict=True):
            eps = model(x, t)
            x0 = (x - TABLE.sigma(t) * eps) / TABLE.alpha(t)
            x = TABLE.alpha(n) * x0 + TABLE.sigma(n) * eps
        return x

    return check_inversion(
        invert, sample, TABLE, prediction="eps", times=np.arange(980, 0, -20), shape=2
    )


@wrong("the sampler draws noise (η = 1)", says=r"draws noise")
def sampler_that_draws():
    def ancestral(model, x, sigmas, rng):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            up = (n**2 * (s**2 - n**2) / s**2) ** 0.5
            x = x + ((n**2 - up**2) ** 0.5 - s) * (x - model(x, s)) / s
            x = x + up * rng.standard_normal(x.shape)
        return x

    return both(euler, ancestral, steps=None)


@wrong("the decoded latents are scaled by 0.18215 once more", says=r"returned is 0\.18215")
def sampler_scales_latents():
    return both(euler, lambda m, x, s: 0.18215 * euler(m, x, s), steps=None)


@wrong("the inverse returns ᾱ-scaled x: x/√(1 + σ²)", says=r"1/√\(1 \+ σ²\)")
def inverse_returns_scaled_input():
    return both(lambda m, x, s: euler(m, x, s) / np.sqrt(1 + s[-1] ** 2), euler, steps=None)


# -- noise maps ------------------------------------------------------------------------------------


def mean_and_std(model, x, t, n, told=None):
    a, b = TABLE.alpha(t) ** 2, TABLE.alpha(n) ** 2
    eps = model(x, t if told is None else told)
    var = (1 - b) / (1 - a) * (1 - a / b)
    x0 = (x - (1 - a) ** 0.5 * eps) / a**0.5
    return b**0.5 * x0 + (1 - b - var) ** 0.5 * eps, var**0.5


def encode(model, xs, times, size=lambda std: std, told=lambda t, n: t, order=1):
    found = []
    for k, (t, n) in enumerate(zip(times[:-1], times[1:], strict=True)):
        mean, std = mean_and_std(model, xs[k], t, n, told(t, n))
        found.append((xs[k + 1] - mean) / size(std))
    return found[::order]


def decode(model, x, noises, times):
    for z, t, n in zip(noises, times[:-1], times[1:], strict=True):
        mean, std = mean_and_std(model, x, t, n)
        x = mean + std * z
    return x


def maps(encoder):
    return check_inversion(
        encoder, decode, TABLE, form="noises", times=np.arange(900, 99, -100), shape=2
    )


@wrong("the noise is divided by the variance", says=r"divides by the variance σ²")
def noise_over_the_variance():
    return maps(lambda m, xs, t: encode(m, xs, t, size=lambda std: std**2))


@wrong("the noises are handed over in reversed order", says=r"noises over in reversed order")
def noises_reversed():
    return maps(lambda m, xs, t: encode(m, xs, t, order=-1))


@wrong("encode tells its model the next time", says=r"from 900 to 800 encode tells it 800")
def noises_told_the_next_time():
    return maps(lambda m, xs, t: encode(m, xs, t, told=lambda a, b: b))


# -- loops and steps, with what strangers mistook --------------------------------------------------

BAR = np.cumprod(1 - BETAS)
FALLING = {"times": range(950, -1, -25), "prediction": "eps", "form": "sample", "shape": 1}


def gone(model, x, times, lead=lambda ts, i: ts[i + 1], end=None):
    ts = [int(t) for t in times]
    for i, t in enumerate(ts[:-1]):
        a, b, e = BAR[t], BAR[lead(ts, i)], model(x, t)
        b = end if end is not None and i == len(ts) - 2 else b
        x = b**0.5 * (x - (1 - a) ** 0.5 * e) / a**0.5 + (1 - b) ** 0.5 * e
    return x


def against(up, down=gone, process=TABLE, **more):
    return check_inversion(up, down, process, **FALLING | more)


@wrong("x_next at the time before", says=r"in the inverse.*\(k - 1 for k \+ 1\).*led back")
def inverse_leads_to_the_time_before():
    return against(lambda m, x, ts: gone(m, x, ts, lambda t, i: t[max(i - 1, 0)]))


@wrong("the last step leads to the data", says=r"the last, from t = 925 .*1 x_0 \+ 0 ε")
def inverse_ends_at_the_data():
    return against(lambda m, x, ts: gone(m, x, ts, end=1.0))


@wrong("a scheduler's inverse ends at ᾱ = 1", says=r"inverse, the last step.*back to the data")
def scheduler_ends_at_the_data():
    class Up(DDIM):
        def ends(self, t):
            return (t, t + self.stride)

        def bar_of(self, t):
            return self.alphas_cumprod[t] if t < 1000 else 1.0

    return both(Up(True), steps=20)


@wrong(
    "√ᾱ_next is missing in front of the ε term", says=r"in the inverse.*√ᾱ_prev·\(√\(1/ᾱ_prev - 1\)"
)
def inverse_without_the_root_in_front():
    def up(x, t, n, model):
        a, b = BAR[int(t)], BAR[int(n)]
        return (b / a) ** 0.5 * x + ((1 / b - 1) ** 0.5 - (1 / a - 1) ** 0.5) * model(x, t)

    def down(x, t, n, model):
        a, b = BAR[int(t)], BAR[int(n)]
        e = model(x, t)
        return (b / a) ** 0.5 * (x - (1 - a) ** 0.5 * e) + (1 - b) ** 0.5 * e

    return against(up, down, form="step")


def taylor(half):
    def run(model, x, times):
        for t, n in zip(times[:-1], times[1:], strict=True):
            v, h = model(x, t), n - t
            dv = (model(x + h / 2 * v, t + h / 2) - v) / (half * h)
            x = x + h * v + h**2 / 2 * dv
        return x

    return run


@wrong("the derivative is divided by h, not by h/2", says=r"in the inverse.*in dv")
def inverse_divides_by_the_whole_step():
    more = {"times": np.linspace(1, 0.05, 12), "prediction": "flow", "order": 2}
    return against(taylor(1.0), taylor(0.5), FlowMatching(), **more)


@wrong("the second call is told the old σ", says=r"inverse, the model is told t,.*second call")
def inverse_heun_told_the_old_sigma():
    def heun(told):
        def run(model, x, sigmas):
            for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
                d = (x - model(x, s)) / s
                y = x + (n - s) * d
                x = x + (n - s) / 2 * (d + (y - model(y, told(s, n))) / n)
            return x

        return run

    old, new = heun(lambda s, n: s), heun(lambda s, n: n)
    return check_inversion(old, new, form="sample", order=2, shape=1)


def noises(pick):
    """Encode, and a decode that takes the noise ``pick(i, n)`` in its step i of n."""

    def step(model, x, t, n):
        e, a, b = model(x, t), BAR[t], BAR[n]
        v = (1 - b) / (1 - a) * (1 - a / b)
        return (b / a) ** 0.5 * (x - (1 - a) ** 0.5 * e) + (1 - b - v) ** 0.5 * e, v**0.5

    def encode(model, xs, times):
        ts, found = [int(t) for t in times], []
        for i in range(len(ts) - 1):
            mean, std = step(model, xs[i], ts[i], ts[i + 1])
            found.append((xs[i + 1] - mean) / std)
        return found

    def decode(model, x, zs, times):
        ts = [int(t) for t in times]
        for i in range(len(zs)):
            mean, std = step(model, x, ts[i], ts[i + 1])
            x = mean + std * zs[pick(i, len(zs))]
        return x

    more = {"times": range(900, 0, -60), "prediction": "eps", "form": "noises", "shape": 1}
    return check_inversion(encode, decode, TABLE, **more)


@wrong("decode takes the noises backwards", says=r"decode takes its noises in reversed order")
def decode_runs_backwards():
    return noises(lambda i, n: n - 1 - i)


@wrong("decode takes the noise of the next step", says=r"noise of index 1 in the step from 900 to")
def decode_takes_the_next_noise():
    return noises(lambda i, n: min(i + 1, n - 1))
