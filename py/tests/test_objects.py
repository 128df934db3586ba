"""Laws of data and of latents: each number against sums and integrals written out."""

from __future__ import annotations

import numpy as np
import pytest
from flint import fmpq

from scoreproof.errors import ArgumentError, ScoreproofError
from scoreproof.numerics.complex_step import gradient, jacobian
from scoreproof.numerics.linear import random_covariance
from scoreproof.objects.empirical import Atoms
from scoreproof.objects.latents import GaussianLatent, MixtureLatent
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.objects.schedules import VPCosine, VPLinear


def rng(seed=0):
    return np.random.default_rng(seed)


def normal(x, mean, cov):
    """The density of N(mean, cov) at a row x, by the book."""
    gap = x - mean
    quadratic = gap @ np.linalg.inv(cov) @ gap
    return np.exp(-quadratic / 2) / np.sqrt(np.linalg.det(2 * np.pi * cov))


# -- mixtures --------------------------------------------------------------------------------------


def mixture(d=3, k=3, seed=0):
    r = rng(seed)
    weights = r.dirichlet(np.full(k, 3.0))
    covariances = np.stack([random_covariance(r, d, 5.0) for _ in range(k)])
    return GaussianMixture(weights, r.standard_normal((k, d)), covariances)


def test_density_score_and_hessian():
    m = mixture()
    x = m.sample(rng(1), 6)
    parts = np.array(
        [
            [
                w * normal(row, u, c)
                for w, u, c in zip(m.weights, m.means, m.covariances, strict=True)
            ]
            for row in x
        ]
    )
    assert m.density(x) == pytest.approx(parts.sum(axis=1), rel=1e-13)
    assert m.log_density(x) == pytest.approx(np.log(parts.sum(axis=1)), rel=1e-13)
    assert m.responsibilities(x) == pytest.approx(parts / parts.sum(axis=1, keepdims=True))
    assert m.score(x) == pytest.approx(gradient(m.log_density, x), rel=1e-11, abs=1e-12)
    assert m.hessian_log_density(x) == pytest.approx(jacobian(m.score, x), rel=1e-10, abs=1e-11)


def test_the_score_keeps_its_digits_in_the_far_tail():
    """Weights that sum to one only to eps·|log p| would cost six digits here."""
    m = GaussianMixture([0.5, 0.5], [[0.0], [1e-3]], [[[1.0]], [[1.0]]])
    x = np.array([[-1e5], [1e5]])
    r = 1 / (1 + np.exp(x[:, 0] * 1e-3 - 5e-7))
    expected = -x[:, 0] + 1e-3 * (1 - r)
    assert m.score(x)[:, 0] == pytest.approx(expected, rel=1e-15)
    assert m.responsibilities(x).sum(axis=1) == pytest.approx(1.0, rel=1e-15)


def test_moments_and_images():
    m = mixture()
    x = m.sample(rng(2), 400_000)
    assert m.mean() == pytest.approx(x.mean(axis=0), abs=0.02)
    assert m.covariance() == pytest.approx(np.cov(x.T), abs=0.05)
    a, b = rng(3).standard_normal((3, 3)), np.array([0.3, -1.0, 2.0])
    image = m.affine(a, b)
    assert image.mean() == pytest.approx(a @ m.mean() + b)
    assert image.covariance() == pytest.approx(a @ m.covariance() @ a.T)
    jump = abs(np.linalg.det(a))
    assert image.density(x[:5] @ a.T + b) * jump == pytest.approx(m.density(x[:5]))
    noise = random_covariance(rng(4), 3)
    assert m.noised(noise).covariance() == pytest.approx(m.covariance() + noise)
    assert m.noised(noise).mean() == pytest.approx(m.mean())
    assert m.dimension == 3
    one = GaussianMixture.gaussian([1.0, 2.0], [[2.0, 0.5], [0.5, 1.0]])
    assert one.mean().tolist() == [1.0, 2.0] and one.covariance().tolist() == [
        [2.0, 0.5],
        [0.5, 1.0],
    ]
    assert one.weights.tolist() == [1.0]


