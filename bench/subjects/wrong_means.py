"""Wrong posterior means and scores of a given size, everywhere or in a region, a coordinate, a row.

Conventions: ``found(y) -> (rows, d)`` in double precision; the size of a deviation is relative to
``unit(y)``, what the check says that its resolution is relative to.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof import Atoms, GaussianMixture
from scoreproof.claims.tweedie.faults import FAULTS
from scoreproof.claims.tweedie.statement import mean_formula
from subjects.noisy_laws import Setting

__all__ = ["draw_wrong"]

Rows = Callable[[np.ndarray], np.ndarray]
#: a deviation in a region that fewer draws than this fall into is beyond the stated coverage
REGION = 0.25


def draw_wrong(
    rng: np.random.Generator, s: Setting, right: Rows, unit: Rows, amount: float
) -> tuple[str, Rows]:
    """A wrong version of ``right`` (a mean of alpha x_0 if it is a denoiser's) by ``amount`` at
    least.
    """
    y = s.draws(rng, 256) if "points" not in s.options else s.options["points"]
    for _ in range(8):
        name, wrong = _named(rng, s, amount)
        if wrong is None:
            break
        deviation = np.abs(wrong(y) - right(y)) / unit(y)
        if np.mean(np.max(deviation, axis=1) >= amount) >= REGION:
            return name, wrong
    return _bump(rng, s, right, unit, amount)


def _bump(
    rng: np.random.Generator, s: Setting, right: Rows, unit: Rows, amount: float
) -> tuple[str, Rows]:
    """``amount`` units added: in some coordinates, in a region, by some pattern of signs."""
    d = s.d
    few = max(1, int(d ** rng.uniform(0, 1)))
    columns = np.zeros(d)
    columns[rng.permutation(d)[:few]] = rng.choice([-1.0, 1.0], few)
    where, inside = _region(rng, s)
    shape = int(rng.integers(3))

    def wrong(y: np.ndarray) -> np.ndarray:
        size = amount * unit(y) * columns
        if shape == 1:  # towards nothing: shrunk or stretched, at least by the amount
            size = size * np.where(right(y) < 0, -1.0, 1.0)
        if shape == 2:
            size = size * (1 + np.abs(np.sin(3 * y / np.sqrt(np.diagonal(s.cov)))))
        return right(y) + size * inside(y)[:, None]

    return f"{few} of {d} coordinates {('shifted', 'scaled', 'wavy')[shape]} {where}", wrong


def _region(rng: np.random.Generator, s: Setting) -> tuple[str, Callable[[np.ndarray], np.ndarray]]:
    sample = s.draws(rng, 512) if "points" not in s.options else s.options["points"]
    kind = int(rng.integers(5))
    quantile = float(rng.uniform(REGION, 0.75))
    if kind <= 1:
        return "everywhere", lambda y: np.ones(len(y))
    direction = rng.standard_normal(s.d) if kind == 2 else np.eye(s.d)[rng.integers(s.d)]
    if kind == 4:
        middle = sample.mean(axis=0)
        edge = np.quantile(np.linalg.norm(sample - middle, axis=1), quantile)
        return "far out", lambda y: (np.linalg.norm(y - middle, axis=1) >= edge) * 1.0
    edge = np.quantile(sample @ direction, quantile)
    return "in a half-space", lambda y: (y @ direction >= edge) * 1.0


def _named(rng: np.random.Generator, s: Setting, amount: float) -> tuple[str, Rows | None]:
    """A mistake that people make, as a posterior mean; ``None`` for an arbitrary bump."""
    kind = int(rng.integers(16))
    law, cov, many = s.scaled, s.cov, s.components
    grow = 1 + amount * float(rng.uniform(1, 3))
    if kind == 0:
        return "another noise variance", lambda y: law.posterior_mean(y, cov * grow)
    if kind == 1:
        return "score term scaled", lambda y: y + grow * (s.mean(y) - y)
    if kind == 2 and many > 1:
        return "temperature", lambda y: _tempered(s, y, grow)
    if kind == 3 and many > 1:
        return "weights ignored", lambda y: _reweighed(s, np.full(many, 1 / many)).posterior_mean(
            y, cov
        )
    if kind == 4 and many > 2:
        keep = np.asarray(law.weights) > np.quantile(law.weights, 0.3)
        if np.any(keep):
            kept = np.where(keep, law.weights, 1e-300)
            return "small weights dropped", lambda y: _reweighed(s, kept).posterior_mean(y, cov)
    if kind == 5 and many > 1:
        return "mode", lambda y: _mode(s, y)
    if kind == 6:
        low, high = np.quantile(s.mean(s.draws(rng, 256)), [0.2, 0.8], axis=0)
        return "clamped", lambda y: np.clip(s.mean(y), low, high)
    if kind == 7:
        return "y returned", lambda y: y
    if kind == 8:
        return "prior mean returned", lambda y: np.broadcast_to(law.mean(), y.shape)
    if kind == 9 and s.alpha != 1:
        return "alpha forgotten", lambda y: s.alpha * s.prior.posterior_mean(y, cov)
    if kind == 10:
        j = int(rng.integers(s.d))
        axis = np.arange(s.d) == j
        return "one coordinate of y", lambda y: np.where(axis, y, s.mean(y))
    if kind == 11:
        return "rows mixed", lambda y: s.mean(y) + grow * amount * (np.mean(y, axis=0) - law.mean())
    if kind == 12:
        return "batch rolled", lambda y: s.mean(np.roll(y, 1, axis=0))
    if kind <= 14:
        faults = [f for f in FAULTS if f.subject.mean is not mean_formula]
        fault = faults[int(rng.integers(len(faults)))]
        level = cov * (1.0 if rng.random() < 0.5 else grow)
        return fault.name, lambda y: np.asarray(
            fault.subject.mean(y, law.noised(level).score(y), cov)
        )
    return "bump", None


def _reweighed(s: Setting, weights: np.ndarray) -> Any:
    weights = np.asarray(weights) / np.sum(weights)
    if isinstance(s.prior, Atoms):
        return Atoms(s.scaled.points, weights)
    return GaussianMixture(weights, s.scaled.means, s.scaled.covariances)


def _shares(s: Setting, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Responsibilities ``(rows, k)`` and the components' means ``(rows or 1, k, d)``."""
    if isinstance(s.prior, Atoms):
        r = np.concatenate([block for _, block in s.scaled.noised(s.cov).weights(y)])
        return r, s.scaled.points[None]
    r, means, _ = s.scaled.component_posteriors(y, s.cov)
    return r, means


def _tempered(s: Setting, y: np.ndarray, power: float) -> np.ndarray:
    r, means = _shares(s, y)
    r = r**power
    r = r / r.sum(axis=1, keepdims=True)
    return np.sum(r[:, :, None] * means, axis=1)


def _mode(s: Setting, y: np.ndarray) -> np.ndarray:
    r, means = _shares(s, y)
    best = np.argmax(r, axis=1)
    return np.broadcast_to(means, (len(y), *means.shape[1:]))[np.arange(len(y)), best]
