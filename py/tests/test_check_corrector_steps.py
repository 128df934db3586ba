"""`check_corrector`: steps that follow x, clips, orders of ½, noise twice, kernels of one level."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.schedules import VPLinear

check = sp.check_corrector


def norms(v):
    return np.linalg.norm(v, axis=1, keepdims=True)


def langevin(score, x, h, rng):
    """h may be of each row."""
    return x + h * score(x) + np.sqrt(2 * h) * rng.standard_normal(x.shape)


def by_x(score, x, h, rng):
    return langevin(score, x, h * (0.5 + np.tanh(x[:, :1]) ** 2), rng)


def twice_by_score(score, x, h, rng):
    for _ in range(2):
        x = langevin(score, x, h / (1 + norms(score(x))), rng)
    return x


@pytest.mark.parametrize("kernel", [by_x, twice_by_score])
def test_a_step_size_that_follows_x_is_refuted_and_without_an_argument_left_open(kernel):
    evidence = check(kernel)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ("step_of_x",)
    assert "∝ p/e, not to p_t" in evidence.sentence
    fixed = check(lambda score, x, rng: kernel(score, x, 0.01, rng))
    assert fixed.verdict == "undecided" and "another one in each row" in fixed.sentence


def test_with_the_divergence_it_is_not_refuted():
    def whole(score, x, h, rng):
        size = 0.5 + norms(x) ** 2
        return langevin(score, x, h * size, rng) + 2 * h * x

    def each_coordinate(score, x, h, rng):
        size = 0.5 + x**2
        drift = size * score(x) + 2 * x
        return x + h * drift + np.sqrt(2 * h * size) * rng.standard_normal(x.shape)

    for kernel in (whole, each_coordinate):
        evidence = check(kernel)
        assert evidence.verdict == "undecided" and "divergence" in evidence.sentence


def test_a_step_that_is_tamed_in_drift_and_noise_tends_to_one_size():
    evidence = check(lambda score, x, h, rng: langevin(score, x, h / (1 + h * norms(x)), rng))
    assert evidence and "tend to h · score(x)" in evidence.sentence
    twice = check(lambda score, x, h, rng: langevin(score, x, 2 * h / (1 + h * norms(x)), rng))
    assert twice and "tend to 2 h · score(x)" in twice.sentence


def test_steps_that_differ_by_place_noise_or_batch_are_left_open():
    def by_place(score, x, h, rng):
        return langevin(score, x, h * (1 + np.arange(len(x))[:, None] % 2), rng)

    def by_noise(score, x, h, rng):
        z = rng.standard_normal(x.shape)
        size = h * (1 + np.tanh(z[:, :1]) ** 2)
        return x + size * score(x) + np.sqrt(2 * size) * z

    def by_batch(score, x, h, rng):
        return langevin(score, x, h / norms(score(x)).mean(), rng)

    for kernel in (by_place, by_noise, by_batch):
        evidence = check(kernel)
        assert evidence.verdict == "undecided", kernel
        assert "take a step size" in evidence.sentence or "take one step" in evidence.sentence


def test_each_row_with_a_ratio_of_its_own_is_left_open():
    def kernel(score, x, rng, snr=0.16):
        s, z = score(x), rng.standard_normal(x.shape)
        size = 2 * (snr * norms(z) / norms(s)) ** 2
        return x + size * s + np.sqrt(2 * size) * z

    assert check(kernel).verdict == "undecided"
    assert check(kernel, snr=0.16).verdict == "refuted"


CLIPS = {
    "score": lambda score, x, h, rng: langevin(lambda y: np.clip(score(y), -2, 2), x, h, rng),
    "one side": lambda score, x, h, rng: langevin(lambda y: np.minimum(score(y), 2.5), x, h, rng),
    "other side": lambda score, x, h, rng: langevin(lambda y: np.maximum(score(y), -3), x, h, rng),
    "norm": lambda score, x, h, rng: langevin(
        lambda y: score(y) * np.minimum(1, 2.5 / norms(score(y))), x, h, rng
    ),
    "noise": lambda score, x, h, rng: (
        x + h * score(x) + np.sqrt(2 * h) * np.clip(rng.standard_normal(x.shape), -3.5, 3.5)
    ),
    "box": lambda score, x, h, rng: np.clip(langevin(score, x, h, rng), -4, 4),
}


@pytest.mark.parametrize("clip", CLIPS)
def test_what_is_clipped_where_p_has_mass_does_not_hold(clip):
    for kernel in (CLIPS[clip], lambda score, x, rng: CLIPS[clip](score, x, 0.01, rng)):
        evidence = check(kernel)
        assert evidence.verdict != "holds", evidence.explain()
        if evidence.verdict == "undecided":
            assert "standard deviations from the mean on" in evidence.sentence
            assert evidence.value > 1e-3


def test_a_score_that_is_left_out_far_away_does_not_hold():
    def kernel(score, x, h, rng):
        return langevin(lambda y: np.where(norms(y) > 6, 0, score(y)), x, h, rng)

    for one in (kernel, lambda score, x, rng: kernel(score, x, 0.01, rng)):
        assert check(one).verdict == "undecided"


def test_a_clip_that_goes_away_with_the_step_is_none():
    def kernel(score, x, h, rng):
        s = score(x)
        return langevin(lambda y: s / (1 + h * norms(s)), x, h, rng)

    evidence = check(kernel)
    assert evidence and "up to 4 standard deviations" in evidence.explain()
    assert "up to 4 standard deviations" in check(langevin).explain()


def symplectic(x, v, grad, h, rng, noise=1.0):
    dt = np.sqrt(h)
    v = v + dt * grad(x) - dt * v + noise * np.sqrt(2 * dt) * rng.standard_normal(x.shape)
    return x + dt * v, v


def explicit(x, v, grad, h, rng, noise=1.0):
    dt = np.sqrt(h)
    z = noise * np.sqrt(2 * dt) * rng.standard_normal(x.shape)
    return x + dt * v, v + dt * grad(x) - dt * v + z


def rooted(x, grad, h, rng, noise=1.0):
    z = rng.standard_normal(x.shape)
    return x + h * (1 + np.sqrt(h)) * grad(x) + noise * np.sqrt(2 * h) * z


@pytest.mark.parametrize("kernel", [symplectic, explicit])
def test_a_bias_of_order_a_half_is_no_mistake(kernel):
    evidence = check(kernel)
    assert evidence and abs(evidence.order - 0.5) < 0.05
    wrong = check(lambda x, v, grad, h, rng: kernel(x, v, grad, h, rng, 1.001))
    assert wrong.verdict == "refuted" and wrong.value == pytest.approx(1e-3, rel=0.1)


def test_a_drift_with_a_root_of_the_step():
    assert check(rooted)
    wrong = check(lambda x, grad, h, rng: rooted(x, grad, h, rng, 1.001))
    assert wrong.verdict == "refuted"


def double(mean, cov, x, rng, c=2.0):
    return mean + np.sqrt(c) * rng.standard_normal(x.shape) @ np.linalg.cholesky(cov).T


def jacobi(mean, precision, x, rng, c=2.0):
    diagonal = np.diag(precision)
    y = x - (x - mean) @ precision / diagonal
    return y + np.sqrt(c / diagonal) * rng.standard_normal(x.shape)


@pytest.mark.parametrize("kernel", [double, jacobi])
def test_told_mean_and_covariance_alone_a_kernel_has_to_keep_the_law(kernel):
    evidence = check(kernel)
    assert evidence.verdict == "refuted" and "as it is" in evidence.sentence
    assert "smaller steps cure" not in evidence.explain()
    one = check(lambda mean, cov, x, rng: double(mean, cov, x, rng, 1.0))
    assert one
    # of Jacobi's the noise that goes with its drift is no multiple of what it draws
    wrong = check(lambda mean, precision, x, rng: jacobi(mean, precision, x, rng, 1.0))
    assert wrong.verdict == "refuted" and not wrong.diagnosis


def test_rounding_is_no_multiple_of_x():
    def transposed(mean, cov, x, rng):
        return mean + rng.standard_normal(x.shape) @ np.linalg.cholesky(cov)

    evidence = check(transposed)
    assert evidence.verdict == "refuted" and not evidence.diagnosis


def test_one_draw_in_two_steps_and_two_scores_with_twice_the_noise():
    def reused(score, x, h, rng):
        z = rng.standard_normal(x.shape)
        for _ in range(2):
            x = x + h * score(x) + np.sqrt(2 * h) * z
        return x

    evidence = check(reused)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ("noise_reused",)

    def heun(score, x, h, rng):
        noise = 2 * np.sqrt(h) * rng.standard_normal(x.shape)
        return x + h / 2 * (score(x) + score(x + h * score(x) + noise)) + noise

    other = check(heun)
    assert other.verdict == "refuted" and other.diagnosis.names == ("half",)


def test_a_variance_that_is_off_by_little_is_no_offset():
    evidence = check(lambda score, x, h, rng: langevin(lambda y: 1.001 * score(y), x, h, rng))
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ("noise_size",)
    moved = check(lambda score, x, h, rng: langevin(lambda y: score(y) + 0.01, x, h, rng))
    assert moved.verdict == "refuted" and moved.diagnosis.names == ("offset",)


def anneal(x, score, sigmas, rng, eps=2e-3):
    for sigma in sigmas:
        step = eps * (sigma / sigmas[-1]) ** 2
        for _ in range(2):
            x = x + step / 2 * score(x, sigma) + np.sqrt(step) * rng.standard_normal(x.shape)
    return x


def test_a_kernel_of_one_level_says_itself_which():
    one = check(lambda x, score, rng: anneal(x, score, [1.0], rng))
    assert one and "takes no t, and asks its model at t = 1 alone" in one.explain()
    assert check(lambda x, score, rng: anneal(x, score, [1.0], rng), t=1.0)
    named = check(lambda x, score, rng: anneal(x, score, [1.0], rng), t=0.5)
    assert named.verdict == "refuted" and "p_t is that of t = 0.5" in named.explain()
    several = check(lambda x, score, rng: anneal(x, score, [2.0, 1.0], rng))
    assert several.verdict == "undecided" and "a kernel of one level" in several.sentence


def test_the_level_of_a_models_own_time():
    def kernel(x, model, rng, sigma=0.4):
        return langevin(lambda y: -model(y, 0.4) / sigma, x, 1e-3, rng)

    assert check(kernel, prediction="eps")
    wrong = check(lambda x, model, rng: kernel(x, model, rng, 1.0), prediction="eps")
    assert wrong.verdict == "refuted" and wrong.diagnosis.names == ("sigma",)


def test_an_alpha_that_nobody_named_is_told():
    def corrector(model, x, t, rng, snr=0.16):
        s, z = model(x, t), rng.standard_normal(x.shape)
        size = 2 * (snr * norms(z).mean() / norms(s).mean()) ** 2
        return x + size * s + np.sqrt(2 * size) * z

    evidence = check(corrector, VPLinear(0.1, 6.0), snr=0.16)
    assert evidence and "α = 1 (none was named" in evidence.sentence
    assert "none was named" not in check(corrector, snr=0.16).sentence


def test_a_step_that_leads_to_the_mean_is_no_small_one():
    def kernel(score, cov, x, rng, m=1.0):
        root = np.linalg.cholesky(cov)
        return x + m * score(x) @ cov + np.sqrt(2 * m) * rng.standard_normal(x.shape) @ root.T

    assert check(kernel).verdict == "undecided"  # draws of twice the covariance
    small = check(lambda score, cov, x, rng: kernel(score, cov, x, rng, 0.2))
    assert small and "it takes no step size" in small.sentence


def test_an_order_of_a_half_in_single_precision_is_not_refuted():
    torch = pytest.importorskip("torch")

    def kernel(score, x, h, noise=2.0):
        return x + h * (1 + h**0.5) * score(x) + (noise * h) ** 0.5 * torch.randn_like(x)

    assert check(kernel, framework="torch", dtype="float32").verdict != "refuted"
    wrong = check(lambda score, x, h: kernel(score, x, h, 1.0), framework="torch", dtype="float32")
    assert wrong.verdict == "refuted"
