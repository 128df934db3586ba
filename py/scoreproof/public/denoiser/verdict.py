"""When is a difference between what a callable returned and the exact answer more than rounding?

Conventions: errors are maxima over points and coordinates. Means are measured against how far they
move away from the prior's mean,
scores in units of the noise (``Σ^{1/2} score`` has the size of a standard normal variable).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded
from scoreproof.numerics.linear import square_root
from scoreproof.objects.empirical import NoisyAtoms
from scoreproof.public.denoiser.arguments import Problem

__all__ = ["judge_mean", "judge_score", "resolution"]

VACUOUS = 0.01  # a bound above this says nothing worth the word "holds"


def judge_mean(
    measured: np.ndarray,
    truth: np.ndarray,
    problem: Problem,
    guard: Guarded,
    tolerance: float | None,
    sentence: str,
) -> Evidence:
    """Two posterior means of ``alpha x_0``, coordinate by coordinate, relative to their distance
    from the prior's mean.
    """
    centre = problem.prior.mean()  # type: ignore[union-attr]
    size = np.max(np.abs(truth - centre), axis=0) + np.max(np.abs(problem.y - centre), axis=0)
    offset = np.max(np.abs(problem.y), axis=0) + np.abs(centre)
    bound = _rounding(problem, guard.eps) + 4 * guard.eps * offset / size * scaled_condition(
        problem.cov
    )
    # what denoising does: where rounding could hide it, returning y would pass
    signal = np.max(np.abs(truth - problem.y), axis=0)
    return _evidence(
        measured, truth, size, bound, signal, problem, guard, tolerance, sentence, "posterior mean"
    )


def judge_score(
    measured: np.ndarray,
    truth: np.ndarray,
    problem: Problem,
    guard: Guarded,
    tolerance: float | None,
    sentence: str,
) -> Evidence:
    """Two scores in units of the noise: an error in a direction of little noise, which Σ would
    hide, counts in full.
    """
    root = square_root(problem.cov)
    measured, truth = measured @ root, truth @ root
    # where the noise is small the score is, in its units, much smaller than 1: it is measured
    # against its own size
    size = float(np.max(np.abs(truth)))
    # A score computed as Σ⁻¹(E[x|y] - y) inherits, in units of the smallest standard deviation of
    # the noise, the rounding of y, and that of the softmax weights, which move the mean by their
    # relative error times the extent of the data.
    spread = np.linalg.eigvalsh(problem.cov)
    centre, unit = problem.prior.mean(), float(np.sqrt(spread[0]))  # type: ignore[union-attr]
    offset, extent = (
        float(np.max(np.abs(problem.y)) + np.max(np.abs(centre))),
        float(np.max(np.abs(problem.y - centre))),
    )
    bound = _rounding(problem, guard.eps) * (
        1 + extent / unit
    ) / size + 4 * guard.eps * offset / unit / size * float(spread[-1] / spread[0])
    one = np.ones(truth.shape[1])
    return _evidence(
        measured,
        truth,
        size * one,
        bound * one,
        size * one,
        problem,
        guard,
        tolerance,
        sentence,
        "score, in units of the noise",
    )


def resolution(guard: Guarded) -> float:
    """The part of a deviation below which two explanations cannot be told apart at the callable's
    precision.
    """
    return max(1e-6, 64 * guard.eps)


def _evidence(
    measured: np.ndarray,
    truth: np.ndarray,
    size: np.ndarray,
    rounding: np.ndarray,
    signal: np.ndarray,
    problem: Problem,
    guard: Guarded,
    tolerance: float | None,
    sentence: str,
    what: str,
) -> Evidence:
    """Errors, bounds and sizes by coordinate ``(d,)``; the coordinate that fits worst is reported."""
    errors = np.max(np.abs(measured - truth), axis=0) / size
    bounds = rounding if tolerance is None else np.maximum(tolerance, rounding)
    worst = int(np.argmax(errors / bounds))
    error, bound = float(errors[worst]), float(bounds[worst])
    empty = np.maximum(rounding, rounding * size / np.maximum(signal, 1e-300))
    vacuous = float(np.max(empty))
    exact, found = truth.ravel().tolist(), measured.real.ravel().tolist()
    more: dict[str, Any] = {
        "cost": {"calls": guard.calls},
        "curves": {"returned": (exact, found), "exact": (exact, exact)},
        "labels": (f"exact {what}", "returned"),
    }
    if error <= bound and not problem.decisive:
        reason = (
            "every point has one effective datum, where the formula says only that the nearest is"
            " the nearest: take more noise"
        )
        return Evidence.undecided("float", f"{sentence}; {reason}", **more)
    if error <= bound and vacuous > max(VACUOUS, tolerance or 0.0):
        reason = (
            f"rounding alone could explain a relative error of {vacuous:.2g} here: centre the data,"
            " take more noise, or use a higher precision"
        )
        return Evidence.undecided("float", f"{sentence}; {reason}", **more)
    return Evidence.measured(error, bound, sentence, **more)


def _rounding(problem: Problem, eps: float) -> float:
    """What rounding may leave in a posterior mean computed at unit roundoff ``eps``: that of its
    softmax's exponents, which a user may compute from expanded squares, and of inverting Σ; with a
    factor 4 for the order of operations, which is the user's.
    """
    law, y, d = problem.law, problem.y, len(problem.cov)
    # all of this is the same whatever the units of each coordinate are, so every covariance is
    # scaled to a unit diagonal
    condition = scaled_condition(problem.cov)
    if isinstance(law, NoisyAtoms):
        unit = np.sqrt(np.diagonal(problem.cov))
        squares = float(
            np.max(np.sum((y / unit) ** 2, axis=1))
            + np.max(np.sum((law.prior.points / unit) ** 2, axis=1))
        )
        return (
            4
            * eps
            * (law.exponent(y) + squares * condition + np.log2(law.prior.size) + d + condition)
        )
    worst = 0.0
    for mean, cov in zip(law.means, law.covariances, strict=True):
        unit = np.sqrt(np.diagonal(cov))
        gaps, sizes = (
            np.max(np.sum(((y - mean) / unit) ** 2, axis=1)),
            np.max(np.sum((y / unit) ** 2, axis=1)) + np.sum((mean / unit) ** 2),
        )
        worst = max(worst, float(gaps + sizes) * scaled_condition(cov))
        condition = max(condition, scaled_condition(cov))
    return 4 * eps * (worst + d + 2 * condition)


def scaled_condition(cov: np.ndarray) -> float:
    """The condition number of a covariance scaled to a unit diagonal: what solving with it costs
    (van der Sluis).
    """
    unit = np.sqrt(np.diagonal(cov))
    return float(np.linalg.cond(cov / np.outer(unit, unit)))
