"""``check_denoiser`` and ``check_score``: is it the posterior mean, is it the score, could it be one at all?

Conventions: ``y = alpha x_0 + z`` with ``z ~ N(0, cov)``; ``cov`` is a covariance ``(d, d)`` (or a number: that times I), never
a standard deviation. Points are rows. The denoiser returns ``E[x_0 | y]``, the score ``∇_y log p_Y(y)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.claims.tweedie.explanations import denoiser_candidates, score_candidates
from scoreproof.claims.tweedie.jacobian import jacobian_evidence
from scoreproof.claims.tweedie.problem import Prediction, Prior, Problem, make_problem
from scoreproof.diagnosis import diagnose
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded
from scoreproof.interop.frameworks import guarded
from scoreproof.numerics.complex_step import gradient
from scoreproof.objects.empirical import NoisyAtoms

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
    """Check that ``denoiser(y)`` is ``E[x_0 | y]`` for ``y = alpha x_0 + N(0, cov)`` and x_0 drawn from ``prior``.

    Parameters
    ----------
    denoiser: rows ``(m, d)`` to rows ``(m, d)``.
    prior: a `GaussianMixture`, `Atoms`, or a data set ``(n, d)`` whose empirical law is the prior (its ideal denoiser is exact).
    cov: the noise's covariance ``(d, d)``, or a variance (that times I).
    prediction: what the callable returns: ``"x0"``, ``"score"``, ``"eps"``, ``"v"``, ``"F"`` or ``"velocity"`` (see
        ``scoreproof.objects.parameterizations``); all but x0 and score need cov = σ² I. ``sigma_data`` is for F, ``rates`` =
        (dα/dt, dσ/dt) for velocity.
    points: where to look ``(m, d)``; by default n draws of y (for data: with a softmax perplexity between 2 and n/2, reported).
    tolerance: relative error (maximum over points, against the largest entry) to allow a learned denoiser; by default only
        rounding, derived from the precision of what comes back, is allowed.
    framework, dtype: ``"numpy"``, ``"torch"`` or ``"jax"`` and the floating type it is called with.

    Returns
    -------
    Evidence of kind float with the error relative to the largest entry of y and of the posterior mean. The denoiser is called
    2 times (the second call must repeat the first). The truth is a softmax average of the data or a Kalman update, never
    Tweedie's formula.

    Raises
    ------
    ArgumentError: a wrong shape, cov not positive definite, an unknown prediction. CallableError: the denoiser raises, returns
    another shape or NaN, changes its input, or is not deterministic.

    Source: homework problem 1; Robbins 1956, Efron 2011.

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
    problem = make_problem(prior, cov, alpha, points, n, seed, "check_denoiser")
    guard = guarded(denoiser, "denoiser", framework, dtype)
    returned = guard.deterministic(problem.y, shape=problem.y.shape)
    kind = Prediction(prediction, problem, sigma_data, rates)
    measured = kind.to_x0(returned) * alpha
    truth = problem.mean()
    evidence = _judge(measured, truth, problem, guard, tolerance, f"the denoiser against E[x_0 | y] {problem.where}", alpha)
    if evidence.verdict != "refuted":
        return evidence
    score = gradient(problem.law.log_density, problem.y)
    return evidence.with_diagnosis(diagnose(measured, truth, denoiser_candidates(problem, score, kind), resolution=1e-6))


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
    """Check that ``score(y)`` is ``∇ log p_Y(y)`` for ``y = alpha x_0 + N(0, cov)``; without a prior, that it could be one.

    With a prior the score is compared with the derivative of ``log p_Y`` (complex step), and ``y + Σ score`` with the exact
    posterior mean. In both cases the Jacobian is probed: that of a score is symmetric, and ``Σ + Σ J Σ``, a covariance, is
    positive semidefinite. Without a prior (``prior=None``, then give ``points``) only these two conditions are looked at: they are
    necessary, not sufficient, and the sentence says so.

    Parameters are those of `check_denoiser`; ``prediction`` defaults to ``"score"``. The callable is called 2 times on the points, and
    for the Jacobian once with ``4 m d`` rows (NumPy) or d times (PyTorch and JAX, forward mode).

    Raises
    ------
    ArgumentError, CallableError: as `check_denoiser`; also when neither a prior nor points are given.

    Source: homework problem 1, with its second order ``Cov[X|Y] = Σ + Σ ∇² log p_Y Σ``.

    >>> from scoreproof import GaussianMixture
    >>> prior = GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 1.0]], [np.eye(2), 0.5 * np.eye(2)])
    >>> cov = np.array([[1.0, 0.3], [0.3, 0.5]])
    >>> bool(check_score(prior.noised(cov).score, prior, cov))
    True
    >>> check_score(prior.score, prior, cov).diagnosis.names       # the score of x_0, not of y
    ('score_of_the_prior',)
    """
    if prior is None and points is None:
        raise ArgumentError("points", "given when prior is None", None, "pass the rows at which to look at the Jacobian")
    problem = make_problem(prior, cov, alpha, points, n, seed, "check_score")
    guard = guarded(score, "score", framework, dtype)
    kind = Prediction(prediction, problem, sigma_data, rates)
    returned = guard.deterministic(problem.y, shape=problem.y.shape)
    jacobian = jacobian_evidence(guard, kind, problem, framework, tolerance)
    if prior is None:
        return jacobian
    measured = kind.to_score(returned)
    truth = gradient(problem.law.log_density, problem.y)
    evidence = _judge(
        measured @ problem.cov + problem.y, problem.mean(), problem, guard, tolerance, f"y + Σ score(y) against E[alpha x_0 | y] {problem.where}", alpha
    )
    if evidence.verdict != "refuted":
        return evidence if jacobian.verdict != "refuted" else jacobian
    notes = (jacobian.explain(),) if jacobian.verdict == "refuted" else ()
    return replace(evidence, notes=notes, diagnosis=diagnose(measured, truth, score_candidates(problem, truth, kind), resolution=1e-6))


