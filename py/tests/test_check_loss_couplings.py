"""Losses that pair their batch anew: optimal transport, plans that are drawn, sorts, shuffles."""

from __future__ import annotations

import numpy as np
import pytest

from scoreproof import check_loss

torch = pytest.importorskip("torch")
assignment = pytest.importorskip("scipy.optimize").linear_sum_assignment

TO_DATA = (lambda t: t, lambda t: 1 - t)
BAR = torch.from_numpy(np.cumprod(1 - np.linspace(1e-4, 0.02, 1000)))
TABLE = {"alphas_cumprod": BAR.numpy()}


def exact(noise, data):
    i, j = assignment((torch.cdist(noise.flatten(1), data.flatten(1)) ** 2).numpy())
    return noise[i], data[j]


def sampled(noise, data, plan=None):
    """As torchcfm draws from a plan, with replacement."""
    n = len(data)
    if plan is None:
        i, j = assignment((torch.cdist(noise, data) ** 2).numpy())
        plan = np.zeros((n, n))
        plan[i, j] = 1 / n
    i, j = np.divmod(np.random.choice(n * n, p=plan.ravel(), size=n), n)
    return noise[i], data[j]


def sinkhorn(noise, data):
    cost = (torch.cdist(noise, data) ** 2).numpy()
    kernel, n = np.exp(-cost / (0.05 * cost.max())), len(cost)
    u, v = np.ones(n), np.ones(n)
    for _ in range(300):
        u = 1 / n / (kernel @ v)
        v = 1 / n / (kernel.T @ u)
    plan = u[:, None] * kernel * v
    return sampled(noise, data, plan / plan.sum())


def flow(pair, target=lambda e, x, e_, x_: x - e, told=lambda t: t, power=2, sigma=0.0, t_of=None):
    """Flow matching from noise to data; ``target`` of the pairs, and of what was there before."""

    def loss(model, x1):
        x0 = torch.randn_like(x1)
        e, x = pair(x0, x1)
        t = torch.rand(len(x1))
        s = t.reshape(-1, *[1] * (x1.ndim - 1))
        blur = sigma(s) if callable(sigma) else sigma
        xt = (1 - s) * e + s * x + blur * torch.randn_like(x1)
        return (model(told(t), xt) - target(e, x, x0, x1)).abs().pow(power).mean()

    return loss


def judged(loss, **more):
    return check_loss(loss, TO_DATA, prediction="velocity", framework="torch", **more)


def by_first(e, x):
    return e[e[:, 0].argsort()], x[x[:, 0].argsort()]


@pytest.mark.parametrize("pair", [exact, by_first], ids=["assignment", "sort"])
def test_pairs_of_a_permutation_hold(pair):
    evidence = judged(flow(pair))
    assert evidence, evidence.explain()
    assert evidence.resolution < 1e-6
    assert "the field is that of this coupling" in evidence.coverage.span
    assert "each sample of both is in one pair, so that both laws are kept" in evidence.explain()
    assert "It pairs data and noise anew within the batch, by their values." in evidence.notes


def test_images_and_single_precision():
    assert judged(flow(exact), shape=(3, 8, 8))
    assert judged(flow(exact), dtype="float32")


def test_pairs_that_are_drawn_from_an_exact_plan():
    evidence = judged(flow(sampled))
    assert evidence, evidence.explain()
    assert (
        "pairs are drawn, and whether all have the same chance is not looked" in evidence.explain()
    )


def test_a_plan_with_several_partners_is_left_open():
    evidence = judged(flow(sinkhorn))
    assert evidence.verdict == "undecided"
    assert "it draws pairs of data and noise in which one sample has several" in evidence.sentence
    assert "rows and columns have the same sums" in evidence.sentence


