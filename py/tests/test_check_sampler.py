"""`check_sampler` on right and wrong samplers of every form: schedulers, whole samplers, steps."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import EDM, VPCosine, VPLinear

check = sp.check_sampler
VP = VPLinear(0.1, 6.0)
GRID = np.linspace(0.9, 0.05, 18)


def karras(n, low=0.002, high=80.0, rho=7):
    ramp = np.linspace(high ** (1 / rho), low ** (1 / rho), n) ** rho
    return [*ramp.tolist(), 0.0]


# -- whole samplers, as in k-diffusion and EDM -----------------------------------------------------


def euler(model, x, sigmas):
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        x = x + (n - s) * (x - model(x, s)) / s
    return x


def heun(model, x, sigmas, second=lambda s, n: n):
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        d = (x - model(x, s)) / s
        y = x + (n - s) * d
        if n > 0:
            level = second(s, n)
            y = x + (n - s) * (d + (y - model(y, level)) / level) / 2
        x = y
    return x


def ancestral(model, x, sigmas, rng, noise=1.0):
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        up = min(n, (n**2 * (s**2 - n**2) / s**2) ** 0.5)
        down = (n**2 - up**2) ** 0.5
        x = x + (down - s) * (x - model(x, s)) / s
        if n > 0:
            x = x + noise * up * rng.standard_normal(x.shape)
    return x


@pytest.mark.parametrize(
    ("sampler", "order"),
    [(euler, 1), (heun, 2), (ancestral, 1)],
    ids=lambda v: getattr(v, "__name__", None),
)
@pytest.mark.parametrize("times", [None, karras(18)])
def test_right_whole_samplers(sampler, order, times):
    evidence = check(sampler, times=times)
    assert evidence, evidence.explain()
    assert abs(evidence.order - order) < 0.3
    assert evidence.resolution <= 0.01 and evidence.coverage.asked["levels"] > 20
    assert "exact for data at one point" in evidence.sentence


def test_order_is_part_of_the_verdict_when_asked():
    assert check(heun, order=2)
    stale = check(lambda model, x, sigmas: heun(model, x, sigmas, lambda s, n: s), order=2)
    assert stale.verdict == "refuted" and "as a method of order 1" in stale.sentence
    posing = check(euler, order=2)
    assert posing.verdict == "refuted" and abs(posing.order - 1) < 0.1
    assert check(euler, order=1)


@pytest.mark.parametrize("noise", [0.0, 0.9, 0.99, 1.01, 1.1, 2.0])
def test_wrong_noise(noise):
    evidence = check(lambda model, x, sigmas, rng: ancestral(model, x, sigmas, rng, noise))
    assert evidence.verdict == "refuted"
    way = "large" if noise > 1 else "small"
    assert "standard deviation" in evidence.sentence and f"too {way}" in evidence.sentence


def test_a_mean_that_drifts():
    def drifting(model, x, sigmas):
        return euler(lambda y, s: model(y, s) + 0.02, x, sigmas)

    evidence = check(drifting)
    assert evidence.verdict == "refuted" and "mean" in evidence.sentence


def test_the_model_at_a_wrong_level():
    def early(model, x, sigmas):
        return euler(lambda y, s: model(y, 0.9 * s), x, sigmas)

    assert check(early).verdict == "refuted"


def test_one_coordinate_alone():
    def off(model, x, sigmas):
        factor = np.ones(x.shape[1:])
        factor[1, 2] = 1.02
        return euler(lambda y, s: y + factor * (model(y, s) - y), x, sigmas)

    evidence = check(off, shape=(2, 3))
    assert evidence.verdict == "refuted" and "in coordinate (1, 2)" in evidence.sentence


def test_a_model_that_is_told_the_level_before_the_churn():
    def churned(model, x, sigmas, rng):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            hat = s * (1 + 4 / (len(sigmas) - 1))
            x = x + (hat**2 - s**2) ** 0.5 * rng.standard_normal(x.shape)
            x = x + (n - hat) * (x - model(x, s)) / hat
        return x

    evidence = check(churned)  # it vanishes with many steps: at this many it is said
    assert (
        evidence and "not exact for data at one point: 20 % off with 20 steps" in evidence.sentence
    )
    assert check(churned, exact=True).verdict == "refuted"


@pytest.mark.parametrize(
    "times",
    [karras(5), [*np.linspace(80, 0.002, 50), 0.0]],
    ids=["five steps", "linear"],
)
@pytest.mark.parametrize("wrong", [False, True])
def test_grids_with_wide_gaps(times, wrong):
    def sample(model, x, sigmas, rng):
        return ancestral(model, x, sigmas, rng, 1.03 if wrong else 1.0)

    evidence = check(sample, times=times)
    assert evidence.verdict == ("refuted" if wrong else "holds"), evidence.explain()


def test_an_euler_step_now_and_then():
    def sample(model, x, sigmas):
        for k, (s, n) in enumerate(zip(sigmas[:-1], sigmas[1:], strict=True)):
            x = (euler if n == 0 or k % 7 == 3 else heun)(model, x, [s, n])
        return x

    assert check(sample).verdict != "refuted"


def test_noise_that_coordinates_share():
    def shared(model, x, sigmas, rng):
        class One:
            def standard_normal(self, shape):
                return np.repeat(rng.standard_normal((shape[0], 1)), shape[1], axis=1)

        return ancestral(model, x, sigmas, One())

    assert check(shared).verdict == "refuted"


def test_noise_of_one_draw_in_all_coordinates():
    def first(model, x, sigmas, rng):
        class One:
            def standard_normal(self, shape):
                return rng.standard_normal(shape)[:, :1] + np.zeros(shape)

        return ancestral(model, x, sigmas, One())

    assert check(first).verdict == "refuted"


def test_noise_in_a_rotated_basis_is_as_good():
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((4, 4)))[0]

    def rotated(model, x, sigmas, rng):
        class Turned:
            def standard_normal(self, shape):
                return rng.standard_normal(shape) @ turn

        return ancestral(model, x, sigmas, Turned())

    evidence = check(rotated)
    assert evidence, evidence.explain()


@pytest.mark.parametrize(
    "bend",
    [
        lambda z, x: np.abs(z),
        lambda z, x: np.clip(z, -1, 1),
        lambda z, x: 2 * z * np.abs(z),
        lambda z, x: z * (1 + 0.1 * x),
    ],
)
def test_noise_that_is_bent_has_no_law_to_read_off(bend):
    def sample(model, x, sigmas, rng):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            up = min(n, (n**2 * (s**2 - n**2) / s**2) ** 0.5)
            x = x + ((n**2 - up**2) ** 0.5 - s) * (x - model(x, s)) / s
            x = x + up * bend(rng.standard_normal(x.shape), x)
        return x

    evidence = check(sample)
    assert evidence.verdict == "undecided" and "function of the noise" in evidence.sentence


@pytest.mark.parametrize("factor", [0.5, -1.0, 3.0, 225.0])
def test_a_start_that_is_scaled_wrongly(factor):
    assert check(lambda model, x, sigmas: euler(model, factor * x, sigmas)).verdict != "holds"
    assert check(lambda model, x, sigmas: euler(model, sigmas[0] * x, sigmas))  # unit noise


@pytest.mark.parametrize("seed", range(4))
def test_one_draw_that_two_coordinates_share(seed):
    def sample(model, x, sigmas, rng):
        z = rng.standard_normal(x.shape)
        z[:, 1] = z[:, 0]
        hat = 1.2 * sigmas[0]
        x = x + (hat**2 - sigmas[0] ** 2) ** 0.5 * z
        x = x + (sigmas[1] - hat) * (x - model(x, hat)) / hat
        return euler(model, x, sigmas[1:])

    assert check(sample, seed=seed).verdict == "refuted"


def test_guidance_on_a_doubled_batch():
    def sample(model, x, sigmas):
        def both(y, s):
            out = model(np.concatenate([y, y]), s)
            return out[: len(y)] + 0.5 * (out[len(y) :] - out[: len(y)])

        return euler(both, x, sigmas)

    assert check(sample)


def in_parts(size):
    def sample(model, x, sigmas, rng):
        def parts(y, s):
            return np.concatenate([model(y[i : i + size], s) for i in range(0, len(y), size)])

        return ancestral(parts, x, sigmas, rng)

    return sample


@pytest.mark.parametrize("size", [1, 3])
def test_a_batch_in_parts(size):
    assert check(in_parts(size))


def test_a_sample_at_a_time():
    def one_by_one(model, x, sigmas, noise=None):
        rows = [x[i : i + 1] for i in range(len(x))]
        return np.concatenate([heun(model, r, sigmas) for r in rows])

    assert check(one_by_one, order=2)

    def drawing(model, x, sigmas, rng):
        return np.concatenate([ancestral(model, x[i : i + 1], sigmas, rng) for i in range(len(x))])

    evidence = check(drawing)
    assert evidence.verdict == "undecided" and "in parts of 1" in evidence.sentence


@pytest.mark.parametrize(("factor", "verdict"), [(1.0, "holds"), (1.2, "refuted"), (0, "refuted")])
def test_a_start_that_it_draws_itself(factor, verdict):
    def sample(model, x, sigmas, rng):
        x = factor * sigmas[0] * rng.standard_normal(x.shape)
        return ancestral(model, x, sigmas, rng)

    evidence = check(sample)
    assert evidence.verdict == verdict, evidence.explain()
    if verdict == "holds":
        assert "draws the x that it starts from" in evidence.explain()


class Drawn:
    """Noise made of what a generator gives."""

    def __init__(self, made):
        self.made = made

    def standard_normal(self, shape):
        return self.made(shape)


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda rng, s: rng.standard_normal(s) / rng.standard_normal(s).std(), "of its batch"),
        (lambda rng, s: np.roll(rng.standard_normal(s), 1, 0), "of its batch"),
        (lambda rng, s: np.random.default_rng().standard_normal(s), "a generator of its own"),
        (lambda rng, s: np.random.default_rng(3).standard_normal(s), "a generator of its own"),
        (lambda rng, s: np.concatenate(2 * [rng.standard_normal((s[0], s[1]))])[::2], "own"),
        (
            lambda rng, s: np.concatenate(2 * [rng.standard_normal((-(-s[0] // 2), s[1]))])[: s[0]],
            "share their noise",
        ),
        (
            lambda rng, s: (z := rng.standard_normal(s)) / z.std(axis=1, keepdims=True),
            "divides by the size of the noise",
        ),
    ],
)
def test_samples_that_do_not_answer_each_for_itself(made, said):
    def sample(model, x, sigmas, rng):
        return ancestral(model, x, sigmas, Drawn(lambda shape: made(rng, shape)))

    evidence = check(sample)
    assert evidence.verdict == "undecided" and said in evidence.sentence, evidence.explain()


@pytest.mark.parametrize("wrong", [1.0, 2.0])
def test_a_langevin_step_from_norms_over_the_batch(wrong):
    def sample(model, x, times, rng):  # Song et al. 2021: right, but no sample has its own step
        for t, n in zip(times[:-1], times[1:], strict=True):
            x = maruyama(VP)(x, t, n, rng.standard_normal(x.shape), model)
            grad, z = model(x, n), rng.standard_normal(x.shape)
            norms = [np.linalg.norm(v, axis=1).mean() for v in (z, grad)]
            size = wrong * 2 * (0.16 * norms[0] / norms[1]) ** 2
            x = x + size * grad + (2 * size) ** 0.5 * z
        return x

    evidence = check(sample, VP, times=GRID, prediction="score")
    assert evidence.verdict == "undecided" and "Langevin corrector" in evidence.sentence


def test_an_adaptive_solver():
    integrate = pytest.importorskip("scipy.integrate")

    def sample(model, x, sigmas):
        def slope(t, y):
            y = y.reshape(x.shape)
            return ((y - model(y, t)) / t).ravel()

        out = integrate.solve_ivp(slope, (sigmas[0], sigmas[-2]), x.ravel(), rtol=1e-5)
        return out.y[:, -1].reshape(x.shape)

    evidence = check(sample)
    assert evidence.verdict == "undecided" and "adaptive" in evidence.sentence


def test_more_and_fewer_draws_than_steps_are_counted():
    def twice(model, x, sigmas, rng):
        class Mean:
            def standard_normal(self, shape):
                return (rng.standard_normal(shape) + rng.standard_normal(shape)) / 2**0.5

        return ancestral(model, x, sigmas, Mean())

    evidence = check(twice)
    assert evidence and "38 draws of noise in 20 steps" in evidence.explain()
    assert "no noise drawn, 39 calls of the model" in check(heun).explain()


def test_single_precision_is_enough():
    evidence = check(euler, dtype="float32")
    assert evidence, evidence.explain()


def test_a_key_of_jax():
    jax = pytest.importorskip("jax")

    def sample(model, x, sigmas, key, same=False):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            up = jax.numpy.minimum(n, (n**2 * (s**2 - n**2) / s**2) ** 0.5)
            x = x + ((n**2 - up**2) ** 0.5 - s) * (x - model(x, s)) / s
            key, drawn = (key, key) if same else jax.random.split(key)
            x = x + up * jax.random.normal(drawn, x.shape)
        return x

    few = {"framework": "jax", "times": karras(8, 0.1, 10.0), "shape": 1}
    assert check(sample, **few).verdict != "refuted"
    again = check(sample, options={"same": True}, **few)
    assert again.verdict == "refuted"


# -- EDM in torch ----------------------------------------------------------------------------------


def edm(net, latents, steps, s_churn=0.0, s_noise=1.0, last=True):
    """Karras et al. 2022, algorithm 2, with a network's attributes as their code reads them."""
    torch = pytest.importorskip("torch")
    i = torch.arange(steps, dtype=torch.float64)
    high, low = min(80.0, net.sigma_max), max(0.002, net.sigma_min)
    t = (high ** (1 / 7) + i / (steps - 1) * (low ** (1 / 7) - high ** (1 / 7))) ** 7
    t = torch.cat([net.round_sigma(t), torch.zeros(1)])
    x = latents.to(torch.float64) * t[0]
    for k, (now, after) in enumerate(zip(t[:-1], t[1:], strict=True)):
        gamma = min(s_churn / steps, 2**0.5 - 1)
        hat = now + gamma * now
        y = x + (hat**2 - now**2).sqrt() * s_noise * torch.randn_like(x)
        d = (y - net(y, hat.reshape(-1, 1, 1, 1).expand(len(y), 1, 1, 1))) / hat
        x = y + (after - hat) * d
        if k < steps - 1 and last:
            x = y + (after - hat) * (d + (x - net(x, after.to(torch.float32), None)) / after) / 2
    return x


