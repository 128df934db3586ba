"""Every known mistake about a Fokker-Planck equation, put to what looks for causes."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import CallableError
from scoreproof.public.fokker_planck import of_state, strong, weak
from scoreproof.public.fokker_planck.arguments import Box, where
from scoreproof.public.fokker_planck.asking import given
from scoreproof.public.fokker_planck.causes import explained
from scoreproof.public.fokker_planck.coefficients import one_number, one_number_a_time
from scoreproof.public.fokker_planck.linear_drift import wrong_matrix
from scoreproof.public.fokker_planck.summands import judged

THETA, RHO = 0.8, 1.3
TIMES = np.linspace(0.2, 1.2, 8)


def gaussian(x, mean, v):
    """Independent coordinates of one variance, or of one each."""
    v = np.broadcast_to(v, x.shape[1])
    return np.sum(-0.5 * (x - mean) ** 2 / v - 0.5 * np.log(2 * np.pi * v), axis=1)


def variance(t, square=RHO**2, start=0.6, rate=THETA):
    a = np.exp(-2 * rate * t)
    return start * a + square / (2 * rate) * (1 - a)


def right(x, t):
    return gaussian(x, np.exp(-THETA * t), variance(t))


def looked(log_density, drift=None, rho=None, d=1):
    """The terms of the strong form at a few times, without the check around them."""
    drift, rho = drift or (lambda x, t: -THETA * x), rho or (lambda t: RHO)
    s = given(drift, rho, log_density, True, False, ("numpy", None))
    place = where(TIMES, (-3, 3), d, None, 0)
    return s, strong.look(s, replace(place, times=replace(place.times, times=TIMES)))


def read(*given_, **more):
    s, found = looked(*given_, **more)
    return explained(s, found, None, 1.5)


def with_variance(v, mean=lambda t: np.exp(-THETA * t)):
    return lambda x, t: gaussian(x, mean(t), v(t))


@pytest.mark.parametrize(
    ("said", "log_density", "drift", "rho"),
    [
        # of ρ the density holds another power; ρ = 1.3 is what diffusion returns
        ("√σ where σ is due", with_variance(lambda t: variance(t, RHO**4)), None, None),
        ("ρ⁴/2 is needed", with_variance(lambda t: variance(t, RHO**4 / 2)), None, None),
        (
            "spreads with ρ(0) where ρ(t)",
            with_variance(lambda t: variance(t, 1.5**2)),
            None,
            lambda t: 1.5 + t,
        ),
        (
            "ρ(t)² t where the integral",
            lambda x, t: gaussian(x, 0.0, 1 + (1 + t) ** 2 * t),
            lambda x, t: 0 * x,
            lambda t: 1 + t,
        ),
        (
            "spreads with a constant ρ = 1.3,",
            with_variance(variance),
            None,
            lambda t: 1 + t,
        ),
        ("log_density is in base 2", lambda x, t: right(x, t) / np.log(2), None, None),
        ("it is √p, or ½ log p", lambda x, t: right(x, t) / 2, None, None),
        ("it is p², or 2 log p", lambda x, t: 2 * right(x, t), None, None),
        ("it is -½ log p", lambda x, t: -right(x, t) / 2, None, None),
        ("it is -2 log p", lambda x, t: -2 * right(x, t), None, None),
        (
            "the density is given 2 t for t",
            lambda x, t: gaussian(x, np.exp(-2 * t - 2 * t * t), 1 + 0 * t),
            lambda x, t: -(1 + t) * x,
            lambda t: np.sqrt(2 * (1 + t)),
        ),
        (
            "its time is t²/2 where t is due",
            lambda x, t: np.logaddexp(right(x, t * t / 2), gaussian(x, 0, variance(t * t / 2))),
            None,
            None,
        ),
        ("a precision was passed", with_variance(lambda t: 1 / variance(t)), None, None),
        (
            "twice the one due",
            with_variance(lambda t: 2 * variance(t), lambda t: np.exp(-2 * THETA * t)),
            None,
            None,
        ),
        (
            "half of the one due",
            with_variance(lambda t: variance(t) / 2, lambda t: np.exp(-2 * THETA * t)),
            None,
            None,
        ),
        ("the fourth power", with_variance(lambda t: variance(t) ** 4), None, None),
        (
            "the logarithm of the one due",
            with_variance(lambda t: np.log(variance(t, start=2.0))),
            None,
            None,
        ),
        (
            "it stays where the drift is to move it",
            lambda x, t: gaussian(x, 1.0, 0.5 * np.exp(-2 * t - t * t) + 0.5),
            lambda x, t: -(1 + t) * x,
            lambda t: np.sqrt(1 + t),
        ),
    ],
)
def test_a_mistake_in_a_density_or_noise_is_named(said, log_density, drift, rho):
    found = read(log_density, drift, rho)
    assert found.names and said in found.sentence, found.sentence


@pytest.mark.parametrize(
    ("said", "log_density", "rho"),
    [
        (
            "(a negative ρ²: no noise does that)",
            with_variance(lambda t: variance(t, -0.4, 3.0)),
            lambda t: 1 + t,
        ),
        ("Either its mean or the drift", with_variance(variance, lambda t: np.sin(3 * t)), None),
        (
            "Either its two moments or drift and noise",
            with_variance(lambda t: 0.8 + 0.3 * np.exp(-1.1 * t), lambda t: np.sin(3 * t)),
            None,
        ),
        (
            "it obeys v' = -1.1 v + 0.88 where v' = -1.6 v + 1.69 is due",
            with_variance(lambda t: 0.8 + 0.3 * np.exp(-1.1 * t), lambda t: np.sin(3 * t)),
            None,
        ),
    ],
)
def test_what_the_equation_does_not_tell_is_no_cause(said, log_density, rho):
    found = read(log_density, rho=rho)
    assert not found.names and said in found.sentence, found.sentence


def test_a_variance_is_told_by_its_coordinate():
    found = read(
        lambda x, t: gaussian(x, 0.0, [variance(t), variance(t) ** 2]),
        d=2,
    )
    assert "variance of coordinate 1 changes at the rate" in found.sentence


S, FOUND = looked(right, lambda x, t: -THETA * x - 0.3 * np.sin(x))
TERMS, LINEAR = judged(FOUND, None), judged(looked(right)[1], None)
NOW = TERMS.times[TERMS.which]


def wave(t):
    return 1 + 0.3 * np.sin(3 * t)


def test_a_factor_of_the_advection_is_named():
    rate = -2 * TERMS.along - TERMS.squeezed + TERMS.spread
    found = one_number(S, replace(TERMS, rate=rate), 1)
    assert found.names and "f·∇p enters 2 times where it is due once" in found.sentence


@pytest.mark.parametrize(
    ("said", "named", "rate"),
    [
        (
            "the right side as a whole is to be 2 times what it is",
            True,
            lambda due, j: np.where(NOW > 0.6, 2, 1) * due,
        ),
        (
            "the mass of the density grows at the rate 0.3",
            True,
            lambda due, j: due + 0.3 * (NOW > 0.6),
        ),
        (
            "up to a normaliser that depends on t wrongly",
            True,
            lambda due, j: due + np.sin(3 * NOW),
        ),
        (
            "but one function of time fits: with c(t) in front of both",
            False,
            lambda due, j: wave(NOW) * due,
        ),
        (
            "with c(t) times the drift everything else would agree",
            False,
            lambda due, j: -wave(NOW) * (j.along + j.squeezed) + j.spread,
        ),
        (
            "with c(t) times p ∇·f everything else would agree",
            False,
            lambda due, j: -j.along - wave(NOW) * j.squeezed + j.spread,
        ),
        (
            "with c(t) times f·∇p everything else would agree",
            False,
            lambda due, j: -wave(NOW) * j.along - j.squeezed + j.spread,
        ),
        (
            "its time is 3 times 2√t where t is due",
            True,
            lambda due, j: 3 * NOW**-0.5 * due,
        ),
    ],
)
def test_a_coefficient_that_depends_on_time_is_read(said, named, rate):
    # a normaliser is one with a linear drift, too, of which it could be a factor of p ∇·f
    for j in (TERMS, LINEAR) if "normaliser" in said else (TERMS,):
        due = -j.along - j.squeezed + j.spread
        found = one_number_a_time(S, replace(j, rate=rate(due, j)))
        assert bool(found.names) == named and said in found.sentence, found.sentence


def exploding(x, t):
    """Of x' = x²: what has left on the right does not come back on the left."""
    u = 1 + t * x
    with np.errstate(all="ignore"):
        log = gaussian(x / u, -0.5, 0.3) - 2 * np.log(u[:, 0])
        return np.where(u.real[:, 0] > 0, log, -np.inf)


