"""What a loss draws of a table: `check_loss` where t = 0 or T - 1 is never among it."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp

check = sp.check_loss
T = 400
BAR = np.cumprod(1 - np.linspace(2e-4, 0.05, T))
TABLE = {"alphas_cumprod": BAR}
LEFT_OUT = "the law of t was not read"


def by_numpy(draw):
    def loss(model, x0, rng):
        t, noise = draw(rng, len(x0)), rng.standard_normal(x0.shape)
        bar = BAR[t][:, None]
        return np.mean((model(np.sqrt(bar) * x0 + np.sqrt(1 - bar) * noise, t) - noise) ** 2)

    return check(loss, TABLE, shape=3)


def by_torch(draw):
    import torch

    def loss(model, x0):
        t, noise = draw(len(x0)), torch.randn_like(x0)
        bar = torch.from_numpy(BAR)[t][:, None]
        return ((model(bar.sqrt() * x0 + (1 - bar).sqrt() * noise, t) - noise) ** 2).mean()

    return check(loss, TABLE, framework="torch")


@pytest.mark.parametrize(
    ("draw", "missing"),
    [
        (lambda r, n: r.integers(1, T, n), 0),
        (lambda r, n: r.integers(T - 1, size=n), T - 1),
        (lambda r, n: r.integers(0, T // 2, n, endpoint=True), T - 1),
        (lambda r, n: r.choice(np.arange(1, T), n), 0),
        (lambda r, n: r.permutation(T - 1)[:n], T - 1),
        (lambda r, n: ((T - 1) * r.random(n)).astype(int), T - 1),
    ],
)
def test_ends_that_a_numpy_generator_never_draws(draw, missing):
    evidence = by_numpy(draw)
    assert evidence.verdict == "refuted" and f"never trains t = {missing}" in evidence.sentence


@pytest.mark.parametrize(
    "draw",
    [
        lambda r, n: r.integers(0, T - 1, n, endpoint=True),
        lambda r, n: r.choice(T, n, replace=False),
        lambda r, n: (T * r.random(n)).astype(int),
    ],
)
def test_both_ends_of_a_numpy_generator(draw):
    evidence = by_numpy(draw)
    assert evidence and LEFT_OUT not in evidence.coverage.describe()


def test_ends_that_torch_never_draws():
    torch = pytest.importorskip("torch")
    for draw in (
        lambda n, k: torch.multinomial(torch.ones(k), n, replacement=True),
        lambda n, k: torch.distributions.Categorical(torch.ones(k)).sample((n,)),
        lambda n, k: (torch.rand(n) * k).long(),
        lambda n, k: torch.randperm(k)[:n],
    ):
        evidence = by_torch(lambda n, draw=draw: draw(n, T))
        assert evidence and LEFT_OUT not in evidence.coverage.describe()
        evidence = by_torch(lambda n, draw=draw: draw(n, T - 1))
        assert evidence.verdict == "refuted"
        assert f"never trains t = {T - 1}" in evidence.sentence


def test_a_law_that_is_not_read_is_said():
    torch = pytest.importorskip("torch")
    for draw in (
        lambda n: torch.multinomial(1.0 + torch.arange(T), n, replacement=True),
        lambda n: (torch.randn(n).sigmoid() * T).long(),
        lambda n: torch.from_numpy(np.random.default_rng(3).choice(T - 1, n)),
    ):
        evidence = by_torch(draw)
        assert evidence and LEFT_OUT in evidence.coverage.describe()
    # labels of a class are no law of t
    table = torch.arange(T)

    def with_a_class(n):
        torch.randint(0, 10, (n,))
        return table[torch.from_numpy(np.random.default_rng(3).choice(T, n))]

    assert by_torch(with_a_class)


def test_whole_numbers_of_jax_are_the_same_in_every_call():
    jax = pytest.importorskip("jax")
    jnp = jax.numpy
    a, s = jnp.sqrt(jnp.asarray(BAR)), jnp.sqrt(1 - jnp.asarray(BAR))

    def of(draw, power=1):
        def loss(model, x0, key):
            first, second = jax.random.split(key)
            t, noise = draw(first, len(x0)), jax.random.normal(second, x0.shape)
            x = a[t][:, None] * x0 + s[t][:, None] ** power * noise
            return jnp.mean((model(x, t) - noise) ** 2)

        return check(loss, TABLE)

    right = of(lambda key, n: jax.random.randint(key, (n,), 0, T))
    assert right and LEFT_OUT not in right.coverage.describe()
    assert "from 0 to 399; its weight" in right.sentence
    wrong = of(lambda key, n: jax.random.randint(key, (n,), 0, T - 1))
    assert wrong.verdict == "refuted" and f"never trains t = {T - 1}" in wrong.sentence
    twin = of(lambda key, n: jax.random.randint(key, (n,), 0, T), power=2)
    assert twin.verdict == "refuted" and "1 - ᾱ where its root" in twin.diagnosis.sentence


def test_a_generator_that_cannot_be_replaced_is_a_doubt():
    own = np.random.default_rng(1)

    def by(source):
        def loss(model, x0, t):
            s, noise = t[:, None], source(x0.shape)
            return np.mean((model((1 - s) * x0 + s * noise, t) - (noise - x0)) ** 2)

        return check(loss, "flow", prediction="flow", shape=3)

    for source in (own.standard_normal, np.random.standard_normal):
        evidence = by(source)
        assert evidence.verdict == "undecided" and "take an argument rng" in evidence.sentence
    assert by(np.random.RandomState(1).standard_normal).verdict == "undecided"
    # the same numbers in every call are no noise
    fixed = own.standard_normal(1000)
    evidence = by(lambda shape: fixed[: np.prod(shape)].reshape(shape))
    assert evidence.verdict == "refuted"
