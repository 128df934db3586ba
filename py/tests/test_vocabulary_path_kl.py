"""Each known mistake of a divergence or a weight of paths, as code makes it, is named."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

import scoreproof as sp

RATIO = {"quantity": "log_ratio"}


def solved(g, v):
    return np.linalg.solve(g, v[..., None])[..., 0] if np.ndim(g) == 3 else v / g


def turned(g, v):
    return np.einsum("nij,nj->ni", g, v) if np.ndim(g) == 3 else g * v


def summed(terms):
    """A function that sums ``terms`` of each step; they are told all that is known there."""

    def path_sum(drift0, drift1, diffusion, x, t):
        last, total = len(t) - 1, 0.0
        for k in range(last):
            here = [(f, x[j], t[j]) for j in (k, k + 1) for f in (drift0, drift1)]
            a, b, a1, b1 = (f(y, s) for f, y, s in here)
            g, g1 = diffusion(x[k], t[k]), diffusion(x[k + 1], t[k + 1])
            dt = t[k + 1] - t[k]
            at = SimpleNamespace(
                a=a, b=b, g=g, dt=dt, k=k, last=last, x=x, t=t, u=solved(g, a - b),
                u1=solved(g1, a1 - b1), dx=x[k + 1] - x[k], drift0=drift0, drift1=drift1,
                diffusion=diffusion, dw=solved(g, x[k + 1] - x[k] - a * dt),
            )  # fmt: skip
            total = total + terms(at)
        return total

    return path_sum


def energy(at, u=None):
    return 0.5 * np.sum((at.u if u is None else u) ** 2, axis=1) * at.dt


def ito(at, u=None, dw=None):
    return np.sum((at.u if u is None else u) * (at.dw if dw is None else dw), axis=1)


def both(at, u=None):
    return energy(at, u) + ito(at, u)


def other(at, when, x=None):
    """u at another time."""
    y = at.x[at.k] if x is None else x
    return solved(at.diffusion(y, when), at.drift0(y, when) - at.drift1(y, when))


US = {
    "noise_multiplied": lambda at: turned(at.g, at.a - at.b),
    "noise_left_out": lambda at: at.a - at.b,
    "noise_twice": lambda at: solved(at.g, at.u),
    "transposed": lambda at: solved(np.swapaxes(at.g, 1, 2), at.a - at.b),
    "only_the_diagonal": lambda at: (at.a - at.b) / np.einsum("nii->ni", at.g),
    "only_p": lambda at: solved(at.g, at.a),
    "only_q": lambda at: solved(at.g, at.b),
    "drifts_added": lambda at: solved(at.g, at.a + at.b),
    "next_time": lambda at: other(at, at.t[at.k + 1]),
    "noise_of_the_next_time": lambda at: solved(
        at.diffusion(at.x[at.k], at.t[at.k + 1]), at.a - at.b
    ),
    "drifts_of_the_next_time": lambda at: solved(
        at.g,
        at.drift0(at.x[at.k], at.t[at.k + 1]) - at.drift1(at.x[at.k], at.t[at.k + 1]),
    ),
    "prior_at_the_next_time": lambda at: solved(at.g, at.a - at.drift1(at.x[at.k], at.t[at.k + 1])),
    "next_place": lambda at: other(at, at.t[at.k], at.x[at.k + 1]),
    "noise_of_the_next_place": lambda at: solved(
        at.diffusion(at.x[at.k + 1], at.t[at.k]), at.a - at.b
    ),
    "drifts_of_the_next_place": lambda at: solved(
        at.g,
        at.drift0(at.x[at.k + 1], at.t[at.k]) - at.drift1(at.x[at.k + 1], at.t[at.k]),
    ),
    "prior_at_the_next_place": lambda at: solved(
        at.g, at.a - at.drift1(at.x[at.k + 1], at.t[at.k])
    ),
    "first_place": lambda at: other(at, at.t[at.k], at.x[0]),
    "noise_of_the_first_place": lambda at: solved(at.diffusion(at.x[0], at.t[at.k]), at.a - at.b),
    "drifts_of_the_first_place": lambda at: solved(
        at.g, at.drift0(at.x[0], at.t[at.k]) - at.drift1(at.x[0], at.t[at.k])
    ),
    "time_reversed": lambda at: other(at, at.t[at.last - at.k]),
    "time_mirrored": lambda at: other(at, at.t[0] + at.t[-1] - at.t[at.k]),
    "noise_time_reversed": lambda at: solved(
        at.diffusion(at.x[at.k], at.t[at.last - at.k]), at.a - at.b
    ),
    "index_for_time": lambda at: other(at, float(at.k)),
    "noise_of_the_start": lambda at: solved(at.diffusion(at.x[at.k], at.t[0]), at.a - at.b),
}


@pytest.mark.parametrize("name", US)
def test_another_u(name):
    function = summed(lambda at: energy(at, US[name](at)))
    evidence = sp.check_path_kl(function, noise="full")
    assert evidence.diagnosis.names == (name,), evidence.explain()
    function = summed(lambda at: both(at, US[name](at)))
    assert name in sp.check_path_kl(function, noise="full", **RATIO).diagnosis.names


@pytest.mark.parametrize("name", US)
def test_another_u_in_one_of_both_terms(name):
    function = summed(lambda at: energy(at, US[name](at)) + ito(at))
    evidence = sp.check_path_kl(function, noise="full", **RATIO)
    assert evidence.diagnosis.names == (f"{name}_in_the_square",), evidence.explain()
    assert "in ½ ∫|u|² dt alone, " in evidence.explain()
    function = summed(lambda at: energy(at) + ito(at, US[name](at)))
    evidence = sp.check_path_kl(function, noise="full", **RATIO)
    assert evidence.diagnosis.names == (f"{name}_in_the_noise",), evidence.explain()
    assert "in ∫ u·dW alone, " in evidence.explain()


TERMS = {
    "half_missing": lambda at: 2 * energy(at) + ito(at),
    "half_twice": lambda at: energy(at) / 2 + ito(at),
    "dt_missing": lambda at: energy(at) / at.dt + ito(at),
    "root_of_dt": lambda at: energy(at) / at.dt**0.5 + ito(at),
    "dt_squared": lambda at: energy(at) * at.dt + ito(at),
    "mean_over_coordinates": lambda at: both(at) / 3,
    "mean_of_squares_over_coordinates": lambda at: energy(at) / 3 + ito(at),
    "mean_over_steps": lambda at: energy(at) / at.dt / at.last + ito(at),
    "mean_of_terms_over_steps": lambda at: both(at) / at.last,
    "last_step_left_out": lambda at: both(at) * (at.k < at.last - 1),
    "first_step_left_out": lambda at: both(at) * (at.k > 0),
    "last_step_twice": lambda at: both(at) * (1 + (at.k == at.last - 1)),
    "first_step_twice": lambda at: both(at) * (1 + (at.k == 0)),
    "first_width_for_all": lambda at: energy(at) / at.dt * (at.t[1] - at.t[0]) + ito(at),
    "one_width_too_many": lambda at: energy(at) * at.last / (at.last + 1) + ito(at),
    "energy_subtracted": lambda at: ito(at) - energy(at),
    "whole_sign": lambda at: -both(at),
    "length_for_square": lambda at: np.linalg.norm(at.u, axis=1) * at.dt / 2 + ito(at),
    "root_of_noise": lambda at: energy(at, (at.a - at.b) / np.sqrt(at.g)) + ito(at),
    "cube_of_noise": lambda at: energy(at, (at.a - at.b) / at.g**1.5) + ito(at),
    "ito_subtracted": lambda at: energy(at) - ito(at),
    "ito_left_out": energy,
    "energy_left_out": ito,
    "noise_of_q": lambda at: energy(at) + ito(at, dw=at.dw + at.u * at.dt),
    "increments_for_noise": lambda at: energy(at) + ito(at, dw=at.dx / at.g),
    "z_for_dw": lambda at: energy(at) + ito(at) / at.dt**0.5,
    "steps_of_one": lambda at: energy(at) / at.dt + ito(at) / at.dt**0.5,
    "dt_for_dw": lambda at: energy(at) + ito(at) * at.dt**0.5,
    "ito_at_the_right": lambda at: energy(at) + ito(at, at.u1),
    "ito_in_the_middle": lambda at: energy(at) + ito(at, (at.u + at.u1) / 2),
}


@pytest.mark.parametrize("name", TERMS)
def test_other_terms(name):
    evidence = sp.check_path_kl(summed(TERMS[name]), noise="diagonal", **RATIO)
    assert evidence.diagnosis.names == (name,), evidence.explain()


@pytest.mark.parametrize(
    "name",
    [
        n
        for n in TERMS
        if not n.startswith(("ito", "noise_of", "incr", "z_", "dt_for", "energy", "steps"))
    ],
)
def test_other_terms_of_the_mean(name):
    def terms(at):  # without the stochastic integral
        at.dw = 0 * at.dw
        return TERMS[name](at)

    evidence = sp.check_path_kl(summed(terms), noise="diagonal")
    expected = {"mean_of_squares_over_coordinates": "mean_over_coordinates"}.get(name, name)
    assert expected in evidence.diagnosis.names, evidence.explain()


@pytest.mark.parametrize(
    ("u", "words"),
    [
        (lambda at: (at.a - at.b) / (at.g + 1e-3), "0.001 is added to g before it divides"),
        (lambda at: (at.a - at.b) / np.sqrt(at.g**2 + 1e-6), "1e-06 is added to g² before"),
        (lambda at: (at.a - at.b) / np.maximum(at.g, 0.7), "g is not let fall below 0.7"),
        (lambda at: np.clip(at.u, -1.5, 1.5), "u is clipped to [-1.5, 1.5]"),
    ],
)
def test_floors_and_clips(u, words):
    evidence = sp.check_path_kl(summed(lambda at: energy(at, u(at))), noise="diagonal")
    assert words in evidence.explain(), evidence.explain()
    evidence = sp.check_path_kl(summed(lambda at: both(at, u(at))), noise="diagonal", **RATIO)
    assert words in evidence.explain(), evidence.explain()


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (lambda at: 1 + 0.5 * (at.k == 3), "at step 3 of 8 |u|² is weighed by 1.5 times the"),
        (lambda at: np.array([1, 1.25, 1]), "in coordinate 1 u² is weighed by 1.25 times the"),
        (lambda at: np.array([1, 0.3, 0.7]) * (1 + 0.1 * at.k), "u² is weighed by"),
        (lambda at: 3.0, "it is 3 times what is due"),
    ],
)
@pytest.mark.parametrize("mean", [False, True])
def test_weights_are_read(factor, words, mean):
    function = summed(lambda at: 0.5 * np.sum(at.u**2 * factor(at), axis=1) * at.dt)

    def reduced(drift0, drift1, diffusion, x, t):
        return function(drift0, drift1, diffusion, x, t).mean()

    evidence = sp.check_path_kl(reduced if mean else function, noise="diagonal")
    assert evidence.verdict == "refuted" and words in evidence.explain(), evidence.explain()


def test_a_value_at_the_end_that_belongs_to_no_step():
    def ended(drift0, drift1, diffusion, x, t):
        u = (drift0(x[-1], t[-1]) - drift1(x[-1], t[-1])) / diffusion(x[-1], t[-1])
        whole = summed(energy)(drift0, drift1, diffusion, x, t)
        return whole + 0.5 * np.sum(u**2, axis=1) * 0.1

    evidence = sp.check_path_kl(ended, noise="diagonal")
    assert "at step 8 of 8 |u|² is weighed by 0.1 where 0 is due" in evidence.explain()


def test_weights_that_rounding_hides():
    """Simpson's rule, of a path that it makes in single precision."""

    def simpson(f, h, g, x0, n_steps, T, rng):
        ts = np.linspace(0, T, n_steps + 1).astype(x0.dtype)
        places = [x0]
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            x = places[-1]
            z = rng.standard_normal(x.shape).astype(x.dtype)
            places.append(x + f(t, x) * (s - t) + g(t) * np.sqrt(s - t) * z)
        weights = np.tile([2.0, 4.0], n_steps // 2 + 1)[: n_steps + 1]
        weights[0] = weights[-1] = 1.0
        total = 0.0
        for w, t, x in zip(weights, ts, places, strict=True):
            total = total + 0.5 * w * np.sum(((f(t, x) - h(t, x)) / g(t)) ** 2, axis=1)
        return total * (ts[1] - ts[0]) / 3

    evidence = sp.check_path_kl(simpson, dtype="float32")
    assert "how it weighs each step is lost in rounding: use float64" in evidence.sentence
    evidence = sp.check_path_kl(simpson)
    assert evidence and evidence.kind == "convergent", evidence.explain()


def made(change, scale=1.0, **more):
    """Paths that it makes, with noise of another size, or of another law."""

    def making(f, h, g, x0, ts, rng):
        x, total = x0, 0.0
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            total = total + 0.5 * np.sum(((f(t, x) - h(t, x)) / g(t)) ** 2, axis=1) * (s - t)
            noise = scale * change(s - t) * rng.standard_normal(x.shape)
            x = x + (h if more.get("prior") else f)(t, x) * (s - t) + g(t) * noise
        return total

    return making


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (made(lambda dt: dt), "the noise of its paths is multiplied by dt: by √dt"),
        (made(lambda dt: 1.0), "the noise of its paths is not multiplied by √dt"),
        (made(np.sqrt, prior=True), "the paths are those of the other law"),
        (made(np.sqrt, 2**0.5), "the noise of its paths is 1.41421 times what is due"),
    ],
)
def test_other_paths(function, words):
    assert words in sp.check_path_kl(function).explain()


