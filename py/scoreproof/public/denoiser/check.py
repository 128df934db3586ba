"""``check_denoiser``: is it the posterior mean?

Conventions: ``y = alpha x_0 + z`` with ``z ~ N(0, cov)``; ``cov`` is a covariance ``(d, d)`` (or a
number: that times I), never a standard deviation. Points are rows. The denoiser returns
``E[x_0 | y]``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scoreproof.diagnosis import diagnose
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.interop.frameworks import guarded
from scoreproof.public.denoiser.arguments import Prediction, Prior, make_problem
from scoreproof.public.denoiser.verdict import judge_mean, resolution
from scoreproof.public.denoiser.words import REASONS, denoiser_candidates

__all__ = ["check_denoiser"]


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
