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
    # three, one for its rounding, forward mode's attempt, differences, and once along their mean
    assert evidence.cost["calls"] == 7


def test_calls_are_counted():
    prior, rows = mixture(), []
    law = prior.noised(COV)
    sp.check_score(lambda y: rows.append(len(y)) or law.score(y), prior, COV, n=5)
    assert rows == [5, 5, 3, 4 * 5 * 3]
    rows.clear()
    sp.check_score(lambda y: rows.append(len(y)) or law.score(y), prior, COV)
    assert rows == [64, 64, 32, 4 * 16 * 3]


def test_every_holds_says_what_it_would_have_seen_and_looked_at():
    prior = mixture()
    evidence = sp.check_score(prior.noised(COV).score, prior, COV)
    assert 0 < evidence.resolution < 1e-10
    assert evidence.coverage.looked_at == {"points": 64, "coordinates": 3, "components": 3}
    assert "the Jacobian at 16 points in all 3 directions" in evidence.explain()
    alone = sp.check_score(prior.noised(COV).score, None, COV, points=data())
    assert alone.explain().startswith("Holds (float): no prior was given, so that only necessary")
    assert "pass the prior for that" in alone.explain()
    assert 0 < alone.resolution < 1e-6
    assert alone.coverage.looked_at == {"points": 40, "directions": 3}


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("alpha_forgotten", lambda prior, y: prior.noised(0.3 * np.eye(3)).score(y)),
        ("noise_variance_doubled", lambda prior, y: scaled(prior).noised(0.6 * np.eye(3)).score(y)),
        ("weights_ignored", lambda prior, y: scaled(equal(prior)).noised(0.3 * np.eye(3)).score(y)),
        (None, lambda prior, y: 0 * y),
        (None, lambda prior, y: scaled(prior).noised(0.3 * np.eye(3)).score(y) * (1 + 1e-6)),
        (None, lambda prior, y: np.clip(scaled(prior).noised(0.3 * np.eye(3)).score(y), -1.5, 1.5)),
    ],
    ids=["alpha", "variance", "weights", "zero", "a millionth", "clamped"],
)
def test_wrong_scores_do_not_hold(name, wrong):
    weights = np.array([0.7, 0.2, 0.1])
    prior = sp.GaussianMixture(weights, 2 * mixture().means, mixture().covariances)
    evidence = sp.check_score(lambda y: wrong(prior, y), prior, 0.3, alpha=0.6)
    assert evidence.verdict == "refuted", evidence.explain()
    assert name is None or name in evidence.diagnosis.names, evidence.explain()


def scaled(prior):
    return prior.affine(0.6 * np.eye(3))


def equal(prior):
    return sp.GaussianMixture(np.full(3, 1 / 3), prior.means, prior.covariances)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("mean", lambda s, y: s + 1e-6 * y.mean(axis=0)),
        ("roll", lambda s, y: np.roll(s, 1, axis=0)),
        ("standardised", lambda s, y: s * np.std(y)),
        ("softmax of the rows", lambda s, y: s * (1 + 1e-3 * np.exp(y) / np.exp(y).sum(axis=0))),
    ],
)
def test_rows_that_are_mixed_are_no_score_without_a_prior_either(name, change):
    law, points = mixture().noised(COV), data()
    evidence = sp.check_score(lambda y: change(law.score(y), y), None, COV, points=points)
    assert evidence.verdict == "refuted", evidence.explain()
    assert "depends on the rest of the batch" in evidence.explain()
    single = sp.check_score(lambda y: change(law.score(y), y), None, COV, points=points[:1])
    assert not single, single.explain()


@pytest.mark.parametrize("d", [80, 200])
def test_an_asymmetry_between_two_of_many_coordinates_is_counted_in_the_resolution(d):
    points = np.random.default_rng(0).standard_normal((3, d))
    right = sp.check_score(lambda y: -y / 2, None, 1.0, points=points)
    assert right, right.explain()
    assert f"a random sample of 64 of the {d} directions" in right.explain()
    turn = np.zeros((d, d))
    turn[3, 70], turn[70, 3] = 1, -1
    for amount in (10 * right.resolution, 1e-3):
        wrong = sp.check_score(lambda y, a=amount: -y / 2 + a * y @ turn, None, 1.0, points=points)
        assert wrong.verdict == "refuted", wrong.explain()


def test_in_one_dimension_symmetry_says_nothing():
    points = np.linspace(-2, 2, 9)[:, None]
    right = sp.check_score(lambda y: -np.tanh(y), None, 1.0, points=points)
    assert right, right.explain()
    assert "symmetry says nothing in one dimension" in right.explain()
    steep = sp.check_score(lambda y: -1.2 * np.tanh(y), None, 1.0, points=points)
    assert steep.verdict == "refuted"


@pytest.mark.parametrize("mode", ["bfloat16", "float16", "float32"])
def test_torch_models_of_coarse_types_without_a_prior(mode):
    torch = pytest.importorskip("torch")
    dtype = getattr(torch, mode)

    class Linear(torch.nn.Module):
        def __init__(self, matrix):
            super().__init__()
            self.matrix = torch.nn.Parameter(torch.tensor(matrix, dtype=dtype))

        def forward(self, y):
            return y @ self.matrix

    points = data(n=6)
    options = {} if mode == "float32" else {"tolerance": 0.1}
    right = sp.check_score(Linear(-0.5 * np.eye(3)), None, 1.0, points=points, **options)
    assert right.verdict != "refuted", right.explain()
    if mode == "float32":
        assert right, right.explain()
    turned = -0.5 * np.eye(3) + [[0, 1, 0], [-1, 0, 0], [0, 0, 0]]
    wrong = sp.check_score(Linear(turned), None, 1.0, points=points, **options)
    assert wrong.verdict == "refuted", wrong.explain()