def controlled(cost, end):
    def loss(control, drift, sigma, terminal_cost, x0, ts, rng):
        x, total = x0, 0.0
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            u = control(x, t)
            total = total + 0.5 * np.sum(cost(u, sigma(t)) ** 2, axis=1) * (s - t)
            noise = np.sqrt(s - t) * rng.standard_normal(x.shape)
            x = x + (drift(x, t) + sigma(t) * u) * (s - t) + sigma(t) * noise
        return total + end * terminal_cost(x)

    return loss


@pytest.mark.parametrize(
    ("cost", "end", "name", "words"),
    [
        (lambda u, s: u / s, 1, "noise_twice", "the control is divided by g"),
        (lambda u, s: u * s, 1, "noise_left_out", "the control is multiplied by g"),
        (lambda u, s: u, 0, "terminal_left_out", "the terminal cost is left out"),
        (lambda u, s: u, -1, "terminal_subtracted", "the terminal cost is subtracted"),
    ],
)
def test_controls(cost, end, name, words):
    evidence = sp.check_path_kl(controlled(cost, end))
    assert evidence.diagnosis.names == (name,) and words in evidence.explain()


@pytest.mark.parametrize(
    ("power", "added", "words"),
    [
        (0, 1, "|s0 - s1|² has no g²"),
        (1, 1, "|s0 - s1|² is multiplied by g: by g²"),
        (3, 1, "|s0 - s1|² is multiplied by g³: by g²"),
        (4, 1, "|s0 - s1|² is multiplied by g⁴: by g²"),
        (6, 1, "|s0 - s1|² is multiplied by g⁶: by g²"),
        (2, 0, "divergence at the end of time that it is handed is left out"),
        (2, -1, "the divergence that it is handed is subtracted"),
    ],
)
def test_bounds(power, added, words):
    def bound(score, model, g, x, t, kl_T):
        rate = g(t) ** power * np.sum((score(x, t) - model(x, t)) ** 2, axis=-1).mean(1)
        return 0.5 * np.sum(rate[:-1] * np.diff(t)) + added * kl_T

    evidence = sp.check_path_kl(bound)
    assert evidence.diagnosis.names and words in evidence.explain(), evidence.explain()


