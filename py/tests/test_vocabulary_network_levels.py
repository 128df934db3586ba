"""What is said of a network at many noise levels, of the coefficients around one, and of a
divergence in the mean: mistakes that no other file has, each put to the public check.
"""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.discrete import DiscreteVP

DATA = np.random.default_rng(0).normal(size=(6, 2)) + 0.5
SIGMAS = [0.4, 0.8, 1.5, 3.0]
TABLE = DiscreteVP(np.linspace(1e-3, 0.05, 60))
STEPS = [12, 30, 45]


def mean(y, sigma):
    """E[x_0 | x] for ``x = x_0 + σ ε``; σ a number or one for each row."""
    sigma = np.reshape(sigma, (-1, 1))
    logits = -((y[:, None] - DATA) ** 2).sum(-1) / (2 * sigma**2)
    w = np.exp(logits - logits.max(1, keepdims=True))
    return w @ DATA / w.sum(1, keepdims=True)


def told(network, schedule=SIGMAS, **more):
    evidence = sp.check_denoiser(network, DATA, schedule=schedule, n=16, **more)
    assert evidence.verdict == "refuted"
    return evidence.explain()


# -- rows of several levels, and half of the channels ----------------------------------------------

ONE_TIME = {
    "the time of the last row": lambda s: s[-1],
    "the largest of the rows' times": lambda s: s[:].max(),
    "the smallest of the rows' times": lambda s: s[:].min(),
}


@pytest.mark.parametrize("words", ONE_TIME)
def test_one_time_for_all_rows(words):
    """It takes no number for the time: of the rows there is always one."""
    text = told(lambda x, s: mean(x, ONE_TIME[words](s)))
    assert f"{words} is used for the whole batch" in text, text


@pytest.mark.parametrize(
    ("first", "words"),
    [(0, "every other channel, 0, 2, 4, …"), (1, "every other channel, 1, 3, 5, …")],
    ids=["even", "odd"],
)
def test_every_other_channel(first, words):
    def network(x, s):
        both = np.zeros((len(x), 4, 1))
        both[:, first::2, 0] = mean(x[:, :, 0], s)
        return both

    text = told(network, shape=(2, 1))
    assert f"twice the channels come back, and what is due is in {words}" in text, text


# -- numbers of the schedule -----------------------------------------------------------------------


def test_a_clamp_that_one_level_shows():
    def network(x, s):
        s = np.reshape(s, (-1, 1))
        return (mean(x, s) - x) / s / np.maximum(s, 0.5)  # -ε/σ

    text = told(network, prediction="score")
    assert "σ is, as it seems from one level, clamped to at least 0.5 in a divisor" in text, text


def neighbour(s, by):
    """The level next to each; before the first there is no noise."""
    known = [0.0, *SIGMAS, np.nan]
    return np.array([known[1 + SIGMAS.index(v) + by] for v in np.ravel(s)])[:, None]


def test_numbers_of_the_level_before_and_of_that_after():
    def made(by):
        def network(x, s):
            return x - neighbour(s, by) * (x - mean(x, s)) / np.reshape(s, (-1, 1))

        return told(network, levels=SIGMAS[:3])

    assert "σ is that of the level before" in made(-1)
    assert "σ is that of the level after" in made(1)


def test_a_step_where_x_0_is_due():
    def network(x, s):
        x0 = mean(x, s)
        return x0 + neighbour(s, -1) * (x - x0) / np.reshape(s, (-1, 1))

    text = told(network, levels=SIGMAS[1:])
    assert "it is x at the level before, a step of DDIM or Euler: x_0 itself is due" in text, text


def of_table(t):
    """α and σ of timesteps, as columns."""
    kept = np.cumprod(1 - np.linspace(1e-3, 0.05, 60))[np.ravel(t).astype(int)][:, None]
    return kept**0.5, (1 - kept) ** 0.5


def test_a_number_of_one_step():
    def network(x, t):
        a, s = of_table(t)
        one_step = np.linspace(1e-3, 0.05, 60)[np.ravel(t).astype(int)][:, None] ** 0.5
        return (x - a * mean(x / a, s / a)) / one_step

    text = told(network, TABLE, prediction="eps", levels=STEPS)
    assert "√β_t of one step stands where √(1 - ᾱ_t) is due" in text, text


def test_a_time_that_runs_the_other_way():
    text = told(lambda x, s: mean(x, 3.7 - s), levels=SIGMAS)
    assert "it is right when told 3.7 - t: its time runs the other way, t being what" in text, text


# -- a right wrapper around a network that is told another level -----------------------------------


def around_v(x, rho, r):
    """A v-network of x at unit length, asked at r where σ/α is ρ."""
    whole, a = np.hypot(1, rho), 1 / np.hypot(1, r)
    u = x / whole
    return (u - rho * (a * u - mean(u / a, r)) / (r * a)) / whole


def around_f(x, rho, r, spread=0.5):
    """EDM's F, asked at r."""
    due, own = np.hypot(rho, spread), np.hypot(r, spread)
    there = x / due * own
    f = (mean(there, r) - (spread / own) ** 2 * there) / (r * spread / own)
    return (spread / due) ** 2 * x + rho * spread / due * f