def test_posteriors_by_quadrature():
    """In one dimension: E[X | Y] and Var[X | Y] by a fine sum over x."""
    m = GaussianMixture([0.3, 0.7], [[-1.0], [1.5]], [[[0.4]], [[0.9]]])
    x, noise = np.linspace(-9, 9, 20001), 0.6
    for y in (-2.0, 0.2, 3.0):
        weight = m.density(x[:, None]) * np.exp(-((y - x) ** 2) / (2 * noise))
        mean = np.sum(weight * x) / np.sum(weight)
        spread = np.sum(weight * (x - mean) ** 2) / np.sum(weight)
        at, cov = np.array([[y]]), np.array([[noise]])
        assert m.posterior_mean(at, cov)[0, 0] == pytest.approx(mean, rel=1e-12)
        assert m.posterior_covariance(at, cov)[0, 0, 0] == pytest.approx(spread, rel=1e-11)


def test_posteriors_by_tweedie_in_many_dimensions():
    m, noise = mixture(4, 2, 5), random_covariance(rng(6), 4)
    law = m.noised(noise)
    y = law.sample(rng(7), 5)
    assert m.posterior_mean(y, noise) == pytest.approx(y + law.score(y) @ noise)
    second = noise + noise @ law.hessian_log_density(y) @ noise
    assert m.posterior_covariance(y, noise) == pytest.approx(second, abs=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"weights": [0.5, 0.6]}, r"weights must be positive with sum 1"),
        ({"weights": [1.5, -0.5]}, r"weights must be positive with sum 1"),
        ({"weights": [1.0, 0.0]}, r"weights must be positive with sum 1"),
        (
            {"weights": [], "means": np.zeros((0, 1)), "covariances": np.zeros((0, 1, 1))},
            "weights must be positive with sum 1",
        ),
        ({"means": [[0.0]]}, "means"),
        ({"covariances": [[[1.0]]]}, "covariances"),
        ({"covariances": [[[1.0]], [[-1.0]]]}, "covariances must be positive definite"),
        ({"means": [[0.0], [np.nan]]}, "means"),
    ],
)
def test_what_is_no_mixture(change, message):
    right = {"weights": [0.5, 0.5], "means": [[0.0], [1.0]], "covariances": [[[1.0]], [[2.0]]]}
    GaussianMixture(**right)
    with pytest.raises(ArgumentError, match=message):
        GaussianMixture(**{**right, **change})


def test_weights_are_normalised():
    m = GaussianMixture([0.5, 0.5 + 5e-10], [[0.0], [1.0]], [[[1.0]], [[1.0]]])
    assert m.weights.sum() == pytest.approx(1.0, rel=1e-15)


# -- atoms -----------------------------------------------------------------------------------------


def atoms(weights=None):
    return Atoms(rng(8).standard_normal((5, 2)), weights)


WEIGHTS = np.array([0.1, 0.2, 0.3, 0.15, 0.25])


@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("diagonal", [False, True])
def test_noisy_atoms_are_a_mixture(weights, diagonal):
    prior = atoms(weights)
    cov = np.diag([0.3, 1.7]) if diagonal else random_covariance(rng(9), 2)
    law = prior.noised(cov)
    same = GaussianMixture(prior.weights, prior.points, np.stack([cov] * 5))
    y = same.sample(rng(10), 7)
    assert law.log_density(y) == pytest.approx(same.log_density(y), rel=1e-13)
    assert law.score(y) == pytest.approx(same.score(y), rel=1e-11, abs=1e-12)
    r = same.responsibilities(y)
    for part, found in law.weights(y):
        assert found == pytest.approx(r[part], rel=1e-11)
    mean = r @ prior.points
    assert law.posterior_mean(y) == pytest.approx(mean)
    assert prior.posterior_mean(y, cov) == pytest.approx(mean)
    gaps = prior.points[None] - mean[:, None]
    spread = np.einsum("nk,nki,nkj->nij", r, gaps, gaps)
    assert law.posterior_covariance(y) == pytest.approx(spread)
    assert prior.posterior_covariance(y, cov) == pytest.approx(spread)
    assert law.perplexity(y) == pytest.approx(np.exp(-np.sum(r * np.log(r), axis=1)))
    assert gradient(law.log_density, y) == pytest.approx(law.score(y), rel=1e-11, abs=1e-12)


