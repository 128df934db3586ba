"""check_log_likelihood_gradient: PyTorch modules and their parameters as they are."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from causes._affine_flows import LEAVES, X, by_rows, gradients, log_p, network  # noqa: E402

check = sp.check_log_likelihood_gradient


def named(net, values):
    return dict(zip(dict(net.named_parameters()), values, strict=True))


NET = network()
#: how people hand back a gradient that is right
RIGHT = {
    "a list": lambda x, nu: gradients(NET, x, nu),
    "a tuple": lambda x, nu: tuple(gradients(NET, x, nu)),
    "a dict": lambda x, net, nu: named(net, gradients(net, x, nu)),
    "the model first": lambda model, x, eps: named(model, gradients(model, x, eps)),
    "a flat vector": lambda x, nu: torch.cat([g.ravel() for g in gradients(NET, x, nu)]),
    "backward": lambda x, nu: log_p(NET, x, nu).sum().backward(),
    "a list by rows": lambda x, nu: by_rows(NET, x, nu),
    "a dict by rows": lambda x, nu: named(NET, by_rows(NET, x, nu)),
    "flat by rows": lambda x, nu: torch.cat([g.flatten(1) for g in by_rows(NET, x, nu)], 1),
    "numpy": lambda x, nu: [g.numpy() for g in gradients(NET, x, nu)],
}


def backward_and_loss(x, nu):
    """As a training step leaves it: the gradients in .grad, and a number is returned."""
    value = log_p(NET, x, nu).sum()
    value.backward()
    return value


@pytest.mark.parametrize("how", [*RIGHT, "backward_and_loss"])
def test_a_right_gradient_holds_in_every_form(how):
    gradient = RIGHT.get(how, backward_and_loss)
    evidence = check(NET, NET, X, gradient, accuracy=1e-9)
    assert evidence, evidence.explain()
    assert evidence.coverage.asked["parameters"] == 12
    assert all(v.grad is None for v in NET.parameters())


PARAMS = {
    "None": lambda net: None,
    "parameters()": lambda net: net.parameters(),
    "named_parameters()": lambda net: net.named_parameters(),
    "a list": lambda net: list(net.parameters()),
    "a dict": lambda net: dict(net.named_parameters()),
}


@pytest.mark.parametrize("how", PARAMS)
def test_the_parameters_of_a_module_go_in_as_they_are(how):
    assert check(NET, PARAMS[how](NET), X, RIGHT["a list"], accuracy=1e-9)


class Timed(torch.nn.Module):
    """torchdiffeq's ``func(t, y)``."""

    def __init__(self, net, form):
        super().__init__()
        self.net, self.form = net, form

    def forward(self, t, y):
        ones = {
            "0-d": lambda: torch.ones_like(y[:, :1]) * t,
            "(n,)": lambda: t[:, None],
            "(n, 1)": lambda: torch.cat([y, t], 1)[:, -1:],
        }[self.form]()
        return self.net(y) + 0 * ones


FIELDS = {
    "module(t, y), a number": lambda: Timed(NET, "0-d"),
    "module(t, y), one time a row": lambda: Timed(NET, "(n,)"),
    "module(t, y), a column of times": lambda: Timed(NET, "(n, 1)"),
    "lambda t, y": lambda: lambda t, y: NET(y),
    "lambda z, t": lambda: lambda z, t: NET(z),
    "lambda z, model, t": lambda: lambda z, model, t: model(z),
    "lambda t, y, args": lambda: lambda t, y, args: args(y),
    "the forward of a module": lambda: NET.forward,
}


@pytest.mark.parametrize("how", FIELDS)
def test_a_field_goes_in_with_its_arguments_in_its_own_order(how):
    assert check(FIELDS[how](), NET, X, RIGHT["a list"], accuracy=1e-9)


