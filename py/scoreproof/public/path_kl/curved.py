"""An estimate of KL that is right for affine drifts, where drifts bend and noise follows x.

Conventions: as in `quiet`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis, diagnose, safely
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.path_kl.asking import User
from scoreproof.public.path_kl.paces import Pace
from scoreproof.public.path_kl.quiet import Quiet, quiet
from scoreproof.public.path_kl.words import reasons, title
from scoreproof.public.rule import COARSEST, compared

__all__ = ["curved"]


def curved(user: User, pace: Pace, plain: Evidence) -> Evidence:
    """What is said of ``plain``, which holds, after a look at what is not affine."""
    job = user.job
    if not job.simulates:
        return plain
    found, why = None, ""
    if job.kind != "scores":  # their paths are of no drift that we know
        try:
            found = quiet(user, pace)
        except CallableError as error:
            why = f", as it {error.got} where there is next to no noise"
    seen = () if found is None else found.seen
    most = job.tolerance or COARSEST
    if found is None or not all(2 * s.error <= most * abs(s.due) for s in seen):
        bends = "drifts that are not affine" + _noise(user, ", and noise that follows x,")
        return _told(plain, f"; {bends} were not looked at{why}")
    value, due, known = (np.array([getattr(s, n) for s in seen]) for n in ("value", "due", "error"))
    off = np.abs(value - due)
    text = f"{title(job, 1)}, where drifts bend{_noise(user, ', noise follows x')} and there is"
    text += f" next to no noise ({found.small:.2g} of it)"
    cause = None
    if np.any(off > known):
        worst = int(np.argmax(off / known))
        text += (
            f": {value[worst]:.6g} where {due[worst]:.6g} is due; it is right where drifts are"
            f" affine{_noise(user, ' and noise does not follow x')}"
        )
        cause = safely(lambda: _cause(user, found, value, due, known))
    evidence = compared(
        off / np.abs(due),
        known / np.abs(due),
        text,
        coverage=Coverage({"problems": len(seen), "grids": len(seen[0].values)}),
        resolution=max(2 * s.error / abs(p) for s in seen for p in s.parts),
        tolerance=job.tolerance,
        remedy="use fixed steps of equal width, or float64",
        kind="convergent",
        diagnosis=cause,
    )
    if evidence.verdict == "refuted":
        return evidence
    more = f"; and {len(seen)} of drifts that bend{_noise(user, ' and noise that follows x')}"
    return _told(plain, f"{more}, where there is next to no noise")


def _noise(user: User, text: str) -> str:
    return text if user.job.noise in ("diagonal", "full") else ""


def _told(plain: Evidence, more: str) -> Evidence:
    assert plain.coverage is not None
    return replace(plain, coverage=replace(plain.coverage, span=plain.coverage.span + more))


def _cause(
    user: User, found: Quiet, value: np.ndarray, due: np.ndarray, error: np.ndarray
) -> Diagnosis:
    return diagnose(value, due, found.faults, reasons=reasons(user.job), limit=error, read=False)
