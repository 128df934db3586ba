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


@pytest.mark.parametrize(("custom", "name"), [(Square, "factor"), (WrongThroughNumpy, "sign")])
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
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ("sign",)
    said = evidence.explain()
    assert "for `w` (argument 2), the negative of what is due" in said
    assert "`u` (argument 1) is right" in said


def test_a_right_function_without_forward_mode_holds_with_a_note():
    evidence = sp.check_backward(lambda u: ThroughNumpy.apply(u).sum(), None, U, framework="torch")
    assert evidence and "by differences" in evidence.explain()


@pytest.mark.parametrize(
    ("gradient", "said"),
    [
        (lambda u, w: (u * w + np.cos(u), u * u / 2), "to `mul_1` (argument 1) is counted 0.5"),
        (lambda u, w: (u * w + np.cos(u), u * u), "node [mul_1 = mul(mul, w)"),
        (lambda u, w: (4 * u * w + 2 * np.cos(u), 2 * u * u), "whole gradient is 2 times"),
        (lambda u, w: (-2 * u * w - np.cos(u), -u * u), "whole gradient is the negative"),
        (lambda u, w: (0 * u, 0 * u), "`u` and `w` get no gradient"),
        (lambda u, w: (u * u, 2 * u * w + np.cos(u)), "gradients of `u` and `w` are exchanged"),
    ],
)
def test_a_hand_written_gradient_is_diagnosed(gradient, said):
    evidence = sp.check_backward(f, None, (U, W), framework="torch", gradient=gradient)
    assert evidence.verdict == "refuted" and "the given gradient" in evidence.sentence
    assert said in evidence.explain() and evidence.diagnosis.names, evidence.explain()


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
        (lambda x: x.sum() if x.sum() > 0 else x, ArgumentError, "an if or a while that asks"),
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


def test_what_is_no_pass_wants_example_inputs():
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * x

    for one in (Square, Square.apply):
        with pytest.raises(ArgumentError, match="given with a torch.autograd.Function .* inputs="):
            sp.check_backward(one)
    with pytest.raises(ArgumentError, match="given with a class"):
        sp.check_backward(dict)
    jax = pytest.importorskip("jax")
    for made in (jax.custom_vjp, jax.custom_jvp, jax.jit):
        with pytest.raises(ArgumentError, match="given with a function of jax"):
            sp.check_backward(made(lambda x: x))


# -- coarse types and large sizes ------------------------------------------------------------------

MANY = torch.tensor(np.random.default_rng(1).standard_normal(100_000), dtype=torch.float32)


def half_square(x):
    return (x * x).sum() / 2


def changed(x, entry, factor):
    g = x.clone()
    g[entry] *= factor
    return g


@pytest.mark.parametrize(
    ("gradient", "said"),
    [
        (lambda x: -x, "100000 of 100000 entries are off"),
        (lambda x: 1.05 * x, "100000 of 100000"),
        (lambda x: 0 * x, "100000 of 100000"),
        (lambda x: changed(x, 77, 0), "entry [77]"),
        (lambda x: changed(x, 99_999, -1), "entry [99999]"),
        (lambda x: torch.where(x > 2.5, 2 * x, x), "entries are off"),
        (lambda x: x.half().float(), "entries are off"),
    ],
)
def test_a_hundred_thousand_entries_hide_nothing_in_float32(gradient, said):
    evidence = sp.check_backward(half_square, None, MANY, gradient=gradient)
    assert evidence.verdict == "refuted" and said in evidence.sentence, evidence.explain()


def test_and_the_right_gradient_holds_with_its_resolution():
    evidence = sp.check_backward(half_square, None, MANY, gradient=lambda x: x)
    assert evidence and evidence.resolution < 0.01
    assert evidence.coverage.looked_at["entries"] == 100_000
    assert "A relative deviation of" in evidence.explain() and "Looked at" in evidence.explain()


