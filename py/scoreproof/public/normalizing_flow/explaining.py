"""Why log_det was refuted: candidates, constants, places, and what the Jacobian's form says."""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.normalizing_flow import scales, structure, sums
from scoreproof.public.normalizing_flow.constants import of_constant
from scoreproof.public.normalizing_flow.layers import Layers, added, layers_of, reasons_of
from scoreproof.public.normalizing_flow.look import Look
from scoreproof.public.normalizing_flow.words import REASONS
from scoreproof.words import enumerated

__all__ = ["explained"]

#: the part of a deviation that an entry's own error may leave
ENTRIES = 1e-6


def explained(look: Look, ok: np.ndarray, of_batch: bool) -> Diagnosis | None:
    """``ok``: rows with a reference; ``of_batch``: log_det changes with the other rows."""
    claimed = look.answer.log_det
    assert claimed is not None
    every = {**sums.sums(look), **scales.scales(look), **structure.forms(look)}
    layers = layers_of(look, ok)
    of_layers = {} if layers is None else added(layers)
    found = diagnose(
        claimed[ok],
        look.det.log_det[ok],
        {name: p[ok] for name, p in (every | of_layers).items()},
        reasons=REASONS | reasons_of(of_layers),
        limit=2 * look.bound[ok],
        read=False,
    )
    if found.names:
        return found
    # what is read off the Jacobian's entries is as exact as they are, not as the determinant is
    near = {**scales.scales(look), **structure.forms(look)}
    off = np.abs(claimed - look.det.log_det)[ok]
    read = diagnose(
        claimed[ok],
        look.det.log_det[ok],
        {name: p[ok] for name, p in near.items()},
        reasons=REASONS,
        limit=2 * look.bound[ok] + ENTRIES * np.max(off),
        read=False,
    )
    if read.names:
        return read
    if of_batch:
        return Diagnosis.cause(
            "log_det_mixes_rows",
            "Cause: log_det of a row changes with the other rows of the batch, while z does not:"
            " take its sums over the sample's axes, never over axis 0.",
        )
    for other in (of_constant(look, ok), structure.reads_itself(look, ok), _epsilon(look, ok)):
        if other is not None:
            return other
    return _places(look, ok) or _sums(layers, found) or _form(look, found)


def _sums(layers: Layers | None, found: Diagnosis) -> Diagnosis | None:
    """No cause, and layers that are right by themselves."""
    if layers is None:
        return None
    first, last = layers.names[0], layers.names[-1]
    return Diagnosis.unknown(
        f"{found.sentence} The log_dets that its {len(layers.names)} layers return, {first} to"
        f" {last}, add up to what is due: what is returned is another sum of them."
    )


def _epsilon(look: Look, ok: np.ndarray) -> Diagnosis | None:
    """An ε inside the logarithm of each scale, ``log(a + ε)``."""
    assert look.answer.log_det is not None
    a = np.abs(look.diagonal)[ok]
    off = (look.answer.log_det - look.det.log_det)[ok]
    moves = np.any(np.abs(a - 1) > 1e-9, axis=0)
    k = int(np.argmax(np.abs(off)))
    if not np.any(moves) or np.any(off < -look.bound[ok]):
        return None
    low, high = 0.0, 0.5

    def shift(eps: float) -> np.ndarray:
        return np.log1p(eps / a[:, moves]).sum(axis=1)

    with np.errstate(all="ignore"):
        for _ in range(200):
            middle = (low + high) / 2
            low, high = (middle, high) if shift(middle)[k] < off[k] else (low, middle)
        misfit = np.abs(shift(low) - off)
    if not np.all(misfit <= 2 * look.bound[ok] + 1e-3 * np.max(np.abs(off))):
        return None
    return Diagnosis.cause(
        "epsilon",
        f"Cause: {low:.3g} is added inside the logarithm, log(scale + {low:.3g}), and not to the"
        f" scale itself: log_det is up to {np.max(off):.3g} too large, more where the map is"
        " flat. Use a form that needs none (for tanh: 2 (log 2 - x - softplus(-2x))), or accept it"
        " by tolerance=.",
    )


def _places(look: Look, ok: np.ndarray) -> Diagnosis | None:
    """Right near 0, wrong far out."""
    assert look.answer.log_det is not None
    wrong = (np.abs(look.answer.log_det - look.det.log_det) > look.bound) & ok
    right = ok & ~wrong
    if not np.any(right):
        return None
    out = np.max(np.abs(look.x), axis=1)
    inside, beyond = float(np.max(out[right])), float(np.min(out[wrong]))
    if inside >= beyond:
        return None
    far = np.abs(look.x[wrong]) > inside
    flat = np.all(np.abs(np.abs(look.diagonal[wrong][far]) - 1) < 1e-6)
    if flat:
        return Diagnosis.cause(
            "tails",
            f"Cause: log_det is right for |x| up to {inside:.3g} and wrong from {beyond:.3g} on,"
            " where the map is the identity: in the tails the log-derivative is 0. Mask it by the"
            " same condition as z.",
        )
    return Diagnosis.cause(
        "far_out",
        f"Cause: log_det is right for |x| up to {inside:.3g} and wrong from {beyond:.3g} on: there"
        " z follows another rule (a clamp, a tail) than log_det does. Use the clamped scale, or the"
        " tail's slope, in both.",
    )


def _form(look: Look, found: Diagnosis) -> Diagnosis:
    """No cause; what the Jacobian's form says."""
    if look.x.shape[1] > 64:
        return found
    knot = structure.woven(look)
    if len(knot) > 1 and (kind := _named_form(look)):
        return Diagnosis.unknown(f"{found.sentence} {kind}")
    if len(knot) > 1:
        shown = enumerated(knot[:6]) + (" and more" if len(knot) > 6 else "")
        return Diagnosis.unknown(
            f"{found.sentence} No order of the coordinates makes the Jacobian triangular:"
            f" coordinates {shown} depend on each other. One coupling or autoregressive layer has"
            " a triangular one, whose log-scales add up to log_det; several of them have not: look"
            " at each layer by itself."
        )
    own = structure.bent(look)
    if not own:
        return found
    shown = enumerated(own[:6]) + (" and more" if len(own) > 6 else "")
    return Diagnosis.unknown(
        f"{found.sentence} z_i is not affine in x_i for the coordinates {shown}: if the layer is"
        " meant to be z_i = a_i x_i + t_i, the net of a_i and t_i reads x_i itself; its mask has to"
        " be strict."
    )


def _named_form(look: Look) -> str:
    """Of a map that no order makes triangular, which kind of layer it looks like."""
    j = look.jac.entries
    if np.max(np.abs(j - j[:1])) <= 1e-9 * np.max(np.abs(j)):
        return (
            "The map is affine, its Jacobian is one matrix W at all points: log |det W| ="
            f" {look.det.log_det[0]:.6g} is due at each of them."
        )
    if structure.is_planar(look):
        return (
            "∂z/∂x - 1 has rank one, as a planar layer's: for z = x + u h(wᵀx + b), log |1 + h'(wᵀx"
            " + b) uᵀw| is due, with the same u, w and b as in z."
        )
    if structure.is_radial(look):
        return (
            "All eigenvalues of ∂z/∂x but one are alike, as a radial layer's: (d - 1) log |1 + β"
            " h(r)| + log |1 + β h(r) + β h'(r) r| is due."
        )
    return ""
