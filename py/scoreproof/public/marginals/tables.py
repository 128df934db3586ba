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
#: what the law at the entries of a table may be off by
SAME = 1e-6


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
    steps = _steps(case, c, count, end)
    if steps is not None:
        return steps
    return Told(
        "table",
        f"drift and diffusion are constant for {end / count:.3g} at a time, a table of {count}"
        " entries, while the declared law is that of coefficients that vary smoothly: interpolate"
        " the table, or declare the law of its steps",
    )


def _steps(case: Case, c: int, count: int, end: float) -> Told | None:
    """What the rate of each entry is of the one that the declared law has over its interval."""
    edges = np.linspace(0.0, end, count + 1)
    x0 = case.said.rows[:, c]
    centred = x0 - x0.mean() if np.ptp(x0) else x0
    try:
        means = np.array([case.said.alone(u)[0][:, c] for u in edges[1:].tolist()])
        rates = case.said.probe.coefficients((edges[:-1] + edges[1:]) / 2)[0][:, c]
    except (CallableError, NotAffine):
        return None
    with np.errstate(all="ignore"):
        log_bar = np.log((means @ centred / (centred @ x0)) ** 2)
    if not np.all(np.isfinite(log_bar)) or np.any(rates >= 0):
        return None
    due, own = -np.diff(np.append(0.0, log_bar)), -2 * rates * (edges[1] - edges[0])
    n, twice = (f"{k * count / end:g}" for k in (1, 2))

    def is_due(values: np.ndarray, some: slice = slice(None)) -> bool:
        return bool(np.all(np.abs(values - due[some]) <= SAME * np.abs(due[some])))

    if is_due(own):
        return Told(
            "table_between",
            f"drift and diffusion are constant for {end / count:.3g} at a time, a table of"
            f" {count} entries; at its entries the declared law is theirs, between them it is"
            " another (log ᾱ must be interpolated linearly in t, or the table be interpolated)",
            True,
        )
    each = f"drift and diffusion are those of a table of {count} steps"
    with np.errstate(all="ignore"):
        forms = (
            (
                -np.log1p(-own),
                f"{n} β_k where -{n} log(1 - β_k) is due: the declared ᾱ is"
                " multiplied by 1 - β_k in each step",
            ),
            (
                -np.expm1(-own),
                f"-{n} log(1 - β_k) where {n} β_k is due: the declared ᾱ is"
                " multiplied by e^-β_k in each step",
            ),
            (
                -2 * np.log1p(-own / 2),
                f"{n} β_k where -{twice} log(1 - β_k/2) is due: the declared"
                " α is multiplied by 1 - β_k/2 in each step",
            ),
            (
                -2 * np.log1p(-own),
                f"{n} β_k where -{twice} log(1 - β_k) is due: the declared α, not"
                " ᾱ = α², is multiplied by 1 - β_k in each step",
            ),
        )
    for values, text in forms:
        if is_due(values):
            return Told("table_rate", f"{each}: the rate of a step (-2 f/x) is {text}", True)
    for shifted, here, text in (
        (own[1:], slice(None, -1), "the entry before the one"),
        (own[:-1], slice(1, None), "the entry after the one"),
    ):
        logs = -np.log1p(-shifted)
        if is_due(shifted, here) or is_due(logs, here):
            more = (
                ""
                if is_due(shifted, here)
                else (f", and the rate is {n} β_k where -{n} log(1 - β_k) is due")
            )
            return Told(
                "table_shifted", f"{each}: each interval has {text} that is due{more}", True
            )
    return None
