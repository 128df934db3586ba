"""`check_variational_bound` on right and wrong bounds: NumPy, PyTorch and JAX, each kind."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from scipy.special import ndtr

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.objects.discrete import DiscreteVP

check = sp.check_variational_bound
BETAS = np.linspace(1e-3, 0.2, 40)
IMAGE = (3, 2, 2)


class Diffusion:
    """The terms of a table in NumPy, in nats and summed, for any prediction and variance."""

    def __init__(self, betas=BETAS, prediction="eps", variance="fixed_small", decoder="bins"):
        self.betas = b = np.asarray(betas, dtype=float)
        self.prediction, self.variance, self.decoder = prediction, variance, decoder
        self.bar = np.cumprod(1 - b)
        before = np.append(1.0, self.bar[:-1])
        v = b * (1 - before) / (1 - self.bar)
        self.low, self.high = np.log(np.append(v[1], v[1:])), np.log(b)
        self.c0 = b * np.sqrt(before) / (1 - self.bar)
        self.ct = (1 - before) * np.sqrt(1 - b) / (1 - self.bar)

    @staticmethod
    def of(table, t, x):
        return np.asarray(table)[t].reshape((-1,) + (1,) * (x.ndim - 1))

    def noised(self, x0, t, noise):
        bar = self.of(self.bar, t, x0)
        return np.sqrt(bar) * x0 + np.sqrt(1 - bar) * noise

    def mean_and_log(self, out, x, t):
        low, high = self.of(self.low, t, x), self.of(self.high, t, x)
        logvar = low + 0 * x
        if self.variance.startswith("learned"):
            out, second = np.split(out, 2, axis=1)
            part = (second + 1) / 2
            logvar = second if self.variance == "learned" else part * high + (1 - part) * low
        if self.variance == "fixed_large":
            logvar = np.where(self.of(np.arange(len(self.betas)), t, x) == 0, low, high) + 0 * x
        bar = self.of(self.bar, t, x)
        a, s = np.sqrt(bar), np.sqrt(1 - bar)
        if self.prediction == "mean":
            return out, logvar
        x0 = {
            "eps": (x - s * out) / a,
            "x0": out,
            "v": a * x - s * out,
            "score": (x + s**2 * out) / a,
        }[self.prediction]
        return self.posterior_mean(x0, x, t), logvar

    def posterior_mean(self, x0, x, t):
        return self.of(self.c0, t, x) * x0 + self.of(self.ct, t, x) * x

    def term(self, model, x0, x_t, t):
        mean, logvar = self.mean_and_log(model(x_t, t), x_t, t)
        d = logvar - self.of(self.low, t, x0)
        gap = self.posterior_mean(x0, x_t, t) - mean
        kl = 0.5 * (d + np.exp(-d) - 1 + gap**2 * np.exp(-logvar))
        std = np.exp(logvar / 2)
        if self.decoder == "gaussian":
            nll = 0.5 * ((x0 - mean) / std) ** 2 + np.log(std) + 0.5 * np.log(2 * np.pi)
        else:
            high = np.where(x0 > 0.999, 1.0, ndtr((x0 + 1 / 255 - mean) / std))
            low = np.where(x0 < -0.999, 0.0, ndtr((x0 - 1 / 255 - mean) / std))
            nll = -np.log(np.maximum(high - low, 1e-12))
        first = self.of(np.arange(len(self.betas)) == 0, t, x0)
        return np.where(first, nll, kl).reshape(len(x0), -1).sum(axis=1)

    def prior(self, x0):
        bar = self.bar[-1]
        kl = 0.5 * (bar * x0**2 - bar - np.log1p(-bar))
        return kl.reshape(len(x0), -1).sum(axis=1)

    def whole(self, model, x0, rng):
        total = self.prior(x0)
        for k in range(len(self.betas)):
            t = np.full(len(x0), k)
            x_t = self.noised(x0, t, rng.standard_normal(x0.shape))
            total = total + self.term(model, x0, x_t, t)
        return total


@pytest.mark.parametrize("variance", ["fixed_small", "fixed_large", "learned", "learned_range"])
@pytest.mark.parametrize("prediction", ["eps", "x0", "v", "score", "mean"])
def test_every_prediction_and_variance(prediction, variance):
    d = Diffusion(prediction=prediction, variance=variance)
    evidence = check(d.term, BETAS, prediction=prediction, variance=variance, shape=IMAGE)
    assert evidence, evidence.explain()
    assert evidence.resolution < 1e-8 and evidence.cost["calls"] <= 14
    assert "t = " not in evidence.sentence and "L_0 and L_{t-1} in nats" in evidence.sentence


@pytest.mark.parametrize("steps", [3, 17, 1000])
def test_tables_of_any_length_and_the_gaussian_decoder(steps):
    betas = np.linspace(0.02 / steps, min(0.9, 20 / steps), steps)
    d = Diffusion(betas, decoder="gaussian")
    assert check(d.term, betas, decoder="gaussian")
    wrong = check(d.term, betas)
    assert wrong.diagnosis.names == ("gaussian_decoder",)
    other = check(Diffusion(betas).term, betas, decoder="gaussian")
    assert other.diagnosis.names == ("discretized_decoder",)


@pytest.mark.parametrize(
    "process",
    [
        BETAS.tolist(),
        {"betas": BETAS},
        {"alphas_cumprod": np.cumprod(1 - BETAS)},
        DiscreteVP(BETAS),
        Diffusion(),
    ],
    ids=["list", "betas", "alphas_cumprod", "DiscreteVP", "object"],
)
def test_a_table_in_every_form(process):
    assert check(Diffusion().term, process)


def test_a_methods_own_object_has_the_table():
    assert check(Diffusion(np.linspace(1e-3, 0.1, 25)).term)


def test_a_time_as_one_number():
    d = Diffusion()

    def term(model, x0, x_t, t):
        c0, ct = d.c0[t], d.ct[t]  # of a number t alone
        x = (x_t - np.sqrt(1 - d.bar[t]) * model(x_t, t)) / np.sqrt(d.bar[t])
        gap = c0 * x0 + ct * x_t - (c0 * x + ct * x_t)
        return np.sum(gap**2, axis=1) / (2 * np.exp(d.low[t]))

    assert check(term, BETAS, term="L_t")
    alone = check(lambda model, x0, x_t, t: term(model, x0, x_t, int(t)), BETAS, term="L_{t-1}")
    assert alone and alone.cost["calls"] <= 14
    assert (
        check(
            lambda model, x0, x_t, t: 1.001 * term(model, x0, x_t, int(t)), BETAS, term="L_t"
        ).verdict
        == "refuted"
    )


def test_every_layout_of_the_answer():
    d = Diffusion()

    def nats(model, x0, x_t, t):
        return d.term(model, x0, x_t, t)

    def entries(model, x0, x_t, t):
        mean, logvar = d.mean_and_log(model(x_t, t), x_t, t)
        return 0.5 * (d.posterior_mean(x0, x_t, t) - mean) ** 2 * np.exp(-logvar)

    bits = 1 / (5 * np.log(2))
    assert check(lambda model, x0, x_t, t: nats(model, x0, x_t, t).mean(), BETAS)
    assert check(lambda model, x0, x_t, t: nats(model, x0, x_t, t).sum(), BETAS)
    assert check(lambda model, x0, x_t, t: nats(model, x0, x_t, t) / 5, BETAS)
    assert check(lambda model, x0, x_t, t: {"vb": nats(model, x0, x_t, t)}, BETAS)
    assert check(lambda model, x0, x_t, t: (nats(model, x0, x_t, t), x0), BETAS)
    assert check(lambda model, x0, x_t, t: bits * nats(model, x0, x_t, t), BETAS,
                 units="bits_per_dim")  # fmt: skip
    assert check(entries, BETAS, term="L_t")

    def elbo(model, x0, x_t, t):
        return -nats(model, x0, x_t, t)

    assert check(elbo, BETAS)
    assert check(lambda model, x0, x_t, t: elbo(model, x0, x_t, t), BETAS).verdict == "refuted"
    declared = check(nats, BETAS, dims="mean")
    assert declared.diagnosis.names == ("sum_for_mean",)


def test_what_the_model_answered_goes_in_as_well():
    d = Diffusion()

    def loss(model_output, x_start, x_t, t):
        return d.term(lambda x, u: model_output, x_start, x_t, t)

    def named(a, b, c, e):
        return loss(a, b, c, e)

    assert check(loss, BETAS)
    assert check(named, BETAS, given=("out", "x0", "xt", "t"))


def test_one_entry_of_the_table_that_is_off_is_seen():
    d = Diffusion(np.linspace(1e-4, 0.02, 1000))
    d.c0[617] *= 1.001
    evidence = check(d.term, np.linspace(1e-4, 0.02, 1000))
    assert evidence.verdict == "refuted" and "row 617" in evidence.sentence


def test_where_the_model_is_asked_and_what_it_is_told():
    d = Diffusion()

    def at(scale=1.0, by=0, power=0.5, std=0.5):
        def loss(model, x0, t, noise):
            bar = d.bar[t][:, None]
            x_t = bar**power * x0 + (1 - bar) ** std * noise
            return d.term(lambda x, u: model(x, scale * u + by), x0, x_t, t)

        return check(loss, BETAS)

    assert at() and at(scale=25.0)
    assert at(by=1).diagnosis.names == at(by=-1).diagnosis.names == ("told_another_time",)
    assert "told T - 1 - t" in at(scale=-1, by=39).sentence
    assert at(power=1.0).diagnosis.names == ("bar_for_its_root",)
    assert at(std=1.0).diagnosis.names == ("variance_for_std",)
    assert "where x_t = " in at(power=0.25).sentence


def test_clipping_and_the_variance_at_zero_are_noted():
    d = Diffusion()

    class Clipped(Diffusion):
        def posterior_mean(self, x0, x, t):
            return super().posterior_mean(np.clip(x0, -1, 1), x, t)

    evidence = check(Clipped().term, BETAS)
    assert evidence and "clipped to [-1, 1]" in evidence.notes[0]
    d.low = np.append(np.log(BETAS[0]), d.low[1:])
    first = check(d.term, BETAS, term="L_0")
    assert first and "the variance is β_0" in first.notes[0]


def test_variances_of_ones_own():
    d = Diffusion()
    own = 1.3 * np.exp(d.low)
    posterior = d.low.copy()

    class Own(Diffusion):
        def mean_and_log(self, out, x, t):
            mean, logvar = super().mean_and_log(out, x, t)
            return mean, logvar + np.log(1.3)

    assert np.array_equal(posterior, d.low)
    assert check(Own().term, BETAS, variance=own)
    assert check(Own().term, BETAS).verdict == "refuted"


def test_the_whole_sum_and_its_parts():
    d = Diffusion()
    assert check(d.whole, BETAS)
    lacking = check(lambda model, x0, rng: d.whole(model, x0, rng) - d.prior(x0), BETAS)
    assert lacking.diagnosis.names == ("prior_missing",)

    def parts(model, x0, rng):
        vb = []
        for k in range(40)[::-1]:
            t = np.full(len(x0), k)
            vb.append(d.term(model, x0, d.noised(x0, t, rng.standard_normal(x0.shape)), t))
        vb = np.stack(vb, axis=1)
        return {"total": vb.sum(1) + d.prior(x0), "vb": vb, "prior": d.prior(x0)}

    evidence = check(parts, BETAS)
    assert evidence and evidence.coverage.asked["terms"] == 42 and not evidence.coverage.gaps
    for change, name in (
        (lambda p: p | {"total": p["total"] + p["prior"]}, "prior_twice"),
        (lambda p: p | {"total": p["vb"].sum(1) + p["prior"] / 40}, "prior_over_steps"),
        (lambda p: p["prior"], "steps_missing"),
        (lambda p: p["vb"].mean(1) + p["prior"], "mean_over_steps"),
        (lambda p: p["vb"].sum(1) + p["prior"] * np.log(2), "sum_in_other_units"),
    ):
        wrong = check(lambda model, x0, rng, c=change: c(parts(model, x0, rng)), BETAS)
        assert wrong.diagnosis.names == (name,), wrong.explain()


def test_a_sum_that_leaves_out_a_time_or_has_one_twice():
    d = Diffusion()

    def over(times):
        def bound(model, x0, rng):
            total = d.prior(x0)
            for k in times:
                t = np.full(len(x0), k)
                x_t = d.noised(x0, t, rng.standard_normal(x0.shape))
                total = total + d.term(model, x0, x_t, t)
            return total

        return check(bound, BETAS)

    assert over(range(40))
    assert "t = 0 is missing" in over(range(1, 40)).sentence
    assert "t = 0, 1, 2, … are missing" in over(range(7, 40)).sentence
    assert "t = 3 is 2 times" in over([*range(40), 3]).sentence


def test_an_l_t_too_small_to_be_seen_in_the_sum_is_left_out():
    betas = np.minimum(np.linspace(1e-3, 1.2, 60), 0.9)
    d = Diffusion(betas, variance="learned")
    evidence = check(d.whole, betas, variance="learned")
    assert evidence and "but for L_T" in evidence.sentence
    assert "pass it alone" in evidence.coverage.describe()


def test_a_tolerance_is_of_the_whole_sum():
    d = Diffusion()
    rough = check(lambda model, x0, rng: 1.03 * d.whole(model, x0, rng), BETAS, tolerance=0.05)
    assert rough and "the tolerance is of the whole sum" in rough.sentence
    more = check(lambda model, x0, rng: 1.08 * d.whole(model, x0, rng), BETAS, tolerance=0.05)
    assert more.verdict == "refuted"

    def loss(x, recon, mu, logvar):
        recon_loss = 0.5 * ((x - recon) ** 2 + np.log(2 * np.pi)).sum(axis=1)
        kl = 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)
        return 1.01 * recon_loss + kl

    vae = check(loss, tolerance=0.05)
    assert vae and "one term of it may be off by more" in vae.sentence
    assert check(loss).verdict == "refuted"


def estimated(d, draw, weight=None, prior=True):
    def bound(model, x0, rng):
        t = draw(rng, len(x0))
        x_t = d.noised(x0, t, rng.standard_normal(x0.shape))
        factor = len(d.betas) if weight is None else weight(t)
        return factor * d.term(model, x0, x_t, t) + prior * d.prior(x0)

    return bound


def test_estimates_with_a_time_drawn():
    d = Diffusion()
    p = np.arange(1.0, 41) / 820

    def uniform(rng, n):
        return rng.integers(0, 40, n)

    def skewed(rng, n):
        return rng.choice(40, size=n, p=p)

    assert check(estimated(d, uniform), BETAS).cost == {"calls": 12}
    alone = check(estimated(d, uniform, prior=False), BETAS)
    assert alone and "L_T is not in the estimate" in alone.notes[0]
    assert check(estimated(d, skewed, lambda t: 1 / p[t]), BETAS, probabilities=p)
    for weight, name in (
        (lambda t: 1.0, "no_steps_factor"),
        (lambda t: 39.0, "one_step_less"),
    ):
        evidence = check(estimated(d, uniform, weight), BETAS)
        assert evidence.diagnosis.names == (name,), evidence.explain()
    for weight, name in ((lambda t: 40.0, "importance_missing"), (lambda t: 1.0, "alone_of_all")):
        evidence = check(estimated(d, skewed, weight), BETAS, probabilities=p)
        assert evidence.diagnosis.names == (name,), evidence.explain()

    def times(model, x0, rng):
        return 40 * (estimated(d, uniform, lambda t: 1.0)(model, x0, rng))

    assert check(times, BETAS).diagnosis.names == ("prior_times_steps",)
    low = check(estimated(d, lambda rng, n: rng.integers(1, 40, n)), BETAS)
    assert "t is drawn from 1 … 39" in low.sentence
    assert "not drawn uniformly" in check(estimated(d, skewed), BETAS).sentence


def test_draws_that_cannot_be_known():
    d = Diffusion()

    def globally(model, x0):
        t = np.random.randint(0, 40, len(x0))
        return 40 * d.term(model, x0, d.noised(x0, t, np.random.randn(*x0.shape)), t)

    def twice(model, x0, rng):
        t = np.zeros(len(x0), int)
        rng.standard_normal(x0.shape)
        return d.term(model, x0, d.noised(x0, t, rng.standard_normal(x0.shape)), t)

    def fixed(model, x0, rng):
        t = np.arange(len(x0))
        return 40 * d.term(model, x0, d.noised(x0, t, rng.standard_normal(x0.shape)), t)

    def elsewhere(model, x0, rng):
        t = rng.integers(0, 40, len(x0))
        x = 3.0 * d.noised(x0, t, rng.standard_normal(x0.shape))
        return 40 * d.term(model, x0, x, t)

    assert "global generator" in check(globally, BETAS).sentence
    assert "draws noise 2 times for 1 calls" in check(twice, BETAS).sentence
    assert "by which law it draws t" in check(fixed, BETAS).sentence
    assert check(elsewhere, BETAS).diagnosis.names == ("x_t_of_no_time",)


def test_torch_code_as_it_is_written():
    torch = pytest.importorskip("torch")
    d = Diffusion()
    tables = {k: torch.from_numpy(getattr(d, k)) for k in ("c0", "ct", "low", "bar")}

    def extract(name, t, x):
        return tables[name].gather(-1, t).float().reshape(-1, *(1,) * (x.dim() - 1))

    def vb_terms_bpd(model, x_start, x_t, t, clip_denoised=True, model_kwargs=None):
        bar = extract("bar", t, x_t)
        x0 = (x_t - (1 - bar).sqrt() * model(x_t, t, **(model_kwargs or {}))) / bar.sqrt()
        if clip_denoised:
            x0 = x0.clamp(-1, 1)
        c0, ct, low = (extract(n, t, x_t) for n in ("c0", "ct", "low"))
        mean, std = c0 * x0 + ct * x_t, (0.5 * low).exp()
        kl = 0.5 * (c0 * (x_start - x0) / std) ** 2
        normal = torch.distributions.Normal(mean, std)
        above = torch.where(x_start > 0.999, 1.0, normal.cdf(x_start + 1 / 255))
        below = torch.where(x_start < -0.999, 0.0, normal.cdf(x_start - 1 / 255))
        nll = -(above - below).clamp(min=1e-12).log()
        bpd = [v.flatten(1).mean(1) / np.log(2.0) for v in (kl, nll)]
        return {"output": torch.where(t == 0, bpd[1], bpd[0]), "pred_xstart": x0}

    evidence = check(vb_terms_bpd, BETAS, shape=IMAGE)
    assert evidence and evidence.resolution < 1e-6, evidence.explain()
    single = check(vb_terms_bpd, BETAS, shape=IMAGE, dtype="float32")
    assert single.verdict in ("holds", "undecided") and single.resolution > 1e-5
    wrong = check(lambda m, x0, x_t, t: vb_terms_bpd(m, x0, x_t, t)["output"] * np.log(2.0),
                  BETAS, shape=IMAGE, units="bits_per_dim", framework="torch",
                  given=("model", "x0", "xt", "t"))  # fmt: skip
    assert "nats_for_bits" in wrong.diagnosis.names

    def loop_bpd(model, x_start):
        total = 0.5 * (d.bar[-1] * x_start**2 - d.bar[-1] - np.log1p(-d.bar[-1]))
        total = total.flatten(1).mean(1) / np.log(2.0)
        for k in range(40):
            t = torch.full((len(x_start),), k)
            bar = extract("bar", t, x_start)
            x_t = bar.sqrt() * x_start + (1 - bar).sqrt() * torch.randn_like(x_start)
            total = total + vb_terms_bpd(model, x_start, x_t, t, clip_denoised=False)["output"]
        return total

    assert check(loop_bpd, BETAS, shape=IMAGE)


def test_jax_code_in_single_precision_and_under_jit():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    d = Diffusion()

    def term(model, x0, t, noise):
        c0, low, bar = (jnp.asarray(v)[t][:, None] for v in (d.c0, d.low, d.bar))
        x = jnp.sqrt(bar) * x0 + jnp.sqrt(1 - bar) * noise
        guess = (x - jnp.sqrt(1 - bar) * model(x, t)) / jnp.sqrt(bar)
        return 0.5 * (c0**2 * (x0 - guess) ** 2 / jnp.exp(low)).sum(axis=1)

    assert check(term, BETAS, term="L_t")
    jitted = jax.jit(term, static_argnums=0)
    assert check(jitted, BETAS, term="L_t", framework="jax", given=("model", "x0", "t", "noise"))
    assert check(lambda model, x0, t, noise: 2 * term(model, x0, t, noise), BETAS,
                 term="L_t").verdict == "refuted"  # fmt: skip

    def drawn(model, x0, key):
        one, two = jax.random.split(key)
        t = jax.random.randint(one, (len(x0),), 1, 40)
        return 40 * term(model, x0, t, jax.random.normal(two, x0.shape))

    assert "t = 0 is never drawn" in check(drawn, BETAS).sentence


class Clock:
    def alpha(self, t):
        return np.cos(0.02 + 1.5 * t)

    def sigma(self, t):
        return np.sin(0.02 + 1.5 * t)


def test_the_diffusion_loss_of_a_clock():
    clock = Clock()

    def loss(model, x, t, noise):
        angle = (0.02 + 1.5 * t)[:, None]
        x_t = np.cos(angle) * x + np.sin(angle) * noise
        x0 = model(x_t, t)
        square = ((x - x0) ** 2 / np.tan(angle) ** 2).sum(axis=1)
        rate = 2 * 1.5 / (np.cos(angle) * np.sin(angle))  # of log tan²
        return 0.5 * rate[:, 0] * square

    assert check(loss, clock, prediction="x0")
    wrong = check(lambda model, x, t, noise: 2 * loss(model, x, t, noise), clock, prediction="x0")
    assert wrong.diagnosis.names == ("diffusion_no_half",)

    def one(model, x, t, noise):
        return loss(model, x, np.full(len(x), float(t)), noise)

    assert check(one, clock, prediction="x0")

    def elsewhere(model, x, t, noise):
        return loss(lambda z, u: model(1.1 * z, u), x, t, noise)

    assert "is not asked at α x_0 + σ ε" in check(elsewhere, clock, prediction="x0").sentence

    def of_steps(model, x, t, noise):
        def gamma(u):
            return 2 * np.log(np.tan(0.02 + 1.5 * u))

        return loss(model, x, t, noise) * 100 * np.expm1(gamma(t) - gamma(t - 0.01)) * (
            np.cos(0.02 + 1.5 * t) * np.sin(0.02 + 1.5 * t) / 3
        )  # fmt: skip

    assert check(of_steps, clock, prediction="x0", steps=100)
    assert check(of_steps, clock, prediction="x0").diagnosis.names == ("steps_not_declared",)


class Linear:
    def gamma(self, t):
        return -13.3 + 18.3 * t


def drawing(by=0.5, steps=None, alpha=0.5, sigma=0.5, power=1.0):
    """A loss that draws t, antithetic, and its noise after that of the reconstruction."""

    def gamma(t):
        return -13.3 + 18.3 * t

    def loss(model, x, rng):
        t = np.mod(rng.uniform() + np.arange(len(x)) / len(x), 1.0) ** power
        if steps:
            t = np.ceil(t * steps) / steps
        first, noise = rng.standard_normal(x.shape), rng.standard_normal(x.shape)
        a = (1 / (1 + np.exp(gamma(t))))[:, None] ** alpha
        s = (1 / (1 + np.exp(-gamma(t))))[:, None] ** sigma
        square = ((noise - model(a * x + s * noise, t)) ** 2).sum(axis=1)
        weight = by * 18.3
        if steps:
            weight = by * steps * np.expm1(gamma(t) - gamma(t - 1 / steps))
        return {"loss_recon": first.sum(axis=1), "loss_diff": weight * square}

    return loss


def test_a_diffusion_loss_that_draws_its_time():
    assert check(drawing(), Linear()) and check(drawing(steps=250), Linear(), steps=250)
    evidence = check(drawing(1.0), Linear())
    assert evidence.diagnosis.names == ("diffusion_no_half",)
    assert "x_0 is multiplied by α², not by α" in check(drawing(alpha=1.0), Linear()).sentence
    assert "ε is multiplied by σ², not by σ" in check(drawing(sigma=1.0), Linear()).sentence
    assert "is α x_0 + σ ε of no t" in check(drawing(alpha=0.2), Linear()).sentence

    def globally(model, x):
        return drawing()(model, x, np.random)

    def other(model, x, rng):
        return drawing()(lambda z, t: model(z + rng.standard_normal(x.shape), t), x, rng)

    class Quarter:  # without noise at one end, without signal at the other
        def alpha(self, t):
            return np.cos(np.pi / 2 * t)

        def sigma(self, t):
            return np.sin(np.pi / 2 * t)

    def whole(model, x, rng):
        t = rng.uniform(size=len(x))
        noise, angle = rng.standard_normal(x.shape), np.pi / 2 * t[:, None]
        square = ((noise - model(np.cos(angle) * x + np.sin(angle) * noise, t)) ** 2).sum(axis=1)
        return 0.5 * 2 * np.pi / np.sin(np.pi * t) * square

    assert check(whole, Quarter()), check(whole, Quarter()).explain()
    assert "not drawn uniformly" in check(drawing(power=2.0), Linear()).sentence
    assert "from a global generator" in check(globally, Linear()).sentence
    assert "none of the data and noise" in check(other, Linear()).sentence


@pytest.mark.parametrize(
    ("name", "kl"),
    [
        ("", lambda a, s, x: (a * x) ** 2 + s**2 - 1 - 2 * np.log(s)),
        ("x0_not_scaled", lambda a, s, x: x**2 + s**2 - 1 - 2 * np.log(s)),
        ("x0_scaled_twice", lambda a, s, x: (a**2 * x) ** 2 + s**2 - 1 - 2 * np.log(s)),
        ("variance_for_log_variance", lambda a, s, x: (a * x) ** 2 + np.exp(s**2) - 1 - s**2),
        ("no_half", lambda a, s, x: 2 * ((a * x) ** 2 + s**2 - 1 - 2 * np.log(s))),
        ("log_missing", lambda a, s, x: (a * x) ** 2 + s**2 - 1),
        ("mean_missing", lambda a, s, x: s**2 - 1 - 2 * np.log(s) + 0 * x),
    ],
)
def test_the_end_of_a_clock(name, kl):
    a, s = np.cos(1.52), np.sin(1.52)
    evidence = check(lambda x0: 0.5 * kl(a, s, x0).sum(axis=1), Clock(), term="prior")
    if not name:
        assert evidence, evidence.explain()
    else:
        assert name in evidence.diagnosis.names, evidence.explain()


def test_tanh_is_accepted_by_a_tolerance():
    class Tanh(Diffusion):
        def term(self, model, x0, x_t, t):
            mean, logvar = self.mean_and_log(model(x_t, t), x_t, t)

            def cdf(v):
                z = (v - mean) * np.exp(-logvar / 2)
                return 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))

            high = np.where(x0 > 0.999, 1.0, cdf(x0 + 1 / 255))
            low = np.where(x0 < -0.999, 0.0, cdf(x0 - 1 / 255))
            return -np.log(np.maximum(high - low, 1e-12)).sum(axis=1)

    bound = Tanh().term
    assert check(bound, term="L_0").diagnosis.names == ("tanh_cdf",)
    assert check(bound, term="decoder", tolerance=0.05)
    assert check(lambda model, x0, x_t, t: 1.2 * bound(model, x0, x_t, t), BETAS, term="L_0",
                 tolerance=0.05).verdict == "refuted"  # fmt: skip


class Ends:
    """A process whose clock ends at ``T``."""

    def __init__(self, T=2.0):
        self.T = T

    def alpha(self, t):
        return np.exp(-0.5 * t)

    def sigma(self, t):
        return np.sqrt(1 - np.exp(-t))


class Gammas(Ends):
    def gamma(self, t):
        return np.log(np.expm1(t))


class Marginals:
    """As score_sde's have it: of images."""

    T = 2.0

    def marginal_prob(self, x, t):
        lib = np if isinstance(x, np.ndarray) else sys.modules["torch"]
        return lib.exp(-0.5 * t)[:, None, None, None] * x, lib.sqrt(1 - lib.exp(-t))


