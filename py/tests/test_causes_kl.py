"""What a wrong divergence is taken apart into, and what is not claimed."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp

LOGVAR = {"form": "diagonal", "parameterization": "logvar"}
VAE = LOGVAR | {"against": "standard"}


def each(m0, l0, m1, l1):
    return 0.5 * ((m1 - m0) ** 2 * np.exp(-l1) + np.exp(l0 - l1) - 1 - (l0 - l1))


def said(kl, **given):
    evidence = sp.check_kl(kl, **given)
    assert evidence.verdict == "refuted"
    return evidence.explain()


@pytest.mark.parametrize(
    ("factors", "words"),
    [
        ((0, 1, 1, 1), "the mean term ½ Σ μ² is left out"),
        ((1, 2, 1, 1), "the trace term ½ Σ σ² is doubled: its 1/2 is missing"),
        ((1, 1, 0, 1), "the constant -½ d is left out"),
        ((1, 1, 1, -1), "the log term -½ Σ log σ² has the wrong sign"),
        ((1, 1, 1, 1 / np.log(10)), "1/ln 10: logarithms to base 10"),
        ((3, 3, 3, 3), "the whole divergence is 3 times what is due"),
        ((1, 1.25, 1, 0.5), "is 1.25 times what is due; "),
    ],
)
def test_summands_with_other_factors(factors, words):
    a, b, c, e = factors
    kl = said(lambda m, v: 0.5 * (a * m**2 + b * np.exp(v) - c - e * v).sum(1), **VAE)
    assert f"{words}" in kl or words.rstrip("; ") in kl, kl


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_a_reduced_batch_is_taken_apart_too(reduction):
    def kl(*a):
        value = (each(*a) - 0.5 * (a[0] - a[2]) ** 2 * np.exp(-a[3])).sum(1)
        return getattr(value, reduction)()

    assert "the mean term ½ Σ (μ1 - μ0)²/σ1² is left out" in said(kl, reduction=reduction, **LOGVAR)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m0, l0, m1, l1: (m0, np.clip(l0, -3, 3), m1, np.clip(l1, -3, 3)), "[-3, 3]"),
        (lambda m0, l0, m1, l1: (m0, l0, m1, np.roll(l1, 1, axis=1)), "second law's scales"),
        (lambda m0, l0, m1, l1: (m0, l0, m1[::-1], l1[::-1]), "rows are mixed"),
        (lambda m0, l0, m1, l1: (m0, l0, 0 * m1, 0 * l1), "N(0, I) stands for it"),
        (lambda m0, l0, m1, l1: (m0, m1, l0, l1), "in the order mean, mean, scale, scale"),
        (
            lambda m0, l0, m1, l1: (m0, np.log(np.exp(l0) + 1e-5), m1, np.log(np.exp(l1) + 1e-5)),
            "1e-05 is added to the variances",
        ),
    ],
)
def test_laws_that_are_read_otherwise(change, words):
    assert words in said(lambda *a: each(*change(*a)).sum(1), **LOGVAR)


def test_what_is_added_below_a_quotient_alone():
    def kl(m0, l0, m1, l1):
        below = np.exp(l1) + 1e-3
        return 0.5 * ((m1 - m0) ** 2 / below + np.exp(l0) / below - 1 - (l0 - l1)).sum(1)

    assert "0.001 is added to the variances of the second law everywhere but" in said(kl, **LOGVAR)


def test_rounded_arguments_and_random_answers():
    def single(*a):
        return each(*(x.astype(np.float32) for x in a)).astype(float).sum(1)

    assert "it works in float32" in said(single, **LOGVAR)
    short = said(lambda *a: np.round(each(*a).sum(1), 6), **LOGVAR)
    nothing = said(lambda *a: 0 * a[0][:, 0], **LOGVAR)
    assert "it works in" not in short and "it works in" not in nothing
    rng = np.random.default_rng(0)
    noisy = said(lambda *a: each(*a).sum(1) * (1 + 0.1 * rng.standard_normal()), **LOGVAR)
    assert "two equal calls differ" in noisy


def test_what_every_row_gets():
    assert "every row gets the sum over the whole batch" in said(
        lambda *a: np.full(len(a[0]), each(*a).sum()), **LOGVAR
    )
    isotropic = said(
        lambda m0, s0, m1, s1: (
            4 * np.log(s1 / s0)[:, 0]
            - 2
            + ((4 * s0**2)[:, 0] + ((m0 - m1) ** 2).sum(1)) / (2 * s1**2)[:, 0]
        )
    )
    assert "4 stands for d" in isotropic


@pytest.mark.parametrize(
    ("wrong", "part"),
    [
        (lambda m0, l0, m1, l1: 0.01 * np.sin(m0 - m1) ** 2, "the mean term"),
        (lambda m0, l0, m1, l1: 0.01 * np.sin(l0 - l1) ** 2, "the trace or log term"),
        (lambda m0, l0, m1, l1: 0.01 * np.sin(5 * m0) ** 2, ""),
    ],
)
def test_what_nothing_explains_claims_nothing(wrong, part):
    evidence = sp.check_kl(lambda *a: (each(*a) + wrong(*a)).sum(1), **LOGVAR)
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == ()
    assert evidence.diagnosis.sentence.startswith("No known")
    assert part in evidence.diagnosis.sentence


def test_half_precision_claims_only_what_it_can_see():
    torch = pytest.importorskip("torch")

    def kl(mu, logvar, noise):
        return (0.5 * (mu**2 + logvar.exp() - 1 - logvar) * (1 + noise * torch.sin(9 * mu))).sum(1)

    given = VAE | {"framework": "torch", "dtype": torch.bfloat16, "tolerance": 0.05}
    evidence = sp.check_kl(lambda m, v: kl(m, v, 0.6), **given)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ()
    doubled = sp.check_kl(lambda m, v: 2 * kl(m, v, 0.0), **given)
    assert "doubled" in doubled.explain()
