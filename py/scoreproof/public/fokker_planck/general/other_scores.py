"""Another score that is made of the one that was given, and would solve the equation.

Conventions: as in `segments`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.callables import Guarded
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.general.segments import between
from scoreproof.public.fokker_planck.general.subject import General

__all__ = ["SCALED", "TURNED", "other_score"]

#: times at which they are tried, and bounds of the check that they may leave
TIMES, ROOM, NEGLIGIBLE = 4, 8.0, 1e-8

Others = tuple[tuple[str, Callable[[Any, Any], Any], str], ...]
TURNED: Others = (
    (
        "score_sign",
        lambda s, x: -s,
        "the score has the wrong sign: -score solves the equation (an energy's gradient, or"
        " (x - m)/σ² for -(x - m)/σ²)",
    ),
    (
        "score_of_the_logarithm",
        lambda s, x: s - 1 / x,
        "with -1/x added the score solves the equation: of log x the density of x is divided by x,"
        " and the gradient of -log x belongs to the score",
    ),
)
SCALED: Others = (
    ("score_halved", lambda s, x: 2 * s, "2 score solves the equation: it is half of what is due"),
    (
        "score_doubled",
        lambda s, x: s / 2,
        "score/2 solves the equation: it is twice what is due, as where σ² or ½ is left out",
    ),
)


def other_score(
    g: General, place: Place, tolerance: float | None, others: Others
) -> Diagnosis | None:
    """The first that leaves no more than the check's own bound."""
    assert g.slopes is not None
    times = place.times.times
    few = np.unique(times[np.linspace(0, len(times) - 1, TIMES).round().astype(int)])
    there = replace(place, times=replace(place.times, times=few))
    for name, of, text in others:
        if _solves(_made(g, of), there, tolerance or 0.0):
            return Diagnosis.cause(name, f"Cause: {text} ({name}).")
    return None


def _made(g: General, of: Callable[[Any, Any], Any]) -> General:
    old = g.slopes
    assert old is not None
    new = Guarded(lambda x, t: of(old.function(x, t), x), "score", prepare=old.prepare)
    new.framework, new.eps = old.framework, old.eps
    return replace(g, slopes=new)


def _solves(g: General, place: Place, accepted: float) -> bool:
    found, _ = between(g, place)
    if not found.terms:
        return False
    return all(
        bool(np.all(np.abs(t.residual) <= ROOM * t.error + (accepted + NEGLIGIBLE) * t.size))
        for t in found.terms
    )
