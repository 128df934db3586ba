"""Random right and wrong gradients of a flow's log-likelihood.

Networks and closed forms, summed or row by row, at a fixed ν and in expectation, as a solver's
tolerance falls; NumPy and PyTorch; float64, float32, bfloat16.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof import check_log_likelihood_gradient
from scoreproof.claims.ffjord.faults import EDITS, TRUTH, compose, perturbations
from scoreproof.claims.ffjord.solver import path_of, prepare
from scoreproof.claims.ffjord.solver import solve as solve_subject
from scoreproof.numerics.adjoint import Grid
from scoreproof.objects.fields import LogisticField, TanhNetwork
from scoreproof.public.log_likelihood_gradient.latent import Normal

from . import Case, likelihood_trees

__all__ = ["case"]


@dataclass
class Flow:
    """A field of ours, and what the claim's subjects return on it."""

    name: str
    field: Any
    params: np.ndarray
    x: np.ndarray
    grid: Grid

    def __call__(self, z: Any, params: Any, s: Any) -> Any:
        return self.field(z, params, s)

    def solve(self, subject: Any, x: Any, params: Any, nu: Any, fresh: Any) -> Any:
        ready = prepare(self.field, params, path_of(self.field, params, x, self.grid))
        return solve_subject(subject, Normal(), ready, nu, fresh)


def _flow(rng: np.random.Generator) -> Flow:
    n = int(rng.integers(1, 5))
    grid = Grid(int(rng.integers(6, 9)), int(rng.integers(6, 8)))  # far better than any bound
    if rng.random() < 0.25:
        d = int(rng.integers(1, 4))
        basis = np.linalg.qr(rng.standard_normal((d, d)))[0] @ np.diag(rng.uniform(0.7, 1.5, d))
        logistic = LogisticField(basis, np.linalg.inv(basis), float(rng.uniform(0.2, 0.6)))
        params = np.concatenate([rng.uniform(0.5, 1.2, d), rng.uniform(1.5, 2.5, d)])
        x = (params[d:] * rng.uniform(0.3, 0.8, (n, d))) @ basis.T
        return Flow(f"logistic, D = {d}", logistic, params, x, grid)
    d = int(rng.choice([1, 2, 3, 4, 6, 12], p=[0.15, 0.3, 0.25, 0.15, 0.1, 0.05]))
    hidden = tuple(int(h) for h in rng.integers(2, 7, int(rng.choice([1, 2], p=[0.8, 0.2]))))
    net = TanhNetwork(d, hidden)
    params = net.initial(rng, float(rng.uniform(0.7, 1.3)))
    return Flow(f"tanh {hidden}, D = {d}", net, params, rng.standard_normal((n, d)), grid)


def _written(rng: np.random.Generator, single: bool) -> tuple[str, Callable[[Any], Any]]:
    """How the answer is put down: layout and type; no change beyond rounding."""
    options: dict[str, Callable[[Any], Any]] = {
        "as it is": lambda b: b,
        "column-major": np.asfortranarray,
        "in pieces": lambda b: np.concatenate([b[..., :1], b[..., 1:]], axis=-1),
        "scaled and back": lambda b: (b * 3.0) / 3.0,
    }
    name = str(rng.choice(list(options)))
    chosen = options[name]
    if single:
        return f"{name}, float32", lambda b: chosen(b).astype(np.float32)
    return name, chosen


def _entries_wrong(
    rng: np.random.Generator, a: float, size: np.ndarray, rows: int, summed: bool
) -> tuple[str, Callable[[np.ndarray], np.ndarray]]:
    """A mistake in the answer itself, b -> b, off by the part ``a`` of an entry."""
    p = size.size
    sign = float(rng.choice([-1, 1]))
    small, some = int(np.argsort(size)[min(1, p - 1)]), int(rng.integers(p))
    first, last = sorted(int(i) for i in rng.integers(0, p, 2))
    window = np.zeros(p)
    window[first : max(last, first + 1)] = 1.0
    options = {
        "factor": np.full(p, 1 + sign * a),
        "the smallest but one": 1 + sign * a * (np.arange(p) == small),
        "one entry": 1 + sign * a * (np.arange(p) == some),
        "a window of entries": 1 + sign * a * window,
        "one entry 0": 1.0 * (np.arange(p) != some),
        "sign of a window": 1 - 2 * window,
        "one row": None,
    }
    name = str(rng.choice([k for k in options if k != "one row" or (rows > 1 and not summed)]))
    factor = options[name]
    if factor is None:
        row = int(rng.integers(rows))
        return name, lambda b: b * (1 + sign * a * (np.arange(len(b)) == row % len(b)))[:, None]
    return name, lambda b: b * factor


