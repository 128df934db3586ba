"""What the Jacobian's own form says: planar and radial maps, couplings that read what they move."""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.normalizing_flow.determinants import determinants
from scoreproof.public.normalizing_flow.frameworks import module_of
from scoreproof.public.normalizing_flow.jacobians import as_autodiff_says
from scoreproof.public.normalizing_flow.look import Look

__all__ = ["bent", "forms", "is_planar", "is_radial", "reads_itself", "woven"]


def forms(look: Look) -> dict[str, np.ndarray]:
    """Candidates of maps ``x + u h(wᵀx + b)`` and ``x + β h(r) (x - x_0)``."""
    d = look.x.shape[1]
    with np.errstate(all="ignore"):
        return {**_planar(look), **_radial(look)} if d > 1 else {}


def _planar(look: Look) -> dict[str, np.ndarray]:
    d = look.x.shape[1]
    part = look.jac.entries - np.eye(d)
    values = np.linalg.svd(part, compute_uv=False)
    if np.any(values[:, 1] > 1e-6 * (1 + values[:, 0])):
        return {}
    trace = np.trace(part, axis1=1, axis2=2)
    moved = look.answer.z - look.x
    axis = np.linalg.svd(moved)[2][0]
    p = moved @ axis  # |u| tanh, but for a sign
    # uᵀψ = c (1 - κ² p²): linear in p²
    design = np.stack([np.ones_like(p), p**2], axis=1)
    (c, slope), *_ = np.linalg.lstsq(design, trace, rcond=None)
    misfit = np.max(np.abs(design @ [c, slope] - trace))
    found = {"planar_no_one": np.log(np.abs(trace)), "planar_sign": np.log(np.abs(1 - trace))}
    if misfit > 1e-6 * np.max(np.abs(trace)) or slope * c >= 0:
        return found
    h = np.sqrt(-slope / c) * p
    found["planar_no_h_prime"] = np.full(len(p), np.log(np.abs(1 + c)))
    # which way u points is not known
    found["planar_tanh_as_h_prime"] = _nearer(look, [1 + c * h, 1 - c * h])
    found["planar_no_square"] = _nearer(look, [1 + c * (1 - h), 1 + c * (1 + h)])
    found["planar_tanh_twice"] = np.log(np.abs(1 + c * (1 - np.tanh(h) ** 2)))
    found |= _other_u(look, c, h)
    fit = np.abs(h) < 0.99
    if np.sum(fit) > d + 1:
        # wᵀx + b, but for the sign of both
        inner = np.arctanh(np.clip(h, -1 + 1e-15, 1 - 1e-15))
        rows = np.hstack([look.x, np.ones((len(p), 1))])
        (*_, b), *_ = np.linalg.lstsq(rows[fit], inner[fit], rcond=None)
        for name, less in (("planar_no_bias", b), ("planar_bias_sign", 2 * b)):
            found[name] = np.log(np.abs(1 + c * (1 - np.tanh(inner - less) ** 2)))
    return found


def _other_u(look: Look, c: float, h: np.ndarray) -> dict[str, np.ndarray]:
    """``1 + c' (1 - h²)`` of another c' than the map's."""
    assert look.answer.log_det is not None
    slope = 1 - h**2
    k = int(np.argmax(slope))
    for sign in (1, -1):
        other = (sign * np.exp(look.answer.log_det[k]) - 1) / slope[k]
        value = np.log(np.abs(1 + other * slope))
        own = min(abs(other - c), abs(other + c), abs(other)) > 1e-3 * abs(c)
        if own and np.max(np.abs(value - look.answer.log_det)) < 1e-6:
            return {"planar_other_u": value}
    return {}


def is_planar(look: Look) -> bool:
    """Whether J - 1 has rank one at every point, and is another from point to point."""
    part = look.jac.entries - np.eye(look.x.shape[1])
    values = np.linalg.svd(part, compute_uv=False)
    return bool(np.all(values[:, 1] <= 1e-6 * (1 + values[:, 0])) and np.ptp(part) > 1e-6)


def _nearer(look: Look, factors: list[np.ndarray]) -> np.ndarray:
    """The logarithm of the one that is nearer to what is returned."""
    logs = [np.log(np.abs(f)) for f in factors]
    assert look.answer.log_det is not None
    claimed = np.nan_to_num(look.answer.log_det)
    return min(logs, key=lambda v: float(np.linalg.norm(v - claimed)))


