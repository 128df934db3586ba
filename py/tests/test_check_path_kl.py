"""`check_path_kl` on right and wrong functions: latent SDEs, weights of paths, controls, bounds."""

from __future__ import annotations

import re

import numpy as np
import pytest

import scoreproof as sp
from scoreproof import ArgumentError, CallableError

check = sp.check_path_kl
RATIO = {"quantity": "log_ratio"}


def along(drift0, drift1, diffusion, x, t):
    total = 0.0
    for k in range(len(t) - 1):
        u = (drift0(x[k], t[k]) - drift1(x[k], t[k])) / diffusion(t[k])
        total = total + 0.5 * np.sum(u**2, axis=1) * (t[k + 1] - t[k])
    return total


def making(f, h, g, x0, ts, rng):
    x, total = x0, 0.0
    for t, s in zip(ts[:-1], ts[1:], strict=True):
        total = total + 0.5 * np.sum(((f(t, x) - h(t, x)) / g(t)) ** 2, axis=1) * (s - t)
        x = x + f(t, x) * (s - t) + g(t) * np.sqrt(s - t) * rng.standard_normal(x.shape)
    return total


def weighing(f, h, g, x0, ts, rng):
    """Paths of f with log dP/dQ."""
    x, total = x0, 0.0
    for t, s in zip(ts[:-1], ts[1:], strict=True):
        dw = np.sqrt(s - t) * rng.standard_normal(x.shape)
        u = (f(t, x) - h(t, x)) / g(x, t)
        total = total + 0.5 * np.sum(u**2, axis=1) * (s - t) + np.sum(u * dw, axis=1)
        x = x + f(t, x) * (s - t) + g(x, t) * dw
    return x, total


SIMULATED = ("drift0", "drift1", "diffusion", "x0", "t", "rng")


def holds(evidence):
    assert evidence, evidence.explain()
    return evidence


def test_along_paths_that_are_handed_over():
    evidence = holds(check(along))
    assert evidence.kind == "float" and evidence.resolution < 1e-10
    assert evidence.cost == {"calls": 6}
    assert holds(check(along, dtype="float32")).resolution < 2e-3
    assert (
        holds(check(along, shape=1))
        and holds(check(along, shape=4))
        and holds(check(along, seed=7))
    )


def test_a_whole_path_in_one_call_and_other_layouts():
    def whole(f, h, g, xs, ts):
        u = (f(xs, ts) - h(ts, xs)) / g(ts)[:, None, None]
        return 0.5 * np.sum(np.sum(u**2, axis=-1)[:-1] * np.diff(ts)[:, None], axis=0)

    holds(check(whole))
    holds(check(lambda f, h, g, xs, ts: whole(f, h, g, np.swapaxes(xs, 0, 1), ts),
                layout="batch first"))  # fmt: skip

    def steps(f, h, g, xs, ts):
        u = (f(xs, ts) - h(xs, ts)) / g(ts)[:, None, None]
        return 0.5 * np.sum(u**2, axis=-1)[:-1] * np.diff(ts)[:, None]

    holds(check(steps))
    holds(check(lambda f, h, g, xs, ts: steps(f, h, g, xs, ts).T))
    holds(check(lambda f, h, g, xs, ts: steps(f, h, g, xs, ts).sum(0)[:, None]))
    holds(check(lambda f, h, g, xs, ts: {"kl": whole(f, h, g, xs, ts)}))

    def one(f, h, sigma, path, ts):
        us = [(f(p, t) - h(p, t)) / sigma(t) for p, t in zip(path[:-1], ts[:-1], strict=True)]
        return float(np.sum(np.sum(np.square(us), axis=1) * np.diff(ts)) / 2)

    assert holds(check(one, layout="one path")).cost["calls"] == 43
    assert check(lambda *a: 2 * one(*a), given=("drift0", "drift1", "diffusion", "x", "t"),
                 layout="one path").diagnosis.names == ("half_missing",)  # fmt: skip


