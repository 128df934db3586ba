"""Causes that are read off a process: another time, another schedule, another family, a shift of
√h; each where it is, and not where it is nearly so.
"""

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.schedules import VPLinear
from scoreproof.public.families import Sides, family_of, of_families
from scoreproof.public.marginals.clocks import Asked, of_a_fitted_time, of_another_time
from scoreproof.public.marginals.schedules import of_cosines, two_schedules
from scoreproof.public.preconditioning.logarithms import another_logarithm
from scoreproof.public.schedule.rescaled import rescaled
from scoreproof.public.schedule.tables import Base

T = np.linspace(0.1, 0.8, 12)
LEFT = 1e-6


def asked(own, due, right=(False, False), end=1.0):
    return Asked(T, end, (-due(T), 2 * due(T)), lambda u: (-own(u), 2 * own(u)), right, LEFT)


def curve(t):
    return np.exp(t) + 1 / (1.3 - t)


def test_a_time_is_named_and_no_power_or_factor():
    assert (
        "that of time T - t"
        in of_another_time(asked(curve, lambda t: curve(1 - t), (True, False))).text
    )
    assert "those of time √t" in of_another_time(asked(curve, lambda t: curve(t**2))).text
    assert of_another_time(asked(lambda t: t, lambda t: t**2)) is None
    for factor in (1.0, 1.7):
        assert of_another_time(asked(curve, lambda t, k=factor: k * curve(t))) is None
    assert of_another_time(asked(curve, lambda t: curve(1 - t) * (1 + 1e-3 * t))) is None


def test_a_fitted_time_is_a_straight_line_and_no_line_of_a_line():
    found = of_a_fitted_time(asked(curve, lambda t: curve(0.8 * t + 0.05)))
    assert "time u = 0.8 t + 0.05 is due" in found.text
    assert of_a_fitted_time(asked(lambda t: 1 + 3 * t, lambda t: 2 + 5 * t)) is None
    assert of_a_fitted_time(asked(curve, lambda t: curve(t) + np.sin(9 * t))) is None


def test_two_schedules_need_a_formula_each():
    one, other = (np.pi * np.tan(np.pi / 2 * (T + s) / (1 + s)) / (1 + s) for s in (0.0, 0.01))
    assert "two cosine schedules" in of_cosines(T, one, other, LEFT).text
    assert of_cosines(T, one, 1.5 * one, LEFT) is None
    assert of_cosines(T, one, other * (1 + 1e-3 * T), LEFT) is None
    assert "1 + 3 t" in two_schedules(T, 1 + 3 * T, one, LEFT).text
    assert two_schedules(T, 1 + 3 * T, one + T**3, LEFT) is None


def sides(share, std, right=True):
    alpha = np.exp(-(T + T**2))
    rate = -(1 + 2 * T)
    g2 = -2 * rate * share(alpha)
    return Sides(T, alpha, std(alpha), rate, np.log(alpha), g2, LEFT, right)


@pytest.mark.parametrize(
    ("share", "std", "says"),
    [
        (lambda a: 1 + 0 * a, lambda a: 1 - a**2, "those of the variance-preserving SDE"),
        (lambda a: 1 - a**4, lambda a: np.sqrt(1 - a**2), "those of the sub-VP SDE"),
        (lambda a: 1 - a, lambda a: 1 - a**2, "those of a straight path"),
        (lambda a: 1 - a**8, lambda a: 1 - a**2, "-4 ∫β, not -2 ∫β"),
        (lambda a: (1 - a**4) ** 2, lambda a: 1 - a**2, "root does not cover"),
        (lambda a: 1 + 0 * a, lambda a: np.sqrt(1 - a**2), None),
        (lambda a: 1.01 + 0 * a, lambda a: np.sqrt(1 - a**2), None),
        (lambda a: 0.3 + a / 3, lambda a: 1 - a**2, None),
        (lambda a: 1 + 0 * a, lambda a: 1.01 - a**2, None),
    ],
)
def test_a_family_is_named_where_both_are_whole(share, std, says):
    found = of_families(sides(share, std))
    assert found is None if says is None else says in found[1]


def test_a_law_near_a_family_is_of_none():
    alpha = np.exp(-T)
    assert family_of(alpha, 1 - alpha**2, LEFT) == "sub-VP"
    assert family_of(alpha, (1 - alpha**2) * (1 + 1e-4), LEFT) == ""
    assert family_of(np.ones_like(T), T, LEFT) == ""


def test_a_rescale_is_named_to_rounding_only():
    bar = np.cumprod(1 - np.linspace(1e-3, 0.05, 60))
    own = Base(1 - np.append(bar[:1], bar[1:] / bar[:-1]), bar, 2e-16)
    root = np.sqrt(bar)
    made = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
    assert "β were not rescaled" in rescaled("alphas_cumprod", made, own)
    assert rescaled("alphas_cumprod", made * (1 + 1e-4), own) == ""
    assert rescaled("alphas_cumprod", bar, own) == ""


def test_a_logarithm_is_one_and_not_nearly():
    s = np.geomspace(0.01, 50, 9)
    due = np.log(s) / 4
    assert "it is log2(σ)/4" in another_logarithm(np.log2(s) / 4, due, s, 1e-14)
    assert "it is log10(3 σ)" in another_logarithm(np.log10(3 * s), due, s, 1e-14)
    for other in (np.arctan(s), np.log(s + 1e-3) / 4, due + 1e-3 * s, np.zeros_like(s)):
        assert another_logarithm(other, due, s, 1e-14) == ""


def judged(moved, lambdas=(0.0, 1.0)):
    def step(x, t, t_next, noise, score, lam):
        h, b = t - t_next, 0.5 + 3 * t
        mean = x + h * b * (x / 2 + (1 - lam / 2) * score(x, t))
        return mean + np.sqrt((1 - lam) * b * h) * noise + moved(h, noise)

    process = VPLinear(beta_min=0.5, beta_max=3.5)
    return sp.check_reverse_sampler(step, process, lambdas, dimension=1)


def test_a_mean_displacement_is_told_at_any_member():
    assert judged(lambda h, z: 0 * z).verdict == "holds"
    right = judged(lambda h, z: 0.1 * np.sqrt(h) * (np.abs(z) - z))
    assert right.verdict == "refuted" and "moves without bound" in right.sentence
    # a drift of its own power in h, and one that is gone with h, do not stay as √h does
    for moved in (lambda h, z: h**0.75 + 0 * z, lambda h, z: 5 * h**1.5 + 0 * z):
        assert "moves without bound" not in judged(moved).sentence
