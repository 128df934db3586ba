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
