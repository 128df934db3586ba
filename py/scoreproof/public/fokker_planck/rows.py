"""Does a point's answer depend on the points that are asked with it?

Conventions: as in `asking`. A density, a drift or a noise is a function of one point; rows are many
of them at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.streams import stream

__all__ = ["with_rows"]

#: points asked together
TOGETHER = 7
#: a part of its size by which an answer changes, from which it is more than another rounding
SURE = 1e-6


def with_rows(evidence: Evidence, s: Subject, place: Place) -> Evidence:
    """Refuted where a row's answer depends on others, whatever the terms look like; of the causes
    this one comes first.
    """
    cause = safely(lambda: _of_other_rows(s, place))
    if cause is None or not cause.names:
        return evidence
    if evidence.verdict != "refuted":
        text = f"{evidence.sentence}; but what is asked at a point depends on the points beside it"
        evidence = replace(evidence, verdict="refuted", sentence=text, cost=s.calls)
    return replace(evidence, notes=()).with_diagnosis(cause)


def _of_other_rows(s: Subject, place: Place) -> Diagnosis | None:
    """The first of the three callables whose answer at a point is another one in other company;
    four calls of each.
    """
    rng = stream(place.seed, "fokker_planck", "rows")
    t, d = float(place.times.times[0]), place.dimension
    if place.points is not None:
        x = place.points[rng.integers(len(place.points), size=2 * TOGETHER)]
    else:
        sides = place.box.sides
        x = rng.uniform(sides[:, 0], sides[:, 1], (2 * TOGETHER, d))
    asked: list[tuple[str, Callable[[np.ndarray, float], np.ndarray]]] = [*s.of_rows]
    asked.append(("drift", s.drift))
    if s.of_state:
        asked.append(("diffusion", s.noise))
    for name, ask in asked:
        cause = _company(name, lambda rows, ask=ask: ask(rows, t), x, s.eps)  # type: ignore[misc]
        if cause is not None:
            return cause
    return None


def _company(
    name: str, ask: Callable[[np.ndarray], np.ndarray], x: np.ndarray, eps: float
) -> Diagnosis | None:
    first, others = x[:1], x[1:]
    alone, again = ask(first)[0], ask(first)[0]
    together = ask(x[:TOGETHER])
    some = together[0]
    same_number = ask(np.concatenate([first, others[-TOGETHER + 1 :]]))[0]
    if not np.all(np.isfinite([alone, some, same_number])):
        return None
    scale = np.max(np.abs(together[np.isfinite(together)]), initial=np.max(np.abs(alone)))
    limit = max(SURE, 1e4 * eps) * scale

    def apart(a: np.ndarray, b: np.ndarray) -> bool:
        return bool(np.any(np.abs(a - b) > limit))

    if apart(alone, again) or not (apart(alone, some) or apart(some, same_number)):
        return None
    k = int(np.argmax(np.abs(np.ravel(alone) - np.ravel(some))))
    a, b = (float(np.ravel(v)[k]) + 0.0 for v in (some, alone))
    values = f"{a:.4g} among {TOGETHER} rows and {b:.4g} alone"
    if apart(some, same_number):
        return Diagnosis.cause(
            "other_rows",
            f"Cause: {name} at a point depends on the other rows of x: at one and the same point it"
            f" is {values}, and another value again with {TOGETHER - 1} other rows: a mean, a sum"
            " or a maximum runs over axis 0, the points, where axis 1, the coordinates, is meant"
            " (other_rows).",
        )
    return Diagnosis.cause(
        "number_of_rows",
        f"Cause: {name} at a point depends on how many rows x has: at one and the same point it is"
        f" {values}, whichever the other rows are: x.shape[0] or len(x), the number of points,"
        " stands where x.shape[1], the dimension, is meant (number_of_rows).",
    )
