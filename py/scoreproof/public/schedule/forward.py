"""The function that noises data, against √ᾱ and √(1 - ᾱ).

Conventions: as in `asking`; between two entries of a table log σ/α is straight.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared
from scoreproof.public.schedule import words
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.asking import forward_levels
from scoreproof.public.schedule.tables import TABLES, Base

__all__ = ["forward"]

#: timesteps that are looked at
MOST = 64
#: an error of this size is none, where rounding may be larger
STANDS = 5e-3


def forward(given: Given) -> Evidence | None:
    """α and σ of ``add_noise`` at 64 timesteps, or at those of the inference."""
    base = given.base
    if given.forward is None or base is None or given.noise_last:
        return None
    total, times = len(base.bar), given.timesteps
    if times is None or len(times) == total:
        times = np.unique(np.linspace(0, total - 1, min(total, MOST)).round())
    times = times.astype(int) if np.all(times == np.round(times)) else times
    alpha, sigma, eps = forward_levels(given, times)
    ve = bool(np.all(np.abs(alpha - 1) < 1e-5)) and total > 1
    ratio = np.exp(np.interp(times, np.arange(total), _log_ratio(base)))
    due = [ratio] if ve else [1 / np.hypot(1, ratio), ratio / np.hypot(1, ratio)]
    found = [sigma] if ve else [alpha, sigma]
    loss = np.interp(times, np.arange(total), TABLES["train_sigmas"].loss(base))
    error = np.abs(np.stack(found) - np.stack(due)) / np.stack(due)
    coarse = max(eps, base.eps)
    rounding = coarse * (times + 16) * loss
    bound = np.where(rounding > STANDS, np.minimum(error, STANDS), rounding) + 8 * coarse
    words_ = "x_0 + √((1 - ᾱ_t) / ᾱ_t) noise" if ve else "√ᾱ_t x_0 + √(1 - ᾱ_t) noise"
    evidence = compared(
        error,
        bound,
        f"add_noise(x_0, noise, t) is {words_}",
        coverage=Coverage({"timesteps": len(times), "functions": 1}),
        tolerance=given.tolerance,
    )
    if evidence.verdict != "refuted":
        return evidence
    part, k = np.unravel_index(int(np.argmax(error / bound)), error.shape)
    which = "noise" if ve or part == 1 else "x_0"
    name = "train_sigmas" if ve else ("sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod")[part]
    text = (
        f"add_noise at timestep {times[k]:g} multiplies {which} by {found[part][k]:.6g} where "
        f"{due[part][k]:.6g} is due ({words.entries((error > bound)[part])} looked at)"
        f"{_as_table(name, found[part], times, base)}"
    )
    return replace(evidence, sentence=text)


def _log_ratio(base: Base) -> np.ndarray:
    return np.log((1 - base.bar) / np.maximum(base.bar, 1e-300)) / 2


def _as_table(name: str, values: np.ndarray, times: np.ndarray, base: Base) -> str:
    """Which table the factors are read from, if it is another one."""
    if np.any(times != np.round(times)):
        return ""
    at = times.astype(int)
    for other, table in TABLES.items():
        likely = table.of(base)
        if other != name and np.all(np.abs(values - likely[at]) <= 1e-4 * np.abs(likely[at])):
            return f": it is {other}, {table.words}"
    due = TABLES[name].of(base)
    for shift in (-1, 1):
        moved = at + shift
        inside = (moved >= 0) & (moved < len(due))
        if np.all(np.abs(values[inside] - due[moved[inside]]) <= 1e-4 * due[moved[inside]]):
            return f": it is that of timestep t {'+' if shift > 0 else '-'} 1"
    return ""
