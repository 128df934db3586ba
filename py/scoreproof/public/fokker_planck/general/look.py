"""The terms of a density at every time and point.

Conventions: as in `terms`. What cannot be asked is counted, with where it is.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.fokker_planck import forward
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.derivatives import Spot
from scoreproof.public.fokker_planck.general.curls import noise_at
from scoreproof.public.fokker_planck.general.jitter import jitter
from scoreproof.public.fokker_planck.general.local import density_rate, of_density
from scoreproof.public.fokker_planck.general.pushed import NotDifferentiable
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.general.terms import ROUNDINGS, Terms, terms
from scoreproof.public.fokker_planck.strong import EVERY, UNRESOLVED, Found
from scoreproof.streams import stream

__all__ = ["HIDDEN", "at_time", "few", "length_of", "look", "resolved"]

HIDDEN = (
    "forward mode does not see all of the density: its values differ from what their "
    "derivatives say (a detach, a stop_gradient or a float(t)?), so differences of values "
    "were taken"
)
#: numbers that slopes of a matrix g(x, t) hand over at one time
BUDGET = 2**22


def length_of(place: Place) -> float:
    """A quarter of the shortest side of the box."""
    sides = place.box.sides
    return float(np.min(sides[:, 1] - sides[:, 0])) / 4


def few(g: General, place: Place, k: int) -> np.ndarray:
    """The points of the k-th time; of a matrix g(x, t) in many dimensions some of them."""
    x = place.at(k)
    if not g.of_state or g.coefficient.value(x[:2], float(place.times.times[k])).ndim == 2:
        return x
    d = place.dimension
    return x[: max(2, BUDGET // (4 * d**4))]


def look(g: General, place: Place) -> Found:
    """At all times and points; see `check_fokker_planck` for the calls."""
    found = Found([])
    rng = stream(place.seed, "fokker_planck", "beside")
    length = length_of(place)
    by_values = g.law.framework == "numpy"
    hidden, blur, asked = False, 0.0, 0
    for k, t in enumerate(place.times.times):
        x, t = few(g, place, k), float(t)
        asked += len(x)
        logs = g.logs(x, t)
        kept = np.isfinite(logs)
        if not np.all(kept):
            found.empty.append((t, int(np.sum(~kept))))
        if not np.any(kept):
            continue
        x, logs = x[kept], logs[kept]
        try:
            now, slopes = at_time(g, x, logs, t, length, by_values)
            if not by_values and k % EVERY == 0:
                hidden, seen = forward.blind(g, Spot(x, logs, t, length), (slopes, now.rate), rng)
                blur = max(blur, seen)
        except NotDifferentiable:
            hidden = True
        if hidden and not by_values:
            by_values = True
            now, _ = at_time(g, x, logs, t, length, True)
        now, left = resolved(now)
        if left:
            found.unresolved.append((t, left))
        if len(now.x):
            found.terms.append(now)
    said = HIDDEN if hidden else ""
    return Found(found.terms, found.empty, found.unresolved, asked, 0.0 if hidden else blur, said)


def resolved(now: Terms) -> tuple[Terms, int]:
    """What is known to 0.5 %, or is wrong by far more than its error; how many are left out."""
    lost = ~(now.error <= UNRESOLVED * now.size) & ~(np.abs(now.residual) > 4 * now.error)
    return now.at(~lost), int(lost.sum())


def at_time(
    g: General, x: np.ndarray, logs: np.ndarray, t: float, length: float, by_values: bool
) -> tuple[Terms, np.ndarray]:
    """The terms, and ∇log p."""
    near = noise_at(g.coefficient, x, t, length)
    local = of_density(g, x, logs, t, near, (length, by_values))
    rate, wrong = density_rate(g, x, logs, t, by_values)
    blur = jitter(lambda when: g.logs(x, when), logs, t, g.law.eps) / ROUNDINGS
    now = terms(t, x, g.reading, local, near, g.eps * (1 + np.abs(logs) / 4) + blur)
    return now.with_rate(rate, wrong, g.eps + blur), local.s