def _numpy(rng: np.random.Generator) -> Case:
    flow = _flow(rng)
    n, p = len(flow.x), flow.params.size
    summed, single = bool(rng.random() < 0.4), bool(rng.random() < 0.2)
    style, written = _written(rng, single)
    options: dict[str, Any] = {"seed": int(rng.integers(1000))}
    mode = str(rng.choice(["fixed", "expectation", "tol"], p=[0.7, 0.12, 0.18]))
    options["in_expectation"] = mode == "expectation"
    if rng.random() < 0.15:
        options["tolerance"] = float(rng.choice([0.02, 0.1]))
    with_value = bool(rng.random() < 0.3) and not single
    noise = float(rng.choice([0.0, 1e-7])) * (mode == "fixed")
    power = float(rng.choice([0.5, 1.0]))

    def judged(
        subject: Any, mistake: Callable[[np.ndarray], np.ndarray], mixed: bool = False
    ) -> Any:
        spare = np.random.default_rng(5)

        def base(x: Any, params: Any, nu: Any) -> Any:
            nu = np.roll(nu, 1, axis=0) if mixed else nu
            return flow.solve(subject, x, params, nu, spare.standard_normal(nu.shape))

        def gradient(x: Any, params: Any, nu: Any, error: float = 0.0) -> Any:
            b = base(x, params, nu).b
            b = mistake(b) + error * np.max(np.abs(b)) * np.cos(1 + np.arange(b.size)).reshape(
                b.shape
            )
            return written(b.sum(axis=0) if summed else b)

        def plain(x: Any, params: Any, nu: Any) -> Any:
            return gradient(x, params, nu, noise)

        def falling(x: Any, params: Any, nu: Any, tol: float) -> Any:
            return gradient(x, params, nu, tol**power)

        more: dict[str, Any] = {}
        if with_value:
            more["log_likelihood"] = lambda x, params, nu: base(x, params, nu).value
        if mode == "tol":
            more["tolerances"] = (1e-4, 1e-6, 1e-8) if power == 1 else (1e-6, 1e-9, 1e-12)
        chosen = falling if mode == "tol" else plain
        return check_log_likelihood_gradient(flow, flow.params, flow.x, chosen, **more, **options)

    def wrong(a: float) -> tuple[str, Any]:
        nu = rng.standard_normal(flow.x.shape)
        truth = flow.solve(TRUTH, flow.x, flow.params, nu, nu).b
        size = np.max(np.abs(truth), axis=0)
        kind = rng.random()
        if kind < 0.35:
            names = list(rng.choice(list(EDITS), int(rng.integers(1, 3)), replace=False))
            subject = compose(tuple(names))
            blind = {"fresh_nu", "trace_in_adjoint"} if mode == "expectation" else set()
            if subject is not None and not blind & set(names):
                other = flow.solve(
                    subject, flow.x, flow.params, nu, rng.standard_normal(nu.shape)
                ).b
                if _visible(truth, other, size, a, summed):
                    return " + ".join(names), judged(subject, lambda b: b)
        elif kind < 0.5:
            name = str(rng.choice(list(perturbations())))
            subject = perturbations()[name](max(a, 0.01) * 5)
            other = flow.solve(subject, flow.x, flow.params, nu, nu).b
            if _visible(truth, other, size, a, summed):
                return f"{name} off", judged(subject, lambda b: b)
        elif kind < 0.55 and n > 1 and mode == "fixed" and flow.field.dimension > 1:
            other = flow.solve(TRUTH, flow.x, flow.params, np.roll(nu, 1, axis=0), nu).b
            if _visible(truth, other, size, a, summed):
                return "ν of another row", judged(TRUTH, lambda b: b, mixed=True)
        name, mistake = _entries_wrong(rng, a, size, n, summed)
        return name, judged(TRUTH, mistake)

    return Case(
        f"numpy, {flow.name}, P = {p}, {n} rows, {mode}, {style}{', summed' if summed else ''}"
        f"{', with log p̂' if with_value else ''}",
        lambda: judged(TRUTH, lambda b: b),
        wrong,
    )


