"""`check_inversion` on right and wrong inverses: whole functions, steps, schedulers, noise maps."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import VPLinear

check = sp.check_inversion
VP = VPLinear(0.1, 6.0)
GRID = np.linspace(0.9, 0.05, 18)


def euler(model, x, sigmas, told=0, sign=1.0):
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        at = (s, n)[told]
        x = x + sign * (n - s) * (x - model(x, at)) / at
    return x


def heun(model, x, sigmas):
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        d = (x - model(x, s)) / s
        y = x + (n - s) * d
        x = x + (n - s) * (d + (y - model(y, n)) / n) / 2
    return x


def fixed_point(model, x, sigmas):
    """The inverse that solves for the x which one Euler step takes back."""
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        y = x
        for _ in range(200):
            y = x + (n - s) * (y - model(y, n)) / n
        x = y
    return x


@pytest.mark.parametrize(
    ("inverse", "sampler", "order"),
    [(euler, euler, 1), (heun, heun, 3), (euler, heun, 1), (fixed_point, euler, np.inf)],
)
def test_right_pairs(inverse, sampler, order):
    evidence = check(inverse, sampler, order=min(order, 2) if order != 1 else 1)
    assert evidence, evidence.explain()
    assert evidence.order == order or abs(evidence.order - order) < 0.3


def test_an_inverse_whose_model_is_told_the_next_level():
    assert check(lambda model, x, s: euler(model, x, s, 1), euler)


def test_the_order_is_part_of_the_verdict():
    evidence = check(euler, heun, order=2)
    assert evidence.verdict == "refuted" and "comes back with order 1" in evidence.sentence


def jumping(model, x, sigmas):  # the α and σ of t where those of t_next are due
    for s in sigmas[:-1]:
        d = model(x, s)
        x = d + s * (x - d) / s
    return x


@pytest.mark.parametrize(
    ("inverse", "said"),
    [
        (lambda model, x, s: euler(model, x, s, sign=-1.0), "(the sign)"),
        (lambda model, x, s: -euler(model, x, s), "mirrored"),
        (lambda model, x, s: 0 * x, "does not depend on x"),
        (jumping, "leaves x nearly as it was"),
        (lambda model, x, s: x + 0.0, "leaves x nearly as it was"),
        (lambda model, x, s: euler(lambda y, t: model(y, 0.9 * t), x, s), "too"),
        (
            lambda model, x, s: euler(lambda y, t: model(y, s[-1] * s[0] / t), x, s),
            "times what is due",
        ),
        (lambda model, x, s: euler(model, x, s) * [1, 1, 1.02, 1], "in coordinate 2"),
    ],
)
def test_wrong_inverses(inverse, said):
    evidence = check(inverse, euler)
    assert evidence.verdict == "refuted" and said in evidence.explain()


def test_a_pair_that_keeps_the_laws_but_not_x():
    turn = np.array([[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1.0]])
    mean = 0.1 * (1 + 0.4 * np.sin(2.0 * np.arange(4)))[::-1]

    def mirrored(model, x, sigmas):
        return 2 * mean - euler(model, x, sigmas)

    evidence = check(euler, mirrored)
    assert evidence.verdict == "refuted" and "not back to the same x" in evidence.sentence
    # another x of the noise, which the sampler turns back: the law is not read off
    evidence = check(lambda m, x, s: euler(m, x, s) @ turn, lambda m, x, s: euler(m, x @ turn.T, s))
    assert evidence.verdict == "undecided" and "do not answer each" in evidence.sentence


@pytest.mark.parametrize("noise", [0.3, 1.0])
def test_a_sampler_that_draws(noise):
    def ancestral(model, x, sigmas, rng):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            up = noise * (n**2 * (s**2 - n**2) / s**2) ** 0.5
            x = x + ((n**2 - up**2) ** 0.5 - s) * (x - model(x, s)) / s
            x = x + up * rng.standard_normal(x.shape)
        return x

    evidence = check(euler, ancestral)
    assert evidence.verdict == "refuted" and "the sampler draws noise" in evidence.sentence


def test_a_sampler_that_is_wrong_by_itself():
    evidence = check(euler, lambda model, x, s: euler(lambda y, t: model(y, 0.9 * t), x, s))
    assert evidence.verdict == "refuted" and "the sampler by itself" in evidence.sentence


# -- steps and tables ------------------------------------------------------------------------------


def ddim(process, told=0, shift=0.0):
    def step(x, t, t_next, model):
        a, s = process.alpha(t), process.sigma(t)
        b, r = process.alpha(t_next + shift), process.sigma(t_next + shift)
        eps = model(x, (t, t_next)[told])
        return b * (x - s * eps) / a + r * eps

    return step


def test_a_step_of_ddim_both_ways():
    step = ddim(VP)
    evidence = check(step, step, VP, times=GRID, prediction="eps", order=1)
    assert evidence, evidence.explain()
    assert check(ddim(VP, told=1), step, VP, times=GRID, prediction="eps")


def test_an_index_that_is_off_by_one():
    table = DiscreteVP(np.linspace(1e-4, 0.02, 1000))
    times = np.arange(900, -1, -25)
    step = ddim(table)
    assert check(step, step, table, times=times, prediction="eps")
    off = ddim(table, shift=1)  # q at t_next + 1, and the next step takes it for t_next
    evidence = check(off, step, table, times=times, prediction="eps")
    assert evidence.verdict == "refuted", evidence.explain()


# -- schedulers ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    return pytest.importorskip("torch")


class Scheduler:
    """DDIM down, or up as diffusers has it: the model is told the timestep that x is led to."""

    def __init__(self, up=False, last=0.02, offset=0, kind="epsilon", **wrong):
        import torch

        self.alphas_cumprod = torch.cumprod(1 - torch.linspace(1e-4, last, 1000), 0)
        self.up, self.offset, self.wrong = up, offset, wrong
        self.config = {"prediction_type": kind, "num_train_timesteps": 1000}

    def set_timesteps(self, n):
        import torch

        self.stride = 1000 // n
        times = torch.arange(0, n) * self.stride + self.offset
        self.timesteps = times if self.up else times.flip(0)

    def bar(self, t):
        import torch

        return self.alphas_cumprod[min(t, 999)] if t >= 0 else torch.tensor(1.0)

    def add_noise(self, x, noise, t):
        bar = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
        return bar.sqrt() * x + (1 - bar).sqrt() * noise

    def step(self, eps, t, x):
        before, after = (t - self.stride, t) if self.up else (t, t - self.stride)
        now, then = self.bar(before), self.bar(after + self.wrong.get("shift", 0))
        x0 = (x - (1 - now).sqrt() * eps) / now.sqrt()
        return (then.sqrt() * x0 + (1 - then).sqrt() * eps,)


@pytest.mark.parametrize("offset", [0, 1])
def test_right_schedulers(table, offset):
    evidence = check(Scheduler(True, offset=offset), Scheduler(offset=offset), shape=(1, 2, 2))
    assert evidence and abs(evidence.order - 1) < 0.2, evidence.explain()


def test_a_function_that_follows_a_scheduler(table):
    down = Scheduler()

    def invert(model, x, timesteps):
        for t, after in zip(timesteps[:-1], timesteps[1:], strict=True):
            bar, then = down.alphas_cumprod[t], down.alphas_cumprod[after]
            eps = model(x, t)
            x = then**0.5 * (x - (1 - bar) ** 0.5 * eps) / bar**0.5 + (1 - then) ** 0.5 * eps
        return x

    evidence = check(invert, down, tolerance=0.02)
    assert evidence, evidence.explain()


@pytest.mark.parametrize(
    ("up", "said"),
    [
        (Scheduler, "their tables differ"),
        (lambda **more: Scheduler(shift=8, **more), "where the inverse ends"),
    ],
)
def test_wrong_schedulers(table, up, said):
    inverse = up(up=True, last=0.012) if up is Scheduler else up(up=True)
    evidence = check(inverse, Scheduler(), shape=1)
    assert evidence.verdict == "refuted" and said in evidence.explain()


def test_timesteps_that_are_shifted_are_said(table):
    evidence = check(Scheduler(True, offset=1), Scheduler(), shape=1)
    assert "timesteps end at 981, the sampler's begin at 980" in evidence.explain()


# -- noise maps ------------------------------------------------------------------------------------

TABLE = DiscreteVP(np.linspace(1e-4, 0.02, 1000))
TIMES = np.arange(900, 99, -100)


def mean_of(x, t, t_next, model, told=0):
    """DDPM's mean and σ between two times."""
    a, b = TABLE.alpha(t) ** 2, TABLE.alpha(t_next) ** 2
    eps = model(x, (t, t_next)[told])
    x0 = (x - (1 - a) ** 0.5 * eps) / a**0.5
    var = (1 - b) / (1 - a) * (1 - a / b)
    return b**0.5 * x0 + (1 - b - var) ** 0.5 * eps, var**0.5


