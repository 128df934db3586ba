"""check_log_likelihood_gradient: trees of arrays, NumPy's and JAX's, as they are."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections import OrderedDict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.public.log_likelihood_gradient.by_leaf import by_leaf
from scoreproof.public.log_likelihood_gradient.leaves import Leaves
from scoreproof.public.log_likelihood_gradient.roles import roles_of

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from causes._affine_flows import B1, B2, W1, W2, X, diagonal, jax_field, jax_log_p

check = sp.check_log_likelihood_gradient
A, B = np.array([0.5, -0.7]), np.array([0.3, 0.2])


class Pair(NamedTuple):
    a: Any
    b: Any


@dataclasses.dataclass
class Flow:
    a: Any
    b: Any
    name: str = "mine"
    steps: int = 4


#: a tree, what reads a and b from it, and what makes the tree of a gradient
TREES = {
    "a dict": ({"a": A, "b": B}, lambda p: (p["a"], p["b"]), lambda a, b: {"a": a, "b": b}),
    "an ordered dict": (
        OrderedDict(b=B, a=A),
        lambda p: (p["a"], p["b"]),
        lambda a, b: {"b": b, "a": a},
    ),
    "a list": ([A, B], tuple, lambda a, b: [a, b]),
    "a tuple": ((A, B), tuple, lambda a, b: (a, b)),
    "a named tuple": (Pair(A, B), lambda p: (p.a, p.b), Pair),
    "a dataclass": (Flow(A, B), lambda p: (p.a, p.b), lambda a, b: Flow(a, b)),
    "nested, with None": (
        {"net": [{"a": A}, None], "b": (B,), "act": np.tanh},
        lambda p: (p["net"][0]["a"], p["b"][0]),
        lambda a, b: {"net": [{"a": a}, None], "b": (b,), "act": None},
    ),
}


@pytest.mark.parametrize("summed", [False, True], ids=["by rows", "summed"])
@pytest.mark.parametrize("form", TREES)
def test_a_tree_of_arrays_goes_in_as_it_is(form, summed):
    tree, read, made = TREES[form]

    def field(z, params, s):
        a, b = read(params)
        return a * z + b

    def gradient(x, params, nu):
        a, b = read(params)
        found = diagonal({"a": a, "b": b}, x, nu)
        return made(*(v.sum(axis=0) if summed else v for v in (found["a"], found["b"])))

    evidence = check(field, tree, X, gradient, accuracy=1e-9)
    assert evidence, evidence.explain()

    def wrong(x, params, nu):
        a, b = read(params)
        found = diagonal({"a": a, "b": b}, x, nu)
        return made(found["a"].sum(axis=0), found["b"].sum(axis=0) * 1.01)

    refuted = check(field, tree, X, wrong, accuracy=1e-9)
    assert refuted.verdict == "refuted"
    name = {"a list": "params.1", "a tuple": "params.1", "nested, with None": "b.0"}.get(form, "b")
    assert f"the gradient of {name} is 1.01 = 1 + 0.01 times" in refuted.explain()
    assert re.search(rf"{re.escape(name)}\[[01]\] is off by", refuted.explain())


def of_dict(z, params, s):
    return params["a"] * z + params["b"]


def test_diffrax_order_a_matrix_and_plain_numbers():
    assert check(
        lambda t, y, args: of_dict(y, args, t),
        {"a": A, "b": B},
        X,
        lambda params, x, eps: diagonal(params, x, eps),
        accuracy=1e-9,
    )
    numbers = {"a": 0.5, "b": 0.3}

    def of_numbers(x, params, nu):
        return {k: v.sum(axis=1) for k, v in diagonal(params, x, nu).items()}

    assert check(of_dict, numbers, X, of_numbers, accuracy=1e-9)
    whole = np.stack([A, B])

    def of_matrix(x, params, nu):
        found = diagonal({"a": params[0], "b": params[1]}, x, nu)
        return np.stack([found["a"], found["b"]], axis=1)

    field = lambda z, params, s: params[0] * z + params[1]  # noqa: E731
    assert check(field, whole, X, of_matrix, accuracy=1e-9)
    flat = lambda x, p, nu: of_matrix(x, p, nu).reshape(len(x), -1)  # noqa: E731
    assert check(field, whole, X, flat, accuracy=1e-9)
    turned = check(
        field, whole, X, lambda x, p, nu: of_matrix(x, p, nu).swapaxes(1, 2), accuracy=1e-9
    )
    assert "the gradient of params is transposed" in turned.explain()


def test_in_expectation_and_own_draws_work_with_trees():
    tree = {"a": A, "b": B}
    assert check(of_dict, tree, X, lambda x, p, nu: diagonal(p, x, nu), in_expectation=True)
    rng = np.random.default_rng(0)

    def own(x, p, nu):
        return diagonal(p, x, rng.choice([-1.0, 1.0], x.shape))

    options = {"in_expectation": True, "draws": 200, "tolerance": 0.5}
    assert check(of_dict, tree, X, own, **options)

    def off(x, p, nu):
        found = own(x, p, rng.standard_normal(nu.shape))
        return {"a": 3 * found["a"] + 0.1 * rng.standard_normal(x.shape), "b": found["b"]}

    refuted = check(of_dict, tree, X, off, **options)
    assert refuted.verdict == "refuted" and re.search(r": a\[[01]\], ", refuted.explain())


def test_leaves_that_the_field_does_not_use_are_named():
    tree = {"a": A, "b": B, "idle": np.ones(3)}

    def gradient(x, p, nu):
        return diagonal(p, x, nu) | {"idle": np.zeros((len(x), 3))}

    evidence = check(of_dict, tree, X, gradient, accuracy=1e-9)
    assert evidence and "3 parameters (idle)" in evidence.explain(), evidence.explain()


def test_many_leaves_are_judged_in_directions_and_named():
    tree = {f"w{k}": np.full(200, 0.1 * k + 0.2) for k in range(3)}

    def field(z, params, s):
        return z * sum(v.mean() for v in params.values())

    def gradient(x, params, nu):
        r = sum(v.mean() for v in params.values())
        z = np.exp(-r) * x
        one = ((z * z - nu**2).sum(axis=1) / 200)[:, None] * np.ones(200)
        return {k: one.copy() for k in params}

    assert check(field, tree, X, gradient, accuracy=1e-9)

    def wrong(x, params, nu):
        found = gradient(x, params, nu)
        found["w1"][:, 7] *= 1.5
        return found

    refuted = check(field, tree, X, wrong, accuracy=1e-9)
    assert refuted.verdict == "refuted" and re.search(r"one of w\d\[", refuted.explain())


def test_bad_trees_have_one_error_that_names_the_leaf():
    def raises(params, match, error=ArgumentError, gradient=lambda x, p, nu: diagonal(p, x, nu)):
        with pytest.raises(error, match=match):
            check(of_dict, params, X, gradient)

    tree = {"a": A, "b": B}
    raises(tree | {"n": np.arange(3)}, "leaf n of params must be of a floating type .*int64")
    raises(tree | {"n": 3}, r"leaf n of params must be of a floating type \(got 3\)")
    raises(tree | {"c": np.ones(2) * 1j}, "leaf c of params must be real")
    raises(tree | {"c": 1j}, "leaf c of params must be real")
    raises(tree | {"c": np.zeros((0, 2))}, "leaf c of params must be non-empty")
    raises(tree | {"c": np.ones(2, np.float32)}, r"leaf c .* \(a is float64\)")
    raises({}, "without any")
    raises({"x.y": A, "x": {"y": B}}, "leaf x.y of params must be the only one of this name")
    raises(None, "None, and field has no parameters of its own")
    with pytest.raises(ArgumentError, match="field must be a function of the parameters too"):
        check(lambda z, t: z, tree, X, diagonal)

    def writes(x, p, nu):
        p["b"] *= 2
        return diagonal(p, x, nu)

    raises(tree, "b was changed in the call", CallableError, writes)
    raises(tree, "b is missing", CallableError, lambda x, p, nu: {"a": A})
    with pytest.raises(ArgumentError, match="field must be callable"):
        check("field", tree, X, diagonal)


def test_names_of_arguments_say_what_they_are():
    def of(function, name="field", held=False):
        return roles_of(function, name, held, None)

    assert of(lambda s, theta, t: s) == ("z", "params", "s")  # two names of one role say nothing
    assert of(lambda t, y, w: y) == ("s", "z", "params")
    assert of(lambda t, q, foo: q) == ("s", "z", "params")
    assert of(lambda z: z) == ("z",)
    assert of(lambda foo: foo) == ("z",)
    assert of(lambda z, t, steps=3: z, held=True) == ("z", "s")
    assert of(lambda t, y, args=None: y, held=True) == ("s", "z")
    assert of(lambda t, y, args=None: y) == ("s", "z", "params")
    assert of(lambda model, x, eps: x, "gradient") == ("params", "x", "nu")
    assert of(lambda x, e: x, "gradient", True) == ("x", "nu")
    assert of(lambda *arguments: 0, "gradient") == ("x", "params", "nu")
    assert of(lambda *arguments: 0, held=True) == ("z", "s")
    assert of(lambda t, x, *more, **options: x, held=True) == ("s", "z")
    assert of(dict, held=True) == ("z", "s")


LAYOUT = Leaves([("w", (3, 3)), ("k", (2, 4)), ("b", (4,)), ("c", (4,))])
DUE = np.random.default_rng(3).standard_normal((5, LAYOUT.size))
ROWS, THETA = np.array([3, 3, 3, 1, 1]), np.random.default_rng(4).standard_normal(LAYOUT.size)


def told_of(found, due=DUE, leaves=LAYOUT, limit=1e-9):
    return by_leaf(leaves, found, due, np.full(due.shape, limit), ROWS, THETA)


def with_leaf(name, of):
    leaf, found = LAYOUT.by_name[name], DUE.copy()
    found[:, leaf.place] = of(DUE[:, leaf.place].reshape(-1, *leaf.shape)).reshape(5, -1)
    return found


@pytest.mark.parametrize(
    ("name", "of", "says"),
    [
        ("w", lambda v: v.swapaxes(1, 2), "w is transposed, the rest is right"),
        (
            "k",
            lambda v: np.ascontiguousarray(v.swapaxes(1, 2)),
            "k is that of the transposed matrix, reshaped",
        ),
        ("w", lambda v: v[:, ::-1], "w is in reverse order along axis 0"),
        ("k", lambda v: np.roll(v, 1, 2), "k is shifted by one place along axis 1"),
        ("b", lambda v: v[:, ::-1], "b is in reverse order,"),
        ("b", lambda v: np.roll(v, -1, 1), "b is shifted by one place,"),
        ("b", lambda v: 0 * v + v.sum(1, keepdims=True), "in every entry the sum over its entries"),
        ("w", lambda v: 0 * v + v.mean(2, keepdims=True), "the mean over its entries along axis 1"),
        ("b", lambda v: v / ROWS[:, None], "averaged over the batch, 1/n of what is due"),
        ("b", lambda v: v * ROWS[:, None], "n times what is due, n the number of rows"),
        ("c", lambda v: -v, "c is the negative of what is due"),
        ("c", lambda v: v / 3, "c is 0.333333 = 1/3 times what is due"),
        ("c", lambda v: v + 0.01 * THETA[-4:], "due and 0.01 times the leaf itself, as of weight"),
        (
            "c",
            lambda v: v / np.linalg.norm(v, axis=1, keepdims=True),
            "c is of the right direction and of length 1",
        ),
    ],
)
def test_what_was_done_to_a_leaf_is_read(name, of, says):
    found = told_of(with_leaf(name, of))
    assert found is not None and says in found.sentence, found


def test_leaves_are_read_together_or_not_at_all():
    both = DUE.copy()
    b, c = LAYOUT.by_name["b"].place, LAYOUT.by_name["c"].place
    both[:, b], both[:, c] = DUE[:, c], DUE[:, b]
    assert "b is that of c; the gradient of c is that of b" in told_of(both).sentence
    alike = DUE.copy()
    alike[:, b], alike[:, c] = 0, 0
    assert "the gradients of b and c are 0, the rest is right" in told_of(alike).sentence
    assert told_of(DUE) is None and told_of(2 * DUE) is None  # the whole, which others say
    order = np.concatenate([DUE[:, c], DUE[:, : c.start]], axis=1)
    assert told_of(order).names == ("leaves_in_another_order",)
    noise = DUE + 0.1 * np.random.default_rng(5).standard_normal(DUE.shape)
    assert told_of(noise) is None
    assert told_of(DUE[:, ::-1], leaves=Leaves.vector(LAYOUT.size)) is None
    # rounding of each leaf by itself makes no two numbers of one
    rough = DUE / 24 + 4e-7 * np.random.default_rng(6).uniform(-1, 1, DUE.shape)
    assert told_of(rough, limit=4e-7) is None
    each = [np.full(leaf.stop - leaf.start, 1 + 0.1 * k) for k, leaf in enumerate(LAYOUT, 1)]
    assert told_of(DUE * np.concatenate(each)).names == ("leaf_factor",)


def test_numpy_trees_go_into_another_framework():
    torch = pytest.importorskip("torch")

    def gradient(x, params, nu):
        assert torch.is_tensor(params["a"])
        found = diagonal({k: v.numpy() for k, v in params.items()}, x.numpy(), nu.numpy())
        return {k: torch.tensor(v) for k, v in found.items()}

    options = {"framework": "torch", "accuracy": 1e-9}
    assert check(of_dict, {"a": A, "b": B}, X, gradient, **options)


def test_entries_are_spoken_of_by_leaf():
    leaves = Leaves([("w", (2, 3)), ("b", (2,)), ("c", ())])
    assert [leaves.name(k) for k in (4, 7, 8)] == ["w[1, 1]", "b[1]", "c"]
    wrong = np.zeros(9, bool)
    wrong[[1, 2, 6, 7]] = True
    assert leaves.which(wrong) == "w[0, 1] and 1 more of its 6 entries, b (2 of 3 leaves)"
    assert leaves.some(np.arange(9) < 6) == "w"
    assert leaves.which(np.ones(9, bool)) == "" == leaves.which(np.zeros(9, bool))
    alone = Leaves([("params", (2, 2))])
    assert alone.which(np.array([0, 1, 0, 0], bool)) == "params[0, 1] (1 of 4 entries)"
    many = Leaves([(f"b{k}", (1,)) for k in range(5)])
    assert many.which(np.arange(5) > 0) == "b1, b2, b3 and 1 more (4 of 5 leaves)"
    assert many.some(np.arange(5) > 0) == "b1, b2, b3 …"


# -- JAX -------------------------------------------------------------------------------------------


def jax_tree(dtype="float32"):
    import jax.numpy as jnp

    values = {"w1": W1, "b1": B1, "w2": W2, "b2": B2}
    return {k: jnp.asarray(v, dtype) for k, v in values.items()}


def jax_gradient():
    import jax

    return jax.jit(lambda x, params, nu: jax.grad(lambda p: jax_log_p(p, x, nu).sum())(params))


def test_a_jax_tree_goes_in_as_it_is_in_single_precision():
    pytest.importorskip("jax")
    gradient, tree = jax_gradient(), jax_tree()
    evidence = check(jax_field, tree, X, gradient)
    assert evidence and evidence.resolution < 0.01, evidence.explain()
    assert all(v.dtype == "float32" for v in tree.values())

    def wrong(x, params, nu):
        return gradient(x, params, nu) | {"w2": gradient(x, params, nu)["w2"].T}

    refuted = check(lambda t, y, args: jax_field(y, args, t), tree, X, wrong)
    assert "the gradient of w2 is transposed" in refuted.explain(), refuted.explain()


def layered():
    """A small registered class that behaves as equinox's modules do: attributes by name, a function
    among its leaves, one point at a time."""
    jax = pytest.importorskip("jax")

    class Layers:
        def __init__(self, tree, act, calls):
            self.tree, self.act, self.calls = tree, act, calls

        def __call__(self, t, y, args=None):
            tree = self.tree
            assert y.ndim == 1
            return self.act(tree["w2"] @ (tree["w1"] @ y + tree["b1"]) + tree["b2"])

    keys = ("tree", "act", "calls")
    jax.tree_util.register_pytree_with_keys(
        Layers,
        lambda m: (
            [(jax.tree_util.GetAttrKey(k), getattr(m, k)) for k in keys],
            None,
        ),
        lambda aux, children: Layers(*children),
    )
    return Layers


def test_a_registered_module_with_static_leaves_goes_in_as_it_is():
    Layers = layered()
    model, gradient = Layers(jax_tree(), lambda v: v, 3), jax_gradient()

    def filtered(model, x, nu):
        return Layers(gradient(x, model.tree, nu), None, None)

    for field, params in ((model, None), (lambda t, y, args: args(t, y), model)):
        evidence = check(field, params, X, filtered)
        assert evidence, evidence.explain()
        assert evidence.coverage.asked["parameters"] == 12

    def wrong(model, x, nu):
        found = filtered(model, x, nu)
        found.tree["b1"] = None
        return found

    refuted = check(model, None, X, wrong)
    assert "None for tree.b1, are 0" in refuted.explain(), refuted.explain()


def test_a_slow_gradient_is_told_what_jit_measured(monkeypatch):
    """The note is of what was measured; no verdict depends on it."""
    jax = pytest.importorskip("jax")
    from scoreproof.public.log_likelihood_gradient import jitting

    def gradient(x, params, nu):
        return jax.grad(lambda p: jax_log_p(p, x, nu).sum())(params)

    tree = jax_tree()
    monkeypatch.setattr(jitting, "LONG", 0.0)
    monkeypatch.setattr(jitting, "GAIN", 0.0)
    evidence = check(jax_field, tree, X, gradient)
    assert evidence and len(evidence.notes) == 1
    assert re.search(
        r"the gradient took .* s a call as it is, and under jax\.jit .*: wrap it in jax\.jit, once",
        evidence.explain() + evidence.notes[0],
    )
    monkeypatch.setattr(jitting, "GAIN", 1e12)
    assert not check(jax_field, tree, X, gradient).notes
    monkeypatch.setattr(jitting, "GAIN", 0.0)

    def unwilling(x, params, nu):
        assert float(x[0, 0]) != 0  # asks for a value
        return gradient(x, params, nu)

    assert not check(jax_field, tree, X, unwilling).notes


# -- equinox and flax ------------------------------------------------------------------------------


def test_an_equinox_model_goes_in_as_it_is():
    jax = pytest.importorskip("jax")
    eqx = pytest.importorskip("equinox")

    class Field(eqx.Module):
        layers: list
        scale: float

        def __call__(self, t, y, args):
            return self.layers[1](self.layers[0](y))

    keys = jax.random.split(jax.random.key(0), 2)
    model = Field([eqx.nn.Linear(2, 2, key=k) for k in keys], 1.0)
    tree = jax_tree()
    model = eqx.tree_at(
        lambda m: [m.layers[k].weight for k in (0, 1)] + [m.layers[k].bias for k in (0, 1)],
        model,
        [tree["w1"], tree["w2"], tree["b1"], tree["b2"]],
    )

    def log_of(model, x, nu):
        first, second = model.layers
        return jax_log_p(
            {"w1": first.weight, "b1": first.bias, "w2": second.weight, "b2": second.bias}, x, nu
        ).sum()

    gradient = eqx.filter_jit(lambda model, x, nu: eqx.filter_grad(log_of)(model, x, nu))
    for field in (model, lambda t, y, args: args(t, y, None)):
        evidence = check(field, model, X, gradient)
        assert evidence, evidence.explain()
        assert evidence.coverage.asked["parameters"] == 12

    def halved(model, x, nu):
        found = gradient(model, x, nu)
        return eqx.tree_at(lambda m: m.layers[1].bias, found, replace_fn=lambda b: b / 2)

    refuted = check(model, model, X, halved)
    assert "the gradient of layers.1.bias is 0.5 = 1/2 times" in refuted.explain()


def test_flax_models_go_in_as_they_are():
    jax = pytest.importorskip("jax")
    linen = pytest.importorskip("flax.linen")
    from flax import nnx

    tree = jax_tree()

    class Field(linen.Module):
        @linen.compact
        def __call__(self, z, t):
            z = linen.Dense(2)(z)
            return linen.Dense(2)(z)

    def of_dense(p, x, nu):
        first, second = p["Dense_0"], p["Dense_1"]
        layers = {"w1": first["kernel"].T, "b1": first["bias"]}
        return jax_log_p(layers | {"w2": second["kernel"].T, "b2": second["bias"]}, x, nu).sum()

    inner = {
        "Dense_0": {"kernel": tree["w1"].T, "bias": tree["b1"]},
        "Dense_1": {"kernel": tree["w2"].T, "bias": tree["b2"]},
    }
    grad = jax.jit(jax.grad(of_dense))
    model = Field()
    whole = {"params": inner}
    of_whole = lambda x, v, nu: {"params": grad(v["params"], x, nu)}  # noqa: E731
    assert check(model, whole, X, of_whole)
    assert check(model.apply, whole, X, of_whole)
    assert check(model, inner, X, lambda x, params, nu: grad(params, x, nu))

    def transposed(x, v, nu):
        found = of_whole(x, v, nu)
        found["params"]["Dense_1"]["kernel"] = found["params"]["Dense_1"]["kernel"].T
        return found

    refuted = check(model, whole, X, transposed)
    assert "the gradient of params.Dense_1.kernel is transposed" in refuted.explain()

    class Stateful(nnx.Module):
        def __init__(self, rngs):
            self.first = nnx.Linear(2, 2, rngs=rngs)
            self.second = nnx.Linear(2, 2, rngs=rngs)

        def __call__(self, z, t):
            return self.second(self.first(z))

    net = Stateful(nnx.Rngs(0))

    def of_net(net, x, nu):
        layers = {"w1": net.first.kernel[...].T, "b1": net.first.bias[...]}
        layers |= {"w2": net.second.kernel[...].T, "b2": net.second.bias[...]}
        return jax_log_p(layers, x, nu).sum()

    assert check(net, net, X, lambda net, x, nu: nnx.grad(of_net)(net, x, nu))


def test_a_list_beside_what_backward_left():
    torch = pytest.importorskip("torch")
    net = torch.nn.Linear(2, 2, dtype=torch.float64)

    def field(t, y):
        return net(torch.tanh(y))

    def log_p(x, nu):
        z, total, h = x, 0.0, 1 / 16
        for _ in range(16):
            value = torch.func.jvp(lambda y: field(0, y), (z - h / 2 * field(0, z),), (nu,))
            z, total = z - h * value[0], total + h * (nu * value[1]).sum(1)
        return -(z**2).sum(1) / 2 - total

    def gradient(x, nu):
        log_p(x, nu).sum().backward()
        return [p.grad for p in net.parameters()]

    points = [[1.0, 0.2], [-0.4, 0.9], [0.3, -1.1]]
    assert sp.check_log_likelihood_gradient(field, net, points, gradient, accuracy=1e-2)
