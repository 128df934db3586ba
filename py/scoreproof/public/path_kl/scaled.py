"""Noise of the paths that is multiplied by a number.

Conventions: as in `floors`; the number is due to be 1.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.path_kl.alongside import Alongside
from scoreproof.public.path_kl.floors import crossing
from scoreproof.public.path_kl.looks import Look
from scoreproof.public.path_kl.tracks import euler

__all__ = ["scaled"]

#: no number that anybody writes lies on it
GRID = np.geomspace(0.09, 11.3, 40)


def scaled(found: Alongside, c: float) -> Diagnosis | None:
    """The number that explains all, if there is one."""
    if any(k.z is None or not k.job.simulates for k in found.looks):
        return None

    def value(number: float) -> np.ndarray:
        return np.concatenate([_of(k, c, number) for k in found.looks])

    number = crossing(found, value, GRID)
    if number is None:
        return None
    left = np.abs(found.returned - value(number))
    if not np.all(left <= found.blur + 1e-9 * found.error):
        return None
    return Diagnosis.cause(
        "noise_scaled",
        f"Cause: the noise of its paths is {number:.6g} times what is due: g √dt z in each step.",
    )


def _of(look: Look, c: float, number: float) -> np.ndarray:
    assert look.z is not None
    t, under = look.batch.t, 0 if look.job.said["simulated"] == "P" else 1
    track = euler(look.problem, t, look.start, number * look.z, under=under)
    noise = look.z * np.sqrt(np.diff(t))[:, None, None]
    ito = np.sum(track.u[:-1] * noise, axis=(0, 2))
    return look.reduced(track.energy.sum(0) + c * ito + sum(look.ends(track.x).values()))
