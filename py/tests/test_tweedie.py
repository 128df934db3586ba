"""tweedie: properties of mixtures and atoms, the objects that its checks stand on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoreproof as sp
from scoreproof.numerics.complex_step import gradient, jacobian
from scoreproof.numerics.linear import random_covariance

COV = np.array([[1.2, 0.4, 0.1], [0.4, 0.8, -0.2], [0.1, -0.2, 0.6]])


def mixture(seed=0, d=3, k=3):
    rng = np.random.default_rng(seed)
    return sp.GaussianMixture(
        np.full(k, 1 / k),
        rng.standard_normal((k, d)),
        np.stack([random_covariance(rng, d, 5.0) for _ in range(k)]),
    )


def data(seed=0, n=40, d=3):
    return np.random.default_rng(seed).standard_normal((n, d))


@given(st.integers(1, 5), st.integers(1, 4), st.integers(0, 2**32 - 1))
def test_mixture_is_consistent(d, k, seed):
    rng = np.random.default_rng(seed)
    m = sp.GaussianMixture(
        rng.dirichlet(np.full(k, 3.0)),
        rng.standard_normal((k, d)),
        np.stack([random_covariance(rng, d) for _ in range(k)]),
    )
    y = m.sample(rng, 4)
    assert np.allclose(m.score(y), gradient(m.log_density, y), rtol=1e-9, atol=1e-9)
    assert np.allclose(
        m.hessian_log_density(y),
        jacobian(
            lambda x: np.stack([gradient_row(m, r) for r in x]) if np.isrealobj(x) else m.score(x),
            y,
        ),
        atol=1e-8,
    )
    cov = random_covariance(rng, d)
    assert np.allclose(y + m.noised(cov).score(y) @ cov, m.posterior_mean(y, cov), atol=1e-10)
    assert np.all(np.linalg.eigvalsh(m.posterior_covariance(y, cov)) > -1e-12)


def gradient_row(m, row):
    return m.score(row[None])[0]


def test_atoms_block_by_block_equals_all_at_once(monkeypatch):
    from scoreproof.objects import empirical

    atoms, y = sp.Atoms(data()), data(1)
    whole = atoms.posterior_mean(y, COV), atoms.noised(COV).log_density(y)
    monkeypatch.setattr(empirical, "BLOCK", 7)
    assert np.allclose(whole[0], atoms.posterior_mean(y, COV), atol=1e-15)
    assert np.allclose(whole[1], atoms.noised(COV).log_density(y), atol=1e-14)


def test_atoms_are_the_limit_of_narrow_mixtures():
    points = data(n=5)
    narrow = sp.GaussianMixture(np.full(5, 0.2), points, np.stack([1e-10 * np.eye(3)] * 5))
    y = data(2, n=6)
    assert np.allclose(
        narrow.posterior_mean(y, COV), sp.Atoms(points).posterior_mean(y, COV), atol=1e-8
    )
    assert np.allclose(
        narrow.posterior_covariance(y, COV),
        sp.Atoms(points).posterior_covariance(y, COV),
        atol=1e-8,
    )


def test_perplexity_counts_atoms():
    atoms = sp.Atoms(np.array([[-1.0], [1.0]]))
    law = atoms.noised(np.eye(1))
    assert np.isclose(law.perplexity(np.zeros((1, 1)))[0], 2.0)
    assert np.isclose(law.perplexity(np.full((1, 1), 50.0))[0], 1.0)
    with pytest.raises(sp.ScoreproofError, match="choose larger or smaller noise"):
        sp.Atoms(data()).noised(1e-6 * np.eye(3)).noisy(np.random.default_rng(0), 4)
