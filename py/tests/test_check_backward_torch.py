"""check_backward on PyTorch modules and functions: the graph by torch.fx, wrong nodes named, wrong
gradients diagnosed.
"""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError

torch = pytest.importorskip("torch")

RNG = np.random.default_rng(0)
U, W = RNG.standard_normal(4), RNG.standard_normal(4)


class Square(torch.autograd.Function):
    """x² with the backward a beginner writes: the factor 2 is lost."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return g * x


class Product(torch.autograd.Function):
    """x * y in the newer style, with the two arguments' gradients exchanged."""

    @staticmethod
    def forward(x, y):
        return x * y

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)

    @staticmethod
    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * y, -g * x


class ThroughNumpy(torch.autograd.Function):
    """sin by NumPy: no forward mode, so it is judged by differences."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.as_tensor(np.sin(x.detach().numpy()))

    @classmethod
    def backward(cls, ctx, g):
        (x,) = ctx.saved_tensors
        return g * torch.cos(x)


class WrongThroughNumpy(ThroughNumpy):
    @staticmethod
    def backward(ctx, g):
        (x,) = ctx.saved_tensors
        return -g * torch.cos(x)


class Model(torch.nn.Module):
    def __init__(self, custom=None):
        super().__init__()
        torch.manual_seed(0)
        self.inner, self.weight, self.custom = (
            torch.nn.Linear(3, 4),
            torch.nn.Parameter(torch.randn(4)),
            custom,
        )

    def forward(self, x):
        h = torch.tanh(self.inner(x))
        a, b = h.chunk(2, dim=-1)
        h = self.custom.apply(h) if self.custom is not None else h * h
        return (h * self.weight).sum() + (a * b).sum() + torch.sin(self.inner(h[:, :3])).mean()


def f(u, w):
    return (u * u * w + torch.sin(u)).sum()


def test_a_model_holds_in_both_precisions():
    single = sp.check_backward(Model(), None, torch.randn(5, 3))
    double = sp.check_backward(Model().double(), None, torch.randn(5, 3, dtype=torch.float64))
    assert single and double and double.resolution < 1e-4 < single.resolution <= 0.01
    assert "torch's gradient" in double.explain() and double.cost["slots"] > 15


def test_the_users_model_is_left_alone():
    model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    assert sp.check_backward(model, None, torch.randn(6, 3))
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert torch.autograd.Function.apply.__qualname__ == "Function.apply"


def test_the_function_is_called_twice_and_the_gradient_once():
    calls = {"f": 0, "g": 0}

    def counted(u, w):
        calls["f"] += 1
        return f(u, w)

    def gradient(u, w):
        calls["g"] += 1
        return 2 * u * w + np.cos(u), u * u

    assert sp.check_backward(counted, None, (U, W), framework="torch") and calls["f"] == 2
    assert (
        sp.check_backward(counted, None, (U, W), framework="torch", gradient=gradient)
        and calls["g"] == 1
    )


@pytest.mark.parametrize(
    ("custom", "name"), [(Square, "factor_half"), (WrongThroughNumpy, "minus")]
)
def test_a_wrong_autograd_function_is_named(custom, name):
    evidence = sp.check_backward(
        Model(custom).double(), None, torch.randn(5, 3, dtype=torch.float64)
    )
    assert evidence.verdict == "refuted" and evidence.separation > 1e6
    assert (
        f"{custom.__name__}.apply(tanh)" in evidence.sentence and "inherits it" in evidence.sentence
    )
    assert evidence.diagnosis.names == (name,)


def test_the_wrong_argument_is_named():
    evidence = sp.check_backward(
        lambda u, w: Product.apply(u, w).sum(), None, (U, W), framework="torch"
    )
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ("minus in argument_2",)


def test_a_right_function_without_forward_mode_holds_with_a_note():
    evidence = sp.check_backward(lambda u: ThroughNumpy.apply(u).sum(), None, U, framework="torch")
    assert evidence and "by differences" in evidence.explain()


@pytest.mark.parametrize(
    ("gradient", "names"),
    [
        (lambda u, w: (u * w + np.cos(u), u * u / 2), None),  # an unlikely mistake has no name
        (lambda u, w: (u * w + np.cos(u), u * u), ("multiplicity_lost",)),
        (lambda u, w: (4 * u * w + 2 * np.cos(u), 2 * u * u), ("seed_twice",)),
        (lambda u, w: (-2 * u * w - np.cos(u), -u * u), ("whole_gradient_negated",)),
        (lambda u, w: (0 * u, 0 * u), ("seed_missing",)),
    ],
)
def test_a_hand_written_gradient_is_diagnosed(gradient, names):
    evidence = sp.check_backward(f, None, (U, W), framework="torch", gradient=gradient)
    assert evidence.verdict == "refuted" and "the given gradient" in evidence.sentence
    if names is not None:
        assert set(names) <= set(evidence.diagnosis.names), evidence.explain()


def test_kinks_and_modules_that_fx_cannot_read():
    layer = torch.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True).eval()
    evidence = sp.check_backward(layer, None, torch.randn(2, 5, 8))
    assert evidence and "judged as one node" in evidence.explain()
    assert sp.check_backward(
        torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)),
        None,
        torch.randn(9, 3),
    )


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (
            torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.ReLU(inplace=True)),
            ArgumentError,
            "free of in-place operations",
        ),
        (
            torch.nn.Sequential(torch.nn.Linear(3, 50), torch.nn.Dropout(0.5)),
            CallableError,
            "be deterministic",
        ),
        (lambda x: x.sum() if x.sum() > 0 else x, ArgumentError, "traceable by torch.fx"),
        (lambda x, y: x, ArgumentError, "one example per argument"),
        (lambda x: (x * 0).log(), CallableError, "nan or inf"),
        (lambda x: x @ x, CallableError, "return normally"),
        (lambda x: x.argmax(), ArgumentError, "floating tensor"),
    ],
)
def test_bad_models(model, error, message):
    with pytest.raises(error, match=message):
        sp.check_backward(model, None, torch.randn(4, 3))


def test_bad_gradients():
    with pytest.raises(ArgumentError, match="value is one number"):
        sp.check_backward(lambda u: u * u, None, U, framework="torch", gradient=lambda u: u)
    with pytest.raises(ArgumentError, match="returns 2 arrays"):
        sp.check_backward(f, None, (U, W), framework="torch", gradient=lambda u, w: u)
    with pytest.raises(CallableError, match="the gradient of input 0"):
        sp.check_backward(f, None, (U, W), framework="torch", gradient=lambda u, w: (u[:2], w))
    with pytest.raises(ArgumentError, match="inputs must be given with a torch module"):
        sp.check_backward(Model())
