"""gaussian_kl: known values, the stable form, and check_kl on the truth, on every fault and on bad
input.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoreproof as sp
from scoreproof.claims.gaussian_kl.faults import EDITS, compose, of_form
from scoreproof.claims.gaussian_kl.stable import excess, stable_diagonal, stable_isotropic
from scoreproof.claims.gaussian_kl.statement import TRUTH
from scoreproof.numerics.balls import precision
from scoreproof.numerics.cubature import expectation, random_rotation
from scoreproof.public.kl.words import native

positive = st.floats(0.1, 10)


def batched(subject, form):
    """A subject of the claim as a user's batched function, with standard deviations (isotropic) or
    log-variances.
    """

    def kl(mu0, s0, mu1, s1):
        rows = zip(mu0, s0, mu1, s1, strict=True)
        if form == "isotropic":
            return np.array([subject.isotropic(a, b[0], c, d[0]) for a, b, c, d in rows])
        return np.array([getattr(subject, form)(a, b, c, d) for a, b, c, d in rows])

    return kl


def options(form):
    return {"form": form, "parameterization": "logvar" if form == "diagonal" else "std"}


def test_known_values():
    zero, one = np.zeros(2), np.ones(2)
    assert TRUTH.isotropic(zero, 1.0, zero, 1.0) == 0
    assert TRUTH.isotropic(zero, 1.0, one, 1.0) == 1.0
    assert TRUTH.isotropic(np.zeros(0), 2.0, np.zeros(0), 3.0) == 0, "d = 0"
    assert np.isclose(TRUTH.diagonal(zero, zero, one, zero), 1.0)
    assert np.isclose(TRUTH.full(zero, np.eye(2), one, np.eye(2)), 1.0)


@given(st.integers(1, 6), positive, positive, st.integers(0, 2**32 - 1))
def test_the_forms_agree_and_are_not_negative(d, s0, s1, seed):
    m0, m1 = np.random.default_rng(seed).standard_normal((2, d))
    value = TRUTH.isotropic(m0, s0, m1, s1)
    assert value >= -1e-12
    assert np.isclose(value, stable_isotropic(m0, s0, m1, s1), rtol=1e-9, atol=1e-12)
    assert np.isclose(
        value,
        TRUTH.diagonal(m0, np.full(d, 2 * np.log(s0)), m1, np.full(d, 2 * np.log(s1))),
        rtol=1e-9,
        atol=1e-11,
    )
    assert np.isclose(
        value, TRUTH.full(m0, s0**2 * np.eye(d), m1, s1**2 * np.eye(d)), rtol=1e-9, atol=1e-11
    )


@given(st.floats(-0.9, 5))
def test_excess_matches_where_nothing_cancels(r):
    if abs(r) > 0.2:
        assert np.isclose(float(excess(r)), r - np.log1p(r), rtol=1e-13)
    else:
        from flint import arb

        with precision(2200):  # r may be as small as a float can be
            exact = arb(r) - (1 + arb(r)).log()
            assert r == 0 or abs(arb(float(excess(r))) / exact - 1) < 1e-15 or abs(r) < 1e-150


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_cubature_is_exact_for_cubics(d, seed):
    rng = np.random.default_rng(seed)
    mean, root = rng.standard_normal(d), rng.standard_normal((d, d))
    v = rng.standard_normal(d)
    value = expectation(lambda x: (x @ v) ** 3, mean, root, random_rotation(rng, d))
    m, s2 = mean @ v, np.sum((root.T @ v) ** 2)
    assert np.isclose(value, m**3 + 3 * m * s2, rtol=1e-9, atol=1e-9 * (abs(m) + np.sqrt(s2)) ** 3)


@pytest.mark.parametrize("form", ["isotropic", "diagonal", "full"])
def test_truth_holds(form):
    evidence = sp.check_kl(batched(TRUTH, form), **options(form))
    assert evidence, evidence.explain()


@pytest.mark.parametrize("name", EDITS)
def test_every_fault_is_refuted_and_named(name):
    form = EDITS[name][0]
    evidence = sp.check_kl(batched(compose((name,)), form), **options(form))
    assert evidence.verdict == "refuted"
    assert name in evidence.diagnosis.names, evidence.explain()


def test_nine_of_ten_pairs_are_named():
    right = total = 0
    for form in ("isotropic", "diagonal", "full"):
        for pair in combinations(of_form(form), 2):
            subject = compose(pair)
            if subject is None:
                continue
            evidence = sp.check_kl(batched(subject, form), **options(form))
            total += 1
            right += evidence.verdict == "refuted" and " + ".join(pair) in evidence.diagnosis.names
    assert total > 40
    assert right >= 0.9 * total


@pytest.mark.parametrize("parameterization", ["std", "variance", "logvar"])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_parameterizations_and_reductions(parameterization, reduction):
    to_std = {"std": lambda s: s, "variance": np.sqrt, "logvar": lambda v: np.exp(v / 2)}[
        parameterization
    ]
    reduce = {"none": lambda v: v, "sum": np.sum, "mean": np.mean}

    def kl(mu0, s0, mu1, s1, how=reduction):
        s0, s1 = to_std(s0), to_std(s1)
        return reduce[how](
            ((mu1 - mu0) ** 2 / (2 * s1**2) + (s0**2 / s1**2 - 1) / 2 + np.log(s1 / s0)).sum(axis=1)
        )

    given = {"form": "diagonal", "parameterization": parameterization}
    assert sp.check_kl(kl, reduction=reduction, **given)
    if reduction == "mean":
        wrong = sp.check_kl(lambda *a: kl(*a, how="sum"), reduction="mean", **given)
        assert "sum_for_mean" in wrong.diagnosis.names


def test_the_vae_loss_in_torch_float32():
    torch = pytest.importorskip("torch")

    def kl(mu, logvar):
        return -0.5 * (1 + logvar - mu**2 - logvar.exp()).sum(dim=1)

    given = {
        "form": "diagonal",
        "parameterization": "logvar",
        "against": "standard",
        "framework": "torch",
        "dtype": torch.float32,
    }
    evidence = sp.check_kl(kl, **given)
    assert evidence, evidence.explain()
    assert evidence.bound > 1e-7
    wrong = sp.check_kl(lambda mu, logvar: kl(mu, 2 * logvar), **given)
    assert "logvar_as_logstd" in wrong.diagnosis.names


def stable_vae(mu, logvar, xp=np):
    return 0.5 * (mu**2 + xp.expm1(logvar) - logvar).sum(1)


def printed_vae(mu, logvar, xp=np):
    return -0.5 * (1 + logvar - mu**2 - xp.exp(logvar)).sum(1)


@pytest.mark.parametrize("form", ["isotropic", "diagonal", "full"])
def test_digits_lost_near_equal_laws_are_a_note(form):
    evidence = sp.check_kl(batched(TRUTH, form), **options(form))
    assert evidence
    assert "log1p" in evidence.explain()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_stable_form_gets_no_note(dtype):
    given = {
        "form": "diagonal",
        "parameterization": "logvar",
        "against": "standard",
        "dtype": dtype,
    }
    assert sp.check_kl(stable_vae, **given).notes == ()
    evidence = sp.check_kl(printed_vae, **given)
    assert evidence
    assert len(evidence.notes) == 1


def test_the_vae_loss_in_jax():
    jax = pytest.importorskip("jax")
    given = {
        "form": "diagonal",
        "parameterization": "logvar",
        "against": "standard",
        "framework": "jax",
    }
    assert sp.check_kl(jax.jit(lambda m, v: stable_vae(m, v, jax.numpy)), **given)
    wrong = sp.check_kl(lambda m, v: 0.5 * (m**2 + jax.numpy.exp(v) - v).sum(1), **given)
    assert wrong.diagnosis.names == ("diagonal_no_minus_one",)


@pytest.mark.parametrize(
    ("parameterization", "read", "name"),
    [
        ("std", lambda s: s, "std_as_variance"),
        ("variance", lambda v: v**2, "variance_as_std"),
        ("variance", np.exp, "variance_as_logvar"),
        ("logvar", lambda v: v**2, "logvar_as_std"),
        ("logvar", lambda v: np.exp(2 * v), "logvar_as_logstd"),
    ],
)
@pytest.mark.parametrize("form", ["isotropic", "diagonal"])
def test_a_misread_scale_is_named(parameterization, read, name, form):
    def kl(mu0, scale0, mu1, scale1):
        v0, v1 = read(scale0), read(scale1)
        return 0.5 * ((mu1 - mu0) ** 2 / v1 + v0 / v1 - 1 + np.log(v1 / v0)).sum(axis=1)

    evidence = sp.check_kl(kl, form=form, parameterization=parameterization)
    assert evidence.verdict == "refuted"
    assert name in evidence.diagnosis.names, evidence.explain()


@pytest.mark.parametrize(
    ("change", "reduction", "name"),
    [
        (lambda v, d: v.sum() / np.log(2), "sum", "bits_for_nats"),
        (lambda v, d: v.mean(), "sum", "mean_for_sum"),
        (lambda v, d: v.mean() / d, "sum", "mean_for_sum + mean_over_dimensions"),
        (lambda v, d: 2 * v, "none", "twice_everything"),
    ],
)
def test_reductions_and_units_are_named(change, reduction, name):
    given = {
        "form": "diagonal",
        "parameterization": "logvar",
        "against": "standard",
        "reduction": reduction,
    }
    evidence = sp.check_kl(lambda mu, logvar: change(stable_vae(mu, logvar), mu.shape[1]), **given)
    assert evidence.diagnosis.names == (name,)


@given(st.integers(1, 5), st.floats(1e-12, 1e-2), st.integers(0, 2**32 - 1))
def test_stable_forms_keep_their_digits(d, gap, seed):
    from flint import arb

    rng = np.random.default_rng(seed)
    m0, v1 = rng.standard_normal((2, d))
    m1, v0 = m0 + gap * rng.standard_normal(d), v1 + gap * rng.standard_normal(d)
    stable = stable_diagonal(m0, v0, m1, v1)
    with precision(400):
        a, b, c, e = (
            np.array([arb(float(x)) for x in row], dtype=object) for row in (m0, v0, m1, v1)
        )
        exact = TRUTH.diagonal(a, b, c, e)
        assert abs(arb(stable) / exact - 1) < 1.8e-15


def test_calls_are_counted():
    from scoreproof.interop.callables import Guarded

    for form in ("isotropic", "full"):
        guard = Guarded(batched(TRUTH, form), "kl")
        assert sp.check_kl(guard, form=form).cost == {"calls": 5}
        assert guard.calls == 5
    guard = Guarded(lambda m0, s0, m1, s1: 0 * m0[:, 0], "kl")
    assert sp.check_kl(guard).cost == {"calls": 4}
    assert guard.calls == 4


@given(st.integers(0, 2**32 - 1))
def test_the_verdict_is_the_same_for_every_seed(seed):
    for form in ("isotropic", "diagonal", "full"):
        evidence = sp.check_kl(batched(TRUTH, form), seed=seed, **options(form))
        assert evidence, evidence.explain()


@pytest.mark.parametrize(
    ("kl", "more", "message"),
    [
        (lambda *a: 1 / 0, {}, r"kl must return normally \(it raised ZeroDivisionError"),
        (lambda *a: np.zeros(5), {}, r"kl must return an array of shape \(6,\)"),
        (lambda *a: np.full(6, np.nan), {}, "6 of 6 entries are nan"),
        (lambda *a: "kl", {}, "numbers"),
        (lambda mu0, *a: mu0.fill(0), {}, "kl must"),
        (lambda *a: 0, {"form": "round"}, "form must be one of isotropic, diagonal, full"),
        (lambda *a: 0, {"reduction": "batchmean"}, "reduction must be one of"),
        (3, {}, "kl must be callable"),
    ],
)
def test_bad_input_has_one_clear_error(kl, more, message):
    with pytest.raises(sp.ScoreproofError, match=message):
        sp.check_kl(kl, **more)


def test_native_parameters():
    cov = np.diag([4.0, 4.0])
    assert native(cov, "isotropic") == 2.0
    assert np.allclose(native(cov, "diagonal"), np.log(4))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda m0, s0, m1, s1: (
            ((m1 - m0) ** 2 / (2 * s1**2)).sum(1)
            + ((s0**2 / s1**2 - 1) / 2 + np.log(s1 / s0))[:, 0] * 3
        ),
        lambda m0, s0, m1, s1: plain(m0, np.clip(s0, 0.3, 3), m1, np.clip(s1, 0.3, 3)),
        lambda m0, s0, m1, s1: plain(np.clip(m0, -4, 4), s0, np.clip(m1, -4, 4), s1),
    ],
    ids=["the dimension by heart", "clipped scales", "clipped means"],
)
def test_code_that_is_right_on_one_shape_or_range_only_is_refuted(wrong):
    assert sp.check_kl(plain)
    assert sp.check_kl(wrong).verdict == "refuted"


def test_a_batch_size_known_by_heart_is_refuted():
    assert sp.check_kl(lambda *a: plain(*a).mean(), reduction="mean")
    assert sp.check_kl(lambda *a: plain(*a).sum() / 6, reduction="mean").verdict == "refuted"


def plain(m0, s0, m1, s1):
    return ((m1 - m0) ** 2 / (2 * s1**2) + (s0**2 / s1**2 - 1) / 2 + np.log(s1 / s0)).sum(axis=1)
