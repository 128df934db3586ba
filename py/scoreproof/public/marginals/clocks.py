"""Drift or g² that are those that the declared law needs, but of another time.

Conventions: ``own(u)`` are the coefficients (a, g²) at any times u, those that are wrong at the
declared law's times t are due at t. A clock that is fitted is u = slope t + start; drift and g² may
lack its factor du/dt = slope.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.laws import of_time, same
from scoreproof.public.marginals.asking import NotAffine
from scoreproof.public.marginals.reading import Told

__all__ = ["Asked", "of_a_fitted_time", "of_another_time"]

#: steps of Newton's method for a clock, and the step of its differences
STEPS, STEP = 12, 1e-5


@dataclass(frozen=True, eq=False)
class Asked:
    """``due`` (a, g²) at the times ``t``; ``own``: what there is at any times; ``right``: which of
    the two are right already; ``left``: what rounding leaves.
    """

    t: np.ndarray
    end: float
    due: tuple[np.ndarray, np.ndarray]
    own: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
    right: tuple[bool, bool]
    left: float

    @property
    def what(self) -> str:
        if not any(self.right):
            return "your drift and g² belong together, but they are"
        first, second = ("the drift", "g²") if self.right[0] else ("g", "drift")
        return f"{first} is right, but your {second} is"

    @property
    def those(self) -> str:
        return "that" if any(self.right) else "those"

    def at(self, u: np.ndarray) -> list[np.ndarray] | None:
        """What is wrong, at times u."""
        if not np.all(np.isfinite(u)) or np.any(u <= 0):
            return None
        try:
            with np.errstate(all="ignore"):
                found = self.own(u)
        except (CallableError, NotAffine):
            return None
        some = [v for v, right in zip(found, self.right, strict=True) if not right]
        return some if all(np.all(np.isfinite(v)) for v in some) else None

    @property
    def wanted(self) -> list[np.ndarray]:
        return [v for v, right in zip(self.due, self.right, strict=True) if not right]

    def fits(self, u: np.ndarray, k: float = 1.0) -> bool:
        found = self.at(u)
        return found is not None and all(
            same(k * v, w, 4 * self.left) for v, w in zip(found, self.wanted, strict=True)
        )


def of_another_time(asked: Asked, besides: str = "") -> Told | None:
    """The time whose coefficients they are; ``besides``: what they are as formulas."""
    t, end = asked.t, asked.end
    if not _is_wrong(asked):
        return None
    # own at u is due at t: so own at t is due at what u has t for
    clocks = {f"T - t (T = {end:g})": end - t, "√t": t**2, "t²": np.sqrt(t)}
    if abs(end - 1) > 1e-9:
        clocks |= {"1 - t": 1 - t, f"T t (T = {end:g})": t / end, f"t/T (T = {end:g})": end * t}
    # a power of t is another power: no clock
    plain = any(of_time(v, t, 1e-4) is not None for v in asked.at(t) or ())
    for text, u in clocks.items():
        if asked.fits(u) and not (plain and "T - t" not in text and "1 - t" not in text):
            return _told(asked, f"{asked.those} of time {text}, where t is due{besides}")
    return None


def of_a_fitted_time(asked: Asked) -> Told | None:
    """The same for a time that is a straight line in t."""
    # a straight line, a power or an exponential is another of its kind at any such clock
    if not _is_wrong(asked) or any(
        of_time(v, asked.t, 1e-4) is not None for v in asked.at(asked.t) or ()
    ):
        return None
    for with_factor in (False, True):
        line = _fitted(asked, with_factor)
        if line is not None:
            return _told(asked, f"{asked.those} {_words(*line, with_factor)}")
    return None


def _is_wrong(asked: Asked) -> bool:
    """By more than a constant factor, which is simpler."""
    here = asked.at(asked.t)
    if all(asked.right) or here is None or len(asked.t) < 4:
        return False
    with np.errstate(all="ignore"):
        ratios = [v / w for v, w in zip(here, asked.wanted, strict=True)]
    return not any(same(r, float(np.median(r)), 1e-3) for r in ratios)


def _told(asked: Asked, text: str) -> Told:
    return Told("coefficients_at_other_time", f"{asked.what} {text}")


def _fitted(asked: Asked, with_factor: bool) -> tuple[float, float] | None:
    """Slope and start of the clock."""
    t, wanted = asked.t, asked.wanted[0]
    slope, start = 1.0, 0.0

    def off(p: float, q: float) -> np.ndarray | None:
        found = asked.at(p * t + q)
        if found is None:
            return None
        with np.errstate(all="ignore"):
            gap = np.log((p if with_factor else 1.0) * found[0] / wanted)
        return gap if np.all(np.isfinite(gap)) else None

    for _ in range(STEPS):
        here, p, q = off(slope, start), off(slope + STEP, start), off(slope, start + STEP)
        if here is None or p is None or q is None:
            return None
        slopes = np.stack([(p - here) / STEP, (q - here) / STEP], axis=1)
        by, *_ = np.linalg.lstsq(slopes, -here, rcond=None)
        for part in (1.0, 0.5, 0.25, 0.125):
            new = off(slope + part * by[0], start + part * by[1])
            if new is not None and np.linalg.norm(new) <= np.linalg.norm(here):
                slope, start = slope + part * float(by[0]), start + part * float(by[1])
                break
        else:
            break
        if np.max(np.abs(by)) < 1e-12:
            break
    for digits in (2, 3, 4, 6):
        short = _short(slope, start, digits)
        if asked.fits(short[0] * t + short[1], short[0] if with_factor else 1.0):
            return short
    return None


def _short(slope: float, start: float, digits: int) -> tuple[float, float]:
    """Few digits, of (t + s)/(1 + s) or of slope and start."""
    if abs(slope + start - 1) <= 1e-4 and start != 0:
        s = float(f"{start / slope:.{digits}g}")
        return 1 / (1 + s), s / (1 + s)
    return float(f"{slope:.{digits}g}"), float(f"{start:.{digits}g}")


def _words(slope: float, start: float, with_factor: bool) -> str:
    times = "" if slope == 1 else f"{slope:.6g} "
    line = f"{times}t {'+' if start >= 0 else '-'} {abs(start):.6g}"
    hint = ""
    if abs(slope + start - 1) <= 1e-12 and start:
        s = start / slope
        line = f"(t + s)/(1 + s), s = {s:.4g}"
        if s > 0:
            hint = " (the offset s of a cosine schedule is in the declared law alone)"
    of = f", times du/dt = {slope:.6g}" if with_factor and slope != 1 else ""
    return f"of time t, where time u = {line}{of} is due{hint}"
