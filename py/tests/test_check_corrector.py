"""`check_corrector` on right and wrong kernels: Langevin, Gibbs, SNR-based and Metropolis steps."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import VPLinear

check = sp.check_corrector


def ula(score, x, step_size, rng):
    return x + step_size * score(x) + np.sqrt(2 * step_size) * rng.standard_normal(x.shape)


def half(grad_log_prob, x, eps, random_state, n_steps=3):
    for _ in range(n_steps):
        noise = random_state.randn(*x.shape)
        x = x + eps / 2 * grad_log_prob(x) + np.sqrt(eps) * noise
    return x


def preconditioned(score, x, h, rng):
    root = np.array([[1, 0, 0, 0], [0.5, 1, 0, 0], [0, 0.3, 1, 0], [0, 0, 0.2, 0.5]])
    return x + h * score(x) @ root @ root.T + (2 * h) ** 0.5 * rng.normal(size=x.shape) @ root.T


def tamed(score, x, step_size, rng):
    s = score(x)
    drift = step_size * s / (1 + step_size * np.linalg.norm(s, axis=1, keepdims=True))
    return x + drift + np.sqrt(2 * step_size) * rng.standard_normal(x.shape)


def heun(score, x, h, rng):
    noise = np.sqrt(2 * h) * rng.standard_normal(x.shape)
    ahead = x + h * score(x) + noise
    return x + h / 2 * (score(x) + score(ahead)) + noise


def baoab(score, x, v, h, rng, friction=1.5):
    v = v + h / 2 * score(x)
    x = x + h / 2 * v
    c = np.exp(-friction * h)
    v = c * v + np.sqrt(1 - c * c) * rng.standard_normal(x.shape)
    x = x + h / 2 * v
    return x, v + h / 2 * score(x)


def obabo(score, x, v, h, rng, friction=1.5):
    c = np.exp(-friction * h)
    for half_way in (True, False):
        v = v if half_way else v + h / 2 * score(x)
        v = np.sqrt(c) * v + np.sqrt(1 - c) * rng.standard_normal(x.shape)
        v = v + h / 2 * score(x) if half_way else v
        x = x + h * v if half_way else x
    return x, v


def euler_underdamped(potential, grad_potential, q, p, dt, rng):
    noise = np.sqrt(2 * dt) * rng.standard_normal(q.shape)
    return q + dt * p, p - dt * grad_potential(q) - dt * p + noise


@pytest.mark.parametrize(
    ("kernel", "order"),
    [
        (ula, 1),
        (half, 1),
        (preconditioned, 1),
        (heun, 2),
        (baoab, np.inf),
        (obabo, 2),
        (euler_underdamped, 1),
    ],
)
def test_right_kernels_tend_to_the_law(kernel, order):
    evidence = check(kernel)
    assert evidence and evidence.kind == "convergent", evidence.explain()
    assert evidence.order == order or abs(evidence.order - order) < 0.1
    assert evidence.resolution < 1e-8


def test_the_first_step_size_is_the_callers():
    evidence = check(ula, step_size=0.02)
    assert "step_size 0.02 to" in evidence.sentence and evidence


def test_a_tamed_score_is_right_in_the_limit_and_without_a_step_size_not_seen():
    evidence = check(tamed)
    assert evidence and evidence.resolution < 1e-6
    fixed = check(lambda score, x, rng: tamed(score, x, 0.1, rng))
    assert fixed.verdict == "undecided" and "let it take an argument step_size" in fixed.sentence


def test_a_fixed_step_is_judged_with_wider_targets():
    def annealed(x, scorenet, rng, step_lr=1e-5, sigma=0.3, sigma_last=0.01):
        states = [x]
        step = step_lr * (sigma / sigma_last) ** 2
        for _ in range(5):
            noise = rng.standard_normal(x.shape) * (step * 2) ** 0.5
            x = x + step * scorenet(x) + noise
            states.append(x)
        return states

    evidence = check(annealed)
    assert evidence and evidence.resolution < 1e-7
    assert "the target wider by 2" in evidence.explain() and abs(evidence.order - 1) < 0.1


def sweep(x, mean, precision, rng, scale=1.0):
    x, z = x.copy(), rng.standard_normal(x.shape)
    for i in range(x.shape[1]):
        rest = (x - mean) @ precision[:, i] - precision[i, i] * (x[:, i] - mean[i])
        x[:, i] = mean[i] - rest / precision[i, i] + scale * z[:, i] / precision[i, i] ** 0.5
    return x


def pcn(x, mean, cov, rng, beta=0.3):
    noise = rng.standard_normal(x.shape) @ np.linalg.cholesky(cov).T
    return mean + np.sqrt(1 - beta**2) * (x - mean) + beta * noise


@pytest.mark.parametrize("kernel", [sweep, pcn])
def test_exact_kernels_keep_the_law_to_rounding(kernel):
    evidence = check(kernel)
    assert evidence and evidence.resolution < 1e-10
    assert "leads to p_t" in evidence.sentence


def test_noise_for_some_coordinates_at_a_time():
    def block(x, mean, cov, rng):
        x = x.copy()
        for i, j in (([0, 1], [2, 3]), ([2, 3], [0, 1])):
            gain = cov[np.ix_(i, j)] @ np.linalg.inv(cov[np.ix_(j, j)])
            left = np.linalg.cholesky(cov[np.ix_(i, i)] - gain @ cov[np.ix_(j, i)])
            noise = rng.standard_normal((len(x), 2)) @ left.T
            x[:, i] = mean[i] + (x[:, j] - mean[j]) @ gain.T + noise
        return x

    def one_by_one(x, mean, precision, rng):
        x = x.copy()
        for i in range(x.shape[1]):
            rest = (x - mean) @ precision[:, i] - precision[i, i] * (x[:, i] - mean[i])
            noise = rng.standard_normal(len(x)) / precision[i, i] ** 0.5
            x[:, i] = mean[i] - rest / precision[i, i] + noise
        return x

    assert check(block) and check(one_by_one)
    wrong = check(lambda x, mean, precision, rng: 1.01 * one_by_one(x, mean, precision, rng))
    assert wrong.verdict == "refuted"


def test_a_gibbs_step_that_is_not_exact():
    evidence = check(lambda x, mean, precision, rng: sweep(x, mean, precision, rng, 1.001))
    assert evidence.verdict == "refuted" and "1.002 times" in evidence.sentence


def test_one_coordinate_of_a_sweep_keeps_the_law_and_reaches_not_all_of_it():
    def one(x, mean, precision, rng):
        new = sweep(x, mean, precision, rng)
        return np.concatenate([new[:, :1], x[:, 1:]], axis=1)

    evidence = check(one)
    assert evidence and "does not reach all of the space" in evidence.explain()


def test_a_step_that_goes_with_the_target_is_judged_as_it_is():
    def natural(score, x, cov, rng):
        root = np.linalg.cholesky(cov)
        return x + 0.1 * score(x) @ cov + np.sqrt(0.2) * rng.standard_normal(x.shape) @ root.T

    def wrong(score, x, cov, rng):
        root = np.linalg.cholesky(cov)
        return x + 0.1 * score(x) @ cov + np.sqrt(0.1) * rng.standard_normal(x.shape) @ root.T

    evidence = check(natural)
    assert evidence and "standard deviations off p_t" in evidence.sentence
    open_ = check(wrong)
    assert open_.verdict == "undecided" and "by tolerance=" in open_.sentence
    assert check(wrong, tolerance=0.05).verdict == "refuted"
    assert check(natural, tolerance=0.05)


def test_deviations_down_to_the_resolution_are_seen():
    for part in (1e-2, 1e-4, 1e-6):
        evidence = check(
            lambda score, x, step_size, rng, part=part: (
                x
                + step_size * score(x)
                + (1 + part) * np.sqrt(2 * step_size) * rng.standard_normal(x.shape)
            )
        )
        assert evidence.verdict == "refuted", part
        assert evidence.value == pytest.approx(part, rel=0.01)


def test_a_tolerance_is_a_relative_error_of_the_law():
    def nearly(score, x, step_size, rng):
        return ula(lambda y: 1.01 * score(y), x, step_size, rng)

    assert check(nearly).verdict == "refuted"
    assert check(nearly, tolerance=0.02)


def test_no_invariant_law():
    evidence = check(lambda score, x, step_size, rng: ula(lambda y: -score(y), x, step_size, rng))
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ("sign",)
    walk = check(lambda score, x, step_size, rng: ula(lambda y: 0 * score(y), x, step_size, rng))
    assert walk.verdict == "refuted" and walk.diagnosis.names == ("no_drift",)
    still = check(lambda score, x, step_size: x + step_size * score(x))
    assert still.verdict == "refuted" and still.diagnosis.names == ("no_noise",)


def snr_corrector(model, x, t, rng, snr=0.16, alpha=1.0, n_steps=2):
    for _ in range(n_steps):
        grad, noise = model(x, t), rng.standard_normal(x.shape)
        norms = [np.linalg.norm(v.reshape(len(x), -1), axis=-1).mean() for v in (grad, noise)]
        step = (snr * norms[1] / norms[0]) ** 2 * 2 * alpha
        mean = x + step * grad
        x = mean + np.sqrt(2 * step) * noise
    return x, mean


def test_a_step_size_from_the_signal_to_noise_ratio():
    evidence = check(snr_corrector, snr=0.16)
    assert evidence and evidence.resolution < 1e-9
    assert "p_t itself is not kept" in evidence.explain()
    assert check(snr_corrector, shape=(3, 4, 4))
    other = check(snr_corrector, snr=0.17)
    assert other.verdict == "refuted" and "times ε = 2 α" in other.sentence
    assert check(
        lambda model, x, t, rng: snr_corrector(model, x, t, rng, alpha=0.95), snr=0.16, alpha=0.95
    )


def test_another_rule_is_refuted_where_the_rule_is_claimed():
    def corrector(model, x, t, snr, rng):
        return snr_corrector(model, x, t, rng, snr=snr / 2)

    assert check(corrector)
    assert check(corrector, snr=0.16).verdict == "refuted"


def test_further_arguments_and_objects():
    evidence = check(half, options={"n_steps": 1})
    assert evidence and check(half).notes != evidence.notes

    class Corrector:
        scale = 1.0

        def step(self, score, x, step_size, rng):
            return ula(score, x, self.scale * step_size, rng)

        __call__ = step

    assert check(Corrector().step) and check(Corrector())


def test_alpha_of_the_rule_is_the_callers_to_name():
    evidence = check(lambda model, x, t, rng: snr_corrector(model, x, t, rng, alpha=0.95), snr=0.16)
    assert evidence.verdict == "refuted" and not evidence.diagnosis.names
    assert "is named by alpha=" in evidence.explain()


class Discrete:
    """A VP process as score_sde has it, with the tables of its N steps."""

    N, T = 1000, 1

    def __init__(self, **tables):
        vars(self).update(tables)

    def marginal_prob(self, x, t):
        log_mean = -0.25 * t**2 * 19.9 - 0.05 * t
        return np.exp(log_mean)[:, None] * x, np.sqrt(1 - np.exp(2 * log_mean))


BETAS = np.linspace(0.1, 20, 1000) / 1000


@pytest.mark.parametrize(
    ("tables", "alpha", "verdict"),
    [
        ({"alphas": 1 - BETAS}, 1 - BETAS[499], "holds"),
        ({"discrete_betas": BETAS}, 1 - BETAS[499], "holds"),
        ({"alphas": 1 - BETAS}, 1.0, "holds"),
        ({"alphas": 1 - BETAS}, 0.95, "undecided"),
        ({}, 0.99, "undecided"),
        ({}, 0.5, "refuted"),
        ({"alphas": 1 - BETAS}, 1.1, "refuted"),
    ],
    ids=["alphas", "betas", "one", "another", "no table", "half", "more"],
)
def test_alpha_of_a_process_is_its_own_where_it_tells(tables, alpha, verdict):
    evidence = check(
        lambda model, x, t, rng: snr_corrector(model, x, t, rng, alpha=alpha),
        Discrete(**tables),
        snr=0.16,
        t=0.5,
    )
    assert evidence.verdict == verdict, evidence.explain()
    if verdict == "undecided":
        assert evidence.sentence.endswith("pass it as alpha=")
    if verdict == "holds" and alpha != 1:
        assert "α = 0.99 of the process" in evidence.sentence


def test_the_tutorials_rule_has_the_expected_norm_of_the_noise():
    def corrector(score_model, x, t, rng, snr=0.16):
        grad = score_model(x, t)
        norm = np.linalg.norm(grad.reshape(len(grad), -1), axis=-1).mean()
        step = 2 * (snr * np.sqrt(np.prod(x.shape[1:])) / norm) ** 2
        return x + step * grad + np.sqrt(2 * step) * rng.standard_normal(x.shape)

    assert check(corrector, snr=0.16)


def test_models_of_other_predictions_and_processes():
    process = VPLinear(0.1, 6.0)

    def corrector(model, x, t, step_size, rng):
        score = -model(x, t) / process.sigma(t)
        return x + step_size * score + np.sqrt(2 * step_size) * rng.standard_normal(x.shape)

    assert check(corrector, process, prediction="eps")
    assert check(corrector, process, prediction="eps", t=0.3)
    wrong = check(corrector, process, prediction="x0")
    assert wrong.verdict == "refuted"

    table = DiscreteVP(np.linspace(1e-4, 0.02, 1000))

    def discrete(model, x, t, h, rng):
        assert isinstance(t, int)
        x0 = model(x, t)
        score = (table.alpha(t) * x0 - x) / table.sigma(t) ** 2
        return x + h * score + np.sqrt(2 * h) * rng.standard_normal(x.shape)

    assert check(discrete, table, prediction="x0", t=400)


def test_arguments_by_given():
    def kernel(a, b, c, rng):
        return ula(a, b, c, rng)

    assert check(kernel, given=("score", "x", "step_size"))
    with pytest.raises(ArgumentError, match="known by their names"):
        check(kernel)


def test_noise_that_is_handed_over():
    def kernel(score, x, noise, step_size):
        return x + step_size * score(x) + (2 * step_size) ** 0.5 * noise

    assert check(kernel)


def walk(log_prob, x, step_size, rng):
    y = x + step_size * rng.standard_normal(x.shape)
    accept = np.log(rng.random(len(x))) < log_prob(y) - log_prob(x)
    return np.where(accept[:, None], y, x)


def mala(log_prob, grad, x, h, rng):
    def q(b, a):
        return -np.sum((b - a - h * grad(a)) ** 2, axis=1) / (4 * h)

    y = x + h * grad(x) + np.sqrt(2 * h) * rng.standard_normal(x.shape)
    ratio = log_prob(y) + q(x, y) - log_prob(x) - q(y, x)
    return np.where((-rng.exponential(size=len(x)) < ratio)[:, None], y, x)


def hmc(potential, grad_potential, q, step_size, rng, n_steps=4):
    p = start = rng.standard_normal(q.shape)
    y = q
    p = p - step_size / 2 * grad_potential(y)
    for k in range(n_steps):
        y = y + step_size * p
        p = p - step_size * grad_potential(y) * (1 if k < n_steps - 1 else 0.5)
    energy = potential(q) + np.sum(start**2, axis=1) / 2
    accept = rng.uniform(size=len(q)) > 1 - np.exp(energy - potential(y) - np.sum(p**2, 1) / 2)
    return np.where(accept[:, None], y, q)


def independence(log_prob, x, rng):
    y = 2 * rng.standard_normal(x.shape)
    ratio = log_prob(y) + np.sum(y**2, 1) / 8 - log_prob(x) - np.sum(x**2, 1) / 8
    return np.where((rng.random(len(x)) < np.exp(ratio))[:, None], y, x)


def barker(log_prob, x, h, rng):
    y = x + h * rng.uniform(-1, 1, x.shape)
    accept = rng.random(len(x)) < 1 / (1 + np.exp(log_prob(x) - log_prob(y)))
    return np.where(accept[:, None], y, x)


@pytest.mark.parametrize("kernel", [walk, mala, hmc, independence, barker])
def test_right_metropolis_kernels(kernel):
    evidence = check(kernel) if kernel is independence else check(kernel, step_size=0.4)
    assert evidence and evidence.resolution < 1e-5, evidence.explain()
    assert "for a Gaussian and for a mixture" in evidence.sentence


def test_an_acceptance_that_is_off_by_little():
    def wrong(log_prob, x, step_size, rng):
        y = x + step_size * rng.standard_normal(x.shape)
        accept = rng.random(len(x)) < np.exp(log_prob(y) - log_prob(x)) * (1 + 1e-5)
        return np.where(accept[:, None], y, x)

    evidence = check(wrong, step_size=0.5)
    assert evidence.verdict == "refuted" and evidence.value < 3e-5


def test_a_mistake_that_only_a_mixture_shows():
    def wrong(log_prob, grad, x, h, rng):  # a Gaussian's change of log p, by the trapezoid
        y = x + h * rng.standard_normal(x.shape)
        change = np.sum((y - x) * (grad(x) + grad(y)), axis=1) / 2
        return np.where((np.log(rng.random(len(x))) < change + 0 * log_prob(x))[:, None], y, x)

    evidence = check(wrong, step_size=1.0)
    assert evidence.verdict == "refuted" and "a mixture" in evidence.sentence


def test_several_metropolis_steps_in_a_call_are_left_open():
    def two(log_prob, x, h, rng):
        return walk(log_prob, walk(log_prob, x, h, rng), h, rng)

    evidence = check(two)
    assert evidence.verdict == "undecided" and "n_steps" in evidence.sentence


def test_a_step_that_is_too_large_is_left_open():
    evidence = check(mala, step_size=60.0)
    assert evidence.verdict == "undecided" and "a smaller step_size" in evidence.sentence


def test_a_global_generator_cannot_be_replaced():
    def kernel(score, x, step_size):
        return x + step_size * score(x) + (2 * step_size) ** 0.5 * np.random.randn(*x.shape)

    evidence = check(kernel)
    assert evidence.verdict == "undecided" and "argument rng" in evidence.sentence


def test_rows_drawn_one_by_one_are_left_open():
    def kernel(score, x, step_size, rng):
        return np.stack([ula(lambda y: score(y[None])[0], row, step_size, rng) for row in x])

    evidence = check(kernel)
    assert evidence.verdict == "undecided" and "with the shape of x" in evidence.sentence


def test_a_kernel_that_is_clipped_beyond_what_is_looked_at_is_not_seen():
    def far(score, x, step_size, rng):
        return ula(lambda y: np.clip(score(y), -50, 50), x, step_size, rng)

    assert check(far)


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"step_size": -1.0}, "step_size must be a number > 0"),
        ({"prediction": "noise"}, "prediction must be one of"),
        ({"framework": "tensorflow"}, "framework must be one of"),
        ({"given": ("score", "y")}, "given must be"),
        ({"shape": 0}, "shape must be"),
        ({"t": -1}, "t must be a number >= 0"),
        ({"snr": 0}, "snr must be a number > 0"),
        ({"process": object()}, "process must be"),
    ],
)
def test_bad_arguments(given, error):
    with pytest.raises(ArgumentError, match=error):
        check(ula, **given)


def test_bad_kernels():
    with pytest.raises(ArgumentError, match="corrector must be a function"):
        check(3)
    with pytest.raises(ArgumentError, match="step_size must be left away"):
        check(lambda score, x, rng: x, step_size=0.1)
    with pytest.raises(ArgumentError, match="a function of x"):
        check(lambda score, rng: score)
    for kernel, text in (
        (lambda score, x, step_size, rng: 1 / 0, "ZeroDivisionError"),
        (lambda score, x, step_size, rng: x[:1] + rng.normal(size=x.shape)[:1], "of shape"),
        (lambda score, x, v, rng: x + rng.normal(size=x.shape), "return x and v"),
    ):
        with pytest.raises(CallableError, match=text):
            check(kernel)

    def in_place(score, x, step_size, rng):
        x += step_size * score(x)
        return x + rng.standard_normal(x.shape)

    with pytest.raises(CallableError, match="unchanged"):
        check(in_place)


def test_calls_are_counted():
    assert check(ula).cost["calls"] == 12
    assert check(sweep).cost["calls"] <= 31
    assert 60 <= check(walk, step_size=0.5).cost["calls"] <= 120


def test_torch_kernels():
    torch = pytest.importorskip("torch")

    def langevin(score, x, step_size):
        return x + step_size * score(x) + (2 * step_size) ** 0.5 * torch.randn_like(x)

    assert check(langevin, framework="torch", shape=(3, 4, 4))
    coarse = check(langevin, framework="torch", dtype="float32")
    assert coarse and coarse.resolution > 1e-4

    def autograd_mala(log_prob, x, h, generator):
        def grad(x):
            x = x.detach().requires_grad_(True)
            return torch.autograd.grad(log_prob(x).sum(), x)[0]

        def q(b, a):
            return -((b - a - h * grad(a)) ** 2).sum(-1) / (4 * h)

        y = x + h * grad(x) + (2 * h) ** 0.5 * torch.randn(x.shape, generator=generator).to(x)
        ratio = log_prob(y) + q(x, y) - log_prob(x) - q(y, x)
        accept = torch.rand(len(x), generator=generator).log() < ratio
        return torch.where(accept[:, None], y, x)

    for dtype in (None, "float32"):
        assert check(autograd_mala, framework="torch", dtype=dtype, step_size=0.3)


def test_jax_kernels():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy

    def langevin(x, score, step_size, key):
        noise = jax.random.normal(key, x.shape)
        return x + step_size * score(x) + jnp.sqrt(2 * step_size) * noise

    evidence = check(langevin, framework="jax")
    assert evidence and evidence.resolution < 0.01

    def random_walk(log_prob, x, h, key):
        one, other = jax.random.split(key)
        y = x + h * jax.random.normal(one, x.shape)
        accept = jnp.log(jax.random.uniform(other, (len(x),))) < log_prob(y) - log_prob(x)
        return jnp.where(accept[:, None], y, x)

    assert check(random_walk, framework="jax", step_size=0.5)


def test_a_mass_is_the_kernels_own():
    def heavy(score, x, v, h, rng, mass=2.5):
        v = v + h / 2 * score(x) / mass
        x = x + h / 2 * v
        v = np.exp(-h) * v + np.sqrt(-np.expm1(-2 * h) / mass) * rng.standard_normal(x.shape)
        x = x + h / 2 * v
        return x, v + h / 2 * score(x) / mass

    evidence = check(heavy)
    assert evidence and np.isinf(evidence.order)  # of x; of v it is 2


def test_a_step_size_that_is_drawn():
    def jittered(potential, grad_potential, q, step_size, rng):
        return hmc(potential, grad_potential, q, step_size * rng.uniform(0.8, 1.2), rng)

    assert check(jittered, step_size=0.2)
    evidence = check(lambda score, x, h, rng: ula(score, x, h * rng.random(), rng))
    assert evidence.verdict == "undecided" and "as a random step size" in evidence.sentence


def test_uniform_noise_of_a_step_without_a_size_is_left_open():
    evidence = check(lambda score, x, rng: x + 0.1 * score(x) + 0.4 * rng.random(x.shape))
    assert evidence.verdict == "undecided" and "uniform noise" in evidence.sentence


def test_proposals_that_mix_rows():
    def mixing(log_prob, x, h, rng):
        z = rng.standard_normal(x.shape)
        y = x + h * (z - z.mean(axis=0))
        accept = rng.random(len(x)) < np.exp(log_prob(y) - log_prob(x))
        return np.where(accept[:, None], y, x)

    evidence = check(mixing, step_size=0.5)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ("rows_mixed",)


def test_one_coordinate():
    evidence = check(ula, shape=1)
    assert evidence and "a Gaussian of one coordinate" in evidence.sentence
    narrow = check(snr_corrector, shape=2)
    assert narrow.verdict == "undecided" and "3 numbers or more" in narrow.sentence


def test_single_precision_inside_is_no_mistake():
    def inside(score, x, h, rng):
        x, h = x.astype(np.float32), np.float32(h)
        noise = rng.standard_normal(x.shape).astype(np.float32)
        return (x + h * score(x) + np.sqrt(2 * h) * noise).astype(float)

    assert check(inside)

    def at_first(score, x, h, rng):
        x = x.astype(np.float32)
        return x + h * score(x) + np.sqrt(2 * h) * rng.standard_normal(x.shape)

    assert check(at_first)

    def a_constant(score, x, h, rng):
        return x + h * score(x) + float(np.float32(np.sqrt(2 * h))) * rng.standard_normal(x.shape)

    assert check(a_constant, step_size=0.07).verdict != "refuted"

    def a_network(score, x, h, rng):
        noise = rng.standard_normal(x.shape)
        return x + h * score(x).astype(np.float32).astype(float) + np.sqrt(2 * h) * noise

    assert check(a_network).verdict != "refuted"


def test_a_step_that_does_not_get_smaller():
    def denoising(score, x, h, rng):
        return ula(score, x, h, rng) + 0.3 * score(x)

    evidence = check(denoising)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ("constant_drift",)


def test_norms_that_are_divided_by_are_not_0_where_it_is_asked():
    def normed(score, x, h, rng):
        s, z = score(x), rng.standard_normal(x.shape)
        with np.errstate(invalid="raise"):
            z = z / np.linalg.norm(z, axis=1, keepdims=True)
        return x + h * s / np.linalg.norm(s, axis=1, keepdims=True) + np.sqrt(2 * h) * z

    assert check(normed).verdict == "refuted"


def test_long_trajectories_lead_back_by_the_reversed_momentum():
    def long(potential, grad_potential, q, step_size, rng):
        return hmc(potential, grad_potential, q, step_size, rng, n_steps=20)

    evidence = check(long, step_size=0.2)  # other momenta lead back as well
    assert evidence and evidence.resolution < 1e-2
    chaotic = check(long, step_size=0.4)
    assert chaotic.verdict == "undecided" and "a shorter way" in chaotic.sentence


def test_proposals_that_multiply():
    def multiplying(log_prob, x, h, rng, jacobian=1.0):
        z = h * rng.standard_normal(x.shape)
        y = x * np.exp(z)
        ratio = log_prob(y) - log_prob(x) + jacobian * z.sum(axis=1)
        return np.where((np.log(rng.random(len(x))) < ratio)[:, None], y, x)

    assert check(multiplying, step_size=0.3)
    wrong = check(lambda log_prob, x, h, rng: multiplying(log_prob, x, h, rng, 0.0), step_size=0.3)
    assert wrong.verdict == "refuted" and wrong.diagnosis.names == ("no_proposal_ratio",)


def test_a_row_that_stays():
    def kernel(score, x, step_size, rng):
        y = ula(score, x, step_size, rng)
        y[0] = x[0]
        return y

    evidence = check(kernel)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ("rows_mixed",)


def test_an_acceptance_with_a_floor_has_no_cause_of_trajectories():
    def floored(log_prob, x, h, rng):
        y = x + h * rng.standard_normal(x.shape)
        accept = np.clip(np.exp(np.minimum(log_prob(y) - log_prob(x), 0)), 0.05, 1)
        return np.where((rng.random(len(x)) < accept)[:, None], y, x)

    evidence = check(floored, step_size=1.0)
    assert evidence.verdict == "refuted" and not evidence.diagnosis
