"""Estimates by differences: of which step, and from one side or both.

Conventions: as in `causes`; ``one-sided``: ``ν·(f(z + hν) - f(z))/h``, ``central``:
``ν·(f(z + hν) - f(z - hν))/(2h)``.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.public.trace_estimator.arguments import Given
from scoreproof.public.trace_estimator.verdict import Judged

__all__ = ["by_differences"]

#: a probing step, and what a fitted step may leave of the deviation
PROBE, LEFT = 1e-3, 0.02
#: steps at which a fit is refined
ROUNDS = 6

KINDS = (
    ("one-sided", 1, "take a central difference, a smaller step, or automatic differentiation"),
    ("central", 2, "take a smaller step, or automatic differentiation"),
)


def by_differences(given: Given, parts: list[Judged], form: str) -> Diagnosis | None:
    """``parts`` judged in ``form``. The kind and the step of the differences that leave what was found; no calls of the
    estimator, some of f.
    """
    for kind, order, remedy in KINDS:
        fitted = _fitted(given, parts, (kind, form), order)
        if fitted is not None:
            step, left = fitted
            along = "ν" if form == "νᵀJν" else "each axis"
            return Diagnosis(
                (f"{kind.replace('-', '_')}_difference",),
                left,
                None,
                f"Cause: it is the {kind} difference of f along {along} with the step h = {step:.3g},"
                f" whose error is of the order {'h' if order == 1 else 'h²'}"
                f" ({kind.replace('-', '_')}_difference): {remedy}.",
            )
    return None


def _fitted(
    given: Given, parts: list[Judged], kind: tuple[str, str], order: int
) -> tuple[float, float] | None:
    """The step, and the part of the deviation that it leaves, if that is little."""
    usual = [p for p in parts if p.usual.any()]
    deviation = np.concatenate([(p.answers.values - p.due)[p.usual] for p in usual])
    size = np.concatenate([p.scale[p.usual] for p in usual])
    step = PROBE
    try:
        for _ in range(ROUNDS):
            found = np.concatenate([_taken(given, p, step, kind)[p.usual] for p in usual])
            effect = found - np.concatenate([p.due[p.usual] for p in usual])
            sure = np.abs(effect) > 1e-9 * size
            if not np.any(sure):
                return None
            ratio = float(np.median(deviation[sure] / effect[sure]))
            if not 1e-12 < ratio < 1e12:
                return None
            step *= ratio ** (1 / order)
        left = np.abs(
            np.concatenate([_taken(given, p, step, kind)[p.usual] for p in usual])
            - np.concatenate([p.answers.values[p.usual] for p in usual])
        )
    except CallableError:
        return None
    rounding = 64 * given.eps / step * size
    most = LEFT * np.abs(deviation) + rounding
    known = np.abs(deviation) > 4 * rounding
    if np.sum(known) < 8 or np.mean(left[known] <= most[known]) < 0.95:
        return None
    part = float(np.linalg.norm(left[known] / size[known]))
    return step, part / float(np.linalg.norm(deviation[known] / size[known]))


def _taken(given: Given, part: Judged, step: float, kind: tuple[str, str]) -> np.ndarray:
    z, nu = part.rows.z, part.rows.nu
    one_sided = kind[0] == "one-sided"

    def f(y: np.ndarray) -> np.ndarray:
        return np.real(np.asarray(as_numpy(part.rows.trial.function(given.convert(y))), float))

    def along(v: np.ndarray) -> np.ndarray:
        ahead = f(z + step * v)
        back, over = (f(z), step) if one_sided else (f(z - step * v), 2 * step)
        return np.asarray((v * (ahead - back)).sum(axis=1) / over)

    if kind[1] == "νᵀJν":
        return along(nu)
    return np.asarray(sum(along(np.broadcast_to(e, z.shape)) for e in np.eye(z.shape[1])))