@pytest.mark.parametrize("process", [Ends(), Gammas(), Marginals()], ids=["T", "gamma", "marginal"])
def test_a_clock_ends_where_its_process_says(process):
    def prior(end):
        def bound(x0):
            bar = np.exp(-end)
            return 0.5 * (bar * x0**2 - bar - np.log1p(-bar)).sum(axis=1)

        return bound

    assert check(prior(2.0), process, term="L_T")
    assert check(prior(1.0), process, term="L_T").verdict == "refuted"


def test_a_number_of_steps_is_no_end_of_a_clock():
    def bound(x0):
        bar = np.exp(-1.0)
        return 0.5 * (bar * x0**2 - bar - np.log1p(-bar)).sum(axis=1)

    one = Ends(1000)
    one.horizon = 1.0
    assert check(bound, one, term="L_T")


@pytest.mark.parametrize(
    ("bound", "more", "says"),
    [
        (3, {}, "bound must be callable"),
        (lambda model, x0, x_t, t: 0, {"prediction": "noise"}, "prediction must be one of"),
        (lambda model, x0, x_t, t: 0, {"variance": "small"}, "variance must be one of"),
        (lambda model, x0, x_t, t: 0, {"variance": np.ones(3)}, "variance must be of shape"),
        (lambda model, x0, x_t, t: 0, {"variance": -np.ones(40)}, "variance must be > 0"),
        (lambda model, x0, x_t, t: 0, {"units": "bits"}, "units must be one of"),
        (lambda model, x0, x_t, t: 0, {"dims": "none"}, "dims must be one of"),
        (lambda model, x0, x_t, t: 0, {"decoder": "bernoulli"}, "discretized or gaussian"),
        (lambda model, x0, x_t, t: 0, {"decoder": "binary"}, "decoder must be one of"),
        (lambda model, x0, x_t, t: 0, {"term": "kl"}, "term must be one of"),
        (lambda model, x0, x_t, t: 0, {"shape": 2}, "three entries or more"),
        (lambda model, x0, x_t, t: 0, {"process": None}, "process must be a table"),
        (lambda model, x0, x_t, t: 0, {"process": [[0.1]]}, "a table of three"),
        (lambda model, x0, x_t, t: 0, {"framework": "tf"}, "framework must be one of"),
        (lambda model, x0, x_t, t: 0, {"given": ("x", "y")}, "given must be a sequence"),
        (lambda model, x0, x_t, t: 0, {"decoder_std": 0.0}, "decoder_std must be"),
        (lambda model, x0, x_t, t: 0, {"steps": 0}, "steps must be an integer"),
        (lambda model, x0, rng: 0, {"probabilities": np.ones(40)}, "probabilities must be"),
        (lambda model, x0, x_t, t: 0, {"decoder_std": "1"}, "a finite number > 0"),
        (lambda model, x0, x_t, t: 0, {"decoder_std": 2.0}, "decoder_std must be left away for vb"),
        (lambda model, x0, x_t, t: 0, {"steps": 7}, "steps must be left away for vb"),
        (lambda x0: 0, {"probabilities": np.ones(40) / 40}, "must be left away for L_T"),
        (lambda x0: 0, {"units": "bits_per_dim", "dims": "sum"}, 'say units="nats"'),
        (lambda x0: 0, {"process": Ends(1000)}, "which may be that or a number of steps"),
        (lambda model, x0, x_t, t, mask: 0, {}, "one that wants 'mask' too"),
        (lambda model, t: 0, {}, "a function of x_0"),
        (lambda x, recon, mu, logvar: 0, {"decoder": "discretized"}, "decoder must be gaussian"),
        (lambda model, x0, t, eps: 0, {"process": None, "term": "diffusion"}, "gamma(t)"),
        (lambda x0: 0, {"process": Clock(), "variance": np.ones(4)}, "variance must be a name"),
        (lambda model, x0, t, eps: 0, {"process": Clock(), "prediction": "mean"}, "no t - 1"),
    ],
)
def test_what_is_given_is_held_to(bound, more, says):
    with pytest.raises(ArgumentError) as error:
        check(bound, **({"process": BETAS} | more))
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("bound", "says"),
    [
        (lambda model, x0, x_t, t: (model(x_t, t), np.zeros(5))[1], "it returned shape (5,)"),
        (lambda model, x0, x_t, t: (model(x_t, t), "none")[1], "it returned str"),
        (lambda model, x0, x_t, t: 1 / 0, "it raised ZeroDivisionError"),
        (lambda model, x0, x_t, t: np.zeros(7), "it never did"),
        (lambda model, x0, x_t, t: model(x_t[:2], t).sum(), "it asked at shape (2, 5)"),
        (lambda x0, x_t, t: np.zeros(7), "it takes x0, xt, t"),
        (lambda model, x0: np.zeros(7), "it never did"),
    ],
)
def test_what_a_bound_is_held_to(bound, says):
    with pytest.raises(CallableError) as error:
        check(bound, BETAS)
    assert says in str(error.value)