@pytest.mark.parametrize("churn", [0.0, 20.0])
def test_edm_with_latents_that_it_scales_itself(churn):
    evidence = check(
        lambda net, x, sigmas: edm(net, x.float(), len(sigmas) - 1, churn),
        times=karras(18),
        shape=(3, 2, 2),
        framework="torch",
        order=2,
    )
    assert evidence, evidence.explain()
    assert "18 draws of noise in 18 steps" in evidence.explain()


@pytest.mark.parametrize(("s_noise", "verdict"), [(1.02, "refuted"), (0.95, "refuted")])
def test_edm_with_too_much_noise(s_noise, verdict):
    evidence = check(
        lambda net, x, sigmas: edm(net, x, len(sigmas) - 1, 40.0, s_noise),
        times=karras(18),
        shape=(3, 2, 2),
        framework="torch",
    )
    assert evidence.verdict == verdict


# -- steps -----------------------------------------------------------------------------------------


def maruyama(process, noise=lambda g2, h: (g2 * h) ** 0.5):
    def step(x, t, t_next, z, model):
        h, g2 = t - t_next, process.diffusion(t) ** 2
        return x - h * (process.drift(x, t) - g2 * model(x, t)) + noise(g2, h) * z

    return step


@pytest.mark.parametrize("process", [VP, VPCosine(), EDM(2.0)], ids=lambda p: type(p).__name__)
def test_right_steps(process):
    times = np.linspace(0.9, 0.1, 24) * process.horizon
    evidence = check(maruyama(process), process, times=times)
    assert evidence, evidence.explain()
    assert abs(evidence.order - 1) < 0.2