def test_moments_of_atoms():
    prior = atoms(WEIGHTS)
    assert (prior.size, prior.dimension) == (5, 2)
    assert prior.mean() == pytest.approx(WEIGHTS @ prior.points)
    gaps = prior.points - prior.mean()
    assert prior.covariance() == pytest.approx(gaps.T @ np.diag(WEIGHTS) @ gaps)
    drawn = prior.sample(rng(11), 20_000)
    share = [np.mean(np.all(drawn == p, axis=1)) for p in prior.points]
    assert share == pytest.approx(WEIGHTS, abs=0.02)
    assert atoms().weights.tolist() == [0.2] * 5


def test_the_exponent_is_the_largest_that_is_rounded():
    prior, cov = atoms(), np.diag([0.25, 4.0])
    y = np.array([[3.0, -1.0], [0.0, 0.0]])
    centre = prior.mean()
    white = [(points - centre) / np.array([0.5, 2.0]) for points in (y, prior.points)]
    expected = sum(np.max(np.sum(w**2, axis=1)) for w in white)
    assert prior.noised(cov).exponent(y) == pytest.approx(expected)


def test_noisy_points_have_the_perplexity_asked_for():
    prior = Atoms(rng(12).standard_normal((20, 2)))
    law = prior.noised(0.1 * np.eye(2))
    y = law.noisy(rng(13), 40)
    p = law.perplexity(y)
    assert len(y) == 40 and p.min() >= 2.0 and p.max() <= 10.0
    y = law.noisy(rng(13), 9, (4.0, 5.0))
    p = law.perplexity(y)
    assert len(y) == 9 and p.min() >= 4.0 and p.max() <= 5.0
    tight = prior.noised(1e-8 * np.eye(2))
    with pytest.raises(
        ScoreproofError, match=r"only 0 of 3 noisy points .*\[2, 10\] after 2 batches"
    ):
        tight.noisy(rng(14), 3, tries=2)


@pytest.mark.parametrize(("direct", "numbers"), [(None, 10), (0, 5)])
def test_blocks_do_not_change_the_numbers(monkeypatch, direct, numbers):
    """Five atoms in the plane: differences of ten numbers a row, or expanded squares of five."""
    from scoreproof.objects import empirical

    law, y = atoms(WEIGHTS).noised(random_covariance(rng(15), 2)), rng(16).standard_normal((11, 2))

    def results():
        return law.log_density(y), law.score(y), law.posterior_covariance(y), law.perplexity(y)

    whole = results()
    if direct is not None:
        monkeypatch.setattr(empirical, "DIRECT", direct)
    for block, lengths in ((2 * numbers + 1, [2, 2, 2, 2, 2, 1]), (1, [1] * 11)):
        monkeypatch.setattr(empirical, "BLOCK", block)
        for a, b in zip(whole, results(), strict=True):
            assert a == pytest.approx(b, rel=1e-12)
        assert [part.stop - part.start for part, _ in law.weights(y)] == lengths
    r = np.concatenate([weights for _, weights in law.weights(y)])
    assert r == pytest.approx(
        np.exp(law.log_components(y)) / np.exp(law.log_components(y)).sum(1)[:, None]
    )


@pytest.mark.parametrize(
    ("points", "weights", "message"),
    [
        (np.zeros((0, 2)), None, "points must be at least one row"),
        (np.zeros(3), None, "points"),
        (np.zeros((2, 1)), [0.5, 0.6], "weights must be positive with sum 1"),
        (np.zeros((2, 1)), [1.0, 0.0], "weights must be positive with sum 1"),
        (np.zeros((2, 1)), [1.0], "weights"),
        (np.array([[np.inf]]), None, "points"),
    ],
)
def test_what_are_no_atoms(points, weights, message):
    with pytest.raises(ArgumentError, match=message):
        Atoms(points, weights)


def test_noise_must_be_a_covariance():
    with pytest.raises(ArgumentError, match="cov must be positive definite"):
        atoms().noised(np.zeros((2, 2)))
    with pytest.raises(ArgumentError, match="cov"):
        atoms().noised(np.eye(3))