def _judge(measured: np.ndarray, truth: np.ndarray, problem: Problem, guard: Guarded, tolerance: float | None, sentence: str, alpha: float) -> Evidence:
    size = float(np.max(np.abs(truth)) + np.max(np.abs(problem.y)))
    error = float(np.max(np.abs(measured - truth))) / size
    bound = tolerance if tolerance is not None else _rounding(problem, guard.eps)
    curves = {"returned": (truth.ravel().tolist(), measured.ravel().tolist()), "exact": (truth.ravel().tolist(), truth.ravel().tolist())}
    more: dict[str, Any] = {"cost": {"calls": guard.calls}, "curves": curves, "labels": ("exact posterior mean", "returned")}
    if error <= bound and not problem.decisive:
        return Evidence.undecided(
            "float", sentence + "; every point has one effective datum, where the formula says only that the nearest is the nearest: take more noise", **more
        )
    return Evidence.measured(error, bound, sentence, **more)


def _rounding(problem: Problem, eps: float) -> float:
    """What rounding may leave in a denoiser computed at unit roundoff ``eps``: that of its softmax's exponents, which a user may
    compute from expanded squares, and of inverting Σ; with a factor 4 for the order of operations, which is the user's."""
    law = problem.law
    condition = float(np.linalg.cond(problem.cov))
    if isinstance(law, NoisyAtoms):
        smallest = float(np.linalg.eigvalsh(problem.cov)[0])
        exponent = law.exponent(problem.y) + float(np.max(np.sum(problem.y**2, axis=1)) + np.max(np.sum(law.prior.points**2, axis=1))) / smallest
        return 4 * eps * (exponent + np.log2(law.prior.size) + len(problem.cov) + condition)
    condition = max(condition, *(float(np.linalg.cond(c)) for c in law.covariances))
    exponent = float(np.max(np.sum((problem.y[:, None] - law.means) ** 2, axis=2))) / float(min(np.linalg.eigvalsh(c)[0] for c in law.covariances))
    return 4 * eps * (exponent + len(problem.cov) + 2 * condition)
