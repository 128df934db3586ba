"""Jumps of the drift or of a score between the points: the flux has to pass through them.

Conventions: as in `asking`; n is normal to the surface of the jump, u the direction of a line that
crosses it, [·] what is beyond less what is before. With noise across the surface and Σ continuous
``[f]·n = ½ nᵀΣn [∂_n log p]``: the density bends by that where the drift jumps, and only there.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.streams import stream

__all__ = ["Step", "look", "with_steps"]

#: times, lines a time, points on a line, jumps that are followed on each
TIMES, LINES, POINTS, JUMPS = 3, 8, 513, 2
#: numbers that are handed over at once, at most
MOST = 2**21
#: halvings of an interval: what still changes by as much there jumps
HALVINGS = 36
#: a jump of less than this part of the field is not looked for, nor one of so many roundings
LEAST, ROUNDINGS = 1e-5, 1e4
#: the part of both jumps that the flux may be off by: normal and bend are measured
EXACT = 0.1
#: a line that runs along the surface tells little
SLANTED = 0.2
#: how far beside a jump its surface, and log p, are looked at, of the line
BESIDE = 1e-3


@dataclass(frozen=True)
class Step:
    """At t and x: what the drift jumps by along the normal, and what the bend asks for."""

    t: float
    x: tuple[float, ...]
    drift: float
    due: float
    size: float

    @property
    def gap(self) -> float:
        return abs(self.drift - self.due)

    def describe(self) -> str:
        shown = ", ".join(f"{c:.4g}" for c in self.x[:3]) + (", …" if len(self.x) > 3 else "")
        across = "" if len(self.x) == 1 else " across the surface there"
        return (
            f"flux is made or lost at t = {self.t:.5g}, x = ({shown}), between the points at which"
            f" the equation holds: the drift jumps by {self.drift:.4g}{across}, and the slope of"
            f" log p by what a jump of {self.due:.4g} goes with"
        )


def look(s: Subject, place: Place) -> list[Step]:
    """The jumps that no flux passes through; none where the noise depends on x."""
    box = place.seen
    if box is None or s.of_state:
        return []
    rng = stream(place.seed, "fokker_planck", "steps")
    found: list[Step] = []
    count = 1 if box.dimension == 1 else min(LINES, MOST // (POINTS * box.dimension))
    for t in np.linspace(*box.times, TIMES) if count else ():
        low, high = box.sides[:, 0], box.sides[:, 1]
        a = rng.uniform(low, high, (count, box.dimension))
        b = rng.uniform(low, high, (count, box.dimension))
        if box.dimension == 1:
            a, b = box.sides[:, :1].T, box.sides[:, 1:].T
        try:
            found += _on_lines(s, float(t), a, b)
        except CallableError:  # where it promises nothing
            continue
    return found


def with_steps(evidence: Evidence, found: list[Step], tolerance: float | None) -> Evidence:
    """A refutation, if one of them is more than is accepted."""
    wrong = [o for o in found if o.gap > (tolerance or 0.0) * o.size]
    if not wrong or evidence.verdict == "refuted":
        return evidence
    worst = max(wrong, key=lambda o: o.gap / o.size)
    cause = Diagnosis.cause(
        "flux_jumps",
        "Cause: the flux f p - ½ ∇·(Σ p) jumps, so that ∇·(f p) or Δp has a part on that surface"
        " which no point shows (flux_jumps): a piece of the drift (a condition, a clip, a sign)"
        " without the bend of log p that belongs to it, or the reverse. [f]·n = ½ nᵀΣn [∂_n log p]"
        " is due across a surface of normal n.",
    )
    refuted = replace(
        evidence,
        verdict="refuted",
        sentence=worst.describe(),
        value=worst.gap / worst.size,
        bound=tolerance or 0.0,
    )
    return refuted.with_diagnosis(cause)


def _fields(s: Subject, x: np.ndarray, t: float) -> np.ndarray:
    """The drift, and the score where one stands for the density ``(n, d or 2d)``."""
    f = s.drift(x, t)
    if isinstance(s, General) and s.only_score:
        return np.concatenate([f, s.score(x, t)], axis=1)
    return f


def _on_lines(s: Subject, t: float, a: np.ndarray, b: np.ndarray) -> list[Step]:
    d, u = a.shape[1], np.linspace(0, 1, POINTS)
    way = b - a
    x = a[:, None] + u[:, None] * way[:, None]
    v = _fields(s, x.reshape(-1, d), t).reshape(len(a), POINTS, -1)
    size = np.max(np.abs(v), axis=(0, 1)) + 1e-300
    moved = np.diff(v / size, axis=1)
    # beyond what its neighbours change by: a jump stands out of what is smooth
    beside = np.maximum(np.abs(moved[:, :-2]), np.abs(moved[:, 2:]))
    out = np.max(np.abs(moved[:, 1:-1]) - 2 * beside, axis=2)
    floor = max(LEAST, ROUNDINGS * s.eps)
    found = []
    for line in range(len(a)):
        for k in np.argsort(-out[line])[:JUMPS]:
            if out[line, k] <= floor:
                break
            low, high = float(u[k + 1]), float(u[k + 2])
            one = _followed(s, t, (a[line], way[line]), (low, high), size)
            found += [one] if one is not None else []
    return found


def _bisected(
    s: Subject, t: float, starts: np.ndarray, way: np.ndarray, ends: np.ndarray, size: np.ndarray
) -> np.ndarray:
    """Where on each of the lines the field changes most, ``(m, 2)``: ends of one interval."""
    low, high = ends.T.copy()
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        rows = np.concatenate([starts + k[:, None] * way for k in (low, middle, high)])
        v = (_fields(s, rows, t) / size).reshape(3, len(starts), -1)
        first = np.max(np.abs(v[1] - v[0]), axis=1) > np.max(np.abs(v[2] - v[1]), axis=1)
        low, high = np.where(first, low, middle), np.where(first, middle, high)
    return np.stack([low, high], axis=1)


def _followed(
    s: Subject,
    t: float,
    line: tuple[np.ndarray, np.ndarray],
    ends: tuple[float, float],
    size: np.ndarray,
) -> Step | None:
    """What passes through the jump between two places of a line; ``None`` if that is right."""
    a, way = line
    d, length = len(a), float(np.linalg.norm(way))
    axes = np.linalg.svd(way[None] / length)[2][1:]  # across the line
    starts = np.concatenate([a[None], a + BESIDE * length * axes])
    wide = np.array([[ends[0] - 8 * BESIDE, ends[1] + 8 * BESIDE]] * d)
    wide[0] = ends
    at = _bisected(s, t, starts, way, wide, size)
    width = 2.0**-30
    sides = np.stack([at[:, 0] - width, at[:, 1] + width])
    v = np.stack([_fields(s, starts + k[:, None] * way, t) for k in sides])
    jump = v[1] - v[0]
    if np.max(np.abs(jump[0]) / size) <= max(LEAST, ROUNDINGS * s.eps):
        return None
    # what is only steep changes by more where more is looked at
    wider = np.stack([starts[:1] + k * way for k in (at[0, 0] - 64 * width, at[0, 1] + 64 * width)])
    change = np.subtract(*(_fields(s, x, t)[0] for x in wider))
    if np.max(np.abs(change + jump[0]) / size) > 0.25 * np.max(np.abs(jump[0]) / size):
        return None
    # all lines cross the same surface, or its normal is not known
    if np.any(np.abs(jump - jump[0]) > 0.05 * np.max(np.abs(jump[0]))):
        return None
    where = starts + at.mean(axis=1)[:, None] * way
    normal = np.linalg.svd(where[1:] - where[0])[2][-1] if d > 1 else np.ones(1)
    along = float(normal @ way) / length
    if abs(along) < SLANTED:
        return None
    g = s.noise(where[:1], t)[0]
    half = float(normal @ g @ g.T @ normal) / 2
    if half <= 1e-12 * float(np.sum(g * g)):
        return None
    bent = _bend(s, t, (where[0], way), jump[0, d:])
    if bent is None:
        return None
    slope, steep = bent
    drift, due = float(jump[0, :d] @ normal), half * slope / (length * along)
    whole = float(np.max(np.abs(v[:, 0, :d]))) + half * steep / length
    if abs(drift - due) <= EXACT * (float(np.linalg.norm(jump[0, :d])) + abs(due)):
        return None
    return Step(t, tuple(map(float, where[0])), drift, due, whole)


def _bend(
    s: Subject, t: float, at: tuple[np.ndarray, np.ndarray], of_score: np.ndarray
) -> tuple[float, float] | None:
    """[d log p/du] along the line there, and how steep log p is; ``None`` where log p jumps."""
    x, way = at
    if len(of_score):
        return float(of_score @ way), float(np.max(np.abs(s.score(x[None], t) @ way)))  # type: ignore[attr-defined]
    h = BESIDE / 4
    k = h * (0.01 + np.arange(5))
    values = s.change(x + np.concatenate([-k, k])[:, None] * way, t, np.zeros(10))
    if not np.all(np.isfinite(values)):
        return None
    before, beyond = (
        np.polynomial.Polynomial.fit(u, v, 3) for u, v in ((-k, values[:5]), (k, values[5:]))
    )
    slopes = float(before.deriv()(0.0)), float(beyond.deriv()(0.0))
    return slopes[1] - slopes[0], max(map(abs, slopes)) + 1.0
