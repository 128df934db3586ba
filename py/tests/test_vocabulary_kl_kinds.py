"""What `check_kl` says of the rarer scales and quantities, each by a function that has it."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.kl.wanted import mirrored

LOG_2_PI_E = float(np.log(2 * np.pi * np.e))
ROLES = ("mean0", "scale0", "mean1", "scale1")
VARIANCES = {"form": "diagonal", "parameterization": "variance", "given": ROLES}


def said(kl, **options):
    evidence = sp.check_kl(kl, **options)
    assert evidence.verdict == "refuted"
    return evidence.explain()


def one_way(m0, v0, m1, v1):
    return 0.5 * ((m1 - m0) ** 2 / v1 + v0 / v1 - 1 - np.log(v0 / v1)).sum(1)


def cross(m0, v0, m1, v1):
    return 0.5 * (np.log(2 * np.pi * v1) + ((m0 - m1) ** 2 + v0) / v1).sum(1)


def renyi(m0, v0, m1, v1, a):
    mixed = a * v1 + (1 - a) * v0
    logs = np.log(mixed) - (1 - a) * np.log(v0) - a * np.log(v1)
    return (a / 2 * (m0 - m1) ** 2 / mixed - logs / (2 * (a - 1))).sum(1)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("logvar", "scales are log-variances, negative and 0 among them"),
        ("precision", "scales are precisions, all positive"),
        ("logprecision", "scales are logarithms of precisions, negative and 0 among them"),
        ("softplus", "scales are what softplus makes σ of, negative and 0 among them"),
    ],
)
def test_what_a_logarithm_of_a_scale_may_be(kind, words):
    with np.errstate(all="ignore"), pytest.raises(sp.CallableError, match=words):
        sp.check_kl(lambda m, s: np.log(s - 1).sum(1), form="diagonal", parameterization=kind,
                    against="standard")  # fmt: skip


def test_a_factor_of_a_precision_taken_as_upper_triangular():
    def kl(m0, f0, m1, f1):
        p0, p1 = (np.swapaxes(f, 1, 2) @ f for f in (f0, f1))
        gap, c0 = m1 - m0, np.linalg.inv(p0)
        mean = np.einsum("ni,nij,nj->n", gap, p1, gap)
        logs = np.linalg.slogdet(p0)[1] - np.linalg.slogdet(p1)[1]
        return 0.5 * (mean + np.einsum("nij,nji->n", p1, c0) - gap.shape[1] + logs)

    told = said(kl, form="full", parameterization="precision_tril")
    assert "(Lᵀ L)⁻¹ for (L Lᵀ)⁻¹" in told


def test_a_clamp_of_what_goes_into_softplus():
    def kl(mu, rho):
        variance = np.logaddexp(0, np.maximum(rho, 0.3)) ** 2
        return one_way(mu, variance, 0 * mu, 1 + 0 * mu)

    assert "numbers before softplus are clamped to at least 0.3" in said(kl)


@pytest.mark.parametrize(
    ("due", "kl", "words"),
    [
        (
            "jeffreys",
            lambda m0, v0, m1, v1: (one_way(m0, v0, m1, v1) + one_way(m1, v1, m0, v0)) / 2,
            "½ KL(N_0 ‖ N_1) + ½ KL(N_1 ‖ N_0), the average of both directions",
        ),
        (
            "cross_entropy",
            lambda m0, v0, m1, v1: 0.5 * (LOG_2_PI_E + np.log(v0)).sum(1),
            "it is the entropy of the first law, where the cross entropy",
        ),
        (
            "cross_entropy",
            lambda m0, v0, m1, v1: 0.5 * (LOG_2_PI_E + np.log(v1)).sum(1),
            "it is the entropy of the second law, where the cross entropy",
        ),
        (
            "cross_entropy",
            lambda m0, v0, m1, v1: cross(m1, v1, m0, v0),
            "it is the cross entropy -E_1 log p_0",
        ),
        ("bhattacharyya", lambda *laws: -one_way(*laws), "it is minus KL(N_0 ‖ N_1)"),
        ("symmetric", lambda *laws: one_way(*laws) / 2, "it is half of KL(N_0 ‖ N_1)"),
    ],
)
def test_another_quantity(due, kl, words):
    assert words in said(kl, quantity=due, **VARIANCES)


def test_the_order_inverted():
    told = said(lambda *a: renyi(*a, 0.25), quantity="renyi", order=4, **VARIANCES)
    assert "that of order 1/α" in told


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (lambda v: np.log(v.sum(1)), "log Σ σ², the logarithm of a sum"),
        (lambda v: np.log1p(v).sum(1), "log(1 + σ²), log1p"),
        (lambda v: abs(np.log(v)).sum(1), "|log σ²|, an absolute value"),
    ],
)
def test_another_logarithm_in_an_entropy(log, words):
    def entropy(var):
        return 0.5 * (log(var) + var.shape[1] * LOG_2_PI_E)

    assert words in said(entropy, quantity="entropy")


def test_the_log_term_of_matrices():
    a = 0.4

    def kl(m0, c0, m1, c1):
        star, gap = a * c1 + (1 - a) * c0, m1 - m0
        logs = [np.linalg.slogdet(c)[1] for c in (star, c0, c1)]
        mean = np.einsum("ni,ni->n", gap, np.linalg.solve(star, gap[:, :, None])[:, :, 0])
        return a / 2 * mean - (logs[0] - (1 - a) * logs[1] - a * logs[2]) / (a - 1)

    told = said(kl, form="full", quantity="renyi", order=a)
    assert "log term -½/(α - 1) log det C*/(det C0^(1-α) det C1^α) is doubled" in told


def test_what_nothing_explains_is_not_named():
    def entropy(log_std):
        return (log_std + LOG_2_PI_E / 2 + 0.1 * np.sin(9 * log_std)).sum(1)

    assert "No known mistake explains every value" in said(entropy, quantity="entropy")


def test_a_sentence_of_laws_exchanged():
    assert mirrored("KL(N_0 ‖ N_1), σ0², the first law's C1") == (
        "KL(N_1 ‖ N_0), σ1², the second law's C0"
    )
