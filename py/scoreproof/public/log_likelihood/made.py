"""What somebody's code makes of x before the ODE begins, where that is no scaling: a rotation, a
whitening, a logit, read off at the points themselves.

Conventions: y is the first x that the model is asked at, row by row; its Jacobian is by differences
of fourth order in x.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.log_likelihood.asking import Asker
from scoreproof.public.log_likelihood.law import Law
from scoreproof.public.log_likelihood.probes import Design

__all__ = ["Made", "made_of"]

#: of the differences: h⁴ and the roundoff over h are both near 1e-12
STEP = 1e-3


@dataclass(frozen=True, eq=False)
class Made:
    """``y`` of the points ``x``, and log|dy/dx| there, ``(n,)``."""

    x: np.ndarray
    y: np.ndarray
    log_det: np.ndarray
    same: bool = False
    known: bool = True

    def ahead(self, x: np.ndarray) -> np.ndarray:
        """Of the points alone."""
        assert x.shape == self.x.shape
        return self.y

    def back(self, y: np.ndarray) -> np.ndarray:
        return self.x


def made_of(asker: Asker, law: Law, x: np.ndarray) -> Made | None:
    """``None`` where the first x that the model is asked at is no smooth function of x."""
    n, d = x.shape
    steps = STEP * np.array([2.0, 1.0, -1.0, -2.0])
    moved = x[None, None] + steps[:, None, None, None] * np.eye(d)[None, :, None, :]
    try:
        answers = [
            asker(law, rows, Design(len(rows), d)).first for rows in (x, moved.reshape(-1, d))
        ]
    except CallableError:
        return None
    if any(a is None for a in answers) or [len(a) for a in answers] != [n, 4 * d * n]:  # type: ignore[arg-type]
        return None
    y = np.asarray(answers[0])
    far, near, back, least = np.asarray(answers[1]).reshape(4, d, n, d)
    jacobian = ((8 * (near - back) - (far - least)) / (12 * STEP)).transpose(1, 0, 2)
    sign, log_det = np.linalg.slogdet(jacobian)
    # what does not depend on x, or jumps, is no change of variables
    middle = (4 * (near + back) - (far + least)) / 6
    smooth = np.max(np.abs(middle - y)) < SMOOTH * (1 + np.max(np.abs(y)))
    if np.any(sign == 0) or not np.all(np.isfinite(log_det)) or not smooth:
        return None
    return Made(x, y, np.asarray(log_det))


#: of y: what the differences of fourth order leave of it
SMOOTH = 1e-6
