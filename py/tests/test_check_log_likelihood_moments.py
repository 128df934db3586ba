"""`check_log_likelihood` of SDEs that have a drift and a diffusion alone."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError
from scoreproof.objects.schedules import VPLinear
from scoreproof.public.log_likelihood.clocks import clock_of

check = sp.check_log_likelihood


class Drifting:
    """A VP process, β from 0.1 to 5, by its drift and diffusion."""

    def sde(self, x, t):
        beta = 0.1 + 4.9 * t
        return -0.5 * beta[:, None, None, None] * x, beta**0.5


class Bending:
    def sde(self, x, t):
        return -(x**3), 1 + 0 * t


def log_prob(score_fn, div, x, n_steps=32, eps=1e-3, half=0.5):
    h, total = (1 - eps) / n_steps, 0.0
    for k in range(n_steps):
        t = eps + (k + 0.5) * h
        early, late = (0.1 + 4.9 * s for s in (t - h / 2, t))
        y = x - h / 2 * (early * x / 2 + early * half * score_fn(x, t - h / 2))
        move = -late / 2 * y - late * half * score_fn(y, t)
        trace = -late / 2 * x.shape[1] - late * half * div(y, t)
        x, total = x + h * move, total + h * trace
    return -(x**2).sum(1) / 2 - x.shape[1] / 2 * np.log(2 * np.pi) + total


def test_its_levels_are_those_of_its_moments():
    own, exact = (clock_of(p, "numpy", None, None) for p in (Drifting(), VPLinear(0.1, 5.0)))
    for t in (1e-3, 0.2, 0.7, 1.0):
        np.testing.assert_allclose(own.at(t), exact.at(t), rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(own.at(np.array([0.2, 0.7]))[0], exact.at(np.array([0.2, 0.7]))[0])


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_of_torch_and_jax(framework):
    pytest.importorskip(framework)
    own, exact = clock_of(Drifting(), framework, None, None), VPLinear(0.1, 5.0)
    for t in (0.2, 0.7):
        due = [float(exact.alpha(t)), float(exact.sigma(t))]
        np.testing.assert_allclose([float(v) for v in own.at(t)[:2]], due, rtol=1e-7)


def test_log_p_by_drift_and_diffusion():
    evidence = check(log_prob, Drifting())
    assert evidence, evidence.explain()

    def whole(score_fn, div, x, n_steps=32):
        return log_prob(score_fn, div, x, n_steps, half=1.0)

    assert check(whole, Drifting()).diagnosis.names == ("whole_g2",)


def test_a_drift_that_is_not_linear():
    with pytest.raises(ArgumentError, match=r"process must be an SDE whose drift is f\(t\) x"):
        check(log_prob, Bending())
