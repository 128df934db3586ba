"""Each known mistake of a corrector or a Metropolis kernel, as code makes it, is named."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.schedules import VPLinear

VP = VPLinear(0.1, 6.0)


def check(kernel, *arguments, **more):
    return sp.check_corrector(kernel, *arguments, **more)


def named(evidence, name, text):
    assert evidence.verdict == "refuted", evidence.explain()
    assert evidence.diagnosis.names == (name,), evidence.explain()
    assert text in evidence.explain(), evidence.explain()


@pytest.mark.parametrize(
    ("drift", "noise", "name", "text"),
    [
        (1.0, 2.0, "half", "the noise is √(4 h) z where the drift is h · score"),
        (1.0, 1.0, "root_two", "√2 is missing in the noise"),
        (1.0, 3.0, "noise_size", "its variance is 1.5 times what goes with that drift"),
        (-1.0, 2.0, "sign", "x + h · score(x) goes up the density"),
        (1.0, 0.0, "no_noise", "its noise is 0: x runs to the mode"),
    ],
)
def test_sizes(drift, noise, name, text):
    noise = 4.0 if name == "half" else noise

    def kernel(score, x, h, rng):
        return x + drift * h * score(x) + np.sqrt(noise * h) * rng.standard_normal(x.shape)

    named(check(kernel), name, text)


@pytest.mark.parametrize(
    ("power", "name", "text"),
    [
        (2.0, "no_root", "multiplied by the step size"),
        (0.0, "unscaled_noise", "does not get smaller as the drift does"),
        (1.5, "powers", "goes as the drift to the power 1.5"),
    ],
)
def test_powers_of_the_step(power, name, text):
    def kernel(score, x, h, rng):
        return x + h * score(x) + (2 * h**power) ** 0.5 * rng.standard_normal(x.shape)

    named(check(kernel), name, text)


def test_a_fixed_step_whose_root_is_missing():
    def kernel(score, x, rng):
        return x + 1e-3 * score(x) + 2e-3 * rng.standard_normal(x.shape)

    named(check(kernel), "no_root", "the noise has variance 4e-06 where the drift is 0.001")


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (lambda s: s, "the drift is not divided by it"),
        (lambda s: 1 / s, "divided by σ once too often"),
        (lambda s: 1 / s**2, "the noise is not by 1/σ"),
        (lambda s: s**2, "the noise is not by σ"),
    ],
)
def test_a_level_in_the_drift_alone(factor, text):
    def kernel(score, x, t, h, rng):
        drift = h * factor(0.6) * score(x, t)
        return x + drift + (2 * h) ** 0.5 * rng.standard_normal(x.shape)

    named(check(kernel, t=0.6), "sigma", text)


def test_alpha_in_the_drift_alone():
    def kernel(score, x, t, h, rng):
        drift = h * float(VP.alpha(t)) * score(x, t)
        return x + drift + (2 * h) ** 0.5 * rng.standard_normal(x.shape)

    named(check(kernel, VP, t=0.3), "alpha", "stands in the drift alone")


def test_two_that_cannot_be_told_apart():
    def kernel(score, x, t, h, rng):
        return x + h * t * score(x, t) + (2 * h) ** 0.5 * rng.standard_normal(x.shape)

    found = check(kernel, t=0.5).diagnosis
    assert found.names == ("sigma", "half") and "cannot be told apart here" in found.sentence


def test_preconditioners():
    scale = np.array([0.5, 1.0, 2.0, 4.0])

    def in_the_noise(score, x, h, rng):
        return x + h * score(x) + np.sqrt(2 * h * scale) * rng.standard_normal(x.shape)

    def half(score, x, h, rng):
        return x + h * scale * score(x) + np.sqrt(h * scale) * rng.standard_normal(x.shape)

    named(check(in_the_noise), "drift_not_preconditioned", "and the drift is not")
    named(check(half), "noise_size", "0.5 times the covariance")


def test_velocities():
    def kernel(score, x, v, h, rng, noise=1.0):
        v = v + h / 2 * score(x)
        x = x + h / 2 * v
        c = np.exp(-h)
        v = c * v + noise * np.sqrt(1 - c * c) * rng.standard_normal(x.shape)
        x = x + h / 2 * v
        return x, v + h / 2 * score(x)

    hot = check(lambda score, x, v, h, rng: kernel(score, x, v, h, rng, 2**0.5))
    named(hot, "temperature", "x and v have 2 times the variance")
    weak = check(lambda score, x, v, h, rng: kernel(lambda y: score(y) / 2, x, v, h, rng))
    named(weak, "force", "the force is 0.5 times the score")


@pytest.mark.parametrize(
    ("rule", "name", "text"),
    [
        (lambda g, z, r: 2 * (r * z / g) ** 2, "norm_of_each_row", "each row has its own ratio"),
        (lambda g, z, r: 2 * r * (z.mean() / g.mean()) ** 2, "snr_not_squared", "outside the squ"),
        (lambda g, z, r: 4 * (r * z.mean() / g.mean()) ** 2, "two_twice", "is there twice"),
        (lambda g, z, r: 2 * (z.mean() / g.mean() / r) ** 2, "snr_inverted", "divides by snr"),
        (lambda g, z, r: 2 * (r * z.sum() / g.mean()) ** 2, "sum_of_z", "‖z‖ is summed"),
        (lambda g, z, r: 2 * (r * z.mean() / g.sum()) ** 2, "sum_of_s", "‖score‖ is summed"),
    ],
)
def test_rules_of_the_signal_to_noise_ratio(rule, name, text):
    def kernel(score_fn, x, t, snr, rng):
        grad, noise = score_fn(x, t), rng.standard_normal(x.shape)
        norms = [np.linalg.norm(v, axis=1) for v in (grad, noise)]
        step = np.broadcast_to(rule(*norms, snr), (len(x),))[:, None]
        return x + step * grad + np.sqrt(2 * step) * noise

    named(check(kernel, snr=0.1), name, text)


def test_alpha_of_the_rule_twice():
    def kernel(score_fn, x, t, rng):
        grad, noise = score_fn(x, t), rng.standard_normal(x.shape)
        norms = [np.linalg.norm(v, axis=1).mean() for v in (grad, noise)]
        step = 2 * 0.9**2 * (0.1 * norms[1] / norms[0]) ** 2
        return x + step * grad + np.sqrt(2 * step) * noise

    named(check(kernel, snr=0.1, alpha=0.9), "alpha_squared", "α is squared")


@pytest.mark.parametrize(
    ("drift", "noise", "name", "text"),
    [
        (-1, lambda e: np.sqrt(2 * e), "sign", "the drift has the wrong sign"),
        (1, lambda e: np.sqrt(e), "root_two", "√2 is missing in the noise"),
        (1, lambda e: 2 * np.sqrt(e), "half", "for a drift of ε/2"),
        (1, lambda e: np.sqrt(3 * e), "noise_size", "is 1.5 times the 2ε"),
        (1, lambda e: e, "no_root", "multiplied by the step size"),
    ],
)
def test_noise_of_steps_whose_size_is_read(drift, noise, name, text):
    def kernel(score_fn, x, t, rng):
        grad, z = score_fn(x, t), rng.standard_normal(x.shape)
        step = 2 * (0.16 * np.linalg.norm(z, axis=1) / np.linalg.norm(grad, axis=1))[:, None] ** 2
        return x + drift * step * grad + noise(step) * z

    evidence = check(kernel)
    assert evidence.diagnosis.names == (name,), evidence.explain()


def kept(accept, y, x):
    return np.where(accept[:, None], y, x)


@pytest.mark.parametrize(
    ("weights", "name", "text"),
    [
        ((-1, 1), "target_inverted", "p(x) is above"),
        ((-1, -1), "ratio_inverted", "the whole ratio is inverted"),
        ((1, 0), "no_proposal_ratio", "proposal's densities are left out"),
        ((1, -1), "proposal_inverted", "proposal's densities are exchanged"),
        ((0, 1), "no_target", "p(y)/p(x) is left out"),
        ((0.5, 0.5), "temperature", "multiplied by 0.5"),
        ((1, 0.5), "proposal_size", "enters half"),
        ((1, 3), "proposal_size", "enters 3 times"),
        ((2, 3), "exponents", "is 2 log p(y)/p(x) + 3 log q(y, x)/q(x, y)"),
    ],
)
def test_ratios(weights, name, text):
    def mala(log_prob, grad, x, h, rng):
        y = x + h * grad(x) + np.sqrt(2 * h) * rng.standard_normal(x.shape)

        def log_q(b, a):
            return -np.sum((b - a - h * grad(a)) ** 2, axis=1) / (4 * h)

        ratio = weights[0] * (log_prob(y) - log_prob(x))
        ratio = ratio + weights[1] * (log_q(x, y) - log_q(y, x))
        return kept(np.log(rng.random(len(x))) < ratio, y, x)

    named(check(mala), name, text)


@pytest.mark.parametrize(
    ("first", "last", "name", "text"),
    [
        (0.0, 0.5, "leapfrog_first", "the first half kick of the leapfrog is missing"),
        (0.5, 0.0, "leapfrog_last", "the last half kick of the leapfrog is missing"),
    ],
)
def test_kicks(first, last, name, text):
    def hmc(log_prob, grad, x, h, rng):
        p = start = rng.standard_normal(x.shape)
        y, p = x, p + first * h * grad(x)
        for k in range(3):
            y = y + h * p
            p = p + (h if k < 2 else last * h) * grad(y)
        change = np.sum(start**2 - p**2, axis=1) / 2
        return kept(np.log(rng.random(len(x))) < log_prob(y) - log_prob(x) + change, y, x)

    named(check(hmc, step_size=0.3), name, text)


def trajectory(change, *, first=0.5, inner=1.0, last=0.5, old=False):
    """Four leapfrog steps of a width of its own; ``change(start, kicked, end)``: of the kinetic
    energy.
    """

    def hmc(log_prob, grad, x, rng):
        h, p = 0.3, rng.standard_normal(x.shape)
        start = p
        p = kicked = p + first * h * grad(x)
        g, y = grad(x), x
        for k in range(4):
            y = y + h * p
            if k < 3:
                p = p + inner * h * (g if old else grad(y))
        p = p + last * h * grad(y)
        ratio = log_prob(y) - log_prob(x) + change(start, kicked, p)
        return kept(np.log(rng.random(len(x))) < ratio, y, x)

    return hmc


def squares(p):
    return np.sum(p**2, axis=1)


def due(start, kicked, end):
    return (squares(start) - squares(end)) / 2


@pytest.mark.parametrize(
    ("kernel", "name", "text"),
    [
        (trajectory(due, first=0.0), "leapfrog_first", "the first half kick of the leapfrog is mi"),
        (trajectory(due, first=1.0), "leapfrog_first", "the first kick of the leapfrog is a full"),
        (trajectory(due, first=0.7), "leapfrog_first", "is 0.7 of a step, p + 0.7 h · score"),
        (trajectory(due, last=0.0), "leapfrog_last", "the last half kick of the leapfrog is missi"),
        (
            trajectory(due, last=1.0),
            "leapfrog_last",
            "the last kick of the leapfrog is a full step",
        ),
        (trajectory(due, last=0.7), "leapfrog_last", "the last kick of the leapfrog is 0.7 h"),
        (trajectory(due, old=True), "leapfrog_old_gradient", "compute score(x) anew after each"),
        (
            trajectory(lambda start, kicked, end: due(kicked, kicked, end)),
            "leapfrog_start",
            "the first kinetic energy is that of p + 0.5 h",
        ),
        (
            trajectory(lambda start, kicked, end: 0.0),
            "no_proposal_ratio",
            "the kinetic energies are left out",
        ),
        (
            trajectory(lambda start, kicked, end: -due(start, kicked, end)),
            "proposal_inverted",
            "the kinetic energies are exchanged",
        ),
        (
            trajectory(lambda start, kicked, end: due(start, kicked, end) / 4),
            "proposal_size",
            "the kinetic energies enter 0.25 times",
        ),
    ],
    ids=lambda v: "hmc" if callable(v) else None,
)
def test_a_trajectory_of_its_own_width_is_read_off_where_it_passes(kernel, name, text):
    named(check(kernel), name, text)


@pytest.mark.parametrize("inner", [1.0, 0.8])
def test_kicks_that_a_trajectory_takes_back_the_same_way_keep_p(inner):
    assert check(trajectory(due, inner=inner)).verdict == "holds"


@pytest.mark.parametrize(
    ("weight", "name", "text"),
    [(-1.0, "target_inverted", "p(x) is above"), (0.5, "temperature", "multiplied by 0.5")],
)
def test_barkers_rule_of_a_wrong_ratio(weight, name, text):
    def barker(log_prob, x, rng):
        y = x + 0.5 * rng.standard_normal(x.shape)
        ratio = np.exp(weight * (log_prob(y) - log_prob(x)))
        return kept(rng.random(len(x)) < ratio / (1 + ratio), y, x)

    named(check(barker), name, text)
