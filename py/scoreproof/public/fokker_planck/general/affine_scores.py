"""A score that is affine in x is a Gaussian's, and says its mean and its covariance: known mistakes
of those are looked for as in a log-density of that Gaussian.

Conventions: as in `subject`; ``s(x, t) = P(t) (m(t) - x)``, P the inverse of the covariance.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck import strong
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.asking import given
from scoreproof.public.fokker_planck.causes import explained
from scoreproof.public.fokker_planck.general.curls import matrix
from scoreproof.public.fokker_planck.general.subject import General

__all__ = ["of_a_gaussian"]

#: dimensions in which it is looked for, and what an affine score may be off by, of its size
MOST, AFFINE = 6, 1e-9
#: a score that lacks the division by σ_t has a standard deviation for its variance
EPSILON = (
    "Cause: the score is σ_t times what is due, -(x - m)/σ_t for -(x - m)/σ_t²: what a network of ε"
    " returns is -σ_t ∇log p, so divide it by σ_t"
    " (std_for_variance)."
)


def of_a_gaussian(g: General, place: Place, tolerance: float | None) -> Diagnosis | None:
    """The cause that a Gaussian with this score has, where the noise is one number at each time."""
    d = place.dimension
    if d > MOST or g.of_state or not _noise_is_number(g, place) or not _affine(g, place):
        return None

    def log_density(x: np.ndarray, t: float) -> np.ndarray:
        mean, precision = _moments(g, d, t)
        r = np.asarray(x) - mean
        volume = np.log(np.linalg.det(precision) + 0j) / 2 - d / 2 * np.log(2 * np.pi)
        value = volume - ((r @ precision) * r).sum(axis=1) / 2
        return value if np.iscomplexobj(r) or np.iscomplexobj(t) else value.real

    def noise(t: float) -> float:
        return g.rho(float(np.real(t)))

    s = given(lambda x, t: g.field(x, t), noise, log_density, True, False, ("numpy", None))
    found = strong.look(s, place)
    if not found.terms:
        return None
    sides = place.box.sides
    cause = explained(s, found, tolerance, float(np.min(sides[:, 1] - sides[:, 0])) / 4)
    if cause is None or not cause.names:
        return None
    if cause.names == ("std_for_variance",):
        return Diagnosis.cause("std_for_variance", EPSILON)
    start = cause.sentence.removeprefix("Cause: ")
    return replace(cause, sentence=f"Cause: read as the score of a Gaussian: {start}")


def _moments(g: General, d: int, t: complex) -> tuple[np.ndarray, np.ndarray]:
    """Mean and precision that the score has at t, complex where t is."""
    s = g.score_field(np.concatenate([np.zeros((1, d)), np.eye(d)]), t)
    precision = s[0] - s[1:]
    precision = (precision + precision.T) / 2
    return np.linalg.solve(precision, s[0]), precision


def _affine(g: General, place: Place) -> bool:
    times = place.times.times
    for k in (0, len(times) // 2, len(times) - 1):
        x, t = place.at(k), float(times[k])
        try:
            mean, precision = _moments(g, place.dimension, t)
        except np.linalg.LinAlgError:
            return False
        s = g.score(x, t)
        if not np.all(np.isfinite(precision)) or np.any(np.linalg.eigvalsh(precision) <= 0):
            return False
        if np.max(np.abs(s - (mean - x) @ precision)) > AFFINE * np.max(np.abs(s)):
            return False
    return True


def _noise_is_number(g: General, place: Place) -> bool:
    for t in place.box.times:
        root = matrix(g.coefficient.value(g.inside, t))[0]
        sigma = root @ root.T if g.coefficient.is_g else root
        if not np.allclose(sigma, g.rho(t) ** 2 * np.eye(len(sigma)), rtol=1e-12, atol=0):
            return False
    return True
