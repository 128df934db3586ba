"""How far rounding may take a right answer: what an honest implementation at a unit roundoff shows.

The exponents of a softmax carry an absolute error, the size of their terms times the roundoff: a
user may compute them from expanded squares. A weight inherits it as a relative error, and the mean
moves by ``Σ r_k (e^δ_k - 1)(μ_k - m)``; by Cauchy-Schwarz at most ``sqrt(Σ r_k (e^δ_k - 1)²)``
times the spread of the components that have a say there. Points are numbers of the callable's own
type: no rounding of y.

Conventions: ``eps`` is the spacing of numbers at 1, bounds are of E[alpha x_0 | y], entry by entry.
"""

from __future__ import annotations

import numpy as np

from scoreproof.objects.empirical import Atoms, NoisyAtoms
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.public.posterior.due import Due
from scoreproof.public.posterior.prediction import Prediction

__all__ = ["DOUBLE", "ORDER", "grown", "mean_rounding", "of_level", "of_prediction", "of_score"]

DOUBLE = float(np.finfo(float).eps)
#: a part by which a level is changed to see what hangs on it
NUDGE = 1e-5
#: orders of operations are the user's: a few roundings more or less
ORDER = 4


def grown(terms: int) -> float:
    """Roundings in a sum of so many terms: all of them, or, as they do not conspire, four standard
    deviations of a random walk (Higham and Mary 2019).
    """
    return min(terms, 4 * terms**0.5) + ORDER


def mean_rounding(due: Due, eps: float) -> np.ndarray:
    """What rounding may leave in E[alpha x_0 | y]: ``(m, d)``."""
    if isinstance(due.problem.known, Atoms):
        return _atoms(due, eps / 2)
    return _mixture(due, eps / 2)


