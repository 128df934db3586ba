"""Other measures of how far two laws are apart, and functions of the divergence.

Conventions: each up to a factor, which is said if it is not 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from scoreproof.public.kl.fit import Places
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.summands import divergence, due_summands

__all__ = ["instead"]


#: functions of the divergence
FUNCTIONS: tuple[tuple[str, str, Callable[[np.ndarray], np.ndarray]], ...] = (
    ("square_root", "the square root of the divergence", lambda v: np.sqrt(np.maximum(v, 0))),
    ("square", "the square of the divergence", np.square),
    ("exponential", "exp(-KL), not the divergence", lambda v: np.exp(-v)),
    ("one_minus_exponential", "1 - exp(-KL), not the divergence", lambda v: -np.expm1(-v)),
    ("logarithm", "the logarithm of the divergence", np.log),
)

#: ½ KL(N_0 ‖ M) + ½ KL(N_1 ‖ M), M halfway in mean and variance, is the same
BHATTACHARYYA = "the Bhattacharyya distance (the Jensen-Shannon form with a Gaussian in the middle)"


def instead(places: Places) -> tuple[str, str] | None:
    """The name of what was returned in place of the divergence, and a clause."""
    with np.errstate(all="ignore"):
        for name, words, values, blur in (*_functions(places), *_others(places)):
            if not np.all(np.isfinite(values)) or not np.any(values):
                continue
            unit = 1 / (places.rounding + blur)
            norm = np.linalg.norm(values * unit)
            ratio = float((values * unit) @ (places.returned * unit) / norm**2)
            seen = replace(places, rounding=places.rounding + blur)
            for factor in (1.0, 0.5, 2.0, ratio):
                if abs(ratio / factor - 1) < 1e-3 and seen.explained(factor * values, values):
                    times = "" if factor == 1 else f"{factor:.6g} times "
                    return name, f"it is {times}{words}"
    return None


Candidate = tuple[str, str, np.ndarray, np.ndarray]


def _functions(places: Places) -> Iterator[Candidate]:
    """With what the divergence's own rounding does to them."""
    v, r = places.value, places.rounding
    for name, words, of in FUNCTIONS:
        blur = np.maximum(np.abs(of(v + r) - of(v)), np.abs(of(v - r) - of(v)))
        yield name, words, of(v), blur


def _others(places: Places) -> Iterator[Candidate]:
    none = np.zeros(len(places.value))
    if not places.options.standard:
        due = due_summands(places.options)

        def both(b: Laws) -> np.ndarray:
            swapped = replace(b, m0=b.m1, v0=b.v1, m1=b.m0, v1=b.v0)
            return (divergence(b, due) + divergence(swapped, due)) / 2

        words = "the average of both directions, ½ KL(N_0 ‖ N_1) + ½ KL(N_1 ‖ N_0) (Jeffreys)"
        yield "both_directions", words, places.column([both(b) for b in places.laws]), none
    if places.options.form == "full":
        return
    for name, words, of in (
        ("wasserstein", "the squared Wasserstein distance Σ (μ1 - μ0)² + (σ1 - σ0)²", _wasserstein),
        ("bhattacharyya", BHATTACHARYYA, _bhattacharyya),
    ):
        values = places.column([of(b) for b in places.laws])
        yield name, f"{words}, not the divergence", values, none


def _entries(laws: Laws) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    v0, v1 = (np.broadcast_to(v, laws.m0.shape) for v in (laws.v0, laws.v1))
    return (laws.m1 - laws.m0) ** 2, v0, v1


def _wasserstein(laws: Laws) -> np.ndarray:
    gap, v0, v1 = _entries(laws)
    return np.asarray(gap + (v1**0.5 - v0**0.5) ** 2)


def _bhattacharyya(laws: Laws) -> np.ndarray:
    gap, v0, v1 = _entries(laws)
    middle = (v0 + v1) / 2
    return np.asarray(gap / middle / 8 + np.log(middle / np.sqrt(v0 * v1)) / 2)
