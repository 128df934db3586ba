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
#: rows of a part that a step is fitted to: one number needs no more, and each costs D calls of f
ROWS = 48

KINDS = (
    ("one-sided", 1, "take a central difference, a smaller step, or automatic differentiation"),
    ("central", 2, "take a smaller step, or automatic differentiation"),
)


def by_differences(given: Given, parts: list[Judged], form: str) -> Diagnosis | None:
    """``parts`` judged in ``form``. The kind and the step of the differences that leave what was
    found; no calls of the estimator, some of f.
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
                f"Cause: it is the {kind} difference of f along {along} with the step h ="
                f" {step:.3g},"
                f" whose error is of the order {'h' if order == 1 else 'h²'}"
                f" ({kind.replace('-', '_')}_difference): {remedy}.",
            )
    return None


def _fitted(
    given: Given, parts: list[Judged], kind: tuple[str, str], order: int
) -> tuple[float, float] | None:
    """The step, and the part of the deviation that it leaves, if that is little."""
    usual = [(p, _spread(np.flatnonzero(p.usual))) for p in parts if p.usual.any()]
    deviation = np.concatenate([(p.answers.values - p.due)[at] for p, at in usual])
    size = np.concatenate([p.scale[at] for p, at in usual])
    step = PROBE
    try:
        for _ in range(ROUNDS):
            found = np.concatenate([_taken(given, p, at, step, kind) for p, at in usual])
            effect = found - np.concatenate([p.due[at] for p, at in usual])
            sure = np.abs(effect) > 1e-9 * size
            if not np.any(sure):
                return None
            ratio = float(np.median(deviation[sure] / effect[sure]))
            if not 1e-12 < ratio < 1e12:
                return None
            step *= ratio ** (1 / order)
        left = np.abs(
            np.concatenate([_taken(given, p, at, step, kind) for p, at in usual])
            - np.concatenate([p.answers.values[at] for p, at in usual])
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


def _spread(at: np.ndarray) -> np.ndarray:
    """Some of them, from the first to the last."""
    return at[np.unique(np.linspace(0, len(at) - 1, ROWS).astype(int))]


def _taken(
    given: Given, part: Judged, at: np.ndarray, step: float, kind: tuple[str, str]
) -> np.ndarray:
    z, nu = part.rows.z[at], part.rows.nu[at]
    one_sided = kind[0] == "one-sided"

    def f(y: np.ndarray) -> np.ndarray:
        return np.real(np.asarray(as_numpy(part.rows.trial.function(given.convert(y))), float))

    here = f(z) if one_sided else None

    def along(v: np.ndarray) -> np.ndarray:
        ahead = f(z + step * v)
        back, over = (f(z - step * v), 2 * step) if here is None else (here, step)
        return np.asarray((v * (ahead - back)).sum(axis=1) / over)

    if kind[1] == "νᵀJν":
        return along(nu)
    return np.asarray(sum(along(np.broadcast_to(e, z.shape)) for e in np.eye(z.shape[1])))
