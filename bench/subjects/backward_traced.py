"""Functions of torch and jax with their gradients: the framework's own, through custom rules, or
written by hand; right ones, and ones that are off in a rule, a path, an array, a region, an entry.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import scoreproof as sp

from . import Case

__all__ = ["jax_functions", "torch_functions"]

SIZES = (1, 2, 3, 5, 8, 16, 33, 64, 128, 256)


def _mask(x: np.ndarray, where: str, pick: float) -> np.ndarray:
    """Which entries are wrong: never none of them, and not only small ones."""
    flat = np.abs(x).ravel()
    out = np.zeros(flat.size, bool)
    large = np.flatnonzero(flat >= np.median(flat))
    if where == "everywhere":
        out[:] = True
    elif where == "one entry":
        out[large[int(pick * large.size)]] = True
    elif where == "a part":
        out[: max(1, flat.size // 3)] = True
        out[large[int(pick * large.size)]] = True
    else:  # a region of values
        out = (x.ravel() > np.median(x)) | (flat == flat.max())
    return out.reshape(x.shape)


WHERE = ("everywhere", "one entry", "a part", "a region")

# -- torch -----------------------------------------------------------------------------------------


def _torch_rule(name: str, wrong: Callable[[Any, Any], Any] | None) -> Any:
    """sin, x² or softplus as a custom function, with its rule changed by ``wrong(x, gradient)``."""
    import torch

    values = {
        "sine": (torch.sin, torch.cos),
        "square": (lambda x: x * x, lambda x: 2 * x),
        "softplus": (torch.nn.functional.softplus, torch.sigmoid),
    }[name]

    class Rule(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return values[0](x)

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            found = g * values[1](x)
            return found if wrong is None else wrong(x, found)

    Rule.__name__ = name.capitalize()
    return Rule


def _torch_body(rng: np.random.Generator, d: int, dtype: Any, middle: Any) -> tuple[str, Any]:
    """``(kind, function of x)`` with values of one number; ``middle`` is somewhere in it."""
    import torch

    def draw(*shape: int) -> Any:
        return torch.tensor(rng.standard_normal(shape) / max(shape[-1], 1) ** 0.5).to(dtype)

    kind = str(rng.choice(["chain", "norms", "layers", "attention", "loss", "softmax"]))
    a, b = draw(d), draw(d)
    hidden = int(rng.choice([4, 16, 48]))
    w1, w2, c = draw(hidden, d), draw(d, hidden), draw(hidden)
    if kind == "chain":
        return kind, lambda x: (middle(torch.tanh(x) + a) * torch.exp(0.3 * b * x)).sum()
    if kind == "norms":
        return kind, lambda x: ((middle(x) - a) ** 2).mean() + (1 + (x * x).sum()).sqrt()
    if kind == "layers":
        return kind, lambda x: ((middle(x @ w1.T + c).relu() @ w2.T) * x).sum()
    if kind == "attention":

        def attention(x: Any) -> Any:
            q, k = x @ w1.T, middle(x) @ w1.T
            return (torch.softmax(q @ k.transpose(-1, -2), -1) @ x).pow(2).sum()

        return kind, attention
    if kind == "loss":
        return kind, lambda x: ((middle(x * 0.8 + 0.6 * a) @ w1.T + c - 1) ** 2).sum(-1).mean()
    return (
        kind,
        lambda x: (torch.log_softmax(middle(x), -1) * a).sum() + torch.logsumexp(x, -1).sum(),
    )


def _torch_input(rng: np.random.Generator, d: int, dtype: Any) -> Any:
    import torch

    rows = int(rng.choice([1, 2, 7]))
    x = torch.tensor(rng.standard_normal((rows, d))).to(dtype)
    if rng.random() < 0.15:
        x[0, 0] = 0
    return x


def torch_functions(rng: np.random.Generator) -> Case:
    """float64, float32, or bfloat16 with a tolerance; a custom rule, a gradient by hand, a path."""
    import torch

    torch.set_num_threads(1)
    kind = str(rng.choice(["float64", "float32", "bfloat16"], p=[0.4, 0.45, 0.15]))
    dtype = getattr(torch, kind)
    tolerance = 0.5 if kind == "bfloat16" else None
    if tolerance is None and rng.random() < 0.1:
        tolerance = float(rng.choice([0.02, 0.1]))
    d, seed = int(rng.choice(SIZES)), int(rng.integers(1000))
    if rng.random() < 0.03:
        d = 20000
    body_seed = int(rng.integers(2**31))
    name = str(rng.choice(["sine", "square", "softplus"]))
    x = _torch_input(rng, d, dtype)
    use = str(rng.choice(["custom", "by hand", "path"], p=[0.4, 0.4, 0.2]))
    if tolerance is not None and use == "path":  # how much a path weighs is not ours to choose
        use = "custom"

    def function(middle: Any) -> tuple[str, Any]:
        return _torch_body(np.random.default_rng(body_seed), d, dtype, middle)

    rule = _torch_rule(name, None)
    what, right = function(rule.apply)
    plain = function(_plain(name))[1]

    def gradient(of: Any, change: Any = None) -> Any:
        def run(x: Any) -> Any:
            x = x.detach().clone().requires_grad_()
            (g,) = torch.autograd.grad(of(x), x)
            return g if change is None else change(g)

        return run

    def judge(f: Any, g: Any = None) -> Any:
        return sp.check_backward(f, None, x, gradient=g, tolerance=tolerance, seed=seed)

    def case_right() -> Any:
        return judge(plain, gradient(right)) if use == "by hand" else judge(right)

    def wrong(amount: float) -> tuple[str, Any]:
        amount = amount if tolerance is None else min(10 * tolerance, 1.0)
        where = "everywhere" if tolerance else str(rng.choice(WHERE))
        pick, sign = float(rng.random()), float(rng.choice([-1, 1]))
        if use == "by hand":
            due = gradient(plain)(x).double().numpy()
            at = torch.tensor(_mask(due, where, pick))
            if tolerance and amount == 1.0:
                sign = float(rng.choice([-2, -1]))

            def change(g: Any) -> Any:
                return torch.where(at, g * (1 + sign * amount), g)

            return f"{sign * amount:+.2g} in {where} of the gradient", judge(
                plain, gradient(plain, change)
            )
        if use == "custom":
            if tolerance and amount == 1.0:
                sign = -2.0

            def off(y: Any, g: Any) -> Any:
                base = _sized(name, y).double().numpy()
                at = torch.tensor(_mask(base, where, pick))
                return torch.where(at, g * (1 + sign * amount), g)

            text = f"{sign * amount:+.2g} in {where} of the rule of {name}"
            return text, judge(function(_torch_rule(name, off).apply)[1])
        return _torch_path(rng, function, judge, name)

    size = tuple(x.shape)
    accepted = "" if tolerance is None else f", tolerance {tolerance}"
    return Case(f"torch {kind} {what} of {size}, {use}, {name}{accepted}", case_right, wrong)


def _plain(name: str) -> Any:
    import torch

    return {
        "sine": lambda y: torch.sin(y),
        "square": lambda y: y.pow(2),
        "softplus": lambda y: torch.nn.functional.softplus(y),
    }[name]


def _sized(name: str, y: Any) -> Any:
    import torch

    y = y.detach()
    return {"sine": torch.cos(y), "square": 2 * y, "softplus": torch.sigmoid(y)}[name]


def _torch_path(rng: np.random.Generator, function: Any, judge: Any, name: str) -> tuple[str, Any]:
    """A path cut, or a straight-through estimator."""
    import torch

    def clamp(y: Any) -> Any:
        return y + (y.clamp(-0.01, 0.01) - y).detach()

    kinds: dict[str, Any] = {
        "detach": lambda y: _plain(name)(y) * y.detach(),
        "straight through round": lambda y: y + (torch.round(y) - y).detach(),
        "straight through clamp": clamp,
        "detached normaliser": lambda y: y / (1 + y.pow(2).sum()).sqrt().detach(),
        "data": lambda y: y * y.data,
    }
    kind = str(rng.choice(list(kinds)))
    cut = kinds[kind]
    whole = function(cut)[1]
    # the second term: in some settings nothing depends on what is in the middle of the first
    return kind, judge(lambda x: whole(x) + 0.3 * (cut(x) * (1 + x)).sum())


# -- jax -------------------------------------------------------------------------------------------


def _jax_rule(name: str, wrong: Callable[[Any, Any], Any] | None, forward: bool) -> Any:
    import jax
    import jax.numpy as jnp

    value, slope = {
        "sine": (jnp.sin, jnp.cos),
        "square": (lambda x: x * x, lambda x: 2 * x),
        "softplus": (jax.nn.softplus, jax.nn.sigmoid),
    }[name]

    def product(x: Any, t: Any) -> Any:
        found = t * slope(x)
        return found if wrong is None else wrong(x, found)

    def plain(x: Any) -> Any:
        return value(x)

    plain.__name__ = name
    if forward:
        rule = jax.custom_jvp(plain)
        rule.defjvp(lambda primals, tangents: (plain(*primals), product(primals[0], tangents[0])))
        return rule
    rule = jax.custom_vjp(plain)
    rule.defvjp(lambda x: (value(x), x), lambda x, g: (product(x, g),))
    return rule


def jax_functions(rng: np.random.Generator) -> Case:
    """float32 or float64, few shapes; a custom rule, a gradient by hand, a path that is cut."""
    import jax
    import jax.numpy as jnp

    shape = ((3, 5), (2, 64), (7, 2))[int(rng.integers(3))]
    double = bool(rng.random() < 0.4)
    name = str(rng.choice(["sine", "square", "softplus"]))
    forward = bool(rng.random() < 0.4)
    x, a = rng.standard_normal(shape), rng.standard_normal(shape)
    w = rng.standard_normal((shape[1], 4)) / shape[1] ** 0.5
    if rng.random() < 0.9:  # NumPy constants make it compile again
        a, w = jnp.asarray(a), jnp.asarray(w)
    kind = str(rng.choice(["chain", "layers", "softmax"]))
    use = str(rng.choice(["custom", "by hand", "path"], p=[0.4, 0.4, 0.2]))
    seed = int(rng.integers(1000))

    def function(middle: Any) -> Any:
        def f(x: Any) -> Any:
            if kind == "chain":
                return jnp.sum(middle(jnp.tanh(x) + a) * jnp.exp(0.3 * x))
            if kind == "layers":
                return jnp.sum(jax.nn.relu(middle(x) @ w) ** 2) + jnp.sum(x * a)
            return jnp.sum(jax.nn.log_softmax(middle(x), -1) * a) + jnp.sum(x**2)

        return f

    def judge(f: Any, g: Any = None) -> Any:
        with jax.enable_x64(double):
            given = jnp.asarray(x, jnp.float64 if double else jnp.float32)
            return sp.check_backward(f, None, given, framework="jax", gradient=g, seed=seed)

    rule = _jax_rule(name, None, forward)
    plain = {"sine": jnp.sin, "square": jnp.square, "softplus": jax.nn.softplus}[name]

    def right() -> Any:
        if use == "by hand":
            return judge(function(plain), jax.grad(function(rule)))
        return judge(function(rule))

    def wrong(amount: float) -> tuple[str, Any]:
        where, pick, sign = str(rng.choice(WHERE)), float(rng.random()), float(rng.choice([-1, 1]))
        if use == "by hand":
            with jax.enable_x64(True):
                due = np.asarray(jax.grad(function(plain))(jnp.asarray(x)))
            at = _mask(due, where, pick)
            text = f"{sign * amount:+.2g} in {where} of the gradient"

            def changed(x: Any) -> Any:
                g = jax.grad(function(plain))(x)
                return jnp.where(at, g * (1 + sign * amount), g)

            return text, judge(function(plain), changed)
        if use == "custom":
            if forward and where == "one entry":
                where = "everywhere"

            def off(y: Any, t: Any) -> Any:
                if where == "a region":
                    return jnp.where(y > jnp.median(y), t * (1 + sign * amount), t)
                at = np.zeros(y.shape, bool)
                at.ravel()[: {"one entry": 1, "a part": y.size // 3}.get(where, y.size)] = True
                return jnp.where(at, t * (1 + sign * amount), t)

            text = f"{sign * amount:+.2g} in {where} of the rule of {name}"
            return text, judge(function(_jax_rule(name, off, forward)))
        stop = jax.lax.stop_gradient
        kinds: dict[str, Any] = {
            "stop_gradient": lambda y: plain(y) * stop(y),
            "straight through round": lambda y: y + stop(jnp.round(y) - y),
            "detached normaliser": lambda y: y / stop(jnp.sqrt(1 + jnp.sum(y**2))),
        }
        cut = str(rng.choice(list(kinds)))
        whole = function(kinds[cut])
        return cut, judge(lambda x: whole(x) + 0.3 * jnp.sum(kinds[cut](x) * (1 + x)))

    setting = f"jax {'float64' if double else 'float32'} {kind} of {shape}, {use}, {name}"
    return Case(setting + (", custom_jvp" if forward else ""), right, wrong)
