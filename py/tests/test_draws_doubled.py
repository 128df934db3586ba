"""Generators whose state comes back, operators of every sort, and what doubling leaves."""

from __future__ import annotations

import copy
import random

import numpy as np
import pytest

from scoreproof.errors import CallableError
from scoreproof.interop.draws import Log, intercepted
from scoreproof.interop.draws_jax import jax_key, jax_normal
from scoreproof.interop.draws_numpy import numpy_generator, numpy_random_state

torch = pytest.importorskip("torch")


def counted(draw):
    return np.full(draw.shape, draw.index + 1.0)


def run(function, double=False):
    with intercepted("torch", counted, double=double) as log:
        return function(), log


X = torch.zeros(2, 3)
TABLE = torch.linspace(0.1, 0.9, 3, dtype=torch.float32)


# -- generators ------------------------------------------------------------------------------------


def test_a_generator_that_is_seeded_anew_gives_the_same_numbers():
    def step():
        return torch.randn(2, generator=torch.Generator().manual_seed(3))

    out, log = run(lambda: torch.stack([step() for _ in range(3)]))
    assert out.unique().tolist() == [1] and len(log.draws) == 1
    assert [earlier.index for _, earlier in log.repeated] == [0, 0]


def test_so_does_the_global_one():
    def step():
        torch.manual_seed(0)
        return torch.randn(2)

    out, log = run(lambda: torch.stack([step(), step()]))
    assert out.unique().tolist() == [1] and len(log.repeated) == 1


def test_a_generator_moves_on_as_it_would():
    generator, twin = torch.Generator().manual_seed(5), torch.Generator().manual_seed(5)
    out, log = run(lambda: torch.stack([torch.randn(2, generator=generator) for _ in range(2)]))
    torch.randn(2, generator=twin), torch.randn(2, generator=twin)
    assert out[:, 0].tolist() == [1, 2] and not log.repeated
    assert torch.equal(generator.get_state(), twin.get_state())


def test_what_draws_nothing_is_no_draw():
    q = torch.ones(1, 1, 4, 8)
    for function in (
        lambda: torch.nn.functional.dropout(q, 0.0),
        lambda: torch.nn.functional.scaled_dot_product_attention(q, q, q),
        lambda: torch.randn(0),
    ):
        assert not run(function)[1].draws


def test_a_seed_is_called_a_seed():
    _, log = run(lambda: torch.randint(0, 2**63 - 1, []).item())
    assert [d.kind for d in log.draws] == ["seed"]


@pytest.mark.parametrize("double", [False, True])
@pytest.mark.parametrize(
    ("draw", "value"),
    [
        (lambda: torch.randn(2, 3, out=torch.empty(2, 3)), 1),
        (lambda: torch.randn(2, 3, dtype=torch.float16), 1),
        (lambda: torch.normal(X + 2, X + 3, out=torch.empty(2, 3)), 5),
        (lambda: torch.log(X.clone().log_normal_(1, 2)), 3),
        (lambda: torch.func.vmap(lambda x: torch.randn_like(x), randomness="different")(X), 1),
        (lambda: torch.distributions.MultivariateNormal(torch.zeros(3), torch.eye(3)).sample(), 1),
        (torch.inference_mode()(lambda: torch.empty_like(X).normal_(mean=1.0, std=2.0)), 3),
    ],
)
def test_no_operator_escapes(draw, value, double):
    out, log = run(draw, double)
    assert torch.allclose(out.double(), torch.full(out.shape, float(value)).double())
    assert len(log.draws) == 1 and log.draws[0].shape == tuple(out.shape)


def test_an_out_tensor_is_the_one_written_into():
    target = torch.empty(2)
    run(lambda: torch.randn(2, out=target))
    assert target.tolist() == [1, 1]


def test_pythons_generator_is_noted_and_put_back():
    before = random.getstate()
    _, log = run(lambda: random.gauss(0, 1))
    assert random.getstate() == before
    assert log.notes == ["draws from Python's global generator (the module random)"]


# -- in double precision ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "value"),
    [
        (lambda: torch.tensor([0.1], dtype=torch.float32) * 1, 0.1),
        (lambda: torch.tensor(0.1) * 1, 0.1),
        (lambda: torch.arange(1, 3)[:1] / 7, 1 / 7),
        (lambda: TABLE.new_tensor([0.1]) * 1, 0.1),
        (lambda: TABLE.new_ones([1]) / 3, 1 / 3),
        (lambda: (torch.ones(1).half() / 3).to(TABLE.dtype), 1 / 3),
        (lambda: torch.ones(1).type(torch.float32) / 3, 1 / 3),
    ],
)
def test_nothing_is_rounded_on_the_way(function, value):
    out, log = run(function, True)
    assert out.dtype == torch.float64 and out.item() == value
    assert not log.notes and log.eps == np.finfo(float).eps
    assert torch.get_default_dtype() == torch.float32