def test_a_step_on_the_default_times():
    process = VPLinear(0.1, 20.0)
    evidence = check(maruyama(process), process)
    assert evidence, evidence.explain()


@pytest.mark.parametrize("times", [range(975, -1, -25), np.linspace(999, 0, 31).round()])
@pytest.mark.parametrize("noise", [1.0, 1.05])
def test_a_table_whose_gaps_do_not_halve(times, noise):
    table = DiscreteVP(np.linspace(1e-4, 0.02, 1000))

    def step(x, t, n, z, model):
        a, b = table.alpha(t) ** 2, table.alpha(n) ** 2
        eps, var = model(x, t), (1 - b) / (1 - a) * (1 - a / b)
        x0 = (x - (1 - a) ** 0.5 * eps) / a**0.5
        return b**0.5 * x0 + (1 - b - var) ** 0.5 * eps + noise * var**0.5 * z

    evidence = check(step, table, times=list(times), prediction="eps")
    assert evidence.verdict == ("refuted" if noise > 1 else "holds"), evidence.explain()


def test_an_ode_step_without_noise():
    def step(x, t, t_next, model):
        h, g2 = t - t_next, VP.diffusion(t) ** 2
        return x - h * (VP.drift(x, t) - 0.5 * g2 * model(x, t))

    evidence = check(step, VP, times=GRID)
    assert evidence and "no noise drawn" in evidence.explain()


