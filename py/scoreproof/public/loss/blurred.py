"""Paths of a flow that have a second noise of one deviation at all t, as torchcfm's ``sigma`` is.

Conventions: ``x_t = α x_0 + σ ε + s ξ``; ξ is drawn after ε.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.pairing import rows_beside
from scoreproof.public.loss.reading import Found

__all__ = ["blurred"]

#: relative
SAME = 1e-6


def blurred(job: Job, found: Found) -> str | None:
    """Why such an x_t is not judged; ``None`` if it is none, or if no velocity is trained."""
    if job.prediction not in ("flow", "velocity"):
        return None
    run, v = found.runs[0], found.v
    drawn = run.served.noises if run.served.passed else run.served.noises[1:]
    x0, noise = found.inside[0], found.given.noise[0]
    for third in drawn[:1]:
        rows = rows_beside(run.asked.x, x0, noise, third, found.eps)
        if rows is None:
            continue
        columns = zip(x0[rows[0]], noise[rows[1]], third, strict=True)
        made = [
            np.linalg.lstsq(np.stack(c, axis=1), row, rcond=None)[0]
            for c, row in zip(columns, run.asked.x, strict=True)
        ]
        a, b, s = np.array(made).T
        least = SAME + 100 * found.eps
        near = np.max(np.abs(a - v.alpha)) + np.max(np.abs(b - v.sigma)) <= least
        level = float(np.mean(s))
        if near and np.max(np.abs(s - level)) <= least * level:
            return (
                f"x_t has a second noise of deviation {level:.4g} in it, the same at all t"
                " (torchcfm's sigma): the field is then that of a blurred path, and right if the"
                " target has no part of it; check the loss without it (sigma=0)"
            )
    return None
