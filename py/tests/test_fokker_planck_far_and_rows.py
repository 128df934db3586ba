"""check_fokker_planck: what a density tends to far out, and rows that depend on others."""

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.fokker_planck.arguments import Box
from scoreproof.public.fokker_planck.asking import given
from scoreproof.public.fokker_planck.far import constant_far_out, without
from scoreproof.public.fokker_planck.of_functions import factor_of_time, polynomials

NOISE = 0.8


def heat(x, t):
    v = 0.3 + NOISE**2 * t
    return -0.5 * (x * x).sum(axis=1) / v - 0.5 * x.shape[1] * np.log(2 * np.pi * v)


def judged(log_density, d=1, **more):
    return sp.check_fokker_planck(
        lambda x, t: 0 * x, lambda t: NOISE, log_density=log_density, dimension=d, **more
    )


def far(log_density, d=1):
    s = given(lambda x, t: 0 * x, lambda t: NOISE, log_density, True, False, ("numpy", None))
    return s, constant_far_out(s, Box((0.3, 1.0), ((-3.0, 3.0),) * d), 1.0, 0)


@pytest.mark.parametrize("d", [1, 2, 4])
def test_a_constant_far_out_is_an_infinite_mass(d):
    evidence = judged(lambda x, t: np.log(np.exp(heat(x, t)) + 0.02), d)
    assert evidence.verdict == "refuted" and "integral of the density is infinite" in str(
        evidence.sentence
    )
    assert evidence.diagnosis.names == ("constant_added",)
    assert "0.02 is added" in evidence.explain()


def test_a_guard_against_the_logarithm_of_0_is_none():
    evidence = judged(lambda x, t: np.log(np.exp(heat(x, t)) + 1e-12))
    assert evidence and "apart from the constant 1e-12" in evidence.sentence
    assert "its mass is 1 to" in evidence.sentence
    clamped = judged(lambda x, t: np.maximum(heat(x, t), -200.0))
    assert clamped, clamped.explain()


def test_slow_tails_tend_to_no_constant():
    for log_density in (
        heat,
        lambda x, t: -np.log1p(x[:, 0] ** 2),
        lambda x, t: -0.1 * np.log1p(x[:, 0] ** 2),
        lambda x, t: np.cos(x[:, 0]),
        lambda x, t: np.where(np.abs(x[:, 0]) < 50, 0.0, np.nan),
    ):
        assert far(log_density)[1] is None


def test_a_constant_in_some_directions_is_refuted_without_a_cause():
    one_side = far(lambda x, t: -np.logaddexp(0, -x[:, 0]))[1]
    assert one_side is not None and not one_side.everywhere
    evidence = judged(lambda x, t: np.log(np.exp(heat(x, t)) + 0.1 * (x[:, 0].real > 1e3)))
    assert evidence.verdict == "refuted" and "in some directions" in evidence.sentence
    assert evidence.diagnosis is None


def test_of_a_constant_alone_nothing_is_said_to_be_added():
    evidence = judged(lambda x, t: 0 * x[:, 0], d=2)
    assert evidence.verdict == "refuted" and evidence.diagnosis is None
    assert "the density is still 1 (at t = 1), as at all points" in evidence.sentence


def test_what_is_left_without_the_constant():
    s, found = far(lambda x, t: np.log(np.exp(heat(x, t)) + 0.02))
    x = np.array([[0.0], [0.7], [1e3]])
    left = without(s, found.log).change(x, 1.0, np.zeros(3))
    assert np.allclose(left[:2], heat(x, 1.0)[:2], atol=1e-9) and left[2] == -np.inf


def test_a_mass_that_was_not_looked_at_is_listed_as_left_out():
    unasked = judged(heat, normalized=False)
    assert unasked and "left out: 3 masses, normalized=False" in unasked.explain()
    large = judged(lambda x, t: heat(x, t), points=np.ones((1, 70)), d=70)
    assert large and "left out: 2 masses, not looked at (d > 64)" in large.explain()
    assert "nothing was left out" not in large.explain()


def test_rows_that_depend_on_others_are_refuted_though_the_equation_holds():
    evidence = judged(lambda x, t: heat(x, t) - np.log(np.exp(heat(x, 1.0)).mean()))
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ("other_rows",)
    counted = judged(lambda x, t: heat(x, t) + 0.1 * len(x), normalized=False)
    assert counted.verdict == "refuted" and counted.diagnosis.names == ("number_of_rows",)


