"""Mistakes of a bound that depend on what its model returns, and of a VAE's batch, are named."""

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


class Clock:
    def gamma(self, t):
        return -8.0 + 12 * t + 1.5 * t * (1 - t)


def levels(t):
    g = Clock().gamma(t)[:, None]
    return 1 / np.sqrt(1 + np.exp(g)), 1 / np.sqrt(1 + np.exp(-g))


NOISE_OF = {
    "x0": lambda x, out, a, s: (x - a * out) / s,
    "v": lambda x, out, a, s: a * out + s * x,
    "score": lambda x, out, a, s: -s * out,
}
OTHERS = [
    (prediction, name)
    for prediction in NOISE_OF
    for name in weights_of(clock_of(Clock()), None, prediction)
    if name not in weights_of(clock_of(Clock()), None)
]


@pytest.mark.parametrize(("prediction", "name"), OTHERS)
def test_a_weight_before_another_square_is_named(prediction, name):
    weight = weights_of(clock_of(Clock()), None, prediction)[name]

    def loss(model, x, t, noise):
        a, s = levels(t)
        x_t = a * x + s * noise
        hat = NOISE_OF[prediction](x_t, model(x_t, t), a, s)
        return np.array([weight(float(v)) for v in t]) * ((noise - hat) ** 2).sum(axis=1)

    evidence = check(loss, Clock(), prediction=prediction)
    assert evidence.verdict == "refuted" and name in evidence.diagnosis.names
    assert DIFFUSION[name] in evidence.diagnosis.sentence


@pytest.mark.parametrize("prediction", ["eps", "x0", "v", "score"])
@pytest.mark.parametrize(
    "name",
    ["output_sign", "v_exchanged", "noise_without_root"]
    + ["read_as_eps", "read_as_x0", "read_as_v", "read_as_score"],
)
def test_an_answer_that_is_read_otherwise_is_named(prediction, name):
    def problem(g):
        tb = tables_of(PROCESS, "fixed_small")
        return Problem("vb", tb, g, prediction, "fixed", "discretized")

    nothing = Answered(*(np.zeros((3, 2)),) * 2, np.zeros(3, int), np.zeros((3, 2)))
    known = dict(faults(problem(nothing), Formula()))
    if name not in known:
        assert prediction == "x0" or name.startswith(("read_as_" + prediction, "v_", "noise_"))
        return

    def bound(model, x0, x_t, t):
        g = Answered(x0, x_t, t, model(x_t, t))
        return entries(problem(g), known[name]).sum(axis=1)

    evidence = check(bound, PROCESS, prediction=prediction)
    assert evidence.verdict == "refuted" and name in evidence.diagnosis.names
    assert reasons()[name].rstrip(".") in evidence.diagnosis.sentence


def latent(mu, logvar):
    return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar)


KL = {
    "kl_variance_squared": lambda m, v: 0.5 * (m**2 + np.exp(2 * v) - 1 - v),
    "kl_log_doubled": lambda m, v: 0.5 * (m**2 + np.exp(v) - 1 - 2 * v),
}
BATCH = {"kl_summed_over_batch": 7.0, "kl_averaged_over_batch": 1 / 7}


@pytest.mark.parametrize("name", [*KL, *BATCH])
def test_a_kl_of_another_form_is_named(name):
    def loss(x, recon, mu, logvar):
        square = 0.5 * ((x - recon) ** 2).sum(axis=1)
        if name in KL:
            return square + KL[name](mu, logvar).sum(axis=1)
        whole = square + BATCH[name] * latent(mu, logvar).sum(axis=1)
        return whole.mean() if BATCH[name] > 1 else whole.sum()

    evidence = check(loss, decoder="gaussian_up_to_constant")
    assert evidence.verdict == "refuted" and name in evidence.diagnosis.names
    assert VAE[name] in evidence.diagnosis.sentence


@pytest.mark.parametrize(
    ("factor", "whose"),
    [
        (1 / 5, "1/5, the number of entries of x"),
        (1 / 35, "1/35, the number of entries of the batch"),
        (1 / 7, "1/7, the number of samples of the batch"),
        (7.0, "7, the number of samples of the batch"),
        (5.0, "5, the number of entries of x"),
    ],
)
def test_a_factor_of_the_kl_is_a_number_of_the_batch(factor, whose):
    def loss(x, recon, mu, logvar):
        square = 0.5 * ((x - recon) ** 2).sum(axis=1)
        return square + factor * latent(mu, logvar).sum(axis=1)

    evidence = check(loss, decoder="gaussian_up_to_constant")
    assert f"= {whose}: in the ELBO it stands once" in evidence.diagnosis.sentence


def test_an_eps_in_the_logs_is_told_only_if_it_is_there():
    def loss(x, recon, mu, logvar, eps):
        cross = -(x * np.log(recon + eps) + (1 - x) * np.log(1 - recon + eps))
        return cross.sum(axis=1) + latent(mu, logvar).sum(axis=1)

    def asked(eps, **more):
        def one(x, recon, mu, logvar):
            return loss(x, recon, mu, logvar, eps)

        return check(one, decoder="bernoulli", **more)

    assert asked(0.0)
    for eps, told in ((1e-12, "1e-12"), (1e-9, "1e-09"), (1e-6, "1e-06"), (1e-3, "0.001")):
        sentence = asked(eps).diagnosis.sentence
        assert f"Cause: {told} is added inside of the logs" in sentence
    assert asked(1e-9, tolerance=1e-6)