# -- latents ---------------------------------------------------------------------------------------


def test_a_gaussian_latent():
    precision = random_covariance(rng(17), 3)
    latent = GaussianLatent(np.array([0.5, -1.0, 0.2]), precision)
    z = rng(18).standard_normal((4, 5, 3))
    gap = z - latent.mean
    assert latent.log_density(z) == pytest.approx(
        -0.5 * np.einsum("nmi,ij,nmj->nm", gap, precision, gap)
    )
    flat = z.reshape(-1, 3)
    assert latent.score(z).reshape(-1, 3) == pytest.approx(gradient(latent.log_density, flat))
    exact = GaussianLatent(np.array([fmpq(1, 2)]), np.array([[fmpq(3)]]))
    assert exact.score(np.array([[fmpq(1)]]))[0, 0] == fmpq(-3, 2)
    assert exact.log_density(np.array([[fmpq(1)]]))[0] == fmpq(-3, 8)


def test_a_mixture_latent_keeps_leading_axes():
    m = mixture(2, 2, 3)
    z = rng(19).standard_normal((2, 3, 2))
    latent = MixtureLatent(m)
    assert latent.log_density(z).shape == (2, 3) and latent.score(z).shape == (2, 3, 2)
    assert latent.log_density(z)[1, 2] == pytest.approx(m.log_density(z[1, 2][None])[0])
    assert latent.score(z)[1, 0] == pytest.approx(m.score(z[1, 0][None])[0])


# -- schedules -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "schedule", [VPLinear(), VPCosine(), VPCosine(clip=20.0), VPCosine(clip=3.0)]
)
def test_what_preserves_the_variance(schedule):
    """α² + σ² = 1, before the clip of β and after it; σ comes from β alone."""
    t = np.linspace(0.01, 0.97, 49) * schedule.horizon
    alpha, sigma = schedule.alpha(t), schedule.sigma(t)
    assert alpha**2 + sigma**2 == pytest.approx(1.0, rel=1e-12)
    fine = np.linspace(0.0, schedule.horizon * 0.97, 200_001)
    rate = schedule.diffusion(fine) ** 2
    grown = np.concatenate([[0.0], np.cumsum((rate[1:] + rate[:-1]) / 2 * np.diff(fine))])
    assert alpha == pytest.approx(np.exp(-np.interp(t, fine, grown) / 2), rel=1e-5)
    if getattr(schedule, "clip", None) == 3.0:
        assert schedule.clip_time < t[30]


def test_weights_are_normalised_to_the_roundings_of_their_type():
    w = np.random.default_rng(0).random(50).astype(np.float32)
    w /= w.sum()
    assert abs(float(w.astype(float).sum()) - 1) > 1e-9
    m = GaussianMixture(w, np.zeros((50, 1)), np.ones((50, 1, 1)))
    assert m.weights.sum() == pytest.approx(1, abs=1e-15)
    assert Atoms(np.zeros((50, 2)), w).weights.sum() == pytest.approx(1, abs=1e-15)
    with pytest.raises(ArgumentError, match=r"got a sum of 1\.001.*divide them by their sum"):
        Atoms(np.zeros((50, 2)), w * np.float32(1.001))


@pytest.mark.parametrize(
    ("covariances", "remedy"),
    [
        (np.ones((2, 3)), r"np\.diag\(v\) for v in variances"),
        (np.ones(2), r"v \* np\.eye\(3\)"),
        (1.0, r"v \* np\.eye\(3\)"),
        (np.eye(3), r"np\.stack\(\[covariance\] \* 2\)"),
    ],
)
def test_a_covariance_of_another_shape_is_told_what_to_pass(covariances, remedy):
    with pytest.raises(ArgumentError, match=remedy):
        GaussianMixture([0.5, 0.5], np.zeros((2, 3)), covariances)


def test_noise_of_another_shape_is_told_what_to_pass():
    with pytest.raises(ArgumentError, match=r"pass np\.diag\(variances\)"):
        Atoms(np.zeros((4, 3))).noised(np.ones(3))
