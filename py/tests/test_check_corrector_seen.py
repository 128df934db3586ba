"""`check_corrector`: what a batch decides, walls, far ratios, and where rng and key stand."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import CallableError

check = sp.check_corrector


def norms(a):
    return np.linalg.norm(a, axis=1, keepdims=True)


def snr_step(score, x, snr, rng, measured=True, more=0.0):
    g, z = score(x), rng.standard_normal(x.shape)
    e = 2 * (snr * norms(z).mean() / norms(g).mean()) ** 2
    return x + e * g + np.sqrt(2 * e) * (z if measured else rng.standard_normal(x.shape)) + more


def test_sizes_from_other_noise_are_not_mixed_rows():
    evidence = check(lambda score, x, snr, rng: snr_step(score, x, snr, rng, measured=False))
    assert evidence.verdict == "undecided" and "size of its step" in evidence.sentence


def test_what_is_added_to_all_rows_is_not_mixed_rows():
    evidence = check(lambda score, x, snr, rng: snr_step(score, x, snr, rng, more=0.03))
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ("offset",)


@pytest.mark.parametrize("centred", ["x", "score", "noise"])
def test_means_of_the_batch_are_mixed_rows(centred):
    def kernel(score, x, h, rng):
        z, s = rng.standard_normal(x.shape), score(x)
        y = x - 0.02 * x.mean(axis=0) if centred == "x" else x
        s = s - s.mean(axis=0) if centred == "score" else s
        z = z - z.mean(axis=0) if centred == "noise" else z
        return y + h * s + np.sqrt(2 * h) * z

    evidence = check(kernel)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ("rows_mixed",)


def walk(log_prob, x, h, rng, ratio=lambda r, y: r):
    y = x + h * rng.standard_normal(x.shape)
    r = ratio(log_prob(y) - log_prob(x), y)
    return np.where((np.log(rng.random(len(x))) < r)[:, None], y, x)


@pytest.mark.filterwarnings("error")
def test_a_wall_is_no_noise_of_one_side():
    for wall in (2.2, 4.2):

        def walled(log_prob, x, h, rng, wall=wall):
            inside = lambda r, y: np.where(np.abs(y).max(axis=1) > wall, -np.inf, r)  # noqa: E731
            return walk(log_prob, x, h, rng, inside)

        evidence = check(walled)
        assert evidence.verdict == "undecided" and "a wall" in evidence.sentence


@pytest.mark.parametrize("floor", [-2.5, -4.5])
def test_ratios_that_are_clipped_are_seen_far_out(floor):
    def clipped(log_prob, x, h, rng):
        return walk(log_prob, x, h, rng, lambda r, y: np.maximum(r, floor))

    assert check(clipped).verdict == "refuted"


def test_a_log_density_with_a_floor_is_seen_far_out():
    def floored(log_prob, x, h, rng):
        return walk(lambda y: np.maximum(log_prob(y), -28.0), x, h, rng)

    assert check(floored).verdict == "refuted"


def test_a_width_of_x_whose_normalisation_is_left_out_is_no_mass():
    def kernel(log_prob, x, h, rng, log_of_width=0):
        def width(a):
            return h * (1 + 0.5 * norms(a))

        def log_q(b, a):
            rest = -np.sum((b - a) ** 2, axis=1) / (2 * width(a)[:, 0] ** 2)
            return rest - log_of_width * x.shape[1] * np.log(width(a)[:, 0])

        y = x + width(x) * rng.standard_normal(x.shape)
        r = log_prob(y) - log_prob(x) + log_q(x, y) - log_q(y, x)
        return np.where((np.log(rng.random(len(x))) < r)[:, None], y, x)

    wrong = check(kernel, step_size=0.2)
    assert wrong.verdict == "refuted" and wrong.diagnosis.names == ("no_determinant",)
    assert check(kernel, step_size=0.2, options={"log_of_width": 1}).verdict != "refuted"


def langevin(score, x, h, rng):
    return x + h * score(x) + np.sqrt(2 * h) * rng.standard_normal(x.shape)


@pytest.mark.parametrize(
    "kernel",
    [
        lambda rng, x, score, h: langevin(score, x, h, rng),
        lambda x, random_state, score, h: langevin(score, x, h, random_state),
        lambda generator, x, score, h=0.1: langevin(score, x, h, generator),
    ],
)
def test_rng_in_any_place(kernel):
    assert check(kernel)


def test_rng_by_given():
    def kernel(a, b, c, d):
        return langevin(c, b, d, a)

    assert check(kernel, given=("rng", "x", "score", "h"))


def test_a_key_in_front_and_a_gradient_of_one_point():
    jax = pytest.importorskip("jax")

    def one(key, x, log_prob, h):
        noise = jax.random.normal(key, x.shape)
        return x + h * jax.grad(log_prob)(x) + jax.numpy.sqrt(2 * h) * noise

    with pytest.raises(CallableError, match=r"jax.vmap"):
        check(one, framework="jax")


def test_several_draws_have_a_remedy_that_can_be_followed():
    def block(log_prob, x, h, rng):
        step = np.zeros_like(x)
        step[:, 0] = h * rng.standard_normal(len(x))
        r = log_prob(x + step) - log_prob(x)
        return np.where((np.log(rng.random(len(x))) < r)[:, None], x + step, x)

    def barker(log_prob, grad, x, h, rng):
        z = h * rng.standard_normal(x.shape)
        sign = np.where(rng.random(x.shape) < 1 / (1 + np.exp(-z * grad(x))), 1, -1)
        y = x + sign * z
        r = log_prob(y) - log_prob(x)
        return np.where((np.log(rng.random(len(x))) < r)[:, None], y, x)

    for kernel in (block, barker):
        evidence = check(kernel)
        assert evidence.verdict == "undecided" and "n_steps" not in evidence.sentence


@pytest.mark.parametrize("h", [0.05, 0.3, 1.0])
@pytest.mark.parametrize("joint", [np.sum, np.mean])
def test_a_joint_ratio_is_seen_beside_far_pairs(h, joint):
    def kernel(log_prob, x, h, rng):
        return walk(log_prob, x, h, rng, lambda r, y: joint(r) + 0 * r)

    evidence = check(kernel, step_size=h)
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == ("accepted_together",)


@pytest.mark.parametrize(
    ("ends", "says"), [((-1, 1), "below -1 or above 1"), ((0, None), "below 0")]
)
def test_a_state_that_is_clamped_in_the_step_is_refuted(ends, says):
    def ula(score, x, step_size, rng):
        noise = rng.standard_normal(x.shape)
        return np.clip(x + step_size * score(x) + np.sqrt(2 * step_size) * noise, *ends)

    found = check(ula)
    assert found.verdict == "refuted" and found.diagnosis.names == ("x_clipped",)
    assert says in found.sentence and "Clip the prediction of x_0" in found.explain()


def test_a_clamp_where_there_is_no_mass_is_none():
    def ula(score, x, step_size, rng):
        noise = rng.standard_normal(x.shape)
        return np.clip(x + step_size * score(x) + np.sqrt(2 * step_size) * noise, -50, 50)

    assert check(ula).verdict == "holds"


@pytest.mark.parametrize("half", [False, True])
def test_a_time_that_wants_rows_goes_in_as_rows(half):
    """score_sde's correctors take vec_t under the name t."""
    torch = pytest.importorskip("torch")

    class LangevinCorrector:
        def __init__(self, score_fn, snr):
            self.score_fn, self.snr = score_fn, snr

        def update_fn(self, x, t):
            grad, noise = self.score_fn(x, t), torch.randn_like(x)
            sizes = [torch.norm(v.reshape(len(v), -1), dim=-1).mean() for v in (noise, grad)]
            step_size = (self.snr * sizes[0] / sizes[1]) ** 2 * 2 * torch.ones_like(t)
            x_mean = x + step_size[:, None] * grad
            return x_mean + torch.sqrt(step_size * (1 if half else 2))[:, None] * noise, x_mean

    def corrector(score, x, t):
        return LangevinCorrector(score, 0.16).update_fn(x, t)

    found = check(corrector, snr=0.16, framework="torch")
    assert found.verdict == ("refuted" if half else "holds"), found.sentence


@pytest.mark.parametrize("draw", ["random", "uniform"])
def test_uniform_noise_of_mean_a_half_is_refuted(draw):
    def ula(score, x, step_size, rng):
        noise = getattr(rng, draw)(size=x.shape)
        return x + step_size * score(x) + np.sqrt(2 * step_size) * noise

    found = check(ula)
    assert found.verdict == "refuted" and found.diagnosis.names == ("uniform_noise",)
    assert "standard_normal" in found.explain()


def test_uniform_noise_of_mean_nothing_is_left_open():
    def ula(score, x, step_size, rng):
        noise = np.sqrt(3) * rng.uniform(-1, 1, size=x.shape)
        return x + step_size * score(x) + np.sqrt(2 * step_size) * noise

    found = check(ula)
    assert found.verdict == "undecided" and "draw normal noise (standard_normal" in found.sentence