KNOWN = np.geomspace(0.05, 20, 12)


def nearest(s):
    return KNOWN[np.abs(np.log(KNOWN / s)).argmin(1)][:, None]


INSIDE = {
    "the v-network inside is told another noise level than x has: its level is 1.3 times σ": (
        around_v,
        lambda s: 1.3 * s,
    ),
    "its level is σ to the power 1.5": (around_v, lambda s: s**1.5),
    "log(1 + σ) stands where log σ is due": (around_v, lambda s: 1 + s),
    "c_noise is 0.5 log σ, where log(σ)/4 is due": (around_f, lambda s: s**2),
    "% less at others, as by rounding to the nearest of a list of levels (interpolate": (
        around_v,
        nearest,
    ),
}


@pytest.mark.parametrize("around", [around_v, around_f], ids=["v", "F"])
def test_the_wrappers_are_right_with_their_own_level(around):
    def network(x, s):
        s = np.reshape(s, (-1, 1))
        return around(x, s, s)

    assert sp.check_denoiser(network, DATA, schedule=SIGMAS, n=16).verdict == "holds"


@pytest.mark.parametrize("words", INSIDE)
def test_another_level_inside(words):
    around, rule = INSIDE[words]

    def network(x, s):
        s = np.reshape(s, (-1, 1))
        return around(x, s, rule(s))

    text = told(network)
    assert words in text, text


# -- coefficients around a network -----------------------------------------------------------------

D = 0.3


def coefficients(form="edm", **functions):
    right = {
        "edm": {
            "c_skip": lambda s: D**2 / (s**2 + D**2),
            "c_out": lambda s: s * D / (s**2 + D**2) ** 0.5,
            "c_in": lambda s: 1 / (s**2 + D**2) ** 0.5,
        },
        "ve": {"c_skip": lambda s: 1.0, "c_out": lambda s: s, "c_in": lambda s: 1.0},
    }[form]
    given = {"sigma_data": D} if form == "edm" else {"form": form}
    evidence = sp.check_preconditioning({**right, **functions}, **given)
    assert evidence.verdict == "refuted"
    return evidence.explain()


COEFFICIENTS = {
    "c_out: it is 0: the network's answer is not added": {"c_out": lambda s: 0 * s},
    "c_in: it is 0: the network is given zeros for x": {"c_in": lambda s: 0 * s},
    "it is EDM's c_out σ σ_data/√(σ² + σ_data²) with σ_data = 0.3": {
        "form": "ve",
        "c_out": lambda s: s * D / (s**2 + D**2) ** 0.5,
    },
    "it is c_out · c_skip: c_skip enters twice": {
        "c_out": lambda s: s * D**3 / (s**2 + D**2) ** 1.5
    },
    "c_noise, log(σ)/4, in the place of σ in the root": {
        "c_noise": lambda s: np.log(s) / 4,
        "c_out": lambda s: s * D / ((np.log(s) / 4) ** 2 + D**2) ** 0.5,
    },
}


@pytest.mark.parametrize("words", COEFFICIENTS)
def test_one_wrong_coefficient(words):
    text = coefficients(**COEFFICIENTS[words])
    assert words in text, text


def test_the_sign_of_a_v_network_is_the_other_than_edm_has():
    given = {
        "c_skip": lambda s: 1 / (s**2 + 1),
        "c_out": lambda s: s / (s**2 + 1) ** 0.5,
        "c_in": lambda s: 1 / (s**2 + 1) ** 0.5,
    }
    text = sp.check_preconditioning(given, form="v", sigma_data=1.0).explain()
    assert "for v it is negative (EDM's has this sign, with σ_data = 1)" in text, text


SPREADS = {
    "the root of the data's standard deviation": lambda own: own**0.5,
    "one over the data's standard deviation": lambda own: 1 / own,
    "twice the data's standard deviation": lambda own: 2 * own,
    "half the data's standard deviation": lambda own: own / 2,
}


@pytest.mark.parametrize("words", SPREADS)
def test_what_stands_for_the_spread_of_the_data(words):
    data = np.array([[-0.7, 0.7], [0.7, -0.7]])
    d = SPREADS[words](0.7)
    given = {
        "c_skip": lambda s: d**2 / (s**2 + d**2),
        "c_out": lambda s: s * d / (s**2 + d**2) ** 0.5,
        "c_in": lambda s: 1 / (s**2 + d**2) ** 0.5,
    }
    text = sp.check_preconditioning(given, data=data).explain()
    assert f"σ_data is {words}, {d:.4g} for 0.7" in text, text


# -- a divergence ----------------------------------------------------------------------------------


def test_an_average_over_dimensions_and_one_number_for_the_batch():
    def kl(mu, logvar):
        return (mu**2 + np.exp(logvar) - 1 - logvar).mean(1).sum() / 2 / 48

    text = sp.check_kl(
        kl, form="diagonal", parameterization="logvar", against="standard", reduction="mean"
    ).explain()
    words = (
        "the average over the dimensions is summed over the batch and divided by one number,"
        " whatever the batch's size is"
    )
    assert words in text, text