def test_a_bound_without_its_model():
    def bound(score, model, g, x, t):
        rate = g(t) ** 2 * np.sum(score(x, t) ** 2, axis=-1).mean(1)
        return 0.5 * np.sum(rate[:-1] * np.diff(t))

    assert "the second score is left out" in sp.check_path_kl(bound).explain()


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (lambda p, q: 0, "the law at the start is left out"),
        (lambda p, q: q - p, "the term of the start has the wrong sign"),
    ],
)
def test_starts(part, words):
    def weight(drift0, drift1, diffusion, x, t, log_p0, log_q0):
        whole = summed(both)(drift0, drift1, diffusion, x, t)
        return whole + part(log_p0(x[0]), log_q0(x[0]))

    assert words in sp.check_path_kl(weight, noise="diagonal", **RATIO).explain()


def heun(rate, under=0):
    """Paths by Heun's scheme, with another rate of cost."""

    def estimate(f, h, g, x0, ts, rng):
        drift, x, total = (f, h)[under], x0, 0.0

        def cost(t, x):
            return 0.5 * np.sum(rate(f(t, x), h(t, x), g(t)), axis=1)

        for t, s in zip(ts[:-1], ts[1:], strict=True):
            dw = np.sqrt(s - t) * rng.standard_normal(x.shape)
            guess = x + drift(t, x) * (s - t) + g(t) * dw
            new = x + (drift(t, x) + drift(s, guess)) / 2 * (s - t) + (g(t) + g(s)) / 2 * dw
            total = total + (cost(t, x) + cost(s, new)) / 2 * (s - t)
            x = new
        return total

    return estimate


