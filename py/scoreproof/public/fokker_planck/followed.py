"""Where the mass of a later time was earlier: points follow the flow that carries the density.

Conventions: as in `asking`. A narrow part of a density in many dimensions cannot be found from
random points, but the noise widens it: at the last time it can, and from there points go back in
time along ``dx/dt = f - (ρ²/2) ∇log p``, whose laws are p where the equation holds. They only say
where to search, so that they may be coarse, and wrong where the equation is.
"""

from __future__ import annotations

import numpy as np
from scipy.integrate import RK23

from scoreproof.errors import CallableError
from scoreproof.public.fokker_planck.arguments import Box
from scoreproof.public.fokker_planck.asking import Subject

__all__ = ["COUNT", "back"]

#: points that follow, and evaluations of the flow at most
COUNT, MOST = 64, 120
#: relative error of a step, and the step of differences as a part of the shortest side of the box
COARSE, STEP = 0.03, 5e-4


def back(s: Subject, box: Box, x: np.ndarray, late: float, early: float) -> np.ndarray:
    """The points ``(n, d)`` of the time ``late`` carried to ``early``, or as near to it as `MOST`
    evaluations reach; those that are lost are left out.
    """
    n, d = x.shape
    sides = box.sides
    h = STEP * float(np.min(sides[:, 1] - sides[:, 0]))
    moves = h * np.concatenate([np.eye(d), -np.eye(d)])

    def velocity(t: float, y: np.ndarray) -> np.ndarray:
        x = y.reshape(n, d)
        rows = (x[:, None] + moves).reshape(-1, d)
        logs = s.change(rows, t, np.zeros(len(rows))).reshape(n, 2 * d)
        score = (logs[:, :d] - logs[:, d:]) / (2 * h)
        v = s.field(x, t).real - 0.5 * s.rho(t) ** 2 * score
        return np.asarray(np.where(np.isfinite(v), v, 0.0).ravel())

    scale = float(np.std(x)) or 1.0
    try:
        solver = RK23(velocity, late, x.ravel(), early, rtol=COARSE, atol=COARSE * scale)
        while solver.status == "running" and solver.nfev < MOST:
            solver.step()
    except CallableError:
        return np.zeros((0, d))
    carried = solver.y.reshape(n, d)
    return np.asarray(carried[np.isfinite(carried).all(axis=1)])
