"""Why a form was refuted where the noise is no number: the reading of dW, or another matrix.

Conventions: as in `weak` and `terms`; g is what ``diffusion`` returned, D = g gᵀ; ``rest`` is what
all but the noise brings. Arrays ``(stretches, functions)``, relative to the scale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from scoreproof.causes.closed_forms import closed_form, number
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.fokker_planck.matrices import COVARIANCES, MATRICES, Matrix
from scoreproof.public.fokker_planck.other_readings import Brought, other_readings
from scoreproof.public.fokker_planck.readings import ITO, Reading

__all__ = ["Asked", "Spreading", "explained"]


class Spreading(Brought, Protocol):
    """The same with what the noise would bring with another matrix."""

    @property
    def spread(self) -> Callable[[Matrix, bool], np.ndarray]: ...
    @property
    def spread_of(self) -> Callable[[Matrix], np.ndarray]: ...


@dataclass(frozen=True)
class Asked:
    """How the noise is meant: the reading of dW, what ``diffusion`` returns, and further
    candidates (name, what it would bring, in words), looked at before other matrices and after;
    ``accepted``: the part of the limit that the caller's tolerance is.
    """

    reading: Reading = ITO
    what: str = "g"
    before: Callable[[], Iterable[tuple[str, np.ndarray, str]]] = tuple
    after: Callable[[], Iterable[tuple[str, np.ndarray, str]]] = tuple
    accepted: float = 0.0


def explained(
    w: Spreading,
    gained: np.ndarray,
    scale: np.ndarray | float,
    due: np.ndarray,
    limit: np.ndarray,
    asked: Asked,
) -> Diagnosis:
    """The first that explains every place, or every stretch and function, to the limit."""
    gained = gained / scale

    def explains(value: np.ndarray) -> bool:
        return bool(np.all(np.abs(gained - value / scale) <= limit))

    readings = list(other_readings(w, asked.reading))
    for name, value, text in readings:
        if explains(value):
            return Diagnosis.cause(name, f"Cause: {text} ({name}).")
    found = _factors(w, scale, gained, limit, asked)
    # of a constant noise another matrix may be a factor as well, and says more
    if found is not None and found.names != ("noise_factor",):
        return found
    for name, value, text in asked.before() if found is None else ():
        if explains(value):
            return Diagnosis.cause(name, f"Cause: {text} ({name}).")
    drift = w.drift.sum(axis=0)
    for name, of, flux, text in MATRICES if asked.what == "g" else COVARIANCES[asked.what]:
        try:
            # what is read as Fick is so with another matrix too
            value = drift + w.spread(of, flux or bool(asked.reading.fick))
        except ValueError:  # a g that is not square has no diagonal, nor a square
            continue
        if explains(value):
            return Diagnosis.cause(name, f"Cause: {text} ({name}).")
    if found is not None:
        return found
    for name, value, text in asked.after():
        if explains(value):
            return Diagnosis.cause(name, f"Cause: {text} ({name}).")
    power = None
    if w.drift.shape[0] == 1 and asked.what == "g":
        power = _power(w, scale, gained, limit)
    if power is not None:
        return power
    if not np.any(np.abs(gained) > limit):
        text = "the density does not depend on t, and drift and diffusion would change it"
        return Diagnosis.cause("density_constant", f"Cause: {text} (density_constant).")
    near = {name: value / scale for name, value, _ in readings}
    reasons = {name: text for name, _, text in readings}
    return diagnose(gained, due, near, reasons=reasons, read=False, limit=limit)


#: powers of x that D may be made of
POWERS = (0, 1, 2, 3, 4)


def _power(
    w: Spreading, scale: np.ndarray | float, gained: np.ndarray, limit: np.ndarray
) -> Diagnosis | None:
    """The D(x) that is needed in one dimension, a multiple of one power of x, or of g."""
    goal = gained - w.drift.sum(axis=0) / scale
    tried: list[tuple[str, np.ndarray]] = [
        (f"x^{k}" if k > 1 else ("x" if k else "1"), w.spread_of(lambda x, k=k: x**k))  # type: ignore[misc]
        for k in POWERS
    ]
    for m, text in ((0.5, "√|g|"), (1.5, "|g|^(3/2)"), (3.0, "|g|³")):
        tried.append((text, w.spread(lambda g, m=m: np.abs(g) ** m, False)))  # type: ignore[misc]
    for text, value in tried:
        column = value / scale / limit
        size = float(np.vdot(column, column))
        if size == 0:
            continue
        c = float(np.vdot(column, goal / limit)) / size
        if c > 0 and np.all(np.abs(goal - c * value / scale) <= limit * max(1.0, c)):
            shown = number(c, 2 * float(np.sqrt(column.size / size)) / c)
            return Diagnosis.cause(
                "another_power",
                f"Cause: the density needs the noise D = g² = {shown} {text}, and diffusion"
                f" returns a"
                " g of another form: compare its power of x, and return the square root of that D"
                " (another_power).",
            )
    return None


def _factors(
    w: Brought, scale: np.ndarray | float, gained: np.ndarray, limit: np.ndarray, asked: Asked
) -> Diagnosis | None:
    drift = w.drift.sum(axis=0) / scale
    read = asked.reading
    noise = (w.noise + read.fick * w.fick) / scale
    if read.alpha:
        noise = noise + 2 * read.alpha * w.correction / scale
    zero = 0 * drift
    told = []
    for family, column, rest in (
        ("noise", noise, drift),
        ("drift", drift, noise),
        ("clock", drift + noise, zero),
    ):
        weighted = column / limit
        size = float(np.vdot(weighted, weighted))
        if size == 0:
            continue
        c = float(np.vdot(weighted, (gained - rest) / limit)) / size
        # rounding grows with a coefficient; what is accepted is a part of what it makes of them
        terms = np.abs(gained) + np.abs(rest) + np.abs(column)
        made = np.abs(gained) + np.abs(rest) + abs(c) * np.abs(column)
        part = np.minimum(made / np.maximum(terms, 1e-300), max(1.0, abs(c)))
        exact = np.maximum(limit - asked.accepted, 0.0)
        room = exact * max(1.0, abs(c)) + np.minimum(limit, asked.accepted) * part
        if np.any(np.abs(gained - rest - c * column) > room):
            continue
        within = 2 * float(np.sqrt(column.size / size))
        if family == "clock" and abs(c) <= within:
            continue
        told.append(_told(family, c, within, asked.what))
    if not told:
        return None
    if len(told) == 1:
        name, text = told[0]
        return Diagnosis.cause(name, f"Cause: {text} ({name}).")
    text = "; or ".join(f"{what} ({name})" for name, what in told)
    names = tuple(name for name, _ in told)
    return Diagnosis(
        names, 0.0, None, f"Cause: one of these, which cannot be told apart here: {text}."
    )


def _told(family: str, c: float, within: float, what: str) -> tuple[str, str]:
    relative = within / max(abs(c), 1e-300)
    shown, form = number(c, relative), closed_form(c, relative) or f"{c:.5g}"
    if family == "noise":
        if what == "covariance" and abs(c - 2) <= within:
            return (
                "diffusivity_for_covariance",
                "diffusion returns the diffusivity D = ½ g gᵀ where Σ = g gᵀ = 2D is due: pass"
                " diffusion_is='diffusivity'; or the density spreads twice as fast, the ½ of"
                " ½ Σ ∂_i∂_j (Σ_ij p) left out",
            )
        if what == "diffusivity" and abs(c - 0.5) <= within:
            return (
                "covariance_for_diffusivity",
                "diffusion returns Σ = g gᵀ where the diffusivity D = ½ g gᵀ is due: pass"
                " diffusion_is='covariance'; or the density spreads half as fast, with"
                " ½ Σ ∂_i∂_j (D_ij p) where Σ ∂_i∂_j (D_ij p) is due",
            )
        if abs(c - 2) <= within:
            return (
                "half_missing",
                "diffusion returns √D where √(2D) is due, the coefficient of dW; or, if it is"
                " right, the density spreads with Σ ∂_i∂_j (D_ij p) where half of that is due: the"
                " ½ is left out",
            )
        if abs(c - 0.5) <= within:
            return (
                "half_twice",
                "the density spreads with ¼ Σ ∂_i∂_j (D_ij p) where ½ is due: the ½ is taken twice",
            )
        if abs(c) <= within:
            return "noise_not_due", "the density has no noise at all"
        if abs(c + 1) <= within:
            return "laplacian_sign", "the noise would have to be negative"
        root = f", that is diffusion by {np.sqrt(c):.5g}" if c > 0 else ""
        return "noise_factor", f"D = g gᵀ is to be multiplied by {form}{root} ({shown} times)"
    if family == "drift":
        if abs(c + 1) <= within:
            return "drift_sign", "the sign of the drift: return -f"
        return "drift_factor", f"the drift is to be {shown} times what it is: multiply it by {form}"
    if abs(c + 1) <= within:
        return "reversed_clock", "time is counted downward: the density is given T - t for t"
    return (
        "clock_factor",
        f"the density runs through time {shown} times as fast as drift and diffusion say",
    )
