"""Tables as processes: exact at every index, usable wherever a process is asked for."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError
from scoreproof.objects.discrete import DiscreteVE, DiscreteVP

BETAS = np.linspace(1e-4, 0.02, 1000)
COSINE = (
    1
    - np.cos((np.arange(1, 51) / 50 + 0.008) / 1.008 * np.pi / 2) ** 2
    / np.cos((np.arange(50) / 50 + 0.008) / 1.008 * np.pi / 2) ** 2
)


@pytest.mark.parametrize("betas", [BETAS, np.minimum(COSINE, 0.999), [0.5]])
def test_marginals_at_every_index(betas):
    p = DiscreteVP(betas)
    bar = np.cumprod(1 - np.asarray(betas))
    t = p.timesteps
    assert np.allclose(p.alpha(t) ** 2, bar, rtol=1e-12)
    assert np.allclose(p.sigma(t) ** 2, 1 - bar, rtol=1e-10)
    assert p.alpha(-1) == 1 and p.sigma(-1) == 0 and p.horizon == len(betas) - 1


def test_the_posterior_is_bayes():
    """q(x_{k-1} | x_k, x_0) from the three Gaussians, by completing the square."""
    p = DiscreteVP(BETAS)
    for k in (1, 7, 500, 999):
        prior_var, step_var = p.sigma(k - 1) ** 2, BETAS[k]
        precision = 1 / prior_var + (1 - BETAS[k]) / step_var
        of_x0 = p.alpha(k - 1) / prior_var / precision
        of_xk = np.sqrt(1 - BETAS[k]) / step_var / precision
        assert np.allclose(p.posterior(k), (of_x0, of_xk, 1 / precision), rtol=1e-9)
    assert np.allclose(p.posterior(0), (1, 0, 0), atol=1e-12)
    assert p.posterior(p.timesteps)[2].shape == (1000,)


def test_a_list_of_levels():
    p = DiscreteVE([80.0, 5.0, 0.002, 0.0])
    assert p.sigma(p.timesteps).tolist() == [0.002, 5.0, 80.0] and p.alpha(1) == 1
    assert DiscreteVE([0.002, 5.0, 80.0]).sigmas.tolist() == p.sigmas.tolist()


@pytest.mark.parametrize(
    "process", [DiscreteVP(BETAS[::20]), DiscreteVE(np.geomspace(0.1, 20, 30))]
)
def test_marginals_follow_from_drift_and_noise(process):
    shifted = sp.check_marginals(
        lambda x, t: process.drift(x, t - 1),
        lambda t: process.diffusion(t - 1),
        lambda x0, t: process.marginal(x0, t - 1),
        horizon=process.horizon + 1,
        times=[1.0, 5.0, 9.0, 17.0, 29.0],
        breaks=tuple(b + 1 for b in process.breaks),
    )
    assert shifted, shifted.explain()


def test_a_table_is_a_process_for_samplers():
    p = DiscreteVP(np.linspace(1e-4, 0.02, 1000))

    def ddim(x, t, t_next, model):
        a, s, b, r = p.alpha(t), p.sigma(t), p.alpha(t_next), p.sigma(t_next)
        eps = -s * model(x, t)
        return b * (x - s * eps) / a + r * eps

    times = np.arange(980, -1, -20)
    assert sp.check_sampler(ddim, p, times=times)
    with pytest.raises(ArgumentError, match="use check_sampler"):
        sp.check_reverse_sampler(lambda x, t, n, z, model: ddim(x, t, n, model), p, (1.0,))
    assert sp.check_reverse_sampler(
        lambda x, t, model, lam: (
            p.drift(x, t) - (1 - lam / 2) * p.diffusion(t) ** 2 * model(x, t),
            (1 - lam) ** 0.5 * p.diffusion(t),
        ),
        p,
    )


def test_any_array_library():
    torch = pytest.importorskip("torch")
    p = DiscreteVP(torch.linspace(1e-4, 0.02, 10))
    assert p.steps == 10 and np.allclose(p.betas, np.linspace(1e-4, 0.02, 10), rtol=1e-6)
    assert np.allclose(DiscreteVP.of_alphas_cumprod(p.alphas_cumprod).betas, p.betas)


def test_no_signal_at_the_end():
    p = DiscreteVP([0.1, 0.5, 1.0])
    assert p.alpha(2) < 1e-150 and p.sigma(2) == 1


@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: DiscreteVP([]), "betas must be one entry or more"),
        (lambda: DiscreteVP([0.1, 1.2]), r"betas must be in \(0, 1\) \(got betas\[1\] = 1.2\)"),
        (lambda: DiscreteVP([0.0, 0.1]), r"betas\[0\] = 0"),
        (lambda: DiscreteVP([1.0, 0.1]), r"betas\[0\] = 1"),
        (lambda: DiscreteVP([[0.1]]), "betas must be of shape"),
        (lambda: DiscreteVP([0.1, np.nan]), "betas must be finite"),
        (lambda: DiscreteVP.of_alphas_cumprod([0.1, 0.9]), "falling"),
        (lambda: DiscreteVE([1.0, 3.0, 2.0]), "all falling, or all rising"),
        (lambda: DiscreteVE([2.0, 2.0, 1.0]), "all falling, or all rising"),
        (lambda: DiscreteVE([1.0, 0.5, -0.1]), "positive"),
        (lambda: DiscreteVP([0.1]).posterior(-1), "k must be a timestep of the table, 0 to 0"),
        (lambda: DiscreteVP([0.1]).posterior(0.5), "k must be a timestep"),
        (lambda: DiscreteVP([0.0, 0.1]), "a first β of 0 is the data"),
        (lambda: DiscreteVP.of_alphas_cumprod([1.0, 0.9]), "that is the data"),
        (lambda: DiscreteVP.of_alphas_cumprod([0.9, 0.9]), r"\[1\] = 0.9 after 0.9"),
        (lambda: DiscreteVE([2.0, 1.0, 1.5]), "1 next to 1.5"),
        (lambda: DiscreteVP([0.1]).alpha(3), "t must be a timestep of the table, 0 to 0"),
    ],
)
def test_bad_tables(make, match):
    with pytest.raises(ArgumentError, match=match):
        make()
