"""Posterior means for other noise than there is, at a price that does not grow with d³."""

from __future__ import annotations

import numpy as np

from scoreproof.numerics.linear import softmax
from scoreproof.objects.empirical import Atoms
from scoreproof.objects.mixtures import GaussianMixture

__all__ = ["mean_under"]


def mean_under(known: Atoms | GaussianMixture, y: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """E[X | X + Z = y]; ``cov`` of Z is a matrix, or its diagonal ``(d,)`` where there is no more.

    >>> data = Atoms(np.array([[-1.0], [1.0]]))
    >>> float(np.round(mean_under(data, np.array([[0.5]]), np.ones(1))[0, 0], 6))
    0.462117
    """
    if cov.ndim == 2:
        return np.asarray(known.posterior_mean(y, cov))
    if not isinstance(known, Atoms):
        return np.asarray(known.posterior_mean(y, np.diag(cov)))
    centre, unit = known.mean(), np.sqrt(cov)
    x = (known.points - centre) / unit
    logs = np.log(np.asarray(known.weights)) - np.sum(x**2, axis=1) / 2
    return np.asarray(softmax(((y - centre) / unit) @ x.T + logs) @ known.points)