def test_float32_differences_are_decided_or_say_what_helps():
    law, points = mixture().noised(COV), data()
    single = lambda y: law.score(y.astype(float)).astype(np.float32)  # noqa: E731
    evidence = sp.check_score(single, None, COV, points=points, dtype=np.float32)
    assert evidence, evidence.explain()
    assert 1e-4 < evidence.resolution <= 0.01
    turn = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    wrong = sp.check_score(
        lambda y: single(y) + np.float32(0.1) * y @ turn.astype(np.float32),
        None,
        COV,
        points=points,
        dtype=np.float32,
    )
    assert wrong.verdict == "refuted", wrong.explain()
    far = sp.check_score(single, None, COV, points=points + 1e5, dtype=np.float32)
    assert far.verdict == "undecided"
    assert "use float64" in far.explain()


def test_points_that_cannot_be_differentiated_are_not_judged():
    points = data(n=60)

    def score(y):  # a kink that runs next to one of the points
        return -0.5 * y + 0.2 * np.maximum(y - points[7] - 3e-6, 0) * [1, 0, 0]

    evidence = sp.check_score(score, None, 1.0, points=points)
    assert evidence, evidence.explain()
    assert "left out: 1 point, where the Jacobian could be measured to" in evidence.explain()
    few = sp.check_score(score, None, 1.0, points=points[5:10])
    assert few.verdict == "undecided", few.explain()


def test_an_asymmetric_jacobian_refutes_what_is_right_at_the_points():
    prior = sp.Atoms(data())
    law, turn = prior.noised(COV), np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 0.0]])
    seen = []

    def score(y):  # right at the very points that are looked at, and nowhere else
        if not seen:
            seen.extend(map(tuple, y))
        known = np.array([tuple(row) in seen for row in y])[:, None]
        return law.score(y) + np.where(known, 0, 0.1 * np.sin(y) @ turn)

    evidence = sp.check_score(score, prior, COV)
    assert evidence.verdict == "refuted", evidence.explain()
    assert evidence.diagnosis.names == ("curl",), evidence.explain()
    assert "coordinates 0 and 1 turn" in evidence.explain()


def test_a_score_that_is_a_small_difference_of_two_matrices_is_not_asymmetric():
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    covariance, sigma2 = random_covariance(rng, 50, 7.0), 2.5e-7
    gain = covariance @ np.linalg.inv(covariance + sigma2 * np.eye(50))
    prior = sp.GaussianMixture.gaussian(np.zeros(50), covariance)
    matrix = torch.tensor(gain.T)
    score = lambda y: (y @ matrix - y) / sigma2  # noqa: E731
    for known, points in ((prior, None), (None, rng.standard_normal((4, 50)))):
        evidence = sp.check_score(score, known, sigma2, points=points, framework="torch")
        assert evidence.verdict != "refuted", evidence.explain()


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize("d", [1, 4, 80])
def test_without_a_prior_a_lost_sign_does_not_hold(sign, d):
    # the Jacobian of minus a score of one Gaussian is symmetric, and Cov positive
    points = np.random.default_rng(1).standard_normal((8, d))
    evidence = sp.check_score(lambda y: sign * -y / 1.5, None, 0.5, points=points)
    assert evidence.verdict == ("holds" if sign > 0 else "undecided"), evidence.explain()
    assert sign > 0 or "sign been lost" in evidence.sentence


def test_without_a_prior_a_valley_between_modes_is_not_refuted():
    prior = sp.Atoms(np.array([[-2.0], [2.0]]))
    score = prior.noised(np.eye(1)).score
    assert sp.check_score(score, None, 1.0, points=[[0.0]]).verdict == "undecided"
    assert sp.check_score(score, None, 1.0, points=[[0.0], [2.0]])


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_what_is_detached_shows_without_a_prior(framework):
    package = pytest.importorskip(framework)
    points = np.random.default_rng(1).standard_normal((6, 3))

    def detached(y):
        if framework == "torch":
            return package.roll(y, 1, 1).detach()
        return package.lax.stop_gradient(package.numpy.roll(y, 1, 1))

    def turned(y):  # two rolls cancel in values, and automatic differentiation sees one
        roll = package.roll if framework == "torch" else package.numpy.roll
        return -y / 1.5 + 0.3 * (roll(y, 1, 1) - detached(y))

    given = {"points": points, "framework": framework, "dtype": "float32"}
    wrong = sp.check_score(lambda y: -y / 1.5 + 0.3 * detached(y), None, 0.5, **given)
    assert wrong.verdict == "refuted" and "detached" in wrong.sentence, wrong.explain()
    right = sp.check_score(lambda y: -y / 1.5, None, 0.5, **given)
    assert right and "detached" not in right.sentence, right.explain()
    assert sp.check_score(turned, None, 0.5, **given).verdict != "refuted"


def test_a_sample_of_directions_says_what_it_does_not_show():
    points = np.random.default_rng(1).standard_normal((2, 80))
    assert "negative in a few" in sp.check_score(lambda y: -y, None, 0.5, points=points).explain()