RATES = {
    "half_missing": lambda a, b, g: 2 * ((a - b) / g) ** 2,
    "half_twice": lambda a, b, g: ((a - b) / g) ** 2 / 2,
    "mean_over_coordinates": lambda a, b, g: ((a - b) / g) ** 2 / 3,
    "energy_subtracted": lambda a, b, g: -(((a - b) / g) ** 2),
    "noise_of_q": lambda a, b, g: 3 * ((a - b) / g) ** 2,
    "noise_multiplied": lambda a, b, g: ((a - b) * g) ** 2,
    "noise_left_out": lambda a, b, g: (a - b) ** 2,
    "noise_twice": lambda a, b, g: ((a - b) / g**2) ** 2,
    "root_of_noise": lambda a, b, g: (a - b) ** 2 / g,
    "cube_of_noise": lambda a, b, g: (a - b) ** 2 / g**3,
    "only_p": lambda a, b, g: (a / g) ** 2,
    "only_q": lambda a, b, g: (b / g) ** 2,
    "drifts_added": lambda a, b, g: ((a + b) / g) ** 2,
}


@pytest.mark.parametrize("name", RATES)
def test_means_in_another_scheme(name):
    evidence = sp.check_path_kl(heun(RATES[name]))
    assert evidence.kind == "convergent", evidence.explain()
    assert name in evidence.diagnosis.names, evidence.explain()


