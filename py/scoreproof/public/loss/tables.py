"""The weight that was read, as a table in every parameterisation and as a curve.

Conventions: 1 where it is largest.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.reading import Found
from scoreproof.tabular import Table

__all__ = ["curves_of", "table_of"]

#: the times of a table that is shown
SHOWN = 12


def curves_of(found: Found) -> dict[str, tuple[list[float], list[float]]]:
    """λ against t, of what the model returns."""
    order = np.argsort(found.v.times)
    largest = float(np.max(np.abs(found.weight), initial=1e-300))
    return {"weight": (found.v.times[order].tolist(), (found.weight / largest)[order].tolist())}


def table_of(found: Found) -> Table:
    """λ in every parameterisation, 1 where it is largest."""
    v = found.v
    order = np.argsort(v.times)
    order = order[np.unique(np.linspace(0, len(order) - 1, SHOWN).astype(int))]
    names = ("eps", "x0", "v", "score")
    with np.errstate(all="ignore"):
        of_x0 = found.weight / v.slope() ** 2
        columns = [of_x0 * v.slope(n) ** 2 for n in names]
        columns = [c / np.max(np.abs(c)) for c in columns]
    rows = []
    for k in order:
        rows.append(
            (float(v.times[k]), float(v.sigma[k] / v.alpha[k]), *(float(c[k]) for c in columns))
        )
    return Table(("t", "σ/α", "λ of ε", "λ of x_0", "λ of v", "λ of the score"), tuple(rows))