def test_arguments_whose_names_do_not_say_are_said():
    with pytest.raises(ArgumentError, match=r'say it with given=\("z", "t"\)'):
        check(lambda a, b: NET(b), NET, X, RIGHT["a list"])
    assert check(lambda a, b: NET(b), NET, X, RIGHT["a list"], given=("t", "z"), accuracy=1e-9)
    given = {"field": ("t", "z", "params"), "gradient": ("nu", "x")}
    assert check(
        lambda a, b, c: c(b), NET, X, lambda p, q: gradients(NET, q, p), given=given, accuracy=1e-9
    )
    with pytest.raises(ArgumentError, match="a mapping of field, gradient and log_likelihood"):
        check(NET, NET, X, RIGHT["a list"], given={"sampler": ("x",)})
    with pytest.raises(ArgumentError, match="each at most once and z among them"):
        check(NET, NET, X, RIGHT["a list"], given=("t", "params"))


def test_log_p_the_prior_and_the_mean_over_nu_work_with_modules():
    half = np.log(2 * np.pi)
    more = {
        "log_likelihood": lambda x, nu: log_p(NET, x, nu) - half,
        "log_latent": lambda z: torch.distributions.Normal(0.0, 1.0).log_prob(z).sum(-1),
    }
    assert check(NET, NET, X, RIGHT["a list"], accuracy=1e-9, **more)
    assert check(NET, NET, X, RIGHT["a list"], in_expectation=True, accuracy=1e-9)
    wrong = check(NET, NET, X, RIGHT["a list"], log_likelihood=lambda x, nu: log_p(NET, x, nu))
    assert "(D/2) log 2π" in wrong.explain()


def test_a_tolerance_of_the_solver_is_handed_over():
    def gradient(x, net, nu, tol):
        return [g * (1 + tol) for g in gradients(net, x, nu)]

    assert check(NET, NET, X, gradient)


def test_a_module_in_single_precision_is_judged_in_double_and_stays_what_it_was():
    net = network(torch.float32)
    net.register_buffer("calls", torch.zeros(()))
    net[0].weight.grad = torch.ones(2, 2)
    before = {k: v.clone() for k, v in net.state_dict().items()}

    def gradient(x, nu):
        assert x.dtype is torch.float32
        net.calls += 1
        return gradients(net, x, nu)

    evidence = check(net, net, X, gradient)
    assert evidence and evidence.resolution < 0.01, evidence.explain()
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert all(v.dtype is torch.float32 for v in net.parameters())
    assert torch.equal(net[0].weight.grad, torch.ones(2, 2))
    wrong = check(net, net, X, lambda x, nu: [g * 1.002 for g in gradients(net, x, nu)])
    assert wrong.verdict == "refuted"


class Held(torch.nn.Module):
    """A frozen layer, a buffer, a plain tensor and a shared weight."""

    def __init__(self, dtype=torch.float32):
        super().__init__()
        net = network(dtype)
        self.first, self.second = net[0], net[1]
        self.first.requires_grad_(False)
        self.register_buffer("shift", torch.tensor([0.3, -0.1], dtype=dtype))
        self.factor = torch.eye(2, dtype=dtype) * 0.5
        self.again = self.second

    def forward(self, t, y):
        return self.again(self.first(y @ self.factor) + self.shift)


def held_gradient(net, x, nu, dtype=torch.float32):
    from causes._affine_flows import torch_log_p

    w, b = net.second.weight, net.second.bias
    first = net.first.weight @ net.factor.T
    value = torch_log_p(first, net.first.bias + net.shift, w, b, x, nu)
    return dict(
        zip(("second.weight", "second.bias"), torch.autograd.grad(value.sum(), (w, b)), strict=True)
    )


def test_frozen_buffered_plain_and_shared_tensors_are_taken_as_they_are():
    net = Held()
    evidence = check(net, net, X, lambda x, nu: held_gradient(net, x, nu))
    assert evidence, evidence.explain()
    assert evidence.coverage.looked_at["parameters"] == 6
    told = "6 parameters (first.weight, first.bias), frozen (requires_grad=False)"
    assert told in evidence.explain(), evidence.explain()

    def twice(x, nu):  # by every name that a shared parameter has
        found = held_gradient(net, x, nu)
        return found | {k.replace("second", "again"): v for k, v in found.items()}

    assert check(net, net, X, twice)


def edited(edit):
    def gradient(x, nu):
        values = gradients(NET, x, nu)
        edit(values, len(x))
        return values

    return gradient


def put(k, of):
    def edit(values, n):
        values[k] = of(values, n)

    return edit


