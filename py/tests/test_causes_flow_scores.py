"""The score of a flow's SDE step is named by its formula only where all steps show it."""

from __future__ import annotations

import numpy as np
import pytest

from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.scores import formed
from scoreproof.public.sampler.causes.steps import given_steps
from scoreproof.public.sampler.causes.words import summed
from scoreproof.public.sampler.data import Level

T = np.linspace(0.9, 0.1, 9)


def asked(of_x, of_v, noise=0.3):
    """The steps of Euler's method with noise and a score ``of_x x + of_v v``."""
    now, gap = T[:-1], np.diff(T)
    w = noise * np.sqrt(-gap)
    v = gap + w**2 / 2 * of_v(now)
    x, x0 = 1 + v / now + w**2 / 2 * of_x(now), -v / now
    levels = [Level(float(t), 1 - float(t), float(t)) for t in T]
    steps = given_steps(
        tuple(levels[:-1]), tuple(levels[1:]), tuple((u,) for u in levels[:-1]), (x, x0, w)
    )
    names = {"a_t": 1 - now, "sigma_t": now, "sigma_next": T[1:], "dt": -gap}
    measured = {n: c[:, 0] for n, c in steps.coefficients.items()}
    out = ((1 / now, -1 / now),)
    inner = np.ones(len(now), bool)
    return steps, Question(measured, steps.sizes, names, out, inner, 1e-7)


def test_the_right_score_is_not_blamed():
    assert formed("flow", *asked(lambda t: -1 / t, lambda t: -(1 - t) / t)) == ""


@pytest.mark.parametrize(
    ("of_x", "of_v", "said"),
    [
        (lambda t: -1 / (1 - t), lambda t: t / (1 - t), "the other convention of time"),
        (lambda t: -1 / t, lambda t: (1 - t) / t, "the sign of v"),
        (lambda t: -1 / (1 - t), lambda t: -1 + 0 * t, "α for σ under the line"),
        (lambda t: -1 / t, lambda t: t, "formed with -1/σ in front of x and σ in front of v"),
    ],
    ids=["convention", "sign", "divided", "unwritten"],
)
def test_another_formula_is_named(of_x, of_v, said):
    text = formed("flow", *asked(of_x, of_v))
    assert said in text and "0.3·√dt" in text
    assert formed("eps", *asked(of_x, of_v)) == ""
    assert formed("flow", *asked(lambda t: of_x(t) * (1 + 0.01 * t), of_v)) == ""
    assert formed("flow", *asked(of_x, of_v, noise=0.0)) == ""


def test_sums_are_written_with_their_signs():
    assert summed([(0.9684, "x"), (-2.761, "x_0"), (0.5, "z")]) == "0.9684 x - 2.761 x_0 + 0.5 z"
    assert summed([(-1.0, "x")]) == "-1 x"
