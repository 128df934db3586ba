"""check_kl: the truth in every form and precision, every fault, thresholds and summands, laws and
batches that a narrower look would miss, and bad input.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoreproof as sp
from scoreproof.claims.gaussian_kl.faults import EDITS, compose, of_form
from scoreproof.claims.gaussian_kl.statement import TRUTH
from scoreproof.public.kl.words import native


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


def test_calls_are_counted():
    from scoreproof.interop.callables import Guarded

    for form in ("isotropic", "full"):
        guard = Guarded(batched(TRUTH, form), "kl")
        evidence = sp.check_kl(guard, form=form)
        assert evidence.cost == {"calls": guard.calls}
        assert guard.calls == (18 if form == "isotropic" else 16)
    guard = Guarded(lambda m0, s0, m1, s1: 0 * m0[:, 0], "kl")
    wrong = sp.check_kl(guard, form="isotropic")
    assert wrong.cost == {"calls": 16}, "what is wrong is not asked at the extremes"
    assert guard.calls == 16  # and once more: is it a function?


@settings(max_examples=10)
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
        lambda m0, s0, m1, s1: plain(whole(m0, 32), s0, whole(m1, 32), s1),
        lambda m0, s0, m1, s1: plain(whole(m0, 128), s0, whole(m1, 128), s1),
    ],
    ids=["the dimension by heart", "clipped scales", "clipped means", "chunks", "long chunks"],
)
def test_code_that_is_right_on_one_shape_or_range_only_is_refuted(wrong):
    assert sp.check_kl(plain)
    assert sp.check_kl(wrong).verdict == "refuted"


def test_a_batch_size_known_by_heart_is_refuted():
    assert sp.check_kl(lambda *a: plain(*a).mean(), reduction="mean")
    assert sp.check_kl(lambda *a: plain(*a).sum() / 6, reduction="mean").verdict == "refuted"


def whole(array, size):
    """Long rows in chunks, the incomplete last one forgotten."""
    d = array.shape[1]
    return array[:, : d - d % size] if d > size else array


def plain(m0, s0, m1, s1):
    return ((m1 - m0) ** 2 / (2 * s1**2) + (s0**2 / s1**2 - 1) / 2 + np.log(s1 / s0)).sum(axis=1)


def diagonal(m0, l0, m1, l1):
    return 0.5 * ((m1 - m0) ** 2 * np.exp(-l1) + np.exp(l0 - l1) - 1 - (l0 - l1)).sum(axis=1)


LOGVAR = {"form": "diagonal", "parameterization": "logvar"}


def test_a_holds_says_what_it_would_have_seen_and_where():
    for dtype, resolution in (("float64", 1e-8), ("float32", 2e-3)):
        evidence = sp.check_kl(plain, dtype=dtype)
        assert evidence.resolution <= resolution
        assert evidence.coverage.nothing is None
        assert evidence.coverage.left_out == ()
        for said in ("would have been seen", "d = 1, 2, 3, 4, 7, 64 and "):
            assert said in evidence.explain()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda *a: np.maximum(plain(*a), 0.5), "floor at 0.5"),
        (lambda *a: np.maximum(plain(*a), 1e-9), "floor at 1e-09"),
        (lambda *a: np.minimum(plain(*a), 100), "ceiling at 100"),
        (lambda *a: np.minimum(plain(*a), 5000), "ceiling at 5e+03"),
        (lambda *a: plain(*a) + 1e-9, "constant of 1e-09"),
        (lambda *a: np.maximum(plain(*a) - 1e-6, 0), "right to rounding"),
        (lambda *a: np.where(plain(*a) < 1e-4, 0, plain(*a)), "only for close laws"),
        (
            lambda m0, s0, m1, s1: (
                plain(m0, s0, m1, s1)
                + np.log((s1 + 1e-6) / (s0 + 1e-6) / s1 * s0).sum(axis=1) * m0.shape[1]
            ),
            "1e-06 is added to the standard deviations in the logarithm alone",
        ),
        (lambda m0, s0, m1, s1: plain(m0, s0 + 1e-8, m1, s1 + 1e-8), "returns"),
        (lambda m0, s0, m1, s1: plain(m0, s0, m1, np.maximum(s1, 0.01)), "only for scales"),
        (lambda m0, s0, m1, s1: plain(m0, np.minimum(s0, 50), m1, s1), "only for scales"),
        (lambda *a: np.where((a[0] == a[2]).all(1), 0, plain(*a)), "laws with equal means"),
        (
            lambda *a: np.where((a[1] == a[3]).all(1), 0, plain(*a)),
            "only for laws with equal variances",
        ),
        (lambda *a: plain(*a) * (1 + (len(a[0]) == 1)), "a batch of one row"),
        (lambda *a: plain(*a) * (1 + (len(a[0]) > 100)), "only for random laws in d = 4"),
        (lambda *a: plain(*a) * (1 + 1e-6 * (a[0].shape[1] > 32)), "laws in d = 64"),
        (lambda *a: plain(*a) * np.where(a[1] / a[3] > 30, 1.1, 1)[:, 0], "scales from"),
        (lambda *a: plain(*a) * np.where(a[1] / a[3] < 0.01, 0.9, 1)[:, 0], "scales from"),
        (lambda *a: np.sqrt(plain(*a) ** 2 + 1e-12), "equal laws"),
        (lambda *a: np.round(plain(*a), 6), "nearly equal laws"),
    ],
)
def test_what_a_narrower_look_would_miss(wrong, said):
    evidence = sp.check_kl(wrong)
    assert evidence.verdict == "refuted", evidence.explain()
    assert said in evidence.explain()


@pytest.mark.parametrize("c", [0.5, 1e-3, 1e-7])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_free_bits_are_named_whatever_is_done_over_the_batch(c, reduction):
    def kl(m0, l0, m1, l1):
        each = 0.5 * ((m1 - m0) ** 2 * np.exp(-l1) + np.exp(l0 - l1) - 1 - (l0 - l1))
        return {"none": np.asarray, "sum": np.sum, "mean": np.mean}[reduction](
            np.maximum(each, c).sum(axis=1)
        )

    evidence = sp.check_kl(kl, reduction=reduction, **LOGVAR)
    assert evidence.verdict == "refuted"
    assert f"free_bits of {c:.3g}" in evidence.explain()


@pytest.mark.parametrize("coordinate", [0, 3, 6])
def test_one_wrong_coordinate_is_named(coordinate):
    def kl(m0, l0, m1, l1):
        if m0.shape[1] > coordinate:
            l1 = l1.copy()
            l1[:, coordinate] += 1e-3
        return diagonal(m0, l0, m1, l1)

    evidence = sp.check_kl(kl, **LOGVAR)
    assert evidence.verdict == "refuted"
    if coordinate == 3:
        kl = sp.check_kl(
            lambda *a: diagonal(*a) + 0.1 * ((a[0] - a[2]) ** 2)[:, 3:4].sum(1), **LOGVAR
        )
        assert "wrong in coordinate 3 of 7" in kl.explain()


def test_one_wrong_coordinate_of_many():
    def kl(m0, l0, m1, l1):
        return diagonal(m0, l0, m1, l1) + 1e-4 * ((m0 - m1) ** 2)[:, 50:51].sum(1)

    evidence = sp.check_kl(kl, **LOGVAR, dtype="float32")
    assert "wrong in coordinate 50 of 64" in evidence.explain()


@pytest.mark.parametrize(
    "near",
    [
        lambda m0, l0, m1, l1: (
            0.5 * ((m1 - m0) ** 2 / np.exp(l1) + np.exp(l0 - l1)).sum(1)
            - 0.5 * (l0 - l1 + 1).sum(1)
        ),
        lambda m0, l0, m1, l1: (
            0.5
            * (np.expm1(l0 - l1) - (l0 - l1) + (m1 * m1 - 2 * m0 * m1 + m0 * m0) * np.exp(-l1)).sum(
                1
            )
        ),
        lambda m0, l0, m1, l1: (
            0.5 * (l1.sum(1) - l0.sum(1) - m0.shape[1])
            + sum(
                (np.exp(l0[:, j]) + (m0[:, j] - m1[:, j]) ** 2) / (2 * np.exp(l1[:, j]))
                for j in range(m0.shape[1])
            )
        ),
        lambda m0, l0, m1, l1: (
            np.log(np.prod(np.exp((l1 - l0) / 2), axis=1))
            + ((np.exp(l0 / 2) / np.exp(l1 / 2)) ** 2).sum(1) / 2
            - m0.shape[1] / 2
            + (((m0 - m1) / np.exp(l1 / 2)) ** 2).mean(1) * m0.shape[1] / 2
        ),
    ],
    ids=["printed", "expanded", "a loop", "products"],
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_right_formulas_in_other_words_hold(near, dtype):
    for seed in range(3):
        evidence = sp.check_kl(near, dtype=dtype, seed=seed, **LOGVAR)
        assert evidence, evidence.explain()


HALVES = {"bfloat16": 0.3, "float16": 0.04}


@pytest.mark.parametrize("dtype", HALVES)
def test_half_precision_is_judged_at_the_tolerance_that_it_allows(dtype):
    torch = pytest.importorskip("torch")
    vae = {**LOGVAR, "against": "standard", "framework": "torch", "dtype": dtype}

    def kl(mu, logvar):
        return 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1)

    right = sp.check_kl(kl, **vae)
    assert right.verdict == "undecided"
    assert "use float64, or pass tolerance=" in right.sentence
    remedy = float(right.sentence.split("tolerance=")[1])
    held = sp.check_kl(kl, tolerance=remedy, **vae)
    assert held
    assert held.resolution == remedy <= HALVES[dtype]
    for wrong in (
        lambda mu, logvar: 0 * mu.sum(1),
        lambda mu, logvar: torch.clamp(kl(mu, logvar), min=0.5),
        lambda mu, logvar: torch.clamp(kl(mu, logvar), max=5),
        lambda mu, logvar: kl(mu, logvar) * 2,
        lambda mu, logvar: kl(mu, logvar) * (mu.shape[1] < 32),
        lambda mu, logvar: kl(mu, 2 * logvar),
        lambda mu, logvar: kl(mu, logvar) + 0.5 * mu.shape[1],
    ):
        assert sp.check_kl(wrong, tolerance=HALVES[dtype], **vae).verdict == "refuted"
        assert sp.check_kl(wrong, **vae).verdict == "refuted"


def test_half_precision_inside_is_half_precision():
    torch = pytest.importorskip("torch")
    vae = {**LOGVAR, "against": "standard", "framework": "torch"}
    rounded = sp.check_kl(
        lambda mu, logvar: (0.5 * (mu**2 + logvar.exp() - 1 - logvar)).sum(1).half(), **vae
    )
    assert rounded.verdict == "undecided"
    zeros = sp.check_kl(lambda mu, logvar: torch.zeros(len(mu), dtype=torch.bfloat16), **vae)
    assert zeros.verdict == "refuted"


@pytest.mark.parametrize(
    ("amount", "tolerance", "verdict"),
    [
        (1e-4, 1e-3, "holds"),
        (1e-4, 1e-5, "refuted"),
        (1e-4, None, "refuted"),
        (-2e-2, 1e-2, "refuted"),
        (1e-5, 1e-5, "undecided"),
    ],
)
def test_a_tolerance_is_what_the_caller_accepts_of_the_divergence(amount, tolerance, verdict):
    evidence = sp.check_kl(lambda *a: plain(*a) * (1 + amount), tolerance=tolerance)
    assert evidence.verdict == verdict, evidence.explain()
    floor = sp.check_kl(lambda *a: np.maximum(plain(*a), 1e-3), tolerance=0.1)
    assert floor.verdict == "refuted", "a tolerance is no excuse near zero"


@pytest.mark.parametrize(
    ("how", "said"),
    [
        (np.sum, 'a sum over it (reduction="sum")'),
        (np.mean, 'an average over it (reduction="mean")'),
        (lambda v: v.sum(keepdims=True), 'a sum over it (reduction="sum")'),
    ],
    ids=["sum", "mean", "kept"],
)
def test_one_number_for_a_batch_is_read_as_what_it_is(how, said):
    evidence = sp.check_kl(lambda *a: how(plain(*a)))
    assert evidence and said in evidence.sentence, evidence.explain()
    halved = sp.check_kl(lambda *a: how(plain(*a)) / 2)
    assert halved.verdict == "refuted" and halved.diagnosis.names == ("half_of_everything",)
    assert said in halved.sentence


def test_one_number_for_a_batch_that_is_neither_is_refuted():
    for wrong in (lambda v: 0.0, np.max, lambda v: v[0], lambda v: np.sum(v) / (len(v) + 1)):
        assert sp.check_kl(lambda *a, wrong=wrong: wrong(plain(*a))).verdict == "refuted"


def test_what_is_said_of_the_batch_goes_before_what_comes_back():
    with pytest.raises(sp.CallableError, match='pass reduction="sum"'):
        sp.check_kl(lambda *a: plain(*a).sum(), reduction="none")
    with pytest.raises(sp.CallableError, match='pass reduction="sum"'):
        sp.check_kl(lambda mu, logvar: mu.sum(), reduction="none", dims="sum")


def test_one_number_a_coordinate_is_read_as_that():
    def each(mu, logvar):
        return (mu**2 + np.exp(logvar) - 1 - logvar) / 2

    evidence = sp.check_kl(each)
    assert evidence and 'one number a coordinate (dims="none")' in evidence.sentence
    wrong = sp.check_kl(lambda mu, logvar: each(mu, logvar) + 0.25 * mu**2)
    assert wrong.verdict == "refuted" and wrong.diagnosis.names


def test_shapes():
    assert sp.check_kl(lambda *a: plain(*a)[:, None])
    assert sp.check_kl(lambda *a: plain(*a).squeeze()), "() for a batch of one row"
    assert sp.check_kl(lambda *a: plain(*a).sum(keepdims=True), reduction="sum")
    with pytest.raises(sp.CallableError, match='pass reduction="none"'):
        sp.check_kl(plain, reduction="sum")
    with pytest.raises(sp.CallableError, match="sum over the dimensions"):
        sp.check_kl(lambda m0, s0, m1, s1: (m0 - m1) ** 2 / s1, dims="sum")
    with pytest.raises(sp.CallableError, match="it sums over the rows"):
        sp.check_kl(lambda m0, s0, m1, s1: ((m0 - m1) ** 2 / s1).sum(0))
    with pytest.raises(sp.CallableError, match=r"use scale\[:, 0\]"):
        sp.check_kl(lambda m0, s0, m1, s1: ((m0 - m1) ** 2).sum(1) / s1)
    with pytest.raises(sp.CallableError, match="return one number a law"):
        sp.check_kl(lambda *a: plain(*a)[None])


@pytest.mark.parametrize("more", [{"tolerance": 2}, {"tolerance": "x"}, {"seed": -1}])
def test_tolerance_and_seed_are_numbers_of_their_kind(more):
    with pytest.raises(sp.ArgumentError, match=next(iter(more))):
        sp.check_kl(plain, **more)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("bounds", [(-10, 20), (-11, 20), (-30, 8)])
def test_clamped_log_variances_are_refuted_and_wide_clamps_are_not_seen(dtype, bounds):
    vae = {**LOGVAR, "against": "standard", "dtype": dtype}

    def kl(mu, logvar, low=-30, high=20):
        return stable_vae(mu, np.clip(logvar, low, high))

    assert sp.check_kl(kl, **vae)
    assert sp.check_kl(lambda mu, logvar: kl(mu, logvar, *bounds), **vae).verdict == "refuted"


def test_overflow_at_the_extremes_says_where():
    with np.errstate(all="ignore"), pytest.raises(sp.CallableError, match="for scales from"):
        sp.check_kl(lambda m0, s0, m1, s1: plain(m0, s0, m1, s1) * np.exp(700 * (s0[:, 0] > 50)))


@pytest.mark.parametrize("form", ["isotropic", "diagonal"])
def test_a_determinant_in_single_precision_is_a_number(form):
    """A KL by determinants is right as long as they are numbers: the laws asked for are such."""

    def kl(mu0, s0, mu1, s1):
        mu0, s0, mu1, s1 = (np.asarray(a, np.float32) for a in (mu0, s0, mu1, s1))
        s0, s1 = (np.broadcast_to(s, mu0.shape) for s in (s0, s1))
        determinants = np.prod(s1**2, 1) / np.prod(s0**2, 1)
        moved = ((mu0 - mu1) ** 2 / s1**2).sum(1)
        return 0.5 * ((s0**2 / s1**2).sum(1) + moved - mu0.shape[1] + np.log(determinants))

    assert sp.check_kl(kl, form=form)


@pytest.mark.parametrize(("against", "low"), [("pair", -12), ("standard", -14)])
def test_the_log_variances_that_are_asked_are_those_that_the_page_says(against, low):
    asked = []

    def kl(m0, v0, m1=0.0, v1=0.0):
        asked.extend([np.min(v0), np.max(v0), np.min(v1), np.max(v1)])
        gap = (m1 - m0) ** 2 * np.exp(-v1)
        return 0.5 * (v1 - v0 + np.exp(v0 - v1) + gap - 1).sum(axis=1)

    assert sp.check_kl(kl, form="diagonal", parameterization="logvar", against=against)
    assert (round(min(asked)), round(max(asked))) == (low, 9)


def test_a_clamp_within_the_range_is_refuted():
    def kl(mu, logvar):
        logvar = np.clip(logvar, -12, 9)
        return 0.5 * (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)

    vae = {"form": "diagonal", "parameterization": "logvar", "against": "standard"}
    assert sp.check_kl(kl, **vae).verdict == "refuted"
