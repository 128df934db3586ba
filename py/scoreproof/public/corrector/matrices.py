"""Drift and noise of a step as matrices: what goes with what, for preconditioners and velocities.

Conventions: as in `causes`; G = (I - A) Σ in x's own coordinates, the noise has covariance 2 G.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.corrector.affine import Affine
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.refining import Law

__all__ = ["SAME", "Step", "alike", "isotropic", "of_two", "preconditioned", "same", "told"]

#: relative: what is read at the smallest step, against numbers that it should be
SAME = 3e-3


@dataclass(frozen=True, eq=False)
class Step:
    """``drift`` G and ``noise``, the covariance, ``(d, d)`` in x's coordinates."""

    drift: np.ndarray
    noise: np.ndarray

    @classmethod
    def of(cls, one: Affine, d: int) -> Step:
        root = one.target.root
        pull, cov = one.pull[:d, :d], one.covariance[:d, :d]
        return cls(root @ pull @ root.T, root @ cov @ root.T)

    @property
    def a(self) -> float:
        return float(np.trace(self.drift) / len(self.drift))

    @property
    def q(self) -> float:
        return float(np.trace(self.noise) / len(self.noise))


def told(name: str, text: str) -> Diagnosis:
    return Diagnosis.cause(name, f"Cause: {text}.")


def isotropic(m: np.ndarray) -> bool:
    return alike(m, np.eye(len(m)) * np.trace(m) / len(m))


def alike(m: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.max(np.abs(m - other)) <= SAME * max(np.max(np.abs(other)), 1e-300))


def same(value: float, other: float) -> bool:
    return abs(value - other) <= SAME * abs(other)


def preconditioned(step: Step, both: tuple[bool, bool]) -> Diagnosis | None:
    drift, noise = step.drift, step.noise
    size = np.trace(noise) / np.trace(drift)
    if both[1] and not both[0] and alike(drift, drift.T):
        return told(
            "noise_not_preconditioned",
            "the drift is multiplied by a matrix and the noise is not: with a drift of h P score"
            " the"
            " noise is √(2h) P^½ z",
        )
    if both[0]:
        return told(
            "drift_not_preconditioned",
            "the noise is multiplied by a matrix and the drift is not: with noise √(2h) P^½ z the"
            " drift is h P score",
        )
    if alike(noise, drift * size):
        return told(
            "noise_size",
            f"the noise has {size / 2:.4g} times the covariance that goes with its drift: 2 G for"
            " G score",
        )
    square = drift @ drift.T
    if alike(noise, square * (np.trace(noise) / np.trace(square))):
        return told(
            "root_of_the_preconditioner",
            "the noise is multiplied by the preconditioner P itself, where its root is due:"
            " √(2h) P^½ z with the drift h P score (a Cholesky factor of P will do)",
        )
    return None


def of_two(job: Job, end: Law) -> Diagnosis | None:
    """Of x and v: a temperature, or one that only v has."""
    d = job.d
    if not np.all(np.isfinite(end.cov)):
        return None
    x, v = end.cov[:d, :d], end.cov[d:, d:]
    cx, cv = float(np.trace(x)) / d, float(np.trace(v)) / d
    if alike(x, cx * np.eye(d)) and alike(v, cv * np.eye(d)) and abs(cx - cv) <= SAME * cv:
        friction = "√(1 - c²) for v ← c v + … (√(2 γ h) in an Euler step)"
        return told(
            "temperature",
            f"x and v have {cx:.4g} times the variance that is due: the noise of the velocity does"
            " not"
            f" go with its friction; it is {friction}",
        )
    if abs(cv - 1) <= SAME and alike(x, cx * np.eye(d)):
        return told(
            "force",
            f"v has the right law and x has {cx:.4g} times its variance: the force is {1 / cx:.4g}"
            " times the score in v's steps, beside x ← x + h v",
        )
    return None
