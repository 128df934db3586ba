"""The strategies give valid objects, and shrink to examples that a person can read."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import find, given, settings
from hypothesis import strategies as st

from scoreproof import strategies as sps
from scoreproof.objects.schedules import VPLinear

NO_DEADLINE = settings(deadline=None, database=None, max_examples=200)


@given(sps.covariances(condition=50.0))
def test_covariances_keep_their_condition(cov):
    assert np.array_equal(cov, cov.T)
    assert np.linalg.cond(cov) <= 50 * (1 + 1e-9)


@given(sps.mixtures(), st.data())
def test_mixtures_have_a_density(mixture, data):
    x = np.array(
        data.draw(
            st.lists(sps.numbers(-3, 3), min_size=mixture.dimension, max_size=mixture.dimension)
        )
    )[None]
    assert np.isfinite(mixture.log_density(x)).all()


@given(sps.schedules())
def test_schedules_are_usable(schedule):
    mean, std = schedule.marginal(np.ones((1, 2)), schedule.horizon / 2)
    assert np.all(np.isfinite(mean))
    assert std > 0
    assert schedule.diffusion(schedule.horizon / 2) > 0


@given(sps.linear_sdes())
def test_linear_sdes_have_marginals(sde):
    from scoreproof.objects.mixtures import GaussianMixture

    d = sde.dimension
    later = sde.marginal(0.5, GaussianMixture.gaussian(np.zeros(d), np.eye(d)))
    assert np.all(np.linalg.eigvalsh(later.covariance()) > 0)


@given(sps.nonlinear_sdes())
def test_nonlinear_sdes_have_positive_densities(process):
    assert float(process.density([0.25] * process.dimension, 0.5)) > 0


@given(sps.smooth_fields())
def test_fields_map_rows_to_rows(pair):
    field, theta = pair
    z = np.full((3, field.dimension), 0.25)
    assert field(z, theta, 0.5).shape == z.shape


@given(sps.graphs())
def test_graphs_are_acyclic(graph):
    assert sorted(graph.order) == list(range(graph.size))


def test_minimal_examples_are_readable():
    cov = find(sps.covariances(d=2), lambda c: True, settings=NO_DEADLINE)
    assert np.array_equal(cov, np.eye(2))
    mixture = find(sps.mixtures(), lambda m: True, settings=NO_DEADLINE)
    assert (mixture.dimension, len(mixture.weights), mixture.means.tolist()) == (1, 1, [[0.0]])
    shifted = find(sps.mixtures(d=1), lambda m: m.means[0, 0] >= 1, settings=NO_DEADLINE)
    assert shifted.means.tolist() == [[1.0]]
    graph = find(sps.graphs(), lambda g: len(g.edges) >= 1, settings=NO_DEADLINE)
    assert (graph.size, graph.edges) == (2, ((0, 1),))
    parallel = find(sps.graphs(), lambda g: len(g.edges) > len(set(g.edges)), settings=NO_DEADLINE)
    assert parallel.edges == ((0, 1), (0, 1))


def test_minimal_processes_are_readable():
    sde = find(sps.linear_sdes(), lambda s: True, settings=NO_DEADLINE)
    assert (sde.dimension, sde.matrix().tolist(), sde.b.tolist()) == (1, [[0.0]], [0.0])
    rotating = find(sps.linear_sdes(d=2), lambda s: s.matrix()[0, 1] > 0.5, settings=NO_DEADLINE)
    assert rotating.matrix().tolist() == [[0.0, 0.5625], [0.0, 0.0]]
    field, theta = find(sps.smooth_fields(d=2), lambda pair: True, settings=NO_DEADLINE)
    assert field.dimension == 2
    assert theta.tolist() == [
        0.25,
        0.25,
        1.0,
        1.0,
    ], "the logistic field: equal rates, unit capacities"
    net, theta = find(
        sps.smooth_fields(d=1),
        lambda pair: type(pair[0]).__name__ == "TanhNetwork",
        settings=NO_DEADLINE,
    )
    assert not theta.any()
    assert find(sps.schedules(), lambda s: True, settings=NO_DEADLINE) == VPLinear()
    late = find(sps.schedules(), lambda s: s.horizon > 1, settings=NO_DEADLINE)
    assert type(late).__name__ == "EDM"
    process = find(sps.nonlinear_sdes(), lambda p: True, settings=NO_DEADLINE)
    assert process.dimension == 1


def test_bad_parameters_are_named():
    import scoreproof as sp

    with pytest.raises(sp.ArgumentError, match="condition must be >= 1"):
        find(sps.covariances(condition=0.5), lambda c: True, settings=NO_DEADLINE)
    with pytest.raises(sp.ArgumentError, match="multiple of 1/16"):
        sps.numbers(0.01, 0.02)
