"""check_log_likelihood_gradient: sweeps that miss a part, and what is not claimed of them."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from causes._likelihood_gradients import (
    RIGHT,
    adjoint,
    judged_by_hand,
    normal,
    vjp,
)
from causes.log_likelihood_gradient_sweeps import swept

from scoreproof.public.log_likelihood_gradient.fitting import fitted_number
from scoreproof.public.log_likelihood_gradient.parts import Multiples
from scoreproof.public.log_likelihood_gradient.priors import power_of_std

SWEEPS = ("sweep", "adjoint_", "trace_at", "another_power")


def test_a_right_sweep_holds():
    assert judged_by_hand(swept)


@pytest.mark.parametrize(
    "gradient",
    [
        lambda x, p, nu: swept(x, p, nu) * (1 + 0.01 * np.arange(p.size)),
        lambda x, p, nu: swept(x, p, nu, first=0.05) * 1.1,
        lambda x, p, nu: swept(x, p, nu, clock=lambda s: s**3),
        lambda x, p, nu: 0.5 * (swept(x, p, nu) + swept(x, p, nu, clock=lambda s: 1 - s)),
    ],
)
def test_what_no_sweep_explains_is_not_said_to_be_one(gradient):
    evidence = judged_by_hand(gradient)
    assert evidence.verdict == "refuted"
    names = () if evidence.diagnosis is None else evidence.diagnosis.names
    assert not any(name.startswith(SWEEPS) for name in names), evidence.explain()


@pytest.mark.parametrize("factor", [1.6, 1 / 1.6, 1.6**-2, 2.0])
def test_a_power_of_the_std_is_read_off_the_priors_part(factor):
    class Latent:
        def score(self, z):
            return -z / 1.6**2

    m = Multiples(np.array([factor, 1.0, 1.0]), np.full(3, 1e-6))
    found = power_of_std(m, Latent(), np.zeros((2, 3)))
    assert (found is None) == (factor == 2.0)

    class Laplace:
        def score(self, z):
            return -np.sign(z) - 0.1

    assert power_of_std(m, Laplace(), np.zeros((2, 3))) is None


def test_a_prior_counted_twice_is_still_said_where_it_is_no_power():
    def rate(a, m):
        return -vjp(a, m[0]) - m[2], -vjp(a, m[1]) - m[3]

    twice = adjoint(rate, lambda z: -2 * z / 1.6**2)
    evidence = judged_by_hand(twice, log_latent=lambda z: normal(z, 1.6))
    assert evidence.diagnosis.names[0] == "prior_doubled"
    assert judged_by_hand(RIGHT)


def test_a_number_that_does_not_fit_is_none():
    base, along = np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, -1.0, 2.0]])
    limit = np.full_like(base, 1e-9)

    def of(m):
        return base + along * np.sin(m)

    found = fitted_number(of, base, of(0.3), limit, 1.0)
    assert found is not None and abs(found - 0.3) < 1e-8
    assert fitted_number(of, base, base + np.array([[1.0, 1.0, 0.0]]), limit, 1.0) is None
    assert fitted_number(lambda m: None, base, of(0.3), limit, 1.0) is None
