"""What rounding may leave in a term, an entry each.

Conventions: ``eps`` is the spacing at 1 of the numbers that were computed with, ``table`` that of
the table's; every operation is granted half of it, and `MANY` of them follow one another.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.variational_bound.tables import Tables
from scoreproof.public.variational_bound.terms import Answered, Gaussian

__all__ = ["blur_of_bins", "blur_of_density", "blur_of_kl", "blur_of_prior", "off"]

#: roundings along the longest path of a term
MANY = 8.0
#: probabilities are clamped there
LEAST = 1e-12


def own_off(tb: Tables, t: np.ndarray, table: float) -> np.ndarray:
    """Relative: of 1 - ᾱ_t, where ᾱ is a product of t + 1 numbers, as a column."""
    return np.asarray(((t + 2) * table / tb.rest[t])[:, None])


def off(tb: Tables, t: np.ndarray, table: float) -> np.ndarray:
    """The same of 1 - ᾱ_t and 1 - ᾱ_{t-1} together."""
    return own_off(tb, t, table) + own_off(tb, np.maximum(t - 1, 0), table)


def blur_of_kl(
    q: Gaussian, p: Gaussian, g: Answered, tb: Tables, eps: float, table: float
) -> np.ndarray:
    """Of the KL of two Gaussians, by the textbook's formula."""
    rest = off(tb, g.t, table)
    gap, inverse = np.abs(q.mean - p.mean), np.exp(-p.logvar)
    # coefficients are the same in both means, but a prediction of x_0 from one of ε has √(1 - ᾱ_t)
    shift = (
        MANY * (eps + table) * (q.about + p.about) + rest * gap + own_off(tb, g.t, table) * p.about
    )
    logs = MANY * eps * (1 + np.abs(q.logvar) + np.abs(p.logvar)) + rest
    ratio = np.exp(q.logvar - p.logvar)
    square = gap * shift + shift**2 / 2 + gap**2 / 2 * logs
    # where both variances are the same numbers, their errors are as well: the formula's own remain
    slope = np.abs(1 - ratio)
    own = MANY * eps * (1 + ratio) * (1 + np.abs(q.logvar) + np.abs(p.logvar))
    return np.asarray(inverse * square + 0.5 * (slope * logs + logs**2 * ratio + own))


def blur_of_prior(x0: np.ndarray, tb: Tables, eps: float, table: float) -> np.ndarray:
    """Of L_T: ᾱ_T has the relative error of T factors, and 1 - ᾱ its own rounding."""
    bar = tb.bar[-1]
    return np.asarray(MANY * eps * (1 + bar * x0**2) + tb.steps * table * bar * (1 + x0**2))


def _decoded(
    p: Gaussian, g: Answered, tb: Tables, eps: float, table: float
) -> tuple[np.ndarray, np.ndarray]:
    """The errors of the mean and of the log of the variance."""
    shift = MANY * (eps + table) + own_off(tb, g.t, table)
    logs = MANY * eps * (1 + np.abs(p.logvar)) + 8 * table / tb.rest[0]
    return shift * p.about, logs


def blur_of_bins(
    p: Gaussian, g: Answered, tb: Tables, mass: np.ndarray, eps: float, table: float
) -> np.ndarray:
    """Of -log P, a difference of two cumulative functions."""
    shift, logs = _decoded(p, g, tb, eps, table)
    scale = np.exp(0.5 * p.logvar)
    far = np.abs(g.x0 - p.mean) / scale + 2
    slope = far / scale
    mass = np.maximum(mass, LEAST)
    return np.asarray(MANY * eps / mass + slope * (shift + MANY * eps) + far**2 * logs / 2)


def blur_of_density(p: Gaussian, g: Answered, tb: Tables, eps: float, table: float) -> np.ndarray:
    """Of -log p."""
    shift, logs = _decoded(p, g, tb, eps, table)
    gap, inverse = np.abs(g.x0 - p.mean), np.exp(-p.logvar)
    return np.asarray(
        MANY * eps * (2 + np.abs(p.logvar))
        + inverse * (gap * shift + shift**2 / 2)
        + (1 + gap**2 * inverse) * logs / 2
    )
