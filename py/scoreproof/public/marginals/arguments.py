"""What `check_marginals` was given, validated: the times, the starting points, the reading.

Conventions: times run from 0 (data) to ``horizon``; ``rows`` are the points x0 ``(n, d)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import to_float
from scoreproof.public import sweep
from scoreproof.public.arguments import accepted, count, seeded
from scoreproof.streams import stream

__all__ = ["EARLY", "FIRST", "LAST", "Given", "given", "spread"]

#: Parts of the horizon. Below `EARLY` times are a decade apart: there σ(0) shows. Towards the end
#: they come closer to it by decades, as far as the floating type tells them from it.
FIRST, EARLY, LAST = 1e-5, 0.03, 1e-9
#: Times of the sweep proper: no stretch of more than 1/23 of the horizon is without one.
COUNT = 48
#: Sizes of the default x0, each with both signs in mind: small and large ones show what depends on
#: x0 as it must not, a clipped mean at the latest at the last.
SIZES = ((0.05, 0.3), (0.5, 2.0), (0.5, 2.0), (3.0, 8.0), (30.0, 30.0), (30.0, 30.0))


@dataclass(frozen=True, eq=False)
class Given:
    """Validated arguments. ``sweep``: where to look; ``breaks``: where the caller says that drift
    or diffusion jump; ``tolerance``: the relative error that the caller accepts.
    """

    sweep: sweep.Sweep
    rows: np.ndarray
    reading: str
    initial_std: float | None
    breaks: tuple[float, ...]
    batched_time: bool
    max_panels: int
    tolerance: float | None
    seed: int


def given(
    *,
    times: Any,
    horizon: Any,
    d: Any,
    x0: Any,
    reading: Any,
    initial_std: Any,
    breaks: Any,
    batched_time: Any,
    max_panels: Any,
    tolerance: Any,
    seed: Any,
) -> Given:
    """The arguments of `check_marginals`, or ``ArgumentError``."""
    if reading not in ("literal", "blurred"):
        raise ArgumentError(
            "reading",
            "'literal' or 'blurred'",
            repr(reading),
            "blurred: the data are first blurred by the declared std at t = 0",
        )
    if initial_std is not None and not (np.isfinite(initial_std) and initial_std >= 0):
        raise ArgumentError(
            "initial_std", "finite and >= 0", initial_std, "pass a standard deviation"
        )
    if horizon is not None and not (np.isfinite(horizon) and horizon > 0):
        raise ArgumentError("horizon", "finite and > 0", horizon, "pass the end of time, e.g. 1.0")
    count("max_panels", max_panels, 1, "3000 is plenty")
    seed = seeded(seed)
    return Given(
        _sweep(times, horizon, seed),
        _rows(x0, d, seed),
        reading,
        None if initial_std is None else float(initial_std),
        tuple(sorted(to_float("breaks", list(breaks)).ravel().tolist())),
        bool(batched_time),
        int(max_panels),
        accepted(tolerance),
        seed,
    )


def _sweep(times: Any, horizon: Any, seed: int) -> sweep.Sweep:
    if times is None:
        return spread(float(horizon or 1.0), seed)
    array = np.atleast_1d(to_float("times", times)).ravel()
    if array.size == 0 or np.min(array) <= 0:
        raise ArgumentError(
            "times",
            "one or more numbers > 0",
            times,
            "at t = 0 there is nothing to compare: leave it out",
        )
    if horizon is not None and np.max(array) > horizon:
        raise ArgumentError(
            "times", f"<= horizon = {horizon}", float(np.max(array)), "raise the horizon"
        )
    return sweep.named("times", times)


def spread(horizon: float, seed: int) -> sweep.Sweep:
    """The default times: by decades near both ends, a random one in each of even cells between."""
    rng = stream(seed, "check_marginals", "times")
    decades = np.append(10.0 ** np.arange(np.log10(FIRST), -1), EARLY)
    between = decades[:-1] * (decades[1:] / decades[:-1]) ** rng.uniform(0.1, 0.9, len(decades) - 1)
    middle = sweep.over(EARLY * horizon, horizon, rng, COUNT).times
    late = 1 - 10.0 ** -np.arange(2.0, 1 - np.log10(LAST))
    parts = [decades * horizon, between * horizon, middle, late * horizon]
    return sweep.Sweep(np.unique(np.concatenate(parts)), 0.0, horizon)


def _rows(x0: Any, d: Any, seed: int) -> np.ndarray:
    if x0 is None:
        if not (isinstance(d, int | np.integer) and d > 0):
            raise ArgumentError("d", "an integer > 0", d, "the dimension of x")
        rng = stream(seed, "check_marginals", "x0")
        # one row more in d = 6, where (6,) would be an entry for each row or for each coordinate
        pairs = SIZES if d != len(SIZES) else (*SIZES, SIZES[1])
        sizes = np.array([rng.uniform(low, high, int(d)) for low, high in pairs])
        signs = rng.choice([-1.0, 1.0], sizes.shape)
        # every coordinate is looked at on both sides of 0, near and far
        signs[2], signs[5] = -signs[1], -signs[4]
        return sizes * signs
    rows = to_float("x0", x0, shape=(None, None))
    if rows.size == 0 or not np.any(rows):
        raise ArgumentError(
            "x0",
            "rows of which some are not zero",
            f"shape {rows.shape}",
            "at x0 = 0 the mean says nothing",
        )
    return rows
