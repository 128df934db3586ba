"""Random layers of normalizing flows, right ones and wrong ones, for `check_normalizing_flow`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof import check_normalizing_flow

from . import Case

__all__ = ["case"]

Layer = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def _matrix(rng: np.random.Generator, d: int) -> tuple[Layer, Layer]:
    """x W' + b, with a condition that varies."""
    w = rng.standard_normal((d, d)) / np.sqrt(d) + np.diag(np.exp(rng.uniform(-1, 2, d)))
    b = rng.standard_normal(d)
    log_det = np.linalg.slogdet(w)[1]

    def forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return x @ w.T + b, np.full(len(x), log_det)

    def inverse(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.linalg.solve(w, (z - b).T).T, np.full(len(z), -log_det)

    return forward, inverse


def _coupling(rng: np.random.Generator, d: int) -> tuple[Layer, Layer]:
    """An affine coupling of random coordinates, with a bounded scale of a random form."""
    order = rng.permutation(d)
    k = int(rng.integers(1, d))
    still, moves = order[:k], order[k:]
    weights, shifts = rng.standard_normal((2, k, d - k))
    form = str(rng.choice(["exp", "sigmoid", "softplus"]))

    def nets(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        s = np.tanh(x[:, still] @ weights)
        log_s = {
            "exp": s,
            "sigmoid": -np.logaddexp(0, -(s + 2)),
            "softplus": np.log(np.logaddexp(0, s + 1)),
        }[form]
        return log_s, np.sin(x[:, still] @ shifts)

    def forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        log_s, t = nets(x)
        z = x.copy()
        z[:, moves] = x[:, moves] * np.exp(log_s) + t
        return z, log_s.sum(axis=1)

    def inverse(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        log_s, t = nets(z)
        x = z.copy()
        x[:, moves] = (z[:, moves] - t) * np.exp(-log_s)
        return x, -log_s.sum(axis=1)

    return forward, inverse


def _bent(rng: np.random.Generator, d: int) -> tuple[Layer, Layer]:
    """a sinh(b x) coordinate by coordinate: steep far out."""
    a, b = np.exp(rng.uniform(-1, 1, (2, d)))

    def slope(x: np.ndarray) -> np.ndarray:
        # the scale of x keeps cosh from overflowing
        return np.asarray((np.log(a * b / 9) + np.log(np.cosh(b * x / 9))).sum(axis=1))

    def forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return a * np.sinh(b * x / 9), slope(x)

    def inverse(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = 9 * np.arcsinh(z / a) / b
        return x, -slope(x)

    return forward, inverse


def _chained(layers: list[tuple[Layer, Layer]]) -> tuple[Layer, Layer]:
    def forward(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        total = np.zeros(len(x))
        for one, _ in layers:
            x, log_det = one(x)
            total = total + log_det
        return x, total

    def inverse(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        total = np.zeros(len(z))
        for _, one in reversed(layers):
            z, log_det = one(z)
            total = total + log_det
        return z, total

    return forward, inverse


def case(rng: np.random.Generator) -> Case:
    """A setting, its right flow and wrong ones."""
    d = int(rng.integers(2, 7))
    kinds = [str(rng.choice(["matrix", "coupling", "bent"])) for _ in range(rng.integers(1, 4))]
    makers = {"matrix": _matrix, "coupling": _coupling, "bent": _bent}
    forward, inverse = _chained([makers[kind](rng, d) for kind in kinds])
    seed = int(rng.integers(100))
    more: dict[str, Any] = {"shape": d, "seed": seed}

    def judge(part: str, by: float) -> Any:
        def mine(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            z, log_det = forward(x)
            return z, log_det + by * (part == "log_det")

        def back(z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            x, log_det = inverse(z)
            moved = np.where(np.arange(d) == 1, by if part == "inverse" else 0.0, 0.0)
            return x + moved * (1 + np.abs(x)), log_det + by * (part == "inverse_log_det")

        def log_prob(x: np.ndarray) -> np.ndarray:
            z, log_det = forward(x)
            log_p = -0.5 * (z**2).sum(axis=1) - 0.5 * d * np.log(2 * np.pi) + log_det
            return np.asarray(log_p + by * (part == "log_prob"))

        return check_normalizing_flow(mine, inverse=back, log_prob=log_prob, **more)

    def wrong(amount: float) -> tuple[str, Any]:
        part = str(rng.choice(["log_det", "inverse", "inverse_log_det", "log_prob"]))
        by = max(amount, 1e-9) * float(rng.choice([3.0, 30.0, 300.0, 1e5]))
        by = min(by, 1.0) * float(rng.choice([-1.0, 1.0]))
        return f"{kinds} {part} off by {by:.9g}", judge(part, by)

    return Case(f"{kinds}, {more}", lambda: judge("", 0.0), wrong)