def exchange(i, j):
    def edit(values, n):
        values[i], values[j] = values[j], values[i]

    return edit


WRONG = {
    "half a bias": (put(1, lambda v, n: v[1] / 2), "the gradient of 0.bias is 0.5 = 1/2 times"),
    "two exchanged": (exchange(1, 3), "the gradient of 0.bias is that of 1.bias"),
    "weights exchanged": (exchange(0, 2), "the gradient of 1.weight is that of 0.weight"),
    "detached": (put(3, lambda v, n: None), r"None for 1.bias, are 0"),
    "zero": (put(2, lambda v, n: 0 * v[2]), r"1.weight \(1 of 4 leaves\) are 0"),
    "transposed": (put(0, lambda v, n: v[0].T), "the gradient of 0.weight is transposed"),
    "a sign": (put(3, lambda v, n: -v[3]), "the gradient of 1.bias is the negative"),
    "the mean of rows": (put(1, lambda v, n: v[1] / n), "1.*0.bias is averaged over the batch"),
    "n times": (put(1, lambda v, n: v[1] * n), "0.bias is n times what is due"),
    "reversed": (put(1, lambda v, n: v[1].flip(0)), "0.bias is in reverse order"),
    "the mean over entries": (
        put(3, lambda v, n: torch.full_like(v[3], v[3].mean())),
        "1.bias is in every entry the mean over its entries",
    ),
    "the sum over an axis": (
        put(0, lambda v, n: v[0].sum(0, keepdim=True).expand(2, 2)),
        "0.weight is in every entry the sum over its entries along axis 0",
    ),
    "one entry": (
        put(0, lambda v, n: v[0] * (1 + 0.1 * torch.tensor([[0.0, 0], [0, 1]]))),
        r"0\.weight\[1, 1\] is 1\.1 = 11/10 times what is due",
    ),
    "the loss": (
        lambda v, n: v.__setitem__(slice(None), [-g for g in v]),
        "the gradient of -log p",
    ),
}


@pytest.mark.parametrize("mistake", WRONG)
def test_a_mistake_in_one_leaf_is_named_by_the_leaf(mistake):
    edit, says = WRONG[mistake]
    evidence = check(NET, NET, X, edited(edit), accuracy=1e-9)
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names, evidence.explain()
    assert re.search(says, evidence.explain()), evidence.explain()
    assert "params[" not in evidence.explain()


def test_a_flat_gradient_in_another_order_of_leaves_is_named():
    def by_name(x, nu):
        found = named(NET, gradients(NET, x, nu))
        return torch.cat([found[k].ravel() for k in sorted(found)])

    evidence = check(NET, NET, X, by_name, accuracy=1e-9)
    assert evidence.diagnosis.names == ("leaves_in_another_order",), evidence.explain()


def test_what_is_added_to_a_leaf_is_placed_there():
    noise = torch.tensor([[0.3, -0.7], [0.2, 0.9]], dtype=torch.float64)
    evidence = check(
        NET, NET, X, edited(put(2, lambda v, n: v[2] + v[2].norm() * noise)), accuracy=1e-9
    )
    assert "1.weight (1 of 4 leaves)" in evidence.explain(), evidence.explain()


def raises(params, gradient, match, error=(ArgumentError, CallableError), field=NET):
    with pytest.raises(error, match=match):
        check(field, params, X, gradient)


def test_each_thing_that_is_no_gradient_has_one_error_that_names_the_leaf():
    right = RIGHT["a list"]
    raises(NET, lambda x, nu: right(x, nu)[:3], "3 arrays, so that nothing is for 1.bias")
    raises(NET, lambda x, nu: {"0.weight": right(x, nu)[0]}, "0.bias is missing")
    extra = lambda x, nu: named(NET, right(x, nu)) | {"2.bias": torch.ones(2)}  # noqa: E731
    raises(NET, extra, "2.bias is none of them")
    raises(NET, lambda x, nu: None, "returned None and left no .grad")
    raises(NET, edited(put(1, lambda v, n: v[1][:1])), r"for 0.bias the shape \(2,\)")
    raises(NET, edited(put(1, lambda v, n: v[1] * np.nan)), r"0.bias\[0\] is nan")
    raises(NET, edited(put(1, lambda v, n: "none")), "an array of numbers for 0.bias")
    mixed = edited(put(1, lambda v, n: v[1].expand(n, 2) if n > 1 else v[1]))
    raises(NET, mixed, "0.weight is summed over the rows and 0.bias has 3 rows")
    raises(NET, lambda x, nu: torch.ones(5), "a gradient for each of the 4 leaves")

    def steps(x, nu):
        found = right(x, nu)
        with torch.no_grad():
            NET[1].bias -= 0.1 * found[3]
        return found

    raises(NET, steps, "1.bias was changed in the call")
    assert torch.equal(NET[1].bias.detach(), torch.tensor(LEAVES["1.bias"]))


