"""check_trace_estimator on right and wrong estimators, in several types, and on bad input."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError


def jvp(f, z, nu):
    return np.imag(f(z + 1e-30j * nu)) / 1e-30


ESTIMATORS = {
    "last_nu_missing": lambda f, z, nu: (nu * jvp(f, z, np.ones_like(z))).sum(axis=1),
    "first_nu_missing": lambda f, z, nu: jvp(f, z, nu).sum(axis=1),
    "ell_sign": lambda f, z, nu: -(nu * jvp(f, z, nu)).sum(axis=1),
    "ell_doubled": lambda f, z, nu: 2 * (nu * jvp(f, z, nu)).sum(axis=1),
    "mean_for_sum": lambda f, z, nu: (nu * jvp(f, z, nu)).mean(axis=1),
    "nu_missing": lambda f, z, nu: jvp(f, z, np.ones_like(z)).sum(axis=1),
}


@settings(max_examples=10)
@given(st.integers(0, 2**31), st.integers(2, 10))
def test_a_right_estimator_holds(seed, d):
    assert sp.check_trace_estimator(
        lambda f, z, nu: (nu * jvp(f, z, nu)).sum(axis=1), dimension=d, seed=seed
    )


@pytest.mark.parametrize("name", ESTIMATORS)
def test_a_wrong_estimator_is_refuted_and_named(name):
    evidence = sp.check_trace_estimator(ESTIMATORS[name])
    assert evidence.verdict == "refuted"
    assert name in evidence.diagnosis.names


def hutchinson(f, z, nu):
    return (nu * jvp(f, z, nu)).sum(axis=1)


DIFFERENCES = {
    "central": lambda f, z, nu: ((f(z + nu) - f(z - nu)) * nu).sum(axis=1) / 2,
    "fourth order": lambda f, z, nu: (
        ((8 * (f(z + nu) - f(z - nu)) - f(z + 2 * nu) + f(z - 2 * nu)) * nu).sum(axis=1) / 12
    ),
}
UNFIT_FOR_GAUSSIAN = {
    "a factor |nu|²/D": lambda f, z, nu: hutchinson(f, z, nu) * (nu**2).mean(axis=1),
    "clipped at 2": lambda f, z, nu: hutchinson(f, z, np.clip(nu, -2, 2)),
    "clipped at 5": lambda f, z, nu: hutchinson(f, z, np.clip(nu, -5, 5)),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_a_difference_with_a_long_step_is_refuted(name):
    assert sp.check_trace_estimator(DIFFERENCES[name]).verdict == "refuted"


@pytest.mark.parametrize("d", [4, 12])
@pytest.mark.parametrize("name", UNFIT_FOR_GAUSSIAN)
def test_an_estimator_biased_for_nu_of_varying_length_is_refuted(name, d):
    for seed in range(5):
        assert (
            sp.check_trace_estimator(UNFIT_FOR_GAUSSIAN[name], dimension=d, seed=seed).verdict
            == "refuted"
        )


def test_an_estimator_too_noisy_to_judge_is_undecided():
    rng = np.random.default_rng(0)
    evidence = sp.check_trace_estimator(
        lambda f, z: (
            hutchinson(f, z, rng.choice([-1.0, 1.0], z.shape)) + 1e9 * rng.standard_normal(len(z))
        )
    )
    assert evidence.verdict == "undecided" and "more draws" in evidence.explain()


def test_an_estimator_with_its_own_nu_is_tested_by_its_mean():
    rng = np.random.default_rng(0)

    def rademacher(f, z):
        nu = rng.choice([-1.0, 1.0], z.shape)
        return (nu * jvp(f, z, nu)).sum(axis=1)

    def uniform(f, z):
        nu = rng.uniform(-1, 1, z.shape)
        return (nu * jvp(f, z, nu)).sum(axis=1)

    good = sp.check_trace_estimator(rademacher)
    assert good
    assert good.kind == "statistical" and good.resolution <= 0.01
    assert good.cost["draws"] < 50_000  # signs have little spread where J is nearly diagonal
    bad = sp.check_trace_estimator(uniform)
    assert bad.verdict == "refuted"
    assert bad.diagnosis.names == ("uniform_nu",)


def test_calls_of_the_estimator_are_as_documented():
    calls = []

    def counted(f, z, nu):
        calls.append(1)
        return (nu * jvp(f, z, nu)).sum(axis=1)

    assert sp.check_trace_estimator(counted, dimension=4)
    assert len(calls) <= 10
    calls.clear()
    assert sp.check_trace_estimator(counted, dimension=784)
    assert len(calls) <= 10


def test_one_s_own_field():
    def cubic(z):
        return z**3 + np.roll(z, 1, axis=1)

    points = np.array([[0.3, -1.0, 0.7]])
    evidence = sp.check_trace_estimator(
        lambda f, z, nu: (nu * jvp(f, z, nu)).sum(axis=1), field=cubic, points=points
    )
    assert evidence, evidence.explain()
    exact = sp.check_trace_estimator(
        lambda f, z, nu: 3 * (z**2).sum(axis=1), field=cubic, points=points
    )
    assert exact and max(abs(np.array(exact.curves["due"][1]) - 3 * (points**2).sum())) < 1e-12


def test_bad_arguments_of_the_trace_check():
    for change, message in (
        ({"dimension": 1}, "dimension must be an integer >= 2"),
        ({"draws": 3}, "draws must be an integer >= 30"),
        ({"tolerance": 2.0}, r"tolerance must be in \(0, 1\)"),
        ({"seed": -1}, "seed must be an integer >= 0"),
        ({"field": 3}, "field must be callable"),
        ({"points": [1.0]}, r"points must be of shape \(n, d\)"),
    ):
        with pytest.raises(ArgumentError, match=message):
            sp.check_trace_estimator(ESTIMATORS["ell_sign"], **change)
    with pytest.raises(CallableError, match="estimator must return an array of shape"):
        sp.check_trace_estimator(lambda f, z, nu: np.ones(17))


# -- each row by itself -------------------------------------------------------------------------


def where(z, inside, by=1.1):
    return np.where(inside, by, 1.0)


MIXED = {
    "nu_of_another_row": lambda f, z, nu: hutchinson(f, z, np.roll(nu, 1, 0)),
    "one_nu_for_all_rows": lambda f, z, nu: hutchinson(f, z, nu[:1] + 0 * nu),
    "mean_over_the_rows": lambda f, z, nu: hutchinson(f, z, nu).mean() + 0 * z[:, 0],
    "factor_length": lambda f, z, nu: hutchinson(f, z, nu) * (nu**2).mean(axis=1),
    "last_coordinate_missing": lambda f, z, nu: (nu * jvp(f, z, nu))[:, :-1].sum(axis=1),
    "nothing": lambda f, z, nu: 0 * z[:, 0],
}
PARTLY = {
    "z of another row": lambda f, z, nu: hutchinson(f, np.roll(z, 1, 0), nu),
    "the mean as a scalar": lambda f, z, nu: hutchinson(f, z, nu).mean(),
    "linearised at the mean": lambda f, z, nu: hutchinson(f, z.mean(0) + 0 * z, nu),
    "rows reversed": lambda f, z, nu: hutchinson(f, z, nu)[::-1],
    "a fixed ν": lambda f, z, nu: hutchinson(
        f, z, np.random.default_rng(0).choice([-1.0, 1.0], z.shape)
    ),
    "even D only": lambda f, z, nu: hutchinson(f, z, nu) * (1 + 0.02 * (z.shape[1] % 2)),
    "odd D only": lambda f, z, nu: hutchinson(f, z, nu) * (1.02 - 0.02 * (z.shape[1] % 2)),
    "batches of one": lambda f, z, nu: hutchinson(f, z, nu) * (1.02 if len(z) == 1 else 1),
    "batches of more than ten": lambda f, z, nu: (
        hutchinson(f, z, nu) * (1.02 if len(z) > 10 else 1)
    ),
    "half of the points": lambda f, z, nu: hutchinson(f, z, nu) * where(z, z[:, 0] > 0.5),
    "half of the ν": lambda f, z, nu: hutchinson(f, z, nu) * where(z, nu[:, 0] > 0),
    "float32 inside": lambda f, z, nu: (
        (nu * jvp(f, z, nu)).astype(np.float32).sum(axis=1) + 0.0 * z[:, 0]
    ),
    "Gaussian only": lambda f, z, nu: hutchinson(f, z, nu) + 0.1 * (nu**4 - 3).sum(axis=1),
    "Rademacher only": lambda f, z, nu: (jvp(f, z, nu) / nu).sum(axis=1),
}


@pytest.mark.parametrize("name", MIXED)
def test_a_mistake_in_the_batch_is_refuted_and_named(name):
    for d in (None, 9):
        evidence = sp.check_trace_estimator(MIXED[name], dimension=d)
        assert evidence.verdict == "refuted", evidence.explain()
        assert name in evidence.diagnosis.names, evidence.explain()


@pytest.mark.parametrize("name", PARTLY)
def test_an_estimate_wrong_in_part_is_refuted(name):
    for seed in range(3):
        evidence = sp.check_trace_estimator(PARTLY[name], seed=seed)
        assert evidence.verdict == "refuted", evidence.explain()


@pytest.mark.parametrize("d", [2, 64, 512, 784])
def test_a_single_coordinate_is_not_thinned_by_the_others(d):
    def off(f, z, nu):
        terms = nu * jvp(f, z, nu)
        return terms.sum(axis=1) + 0.02 * terms[:, d // 2]

    assert sp.check_trace_estimator(hutchinson, dimension=d).resolution < 1e-10
    evidence = sp.check_trace_estimator(off, dimension=d)
    assert evidence.verdict == "refuted", evidence.explain()
    assert sp.check_trace_estimator(off, dimension=d, tolerance=0.1)


def axis(z, k):
    return np.eye(z.shape[1])[k] + 0 * z


ALSO_RIGHT = {
    "the exact trace": lambda f, z, nu: sum(jvp(f, z, axis(z, k))[:, k] for k in range(z.shape[1])),
    "the diagonal only": lambda f, z, nu: sum(
        nu[:, k] ** 2 * jvp(f, z, axis(z, k))[:, k] for k in range(z.shape[1])
    ),
    "a control variate": lambda f, z, nu: hutchinson(f, z, nu) + z.shape[1] - (nu**2).sum(axis=1),
    "row by row": lambda f, z, nu: np.array(
        [hutchinson(f, a[None], b[None])[0] for a, b in zip(z, nu, strict=True)]
    ),
}


@pytest.mark.parametrize("name", ALSO_RIGHT)
def test_other_right_estimators_hold(name):
    for d in (None, 2, 7):
        evidence = sp.check_trace_estimator(ALSO_RIGHT[name], dimension=d)
        assert evidence, evidence.explain()


def test_differences_hold_within_a_tolerance_and_are_told_about_it():
    def central(f, z, nu, h=1e-4):
        return ((f(z + h * nu) - f(z - h * nu)) * nu).sum(axis=1) / (2 * h)

    evidence = sp.check_trace_estimator(central)
    assert evidence.verdict == "refuted" and "tolerance=" in evidence.explain()
    evidence = sp.check_trace_estimator(central, tolerance=0.01)
    assert evidence and evidence.resolution == 0.01
    wrong = sp.check_trace_estimator(lambda *a: 1.03 * central(*a), tolerance=0.01)
    assert wrong.verdict == "refuted"


def test_a_holds_says_what_it_would_have_seen_and_looked_at():
    evidence = sp.check_trace_estimator(hutchinson)
    assert evidence.resolution < 1e-12
    assert evidence.coverage.asked["coordinates"] == 4 + 5
    text = evidence.explain()
    assert "would have been seen" in text and "each row with its own ν" in text


CUT = {
    "absolute value": np.abs,
    "clip at 0": lambda e: np.maximum(e, 0.0),
    "clip at 1e3": lambda e: np.clip(e, -1e3, 1e3),
    "floor at 1e-3": lambda e: np.sign(e) * np.maximum(np.abs(e), 1e-3),
}


@pytest.mark.parametrize("name", CUT)
def test_an_estimate_that_is_cut_is_refuted(name):
    for d in (None, 12):
        evidence = sp.check_trace_estimator(
            lambda f, z, nu: CUT[name](hutchinson(f, z, nu)), dimension=d
        )
        assert evidence.verdict == "refuted", evidence.explain()
    if name in ("absolute value", "clip at 0"):
        assert "right for f and wrong for -f" in evidence.explain()
        rng = np.random.default_rng(0)
        own = sp.check_trace_estimator(
            lambda f, z: CUT[name](hutchinson(f, z, rng.standard_normal(z.shape)))
        )
        assert own.verdict == "refuted", own.explain()


OF_ANOTHER_KIND = {
    "control variate": lambda f, z, nu: (
        hutchinson(f, z, nu) + 0.3 * (z.shape[1] - (nu**2).sum(axis=1))
    ),
    "normalised": lambda f, z, nu: hutchinson(f, z, nu) / (nu**2).mean(axis=1),
    "signs": lambda f, z, nu: hutchinson(f, z, np.sign(nu)),
}


@pytest.mark.parametrize("name", OF_ANOTHER_KIND)
def test_a_right_estimate_of_another_kind_is_not_refuted_in_high_dimension(name):
    evidence = sp.check_trace_estimator(OF_ANOTHER_KIND[name], dimension=1025)
    assert evidence.verdict == "undecided", evidence.explain()
    wrong = sp.check_trace_estimator(lambda *a: 1.2 * OF_ANOTHER_KIND[name](*a), dimension=1025)
    assert wrong.verdict == "refuted", wrong.explain()


@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", None), ("bfloat16", 0.1)])
def test_a_right_estimate_of_another_kind_is_not_refuted_in_coarse_types(dtype, tolerance):
    import torch

    def control(f, z, nu):
        along = torch.func.jvp(f, (z,), (nu,))[1]
        return (nu * along).sum(1) + 0.3 * (z.shape[1] - (nu**2).sum(1))

    options = {"framework": "torch", "dtype": dtype, "tolerance": tolerance, "dimension": 5}
    assert sp.check_trace_estimator(control, **options).verdict == "undecided"
    wrong = sp.check_trace_estimator(lambda *a: 1.5 * control(*a), **options)
    assert wrong.verdict == "refuted"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_tolerance_does_not_hide_a_nu_of_ones(dtype):
    import torch

    for d in (4, 65):
        evidence = sp.check_trace_estimator(
            lambda f, z, nu: torch.func.jvp(f, (z,), (torch.ones_like(nu),))[1].sum(1),
            framework="torch",
            dtype=dtype,
            dimension=d,
            tolerance=0.2,
        )
        assert evidence.verdict == "refuted", evidence.explain()


def test_signs_of_nu_are_right_for_some_laws_only():
    evidence = sp.check_trace_estimator(OF_ANOTHER_KIND["signs"])
    assert evidence.verdict == "undecided" and "the signs of ν" in evidence.explain()


def test_a_field_without_divergence_is_nothing_to_judge():
    evidence = sp.check_trace_estimator(
        lambda f, z, nu: 0 * z[:, 0],
        field=lambda z: z[:, ::-1] * np.array([1.0, -1.0]),
        dimension=2,
    )
    assert evidence.verdict == "undecided"


# -- its own ν ----------------------------------------------------------------------------------

DRAW = {
    "signs": lambda rng, shape: rng.choice([-1.0, 1.0], shape),
    "Gaussian": lambda rng, shape: rng.standard_normal(shape),
    "uniform": lambda rng, shape: rng.uniform(-(3**0.5), 3**0.5, shape),
}


def drawing(law, change=lambda estimate, z: estimate):
    rng = np.random.default_rng(3)
    return lambda f, z: change(hutchinson(f, z, DRAW[law](rng, z.shape)), z)


@pytest.mark.parametrize("law", DRAW)
def test_an_estimator_with_its_own_nu_is_decided_at_one_percent(law):
    for seed in range(2):
        evidence = sp.check_trace_estimator(drawing(law), dimension=12, seed=seed)
        assert evidence and evidence.resolution <= 0.01, evidence.explain()
        wrong = drawing(law, lambda estimate, z: 1.03 * estimate)
        assert sp.check_trace_estimator(wrong, dimension=12, seed=seed).verdict == "refuted"
    region = drawing(law, lambda estimate, z: estimate * where(z, z[:, 0] > 1.5, 1.2))
    assert sp.check_trace_estimator(region, dimension=12).verdict == "refuted"


def test_a_fixed_nu_is_refuted_and_a_shared_one_does_not_hold():
    def fixed(f, z):
        return hutchinson(f, z, np.random.default_rng(0).choice([-1.0, 1.0], z.shape))

    evidence = sp.check_trace_estimator(fixed)
    assert evidence.verdict == "refuted" and "the ν is fixed" in evidence.explain()
    rng = np.random.default_rng(0)
    evidence = sp.check_trace_estimator(
        lambda f, z: hutchinson(f, z, rng.standard_normal((1, z.shape[1])) + 0 * z)
    )
    assert evidence.verdict == "refuted" and "share one ν" in evidence.explain()
    evidence = sp.check_trace_estimator(
        lambda f, z: hutchinson(f, z, rng.choice([-1.0, 1.0], z.shape)).mean() + 0 * z[:, 0]
    )
    assert evidence.verdict == "refuted" and "averaged" in evidence.explain()


CORRELATED = {
    "one number for all coordinates": lambda g, z: g.standard_normal((len(z), 1)) + 0 * z,
    "neighbours": lambda g, z: (lambda v: (v + np.roll(v, 1, 1)) / 2**0.5)(
        g.standard_normal(z.shape)
    ),
    "two halves alike": lambda g, z: np.tile(
        g.choice([-1.0, 1.0], (len(z), (z.shape[1] + 1) // 2)), (1, 2)
    )[:, : z.shape[1]],
}


@pytest.mark.parametrize("d", [None, 24])
@pytest.mark.parametrize("name", CORRELATED)
def test_coordinates_of_nu_that_are_not_drawn_independently_are_refuted(name, d):
    rng = np.random.default_rng(0)
    evidence = sp.check_trace_estimator(
        lambda f, z: hutchinson(f, z, CORRELATED[name](rng, z)), dimension=d
    )
    assert evidence.verdict == "refuted", evidence.explain()


def test_an_exact_trace_draws_nothing_and_holds():
    exact = ALSO_RIGHT["the exact trace"]
    assert sp.check_trace_estimator(lambda f, z: exact(f, z, z)).kind == "float"


@pytest.mark.parametrize("factor", [1.0, 1.05])
def test_an_estimator_that_draws_more_than_nu_is_judged_in_the_mean(factor):
    rng = np.random.default_rng(0)

    def sketched(f, z, nu):  # Hutch++ with one direction of its own
        q = rng.standard_normal(z.shape)
        q = q / np.linalg.norm(q, axis=1, keepdims=True)
        across = nu - (nu * q).sum(axis=1, keepdims=True) * q
        return factor * (hutchinson(f, z, q) + hutchinson(f, z, across))

    evidence = sp.check_trace_estimator(sketched, dimension=16)
    assert evidence.verdict == ("holds" if factor == 1 else "refuted"), evidence.explain()
    assert "it draws more than ν" in evidence.explain()


def test_an_estimator_that_ignores_the_given_nu_is_told_so():
    rng = np.random.default_rng(0)
    evidence = sp.check_trace_estimator(
        lambda f, z, nu: hutchinson(f, z, rng.standard_normal(z.shape))
    )
    assert evidence.verdict == "refuted" and "does not use the ν" in evidence.explain()


# -- types and frameworks -----------------------------------------------------------------------


def torch_estimator(f, z, nu):
    import torch

    return (nu * torch.func.jvp(f, (z,), (nu,))[1]).sum(1)


@pytest.mark.parametrize(
    ("dtype", "tolerance"),
    [("float64", None), ("float32", None), ("float16", None), ("bfloat16", 0.1)],
)
@pytest.mark.parametrize("d", [None, 64])
def test_torch(dtype, tolerance, d):
    pytest.importorskip("torch")
    options = {"framework": "torch", "dtype": dtype, "dimension": d}
    right = sp.check_trace_estimator(torch_estimator, tolerance=tolerance, **options)
    assert right, right.explain()
    for factor in (0.0, 1.5):
        wrong = sp.check_trace_estimator(
            lambda *a, by=factor: by * torch_estimator(*a), tolerance=tolerance, **options
        )
        assert wrong.verdict == "refuted", wrong.explain()
    missing = sp.check_trace_estimator(
        lambda f, z, nu: torch_estimator(f, z, nu * (nu != nu[:, :1])), **options
    )
    assert missing.verdict == "refuted"


def test_bfloat16_is_undecided_without_a_tolerance_and_says_what_helps():
    pytest.importorskip("torch")
    evidence = sp.check_trace_estimator(torch_estimator, framework="torch", dtype="bfloat16")
    assert evidence.verdict == "undecided" and "tolerance=0.1" in evidence.explain()


def test_float32_at_d_1024_sees_two_percent():
    pytest.importorskip("torch")
    options = {"framework": "torch", "dtype": "float32", "dimension": 1024}
    right = sp.check_trace_estimator(torch_estimator, **options)
    assert right and right.resolution < 0.002
    wrong = sp.check_trace_estimator(lambda *a: 1.02 * torch_estimator(*a), **options)
    assert wrong.verdict == "refuted"


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_numpy_in_a_coarse_type(dtype):
    def estimator(f, z, nu):
        along = np.imag(f(z.astype(complex) + 1e-20j * nu)) / 1e-20
        return (nu * along).sum(axis=1).astype(z.dtype)

    assert sp.check_trace_estimator(estimator, dtype=dtype, dimension=64)
    wrong = sp.check_trace_estimator(lambda *a: 0 * estimator(*a), dtype=dtype, dimension=64)
    assert wrong.verdict == "refuted"


def test_jax():
    jax = pytest.importorskip("jax")

    def estimator(f, z, nu):
        return (nu * jax.jvp(f, (z,), (nu,))[1]).sum(1)

    assert sp.check_trace_estimator(estimator, framework="jax", dimension=3)
    wrong = sp.check_trace_estimator(
        lambda f, z, nu: estimator(f, z, nu[:1] + 0 * nu), framework="jax", dimension=3
    )
    assert wrong.verdict == "refuted"


def test_calls_that_spread_more_than_their_rows_are_told_by_chi_squared():
    """The means of 17 calls of 100 rows have 16 degrees of freedom."""
    from scipy.stats import chi2

    from scoreproof.public.trace_estimator.residuals import Residuals

    rows = np.random.default_rng(0).standard_normal((17, 100))
    rows -= rows.mean(axis=1, keepdims=True)
    means = np.linspace(-1, 1, 17)
    level = 1e-3
    for factor, dependent in ((0.98, False), (1.02, True)):
        # the variance of the means, in units of what independent rows would give them
        wanted = factor * chi2.isf(level, 16) / 16
        spread = 0.1 * np.sqrt(wanted / means.var(ddof=1)) * means[:, None]
        spread_rows = rows * np.sqrt((1 - np.mean(spread**2)) / np.mean(rows**2)) + spread
        found = Residuals()
        for r in spread_rows:
            found.add(r, np.zeros((100, 1)))
        assert found.dependent(level) == dependent


# -- a ν that is rarely not 0 ---------------------------------------------------------------------


def by_its_own(law, seed=0):
    rng = np.random.default_rng(seed)

    def estimator(f, z):
        nu = law(rng, z.shape)
        return (nu * np.imag(f(z + 1e-30j * nu)) / 1e-30).sum(axis=1)

    return estimator


def one_coordinate(rng, shape):
    nu = np.zeros(shape)
    k = rng.integers(0, shape[1], shape[0])
    nu[np.arange(shape[0]), k] = shape[1] ** 0.5 * rng.choice([-1, 1], shape[0])
    return nu


def rarely(p):
    return lambda rng, shape: (rng.random((shape[0], 1)) < p) * rng.standard_normal(shape) / p**0.5


@pytest.mark.parametrize("p", [1 / 30, 1 / 900])
def test_a_nu_that_is_rarely_not_zero_is_not_refuted(p):
    found = sp.check_trace_estimator(by_its_own(rarely(p)), dimension=4)
    assert found.verdict == "undecided", found.explain()
    assert "pass more draws" in found.explain()


def test_few_draws_that_carry_the_mean_do_not_refute():
    found = sp.check_trace_estimator(by_its_own(rarely(1e-4), 3), dimension=4, draws=1 << 18)
    assert found.verdict == "undecided", found.explain()
    wrong = sp.check_trace_estimator(
        by_its_own(lambda rng, shape: 1.5 * rarely(0.02)(rng, shape)), dimension=4
    )
    assert wrong.verdict == "refuted" and "too large by" in wrong.sentence


def test_one_random_coordinate_is_a_right_nu():
    assert sp.check_trace_estimator(by_its_own(one_coordinate), dimension=4)


def test_nothing_is_refuted_after_many_draws_and_says_what_it_could_not_see():
    found = sp.check_trace_estimator(lambda f, z: 0 * z[:, 0], dimension=4)
    assert found.verdict == "refuted" and "returns 0" in found.explain()
    assert "in all of 131072 rows" in found.explain()
