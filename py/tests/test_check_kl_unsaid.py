"""`check_kl` where nobody said what its arguments are: shapes of scales, order, names, library."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof import CallableError

check = sp.check_kl


def due(m0, s0, m1, s1):
    each = np.log(s1 / s0) + (s0**2 + (m0 - m1) ** 2) / (2 * s1**2) - 0.5
    return np.sum(each, axis=1)


def named(*names, body="due(a, b, c, d)", extra=None):
    """A function of these arguments; ``body`` of a, b, c, d (a law beside N(0, 1): a and b)."""
    scope = {"np": np, "due": due, **(extra or {})}
    lines = [
        f"def kl({', '.join(names)}):",
        f"    {', '.join('abcd'[: len(names)])} = {', '.join(names)}",
    ]
    exec("\n".join([*lines, f"    return {body}"]), scope)
    return scope["kl"]


FOUR = ("mu_q", "std_q", "mu_p", "std_p")


def test_scales_have_the_shape_of_the_means_where_they_may():
    evidence = check(named(*FOUR))
    assert evidence, evidence.explain()
    assert "scales (n, d), one for each coordinate" in evidence.coverage.describe()


def test_scales_are_one_number_where_no_others_are_taken():
    def kl(mu_q, std_q, mu_p, std_p):
        d, squared = mu_q.shape[1], np.sum((mu_q - mu_p) ** 2, axis=1, keepdims=True)
        return d * np.log(std_p / std_q) + (d * std_q**2 + squared) / (2 * std_p**2) - d / 2

    evidence = check(kl)
    assert evidence, evidence.explain()
    text = evidence.coverage.describe()
    assert "scales (n, 1), one for all coordinates, as it takes none of (n, d)" in text


@pytest.mark.parametrize(
    "body",
    [
        "due(a, b[:, :1], c, d[:, :1])",
        "due(a, b, c, d) + (b.shape[1] > 1) * np.std(np.log(b), axis=1)",
        "due(a, b[:, ::-1], c, d)",
    ],
    ids=["first alone", "no sum", "reversed"],
)
def test_what_is_wrong_of_scales_that_differ_does_not_hold(body):
    evidence = check(named(*FOUR, body=body))
    assert evidence.verdict == "undecided"
    assert 'pass form="isotropic" or form="diagonal", whichever it is to take' in evidence.sentence
    assert any("Of scales (n, d): KL of diagonal" in n for n in evidence.notes)
    assert check(named(*FOUR, body=body), form="isotropic")
    assert check(named(*FOUR, body=body), form="diagonal").verdict == "refuted"


def test_matrices_are_found_out():
    def kl(mu0, precision0, mu1, precision1):
        off, logs = mu1 - mu0, [np.linalg.slogdet(p)[1] for p in (precision0, precision1)]
        trace = np.trace(precision1 @ np.linalg.inv(precision0), axis1=1, axis2=2)
        squared = np.einsum("ni,nij,nj->n", off, precision1, off)
        return (trace + squared - mu0.shape[1] + logs[0] - logs[1]) / 2

    assert check(kl, form="full")
    evidence = check(kl)
    assert evidence, evidence.explain()
    assert "scales (n, d, d), matrices, as it takes no others" in evidence.coverage.describe()
    with pytest.raises(CallableError, match="ZeroDivisionError"):
        check(lambda mu0, std0, mu1, std1: 1 / 0)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (("mu_p", "std_p", "mu_q", "std_q"), ("p", "q")),
        (("mu_old", "std_old", "mu_new", "std_new"), ("old", "new")),
        (("mean_pred", "std_pred", "mean_true", "std_true"), ("pred", "true")),
    ],
    ids=lambda v: "-".join(v) if len(v) == 2 else None,
)
def test_an_order_that_names_leave_open_is_tried_both_ways_and_said(names, words):
    first, second = words
    evidence = check(named(*names))
    assert evidence, evidence.explain()
    text = "N_0 is the law that is marked {}, N_1 the one marked {}"
    assert text.format(first, second) in evidence.sentence
    turned = check(named(*names, body="due(c, d, a, b)"))
    assert turned, turned.explain()
    assert text.format(second, first) in turned.sentence
    wrong = check(named(*names, body="2 * due(c, d, a, b)"))
    assert wrong.verdict == "refuted" and text.format(first, second) in wrong.sentence


@pytest.mark.parametrize(
    ("names", "body"),
    [
        (("prior_mean", "prior_std", "post_mean", "post_std"), "due(c, d, a, b)"),
        (("post_mean", "post_std", "prior_mean", "prior_std"), "due(a, b, c, d)"),
        (("prior_mu", "prior_std", "mu", "std"), "due(c, d, a, b)"),
        (("mean2", "std2", "mean1", "std1"), "due(c, d, a, b)"),
        (("mu", "sigma", "mu2", "sigma2"), "due(a, b, c, d)"),
        (("mu", "logvar", "mu2", "std2"), "due(a, np.exp(b / 2), c, d)"),
        (("mu1", "std1", "mu2", "logvar2"), "due(a, b, c, np.exp(d / 2))"),
    ],
)
def test_an_order_that_names_say(names, body):
    evidence = check(named(*names, body=body))
    assert evidence, evidence.explain()
    assert "N_0 is" not in evidence.sentence
    turned = {"due(c, d, a, b)": "due(a, b, c, d)", "due(a, b, c, d)": "due(c, d, a, b)"}.get(body)
    if turned is not None:
        other = check(named(*names, body=turned))
        assert other.verdict == "refuted"
        assert 'if that is what is meant, pass quantity="reverse"' in other.explain()


@pytest.mark.parametrize(
    ("name", "sigma"),
    [
        ("log_s2", "np.exp({} / 2)"),
        ("logs2", "np.exp({} / 2)"),
        ("log_sigma_sq", "np.exp({} / 2)"),
        ("lv", "np.exp({} / 2)"),
        ("logsigma", "np.exp({})"),
        ("log_std", "np.exp({})"),
        ("ls", "np.exp({})"),
        ("raw_scale", "np.logaddexp(0, {})"),
        ("unconstrained_std", "np.logaddexp(0, {})"),
        ("raw_scale", "np.exp({})"),
        ("pre_std", "np.exp({} / 2)"),
    ],
)
def test_names_of_scales(name, sigma):
    alone = check(named("mu", name, body=f"due(a, {sigma.format('b')}, 0.0, 1.0)"))
    assert alone, alone.explain()
    body = f"due(a, {sigma.format('b')}, c, {sigma.format('d')})"
    pair = check(named("mu_q", f"{name}_q", "mu_p", f"{name}_p", body=body))
    assert pair, pair.explain()
    if "raw" in name or "pre" in name:
        of = {"np.exp({})": "log standard deviations", "np.exp({} / 2)": "log-variances"}
        words = of.get(sigma, "what softplus makes σ of")
        assert f"scales are taken for {words}" in pair.sentence


@pytest.mark.parametrize("prior", [0.1, 10.0])
def test_numbers_before_softplus_stay_where_an_exponential_is_a_number(prior):
    def bnn(mu, rho):
        s = np.log1p(np.exp(rho))
        return np.log(prior) - np.log(s) + (s**2 + mu**2) / (2 * prior**2) - 0.5

    given = {"fixed": {"mean1": 0.0, "scale1": prior}, "reduction": "sum"}
    evidence = check(lambda mu, rho: bnn(mu, rho).sum(), **given)
    assert evidence, evidence.explain()
    assert check(lambda mu, rho: 1.001 * bnn(mu, rho).sum(), **given).verdict == "refuted"


def test_methods_of_tensors_say_the_library():
    pytest.importorskip("torch")

    def kl(mu, logvar):
        return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(-1)

    assert check(kl)
    assert check(lambda mu, logvar: 2 * kl(mu, logvar)).verdict == "refuted"
    with pytest.raises(CallableError, match="AttributeError"):
        check(lambda mu, logvar: mu.nothing_of_the_kind())


@pytest.mark.parametrize("ends", [(-6, 2), (-3, 1)])
def test_clamps_with_two_ends_name_both(ends):
    def kl(mu, logvar):
        logvar = np.clip(logvar, *ends)
        return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)

    evidence = check(kl)
    assert evidence.diagnosis.names == ("clamp_both_ends",), evidence.explain()
    text = f"log-variances are clamped to [{ends[0]}, {ends[1]}], at both ends"
    assert text in evidence.explain()


def test_a_clamp_that_is_reached_once_is_named():
    def kl(mu, logvar):
        logvar = np.clip(logvar, -20, 2)
        return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)

    assert check(kl).diagnosis.names == ("clamp_above",)


def _of_single_letters(m1, m2, v1, v2):
    return 0.5 * (np.log(v2 / v1) + (v1 + (m1 - m2) ** 2) / v2 - 1).sum(1)


def _of_deviations(m0, m1, s0, s1):
    return _of_single_letters(m0, m1, s0**2, s1**2)


def _both_ways(m1, m2, v1, v2):
    return (0.25 * ((m1 - m2) ** 2 + (v1 + v2)) * (1 / v1 + 1 / v2) - 1).sum(1)


@pytest.mark.parametrize(
    ("function", "quantity"),
    [(_of_single_letters, "kl"), (_of_deviations, "kl"), (_both_ways, "symmetric")],
)
def test_single_letters_say_the_order_where_nobody_says_a_form(function, quantity):
    assert check(function, quantity=quantity)


def test_twice_what_single_letters_say_is_refuted():
    found = check(lambda m1, m2, v1, v2: 2 * _of_single_letters(m1, m2, v1, v2))
    assert found.verdict == "refuted", found.sentence


LETTERS = {
    ("m1", "v1", "m2", "v2"): "due(a, b**0.5, c, d**0.5)",
    ("m1", "m2", "v1", "v2"): "due(a, c**0.5, b, d**0.5)",
    ("v1", "m1", "v2", "m2"): "due(b, a**0.5, d, c**0.5)",
    ("m0", "m1", "v0", "v1"): "due(a, c**0.5, b, d**0.5)",
    ("mq", "mp", "vq", "vp"): "due(a, c**0.5, b, d**0.5)",
    ("m1", "m2", "s1", "s2"): "due(a, c, b, d)",
    ("m_q", "m_p", "s_q", "s_p"): "due(a, c, b, d)",
}


@pytest.mark.parametrize("names", LETTERS, ids=" ".join)
@pytest.mark.parametrize("said", ["nothing", "parameterization", "both"])
def test_letters_say_the_order_whatever_else_is_said(names, said):
    kind = "std" if any(n.startswith("s") for n in names) else "variance"
    options = {"form": "diagonal"} if said == "both" else {}
    if said in ("parameterization", "both"):
        options["parameterization"] = kind
    assert check(named(*names, body=LETTERS[names]), **options)
    wrong = check(named(*names, body=f"2 * {LETTERS[names]}"), **options)
    assert wrong.verdict == "refuted" and wrong.diagnosis.names == ("twice_everything",)


def test_what_is_said_goes_before_what_a_letter_says():
    body = "due(a, np.exp(c / 2), b, np.exp(d / 2))"
    assert check(named("m1", "m2", "v1", "v2", body=body), parameterization="logvar")


@pytest.mark.parametrize("names", LETTERS, ids=" ".join)
def test_beside_a_form_letters_say_the_order_and_scales_are_standard_deviations(names):
    body = LETTERS[names].replace("**0.5", "")
    assert check(named(*names, body=body), form="diagonal")
    if body != LETTERS[names]:  # it takes variances
        evidence = check(named(*names, body=LETTERS[names]), form="diagonal")
        assert evidence.verdict == "refuted" and "read as variance" in evidence.explain()
