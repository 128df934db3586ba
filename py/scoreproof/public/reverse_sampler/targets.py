"""What a user's sampler is run against: a process with exact marginals, and the exact model in the
form the sampler takes.

Conventions
-----------
- ``X_t | X_0 ~ N(α X_0 + shift, σ² I)``; σ is a standard deviation; points are rows ``(n, d)``.
- Predictions as in `scoreproof.objects.parameterizations`; ``velocity`` = f - g²/2·score, ``F``
  with σ_data = 0.5.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.objects.parameterizations import PREDICTIONS, convert

__all__ = [
    "PREDICTIONS",
    "Diffused",
    "agrees_on",
    "answer_like",
    "diffused",
    "exact_model",
    "gaussian",
    "mixture",
]


@dataclass(frozen=True, eq=False)
class Diffused:
    """The process started from a Gaussian mixture: ``drift``, ``diffusion``, ``score``,
    ``density``, ``moments``.
    """

    process: Any
    weights: np.ndarray
    means: np.ndarray
    covs: np.ndarray
    horizon: float
    level: Callable[[float], tuple[float, np.ndarray, float]]  # t -> (α, shift, σ²)

    @property
    def dimension(self) -> int:
        return self.means.shape[1]

    def drift(self, x: np.ndarray, t: float) -> np.ndarray:
        return np.broadcast_to(np.asarray(self.process.drift(x, t), dtype=float), x.shape)

    def diffusion(self, t: float) -> float:
        return float(np.ravel(self.process.diffusion(t))[0])

    def _components(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        alpha, shift, var = self.level(t)
        return alpha * self.means + shift, alpha**2 * self.covs + var * np.eye(self.dimension)

    def moments(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of X_t."""
        means, covs = self._components(t)
        mean = self.weights @ means
        r = means - mean
        return mean, np.einsum("k,kij->ij", self.weights, covs + r[:, :, None] * r[:, None, :])

    def _logs(self, x: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
        means, covs = self._components(t)
        r = x[:, None, :] - means
        solved = np.einsum("kij,nkj->nki", np.linalg.inv(covs), r)
        logs = (
            np.log(self.weights)
            - 0.5 * np.linalg.slogdet(2 * np.pi * covs)[1]
            - 0.5 * np.einsum("nki,nki->nk", r, solved)
        )
        return logs, solved

    def score(self, x: np.ndarray, t: float) -> np.ndarray:
        logs, solved = self._logs(x, t)
        share = np.exp(logs - logs.max(axis=1, keepdims=True))
        return -np.einsum("nk,nki->ni", share / share.sum(axis=1, keepdims=True), solved)

    def density(self, x: np.ndarray, t: float) -> np.ndarray:
        return np.exp(self._logs(x, t)[0]).sum(axis=1, keepdims=True)


def _level(process: Any, dimension: int) -> Callable[[float], tuple[float, np.ndarray, float]]:
    if hasattr(process, "transition"):  # a linear SDE

        def from_transition(t: float) -> tuple[float, np.ndarray, float]:
            phi, shift, cov = process.transition(0.0, t)
            alpha, var = float(phi[0, 0]), float(cov[0, 0])
            eye = np.eye(dimension)
            if not (
                np.allclose(phi, alpha * eye, atol=1e-12)
                and np.allclose(cov, var * eye, atol=1e-12)
            ):
                raise ArgumentError(
                    "process",
                    "isotropic: X_t | X_0 ~ N(α X_0 + c, σ² I)",
                    "a drift matrix that mixes coordinates",
                    "check the sampler on a process of one coordinate",
                )
            return alpha, np.asarray(shift, dtype=float), var

        return from_transition

    def number(value: Any) -> float:
        return float(np.ravel(value)[0])

    return lambda t: (number(process.alpha(t)), np.zeros(dimension), number(process.sigma(t)) ** 2)


def _consistent(target: Diffused) -> None:
    """Refuse a process whose declared α, σ are not those of its drift and diffusion: no sampler
    could be right for both.
    """
    zero, one = np.zeros((1, target.dimension)), np.ones((1, target.dimension))
    for t in (0.3 * target.horizon, 0.7 * target.horizon):
        rate, g2 = (
            float((target.drift(one, t) - target.drift(zero, t))[0, 0]),
            target.diffusion(t) ** 2,
        )
        h = 1e-3 * target.horizon
        # σ² / α² grows at the rate g² / α², and log α at `rate`: central differences, error about
        # 1e-6
        levels = {s: target.level(t + s * h) for s in (-1, 0, 1)}
        slope = (np.log(levels[1][0]) - np.log(levels[-1][0])) / (2 * h)
        growth = (
            (levels[1][2] / levels[1][0] ** 2 - levels[-1][2] / levels[-1][0] ** 2)
            / (2 * h)
            * levels[0][0] ** 2
        )
        if (
            abs(slope - rate) > 1e-3 * (abs(rate) + 1 / target.horizon)
            or abs(growth - g2) > 1e-3 * g2
        ):
            raise ArgumentError(
                "process",
                "one whose alpha and sigma are the marginals of its drift and diffusion",
                f"at t = {t:g} (log α)' = {slope:.4g} against a drift of {rate:.4g} x, and noise"
                f" growing at {growth:.4g} against g² = {g2:.4g}",
                "judge the schedule first, with check_marginals",
            )


def agrees_on(target: Diffused, low: float, high: float) -> None:
    """Refuse a process whose α, σ do not move between the times of a grid from ``low`` to ``high``
    as its drift and noise say: no jump passes.
    """
    zero, one = np.zeros((1, target.dimension)), np.ones((1, target.dimension))
    grid = np.linspace(low, high, 13)
    levels = [target.level(float(t)) for t in grid]
    for a, b, (alpha, _, var), (alpha_, _, var_) in zip(
        grid[:-1], grid[1:], levels[:-1], levels[1:], strict=True
    ):
        sums = []
        for count in (6, 10):
            nodes, weights = np.polynomial.legendre.leggauss(count)
            at, w = (a + b) / 2 + (b - a) / 2 * nodes, (b - a) / 2 * weights
            rate = np.array(
                [float((target.drift(one, t) - target.drift(zero, t))[0, 0]) for t in at.tolist()]
            )
            alphas, g2 = (
                np.array([target.level(t)[0] for t in at.tolist()]),
                np.array([target.diffusion(t) ** 2 for t in at.tolist()]),
            )
            sums.append((float(w @ rate), alpha_**2 * float(w @ (g2 / alphas**2))))
        (rough, rough_noise), (slope, noise) = sums
        change, growth = float(np.log(alpha_ / alpha)), var_ - (alpha_ / alpha) ** 2 * var
        # 1e-6 leaves room for schedules in single precision; what two quadratures differ by, for
        # those with kinks
        allowed = (
            1e-6 * (1 + abs(slope)) + min(4 * abs(slope - rough), 1e-3),
            1e-6 * (var_ + noise) + min(4 * abs(noise - rough_noise), 1e-3 * noise),
        )
        if not (abs(change - slope) <= allowed[0] and abs(growth - noise) <= allowed[1]):
            raise ArgumentError(
                "process",
                "one whose alpha and sigma are the marginals of its drift and diffusion",
                f"from t = {a:.4g} to {b:.4g} log α changes by {change:.6g} against a drift of"
                f" {slope:.6g}, and noise grows by {growth:.6g} against {noise:.6g}",
                "judge the schedule first, with check_marginals",
            )


def diffused(process: Any, weights: Any, means: Any, covs: Any, horizon: float | None) -> Diffused:
    """``process`` (a linear SDE, or an object with ``alpha``, ``sigma``, ``drift``, ``diffusion``)
    started from a mixture.
    """
    known = (
        ("drift", "diffusion", "transition")
        if hasattr(process, "transition")
        else ("drift", "diffusion", "alpha", "sigma")
    )
    missing = [n for n in known if not callable(getattr(process, n, None))]
    if missing:
        raise ArgumentError(
            "process",
            "an object with drift(x, t), diffusion(t), alpha(t) and sigma(t), or a LinearSDE",
            f"{type(process).__name__} without {', '.join(missing)}",
            "see scoreproof.objects.schedules",
        )
    if horizon is None:
        horizon = next(
            (
                float(getattr(process, n))
                for n in ("horizon", "T", "t_max")
                if isinstance(getattr(process, n, None), int | float)
            ),
            1.0,
        )
    means = np.asarray(means, dtype=float)
    target = Diffused(
        process,
        np.asarray(weights, dtype=float),
        means,
        np.asarray(covs, dtype=float),
        float(horizon),
        _level(process, means.shape[1]),
    )
    _consistent(target)
    return target


def mixture(process: Any, dimension: int, horizon: float | None) -> Diffused:
    """Two Gaussian humps of unequal weight and width."""
    eye, ones = np.eye(dimension), np.ones(dimension)
    return diffused(
        process,
        [0.6, 0.4],
        np.stack([-1.0 * ones, 1.2 * ones]),
        np.stack([0.2 * eye, 0.35 * eye]),
        horizon,
    )


def gaussian(
    process: Any, dimension: int, horizon: float | None, *, point_mass: bool = False
) -> Diffused:
    """One Gaussian with mean 0.4 and variance 0.3 (or the point 0.4)."""
    return diffused(
        process,
        [1.0],
        np.full((1, dimension), 0.4),
        (0.0 if point_mass else 0.3) * np.eye(dimension)[None],
        horizon,
    )


def answer_like(x: Any, value: np.ndarray) -> Any:
    """``value`` as an array of the kind and dtype of ``x`` (NumPy, PyTorch, JAX)."""
    package = type(x).__module__.split(".")[0]
    if package == "torch":
        import torch

        return torch.as_tensor(np.array(value), dtype=x.dtype, device=x.device)
    if package in ("jax", "jaxlib"):
        import jax.numpy as jnp

        return jnp.asarray(value, dtype=x.dtype)
    kind = getattr(x, "dtype", None)
    return value.astype(kind) if kind is not None and kind.kind == "f" else value


def _time(t: Any, rows: int) -> np.ndarray:
    times = np.asarray(as_numpy(t), dtype=float).ravel()
    if times.size not in (1, rows):
        raise CallableError(
            "sampler",
            "ask its model for one time, or one for each row",
            f"it passed {times.size} times for {rows} rows",
            "call model(x, t) with t a number or of shape (n,)",
        )
    return times


def exact_model(target: Diffused, prediction: str) -> Callable[[Any, Any], Any]:
    """The exact ``model(x, t)`` of that kind for ``target``; answers in the array kind it is asked
    in.
    """

    def at(x: np.ndarray, t: float) -> np.ndarray:
        s = target.score(x, t)
        if prediction == "score":
            return s
        if prediction == "velocity":
            return target.drift(x, t) - target.diffusion(t) ** 2 / 2 * s
        alpha, shift, var = target.level(t)
        return convert(s, x - shift, "score", prediction, alpha, var**0.5)

    def model(x: Any, t: Any) -> Any:
        points = np.asarray(as_numpy(x), dtype=float)
        if points.ndim != 2 or points.shape[1] != target.dimension:
            raise CallableError(
                "sampler",
                f"ask its model at points of shape (n, {target.dimension})",
                f"it passed shape {points.shape}",
                "points are rows",
            )
        times = _time(t, len(points))
        distinct = np.unique(times)
        if distinct.size == 1:
            value = at(points, float(distinct[0]))
        else:
            value = np.concatenate(
                [at(row[None], float(u)) for row, u in zip(points, times, strict=True)]
            )
        return answer_like(x, value)

    return model
