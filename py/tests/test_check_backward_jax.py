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
    assert evidence.verdict == "refuted" and "custom_vjp square(input 0)" in evidence.sentence
    assert evidence.diagnosis.names == ("factor_half",)
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
        and evidence.diagnosis.names == ("minus",)
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
    assert wrong.verdict == "refuted" and "multiplicity_lost" in wrong.diagnosis.names


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