def test_paths_that_it_makes_and_the_mean_over_the_batch():
    holds(check(making))
    holds(check(lambda f, h, g, x0, ts, rng: making(f, h, g, x0, ts, rng).mean()))
    holds(check(lambda f, h, g, x0, ts, rng: making(f, h, g, x0, ts, rng).sum(), reduction="sum"))
    wrong = check(lambda f, h, g, x0, ts, rng: making(f, h, g, x0, ts, rng).sum())
    assert wrong.diagnosis.names == ("sum_over_batch",)
    twice = check(lambda f, h, g, x0, ts, rng: making(f, h, g, x0, ts, rng).mean() / len(x0))
    assert twice.diagnosis.names == ("mean_over_batch",)

    def all_at_once(f, h, g, x0, ts, rng, axis=0):
        n, d = x0.shape
        shape = (len(ts) - 1, n, d) if axis == 0 else (n, len(ts) - 1, d)
        z = np.moveaxis(rng.standard_normal(shape), axis, 0)

        class Served:
            def __init__(self):
                self.at = iter(z)

            def standard_normal(self, _):
                return next(self.at)

        return making(f, h, g, x0, ts, Served())

    holds(check(all_at_once, options={"axis": 0}))
    holds(check(all_at_once, options={"axis": 1}))

    def handed(f, h, g, x0, ts, dW):
        x, total = x0, 0.0
        for k, dt in enumerate(np.diff(ts)):
            u = (f(x, ts[k]) - h(x, ts[k])) / g(ts[k])
            total = total + 0.5 * np.sum(u**2, axis=1) * dt + np.sum(u * dW[k], axis=1)
            x = x + f(x, ts[k]) * dt + g(ts[k]) * dW[k]
        return total

    holds(check(handed, **RATIO))
    holds(check(handed))


def test_the_stochastic_integral_is_free_in_the_mean_and_not_in_a_weight():
    evidence = holds(check(weighing, noise="diagonal"))
    assert any("adds the stochastic integral" in n for n in evidence.notes)
    holds(check(weighing, noise="diagonal", **RATIO))

    def part(f, h, g, x0, ts, rng):
        x, total = x0, 0.0
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            dw = np.sqrt(s - t) * rng.standard_normal(x.shape)
            u = (f(t, x) - h(t, x)) / g(t)
            total = total + 0.5 * np.sum(u**2, axis=1) * (s - t) - 0.7 * np.sum(u * dw, axis=1)
            x = x + f(t, x) * (s - t) + g(t) * dw
        return total

    evidence = holds(check(part))
    assert "it adds -0.7 times the stochastic integral" in " ".join(evidence.notes)
    assert check(part, **RATIO).verdict == "refuted"
    assert check(making, **RATIO).diagnosis.names == ("ito_left_out",)


def test_paths_of_q():
    def under_q(f, h, g, x0, ts, rng):
        x, total = x0, 0.0
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            dw = np.sqrt(s - t) * rng.standard_normal(x.shape)
            u = (f(t, x) - h(t, x)) / g(t)
            total = total + np.sum(u * dw, axis=1) - 0.5 * np.sum(u**2, axis=1) * (s - t)
            x = x + h(t, x) * (s - t) + g(t) * dw
        return total

    holds(check(under_q, simulated="Q", **RATIO))
    other = check(under_q, **RATIO)
    assert other.diagnosis.names == ("reversed_along_the_other",)
    assert 'pass simulated="Q", if that is meant' in other.explain()
    of_p = check(lambda *a: weighing(*a)[1], given=SIMULATED, simulated="Q", **RATIO)
    assert 'pass simulated="P", if that is meant' in of_p.explain()
    with pytest.raises(ArgumentError, match='simulated must be "P" for the divergence'):
        check(under_q, simulated="Q")


def test_ratios_of_densities_without_a_time_and_with_constant_noise():
    def densities(drift_p, drift_q, sigma, path, dt):
        def log_density(b):
            off = path[1:] - path[:-1] - b(path[:-1]) * dt
            return -np.sum(off**2 / (2 * sigma**2 * dt) + np.log(sigma), axis=(0, 2))

        return log_density(drift_p) - log_density(drift_q)

    assert holds(check(densities, noise="number", **RATIO)).cost == {"calls": 12}
    holds(check(densities, noise="number", dtype="float32", **RATIO))
    swapped = check(
        densities, given=("drift1", "drift0", "diffusion", "x", "dt"), noise="number", **RATIO
    )
    assert swapped.diagnosis.names == ("whole_sign",)

    def log_girsanov(X, b_1, b_2, Cov, step):
        inverse, total = np.linalg.inv(Cov), 0.0
        for k in range(X.shape[1] - 1):
            a, b = b_1(X[:, k]), b_2(X[:, k])
            moved = X[:, k + 1] - X[:, k] - (a + b) / 2 * step
            total = total + np.einsum("ni,ij,nj->n", a - b, inverse, moved)
        return total

    given = ("x", "drift0", "drift1", "cov", "dt")
    holds(check(log_girsanov, given=given, noise="matrix", layout="batch first", **RATIO))