def _sum(weights=None, told=lambda t: t):
    """A total of the terms in bits, weighed, whose model is told a time."""
    d = Diffusion()

    def total_bpd(model, x_start, rng):
        out = 0.5 * (d.bar[-1] * x_start**2 - d.bar[-1] - np.log1p(-d.bar[-1])).sum(axis=1)
        for t in range(len(BETAS)):
            rows = np.full(len(x_start), t)
            noise = rng.standard_normal(x_start.shape)
            x_t = np.sqrt(d.bar[t]) * x_start + np.sqrt(1 - d.bar[t]) * noise
            value = d.term(lambda x, _, t=t: model(x, np.full(len(x), told(t))), x_start, x_t, rows)
            out = out + (1.0 if weights is None else weights[t]) * value
        return out / np.log(2) / x_start[0].size

    return total_bpd


def _weights(of):
    w = of(np.arange(len(BETAS), dtype=float))
    w[1:] /= w[1:].mean()
    w[0] = 1.0
    return w


@pytest.mark.parametrize(
    "of",
    [
        lambda t: t,
        lambda t: 1.0 + (t == 5) - (t == 6),
        lambda t: (t == 20) * 1.0,
        lambda t: np.exp(-t / 10),
    ],
    ids=["t", "5 twice, 6 never", "20 for all", "as SNR"],
)
def test_a_sum_with_weights_of_mean_1_is_refuted(of):
    assert check(_sum(_weights(lambda t: t**0)), BETAS)
    assert check(_sum(_weights(of)), BETAS).verdict == "refuted"


