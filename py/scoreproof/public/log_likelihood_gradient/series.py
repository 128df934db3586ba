"""Measurements as the solver's tolerance falls: the limit that they approach, how well known.

Conventions: vectors scaled so that errors are relative to the largest entry; tolerances fall.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.evidence import Evidence

__all__ = ["RESOLVED", "judged_limit", "limit"]

#: a limit over ``tol`` that is known to less than this (and than rounding) supports no "holds"
RESOLVED = 1e-4


def limit(series: list[np.ndarray]) -> tuple[np.ndarray, float] | None:
    """The limit of three measurements that approach it along one line at one rate (Aitken), and how
    far it was from the last.
    """
    if len(series) < 3:
        return None
    before, last = series[-2] - series[-3], series[-1] - series[-2]
    rate = float(before @ last) / (float(before @ before) or 1.0)
    if not 0 < rate < 0.5 or float(np.linalg.norm(last - rate * before)) > 0.02 * float(
        np.linalg.norm(last)
    ):
        return None
    correction = last * rate / (1 - rate)
    return series[-1] + correction, float(np.max(np.abs(correction)))


def judged_limit(
    series: list[np.ndarray],
    truth: np.ndarray,
    tols: tuple[float | None, ...],
    floor: float,
    accuracy: float,
    where: str,
    calls: int,
    resolved: float = RESOLVED,
) -> Evidence:
    """One measurement against ``accuracy``; several against the limit that the measurements
    themselves approach; one that is known to less than ``resolved`` supports no ``holds``.
    """
    errors = [float(np.max(np.abs(m - truth))) for m in series]
    sentence, cost = f"the gradient of log p̂ at {where}", {"gradient_calls": calls}
    if len(series) == 1:
        return Evidence.measured(errors[0], max(accuracy, floor), sentence, cost=cost)
    moves = [float(np.max(np.abs(a - series[-1]))) for a in series[:-1]]
    curves = {"error": (list(tols), errors), "change to the finest": (list(tols[:-1]), moves)}
    more: dict[str, Any] = {
        "curves": curves,
        "labels": ("tolerance", "relative error"),
        "cost": cost,
    }
    # the last change is the solver's own error at the last tolerance but one; at the finest it is
    # smaller by the rate seen so far, if three tolerances show one. Factors 10 and 30 for solvers
    # that converge in jumps
    rate = moves[-1] / moves[-2] if len(moves) > 1 and moves[-2] > 0 else 1.0
    bound = max(min(10.0, 30 * rate) * moves[-1], floor)
    found = limit(series)
    # a regular rate: the limit itself is judged, known to the size of the step that leads to it
    if found is not None:
        errors[-1] = float(np.max(np.abs(found[0] - truth)))
        bound = min(bound, max(found[1], floor))
    sentence += f" as the tolerance falls to {tols[-1]:g}"
    if max(moves) == 0 and floor < errors[-1] <= accuracy:
        return Evidence.undecided(
            "convergent", f"{sentence}: it does not depend on tol (error {errors[-1]:.2g})", **more
        )
    if bound > 100 * resolved:
        return Evidence.undecided(
            "convergent", f"{sentence}: it does not converge (last change {moves[-1]:.2g})", **more
        )
    if errors[-1] <= bound and bound > max(resolved, floor):
        return Evidence.undecided(
            "convergent",
            f"{sentence}: it is known to {bound:.2g} only; pass smaller tolerances",
            **more,
        )
    if errors[-1] > bound and found is None and errors[-1] < 0.3 * errors[-2]:
        # a solver that converges in jumps (orders and step sizes chosen from a list): its last
        # change may be small by chance
        return Evidence.undecided(
            "convergent",
            f"{sentence}: the error still falls, to {errors[-1]:.2g}; pass smaller tolerances",
            **more,
        )
    return Evidence.measured(errors[-1], bound, sentence, kind="convergent", **more)