@pytest.mark.parametrize(
    "noise",
    [
        lambda g2, h: g2**0.5,  # √h missing
        lambda g2, h: (2 * g2 * h) ** 0.5,
        lambda g2, h: g2 * h**0.5,
        lambda g2, h: g2**0.5 * h,
        lambda g2, h: 0.0,
    ],
)
def test_wrong_noise_of_a_step(noise):
    assert check(maruyama(VP, noise), VP, times=GRID).verdict == "refuted"


def test_a_step_that_does_not_tend_to_the_identity():
    evidence = check(maruyama(VP, lambda g2, h: g2**0.5), VP, times=GRID)
    assert "the error grows with the number of steps" in evidence.sentence
    assert "it has √g²·z where √g²·√dt·z is due" in evidence.explain()

    def jumps(x, t, t_next, z, model):
        return maruyama(VP)(x, t, t_next, z, model) + 0.01

    evidence = check(jumps, VP, times=GRID)
    assert evidence.verdict == "refuted" and "grows with the number of steps" in evidence.sentence


@pytest.mark.parametrize(("factor", "verdict"), [(2**0.5, "holds"), (1.0, "refuted")])
def test_a_corrector_with_a_second_noise(factor, verdict):
    def sample(model, x, times, rng):
        step = maruyama(VP)
        for t, n in zip(times[:-1], times[1:], strict=True):
            x = step(x, t, n, rng.standard_normal(x.shape), model)
            eps = 0.4 * VP.sigma(n) ** 2 * (t - n)
            x = x + eps * model(x, n) + factor * eps**0.5 * rng.standard_normal(x.shape)
        return x

    evidence = check(sample, VP, times=GRID, prediction="score")
    assert evidence.verdict == verdict, evidence.explain()


