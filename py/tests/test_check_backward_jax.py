"""check_backward on JAX functions: the graph from the jaxpr, wrong custom_vjp and custom_jvp rules
named.
"""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError

jax = pytest.importorskip("jax")
jnp = jax.numpy

RNG = np.random.default_rng(0)
X, W = RNG.standard_normal((2, 3)), RNG.standard_normal((3, 2))


@jax.custom_vjp
def square(x):
    return x * x


square.defvjp(lambda x: (x * x, x), lambda x, g: (g * x,))  # the factor 2 is lost


@jax.custom_jvp
def wave(x):
    return jnp.sin(x)


wave.defjvp(lambda primals, tangents: (wave(*primals), -jnp.cos(primals[0]) * tangents[0]))


def test_a_function_with_nested_jit_and_a_kink_holds():
    calls = []

    @jax.jit
    def layer(p, x):
        return jax.nn.relu(x @ p["w"]) + p["b"]

    def loss(p, x):
        calls.append(1)
        y = layer(p, x)
        return jnp.sum(y * y) + jnp.max(y)

    evidence = sp.check_backward(
        loss, None, ({"w": jnp.asarray(W), "b": jnp.zeros(2)}, jnp.asarray(X))
    )
    assert evidence and len(calls) == 2 and "jax's gradient" in evidence.sentence
    assert sp.check_backward(lambda x: jnp.sum(jax.nn.relu(x)), None, jnp.zeros(3)), (
        "relu at its kink is a choice, not a mistake"
    )


def test_a_wrong_custom_vjp_is_named_and_double_precision_sharpens():
    evidence = sp.check_backward(lambda x: jnp.sum(square(x) * jnp.sin(x)), None, jnp.asarray(X))
    assert evidence.verdict == "refuted" and "custom_vjp square(x)" in evidence.sentence
    assert evidence.diagnosis.names == ("factor",)
    assert "returns, for `x`, 0.5 = 1/2 times what is due" in evidence.explain()
    with jax.enable_x64(True):
        sharp = sp.check_backward(
            lambda x: jnp.sum(square(x) * jnp.sin(x)), None, X, framework="jax"
        )
    assert sharp.verdict == "refuted" and sharp.bound < 1e-9


def test_a_wrong_custom_jvp_is_named():
    evidence = sp.check_backward(lambda x: jnp.sum(wave(x)), None, jnp.asarray(X))
    assert (
        evidence.verdict == "refuted"
        and "custom_jvp wave" in evidence.sentence
        and evidence.diagnosis.names == ("sign",)
    )


def test_a_hand_written_gradient():
    def loss(u, w):
        return jnp.sum(u * u * w)

    u, w = X[0], X[1]
    with jax.enable_x64(True):
        assert sp.check_backward(
            loss, None, (u, w), framework="jax", gradient=lambda u, w: (2 * u * w, u * u)
        )
        wrong = sp.check_backward(
            loss, None, (u, w), framework="jax", gradient=lambda u, w: (u * w, u * u)
        )
    assert (
        wrong.verdict == "refuted" and "the gradient of `u` is 0.5 = 1/2 times" in wrong.explain()
    )


def test_bad_functions():
    x = jnp.asarray(X)
    with pytest.raises(ArgumentError, match="traceable by jax"):
        sp.check_backward(lambda x: float(x.sum()), None, x)
    with pytest.raises(ArgumentError, match="one floating array"):
        sp.check_backward(lambda x: (x, x), None, x)
    with pytest.raises(ArgumentError, match="one floating array"):
        sp.check_backward(lambda x: jnp.argmax(x), None, x)
    with pytest.raises(CallableError, match="nan or inf"):
        sp.check_backward(lambda x: jnp.sum(jnp.log(x * 0)), None, x)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: jnp.sum((x + jax.lax.stop_gradient(jnp.round(x) - x)) ** 2),
        lambda x: jnp.sum(x * jax.lax.stop_gradient(x)),
        lambda x: jnp.sum((x / jax.lax.stop_gradient(jnp.linalg.norm(x))) ** 3),
    ],
)
def test_stop_gradient_is_refuted_where_it_matters(function):
    evidence = sp.check_backward(function, None, jnp.asarray(X))
    assert evidence.verdict == "refuted" and "detached path at node [stop_gradient" in (
        evidence.sentence
    )


