"""Paths of a flow with a second noise: of one deviation at all t, as torchcfm's ``sigma`` is, or of
γ(t), as in stochastic interpolants.

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
    """Why such an x_t is not judged; ``None`` if it is none, if no velocity is trained, or if its
    target cannot be right.
    """
    run, v = found.runs[0], found.v
    drawn = run.served.noises if run.served.passed else run.served.noises[1:]
    if job.prediction not in ("flow", "velocity") or not drawn or not found.straight:
        return None
    x0, noise, third = found.inside[0], found.given.noise[0], drawn[0]
    rows = rows_beside(run.asked.x, x0, noise, third, found.eps)
    if rows is None:
        return None
    columns = x0[rows[0]], noise[rows[1]], third
    a, b, s = _parts(run.asked.x, columns)
    least = SAME + 100 * found.eps
    if np.max(np.abs(a - v.alpha)) + np.max(np.abs(b - v.sigma)) > least:
        return None
    level = float(np.mean(s))
    if np.max(np.abs(s)) <= least:
        return None
    in_target = np.abs(_parts(found.targets[0], columns)[2]) > 1e3 * least
    if np.max(np.abs(s - level)) <= least * abs(level):
        if np.any(in_target):
            return None
        return (
            f"x_t has a second noise of deviation {level:.4g} in it, the same at all t (torchcfm's"
            " sigma): the field is then that of a blurred path, and right if the target has no part"
            " of it; check the loss without it (sigma=0)"
        )
    if not np.any(in_target):
        return None
    return (
        f"x_t has a second noise in it, of deviations {np.min(np.abs(s)):.4g} to"
        f" {np.max(np.abs(s)):.4g}, and the target has a part of it too (a stochastic interpolant,"
        " γ(t) z): whether that part is dγ/dt is not known here; check the loss with γ = 0"
    )


def _parts(
    rows: np.ndarray, columns: tuple[np.ndarray, np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each row, how much of each it is made of."""
    a, b, s = np.array(
        [
            np.linalg.lstsq(np.stack(c, axis=1), row, rcond=None)[0]
            for c, row in zip(zip(*columns, strict=True), rows, strict=True)
        ]
    ).T
    return a, b, s
