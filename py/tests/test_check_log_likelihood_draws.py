"""`check_log_likelihood`: what is drawn, what is made of x first, and what options may be."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError
from scoreproof.interop.draws import Draw
from scoreproof.objects.schedules import VPLinear
from scoreproof.public.log_likelihood.probes import Design

check = sp.check_log_likelihood


def flow(velocity, div, x, n_steps=16):
    h, total = 1 / n_steps, 0.0
    for k in range(n_steps):
        t = 1 - (k + 0.5) * h
        half = x - h / 2 * velocity(x, t + h / 2)
        x, total = x - h * velocity(half, t), total - h * div(half, t)
    return -(x**2).sum(1) / 2 - x.shape[1] / 2 * np.log(2 * np.pi) + total


def by(draw, scale=1.0):
    """Hutchinson's estimate by differences, of the ν that ``draw`` makes of a generator."""

    def log_p(velocity, x, rng, n_steps=8):
        nu = draw(rng, x)

        def div(y, t):
            change = velocity(y + 1e-4 * nu, t) - velocity(y - 1e-4 * nu, t)
            return scale * (change * nu).sum(1) / 2e-4

        return flow(velocity, div, x, n_steps)

    return log_p


RIGHT = {
    "uniform": lambda r, x: r.uniform(-(3**0.5), 3**0.5, x.shape),
    "centred": lambda r, x: 12**0.5 * (r.random(x.shape) - 0.5),
    "halves": lambda r, x: np.where(r.random(x.shape) < 0.5, -1.0, 1.0),
    "sphere": lambda r, x: (lambda z: 3**0.5 * z / np.linalg.norm(z, axis=1, keepdims=True))(
        r.standard_normal(x.shape)
    ),
    "columns": lambda r, x: r.standard_normal((*x.shape, 2))[:, :, 1],
    "each": lambda r, x: r.standard_normal((len(x), 2, x.shape[1]))[:, 0],
    "before": lambda r, x: r.standard_normal((2, *x.shape))[1],
}


@pytest.mark.parametrize("name", RIGHT)
def test_right_probes_hold(name):
    evidence = check(by(RIGHT[name]))
    assert evidence, evidence.explain()


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_probes_of_another_variance_are_refuted(factor):
    wrong = by(lambda r, x: factor * r.uniform(-(3**0.5), 3**0.5, x.shape))
    assert check(wrong).diagnosis.names == ("trace_times",)


BENT = {
    "clipped": lambda r, x: np.clip(r.standard_normal(x.shape), -1, 1),
    "cubed": lambda r, x: r.standard_normal(x.shape) ** 3,
    "rounded": lambda r, x: np.round(r.standard_normal(x.shape)),
    "biased": lambda r, x: np.where(r.random(x.shape) < 0.3, -1.0, 1.0),
    "above": lambda r, x: 2.0 * (r.standard_normal(x.shape) > 0.5) - 1,
    "box_muller": lambda r, x: (
        np.sqrt(-2 * np.log(r.random(x.shape))) * np.cos(2 * np.pi * r.random(x.shape))
    ),
}


@pytest.mark.parametrize("name", BENT)
def test_what_is_bent_of_draws_is_undecided(name):
    evidence = check(by(BENT[name]))
    assert evidence.verdict == "undecided"
    assert "neither in proportion to them nor of their signs alone" in evidence.explain()


