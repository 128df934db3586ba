"""What explains a wrong denoiser, score, network or preconditioning; and what is not claimed."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.posterior.closed import common
from scoreproof.public.posterior.fitted import fitted

RNG = np.random.default_rng(0)
DATA = RNG.normal(size=(16, 3)) + 0.5
SIGMA = 0.8
PRIOR = sp.GaussianMixture(
    [0.3, 0.7], [[-1.0, 0.5], [1.0, -0.5]], [np.diag([0.5, 0.2]), [[0.3, 0.1], [0.1, 0.6]]]
)


def mean(y, data=DATA, sigma=SIGMA):
    logits = -((y[:, None] - data) ** 2).sum(-1) / (2 * sigma**2)
    w = np.exp(logits - logits.max(1, keepdims=True))
    return w @ data / w.sum(1, keepdims=True)


def network(x, sigma):
    return np.stack([mean(row[None], sigma=s)[0] for row, s in zip(x, sigma, strict=True)])


def told(evidence):
    assert evidence.verdict == "refuted"
    return evidence.diagnosis.names, evidence.explain()


def test_a_fitted_noise_variance_has_its_closed_form():
    names, text = told(sp.check_denoiser(lambda y: mean(y, sigma=0.8 * 1.3), DATA, SIGMA**2))
    assert names == ("noise_variance",) and "1.69" in text and "σ = 1.04" in text


def test_the_dimension_is_recognised():
    names, text = told(sp.check_denoiser(lambda y: mean(y, sigma=SIGMA * 3**0.5), DATA, SIGMA**2))
    assert "d = 3" in text and "averaged" in text


def test_weights_are_found_one_by_one():
    names, text = told(sp.check_denoiser(lambda y: mean(y, DATA[:12]), DATA, SIGMA**2))
    assert names == ("data_left_out",) and "data 12 to 15" in text


@pytest.mark.parametrize("size", [0.3, 1e-3, 1e-8])
def test_what_nothing_explains_is_not_claimed(size):
    """A smooth deviation that no formula has, however small."""
    names, text = told(
        sp.check_denoiser(lambda y: mean(y) + size * np.sin(3 * y + 1), DATA, SIGMA**2)
    )
    assert names == () and "No known fault" in text


@pytest.mark.parametrize("tolerance", [0.01, 0.05])
def test_a_tolerance_is_no_licence_to_explain(tolerance):
    """A learned denoiser that is near: what the check accepts is more than what is left."""
    turn = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    names, _ = told(
        sp.check_denoiser(
            lambda y: mean(y) + 2 * tolerance * np.tanh(y @ turn + 0.3) * (1 + y[:, :1] ** 2),
            DATA,
            SIGMA**2,
            tolerance=tolerance,
        )
    )
    assert names == ()


def test_two_faults_at_once_are_not_taken_for_one():
    """Clipped, and for another level: neither of the two explains it."""
    names, _ = told(
        sp.check_denoiser(lambda y: np.clip(mean(y, sigma=1.0), -0.8, 0.8), DATA, SIGMA**2)
    )
    assert names == ()


@pytest.mark.parametrize("part", [0.3, 1e-4])
def test_the_coordinates_that_turn_are_named(part):
    law = PRIOR.noised(0.4 * np.eye(2))
    turn = part * np.array([[0.0, 1.0], [-1.0, 0.0]])
    names, text = told(sp.check_score(lambda y: law.score(y) + y @ turn, PRIOR, 0.4))
    assert names == ("rotation",) and "coordinates 0 and 1" in text


def test_a_score_that_falls_too_steeply_without_a_prior():
    law = PRIOR.noised(0.4 * np.eye(2))
    points = PRIOR.sample(np.random.default_rng(1), 12)
    names, text = told(sp.check_score(lambda y: 4 * law.score(y), None, 0.4, points=points))
    assert names == () and "too steeply" in text


def test_finite_differences_are_recognised_by_their_step():
    law = PRIOR.noised(0.4 * np.eye(2))

    def score(y):
        steps = 0.05 * np.eye(2)
        return np.stack(
            [(law.log_density(y + e) - law.log_density(y - e)) / 0.1 for e in steps], axis=1
        )

    names, text = told(sp.check_score(score, PRIOR, 0.4))
    assert names == ("finite_differences",) and "central" in text and "0.05" in text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda x, s: network(x, np.maximum(s, 0.7)), "as at σ/α = 0.7"),
        (lambda x, s: network(x, s + 0.05), "0.05 more"),
        (lambda x, s: network(x, 1.1 * s), "1.1 = 11/10 times those that are due"),
        (lambda x, s: network(x, s)[:, ::-1], "reverse order"),
        (lambda x, s: network(x, s) + 0.2 * s[:, None], "what is due"),
    ],
    ids=["clamped", "more", "times", "reversed", "offset"],
)
def test_one_cause_for_all_noise_levels(wrong, words):
    _, text = told(sp.check_denoiser(wrong, DATA, schedule=[0.3, 0.5, 1.0, 2.0]))
    assert words in text


def test_a_learned_network_gets_its_share_of_the_space():
    def learned(x, s):
        return network(x, s) + 0.03 * np.sin(2 * x + s[:, None])

    names, text = told(sp.check_denoiser(learned, DATA, schedule=[0.3, 1.0, 2.0], tolerance=0.01))
    assert names == () and "rms error" in text and "is the tolerance" in text


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: np.maximum(s, 0.05), "clamped at 0.05 below"),
        (lambda s: np.minimum(s, 10.0), "clamped at 10 above"),
        (lambda s: 2 * s, "multiplied by 2"),
        (lambda s: s**2, "σ² is passed"),
    ],
    ids=["low", "high", "twice", "squared"],
)
def test_another_sigma_in_every_coefficient(change, words):
    def scalings(sigma):
        s = change(sigma)
        total = s**2 + 0.25
        return 0.25 / total, 0.5 * s / total**0.5, 1 / total**0.5

    _, text = told(sp.check_preconditioning(scalings, sigma_data=0.5))
    assert words in text


def test_a_coefficient_that_follows_no_formula_is_not_explained():
    functions = {
        "c_in": lambda s: (1 + 0.01 * np.sin(s)) / (s**2 + 0.25) ** 0.5,
        "c_out": lambda s: 0.5 * s / (s**2 + 0.25) ** 0.5,
    }
    evidence = sp.check_preconditioning(functions, sigma_data=0.5)
    assert evidence.verdict == "refuted" and evidence.diagnosis is None


def test_numbers_that_follow_a_formula_of_the_level():
    symbols = [{"σ": s, "α": a} for s, a in [(0.3, 0.9), (0.7, 0.6), (0.9, 0.4)]]
    assert common([s["σ"] ** 2 / s["α"] for s in symbols], symbols) == "1/α · σ²"
    assert common([1.0, 2.0, 3.5], symbols) == "" == common([1.0, -1.0, 1.0], symbols)


def test_a_fit_that_fails_gives_nothing():
    def broken(_):
        raise ZeroDivisionError

    assert fitted(broken, [np.zeros(1)]) is None
    assert fitted(lambda p: np.array([np.nan]), [np.zeros(1)]) is None
