"""The weak form judged: on the box, or on smaller ones around what mass there is in it.

Conventions: as in `weak`; resolution: the relative deviation, of f in one coordinate or of the
noise, in one stretch of time, that the best test function would have shown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.diagnosis import diagnose, safely
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck import of_state as of_state_
from scoreproof.public.fokker_planck import weak, words
from scoreproof.public.fokker_planck.arguments import Box, Place
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.clusters import clusters
from scoreproof.public.fokker_planck.readings import ITO, Reading
from scoreproof.public.rule import settled
from scoreproof.words import part_of

__all__ = ["integrated"]

#: a quadrature that is worse than this is refined
FINE = 1e-9
#: a refutation by less than so many bounds is reviewed: two rules that are both too coarse can
#: agree by chance
CLOSE = 100
#: bounds of the check that an explanation may leave
ROOM = 8.0
REMEDY = "use log_density=, float64, or a domain= around the mass; times= closer together may help"


def integrated(
    s: Subject, place: Place, tolerance: float | None, reading: Reading | None = None
) -> Evidence:
    """The weak form on the box that may be looked at, d = 1 or 2."""
    whole = place.seen or place.box
    judged = [_on(s, box, reading or ITO, tolerance) for box in clusters(s, whole, place.seed)]
    order = {"refuted": 0, "undecided": 1, "holds": 2}
    return min(judged, key=lambda e: (order[e.verdict], -(e.resolution or 0.0)))


def _on(s: Subject, box: Box, reading: Reading, tolerance: float | None) -> Evidence:
    d, isotropic = box.dimension, s.isotropic
    rho_start = s.rho_at_start() if isotropic else float("nan")

    def gap(w: weak.Weak) -> np.ndarray:
        return w.gained - w.drift.sum(axis=0) - _read(w, reading)

    as_ = f", read as {reading.said}" if s.of_state else ""
    coarse = weak.measure(s, box, 0, rho_start)
    sentence = (
        f"the weak form{as_} on {coarse.gained.shape[1]} smooth test functions in "
        f"{words.box(box.domain)}, in {weak.STRETCHES} stretches of time from {box.times[0]:g} to "
        f"{box.times[1]:g}"
    )
    for level in range(1, len(weak.LEVELS[d])):
        fine = weak.measure(s, box, level, rho_start)
        empty = fine.empty
        scale = np.where(fine.scale > 0, fine.scale, np.inf)
        # two rules bound the quadrature; a density's values carry the rounding of their exponents
        rounding = s.eps * (16 + fine.logs)
        change = np.abs(gap(fine) - gap(coarse)) / scale
        bound = 2 * change + rounding
        error = np.abs(gap(fine)) / scale
        close = np.any((error > bound) & (error < CLOSE * bound))
        if np.any(error > CLOSE * bound):
            break
        if np.max(change) <= max(FINE, rounding) and not close:
            break
        coarse = fine
    # what is accepted is a part of what drift and noise bring, not of the density at the ends
    allowed = bound + (tolerance or 0.0) * (np.abs(fine.gained) + fine.brought) / scale
    worst = np.unravel_index(int(np.argmax(error / allowed)), error.shape)
    value, limit = float(error[worst]), float(allowed[worst])
    out: tuple[Omission, ...] = ()
    if np.any(empty):
        out = (
            Omission(
                "stretches of time",
                int(empty.sum()),
                "where the density in the box is 0 or less than floats hold: use log_density=, "
                "or a domain= where it is positive",
            ),
        )
    seen = Coverage(
        {"stretches of time": weak.STRETCHES, "test functions": error.shape[1]},
        out,
        f"t from {box.times[0]:.3g} to {box.times[1]:.3g}, all of {words.box(box.domain)}",
    )
    more: dict[str, Any] = {
        "cost": s.calls,
        "curves": {
            "error": (list(range(error.size)), [float(e) for e in error.ravel()]),
            "bound": (list(range(error.size)), [float(b) for b in bound.ravel()]),
        },
        "labels": ("test function", "relative error"),
    }
    if np.all(empty):
        return settled(
            Evidence.undecided("float", f"{sentence}: there is no density in the box", **more),
            resolution=np.inf,
            coverage=seen,
        )
    ends = np.linspace(*box.times, weak.STRETCHES + 1)
    where = f"{sentence} (worst for t from {ends[worst[0]]:.3g} to {ends[worst[0] + 1]:.3g})"
    evidence = Evidence.measured(value, limit, where, **more)
    near = value - limit < CLOSE * float(bound[worst])
    if evidence.verdict == "refuted" and near and float(change.max()) > FINE:
        text = f"{where}: the error {value:.2g} is near what the quadrature leaves ({limit:.2g})"
        return settled(
            Evidence.undecided("float", f"{text}; narrow domain= or times=", **more),
            resolution=_resolution(fine, bound, scale, reading),
            coverage=seen,
        )
    evidence = settled(
        evidence,
        resolution=_resolution(fine, bound, scale, reading),
        coverage=seen,
        tolerance=tolerance,
        remedy=REMEDY,
    )
    if evidence.verdict != "refuted":
        return evidence
    evidence = replace(
        evidence,
        sentence=(
            "integrated against smooth test functions, the density does not change in time as drift"
            f" and diffusion say{as_}: from t = {ends[worst[0]]:.3g} to"
            f" {ends[worst[0] + 1]:.3g}, where it is worst, {part_of(value, 'what it is there')}"
            f" is missing or too much ({int(np.sum(error > allowed))} of {error.size} integrals in"
            f" {words.box(box.domain)} are off)"
        ),
    )
    gained = fine.gained / scale
    due = gained - gap(fine) / scale
    if not isotropic:
        asked = of_state_.Asked(reading, s.meaning, accepted=tolerance or 0.0)
        limit = ROOM * bound + (tolerance or 0.0)
        return evidence.with_diagnosis(
            safely(lambda: of_state_.explained(fine, fine.gained, scale, due, limit, asked))
        )
    tried = words.candidates(lambda subject: fine.predict(subject) / scale)
    cause = diagnose(
        gained,
        due,
        tried,
        reasons=words.REASONS,
        read=False,
        limit=ROOM * bound + (tolerance or 0.0),
    )
    return evidence.with_diagnosis(words.no_pair_by_chance(cause))


def _read(w: weak.Weak, reading: Reading) -> np.ndarray:
    """What the noise brings in a reading of dW."""
    return w.noise + 2 * reading.alpha * w.correction + reading.fick * w.fick


def _resolution(w: weak.Weak, bound: np.ndarray, scale: np.ndarray, reading: Reading) -> float:
    """The worst over stretches with density and over the parts that are not zero there."""
    noise = _read(w, reading)
    # a noise along the level lines of p brings nothing in its reading, and its parts do
    cancels = np.max(np.abs(noise), initial=0.0) <= 1e-9 * np.max(np.abs(w.noise), initial=0.0)
    parts = [*w.drift, w.noise if cancels else noise]
    worst = 0.0
    for a in np.flatnonzero(~w.empty):
        seen = []
        for part in parts:
            gain = np.abs(part[a]) / scale[a]
            if np.any(gain > 0):
                with np.errstate(divide="ignore"):
                    seen.append(float(np.min(2 * bound[a] / gain)))
        worst = max([worst, *seen]) if seen else np.inf
    return worst
