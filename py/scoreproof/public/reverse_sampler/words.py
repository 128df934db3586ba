"""The sentences of `check_reverse_sampler`: where a sampler is off, how much, and its noise.

Conventions: one clause a function, without a full stop.
"""

from __future__ import annotations

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.sweeping import Span
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.velocity import Found, around
from scoreproof.words import part_of, point

__all__ = [
    "NOT_AFFINE",
    "NOT_THE_IDENTITY",
    "ON_THE_LINE",
    "POINTS",
    "describe_noise",
    "listed",
    "looked_at",
    "share",
    "spread_over",
    "velocity_off",
]

NOT_THE_IDENTITY = (
    "x_next does not tend to x as t_next tends to t: a step size is fixed, something is added that"
    " does not shrink with the step, or x is clipped"
)
POINTS = "x within 5 standard deviations of the mean"
#: noise of a smaller part of g² has no covariance to speak of: it is what rounding leaves of none
SILENT = 1e-6
ON_THE_LINE = (
    " alone, where noise that coordinates share, or that differs between them, is not seen: it"
    " takes dimension=2 or more"
)
NOT_AFFINE = (
    "with the exact model in hand the step is not affine in x and its noise: it clips x (far from"
    " the mean, say) or bends it otherwise, and what that does to a law is not judged"
)


def share(part: float, whole: str) -> str:
    """A relative error for a sentence: in percent, as a factor where that is over 1000 %, or as a
    power of ten when it is tiny.

    >>> share(2.84, "its terms"), share(25.0, "its terms"), share(1e-5, "its terms")
    ('284 % of its terms', '25 times its terms', 'a part 1e-05 of its terms')
    """
    return part_of(part, whole) if part >= 1e-4 else f"a part {part:.2g} of {whole}"


def listed(values: tuple[float, ...]) -> str:
    """``0, 0.5, 1``."""
    return ", ".join(f"{v:g}" for v in values)


def looked_at(coverage: Coverage, dimensions: tuple[int, ...], lambdas: tuple[float, ...]) -> str:
    """Where it was judged: the points are those of all times, the same for each λ."""
    points = coverage.asked["points"]
    return f"in d = {listed(dimensions)}, at {points} points (λ = {listed(lambdas)})"


def velocity_off(job: Job, target: Diffused, found: Found, k: int) -> str:
    """Where the velocity is off most, what it is there, and what is due."""
    here = around(target, found.x[k : k + 1], found.t)
    i = int(np.argmax(np.abs(found.excess[k])))
    due = float(here.due[0, i])
    implied = due + float(found.excess[k, i])
    limit = "" if job.form == "sde" else "in the limit of short steps "
    axis = f" in coordinate {i}" if target.dimension > 1 else ""
    return (
        f"at λ = {found.lam:g}, t = {found.t:.3g}, x = {point(found.x[k])} {limit}drift and noise"
        " do not keep the marginals: the velocity they imply, drift + ½ noise² ∇log p, is"
        f" {implied:.3g}{axis} where f - ½ g² ∇log p = {due:.3g} is due, an error of"
        f" {share(float(found.error[k]), 'its terms')}"
    )


def spread_over(span: Span, wrong: list[Found]) -> str:
    """At which of the judged times something is wrong, if not at all of them."""
    times = sorted({f.t for f in wrong})
    if len(times) >= len(span.places):
        return ""
    if len(times) == 1:
        return f"; at the other {len(span.places) - 1} times judged no error is seen"
    where = f"t = {times[0]:.3g} to {times[-1]:.3g}"
    return f"; so it is at {len(times)} of {len(span.places)} times, {where}"


def describe_noise(found: Found, g2: float) -> str:
    """What is wrong with a noise whose covariance is no multiple of the identity, or that is not
    normal.
    """
    cov, d = found.cov, len(found.cov)
    variances = np.diag(cov)
    scale = float(np.max(variances))
    text, due = "", 1 - found.lam
    # a weak noise that has the variance due is not what is wrong
    off = abs(float(np.mean(variances)) / g2 - due) > 0.01 * due
    if found.bent is not None and abs(found.bent - 1) > 1e-3 and off:
        text = "; the step is not affine in its noise (it clips it, or bends otherwise): "
        text += (
            f"standard normal draws come out with {found.bent:.3g} of the variance that a unit of"
            " noise has"
            if np.isfinite(found.bent)
            else "a unit of noise is silent, standard normal draws come out with variance"
            f" {float(np.mean(variances)) / g2:.3g} g²"
        )
    if d == 1 or scale <= SILENT * g2:
        return text
    across = np.abs(cov - np.diag(variances))
    i, j = np.unravel_index(int(np.argmax(across)), cov.shape)
    if across[i, j] > 1e-3 * scale:
        correlation = cov[i, j] / np.sqrt(max(variances[i] * variances[j], 1e-12 * scale**2))
        shared = (
            ": one draw is shared by the coordinates (noise of shape (n, 1) where (n, d) is meant)"
            if correlation > 0.999
            else ""
        )
        which = f"coordinates {j} and {i}"
        return f"{text}; the noise of {which} is correlated by {correlation:.3g}{shared}"
    if np.ptp(variances) > 1e-3 * scale:
        low, high = float(np.min(variances)) / g2, float(np.max(variances)) / g2
        least, most = int(np.argmin(variances)), int(np.argmax(variances))
        each = f"{low:.3g} g² in coordinate {least} and {high:.3g} g² in coordinate {most}"
        return f"{text}; the noise has variance {each}"
    return text