def test_states_that_are_numbers():
    def log_girsanov(X, b_1, b_2, sigma, step):
        a, b = b_1(X[:, :-1]), b_2(X[:, :-1])
        apart = (a - b) * (np.diff(X, axis=1) - (a + b) / 2 * step)
        return np.sum(apart, axis=1) / sigma**2

    given = ("x", "drift0", "drift1", "diffusion", "dt")
    more = {"shape": (), "noise": "number", "layout": "batch first", "given": given} | RATIO
    evidence = holds(check(log_girsanov, **more))
    assert "do not change with time" in evidence.coverage.describe()
    wrong = check(lambda *a: log_girsanov(*a) / 2, **more)
    assert wrong.verdict == "refuted"

    for turned in (False, True):

        def one(f, h, sigma, x0, n_steps, T, rng, turned=turned):
            dt, x, total = T / n_steps, x0, 0.0
            for k in range(n_steps):
                at = (k * dt, x) if turned else (x, k * dt)
                u = (f(*at) - h(*at)) / sigma(k * dt)
                total = total + 0.5 * u * u * dt
                x = x + f(*at) * dt + sigma(k * dt) * rng.normal() * dt**0.5
            return total

        evidence = holds(check(one, shape=(), layout="one path"))
        assert evidence.cost == {"calls": 43} and "change" not in evidence.coverage.describe()

    def many(f, h, sigma, x0, ts, rng, log_p0, log_q0, terminal_cost):
        x, total = x0, log_p0(x0) - log_q0(x0)
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            u = (f(x, t) - h(x, t)) / sigma(t)
            total = total + 0.5 * u * u * (s - t)
            x = x + f(x, t) * (s - t) + sigma(t) * rng.normal(size=x.shape) * np.sqrt(s - t)
        return total + terminal_cost(x)

    holds(check(many, shape=()))
    with pytest.raises(CallableError, match="two that may be it, \\(4,\\) and \\(4,\\)"):
        check(lambda f, h, g, x, t: (x[-1], x[0]), shape=())


def test_full_noise_and_both_orders_of_arguments():
    def full(a, b, g, x, t):
        total = 0.0
        for k in range(len(t) - 1):
            apart = a(x=x[k], t=t[k]) - b(t[k], x[k])
            u = np.linalg.solve(g(x[k], t[k]), apart[..., None])[..., 0]
            total = total + 0.5 * np.sum(u**2, axis=1) * (t[k + 1] - t[k])
        return total

    holds(check(full, noise="full"))
    holds(check(full, noise="full", dtype="float32"))


GIVEN = ("control", "drift1", "diffusion", "terminal", "x0", "steps", "t1", "rng")


@pytest.mark.parametrize("way", ["noise", "drift"])
def test_controls_with_a_terminal_cost(way):
    def loss(control, drift, sigma, terminal_cost, x0, n_steps, T, rng):
        x, total, dt = x0, 0.0, T / n_steps
        for k in range(n_steps):
            t = k * dt
            u = control(x, t)
            moved = sigma(t) * u if way == "noise" else u
            total = total + 0.5 * np.sum((moved / sigma(t)) ** 2, axis=1) * dt
            noise = np.sqrt(dt) * rng.standard_normal(x.shape)
            x = x + (drift(x, t) + moved) * dt + sigma(t) * noise
        return total + terminal_cost(x)

    holds(check(loss, control=way))
    other = check(loss, control={"noise": "drift", "drift": "noise"}[way])
    assert other.diagnosis.names == ("control_enters_otherwise",)
    assert f'pass control="{way}", if that is meant' in other.explain()
    both = check(lambda *a: 1.3 * loss(*a), given=GIVEN, control=way)
    assert "1.3 times" in both.explain() and both.verdict == "refuted"


def test_a_control_of_pure_noise():
    def pis(u, sigma, x0, ts, rng):
        x, total = x0, 0.0
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            total = total + 0.5 * np.sum(u(x, t) ** 2, axis=1) * (s - t)
            noise = np.sqrt(s - t) * rng.standard_normal(x.shape)
            x = x + sigma(t) * u(x, t) * (s - t) + sigma(t) * noise
        return total

    holds(check(pis))


def test_laws_at_the_start():
    def elbo(f, h, g, mean0, std0, mean1, std1, ts, batch_size, rng):
        z = mean0 + std0 * rng.standard_normal((batch_size, 3))
        r = (std0 / std1) ** 2
        start = 0.5 * np.sum(r + ((mean0 - mean1) / std1) ** 2 - 1 - np.log(r))
        return making(f, h, g, z, ts, rng) + start

    holds(check(elbo))

    def weight(f, h, g, xs, ts, log_p0, log_q0):
        total = log_p0(xs[0]) - log_q0(xs[0])
        for k in range(len(ts) - 1):
            dt, x = ts[k + 1] - ts[k], xs[k]
            u = (f(x, ts[k]) - h(x, ts[k])) / g(ts[k])
            dw = (xs[k + 1] - x - f(x, ts[k]) * dt) / g(ts[k])
            total = total + np.sum(u * dw, axis=1) + 0.5 * np.sum(u**2, axis=1) * dt
        return total

    holds(check(weight, **RATIO))


