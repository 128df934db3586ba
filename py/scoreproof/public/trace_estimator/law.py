"""The law of the ν that an estimator draws for itself, read off what it returns on linear fields.

Conventions: on ``f(z) = z E^T``, E zero but for a one at i, j, an estimate ``uᵀJv`` is ``u_i v_j``:
its mean over rows is ``E[u_i v_j]``, I for a right estimator. Samples ``(D, D, m)``.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.trace_estimator.arguments import Given
from scoreproof.public.trace_estimator.consistency import Linear, no_law, not_on_curved_fields
from scoreproof.public.trace_estimator.constants import constant
from scoreproof.public.trace_estimator.lengths import of_one_length
from scoreproof.public.trace_estimator.sketches import of_a_sketch
from scoreproof.words import percent

__all__ = ["law_of_nu"]

#: D up to which all pairs of coordinates are asked for, and rows a call
MOST, ROWS = 6, 1 << 13
#: standard errors that a mean is allowed, and to which it is known well enough to be named
SURE, SHARP = 6.0, 0.05
#: a mean that is known no better than so tells nothing of itself
MIDDLING = 0.3


def law_of_nu(
    given: Given, d: int, rng: np.random.Generator, factors: dict[int, float]
) -> Diagnosis | None:
    """What is wrong with E[νν^T]; D² calls of the estimator with `ROWS` rows each. ``factors``: of
    tr J, as they were found for other D; that of this one is put there.
    """
    linear = Linear(given, given.rounded(rng.standard_normal((ROWS, d))))
    if d > MOST:
        return of_one_length(linear, d)
    samples = linear.of_units()
    added, why = no_law(linear, samples)
    if added is not None:
        return added
    sphere = None if why else of_one_length(linear, d)
    if sphere is not None:
        return sphere
    cut = None if why and "J = 0" in why else _cut(linear, samples)
    if cut is not None:
        return cut
    told = _told(samples, d, factors)
    if told is not None and not told.names and not why:
        told = of_a_sketch(linear, d) or told
        if told.names:
            return told
    if told is None or not told.names:
        return told if not why else Diagnosis.unknown(why)
    why = why or not_on_curved_fields(given, rng, samples)
    return Diagnosis.unknown(why) if why else told


def _cut(linear: Linear, samples: np.ndarray) -> Diagnosis | None:
    """Whether the estimate of -f is not minus that of f."""
    unit = np.zeros(samples.shape[:2])
    unit[0, 0] = -1.0
    there = samples[0, 0]
    turned = linear(unit)
    blur = SURE * (there.std() + turned.std()) / np.sqrt(ROWS) + 1e-9 * abs(there.mean())
    if there.mean() <= blur or abs(there.mean() + turned.mean()) <= blur:
        return None
    if abs(there.mean() - turned.mean()) <= blur and np.all(turned >= 0):
        name, what = "absolute_value", "the absolute value of the estimate is returned"
    elif np.all(np.abs(turned) <= 1e-9 * there.mean()):
        name, what = "clipped_at_0", "a negative estimate is clipped at 0"
    else:
        return None
    return Diagnosis.cause(
        name,
        f"Cause: {what}: it is as large for -f as for f, or 0 ({name}). A divergence may be"
        " negative: keep its sign.",
    )


def _told(samples: np.ndarray, d: int, factors: dict[int, float]) -> Diagnosis | None:
    mean = samples.mean(axis=2)
    error = samples.std(axis=2) / np.sqrt(samples.shape[2]) + 1e-12
    diagonal = np.eye(d, dtype=bool)
    own, blur = mean[diagonal], error[diagonal]
    mixed = np.abs(mean[~diagonal]) > SURE * error[~diagonal]
    if not np.any(mixed):
        return _variance(samples, own, blur, factors)
    return _correlated(samples, mean, error, d)


def _variance(
    samples: np.ndarray, own: np.ndarray, blur: np.ndarray, factors: dict[int, float]
) -> Diagnosis | None:
    d = len(samples)
    squares = np.stack([samples[k, k] for k in range(d)])
    if np.all(np.abs(own - 1) <= SURE * blur):
        known = SURE * float(np.max(blur))
        if known > MIDDLING:
            return Diagnosis.unknown(
                "No cause is read off: the estimates spread so much that on linear fields f their"
                f" mean is known to {percent(known)} only."
            )
        return Diagnosis.unknown(
            "On linear fields f whose J has a single entry its mean is right, to"
            f" {percent(known)}: E[νν^T] = I there. It is wrong where J has more of them, or f"
            " bends, as it does for a difference with a long step, or at some points only."
        )
    if np.all(np.abs(own) <= SURE * blur):
        if np.all(squares == 0):
            return None
        return Diagnosis.cause(
            "two_draws",
            "Cause: the ν on the left is another draw than the ν on the right, so that the mean of"
            " νᵀJν' is 0 (two_draws). Draw ν once for an estimate and use it twice.",
        )
    if np.ptp(own) > SURE * 2 * np.max(blur):
        return _uneven(own, blur, d)
    value, within = float(own.mean()), float(np.max(blur)) * 3 / np.sqrt(d)
    if np.ptp(squares) <= 1e-9 * np.max(np.abs(squares)):
        value, within = float(squares.flat[0]), 1e-9
    if abs(value - 1 / 3) <= within and np.max(squares) <= 1 + 1e-6:
        return Diagnosis.cause(
            "uniform_nu",
            f"Cause: the mean of ν_k² is {value:.3g} where 1 is due, and no ν_k² exceeds"
            f" {np.max(squares):.3g}: ν uniform on [-1, 1], which has E[νν^T] = I/3 (uniform_nu)."
            " Draw ν Gaussian or ±1, or multiply by 3.",
        )
    near, factors[d] = max(within / max(abs(value), 1e-300), 1e-9), value
    # one dimension alone does not tell D from a number
    found = constant(list(factors.values()), list(factors), near) or constant([value], [d], near)
    if found is None or within > SHARP * abs(value):
        return None
    name = found.names[0]
    root = number(value**0.5, within / value / 2) if value > 0 else ""
    reasons = [found.reason] if found.reason else []
    reasons += [f"a ν of standard deviation {root}"] if root and np.ptp(squares) > 1e-9 else []
    why = f": {', or '.join(reasons)}" if reasons else ""
    text = (
        f"Cause: on every field the estimate is on average {found.words} tr J, as of a ν whose"
        f" ν_k² has the mean {number(value, within / abs(value), {'D': d})} in every coordinate"
        f" where 1 is due, or of a factor{why} ({name})."
    )
    return Diagnosis.cause(name, f"{text} {found.mend}." if found.mend else text)


def _uneven(own: np.ndarray, blur: np.ndarray, d: int) -> Diagnosis:
    off = np.flatnonzero(np.abs(own - 1) > SURE * blur)
    listed = ", ".join(f"{own[k]:.3g} in coordinate {k}" for k in off[:4])
    more = ", …" if len(off) > 4 else ""
    return Diagnosis.cause(
        "coordinates_weighted",
        f"Cause: the mean of ν_k², 1 if each of the D = {d} coordinates counts once, is"
        f" {listed}{more} (coordinates_weighted). Sum over all coordinates alike.",
    )


def _correlated(
    samples: np.ndarray, mean: np.ndarray, error: np.ndarray, d: int
) -> Diagnosis | None:
    """Coordinates of ν that are not uncorrelated: a mean that is not 0, or shared draws."""
    diagonal = np.eye(d, dtype=bool)
    beside = mean[~diagonal]
    alike = np.ptp(beside) <= 2 * SURE * float(np.max(error))
    size, own = float(beside.mean()), float(mean[diagonal].mean())
    if alike and abs(size - own) <= SURE * float(np.max(error)):
        what = (
            "every entry of J counts as much as the diagonal: one number is drawn for all"
            " coordinates of a row, or J is summed without ν"
        )
        return Diagnosis.cause(
            "one_number_a_row",
            f"Cause: {what} (one_number_a_row). Draw ν of shape (n, D).",
        )
    if alike and size > 0:
        values = np.unique(np.round(samples, 9))
        if values.size == 2 and np.allclose(values, [0, 1]):
            return Diagnosis.cause(
                "bits_for_signs",
                "Cause: ν is made of zeros and ones, with mean 1/2, where signs ±1 are due: E[νν^T]"
                f" is {own:.3g} on the diagonal and {size:.3g} beside it, where 1 and 0 are due"
                " (bits_for_signs). Draw 2 b - 1 for a bit b.",
            )
        blur = SURE * float(np.max(error))
        inside = np.min(samples) >= 0 and np.max(samples) <= 1
        if inside and abs(own - 1 / 3) <= blur and abs(size - 1 / 4) <= blur:
            return Diagnosis.cause(
                "mean_of_nu",
                "Cause: ν is uniform on [0, 1), as rand draws it: its mean is 1/2, and E[νν^T] is"
                " 1/3 on the diagonal and 1/4 beside it, where 1 and 0 are due (mean_of_nu). Draw"
                " it with randn, or as signs ±1.",
            )
        return Diagnosis.cause(
            "mean_of_nu",
            f"Cause: the mean of ν is about {np.sqrt(size):.3g} in every coordinate where 0 is due,"
            f" or all coordinates of a row share a part of that size (the mean of ν_k² is {own:.3g}"
            " where 1 is due): off-diagonal entries of J enter the mean (mean_of_nu). Draw the"
            " coordinates of ν by themselves, with mean 0 and variance 1.",
        )
    off = np.argwhere((np.abs(mean) > SURE * error) & ~diagonal)
    listed = ", ".join(f"{mean[i, j]:.3g} for coordinates {i} and {j}" for i, j in off[:3])
    more = ", …" if len(off) > 3 else ""
    return Diagnosis.cause(
        "correlated_nu",
        f"Cause: the coordinates of ν are correlated: E[ν_i ν_j] is {listed}{more}, where 0 is due"
        " (correlated_nu). Draw each coordinate by itself.",
    )