LEFT = {
    "choice": (lambda r, x: r.choice([-1.0, 1.0], size=x.shape, p=[0.3, 0.7]), "no signs stand"),
    "one_hot": (lambda r, x: 3**0.5 * np.eye(3)[r.integers(0, 3, len(x))], "no signs stand for"),
    "exponential": (lambda r, x: r.exponential(size=x.shape), "is not one ν a row"),
    "halved": (
        lambda r, x: np.concatenate([z := r.standard_normal((len(x) // 2 + 1, 3)), -z])[: len(x)],
        "is not one ν a row",
    ),
    "global": (lambda r, x: np.random.randn(*x.shape), "it draws from a global generator"),
    "own": (
        lambda r, x: np.random.default_rng(0).standard_normal(x.shape),
        "it makes a generator of its own",
    ),
}


@pytest.mark.parametrize("name", LEFT)
def test_what_no_signs_stand_for_is_undecided(name):
    draw, why = LEFT[name]
    evidence = check(by(draw))
    assert evidence.verdict == "undecided"
    assert why in evidence.explain()


def test_two_draws_that_meet_are_refuted():
    def log_p(velocity, x, rng, n_steps=8):
        one, two = rng.standard_normal(x.shape), rng.standard_normal(x.shape)

        def div(y, t):
            return ((velocity(y + 1e-4 * one, t) - velocity(y - 1e-4 * one, t)) * two).sum(1) / 2e-4

        return flow(velocity, div, x, n_steps)

    evidence = check(log_p)  # they are independent: the mean of their product is 0
    assert evidence.verdict == "refuted", evidence.explain()
    assert evidence.diagnosis.names == ("trace_mean_zero",)


def test_draws_that_take_nothing_but_signs():
    def draw(rng, x):
        z = rng.standard_normal(x.shape)
        if np.max(np.abs(z)) > 3:
            raise ValueError("too far")
        return z

    assert "it does not take other numbers than signs" in check(by(draw)).explain()


def test_laying_out():
    design = Design(4, 3)

    def laid(*shape):
        return design.served(Draw(0, shape, "normal", "", "float64", False))

    np.testing.assert_array_equal(laid(4, 2, 3)[:, 1], design.nu())
    np.testing.assert_array_equal(laid(4, 3, 2)[:, :, 1], design.nu())
    assert not design.odd
    assert laid(4, 3, 3).min() == 1.0  # which axis is that of a ν?
    assert len(design.odd) == 1
    assert laid(3, 4).shape == (3, 4)
    assert len(design.odd) == 2


TURN = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
SHEAR = np.array([[1, 0.5, 0], [0, 2, 0], [0, 0, 1.0]])
MADE = {
    "turned": (lambda x: x @ TURN.T, lambda x: 0.0),
    "whitened": (lambda x: x @ SHEAR.T, lambda x: np.log(2)),
    "asinh": (np.arcsinh, lambda x: -0.5 * np.log(1 + x**2).sum(1)),
    "flipped": (lambda x: x[:, ::-1], lambda x: 0.0),
}


@pytest.mark.parametrize("name", MADE)
def test_what_is_made_of_x_first(name):
    made, log_det = MADE[name]

    def log_p(velocity, div, x, n_steps):
        return flow(velocity, div, made(x), n_steps) + log_det(x)

    evidence = check(log_p)
    assert evidence, evidence.explain()
    assert "x is no scaling of what it was" in evidence.explain()
    off = check(lambda velocity, div, x, n_steps: log_p(velocity, div, x, n_steps) + 0.01)
    assert off.verdict == "refuted"


def test_what_is_left_out_of_a_map_of_x():
    def log_p(velocity, div, x, n_steps):
        return flow(velocity, div, np.arcsinh(x), n_steps)

    assert check(log_p).diagnosis.names == ("scaler_missing",)


def test_what_jumps_is_no_change_of_variables():
    def log_p(velocity, div, x, n_steps):
        return flow(velocity, div, np.round(x, 1), n_steps)

    assert "no smooth function of x" in check(log_p).explain()


def test_differences_before_the_first_call():
    def log_p(velocity, x, n_steps=8):
        h, total = 1 / n_steps, 0.0
        for k in range(n_steps):
            t = 1 - (k + 0.5) * h

            def step(y, t=t):
                return y - h * velocity(y - h / 2 * velocity(y, t + h / 2), t)

            columns = [(step(x + 1e-5 * e) - step(x - 1e-5 * e)) / 2e-5 for e in np.eye(3)]
            total = total + np.linalg.slogdet(np.stack(columns, axis=2))[1]
            x = step(x)
        return -(x**2).sum(1) / 2 - 1.5 * np.log(2 * np.pi) + total

    evidence = check(log_p)
    assert evidence, evidence.explain()


def test_eps_may_be_a_probe_or_a_time():
    def log_p(velocity, x, eps, n_steps):
        return by(lambda r, x: eps)(velocity, x, None, n_steps)

    with pytest.raises(ArgumentError, match=r"given must be said where an argument is named eps"):
        check(log_p)
    assert check(log_p, given=("velocity", "x", "nu", "n_steps"))


@pytest.mark.parametrize("name", ["eps_model", "noise_pred_net"])
def test_the_name_of_a_model_says_what_it_returns(name):
    process = VPLinear(0.1, 5.0)
    made = {}
    source = f"""
def log_p({name}, div, x, n_steps=32):
    def velocity(x, t):
        return rate(t) * x + g(t) ** 2 / 2 * {name}(x, t) / sigma(t)
    def trace(x, t):
        return rate(t) * x.shape[1] + g(t) ** 2 / 2 * div(x, t) / sigma(t)
    total, h = 0.0, (1 - 1e-3) / n_steps
    for k in range(n_steps):
        t = 1e-3 + (k + 0.5) * h
        y = x + h / 2 * velocity(x, t - h / 2)
        x, total = x + h * velocity(y, t), total + h * trace(y, t)
    return -(x**2).sum(1) / 2 - x.shape[1] / 2 * log2pi + total
"""
    names = {
        "rate": process.rate,
        "g": process.diffusion,
        "sigma": process.sigma,
        "log2pi": np.log(2 * np.pi),
    }
    exec(source, names, made)
    assert check(made["log_p"], process, t_min=1e-3).verdict != "refuted"
    assert check(made["log_p"], process, t_min=1e-3, prediction="score").verdict == "refuted"


def test_a_score_that_nothing_says_is_noted():
    def log_p(net, x):
        return net(x, 0.5).sum(1)

    assert "taken to return the score" in check(log_p, VPLinear(0.1, 5.0)).explain()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"options": "n_steps"}, "options must be a mapping"),
        ({"options": ["a"]}, "options must be a mapping"),
        ({"given": 3}, "given must be the names of the arguments, in order"),
        ({"t_max": 0.0}, "t_max must be > 0"),
        ({"t_min": 0.3}, "t_min must be left away for a flow"),
        ({"levels": -3}, "levels must be left away in nats"),
        ({"units": "bits_per_dim"}, "data_range must be said with units='bits_per_dim'"),
        ({"prediction": "x0", "t_min": 2.0, "t_max": 1.0}, "t_max must be > t_min"),
        ({"options": {"nope": 1}}, None),
    ],
    ids=str,
)
def test_options_are_heeded_or_refused(more, said):
    if said is None:
        with pytest.raises(sp.errors.CallableError, match="drop from options="):
            check(flow, **more)
        return
    with pytest.raises(ArgumentError, match=said):
        check(flow, **more)