def test_the_score_bound():
    def bound(score, model, g, x_t, t, kl_T):
        apart = np.sum((score(x_t, t) - model(x_t, t)) ** 2, axis=-1).mean(1)
        return 0.5 * np.trapezoid(g(t) ** 2 * apart, t) + kl_T

    evidence = holds(check(bound))
    assert "by the trapezoidal rule" in evidence.notes[0]
    with pytest.raises(ArgumentError, match="hand over drifts for log dP/dQ"):
        check(bound, **RATIO)


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (lambda f, a, b: f(*b), "the right end of each step"),
        (lambda f, a, b: (f(*a) + f(*b)) / 2, "the trapezoidal rule"),
        (lambda f, a, b: f(*((v + w) / 2 for v, w in zip(a, b, strict=True))), "the middle"),
    ],
)
def test_other_rules_for_the_integral_over_time(rule, words):
    def kl(f, h, g, xs, ts):
        def rate(x, t):
            return 0.5 * np.sum(((f(x, t) - h(x, t)) / g(t)) ** 2, axis=1)

        places = list(zip(xs, ts, strict=True))
        pairs = zip(places[:-1], places[1:], strict=True)
        return sum(rule(rate, a, b) * (b[1] - a[1]) for a, b in pairs)

    assert words in holds(check(kl)).notes[0]


def heun(f, h, g, x0, ts, rng, factor=1.0):
    def rate(t, x):
        return 0.5 * np.sum(((f(t, x) - h(t, x)) / g(t)) ** 2, axis=1)

    x, total = x0, 0.0
    for t, s in zip(ts[:-1], ts[1:], strict=True):
        dw = np.sqrt(s - t) * rng.standard_normal(x.shape)
        guess = x + f(t, x) * (s - t) + g(t) * dw
        new = x + (f(t, x) + f(s, guess)) / 2 * (s - t) + (g(t) + g(s)) / 2 * dw
        total = total + factor * (rate(t, x) + rate(s, new)) / 2 * (s - t)
        x = new
    return total


def test_another_scheme_by_its_limit():
    evidence = holds(check(heun))
    assert evidence.kind == "convergent" and 1.7 < evidence.order < 2.3
    assert evidence.cost == {"calls": 57} and evidence.resolution < 1e-3
    assert "affine drifts, 8 to 64 steps" in evidence.coverage.describe()
    wrong = check(heun, options={"factor": 1.01})
    assert wrong.verdict == "refuted" and "in the limit of small steps: " in wrong.sentence
    assert check(heun, options={"factor": 1.01}, tolerance=0.05)
    single = check(
        lambda f, h, g, x0, ts, rng: heun(f, h, g, x0[None], ts, One(rng))[0],
        layout="one path",
        shape=2,
    )
    holds(single)
    open_ = check(heun, **RATIO)
    assert open_.verdict == "refuted" or "return the paths as well" in open_.sentence


class One:
    """Noise of one path."""

    def __init__(self, rng):
        self.rng = rng

    def standard_normal(self, shape):
        return self.rng.standard_normal(shape[1:])[None]


def test_simpsons_rule_along_smooth_paths():
    integrate = pytest.importorskip("scipy.integrate")

    def kl(f, h, g, xs, ts):
        u = (f(xs, ts) - h(xs, ts)) / g(ts)[:, None, None]
        return integrate.simpson(0.5 * np.sum(u**2, axis=-1), x=ts, axis=0)

    evidence = holds(check(kl))
    assert evidence.kind == "convergent" and evidence.order > 3
    assert check(lambda f, h, g, xs, ts: 1.001 * kl(f, h, g, xs, ts)).verdict == "refuted"


def test_what_is_left_open():
    def globally(f, h, g, x0, ts, dt=None, rng=None):
        return making(f, h, g, x0, ts, np.random)

    given = ("drift0", "drift1", "diffusion", "x0", "t")
    with pytest.raises(ArgumentError, match="let it take x \\(the path\\) and t, or x0, t and rng"):
        check(globally, given=given)
    evidence = check(globally)
    assert "draws from NumPy's global generator, which cannot be replaced" in evidence.sentence

    def shared(f, h, g, x0, ts, rng):
        z = rng.standard_normal((len(ts) - 1, 3))
        return making(f, h, g, x0, ts, Same(z))

    assert "no path can be told what it gets" in check(shared).sentence
    lost = check(shared, **RATIO)
    assert "return the paths as well, or take x" in lost.sentence

    def clipped(f, h, g, x0, ts, rng):
        def bounded(t, x):
            return f(t, np.clip(x, -1, 1))

        return heun(bounded, h, g, x0, ts, rng)

    evidence = check(clipped)
    assert "is no quadratic function of its noise" in evidence.sentence

    def uniform(f, h, g, x0, ts, rng):
        return making(f, h, g, x0, ts, Uniform(rng))

    assert "normal numbers a path in 8 steps" in check(uniform).sentence


