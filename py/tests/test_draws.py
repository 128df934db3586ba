"""Random draws replaced, and arithmetic doubled: by a dispatch mode, or a stand-in for NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from scoreproof.errors import ScoreproofError
from scoreproof.interop.draws import Draw, Log, intercepted
from scoreproof.interop.draws_numpy import numpy_generator

torch = pytest.importorskip("torch")


def counted(draw):
    """1, 2, 3, … for the first, second, third draw."""
    return np.full(draw.shape, draw.index + 1.0)


def run(function, double=False):
    with intercepted("torch", counted, double=double) as log:
        return function(), log


X = torch.zeros(2, 3)


@pytest.mark.parametrize(
    ("draw", "kind", "value"),
    [
        (lambda: torch.randn(2, 3), "normal", 1.0),
        (lambda: torch.randn((2, 3), generator=torch.Generator()), "normal", 1.0),
        (lambda: torch.randn_like(X), "normal", 1.0),
        (lambda: torch.empty_like(X).normal_(2.0, 3.0), "normal", 5.0),
        (lambda: X.clone().normal_(mean=1.0), "normal", 2.0),
        (lambda: torch.normal(2.0, 3.0, (2, 3)), "normal", 5.0),
        (lambda: torch.normal(X + 2, X + 3), "normal", 5.0),
        (lambda: torch.normal(X + 2, 3.0), "normal", 5.0),
        (lambda: torch.normal(2.0, X + 3), "normal", 5.0),
        (lambda: torch.distributions.Normal(X + 2, X + 3).sample(), "normal", 5.0),
        (lambda: torch.distributions.Normal(X + 2, X + 3).rsample(), "normal", 5.0),
        (lambda: torch.rand(2, 3), "uniform", 1.0),
        (lambda: torch.rand_like(X), "uniform", 1.0),
        (lambda: X.clone().uniform_(1, 3), "uniform", 3.0),
        (lambda: torch.empty(2, 3).exponential_(2.0), "exponential", 0.5),
    ],
)
def test_a_draw_comes_from_the_source(draw, kind, value):
    out, log = run(draw)
    assert torch.equal(out, torch.full((2, 3), value))
    (found,) = log.draws
    assert (found.shape, found.kind, found.index) == ((2, 3), kind, 0)
    assert found.where.startswith("test_draws.py:") and " in " in found.where


def test_draws_are_numbered_in_their_order():
    def two():
        return torch.randn(2), torch.randn_like(torch.ones(3))

    (a, b), log = run(two)
    assert a.tolist() == [1, 1] and b.tolist() == [2, 2, 2]
    assert [d.index for d in log.draws] == [0, 1]


def test_whether_a_generator_was_passed_is_known():
    def two():
        torch.randn(2)
        torch.randn(2, generator=torch.Generator().manual_seed(1))

    assert [d.seeded for d in run(two)[1].draws] == [False, True]


@pytest.mark.parametrize(
    ("draw", "kind"),
    [
        (lambda: torch.randint(0, 9, (4,)), "integers"),
        (lambda: torch.randperm(4), "permutation"),
        (lambda: torch.bernoulli(torch.full((4,), 0.5)), "bernoulli"),
        (lambda: torch.multinomial(torch.ones(4), 2), "choice"),
        (lambda: torch.nn.functional.dropout(torch.ones(4), 0.5), "dropout"),
        (lambda: torch.poisson(torch.ones(4)), "poisson"),
    ],
)
def test_what_is_not_replaced_is_logged(draw, kind):
    _, log = run(draw)
    assert kind in {d.kind for d in log.draws} or log.draws, log


def test_the_global_generators_are_as_before():
    torch.manual_seed(3)
    np.random.seed(3)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()

    def all_kinds():
        torch.randn(3)
        torch.randint(0, 9, (3,))
        np.random.randn(3)

    _, log = run(all_kinds)
    assert torch.equal(before[0], torch.get_rng_state())
    assert np.array_equal(before[1], np.random.get_state()[1])
    assert log.notes == ["draws from NumPy's global generator"]


def test_a_source_of_another_shape_is_our_own_mistake():
    with pytest.raises(ScoreproofError, match=r"draw 0 must have shape \(2,\) \(got \(3,\)\)"):  # noqa: SIM117
        with intercepted("torch", lambda draw: np.zeros(3)):
            torch.randn(2)


# -- in double precision ---------------------------------------------------------------------------


TABLE = torch.linspace(0.1, 0.9, 7, dtype=torch.float32)


def third():
    return torch.ones(2, dtype=torch.float32) / 3


def test_new_numbers_are_wide():
    out, log = run(third, double=True)
    assert out.dtype == torch.float64 and torch.equal(out, torch.ones(2).double() / 3)
    assert log.doubled


@pytest.mark.parametrize(
    "function",
    [
        lambda: torch.linspace(0, 1, 7, dtype=torch.float32),
        lambda: torch.tensor([1.0, 2.0]) / 3,
        lambda: TABLE[3] * torch.ones(2),
        lambda: TABLE.cumprod(0),
        lambda: (TABLE.reshape(7, 1).half() * 1.0).float(),
        lambda: torch.ones(2, dtype=torch.float64).to(torch.float32) / 3,
        lambda: torch.randn(2, dtype=torch.float16),
        lambda: torch.cat([TABLE, torch.zeros(1, dtype=torch.float64)]),
        lambda: torch.where(TABLE > 0.5, TABLE, TABLE * 0),
        lambda: torch.from_numpy(np.ones(2, np.float32)) / 3,
        lambda: torch.full((2,), 0.1),
        lambda: torch.arange(0, 1, 0.1),
        lambda: torch.ones(2).type_as(TABLE) / 3,
        lambda: torch.lerp(TABLE, TABLE * 2, 0.3),
        lambda: torch.einsum("i,i->i", TABLE, TABLE),
        lambda: torch.stack([TABLE, TABLE]).mean(0),
    ],
)
def test_operators_run_in_double(function):
    assert run(function, double=True)[0].dtype == torch.float64


def test_integers_and_masks_keep_their_type():
    def kinds():
        t = torch.arange(5)
        return t, t > 2, TABLE.argsort(), (TABLE > 0.5).nonzero()

    assert [v.dtype for v in run(kinds, double=True)[0]] == [
        torch.int64,
        torch.bool,
        torch.int64,
        torch.int64,
    ]


def test_writing_into_a_narrow_tensor_stays_legal_and_is_noted():
    def write():
        x = TABLE.clone()
        narrow = TABLE.numpy().copy()
        y = torch.from_numpy(narrow)
        y.add_(1.0)
        y[0] = torch.tensor(2.0, dtype=torch.float64)
        y[1:3].mul_(2)
        return x, y

    (x, y), log = run(write, double=True)
    assert x.dtype == torch.float64 and y.dtype == torch.float32
    assert float(y[0]) == 2 and abs(float(y[1]) - 2 * (1 + float(TABLE[1]))) < 1e-6
    assert "It writes into a tensor of lower precision, and rounds there." in log.notes


def test_a_step_in_single_precision_is_that_of_double_precision():
    def step(dtype):
        x = torch.ones(3, dtype=torch.float64)
        sigma = torch.tensor(0.3, dtype=torch.float64).to(dtype)
        out = (x.to(dtype) - sigma * torch.full((3,), 0.2, dtype=dtype)) / (1 + sigma**2) ** 0.5
        return out.to(x.dtype)

    wide = run(lambda: step(torch.float32), double=True)[0]
    assert torch.equal(wide, step(torch.float64))
    assert not torch.equal(step(torch.float32), step(torch.float64))


# -- NumPy -----------------------------------------------------------------------------------------


def test_the_stand_in_is_a_generator():
    log = Log()
    rng = numpy_generator(counted, log)
    assert isinstance(rng, np.random.Generator)
    assert rng.standard_normal((2, 1)).tolist() == [[1], [1]]
    assert rng.normal(1.0, 2.0, size=2).tolist() == [5, 5]
    assert rng.normal(np.zeros(2), 1.0).tolist() == [3, 3]
    assert rng.random(1).tolist() == [4] and rng.uniform(1, 2, size=1).tolist() == [6]
    assert rng.randn(2).tolist() == [6, 6] and rng.rand(1).tolist() == [7]
    assert rng.standard_normal() == 8 and rng.standard_normal(2, dtype=np.float32).dtype == "f4"
    out = np.zeros(2)
    rng.standard_normal(out=out)
    assert out.tolist() == [10, 10]
    rng.integers(0, 5, 3)
    rng.permutation(4)
    rng.choice(5)
    kinds = [d.kind for d in log.draws]
    assert kinds.count("normal") == 7 and {"integers", "permutation", "choice"} <= set(kinds)


def test_a_draw_says_what_it_is():
    draw = Draw(0, (2,), "normal", "a.py:1 in f", "float64", False)
    assert counted(draw).tolist() == [1, 1]
