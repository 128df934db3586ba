"""What is said of a mass that is not 1.

Conventions: as in `mass`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.mass import Mass

__all__ = ["DIGITS", "unknown", "unseen", "wrong_mass"]

#: a mass is told from 1 by no less than this: normalisers are written with so many digits
DIGITS = 1e-6
#: why a mass changes in time
LOST = (
    "mass is created or lost in time: a normaliser that depends on t wrongly, or a process that "
    "explodes (then pass normalized=False)"
)


def unknown(evidence: Evidence, found: list[Mass], m: Mass, s: Subject) -> Evidence:
    """A mass below 1 from a search that may have missed a part of it."""
    lost = f"; or {LOST}" if _changes(found, DIGITS) else ""
    text = (
        f"{evidence.sentence}: no error is seen, but the mass found is {m.value:.5g} at t = "
        f"{m.t:.3g}: it lacks a normaliser of {1 / m.value:.5g}, or has a part far from where was "
        f"looked{lost}; pass points= or a domain= that reach it, or normalized=False"
    )
    return replace(evidence, verdict="undecided", sentence=text, cost=s.calls)


def unseen(evidence: Evidence, why: str, remedy: str, s: Subject) -> Evidence:
    """A mass that is to be 1 and was not seen: the equation is linear, and any factor passes it."""
    text = (
        f"{evidence.sentence}: no error is seen, but whether its mass is 1 is not known ({why}):"
        f" {remedy}, or normalized=False, where a factor does not matter or is known to be right"
    )
    return replace(evidence, verdict="undecided", sentence=text, cost=s.calls)


def _changes(found: list[Mass], accepted: float) -> bool:
    values = np.array([one.value for one in found])
    return bool(np.ptp(values) > accepted + 2 * max(one.error for one in found))


def wrong_mass(
    evidence: Evidence, found: list[Mass], m: Mass, accepted: float, s: Subject
) -> Evidence:
    """A mass that is not 1."""
    listed = ", ".join(f"{one.value:.6g} at t = {one.t:.3g}" for one in found)
    if _changes(found, accepted):
        cause = LOST
    else:
        cause = (
            "the normaliser is wrong, which the linear equation cannot see: multiply the density "
            f"by {1 / m.value:.6g} (or pass normalized=False if that is on purpose)"
        )
    return replace(
        evidence,
        verdict="refuted",
        value=abs(m.value - 1),
        bound=accepted + 2 * m.error,
        sentence=f"the integral of the density is {listed}; {cause}",
        cost=s.calls,
    )