def test_stop_gradient_holds_where_it_does_not_matter():
    evidence = sp.check_backward(lambda x: jnp.sum(jax.nn.softmax(x) * x), None, jnp.asarray(X))
    assert evidence and "Held constant" in evidence.explain() and evidence.resolution < 0.01


def test_coarse_types_and_many_entries():
    x = jnp.asarray(X, jnp.bfloat16)
    evidence = sp.check_backward(lambda x: jnp.sum(x * x), None, x)
    assert evidence.verdict == "undecided" and "pass tolerance=" in evidence.sentence
    assert sp.check_backward(lambda x: jnp.sum(x * x), None, x, tolerance=0.1)
    many = jnp.asarray(RNG.standard_normal(100_000), jnp.float32)
    wrong = sp.check_backward(lambda x: jnp.sum(x * x) / 2, None, many, gradient=lambda x: -x)
    assert wrong.verdict == "refuted"


def test_random_numbers_and_scans_inside_are_run_in_double_precision():
    def loss(x):
        noise = jax.random.normal(jax.random.PRNGKey(0), x.shape)

        def step(c, y):
            return 0.9 * c + jnp.sin(y), c

        last, all_ = jax.lax.scan(step, jnp.float32(0), x + noise)
        return last + jnp.sum(all_**2)

    evidence = sp.check_backward(loss, None, jnp.asarray(X[0, :2]))
    assert evidence and evidence.resolution < 0.01 and not evidence.notes


def test_the_users_function_still_runs_afterwards():
    def loss(x):
        return jnp.sum((x @ W) ** 2)  # a NumPy constant, of another type than x

    assert sp.check_backward(loss, None, jnp.asarray(X))
    assert jax.grad(loss)(jnp.asarray(X)).dtype == jnp.float32


def test_constants_that_are_nan_or_integers_of_a_loop_are_no_obstacle():
    def normalised(x):  # var() keeps a nan for ddof too large, as a constant that is not selected
        return jnp.sum(x / jnp.sqrt(x.var(0) + 0.1))

    def looped(x):
        return jax.lax.fori_loop(0, 6, lambda i, c: c + 0.1 * i * jnp.sin(c), x).sum()

    def detached(x):
        step = jax.lax.stop_gradient
        return jax.lax.fori_loop(0, 6, lambda i, c: c + 0.1 * i * jnp.sin(step(c)), x).sum()

    x = jnp.asarray(X)
    assert sp.check_backward(normalised, None, x)
    assert sp.check_backward(looped, None, x)
    assert sp.check_backward(detached, None, x).verdict == "refuted"


def test_a_loop_without_a_backward_is_no_traceback():
    def doubled(x):
        return jax.lax.while_loop(lambda c: c.sum() < 9, lambda c: 2 * c, jnp.abs(x)).sum()

    with pytest.raises(CallableError, match="Reverse-mode"):
        sp.check_backward(doubled, None, jnp.asarray(X))


def test_a_rule_that_runs_in_its_own_type_alone_is_judged_in_it():
    """In float64 the bits have another shape, which shows only in its backward."""

    def bits(x):
        return jax.lax.bitcast_convert_type(x, jnp.int32).astype(jnp.float32) * 2.0**-23 - 127

    def judged(factor):
        @jax.custom_vjp
        def log2(x):
            return bits(x)

        def back(x, g):
            return (g * factor / 2 ** jnp.floor(jnp.log2(x)),)

        log2.defvjp(lambda x: (bits(x), x), back)
        x = jnp.asarray([0.55, 2.1, 3.3], jnp.float32)
        return sp.check_backward(
            lambda x: jnp.sum(log2(x) ** 2), inputs=(x,), framework="jax", tolerance=0.05
        )

    assert judged(1.0).verdict != "refuted"
    wrong = judged(2.0)
    assert wrong.verdict == "refuted" and "2 times what is due" in wrong.explain()
    plain = sp.check_backward(
        lambda x: jnp.sum(bits(x) * x),
        inputs=(jnp.asarray([0.55, 2.1, 3.3], jnp.float32),),
        framework="jax",
    )
    assert plain.diagnosis.names == ("bits_of_a_float",), plain.explain()