def test_numbers_that_were_rounded_before_are_named():
    _, log = run(lambda: TABLE * 2, True)
    assert len(log.notes) == 1 and "float32" in log.notes[0] and "test_draws_" in log.notes[0]
    assert log.eps == np.finfo(np.float32).eps
    assert not run(lambda: torch.from_numpy(np.ones(2, np.float32)) / 3, True)[1].notes


def test_a_deep_copy_is_a_copy():
    out, _ = run(lambda: copy.deepcopy({"a": TABLE}), True)
    assert torch.equal(out["a"], TABLE) and out["a"] is not TABLE


def test_a_list_written_into_keeps_its_tensors():
    tensors = [torch.from_numpy(np.zeros(2, np.float32))]
    run(lambda: torch._foreach_add_(tensors, 1.0), True)
    assert tensors[0].tolist() == [1, 1]


def test_gradients_have_the_type_of_what_they_belong_to():
    layer = torch.nn.Linear(3, 2)

    def gradient():
        x = torch.ones(3).requires_grad_(True)
        layer(x.float()).sum().backward()
        return x.grad

    out, _ = run(gradient, True)
    assert torch.allclose(out, layer.weight.sum(0).double())
    assert layer.weight.grad.dtype == torch.float32


# -- NumPy -----------------------------------------------------------------------------------------


def test_every_method_of_a_stand_in_is_served_or_logged():
    log = Log()
    for rng in (numpy_generator(counted, log), numpy_random_state(counted, log)):
        before = len(log.draws)
        rng.poisson(2.0)
        rng.multivariate_normal(np.zeros(2), np.eye(2))
        rng.exponential(2.0, size=3)
        copy.deepcopy(rng).normal(size=2)
        assert len(log.draws) == before + 4
    assert isinstance(numpy_random_state(counted), np.random.RandomState)
    assert [d.kind for d in log.draws[:4]] == ["poisson", "normal", "exponential", "normal"]
    assert numpy_generator(counted, log).spawn(1)[0].standard_normal(1).item() == 9


# -- JAX -------------------------------------------------------------------------------------------


@pytest.fixture(name="jax")
def _jax():
    return pytest.importorskip("jax")


def served(draw):
    return np.full(draw.shape, 0.25 * (draw.index + 1))


def test_a_key_serves_normal_numbers_everywhere(jax):
    def sample(key):
        def step(carry, _):
            x, key = carry
            key, mine = jax.random.split(key)
            return (x + jax.random.normal(mine, x.shape), key), None

        return jax.lax.scan(step, (jax.numpy.zeros(2), key), None, length=3)[0][0]

    for wrap in (lambda f: f, jax.jit):
        log = Log()
        assert np.allclose(wrap(sample)(jax_key(served, log)), 1.5, atol=3e-7)
        assert [(d.shape, d.kind) for d in log.draws] == [((2,), "normal")] * 3


def test_a_key_used_twice_gives_the_same_numbers(jax):
    log = Log()
    key = jax_key(served, log)
    first, again = jax.random.normal(key, (2,)), jax.random.normal(key, (2,))
    assert np.array_equal(first, again) and len(log.draws) == len(log.repeated) == 1
    other = jax.random.normal(jax.random.split(key)[0], (2,))
    assert np.allclose(other, 0.5, atol=3e-7)


def test_a_batch_of_keys_is_one_draw(jax):
    log = Log()
    keys = jax.random.split(jax_key(served, log), 4)
    out = jax.vmap(lambda key: jax.random.normal(key, (3,)))(keys)
    assert out.shape == (4, 3) and [d.shape for d in log.draws] == [(4, 3)]
    assert "test_draws_doubled.py" in log.draws[0].where


def test_other_kinds_are_named(jax):
    log = Log()
    key = jax_key(served, log)
    assert np.allclose(jax.random.uniform(key, (2,), minval=1.0, maxval=3.0), 1.5)
    jax.random.randint(jax.random.fold_in(key, 1), (2,), 0, 9)
    assert log.draws[0].kind == "uniform" and log.draws[1].kind == "integers"


def test_a_noise_function_is_not_to_be_traced(jax):
    normal = jax_normal(served)
    assert normal(None, (2,)).tolist() == [0.25, 0.25]
    with pytest.raises(CallableError, match=r"outside of jax\.jit"):
        jax.jit(lambda key: normal(key, (2,)))(jax.random.key(0))
