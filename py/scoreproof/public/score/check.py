"""``check_score``: is it the score, could it be one at all?

Conventions: ``y = alpha x_0 + z`` with ``z ~ N(0, cov)``; ``cov`` is a covariance ``(d, d)`` (or a
number: that times I), never a standard deviation. Points are rows. The score is ``∇_y log p_Y(y)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from scoreproof.claims.tweedie.statement import mean_formula
from scoreproof.diagnosis import diagnose
from scoreproof.evidence import Evidence, worst
from scoreproof.interop.frameworks import guarded
from scoreproof.public.denoiser.arguments import Prediction, Prior, make_problem
from scoreproof.public.denoiser.verdict import judge_mean, judge_score, resolution
from scoreproof.public.denoiser.words import REASONS, score_candidates
from scoreproof.public.score.verdict import jacobian_evidence

__all__ = ["check_score"]


def check_score(
    score: Callable[[Any], Any],
    prior: Prior | None,
    cov: Any,
    *,
    prediction: str = "score",
    alpha: float = 1.0,
    points: Any = None,
    n: int = 16,
    tolerance: float | None = None,
    sigma_data: float = 0.5,
    rates: tuple[float, float] | None = None,
    framework: str = "numpy",
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Check that ``score(y)`` is ``∇ log p_Y(y)`` for ``y = alpha x_0 + N(0, cov)``; without a
    prior, that it could be one.

    With a prior, ``y + Σ score`` is compared with the exact posterior mean and the score itself, in
    units of the noise, with the derivative of ``log p_Y`` (complex step; left out where that takes
    more than 2^27 exponentials). In both cases the Jacobian is
    probed: that of a score is symmetric, and ``Σ + Σ J Σ``, a covariance, is positive semidefinite.
    Without a prior (``prior=None``, then give ``points``) only these two conditions are looked at:
    they are necessary, not sufficient, and the sentence says so.

    Parameters are those of `check_denoiser`; ``prediction`` defaults to ``"score"``; ``tolerance``
    also allows the Jacobian a relative asymmetry of that size. The callable is called 2 times on
    the m points, and for the Jacobian in k = min(d, 64) directions: once with ``4 m k`` rows
    (NumPy, differences whose error is measured along the way) or k times with ``2 m`` rows (PyTorch
    and JAX, forward mode; as for NumPy where an operation lacks it, after the one call that showed
    this).

    Raises
    ------
    ArgumentError, CallableError: as `check_denoiser`; also when neither a prior nor points are
    given.

    Source: homework problem 1, with its second order ``Cov[X|Y] = Σ + Σ ∇² log p_Y Σ``.

    >>> import numpy as np
    >>> from scoreproof import GaussianMixture
    >>> prior = GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 1.0]], [np.eye(2), 0.5 * np.eye(2)])
    >>> cov = np.array([[1.0, 0.3], [0.3, 0.5]])
    >>> bool(check_score(prior.noised(cov).score, prior, cov))
    True
    >>> check_score(prior.score, prior, cov).diagnosis.names       # the score of x_0, not of y
    ('score_of_the_prior',)
    """
    problem = make_problem(prior, cov, alpha, points, n, tolerance, seed, "check_score")
    kind = Prediction(prediction, problem, sigma_data, rates)
    guard = guarded(score, "score", framework, dtype)
    returned = guard.deterministic(problem.y, shape=problem.y.shape)
    jacobian = jacobian_evidence(guard, kind, problem, framework, tolerance, seed)
    if prior is None:
        return jacobian
    measured, truth = kind.to_score(returned), problem.score()
    mean = mean_formula(problem.y, measured, problem.cov)
    evidence = judge_mean(
        mean,
        problem.mean(),
        problem,
        guard,
        tolerance,
        f"y + Σ score(y) against E[alpha x_0 | y] {problem.where}",
    )
    if truth is None:
        truth = problem.score_at(problem.cov)
    else:
        other = judge_score(
            measured,
            truth,
            problem,
            guard,
            tolerance,
            f"Σ^½ score(y) against Σ^½ ∇log p_Y(y) {problem.where}",
        )
        evidence = worst([evidence, other])
    if evidence.verdict != "refuted":
        return evidence if jacobian.verdict != "refuted" else jacobian
    notes = (jacobian.explain(),) if jacobian.verdict == "refuted" else ()
    found = diagnose(
        measured,
        truth,
        score_candidates(problem, truth, kind),
        resolution=resolution(guard),
        reasons=REASONS,
    )
    return replace(evidence, notes=notes, diagnosis=found)
