"""Random laws of y = alpha x_0 + z and right denoisers for them, written down in many ways.

Shared by the subjects of `check_denoiser` and `check_score`. Conventions: rows are points,
covariances are ``(d, d)``; a right answer is E[alpha x_0 | y] in the arithmetic of ``xp`` (numpy,
torch, jax.numpy).
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from scoreproof import Atoms, GaussianMixture
from scoreproof.objects.parameterizations import convert

__all__ = ["Setting", "draw_setting", "in_type", "right_mean", "to_prediction", "wrapped"]

EPS = {"float64": 2.0**-52, "float32": 2.0**-23, "bfloat16": 2.0**-7, "float16": 2.0**-10}


@dataclass(frozen=True, eq=False)
class Setting:
    prior: Any  # of x_0
    cov: np.ndarray
    alpha: float
    prediction: str
    framework: str
    dtype: str
    tolerance: float | None
    options: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def scaled(self) -> Any:
        if isinstance(self.prior, Atoms):
            return Atoms(self.alpha * self.prior.points, self.prior.weights)
        return self.prior.affine(self.alpha * np.eye(self.d))

    @property
    def d(self) -> int:
        return len(self.cov)

    @property
    def components(self) -> int:
        return self.prior.size if isinstance(self.prior, Atoms) else len(self.prior.weights)

    @property
    def plain(self) -> bool:
        return bool(np.allclose(self.cov, self.cov[0, 0] * np.eye(self.d), atol=0))

    @cached_property
    def given_cov(self) -> Any:
        return float(self.cov[0, 0]) if self.plain else self.cov

    @property
    def lost(self) -> float:
        """What rounding may take of an exponent, or of y - E[x_0 | y], in single precision: where
        that is percents, it is not right as it runs.
        """
        reach = np.max(np.abs(self.scaled.mean())) + np.sqrt(
            np.max(np.diagonal(self.scaled.covariance()))
        )
        return EPS["float32"] * self.d * float(reach / np.sqrt(np.min(np.diagonal(self.cov)))) ** 2

    def draws(self, rng: np.random.Generator, m: int) -> np.ndarray:
        return (
            self.scaled.sample(rng, m)
            + rng.standard_normal((m, self.d)) @ np.linalg.cholesky(self.cov).T
        )

    def mean(self, y: np.ndarray) -> np.ndarray:
        return self.scaled.posterior_mean(y, self.cov)

    def score(self, y: np.ndarray) -> np.ndarray:
        return self.scaled.noised(self.cov).score(y)

    def describe(self) -> str:
        kind = "data" if isinstance(self.prior, Atoms) else "Gaussians"
        sigma = np.sqrt(self.cov[0, 0])
        return (
            f"{self.components} {kind} in R^{self.d}, σ {sigma:.3g}"
            f"{'' if self.plain else ' (full)'}, α {self.alpha:.2g}, {self.prediction},"
            f" {self.framework} {self.dtype}, tolerance {self.tolerance}, {sorted(self.options)}"
        )


def _covariance(rng: np.random.Generator, d: int, size: float) -> np.ndarray:
    kind = rng.integers(3)
    if kind == 0:
        return size * np.eye(d)
    values = size * np.exp(rng.uniform(-1, 1, d))
    if kind == 1 or d == 1:
        return np.diag(values)
    q, _ = np.linalg.qr(rng.standard_normal((d, d)))
    cov = (q * values) @ q.T
    return (cov + cov.T) / 2


def draw_setting(rng: np.random.Generator, *, denoiser: bool) -> Setting:
    """A setting; coarse types with a tolerance, and where they can say something at all."""
    framework = str(rng.choice(["numpy", "torch", "jax"], p=[0.8, 0.15, 0.05]))
    dtype = str(
        rng.choice(["float64", "float32", "bfloat16", "float16"], p=[0.55, 0.33, 0.08, 0.04])
    )
    if dtype == "bfloat16":
        framework = "torch"
    if framework == "jax" and dtype == "float64":
        dtype = "float32"  # unless x64 is switched on
    coarse = EPS[dtype] > 1e-4
    d = int(2 ** rng.uniform(0, 4 if coarse else 8))
    size = 10 ** rng.uniform(-1, 1)
    offset = size * float(rng.choice([0.0, 0.0, 1.0, 10.0])) * (not coarse)
    centre = offset * rng.standard_normal(d)
    if rng.random() < 0.5:
        count = int(2 ** rng.uniform(1, 8))
        points = centre + size * rng.standard_normal((count, d))
        weights = rng.dirichlet(np.full(count, 3.0)) if rng.random() < 0.5 else None
        prior: Any = Atoms(points, weights)
    else:
        count = int(rng.integers(1, 6))
        prior = GaussianMixture(
            rng.dirichlet(np.full(count, 3.0)),
            centre + size * rng.standard_normal((count, d)) * rng.uniform(0.2, 2),
            np.stack(
                [_covariance(rng, d, size**2 * 10 ** rng.uniform(-2, 0)) for _ in range(count)]
            ),
        )
    low, high = (-0.5, 0.5) if coarse else (-1.5, 1.3)
    if not coarse and rng.random() < 0.1:
        low, high = -3.0, -2.0  # a sampler's last steps
    # what counts in many dimensions is the noise against the distances: both grow with √d
    sigma = size * 10 ** rng.uniform(low, high)
    cov = _covariance(rng, d, sigma**2)
    if rng.random() < 0.6:
        cov = sigma**2 * np.eye(d)
    alpha = 1.0 if rng.random() < 0.5 else float(rng.uniform(0.3, 1.0))
    kinds = ["x0", "score"]
    if np.allclose(cov, cov[0, 0] * np.eye(d), atol=0):
        kinds += ["eps", "v", "F", "velocity"]
    favourite = "x0" if denoiser else "score"
    prediction = favourite if rng.random() < 0.5 or coarse else str(rng.choice(kinds))
    options: dict[str, Any] = {}
    if prediction == "velocity":
        options["rates"] = (-float(rng.uniform(0.3, 1)), float(rng.uniform(0.3, 1)))
    if prediction == "F":
        options["sigma_data"] = float(size)
    tolerance = float(rng.uniform(0.1, 0.2)) if coarse else None
    if not coarse and rng.random() < 0.1:
        # a larger one accepts y itself where the noise is small
        least = -3 if dtype == "float64" else -1.5
        tolerance = float(10 ** rng.uniform(least, -1)) * min(1.0, sigma / size)
    setting = Setting(prior, cov, alpha, prediction, framework, dtype, tolerance, options)
    if rng.random() < 0.15:
        points = setting.draws(rng, int(rng.integers(8, 40)))
        # with one effective component at every one of the caller's points nothing can be decided
        if setting.components == 1 or np.max(_perplexity(setting, points)) > 1.6:
            options["points"] = points
    elif rng.random() < 0.3:
        options["n"] = int(rng.integers(24, 128))
    return setting


def _perplexity(s: Setting, y: np.ndarray) -> np.ndarray:
    law = s.scaled.noised(s.cov)
    if isinstance(s.prior, Atoms):
        return law.perplexity(y)
    r = law.responsibilities(y)
    return np.exp(-np.sum(r * np.log(np.where(r > 0, r, 1)), axis=1))


def right_mean(rng: np.random.Generator, s: Setting) -> Callable[[Any, Any], Any]:
    """``f(xp, y)``: E[alpha x_0 | y], in the type of y, written in one of several ways."""
    style, order = int(rng.integers(4)), int(rng.integers(3))
    # in half of the cases of a type of 16 bits the sums are those of single precision (autocast)
    inner = "float32" if EPS[s.dtype] > 1e-4 and (s.d > 2 or rng.random() < 0.5) else s.dtype
    if isinstance(s.prior, Atoms):
        return lambda xp, y: _atoms(xp, y, s, style, order, inner)
    return lambda xp, y: _mixture(xp, y, s, style, inner)


def _constant(xp: Any, value: Any, dtype: str) -> Any:
    if xp is np:
        return np.asarray(value, dtype=dtype)
    if xp.__name__ == "torch":
        return xp.tensor(np.asarray(value, float), dtype=getattr(xp, dtype))
    return xp.asarray(np.asarray(value, float), dtype=dtype)


def _typed(xp: Any, y: Any, dtype: str) -> Any:
    return y.to(getattr(xp, dtype)) if xp.__name__ == "torch" else y.astype(dtype)


def _softmax(xp: Any, logits: Any, order: int) -> Any:
    top = (
        xp.amax(logits, axis=1)[:, None] if xp.__name__ == "torch" else logits.max(axis=1)[:, None]
    )
    weights = xp.exp(logits - top)
    total = weights.sum(axis=1)[:, None]
    if order == 1:
        return xp.exp(logits - top - xp.log(total))
    return weights / total


def _atoms(xp: Any, y: Any, s: Setting, style: int, order: int, inner: str) -> Any:
    y_in, y = y, _typed(xp, y, inner)
    c = lambda v: _constant(xp, v, inner)  # noqa: E731
    x0 = c(s.prior.points)
    x = x0 * c(s.alpha) if order == 2 else c(s.scaled.points)
    logw = c(np.log(s.prior.weights))
    if s.plain:
        variance = c(s.cov[0, 0])
        if style == 0:
            squares = ((y[:, None, :] - x) ** 2).sum(axis=2)
        elif style == 1:
            squares = (y**2).sum(axis=1)[:, None] - 2 * (y @ x.T) + (x**2).sum(axis=1)
        elif style == 2:
            sigma = c(np.sqrt(s.cov[0, 0]))
            squares, variance = (((y[:, None, :] - x) / sigma) ** 2).sum(axis=2), c(1.0)
        else:
            centre = x.mean(axis=0)
            a, b = y - centre, x - centre
            squares = (b**2).sum(axis=1) - 2 * (a @ b.T)
        logits = -squares / (2 * variance) + logw
    else:
        if style % 2:
            root = c(np.linalg.inv(np.linalg.cholesky(s.cov)))
            a, b = y @ root.T, x @ root.T
            logits = -((a[:, None, :] - b) ** 2).sum(axis=2) / 2 + logw
        else:
            precision = c(np.linalg.inv(s.cov))
            gap = y[:, None, :] - x
            logits = -((gap @ precision) * gap).sum(axis=2) / 2 + logw
    mean = _softmax(xp, logits, order) @ x
    return _typed(xp, mean, _name(y_in))


def _name(y: Any) -> str:
    return str(y.dtype).removeprefix("torch.")


def _mixture(xp: Any, y: Any, s: Setting, style: int, inner: str) -> Any:
    y_in, y = y, _typed(xp, y, inner)
    c = lambda v: _constant(xp, v, inner)  # noqa: E731
    law = s.scaled
    logits, means = [], []
    for w, m, cov in zip(law.weights, law.means, law.covariances, strict=True):
        total = cov + s.cov
        inverse, gap = np.linalg.inv(total), y - c(m)
        if style % 2:
            root = c(np.linalg.inv(np.linalg.cholesky(total)))
            square = ((gap @ root.T) ** 2).sum(axis=1)
        else:
            square = ((gap @ c(inverse)) * gap).sum(axis=1)
        logits.append(c(np.log(w) - np.linalg.slogdet(total)[1] / 2) - square / 2)
        if style == 0:
            means.append(c(m) + gap @ c((cov @ inverse).T))
        elif style == 1:
            means.append(y - gap @ c((s.cov @ inverse).T))
        elif style == 2:
            post = np.linalg.inv(np.linalg.inv(cov) + np.linalg.inv(s.cov))
            means.append(c(np.linalg.inv(cov) @ m @ post) + y @ c(np.linalg.inv(s.cov) @ post))
        else:
            means.append(c(m) + (gap @ c(inverse)) @ c(cov))
    r = _softmax(xp, xp.stack(logits, 1) if xp is not np else np.stack(logits, 1), style % 2)
    mean = sum(r[:, k : k + 1] * means[k] for k in range(len(means)))
    return _typed(xp, mean, _name(y_in))


def module(framework: str) -> Any:
    names = {"numpy": "numpy", "torch": "torch", "jax": "jax.numpy"}
    return importlib.import_module(names[framework])


def to_prediction(s: Setting, mean: Any, y: Any) -> Any:
    """A mean of alpha x_0 as what the callable predicts, in the type it comes in."""
    if s.prediction == "x0":
        return mean / s.alpha
    if s.prediction == "score" and not s.plain:
        xp = np if isinstance(y, np.ndarray) else module(s.framework)
        return (mean - y) @ _constant(xp, np.linalg.inv(s.cov), _name(y))
    rates = s.options.get("rates", (None, None))
    return convert(
        mean / s.alpha,
        y,
        "x0",
        s.prediction,
        s.alpha,
        float(np.sqrt(s.cov[0, 0])),
        sigma_data=s.options.get("sigma_data", 0.5),
        alpha_dot=rates[0],
        sigma_dot=rates[1],
    )


def in_type(s: Setting, function: Callable[[np.ndarray], np.ndarray]) -> Callable[[Any], Any]:
    """A callable of the setting's framework and type around one in double precision."""

    def call(y: Any) -> Any:
        if s.framework == "torch":
            import torch

            out = function(y.detach().to(torch.float64).numpy())
            return torch.tensor(np.array(out)).to(y.dtype)
        out = function(np.asarray(y, float))
        if s.framework == "jax":
            import jax.numpy as jnp

            return jnp.asarray(out, dtype=y.dtype)
        return np.asarray(out).astype(y.dtype)

    return call


def wrapped(s: Setting, mean: Callable[[Any, Any], Any]) -> Callable[[Any], Any]:
    """The right callable that is handed to the check: in its type, or, where single precision is
    not right as it runs, in double precision with its answer in the type.
    """
    if s.dtype == "float32" and s.lost > 3e-3:
        return in_type(s, lambda y: to_prediction(s, s.mean(y), y))
    xp = module(s.framework)

    def call(y: Any) -> Any:
        out = to_prediction(s, mean(xp, y), y)
        return out if xp.__name__ == "torch" else out.astype(y.dtype)

    return call
