"""What a step that is not linear in its noise makes of normal draws: their covariance, measured.

Conventions: covariances are per unit of time; steps begin (or end) at the place's time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.public.reverse_sampler.limits import stays
from scoreproof.public.reverse_sampler.noises import grid_error, normal_grid, normal_passes

__all__ = ["Bent", "of_normal_draws"]


@dataclass(frozen=True, eq=False)
class Bent:
    """``cov`` (d, d) of what normal draws come out as, in the limit of short steps, what the grid
    of draws may be off by in it, and ``bias``: their mean less that of unit noise, as a part of the
    noise that is due.
    """

    cov: np.ndarray
    error: float
    bias: np.ndarray


def of_normal_draws(
    step: Callable[[np.ndarray, float], np.ndarray],
    widths: tuple[float, ...],
    units: np.ndarray,
    d: int,
    noisy: float,
    rng: np.random.Generator,
) -> Bent:
    """``step(z, h)``: the images of one point with noises z, less its mean image with unit noise;
    ``widths`` and ``units`` (the noise that is due) of two steps.

    Where each coordinate of the image is moved by its own coordinate of the noise alone, whatever
    the others are, independent draws leave the coordinates uncorrelated, and two passes over the
    sizes tell the variances. Otherwise all the sign vectors come with each size. Two calls, or
    four.
    """
    passes = normal_passes(d, rng)
    z = np.concatenate(passes)
    images = [step(z, h) for h in widths]
    apart = [
        _mixing(out, passes) / unit if d > 1 else 0.0
        for out, unit in zip(images, units, strict=True)
    ]
    alone, sizes = not stays(apart, noisy), None
    if not alone:
        z, sizes = normal_grid(d, rng)
        images = [step(z, h) for h in widths]
    found, error = [], 0.0
    for out, h in zip(images, widths, strict=True):
        centred = out - out.mean(axis=0)
        cov = centred.T @ centred / (len(centred) * h)
        found.append(np.diag(np.diag(cov)) if alone else cov)
        error = (grid_error(centred) if sizes is None else grid_error(centred, sizes)) / h
    shifts = [np.abs(out.mean(axis=0)) / u for out, u in zip(images, units, strict=True)]
    lasts = stays([float(np.max(s)) for s in shifts], noisy)
    bias = images[-1].mean(axis=0) / units[-1] * lasts
    return Bent(2 * found[1] - found[0], error, bias)


def _mixing(out: np.ndarray, passes: tuple[np.ndarray, ...]) -> float:
    """The most by which an image's coordinate differs between the passes, for the same noise in
    that coordinate.
    """
    halves = np.split(out, len(passes))
    first, second = (
        np.take_along_axis(half, np.argsort(z, axis=0), axis=0)
        for half, z in zip(halves, passes, strict=True)
    )
    return float(np.max(np.abs(first - second)))
