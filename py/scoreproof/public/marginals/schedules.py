"""A β that drift and g² agree on, beside the β of the declared law: two schedules.

Conventions: f = -½ β x, g² = β, so ᾱ = exp(-∫β) is the square of the factor of x0 and 1 - ᾱ the
variance. A cosine schedule's β is c tan(w t + p), of ᾱ = cos²(w t + p) / cos²(p) where c = 2 w.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import least_squares

from scoreproof.public.laws import number, of_time, same
from scoreproof.public.marginals.reading import Told

__all__ = ["TOGETHER", "of_cosines", "two_schedules"]

TOGETHER = "drift and g² belong together, as mean and standard deviation do, but"
Tangent = tuple[float, float, float]
#: roundings of differences that a fit of three numbers may leave, as a part of what they leave
FITTED = 4.0
#: times that tell three numbers
LEAST = 6


def of_cosines(t: np.ndarray, own: np.ndarray, due: np.ndarray, left: float) -> Told | None:
    """Both β where each is a tangent, and a rate that is another."""
    tangents = [_tangent(t, v, left) for v in (own, due)]
    if any(v is None for v in tangents) or same(own / due, float(np.median(own / due)), left):
        return None
    mine, law = (_words(p, v, t, left) for p, v in zip(tangents, (own, due), strict=True))
    return Told("schedule", f"{TOGETHER} of two cosine schedules: β is {mine}, but {law} is due")


def two_schedules(t: np.ndarray, own: np.ndarray, due: np.ndarray, left: float) -> Told | None:
    """Both β, if each has a formula."""
    mine, law = (_words(_tangent(t, v, left), v, t, left) for v in (own, due))
    if not mine or not law:
        return None
    text = f"{TOGETHER} of two schedules: β is {mine} in drift and g², {law} in the declared law"
    return Told("two_schedules", text)


def _tangent(t: np.ndarray, beta: np.ndarray, left: float) -> Tangent | None:
    """c, w and p."""
    if len(t) < LEAST or np.any(beta <= 0):
        return None

    def off(q: np.ndarray) -> np.ndarray:
        angle = q[1] * t + q[2]
        inside = (angle > 0) & (angle < np.pi / 2)
        value = np.tan(np.where(inside, angle, 1.0))
        gap: np.ndarray = np.where(inside, q[0] + np.log(value) - np.log(beta), 10.0)
        return gap

    first = np.array([np.log(np.pi), np.pi / 2 / max(1.0, float(t[-1])) / 1.01, 0.01])
    found = least_squares(off, first, xtol=1e-14, ftol=1e-14, gtol=1e-14, max_nfev=60)
    c, w, p = float(np.exp(found.x[0])), float(found.x[1]), float(found.x[2])
    if np.max(np.abs(off(found.x))) > FITTED * left or w <= 0.1:
        return None
    return c, w, (0.0 if abs(p) < 1e-4 * w and p < 1e-6 else p)


def _words(found: Tangent | None, beta: np.ndarray, t: np.ndarray, left: float) -> str:
    if found is None:
        plain, root = (of_time(v, t, left) for v in (beta, np.sqrt(np.maximum(beta, 0))))
        return plain or (f"({root})²" if root is not None and " t" in root else "")
    c, w, p = found
    angle = f"{w:.5g} t + {p:.4g}"
    if p > 0 and abs(w + p - np.pi / 2) <= 1e-4:
        angle = f"π/2 (t + {p / w:.4g})/(1 + {p / w:.4g})"
    elif abs(w - np.pi / 2) <= 1e-4:
        angle = "π/2 t" if p < 1e-5 else f"π/2 (t + {p / w:.4g})"
    text, times = f"{c:.5g} tan({angle})", float(f"{c / (2 * w):.4g}")
    of = "that" if times == 1 else f"{number(times)} times that"
    return f"{text} ({of} of ᾱ = cos²({angle}))"
