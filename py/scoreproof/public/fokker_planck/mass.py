"""Hypotheses that a pointwise equation cannot see: the mass of the density, and what flows out
through infinity.

Conventions: as in `statement`; the integrals run over the whole space, on the coordinate ``x = sinh
s`` (to about ±8e4).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded
from scoreproof.public.fokker_planck.weak import Box

__all__ = ["mass_notes"]

REACH = 12.0
#: nodes per coordinate of the coarse rule; the fine one has all of them and the midpoints
NODES = {1: 1201, 2: 121}
#: a mass that misses 1 by less than this is left unmentioned (heavy tails are cut at e^REACH/2)
TOLERANCE = {1: 1e-4, 2: 1e-3}


def mass_notes(
    law: Guarded, is_log: bool, drift: Guarded, box: Box, clock: Callable[[float], Any]
) -> tuple[str, ...]:
    """Sentences on hypotheses that fail, for d <= 2; silent where the integrals are not to be
    trusted.
    """
    d = len(box.domain)
    reach = REACH if d == 1 else 5.0
    s = np.linspace(-reach, reach, 2 * NODES[d] - 1)
    centre = np.array([(low + high) / 2 for low, high in box.domain])
    axis, weight = np.sinh(s), np.cosh(s) * (s[1] - s[0])
    masses = []
    try:
        with np.errstate(all="ignore"):
            for t in box.times:
                rules = []
                for step in (2, 1):
                    x = np.stack(
                        np.meshgrid(*(centre[i] + axis[::step] for i in range(d)), indexing="ij"),
                        axis=-1,
                    ).reshape(-1, d)
                    w = step * weight[::step]
                    value = law(x, clock(t), shape=(len(x),)).real
                    rules.append(
                        float(
                            (w if d == 1 else np.outer(w, w).ravel())
                            @ (np.exp(value) if is_log else value)
                        )
                    )
                if not abs(rules[1] - rules[0]) < TOLERANCE[d] / 10 * (1 + abs(rules[1])):
                    return ()
                masses.append(rules[1])
            notes = []
            if max(abs(m - 1) for m in masses) > TOLERANCE[d]:
                listed = ", ".join(
                    f"{m:.4g} at t = {t:g}" for m, t in zip(masses, box.times, strict=True)
                )
                changed = abs(masses[1] - masses[0]) > TOLERANCE[d]
                verdict = "the normaliser is wrong, which the linear equation cannot see"
                if changed:
                    verdict = "mass is created or lost (explosion, or a wrong normaliser)"
                notes.append(f"Hypothesis: the integral of the density is {listed}; {verdict}.")
            if d == 1:
                notes += _flux(law, is_log, drift, box, centre, clock)
            return tuple(notes)
    except CallableError:
        return ()  # far points are outside of what the callables promise


def _flux(
    law: Guarded,
    is_log: bool,
    drift: Guarded,
    box: Box,
    centre: np.ndarray,
    clock: Callable[[float], Any],
) -> list[str]:
    """Mass that leaves through ±∞ in a unit of time: the limit of f p, read at two distances."""
    x = centre + np.array([[-1e6], [-1e3], [1e3], [1e6]])
    found = 0.0
    for t in box.times:
        value = law(x, clock(t), shape=(4,)).real
        p = np.exp(value) if is_log else value
        flux = drift(x, clock(t), shape=(4, 1)).real[:, 0] * p
        for far, near in ((flux[0], flux[1]), (flux[3], flux[2])):
            if abs(far) > 1e-6 and abs(far - near) < 0.1 * abs(far):
                found = max(found, abs(float(far)))
    if found:
        return [
            f"Hypothesis: the flux f p does not vanish at infinity (about {found:.3g} in a unit of"
            " time), so p need not be the law of a solution."
        ]
    return []