def encode(model, xs, times, told=0, size=1.0):
    found = []
    for k, (t, n) in enumerate(zip(times[:-1], times[1:], strict=True)):
        mean, std = mean_of(xs[k], t, n, model, told)
        found.append((xs[k + 1] - mean) / (size * std))
    return found


def decode(model, x, noises, times, all_of_them=False):
    seen = [x]
    for z, t, n in zip(noises, times[:-1], times[1:], strict=True):
        mean, std = mean_of(seen[-1], t, n, model)
        seen.append(mean + std * z)
    return np.stack(seen) if all_of_them else seen[-1]


@pytest.mark.parametrize("whole", [False, True])
def test_noise_maps(whole):
    given = {"form": "noises", "times": TIMES, "shape": (1, 2, 2)}
    back = (lambda m, x, z, t: decode(m, x, z, t, True)) if whole else decode
    evidence = check(encode, back, TABLE, **given)
    assert evidence and evidence.resolution < 1e-9, evidence.explain()
    for wrong in (
        lambda m, xs, t: encode(m, xs, t, told=1),
        lambda m, xs, t: encode(m, xs, t, size=1.0001),
        lambda m, xs, t: [0 * z for z in encode(m, xs, t)],
        lambda m, xs, t: encode(m, xs, t)[::-1],
    ):
        evidence = check(wrong, back, TABLE, **given)
        assert evidence.verdict == "refuted" and "does not come back" in evidence.sentence
    if whole:
        assert "at t = 800" in evidence.sentence


