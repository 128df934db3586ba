"""Why an inverse does not lead back: what it returned against what mistakes would have.

Conventions: of an affine coupling, a and t are read off forward: ``z_i = a_i x_i + t_i`` in the
coordinates that it moves.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.interop.frameworks import require
from scoreproof.public.normalizing_flow.constants import left_out
from scoreproof.public.normalizing_flow.determinants import determinants
from scoreproof.public.normalizing_flow.frameworks import module_of
from scoreproof.public.normalizing_flow.inner import Judge, of_layers, turned
from scoreproof.public.normalizing_flow.jacobians import jacobian
from scoreproof.public.normalizing_flow.look import Look
from scoreproof.public.normalizing_flow.words import OF_INVERSES as REASONS
from scoreproof.words import enumerated

__all__ = ["explained", "of_its_log_det"]


def explained(
    look: Look, back: np.ndarray, limit: np.ndarray, of_one: Judge | None = None
) -> Diagnosis:
    """``back`` ``(n, d)`` in place of x; ``limit`` what is no deviation; ``of_one`` judges the
    inverse of one layer.
    """
    x, z = look.x, look.answer.z
    named = left_out(x, back, limit) or _halves(look, back, limit) or _clipped(x, back, limit)
    if named is not None:
        return named
    found = {"nothing_done": z}
    again = look.flow.tried(z)
    if again is not None:
        found["forward_again"] = again
    found |= _of_coupling(look) | _of_matrix(look)
    ok = {k: v for k, v in found.items() if np.all(np.isfinite(v))}
    cause = diagnose(back, x, ok, reasons=REASONS, limit=2 * limit, read=False)
    if cause.names:
        return cause
    if look.noise:
        return Diagnosis.cause(
            "noise",
            "Cause: it draws random numbers (dropout, noise), and other ones on the way back: call"
            " .eval(), or hand the same noise to both.",
        )
    exchanged = _exchanged(x, back, limit)
    if exchanged is not None:
        return exchanged
    order = _order(look, limit)
    if order is not None:
        return order
    inner = turned(look, limit) or (None if of_one is None else of_layers(look, of_one))
    if inner is not None and inner.names:
        return inner
    eps = _batch_norm(look, back, limit)
    rest = eps or inner
    if rest is not None:
        return rest
    wrong = np.flatnonzero(np.any(np.abs(back - x) > limit, axis=0))
    if 0 < len(wrong) < x.shape[1]:
        shown = enumerated([int(i) for i in wrong[:8]]) + (" and more" if len(wrong) > 8 else "")
        which = f"Coordinates {shown} of {x.shape[1]} do not come back, the others do."
        return Diagnosis.unknown(which)
    return diagnose(back, x, {}, limit=2 * limit)


def _halves(look: Look, back: np.ndarray, limit: np.ndarray) -> Diagnosis | None:
    """The other half is changed: the mask is the wrong way round."""
    moved = np.any(np.abs(look.answer.z - look.x) > limit, axis=0)
    changed = np.any(np.abs(back - look.answer.z) > limit, axis=0)
    if moved.all() or not moved.any() or np.any(changed & moved) or not np.any(changed & ~moved):
        return None
    shown = enumerated([int(i) for i in np.flatnonzero(moved)[:6]])
    return Diagnosis.cause(
        "mask_reversed",
        f"Cause: forward changes coordinates {shown}, the inverse the other ones: its mask, or the"
        " halves that it splits z into, are the wrong way round.",
    )


def _exchanged(x: np.ndarray, back: np.ndarray, limit: np.ndarray) -> Diagnosis | None:
    """The right numbers in the wrong places."""
    d = x.shape[1]
    if d > 512:
        return None
    alike = np.all(np.abs(back[:, :, None] - x[:, None, :]) <= limit[:, None, :], axis=0)
    if not np.all(alike.sum(axis=0) == 1) or not np.all(alike.sum(axis=1) == 1):
        return None
    order = [int(j) for j in np.argmax(alike, axis=1)]
    shown = enumerated(order[:8]) + (" and more" if d > 8 else "")
    return Diagnosis.cause(
        "exchanged",
        f"Cause: x comes back with its coordinates in another order ({shown}): the inverse joins"
        " the halves, or the pixels, in another way than forward splits them.",
    )


def _clipped(x: np.ndarray, back: np.ndarray, limit: np.ndarray) -> Diagnosis | None:
    wrong = np.abs(back - x) > limit
    values = back[wrong]
    top = values[x[wrong] > values]
    low = values[x[wrong] < values]
    for part in (top, low):
        if part.size and np.ptp(part) > 1e-6 * (1 + np.max(np.abs(part))):
            return None
    if values.size < 2 or values.size == back.size:
        return None
    ends = [f"{float(p[0]):.4g}" for p in (low, top) if p.size]
    return Diagnosis.cause(
        "clipped",
        f"Cause: {REASONS['clipped']} (at {enumerated(ends)}).",
    )


def _of_coupling(look: Look) -> dict[str, np.ndarray]:
    """z = a x + t with a and t of other coordinates, or of none."""
    x, z = look.x, look.answer.z
    a = look.diagonal
    if np.any(np.abs(a) < 1e-12):
        return {}
    t = z - a * x
    return {
        "scale_sign": (z - t) * a,
        "shift_after": z / a - t,
        "shift_first": (z - t / a) / a,
        "scale_sign_after": z * a - t,
        "scale_sign_of_sum": z * a - t / a,
        "shift_sign": (z + t) / a,
        "shift_missing": z / a,
        "scale_missing": z - t,
    }


def _of_matrix(look: Look) -> dict[str, np.ndarray]:
    """An affine map."""
    j = look.jac.entries
    if np.max(np.abs(j - j[:1])) > 1e-6 * np.max(np.abs(j)):
        return {}
    z = look.answer.z
    b = z - look.x @ j[0].T
    found = {
        "transposed": (z - b) @ j[0],
        "matrix_again": (z - b) @ j[0].T,
        "bias_left": np.linalg.solve(j[0], z.T).T,
    }
    entries = np.abs(j[0]) > 0
    if np.all(entries.sum(axis=0) == 1) and np.all(entries.sum(axis=1) == 1):
        order = np.argmax(entries, axis=1)  # z_i is a multiple of x at order[i]
        found["permutation_again"] = ((z - b) / j[0][np.arange(len(order)), order])[:, order]
    return found


def _order(look: Look, limit: np.ndarray) -> Diagnosis | None:
    """Whether x comes back once the module's layers stand in the opposite order."""
    module = module_of(look.flow.object)
    if module is None:
        return None
    torch = require("torch")
    lists = [m for m in module.modules() if isinstance(m, torch.nn.ModuleList) and len(m) > 1]
    tables = [
        p
        for p in (*module.parameters(recurse=False), *module.buffers(recurse=False))
        if p.ndim > 1 and any(len(p) == len(m) for m in lists)
    ]
    if not lists:
        return None

    def turn() -> None:
        for m in lists:
            m._modules = dict(zip(m._modules, reversed(m._modules.values()), strict=True))
        with torch.no_grad():
            for p in tables:
                p.copy_(p.flip(0).clone())

    turn()
    try:
        back = look.flow.inverse(look.answer.z)
    finally:
        turn()
    if back is None or np.any(~(np.abs(back.z - look.x) <= limit)):
        return None
    return Diagnosis.cause(
        "order_not_reversed",
        "Cause: the inverse goes through the layers in forward's order: the last one of forward has"
        " to be undone first, for layer in reversed(layers).",
    )


