"""The answer for another noise level, or another alpha, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import combinations

import numpy as np

from scoreproof.public.posterior.cases import LEFT, Case
from scoreproof.words import enumerated

__all__ = ["level_and_alpha_words", "level_words", "reason"]


def reason(factor: float, shape: tuple[int, ...]) -> str:
    """What people write that multiplies the noise variance by ``factor``, for samples of that
    shape; empty if nothing is known.

    >>> reason(48.0, (3, 4, 4))[:70]
    ', d = 48: the squared distance is averaged over the coordinates, where'
    """

    def near(other: float) -> bool:
        return abs(factor / other - 1) <= LEFT

    d = int(np.prod(shape))
    if near(1 / 2):
        return ": the factor 2 is missing in the exponent, -|x - x_0|²/(2σ²)"
    if near(2):
        return ": the factor 2 is there twice in the exponent, -|x - x_0|²/(2σ²)"
    averaged = "the squared distance is averaged over the"
    if d > 1:
        if near(d):
            return f", d = {d}: {averaged} coordinates, where their sum is due"
        if near(2 * d):
            return f", 2 d = {2 * d}: a mean over the coordinates, and a factor 2"
        if near(d / 2):
            return f", d/2 = {d / 2:g}: {averaged} coordinates, and the factor 2 of 2σ² is missing"
        if near(1 / d):
            return f", 1/d: σ² is divided by d = {d}"
    for axes in _some_axes(len(shape)):
        n = int(np.prod([shape[a] for a in axes]))
        if n > 1 and near(n):
            which = enumerated([str(a) for a in axes])
            return (
                f", {n}: {averaged} {'axis' if len(axes) == 1 else 'axes'} {which} of a sample of"
                f" shape {shape}, where a sum is due"
            )
    short = float(f"{factor:.3g}")
    if near(short):
        return f", as a temperature of {short:g} in the softmax"
    return ""


def _some_axes(rank: int) -> Iterator[tuple[int, ...]]:
    for count in range(1, rank):
        yield from combinations(range(rank), count)


def level_words(case: Case, factor: float, converted: bool) -> Callable[[Mapping[str, str]], str]:
    variance = case.due.problem.noise.variance
    why = reason(factor, case.shape)
    tail = ", in the mean and in the conversion" if converted else ""

    def say(t: Mapping[str, str]) -> str:
        level = f", σ = {t['σ']} where {np.sqrt(variance):.6g} is due" if variance else ""
        return f"it is the answer for {t['factor']} times the noise variance{level}{tail}{why}"

    return say


def level_and_alpha_words(case: Case, a: float, sigma: float) -> Callable[[Mapping[str, str]], str]:
    problem = case.due.problem
    due = f"α = {problem.alpha:.6g}"
    form, why = _units_of(case, a, sigma)
    if problem.noise.variance is not None:
        due += f", σ = {np.sqrt(problem.noise.variance):.6g}"

    def say(t: Mapping[str, str]) -> str:
        own = ", ".join(f"{k} = {v}{form if k == 'σ' else ''}" for k, v in t.items())
        return f"it is the answer for {own} where {due} are due{why}"

    return say


def _units_of(case: Case, a: float, sigma: float) -> tuple[str, str]:
    """σ in terms of σ and α, where it is the noise of x/α or of α x; and what that says."""
    alpha, variance = case.due.problem.alpha, case.due.problem.noise.variance
    if variance is None or alpha == 1.0:
        return "", ""
    own = float(np.sqrt(variance))
    if abs(sigma * alpha / own - 1) <= LEFT:
        if abs(a - 1) <= LEFT:
            return " = σ/α", ": those of x/α; divide x by α"
        return " = σ/α", ": the noise is that of x/α"
    if abs(sigma / (alpha * own) - 1) <= LEFT:
        return " = α σ", ": σ was multiplied by α"
    if abs(a * alpha - 1) <= LEFT and abs(sigma / own - 1) <= LEFT:
        return "", ": x was divided by α where it is to be multiplied, or α is inverted"
    return "", ""
