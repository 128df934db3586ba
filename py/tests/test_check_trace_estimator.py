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
    "signs": lambda f, z, nu: hutchinson(f, z, np.sign(nu)),
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
    assert good.kind == "statistical"
    assert good.cost["calls"] == 2000
    bad = sp.check_trace_estimator(uniform, draws=2000)
    assert bad.verdict == "refuted"
    assert bad.diagnosis.names == ("uniform_nu",)


def test_calls_of_the_estimator_are_as_documented():
    calls = []

    def counted(f, z, nu):
        calls.append(1)
        return (nu * jvp(f, z, nu)).sum(axis=1)

    assert sp.check_trace_estimator(counted, dimension=4)
    assert len(calls) == 3 * 4 + 2**4
    calls.clear()
    assert sp.check_trace_estimator(counted, dimension=20)
    assert len(calls) == 3 * 20


def test_one_s_own_field():
    def cubic(z):
        return z**3 + np.roll(z, 1, axis=1)

    points = np.array([[0.3, -1.0, 0.7]])
    evidence = sp.check_trace_estimator(
        lambda f, z, nu: (nu * jvp(f, z, nu)).sum(axis=1), field=cubic, points=points
    )
    assert evidence, evidence.explain()
    assert abs(evidence.curves["trace"][1][0] - 3 * (points**2).sum()) < 1e-12


def test_bad_arguments_of_the_trace_check():
    with pytest.raises(ArgumentError, match="dimension must be an integer >= 2"):
        sp.check_trace_estimator(ESTIMATORS["ell_sign"], dimension=1)
    with pytest.raises(CallableError, match="estimator must return an array of shape"):
        sp.check_trace_estimator(lambda f, z, nu: np.ones(17))
