"""check_trace_estimator: what is read off estimates, and that nothing is claimed that is not so."""

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.trace_estimator.constants import constant


def jvp(f, z, v):
    return np.imag(f(z + 1e-30j * v)) / 1e-30


def hutchinson(f, z, nu):
    return (nu * jvp(f, z, nu)).sum(axis=1)


READ = {
    "halved": lambda f, z, nu: hutchinson(f, z, nu) / 2,
    "bits": lambda f, z, nu: hutchinson(f, z, nu) / np.log(2),
    "ell_sign + mean_for_sum": lambda f, z, nu: -hutchinson(f, z, nu) / z.shape[1],
    "nu_of_length_one": lambda f, z, nu: hutchinson(
        f, z, nu / np.linalg.norm(nu, axis=1, keepdims=True)
    ),
    "sum_over_the_rows": lambda f, z, nu: np.full(len(z), hutchinson(f, z, nu).sum()),
    "identity_added": lambda f, z, nu: hutchinson(f, z, nu) + (nu * nu).sum(axis=1),
    "coordinates_weighted": lambda f, z, nu: (nu * jvp(f, z, nu))[:, [0, 1, 1, 2, 3]].sum(axis=1),
    "clipped": lambda f, z, nu: np.minimum(hutchinson(f, z, nu), 3.0),
    "one_sided_difference": lambda f, z, nu: (nu * (f(z + 1e-4 * nu) - f(z)) / 1e-4).sum(axis=1),
    "central_difference": lambda f, z, nu: (nu * (f(z + 1e-2 * nu) - f(z - 1e-2 * nu)) / 2e-2).sum(
        axis=1
    ),
}


@pytest.mark.parametrize("name", READ)
def test_an_estimate_is_read(name):
    d = 4 if name == "coordinates_weighted" else None
    evidence = sp.check_trace_estimator(READ[name], dimension=d)
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (name,), evidence.explain()


NOT_READ = {
    "twice at half of the points": lambda f, z, nu: hutchinson(f, z, nu) * (1 + (z[:, 0] > 0.5)),
    "a cubic term": lambda f, z, nu: hutchinson(f, z, nu) + 0.1 * (nu**4 - 3).sum(axis=1),
    "nearly half": lambda f, z, nu: hutchinson(f, z, nu) * (0.5 + 0.01 * np.tanh(z[:, 0])),
}


@pytest.mark.parametrize("name", NOT_READ)
def test_no_cause_is_claimed_for_what_nothing_explains(name):
    evidence = sp.check_trace_estimator(NOT_READ[name])
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (), evidence.explain()


LAWS = {
    "bits_for_signs": lambda rng, z: rng.integers(0, 2, z.shape) * 1.0,
    "mean_of_nu": lambda rng, z: rng.normal(0.5, 1, z.shape),
    "one_number_a_row": lambda rng, z: rng.standard_normal((len(z), 1)) + 0 * z,
    "correlated_nu": lambda rng, z: np.repeat(rng.standard_normal((len(z), 2)), 2, axis=1),
    "coordinates_weighted": lambda rng, z: rng.standard_normal(z.shape) * [1, 1, 1, 2],
}


@pytest.mark.parametrize("name", LAWS)
def test_the_law_of_an_own_nu_is_read(name):
    rng = np.random.default_rng(0)
    evidence = sp.check_trace_estimator(
        lambda f, z: hutchinson(f, z, LAWS[name](rng, z)), dimension=4
    )
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (name,), evidence.explain()


def test_a_factor_of_several_dimensions_is_named_only_if_all_agree():
    assert constant([0.25, 0.2], [4, 5], 1e-9).name == "mean_for_sum"
    assert constant([0.25, 0.3], [4, 5], 1e-9) is None
    assert constant([1.7, 1.7], [4, 5], 1e-9).name == "factor"


def drawing(changed):
    rng = np.random.default_rng(0)

    def estimator(f, z):
        return changed(hutchinson(f, z, rng.choice([-1.0, 1.0], z.shape)), z)

    return sp.check_trace_estimator(estimator)


NO_LAW = {
    "cosine": lambda v, z: v + 0.2 * np.cos(v),
    "absolute": lambda v, z: v + 0.05 * np.abs(v),
    "sine": lambda v, z: v + 0.3 * np.sin(v),
    "of z": lambda v, z: v * (1 + 0.1 * np.tanh(z.sum(axis=1)) ** 2),
}


@pytest.mark.parametrize("name", NO_LAW)
def test_a_changed_estimate_is_not_told_as_a_law_of_nu(name):
    evidence = drawing(NO_LAW[name])
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (), evidence.explain()
    assert "No law of ν explains it" in evidence.explain()


def test_an_added_constant_is_seen_at_no_jacobian():
    evidence = drawing(lambda v, z: v + 0.3)
    assert evidence.diagnosis.names == ("constant_added",), evidence.explain()
    assert "0.3 is added" in evidence.explain()


@pytest.mark.parametrize("own", [True, False])
def test_an_estimator_that_fails_when_asked_again_stays_refuted(own):
    calls, most = 0, 10**9

    def counted(f, z, nu):
        nonlocal calls
        calls += 1
        if calls > most:
            raise RuntimeError("only so many calls")
        return hutchinson(f, z, nu) * (0.5 + 0.01 * np.tanh(z[:, 0]))

    def asked():
        rng = np.random.default_rng(0)
        if own:
            return sp.check_trace_estimator(
                lambda f, z: counted(f, z, rng.choice([-1.0, 1.0], z.shape))
            )
        return sp.check_trace_estimator(counted)

    assert asked().verdict == "refuted"
    calls, most = 0, calls - 1
    evidence = asked()
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == ()
