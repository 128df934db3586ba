"""tweedie: right callables are not refuted for how they round or bend, wrong ones do not pass for
where the data lie.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoreproof as sp
from scoreproof.interop.callables import Guarded
from scoreproof.interop.derivatives import row_jacobian
from scoreproof.numerics.linear import random_covariance
from scoreproof.public.denoiser.arguments import Prediction, make_problem
from scoreproof.public.denoiser.words import denoiser_candidates, score_candidates

COV = np.array([[1.2, 0.4, 0.1], [0.4, 0.8, -0.2], [0.1, -0.2, 0.6]])


def data(seed=0, n=40, d=3):
    return np.random.default_rng(seed).standard_normal((n, d))


def mixture(seed=0, d=3, k=3):
    rng = np.random.default_rng(seed)
    return sp.GaussianMixture(
        np.full(k, 1 / k),
        rng.standard_normal((k, d)),
        np.stack([random_covariance(rng, d, 5.0) for _ in range(k)]),
    )


@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 6),
    st.integers(1, 8),
    st.floats(0, 6),
    st.sampled_from([0.0, 1e2, 1e4, 1e6]),
    st.sampled_from([np.float64, np.float32]),
)
def test_right_callables_are_never_refuted_and_wrong_ones_never_hold(
    seed, d, n, log_condition, offset, dtype
):
    rng = np.random.default_rng(seed)
    cov = random_covariance(rng, d, 10.0**log_condition)
    prior = sp.Atoms(rng.standard_normal((30, d)) + offset)

    def mean(y):
        return prior.posterior_mean(y.astype(dtype).astype(float), cov).astype(dtype)

    def score(y):
        return np.linalg.solve(cov, (mean(y).astype(float) - y).T).T.astype(dtype)

    for evidence in (
        sp.check_denoiser(mean, prior, cov, n=n),
        sp.check_score(score, prior, cov, n=n),
        sp.check_score(mean, prior, cov, n=n, prediction="x0"),
        sp.check_score(score, None, cov, points=prior.sample(rng, n)),
    ):
        assert evidence.verdict != "refuted", evidence.explain()
    assert not sp.check_denoiser(lambda y: mean(y) + 0.05 * (mean(y) - y), prior, cov, n=n)
    assert not sp.check_score(lambda y: 1.05 * score(y), prior, cov, n=n)


@pytest.mark.parametrize("offset", [0.0, 1e4, 1e6])
def test_data_far_from_the_origin_hide_nothing(offset):
    points = data() + offset
    evidence = sp.check_denoiser(lambda y: y, points, 0.7)
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == ("nothing_denoised",)


def test_a_bound_that_says_nothing_is_undecided():
    points = data() + 1e4
    evidence = sp.check_denoiser(
        lambda y: sp.Atoms(points).posterior_mean(y, 0.7 * np.eye(3)).astype(np.float32),
        points,
        0.7,
    )
    assert evidence.verdict == "undecided"
    assert "centre the data" in evidence.explain()
    blunt = sp.check_score(lambda y: (-y).astype(np.float32), None, 1.0, points=points)
    assert blunt.verdict == "undecided"
    assert "could be measured to" in blunt.explain()


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
    assert rows == [3, 3, 4 * 3 * 64]
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
    assert evidence.cost["calls"] == 4


@pytest.mark.parametrize("cov", [COV, 0.6 * np.eye(3)], ids=["full", "isotropic"])
@pytest.mark.parametrize("prior", [mixture(), sp.Atoms(data())], ids=["mixture", "atoms"])
@pytest.mark.parametrize(
    ("check", "prediction"),
    [(sp.check_score, "score"), (sp.check_denoiser, "x0")],
    ids=["score", "denoiser"],
)
def test_every_explanation_names_itself_or_a_simpler_one_that_predicts_the_same(
    check, prediction, prior, cov
):
    problem = make_problem(prior, cov, 1.0, None, 16, None, 0, check.__name__)
    kind = Prediction(prediction, problem, 0.5, None)
    predictions = (
        score_candidates(problem, problem.score(), kind)
        if prediction == "score"
        else denoiser_candidates(problem, kind)
    )
    truth = problem.score() if prediction == "score" else problem.mean()
    assert sum(" + " in name for name in predictions) > 40
    for name, value in predictions.items():
        if np.allclose(value, truth, rtol=1e-9, atol=1e-9):  # a diagonal Σ hides transposes
            continue
        evidence = check(lambda y, v=value: v if len(y) == len(v) else np.zeros_like(y), prior, cov)
        assert evidence.verdict == "refuted", name
        named = evidence.diagnosis.names
        assert named, name
        if name not in named:
            assert " + " in name
            assert np.allclose(predictions[named[0]], value, rtol=1e-8, atol=1e-8), (name, named)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"prior": None}, "prior must be a GaussianMixture, Atoms or a data set"),
        ({"n": 2.5}, "n must be an integer >= 1"),
        ({"n": 0}, "n must be an integer >= 1"),
        ({"alpha": "one"}, "alpha must be finite and > 0"),
        ({"tolerance": -1.0}, "tolerance must be finite and >= 0"),
        ({"tolerance": np.nan}, "tolerance must be finite and >= 0"),
        ({"points": np.zeros((0, 3))}, "points must be at least one row"),
        ({"prediction": "F", "cov": 1.0, "sigma_data": 0.0}, "sigma_data must be finite and > 0"),
        ({"prediction": "velocity", "cov": 1.0}, "rates must be"),
        ({"prediction": "velocity", "cov": 1.0, "rates": 3.0}, "rates must be"),
        ({"prediction": "velocity", "cov": 1.0, "rates": (1.0, 1.0)}, "rates must be such that"),
        ({"denoiser": 3}, "denoiser must be callable"),
    ],
)
def test_bad_arguments_have_one_clear_error(change, message):
    arguments = {"denoiser": lambda y: y, "prior": mixture(), "cov": COV, **change}
    with pytest.raises(sp.ScoreproofError, match=message):
        sp.check_denoiser(**arguments)