@pytest.mark.parametrize("told", [lambda t: t + 1, lambda t: max(t - 1, 0), lambda t: 39 - t],
                         ids=["later", "earlier", "turned"])  # fmt: skip
def test_what_the_model_of_a_sum_is_told(told):
    assert check(_sum(told=told), BETAS).diagnosis.names == ("told_another_time",)
    assert check(_sum(told=lambda t: t / 40), BETAS)
    d = Diffusion()

    def wrong(model, x0, x_t, t):
        return d.term(lambda x, t: model(x, np.array([told(k) for k in t])), x0, x_t, t)

    assert check(wrong, BETAS).diagnosis.names == ("told_another_time",)


def test_the_last_bin_but_one_has_two_ends():
    def bound(model, x0, x_t, t, top=0.999):
        d = Diffusion()
        mean, logvar = d.mean_and_log(model(x_t, t), x_t, t)
        high, low = (ndtr((x0 + s / 255 - mean) * np.exp(-logvar / 2)) for s in (1, -1))
        up, down = (ndtr(-(x0 + s / 255 - mean) * np.exp(-logvar / 2)) for s in (1, -1))
        inner = np.where(x0 > mean, down - up, high - low)
        inner = np.where(x0 > top, down, np.where(x0 < -0.999, high, inner))
        return -np.log(inner).sum(axis=1)

    assert check(bound, BETAS, term="L_0")
    early = check(lambda model, x0, x_t, t: bound(model, x0, x_t, t, 0.99), BETAS, term="L_0")
    assert early.verdict == "refuted"


