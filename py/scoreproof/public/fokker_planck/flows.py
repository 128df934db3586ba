"""A probability flow: a drift that holds the score, and no noise.

Conventions: as in `summands`; a flow's drift is ``f - ½ g² s``, and with ``f - λ g² s`` the
equation without noise is off by ``(1 - 2λ) g² ½ Δp``.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.derivatives import Spot, spatial
from scoreproof.public.fokker_planck.summands import Judged

__all__ = ["of_a_flow"]

#: to how much, relative, the number at each time is the same, or lies on a line in t
EXACT = 1e-6
#: at fewer times a line through the numbers says nothing
FEW = 6


def of_a_flow(s: Subject, j: Judged, length: float) -> Diagnosis | None:
    """Where there is no noise, the multiple of ½ Δp that is left, if it is constant or a line in t:
    any other function of time may be an error of a variance as well. ``length``: of differences.
    """
    if np.any(j.rho) or len(j.times) < FEW:
        return None
    # without noise the second derivatives were not asked for
    spots = [Spot(t.x, t.logs, t.t, length) for t in j.terms]
    bent = np.concatenate(
        [spatial(s, spot, np.zeros(spot.x.shape)).second.sum(axis=1) for spot in spots]
    )
    bent = bent / 2
    c = np.zeros(len(j.times))
    for k in range(len(j.times)):
        rows = j.which == k
        size = float(bent[rows] @ bent[rows])
        if size == 0:
            return None
        c[k] = float(bent[rows] @ j.residual[rows]) / size
    line = np.polynomial.Polynomial.fit(j.times, c, 1)
    if np.max(np.abs(c - line(j.times))) > EXACT * np.max(np.abs(c)) or np.min(c) * np.max(c) < 0:
        return None
    left = j.residual - c[j.which] * bent
    size = j.size + np.abs(c[j.which] * bent)
    if not j.explained(left, float(np.max(np.abs(c))) + 1, size):
        return None
    return _said(j, c)


def _said(j: Judged, c: np.ndarray) -> Diagnosis:
    g2 = np.abs(c)
    what = f"g² = {number(float(g2[0]), EXACT)}"
    if np.ptp(g2) > EXACT * np.max(g2):
        what = f"g² = {g2[0]:.5g} at t = {j.times[0]:.3g} and {g2[-1]:.5g} at t = {j.times[-1]:.3g}"
    if c[0] < 0:
        return Diagnosis.cause(
            "flow_without_half",
            f"Cause: there is no noise, and the drift has ½ g² ∇log p too much taken away, {what}:"
            " a probability flow is f - ½ g² ∇log p, and f - g² ∇log p is the drift of the"
            " reverse-time SDE; take the ½ (flow_without_half).",
        )
    return Diagnosis.cause(
        "flow_without_score",
        f"Cause: there is no noise, and the density spreads as by {what}: pass that diffusion with"
        " the drift of the SDE; or, of a probability flow f - ½ g² ∇log p, the drift lacks"
        " -½ g² ∇log p (flow_without_score).",
    )
