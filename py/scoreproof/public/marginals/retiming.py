"""Another time: that at which the declared law would be due, or drift and diffusion would imply it.

Conventions: as in `reading`; u is the time at which the implied law is the declared one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.laws import number
from scoreproof.public.marginals.asking import NotAffine
from scoreproof.public.marginals.implied import implied
from scoreproof.public.marginals.reading import Declaration, Told
from scoreproof.public.marginals.verdict import EPS, Case, errors

__all__ = ["asked_at_other_times", "retimed"]

#: times between which u is looked for; how many of the times must have theirs inside the span
GRID, INSIDE = 4001, 8
#: entries of tables that times are rounded to
TABLES = (10, 50, 100, 200, 250, 256, 500, 512, 999, 1000, 1024)
#: the quadrature of drift and diffusion at other times: its panels, roundoff and error, at first
PANELS, COARSE, NEAR = 64, 1e-9, 1e-5


def retimed(d: Declaration) -> Told | None:
    """The time, where mean and std, or the one that is wrong, are those of another."""
    if not d.straight or (d.shift_wrong and np.any(d.shift_due)):
        return None
    what = "mean and standard deviation are those"
    if not (d.mean_wrong and d.std_wrong):
        what = "mean is that" if d.mean_wrong else "standard deviation is that"
    end = d.context.end
    for text, value in _candidates(d):
        text = text.replace("  ", " ")
        inside = (value > 0) & (value <= end)
        if np.sum(inside) < min(INSIDE, max(3, len(d.t) // 3)):
            continue
        with np.errstate(all="ignore"):
            alpha, spread = d.at(value[inside])
        # what 1 - exp(-x) loses of a small variance, as people write it
        tol = d.tol + 64 * EPS / np.maximum(spread, 1e-9) ** 2
        if d.mean_wrong and np.any(np.abs(alpha - d.alpha[inside]) > tol * np.abs(alpha)):
            continue
        if d.std_wrong and np.any(np.abs(spread - d.std[inside]) > tol * spread):
            continue
        where = "" if np.mean(inside) > 0.5 else f", as far as that is no later than {end:g}"
        return Told("other_time", f"the declared {what} of time {text}, not of t{where}")
    return None


def _candidates(d: Declaration) -> list[tuple[str, np.ndarray]]:
    t, end = d.t, d.context.end
    found = [
        (f"T - t (T = {end:g})", end - t),
        ("t²", t**2),
        ("√t", np.sqrt(t)),
        ("t²/2", t**2 / 2),
    ]
    found += [("t/1000", t / 1000), ("1000 t", 1000 * t)]
    if end != 1:
        found += [(f"t/T (T = {end:g})", t / end), (f"T t (T = {end:g})", t * end)]
    for n in TABLES:
        found += [
            (f"t rounded {way} to a multiple of 1/{n}", turn(n * t) / n)
            for way, turn in (("down", np.floor), ("up", np.ceil), ("", np.round))
        ]
    u = _inverse(d)
    if u is None or np.sum(np.isfinite(u)) < 5:
        return found
    some = np.flatnonzero(np.isfinite(u))
    middle = some[len(some) // 4 : -(len(some) // 4) or None]
    k, shift = (float(np.median(v[middle])) for v in (u / t, u - t))
    for short in (float(f"{k:.3g}"), float(f"{k:.6g}")):
        found.append((f"{number(short)} t", short * t))
    for short in (float(f"{shift:.2g}"), float(f"{shift:.4g}")):
        sign = "+" if short > 0 else "-"
        found.append((f"t {sign} {abs(short):g}{_entry(1.0, short)}", t + short))
    slope, start = (float(v) for v in np.polyfit(t[middle], u[middle], 1))
    for digits in (3, 4, 6):
        of, by = (float(f"{v:.{digits}g}") for v in (slope, start))
        if by:
            text = f"{of:g} t {'+' if by > 0 else '-'} {abs(by):g}{_entry(of, by)}"
            found.append((text, of * t + by))
    known = u[some]
    for value, way, turn in (
        (known[0], "at least", np.maximum),
        (known[-1], "at most", np.minimum),
    ):
        for short in dict.fromkeys(float(f"{value:.{n}g}") for n in (1, 2, 3)):
            found.append((f"t clamped to {way} {short:g}", turn(t, short)))
    return found


def _entry(slope: float, start: float) -> str:
    """What such a time means for a table of n entries, entry i of which is due at (i + 1)/n."""
    n = round(1 / start) if start > 0 else 0
    if n < 4 or abs(n * start - 1) > 1e-6:
        return ""
    for grid in (n, n - 1):
        if abs(slope * n / grid - 1) < 1e-6 or abs(slope - grid / n) < 1e-9:
            laid = f"i/{grid}" if abs(slope - grid / n) < 1e-9 else f"i/{n}"
            return f" (entry i of a table of {n} is laid on {laid}, and is due at (i + 1)/{n})"
    return ""


def _inverse(d: Declaration) -> np.ndarray | None:
    """u by interpolation, where the due law is monotone."""
    end = d.context.end
    grid = np.unique(np.append(np.linspace(0, end, GRID)[1:], np.geomspace(1e-6 * end, end, 1000)))
    with np.errstate(all="ignore"):
        alpha, std = d.at(grid)
        mean = d.mean_wrong
        values, wanted = (np.log(alpha), np.log(d.alpha)) if mean else (std, d.std)
    steps = np.diff(values)
    if not np.all(np.isfinite(values)) or not (np.all(steps > 0) or np.all(steps < 0)):
        return None
    order = np.argsort(values)
    inside = (wanted > values.min()) & (wanted < values.max())
    return np.where(inside, np.interp(wanted, values[order], grid[order]), np.nan)


def asked_at_other_times(case: Case) -> Told | None:
    """Whether the declared law is right for drift, diffusion, or both at another time."""
    if case.implied.origin or case.implied.quadrature.tried > 4 * PANELS:
        return None
    end = float(case.implied.times[-1])
    clocks: dict[str, Callable[[float], float]] = {
        "t/T": lambda t: t / end,
        "T t": lambda t: t * end,
        "t/1000": lambda t: t / 1000,
        "1000 t": lambda t: 1000 * t,
        "T - t": lambda t: end - t,
    }
    for name, clock in clocks.items():
        if end == 1 and name in ("t/T", "T t"):
            continue
        for which in ("drift and diffusion", "drift", "diffusion"):
            if _fits(case, clock, which):
                of = f" (T = {end:g})" if "T" in name else ""
                return Told(
                    "coefficients_at_other_time",
                    f"the marginal is that of your {which} at {name} instead of t{of}: one of them"
                    " is given the wrong time",
                )
    return None


def _fits(case: Case, clock: Callable[[float], float], which: str) -> bool:
    probe = case.said.probe
    moved = replace(
        probe,
        known={},
        drift_clock=clock if "drift" in which else None,
        diffusion_clock=clock if "diffusion" in which else None,
    )
    times = case.implied.times[: -1 if case.implied.limit else None]
    some = times[np.unique(np.linspace(0, len(times) - 1, 12).round().astype(int))]
    said = case.said.at(np.isin(case.implied.times, some))

    def law(eps: float, panels: int) -> Case | None:
        try:
            found = implied(moved, some, eps=eps, breaks=(), max_panels=panels, chosen=True)
        except (CallableError, NotAffine):
            return None
        here = Case(found, said, case.start, case.at_zero, case.eps, case.seen)
        return None if found.quadrature.diverges else here

    rough = law(max(COARSE, case.eps), PANELS)
    if rough is None or np.max(errors(rough, case.start).error) > NEAR:
        return False
    fine = law(case.eps, 8 * PANELS)
    return fine is not None and bool(np.all(errors(fine, case.start).ratio() <= 1))