def _weighed(r: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """By what part of its spread the mean may move if exponents are off by ``delta``, a column.

    What all exponents have in common cancels, so they are held against that of the likeliest: with
    ``δ' = δ + δ*`` elsewhere and 0 there, ``sqrt(Σ r (e^δ' - 1)²) / Σ r e^-δ'``.
    """
    each, best = np.arange(len(r)), np.argmax(r, axis=1)
    delta = delta + delta[each, best][:, None]
    delta[each, best] = 0.0
    delta = np.minimum(delta, 100.0)  # the cap by the data's range holds long before
    top = np.sqrt(np.sum(r * np.expm1(delta) ** 2, axis=1))
    return np.asarray(top / np.sum(r * np.exp(-delta), axis=1))[:, None]


def _atoms(due: Due, u: float) -> np.ndarray:
    problem, y = due.problem, due.y
    atoms, law, noise = problem.known, problem.law, problem.noise
    assert isinstance(atoms, Atoms) and isinstance(law, NoisyAtoms)
    unit = np.sqrt(noise.diagonal)
    x, logs = atoms.points, np.abs(np.log(np.asarray(atoms.weights)))
    centre = atoms.mean()
    high, low, centred = x.max(axis=0), x.min(axis=0), x - centre
    out = np.empty_like(y)
    exponent = grown(problem.dimension) * noise.condition
    for part, r in law.weights(y):
        # expanded squares about the origin, or about the data's mean, as suits the user
        delta = np.maximum(
            _squares(y[part] / unit, x / unit), _squares((y[part] - centre) / unit, centred / unit)
        )
        moved = _weighed(r, u * (exponent * delta + logs + grown(atoms.size)))
        mean = due.mean[part]
        out[part] = np.minimum(moved * due.spread[part], np.maximum(high - mean, mean - low))
        out[part] += u * grown(atoms.size) * (r @ np.maximum(np.abs(x), np.abs(centred)))
        # a datum that is met exactly comes back from other units, [0, 1] or 0 to 255, and is
        # rounded there by what the range is, not by its own entry
        out[part] += ORDER * u * max(np.max(np.abs(x)), np.max(high - low))
    return out


def _squares(y: np.ndarray, x: np.ndarray) -> np.ndarray:
    """``|y|² + |x|²`` for every row of y and of x."""
    return np.asarray(np.sum(y**2, axis=1)[:, None] + np.sum(x**2, axis=1))


def _mixture(due: Due, u: float) -> np.ndarray:
    problem, y, (r, means) = due.problem, due.y, due.shares
    prior, law = problem.known, problem.law
    assert isinstance(prior, GaussianMixture)
    d, delta = problem.dimension, np.empty_like(r)
    each = np.empty_like(means)
    _, logdets = np.linalg.slogdet(law.covariances)
    sums = grown(d)
    for k, (centre, cov) in enumerate(zip(law.means, law.covariances, strict=True)):
        unit = np.sqrt(np.diagonal(cov))
        condition = problem.conditions[k]
        terms = (np.abs(y) + np.abs(centre)) / unit
        size = np.sum(terms**2, axis=1)
        delta[:, k] = sums * condition * (size + d) + abs(logdets[k])
        delta[:, k] += abs(np.log(law.weights[k])) + 2 * d + grown(len(law.weights))
        # solving mixes the coordinates as far as the matrix is no multiple of its diagonal
        mixing = (condition - 1) * unit * np.sqrt(size)[:, None]
        each[:, k] = u * (sums * mixing + ORDER * (np.abs(y) + np.abs(centre)))
    away = np.max(np.abs(means - due.mean[:, None, :]), axis=1)
    moved = np.minimum(_weighed(r, u * delta) * due.spread, away)
    return np.asarray(moved + np.einsum("nk,nkd->nd", r, each) + ORDER * u * np.abs(due.mean))


def of_prediction(
    kind: Prediction, y: np.ndarray, mean: np.ndarray, within: np.ndarray, eps: float
) -> np.ndarray:
    """``within`` and what is added as the mean becomes a prediction in the callable's type and
    comes back.
    """
    u = eps / 2
    if kind.name == "score":
        return kind.problem.noise.times(of_score(kind, y, mean, within, eps), 1.0, sizes=True)
    p, q, parts, shift = kind.linear()
    value = np.abs(p * mean + q * y)
    terms = value + shift * np.abs(y) + parts * np.abs(mean)
    return within * (parts / abs(p)) + ORDER * u * terms / abs(p)


def of_level(due: Due, alpha: float, sigma: float) -> np.ndarray:
    """What is left in E[alpha x_0 | y] where the callable's alpha and standard deviation are off by
    these parts: in the mean itself, by its derivative, and in what is read from a prediction.
    """
    problem, y, h = due.problem, due.y, NUDGE
    noise = (1 + h) ** 2 * problem.noise.cov
    by_sigma = np.abs(problem.known.posterior_mean(y, noise) - due.mean) / h
    # alpha (1 + h) with sigma is, at y / (1 + h), the same alpha with sigma / (1 + h)
    other = (1 + h) * problem.known.posterior_mean(y / (1 + h), problem.noise.cov / (1 + h) ** 2)
    by_alpha = np.abs(other - due.mean) / h
    away, size = np.abs(y - due.mean), np.abs(due.mean)
    return np.asarray(sigma * (by_sigma + away) + alpha * (by_alpha + away + size))


def of_score(
    kind: Prediction,
    y: np.ndarray,
    mean: np.ndarray,
    within: np.ndarray,
    eps: float,
    exponent: float = -1.0,
) -> np.ndarray:
    """What rounding may leave in ``cov**(1 + exponent)`` times the score, computed from the
    mean.
    """
    noise, u = kind.problem.noise, eps / 2
    centre = kind.problem.known.mean()
    loose = within + ORDER * u * np.maximum(
        np.abs(mean) + np.abs(y), np.abs(mean - centre) + np.abs(y - centre)
    )
    if kind.name not in ("score", "x0"):
        loose = of_prediction(kind, y, mean, loose, eps)
    bound = noise.times(loose, exponent, sizes=True)
    if noise.plain:
        return bound
    white = np.linalg.norm(noise.times(mean - y, -0.5), axis=1, keepdims=True)
    column = np.sqrt(np.diagonal(noise.power(1 + 2 * exponent)))
    return np.asarray(bound + ORDER * u * noise.condition * white * column)