@pytest.mark.parametrize(
    ("loss", "says"),
    [
        (flow(exact, lambda e, x, e_, x_: e - x), "it is minus the velocity"),
        (flow(exact, lambda e, x, e_, x_: x_ - e_), "x_t has the x_0 of other samples of the"),
        (flow(by_first, lambda e, x, e_, x_: x_ - e_), "x_t has the x_0 and the noise of other"),
        (flow(by_first, lambda e, x, e_, x_: x_ - e), "the samples are paired anew in x_t, and in"),
        (flow(by_first, lambda e, x, e_, x_: x - e_), "the noise is not: take both from the same"),
        (flow(exact, told=lambda t: 1 - t), "told 1 - t where its x is that of t"),
        (flow(exact, power=1), "absolute error (L1)"),
        (flow(lambda e, x: (e, x[torch.cdist(e, x).argmin(1)])), "nearest, or best, partner"),
        (
            flow(lambda e, x: (e, x), lambda e, x, *_: exact(e, x)[1] - exact(e, x)[0]),
            "the target is made of other samples of the batch than x_t",
        ),
    ],
    ids=[
        "sign",
        "target of the old pairs",
        "target of the old pairs, both sorted",
        "old data",
        "old noise",
        "time",
        "L1",
        "nearest",
        "paired after x_t",
    ],
)
def test_a_wrong_one_is_refuted(loss, says):
    evidence = judged(loss)
    assert evidence.verdict == "refuted" and says in evidence.explain(), evidence.explain()


def test_a_repeated_sample_is_counted():
    evidence = judged(flow(lambda e, x: (e[torch.cdist(x, e).argmin(1)], x)))
    assert "samples of the noise" in evidence.sentence and "are in no x_t" in evidence.sentence


def test_a_path_and_a_weight_of_pairs_are_judged():
    def loss(model, x1, weight):
        e, x = exact(torch.randn_like(x1), x1)
        s = torch.rand(len(x1), 1)
        r = model(s.ravel(), (1 - s) * e + s * x) - (x - e)
        return (weight(s, x) * r**2).mean()

    flat = judged(lambda m, x: loss(m, x, lambda s, y: s), weight="velocity")
    assert flat.verdict == "refuted" and "the weight is not" in flat.sentence
    own = judged(lambda m, x: loss(m, x, lambda s, y: 1 + (y**2).sum(1, keepdim=True)))
    assert own.verdict == "refuted" and "depends on the sample" in own.explain()


def ddpm(pair, target):
    def loss(model, x0, t, noise):
        a = BAR[t][:, None]
        e, x = pair(noise, x0)
        xt = a.sqrt() * x + (1 - a).sqrt() * e
        return ((1 - a) * (model(xt, t) - target(e, a)) ** 2).mean()

    return loss


def test_a_score_of_coupled_pairs_is_none():
    loss = ddpm(exact, lambda e, a: -e / (1 - a).sqrt())
    evidence = check_loss(loss, TABLE, prediction="score")
    assert evidence.verdict == "refuted"
    assert "given x_t, -ε/σ is not the score on average" in evidence.sentence
    assert "do not pair samples by their values" in evidence.explain()


def test_noise_prediction_of_coupled_pairs_is_left_open():
    evidence = check_loss(ddpm(exact, lambda e, a: e), TABLE)
    assert evidence.verdict == "undecided"
    assert "-σ times the score for independent pairs alone" in evidence.sentence


def test_a_shuffle_is_no_coupling():
    def shuffled(e, x):
        return e, x[torch.randperm(len(x))]

    evidence = check_loss(
        ddpm(shuffled, lambda e, a: -e / (1 - a).sqrt()), TABLE, prediction="score"
    )
    assert evidence, evidence.explain()
    assert "it shuffles the batch, in x_t and in the target alike" in evidence.explain()

    def everything(model, x0, t, noise):
        order = torch.randperm(len(x0))
        x0, t, noise = x0[order], t[order], noise[order]
        s = t[:, None]
        return ((model((1 - s) * x0 + s * noise, t) - (noise - x0)) ** 2).mean()

    assert check_loss(everything, "flow", prediction="flow")