def test_arguments_are_given_by_any_of_their_names():
    d = Diffusion()
    named = ("unet", "x_start", "x_t", "timesteps")
    assert check(lambda a, b, c, e: d.term(a, b, c, e), BETAS, given=named)
    turned = ("x_start", "unet", "x_t", "timesteps")
    assert check(lambda a, b, c, e: d.term(b, a, c, e), BETAS, given=turned)
    wrong = check(lambda a, b, c, e: 2 * d.term(a, b, c, e), BETAS, given=named)
    assert wrong.verdict == "refuted"


@pytest.mark.parametrize("steps", [10, 100])
@pytest.mark.parametrize("how", ["ceil", "whole numbers", "antithetic"])
def test_steps_that_are_drawn_reach_both_ends(how, steps):
    def loss(model, x, rng, rounded=np.ceil, last=0):
        if how == "whole numbers":
            t = (rng.integers(0, steps - last, len(x)) + (rounded is np.ceil)) / steps
        elif how == "ceil":
            t = rounded(rng.random(len(x)) * (steps - last)) / steps
        else:
            t = rounded(np.mod(rng.random() + np.arange(len(x)) / len(x), 1.0) * steps) / steps
        noise, gamma = rng.standard_normal(x.shape), Linear().gamma
        a, s = (1 / np.sqrt(1 + np.exp(k * gamma(t)))[:, None] for k in (1, -1))
        square = ((noise - model(a * x + s * noise, t)) ** 2).sum(axis=1)
        return 0.5 * steps * np.expm1(gamma(t) - gamma(t - 1 / steps)) * square

    def asked(**more):
        def one(model, x, rng):
            return loss(model, x, rng, **more)

        return check(one, Linear(), steps=steps, term="diffusion")

    assert asked(), asked().explain()
    down = asked(rounded=np.floor)
    assert down.diagnosis.names == ("another_range",) and "t = 0 is drawn" in down.sentence
    if how != "antithetic":
        assert "t is drawn from 1/" in asked(last=1).sentence
    if how == "ceil":
        assert "t is drawn between the steps" in asked(rounded=lambda u: u).sentence


