"""The known faults of an estimate of KL by what their means tend to.

Conventions: as in `moments`; drifts are affine, noise does not follow x.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.path_kl.arguments import Job
from scoreproof.public.path_kl.limits import Limit
from scoreproof.public.path_kl.moments import Way, exact
from scoreproof.public.path_kl.tracks import solve
from scoreproof.public.path_kl.words import plainly, reasons

__all__ = ["cause_of_mean"]


#: of a fault's mean, to about 1e-7
ROUGHLY = 80
#: how often what is known of it a deviation has to be, of which a number is read
SURE = 10


def _size(g: np.ndarray) -> np.ndarray:
    return np.abs(np.einsum("...ii->...i", g))


WAYS: dict[str, Way] = {
    "noise_multiplied": lambda a, b, g: np.einsum("...ij,...j->...i", g, a - b),
    "noise_left_out": lambda a, b, g: a - b,
    "noise_twice": lambda a, b, g: solve(g, solve(g, a - b)),
    "transposed": lambda a, b, g: solve(np.swapaxes(g, -1, -2), a - b),
    "only_the_diagonal": lambda a, b, g: (a - b) / _size(g),
    "root_of_noise": lambda a, b, g: (a - b) / np.sqrt(_size(g)),
    "cube_of_noise": lambda a, b, g: (a - b) / _size(g) ** 1.5,
    "only_p": lambda a, b, g: solve(g, a),
    "only_q": lambda a, b, g: solve(g, b),
    "drifts_added": lambda a, b, g: solve(g, a + b),
}


def cause_of_mean(job: Job, seen: list[Limit]) -> Diagnosis:
    """A known fault, or a factor."""
    value, due, error = (np.array([getattr(s, n) for s in seen]) for n in ("value", "due", "error"))
    each = [_predicted(job, s) for s in seen]
    candidates = {n: np.array([e[n] for e in each]) for n in each[0]}
    read = bool(np.all(np.abs(value - due) > SURE * error))
    named = diagnose(value, due, candidates, reasons=reasons(job), limit=error, read=read)
    return plainly(named, value, due)


def _predicted(job: Job, limit: Limit) -> dict[str, float]:
    energy, rest = limit.energy, limit.due - limit.energy
    found = {
        "half_missing": 2 * energy,
        "half_twice": energy / 2,
        "mean_over_coordinates": energy / limit.problem.d,
        "energy_subtracted": -energy,
        "energy_left_out": 0.0,
        "noise_of_q": 3 * energy,
    }
    if limit.law is not None:
        for name, way in WAYS.items():
            if limit.problem.kind != "scores":
                found[name] = exact(limit.problem, *limit.law, way, steps=ROUGHLY)[0]
        found["paths_of_the_other"] = exact(limit.problem, *limit.law, under=1, steps=ROUGHLY)[0]
    if rest == 0:
        found.pop("energy_left_out")
    for name, value in limit.ends.items():
        found[f"{name}_left_out"] = energy - value
        found[f"{name}_subtracted"] = energy - 2 * value
        if name == "initial" and not {"log_p0", "log_q0"} <= job.taken:
            found["initial_reversed"] = energy - value + limit.problem.initial_kl(swapped=True)
    return {name: value + rest for name, value in found.items() if value != energy}
