"""check_log_likelihood_gradient: what is read off a gradient, and what is not claimed."""

import numpy as np
import pytest

import scoreproof as sp

PARAMS, X = [0.5, 0.3], np.array([[1.0], [0.2], [-0.7]])


def field(z, params, s):
    return params[0] * z + params[1]


def parts(x, params, nu):
    """The prior's part and the trace's, ``(n, 2)`` each: z(0) = e^-p0 (x + p1/p0) - p1/p0."""
    p0, p1 = params
    z0 = np.exp(-p0) * (x + p1 / p0) - p1 / p0
    d0 = -np.exp(-p0) * (x + p1 / p0) + (1 - np.exp(-p0)) * p1 / p0**2
    d1 = (np.exp(-p0) - 1) / p0 + 0 * x
    prior = np.column_stack([(-z0 * d0)[:, 0], (-z0 * d1)[:, 0]])
    return prior, np.column_stack([-(nu**2)[:, 0], 0 * nu[:, 0]])


def judged(gradient):
    return sp.check_log_likelihood_gradient(field, PARAMS, X, gradient, accuracy=1e-9)


#: of a linear field ∂_z(νᵀJν) is 0, so that some names are of one class
READ = {
    "b_trace_sign": lambda prior, trace: prior - trace,
    "b_trace_missing": lambda prior, trace: prior,
    "b_trace_doubled": lambda prior, trace: prior + 2 * trace,
    "log_det_factor": lambda prior, trace: prior + trace / 3,
    "prior_std": lambda prior, trace: prior / 4 + trace,
    "gradient_of_the_loss": lambda prior, trace: -prior - trace,
}


@pytest.mark.parametrize("name", READ)
def test_multiples_of_the_parts_are_read(name):
    evidence = judged(lambda x, p, nu: READ[name](*parts(x, p, nu)))
    assert evidence.verdict == "refuted"
    assert any(name in n for n in evidence.diagnosis.names), evidence.explain()


def test_gradients_that_add_up_are_told_from_a_nu_of_its_own():
    total = np.zeros((1, 2))

    def adds_up(x, p, nu):
        nonlocal total
        total = total + sum(parts(x, p, nu)).sum(axis=0, keepdims=True)
        return total[0].copy()

    assert judged(adds_up).diagnosis.names == ("accumulated",)
    rng = np.random.default_rng(0)
    own = judged(lambda x, p, nu: sum(parts(x, p, rng.standard_normal(nu.shape))))
    assert own.diagnosis.names == ("fresh_nu",)


def test_no_cause_is_claimed_for_what_nothing_explains():
    evidence = judged(lambda x, p, nu: sum(parts(x, p, nu)) + 0.1 * np.sin(3 * x) * [1, 2])
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (), evidence.explain()


@pytest.mark.parametrize(
    ("of", "name"), [(np.mean, "mean_for_each_row"), (np.sum, "sum_for_each_row")]
)
def test_rows_that_are_mixed_are_seen_first(of, name):
    evidence = judged(lambda x, p, nu: of(sum(parts(x, p, nu)), axis=0) + np.zeros((len(x), 2)))
    assert evidence.diagnosis.names == (name,), evidence.explain()


def test_a_prior_averaged_over_coordinates_is_said():
    from scoreproof.public.log_likelihood_gradient.parts import Multiples, said

    told = said(Multiples(np.array([0.5, 1, 1]), np.full(3, 1e-6)), {"D": 2})
    assert "1/D: the mean over coordinates" in told.sentence


def test_large_parts_that_cancel_explain_nothing():
    from scoreproof.public.log_likelihood_gradient.parts import fitted

    rng = np.random.default_rng(0)
    basis = rng.standard_normal((3, 4, 5))
    basis[1] = -basis[0] + 1e-4 * basis[1]
    found = 5e3 * basis[0] + 5e3 * basis[1] + basis[2]
    assert fitted(found, basis, np.full((4, 5), 1e-9)) is None


def test_a_field_that_fails_when_asked_again_leaves_the_refutation():
    calls, most = 0, 10**9

    def counted(z, params, s):
        nonlocal calls
        calls += 1
        if calls > most:
            raise RuntimeError("only so many calls")
        return field(z, params, s)

    def asked():
        return sp.check_log_likelihood_gradient(
            counted,
            PARAMS,
            X,
            lambda x, p, nu: sum(parts(x, p, nu)) + 0.1 * np.sin(3 * x) * [1, 2],
            accuracy=1e-9,
        )

    assert asked().verdict == "refuted"
    calls, most = 0, calls - 1
    assert asked().verdict == "refuted"


def test_a_log_determinant_beside_a_turned_flow_is_judged_once_the_flow_is_mended():
    from scoreproof.public.log_likelihood_gradient.flows import _turned
    from scoreproof.public.log_likelihood_gradient.parts import Multiples, said

    within = np.full(3, 1e-4)
    for name in ("flow_forward", "field_sign"):
        apart, left = _turned(name, "turned", Multiples(np.array([1.0, -1.0, -1.0]), within))
        assert said(left, {}) is None
        along, same = _turned(name, "turned", Multiples(np.ones(3), within))
        assert said(same, {}) is None and apart != along
        doubled = _turned(name, "turned", Multiples(np.array([1.0, -2.0, -2.0]), within))[1]
        assert said(doubled, {}).names[0] == "log_det_doubled"