def test_an_off_diagonal_part_that_is_not_due_is_named():
    turned = np.array([[-THETA, 0.5], [-0.3, -THETA]])
    s, found = looked(
        lambda x, t: gaussian(x, np.exp(-THETA * t), variance(t)), lambda x, t: x @ turned.T, d=2
    )
    assert (
        "the off-diagonal part of the drift is not due"
        in wrong_matrix(judged(found, None)).sentence
    )


@pytest.mark.parametrize(
    ("said", "drift", "more"),
    [
        (
            r"It is so at 1\d\d\d of 2112 points and times, with t from 0.3\d+ to 0.9\d+, with x",
            lambda x, t: -THETA * x + 0.3 * (np.abs(x + 0.05) < 2.55) * (abs(t - 0.65) < 0.3),
            {},
        ),
        (
            "as if the drift were 2 times what the other terms need: multiply it by 0.5",
            lambda x, t: -THETA * x * (1 + (np.abs(x - 0.8) < 0.4) * (abs(t - 0.65) < 0.15)),
            {},
        ),
        (
            r"the weak form needs d <= 2 \(here 3\), and method='weak' was asked for; use method=",
            lambda x, t: -THETA * x,
            {"dimension": 3, "method": "weak"},
        ),
        (
            "no jump in time, and in weak form",
            lambda x, t: -x,
            {
                "diffusion": lambda t: 0.0,
                "log_density": lambda x, t: gaussian(x, np.exp(-t), np.exp(-2 * t)),
            },
        ),
        (
            "mass is created or lost in time: .* a process that explodes",
            lambda x, t: x * x,
            {"diffusion": lambda t: 0.0, "log_density": exploding, "domain": (-0.4, 1.0)},
        ),
        (
            "The weak form was used, since the strong form does not decide",
            lambda x, t: -THETA * x,
            {"log_density": lambda x, t: right(x, t).real.astype("float32"), "domain": (-30, 30)},
        ),
    ],
)
def test_a_check_says_where_and_what_it_does_not_see(said, drift, more):
    given_ = {"diffusion": lambda t: RHO, "log_density": right} | more
    evidence = sp.check_fokker_planck(drift, **given_)
    assert re.search(said, evidence.explain()), evidence.explain()


