"""Vector fields and Gauss paths: every derivative against complex steps, flows against the
differential equation.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreproof.errors import ArgumentError
from scoreproof.numerics.adjoint import Grid, accumulate, advance, integrate_backward
from scoreproof.numerics.complex_step import STEP
from scoreproof.objects.fields import Dense, LogisticField, TanhNetwork, basis_rows
from scoreproof.objects.latents import GaussianLatent, MixtureLatent
from scoreproof.objects.mixtures import GaussianMixture

SEEDS = st.integers(0, 2**32 - 1)


def logistic(rng, d):
    basis = np.eye(d) + 0.4 * rng.standard_normal((d, d)) / np.sqrt(d)
    theta = np.concatenate([rng.uniform(0.8, 1.6, d), rng.uniform(1.5, 3.0, d)])
    z = (theta[d:] * rng.uniform(0.2, 0.8, (3, d))) @ basis.T
    return LogisticField(basis, np.linalg.inv(basis), 0.4), theta, z


def network(rng, d):
    net = TanhNetwork(d, (int(rng.integers(2, 6)), 3)[: int(rng.integers(1, 3))])
    return net, net.initial(rng), rng.standard_normal((3, d))


def close(a, b):
    assert np.max(np.abs(a - b)) <= 1e-12 * (1 + np.max(np.abs(b)))


@settings(max_examples=20)
@given(SEEDS, st.integers(1, 4), st.sampled_from([logistic, network]))
def test_every_derivative_is_that_of_the_field(seed, d, kind):
    rng = np.random.default_rng(seed)
    field, theta, z = kind(rng, d)
    s = 0.37
    u, v, w = (
        rng.standard_normal((3, d)),
        rng.standard_normal((3, d)),
        rng.standard_normal(theta.size),
    )
    local = field.linearize(z, theta, s)
    close(local.jvp(v), np.imag(field(z + 1j * STEP * v, theta, s)) / STEP)
    close((u * local.jvp(v)).sum(axis=1), (local.vjp(u) * v).sum(axis=1))
    close(local.quad(u, v), (u * local.jvp(v)).sum(axis=1))
    close(
        local.vjp_theta(u) @ w,
        (u * np.imag(field(z + 0j, theta + 1j * STEP * w, s)) / STEP).sum(axis=1),
    )
    dz = rng.standard_normal((3, d))
    close(
        (local.quad_z(u, v) * dz).sum(axis=1),
        np.imag(field.linearize(z + 1j * STEP * dz, theta, s).quad(u, v)) / STEP,
    )
    close(
        local.quad_theta(u, v) @ w,
        np.imag(field.linearize(z + 0j, theta + 1j * STEP * w, s).quad(u, v)) / STEP,
    )
    assert local.vjp_theta(u).shape == (3, field.parameters)


@settings(max_examples=15)
@given(SEEDS, st.integers(1, 4), st.floats(0.05, 0.95))
def test_the_logistic_flow_solves_its_equation(seed, d, s):
    field, theta, z = logistic(np.random.default_rng(seed), d)
    moved = field.flow(z, theta, 1.0, s + 1j * STEP)
    close(np.imag(moved) / STEP, field(np.real(moved), theta, s))
    close(field.flow(field.flow(z, theta, 1.0, s), theta, s, 1.0), z)
    close(
        np.imag(field.log_stretch(z, theta, 0.0, s + 1j * STEP)).sum(axis=1) / STEP,
        sum(
            field.linearize(field.flow(z, theta, 0.0, s), theta, s).quad(e, e)
            for e in basis_rows(z)
        ),
    )


@settings(max_examples=10)
@given(SEEDS, st.integers(1, 3))
def test_gauss_paths_follow_the_flow_and_visit_mirrored_stages(seed, d):
    field, theta, x = logistic(np.random.default_rng(seed), d)
    grid = Grid(4, 7)
    path = integrate_backward(lambda z, s: field(z, theta, s[:, None]), x, grid)
    close(path.start, field.flow(x, theta, 1.0, 0.0))
    close(path.mirrored[1, 2], path.stages[2, 4])
    times = grid.times
    assert np.allclose(times[::-1, ::-1], 1 - times)


def test_advance_and_accumulate_are_exact_for_a_linear_equation():
    grid = Grid(3, 8)
    y, stages = advance(lambda n, y: -2.0 * y, np.array([1.0]), grid)
    assert abs(y[0] - np.exp(-2.0)) < 1e-14
    assert abs(accumulate(-2.0 * stages, grid)[0] + 1 - y[0]) < 1e-14


def test_one_theta_per_point_equals_one_call_per_theta():
    rng = np.random.default_rng(0)
    net = TanhNetwork(2, (4,))
    thetas, z = np.stack([net.initial(rng) for _ in range(3)]), rng.standard_normal((3, 2))
    together = net(z, thetas, 0.3)
    assert np.allclose(together, np.stack([net(z[i], thetas[i], 0.3) for i in range(3)]))


def test_dense_quadratic_forms():
    rng = np.random.default_rng(1)
    j, f, h, g = (rng.standard_normal(s) for s in ((2, 2), (2, 3), (2, 2, 2), (2, 2, 3)))
    u, v = rng.standard_normal((2, 2))
    dense = Dense(j, f, h, g)
    assert np.allclose(dense.quad_z(u, v), np.einsum("i,j,ijk->k", u, v, h))
    assert np.allclose(dense.quad_theta(u, v), np.einsum("i,j,ijp->p", u, v, g))


def test_latents_have_the_score_of_their_log_density():
    rng = np.random.default_rng(2)
    mixture = MixtureLatent(
        GaussianMixture(
            [0.3, 0.7], rng.standard_normal((2, 2)), np.stack([np.eye(2), 2 * np.eye(2)])
        )
    )
    for latent in (GaussianLatent(np.ones(2), np.array([[2.0, 0.3], [0.3, 1.0]])), mixture):
        z, v = rng.standard_normal((4, 3, 2)), rng.standard_normal(2)
        close(
            (latent.score(z) * v).sum(axis=-1),
            np.imag(latent.log_density(z + 1j * STEP * v)) / STEP,
        )


def test_a_network_needs_hidden_layers():
    with pytest.raises(ArgumentError, match="hidden must be a non-empty tuple"):
        TanhNetwork(2, ())
