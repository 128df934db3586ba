"""A right score and a rotation: what no gradient has, and the prior tells from other mistakes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.posterior.cases import Case, Cause, stated

__all__ = ["rotated"]

#: coordinates up to which a matrix is fitted to the points
MOST = 32
#: relative: a matrix is skew if its symmetric part is no more; a pair of coordinates turns alone
#: if it has this part of the whole
SKEW, ALONE = 1e-4, 0.9


def rotated(case: Case) -> Iterator[Cause]:
    """``score + R (y - c)`` with a skew matrix R: a part that turns, the same at all points."""
    m, d = case.value.shape
    if case.kind.name != "score" or not 2 <= d <= MOST or m < d + 4:
        return
    basis = np.hstack([case.y, np.ones((m, 1))])
    solved = np.linalg.lstsq(basis, case.value - case.right, rcond=None)[0]
    matrix = solved[:d].T
    skew = (matrix - matrix.T) / 2
    if np.max(np.abs(matrix - skew)) > SKEW * np.max(np.abs(skew)):
        return
    i, j = (int(v) for v in np.unravel_index(int(np.argmax(skew**2)), skew.shape))
    i, j = min(i, j), max(i, j)
    alone = d == 2 or 2 * skew[i, j] ** 2 > ALONE * np.sum(skew**2)
    pairs = f"only coordinates {i} and {j} turn" if alone else f"coordinates {i} and {j} turn most"
    yield stated(
        "rotation",
        case.right + basis @ solved,
        "a rotation is added to the score, the same at all points, and a gradient has none:"
        f" {pairs}, by {skew[i, j]:.6g} (y_{j} in s_{i}, and its negative in s_{j})",
        "rotation",
    )
