"""What is said of a network at many noise levels: each known mistake, as a user's code makes it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import VPLinear
from scoreproof.public.denoiser.own_level import own_levels
from scoreproof.public.denoiser.wrapped import wrapped
from scoreproof.public.network.schedules import levels_of
from scoreproof.public.posterior.cases import Cause, made
from scoreproof.public.posterior.due import Due, draw
from scoreproof.public.posterior.prediction import Prediction
from scoreproof.public.posterior.problem import make_problem
from scoreproof.streams import stream

RNG = np.random.default_rng(0)
DATA = RNG.normal(size=(8, 2)) + 0.5
SIGMAS = (0.4, 0.8, 1.5, 3.0)
VP = VPLinear(0.1, 12.0)


def mean(y, sigma):
    """E[x_0 | x] for ``x = x_0 + σ ε``; σ a number or one for each row."""
    sigma = np.reshape(sigma, (-1, 1))
    logits = -((y[:, None] - DATA) ** 2).sum(-1) / (2 * sigma**2)
    w = np.exp(logits - logits.max(1, keepdims=True))
    return w @ DATA / w.sum(1, keepdims=True)


# -- EDM's wrapper ---------------------------------------------------------------------------------

S = 0.7  # the σ_data that the network was trained with


def skip(s):
    return S**2 / (s**2 + S**2)


def out(s):
    return s * S / (s**2 + S**2) ** 0.5


WRAPPERS = {
    "x itself is added where c_skip x is due": lambda x, f, s: x + out(s) * f,
    "c_skip is σ_data/√(σ² + σ_data²): its square is due": (
        lambda x, f, s: skip(s) ** 0.5 * x + out(s) * f
    ),
    "c_skip is σ²/(σ² + σ_data²): σ and σ_data are exchanged": (
        lambda x, f, s: (1 - skip(s)) * x + out(s) * f
    ),
    "c_skip x is missing in the wrapper: it is c_out F alone": lambda x, f, s: out(s) * f,
    "c_out is missing in the wrapper: it is c_skip x + F": lambda x, f, s: skip(s) * x + f,
    "c_out has the wrong sign": lambda x, f, s: skip(s) * x - out(s) * f,
    "the square root is missing in c_out": (
        lambda x, f, s: skip(s) * x + s * S / (s**2 + S**2) * f
    ),
    "c_out is σ: σ_data/√(σ² + σ_data²) is missing": lambda x, f, s: skip(s) * x + s * f,
    "say prediction='F', sigma_data=0.7": lambda x, f, s: f,
}


@pytest.mark.parametrize("words", WRAPPERS)
def test_a_wrong_wrapper(words):
    found = []
    for s in SIGMAS:
        problem = make_problem(
            DATA, s**2, 1.0, points=None, n=24, tolerance=None, seed=0, name="vocabulary"
        )
        due = Due(problem, draw(problem, stream(0, "vocabulary", "y"), 24))
        kind = Prediction("x0", problem, 0.5, None)
        raw = (due.mean - skip(s) * due.y) / out(s)
        value = WRAPPERS[words](due.y, raw, s)
        case = made(due, kind, value, np.full(value.shape, 1e-12), eps=2.0**-52)
        found.append((SimpleNamespace(level=SimpleNamespace(alpha=1.0, sigma=s)), case, [object()]))
    said = wrapped(found)
    assert said is not None and words in said.sentence and "0.7" in said.sentence


# -- other noise levels ----------------------------------------------------------------------------

BETAS = np.linspace(1e-3, 0.05, 100)
TABLE = DiscreteVP(BETAS)


@pytest.mark.parametrize(
    ("words", "schedule", "asked", "own"),
    [
        ("a power of those that are due, σ/α to the 1.3", [0.4, 0.8, 1.5], (0.4, 0.8, 1.5), None),
        (
            "it answers for the timestep that is 5 later than what it is told",
            TABLE,
            (10.0, 40.0, 70.0),
            lambda t: t + 5,
        ),
        (
            "it answers for 1.2 times the timestep that it is told",
            TABLE,
            (10.0, 40.0, 70.0),
            lambda t: 1.2 * t,
        ),
    ],
)
def test_other_noise_levels_than_it_is_asked_at(words, schedule, asked, own):
    levels, found = levels_of(schedule), []
    for level in map(levels.of, asked):
        other = SimpleNamespace(alpha=1.0, sigma=level.sigma**1.3) if own is None else None
        other = other or levels.of(float(own(level.when)))
        cause = Cause("level", np.zeros((1, 2)), str, {"α": other.alpha, "σ": other.sigma})
        found.append((SimpleNamespace(level=level), None, [cause]))
    said = own_levels(found, SimpleNamespace(levels=levels))
    assert said is not None and words in said.sentence, said.sentence


TOLD = {
    "the square of the time": lambda v: v.when**2,
    "the square root of the time": lambda v: v.when**0.5,
    "the log-SNR, log(α²/σ²)": lambda v: -2 * np.log(v.ratio),
    "minus the log-SNR": lambda v: 2 * np.log(v.ratio),
    "half the log-SNR, log(α/σ)": lambda v: -np.log(v.ratio),
}


@pytest.mark.parametrize("words", TOLD)
def test_what_a_network_wants_to_be_told(words):
    """It knows each level by what it wants to hear; told t, it answers for the nearest."""
    levels = levels_of(VP)
    times = np.linspace(0.02, 1.0, 400)
    known = [levels.of(float(t)) for t in np.concatenate([times, [0.3, 0.5, 0.8]])]
    heard = np.array([TOLD[words](v) for v in known])

    def network(x, told):
        v = known[int(np.argmin(np.abs(heard - np.ravel(told)[0])))]
        return mean(x / v.alpha, v.sigma / v.alpha)

    given = {"schedule": VP, "levels": [0.3, 0.5, 0.8], "n": 16}
    text = sp.check_denoiser(network, DATA, **given).explain()
    assert f"it is right when told {words}" in text, text


# -- what cannot be judged or asked ----------------------------------------------------------------


def test_a_network_that_takes_no_batch_of_one():
    def network(x, sigma):
        if len(x) == 1:
            raise ValueError("no batch of one")
        return mean(x, sigma)

    text = sp.check_denoiser(network, DATA, schedule=[0.5, 1.0, 2.0], n=16).explain()
    assert "of a batch of one it could not be asked: " in text, text


def test_levels_at_which_nothing_can_be_claimed():
    def single(x, sigma):
        return mean(x.astype(float), sigma.astype(float)).astype(np.float32)

    schedule = [1e-8, 0.5, 1.0, 1.5]
    text = sp.check_denoiser(single, DATA, schedule=schedule, n=16).explain()
    assert "nothing is claimed: the formula says only that the nearest datum is the" in text, text


def test_data_so_far_away_that_rounding_hides_the_answer():
    far = DATA + 1e10

    def network(x, sigma):
        return mean(x - 1e10, sigma) + 1e10

    text = sp.check_denoiser(network, far, schedule=[0.5, 1.0, 2.0], n=16).explain()
    assert "rounding in the network's floating type hides the answer" in text, text


def test_denoisers_that_cannot_be_asked():
    with pytest.raises(sp.ArgumentError, match="a function of y alone, where there is no sched"):
        sp.check_denoiser(lambda y, t: y, DATA, 0.3)
    with pytest.raises(sp.ArgumentError, match="denoiser must be callable"):
        sp.check_denoiser("network", DATA, schedule=[0.5, 1.0])


class Process:
    """Without a horizon, and without noise."""

    def alpha(self, t):
        return 1.0

    def sigma(self, t):
        return 0.0


class Endless(Process):
    horizon = np.inf


class Silent(Process):
    horizon = 1.0


SCHEDULES = {
    "pass levels with σ > 0 and α > 0": Silent(),
    "a process with a finite horizon > 0": Endless(),
    "give it an attribute horizon, its last time": Process(),
    "the list of σ, for a scheduler that precond": SimpleNamespace(precondition_outputs=abs),
    "the preconditioned denoiser": SimpleNamespace(precondition_outputs=abs),
    "with timesteps and sigmas": SimpleNamespace(scale_noise=abs, timesteps=[], sigmas=[]),
    "call set_timesteps first": SimpleNamespace(scale_noise=abs),
    "an empty one": {},
}


@pytest.mark.parametrize("words", SCHEDULES)
def test_schedules_that_have_no_levels(words):
    with pytest.raises(sp.ArgumentError, match=words):
        levels_of(SCHEDULES[words]).spread(3)
