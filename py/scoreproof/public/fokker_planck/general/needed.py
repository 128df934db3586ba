"""The matrix that a density spread with, where the noise was given as one number.

Conventions: as in `entries`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.general.causes import of_the_noise
from scoreproof.public.fokker_planck.general.hessians import TIMES
from scoreproof.public.fokker_planck.general.look import length_of, look
from scoreproof.public.fokker_planck.general.noise import Noise
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.readings import ITO

__all__ = ["matrix_needed"]

#: dimensions up to which its entries are fitted
MOST = 8


def matrix_needed(s: Subject, place: Place, tolerance: float | None) -> Diagnosis | None:
    """Its entries, from all second derivatives at a few times."""
    if not 1 < place.dimension <= MOST or s.of_state:
        return None
    noise = Noise(s.g, False, "g", place.dimension)
    inside = place.box.sides.mean(axis=1)[None]
    g = General(s.f, s.g, s.law, s.is_log, False, s.framework, noise, ITO, None, False, inside)
    times = place.times.times
    few = times[np.linspace(0, len(times) - 1, TIMES).round().astype(int)]
    found = look(g, replace(place, times=replace(place.times, times=np.unique(few))))
    return of_the_noise(g, found, length_of(place), tolerance or 0.0) if found.terms else None
