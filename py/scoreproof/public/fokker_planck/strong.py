"""The strong form at points: every term of the equation for log p at every time and point, with its
error.

Conventions: as in `statement`; all terms are divided by p, so that nothing underflows: ``∂_t log p
= -∇·f - f·∇log p + (ρ²/2)(Δ log p + |∇log p|²)``. Errors and bounds are relative to the size of all
terms at the same point.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.fokker_planck import derivatives, forward
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.divergence import divergence
from scoreproof.streams import stream

__all__ = ["Found", "Terms", "look"]

#: a point whose terms are known worse than this part of their size is asked again beside it
UNRESOLVED = 5e-3
#: how far beside, in quarters of the shortest side of the box
BESIDE = (2e-3, 1e-2, 4e-2)
#: each how many times forward mode is held against values
EVERY = 12


@dataclass(frozen=True, eq=False)
class Terms:
    """At n points of one time, all divided by p: ``(n,)`` or ``(n, d)``; ``error`` of the whole
    equation, of which ``scatter`` was measured and is no bound derived from rounding.
    """

    t: float
    x: np.ndarray
    logs: np.ndarray
    rate: np.ndarray
    first: np.ndarray
    second: np.ndarray
    f: np.ndarray
    df: np.ndarray
    rho: float
    error: np.ndarray
    scatter: np.ndarray

    @property
    def carried(self) -> np.ndarray:
        """Each coordinate's part of ∇·(f p)/p ``(n, d)``."""
        return self.f * self.first + self.df

    @property
    def spread(self) -> np.ndarray:
        """(ρ²/2) Δp/p ``(n,)``."""
        return self.rho**2 / 2 * self.second.sum(axis=1)

    @property
    def residual(self) -> np.ndarray:
        return self.rate + self.carried.sum(axis=1) - self.spread

    @property
    def size(self) -> np.ndarray:
        """The absolute values of all terms together ``(n,)``."""
        parts = np.abs(self.f * self.first) + np.abs(self.df)
        parts = parts + self.rho**2 / 2 * np.abs(self.second)
        return np.abs(self.rate) + parts.sum(axis=1)

    @property
    def own(self) -> np.ndarray:
        """The size of each coordinate's terms, its share of ∂_t log p among them ``(n, d)``."""
        spread = self.rho**2 / 2 * self.second
        parts = np.abs(self.f * self.first) + np.abs(self.df) + np.abs(spread)
        return parts + np.abs(spread - self.carried)

    def at(self, which: np.ndarray) -> Terms:
        """Some of the points."""
        rows = ("x", "logs", "rate", "first", "second", "f", "df", "error", "scatter")
        return replace(self, **{name: getattr(self, name)[which] for name in rows})


@dataclass(frozen=True, eq=False)
class Found:
    """The terms at every time; what could not be asked, and where; what values would have shown of
    a derivative that forward mode does not see.
    """

    terms: list[Any]
    empty: list[tuple[float, int]] = field(default_factory=list)
    unresolved: list[tuple[float, int]] = field(default_factory=list)
    asked: int = 0
    forward_blur: float = 0.0
    by_values: str = ""


def look(s: Subject, place: Place) -> Found:
    """The terms at all times and points; see `check_fokker_planck` for the calls."""
    found = Found([])
    rng = stream(place.seed, "fokker_planck", "beside")
    sides = place.box.sides
    length = float(np.min(sides[:, 1] - sides[:, 0])) / 4
    asked, blur, by_values = 0, 0.0, "" if s.framework == "numpy" else "?"
    for k, t in enumerate(place.times.times):
        x = place.at(k)
        asked += len(x)
        logs = s.logs(x, float(t))
        kept = np.isfinite(logs)
        if not np.all(kept):
            found.empty.append((float(t), int(np.sum(~kept))))
        if not np.any(kept):
            continue
        x, logs = x[kept], logs[kept]
        if by_values == "?" or (by_values == "no" and k % EVERY == 0):
            hidden, seen = _held(s, x, logs, float(t), length, rng)
            by_values, blur = ("yes" if hidden else "no"), max(blur, seen)
        now = _terms(s, x, logs, float(t), length, by_values in ("", "yes"))
        now, left = _again(s, now, place, length, rng, by_values in ("", "yes"))
        if left:
            found.unresolved.append((float(t), left))
        if len(now.x):
            found.terms.append(now)
    return Found(
        found.terms,
        found.empty,
        found.unresolved,
        asked,
        0.0 if by_values == "yes" else blur,
        "forward mode does not see all of the density: its values differ from what their "
        "derivatives say (a detach, a stop_gradient or a float(t)?), so differences of values "
        "were taken"
        if by_values == "yes"
        else "",
    )


