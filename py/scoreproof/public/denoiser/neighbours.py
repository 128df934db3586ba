"""An answer made of the right x_0 and x with other numbers of the schedule: those of the next
level, or of one step alone; or a step of a sampler where x_0 is due.

Conventions: α, σ are those of the level; p, q stand for them, where ``x = p x_0 + q ε`` holds
somewhere else. Coefficients are those of x_0 and x.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.denoiser.sweep import AtLevel, Sweep
from scoreproof.public.network.levels import NoiseLevel
from scoreproof.public.posterior.cases import Case, Cause

__all__ = ["of_neighbours"]

Pair = tuple[float, float]
#: of (p, q, α, σ)
Form = Callable[[float, float, float, float], Pair]
#: (p, q) at a level; ``None`` where there is none
Source = Callable[[NoiseLevel, Sweep], "Pair | None"]

#: by what is due, the formulas that people write, what else is in them being right
FORMULAS: dict[str, tuple[tuple[str, Form], ...]] = {
    "x0": (
        ("x_0 = (x - σ ε)/α", lambda p, q, a, s: (a * q / (s * p), (1 - q / s) / p)),
        ("x_0 = α x - σ v", lambda p, q, a, s: (q / s, p - q * a / s)),
    ),
    "eps": (("ε = (x - α x_0)/σ", lambda p, q, a, s: (-p / q, 1 / q)),),
    "v": (("v = α ε - σ x_0", lambda p, q, a, s: (-p * a / s - q, p / s)),),
    "score": (
        ("(α x_0 - x)/σ²", lambda p, q, a, s: (p / q**2, -1 / q**2)),
        ("-ε/σ", lambda p, q, a, s: (a / (s * q), -1 / (s * q))),
    ),
}


def _of_the_level(by: int) -> Source:
    """α and σ so many levels further on."""

    def source(level: NoiseLevel, sweep: Sweep) -> Pair | None:
        times = np.sort(sweep.levels.when)
        k = int(np.argmin(np.abs(times - level.when))) + by
        if k < 0:
            return 1.0, 0.0  # before the first level there is no noise
        if k >= len(times):
            return None
        other = sweep.levels.of(float(times[k]))
        return other.alpha, other.sigma

    return source


def _of_the_step(rooted: bool) -> Source:
    """√α_t, and √β_t or β_t, of the step to this level alone."""

    def source(level: NoiseLevel, sweep: Sweep) -> Pair | None:
        before = _of_the_level(-1)(level, sweep)
        if before is None or not sweep.levels.whole or not level.alpha < before[0]:
            return None
        root = level.alpha / before[0]
        beta = 1 - root**2
        return root, beta**0.5 if rooted else beta

    return source


def _ancestral(p: float, q: float, a: float, s: float) -> Pair:
    return p * (1 - (a / p) ** 2 * q**2 / s**2), (a / p) * q**2 / s**2


def _straight(p: float, q: float, a: float, s: float) -> Pair:
    return p - q * a / s, q / s


def _candidates(kind: str, whole: bool) -> Iterator[tuple[str, str, Source, Form]]:
    """Name, words, (p, q), coefficients."""
    before, after = ("t - 1", "t + 1") if whole else ("the level before", "the level after")
    if kind == "x0":
        words = (
            f"it is the mean of x at {before} given x and x_0, a step of the ancestral sampler:"
            " x_0 itself is due"
        )
        yield "posterior_mean_of_the_step", words, _of_the_level(-1), _ancestral
        words = f"it is x at {before}, a step of DDIM or Euler: x_0 itself is due"
        yield "step_returned", words, _of_the_level(-1), _straight
    sources = {
        "coefficients_of_the_level_before": (_of_the_level(-1), before, "α", "σ"),
        "coefficients_of_the_level_after": (_of_the_level(1), after, "α", "σ"),
        "coefficients_of_one_step": (_of_the_step(True), "", "√α_t", "√β_t"),
        "beta_for_sigma": (_of_the_step(False), "", "√α_t", "β_t"),
    }
    for formula, form in FORMULAS.get(kind, ()):
        for name, (source, whose, p_name, q_name) in sources.items():
            for part, made in (
                ("α", lambda p, q, a, s, f=form: f(p, s, a, s)),
                ("σ", lambda p, q, a, s, f=form: f(a, q, a, s)),
                ("both", form),
            ):
                yield name, f"in {formula}, {_stands(part, whose, p_name, q_name)}", source, made


def _stands(part: str, whose: str, p: str, q: str) -> str:
    if whose:
        both = f"α and σ are those of {whose}"
        return both if part == "both" else f"{part} is that of {whose}"
    due = {"α": "√ᾱ_t", "σ": "√(1 - ᾱ_t)"}
    if part == "both":
        return f"{p} and {q} of one step stand where {due['α']} and {due['σ']} are due"
    return f"{p if part == 'α' else q} of one step stands where {due[part]} is due"


def of_neighbours(
    found: Sequence[tuple[AtLevel, Case, list[Cause]]], sweep: Sweep
) -> Diagnosis | None:
    """``None`` unless one of these explains every level that was looked at, of which there must be
    two.
    """
    if len(found) < 2 or any(not causes for _, _, causes in found):
        return None
    for name, words, source, form in _candidates(found[0][1].kind.name, sweep.levels.whole):
        if all(_explains(a, case, source(a.level, sweep), form) for a, case, _ in found):
            return Diagnosis.cause(name, f"Cause: {words}.")
    return None


def _explains(a: AtLevel, case: Case, other: Pair | None, form: Form) -> bool:
    if other is None:
        return False
    alpha, sigma = a.level.alpha, a.level.sigma
    with np.errstate(all="ignore"):
        try:
            x0, x = form(*other, alpha, sigma)
        except ZeroDivisionError:
            return False
        return case.explains(x0 * case.due.mean / alpha + x * case.y)
