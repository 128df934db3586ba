"""What log_det is where the sum, its sign or its factor is wrong.

Conventions: candidates are named, each predicts log_det ``(n,)``; `words` says what each is.
"""

from __future__ import annotations

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.normalizing_flow.determinants import determinants
from scoreproof.public.normalizing_flow.jacobians import jacobian
from scoreproof.public.normalizing_flow.look import Look
from scoreproof.public.normalizing_flow.reading import Answer

__all__ = ["active", "sums"]


def active(look: Look) -> np.ndarray:
    """The coordinates that are scaled somewhere, ``(d,)``."""
    return np.any(np.abs(look.diagonal - 1) > 1e-9, axis=0)


def sums(look: Look) -> dict[str, np.ndarray]:
    """The candidates."""
    due, (n, d), shape = look.det.log_det, look.x.shape, look.flow.job.shape or ()
    diagonal = np.abs(look.diagonal)
    moves = active(look)
    ok = np.isfinite(look.det.error)
    with np.errstate(all="ignore"):
        logs = np.log(diagonal)
        found = {
            "sign": -due,
            "missing": np.zeros(n),
            "half": due / 2,
            "twice": 2 * due,
            "mean_over_dims": due / d,
            "summed_over_batch": np.full(n, np.sum(due[ok])),
            "averaged_over_batch": np.full(n, np.mean(due[ok])),
            "no_log": np.exp(due),
            "inverse_determinant": np.exp(-due),
            "diagonal_only": logs.sum(axis=1),
            "wrong_sign_of_part": np.abs(logs).sum(axis=1),
        }
        if 0 < moves.sum() < d:
            found["mean_over_transformed"] = due / moves.sum()
    if d > 3 and d % 2 == 0:
        found["mean_over_half"] = due / (d // 2)
    if len(shape) > 1:
        pixels = int(np.prod(shape[1:]))
        found["pixels"], found["pixels_twice"] = due / pixels, due * pixels
        found["channels_only"] = due / shape[0]
        if len(shape) == 3:
            found["one_axis"] = due / shape[1]
    found |= _elsewhere(look)
    return {k: v for k, v in found.items() if d > 1 or not k.startswith("mean")}


def _back(look: Look) -> Answer | None:
    try:
        return look.flow.inverse(look.x)
    except CallableError:  # x need not be in the inverse's domain
        return None


def _elsewhere(look: Look) -> dict[str, np.ndarray]:
    """log |det J| at other points than x."""
    found, flow, z = {}, look.flow, look.answer.z
    if flow.tried(z) is not None:
        found["at_z"] = determinants(jacobian(flow, z)).log_det
    back = _back(look)
    if back is not None and np.all(np.isfinite(back.z)):
        found["inverse_at_x"] = -determinants(jacobian(flow, back.z)).log_det
    return found