def _held(
    s: Subject, x: np.ndarray, logs: np.ndarray, t: float, length: float, rng: np.random.Generator
) -> tuple[bool, float]:
    try:
        slopes, rate, _, _ = forward.forward(s, x, t)
    except forward.NotDifferentiable:
        return True, 0.0
    return forward.blind(s, derivatives.Spot(x, logs, t, length), (slopes.first, rate), rng)


def _terms(
    s: Subject, x: np.ndarray, logs: np.ndarray, t: float, length: float, by_values: bool
) -> Terms:
    rho = s.rho(t)
    half = rho**2 / 2
    if by_values:
        f, f_error, df, df_error = divergence(s, x, t, length)
        # where there is no noise the second derivative does not matter, however coarse
        weight = np.abs(f) / max(half, 1e-12)
        v = derivatives.spatial(s, derivatives.Spot(x, logs, t, length), weight)
        rate, rate_error = derivatives.rate(s, x, logs, t)
        with np.errstate(invalid="ignore"):
            error = np.where(f != 0, np.abs(f) * v.first_error, 0.0)
        error = error + f_error * np.abs(v.first) + df_error
        if half:
            error = error + half * v.second_error
        second = v.second if half else np.zeros_like(v.second)
        error = error.sum(axis=1) + rate_error
        roundings: np.ndarray | float = 8.0 * (4 + np.abs(logs))
    else:
        v, rate, f, df = forward.forward(s, x, t)
        second, error, roundings = v.second, np.zeros(len(x)), 5 * (4 + np.abs(logs))
        if s.f.framework != s.framework:  # a drift in NumPy beside a network
            f, f_error, df, df_error = divergence(s, x, t, length)
            error = (f_error * np.abs(v.first) + df_error).sum(axis=1)
    # each derivative carries the rounding of the exponent's parts, which a mixture weighs against
    # each other; ρ and f carry their own
    curved = np.abs(rate) + (
        np.abs(f * v.first) + np.abs(df) + half * (np.abs(second) + v.first**2)
    ).sum(axis=1)
    whole = error + s.eps * roundings * curved
    return Terms(t, x, logs, rate, v.first, second, f, df, rho, whole, error)


def _again(
    s: Subject,
    now: Terms,
    place: Place,
    length: float,
    rng: np.random.Generator,
    by_values: bool,
) -> tuple[Terms, int]:
    """Points at a kink are exchanged for points beside them; how many stay without derivatives."""

    def poor(terms: Terms) -> np.ndarray:
        return ~(terms.error <= UNRESOLVED * terms.size)

    if not by_values:
        return now, 0
    t, span = now.t, place.box.times[1] - place.box.times[0]
    inward = -1.0 if t > sum(place.box.times) / 2 else 1.0
    for k in range(len(BESIDE)):
        bad = poor(now)
        if not np.any(bad):
            return now, 0
        # a kink in t is left behind by a step in t, one in x by a step in x
        late = float(np.mean(bad)) > 0.5
        later = t + inward * (k + 1) * 2e-3 * min(t, span) if late else t
        which = np.arange(len(bad)) if late else np.flatnonzero(bad)
        x = now.x[which] + BESIDE[k] * length * rng.standard_normal((which.size, now.x.shape[1]))
        try:
            logs = s.logs(x, later)
        except CallableError:
            break
        if not np.all(np.isfinite(logs)):
            break
        other = _terms(s, x, logs, later, length, True)
        better = ~poor(other)
        if late and float(np.mean(better)) > 0.5:
            now = other
        elif not late:
            now = _exchanged(now, which[better], other.at(better))
    bad = poor(now)
    # what is known to 0.5 % or worse is no evidence, unless it is wrong by far more than that
    lost = bad & ~(np.abs(now.residual) > 4 * now.error)
    return now.at(~bad | ~lost), int(lost.sum())


def _exchanged(now: Terms, which: np.ndarray, other: Terms) -> Terms:
    columns = {}
    for name in ("x", "logs", "rate", "first", "second", "f", "df", "error", "scatter"):
        columns[name] = getattr(now, name).copy()
        columns[name][which] = getattr(other, name)
    return replace(now, **columns)
