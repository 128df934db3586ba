"""What is wrong with a Jacobian that no score has: which coordinates turn, which grow too steeply.

Conventions: J is the score's Jacobian, ``J[i, j] = ∂s_i/∂y_j``; coordinates count from 0.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.posterior.noise import Noise
from scoreproof.public.score.asking import Slopes

__all__ = ["no_gradient"]

#: an asymmetry of one pair that is this part of all is that pair's alone
ALONE = 0.9
#: relative: an asymmetry that varies less from point to point is a rotation
STEADY = 1e-4


def no_gradient(slopes: Slopes, noise: Noise) -> Diagnosis:
    """The pair of coordinates that turns; or that it grows along a direction faster than a
    posterior mean can.
    """
    jacobian, doubt = _plain(slopes, noise)
    skew = (jacobian - np.swapaxes(jacobian, 1, 2)) / 2
    if np.any(np.abs(skew) > doubt):
        return _turning(jacobian, skew, doubt, slopes)
    return _steep(slopes)


def _plain(slopes: Slopes, noise: Noise) -> tuple[np.ndarray, np.ndarray]:
    """J itself from ``Vᵀ Σ^½ J Σ^½ V``, where all directions are known; else as it is."""
    d, k = slopes.probes.shape
    if d != k or not noise.plain:
        return slopes.white, slopes.doubt
    scale = np.sqrt(noise.diagonal)
    both = np.outer(scale, scale)
    return slopes.white / both, slopes.doubt / both


def _turning(
    jacobian: np.ndarray, skew: np.ndarray, doubt: np.ndarray, slopes: Slopes
) -> Diagnosis:
    d, k = slopes.probes.shape
    point, i, j = (int(v) for v in np.unravel_index(int(np.argmax(np.abs(skew))), skew.shape))
    if d != k:
        return Diagnosis.unknown(
            f"It is no gradient: its Jacobian is not symmetric at point {slopes.rows[point]}, in"
            f" {k} random directions of {d}; a field that is the gradient of nothing (a learned"
            " one, as a rule) or two coordinates in the wrong places"
        )
    i, j = min(i, j), max(i, j)
    a, b = jacobian[point, i, j], jacobian[point, j, i]
    where = (
        f"∂s_{i}/∂y_{j} = {a:.6g} and ∂s_{j}/∂y_{i} = {b:.6g} at point {slopes.rows[point]},"
        " where a gradient has the same"
    )
    own = np.sum(skew[:, i, j] ** 2) * 2
    whole = np.sum(skew**2)
    pairs = (
        f"only coordinates {i} and {j} turn"
        if d == 2 or own > ALONE * whole
        else f"coordinates {i} and {j} turn most"
    )
    middle = np.mean(skew, axis=0)
    steady = np.max(np.abs(skew - middle)) <= max(
        STEADY * float(np.max(np.abs(middle))), 4 * float(np.max(doubt))
    )
    # where and how is known, and not what does it: a rotation that is added to a right score is
    # looked for where the prior is known
    if len(skew) > 2 and steady:
        return Diagnosis.unknown(
            f"A part of it is no gradient but a rotation, the same at all points: {pairs},"
            f" by {middle[i, j]:.6g} (y_{j} in s_{i}, and its negative in s_{j}); {where}."
        )
    return Diagnosis.unknown(f"It is no gradient: {pairs}; {where}.")


def _steep(slopes: Slopes) -> Diagnosis:
    white = (slopes.white + np.swapaxes(slopes.white, 1, 2)) / 2
    values = np.linalg.eigvalsh(white)
    point = int(np.argmin(values[:, 0]))
    lowest = float(values[point, 0])
    more = float(-np.min(values))
    return Diagnosis.unknown(
        f"It falls too steeply: in units of the noise its Jacobian has the eigenvalue {lowest:.4g}"
        f" at point {slopes.rows[point]}, where that of a score is above -1. A score that is too"
        f" large by a factor ({more:.4g} or more), divided by σ² where σ is due, or of less noise"
        " than cov says, does this"
    )
