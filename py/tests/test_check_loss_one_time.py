"""Losses that draw one t for the whole batch are asked row by row, and once all together."""

from __future__ import annotations

import numpy as np
import pytest

from scoreproof import check_loss

T = 200
BAR = np.cumprod(1 - np.linspace(1e-3, 0.05, T))
TABLE = {"alphas_cumprod": BAR}
torch = pytest.importorskip("torch")
NOTE = "It draws one t for the whole batch: rows were asked one by one, and once all together."


def loss(draw, target=lambda noise, x0: noise, weight=lambda snr: 1.0, reduce=torch.mean):
    def one(model, x0):
        k = draw()
        t, a = torch.full((len(x0),), k), float(BAR[k])
        noise = torch.randn_like(x0)
        answer = model(a**0.5 * x0 + (1 - a) ** 0.5 * noise, t)
        return reduce(weight(a / (1 - a)) * (answer - target(noise, x0)) ** 2)

    return one


def anywhere():
    return torch.randint(0, T, (1,)).item()


@pytest.mark.parametrize(
    "draw", [anywhere, lambda: int(torch.rand(1).item() * T)], ids=["randint", "rand"]
)
@pytest.mark.parametrize("reduce", [torch.mean, torch.sum], ids=["mean", "sum"])
def test_a_right_loss_holds(draw, reduce):
    evidence = check_loss(loss(draw, reduce=reduce), TABLE)
    assert evidence and NOTE in evidence.notes, evidence.explain()
    assert f"whole numbers from 0 to {T - 1}" in evidence.explain()


@pytest.mark.parametrize(
    ("target", "says"),
    [
        (lambda noise, x0: x0, "the target is x_0"),
        (lambda noise, x0: noise.flip(0), "is that of another sample of the batch"),
        (lambda noise, x0: noise.mean(0, keepdim=True).expand_as(noise), "mean over the batch"),
    ],
    ids=["x0", "of another sample", "mean over the batch"],
)
def test_a_wrong_target_is_refuted(target, says):
    evidence = check_loss(loss(anywhere, target), TABLE)
    assert evidence.verdict == "refuted" and says in evidence.explain()


def test_a_time_that_is_never_drawn():
    evidence = check_loss(loss(lambda: torch.randint(1, T, (1,)).item()), TABLE)
    assert evidence.verdict == "refuted" and "it never trains t = 0" in evidence.explain()


def test_its_weight_is_compared():
    right = loss(anywhere, weight=lambda snr: min(snr, 5.0) / snr)
    assert check_loss(right, TABLE, weight="min-snr")
    wrong = loss(anywhere, weight=lambda snr: min(snr, 5.0))
    assert check_loss(wrong, TABLE, weight="min-snr").verdict == "refuted"


@pytest.mark.parametrize("wrong", [False, True])
def test_one_level_of_edm(wrong):
    def edm(model, x):
        s = (torch.randn(1) * 1.2 - 1.2).exp().item()
        answer = model(x + torch.randn_like(x) * s, torch.full((len(x),), s))
        weight = 1 / s**2 if wrong else (s**2 + 0.25) / (0.5 * s) ** 2
        return (weight * (answer - x) ** 2).mean()

    evidence = check_loss(edm, prediction="x0", weight="edm")
    assert evidence.verdict == ("refuted" if wrong else "holds"), evidence.explain()


@pytest.mark.parametrize("whole", [True, False])
def test_numpy_code_that_draws_one_number(whole):
    def of_a_table(model, x0, rng):
        k = rng.integers(0, T)
        noise = rng.standard_normal(x0.shape)
        x_t = np.sqrt(BAR[k]) * x0 + np.sqrt(1 - BAR[k]) * noise
        return ((model(x_t, np.full(len(x0), k)) - noise) ** 2).mean()

    def of_a_flow(model, x0, rng):
        t, noise = rng.uniform(), rng.standard_normal(x0.shape)
        answer = model((1 - t) * x0 + t * noise, np.full(len(x0), t))
        return ((answer - (noise - x0)) ** 2).mean()

    if whole:
        evidence = check_loss(of_a_table, TABLE)
    else:
        evidence = check_loss(of_a_flow, "flow", prediction="flow")
    assert evidence and NOTE in evidence.notes, evidence.explain()


def test_a_draw_that_cannot_be_moved():
    def fixed(model, x0):
        torch.rand(1)
        return loss(lambda: 50)(model, x0)

    evidence = check_loss(fixed, TABLE)
    assert evidence.verdict == "undecided" and "one t for the whole batch" in evidence.sentence


def test_jax_code_with_one_time():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy

    def one(model, x0, key):
        first, second = jax.random.split(key)
        k = jax.random.randint(first, (), 0, T)
        noise, a = jax.random.normal(second, x0.shape), jnp.asarray(BAR)[k]
        answer = model(jnp.sqrt(a) * x0 + jnp.sqrt(1 - a) * noise, jnp.full((len(x0),), k))
        return jnp.mean((answer - noise) ** 2)

    evidence = check_loss(one, TABLE, tolerance=0.01)
    assert evidence and NOTE in evidence.notes, evidence.explain()