def test_each_coordinate_sorted_by_itself_is_left_open():
    evidence = judged(flow(lambda e, x: (e.sort(0).values, x.sort(0).values)))
    assert evidence.verdict == "undecided"
    assert "it pairs each coordinate by itself within the batch" in evidence.sentence
    assert "sort whole samples (x_0[order])" in evidence.sentence


def test_no_square_of_coupled_pairs_is_left_open():
    def loss(model, x1):
        e, x = exact(torch.randn_like(x1), x1)
        s = torch.rand(len(x1), 1)
        r = model(s.ravel(), (1 - s) * e + s * x) - (x - e)
        return (r**2 * (1 + 0.1 * r**2)).mean()

    evidence = judged(loss)
    assert evidence.verdict == "undecided" and "and is no square in its" in evidence.sentence


def test_one_t_for_the_batch():
    def loss(model, x1):
        e, x = exact(torch.randn_like(x1), x1)
        s = torch.rand(1)
        return ((model(s.expand(len(x1)), (1 - s) * e + s * x) - (x - e)) ** 2).mean()

    evidence = judged(loss)
    assert evidence and any(n.startswith("It pairs data and noise") for n in evidence.notes)


def test_numpy_and_its_generator():
    def loss(model, x0, rng, old=False):
        noise, s = rng.standard_normal(x0.shape), rng.random((len(x0), 1))
        i, j = assignment(((noise[:, None] - x0) ** 2).sum(-1))
        k = rng.choice(len(i), len(i))
        e, x = noise[i[k]], x0[j[k]]
        target = noise - x0 if old else e - x
        return ((model((1 - s) * x + s * e, s[:, 0]) - target) ** 2).mean()

    assert check_loss(lambda model, x0, rng: loss(model, x0, rng), "flow", prediction="flow")
    wrong = check_loss(lambda model, x0, rng: loss(model, x0, rng, True), "flow", prediction="flow")
    assert wrong.verdict == "refuted" and "of other samples of the batch" in wrong.explain()


def test_jax():
    pytest.importorskip("jax")
    import jax
    import jax.numpy as jnp

    def loss(model, x0, key):
        one, two = jax.random.split(key)
        t, noise = jax.random.uniform(one, (len(x0),)), jax.random.normal(two, x0.shape)
        e, x = noise[jnp.argsort(noise[:, 0])], x0[jnp.argsort(x0[:, 0])]
        s = t[:, None]
        return ((model((1 - s) * x + s * e, t) - (e - x)) ** 2).mean()

    evidence = check_loss(loss, "flow", prediction="flow", framework="jax")
    assert evidence, evidence.explain()


# -- a second noise in x_t -------------------------------------------------------------------------


@pytest.mark.parametrize("pair", [exact, lambda e, x: (e, x)], ids=["coupled", "independent"])
def test_a_path_that_is_blurred_is_left_open(pair):
    evidence = judged(flow(pair, sigma=0.1))
    assert evidence.verdict == "undecided"
    assert "x_t has a second noise of deviation 0.1 in it, the same at all" in evidence.sentence


def test_a_second_noise_of_varying_deviation_has_a_part_in_the_target():
    def loss(model, x1, part):
        e, s = torch.randn_like(x1), torch.rand(len(x1), 1)
        z, gamma = torch.randn_like(x1), (2 * s * (1 - s)).sqrt()
        xt = (1 - s) * e + s * x1 + gamma * z
        return ((model(s.ravel(), xt) - (x1 - e + part * (1 - 2 * s) / gamma * z)) ** 2).mean()

    right = judged(lambda model, x1: loss(model, x1, 1.0))
    assert right.verdict == "undecided" and "γ(t) z): whether that part is dγ/dt" in right.sentence
    wrong = judged(lambda model, x1: loss(model, x1, 0.0))
    assert wrong.verdict == "refuted" and "second draw of noise" in wrong.explain()
