"""Why the weak form was refuted where the noise depends on x: the reading of dW, or another matrix.

Conventions: as in `weak`; g is what ``diffusion`` returned, D = g gᵀ; ``rest`` is what all but the noise
brings. Arrays ``(stretches, functions)``, relative to the scale.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from scoreproof.causes.closed_forms import closed_form, number
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.fokker_planck.weak import Weak

__all__ = ["explained"]

Matrix = Callable[[np.ndarray], np.ndarray]


def _gram(g: np.ndarray) -> np.ndarray:
    return np.einsum("nik,njk->nij", g, g)


def _only_diagonal(D: np.ndarray) -> np.ndarray:
    return D * np.eye(D.shape[1])


#: other matrices for D: name -> (D of g, whether the flux is D∇p, in words)
MATRICES: tuple[tuple[str, Matrix, bool, str], ...] = (
    (
        "fick",
        _gram,
        True,
        "the density follows Fick's law, ½ ∇·(D ∇p) (Hänggi-Klimontovich, anti-Itô), where the noise"
        " is ½ Σ ∂_i∂_j (D_ij p) by Itô: add ½ ∇·D = ½ Σ_j ∂_j D_ij to the drift, or mend the density",
    ),
    (
        "correlation_ignored",
        lambda g: _only_diagonal(_gram(g)),
        False,
        "the off-diagonal part of D = g gᵀ is left out of the density: the noises of the coordinates"
        " are correlated, and it takes them as independent",
    ),
    (
        "transposed_noise",
        lambda g: np.einsum("nki,nkj->nij", g, g),
        False,
        "gᵀ g is needed for g gᵀ: the matrix that diffusion returns is transposed",
    ),
    (
        "noise_squared",
        lambda g: np.abs(_only_diagonal(g)) if _diagonal(g) else g,
        False,
        "diffusion returns the square g² where g is due, the coefficient of dW: return its square"
        " root (for a matrix: a factor g of D = g gᵀ)",
    ),
    (
        "diffusivity_for_g",
        lambda g: 2 * (np.abs(_only_diagonal(g)) if _diagonal(g) else g),
        False,
        "diffusion returns the diffusivity D = g²/2 where g = √(2D) is due, the coefficient of dW:"
        " return √(2D)",
    ),
    (
        "fick_of_the_diffusivity",
        lambda g: 2 * (np.abs(_only_diagonal(g)) if _diagonal(g) else g),
        True,
        "diffusion returns the diffusivity D = g²/2 where g = √(2D) is due, and the density follows"
        " Fick's law ∇·(D ∇p)",
    ),
    (
        "noise_rooted",
        lambda g: _gram(_gram(g)),
        False,
        "diffusion returns √g where g is due: return its square",
    ),
    (
        "noise_of_one",
        lambda g: np.broadcast_to(np.eye(g.shape[1]), g.shape),
        False,
        "the density spreads as with g = 1",
    ),
    (
        "first_noise_only",
        lambda g: _gram(g[:, :, :1]),
        False,
        "the density has the noise of the first column of g only",
    ),
    (
        "noise_with_itself",
        lambda g: np.einsum("nik,nkj->nij", g, g),
        False,
        "the matrix product g g is needed for g gᵀ: a transposition is missing in one of the two",
    ),
)


def _diagonal(g: np.ndarray) -> bool:
    return bool(np.all(g == g * np.eye(g.shape[1])))


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
                f"Cause: the density needs the noise D = g² = {shown} {text}, and diffusion returns a"
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
            " pass interpretation='ito', or add the correction ½ g ∂g to its drift",
        )
    else:
        yield (
            "stratonovich_read_as_ito",
            ito + w.correction,
            "the density is that of the Stratonovich equation, and interpretation='ito' was said:"
            " pass interpretation='stratonovich', or take the correction ½ g ∂g into the drift",
        )
    yield (
        "half_correction",
        ito + 0.5 * w.correction,
        "the density has half of the Stratonovich correction, ¼ g ∂g",
    )
    yield (
        "correction_twice",
        ito - w.correction,
        "the Stratonovich correction -½ g ∂g has the wrong sign, or is taken away once too often: an"
        " Itô drift was corrected as if it were Stratonovich's",
    )
    yield (
        "correction_from_drift",
        ito + 2 * w.correction,
        "the density has twice the Stratonovich correction, g ∂g: Fick's law, or the correction"
        " ½ g ∂g is added to a drift that is read as Stratonovich's already",
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
                "the density spreads with Σ ∂_i∂_j (D_ij p) where half of that is due: the ½ is left"
                " out, or diffusion returns √D where √(2D) is due",
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
