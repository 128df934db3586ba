"""check_log_likelihood_gradient on the truth, on every fault, on solvers, types and bad input."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.claims.ffjord import CLAIM
from scoreproof.claims.ffjord.faults import FAULTS, TRUTH, compose
from scoreproof.claims.ffjord.solver import path_of, prepare
from scoreproof.claims.ffjord.solver import solve as solve_subject
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.numerics.adjoint import Grid
from scoreproof.objects.fields import TanhNetwork
from scoreproof.public.log_likelihood_gradient.latent import Normal

NET = TanhNetwork(3, (5,))
RNG = np.random.default_rng(1)
THETA, X = NET.initial(RNG, 1.2), RNG.standard_normal((2, 3))
PREPARED: dict[bytes, object] = {}


def field(z, params, s):
    return NET(z, params, s)


def prepared(x):
    if x.tobytes() not in PREPARED:
        PREPARED[x.tobytes()] = prepare(NET, THETA, path_of(NET, THETA, x, Grid(4, 6)))
    return PREPARED[x.tobytes()]


def user(subject, summed=False):
    """A user's gradient and log-likelihood that carry the subject's fault; a fresh ν is really
    drawn anew.
    """
    rng = np.random.default_rng(5)

    def solution(x, nu):
        return solve_subject(subject, Normal(), prepared(x), nu, rng.standard_normal(nu.shape))

    def gradient(x, params, nu):
        b = solution(x, nu).b
        return b.sum(axis=0) if summed else b

    return {"gradient": gradient, "log_likelihood": lambda x, params, nu: solution(x, nu).value}


@pytest.mark.parametrize("summed", [False, True])
def test_truth_holds_at_a_fixed_nu_and_in_expectation(summed):
    for in_expectation in (False, True):
        evidence = sp.check_log_likelihood_gradient(
            field, THETA, X, **user(TRUTH, summed), in_expectation=in_expectation
        )
        assert evidence, evidence.explain()
        assert evidence.value < 1e-11


@pytest.mark.parametrize("fault", FAULTS, ids=lambda f: f.name)
def test_every_fault_is_refuted_and_named(fault):
    evidence = sp.check_log_likelihood_gradient(field, THETA, X, **user(fault.subject))
    assert evidence.verdict == "refuted", evidence.explain()
    assert fault.name in evidence.diagnosis.names, evidence.explain()
    assert fault.name in evidence.explain()
    # ν^T J ν enters log p̂ through ℓ̂(0) alone: its two signs are one class
    signs_of_ell = {"ell_sign", "ell_added"}
    assert set(evidence.diagnosis.names) == (
        signs_of_ell if fault.name in signs_of_ell else {fault.name}
    )


def test_nine_pairs_of_ten_are_named():
    pairs = [
        p
        for p in itertools.combinations([f.name for f in FAULTS if f.name != "fresh_nu"], 2)
        if compose(p) is not None
    ]
    picked = [pairs[i] for i in np.random.default_rng(0).choice(len(pairs), 10, replace=False)]
    # one of the gradient's and one of log p̂ alone, which only pairs explain
    picked[8:] = [("ell_doubled", "jacobian_transposed"), ("last_nu_missing", "a_jacobian_sign")]
    named = 0
    for pair in picked:
        evidence = sp.check_log_likelihood_gradient(field, THETA, X, **user(compose(pair)))
        named += any(set(name.split(" + ")) == set(pair) for name in evidence.diagnosis.names)
    assert named >= 9, named


def test_unbiased_faults_pass_in_expectation_only():
    subject = CLAIM.fault("trace_in_adjoint").subject
    assert sp.check_log_likelihood_gradient(
        field, THETA, X, user(subject)["gradient"], in_expectation=True
    )
    assert not sp.check_log_likelihood_gradient(field, THETA, X, user(subject)["gradient"])


def test_a_gradient_that_draws_its_own_nu_is_tested_by_its_mean():
    fresh = CLAIM.fault("fresh_nu").subject
    evidence = sp.check_log_likelihood_gradient(
        field, THETA, X, user(fresh)["gradient"], in_expectation=True
    )
    # the mean is right, but the least favourable of 43 parameters is too noisy to say so
    assert evidence.kind == "statistical" and evidence.verdict == "undecided"
    assert "let the gradient take the ν" in evidence.explain()


def test_signs_and_means_of_the_loss_are_named():
    gradient = user(TRUTH, summed=True)["gradient"]
    negated = sp.check_log_likelihood_gradient(
        field, THETA, X, lambda x, p, nu: -gradient(x, p, nu)
    )
    assert negated.diagnosis.names == ("gradient_of_the_loss",)
    mean = sp.check_log_likelihood_gradient(
        field, THETA, X, lambda x, p, nu: gradient(x, p, nu) / len(x)
    )
    assert mean.diagnosis.names == ("mean_over_the_batch",)
    loss = sp.check_log_likelihood_gradient(
        field, THETA, X, lambda x, p, nu: -gradient(x, p, nu) / len(x)
    )
    assert loss.diagnosis.names == ("gradient_of_the_mean_loss",)


def adaptive(sign=1.0, ignore_tol=False):
    """A user's adjoint with SciPy's adaptive solver."""
    from scipy.integrate import solve_ivp

    def gradient(x, params, nu, tol):
        tol, rows, d = 1e-7 if ignore_tol else tol, [], x.shape[1]
        for point, v in zip(x, nu, strict=True):
            z0 = solve_ivp(lambda s, z: NET(z, params, s), (1, 0), point, rtol=tol, atol=tol).y[
                :, -1
            ]

            def rhs(s, y, v=v):
                local, a = NET.linearize(y[:d], params, s), y[d : 2 * d]
                return np.concatenate(
                    [
                        NET(y[:d], params, s),
                        -local.vjp(a) - sign * local.quad_z(v, v),
                        -local.vjp_theta(a) - local.quad_theta(v, v),
                    ]
                )

            start = np.concatenate([z0, -z0, np.zeros(params.size)])
            rows.append(solve_ivp(rhs, (0, 1), start, rtol=tol, atol=tol).y[2 * d :, -1])
        return np.array(rows)

    return gradient


def test_the_limit_of_an_adaptive_solver_is_judged():
    right = sp.check_log_likelihood_gradient(field, THETA, X[:1], adaptive())
    assert right, right.explain()
    assert right.kind == "convergent"
    errors = right.curves["error"][1]
    assert errors[0] > 100 * errors[-1]
    wrong = sp.check_log_likelihood_gradient(field, THETA, X[:1], adaptive(-1.0))
    assert wrong.diagnosis.names == ("a_trace_sign",)
    # an error of 1e-4 in one term is far below what one loose tolerance would show
    assert (
        sp.check_log_likelihood_gradient(field, THETA, X[:1], adaptive(1.0001)).verdict == "refuted"
    )
    assert (
        sp.check_log_likelihood_gradient(field, THETA, X[:1], adaptive(ignore_tol=True)).verdict
        == "undecided"
    )


def test_a_relu_field_is_undecided_and_says_why():
    def relu(z, params, s):
        return params[0] * np.maximum(z, 0) + params[1]

    evidence = sp.check_log_likelihood_gradient(
        relu, [0.8, 1.0], [[0.4]], lambda x, p, nu: np.zeros((1, 2))
    )
    assert evidence.verdict == "undecided"
    assert "jump" in evidence.explain()


def test_a_flow_that_explodes_is_undecided():
    evidence = sp.check_log_likelihood_gradient(
        lambda z, p, s: -p[0] * z**3, [2.0], [[1.5]], lambda x, p, nu: np.zeros((1, 1))
    )
    assert evidence.verdict == "undecided"
    assert "does not exist" in evidence.explain()


def test_a_float32_field_gets_a_float32_bound():
    def single(z, params, s):
        out = field(z, params, s)
        return out.astype(np.complex64 if np.iscomplexobj(out) else np.float32)

    gradient = user(TRUTH)["gradient"]
    evidence = sp.check_log_likelihood_gradient(
        single, THETA, X, lambda x, p, nu: gradient(x, p, nu).astype(np.float32)
    )
    assert evidence, evidence.explain()
    assert evidence.bound > 2e-5


def test_a_field_that_takes_no_complex_numbers_is_differenced():
    def stubborn(z, params, s):
        return field(np.asarray(z, dtype=float), np.asarray(params, dtype=float), s)

    evidence = sp.check_log_likelihood_gradient(
        lambda z, p, s: stubborn(z.real, p.real, s), THETA, X, **user(TRUTH)
    )
    assert evidence, evidence.explain()


def test_calls_of_the_gradient_are_as_documented():
    evidence = sp.check_log_likelihood_gradient(field, THETA, X, user(TRUTH)["gradient"])
    assert evidence.cost["gradient_calls"] == 1 + 1 + 2
    evidence = sp.check_log_likelihood_gradient(
        field, THETA, X, user(TRUTH)["gradient"], in_expectation=True
    )
    assert evidence.cost["gradient_calls"] == 3 + 1
    evidence = sp.check_log_likelihood_gradient(
        field, THETA, X[:1], adaptive(), tolerances=(1e-4, 1e-6)
    )
    assert evidence.cost["gradient_calls"] == 2 + 1 + 1


def test_another_latent_law_is_used():
    def log_latent(z):
        return -np.log(np.cosh(z)).sum(axis=1)

    subject = user(TRUTH)["gradient"]
    assert (
        sp.check_log_likelihood_gradient(field, THETA, X, subject, log_latent=log_latent).verdict
        == "refuted"
    )
    assert sp.check_log_likelihood_gradient(
        field, THETA, X, subject, log_latent=lambda z: -(z * z).sum(axis=1) / 2
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"params": [[1.0]]}, r"params must be of shape \(n,\)"),
        ({"x": [1.0, 2.0]}, r"x must be of shape \(n, d\)"),
        ({"x": [[np.nan, 1.0, 2.0]]}, "x must be finite"),
        ({"nu": [[1.0]]}, r"nu must be of shape \(2, 3\)"),
        ({"tolerances": (1e-8, 1e-4)}, "tolerances must be two or more numbers"),
        ({"accuracy": 0.0}, r"accuracy must be in \(0, 1\)"),
        ({"framework": "mxnet"}, "framework must be one of numpy, torch, jax"),
        ({"gradient": 3}, "gradient must be callable"),
    ],
)
def test_bad_arguments_are_named(change, message):
    arguments = {
        "field": field,
        "params": THETA,
        "x": X,
        "gradient": user(TRUTH)["gradient"],
    } | change
    with pytest.raises(ArgumentError, match=message):
        sp.check_log_likelihood_gradient(**arguments)


def _raises(z, params, s):
    raise RuntimeError("out of cheese")


def _writes(z, params, s):
    z += 1
    return z


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (_raises, "field must return normally.*out of cheese"),
        (_writes, "field must leave its input unchanged"),
        (lambda z, p, s: z * np.nan, "field must return an array of finite numbers"),
        (lambda z, p, s: np.ones(7), "field must return an array of shape"),
        (lambda z, p, s: z + np.random.default_rng().random(), "field must be deterministic"),
    ],
)
def test_a_bad_field_is_named(bad, message):
    with pytest.raises(CallableError, match=message):
        sp.check_log_likelihood_gradient(bad, THETA, X, user(TRUTH)["gradient"])


@pytest.mark.parametrize(
    "bad", [lambda x, p, nu: np.full((2, THETA.size), np.nan), lambda x, p, nu: np.ones(3)]
)
def test_a_bad_gradient_is_named(bad):
    with pytest.raises(CallableError, match="gradient must return"):
        sp.check_log_likelihood_gradient(field, THETA, X, bad)


@pytest.mark.parametrize(
    ("wrong", "verdict"), [(8e-4, "refuted"), (0.0, "holds"), (3e-6, "undecided")]
)
def test_the_limit_over_tol_is_extrapolated_where_the_rate_is_regular(wrong, verdict):
    exact, power = user(TRUTH)["gradient"], 0.5 if wrong != 3e-6 else 0.25

    def gradient(x, params, nu, tol):
        return exact(x, params, nu) * (1 + wrong + tol**power / (1 if wrong else 2))

    evidence = sp.check_log_likelihood_gradient(field, THETA, X, gradient)
    assert evidence.verdict == verdict, evidence.explain()


@pytest.mark.parametrize("power", [0.125, 0.5])
def test_an_irregular_approach_to_another_limit_never_holds(power):
    exact = user(TRUTH)["gradient"]

    def gradient(x, params, nu, tol):
        right = exact(x, params, nu)
        return right * (
            1.0008
            + tol**power
            * np.sign(np.random.default_rng(int(-np.log10(tol))).standard_normal(right.shape))
        )

    assert sp.check_log_likelihood_gradient(field, THETA, X, gradient).verdict != "holds"


def test_a_gradient_too_noisy_to_judge_is_undecided():
    exact, rng = user(TRUTH)["gradient"], np.random.default_rng(0)
    evidence = sp.check_log_likelihood_gradient(
        field,
        THETA,
        X,
        lambda x, p, nu: exact(x, p, nu) + 1e9 * rng.standard_normal((len(x), THETA.size)),
        in_expectation=True,
        draws=100,
    )
    assert evidence.verdict == "undecided" and "more draws" in evidence.explain()


def test_a_small_entry_is_not_hidden_by_the_large_ones():
    """The gradient with respect to p1 is about 1e-7 of that to p0."""

    def small(z, params, s):
        return params[0] * z + 1e-7 * params[1]

    def gradient(x, params, nu):  # with q = 1e-7 p1: z(0) = e^-p (x + q/p) - q/p, the trace is p
        p, q = params[0], 1e-7 * params[1]
        z0 = np.exp(-p) * (x + q / p) - q / p
        in_p, in_q = -np.exp(-p) * (x + q / p) + (1 - np.exp(-p)) * q / p**2, (np.exp(-p) - 1) / p
        return np.column_stack([(-z0 * in_p - nu**2).sum(axis=1), 1e-7 * (-z0 * in_q).sum(axis=1)])

    arguments = (small, [0.5, 0.3], [[1.0], [0.2]])
    assert sp.check_log_likelihood_gradient(*arguments, gradient)
    wrong = sp.check_log_likelihood_gradient(*arguments, lambda *a: gradient(*a) * [1, 0])
    assert wrong.verdict == "undecided" and "params[1]" in wrong.explain()
    assert (
        sp.check_log_likelihood_gradient(
            *arguments, lambda *a: gradient(*a) * [1, 0], accuracy=1e-9
        ).verdict
        == "refuted"
    )


# -- frameworks ---------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_torch(dtype):
    torch = pytest.importorskip("torch")

    def flow(z, params, s):
        return torch.tanh(z @ params[:4].reshape(2, 2) + s * params[4:6]) @ params[6:].reshape(2, 2)

    def gradient(x, params, nu):
        params, steps = params.clone().requires_grad_(True), 5
        z, trace, h = x, 0.0, 1 / steps

        def rates(z, s):
            f, jnu = torch.func.jvp(lambda y: flow(y, params, s), (z,), (nu,))
            return f, (nu * jnu).sum(1)

        for k in range(steps):
            s = 1 - k * h
            k1, q1 = rates(z, s)
            k2, q2 = rates(z - h / 2 * k1, s - h / 2)
            k3, q3 = rates(z - h / 2 * k2, s - h / 2)
            k4, q4 = rates(z - h * k3, s - h)
            z = z - h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            trace = trace + h / 6 * (q1 + 2 * q2 + 2 * q3 + q4)
        return torch.autograd.grad((-(z * z).sum(1) / 2 - trace).sum(), params)[0]

    params, x = (
        0.6 * np.random.default_rng(3).standard_normal(10),
        np.random.default_rng(4).standard_normal((2, 2)),
    )
    right = sp.check_log_likelihood_gradient(
        flow, params, x, gradient, framework="torch", dtype=dtype, accuracy=1e-4
    )
    assert right, right.explain()
    wrong = sp.check_log_likelihood_gradient(
        flow, params, x, lambda *a: -gradient(*a), framework="torch", dtype=dtype
    )
    assert wrong.diagnosis.names == ("gradient_of_the_loss",), wrong.explain()


def test_jax():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy

    def flow(z, params, s):
        return params[0] * z + params[1]

    def gradient(x, params, nu):  # z(0) = e^-p (x + q/p) - q/p, the trace is p
        p, q = params
        z0 = jnp.exp(-p) * (x + q / p) - q / p
        in_p, in_q = (
            -jnp.exp(-p) * (x + q / p) + (1 - jnp.exp(-p)) * q / p**2,
            (jnp.exp(-p) - 1) / p,
        )
        return jnp.column_stack([(-z0 * in_p - nu**2).sum(axis=1), (-z0 * in_q).sum(axis=1)])

    right = sp.check_log_likelihood_gradient(
        flow, [0.5, 0.3], [[1.0], [0.2]], gradient, framework="jax"
    )
    assert right, right.explain()
    wrong = sp.check_log_likelihood_gradient(
        flow, [0.5, 0.3], [[1.0], [0.2]], lambda *a: -gradient(*a), framework="jax"
    )
    assert wrong.verdict == "refuted"


def test_an_error_that_still_falls_in_jumps_is_undecided_and_one_that_stalls_is_refuted():
    from scoreproof.public.log_likelihood_gradient.series import judged_limit as _verdict

    truth, tols = np.array([1.0, 2.0]), (1e-4, 1e-6, 1e-8)
    falling = [
        truth + 1.1e-3,
        truth + 9.0e-6 * np.array([1.0, -1.0]),
        truth + 2.5e-6 * np.array([1.0, 1.0]),
    ]
    assert _verdict(falling, truth, tols, 1e-12, 1e-5, "x", 3).verdict != "refuted"
    stalled = _verdict(
        [truth + 1e-3, truth + 1.001e-3, truth + 1.001e-3], truth, tols, 1e-12, 1e-5, "x", 3
    )
    assert stalled.verdict == "refuted"


# -- every parameter by itself ------------------------------------------------------------------

LARGE = TanhNetwork(2, (8,))
LARGE_THETA = LARGE.initial(np.random.default_rng(7), 1.0)
LARGE_X = np.random.default_rng(8).standard_normal((3, 2))


def large(x, params, nu):
    ready = prepare(LARGE, params, path_of(LARGE, params, x, Grid(4, 6)))
    return solve_subject(TRUTH, Normal(), ready, nu, nu).b


def judged(gradient, **options):
    return sp.check_log_likelihood_gradient(
        lambda z, p, s: LARGE(z, p, s), LARGE_THETA, LARGE_X, gradient, **options
    )


def changed(factor, summed):
    def gradient(x, params, nu):
        b = large(x, params, nu) * factor
        return b.sum(axis=0) if summed else b

    return gradient


def factors():
    p = LARGE_THETA.size
    size = np.max(np.abs(large(LARGE_X, LARGE_THETA, np.ones_like(LARGE_X))), axis=0)
    small = int(np.argsort(size)[1])
    index = np.arange(p)
    return {
        "the smallest but one is 0": 1.0 * (index != small),
        "the smallest but one is 10 % too large": 1 + 0.1 * (index == small),
        "one is detached": 1.0 * (index != 5),
        "the first layer is 0": 1.0 * (index >= 24),
        "the last bias has the other sign": 1 - 2.0 * (index >= p - 2),
        "all are 2 % too large": np.full(p, 1.02),
    }


@pytest.mark.parametrize("summed", [False, True])
@pytest.mark.parametrize("name", factors())
def test_an_entry_that_is_off_is_refuted_whatever_the_others(name, summed):
    evidence = judged(changed(factors()[name], summed))
    assert evidence.verdict == "refuted", evidence.explain()
    assert "params[" in evidence.explain()


@pytest.mark.parametrize("summed", [False, True])
def test_a_holds_names_its_parameters_and_what_it_would_have_seen(summed):
    evidence = judged(changed(1.0, summed))
    assert evidence and evidence.resolution <= 0.01
    assert evidence.coverage.looked_at["parameters"] == LARGE_THETA.size
    assert "would have been seen" in evidence.explain()
    assert "each parameter in its own size" in evidence.explain()


def test_an_entry_within_the_bound_and_off_in_its_own_size_does_not_hold():
    p = LARGE_THETA.size
    loose = judged(changed(1 + 0.03 * (np.arange(p) == 3), False), accuracy=0.5)
    assert loose.verdict == "undecided" and "params[3]" in loose.explain()


def test_tolerance_goes_before_accuracy():
    off = changed(1.03, False)
    assert judged(off).verdict == "refuted"
    assert judged(off, tolerance=0.1)
    assert judged(off, tolerance=0.01).verdict == "refuted"
    assert judged(off, tolerance=0.1).resolution == 0.1
    small = changed(1 + 0.5 * (np.arange(LARGE_THETA.size) == 3), False)
    assert judged(small, tolerance=0.1).verdict == "refuted"


BATCH = {
    "ν of another row": lambda x, p, nu: large(x, p, np.roll(nu, 1, axis=0)),
    "one ν for all rows": lambda x, p, nu: large(x, p, nu[:1] + 0 * nu),
    "rows in another order": lambda x, p, nu: large(x, p, nu)[::-1],
    "the mean at every row": lambda x, p, nu: large(x, p, nu).mean(axis=0) + 0 * large(x, p, nu),
    "wrong for one row": lambda x, p, nu: large(x, p, nu) * (1.02 if len(x) == 1 else 1),
    "wrong for many rows": lambda x, p, nu: large(x, p, nu) * (1.02 if len(x) > 1 else 1),
}


@pytest.mark.parametrize("name", BATCH)
def test_rows_are_not_mixed(name):
    assert judged(BATCH[name]).verdict == "refuted"


def test_more_parameters_than_are_asked_one_by_one():
    net = TanhNetwork(2, (110,))
    theta, x = net.initial(np.random.default_rng(0), 0.8), LARGE_X[:1]
    assert theta.size > 512

    def gradient(x, params, nu):
        ready = prepare(net, params, path_of(net, params, x, Grid(2, 6)))
        return solve_subject(TRUTH, Normal(), ready, nu, nu).b

    small = int(np.argsort(np.abs(gradient(x, theta, x))[0])[2])
    arguments = (lambda z, p, s: net(z, p, s), theta, x)
    right = sp.check_log_likelihood_gradient(*arguments, gradient)
    assert right, right.explain()
    wrong = sp.check_log_likelihood_gradient(
        *arguments, lambda *a: gradient(*a) * (np.arange(theta.size) != small)
    )
    assert wrong.verdict == "refuted", wrong.explain()


def scaled(z, params, s):
    return params[0] * z + 0 * params[1]


def of_scaled(x, params, nu, other=0.0):  # z(0) = e^-p x, the trace is p D
    z0 = np.exp(-params[0]) * x
    return np.column_stack([(z0 * z0 - nu**2).sum(axis=1), np.full(len(x), other)])


UNUSED = {
    "0 times it": scaled,
    "not named": lambda z, params, s: params[0] * z,
    "out of reach": lambda z, params, s: params[0] * z + params[1] * max(0.0, s - 2.0),
}


@pytest.mark.parametrize("name", UNUSED)
def test_a_parameter_that_the_field_does_not_use_is_left_out_as_stated(name):
    arguments = (UNUSED[name], [0.5, 0.3], [[1.0], [0.2]])
    evidence = sp.check_log_likelihood_gradient(*arguments, of_scaled)
    assert evidence, evidence.explain()
    assert evidence.coverage.looked_at["parameters"] == 1
    assert "params[1]" in evidence.explain() and "does not use" in evidence.explain()
    wrong = sp.check_log_likelihood_gradient(*arguments, lambda *a: of_scaled(*a, 1e-3))
    assert wrong.verdict == "refuted"
    # not 0, and too small to be refuted
    near = sp.check_log_likelihood_gradient(*arguments, lambda *a: of_scaled(*a, 1e-9))
    assert near.verdict == "undecided"


def test_a_parameter_used_without_influence_is_not_judged():
    def field(z, params, s):  # its two parts cancel but for rounding
        return params[0] * z + (params[1] * (z + 1) - params[1] * z - params[1])

    evidence = sp.check_log_likelihood_gradient(field, [0.5, 0.3], [[1.0], [0.2]], of_scaled)
    assert evidence.verdict == "undecided" and "params[1]" in evidence.explain()


def test_nothing_but_unused_parameters_is_nothing_to_judge():
    evidence = sp.check_log_likelihood_gradient(
        lambda z, params, s: 0.5 * z, [0.3], [[1.0], [0.2]], lambda x, p, nu: 0 * x
    )
    assert evidence.verdict == "undecided"


def test_a_torch_field_that_cannot_be_differentiated_is_named():
    import torch

    def field(z, params, s):
        return torch.tensor(z.detach().numpy()) * params[0]

    with pytest.raises(sp.CallableError, match="differentiable"):
        sp.check_log_likelihood_gradient(
            field, [0.5], [[1.0]], lambda x, p, nu: 0 * x, framework="torch"
        )


@pytest.mark.parametrize("takes", [False, True])
def test_log_likelihood_gets_tol_only_if_it_takes_it(takes):
    exact, seen = user(TRUTH), []

    def gradient(x, params, nu, tol):
        return exact["gradient"](x, params, nu) * (1 + tol)

    def with_tol(x, params, nu, tol):
        seen.append(tol)
        return exact["log_likelihood"](x, params, nu)

    evidence = sp.check_log_likelihood_gradient(
        field, THETA, X, gradient, log_likelihood=with_tol if takes else exact["log_likelihood"]
    )
    assert evidence, evidence.explain()
    assert set(seen) == ({1e-4, 1e-6, 1e-8} if takes else set())


def linear(z, params, s):
    return params[0] * z + params[1]


def linear_gradient(x, params, nu):
    p, q = params
    z0 = np.exp(-p) * (x + q / p) - q / p
    in_p = -np.exp(-p) * (x + q / p) + (1 - np.exp(-p)) * q / p**2
    in_q = (np.exp(-p) - 1) / p
    return np.column_stack([(-z0 * in_p - nu**2).sum(axis=1), (-z0 * in_q).sum(axis=1)])


def test_a_wrong_mean_of_one_parameter_is_not_hidden_behind_the_sharpest():
    rng = np.random.default_rng(0)
    rows = [[1.0], [0.7]]

    def gradient(factor):
        def own(x, params, nu):
            return linear_gradient(x, params, rng.standard_normal(x.shape)) * factor

        return own

    options = {"in_expectation": True, "draws": 4000}
    right = sp.check_log_likelihood_gradient(
        linear, [0.5, 0.8], rows, gradient(1.0), tolerance=0.5, **options
    )
    assert right and right.kind == "statistical", right.explain()
    # params[1] has no noise at all, params[0] is off
    wrong = sp.check_log_likelihood_gradient(
        linear, [0.5, 0.8], rows, gradient(np.array([4.0, 1.0])), tolerance=0.5, **options
    )
    assert wrong.verdict == "refuted", wrong.explain()
    strict = sp.check_log_likelihood_gradient(linear, [0.5, 0.8], rows, gradient(1.0), **options)
    assert strict.verdict == "undecided"


# -- coarse types -------------------------------------------------------------------------------


def torch_pieces():
    torch = pytest.importorskip("torch")

    def flow(z, params, s):
        return params[0] * z + params[1]

    def gradient(x, params, nu):
        p, q = params
        z0 = torch.exp(-p) * (x + q / p) - q / p
        in_p = -torch.exp(-p) * (x + q / p) + (1 - torch.exp(-p)) * q / p**2
        in_q = (torch.exp(-p) - 1) / p
        return torch.stack([(-z0 * in_p - nu**2).sum(1), (-z0 * in_q).sum(1)], 1)

    return flow, gradient


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_the_guide_s_field_in_torch(dtype):
    flow, gradient = torch_pieces()
    # in bfloat16 the rounding of the gradient itself is about a tenth of its largest entry
    options = {"framework": "torch", "dtype": dtype}
    tolerance = 0.6 if dtype == "bfloat16" else None
    arguments = (flow, [0.5, 0.3], [[1.0], [-0.8]])
    right = sp.check_log_likelihood_gradient(*arguments, gradient, tolerance=tolerance, **options)
    assert right, right.explain()
    for tolerated in (None, tolerance):
        zero = sp.check_log_likelihood_gradient(
            *arguments, lambda *a: 0 * gradient(*a), tolerance=tolerated, **options
        )
        assert zero.verdict == "refuted", zero.explain()
    if dtype == "bfloat16":
        strict = sp.check_log_likelihood_gradient(*arguments, gradient, **options)
        assert strict.verdict == "undecided" and "tolerance" in strict.explain()


def test_float32_sees_one_percent_of_one_entry():
    flow, gradient = torch_pieces()
    torch = pytest.importorskip("torch")
    evidence = sp.check_log_likelihood_gradient(
        flow,
        [0.5, 0.3],
        [[1.0], [-0.8]],
        lambda *a: gradient(*a) * torch.tensor([1.0, 1.01]),
        framework="torch",
        dtype="float32",
    )
    assert evidence.verdict == "refuted", evidence.explain()


def test_a_picture_shows_which_parameters_are_off():
    def twice(x, params, nu):
        gradient = np.array(user(TRUTH)["gradient"](x, params, nu))
        gradient[:, [3, 7]] *= 2
        return gradient

    evidence = sp.check_log_likelihood_gradient(field, THETA, X, twice)
    (at, error), (_, bound) = (evidence.curves[name] for name in ("error", "bound"))
    assert [int(k) for k, e, b in zip(at, error, bound, strict=True) if e > b] == [3, 7]
    assert max(error) >= evidence.value and evidence.labels[0] == "parameter"
    assert list(at) == list(range(THETA.size))
