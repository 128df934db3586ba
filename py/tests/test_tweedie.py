"""tweedie: properties of mixtures and atoms, check_denoiser and check_score on the truth, faults
and bad input.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoreproof as sp
from scoreproof.claims.tweedie.faults import FAULTS
from scoreproof.claims.tweedie.statement import mean_formula
from scoreproof.interop.callables import Guarded
from scoreproof.numerics.complex_step import gradient, jacobian
from scoreproof.numerics.linear import random_covariance
from scoreproof.objects.parameterizations import convert

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


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_mixture_is_consistent(d, k, seed):
    rng = np.random.default_rng(seed)
    m = sp.GaussianMixture(
        rng.dirichlet(np.full(k, 3.0)),
        rng.standard_normal((k, d)),
        np.stack([random_covariance(rng, d) for _ in range(k)]),
    )
    y = m.sample(rng, 4)
    assert np.allclose(m.score(y), gradient(m.log_density, y), rtol=1e-9, atol=1e-9)
    assert np.allclose(
        m.hessian_log_density(y),
        jacobian(
            lambda x: np.stack([gradient_row(m, r) for r in x]) if np.isrealobj(x) else m.score(x),
            y,
        ),
        atol=1e-8,
    )
    cov = random_covariance(rng, d)
    assert np.allclose(y + m.noised(cov).score(y) @ cov, m.posterior_mean(y, cov), atol=1e-10)
    assert np.all(np.linalg.eigvalsh(m.posterior_covariance(y, cov)) > -1e-12)


def gradient_row(m, row):
    return m.score(row[None])[0]


def test_atoms_block_by_block_equals_all_at_once(monkeypatch):
    from scoreproof.objects import empirical

    atoms, y = sp.Atoms(data()), data(1)
    whole = atoms.posterior_mean(y, COV), atoms.noised(COV).log_density(y)
    monkeypatch.setattr(empirical, "BLOCK", 7)
    assert np.allclose(whole[0], atoms.posterior_mean(y, COV), atol=1e-15)
    assert np.allclose(whole[1], atoms.noised(COV).log_density(y), atol=1e-14)


def test_atoms_are_the_limit_of_narrow_mixtures():
    points = data(n=5)
    narrow = sp.GaussianMixture(np.full(5, 0.2), points, np.stack([1e-10 * np.eye(3)] * 5))
    y = data(2, n=6)
    assert np.allclose(
        narrow.posterior_mean(y, COV), sp.Atoms(points).posterior_mean(y, COV), atol=1e-8
    )
    assert np.allclose(
        narrow.posterior_covariance(y, COV),
        sp.Atoms(points).posterior_covariance(y, COV),
        atol=1e-8,
    )


def test_perplexity_counts_atoms():
    atoms = sp.Atoms(np.array([[-1.0], [1.0]]))
    law = atoms.noised(np.eye(1))
    assert np.isclose(law.perplexity(np.zeros((1, 1)))[0], 2.0)
    assert np.isclose(law.perplexity(np.full((1, 1), 50.0))[0], 1.0)
    with pytest.raises(sp.ScoreproofError, match="choose larger or smaller noise"):
        sp.Atoms(data()).noised(1e-6 * np.eye(3)).noisy(np.random.default_rng(0), 4)


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
    assert sp.check_score(
        lambda y: np.linalg.solve(COV, (np.maximum(y, 0) - y).T).T,
        None,
        np.diag(np.diag(COV)) * 0 + np.eye(3),
        points=points + 3,
    )


def test_one_effective_datum_decides_nothing():
    points = data()
    evidence = sp.check_denoiser(
        lambda y: sp.Atoms(points).posterior_mean(y, 1e-6 * np.eye(3)), points, 1e-6
    )
    assert evidence.verdict == "undecided"
    assert "take more noise" in evidence.explain()


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
    prior = mixture()
    guard = Guarded(lambda y: prior.posterior_mean(y, COV), "denoiser")
    sp.check_denoiser(guard, prior, COV)
    assert guard.calls == 2
    rows = []
    sp.check_score(lambda y: rows.append(len(y)) or prior.noised(COV).score(y), prior, COV, n=5)
    assert rows == [5, 5, 4 * 5 * 3]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"denoiser": lambda y: 1 / 0}, "denoiser must return normally"),
        ({"denoiser": lambda y: y[:, :1].repeat(2, 1)}, r"it returned shape \(16, 2\)"),
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