def test_the_other_law_in_another_scheme():
    evidence = sp.check_path_kl(heun(lambda a, b, g: ((a - b) / g) ** 2, under=1))
    assert evidence.diagnosis.names == ("paths_of_the_other",), evidence.explain()
    assert sp.check_path_kl(heun(lambda a, b, g: ((a - b) / g) ** 2))


def test_the_weight_for_its_logarithm_and_a_negative_divergence():
    def weight(drift0, drift1, diffusion, x, t):
        return np.exp(summed(both)(drift0, drift1, diffusion, x, t))

    evidence = sp.check_path_kl(weight, noise="diagonal", **RATIO)
    assert evidence.diagnosis.names == ("exponential",)
    evidence = sp.check_path_kl(summed(lambda at: -energy(at)), noise="diagonal")
    assert "a divergence is not negative" in evidence.explain()


def test_a_mean_u_and_noise_that_takes_no_time():
    average = summed(lambda at: 0.5 * np.sum(((at.u + at.u1) / 2) ** 2, axis=1) * at.dt)
    evidence = sp.check_path_kl(average, noise="diagonal")
    assert evidence and "by the mean u of both ends of a step" in evidence.notes[0]

    def timeless(drift0, drift1, g, x, t):
        return summed(energy)(drift0, drift1, lambda y, s: g(y), x, t)

    evidence = sp.check_path_kl(timeless, noise="diagonal")
    assert evidence and "noise that does not change with time" in evidence.coverage.describe()


def test_the_divergence_of_the_starts_the_other_way_round():
    def elbo(drift0, drift1, g, x, t, mean0, std0, mean1, std1):
        r = (std1 / std0) ** 2
        start = 0.5 * np.sum(r + ((mean0 - mean1) / std0) ** 2 - 1 - np.log(r))
        return summed(energy)(drift0, drift1, g, x, t) + start

    evidence = sp.check_path_kl(elbo, noise="diagonal")
    assert "KL of the laws at the start is KL(q0‖p0): KL(p0‖q0) is due" in evidence.explain()
