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
    assert wrong.diagnosis.names == ("gradient_of_the_loss",)


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
