"""Why the strong form was refuted: what explains every point to the check's bound, cheapest first.

Conventions: as in `summands`; calls of the caller's functions here come after the verdict.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.places import beyond
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.coefficients import one_number, one_number_a_time
from scoreproof.public.fokker_planck.flows import of_a_flow
from scoreproof.public.fokker_planck.linear_drift import one_coordinate, wrong_matrix
from scoreproof.public.fokker_planck.moments import gaussian
from scoreproof.public.fokker_planck.other_logs import another_form
from scoreproof.public.fokker_planck.retimed import another_time
from scoreproof.public.fokker_planck.strong import Found
from scoreproof.public.fokker_planck.summands import Judged, judged
from scoreproof.public.fokker_planck.wrong_moments import wrong_moment

__all__ = ["explained", "placed"]

#: a part of the terms below which the density's own explain nothing
HARDLY = 0.2
UNTRAINED = (
    "No known fault explains it: nearly all of the equation is ∇·f, since log p hardly changes in x"
    " and t. A network that is not trained is so, or one that its inputs do not reach."
)


def explained(s: Subject, found: Found, tolerance: float | None, length: float) -> Diagnosis | None:
    """The first explanation; ``length``: a quarter of the shortest side of the box."""
    j = judged(found, tolerance)
    if not len(j.rate):
        return None
    d = j.x.shape[1]
    if _untrained(j):
        return Diagnosis.unknown(UNTRAINED)
    cause = (
        one_number(s, j, d)
        or another_form(j, s.is_log)
        or one_coordinate(j)
        or another_time(s, j, length, tolerance or 0.0)
    )
    if cause is not None:
        return cause
    moments = gaussian(j)
    of_moments = None if moments is None else wrong_moment(moments)
    if of_moments is not None and of_moments.names:
        return of_moments
    flow = of_a_flow(s, j, length)
    if flow is not None:
        return flow
    of_time = one_number_a_time(s, j)
    if of_time is not None and of_time.names:
        return of_time
    return wrong_matrix(j) or of_time or of_moments


def _untrained(j: Judged) -> bool:
    """Whether nearly all of the equation, judged to a tolerance, is ∇·f, which no density is in."""
    if not j.accepted:
        return False
    of_density = (j.sized(squeezed=0.0)) / j.size
    return bool(np.median(of_density) < HARDLY)


def placed(found: Found, tolerance: float | None) -> str:
    """Where nothing explains it: beyond what it is wrong, and where it is much less so."""
    j = judged(found, tolerance)
    if not len(j.rate):
        return ""
    wrong = np.abs(j.residual) > j.limit
    along = {f"x[{i}]": j.x[:, i] for i in range(j.x.shape[1])}
    along |= {"t": j.times[j.which], "‖x‖": np.linalg.norm(j.x, axis=1)}
    at = "" if np.all(wrong) else beyond(wrong, along)
    return f"It is so {at}." if at else _mostly(j, along)


def _mostly(j: Judged, along: dict[str, np.ndarray]) -> str:
    """The side of a value on which the error is small against the other."""
    error = np.abs(j.residual) / j.size
    most = float(np.max(error))
    best: tuple[float, str] = (0.15, "")
    for name, v in along.items():
        order = np.argsort(v)
        for side, rows in (("from", order), ("up to", order[::-1])):
            small = np.maximum.accumulate(error[rows]) <= 0.02 * most
            share = float(np.mean(small))
            if share > best[0] and share < 1:
                edge = float(v[rows][int(np.sum(small))])
                best = (share, f"with {name} {side} {edge:.3g}")
    return f"It is so mostly {best[1]}; beyond that it is 50 times less." if best[1] else ""