def test_a_diffusion_of_another_shape_is_refused():
    with pytest.raises(CallableError, match=r"return shape \(n,\), \(n, 2\) or \(n, 2, 2\)"):
        sp.check_fokker_planck(
            lambda x, t: -x,
            lambda x, t: np.ones((len(x), 3)),
            log_density=right,
            dimension=2,
            interpretation="ito",
        )


# -- noise that depends on the state: the density's gain is that of the wrong equation -------------


def measured(diffusion, d):
    """The weak form's parts for a density that is smooth, whatever its equation."""
    s = given(
        lambda x, t: 0.5 - 0.4 * x,
        diffusion,
        lambda x, t: gaussian(x, 0.3 * t, 0.5 + t),
        True,
        True,
        ("numpy", None),
    )
    return weak.measure(s, Box((0.2, 1.0), ((-2.0, 2.0),) * d), 0, float("nan"))


def matrix(x, t):
    g = np.zeros((len(x), 2, 2))
    g[:, 0, 0], g[:, 0, 1] = 1.2 + 0.2 * np.sin(x[:, 1]), 0.3 * x[:, 0]
    g[:, 1, 0], g[:, 1, 1] = 0.2 * x[:, 1], 1.1 + 0.1 * x[:, 0] ** 2
    return g


LINE = measured(lambda x, t: 1.2 + 0.3 * np.sin(x[:, 0]), 1)
PLANE = measured(matrix, 2)


def gram(a):
    return np.einsum("nik,njk->nij", a, a)


@pytest.mark.parametrize(
    ("said", "w", "gained"),
    [
        ("half of the Stratonovich correction", LINE, lambda f, n, w: f + n + w.correction / 2),
        ("the ½ is taken twice", LINE, lambda f, n, w: f + n / 2),
        ("has no noise at all", LINE, lambda f, n, w: f),
        ("is to be multiplied by 3, that is diffusion by 1.7321", LINE, lambda f, n, w: f + 3 * n),
        ("the sign of the drift: return -f", LINE, lambda f, n, w: n - f),
        ("time is counted downward", LINE, lambda f, n, w: -f - n),
        ("follows Fick's law, ½ ∇·(D ∇p)", PLANE, lambda f, n, w: f + w.spread(gram, True)),
        (
            "the diffusivity D = g²/2 where g = √(2D) is due, the coefficient of dW: return √(2D)",
            LINE,
            lambda f, n, w: f + w.spread(lambda g: 2 * g, False),
        ),
        (
            "and the density follows Fick's law ∇·(D ∇p)",
            LINE,
            lambda f, n, w: f + w.spread(lambda g: 2 * g, True),
        ),
        (
            "√g where g is due: return its square",
            LINE,
            lambda f, n, w: f + w.spread(lambda g: g**4, False),
        ),
        (
            "spreads as with g = 1",
            LINE,
            lambda f, n, w: f + w.spread(lambda g: np.ones_like(g), False),
        ),
        (
            "first column of g only",
            PLANE,
            lambda f, n, w: f + w.spread(lambda g: gram(g[:, :, :1]), False),
        ),
        (
            "the matrix product g g is needed",
            PLANE,
            lambda f, n, w: f + w.spread(lambda g: g @ g, False),
        ),
    ],
)
def test_a_mistake_about_noise_of_the_state_is_named(said, w, gained):
    drift = w.drift.sum(axis=0)
    got = gained(drift, w.noise, w)
    found = of_state.explained(
        w, got, w.scale, drift + w.noise, np.full(got.shape, 1e-9), of_state.Asked()
    )
    assert found.names and said in found.sentence, found.sentence


def test_an_error_near_that_of_the_quadrature_is_undecided():
    evidence = sp.check_fokker_planck(
        lambda x, t: -THETA * x + 3e-3 * np.sign(np.sin(40 * x)),
        lambda x, t: RHO + 3e-4 + 0 * x[:, 0],
        log_density=right,
        interpretation="ito",
    )
    assert evidence.verdict == "undecided"
    assert "is near what the quadrature leaves" in evidence.explain(), evidence.explain()
