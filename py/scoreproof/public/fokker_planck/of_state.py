"""Why the weak form was refuted where the noise depends on x: the reading of dW, or another matrix.

Conventions: as in `weak`; g is what ``diffusion`` returned, D = g gᵀ; ``rest`` is what all but the
noise brings. Arrays ``(stretches, functions)``, relative to the scale.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.causes.closed_forms import closed_form, number
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.fokker_planck.matrices import MATRICES
from scoreproof.public.fokker_planck.weak import Weak

__all__ = ["explained"]


def explained(
    w: Weak, scale: np.ndarray, due: np.ndarray, limit: np.ndarray, stratonovich: float
) -> Diagnosis:
    """The first that explains every stretch and function to the limit."""
    gained = w.gained / scale
    for name, value, text in _readings(w, stratonovich):
        if np.all(np.abs(gained - value / scale) <= limit):
            return Diagnosis.cause(name, f"Cause: {text} ({name}).")
    found = _factors(w, scale, gained, limit, stratonovich)
    if found is not None:
        return found
    drift = w.drift.sum(axis=0)
    for name, of, flux, text in MATRICES:
        value = drift + w.spread(of, flux)
        if np.all(np.abs(gained - value / scale) <= limit):
            return Diagnosis.cause(name, f"Cause: {text} ({name}).")
    power = _power(w, scale, gained, limit) if w.drift.shape[0] == 1 else None
    if power is not None:
        return power
    if not np.any(np.abs(gained) > limit):
        text = "the density does not depend on t, and drift and diffusion would change it"
        return Diagnosis.cause("density_constant", f"Cause: {text} (density_constant).")
    near = {name: value / scale for name, value, _ in _readings(w, stratonovich)}
    reasons = {name: text for name, _, text in _readings(w, stratonovich)}
    return diagnose(gained, due, near, reasons=reasons, read=False, limit=limit)


#: powers of x that D may be made of
POWERS = (0, 1, 2, 3, 4)


def _power(w: Weak, scale: np.ndarray, gained: np.ndarray, limit: np.ndarray) -> Diagnosis | None:
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


def _readings(w: Weak, stratonovich: float) -> Iterator[tuple[str, np.ndarray, str]]:
    drift = w.drift.sum(axis=0)
    ito = drift + w.noise
    if stratonovich:
        yield (
            "ito_read_as_stratonovich",
            ito,
            "the density is that of the Itô equation, and interpretation='stratonovich' was said:"
            " for Stratonovich's equation it lacks the drift ½ g ∂g, so mend the density; or, if"
            " Itô's equation is meant, pass interpretation='ito'",
        )
    else:
        yield (
            "stratonovich_read_as_ito",
            ito + w.correction,
            "the density is that of the Stratonovich equation, and interpretation='ito' was said:"
            " for Itô's equation it moves by ½ g ∂g too much (where g = s x, the mean of log x is"
            " to move with μ - s²/2, not μ), so mend the density; or, if Stratonovich's equation"
            " is meant, pass interpretation='stratonovich'",
        )
    yield (
        "half_correction",
        ito + 0.5 * w.correction,
        "the density has half of the Stratonovich correction, ¼ g ∂g",
    )
    yield (
        "correction_twice",
        ito - w.correction,
        "the Stratonovich correction -½ g ∂g has the wrong sign, or is taken away once too often:"
        " an"
        " Itô drift was corrected as if it were Stratonovich's",
    )
    half = "½ " if stratonovich else ""
    yield (
        "correction_from_drift",
        ito + 2 * w.correction,
        f"the drift lacks {half}g ∂g = {half}D'(x), with D = g²/2: add it. The density is that of"
        " Fick's law, ∂_t p = -∇·(f p) + ∇·(D ∇p), as a Boltzmann density exp(-U/kT) is where D"
        f" depends on x, and in the {'Stratonovich' if stratonovich else 'Itô'} sense that law has"
        f" the drift f + {half}D'",
    )


def _factors(
    w: Weak, scale: np.ndarray, gained: np.ndarray, limit: np.ndarray, stratonovich: float
) -> Diagnosis | None:
    drift = w.drift.sum(axis=0) / scale
    noise = (w.noise + stratonovich * w.correction) / scale
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
        if np.any(np.abs(gained - rest - c * column) > limit * max(1.0, abs(c))):
            continue
        within = 2 * float(np.sqrt(column.size / size))
        if family == "clock" and abs(c) <= within:
            continue
        told.append(_told(family, c, within))
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


def _told(family: str, c: float, within: float) -> tuple[str, str]:
    relative = within / max(abs(c), 1e-300)
    shown, form = number(c, relative), closed_form(c, relative) or f"{c:.5g}"
    if family == "noise":
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