# -- schedulers ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def table():
    return pytest.importorskip("torch")


class Scheduler:
    """DDIM's step with η on a table of β, in torch and single precision, as libraries have it."""

    def __init__(self, eta=0.0, kind="epsilon", clip=False, **wrong):
        import torch

        self.alphas_cumprod = torch.cumprod(1 - torch.linspace(1e-4, 0.02, 1000), 0)
        self.config = {"prediction_type": kind, "num_train_timesteps": 1000}
        self.eta, self.clip, self.wrong = eta, clip, wrong

    def set_timesteps(self, n):
        import torch

        self.stride = 1000 // n
        self.timesteps = torch.arange(0, n).flip(0) * self.stride

    def add_noise(self, x, noise, t):
        bar = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
        return bar.sqrt() * x + (1 - bar).sqrt() * noise

    def step(self, out, t, x, generator=None, return_dict=True):
        import torch

        after = t - self.stride + self.wrong.get("shift", 0)
        bar = self.alphas_cumprod[t]
        next_ = self.alphas_cumprod[after] if after >= 0 else torch.tensor(1.0)
        a, s = bar.sqrt(), (1 - bar).sqrt()
        kind = self.config["prediction_type"]
        x0 = {"epsilon": (x - s * out) / a, "sample": out, "v_prediction": a * x - s * out}[kind]
        if self.clip:
            x0 = x0.clamp(-1, 1)
        eps = (x - a * x0) / s
        beta = 1 - bar / next_
        var = (1 - next_) / (1 - bar) * beta
        var = self.eta**2 * var
        spread = (1 - next_ - var).clamp(min=0).sqrt()
        x = next_.sqrt() * x0 + spread * eps * self.wrong.get("direction", 1.0)
        if (self.eta and after >= 0) or self.wrong.get("last"):
            std = var.sqrt() if after >= 0 else 0.01
            noise = torch.randn(x.shape, generator=generator, dtype=x.dtype)
            x = x + std * self.wrong.get("noise", 1.0) * noise
        x = x.to(torch.float32)
        return {"prev_sample": x} if return_dict else (x,)


