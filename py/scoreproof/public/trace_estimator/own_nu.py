"""An estimator that draws its own ν: is it drawn anew, for each row, and is the mean the trace?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoreproof.evidence import Evidence, worst
from scoreproof.public.trace_estimator.arguments import Given
from scoreproof.public.trace_estimator.asking import asked
from scoreproof.public.trace_estimator.draws import by_draws, deterministic, shares_one_nu
from scoreproof.public.trace_estimator.fields import RationalField
from scoreproof.public.trace_estimator.rows import Rows, rows_for
from scoreproof.public.trace_estimator.verdict import against, judged
from scoreproof.streams import stream

__all__ = ["own_nu"]

SHARED = (
    "all rows of one batch share one ν, so that the mean over a batch does not average its noise:"
    " draw one ν for each row"
)
FIXED = (
    "Two calls return the same: the ν is fixed, and its error does not average out; draw it anew at"
    " each call (a new seed or key)."
)


def own_nu(given: Given) -> Evidence:
    """The verdict over the dimensions asked for."""
    found = []
    for d in given.dimensions:
        rng = stream(given.seed, "ffjord", "trace", "own", str(d))
        rows = rows_for(given, d, rng)
        if deterministic(given, rows):
            evidence = judged(given, [against(given, rows, asked(given, rows), "tr J")], "tr J")
            if evidence.verdict == "refuted":
                evidence = replace(evidence, notes=(*evidence.notes, FIXED))
        elif shares_one_nu(given, rows):
            text = f"the mean of estimates that draw their own ν: {SHARED}"
            evidence = Evidence.undecided("statistical", text, cost={"calls": given.guard.calls})
        else:
            evidence = by_draws(given, rows, _drawing(given, rows, rng))
        found.append(evidence)
    holding = [e for e in found if e.verdict == "holds"]
    if len(holding) == len(found):
        return max(found, key=lambda e: e.resolution or 0.0)
    return worst(found)


def _drawing(
    given: Given, rows: Rows, rng: np.random.Generator
) -> Callable[[int], tuple[np.ndarray, np.ndarray]]:
    """Points, and features that would show an error confined to a part of them.

    On our own field, any number of points; each coordinate's share of the trace is a feature. Else
    the points at hand, over and over; each of the first few is a feature.
    """
    trial, d = rows.trial, rows.dimension
    if isinstance(trial, RationalField) and trial.floor == 1:

        def own(m: int) -> tuple[np.ndarray, np.ndarray]:
            signs = rng.choice([-1.0, 1.0], (m, d))
            z = given.rounded(signs * rng.uniform(0.6, 3.0, (m, d)))
            share = trial.entries(z)[0]
            features = share / share.sum(axis=1, keepdims=True)
            return z, np.concatenate([features, np.maximum(z, 0)], axis=1)

        return own
    points = np.unique(rows.z, axis=0)
    full = np.count_nonzero(points, axis=1)
    points = points[full == full.max()]
    k = min(len(points), 32)

    def theirs(m: int) -> tuple[np.ndarray, np.ndarray]:
        pick = rng.integers(0, len(points), m)
        return points[pick], (pick[:, None] == np.arange(k)).astype(float)

    return theirs