class Same:
    def __init__(self, z):
        self.at = iter(z)

    def standard_normal(self, shape):
        return np.broadcast_to(next(self.at), shape)


class Uniform:
    def __init__(self, rng):
        self.rng = rng

    def standard_normal(self, shape):
        return np.sqrt(12) * (self.rng.random(shape) - 0.5)


@pytest.mark.parametrize(
    ("function", "more", "message"),
    [
        (3, {}, "path_kl must be a function of two drifts"),
        (lambda x, t: 0, {}, "two scores, a control or an sde"),
        (lambda drift0, drift1, g, x: 0, {}, "told the times of the steps"),
        (lambda drift0, drift1, g, t, rng: 0, {}, "let it take x \\(the path\\) and t"),
        (lambda drift0, drift1, g, t, mean0, std0, rng: 0, {}, "let it take batch_size, or x0"),
        (lambda drift0, drift1, g, x, t, wild: 0, {}, "wild among .*options=.'wild'"),
        (along, {"given": ("x", "speed")}, "given must be the arguments in order"),
        (along, {"noise": "pink"}, "noise must be one of"),
        (along, {"layout": "flat"}, "layout must be one of"),
        (along, {"shape": 0}, "shape must be an integer >= 1"),
        (along, {"quantity": "weight"}, "quantity must be one of kl, log_ratio"),
        (along, {"simulated": "R"}, "simulated must be one of P, Q"),
        (along, {"control": "u"}, "control must be one of noise, drift"),
        (along, {"reduction": "max"}, "reduction must be one of none, mean, sum"),
        (along, {"given": ("drift0", "drift1", "diffusion", "x")}, "told the times of the steps"),
        (along, {"shape": 1, "noise": "full"}, "shape must be >= 2"),
        (along, {"framework": "mxnet"}, "framework must be one of"),
        (along, {"options": ["n"]}, "options must be a dictionary"),
        (along, {"given": 3}, "given must be the arguments in order"),
        (along, {"tolerance": 2}, "tolerance must be in"),
    ],
    ids=lambda v: v if isinstance(v, str) else None,
)
def test_arguments(function, more, message):
    with pytest.raises(ArgumentError, match=message):
        check(function, **more)


@pytest.mark.parametrize(
    ("function", "more", "message"),
    [
        (lambda drift0, drift1, g, x, t: None, {}, "return one number a path"),
        (along, {"reduction": "sum"}, "return one number for the batch.*pass reduction=.none"),
        (
            lambda f, h, g, x, t: along(f, h, g, x, t).mean(),
            {"reduction": "none"},
            "return one number a path, as.*pass reduction=.mean. or .sum",
        ),
        (lambda drift0, drift1, g, x, t: np.zeros((2, 2)), {}, r"it returned \(2, 2\)"),
        (lambda drift0, drift1, g, x, t: np.full(x.shape[1], np.nan), {}, "are nan or inf"),
        (lambda drift0, drift1, g, x, t: 1 / 0, {}, "ZeroDivisionError"),
        (lambda drift0, drift1, g, x, t: drift0(t[0], 1.0), {}, "call drift0 with x and t"),
        (lambda drift0, drift1, g, x, t: g(t[0]), {"noise": "full"}, "with t alone"),
    ],
    ids=lambda v: v if isinstance(v, str) else None,
)
def test_what_cannot_be_judged(function, more, message):
    with pytest.raises(CallableError, match=message):
        check(function, **more)


def test_torch():
    torch = pytest.importorskip("torch")

    def kl(f, h, g, y0, ts):
        y, total = y0, 0.0
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            u = (f(t, y) - h(t, y)) / g(t, y)
            total = total + 0.5 * (u**2).sum(dim=1) * (s - t)
            y = y + f(t, y) * (s - t) + g(t, y) * torch.sqrt(s - t) * torch.randn_like(y)
        return total

    assert holds(check(kl, framework="torch", noise="diagonal")).resolution < 1e-9
    assert holds(check(kl, framework="torch", noise="diagonal", dtype="float32")).resolution < 0.01

    def generated(f, h, g, y0, ts, generator):
        z = torch.randn((len(ts) - 1, *y0.shape), generator=generator)
        y, total = y0, 0.0
        for k in range(len(ts) - 1):
            t, dt = ts[k], ts[k + 1] - ts[k]
            total = total + 0.5 * (((f(t, y) - h(t, y)) / g(t)) ** 2).sum(1) * dt
            y = y + f(t, y) * dt + g(t) * dt**0.5 * z[k]
        return total

    holds(check(generated, framework="torch"))


@pytest.mark.parametrize("method", ["euler", "srk"])
def test_torchsde(method):
    torchsde = pytest.importorskip("torchsde")

    def kl(sde, y0, ts):
        width = float(ts[1] - ts[0])
        return torchsde.sdeint(sde, y0, ts, method=method, dt=width, logqp=True)

    holds(check(kl, framework="torch", noise="diagonal"))


