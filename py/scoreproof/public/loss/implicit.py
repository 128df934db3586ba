"""A loss with the model's derivative in x (implicit and sliced score matching): whether it is
stationary at the exact score, in several directions.

Conventions: data are Gaussian, so that the exact score is affine. The model is the score plus θ h;
the loss's derivative in θ at 0, over all data, noise and sketch vectors, is due to vanish. Means
are over designs, which are exact for what such a loss is made of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy, unit_roundoff
from scoreproof.interop.draws import Draw, intercepted
from scoreproof.interop.draws_jax import jax_key
from scoreproof.interop.draws_numpy import numpy_generator
from scoreproof.interop.frameworks import guarded, require
from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.designs import normal_points, signs, together
from scoreproof.public.loss.directions import AffineModel, Direction, direction
from scoreproof.public.loss.given import Given, arguments_of
from scoreproof.public.loss.half import half_seen
from scoreproof.public.loss.served import Served, integers_served

__all__ = ["Derivatives", "derivatives"]


@dataclass(frozen=True, eq=False)
class Derivatives:
    """A row a time, a column a direction: the loss's ``slope`` in θ as it is trained, the same from
    its values, ``curve`` its second derivative; ``inner`` = E[s · h], ``square`` = E|h|² where h is
    affine (``nan`` elsewhere). ``noisy``: x is not the data.
    """

    times: np.ndarray
    slope: np.ndarray
    by_value: np.ndarray
    curve: np.ndarray
    inner: np.ndarray
    square: np.ndarray
    size: np.ndarray
    noisy: bool


@dataclass(eq=False)
class _Served(Served):
    """Noise first, if x is noised, then sketch vectors; as signs where it draws uniforms."""

    vectors: np.ndarray | None = None
    noisy: bool = False

    def __call__(self, draw: Draw) -> np.ndarray:
        assert self.vectors is not None
        size = int(np.prod(draw.shape))
        if size % self.noise.size:
            return super().__call__(draw)
        k = len(self.noises) + (not self.noisy)
        value = self.noise if k == 0 else self.vectors
        self.noises.append(value)
        value = np.tile(value, (size // self.noise.size, 1)).reshape(draw.shape)
        return 0.5 + 0.25 * np.sign(value) if draw.kind == "uniform" else value

    def integers(self, low: int, high: int, size: int, index: int) -> np.ndarray:
        if self.vectors is None or size % self.vectors.size:
            return super().integers(low, high, size, index)
        return np.tile(np.where(self.vectors > 0, high - 1, low), (size // self.vectors.size, 1))


def derivatives(job: Job, asking: Asking) -> Derivatives | None:
    """``None`` where it noises its data at a t of its own. Raises ``CallableError``."""
    rng = np.random.default_rng([job.seed, 29])
    d = job.d
    root = np.eye(d) * rng.uniform(0.6, 1.4, d) + 0.15 * rng.standard_normal((d, d)) / np.sqrt(d)
    mean = rng.choice([-1.0, 1.0], d) * rng.uniform(0.3, 1.0, d)
    directions = [direction(rng, d, bent) for bent in (False, False, True)]
    noisy = _noises(job, asking, rng, mean, root)
    if noisy and job.draws_times:
        return None
    times = _times(job, noisy)
    shape = (len(times), len(directions))
    found = {n: np.zeros(shape) for n in ("slope", "by_value", "curve", "inner", "square", "size")}
    for i, t in enumerate(times):
        level = job.process.level_of(float(t))
        alpha, sigma = (level.alpha, level.sigma) if noisy else (1.0, 0.0)
        cov = alpha**2 * root @ root.T + sigma**2 * np.eye(d)
        precision = np.linalg.inv(cov)
        for j, h in enumerate(directions):
            run = _Runs(job, asking, (mean, root, alpha, precision), h, float(t), noisy)
            values = {theta: run.value(theta) for theta in (-1.0, 0.0, 1.0)}
            found["by_value"][i, j] = (values[1.0] - values[-1.0]) / 2
            found["curve"][i, j] = values[1.0] + values[-1.0] - 2 * values[0.0]
            found["size"][i, j] = max(map(abs, values.values()))
            found["slope"][i, j] = run.slope(found["by_value"][i, j])
            m = alpha * mean
            # E[s · h] = -E[tr ∂h]
            found["inner"][i, j] = -np.trace(h.matrix) - 2 * (h.along @ m) * (h.along @ h.bend)
            square = np.trace(h.matrix @ (cov + np.outer(m, m)) @ h.matrix.T)
            found["square"][i, j] = np.nan if np.any(h.bend) else square
    return Derivatives(times, noisy=noisy, **found)


def _times(job: Job, noisy: bool) -> np.ndarray:
    if not noisy:
        return np.zeros(1)
    times = job.process.times(5) if job.times is None else job.times
    return np.asarray(times[[0, len(times) // 2, -1]])


def _noises(
    job: Job, asking: Asking, rng: np.random.Generator, mean: np.ndarray, root: np.ndarray
) -> bool:
    """Whether x is noised: the model is asked at something else than the data."""
    roles = [r for r, _ in job.takes]
    if "noise" in roles or "t" in roles:
        return True
    h = direction(rng, job.d, False)
    run = _Runs(job, asking, (mean, root, 1.0, np.eye(job.d)), h, job.process.low, True)
    model = run.called(0.0)[1]
    asked = model.asked[0]
    try:
        x = np.asarray(as_numpy(asked), dtype=float).reshape(-1, job.d)
    except Exception:  # of JAX under a transformation: it is told by what it takes
        return False
    return not np.allclose(x[: len(run.x0)], run.x0, rtol=1e-5, atol=1e-5)


class _Runs:
    """The loss at one time with one direction."""

    def __init__(
        self, job: Job, asking: Asking, law: Any, h: Direction, t: float, noisy: bool
    ) -> None:
        self.job, self.asking, self.h, self.t, self.noisy = job, asking, h, t, noisy
        mean, root, alpha, self.precision = law
        self.mean = alpha * mean
        z = normal_points(job.d)
        points, self.noise, self.vectors = together(z, z if noisy else z[:1], signs(job.d))
        self.x0 = mean + points @ root.T

    def called(self, theta: Any) -> tuple[Any, AffineModel]:
        """What the loss returns, and the model that it was given; inside of what is intercepted."""
        job = self.job
        model = AffineModel(self.mean, self.precision, self.h, theta)
        model.shape = job.shape
        served = _Served(self.noise, np.zeros((1, 1)), 0, False, vectors=self.vectors)
        served.noisy = self.noisy and "noise" not in [r for r, _ in job.takes]
        convert = guarded(lambda x: x, "loss", job.framework, job.dtype).prepare or np.array
        self.asking.eps = max(self.asking.eps, unit_roundoff(convert(self.x0)))
        with (
            intercepted(job.framework, served, double=job.dtype is None) as log,
            integers_served(job.framework, served),
            half_seen(job.framework if job.dtype is None else "") as half,
        ):
            rng = jax_key(served, log) if job.framework == "jax" else numpy_generator(served, log)
            given = Given(self.x0, self.noise, self.noise, self.x0, np.full(len(self.x0), self.t))
            out = self.asking.called_with(arguments_of(job, given, model, rng, convert))
        self.asking.half |= half
        return out, model

    def value(self, theta: float) -> float:
        out = np.asarray(as_numpy(self.called(theta)[0]), dtype=float)
        if not np.all(np.isfinite(out)):
            raise CallableError(
                "loss", "be finite", "it is nan or inf for a Gaussian's score", "call it by hand"
            )
        return float(np.sum(out))

    def slope(self, by_value: float) -> float:
        """The derivative in θ as training takes it."""
        if self.job.framework == "torch":
            torch = require("torch")
            theta = torch.zeros((), dtype=torch.float64, requires_grad=True)
            out = self.called(theta)[0]
            if not (torch.is_tensor(out) and out.requires_grad):
                return 0.0
            try:
                (found,) = torch.autograd.grad(out.sum(), [theta], allow_unused=True)
            except RuntimeError as error:
                raise CallableError(
                    "loss",
                    "be differentiable in the model's parameters",
                    f"backward raised {type(error).__name__}: {str(error).partition('.')[0]}",
                    "take the gradient in x with create_graph=True",
                ) from error
            return 0.0 if found is None else float(found)
        if self.job.framework == "jax":
            jax = require("jax")
            return float(jax.grad(lambda a: jax.numpy.sum(self.called(a)[0]))(0.0))
        return by_value
