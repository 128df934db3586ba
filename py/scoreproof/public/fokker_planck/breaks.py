"""Jumps and bends of the density between the points: along lines through the box, and in time.

Conventions: as in `asking`. With noise the density and its flux f p - (ρ²/2) ∇p are continuous: log
p may bend only where the drift jumps. Along a line: ``jump`` of log p, ``bend`` of its slope.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.numerics.pieces import Breaks, pieces
from scoreproof.public.fokker_planck.arguments import Box, Place
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.carried import NOT_CARRIED, left_behind
from scoreproof.streams import stream

__all__ = ["Broken", "Lines", "look"]

#: times at which lines are looked along, lines a time, and points that are followed in time
TIMES, LINES, FOLLOWED = 5, 8, 8
#: what a jump of log p has to exceed to be seen, beside rounding; it shows in a series as a 14th of
#: itself
SMOOTH = 1e-9
WITH_NOISE = "with noise in dX a density has no jump, and bends only where the drift jumps"
#: below this log p a fall to nothing is what floats do
FAINT = -600.0


@dataclass(frozen=True)
class Broken:
    """Log p jumps by ``jump``, or its slope by ``bend``, at x and t; ``noise``: of the jump."""

    t: float
    x: tuple[float, ...]
    jump: float
    bend: float
    noise: float
    why: str = WITH_NOISE

    def describe(self) -> str:
        shown = ", ".join(f"{c:.4g}" for c in self.x[:3]) + (", …" if len(self.x) > 3 else "")
        where = f"t = {self.t:.5g}, x = ({shown})"
        if not np.isfinite(self.jump):
            return f"the density jumps: it falls to 0 at {where}"
        if self.jump:
            return (
                f"the density jumps by the factor {np.exp(min(abs(self.jump), 700)):.5g} at {where}"
            )
        return f"the density bends (its log slope jumps by {abs(self.bend):.3g}) at {where}"


@dataclass(frozen=True, eq=False)
class Lines:
    """The breaks that are wrong; how many lines and points were followed; the least jump seen."""

    broken: list[Broken]
    lines: int
    followed: int
    gaps: int
    rough: bool
    least: float


def look(s: Subject, place: Place) -> Lines:
    """Along lines at a few times, and in time at a few points.

    Calls of the density: about 4 to 40 a time in space, and 64 or more in t.
    """
    box = place.seen
    rng = stream(place.seed, "fokker_planck", "lines")
    broken: list[Broken] = []
    gaps, rough, least, lines = 0, False, 0.0, 0
    times = place.times.times
    chosen = np.unique(np.linspace(0, len(times) - 1, TIMES).round().astype(int))
    if box is None:
        return Lines([], 0, 0, 0, False, 0.0)
    for k in chosen:
        t = float(times[k])
        still = s.rho(t) == 0
        if still and box.dimension <= 2:  # integrals tell more there
            continue
        a, b = _segments(box, rng)
        ends = s.change(np.concatenate([a, b, (a + b) / 2]), t, np.zeros(3 * len(a)))
        height = np.abs(np.where(np.isfinite(ends), ends, 0.0)).reshape(3, -1).max(axis=0)
        limit = SMOOTH + 8 * s.law.eps * (4 + height)

        def along(
            which: np.ndarray, u: np.ndarray, a: np.ndarray = a, b: np.ndarray = b, t: float = t
        ) -> np.ndarray:
            x = a[which][:, None] + u[:, :, None] * (b - a)[which][:, None]
            flat = s.change(x.reshape(-1, x.shape[-1]), t, np.zeros(u.size))
            return flat.reshape(u.shape)

        # the noise floor of values sets how narrow a bend can be followed
        found = pieces(along, len(a), limit, rng, narrow=1e-8)
        if found.rough:  # values that carry more noise than their rounding
            limit = np.maximum(limit, 40 * found.noise)
            found = pieces(along, len(a), limit, rng, narrow=1e-8, slopes=False)
        gaps, rough = gaps + found.gaps, rough or found.rough
        least, lines = max(least, 28 * float(np.max(limit))), lines + len(a)
        if still:
            left = left_behind(s, t, box, (a, b), found)
            broken += [Broken(t, at, jump, 0.0, 0.0, NOT_CARRIED) for at, jump in left]
        else:
            broken += _in_space(s, t, a, b, found, height)
    in_time, blurred, followed = _in_time(s, place, box, rng)
    return Lines(broken + in_time, lines, followed, gaps, rough, max(least, blurred))


def _segments(box: Box, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Lines across the box: all of it where d = 1, else along axes or between random points."""
    sides, d = box.sides, box.dimension
    if d == 1:
        return sides[:, :1].T.copy(), sides[:, 1:].T.copy()
    a = rng.uniform(sides[:, 0], sides[:, 1], (LINES, d))
    b = rng.uniform(sides[:, 0], sides[:, 1], (LINES, d))
    for k in range(LINES // 2):
        i = int(rng.integers(d)) if d > LINES // 2 else k % d
        b[k] = a[k]
        a[k, i], b[k, i] = sides[i]
    return a, b


def _in_space(
    s: Subject, t: float, a: np.ndarray, b: np.ndarray, found: Breaks, height: np.ndarray
) -> list[Broken]:
    out: list[Broken] = []
    for which in np.unique(found.which):
        mine = found.which == which
        low, high = float(found.low[mine].min()), float(found.high[mine].max())
        if high - low > 1e-5:  # several: the first
            k = int(np.argmin(found.low[mine]))
            low, high = float(found.low[mine][k]), float(found.high[mine][k])
        one = _classified(s, t, Line(a[which], b[which], low, high, float(height[which])))
        out += [one] if one is not None else []
    return out


@dataclass(frozen=True, eq=False)
class Line:
    """From a to b; something breaks between ``low`` and ``high`` of the way; ``height``: of log p
    along it.
    """

    a: np.ndarray
    b: np.ndarray
    low: float
    high: float
    height: float


def _classified(s: Subject, t: float, of: Line) -> Broken | None:
    """What happens there, if it is wrong."""
    a, low, high = of.a, of.low, of.high
    half, line = s.rho(t) ** 2 / 2, of.b - a
    h = max(1e-4, 4 * (high - low))
    left, right = low - h * np.arange(5), high + h * np.arange(5)
    inside = (left >= 0).all() and (right <= 1).all()
    if not inside:
        h = max(min(low, 1 - high) / 4, 4 * (high - low)) if min(low, 1 - high) > 0 else 0.0
        left, right = low - h * np.arange(5), high + h * np.arange(5)
        if h == 0.0 or left[-1] < 0 or right[-1] > 1:
            return None
    values = s.change(a + np.concatenate([left, right])[:, None] * line, t, np.zeros(10))
    at = tuple(float(c) for c in a + (low + high) / 2 * line)
    one, other = values[:5], values[5:]
    if not np.isfinite(values).all():
        there = values[np.isfinite(values)]
        if np.isnan(values).any() or there.size == 0 or there.max() < FAINT:
            return None
        if np.isfinite(one).all() == np.isfinite(other).all():
            return None
        return Broken(t, at, np.inf, 0.0, 0.0)
    # extrapolated to the middle from each side, by a cubic
    middle, noise = (low + high) / 2, 8 * s.law.eps * (4 + of.height)
    from_left = np.polynomial.Polynomial.fit(left, one, 3)
    from_right = np.polynomial.Polynomial.fit(right, other, 3)
    jump = float(from_right(middle) - from_left(middle))
    bend = float(from_right.deriv()(middle) - from_left.deriv()(middle))
    off = float(np.abs(from_left(left) - one).max() + np.abs(from_right(right) - other).max())
    blur = 4 * off + 8 * noise
    # where between low and high it bends is not known
    if abs(jump) > 4 * blur + 2 * abs(bend) * (high - low) + 1e-9:
        return Broken(t, at, jump, 0.0, blur)
    steep = max(abs(float(from_left.deriv()(middle))), abs(float(from_right.deriv()(middle))), 1.0)
    if abs(bend) < 16 * blur / h + 1e-5 * steep:
        return None
    # the flux is continuous: a bend is due where the drift jumps
    x = a + np.array([[low - h / 8], [high + h / 8]]) * line
    f = s.drift(x, t)
    unit = line / np.linalg.norm(line)
    due = float((f[1] - f[0]) @ unit) / max(half, 1e-300) * float(np.linalg.norm(line))
    stepped = float(np.linalg.norm(f[1] - f[0])) > 1e-3 * float(np.linalg.norm(f)) + 1e-12
    if len(a) > 1 and stepped:  # which part of the step is normal to the surface is not known here
        return None
    if abs(bend - due) <= 0.05 * max(abs(bend), abs(due)):
        return None
    return Broken(t, at, 0.0, bend / float(np.linalg.norm(line)), blur)


def _in_time(
    s: Subject, place: Place, box: Box, rng: np.random.Generator
) -> tuple[list[Broken], float, int]:
    sides, (first, last) = box.sides, box.times
    x = (
        place.points[rng.permutation(len(place.points))[: 8 * FOLLOWED]]
        if place.points is not None
        else rng.uniform(sides[:, 0], sides[:, 1], (8 * FOLLOWED, len(sides)))
    )
    ends = np.stack([s.change(x, t, np.zeros(len(x))) for t in (first, last)])
    good = np.isfinite(ends).all(axis=0) & (s.is_log | (ends > FAINT).all(axis=0))
    x, ends = x[good][:FOLLOWED], ends[:, good][:, :FOLLOWED]
    if len(x) == 0:
        return [], 0.0, 0
    height = float(np.abs(ends).max())
    limit = 1e-8 + 8 * s.law.eps * (4 + height)
    cache: dict[float, np.ndarray] = {}

    def along(which: np.ndarray, u: np.ndarray) -> np.ndarray:
        out = np.empty(u.shape)
        for r, (k, row) in enumerate(zip(which, u, strict=True)):
            for c, v in enumerate(row):
                t = first + (last - first) * float(v)
                if t not in cache:
                    cache[t] = s.change(x, t, np.zeros(len(x)))
                out[r, c] = cache[t][k]
        return out

    # all points share the panels: one that breaks is followed for itself
    total = pieces(
        lambda which, u: along(which, u),
        len(x),
        np.full(len(x), limit),
        stream(0, "panels"),
        narrow=1e-7,
        slopes=False,
    )
    broken = []
    for k in np.unique(total.which)[:2]:
        mine = total.which == k
        low, high = float(total.low[mine].min()), float(total.high[mine].max())
        values = along(np.array([k]), np.array([[low, high]]))[0]
        jump = float(values[1] - values[0])
        if np.isfinite(jump) and abs(jump) > 100 * limit and high - low < 1e-4:
            t = first + (last - first) * (low + high) / 2
            broken.append(Broken(t, tuple(float(c) for c in x[k]), jump, 0.0, limit))
    return broken, 28 * limit, 0 if total.rough else len(x)