def test_a_time_between_the_steps():
    def loss(model, x, t, noise, rounded):
        t, gamma = rounded(t * 50 + 0.0) / 50, Linear().gamma
        a, s = (1 / np.sqrt(1 + np.exp(k * gamma(t)))[:, None] for k in (1, -1))
        square = ((noise - model(a * x + s * noise, t)) ** 2).sum(axis=1)
        return 0.5 * 50 * np.expm1(gamma(t) - gamma(t - 1 / 50)) * square

    def asked(rounded):
        def one(model, x, t, noise):
            return loss(model, x, t, noise, rounded)

        return check(one, Linear(), steps=50)

    assert asked(lambda u: u) and asked(lambda u: np.ceil(u - 1e-9)) and asked(np.round)
    down = asked(lambda u: np.floor(u + 1e-9))
    assert down.verdict == "undecided" and "rounds a t between them down" in down.sentence
    told = check(lambda model, x, t, noise: loss(lambda z, u: model(z, u - 1 / 50), x, t, noise,
                 lambda u: u), Linear(), steps=50)  # fmt: skip
    assert "its model is told s = t - 1/T" in told.sentence
    later = check(lambda model, x, t, noise: loss(lambda z, u: model(z, u + 1 / 50), x, t, noise,
                  lambda u: u), Linear(), steps=50)  # fmt: skip
    assert "its model is told t + 1/T" in later.sentence


