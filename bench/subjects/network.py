"""Random networks of a sample and a time, on every kind of schedule: right, and wrong by a fault
of public code.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof import check_denoiser
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import VPLinear

from . import Case

__all__ = ["case"]

#: σ/α of what the network is told
Ratio = Callable[[np.ndarray], np.ndarray]


def _schedule(rng: np.random.Generator) -> tuple[str, Any, Ratio, Callable[[Any], Any]]:
    """Its name, itself, and σ/α and α at the times it tells."""
    kind = str(rng.choice(["sigmas", "betas", "table", "process"]))
    if kind == "sigmas":
        sigmas = np.geomspace(rng.uniform(0.05, 0.3), rng.uniform(5, 80), int(rng.integers(6, 30)))
        given = sigmas[::-1] if rng.random() < 0.5 else sigmas
        return kind, {"sigmas": given}, lambda t: t, np.ones_like
    if kind == "process":
        process = VPLinear(beta_min=0.1, beta_max=float(rng.uniform(5, 20)))
        return (
            kind,
            process,
            lambda t: process.sigma(t) / process.alpha(t),
            process.alpha,
        )
    steps = int(rng.choice([50, 100, 1000]))
    betas = np.linspace(0.1, rng.uniform(8, 20), steps) / steps
    bar = np.cumprod(1 - betas)
    given = DiscreteVP(betas) if kind == "table" else {"betas": betas}
    return (
        kind,
        given,
        lambda t: np.sqrt((1 - bar[_index(t, steps)]) / bar[_index(t, steps)]),
        lambda t: np.sqrt(bar[_index(t, steps)]),
    )


def _index(t: Any, steps: int) -> Any:
    return np.clip(np.round(t).astype(int), 0, steps - 1)


def case(rng: np.random.Generator) -> Case:
    """A setting, its right network and wrong ones."""
    name, schedule, ratio, alpha = _schedule(rng)
    d, n = int(rng.choice([1, 2, 4, 12])), int(rng.integers(2, 30))
    data = rng.normal(0, float(rng.uniform(0.3, 2)), (n, d)) + rng.normal(0, 1, d)
    shape = (d,) if d < 4 or rng.random() < 0.3 else (1, 2, d // 2)
    kind = str(rng.choice(["x0", "eps", "score", "v"]))
    rank = int(rng.choice([1, 2]))
    wrapped = int(rng.integers(3))

    def predicted(x: np.ndarray, s: np.ndarray, a: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Flat rows, columns of σ/α and α."""
        y = x / a
        logits = -np.sum((y[:, None] - points) ** 2, axis=2) / (2 * s**2)
        weights = np.exp(logits - logits.max(axis=1, keepdims=True))
        x0 = weights @ points / weights.sum(axis=1, keepdims=True)
        noise = (y - x0) / s
        if kind == "v":
            return a * noise - s * a * x0
        return {"x0": x0, "eps": noise, "score": -noise / (s * a)}[kind]

    def network(change: dict[str, Any]) -> Callable[..., Any]:
        def answer(x: np.ndarray, time: np.ndarray) -> Any:
            if time.ndim != (1 if rank == 1 else x.ndim):
                raise TypeError(f"time of shape {time.shape}")
            t = change.get("time", lambda v: v)(np.ravel(time))
            s = change.get("level", lambda v: v)(ratio(t))[:, None]
            a = np.reshape(np.asarray(alpha(t), float), (-1, 1))
            points = change.get("data", data)
            out = predicted(x.reshape(len(x), -1), s, a, points)
            out = change.get("answer", lambda v, s: v)(out, s).reshape(x.shape)
            return [out, (out, None), {"sample": out}][wrapped]

        return answer

    def judge(change: dict[str, Any]) -> Any:
        return check_denoiser(
            network(change), data.reshape(n, *shape), schedule=schedule, prediction=kind
        )

    def wrong(amount: float) -> tuple[str, Any]:
        top = float(ratio(np.array([_last(schedule)]))[0])
        faults: dict[str, dict[str, Any]] = {
            "scaled": {"answer": lambda v, s: v * (1 + 4 * amount)},
            "sign": {"answer": lambda v, s: -v},
            "level": {"level": lambda s: s * (1 + 8 * amount)},
            "variance": {"level": lambda s: s**2},
            "half of the levels": {"answer": lambda v, s: v * np.where(s > top / 30, 1.2, 1.0)},
            "data": {"data": data * (1 + 8 * amount) + 8 * amount},
            "one coordinate": {"answer": lambda v, s: v * _one(d, 1 + 0.1)},
        }
        if name in ("betas", "table"):
            faults["index"] = {"time": lambda t: np.maximum(t - 1, 0)}
        fault = str(rng.choice(list(faults)))
        return fault, judge(faults[fault])

    setting = f"{name}, {kind}, d = {d}, n = {n}, shape {shape}, time of rank {rank}"
    return Case(setting, lambda: judge({}), wrong)


def _one(d: int, factor: float) -> np.ndarray:
    out = np.ones(d)
    out[0] = factor
    return out


def _last(schedule: Any) -> float:
    if isinstance(schedule, dict) and "sigmas" in schedule:
        return float(np.max(schedule["sigmas"]))
    if isinstance(schedule, dict):
        return float(len(schedule["betas"]) - 1)
    return float(schedule.horizon)