def test_rows_that_differ_by_rounding_or_by_chance_do_not_depend_on_others():
    rng = np.random.default_rng(0)
    for noise in (
        lambda x: 1e-13 * len(x),  # sums in another order, say
        lambda x: 1e-3 * rng.standard_normal(len(x)),
    ):
        evidence = judged(lambda x, t, noise=noise: heat(x, t) + noise(x), tolerance=0.5)
        found = evidence.diagnosis
        assert found is None or "rows" not in " ".join(found.names), evidence.explain()


class _Times:
    times = np.linspace(0.2, 1.4, 12)
    rho = np.sqrt(0.5 + times)


def test_a_factor_of_time_is_read_as_a_function_of_the_callers():
    t, within = _Times.times, 1e-9 + 0 * _Times.times

    def said(c):
        found = factor_of_time(_Times, "the drift", c, within)
        return "" if found is None else found.sentence

    assert "lacks the factor c(t) = ρ(t)²: multiply" in said(0.5 + t)
    assert "lacks the factor c(t) = 1/2 ρ(t)²" in said((0.5 + t) / 2)
    assert "is to be divided by c(t) = ρ(t)²" in said(1 / (0.5 + t))
    assert "lacks the factor c(t) = t²" in said(t**2)
    assert said(0.37281 * t) == said(1 + 0.2 * np.sin(5 * t)) == ""


def test_polynomials_that_differ_in_one_coefficient():
    t = _Times.times
    found = polynomials(t, 0.1 + 6 * t, 0.1 + 5.9 * t)
    assert found is not None and found.told("ρ²") == "ρ² is 0.1 + 6 t, and 0.1 + 5.9 t is needed"
    assert polynomials(t, 1 + 2 * t, 1.5 + 3 * t) is None
    assert polynomials(t, 1 + 0 * t, 1.5 + 0 * t) is None
    assert polynomials(t, 1 + t, -1 - t) is None
    assert polynomials(t, 1 + t, np.exp(t)) is None


@pytest.mark.parametrize("factor", [1.0, 0.9])
def test_a_floor_is_not_called_added(factor):
    def floored(x, t):
        return factor * np.maximum(np.exp(-(x[:, 0] ** 2) / 2) / np.sqrt(2 * np.pi), 1e-5)

    evidence = sp.check_fokker_planck(lambda x, t: -0.5 * x, lambda t: 1.0, floored)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ()
    assert "added to it, or the density is cut off from below" in evidence.explain()


def apart(distance, log=False, d=1):
    """Two components at rest, the second one far from the box."""
    mean = np.full(d, distance)

    def log_p(x, t):
        return np.logaddexp(heat(x, t), heat(x - mean, t)) - np.log(2)

    def p(x, t):
        return (np.exp(heat(x, t)) + np.exp(heat(x - mean, t))) / 2

    return {"log_density": log_p} if log else {"density": p}


@pytest.mark.parametrize("distance", [70.0, 5000.0, 6e8])
@pytest.mark.parametrize("log, d", [(False, 1), (True, 1), (False, 2), (True, 2)])
def test_a_component_far_from_the_box_is_no_lack_of_mass(distance, log, d):
    evidence = sp.check_fokker_planck(
        lambda x, t: 0 * x, lambda t: NOISE, dimension=d, **apart(distance, log, d)
    )
    assert evidence.verdict != "refuted", evidence.explain()
    if log and distance < 1e4:
        assert evidence and "its mass is 1 to" in evidence.sentence


@pytest.mark.parametrize("d", [1, 2])
def test_a_mass_that_is_short_everywhere_is_refuted(d):
    short = judged(lambda x, t: heat(x, t) + np.log(0.8), d)
    assert short.verdict == "refuted" and "by 1.25" in short.sentence
    density = {"density": lambda x, t: 0.8 * np.exp(heat(x, t))}
    short = sp.check_fokker_planck(lambda x, t: 0 * x, lambda t: NOISE, dimension=d, **density)
    assert short.verdict == "refuted" and "by 1.25" in short.sentence
    # a modulus tells nothing at complex points: what underflows may rise again further out
    density = {"density": lambda x, t: 0.8 * np.exp(heat(np.real(x), t))}
    short = sp.check_fokker_planck(lambda x, t: 0 * x, lambda t: NOISE, dimension=d, **density)
    assert short.verdict == "undecided" and "a part far from where was looked" in short.sentence


def test_a_uniform_density_wider_than_the_box_has_its_mass():
    for half in (10.0, 40.0):

        def spread(x, t, half=half):
            at = half * np.exp(0.5 * t)
            return np.where(np.abs(x[:, 0]) < at, 0.5 / at, 0.0)

        evidence = sp.check_fokker_planck(lambda x, t: 0.5 * x, lambda t: 0.0, spread)
        assert evidence.verdict != "refuted", evidence.explain()
