"""EDM's wrapper around a network, with a wrong σ_data or a term left out.

Conventions: at each level the answer is ``a E[x_0 | x] + b x``; with s the network's σ_data and d
the wrapper's, ``a = c_out(d)/c_out(s)`` and ``b = c_skip(d) - a c_skip(s)``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.denoiser.sweep import AtLevel
from scoreproof.public.posterior.cases import Case, Cause
from scoreproof.public.posterior.fitted import fitted

__all__ = ["wrapped"]

SAME = 1e-5
Coefficients = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def _skip(s: np.ndarray, d: float) -> np.ndarray:
    return d**2 / (s**2 + d**2)


def _out(s: np.ndarray, d: float) -> np.ndarray:
    return s * d / np.sqrt(s**2 + d**2)


#: σ_data of images or latents lies between this and its inverse
WIDEST = 1e3
#: a and b of a wrapper with a mistake, given σ and (network's σ_data, wrapper's)
FORMS: dict[str, tuple[str, int, Coefficients]] = {
    "sigma_data": (
        "the wrapper has σ_data = {d}, the network was trained with σ_data = {s}: set it to {s}",
        2,
        lambda s, p: (
            _out(s, p[1]) / _out(s, p[0]),
            _skip(s, p[1]) - _out(s, p[1]) / _out(s, p[0]) * _skip(s, p[0]),
        ),
    ),
    "c_skip_missing": (
        "c_skip x is missing in the wrapper: it is c_out F alone, with σ_data = {s}",
        1,
        lambda s, p: (np.ones_like(s), -_skip(s, p[0])),
    ),
    "c_skip_is_1": (
        "x itself is added where c_skip x is due, with σ_data = {s}",
        1,
        lambda s, p: (np.ones_like(s), 1 - _skip(s, p[0])),
    ),
    "c_skip_rooted": (
        "c_skip is σ_data/√(σ² + σ_data²): its square is due, with σ_data = {s}",
        1,
        lambda s, p: (np.ones_like(s), np.sqrt(_skip(s, p[0])) - _skip(s, p[0])),
    ),
    "c_skip_exchanged": (
        "c_skip is σ²/(σ² + σ_data²): σ and σ_data are exchanged, with σ_data = {s}",
        1,
        lambda s, p: (np.ones_like(s), 1 - 2 * _skip(s, p[0])),
    ),
    "c_out_missing": (
        "c_out is missing in the wrapper: it is c_skip x + F, with σ_data = {s}",
        1,
        lambda s, p: (1 / _out(s, p[0]), _skip(s, p[0]) * (1 - 1 / _out(s, p[0]))),
    ),
    "c_out_negated": (
        "c_out has the wrong sign, with σ_data = {s}",
        1,
        lambda s, p: (-np.ones_like(s), 2 * _skip(s, p[0])),
    ),
    "c_out_unrooted": (
        "the square root is missing in c_out: it is σ σ_data/(σ² + σ_data²), with σ_data = {s}",
        1,
        lambda s, p: (
            1 / np.sqrt(s**2 + p[0] ** 2),
            _skip(s, p[0]) * (1 - 1 / np.sqrt(s**2 + p[0] ** 2)),
        ),
    ),
    "c_out_is_sigma": (
        "c_out is σ: σ_data/√(σ² + σ_data²) is missing, with σ_data = {s}",
        1,
        lambda s, p: (s / _out(s, p[0]), _skip(s, p[0]) * (1 - s / _out(s, p[0]))),
    ),
    "F_returned": (
        "the network's F comes back where c_skip x + c_out F is due, with σ_data = {s}; if F is"
        " meant, say prediction='F', sigma_data={s}",
        1,
        lambda s, p: (1 / _out(s, p[0]), -_skip(s, p[0]) / _out(s, p[0])),
    ),
}


def wrapped(found: Sequence[tuple[AtLevel, Case, list[Cause]]]) -> Diagnosis | None:
    """``None`` unless one of these forms explains a and b at all levels, of which there must be
    three.
    """
    points = []
    for at, case, causes in found:
        if at.level.alpha != 1.0 or case.kind.name != "x0" or not causes:
            return None
        points.append((at.level.sigma, *_coefficients(case)))
    if len(points) < 3:
        return None
    s, a, b = (np.array(column) for column in zip(*points, strict=True))
    if np.any(~np.isfinite(a)):
        return None
    # a form explains a deviation, not an answer that is nearly right
    most = SAME * min(1.0, float(np.max(np.abs(a - 1) + np.abs(b))))
    for name, (words, free, form) in FORMS.items():

        def residual(p: np.ndarray, form: Coefficients = form) -> np.ndarray:
            x, y = form(s, np.exp(p))
            return np.concatenate([(x - a) / (1 + np.abs(a)), (y - b) / (1 + np.abs(b))])

        starts = [
            np.log(np.array([u, v][:free])) for u in (0.25, 0.5, 1.0, 2.0) for v in (0.5, 1.1)
        ]
        solved = fitted(residual, starts)
        if solved is None or np.max(np.abs(residual(solved))) > most:
            continue
        values = np.exp(solved)
        if np.max(np.abs(np.log(values))) > np.log(WIDEST):
            continue
        if free == 2 and abs(values[1] / values[0] - 1) <= SAME:
            continue
        text = words.format(s=f"{values[0]:.6g}", d=f"{values[-1]:.6g}")
        return Diagnosis.cause(name, f"Cause: {text}.")
    return None


def _coefficients(case: Case) -> tuple[float, float]:
    """a and b of the answer; nan where it is no such sum."""
    basis = np.stack([case.right.ravel(), case.y.ravel()], axis=1)
    solved = np.linalg.lstsq(basis, case.value.ravel(), rcond=None)[0]
    if not case.explains((basis @ solved).reshape(case.value.shape)):
        return np.nan, np.nan
    return float(solved[0]), float(solved[1])
