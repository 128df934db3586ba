"""Drift and diffusion that are read from a table, beside a law that varies smoothly.

Conventions: as in `reading`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.marginals.asking import NotAffine
from scoreproof.public.marginals.reading import Declaration, Told
from scoreproof.public.marginals.verdict import Case

__all__ = ["tabled"]

#: times at which coefficients are asked whether they are constant in between
FINE = 997


def tabled(case: Case, d: Declaration, c: int) -> Told | None:
    """Coefficients that are constant for a while: those of a table, read at its entries."""
    end = float(d.t[-1])
    probe = case.said.probe
    times = (np.arange(FINE) + 0.618) / FINE * end
    try:
        a, _, g2 = (v[:, c] for v in probe.coefficients(times))
    except (CallableError, NotAffine):
        return None
    values = a if np.ptp(a) > 0 else g2
    held = np.flatnonzero(np.diff(values) != 0)
    if not 3 <= len(held) <= FINE / 4:
        return None
    gaps = np.diff(times[held])
    count = round(end / float(np.median(gaps)))
    if np.max(np.abs(gaps - end / count)) > 2 * end / FINE:
        return None
    return Told(
        "table",
        f"drift and diffusion are constant for {end / count:.3g} at a time, a table of {count}"
        " entries, while the declared law is that of coefficients that vary smoothly: interpolate"
        " the table, or declare the law of its steps",
    )