def _radial(look: Look) -> dict[str, np.ndarray]:
    d = look.x.shape[1]
    if d < 3:
        return {}
    values = np.linalg.eigvals(look.jac.entries)
    middle = np.median(values.real, axis=1)
    odd = np.argmax(np.abs(values - middle[:, None]), axis=1)
    rows = np.arange(len(values))
    last = values[rows, odd].real
    rest = values.copy()
    rest[rows, odd] = middle
    if np.max(np.abs(rest - middle[:, None])) > 1e-6 or np.ptp(middle) < 1e-6:
        return {}
    one, other = np.log(np.abs(middle)), np.log(np.abs(last))
    return {
        "radial_power": d * one + other,
        "radial_once": one + other,
        "radial_last": (d - 1) * one,
        "radial_only": other,
    }


def is_radial(look: Look) -> bool:
    """Whether all eigenvalues of J but one are one number, another one at other points."""
    return bool(_radial(look))


def woven(look: Look) -> list[int]:
    """Coordinates that no order makes triangular: each reaches the other through J's entries."""
    d = look.x.shape[1]
    linked = np.max(np.abs(look.jac.entries), axis=0) > 1e-9
    reach = linked | np.eye(d, dtype=bool)
    for _ in range(max(1, int(np.ceil(np.log2(d + 1))))):
        reach = (reach.astype(np.float32) @ reach.astype(np.float32)) > 0
    both = reach & reach.T & ~np.eye(d, dtype=bool)
    return [int(i) for i in np.flatnonzero(np.any(both, axis=1))]


def reads_itself(look: Look, ok: np.ndarray) -> Diagnosis | None:
    """Whether log_det is right with the outputs of one of the module's nets held fixed: then that
    net sees the coordinates that its output scales.
    """
    module = module_of(look.flow.object)
    if module is None or look.answer.log_det is None:
        return None
    nets = [
        (name, m)
        for name, m in module.named_modules()
        if name and any(True for _ in m.parameters()) and "." not in name
    ]
    for name, net in nets + ([("its nets", None)] if len(nets) > 1 else []):
        held = [net] if net is not None else [m for _, m in nets]
        handles = [m.register_forward_hook(_held) for m in held]
        try:
            jac = as_autodiff_says(look.flow, look.x)
        finally:
            for handle in handles:
                handle.remove()
        if jac is None:
            continue
        other = determinants(jac)
        off = np.abs(other.log_det - look.answer.log_det)[ok]
        gap = np.abs(look.det.log_det - look.answer.log_det)[ok]
        # all of the flow may pass through a net: with that held there is no Jacobian
        known = np.all(np.isfinite(off)) and np.max(other.error[ok]) <= 1e-2 * np.max(gap)
        if known and np.all(off <= (other.error + look.bound)[ok]):
            return Diagnosis.cause(
                "reads_what_it_moves",
                f"Cause: log_det is that of the map with the output of {name} held fixed, but"
                f" {name} reads the coordinates that its output scales or shifts: a coupling's net"
                " may see only the half that is left as it is, an autoregressive one only earlier"
                " coordinates. Mend the mask.",
            )
    return None


def bent(look: Look) -> list[int]:
    """Coordinates i of which z_i is no affine function of x_i, where the others are held."""
    n, d = look.x.shape
    steps = (-0.5, 0.0, 0.5)
    moved = np.stack([look.x + h * np.eye(d)[i] for h in steps for i in range(d)])
    z = look.flow.forward(moved.reshape(-1, d)).z.reshape(len(steps), d, n, d)
    own = np.einsum("kini->kin", z)
    with np.errstate(all="ignore"):
        off = np.max(np.abs(own[0] - 2 * own[1] + own[2]), axis=1)
    return [int(i) for i in np.flatnonzero(off > 1e-5 * (1 + np.max(np.abs(own[1]), axis=1)))]


def _held(module: Any, given: Any, out: Any) -> Any:
    if isinstance(out, tuple | list):
        return type(out)(o.detach() if hasattr(o, "detach") else o for o in out)
    return out.detach() if hasattr(out, "detach") else out
