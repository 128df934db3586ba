"""check_denoiser: right denoisers hold at a stated resolution, wrong ones are refuted and named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoreproof as sp
from scoreproof.claims.tweedie.faults import FAULTS
from scoreproof.claims.tweedie.statement import mean_formula
from scoreproof.interop.callables import Guarded
from scoreproof.numerics.complex_step import gradient
from scoreproof.numerics.linear import random_covariance
from scoreproof.objects.parameterizations import convert
from scoreproof.public.denoiser import words as denoiser
from scoreproof.public.posterior.due import Due, make_scale
from scoreproof.public.posterior.points import choose
from scoreproof.public.posterior.prediction import Prediction
from scoreproof.public.posterior.problem import make_problem
from scoreproof.public.score import words as score

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
    "prior", [mixture(), sp.Atoms(data()), data()], ids=["mixture", "atoms", "data"]
)
def test_the_exact_denoiser_holds(prior):
    known = prior if not isinstance(prior, np.ndarray) else sp.Atoms(prior)
    evidence = sp.check_denoiser(lambda y: known.posterior_mean(y, COV), prior, COV)
    assert evidence, evidence.explain()


@pytest.mark.parametrize(
    "fault", [f for f in FAULTS if f.subject.mean is not mean_formula], ids=lambda f: f.name
)
@pytest.mark.parametrize("prior", [mixture(), sp.Atoms(data())], ids=["mixture", "atoms"])
def test_every_fault_is_refuted_and_named(prior, fault):
    law = prior.noised(COV)
    evidence = sp.check_denoiser(
        lambda y: fault.subject.mean(y, gradient(law.log_density, y), COV), prior, COV
    )
    assert evidence.verdict == "refuted"
    assert fault.name in evidence.diagnosis.names, evidence.explain()


def test_nine_of_ten_pairs_are_named():
    prior, right, total = mixture(), 0, 0
    for level, cov in {
        "noise_variance_squared": COV @ COV,
        "noise_variance_halved": COV / 2,
        "noise_variance_doubled": 2 * COV,
    }.items():
        law = prior.noised(cov)
        for fault in FAULTS:
            if (
                fault.subject.mean is mean_formula or fault.name == "nothing_denoised"
            ):  # which does not see the level
                continue
            evidence = sp.check_denoiser(
                lambda y, f=fault, law=law: f.subject.mean(y, law.score(y), COV), prior, COV
            )
            total += 1
            right += f"{fault.name} + {level}" in evidence.diagnosis.names
    assert right >= 0.9 * total, (right, total)


@pytest.mark.parametrize("prediction", ["x0", "score", "eps", "v", "F", "velocity"])
def test_every_prediction_type(prediction):
    prior, alpha, sigma, rates = mixture(), 0.8, 0.6, (-0.3, 0.7)
    scaled = prior.affine(alpha * np.eye(3))

    def model(y):
        x0 = scaled.posterior_mean(y, sigma**2 * np.eye(3)) / alpha
        return convert(
            x0, y, "x0", prediction, alpha, sigma, alpha_dot=rates[0], sigma_dot=rates[1]
        )

    options = {"prediction": prediction, "alpha": alpha, "rates": rates}
    for check in (sp.check_denoiser, sp.check_score):
        evidence = check(model, prior, sigma**2, **options)
        assert evidence, evidence.explain()
        assert not check(lambda y: -model(y), prior, sigma**2, **options)


def test_a_wrong_prediction_type_is_named():
    prior = mixture()
    eps = lambda y: -prior.noised(0.5 * np.eye(3)).score(y) * np.sqrt(0.5)  # noqa: E731
    assert "returns_eps" in sp.check_denoiser(eps, prior, 0.5).diagnosis.names
    forgotten = sp.check_denoiser(
        lambda y: prior.affine(0.8 * np.eye(3)).posterior_mean(y, 0.5 * np.eye(3)),
        prior,
        0.5,
        alpha=0.8,
    )
    assert "alpha_not_divided_out" in forgotten.diagnosis.names


def test_one_effective_datum_decides_nothing():
    points = data()
    right, asked = sp.Atoms(points), points[:8] + 1e-4
    evidence = sp.check_denoiser(
        lambda y: right.posterior_mean(y, 1e-6 * np.eye(3)), points, 1e-6, points=asked
    )
    assert evidence.verdict == "undecided"
    assert "take a larger noise level, or leave the points to the check" in evidence.explain()
    # left to the check, some lie between two data
    assert sp.check_denoiser(lambda y: right.posterior_mean(y, 1e-6 * np.eye(3)), points, 1e-6)


def test_a_learned_denoiser_is_measured_against_a_declared_tolerance():
    prior = mixture()
    nearly = lambda y: 1.01 * prior.posterior_mean(y, COV)  # noqa: E731
    assert not sp.check_denoiser(nearly, prior, COV)
    assert sp.check_denoiser(nearly, prior, COV, tolerance=0.02)


def test_float32_models_get_float32_bounds():
    prior = mixture()
    evidence = sp.check_denoiser(
        lambda y: prior.posterior_mean(y, COV).astype(np.float32), prior, COV
    )
    assert evidence, evidence.explain()
    assert not sp.check_denoiser(
        lambda y: (1.001 * prior.posterior_mean(y, COV)).astype(np.float32), prior, COV
    )


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_frameworks(framework):
    package = pytest.importorskip(framework)
    points = data()

    def denoiser(y):
        xp = package if framework == "torch" else package.numpy
        x = (
            package.tensor(points, dtype=y.dtype)
            if framework == "torch"
            else package.numpy.asarray(points, dtype=y.dtype)
        )
        weights = xp.exp(-((y[:, None] - x) ** 2).sum(2) / (2 * 0.7))
        return weights @ x / weights.sum(1)[:, None]

    evidence = sp.check_denoiser(denoiser, points, 0.7, framework=framework)
    assert evidence, evidence.explain()
    score = sp.check_score(lambda y: (denoiser(y) - y) / 0.7, points, 0.7, framework=framework)
    assert score, score.explain()
    assert not sp.check_score(lambda y: denoiser(y) - y, points, 0.7, framework=framework)


def test_calls_are_counted():
    prior, rows = mixture(), []
    guard = Guarded(lambda y: rows.append(len(y)) or prior.posterior_mean(y, COV), "denoiser")
    evidence = sp.check_denoiser(guard, prior, COV)
    assert (guard.calls, rows) == (3, [64, 64, 32])
    assert evidence.cost["calls"] == 3
    rows.clear()
    sp.check_denoiser(  # a coarser type comes back than went in: asked again at numbers of that
        lambda y: rows.append(len(y)) or prior.posterior_mean(y, COV).astype(np.float32),
        prior,
        COV,
        n=5,
    )
    assert rows == [5, 5, 5, 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"denoiser": lambda y: 1 / 0}, "denoiser must return normally"),
        ({"denoiser": lambda y: y[:, :1].repeat(2, 1)}, r"it returned shape \(64, 2\)"),
        ({"denoiser": lambda y: y * np.nan}, "finite numbers"),
        (
            {"denoiser": lambda y: np.random.default_rng().standard_normal(y.shape)},
            "be deterministic",
        ),
        ({"denoiser": lambda y: np.multiply(y, 2, out=y)}, "leave its input unchanged"),
        ({"cov": -COV}, "cov must be positive definite"),
        ({"cov": COV + np.triu(np.ones((3, 3)), 1)}, "cov must be symmetric"),
        ({"cov": np.eye(2)}, r"cov must be of shape \(3, 3\)"),
        ({"prior": np.array([[np.nan, 0, 0]])}, "prior must be finite"),
        ({"prior": np.zeros(3)}, "prior must be of shape"),
        ({"prediction": "epsilon"}, "prediction must be one of"),
        ({"prediction": "eps"}, "cov must be σ² I"),
        ({"alpha": 0.0}, "alpha must be finite and > 0"),
        ({"points": np.zeros((2, 5))}, "points must be of shape"),
        ({"framework": "tensorflow"}, "framework must be one of"),
    ],
)
def test_bad_input_has_one_clear_error(change, message):
    arguments = {"denoiser": lambda y: y, "prior": mixture(), "cov": COV, **change}
    with pytest.raises(sp.ScoreproofError, match=message):
        sp.check_denoiser(**arguments)


def test_rounding_never_hides_the_whole_signal():
    prior, small = mixture(), 1e-4
    law = prior.noised(small * np.eye(3))
    wrong = sp.check_score(
        lambda y: (0.9 * law.score(y.astype(float))).astype(np.float32),
        prior,
        small,
        dtype=np.float32,
    )
    assert not wrong, wrong.explain()
    for cov in (1e-14, 1e-16):
        assert not sp.check_score(lambda y: 0 * y, prior, cov)
    assert not sp.check_denoiser(lambda y: y, prior, 4e-6, dtype=np.float32)
    assert not sp.check_denoiser(lambda y: 0 * y, prior, 4e-6, prediction="eps", dtype=np.float32)


def test_a_coordinate_of_small_scale_counts_as_much_as_the_others():
    cov = np.diag([1.0, 1e-10])
    prior = sp.GaussianMixture([1.0], [[0.0, 0.0]], [cov])
    assert sp.check_denoiser(lambda y: 0.5 * y, prior, cov)
    evidence = sp.check_denoiser(lambda y: y * np.array([0.5, 0.0]), prior, cov)
    assert evidence.verdict == "refuted", evidence.explain()


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
    points = data() + 1e6
    evidence = sp.check_denoiser(
        lambda y: sp.Atoms(points).posterior_mean(y, 0.7 * np.eye(3)).astype(np.float32),
        points,
        0.7,
    )
    assert evidence.verdict == "undecided"
    assert "centre the data" in evidence.explain()
    # at 1e4 the same is off by a thousandth: that can be decided, at a resolution of 1 %
    points = data() + 1e4
    evidence = sp.check_denoiser(
        lambda y: sp.Atoms(points).posterior_mean(y, 0.7 * np.eye(3)).astype(np.float32),
        points,
        0.7,
    )
    assert evidence, evidence.explain()
    assert 0.009 < evidence.resolution <= 0.01
    blunt = sp.check_score(lambda y: (-y).astype(np.float32), None, 1.0, points=points)
    assert blunt.verdict == "undecided"
    assert "could be measured to" in blunt.explain()


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
    made = {"alpha": 1.0, "points": None, "n": 16, "tolerance": None, "seed": 0}
    problem = make_problem(prior, cov, name=check.__name__, **made)
    kind = Prediction(prediction, problem, 0.5, None)
    points = choose(problem, make_scale(problem), lambda y: y)
    due = Due(problem, points.y)
    predictions = (score if prediction == "score" else denoiser).candidates(due, kind)
    truth = due.score if prediction == "score" else due.mean
    assert sum(" + " in name for name in predictions) > 40
    for name, value in predictions.items():
        if np.allclose(value, truth, rtol=1e-9, atol=1e-9):  # a diagonal Σ hides transposes
            continue

        def looked_up(y, v=value):
            if len(y) > len(v):  # the shifted points of a difference
                return np.zeros_like(y)
            return v[[int(np.argmin(np.sum((points.y - row) ** 2, axis=1))) for row in y]]

        evidence = check(looked_up, prior, cov, n=16)
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
        ({"tolerance": -1.0}, r"tolerance must be in \(0, 1\)"),
        ({"tolerance": np.nan}, r"tolerance must be a number in \(0, 1\)"),
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
