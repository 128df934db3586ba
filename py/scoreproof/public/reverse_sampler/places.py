"""Where a sampler is asked: times over the span, points around the marginal, widths of steps.

Conventions: a step goes from ``t`` to ``t_next`` < t; ``widths`` are halved from one to the next.
Points and noises are rounded to eight binary digits, so that every floating type takes them
unrounded.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public import sweep
from scoreproof.public.reverse_sampler.targets import Diffused

__all__ = [
    "FINE",
    "MIDDLE",
    "WIDE",
    "Steps",
    "coarse",
    "points_at",
    "short",
    "steps_at",
    "times_of",
]

#: Widest step as a part of the time in which the law changes, and how often it is halved: in double
#: precision, and, twice, where rounding, divided by a short step, would drown what is measured.
FINE, MIDDLE, WIDE = (2.0**-6, 4), (2.0**-4, 5), (1.0, 7)
#: a span whose end is so many times its beginning is swept in log t as well
LONG = 16
SINGLE = 1e-10  # unit roundoff above which steps are wide


def coarse(values: np.ndarray) -> np.ndarray:
    """Rounded to eight binary digits, which bfloat16, float16 and float32 hold exactly."""
    mantissa, exponent = np.frexp(values)
    return np.ldexp(np.round(mantissa * 256) / 256, exponent)


def times_of(
    span: tuple[float, float], at: sweep.Sweep | None, rng: np.random.Generator
) -> sweep.Sweep:
    """The caller's times, or a sweep of the span; of a long one in log t as well."""
    if at is not None:
        return at
    low, high = span
    even = sweep.over(low, high, rng).times
    if high < LONG * low:
        return sweep.Sweep(_single(even), low, high)
    # as EDM's: most of what a sampler does, it does below the first times of an even sweep
    small = np.exp(sweep.over(np.log(low), np.log(high), rng, sweep.COUNT // 2).times[1:-1])
    return sweep.Sweep(_single(np.unique(np.concatenate([even, small]))), low, high)


def _single(times: np.ndarray) -> np.ndarray:
    """Increasing times, all but the ends rounded to single precision: for a model that is asked for
    t in single precision they are the same times.
    """
    inner = times[1:-1].astype(np.float32).astype(float)
    return np.unique(np.concatenate([times[:1], np.clip(inner, times[0], times[-1]), times[-1:]]))


def points_at(
    target: Diffused, t: float, rng: np.random.Generator, near: int, far: int
) -> np.ndarray:
    """``near`` points within 2.2 standard deviations of the mean, ``far`` at 3 to 5 of them."""
    d = target.dimension
    inner = rng.uniform(-2.2, 2.2, (near, d))
    sign = rng.choice([-1.0, 1.0], (far, d))
    outer = (
        sign
        * rng.uniform(3, 5, (far, 1))
        * np.where(
            # far out in one coordinate: in many at once there is nothing but a number too small
            np.arange(d) == rng.integers(0, d, (far, 1)),
            1.0,
            0.3,
        )
    )
    return coarse(target.moments(t)[0] + np.concatenate([inner, outer]) * target.spread(t))


@dataclass(frozen=True)
class Steps:
    """Steps of halved ``widths`` that begin at t, or end there (``ends``)."""

    t: float
    widths: tuple[float, ...]
    ends: bool

    def pair(self, h: float) -> tuple[float, float]:
        """``(t, t_next)`` of the step of width h."""
        return (self.t + h, self.t) if self.ends else (self.t, self.t - h)


def short(eps: float) -> bool:
    """Whether steps can be short in this floating type."""
    return eps < SINGLE


def pace(target: Diffused, t: float) -> float:
    """How fast the law changes, per unit of time."""
    g2 = target.diffusion(t) ** 2
    return abs(target.rate(t)) + g2 / float(np.min(target.spread(t))) ** 2


def steps_at(
    target: Diffused, span: tuple[float, float], t: float, kind: tuple[float, int], *, exact: bool
) -> Steps:
    """The steps by which time t is judged, all of them inside the span.

    ``exact``: t is the caller's, and is not moved. Otherwise it is moved by less than the shortest
    step, so that t and t_next, a power of two apart, are exact in single precision too.
    """
    part, count = kind
    low, high = span
    # σ ~ √t near t = 0: beyond a part of t the expansion in h that is extrapolated means little
    widest = min(part / pace(target, t), part * t, (high - low) / 2)
    widest = 2.0 ** np.floor(np.log2(widest))
    shortest = widest / 2 ** (count - 1)
    if not exact and low < t < high:
        t = float(np.clip(np.round(t / shortest) * shortest, low, high))
    widths = tuple(float(widest / 2**k) for k in range(count))
    return Steps(t, widths, ends=t - widest < low)
