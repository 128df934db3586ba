"""Every known mistake about a flow's log-likelihood, put to what looks for causes."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.frameworks import guarded
from scoreproof.numerics.adjoint import Grid
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.log_likelihood_gradient import outputs
from scoreproof.public.log_likelihood_gradient.entries import every_entry
from scoreproof.public.log_likelihood_gradient.flows import Wanted, another_flow
from scoreproof.public.log_likelihood_gradient.latent import Normal
from scoreproof.public.log_likelihood_gradient.linearization import path_of, prepare_black_box
from scoreproof.public.log_likelihood_gradient.noises import another_noise
from scoreproof.public.log_likelihood_gradient.parts import Multiples
from scoreproof.public.log_likelihood_gradient.parts import said as said_of
from scoreproof.public.log_likelihood_gradient.stepping import (
    Value,
    _same_value,
    _the_nearest,
    few_steps,
)
from scoreproof.public.log_likelihood_gradient.values import value_cause

RNG = np.random.default_rng(0)
PARAMS = np.array([0.5, 0.3, -0.2, 0.4, 0.1, 0.7])
X, NU = RNG.standard_normal((3, 2)), RNG.standard_normal((3, 2))
GRID = Grid(2, 6)


def field(z, params, s):
    """Two coordinates that mix, and a time that matters."""
    a, b = z[:, 0], z[:, 1]
    first = params[0] * a + params[1] * b * (1 + np.sin(s)) + 0.2 * params[4] * a * b
    second = params[2] * a + params[3] * b + params[5] * np.sin(s) * b + 0.2 * params[4] * a * a
    return np.stack([first, second], axis=1)


def reference(f):
    flow = BlackBoxField(guarded(f, "field", "numpy"), PARAMS, np.eye(6)[:, :1], "numpy", X)
    return flow, prepare_black_box(flow, path_of(flow, X, GRID))


def gradient(f, nu=NU):
    """Row by row, ``(n, P)``."""
    return every_entry(*reference(f), Normal(), nu[None], np.eye(len(X)))[0]


DUE = gradient(field)


def wanted(found):
    limit = np.full(DUE.shape, 1e-8)
    return Wanted(found, DUE, limit, (np.eye(len(X)), None), NU[None], X, Normal(), GRID)


@pytest.mark.parametrize(
    ("said", "f"),
    [
        ("dz/ds = -f, and its clock is not", lambda z, p, s: -field(z, p, s)),
        ("always asked at s = 1", lambda z, p, s: field(z, p, 1.0)),
        ("asked at 1000 s where s is due", lambda z, p, s: field(z, p, 1000 * s)),
        ("asked at s + 0.05 where s is due", lambda z, p, s: field(z, p, s + 0.05)),
        ("the flow is that of c f where f is due, c = 1.5", lambda z, p, s: 1.5 * field(z, p, s)),
        (
            "run over [0, T] where [0, 1] is due, T = 1.1",
            lambda z, p, s: 1.1 * field(z, p, 1.1 * s),
        ),
        ("asked at c s where s is due, c = 1.25", lambda z, p, s: field(z, p, 1.25 * s)),
    ],
)
def test_another_flow_is_named(said, f):
    found = another_flow(reference(field)[0], wanted(gradient(f)))
    assert found is not None and said in found.sentence, found


def unit(nu):
    return nu / np.linalg.norm(nu, axis=1, keepdims=True)


@pytest.mark.parametrize(
    ("said", "of"),
    [
        ("brought to length √D", lambda nu: np.sqrt(2) * unit(nu)),
        ("the signs of ν stand for ν", np.sign),
        ("a vector of ones stands for ν", np.ones_like),
        ("the ν of the last row", lambda nu: nu[-1:] + 0 * nu),
        ("the rows of ν come in the opposite order", lambda nu: nu[::-1].copy()),
        ("the coordinates of ν come in the opposite order", lambda nu: nu[:, ::-1].copy()),
        ("ν (n, D) is read as (D, n)", lambda nu: nu.reshape(2, 3).T.copy()),
        ("by the norm of the whole batch", lambda nu: nu / np.linalg.norm(nu)),
        ("|ν_k| stands for ν_k", np.abs),
    ],
)
def test_another_noise_is_named(said, of):
    flow, prepared = reference(field)
    found = another_noise(flow, wanted(gradient(field, of(NU))), prepared)
    assert found is not None and said in found.sentence, found


def test_a_trapezoid_sum_over_few_steps_is_named():
    """Of dz/ds = (p0 + p5 s³) z + p1 the trace is p0 + p5 s³ for each coordinate."""

    def f(z, params, s):
        return (params[0] + params[5] * s**3) * z + params[1]

    flow, prepared = reference(f)
    due = every_entry(flow, prepared, Normal(), NU[None], np.eye(3))[0]
    s = np.linspace(0, 1, 9)
    by_sums = np.sum((s[1:] ** 3 + s[:-1] ** 3) / 2 / 8)
    found = due.copy()
    found[:, 5] += (1 / 4 - by_sums) * np.sum(NU**2, axis=1)
    limit = np.full(due.shape, 1e-7)
    asked = Wanted(found, due, limit, (np.eye(3), None), NU[None], X, Normal(), GRID)
    cause = few_steps(flow, asked, np.random.default_rng(0))
    assert cause is not None and "by the trapezoid rule over 8 steps" in cause.sentence, cause


@pytest.mark.parametrize(
    ("said", "multiples"),
    [
        ("the prior's part has the wrong sign", (-1, 1, 1)),
        ("log p_Z(z(0)) is counted twice", (2, 1, 1)),
        ("∂_θ(νᵀJν) is left out of the integral over the parameters", (1, 1, 0)),
    ],
)
def test_multiples_of_the_parts_are_named(said, multiples):
    found = said_of(Multiples(np.array(multiples, float), np.full(3, 1e-6)), {"n": 3, "D": 2})
    assert found is not None and said in found.sentence, found


def test_what_is_done_to_a_right_gradient_is_named():
    limit = np.full(DUE.shape, 1e-9)
    decayed = outputs.decayed(DUE - 0.1 * np.sign(PARAMS), DUE, limit, PARAMS)
    assert decayed is not None and "-1/10 times the signs of the parameters" in decayed.sentence
    blocks = [(len(d) * d, d, limit[: len(d)]) for d in (DUE, DUE[:1])]
    times = outputs.divided_by_rows(blocks, [3, 1])
    assert times is not None and "the gradient is n times what is due" in times.sentence


PRIOR, INTEGRAL = np.array([-3.1, -4.5, -2.2]), np.array([0.4, -0.7, 1.9])
LOG_2_PI = np.log(2 * np.pi)


@pytest.mark.parametrize(
    ("said", "value"),
    [
        ("the log-determinant is missing", PRIOR),
        ("the trace is averaged over the D coordinates", PRIOR - INTEGRAL / 3),
        ("the prior is missing", -INTEGRAL),
        ("it is the loss -log p̂", INTEGRAL - PRIOR),
        ("it is p̂, not its logarithm", np.exp(PRIOR - INTEGRAL)),
        (": (1/2) log 2π is left out", PRIOR - INTEGRAL + LOG_2_PI / 2),
        ("the normaliser of one dimension", PRIOR - INTEGRAL + LOG_2_PI),
        ("D log 2π is left out twice", PRIOR - INTEGRAL + 3 * LOG_2_PI),
        ("(D/2) log 2π is subtracted twice", PRIOR - INTEGRAL - 1.5 * LOG_2_PI),
        ("what is due plus 0.25 = 1/4, everywhere", PRIOR - INTEGRAL + 0.25),
    ],
)
def test_a_wrong_log_likelihood_is_named(said, value):
    others = {"latent_at_x": PRIOR - 1, "last_nu_missing": PRIOR + 1}
    found = value_cause(value, PRIOR, INTEGRAL, others, np.full(3, 1e-9), 3)
    assert found is not None and said in found.sentence, found


def test_arguments_of_no_or_another_size_are_refused():
    with pytest.raises(ArgumentError, match="pass at least one parameter and one row"):
        sp.check_log_likelihood_gradient(field, [], X, lambda x, p, nu: DUE)
    with pytest.raises(ArgumentError, match=r"returns shape \(3, 6\) or \(6,\)"):
        sp.check_log_likelihood_gradient(field, PARAMS, X, lambda x, p, nu: DUE[:, :1])


def linear(z, params, s):
    return params[0] * z + params[1]


def due(x, params, nu):
    """Of z(0) = e^-p0 (x + p1/p0) - p1/p0."""
    p0, p1 = params
    z0 = np.exp(-p0) * (x + p1 / p0) - p1 / p0
    d0 = -np.exp(-p0) * (x + p1 / p0) + (1 - np.exp(-p0)) * p1 / p0**2
    d1 = (np.exp(-p0) - 1) / p0
    return np.column_stack([(-z0 * d0 - nu**2)[:, 0], (-z0 * d1)[:, 0]])


def jumping(x, params, nu, tol):
    """A solver whose error falls in jumps, each in another direction."""
    size, k = {1e-4: (0.1, 0), 1e-6: (3e-4, 1), 1e-8: (8e-5, 0)}[tol]
    return due(x, params, nu) + size * np.eye(2)[k]


def rough(z, params, s):
    return linear(z, params, s) + 1e-6 * np.sin(100 * z)


@pytest.mark.parametrize(
    ("said", "f", "of"),
    [
        ("the error still falls, to 0.00018; pass smaller tolerances", linear, jumping),
        ("disagree with its derivative by 6.5e-05: the field is not smooth", rough, due),
    ],
)
def test_what_is_not_known_well_enough_is_undecided(said, f, of):
    evidence = sp.check_log_likelihood_gradient(f, [0.5, 0.3], X[:, :1], of)
    assert evidence.verdict == "undecided" and said in evidence.explain(), evidence.explain()


def test_a_field_that_reverse_mode_cannot_follow_is_refused():
    torch = pytest.importorskip("torch")

    class Forward(torch.autograd.Function):
        @staticmethod
        def forward(p):
            return p * 1.0

        @staticmethod
        def setup_context(ctx, inputs, output):
            pass

        @staticmethod
        def jvp(ctx, tangent):
            return tangent * 1.0

    with pytest.raises(CallableError, match="in params by torch, in reverse mode"):
        sp.check_log_likelihood_gradient(
            lambda z, p, s: linear(z, Forward.apply(p), s),
            [0.5, 0.3],
            X[:, :1],
            lambda x, p, nu: due(x.numpy(), p.numpy(), nu.numpy()),
            framework="torch",
        )


def test_a_solver_is_claimed_only_where_it_is_clearly_the_nearest_and_log_p_agrees():
    one, other = (1e-6, "RK4", 4, 12), (1e-4, "RK4 (3/8 rule)", 4, 13)
    assert _the_nearest([other, one]).names == ("few_steps",)
    assert not _the_nearest([(3e-6, *other[1:]), one]).names and _the_nearest([]) is None
    due = np.array([-1.0, -2.0])
    here = due + [0.01, -0.02]
    limit = np.full(2, 1e-5)
    for found in (due, here, here + 3.0):  # right; off as the method is; and by a constant
        assert _same_value(Value(found, due, limit), here)
    assert not _same_value(Value(due + [0.01, 0.02], due, limit), here)