def test_the_library_is_read_off_the_code():
    torch = pytest.importorskip("torch")

    def log_p(velocity, x, n_steps):
        nu, h, total = torch.randn_like(x), 1 / n_steps, 0.0
        for k in range(n_steps):
            t = 1 - (k + 0.5) * h
            y = x - h / 2 * velocity(x, t + h / 2)
            value, change = torch.func.jvp(lambda y, t=t: velocity(y, t), (y,), (nu,))
            x, total = x - h * value, total - h * (nu * change).sum(1)
        return -(x**2).sum(1) / 2 - x.shape[1] / 2 * np.log(2 * np.pi) + total

    evidence = check(log_p, options={"n_steps": 4}, tolerance=0.3)
    assert evidence.verdict == "holds", evidence.explain()


def test_a_column_added_to_a_row():
    def log_p(velocity, div, x):
        return flow(velocity, div, x) + np.zeros((len(x), 1))

    with pytest.raises(sp.errors.CallableError, match=r"squeeze\(-1\) it first"):
        check(log_p)


def sketched(draw, fault=""):
    """Hutch++: the trace on a sketch of J, and Hutchinson's estimate of the rest."""

    def log_p(velocity, x, rng, n_steps=16):
        def jacobian(y, t, v):
            near, far = velocity(y + 1e-4 * v, t), velocity(y - 1e-4 * v, t)
            return (near - far) / 2e-4

        def div(y, t):
            s, g = draw(rng, y), draw(rng, y)
            q = jacobian(y, t, s)
            q = q / np.linalg.norm(q, axis=1, keepdims=True)
            rest = g if fault == "not deflated" else g - q * (q * g).sum(1, keepdims=True)
            other = 0.0 if fault == "no rest" else (rest * jacobian(y, t, rest)).sum(1)
            return (q * jacobian(y, t, q)).sum(1) + other

        return flow(velocity, div, x, n_steps)

    return log_p


NORMAL, SIGNS = RIGHT["each"], lambda r, x: r.choice([-1.0, 1.0], size=x.shape)


@pytest.mark.parametrize("draw", [NORMAL, SIGNS], ids=["normal", "signs"])
def test_a_sketch_and_its_probes_are_averaged_one_given_the_other(draw):
    evidence = check(sketched(draw), shape=3)
    assert evidence, evidence.explain()


@pytest.mark.parametrize("fault", ["not deflated", "no rest"])
def test_a_sketch_that_is_wrong_is_refuted(fault):
    assert check(sketched(SIGNS, fault), shape=3).verdict == "refuted"


def test_two_draws_in_one_product_have_the_mean_0():
    def log_p(velocity, x, rng, n_steps=8):
        a, b = rng.standard_normal(x.shape), rng.standard_normal(x.shape)

        def div(y, t):
            return (a * (velocity(y + 1e-4 * b, t) - velocity(y - 1e-4 * b, t))).sum(1) / 2e-4

        return flow(velocity, div, x, n_steps)

    evidence = check(log_p, shape=3)
    assert evidence.verdict == "refuted", evidence.explain()
    assert "its product with another ν" in evidence.diagnosis.sentence
