"""Each known mistake of a variational bound is named where a bound has it, and no other is."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.public.variational_bound.continuous import clock_of
from scoreproof.public.variational_bound.faults import faults
from scoreproof.public.variational_bound.formula import Formula, Problem, entries
from scoreproof.public.variational_bound.rates import weights_of
from scoreproof.public.variational_bound.tables import tables_of
from scoreproof.public.variational_bound.terms import Answered
from scoreproof.public.variational_bound.words import reasons
from scoreproof.public.variational_bound.words_other import DIFFUSION, VAE

check = sp.check_variational_bound
PROCESS = DiscreteVP(np.linspace(0.01, 0.3, 12))


def problem(term, variance, g, decoder="discretized", prediction="eps"):
    return Problem(term, tables_of(PROCESS, variance), g, prediction, variance, decoder)


def known(term, variance, decoder="discretized"):
    """Names by their formulas; of a name that occurs several times the first."""
    rows = 3
    x = np.zeros((rows, 5))  # as many entries as are asked for: a mistake may be a mean of them
    g = Answered(x, x, np.zeros(rows, int), np.zeros((rows, 10)))
    found = {}
    for name, fault in faults(problem(term, variance, g, decoder), Formula()):
        found.setdefault(name, fault)
    return found


def judged(term, variance, fault, decoder="discretized"):
    def bound(model, x0, x_t, t):
        g = Answered(x0, x_t, t, model(x_t, t))
        return entries(problem(term, variance, g, decoder), fault).sum(axis=1)

    def prior(x0):
        g = Answered(x0, x0, np.zeros(len(x0), int), x0)
        return entries(problem("L_T", "fixed_small", g), fault).sum(axis=1)

    if term == "L_T":
        return check(prior, PROCESS)
    return check(
        bound, PROCESS, term=term, variance=variance, decoder=decoder, units="nats", dims="sum"
    )


SETTINGS = [
    ("vb", "learned_range", "discretized"),
    ("vb", "fixed_large", "discretized"),
    ("vb", "fixed_small", "discretized"),
    ("L_0", "fixed_small", "gaussian"),
]
NAMES = [(name, s) for s in SETTINGS for name in known(*s)]
FIRST = {}
for _name, _setting in NAMES:
    FIRST.setdefault(_name, []).append(_setting)
#: with which they are the right one, or can be told from nothing, and where they are then seen
BLIND = {"small_for_large", "large_for_small"}


@pytest.mark.parametrize("name", sorted(FIRST))
def test_a_mistake_of_a_step_or_of_its_decoder_is_named(name):
    said = []
    for term, variance, decoder in FIRST[name]:
        evidence = judged(term, variance, known(term, variance, decoder)[name], decoder)
        if evidence.verdict == "holds":  # it is none there
            continue
        names = evidence.diagnosis.names
        said.append((evidence.verdict, variance, names))
        if evidence.verdict == "refuted" and name in names:
            assert reasons()[name].rstrip(".") in evidence.diagnosis.sentence or len(names) > 3
            return
    raise AssertionError(said)


@pytest.mark.parametrize("name", sorted(known("L_T", "fixed_small")))
def test_a_mistake_of_the_prior_is_named(name):
    evidence = judged("L_T", "fixed_small", known("L_T", "fixed_small")[name])
    assert evidence.verdict == "refuted" and name in evidence.diagnosis.names


class Clock:
    def gamma(self, t):
        return -8.0 + 12 * t + 1.5 * t * (1 - t)


def noised(x, t, noise):
    g = Clock().gamma(t)[:, None]
    return x / np.sqrt(1 + np.exp(g)) + noise / np.sqrt(1 + np.exp(-g))


RATES = [(steps, name) for steps in (None, 100) for name in weights_of(clock_of(Clock()), steps)]


@pytest.mark.parametrize(("steps", "name"), RATES)
def test_a_mistake_of_a_diffusion_loss_is_named(steps, name):
    weight = weights_of(clock_of(Clock()), steps)[name]

    def loss(model, x, t, noise):
        square = ((noise - model(noised(x, t, noise), t)) ** 2).sum(axis=1)
        return np.array([weight(float(v)) for v in t]) * square

    evidence = check(loss, Clock(), steps=steps)
    if not name:
        assert evidence, evidence.explain()
        return
    assert evidence.verdict == "refuted" and name in evidence.diagnosis.names
    assert DIFFUSION[name] in evidence.diagnosis.sentence or len(evidence.diagnosis.names) > 3


def latent(mu, logvar):
    return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar)


def square(x, y, std=1.0):
    return (x - y) ** 2 / (2 * std**2) + 0.5 * np.log(2 * np.pi * std**2)


def cross(x, p):
    return -(x * np.log(p) + (1 - x) * np.log(1 - p))


C = 0.5 * np.log(2 * np.pi)
GAUSSIAN = {
    "decoder_sign": lambda x, y: -square(x, y),
    "square_and_constant_without_half": lambda x, y: (x - y) ** 2 + C,
    "no_square": lambda x, y: C + 0 * x,
    "constant_doubled": lambda x, y: (x - y) ** 2 / 2 + 2 * C,
    "constant_missing": lambda x, y: (x - y) ** 2 / 2,
    "decoder_mean": lambda x, y: square(x, y) / 5,
    "mean_square": lambda x, y: (x - y) ** 2 / 5,
    "mean_of_the_whole": lambda x, y: square(x, y) / 35,
    "mean_square_of_the_whole": lambda x, y: (x - y) ** 2 / 35,
}
WIDE = {
    "unit_variance": lambda x, y: square(x, y),
    "std_for_variance": lambda x, y: (x - y) ** 2 / 4 + square(x, x, 2.0),
    "two_pi_missing": lambda x, y: (x - y) ** 2 / 8 + np.log(2.0),
    "square_alone": lambda x, y: (x - y) ** 2,
    "square_without_half": lambda x, y: (x - y) ** 2 / 4,
}
BERNOULLI = {
    "square_for_cross_entropy": lambda x, p: (x - p) ** 2,
    "half_of_the_cross_entropy": lambda x, p: -x * np.log(p),
}
LATENT = {
    "kl_sign": lambda m, v: -latent(m, v),
    "kl_no_half": lambda m, v: 2 * latent(m, v),
    "kl_halved_again": lambda m, v: latent(m, v) / 2,
    "kl_one_missing": lambda m, v: latent(m, v) + 0.5,
    "kl_log_sign": lambda m, v: latent(m, v) + v,
    "kl_of_log_std": lambda m, v: latent(m, 2 * v),
    "kl_std_for_variance": lambda m, v: 0.5 * (m**2 + np.exp(v / 2) - 1 - v),
    "kl_mean_not_squared": lambda m, v: 0.5 * (m + np.exp(v) - 1 - v),
    "kl_mean": lambda m, v: latent(m, v) / 11,
    "kl_mean_of_the_whole": lambda m, v: latent(m, v) / 77,
    "kl_missing": lambda m, v: 0 * m,
    "kl_swapped": lambda m, v: 0.5 * ((1 + m**2) * np.exp(-v) - 1 + v),
}


def of(decoder, kl):
    def loss(x, recon, mu, logvar):
        return decoder(x, recon).sum(axis=1) + kl(mu, logvar).sum(axis=1)

    return loss


def named(evidence, name):
    assert evidence.verdict == "refuted", evidence.explain()
    assert name in evidence.diagnosis.names, evidence.explain()
    assert VAE[name] in evidence.diagnosis.sentence


@pytest.mark.parametrize("name", GAUSSIAN)
def test_a_mistake_of_a_gaussian_decoder_is_named(name):
    named(check(of(GAUSSIAN[name], latent)), name)


@pytest.mark.parametrize("name", WIDE)
def test_a_mistake_of_a_decoder_of_another_width_is_named(name):
    named(check(of(WIDE[name], latent), decoder_std=2.0), name)


@pytest.mark.parametrize("name", BERNOULLI)
def test_a_mistake_of_a_bernoulli_decoder_is_named(name):
    named(check(of(BERNOULLI[name], latent), decoder="bernoulli"), name)


def test_a_sigmoid_of_a_probability_is_named():
    def twice(x, y):
        p = 1 / (1 + np.exp(-1 / (1 + np.exp(-y))))
        return cross(x, p)

    named(check(of(twice, latent), decoder="bernoulli_logits"), "sigmoid_twice")
    right = of(lambda x, y: cross(x, 1 / (1 + np.exp(-y))), latent)
    assert check(right, decoder="bernoulli_logits")


@pytest.mark.parametrize("name", LATENT)
def test_a_mistake_of_the_latent_kl_is_named(name):
    named(check(of(square, LATENT[name])), name)


@pytest.mark.parametrize(
    ("by", "name"), [(-1, "sign"), (1 / np.log(2), "elbo_in_bits"), (0.2, "elbo_per_dimension")]
)
def test_units_of_an_elbo_are_named(by, name):
    right = of(square, latent)
    named(check(lambda x, recon, mu, logvar: by * right(x, recon, mu, logvar)), name)


@pytest.mark.parametrize("constant", [0.0, C])
def test_a_factor_of_the_kl_is_read(constant):
    def loss(x, recon, mu, logvar):
        first = ((x - recon) ** 2 / 2 + constant).sum(axis=1)
        return first + 0.3 * latent(mu, logvar).sum(axis=1)

    evidence = check(loss)
    assert "the KL is multiplied by 0.3" in evidence.diagnosis.sentence
    assert ("constant_missing" in evidence.diagnosis.names[0]) == (constant == 0)
