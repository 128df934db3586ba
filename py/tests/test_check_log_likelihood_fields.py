"""`check_log_likelihood(prediction="field")`: CNFs whose flow is known, bent and affine."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import scoreproof as sp
from scoreproof.public.log_likelihood.fields import affine_field, bent_field

check = sp.check_log_likelihood


def flow(func, div, x, n_steps=16, start=1.0, end=0.0):
    """The midpoint rule, from the data to the noise."""
    h, total = (end - start) / n_steps, 0.0
    for k in range(n_steps):
        t = start + (k + 0.5) * h
        half = x + h / 2 * func(t - h / 2, x)
        x, total = x + h * func(t, half), total + h * div(half, t)
    return -(x**2).sum(1) / 2 - x.shape[1] / 2 * np.log(2 * np.pi) + total


@pytest.mark.parametrize("make", [bent_field, affine_field], ids=["bent", "affine"])
@pytest.mark.parametrize("d", [1, 3])
def test_the_flow_in_closed_form_solves_its_field(make, d):
    law = make(d)
    x = law.points(4, np.random.default_rng(0))

    def rate(s, state):
        rows = state[: 4 * d].reshape(4, d)
        return np.append(law.field(rows, s), -law.divergences(rows, 1 - s, s)[0])

    out = solve_ivp(rate, (0.2, 0.9), np.append(x, np.zeros(4)), "DOP853", rtol=1e-11, atol=1e-12)
    z, log_det = law.ahead(x, 0.2, 0.9)
    np.testing.assert_allclose(z.ravel(), out.y[: 4 * d, -1], atol=1e-9)
    np.testing.assert_allclose(log_det, out.y[4 * d :, -1], atol=1e-9)
    h = 1e-5
    for e in np.eye(d):
        near, far = (law.field(x + s * h * e, 0.4) for s in (1, -1))
        law_slope = ((near - far) / (2 * h)) @ e
        if d == 1:
            np.testing.assert_allclose(law_slope, -law.divergences(x, 0.6, 0.4)[0], rtol=1e-8)


@pytest.mark.parametrize("data_at", [0, 1])
def test_a_field_is_judged_on_four_flows(data_at):
    ends = (float(data_at), 1.0 - data_at)

    def log_prob(func, div, x, n_steps=16):
        return flow(func, div, x, n_steps, *ends)

    evidence = check(log_prob, prediction="field", data_at=data_at)
    assert evidence, evidence.explain()
    said = "of a Gaussian, a mixture of two, a bent CNF and an affine CNF in 3 coordinates"
    assert said in evidence.sentence

    def added(func, div, x, n_steps=16):
        return log_prob(func, lambda y, t: -div(y, t), x, n_steps)

    assert check(added, prediction="field", data_at=data_at).diagnosis.names == ("trace_sign",)


def test_a_trace_that_is_right_of_diffusions_only():
    """A trace that is right of the Gaussian and the mixture alone."""

    def of_laws_only(func, div, x, n_steps=16):
        law = getattr(func, "law", None)
        known = hasattr(law, "weights")
        return flow(func, div if known else lambda y, t: 0.97 * div(y, t), x, n_steps)

    evidence = check(of_laws_only, prediction="field")
    assert evidence.verdict == "refuted"
    assert check(of_laws_only, prediction="velocity")


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_field_in_torch_and_jax(framework):
    module = pytest.importorskip(framework)

    def by_torch(cnf, x, n_steps=4):
        h, total = -1 / n_steps, 0.0
        for k in range(n_steps):
            t = 1 + (k + 0.5) * h
            y = (x + h / 2 * cnf(t - h / 2, x)).detach().requires_grad_()
            move = cnf(t, y)
            total = total + h * sum(
                module.autograd.grad(move[:, i].sum(), y, retain_graph=True)[0][:, i]
                for i in range(x.shape[1])
            )
            x = x + h * move.detach()
        return -(x**2).sum(1) / 2 - x.shape[1] / 2 * np.log(2 * np.pi) + total

    def by_jax(cnf, x, n_steps=4):
        h, total = -1 / n_steps, 0.0
        for k in range(n_steps):
            t = 1 + (k + 0.5) * h
            y = x + h / 2 * cnf(t - h / 2, x)
            rows = module.vmap(module.jacfwd(lambda v, t=t: cnf(t, v)))(y)
            total = total + h * rows.trace(axis1=1, axis2=2)
            x = x + h * cnf(t, y)
        return -(x**2).sum(1) / 2 - x.shape[1] / 2 * np.log(2 * np.pi) + total

    function = by_torch if framework == "torch" else by_jax
    given = {"prediction": "field", "framework": framework, "shape": 2, "tolerance": 0.05}
    evidence = check(function, **given)
    assert evidence, evidence.explain()
    assert "a bent CNF and an affine CNF in 2 coordinates" in evidence.sentence
