"""``check_denoiser`` and ``check_score``: is it the posterior mean, is it the score, could it be
one at all?

Conventions: ``y = alpha x_0 + z`` with ``z ~ N(0, cov)``; ``cov`` is a covariance ``(d, d)`` (or a
number: that times I), never
a standard deviation. Points are rows. The denoiser returns ``E[x_0 | y]``, the score ``∇_y log
p_Y(y)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from scoreproof.claims.tweedie.explanations import REASONS, denoiser_candidates, score_candidates
from scoreproof.claims.tweedie.jacobian import jacobian_evidence
from scoreproof.claims.tweedie.judging import judge_mean, judge_score, resolution
from scoreproof.claims.tweedie.problem import Prediction, Prior, make_problem
from scoreproof.claims.tweedie.statement import mean_formula
from scoreproof.diagnosis import diagnose
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence, worst
from scoreproof.interop.frameworks import guarded

__all__ = ["check_denoiser", "check_score"]


def check_denoiser(
    denoiser: Callable[[Any], Any],
    prior: Prior,
    cov: Any,
    *,
    prediction: str = "x0",
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
    """Check that ``denoiser(y)`` is ``E[x_0 | y]`` for ``y = alpha x_0 + N(0, cov)`` and x_0 drawn
    from ``prior``.

    Parameters
    ----------
    denoiser: rows ``(m, d)`` to rows ``(m, d)``.
    prior: a `GaussianMixture`, `Atoms`, or a data set ``(n, d)`` whose empirical law is the prior
        (its ideal denoiser is exact).
    cov: the noise's covariance ``(d, d)``, or a variance (that times I).
    prediction: what the callable returns: ``"x0"``, ``"score"``, ``"eps"``, ``"v"``, ``"F"`` or
        ``"velocity"`` (see ``scoreproof.objects.parameterizations``); all but x0 and score need cov
        = σ² I. ``sigma_data`` is for F, ``rates`` = (dα/dt, dσ/dt) for velocity.
    points: where to look ``(m, d)``; by default n draws of y (for data: with a softmax perplexity
        between 2 and n/2, reported).
    tolerance: relative error to allow a learned denoiser; by default only rounding, derived from
        the precision of what comes back, is allowed.
    framework, dtype: ``"numpy"``, ``"torch"`` or ``"jax"`` and the floating type it is called with.

    Returns
    -------
    Evidence of kind float. The error is the largest entry over the points, relative to how far y
    and the posterior mean move away from the prior's mean (so that data far from the origin hide
    nothing). Undecided where every point has one effective datum, and where rounding alone could
    explain more than 1 %. The denoiser is called 2 times (the second call must repeat the first).
    The truth is a softmax average of the data or a Kalman update, never Tweedie's formula.

    Raises
    ------
    ArgumentError: a wrong shape, cov not positive definite, an unknown prediction. CallableError:
    the denoiser raises, returns another shape or NaN, changes its input, or is not deterministic.

    Source: homework problem 1; Robbins 1956, Efron 2011.

    >>> import numpy as np
    >>> data = np.array([[-1.0, 0.0], [1.0, 0.5], [0.0, 2.0], [1.0, -1.0], [0.5, 0.5], [-0.5, 1.0]])
    >>> def denoiser(y):                                # E[x_0 | y] over the data, with σ² = 1.5
    ...     logits = -((y[:, None] - data) ** 2).sum(axis=2) / (2 * 1.5)
    ...     weights = np.exp(logits)
    ...     return weights @ data / weights.sum(axis=1, keepdims=True)
    >>> bool(check_denoiser(denoiser, data, 1.5))
    True
    >>> check_denoiser(denoiser, data, 1.5**2).diagnosis.names       # the variance squared again
    ('noise_variance_rooted',)
    """
    if prior is None:
        raise ArgumentError(
            "prior",
            "a GaussianMixture, Atoms or a data set",
            None,
            "use check_score(…, prior=None) where the prior is not known",
        )
    problem = make_problem(prior, cov, alpha, points, n, tolerance, seed, "check_denoiser")
    kind = Prediction(prediction, problem, sigma_data, rates)
    guard = guarded(denoiser, "denoiser", framework, dtype)
    returned = guard.deterministic(problem.y, shape=problem.y.shape)
    measured = kind.to_x0(returned) * alpha
    truth = problem.mean()
    evidence = judge_mean(
        measured,
        truth,
        problem,
        guard,
        tolerance,
        f"the denoiser against E[x_0 | y] {problem.where}",
    )
    if evidence.verdict != "refuted":
        return evidence
    return evidence.with_diagnosis(
        diagnose(
            measured,
            truth,
            denoiser_candidates(problem, kind),
            resolution=resolution(guard),
            reasons=REASONS,
        )
    )


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