def test_jax():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy

    def kl(f, h, g, x0, ts, key):
        def step(state, k):
            x, total = state
            t, dt = ts[k], ts[k + 1] - ts[k]
            u = (f(t, x) - h(t, x)) / g(t, x)
            z = jax.random.normal(jax.random.fold_in(key, k), x.shape)
            new = x + f(t, x) * dt + g(t, x) * jnp.sqrt(dt) * z
            return (new, total + 0.5 * jnp.sum(u**2, axis=1) * dt), None

        start = (x0, jnp.zeros(len(x0)))
        return jax.lax.scan(step, start, jnp.arange(len(ts) - 1))[0][1]

    holds(check(kl, framework="jax", noise="diagonal"))

    def weight(f, h, g, x0, ts, key):
        total, x = jnp.zeros(len(x0)), x0
        z = jax.random.normal(key, (len(ts) - 1, *x0.shape))
        for k in range(len(ts) - 1):
            t, dt = ts[k], ts[k + 1] - ts[k]
            u, dw = (f(t, x) - h(t, x)) / g(t, x), jnp.sqrt(dt) * z[k]
            total = total + jnp.sum(u * dw, axis=1) + 0.5 * jnp.sum(u**2, axis=1) * dt
            x = x + f(t, x) * dt + g(t, x) * dw
        return total

    holds(check(weight, framework="jax", noise="diagonal", **RATIO))

    def twice(f, h, g, x0, ts, key):
        return 2 * kl(f, h, g, x0, ts, key)

    assert check(twice, framework="jax", noise="diagonal").diagnosis.names == ("half_missing",)


def _frozen(drift0, drift1, diffusion, x, t, at=lambda x, k: x[0]):
    """The noise of the start, or of another path, at every step."""
    v = 0.0
    for k in range(len(t) - 1):
        u = (drift0(x[k], t[k]) - drift1(x[k], t[k])) / diffusion(at(x, k), t[k])
        v = v + 0.5 * (u**2).sum(-1) * (t[k + 1] - t[k])
    return v


@pytest.mark.parametrize(
    "at",
    [lambda x, k: x[0], lambda x, k: 0 * x[k], lambda x, k: x[k][::-1]],
    ids=["start", "origin", "another path"],
)
def test_noise_at_another_place_along_known_paths_is_refuted(at):
    assert check(_frozen, noise="diagonal", options={"at": lambda x, k: x[k]})
    assert check(_frozen, noise="diagonal", options={"at": at}).verdict == "refuted"


def _smoothed(drift0, drift1, diffusion, x, t, h=0.5):
    v = 0.0
    for k in range(len(t) - 1):
        parts = [drift0(x[k] + s * h, t[k]) - drift1(x[k] + s * h, t[k]) for s in (1, -1)]
        v = v + 0.5 * ((sum(parts) / 2 / diffusion(t[k])) ** 2).sum(-1) * (t[k + 1] - t[k])
    return v


def test_drifts_that_are_smoothed_along_known_paths_are_refuted():
    assert check(_smoothed, options={"h": 0.0})
    assert check(_smoothed).verdict == "refuted"


def test_each_path_has_its_own_number():
    assert check(along)
    assert check(lambda f, h, g, x, t: along(f, h, g, x, t)[::-1]).verdict == "refuted"
    assert check(lambda f, h, g, x, t: along(f, h, g, x, t).mean(), reduction="mean")


def test_arguments_are_given_by_any_of_their_names():
    assert check(lambda *a: along(*a), given=("f", "h", "g", "xs", "ts"))
    turned = {"given": ("h", "f", "g", "y0", "ts", "rng"), "quantity": "log_ratio"}
    assert check(lambda h, f, *rest: weighing(f, h, *rest), **turned)
    assert check(weighing, **turned).verdict == "refuted"


def test_the_library_is_found_out():
    torch = pytest.importorskip("torch")

    def kl(f, h, g, x, t):
        u = torch.stack([(f(y, s) - h(y, s)) / g(s) for y, s in zip(x[:-1], t[:-1], strict=True)])
        return 0.5 * (u.pow(2).sum(-1) * t.diff()[:, None]).sum(0)

    assert check(kl)


def _rate(f, h, g, x, t):
    return 0.5 * np.sum(((f(x, t) - h(x, t)) / g(x, t)) ** 2, axis=1)


def stepped(f, h, g, x, times, rng):
    """Euler's scheme at these times."""
    total = 0.0
    for t, s in zip(times[:-1], times[1:], strict=True):
        total = total + _rate(f, h, g, x, t) * (s - t)
        x = x + f(x, t) * (s - t) + g(x, t) * np.sqrt(s - t) * rng.standard_normal(x.shape)
    return total


