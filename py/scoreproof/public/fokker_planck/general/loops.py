"""What a score gathers around closed loops: of a gradient it is 0, also where its Jacobian is
symmetric at every point, as a vortex's is.

Conventions: rectangles in the planes of two coordinates, the whole box and its quarters, the other
coordinates in the middle; ``∮ s · dx`` relative to ``∮ |s| |dx|``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.words import part_of

__all__ = ["Loop", "circulates", "loops"]

#: planes and times that are looked at, at most
PLANES, TIMES = 6, 3
#: pieces of a side, and nodes of the rules on each; the finest one counts
PIECES, RULES = 6, (10, 13, 16)
#: a loop that the rules integrate worse than this tells nothing: where a score jumps, two rules may
#: agree by chance on a wrong value, all three to so many digits not
KNOWN = 1e-6
#: the part of the box that its rectangle spans, and each quarter's of a quarter
SPAN, OF_A_QUARTER = 0.96, 0.9


@dataclass(frozen=True)
class Loop:
    """∮ s · dx, its error, and the size of what was summed; ``plane``: its two coordinates."""

    t: float
    plane: tuple[int, int]
    low: tuple[float, float]
    high: tuple[float, float]
    value: float
    error: float
    size: float


def loops(g: General, place: Place) -> list[Loop]:
    """Those that could be integrated; calls of the score: three a time and plane."""
    box = place.seen
    if box is None or box.dimension == 1:
        return []
    sides = box.sides
    times = np.linspace(*box.times, TIMES)
    planes = list(combinations(range(box.dimension), 2))[:PLANES]
    found = []
    for t in times:
        for plane in planes:
            rectangles = _rectangles(sides[list(plane)])
            every = [_around(g, sides, plane, rectangles, (float(t), rule)) for rule in RULES]
            known = [v for v in every if v is not None]
            if len(known) < len(RULES):
                continue
            fine, size = known[-1]
            error = np.max([np.abs(fine - coarse) for coarse, _ in known[:-1]], axis=0)
            error = error + 64 * g.eps * size
            for k, (low, high) in enumerate(rectangles):
                if size[k] > 0 and error[k] <= KNOWN * size[k]:
                    ends = tuple(map(float, low)), tuple(map(float, high))
                    value = float(fine[k]), float(error[k]), float(size[k])
                    found.append(Loop(float(t), plane, *ends, *value))  # type: ignore[arg-type]
    return found


def circulates(evidence: Evidence, found: list[Loop], tolerance: float | None) -> Evidence | None:
    """The refutation, if around one of them there is more than its error and what is accepted."""
    accepted = tolerance or 0.0
    wrong = [o for o in found if abs(o.value) > 4 * o.error + accepted * o.size]
    if not wrong:
        return None
    worst = max(wrong, key=lambda o: abs(o.value) / o.size)
    i, j = worst.plane
    turns = worst.value / (2 * np.pi)
    in_turns = f", {turns:.4g} times 2π" if abs(turns - round(turns)) < 1e-4 else ""
    text = (
        f"the score is not the gradient of anything: around the rectangle from"
        f" ({worst.low[0]:.3g}, {worst.low[1]:.3g}) to ({worst.high[0]:.3g}, {worst.high[1]:.3g})"
        f" in x[{i}] and x[{j}], at t = {worst.t:.3g}, ∮ s · dx is {worst.value:.6g}{in_turns},"
        f" {part_of(abs(worst.value) / worst.size, 'what is summed')}, where a gradient has 0"
    )
    cause = Diagnosis.cause(
        "score_circulates",
        "Cause: the score's Jacobian is symmetric where it was asked, and yet it gathers something"
        " on a closed way: it turns around a place at which it is singular (a vortex, the gradient"
        " of an angle), or jumps across a line within the loop (score_circulates). Take the part"
        " that turns away, or the gradient of one log p that has a value everywhere.",
    )
    value, bound = abs(worst.value) / worst.size, 4 * worst.error / worst.size + accepted
    refuted = replace(evidence, verdict="refuted", sentence=text, value=value, bound=bound)
    return refuted.with_diagnosis(cause)


def _rectangles(sides: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Low and high corners in a plane."""
    low, high = sides.T
    middle = (low + high) / 2
    out = [(low, high, SPAN)]
    for a in (0, 1):
        for b in (0, 1):
            start = np.array([(low, middle)[a][0], (low, middle)[b][1]])
            out.append((start, start + (high - low) / 2, OF_A_QUARTER))
    return [((s + e - p * (e - s)) / 2, (s + e + p * (e - s)) / 2) for s, e, p in out]


def _around(
    g: General,
    sides: np.ndarray,
    plane: tuple[int, int],
    rectangles: list[tuple[np.ndarray, np.ndarray]],
    when: tuple[float, int],
) -> tuple[np.ndarray, np.ndarray] | None:
    """∮ s · dx and ∮ |s| |dx| for each rectangle, at a time and by a rule; ``None`` where the score
    cannot be asked.
    """
    t, rule = when
    u, w = np.polynomial.legendre.leggauss(rule)
    part = ((np.arange(PIECES)[:, None] + (u + 1) / 2) / PIECES).ravel()
    weight = np.tile(w / 2 / PIECES, PIECES)
    starts, ways = [], []
    for low, high in rectangles:
        corners = np.array([low, [high[0], low[1]], high, [low[0], high[1]]])
        starts.append(corners)
        ways.append(np.roll(corners, -1, axis=0) - corners)
    start, way = np.array(starts), np.array(ways)
    at = start[:, :, None] + part[:, None] * way[:, :, None]
    x = np.tile(sides @ [0.55, 0.45], (at[..., 0].size, 1))
    x[:, list(plane)] = at.reshape(-1, 2)
    try:
        s = g.score(x, t)[:, list(plane)].reshape(at.shape)
    except CallableError:
        return None
    along = np.einsum("lsnk,lsk->lsn", s, way)
    return along @ weight @ np.ones(4), np.abs(along) @ weight @ np.ones(4)