def test_one_small_parameter_of_many_is_seen():
    scales = [10.0**-k for k in range(8)]
    inputs = tuple(torch.tensor([s, 2 * s]) for s in scales)

    def f(a, b, c, d, e, g, h, i):
        return sum((x * x).sum() for x in (a, b, c, d, e, g, h, i))

    assert sp.check_backward(f, None, inputs, gradient=lambda *xs: tuple(2 * x for x in xs))
    wrong = sp.check_backward(
        f, None, inputs, gradient=lambda *xs: (*(2 * x for x in xs[:-1]), 0 * xs[-1])
    )
    assert wrong.verdict == "refuted" and "of `i`" in wrong.sentence


def test_bfloat16_is_judged_and_says_what_would_decide():
    x = torch.linspace(0.5, 2, 7, dtype=torch.bfloat16)
    evidence = sp.check_backward(half_square, None, x)
    assert evidence.verdict == "undecided" and "pass tolerance=" in evidence.sentence
    assert sp.check_backward(half_square, None, x, tolerance=0.1)
    wrong = sp.check_backward(half_square, None, x, gradient=lambda x: -x)
    assert wrong.verdict == "refuted"
    model = Model().to(torch.bfloat16)
    assert sp.check_backward(model, None, torch.randn(5, 3).bfloat16()).verdict == "undecided"


# -- what forward mode does not see ----------------------------------------------------------------


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ((x + (torch.round(x) - x).detach()) ** 2).sum(),
        lambda x: ((x + (torch.sign(x) - x).detach()) * x).sum(),
        lambda x: (x / x.norm().detach()).pow(3).sum(),
        lambda x: (x.detach() * x).sum(),
        lambda x: (x.data * x).sum(),
        lambda x: (x.detach().sin() + x.cos()).sum(),
    ],
)
def test_straight_through_and_detached_paths_are_refuted_and_named(function):
    for dtype in (torch.float32, torch.float64):
        x = torch.tensor([0.3, -1.7, 2.2], dtype=dtype)
        evidence = sp.check_backward(function, None, x)
        assert evidence.verdict == "refuted", evidence.explain()
        assert "straight-through or detached path at node [" in evidence.sentence
        assert "right with these nodes held constant" in evidence.sentence


class Round(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return torch.round(x)

    @staticmethod
    def backward(ctx, g):
        return g


through = Round.apply  # bound before torch.fx looks
squared = Square.apply


def test_a_straight_through_function_and_a_rule_bound_in_advance_are_named():
    evidence = sp.check_backward(lambda x: (through(x) * x).sum(), None, torch.randn(5))
    assert evidence.verdict == "refuted" and "Round.apply" in evidence.sentence
    assert evidence.diagnosis.names == ("straight_through",)
    evidence = sp.check_backward(lambda x: squared(x).sum(), None, torch.randn(5))
    assert "Square.apply" in evidence.sentence and evidence.diagnosis.names == ("factor",)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.log(torch.exp(x - x.max().detach()).sum()) + x.max().detach(),
        lambda x: torch.relu(x).sum(),
        lambda x: x.abs().sum() + x.sum(),
        lambda x: x.amax() + (x * x + x).sum(),
        lambda x: torch.maximum(x, 0 * x).sum() + x.sum(),
        lambda x: torch.clamp(x, -1, 0).sum() + x.sum(),
        lambda x: (torch.floor(x + 0.4) * x + x).sum(),
        lambda x: x.norm() + x.sum(),
    ],
)
def test_right_gradients_at_kinks_and_through_shifts_hold(function):
    for x in (torch.zeros(3), torch.ones(4), torch.tensor([0.0, 1.0, 1.0, -2.0])):
        evidence = sp.check_backward(function, None, x)
        assert evidence, evidence.explain()


