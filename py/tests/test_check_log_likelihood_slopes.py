"""`check_log_likelihood(gradients=)`: in parameters, in t and in x, in torch and jax."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError
from scoreproof.objects.schedules import VPLinear
from scoreproof.public.log_likelihood.clocks import clock_of
from scoreproof.public.log_likelihood.law import gaussian, mixture
from scoreproof.public.log_likelihood.variables import early

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from causes.log_likelihood_slopes import in_t, of_params, of_time, trained

check = sp.check_log_likelihood


def test_in_parameters_of_a_torch_module():
    pytest.importorskip("torch")
    seen = []

    def log_prob(func, x, n_steps=4):
        seen.append([n for n, _ in getattr(func, "named_parameters", list)()])
        return trained()(func, x, n_steps)

    evidence = of_params(log_prob)
    assert evidence, evidence.explain()
    assert evidence.kind == "convergent" and ["shift", "log_scale"] in seen
    assert "Its gradient in the parameters of the model is right too:" in evidence.explain()


def test_in_t():
    pytest.importorskip("torch")
    evidence = in_t(of_time())
    assert evidence, evidence.explain()
    assert "Its gradient in the time of the data is right too:" in evidence.explain()


def test_in_a_cutoff_that_has_a_default():
    pytest.importorskip("torch")

    def log_prob(score_fn, x, n_steps=6, eps=1e-3):
        return of_time()(score_fn, x, eps, n_steps)

    assert in_t(log_prob)

    def held(score_fn, x, n_steps=6, eps=1e-3):
        return of_time(start=lambda t: getattr(t, "detach", lambda: t)())(score_fn, x, eps, n_steps)

    assert in_t(held).diagnosis.names == ("detached",)


def test_in_parameters_and_t_of_jax():
    pytest.importorskip("jax")

    def log_prob(score_fn, x, t_min, n_steps=12):
        import jax
        import jax.numpy as jnp

        h = (1 - t_min) / n_steps

        def drift(y, t):
            return -(0.1 + 4.9 * t) / 2 * (y + score_fn(y, t))

        def step(state, k):
            y, total = state
            t = t_min + (k + 0.5) * h
            half = y + h / 2 * drift(y, t - h / 2)
            move, change = jax.jvp(lambda u: drift(u, t), (half,), (jnp.ones_like(half),))
            return (y + h * move, total + h * change.sum(-1)), None

        (z, total), _ = jax.lax.scan(step, (x, jnp.zeros(len(x))), jnp.arange(n_steps))
        return -(z**2).sum(-1) / 2 - z.shape[-1] / 2 * jnp.log(2 * jnp.pi) + total

    given = {"framework": "jax", "shape": 1, "tolerance": 0.02}
    evidence = check(log_prob, VPLinear(0.1, 5.0), gradients=("params", "t"), **given)
    assert evidence, evidence.explain()


def test_the_times_derivatives():
    clock = clock_of(VPLinear(0.1, 5.0), "numpy", None, None)
    t, h = np.array([0.2, 0.7]), 1e-5
    for rate, up, down in zip(clock.rates(t), clock.at(t + h), clock.at(t - h), strict=True):
        np.testing.assert_allclose(rate, (up - down) / (2 * h), rtol=1e-6, atol=1e-7)
    alpha, sigma = (float(v) for v in clock.at(early(clock))[:2])
    assert abs(sigma / alpha - 0.3) < 1e-9


@pytest.mark.parametrize("law", [gaussian(2), mixture(2)], ids=["gaussian", "mixture"])
def test_a_law_for_every_row(law):
    """Shifted and scaled: p(x) = p_0((x - b) / s) / s^d, at every level of its own."""
    rng = np.random.default_rng(1)
    x, theta = rng.normal(size=(4, 2)), rng.normal(size=(4, 3)) / 3
    scale = np.exp(theta[:, 2])
    moved = law.moved(theta)
    back = (x - theta[:, :2]) / scale[:, None]
    due = law.log_density(back, 1.0, 0.0) - 2 * theta[:, 2]
    np.testing.assert_allclose(moved.log_density(x, 1.0, 0.0), due, rtol=1e-12)
    for k in range(4):
        one = law.parts(x[k : k + 1], 0.7, 0.4, (theta[k, :2], theta[k, 2]))
        np.testing.assert_allclose(moved.log_density(x, 0.7, 0.4)[k], one.log_p[0], rtol=1e-12)
        row = law.moved(theta[k : k + 1]).divergences(x[k : k + 1], 0.7, 0.4)
        for whole, single in zip(moved.divergences(x, 0.7, 0.4), row, strict=True):
            np.testing.assert_allclose(whole[k], single[0], rtol=1e-12)


def test_bad_gradients():
    pytest.importorskip("torch")
    function = trained()
    with pytest.raises(ArgumentError, match='gradients must be True, or some of "x"'):
        check(function, framework="torch", gradients="weights")
    with pytest.raises(ArgumentError, match='gradients must be True, or some of "x"'):
        check(function, framework="torch", gradients=3)
    with pytest.raises(ArgumentError, match='"t" of a function that takes the time of the data'):
        check(function, framework="torch", gradients="t")
    with pytest.raises(ArgumentError, match="gradients must be asked for of torch or jax"):
        check(function, framework="numpy", gradients="params")
