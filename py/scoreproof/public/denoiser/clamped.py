"""A number of the level that is clamped in the formula around a right network: σ or α in a divisor,
or before ε.

Conventions: ``f`` is what the answer, or the term of ε in it, is multiplied by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.denoiser.sweep import AtLevel, Sweep
from scoreproof.public.network.levels import NoiseLevel
from scoreproof.public.posterior.cases import Case, Cause

__all__ = ["clamped"]

#: relative: two numbers this near are the same
SAME = 1e-5
NUMBERS: dict[str, Callable[[NoiseLevel], float]] = {
    "σ": lambda v: v.sigma,
    "σ²": lambda v: v.sigma**2,
    "α": lambda v: v.alpha,
    "α²": lambda v: v.alpha**2,
    "σ/α": lambda v: v.ratio,
    "α/σ": lambda v: 1 / v.ratio,
}


def clamped(
    found: Sequence[tuple[AtLevel, Case, list[Cause]]], sweep: Sweep, wrong: Sequence[AtLevel]
) -> Diagnosis | None:
    """``None`` unless a clamp explains every wrong level that was looked at, and leaves those that
    are right as they are.
    """
    right = [a.level for a in sweep.at if a.evidence.verdict == "holds"]
    if not right or any(not causes for _, _, causes in found):
        return None
    levels = [a.level for a, _, _ in found]
    for part, of in (("", _of_all), ("before ε", _of_noise)):
        factors = [of(case) for _, case, _ in found]
        if any(not np.isfinite(f) or f <= 0 for f in factors):
            continue
        for name, number in NUMBERS.items():
            q = np.array([number(v) for v in levels])
            for inverse, where in ((False, "in a divisor"), (True, part or "in a factor")):
                c = q * np.array(factors) if inverse else q / np.array(factors)
                if (part and not inverse) or np.ptp(c) > SAME * np.max(c):
                    continue
                limit = float(np.median(c))
                side = _side(limit, [number(a.level) for a in wrong], [number(v) for v in right])
                if side:
                    as_if = "is" if len(found) > 1 else "is, as it seems from one level,"
                    return Diagnosis.cause(
                        "level_clamped",
                        f"Cause: {name} {as_if} clamped to {side} {limit:.6g} {where}: beyond that"
                        " the answer is right.",
                    )
    return None


def _side(limit: float, wrong: Sequence[float], right: Sequence[float]) -> str:
    """On which side of the limit all wrong levels lie, and no right one; empty if on none."""
    if max(wrong) < limit <= min(right) * (1 + SAME):
        return "at least"
    if min(wrong) > limit >= max(right) * (1 - SAME):
        return "at most"
    return ""


def _of_all(case: Case) -> float:
    f = float(np.sum(case.value * case.right) / np.sum(case.right**2))
    return f if case.explains(f * case.right) else np.nan


def _of_noise(case: Case) -> float:
    """Of ``(x - f σ ε)/α``."""
    if case.kind.name != "x0":
        return np.nan
    plain = case.y / case.due.problem.alpha
    away = plain - case.right
    f = float(np.sum((plain - case.value) * away) / np.sum(away**2))
    return f if case.explains(plain - f * away) else np.nan