# -- bad input -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inverse", "sampler", "options", "match"),
    [
        (object(), euler, {}, "inverse must be a scheduler object with step, or a function"),
        (euler, object(), {}, "sampler must be a scheduler object with step, or a function"),
        (euler, euler, {"form": "other"}, "form must be one of"),
        (lambda m, x, s: x[:, :1], euler, {}, "return samples of shape"),
        (lambda m, x, s: 1 / 0, euler, {}, "it raised ZeroDivisionError"),
        (encode, lambda m, x, z, t: x[0], {"form": "noises"}, "return x of shape"),
    ],
)
def test_bad_input(inverse, sampler, options, match):
    options = (
        {"process": TABLE, "times": TIMES} | options if "noises" in options.values() else options
    )
    with pytest.raises((ArgumentError, CallableError), match=match):
        check(inverse, sampler, **options)


def test_one_network_for_both(table):
    with pytest.raises(ArgumentError, match="one network serves both"):
        check(Scheduler(True, kind="sample"), Scheduler())
    with pytest.raises(ArgumentError, match="a function, where the sampler is one"):
        check(Scheduler(True), euler)


# -- levels that are left out ----------------------------------------------------------------------


def part_of(method, late=0, early=0):
    def run(model, x, times):
        return method(model, x, times[late : len(times) - early])

    return run


@pytest.mark.parametrize("method", [euler, heun])
@pytest.mark.parametrize("times", [None, np.geomspace(15, 0.05, 20)])
@pytest.mark.parametrize(
    ("up", "down", "cause"),
    [
        ((0, 1), (0, 0), "inverse ends 1 step too early"),
        ((1, 0), (0, 0), "inverse starts 1 step too late"),
        ((0, 2), (0, 0), "inverse ends 2 steps too early"),
        ((0, 0), (1, 0), "sampler starts 1 step too late"),
        ((0, 0), (0, 1), "sampler ends 1 step too early"),
    ],
)
def test_a_level_left_out_is_seen_although_it_fades_with_more_steps(method, times, up, down, cause):
    evidence = check(part_of(method, *up), part_of(method, *down), times=times)
    assert evidence.verdict == "refuted" and cause in evidence.explain(), evidence.explain()


def velocity(model, x, times):
    for t, n in zip(times[:-1], times[1:], strict=True):
        x = x - (n - t) * 0.5 * (0.1 + 5.9 * t) * (x + model(x, t))
    return x


def test_a_level_left_out_by_a_method_that_keeps_no_law_exactly():
    given = {"process": VP, "prediction": "score", "times": GRID}
    assert check(velocity, velocity, **given)
    for k, (up, down, cause) in enumerate(
        [
            ((0, 1), (0, 0), "inverse ends 1 step too early"),
            ((1, 0), (0, 0), "inverse starts 1 step too late"),
            ((0, 0), (0, 1), "sampler ends 1 step too early"),
        ]
    ):
        evidence = check(part_of(velocity, *up), part_of(velocity, *down), **given)
        assert evidence.verdict == "refuted" and cause in evidence.explain(), (k, evidence)
