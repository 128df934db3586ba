"""Why a solution on a grid was refuted: another equation that it solves, other axes, other factors.

Conventions: as in `measure`; a cause is claimed where what it leaves is within what is accepted,
the bound and what a solver of first order may leave, and no more than a tenth of what was found.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.fokker_planck.grid.coefficients import Local, Process, local
from scoreproof.public.fokker_planck.grid.found import Found
from scoreproof.public.fokker_planck.grid.lacking import lacking
from scoreproof.public.fokker_planck.grid.measure import Term
from scoreproof.public.fokker_planck.grid.reasons import GRID_REASONS, SAME
from scoreproof.public.fokker_planck.grid.refit import (
    clock,
    ended,
    factored,
    later,
    shifted,
    stretched,
)

__all__ = ["explained"]


def explained(found: Found, process: Process, accepted: np.ndarray) -> Diagnosis | None:
    """The first that explains all places; ``accepted``: what may be left, relative to the terms
    ``(stretches, functions)``.
    """
    seen, scale = found.seen, found.scale
    limit = accepted[seen]
    gained = (found.parts.gained / scale)[seen]
    due = (found.parts.brought / scale)[seen]
    tried = {name: (v / scale)[seen] for name, v in _equations(found, process).items()}
    # of equations that are the same here, as where there is no drift, one is enough
    told = diagnose(
        gained,
        due,
        tried,
        resolution=0.02,
        reasons=GRID_REASONS,
        limit=limit,
        read=False,
    )
    p = found.measure.solution.p
    if not np.any(p != p[:1]):
        return _still(told)
    if told.names:
        return told
    for attempt in (clock, shifted, later, ended, factored, stretched, lacking):
        cause = attempt(found, process, accepted)
        if cause is not None:
            return cause
    return told


def _still(told: Diagnosis) -> Diagnosis:
    """Of states that are all the same: a density that another equation leaves as it is, or a list
    that holds one array; factors are not asked, for of a bell one always fits.
    """
    if not told.names:
        return Diagnosis.cause("same_state_saved", f"Cause: {SAME} (same_state_saved).")
    text = f"{told.sentence} Or {SAME} (same_state_saved)."
    return replace(told, names=(*told.names, "same_state_saved"), sentence=text)


def _equations(found: Found, process: Process) -> dict[str, np.ndarray]:
    """What each test function would have gained under another equation."""
    d = found.measure.solution.dimension
    whole = found.parts
    noise = whole.noise.sum(axis=0) + whole.cross
    terms: dict[str, Term] = {
        "divergence": lambda h: (h.divergence, None, None),
        "reading": lambda h: (None, h.reading, None),
        "once": lambda h: (None, None, _diagonal(h.g) / 2),
        "squared": lambda h: (None, None, np.einsum("nii->ni", h.D) ** 2 / 2),
    }
    if process.of_state:
        terms |= {
            "stratonovich": lambda h: (None, h.stratonovich, None),
            "fick": lambda h: (None, h.fick, None),
            "bend": lambda h: (_bend(h), None, None),
        }
    part = found.measure.integrated(process, terms)
    drift = whole.drift.sum(axis=0) - part["reading"]
    full = noise + part["reading"]
    out = {
        "drift_sign": full - drift,
        "drift_left_out": full,
        "noise_left_out": drift,
        "laplacian_sign": drift - full,
        "half_missing": drift + 2 * full,
        "half_twice": drift + full / 2,
        "gradient_outside": drift + part["divergence"] + full,
        "backward_operator": full - drift - part["divergence"],
        "reversed_clock": -(drift + full),
    }
    if not process.of_state:
        out |= {
            "rho_not_squared": drift + part["once"],
            "rho_for_half_rho_squared": drift + 2 * part["once"],
            "rho_squared_twice": drift + part["squared"],
        }
    else:
        readings = {
            "ito": drift + noise,
            "stratonovich": drift + noise + part["stratonovich"],
            "fick": drift + noise + part["fick"],
            "noise_outside": drift + noise + 2 * part["fick"] + part["bend"],
        }
        meant = process.reading.name
        out |= {
            f"{name}_read_as_{meant}" if name != "noise_outside" else name: v
            for name, v in readings.items()
            if name != meant
        }
    if d == 2:
        out |= dict(_coordinates(found, process))
    return {name: v for name, v in out.items() if np.any(v != whole.brought)}


def _diagonal(g: np.ndarray) -> np.ndarray:
    """The diagonal ``(n, d)``; nan where g is not square, and has none."""
    if g.shape[1] != g.shape[2]:
        return np.full(g.shape[:2], np.nan)
    return np.einsum("nii->ni", g)


def _bend(h: Local) -> np.ndarray:
    """``½ ∂_i ∂_j D_ij``: with twice the Fick drift it makes ½ D ∂∂p of ½ ∂∂(D p)."""
    return np.einsum("nii->n", h.slopes(lambda x: local(h.process, x, h.t, h.sides).fick))


def _coordinates(found: Found, process: Process) -> Iterator[tuple[str, np.ndarray]]:
    """What is wrong in one coordinate of two, or exchanged between them."""
    whole = found.parts
    for i, name in enumerate(found.measure.solution.names):
        yield f"drift_sign_of_{name}", whole.brought - 2 * whole.drift[i]
        yield f"drift_of_{name}_left_out", whole.brought - whole.drift[i]
        yield f"noise_of_{name}_left_out", whole.brought - whole.noise[i]
        yield f"half_missing_of_{name}", whole.brought + whole.noise[i]
    if np.any(whole.cross):
        yield "cross_noise_left_out", whole.brought - whole.cross
        yield "cross_noise_once", whole.brought - whole.cross / 2
    other = found.measure.integrated(
        process, {"turned": lambda h: (None, None, np.einsum("nii->ni", h.D)[:, ::-1] / 2)}
    )["turned"]
    yield "noises_exchanged", whole.brought - whole.noise.sum(axis=0) + other
    turned = found.measure.parts(replace(process, turned=True))[0].brought
    yield "axes_exchanged", turned