def milstein(f, h, g, x0, ts, rng, noise_at=None, drift_at=lambda f, x, x0, t: f(x, t)):
    """``noise_at``: where g is taken, ``drift_at``: how drifts are."""

    def drift(of):
        return lambda x, t: drift_at(of, x, x0, t)

    def spread(x, t):
        return g(x if noise_at is None else noise_at(x, x0), t)

    f, h, x, total, e = drift(f), drift(h), x0, 0.0, 1e-4
    for t, s in zip(ts[:-1], ts[1:], strict=True):
        dw = np.sqrt(s - t) * rng.standard_normal(x.shape)
        here = spread(x, t)
        slope = (spread(x + e, t) - spread(x - e, t)) / (2 * e)
        new = x + f(x, t) * (s - t) + here * dw + here * slope * (dw**2 - (s - t)) / 2
        total = total + (_rate(f, h, spread, x, t) + _rate(f, h, spread, new, s)) / 2 * (s - t)
        x = new
    return total


def linearised(f, x, x0, t):
    e = 1e-5
    return f(x0, t) + (f(x0 + e * (x - x0), t) - f(x0 - e * (x - x0), t)) / (2 * e)


def test_another_scheme_is_looked_at_where_drifts_bend():
    evidence = holds(check(milstein, noise="diagonal"))
    assert evidence.kind == "convergent" and evidence.resolution < 1e-3
    bends = "2 of drifts that bend and noise that follows x, where there is next to no noise"
    assert bends in evidence.coverage.describe()
    assert "2 of drifts that bend, where" in holds(check(heun)).coverage.describe()
    holds(check(milstein, noise="diagonal", dtype="float32"))


@pytest.mark.parametrize(
    ("options", "name", "words"),
    [
        (
            {"noise_at": lambda x, x0: x0},
            "noise_of_the_first_place",
            "g is taken at the first place x_0 throughout: take g\\(x_k, t_k\\)",
        ),
        (
            {"drift_at": linearised},
            "drifts_linearised_at_the_start",
            "drifts are linearised at the first place x_0: take a\\(x_k, t_k\\) and b",
        ),
        (
            {"noise_at": lambda x, x0: x0, "drift_at": linearised},
            "all_of_the_first_place",
            "linearised, and g is taken, at the first place x_0: take all at x_k",
        ),
        ({"noise_at": lambda x, x0: 0 * x}, None, "No known fault"),
    ],
    ids=["noise", "drifts", "both", "origin"],
)
def test_what_affine_drifts_cannot_tell_is_refuted_where_they_bend(options, name, words):
    evidence = check(milstein, noise="diagonal", options=options)
    assert evidence.verdict == "refuted", evidence.explain()
    assert evidence.diagnosis.names == ((name,) if name else ())
    text = evidence.explain()
    assert re.search(words, text), text
    assert "it is right where drifts are affine and noise does not follow x" in text


def test_what_bends_is_said_not_to_be_looked_at_where_it_cannot_be():
    def fussy(f, h, g, x0, ts, rng):
        value = milstein(f, h, g, x0, ts, rng)
        return value * np.where(np.max(g(x0, ts[0])) < 1e-4, np.nan, 1.0)

    evidence = holds(check(fussy, noise="diagonal"))
    text = evidence.coverage.describe()
    assert "drifts that are not affine, and noise that follows x, were not looked at" in text


@pytest.mark.parametrize("dt", [0.05, 0.01, 0.004, 0.03])
def test_steps_of_a_width_of_its_own_get_finer_in_slower_sdes(dt):
    def own(f, h, g, x0, ts, rng, factor=1.0):
        times = [ts[0]]
        while times[-1] < ts[-1] - 1e-9:
            times.append(min(times[-1] + dt, ts[-1]))
        return factor * stepped(f, h, g, x0, times, rng)

    evidence = holds(check(own, noise="diagonal"))
    text = evidence.coverage.describe()
    assert "steps of a width of its own, about 0.0" in text and "in slower SDEs" in text
    wrong = check(own, noise="diagonal", options={"factor": 1.004})
    assert wrong.verdict == "refuted" and wrong.diagnosis.names == ()
    assert "it is 1.004 times what is due, whatever drifts and noise are" in wrong.explain()


@pytest.mark.parametrize("width", [0.03, 0.1])
def test_steps_within_steps(width):
    def finer(f, h, g, x0, ts, rng):
        times = [ts[0]]
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            n = max(1, int(np.ceil((s - t) / width - 1e-9)))
            times += list(t + (s - t) * np.arange(1, n + 1) / n)
        return stepped(f, h, g, x0, times, rng)

    holds(check(finer, noise="diagonal"))