def _visible(truth: Any, other: Any, size: Any, a: float, summed: bool) -> bool:
    if summed:
        truth, other = truth.sum(axis=0, keepdims=True), other.sum(axis=0, keepdims=True)
        size = np.abs(truth)
    return bool(np.max(np.abs(other - truth) / np.maximum(size, 1e-300)) > 2 * a)


def _torch(rng: np.random.Generator) -> Case:
    import torch

    d, h, n = int(rng.integers(1, 4)), int(rng.integers(2, 5)), int(rng.integers(1, 4))
    shapes = ((h, d), (h,), (h,), (d, h))
    p = sum(int(np.prod(shape)) for shape in shapes)
    params, x = 0.7 * rng.standard_normal(p), rng.standard_normal((n, d))
    dtype = str(rng.choice(["float64", "float32", "bfloat16"], p=[0.4, 0.45, 0.15]))
    options: dict[str, Any] = {
        "framework": "torch",
        "dtype": dtype,
        "seed": int(rng.integers(1000)),
    }
    options["accuracy"] = 1e-4
    if dtype == "bfloat16":
        options["tolerance"] = 0.9
    steps = int(rng.integers(12, 20)) if dtype != "bfloat16" else 8

    def field(z: Any, q: Any, s: Any) -> Any:
        pieces = [
            c.reshape(k) for c, k in zip(torch.split(q, [h * d, h, h, d * h]), shapes, strict=True)
        ]
        return torch.tanh(z @ pieces[0].T + pieces[1] + s * pieces[2]) @ pieces[3].T

    def gradient(x: Any, q: Any, nu: Any) -> Any:
        q, z, trace, step = q.clone().requires_grad_(True), x, 0.0, 1 / steps

        def rates(z: Any, s: float) -> Any:
            f, along = torch.func.jvp(lambda y: field(y, q, s), (z,), (nu,))
            return f, (nu * along).sum(1)

        for k in range(steps):
            s = 1 - k * step
            k1, q1 = rates(z, s)
            k2, q2 = rates(z - step / 2 * k1, s - step / 2)
            k3, q3 = rates(z - step / 2 * k2, s - step / 2)
            k4, q4 = rates(z - step * k3, s - step)
            z = z - step / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            trace = trace + step / 6 * (q1 + 2 * q2 + 2 * q3 + q4)
        return torch.autograd.grad((-(z * z).sum(1) / 2 - trace).sum(), q)[0]

    def wrong(a: float) -> tuple[str, Any]:
        name, mistake = _entries_wrong(rng, a, rng.uniform(1, 2, p), n, True)
        if dtype == "bfloat16":
            name, mistake = "zero", lambda b: 0 * b

        def other(x: Any, q: Any, nu: Any) -> Any:
            b = gradient(x, q, nu)
            return torch.tensor(mistake(b.double().numpy())).to(b.dtype)

        return name, check_log_likelihood_gradient(field, params, x, other, **options)

    return Case(
        f"torch, {dtype}, D = {d}, P = {p}, {n} rows",
        lambda: check_log_likelihood_gradient(field, params, x, gradient, **options),
        wrong,
    )


def case(rng: np.random.Generator) -> Case:
    """A setting, its right gradient and its wrong ones."""
    which = rng.random()
    if which < 0.04:
        return _torch(rng)
    if which < 0.07:
        return likelihood_trees.module(rng)
    return likelihood_trees.tree(rng, _flow(rng)) if which < 0.15 else _numpy(rng)