def test_a_method_of_a_process_in_continuous_time():
    class Model(Linear):
        def loss(self, model, x0, t, noise):
            g = self.gamma(t)[:, None]
            x_t = x0 / np.sqrt(1 + np.exp(g)) + noise / np.sqrt(1 + np.exp(-g))
            return 0.5 * 18.3 * ((noise - model(x_t, t)) ** 2).sum(axis=1)

    assert check(Model().loss), check(Model().loss).explain()


def _latent(mu, logvar):
    return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)


@pytest.mark.parametrize(
    ("name", "logvar"),
    [
        ("log_std", lambda v: 2 * v),
        ("log_sigma", lambda v: 2 * v),
        ("sigma", lambda v: 2 * np.log(v)),
        ("std", lambda v: 2 * np.log(v)),
        ("var", np.log),
    ],
)
def test_a_vae_takes_the_width_of_its_latent_by_any_name(name, logvar):
    def loss(x, recon_x, mu, width):
        return 0.5 * ((x - recon_x) ** 2).sum(axis=1) + _latent(mu, logvar(width))

    names = ("x", "recon_x", "mu", name)
    assert check(loss, given=names, decoder="gaussian_up_to_constant")


def test_a_bernoulli_decoder_that_is_not_said():
    def loss(recon_x, x, mu, logvar):
        cross = -(x * np.log(recon_x) + (1 - x) * np.log(1 - recon_x)).sum(axis=1)
        return cross + _latent(mu, logvar)

    evidence = check(loss)
    assert evidence and 'decoder="bernoulli"; say so' in evidence.explain()
    assert "(x anywhere in [0, 1]: the cross-entropy)" in evidence.sentence

    def logits(recon_x, x, mu, logvar):
        return (np.logaddexp(0, recon_x) - x * recon_x).sum(axis=1) + _latent(mu, logvar)

    assert "decoder='bernoulli_logits'?" in check(logits).diagnosis.sentence
    assert check(logits, decoder="bernoulli_logits")

    def more(recon_x, x, mu, logvar, temperature):
        return loss(recon_x, x, mu, logvar)

    with pytest.raises(ArgumentError, match="lambda x, recon, mu, logvar: bound"):
        check(more)


