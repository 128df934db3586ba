"""What was found in words: where it is wrong, what it looks like, what would make it right.

Conventions: as in `strong`; coordinates are named as in NumPy, ``f[:, 0]``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from scoreproof.claims.fokker_planck.faults import FAULTS, compose
from scoreproof.claims.fokker_planck.statement import Jets, truth
from scoreproof.diagnosis import Diagnosis, diagnose, safely
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.causes import explained, placed
from scoreproof.public.fokker_planck.general.needed import matrix_needed
from scoreproof.public.fokker_planck.strong import Found, Terms
from scoreproof.public.fokker_planck.variances import apart
from scoreproof.public.fokker_planck.whereabouts import UNEXPLAINED, as_if, where
from scoreproof.words import part_of

__all__ = [
    "FINER",
    "FINER_SCORE",
    "OF_A_DENSITY",
    "OF_A_SCORE",
    "REASONS",
    "Said",
    "at_a_few",
    "box",
    "candidates",
    "diagnosed",
    "listed",
    "no_pair_by_chance",
    "off",
    "sentence",
]

FINER = "use float64, log_density= for density=, or points= where the terms are not negligible"
FINER_SCORE = "use float64, or points= away from its jumps, where its derivatives are not 0"
REASONS = {f.name: f.why for f in FAULTS}
#: two faults at once that leave more than this part of the deviation are met by chance
OF_A_PAIR = 1e-3
#: places at which it is wrong below which, if they are also a small part, nothing that holds at all
#: places is the cause
FEW, SHARE = 12, 0.02
#: log p below which p itself is no float that a fault can be tried on
TINY = -600.0


RIGHT_SIDE = "-∇·f - f·∇log p + (ρ²/2)(Δ log p + |∇log p|²)"


@dataclass(frozen=True)
class Said:
    """The words of a comparison: what changes in time, on the left side of what, and at how many of
    what; ``change`` goes before the right side, and ``along`` before the left one at a place.
    """

    noun: str = "the density"
    left: str = "∂_t log p"
    places: str = "points and times"
    change: str = ""
    along: str = ""


OF_A_DENSITY = Said()
OF_A_SCORE = Said(
    "the score", "∫ ∂_t s · dx", "segments and times", "the change of ", "along a segment to there "
)


def _at(found: Found, row: int) -> tuple[Terms, int, str]:
    """The terms of the time of a row of all, its place in them, and both in words."""
    sizes = np.cumsum([len(t.x) for t in found.terms])
    k = int(np.searchsorted(sizes, row, side="right"))
    now, i = found.terms[k], row - (int(sizes[k - 1]) if k else 0)
    d = now.x.shape[1]
    point = ", ".join(f"{c:.3g}" for c in now.x[i][:3]) + (", …" if d > 3 else "")
    return now, i, f"t = {now.t:.3g}, x = ({point})"


def sentence(found: Found, worst: int, right: str = RIGHT_SIDE, said: Said = OF_A_DENSITY) -> str:
    """What was compared, and where it is worst."""
    now, _, where = _at(found, worst)
    count = sum(len(t.x) for t in found.terms)
    return (
        f"{said.left} against {said.change}{right} at {count} of {found.asked} {said.places} in"
        f" R^{now.x.shape[1]}, relative to the size of the terms (worst near {where})"
    )


def off(
    found: Found,
    worst: int,
    wrong: np.ndarray,
    right: str = RIGHT_SIDE,
    said: Said = OF_A_DENSITY,
) -> str:
    """What is wrong, by how much, and where: the first sentence of a refutation."""
    now, i, where = _at(found, worst)
    rate = float(now.rate[i])
    due = rate - float(now.residual[i])
    a, b = apart(rate, due)
    part = abs(rate - due) / max(float(now.size[i]), 1e-300)
    return (
        f"{said.noun} changes in time at another rate than drift and diffusion say, at"
        f" {int(wrong.sum())} of {wrong.size} {said.places}: worst near {where}, where"
        f" {said.along}{said.left} is {a} and {said.change}{right} is {b},"
        f" {part_of(part, 'the size of the terms')} apart"
    )


def listed(rows: Sequence[tuple[float, int]]) -> str:
    """``t = 0.3, 0.4, …``."""
    shown = ", ".join(f"{t:.3g}" for t, _ in rows[:4])
    return f"t = {shown}{', …' if len(rows) > 4 else ''}"


def box(sides: Sequence[tuple[float, float]]) -> str:
    """``[-3, 3]^8``, or each side."""
    if len(set(sides)) == 1:
        low, high = sides[0]
        return f"[{low:g}, {high:g}]" + (f"^{len(sides)}" if len(sides) > 1 else "")
    shown = " × ".join(f"[{low:g}, {high:g}]" for low, high in sides[:3])
    return shown + (" × …" if len(sides) > 3 else "")


def candidates(predict: Callable[[Any], np.ndarray]) -> dict[str, np.ndarray]:
    """What every planted fault and every pair of them would have given."""
    subjects: dict[tuple[str, ...], Any] = {(f.name,): f.subject for f in FAULTS}
    subjects |= {pair: compose(pair) for pair in combinations([f.name for f in FAULTS], 2)}
    with np.errstate(all="ignore"):
        return {
            " + ".join(names): np.asarray(predict(subject))
            for names, subject in subjects.items()
            if subject is not None
        }


def diagnosed(
    evidence: Evidence,
    s: Subject,
    found: Found,
    wrong: np.ndarray,
    how: tuple[Place, float | None],
) -> Evidence:
    """With the cause, and with where it is if that is not everywhere. ``wrong``: per point, in
    order.
    """
    place, tolerance = how
    only = at_a_few(wrong)
    if only is not None:
        return evidence.with_diagnosis(only)
    sides = place.box.sides
    length = float(np.min(sides[:, 1] - sides[:, 0])) / 4
    cause = safely(lambda: explained(s, found, tolerance, length))
    if cause is None or not cause.names:
        matrix = safely(lambda: matrix_needed(s, place, tolerance))
        cause = matrix if matrix is not None and matrix.names else cause
    if cause is not None:
        return evidence.with_diagnosis(cause)
    cause = safely(lambda: _known(s, found, tolerance))
    cause = None if cause is None else no_pair_by_chance(cause)
    notes = [placed(found, tolerance) or where(found, wrong), as_if(found, wrong)]
    if cause is not None and cause.names:
        notes = []
    evidence = replace(evidence, notes=(*evidence.notes, *(note for note in notes if note)))
    return evidence.with_diagnosis(cause)


def no_pair_by_chance(cause: Diagnosis) -> Diagnosis:
    """A pair of faults only where it leaves as good as nothing: some pair comes near anything."""
    if cause.misfit > OF_A_PAIR and any(" + " in n for n in cause.names):
        return Diagnosis.unknown("No known fault explains it.")
    return cause


def at_a_few(wrong: np.ndarray) -> Diagnosis | None:
    """What is said where all but a few places are right."""
    count = int(wrong.sum())
    if count >= FEW or count > SHARE * wrong.size:
        return None
    return Diagnosis.unknown(
        f"No cause is claimed: all but {count} of {wrong.size} places agree, and a coefficient that"
        " is wrong would show at the others too. The density, the score or the drift jumps or bends"
        " near these, or is computed in another way there."
    )


def _known(s: Subject, found: Found, tolerance: float | None) -> Diagnosis | None:
    """The known faults, and pairs of them."""
    terms = [t for t in (t.at(t.logs > TINY) for t in found.terms) if len(t.x)]
    if not terms:
        return None

    def joined(pick: Callable[[Terms], np.ndarray]) -> np.ndarray:
        return np.concatenate([pick(t) for t in terms])

    p, size = np.exp(joined(lambda t: t.logs)), joined(lambda t: t.size)
    jets = Jets(
        p,
        list((p[:, None] * joined(lambda t: t.first)).T),
        list((p[:, None] * joined(lambda t: t.second)).T),
        list(joined(lambda t: t.f).T),
        list(joined(lambda t: t.df).T),
        joined(lambda t: np.full(len(t.x), t.rho)),
        s.rho_at_start(),
    )
    # every point counts by its own size, so that no fault hides behind a few large values
    weight = 1 / (p * np.maximum(size, 1e-300))
    tried = candidates(lambda subject: np.broadcast_to(subject(jets), p.shape) * weight)
    measured = joined(lambda t: t.rate) * p * weight
    if tolerance:  # a part of the terms as the fault has them, not of those that it leaves out
        tried = {k: v for k, v in tried.items() if _near(measured, v, tolerance)}
    blur = np.maximum(joined(lambda t: t.error) / np.maximum(size, 1e-300), 1e-15)
    return diagnose(
        measured,
        truth(jets) * weight,
        tried,
        reasons=REASONS,
        read=False,
        limit=16 * blur + (tolerance or 0.0) + 1e-8,
    )


def _near(measured: np.ndarray, made: np.ndarray, tolerance: float) -> bool:
    """Whether two sides agree within the tolerance, relative to themselves."""
    both = np.linalg.norm(measured) + np.linalg.norm(made)
    return bool(np.linalg.norm(measured - made) <= max(tolerance, UNEXPLAINED) * both)
