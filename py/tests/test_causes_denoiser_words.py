"""What would make a denoiser right as it is called comes before what to declare instead; factors
of levels, levels of a list, batches whose rows are mixed.
"""

import numpy as np
import pytest

from scoreproof import check_denoiser
from scoreproof.objects.schedules import FlowMatching
from scoreproof.public.posterior.level_words import reason

DATA = np.random.default_rng(21).normal(size=(12, 4)) * [1.0, 0.7, 1.3, 0.9]
LEVELS = [8.0, 4.0, 2.0, 1.0, 0.6]


def mean(x, alpha, sigma):
    alpha, sigma = (np.broadcast_to(v, len(x))[:, None] for v in (alpha, sigma))
    logits = -((x[:, None] - alpha[:, None] * DATA) ** 2).sum(2) / (2 * sigma**2)
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return weights @ DATA / weights.sum(1, keepdims=True)


def noise(x, alpha, sigma):
    x0 = mean(x, alpha, sigma)
    alpha, sigma = (np.broadcast_to(v, len(x))[:, None] for v in (alpha, sigma))
    return (x - alpha * x0) / sigma


def at_levels(denoiser):
    return check_denoiser(denoiser, DATA, schedule=LEVELS)


class Path:
    """x_0 and ε with other rates than a straight path's."""

    horizon = 1.0

    def alpha(self, t):
        return 1 - t

    def sigma(self, t):
        return 0.2 + 0.8 * t

    def derivatives(self, t):
        return -1.0, 0.8


class Circle(Path):
    def alpha(self, t):
        return np.cos(1.5 * t)

    def sigma(self, t):
        return np.sin(1.5 * t)

    def derivatives(self, t):
        return -1.5 * np.sin(1.5 * t), 1.5 * np.cos(1.5 * t)


def along(path, network, prediction="velocity"):
    def asked(x, t):
        a, s = path.alpha(t), path.sigma(t)
        return network(x, a[:, None], s[:, None], mean(x, a, s), noise(x, a, s))

    levels = [0.8, 0.6, 0.4, 0.2]
    return check_denoiser(asked, DATA, schedule=path, prediction=prediction, levels=levels)


def test_the_missing_factor_of_a_velocity_comes_before_another_prediction():
    right = along(Path(), lambda x, a, s, x0, eps: 0.8 * eps - x0)
    wrong = along(Path(), lambda x, a, s, x0, eps: eps - x0)
    assert right.verdict == "holds"
    said = wrong.diagnosis.sentence
    assert "the factor 0.8 before ε is missing" in said
    assert said.index("is missing") < said.index("say prediction='flow'")


def test_the_factor_of_v():
    said = along(Circle(), lambda x, a, s, x0, eps: a * eps - s * x0).diagnosis.sentence
    assert "is v times 1.5 = 3/2: this factor is missing" in said
    assert said.index("is missing") < said.index("prediction='v'")


def test_flow_is_called_flow():
    def network(x, t):
        return noise(x, 1 - t, t)

    wrong = check_denoiser(network, DATA, schedule=FlowMatching(), prediction="flow")
    assert "read as flow," in wrong.sentence
    assert "E[ε | x] where the velocity ε - x_0 is due: convert it" in wrong.diagnosis.sentence


FACTORS = {
    "1/√(σ² + 1) (√ᾱ": lambda s: 1 / np.sqrt(1 + s**2),
    "√(σ² + 1) (1/√ᾱ": lambda s: np.sqrt(1 + s**2),
    "1/(σ² + 1) (ᾱ)": lambda s: 1 / (1 + s**2),
    "is σ times": lambda s: s,
    "at σ/α = 0.6 and": lambda s: 0.3 + np.tanh(s),
}


@pytest.mark.parametrize("says", FACTORS)
def test_factors_of_the_noise_term(says):
    factor = FACTORS[says]
    wrong = at_levels(lambda x, s: x - factor(s)[:, None] * (x - mean(x, 1.0, s)))
    said = wrong.diagnosis.sentence
    assert says in said and "with f for this factor" in said
    assert "are added" not in said  # how much differs between the levels


def test_a_temperature_and_a_mean_over_some_axes():
    said = at_levels(lambda x, s: mean(x, 1.0, 1.5**0.5 * s)).diagnosis.sentence
    assert "temperature of 1.5" in said
    assert "averaged over the axes 1 and 2 of a sample of shape (3, 4, 5)" in reason(20, (3, 4, 5))
    assert reason(np.e, (3, 4, 5)) == ""


TABLE = np.geomspace(0.01, 30, 60)


def test_levels_of_a_list():
    def nearest(s):
        return TABLE[np.abs(np.log(TABLE / s[:, None])).argmin(1)]

    said = at_levels(lambda x, s: mean(x, 1.0, nearest(s))).diagnosis.sentence
    assert "rounded to a list" in said
    # levels that are not those that are due, and do move, are not rounded
    moving = at_levels(lambda x, s: mean(x, 1.0, s * (1 + 0.1 * np.sin(9 * s)))).diagnosis.sentence
    assert "rounded to a list" not in moving


def weights_over(axis):
    def denoise(y):
        logits = -((y[:, None] - DATA) ** 2).sum(2) / (2 * 0.81)
        weights = np.exp(logits - logits.max(axis=axis, keepdims=True))
        return weights / weights.sum(axis=axis, keepdims=True) @ DATA

    return denoise


BATCHES = {
    "softmax_over_batch": weights_over(0),
    "softmax_over_all": weights_over(None),
    "rows_rolled": lambda y: np.roll(weights_over(1)(y), 1, axis=0),
    "centred_by_batch": lambda y: weights_over(1)(y - y.mean(0)),
}


@pytest.mark.parametrize("name", BATCHES)
def test_mixed_rows(name):
    wrong = check_denoiser(BATCHES[name], DATA, 0.81)
    assert name in wrong.diagnosis.names
    assert "depends on the rest of the batch" in wrong.diagnosis.sentence


def test_mixed_rows_of_no_known_formula():
    wrong = check_denoiser(lambda y: weights_over(1)(y) + 0.1 * np.sort(y, axis=0), DATA, 0.81)
    assert wrong.diagnosis.names == ("rows_mixed",)
    assert wrong.diagnosis.sentence.startswith("Cause: an answer depends on the rest of the batch")
    assert check_denoiser(weights_over(1), DATA, 0.81).verdict == "holds"