def test_a_gradient_that_is_nan_where_the_function_is_smooth_is_refuted():
    evidence = sp.check_backward(
        lambda x: torch.where(x > 0, x.sqrt(), x).sum(), None, torch.tensor([-1.0, 1.0])
    )
    assert evidence.verdict == "refuted" and "unused branch" in evidence.sentence
    evidence = sp.check_backward(lambda x: x.sqrt().sum(), None, torch.tensor([0.0, 1.0]))
    assert evidence.verdict == "undecided" and "infinite derivative" in evidence.sentence


def test_a_gradient_that_is_zero_at_the_inputs_is_judged_nearby():
    last = torch.nn.Linear(4, 1)
    torch.nn.init.zeros_(last.weight)
    model = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Tanh(), last)
    assert sp.check_backward(model, None, torch.randn(3, 4))
    x = torch.zeros(3)
    assert sp.check_backward(half_square, None, x, gradient=lambda x: x)
    wrong = sp.check_backward(half_square, None, x, gradient=lambda x: 2 * x)
    assert wrong.verdict == "refuted" and "a little off the inputs" in wrong.sentence
    nothing = sp.check_backward(lambda x: (0 * x).sum(), None, torch.ones(2))
    assert nothing.verdict == "undecided"


def test_a_hook_that_changes_a_gradient_is_seen():
    model = torch.nn.Linear(3, 1)
    model.weight.register_hook(lambda g: g.clamp(-0.1, 0.1))
    assert sp.check_backward(model, None, 5 + torch.rand(2, 3)).verdict == "refuted"


def test_eval_mode_buffers_and_integer_inputs():
    model = torch.nn.Sequential(
        torch.nn.Embedding(7, 4), torch.nn.Dropout(0.5), torch.nn.Linear(4, 2)
    ).eval()
    assert sp.check_backward(model, None, torch.tensor([1, 5, 1]))
    norm = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).eval()
    assert sp.check_backward(norm, None, torch.randn(6, 3))
    assert sp.check_backward(lambda x, i: (x[i] ** 2).sum(), None, (MANY[:9], torch.tensor([2])))


class Adjoint(torch.autograd.Function):
    """Euler for z' = sin z, with the continuous adjoint, by as many steps: first-order wrong."""

    @staticmethod
    def forward(ctx, z):
        for _ in range(50):
            z = z + 0.02 * torch.sin(z)
        ctx.save_for_backward(z)
        return z

    @staticmethod
    def backward(ctx, a):
        (z,) = ctx.saved_tensors
        for _ in range(50):
            a, z = a + 0.02 * a * torch.cos(z), z - 0.02 * torch.sin(z)
        return a


def test_an_approximate_backward_is_no_mistake_within_its_tolerance():
    def f(z):
        return (Adjoint.apply(z) ** 2).sum()

    z = torch.tensor([0.3, 1.0, -2.0, 0.7], dtype=torch.float64)
    assert sp.check_backward(f, None, z).verdict == "refuted"
    assert sp.check_backward(f, None, z, tolerance=1e-3).verdict == "refuted"
    evidence = sp.check_backward(f, None, z, tolerance=0.1)
    assert evidence and evidence.resolution == 0.1
    assert sp.check_backward(lambda z: f(-z), None, z, tolerance=0.1)


def test_tolerance_widens_nothing_silently():
    wrong = sp.check_backward(half_square, None, MANY, gradient=lambda x: -x, tolerance=0.5)
    assert wrong.verdict == "refuted"
    with pytest.raises(ArgumentError, match="tolerance"):
        sp.check_backward(half_square, None, MANY, tolerance=2)


def test_a_part_under_no_grad_is_refuted():
    def f(x):
        with torch.no_grad():
            size = x.norm()
        return (x / size).pow(3).sum()

    evidence = sp.check_backward(f, None, torch.randn(4))
    assert (
        evidence.verdict == "refuted" and "to `norm` (argument 2) is missing" in evidence.explain()
    )


