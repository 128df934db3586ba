"""One look at a flow: points, what it returns there, its Jacobian and how the flow rounds.

Conventions: rows; errors of log_det in nats, of points relative to ``1 + |x|``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.normalizing_flow.asking import Flow
from scoreproof.public.normalizing_flow.determinants import Determinants, determinants
from scoreproof.public.normalizing_flow.jacobians import Jacobian, jacobian, nearby
from scoreproof.public.normalizing_flow.points import placed
from scoreproof.public.normalizing_flow.reading import Answer

__all__ = ["ITERATED", "Look", "look"]

#: an error of the reference beyond which a row that lies far out is drawn in
COARSE = 1e-3
#: the spacing of single precision, and how often a coordinate's constants are rounded to it
SINGLE, ROUNDED = 2.0**-23, 8
#: what iterates stops about here: no mistake, and nothing that holds without a tolerance
ITERATED = 1e-5
#: roundings of log_det's terms, and of z
ROUNDINGS = 16


@dataclass(frozen=True, eq=False)
class Look:
    """``spread`` ``(n,)``: how the flow's own log_det rounds; ``rounding`` ``(n, d)`` of z;
    ``noise``: it draws random numbers, which are held fixed; ``estimate``: of log_det alone.
    """

    flow: Flow
    where: str
    x: np.ndarray
    answer: Answer
    jac: Jacobian
    det: Determinants
    spread: np.ndarray
    rounding: np.ndarray
    noise: bool
    moved: bool = False
    estimate: bool = False
    #: what an adaptive solver may leave of each coordinate
    loose: float = 0.0

    @property
    def bound(self) -> np.ndarray:
        """Of log_det, ``(n,)``."""
        return self.det.error + self.spread

    @property
    def diagonal(self) -> np.ndarray:
        """``J_ii``, ``(n, d)``."""
        return np.diagonal(self.jac.entries, axis1=1, axis2=2)

    @property
    def excuse(self) -> float:
        """What a constant in single precision may explain of a log_det, in double precision; and a
        solver that stops at a tolerance.
        """
        single = self.flow.job.framework != "numpy" and self.flow.eps < SINGLE
        return max(ROUNDED * SINGLE if single else 0.0, self.loose) * self.x.shape[1]

    @property
    def span(self) -> str:
        return f"{self.where}, |x| up to {np.max(np.abs(self.x)):.3g}"


def look(flow: Flow, moved: bool = False) -> Look:
    """At the job's points, or at those that are in the flow's domain."""
    where, x, answer = placed(flow)
    flow.rows = len(x)
    noise, estimate = _drawing(flow, x, answer)
    flow.noisy = noise
    jac = jacobian(flow, x)
    det = determinants(jac)
    # where a squashing layer is flat its Jacobian rounds away: such rows are drawn in
    for _ in range(3):
        back = 16 * flow.eps * np.einsum("nij,nj->ni", np.abs(det.inverse), 1 + np.abs(answer.z))
        steep = np.max(back / (1 + np.abs(x)), axis=1) > COARSE / 8
        far = ((det.error > COARSE) | steep) & (np.max(np.abs(x), axis=1) > 1)
        if flow.job.points is not None or not np.any(far):
            break
        closer = np.where(far[:, None], x / 2, x)
        other = flow.forward(closer)
        if not np.all(np.isfinite(other.z)):
            break
        x, answer = closer, other
        jac = jacobian(flow, x)
        det = determinants(jac)
    spread, rounding = _rounding(flow, x, answer)
    return Look(flow, where, x, answer, jac, det, spread, rounding, noise, moved, estimate)


def _drawing(flow: Flow, x: np.ndarray, first: Answer) -> tuple[bool, bool]:
    """Whether it draws random numbers, and for log_det alone; raises ``CallableError`` where they
    cannot be held.
    """
    again = flow.forward(x)
    if not _same(first, again, flow.eps):
        gap = float(np.nanmax(np.abs(first.z - again.z)))
        raise CallableError(
            f"{flow.job.name}'s forward",
            "return the same for the same x",
            f"two calls differ by {gap:.3g}, with global generators started alike",
            "hand it its noise fixed, and let no call change its state",
        )
    flow.seed += 1
    other = flow.forward(x)
    flow.seed -= 1
    noise = not _same(first, other, flow.eps)
    few = 64 * flow.eps
    return noise, noise and bool(np.allclose(first.z, other.z, rtol=few, atol=few))


def _same(a: Answer, b: Answer, eps: float) -> bool:
    close = np.allclose(a.z, b.z, rtol=64 * eps, atol=64 * eps, equal_nan=True)
    if a.log_det is None or b.log_det is None:
        return bool(close)
    size = 64 * eps * (1 + a.z.shape[1])
    return bool(close and np.allclose(a.log_det, b.log_det, rtol=size, atol=size, equal_nan=True))


def _rounding(flow: Flow, x: np.ndarray, answer: Answer) -> tuple[np.ndarray, np.ndarray]:
    """Second differences of log_det and z, where what is smooth has none."""
    n, d = x.shape
    spread, rounding = np.zeros(n), np.zeros((n, d))
    for step in nearby(x, flow.eps):
        sides = [flow.forward(x + sign * step) for sign in (1, -1)]
        with np.errstate(all="ignore"):
            rounding = np.fmax(rounding, np.abs(sides[0].z + sides[1].z - 2 * answer.z))
            dets = [a.log_det for a in (*sides, answer)]
            if dets[0] is not None and dets[1] is not None and dets[2] is not None:
                spread = np.fmax(spread, np.abs(dets[0] + dets[1] - 2 * dets[2]))
    rounding = 4 * rounding + ROUNDINGS * flow.eps * (1 + np.abs(answer.z))
    claimed = np.zeros(n) if answer.log_det is None else np.abs(answer.log_det)
    claimed = np.where(np.isfinite(claimed), claimed, 0.0)
    return 4 * spread + ROUNDINGS * flow.eps * (d + claimed), rounding