def _batch_norm(look: Look, back: np.ndarray, limit: np.ndarray) -> Diagnosis | None:
    """x comes back scaled a little, coordinate by coordinate, by one number each: an ε."""
    if len(back) < 4:
        return None
    a = [np.polyfit(look.x[:, i], back[:, i], 1) for i in range(look.x.shape[1])]
    line = np.stack([np.polyval(c, look.x[:, i]) for i, c in enumerate(a)], axis=1)
    if np.any(np.abs(line - back) > limit):
        return None
    slopes = np.array([c[0] for c in a])
    return Diagnosis.cause(
        "other_constants",
        "Cause: the inverse uses other constants than forward: coordinate by coordinate x comes"
        f" back as an affine function of itself, with slopes {min(slopes):.6g} to"
        f" {max(slopes):.6g}. Mean, variance, the ε beside it, γ and β have to be the same"
        " numbers in both.",
    )


def of_its_log_det(look: Look, claimed: np.ndarray, ok: np.ndarray, bound: np.ndarray) -> Diagnosis:
    """The inverse's log_det."""
    due, n = -look.det.log_det, len(look.x)
    z = look.answer.z
    candidates = {
        "inverse_sign": -due,
        "inverse_missing": np.zeros(n),
        "inverse_mean": due / look.x.shape[1],
    }
    if look.flow.tried(z) is not None:
        candidates["inverse_at_z"] = -determinants(jacobian(look.flow, z)).log_det
    reasons = {
        "inverse_sign": "the inverse returns forward's log_det: it has to be minus that, log"
        " |det ∂x/∂z|",
        "inverse_missing": "the inverse returns no log-determinant of its own: it has to be minus"
        " forward's",
        "inverse_mean": "the inverse's log_det is averaged over the coordinates: sum it",
        "inverse_at_z": "the inverse's log_det is evaluated at z as if that were x: take minus"
        " forward's at the x that it returns",
    }
    return diagnose(
        claimed[ok],
        due[ok],
        {k: v[ok] for k, v in candidates.items()},
        reasons=reasons,
        limit=2 * bound,
    )