def test_a_number_of_steps_of_its_own_is_left_open():
    def hundred(f, h, g, x0, ts, rng):
        return stepped(f, h, g, x0, np.linspace(ts[0], ts[-1], 101), rng)

    evidence = check(hundred, noise="diagonal")
    assert evidence.verdict == "undecided"
    assert "let them be those of t, of dt or of n_steps" in evidence.sentence


@pytest.mark.parametrize("scheme", [stepped, milstein], ids=["euler", "milstein"])
def test_the_start_by_the_ratio_of_its_densities(scheme):
    def elbo(f, h, g, mean0, std0, mean1, std1, ts, batch_size, rng, sign=1):
        z = mean0 + std0 * rng.standard_normal((batch_size, 3))
        p, q = (-(((z - m) / s) ** 2) / 2 - np.log(s) for m, s in ((mean0, std0), (mean1, std1)))
        return scheme(f, h, g, z, ts, rng) + sign * np.sum(p - q, axis=1)

    evidence = holds(check(elbo, noise="diagonal"))
    if scheme is stepped:
        assert "log p0 - log q0 of each start, whose mean is KL(p0‖q0)" in evidence.notes[0]
    wrong = check(elbo, noise="diagonal", options={"sign": -1})
    assert wrong.diagnosis.names == ("initial_subtracted",)


def test_factors_near_one_are_no_cause_and_numbers_that_are_added_are():
    barely = check(lambda *a: 1.0004 * along(*a), given=("f", "h", "g", "xs", "ts"))
    assert barely.verdict == "refuted" and barely.diagnosis.names == ()
    assert "it is 1.0004 times what is due" in barely.explain()
    ratio = check(lambda *a: 1.0004 * weighing(*a)[1], given=SIMULATED, noise="diagonal", **RATIO)
    assert ratio.verdict == "refuted" and ratio.diagnosis.names == ()
    for function in (along, heun):
        given = ("f", "h", "g", "xs", "ts") if function is along else SIMULATED
        more = check(lambda *a, f=function: f(*a) + 0.25, given=given)
        assert more.diagnosis.names == ("offset",), more.explain()
        assert "0.25 is added to every value, whatever drifts and noise are" in more.explain()
        less = check(lambda *a, f=function: f(*a) - 0.25, given=given)
        assert "0.25 is taken from every value" in less.explain()


@pytest.mark.parametrize("kind", ["same", "cross", "qv", "isometry"])
def test_products_of_numbers_are_no_quadratic(kind):
    """Two are right and two are wrong by T/2: none is told from its mean along the axes."""

    def kl(f, h, g, x0, ts, rng):
        x, total, ito, more, before = x0, 0.0, 0.0, 0.0, None
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            z = rng.standard_normal(x.shape)
            u, dw = (f(x, t) - h(x, t)) / g(t), np.sqrt(s - t) * z
            total, ito = total + 0.5 * np.sum(u**2, 1) * (s - t), ito + np.sum(u * dw, 1)
            if kind == "same":
                more = more + 0.5 * z[:, 0] ** 2 * z[:, 1] ** 2 * (s - t)
            if kind == "cross" and before is not None:
                more = more + 0.5 * z[:, 0] ** 2 * before[:, 0] ** 2 * (s - t)
            if kind == "qv":
                more = more + 0.5 * np.sum(u * dw, 1) ** 2
            before, x = z, x + f(x, t) * (s - t) + g(t) * dw
        return {"qv": more, "isometry": ito**2 / 2}.get(kind, total + more)

    evidence = check(kl)
    assert evidence.verdict == "undecided"
    assert "is no quadratic function of its noise" in evidence.sentence


@pytest.mark.parametrize(
    ("variance", "words"),
    [
        (lambda g, t, s: (g(t) ** 2 + g(s) ** 2) / 2, "mean of g² at both ends"),
        (lambda g, t, s: g((t + s) / 2) ** 2, "g² in the middle"),
        (lambda g, t, s: (g(t) ** 2 + 4 * g((t + s) / 2) ** 2 + g(s) ** 2) / 6, "Simpson's rule"),
    ],
    ids=["trapezoid", "middle", "simpson"],
)
def test_the_variance_of_a_step_by_another_rule(variance, words):
    def kl(f, h, g, xs, ts, factor=1.0):
        total = 0.0
        for x, t, s in zip(xs[:-1], ts[:-1], ts[1:], strict=True):
            apart = np.sum((f(x, t) - h(x, t)) ** 2, axis=1)
            total = total + factor * 0.5 * apart * (s - t) / variance(g, t, s)
        return total

    assert words in holds(check(kl)).notes[0]
    assert check(kl, options={"factor": 1.001}).verdict == "refuted"


def test_a_state_of_more_axes_is_to_be_flattened():
    with pytest.raises(ArgumentError, match="flatten: pass shape=48"):
        check(along, shape=(3, 4, 4))
