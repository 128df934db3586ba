"""The answer for another noise level, or another alpha, in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from scoreproof.public.posterior.cases import LEFT, Case

__all__ = ["level_and_alpha_words", "level_words"]


def level_words(case: Case, factor: float, converted: bool) -> Callable[[Mapping[str, str]], str]:
    problem = case.due.problem
    variance, d = problem.noise.variance, problem.dimension
    why = ""
    if abs(factor - 1 / 2) <= LEFT:
        why = ": the factor 2 is missing in the exponent, -|x - x_0|²/(2σ²)"
    elif d > 1 and abs(factor / d - 1) <= LEFT:
        why = f", d = {d}: the squared distance is averaged over the coordinates, not summed"
    elif d > 1 and abs(factor / (2 * d) - 1) <= LEFT:
        why = f", 2 d = {2 * d}: a mean over the coordinates, and a factor 2"
    elif d > 1 and abs(factor * d - 1) <= LEFT:
        why = f", 1/d: σ² is divided by d = {d}"
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
