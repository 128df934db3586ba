"""Every wrong summand, reading of the laws, clamp, weight and other measure that `check_kl` knows
is put to the room that looks for it, and is what that room says.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import islice

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.asking import Answer
from scoreproof.public.kl.batches import asked
from scoreproof.public.kl.clamps import clamps
from scoreproof.public.kl.coordinates import RULES, by_coordinate, weighted
from scoreproof.public.kl.distances import instead
from scoreproof.public.kl.explained import clamped, explained
from scoreproof.public.kl.fit import Places
from scoreproof.public.kl.readings import readings
from scoreproof.public.kl.summands import divergence, due_summands, other_summands
from scoreproof.public.kl.told import told
from scoreproof.public.kl.truth import due

EPS = float(np.finfo(float).eps)


@cache
def places(form, parameterization="std", against="standard"):
    """The first batches of the check: d = 3, 2 and 7, and one row in d = 4."""
    options, rng = Options(form, parameterization, against), np.random.default_rng(0)
    laws = list(islice(asked(options, lambda: EPS, rng), 4))
    nothing = np.zeros(0)
    answers = [Answer(b, options.scale(b.v0), options.scale(b.v1), nothing) for b in laws]
    dues = [due(a, options, EPS, False, rng) for a in answers]
    value, rounding = (np.concatenate([getattr(d, n) for d in dues]) for n in ("value", "rounding"))
    return Places(laws, options, value, value, rounding, EPS)


def said(at, rows, look=explained):
    """What is said of a function that returned ``rows``, an array a batch."""
    found = look(replace(at, returned=at.column(rows)))
    names, sentence = told(found, at.options)
    return Diagnosis.cause(" + ".join(names), sentence).sentence


def summed(values):
    return values.sum(axis=1) if values.ndim == 2 else values


@pytest.mark.parametrize("against", ["pair", "standard"])
@pytest.mark.parametrize("form", ["isotropic", "diagonal", "full"])
def test_every_other_summand_is_named(form, against):
    at = places(form, "std", against)
    right = due_summands(at.options)
    for other in other_summands(at.options):
        if form == "isotropic" and not ("once" in other.words or "(rows)" in other.words):
            continue  # those of the diagonal form
        kept = [s for s in right if not s.slot.startswith(other.slot)]
        with np.errstate(all="ignore"):
            rows = [sum(summed(s.of(b) * s.factor) for s in (*kept, other)) for b in at.laws]
        sentence = said(at, rows)
        words = "-½, once" if other.words == "1, once" else other.words
        assert words in sentence and ";" not in sentence, (other.words, sentence)


def written(formula, **given):
    """What is said of a formula of means and standard deviations, row by row."""
    at = places("diagonal", **given)
    return said(at, [formula(b.m0, b.v0**0.5, b.m1, b.v1**0.5) for b in at.laws])


def test_wrong_formulas_as_people_write_them():
    pair = {"against": "pair"}
    assert "1/σ² (upside down) stands where ½ σ² is due" in written(
        lambda m, s, a, b: 0.5 * (m**2 + 1 / s**2 - 1 - np.log(s**2)).sum(1)
    )
    assert "σ0/σ1² (σ0 is not squared) stands where" in written(
        lambda m0, s0, m1, s1: (np.log(s1 / s0) + (s0 + (m0 - m1) ** 2) / (2 * s1**2) - 0.5).sum(1),
        **pair,
    )
    assert "the constant is -½, once, where -½ d" in written(
        lambda m, s, a, b: 0.5 * (m**2 + s**2 - 2 * np.log(s)).sum(1) - 0.5
    )
    assert "the norm |μ| (not squared) stands where" in written(
        lambda m, s, a, b: 0.5 * np.linalg.norm(m, axis=1) + 0.5 * (s**2 - 1 - 2 * np.log(s)).sum(1)
    )


READ = [
    ("isotropic", "std", "pair"),
    ("diagonal", "std", "standard"),
    ("diagonal", "std", "pair"),
    ("diagonal", "logvar", "standard"),
    ("full", "std", "pair"),
]


@pytest.mark.parametrize("given", READ)
def test_every_reading_of_the_laws_is_named(given):
    at = places(*given)
    right = due_summands(at.options)
    before = {
        r.words for other in READ[: READ.index(given)] for r in readings(places(*other).options)
    }
    # in the entrywise forms these are other summands, and said as such
    means = ("second_mean_ignored", "first_mean_ignored", "mean_sign")
    for reading in readings(at.options):
        if reading.words in before and reading.name not in means:
            continue
        with np.errstate(all="ignore"):
            sentence = said(at, [divergence(reading.of(b), right) for b in at.laws])
        entrywise = reading.name in means and given[0] != "full"
        words = "in the mean term" if entrywise else reading.words
        assert f"Cause: {words}" in sentence, (reading.words, sentence)


NUMBERS = {
    ("full", "std", "pair"): {"jitter_both": 1e-3, "jitter_second_in_log": 1e-4},
    ("diagonal", "std", "standard"): {
        "prior_mean": 0.7,
        "clamp_above": 0.9,
        "clamp_below_outside_log": 0.6,
        "epsilon": 1e-4,
    },
    ("diagonal", "logvar", "standard"): {"clamp": 0.9, "scaled": 1.3},
}


@pytest.mark.parametrize("given", NUMBERS)
def test_a_number_inside_is_found(given):
    at = places(*given)
    right = due_summands(at.options)
    kinds = {c.name: c for c in reversed(list(clamps(at.options)))}
    for name, number in NUMBERS[given].items():
        kind = kinds[name]
        rows = []
        for b in at.laws:
            inside, plain = kind.of(b, number), {"all": "", "log": "mto", "rest": "l"}[kind.part]
            parts = [s.of(b if s.slot[0] in plain else inside) * s.factor for s in right]
            rows.append(sum(summed(p) for p in parts))

        def look(q):
            return next(clamped(q, tuple(right)))

        assert kind.words.format(c=number) in said(at, rows, look)


@pytest.mark.parametrize(
    ("factors", "words"),
    [
        ((4, 1, 1, 1), "the mean term ½ Σ μ² is four times what is due"),
        ((1, 0.25, 1, 1), "the trace term ½ Σ σ² is a quarter of what is due"),
        ((1, -2, 1, 1), "the trace term ½ Σ σ² is doubled and has the wrong sign"),
        ((1, 1, 1, -0.5), "the log term -½ Σ log σ² is halved and has the wrong sign"),
        ((0.5, 0.5, 0.5, 0.5), "the whole divergence is halved"),
        ((1, 1, -np.log(2 * np.pi), 1), "(-log 2π, of a normal density)"),
        ((1, 1, -1 - np.log(2 * np.pi), 1), "(-1 - log 2π, of an entropy)"),
        ((0.4, 0.4, 1, 1), "the prior has the variance 2.5 where that of N(0, I) is 1, in all"),
        ((0.4, 0.4, 1 + np.log(0.4), 1), "the prior has the variance 2.5 where that of N(0, I) is"),
        ((1, 1.69, 1 + np.log(1.69), 1), "σ² is multiplied by 1.69"),
    ],
)
def test_factors_of_the_summands_are_told(factors, words):
    a, b, c, e = factors
    assert words in written(
        lambda m, s, *_: 0.5 * (a * m**2 + b * s**2 - c - e * np.log(s**2)).sum(1)
    )


def test_what_is_multiplied_by_the_number_of_rows():
    at = places("isotropic", "std", "pair")
    rows = []
    for b in at.laws:
        s0, s1, n = b.v0[:, 0] ** 0.5, b.v1[:, 0] ** 0.5, len(b.m0)
        gap = ((b.m1 - b.m0) ** 2).sum(1)
        rows.append(n * np.log(s1 / s0) + (n * s0**2 + gap) / (2 * s1**2) - n / 2)
    assert "n, the number of rows, stands for d, the dimension" in said(at, rows)


def test_averages_and_the_determinant():
    at = places("full")
    each = [divergence(b, due_summands(at.options)) for b in at.laws]
    everywhere = said(at, [np.full(len(v), v.mean()) for v in each])
    assert "every row gets the average over the whole batch: keep the rows apart" in everywhere
    logs = [np.linalg.slogdet(b.v0)[1] for b in at.laws]
    halved = said(at, [v + log / 4 for v, log in zip(each, logs, strict=True)])
    assert "the log term -½ log det C is halved" in halved and "twice Σ log diag L" in halved


def test_coordinates_that_do_not_count_once():
    at = places("diagonal", against="pair")
    each = [by_coordinate(b) for b in at.laws]

    def counted(weights):
        rows = [v @ (weights(v.shape[1]) * 1.0) for v in each]
        words = weighted(replace(at, returned=at.column(rows)))
        return Diagnosis.cause("coordinates", f"Cause: {words}.").sentence

    for words, weights in RULES:
        assert words in counted(weights)
    odd = counted(lambda d: np.array([1.5, 0.25, 1, 1, 1, 1, 1])[:d])
    assert "coordinate 0 counts 1.5 times, coordinate 1 counts 0.25 times" in odd


def test_other_measures_of_two_laws():
    at = places("diagonal", against="pair")

    def measured(value):
        name, words = instead(replace(at, returned=value))
        return Diagnosis.cause(name, f"Cause: {words}.").sentence

    assert "it is the square root of the divergence" in measured(np.sqrt(at.value))
    assert "it is the square of the divergence" in measured(at.value**2)
    assert "it is exp(-KL)" in measured(np.exp(-at.value))
    assert "it is 1 - exp(-KL)" in measured(1 - np.exp(-at.value))
    assert "it is 2 times the logarithm of the divergence" in measured(2 * np.log(at.value))
    middle = [
        (b.m1 - b.m0) ** 2 / (b.v0 + b.v1) / 4
        + np.log((b.v0 + b.v1) / 2 / (b.v0 * b.v1) ** 0.5) / 2
        for b in at.laws
    ]
    assert "it is the Bhattacharyya distance" in measured(at.column(middle))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "standard deviations, all positive: is a logarithm of them exponentiated?"),
        ({"parameterization": "variance"}, "scales are variances, all positive"),
        ({"parameterization": "logvar"}, "log-variances, negative and 0 among them: take no"),
        ({"form": "full"}, "covariances are positive definite, with determinants from 1e-12"),
    ],
)
def test_what_a_function_that_returns_nan_is_told(given, words):
    with pytest.raises(sp.CallableError) as error:
        sp.check_kl(lambda m, s: np.nan * m[:, 0], against="standard", **given)
    assert words in str(error.value)


def test_a_divergence_is_real():
    with pytest.raises(sp.CallableError) as error:
        sp.check_kl(lambda m, s: m[:, 0] + 1j, against="standard")
    assert "an imaginary part of 1" in str(error.value) and "a divergence is real" in str(
        error.value
    )


def test_a_sum_for_a_mean_in_bits():
    vae = {"form": "diagonal", "parameterization": "logvar", "against": "standard"}

    def kl(m, v):
        return (m**2 + np.exp(v) - 1 - v).sum() / 2 / np.log(2)

    told_so = sp.check_kl(kl, reduction="mean", **vae).explain()
    assert "the batch was summed where it is to be averaged" in told_so
    assert "logarithms to base 2: bits where nats are due" in told_so
