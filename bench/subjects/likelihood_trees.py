"""Random right and wrong gradients of flows in trees: a network's vector cut into leaves at random,
in dicts, lists, tuples and named tuples, nested or not; and a PyTorch module of random layers.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof import check_log_likelihood_gradient
from scoreproof.claims.ffjord.faults import TRUTH

from . import Case

__all__ = ["module", "tree"]

Pieces = list[np.ndarray]


def _cut(rng: np.random.Generator, p: int) -> list[tuple[int, ...]]:
    """Shapes of leaves that have p entries together."""
    shapes: list[tuple[int, ...]] = []
    left = p
    while left:
        options = [(k,) for k in (1, 2, 3, 5) if k <= left]
        options += [s for s in ((2, 2), (1, 3), (3, 2), (2, 2, 2)) if np.prod(s) <= left]
        if rng.random() < 0.1:
            options.append(())
        shape = options[int(rng.integers(len(options)))]
        shapes.append(shape)
        left -= int(np.prod(shape, dtype=int))
    return shapes


def _packed(rng: np.random.Generator, count: int) -> tuple[str, Callable[[Any], Any], Any]:
    """A form of so many leaves: its name, pieces to tree, tree to pieces."""
    names = [f"leaf{k}" for k in range(count)]
    Fields = namedtuple("Fields", names)
    half = count // 2
    forms: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
        "dict": (lambda v: dict(zip(names, v, strict=True)), lambda t: list(t.values())),
        "list": (list, list),
        "tuple": (tuple, list),
        "named tuple": (lambda v: Fields(*v), list),
        "nested": (
            lambda v: {"first": list(v[:half]), "none": None, "rest": tuple(v[half:])},
            lambda t: [*t["first"], *t["rest"]],
        ),
    }
    name = str(rng.choice(list(forms)))
    return (name, *forms[name])


def _leaves_wrong(
    rng: np.random.Generator, a: float, shapes: list[tuple[int, ...]], due: Pieces
) -> tuple[str, Callable[[Pieces], Pieces]]:
    """A mistake in one leaf or two, by rows ``(n, *S)``; ``due``: an example of what is right."""
    sign, k = float(rng.choice([-1, 1])), int(rng.integers(len(shapes)))

    def put(v: Pieces, k: int, new: np.ndarray) -> Pieces:
        return [new if j == k else old for j, old in enumerate(v)]

    options: dict[str, Callable[[Pieces], Pieces]] = {
        "a leaf's factor": lambda v: put(v, k, v[k] * (1 + sign * a)),
        "a leaf lost": lambda v: put(v, k, 0 * v[k]),
        "a leaf's sign": lambda v: put(v, k, -v[k]),
    }
    square = [j for j, s in enumerate(shapes) if len(s) == 2 and s[0] == s[1]]
    if square:
        options["a leaf transposed"] = lambda v: put(v, square[0], v[square[0]].swapaxes(1, 2))
    alike = [(i, j) for i in range(len(shapes)) for j in range(i) if shapes[i] == shapes[j]]
    if alike:
        i, j = alike[int(rng.integers(len(alike)))]
        options["leaves exchanged"] = lambda v: put(put(v, i, v[j]), j, v[i])
    name = str(rng.choice(list(options)))

    def off(other: Pieces) -> bool:
        return any(
            np.max(np.abs(o - d)) > 2 * a * max(float(np.max(np.abs(d))), 1e-9)
            for o, d in zip(other, due, strict=True)
        )

    return (name, options[name]) if off(options[name](due)) else _fallback(sign, a, put)


def _fallback(sign: float, a: float, put: Any) -> tuple[str, Callable[[Pieces], Pieces]]:
    return "all leaves", lambda v: [w * (1 + 2 * sign * a) for w in v]


def tree(rng: np.random.Generator, flow: Any) -> Case:
    """``flow``: a field of ours with its parameters, rows and grid."""
    n, p = len(flow.x), flow.params.size
    shapes = _cut(rng, p)
    ends = np.cumsum([int(np.prod(s, dtype=int)) for s in shapes])[:-1]
    form, made, read = _packed(rng, len(shapes))
    summed = bool(rng.random() < 0.4)
    options = {"seed": int(rng.integers(1000)), "accuracy": 1e-7}

    def pieces(v: np.ndarray) -> Pieces:
        """Of a vector, or of rows of them."""
        lead = v.shape[:-1]
        parts = np.split(v, ends, axis=-1)
        return [part.reshape((*lead, *s)) for part, s in zip(parts, shapes, strict=True)]

    def vector(t: Any) -> Any:
        return np.concatenate([np.ravel(v) for v in read(t)])

    def field(z: Any, params: Any, s: Any) -> Any:
        return flow.field(z, vector(params), s)

    def judged(mistake: Callable[[Pieces], Pieces]) -> Any:
        def gradient(x: Any, params: Any, nu: Any) -> Any:
            rows = mistake(pieces(flow.solve(TRUTH, x, vector(params), nu, nu).b))
            return made([v.sum(axis=0) if summed else v for v in rows])

        return check_log_likelihood_gradient(
            field, made(pieces(flow.params)), flow.x, gradient, **options
        )

    def wrong(a: float) -> tuple[str, Any]:
        nu = rng.standard_normal(flow.x.shape)
        b = flow.solve(TRUTH, flow.x, flow.params, nu, nu).b
        due = pieces(b.sum(axis=0, keepdims=True) if summed else b)
        name, mistake = _leaves_wrong(rng, a, shapes, due)
        return name, judged(mistake)

    return Case(
        f"{form} of {len(shapes)} leaves, {flow.name}, P = {p}, {n} rows"
        f"{', summed' if summed else ''}",
        lambda: judged(lambda v: v),
        wrong,
    )


def module(rng: np.random.Generator) -> Case:
    """Two affine layers and a tanh between them, by RK4; float32 or float64."""
    import torch

    d, h, n = int(rng.integers(1, 4)), int(rng.integers(2, 4)), int(rng.integers(1, 4))
    kind = torch.float64 if rng.random() < 0.5 else torch.float32
    net = torch.nn.Sequential(torch.nn.Linear(d, h), torch.nn.Tanh(), torch.nn.Linear(h, d))
    net = net.to(kind)
    with torch.no_grad():
        for v in net.parameters():
            v.copy_(torch.tensor(rng.normal(0, 0.6, tuple(v.shape))))
    x = rng.standard_normal((n, d))
    steps = int(rng.integers(12, 18))
    answer = str(rng.choice(["list", "dict", ".grad"]))
    options: dict[str, Any] = {"seed": int(rng.integers(1000)), "accuracy": 1e-4}

    def log_p(x: Any, nu: Any) -> Any:
        z, trace, step = x, 0.0, 1 / steps

        def rates(z: Any) -> Any:
            f, along = torch.func.jvp(net, (z,), (nu,))
            return f, (nu * along).sum(1)

        for _ in range(steps):
            k1, q1 = rates(z)
            k2, q2 = rates(z - step / 2 * k1)
            k3, q3 = rates(z - step / 2 * k2)
            k4, q4 = rates(z - step * k3)
            z = z - step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            trace = trace + step / 6 * (q1 + 2 * q2 + 2 * q3 + q4)
        return (-(z * z).sum(1) / 2 - trace).sum()

    def judged(mistake: Callable[[list[Any]], list[Any]]) -> Any:
        def gradient(x: Any, nu: Any) -> Any:
            found = mistake(list(torch.autograd.grad(log_p(x, nu), list(net.parameters()))))
            if answer == "list":
                return found
            if answer == "dict":
                return dict(zip(dict(net.named_parameters()), found, strict=True))
            for v, g in zip(net.parameters(), found, strict=True):
                v.grad = g
            return None

        return check_log_likelihood_gradient(net, net, x, gradient, **options)

    def wrong(a: float) -> tuple[str, Any]:
        k, sign = int(rng.integers(4)), float(rng.choice([-1, 1]))
        of = {"factor": 1 + sign * a, "lost": 0.0, "sign": -1.0}
        name = str(rng.choice(list(of)))
        return f"{name} of leaf {k}", judged(
            lambda v: [g * of[name] if j == k else g for j, g in enumerate(v)]
        )

    return Case(
        f"module, {kind}, D = {d}, {h} hidden, {n} rows, {answer}", lambda: judged(list), wrong
    )