def test_the_loss_of_pytorchs_example():
    torch = pytest.importorskip("torch")

    def loss_function(recon_x, x, mu, logvar):
        cross = torch.nn.functional.binary_cross_entropy(recon_x, x, reduction="sum")
        return cross - 0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())

    assert check(loss_function), check(loss_function).explain()


def test_an_estimate_whose_model_is_asked_twice():
    d = Diffusion(np.linspace(1e-3, 0.2, 30))

    def bound(model, x0, rng, first=True, times=1):
        total = 0.0
        for _ in range(times):
            t = rng.integers(0, 30, len(x0))
            x_t = d.noised(x0, t, rng.standard_normal(x0.shape))
            if first:  # as self-conditioning and guidance have it
                model(x_t, t)
            total = total + 30 * d.term(model, x0, x_t, t) / times
        return total

    assert check(lambda model, x0, rng: bound(model, x0, rng), d.betas, term="total")
    two = check(lambda model, x0, rng: bound(model, x0, rng, False, 2), d.betas, term="total")
    assert two.verdict == "undecided" and "at 2 different x_t" in two.sentence

    def loop(model, x0, rng, by):
        total = d.prior(x0)
        for k in range(30):
            t = np.full(len(x0), k)
            x_t = d.noised(x0, np.minimum(t + by, 29), rng.standard_normal(x0.shape))
            model(x_t, t)
            total = total + d.term(model, x0, x_t, t)
        return total

    assert check(lambda model, x0, rng: loop(model, x0, rng, 0), d.betas)
    later = check(lambda model, x0, rng: loop(model, x0, rng, 1), d.betas)
    assert later.diagnosis.names == ("told_another_time",)


def test_a_vaes_loss_of_methods_alone():
    pytest.importorskip("torch")

    def vae(x, x_hat, mu, log_var):
        kl = -0.5 * (1 + log_var - mu**2 - log_var.exp()).sum(1)
        return (((x - x_hat) ** 2).sum(1) / 2 + kl).mean()

    assert check(vae, decoder="gaussian_up_to_constant")

    def wide(x, x_hat, mu, log_var):
        return ((x.reshape(-1, 784) - x_hat) ** 2).sum(1)

    with pytest.raises(CallableError, match=r"x of \(7, 5\); shape= says another, shape=784"):
        check(wide)


def test_x_and_its_reconstruction_exchanged():
    def loss(x, recon, mu, logvar):
        cross = -(recon * np.log(x) + (1 - recon) * np.log(1 - x))
        return cross.sum(axis=1) + _latent(mu, logvar)

    names = check(loss, decoder="bernoulli").diagnosis.names
    assert names == ("cross_entropy_exchanged",)
