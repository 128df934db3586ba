"""A score that is ∇ log p times a factor of time alone, and what that factor is.

Conventions: as in `consistency`; at each time ``score = c(t) ∇ log p`` within the room that the
check leaves at every entry. A noise prediction is -σ(t) ∇ log p, for instance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.causes.closed_forms import closed_form
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.summands import REST

__all__ = ["At", "factor_of_time"]

#: times and entries a time below which a factor is no finding
TIMES, ENTRIES = 3, 3
#: relative error of a form, and of a line that a Gaussian's slope is
EXACT, STRAIGHT = 1e-5, 1e-6


@dataclass(frozen=True, eq=False)
class At:
    """One time: points, the score that was given, ∇ log p, and what an entry may be off by, all
    ``(n, d)``; ρ, or nan where the noise is no number.
    """

    t: float
    x: np.ndarray
    given: np.ndarray
    due: np.ndarray
    room: np.ndarray
    rho: float


def factor_of_time(rows: list[At]) -> Diagnosis | None:
    """The factor, if one at each time explains every entry and it is not the same at all times."""
    found = [_factor(at) for at in rows]
    known = [(at, *one) for at, one in zip(rows, found, strict=True) if one is not None]
    if len(known) != len(rows) or len(known) < TIMES:
        return None
    t = np.array([at.t for at, _, _ in known])
    c, within = (np.array(v) for v in zip(*((c, w) for _, c, w in known), strict=True))
    if np.ptp(c) <= 2 * float(np.max(within)):
        return None  # one number, which is said as such
    left = [np.linalg.norm(at.given - k * at.due) for at, k, _ in known]
    was = [np.linalg.norm(at.given - at.due) for at, _, _ in known]
    if np.linalg.norm(left) > REST * np.linalg.norm(was):
        return None
    some = sorted({0, len(t) // 2, len(t) - 1})
    shown = ", ".join(f"{c[k]:.4g} at t = {t[k]:.3g}" for k in some)
    form = _form([at for at, _, _ in known], c, within)
    what = f" = {form}" if form else ""
    of = " It is -σ(t) ∇ log p, as a prediction of the noise ε is." if form == "-σ(t)" else ""
    where = ", σ(t)² the variance of the density" if "σ(t)" in form else ""
    return Diagnosis.cause(
        "score_factor_of_time",
        f"Cause: the score is c(t) ∇ log p with a factor that depends on t only, c(t){what}"
        f"{where} ({shown}): divide it by c(t) (score_factor_of_time).{of}",
    )


def _factor(at: At) -> tuple[float, float] | None:
    """c and how well it is known, if it explains every entry of that time."""
    column = at.due / at.room
    if np.sum(np.abs(column) > 1) < ENTRIES:
        return None
    size = float(np.vdot(column, column))
    c = float(np.vdot(column, at.given / at.room)) / size
    if np.any(np.abs(at.given - c * at.due) > at.room):
        return None
    return c, 2 * float(np.sqrt(column.size / size))


def _forms(rows: list[At]) -> Iterator[tuple[str, np.ndarray]]:
    deviation = _deviation(rows)
    if deviation is not None:
        yield from _powers("σ(t)", deviation)
    rho = np.array([abs(at.rho) for at in rows])
    if np.all(rho > 0) and np.ptp(rho) > EXACT * np.max(rho):
        yield from _powers("ρ(t)", rho)
    t = np.array([at.t for at in rows])
    yield from _powers("t", t)
    yield "√t", np.sqrt(t)
    yield "exp(-t)", np.exp(-t)
    yield "exp(t)", np.exp(t)


def _powers(name: str, value: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    yield name, value
    yield f"{name}²", value**2
    yield f"1/{name}", 1 / value
    yield f"1/{name}²", value**-2.0


def _form(rows: list[At], c: np.ndarray, within: np.ndarray) -> str:
    """The first that c is at every time, up to a number of closed form; or nothing."""
    for text, value in _forms(rows):
        ratio = c / value
        middle = float(np.median(ratio))
        near = within / np.abs(value) + EXACT * abs(middle)
        factor = closed_form(middle, EXACT)
        if np.any(np.abs(ratio - middle) > near) or factor is None:
            continue
        return {"1": text, "-1": f"-{text}"}.get(factor, f"{factor} · {text}")
    return ""


def _deviation(rows: list[At]) -> np.ndarray | None:
    """The standard deviation at each time of a density that is a Gaussian, the same in all
    directions; ``∇ log p = -(x - m)/σ²`` then.
    """
    out = []
    for at in rows:
        x, s = at.x - at.x.mean(axis=0), at.due - at.due.mean(axis=0)
        slope = float(np.vdot(x, s) / np.vdot(x, x))
        if slope >= 0 or np.max(np.abs(s - slope * x)) > STRAIGHT * np.max(np.abs(s)):
            return None
        out.append((-slope) ** -0.5)
    return np.array(out)