def test_apply_is_its_own_again_after_errors_and_threads():
    import threading

    apply = torch.autograd.Function.__dict__["apply"].__func__
    code = apply.__code__

    def refused(x):
        Square.apply(x)
        raise ValueError("no")

    with pytest.raises(ArgumentError, match="no"):
        sp.check_backward(refused, inputs=torch.ones(2))
    assert apply.__code__ is code

    verdicts, broken = [], []

    def judge():
        evidence = sp.check_backward(lambda x: Square.apply(x).sum(), inputs=torch.ones(3) * 2)
        verdicts.append(evidence.verdict)

    def train():  # somebody else's backward pass goes on meanwhile
        try:
            for _ in range(200):
                Square.apply(torch.ones(2, requires_grad=True)).sum().backward()
        except Exception as error:
            broken.append(error)

    threads = [threading.Thread(target=f) for f in (judge, train, judge, judge)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert verdicts == ["refuted"] * 3
    assert broken == []
    assert apply.__code__ is code


def test_numbers_that_are_only_selected_are_not_rounded():
    def loss(x, table, i):
        return (table[i][:, None] * x).square().sum()

    table = torch.linspace(0.1, 1.0, 1000)
    x = torch.tensor(RNG.standard_normal((3, 4)), dtype=torch.float32)
    evidence = sp.check_backward(loss, inputs=(x, table, torch.tensor([0, 7, 999])))
    assert evidence
    assert evidence.resolution < 1e-4


def test_constants_of_the_function_are_not_differentiated():
    mask = torch.full((4, 4), -torch.inf).triu(1)
    unused = torch.tensor(torch.nan)

    def attention(x):
        scores = torch.where(torch.ones(4, 4) > 0, x @ x.T, unused + 1)
        return (torch.softmax(scores + mask, -1) @ x).square().sum()

    evidence = sp.check_backward(attention, inputs=torch.tensor(np.outer(U, W)))
    assert evidence


def test_a_gradient_that_is_zero_everywhere_is_undecided_with_its_remedy():
    evidence = sp.check_backward(lambda x: torch.relu(x - 100).sum(), inputs=torch.tensor(U))
    assert evidence.verdict == "undecided"
    assert "dead" in evidence.explain()


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.bfloat16])
def test_with_a_tolerance_each_entry_is_looked_at_too(kind):
    def zeroed(x):  # a thirtieth of the norm: the array as a whole is within the tolerance
        return torch.where(torch.arange(len(x)) == where, 0, x)

    x = torch.tensor(np.random.default_rng(1).standard_normal(1000), dtype=kind)
    where = int(torch.argmin((x.abs() - 1).abs()))
    evidence = sp.check_backward(half_square, None, x, gradient=zeroed, tolerance=0.1)
    assert evidence.verdict == "refuted"
    assert f"[{where}]" in evidence.sentence
    assert sp.check_backward(half_square, None, x, gradient=lambda x: x, tolerance=0.1)


def test_with_a_tolerance_one_entry_of_a_rule_is_looked_at_too():
    class Exp(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.exp()

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return torch.where(torch.arange(len(x)) == lost, 0, g * x.exp())

    x = torch.tensor(np.random.default_rng(2).standard_normal(1000))
    lost = int(torch.argmin((x - 1).abs()))
    f = lambda x: Exp.apply(x).sum()  # noqa: E731
    assert sp.check_backward(f, None, x, tolerance=0.1).verdict == "refuted"
    lost = -1
    assert sp.check_backward(f, None, x, tolerance=0.1)


@pytest.mark.parametrize("size", [1.0, 1e-6, 1e-12])
def test_a_gradient_of_zero_is_off_by_all_of_it(size):
    class Stopped(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return size * x * x

        @staticmethod
        def backward(ctx, g):
            return 0 * g

    x = torch.tensor([[0.5, -1.5, 2.0, 0.25]], dtype=torch.float64)
    evidence = sp.check_backward(lambda x: Stopped.apply(x).sum(), inputs=x)
    assert evidence.verdict == "refuted" and 0.5 < evidence.value < 2