@pytest.mark.parametrize("eta", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("kind", ["epsilon", "sample", "v_prediction"])
def test_right_schedulers_of_every_prediction(table, eta, kind):
    evidence = check(Scheduler(eta, kind), exact=True, steps=25)
    assert evidence, evidence.explain()
    assert abs(evidence.order - 1) < 0.15


@pytest.mark.parametrize("shape", [1, (3, 4, 4)])
def test_any_shape(table, shape):
    assert check(Scheduler(1.0), shape=shape, steps=25)


@pytest.mark.parametrize(
    "wrong",
    [
        {"noise": 1.05},
        {"noise": 0.0},
        {"direction": 0.98},
        {"shift": 1},
        {"last": True},
    ],
)
def test_wrong_schedulers(table, wrong):
    evidence = check(Scheduler(1.0, **wrong), exact=True, steps=25)
    assert evidence.verdict == "refuted", evidence.explain()


class Wrong(Scheduler):
    """With one prediction type x_0 is formed wrongly, from one timestep on."""

    wrong_kind, begin = "v_prediction", 600

    def step(self, out, t, x, generator=None, return_dict=True):
        if self.config["prediction_type"] == self.wrong_kind and t <= self.begin:
            out = 1.01 * out
        return super().step(out, t, x, generator, return_dict)


def test_prediction_types_agree(table):
    kinds = ("eps", "v", "x0")
    evidence = check(Scheduler(1.0), prediction=kinds, steps=25)
    assert evidence and "x is the same after every step with eps, v and x0" in evidence.sentence
    assert evidence.coverage.asked["prediction types"] == 3
    evidence = check(Wrong(1.0), prediction=kinds, steps=25)
    assert evidence.verdict == "refuted", evidence.explain()
    assert "with prediction v x differs from what it is with eps and x0" in evidence.sentence
    assert "first after step 1" in evidence.sentence and "α x - σ v" in evidence.sentence
    assert check(Wrong(0.0), prediction=("v", "x0"), steps=25).verdict == "refuted"


def test_a_mapping_of_prediction_types_to_functions():
    def by_eps(model, x, sigmas):
        return euler(lambda y, s: y - s * model(y, s), x, sigmas)

    assert check({"x0": euler, "eps": by_eps})
    evidence = check({"x0": euler, "eps": lambda model, x, s: by_eps(model, 0.999 * x, s)})
    assert evidence.verdict == "refuted" and "with prediction eps" in evidence.sentence


def test_the_last_step_adds_noise(table):
    evidence = check(Scheduler(0.0, last=True))
    assert evidence.verdict == "refuted" and "where the chain ends" in evidence.sentence
    assert "adds noise of standard deviation 0.01: add none in the last step" in evidence.explain()


class Larger:
    """DDPM's step with β for β̃, in NumPy, which costs a tenth of torch's."""

    alphas_cumprod = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
    config = {"prediction_type": "epsilon", "num_train_timesteps": 1000}

    def set_timesteps(self, n):
        self.stride = 1000 // n
        self.timesteps = np.arange(n)[::-1] * self.stride

    def add_noise(self, x, noise, t):
        bar = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
        return bar**0.5 * x + (1 - bar) ** 0.5 * noise

    def step(self, out, t, x, rng):
        bar, after = self.alphas_cumprod[t], t - self.stride
        then = self.alphas_cumprod[after] if after >= 0 else 1.0
        beta, x0 = 1 - bar / then, (x - (1 - bar) ** 0.5 * out) / bar**0.5
        mean = then**0.5 * beta / (1 - bar) * x0
        mean = mean + (1 - beta) ** 0.5 * (1 - then) / (1 - bar) * x
        noise = beta**0.5 * rng.standard_normal(x.shape) if after >= 0 else 0 * x
        return (mean + noise,)


def test_the_larger_variance_is_right_in_the_limit_and_not_at_a_number_of_steps():
    """β for β̃: both are right for ever more steps, on data at one point only one of them is."""
    for exact in (False, True):
        evidence = check(Larger(), exact=exact, steps=8, shape=1)
        assert (evidence.verdict == "refuted") == exact, evidence.explain()


def test_clipping_is_said_and_does_no_harm_inside(table):
    evidence = check(Scheduler(0.0, clip=True))
    assert evidence and "clips" in evidence.explain() and "within ±1 " in evidence.explain()


@pytest.mark.parametrize("at", [0.5, 0.8])
@pytest.mark.parametrize("last", [False, True])
def test_what_a_close_clip_does_to_the_law_is_not_decided(at, last):
    """The standard deviation of data clipped at ±0.5 is 0.355 where 0.5 is due."""

    def clipped(model, x, sigmas):
        if last:
            return np.clip(euler(model, x, sigmas), -at, at)
        return euler(lambda y, s: np.clip(model(y, s), -at, at), x, sigmas)

    evidence = check(clipped)
    assert (
        evidence.verdict == "undecided" and f"clipped or thresholded at ±{at}" in evidence.sentence
    )
    assert f"Data beyond ±{at} are cut off" in evidence.explain()


def test_a_clip_inside_what_is_judged_is_refuted():
    def clipped(model, x, sigmas):
        return np.clip(euler(model, x, sigmas), -0.3, 0.3)

    evidence = check(clipped)
    assert evidence.verdict == "refuted" and "The clip at ±0.3 lies inside" in evidence.explain()


def test_a_thousand_steps(table):
    evidence = check(Scheduler(1.0), steps=1000, shape=1)
    assert evidence and "999 draws of noise in 1000 steps" in evidence.explain()


def test_a_scheduler_has_no_velocity(table):
    with pytest.raises(ArgumentError, match="timesteps have no dα/dt.*say 'flow'"):
        check(Scheduler(0.0), prediction="velocity")


def test_the_object_is_left_as_it_was(table):
    scheduler = Scheduler(1.0)
    assert check(scheduler, steps=25) and not hasattr(scheduler, "timesteps")


# -- bad input -------------------------------------------------------------------------------------


def in_place(model, x, sigmas):
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        x += (n - s) * (x - model(x, s)) / s
    return x


def global_noise(model, x, sigmas):
    class Global:
        def standard_normal(self, shape):
            return np.random.standard_normal(shape)

    return ancestral(model, x, sigmas, Global())


@pytest.mark.parametrize(
    ("sampler", "options", "match"),
    [
        (object(), {}, "sampler must be a scheduler object"),
        (euler, {"form": "other"}, "form must be one of"),
        (euler, {"prediction": "noise"}, "prediction must be one of"),
        (euler, {"prediction": ("eps", "v")}, "pass a mapping of prediction types"),
        ({"eps": euler, "noise": euler}, {}, "sampler must be a sampler, or a mapping"),
        (euler, {"shape": ()}, "shape must be the shape of one sample"),
        (euler, {"times": (1.0, 2.0, 3.0)}, "times must be three or more falling"),
        (euler, {"times": (3.0, 3.0, 2.0, 0.0)}, "times must be three or more falling"),
        (euler, {"form": "step"}, "process must be given for a step"),
        (maruyama(VP), {"process": object()}, "process must be an object with alpha"),
        (in_place, {}, "leave the x it is given unchanged"),
        (lambda model, x, s: x[:, :1], {}, "return samples of shape"),
        (lambda model, x, s: {"x": x}, {}, "return samples, one array"),
        (lambda model, x, s: 1 / 0, {}, "it raised ZeroDivisionError"),
        (lambda model, x, s: model(x[:, :2], s[0]), {}, "ask its model at x of shape"),
        (lambda model, x, s: model(x, s), {}, "ask its model for one time"),
        (lambda model, x, s: model(x, s[0]), {}, "go through 3 levels or more"),
    ],
)
def test_bad_input(sampler, options, match):
    with pytest.raises((ArgumentError, CallableError), match=match):
        check(sampler, **options)


def test_noise_that_cannot_be_replaced_is_undecided():
    evidence = check(global_noise)
    assert evidence.verdict == "undecided" and "global generator" in evidence.sentence


def test_noise_that_a_batch_shares(table):
    def shared(model, x, sigmas):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            x = x + (n - s) * (x - model(x, s)) / s
            x = x + 0.0 * table.randn(1, *x.shape[1:])
        return x

    evidence = check(shared, framework="torch")
    assert evidence.verdict == "refuted" and "get the same noise" in evidence.sentence


def test_a_generator_that_is_ignored(table):
    class Ignores(Scheduler):
        def step(self, out, t, x, generator=None, return_dict=True):
            return super().step(out, t, x, None, return_dict)

    with pytest.raises(CallableError, match="draw from the generator that it is given"):
        check(Ignores(1.0))


def test_a_scheduler_without_timesteps(table):
    class Bare:
        def step(self, out, t, x):
            return x

    with pytest.raises(ArgumentError, match="an object with set_timesteps"):
        check(Bare())


# --- what the audits found


def _rk(weights, nodes, matrix):
    """An explicit Runge-Kutta method whose grid need not end at 0."""

    def sample(model, x, times):
        for s, n in zip(times[:-1], times[1:], strict=True):
            h, ks = n - s, []
            for c, row in zip(nodes, matrix, strict=True):
                y = x + h * sum((a * k for a, k in zip(row, ks, strict=True)), 0 * x)
                ks.append(model(y, s + c * h))
            x = x + h * sum(w * k for w, k in zip(weights, ks, strict=True))
        return x

    return sample


@pytest.mark.parametrize(
    ("order", "method"),
    [
        (2, _rk([0.5, 0.5], [0, 1], [[], [1]])),
        (2, _rk([0, 1], [0, 0.5], [[], [0.5]])),
        (3, _rk([1 / 6, 2 / 3, 1 / 6], [0, 0.5, 1], [[], [0.5], [-1, 2]])),
        (4, _rk([1 / 6, 1 / 3, 1 / 3, 1 / 6], [0, 0.5, 0.5, 1], [[], [0.5], [0, 0.5], [0, 0, 1]])),
        (
            4,
            _rk(
                [1 / 8, 3 / 8, 3 / 8, 1 / 8],
                [0, 1 / 3, 2 / 3, 1],
                [[], [1 / 3], [-1 / 3, 1], [1, -1, 1]],
            ),
        ),
    ],
    ids=["heun", "midpoint", "kutta 3", "rk4", "3/8"],
)
def test_methods_of_every_order_whose_grid_ends_above_the_data(order, method):
    from scoreproof.objects.schedules import FlowMatching

    times = [1 - k / 20 for k in range(20)]
    for asked in (order, order + 2):  # on a straight path some are better by one
        evidence = sp.check_sampler(
            method, FlowMatching(), times=times, prediction="flow", order=asked
        )
        assert evidence.verdict == ("holds" if asked == order else "refuted"), evidence.explain()


def test_x_that_is_not_finite_is_said():
    def sample(model, x, times):
        for s, n in zip(times[:-1], times[1:], strict=True):
            x = x + (n - s) * (x - model(x, s)) / s
            x = x * np.where(abs(s - n) < 0.05, np.nan, 1.0)
        return x

    evidence = sp.check_sampler(sample)
    assert "nan or inf" in evidence.explain()


class _VarianceExploding:
    """Euler's method on the σ of a DDPM table, with input of unit length, as public code has it."""

    def __init__(self, scaled=True, start=None):
        bar = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
        self.table, self.scaled, self.start = np.sqrt((1 - bar) / bar), scaled, start

    @property
    def init_noise_sigma(self):
        return self.start or float(np.hypot(1, self.sigmas[0]))

    def set_timesteps(self, n):
        self.timesteps = np.linspace(999, 0, n)
        at = np.interp(self.timesteps, np.arange(1000), self.table)
        self.sigmas, self.k = np.append(at, 0.0), 0

    def scale_model_input(self, x, t):
        return x / np.hypot(1, self.sigmas[self.k]) if self.scaled else x

    def add_noise(self, x, noise, t):
        level = np.interp(t, np.arange(1000), self.table)
        return x + np.reshape(level, (-1,) + (1,) * (x.ndim - 1)) * noise

    def step(self, eps, t, x):
        k, self.k = self.k, self.k + 1
        return (x + (self.sigmas[k + 1] - self.sigmas[k]) * eps,)


def test_scalings_beside_the_steps_are_said():
    assert "decides nothing here" not in sp.check_sampler(_VarianceExploding()).explain()
    text = sp.check_sampler(_VarianceExploding(scaled=False)).explain()
    assert "scale_model_input decides nothing here" in text and "wants 0.00635" in text


def test_a_sampler_that_does_not_use_its_times_is_told_so():
    def own_grid(model, x, sigmas):
        for k in range(1, len(OWN)):
            x = x + (OWN[k] - OWN[k - 1]) * (x - model(x, OWN[k - 1])) / OWN[k - 1]
        return x

    with pytest.raises(CallableError, match="as many steps as the times"):
        sp.check_sampler(own_grid)


OWN = [*np.geomspace(15.0, 0.05, 30).tolist(), 0.0]
