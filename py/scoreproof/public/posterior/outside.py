"""What can be said of answers that nothing explains: whether they leave the data, and whether their
error is the same everywhere.

Conventions: answers as E[alpha x_0 | y], whatever the callable returns.
"""

from __future__ import annotations

import numpy as np

from scoreproof.objects.empirical import Atoms
from scoreproof.public.posterior.cases import Case
from scoreproof.words import percent, point

__all__ = ["seen", "steady"]

#: parts of the data's range that an answer lies outside by, and of the points where it does
FAR, OFTEN = 0.01, 0.05
#: an error that varies by less than this part of itself is the same everywhere
STEADY = 0.1
#: sizes from which a multiple is said, not a percentage
MANY = 10.0


def seen(case: Case) -> str:
    """Clauses, each after a semicolon; empty if there is nothing to say."""
    return steady(case) + _beyond(case)


def _beyond(case: Case) -> str:
    known, found = case.due.problem.known, case.mean_of(case.value)
    if not isinstance(known, Atoms) or not np.all(np.isfinite(found)):
        return ""
    low, high = np.min(known.points, axis=0), np.max(known.points, axis=0)
    width = np.max(high - low)
    past = np.maximum(found - high, low - found) / width if width > 0 else np.zeros_like(found)
    outside = np.any(past > FAR, axis=1)
    if np.mean(outside) < OFTEN:
        return ""
    most = float(np.max(past))
    far = f"{percent(most)} of the range's width" if most < MANY else f"{most:.3g} times its width"
    return (
        f"; at {np.sum(outside)} of {len(outside)} points it lies outside the range of the data, by"
        f" up to {far}, where no average of these data lies (a fit that overshoots, guidance and"
        " other data all do this)"
    )


def steady(case: Case, where: str = "") -> str:
    """An error that hardly depends on x; ``where``: at which noise level."""
    error = (case.mean_of(case.value) - case.due.mean) / case.due.problem.alpha
    if not np.all(np.isfinite(error)):
        return ""
    middle = np.median(error, axis=0)
    size = float(np.linalg.norm(middle))
    spread = float(np.sqrt(np.mean(np.sum((error - middle) ** 2, axis=1))))
    if size == 0 or spread > STEADY * size:
        return ""
    return (
        f"; {where}the error of E[x_0 | x] is nearly the same at all points, {point(middle)} (it"
        f" varies by {percent(spread / size)} of that): what x says is used, and the middle of the"
        " answers is off, as for data with another mean"
    )
