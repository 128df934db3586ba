"""Words of `check_denoiser`, `check_schedule` and `check_marginals` that no other test is told.

Each is said of a right subject with the one mistake that the words name.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.denoiser.words import candidates_of
from scoreproof.public.posterior.cases import made
from scoreproof.public.posterior.due import Due, draw
from scoreproof.public.posterior.explaining import explanation
from scoreproof.public.posterior.prediction import Prediction
from scoreproof.public.posterior.problem import make_problem
from scoreproof.public.schedule.arguments import Formula
from scoreproof.public.schedule.forms import made as form_made
from scoreproof.public.schedule.formula import _cause as cause_of_a_form
from scoreproof.public.schedule.formula import _Off as Off
from scoreproof.streams import stream

RNG = np.random.default_rng(2)
DATA = RNG.normal(size=(30, 3)) * [1.0, 0.7, 1.4] + [0.5, -0.3, 0.2]
CHANNELS = RNG.uniform(-1, 1, size=(20, 3, 2, 2))
VARIANCE = 0.3
SIGMA = math.sqrt(VARIANCE)


def average(y, data=DATA, variance=VARIANCE):
    """E[x_0 | y] of these data."""
    flat, x = data.reshape(len(data), -1), y.reshape(len(y), -1)
    logs = -((x[:, None] - flat) ** 2).sum(axis=2) / (2 * variance)
    p = np.exp(logs - logs.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True) @ flat


def noise(y):
    return (y - average(y)) / SIGMA


def judged(denoiser, prior=DATA, **more):
    return sp.check_denoiser(denoiser, prior, VARIANCE, n=24, **more).explain()


def test_the_subjects_are_right():
    assert judged(average).startswith("Holds")
    assert judged(noise, prediction="eps").startswith("Holds")
    assert judged(velocity, prediction="velocity", rates=RATES).startswith("Holds")


BATCHES = {
    "the mean over the batch comes back for every row": (
        lambda y: np.broadcast_to(average(y).mean(axis=0), y.shape)
    ),
    "the answer of the first row comes back for every row": (
        lambda y: np.broadcast_to(average(y)[0], y.shape)
    ),
    "the mean over the batch is subtracted from the answers": (
        lambda y: average(y) - average(y).mean(axis=0)
    ),
    "y is centred and scaled by the batch's mean and deviation (batch normalisation in training"
    " mode?)": lambda y: average((y - y.mean(axis=0)) / y.std(axis=0)),
}


@pytest.mark.parametrize("words", BATCHES)
def test_rows_that_depend_on_their_batch(words):
    assert f"when it is asked among other rows: {words}." in judged(BATCHES[words])


RATES = (-0.8, 1.3)
SKIP, OUT = 0.25 / (0.25 + VARIANCE), math.sqrt(VARIANCE * 0.25 / (0.25 + VARIANCE))


def velocity(y):
    return RATES[0] * average(y) + RATES[1] * noise(y)


OTHERS = {
    "the score is returned": lambda y: -noise(y) / SIGMA,
    "EDM's F is returned": lambda y: (average(y) - SKIP * y) / OUT,
    "the velocity is returned": velocity,
}


@pytest.mark.parametrize("words", OTHERS)
def test_another_prediction_that_is_not_all_of_it(words):
    """A ripple is there as well, so that another kind of prediction is only the nearest."""

    def wrong(y):
        return OTHERS[words](y) + 0.02 * np.sin(9 * y + y[:, ::-1] ** 2)

    said = judged(wrong, rates=RATES)
    assert f"No known fault explains it; the nearest, {words} (returns_" in said


def test_data_where_the_velocity_of_a_path_is_due():
    said = judged(average, prediction="velocity", rates=RATES)
    assert "it returns E[x_0 | x] where the velocity α' x_0 + σ' ε of the path is due" in said


def test_answers_far_outside_of_the_data():
    said = judged(lambda y: 30 * np.sin(5 * y) + 20 * average(y) ** 2)
    assert "it lies outside the range of the data, by up to " in said
    assert " times its width, where no average of these data lies" in said


def told(wrong, prior, shape):
    """What is said of a wrong posterior mean of samples of this shape."""
    problem = make_problem(
        prior.reshape(len(prior), -1),
        VARIANCE,
        1.0,
        points=None,
        n=32,
        tolerance=None,
        seed=0,
        name="vocabulary",
    )
    due = Due(problem, draw(problem, stream(0, "vocabulary", "y"), 32))
    value = np.asarray(wrong(due.y), float)
    read = Prediction("x0", problem, 0.5, None)
    passes = np.full(value.shape, 1e-12)
    case = made(due, read, value, passes, eps=2.0**-52, shape=shape, again=wrong)
    return explanation(case, candidates_of(case)).sentence


def test_a_squared_distance_that_is_averaged():
    halved = told(lambda y: average(y, variance=1.5 * VARIANCE), DATA, (3,))
    assert ", d/2 = 1.5: the squared distance is averaged over the coordinates, and the" in halved
    images = CHANNELS.transpose(0, 2, 1, 3)
    over_one = told(lambda y: average(y, images, 3 * VARIANCE), images, (2, 3, 2))
    words = ", 3: the squared distance is averaged over the axis 1 of a sample of shape (2, 3, 2)"
    assert f"{words}, where a sum is due" in over_one


def test_channels_in_reverse_order():
    def wrong(y):
        return average(y, CHANNELS).reshape(-1, 3, 4)[:, ::-1].reshape(y.shape)

    said = told(wrong, CHANNELS, (3, 2, 2))
    assert said == "Cause: the answer comes back with channels in reverse order (RGB and BGR)."


T = 60
BETAS = np.linspace(1e-3, 0.15, T)
BAR = np.cumprod(1 - BETAS)
BEFORE = np.append(1.0, BAR[:-1])
ROOT = np.sqrt(BAR)
TO_ZERO = ROOT - ROOT[-1]
LATER = np.append(ROOT[1:], ROOT[-1])
LAMBDA = np.log(BAR / (1 - BAR)) / 2
COEFFICIENT = BETAS * np.sqrt(BEFORE) / (1 - BAR)
RIGHT = {
    "log_snr": 2 * LAMBDA,
    "lambda_t": LAMBDA,
    "sqrt_alphas_cumprod": ROOT,
    "posterior_mean_coef1": COEFFICIENT,
    "alphas_cumprod": BAR,
}


def said(**given):
    return sp.check_schedule(betas=BETAS, **given).explain()


def test_the_tables_are_right():
    assert said(**RIGHT).startswith("Holds")


@pytest.mark.parametrize(
    ("words", "name", "values"),
    [
        (
            "it is 2 times log(ᾱ_t / (1 - ᾱ_t)): the logarithm of the square of what it is due of.",
            "log_snr",
            4 * LAMBDA,
        ),
        (
            "times log(√ᾱ_t / √(1 - ᾱ_t)): the logarithm of the root of what it is due of.",
            "lambda_t",
            LAMBDA / 2,
        ),
        (
            " (entry 0 has 0.9977, what is due at entry 1, for 0.9995)",
            "sqrt_alphas_cumprod",
            np.where(np.arange(T) < 30, LATER, ROOT),
        ),
        (
            "with √(1 - ᾱ_{t-1}) that is too much",
            "posterior_mean_coef1",
            COEFFICIENT * np.sqrt(1 - BEFORE),
        ),
        (
            ", √ᾱ only shifted to end at 0: its factor √ᾱ_0 / (√ᾱ_0 - √ᾱ_T) is missing",
            "alphas_cumprod",
            TO_ZERO**2,
        ),
        (
            ", to start at 1, not at √ᾱ_0; β were not rescaled",
            "alphas_cumprod",
            (TO_ZERO / TO_ZERO[0]) ** 2,
        ),
        (
            ", but not squared: √ᾱ is taken for ᾱ; β were not rescaled",
            "alphas_cumprod",
            TO_ZERO * ROOT[0] / TO_ZERO[0],
        ),
    ],
)
def test_a_table(words, name, values):
    assert words in said(**{name: values})


def test_noise_of_the_next_timestep():
    later = np.sqrt(1 - np.append(BAR[1:], BAR[-1]))

    def add_noise(x, z, t):
        return ROOT[t][:, None] * x + later[t][:, None] * z

    words = "that of timestep t + 1 (at the last its own: the index is clamped), where √(1 - ᾱ_t)"
    assert f"noise is multiplied by {words}" in said(add_noise=add_noise)


@pytest.mark.parametrize("offset", [0, 1])
def test_timesteps_by_squares(offset):
    steps = np.floor(np.linspace(0, np.sqrt(0.8 * T), 7) ** 2)[::-1] + offset
    words = "they are spaced by squares ('quad' of DDIM)" + ", with steps_offset 1" * offset
    assert f"Cause: {words}." in said(timesteps=steps, spacing="leading")


TIMES = np.linspace(1, 1e-3, 20)
INTEGRAL = 19.9 * TIMES**2 / 2 + 0.1 * TIMES
INTEGRALS = {
    "L = ¼ β_d t² + ½ β_min t, half of it (log α for log ᾱ); ½ β_d t²": INTEGRAL / 2,
    "L = β_d t² + 2 β_min t, twice of it; ½ β_d t² + β_min t is due": 2 * INTEGRAL,
}


@pytest.mark.parametrize("words", INTEGRALS)
def test_sigmas_of_another_integral(words):
    right = sp.check_schedule(sigmas=np.sqrt(np.expm1(INTEGRAL)), form="vp")
    wrong = sp.check_schedule(sigmas=np.sqrt(np.expm1(INTEGRALS[words])), form="vp")
    assert right.verdict == "holds"
    assert words in wrong.explain()


SHIFT = {"shift": 3.0, "sigma_max": 1.0, "sigma_min": 0.02}
SHIFTED = form_made("shifted", SHIFT, np.zeros(12), True)[0][1]
PLAIN = SHIFTED / (3 - 2 * SHIFTED)
SHIFTS = {
    "they are 3 σ, where 3 σ/(1 + 2 σ) is due: it is not divided": 3 * PLAIN,
    "they are σ/(3 - 2 σ), where 3 σ/(1 + 2 σ) is due: the inverse shift": PLAIN / (3 - 2 * PLAIN),
    "they are not shifted by 3": PLAIN,
}


@pytest.mark.parametrize("words", SHIFTS)
def test_sigmas_that_are_not_shifted(words):
    given = {"form": "shifted", "form_options": SHIFT}
    assert sp.check_schedule(sigmas=SHIFTED, **given).verdict == "holds"
    assert f"Cause: {words}." in sp.check_schedule(sigmas=SHIFTS[words], **given).explain()


def test_sigmas_of_a_clock_that_runs_the_other_way():
    """Of a list as it is: the check turns a rising one round before."""
    wrong, bound = 1 - SHIFTED, np.full(12, 1e-9)
    off = Off(wrong, SHIFTED, bound, np.abs(wrong - SHIFTED) > 1e-9)
    found = cause_of_a_form(Formula("shifted", SHIFT), off, True).sentence
    assert found == "Cause: they are 1 - σ of the form 'shifted', not reversed."


def test_the_exponent_of_a_sub_variance_preserving_noise():
    def integral(t):
        return t + 3 * math.expm1(t)

    def judge(times):
        return sp.check_marginals(
            lambda x, t: -0.5 * (1 + 3 * math.exp(t)) * x,
            lambda t: math.sqrt((1 + 3 * math.exp(t)) * -math.expm1(-times * integral(t))),
            lambda x, t: (math.exp(-integral(t) / 2) * x, -math.expm1(-integral(t))),
            times=np.linspace(0.05, 1, 14),
            d=1,
        )

    assert judge(2).verdict == "holds"
    assert "in your g² the exponent is -3 ∫β, not -2 ∫β" in judge(3).explain()
