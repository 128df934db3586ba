"""check_score: right scores hold at a stated resolution, wrong ones are refuted and named; without
a prior only what any score must have is looked at.
"""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.interop.callables import Guarded
from scoreproof.interop.derivatives import row_jacobian
from scoreproof.numerics.linear import random_covariance

COV = np.array([[1.2, 0.4, 0.1], [0.4, 0.8, -0.2], [0.1, -0.2, 0.6]])


def mixture(seed=0, d=3, k=3):
    rng = np.random.default_rng(seed)
    return sp.GaussianMixture(
        np.full(k, 1 / k),
        rng.standard_normal((k, d)),
        np.stack([random_covariance(rng, d, 5.0) for _ in range(k)]),
    )


def data(seed=0, n=40, d=3):
    return np.random.default_rng(seed).standard_normal((n, d))


@pytest.mark.parametrize(
    "name",
    [
        "minus",
        "half",
        "twice",
        "scaled_by_cov",
        "scaled_by_std",
        "posterior_mean_returned",
        "residual_not_divided_by_cov",
        "score_of_the_prior",
    ],
)
def test_wrong_scores_are_named(name):
    prior, law = mixture(), mixture().noised(COV)
    values, vectors = np.linalg.eigh(COV)
    wrong = {
        "minus": lambda y: -law.score(y),
        "half": lambda y: law.score(y) / 2,
        "twice": lambda y: 2 * law.score(y),
        "scaled_by_cov": lambda y: law.score(y) @ COV,
        "scaled_by_std": lambda y: law.score(y) @ (vectors * np.sqrt(values)) @ vectors.T,
        "posterior_mean_returned": lambda y: prior.posterior_mean(y, COV),
        "residual_not_divided_by_cov": lambda y: prior.posterior_mean(y, COV) - y,
        "score_of_the_prior": prior.score,
    }[name]
    evidence = sp.check_score(wrong, prior, COV)
    assert evidence.verdict == "refuted"
    assert name in evidence.diagnosis.names, evidence.explain()


def test_without_a_prior_only_necessary_conditions():
    law, points = mixture().noised(COV), data()
    right = sp.check_score(law.score, None, COV, points=points)
    assert right, right.explain()
    assert "necessary and not sufficient" in right.explain()
    turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert not sp.check_score(lambda y: law.score(y) + 0.1 * y @ turn, None, COV, points=points), (
        "a rotation is no gradient"
    )
    assert not sp.check_score(lambda y: -5 * y, None, COV, points=points), (
        "a posterior covariance below zero"
    )
    # max(y, 0) is symmetric and positive: it passes, and is no posterior mean
    kink = sp.check_score(lambda y: np.maximum(y, 0) - y, None, 1.0, points=3 * points)
    assert kink, kink.explain()
    assert "not seen at any size" in kink.explain()
    # where it is y throughout the score is 0, and 0 is compared with 0
    flat = sp.check_score(lambda y: np.maximum(y, 0) - y, None, 1.0, points=points + 3)
    assert flat.verdict == "undecided"


def test_a_score_that_is_wrong_where_there_is_little_noise():
    cov = np.diag([1.0, 1.0, 1e-6])
    prior = sp.Atoms(data() * np.array([1.0, 1.0, 1e-3]))

    def score(y):
        return np.linalg.solve(cov, (prior.posterior_mean(y, cov) - y).T).T

    assert sp.check_score(score, prior, cov, tolerance=0.01)
    # Σ times this error is a thousandth of the data's extent; in units of the noise it is
    # everything
    assert not sp.check_score(
        lambda y: score(y) * np.array([1.0, 1.0, 0.0]), prior, cov, tolerance=0.01
    )


def test_kinks_are_not_asymmetry():
    rng = np.random.default_rng(0)
    weights, biases, points = rng.standard_normal((2000, 3)), rng.standard_normal(2000), data()

    def gradient_of_a_convex_function(y):
        return np.maximum(y @ weights.T + biases, 0) @ weights / 2000

    assert sp.check_score(
        lambda y: 0.1 * gradient_of_a_convex_function(y) - y, None, 0.7, points=points
    )
    turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    assert not sp.check_score(
        lambda y: 0.1 * gradient_of_a_convex_function(y) - y + 1e-6 * y @ turn,
        None,
        0.7,
        points=points,
    )


def test_many_dimensions_are_probed_in_some_directions():
    rng = np.random.default_rng(0)
    d, rows = 100, []
    turn = rng.standard_normal((d, d))
    points = rng.standard_normal((3, d))
    assert sp.check_score(lambda y: rows.append(len(y)) or -y / 2, None, 1.0, points=points)
    assert rows == [3, 3, 2, 3, 4 * 3 * 64]
    assert not sp.check_score(
        lambda y: -y / 2 + 1e-6 * y @ (turn - turn.T), None, 1.0, points=points
    )
    assert not sp.check_score(lambda y: -1.01 * y, None, 1.0, points=points), (
        "the posterior covariance would be negative"
    )


@pytest.mark.parametrize("point", [0.3, 2.0, 50.0])
@pytest.mark.parametrize("name", ["cube", "sine", "steep"])
def test_the_error_of_a_difference_is_covered(name, point):
    f, slope = {
        "cube": (lambda x: x**3, 3 * point**2),
        "sine": (lambda x: np.sin(x), np.cos(point)),
        "steep": (
            lambda x: np.tanh(30 * (x - 0.3)),
            30 / np.cosh(min(30 * (point - 0.3), 300.0)) ** 2,
        ),
    }[name]
    found, error = row_jacobian(Guarded(f, "f"), np.array([[point]]))
    assert abs(found[0, 0, 0] - slope) <= error[0, 0, 0]


def test_a_function_without_forward_mode_is_differenced():
    torch = pytest.importorskip("torch")

    class Negative(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return -x

        @staticmethod
        def backward(ctx, g):
            return -g

    evidence = sp.check_score(Negative.apply, None, 0.7, points=data(), framework="torch")
    assert evidence, evidence.explain()
    assert evidence.cost["calls"] == 6


def test_calls_are_counted():
    prior, rows = mixture(), []
    law = prior.noised(COV)
    sp.check_score(lambda y: rows.append(len(y)) or law.score(y), prior, COV, n=5)
    assert rows == [5, 5, 3, 4 * 5 * 3]
    rows.clear()
    sp.check_score(lambda y: rows.append(len(y)) or law.score(y), prior, COV)
    assert rows == [64, 64, 32, 4 * 16 * 3]