def test_a_weight_gradient_of_the_transposed_shape_is_said_to_be_one():
    net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Linear(3, 2))

    def turned(x, nu):
        return [v.detach().T if v.dim() == 2 else v.detach() for v in net.parameters()]

    with pytest.raises(CallableError, match=r"it returned \(2, 3\): is it transposed\?"):
        check(net, net, X, turned)


def test_each_thing_that_is_no_parameter_has_one_error_that_names_the_leaf():
    def tree(**more):
        return {"w": torch.eye(2), "b": torch.zeros(2)} | more

    def field(z, params, s):
        return z @ params["w"].T + params["b"]

    def asked(params, match):
        raises(params, lambda x, params, nu: params, match, ArgumentError, field)

    asked(tree(steps=torch.tensor([3])), "leaf steps of params must be of a floating type")
    asked(tree(b=torch.zeros(2, dtype=torch.complex64)), "leaf b of params must be real")
    asked(tree(b=torch.zeros(0)), "leaf b of params must be non-empty")
    asked(tree(b=torch.zeros(2).double()), r"leaf b .* \(w is float32\) \(got float64\)")
    asked(tree(b=torch.full((2,), np.inf)), "leaf b of params must be finite")
    one = torch.eye(2)
    asked({"w": one, "v": one}, "leaf v .* a parameter of its own .* the same tensor as w")
    asked({"w": None}, "without any")
    with pytest.raises(ArgumentError, match="all of whose parameters are frozen"):
        check(network().requires_grad_(False), None, X, RIGHT["a list"])
    with pytest.raises(ArgumentError, match="None, and field has no parameters of its own"):
        check(lambda z, t: z, None, X, RIGHT["a list"])
    lazy = torch.nn.LazyLinear(2)
    with pytest.raises(ArgumentError, match="leaf weight of params must be of a known shape"):
        check(lazy, None, X, RIGHT["a list"])


def test_tensors_in_a_dict_go_in_with_a_functional_field():
    net = network()
    params = {k: v.detach().clone() for k, v in net.named_parameters()}

    def field(z, params, s):
        return torch.func.functional_call(net, params, (z,))

    def log_of(params, x, nu):
        from causes._affine_flows import torch_log_p

        return torch_log_p(*params.values(), x, nu).sum()

    def gradient(x, params, nu):
        return torch.func.grad(log_of)(params, x, nu)

    assert check(field, params, X, gradient, accuracy=1e-9)

    def writes(x, params, nu):
        found = gradient(x, params, nu)
        params["0.bias"] += 1
        return found

    with pytest.raises(CallableError, match=r"0\.bias was changed in the call"):
        check(field, params, X, writes)


def test_a_mistake_in_the_trace_of_one_leaf_is_told_as_its_part():
    """The trace's estimate with the first layer's weight detached, as of a copy of it."""

    def gradient(x, nu):
        from causes._affine_flows import torch_log_p

        w1, b1, w2, b2 = NET.parameters()
        a = w2 @ w1
        kept = w2 @ w1.detach()
        value = torch_log_p(w1, b1, w2, b2, x, nu)
        value = value + (nu * (nu @ a.T)).sum(1) - (nu * (nu @ kept.T)).sum(1)
        return torch.autograd.grad(value.sum(), list(NET.parameters()))

    evidence = check(NET, NET, X, gradient, accuracy=1e-9)
    assert evidence.verdict == "refuted"
    text = evidence.explain()
    assert "in 0.weight (1 of 4 leaves) only, the rest is right:" in text, text
