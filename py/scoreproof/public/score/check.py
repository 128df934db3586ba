"""``check_score``: is it the score, could it be one at all?

Conventions: ``y = alpha x_0 + z`` with ``z ~ N(0, cov)``; ``cov`` is a covariance ``(d, d)`` (or a
number: that times I), never a standard deviation. Points are rows. The score is ``∇_y log p_Y(y)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scoreproof.evidence import Evidence
from scoreproof.interop.frameworks import guarded
from scoreproof.public.posterior.problem import Prior
from scoreproof.public.rule import public_check
from scoreproof.public.score.arguments import make_request
from scoreproof.public.score.asking import asked, moved, slopes
from scoreproof.public.score.curl import no_gradient
from scoreproof.public.score.necessary import necessary, possible
from scoreproof.public.score.verdict import verdict
from scoreproof.public.score.words import explained

__all__ = ["check_score"]


@public_check
def check_score(
    score: Callable[[Any], Any],
    prior: Prior | None,
    cov: Any,
    *,
    prediction: str = "score",
    alpha: float = 1.0,
    points: Any = None,
    n: int = 64,
    tolerance: float | None = None,
    sigma_data: float = 0.5,
    rates: tuple[float, float] | None = None,
    framework: str = "numpy",
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Check that ``score(y)`` is ``∇ log p_Y(y)`` for ``y = alpha x_0 + N(0, cov)``; without a
    prior, only that it could be one.

    With a prior, the score is compared with the gradient of ``log p_Y``; its Jacobian is looked at
    besides, at up to 16 of the points: that of a score is symmetric, and ``Σ + Σ J Σ``, a
    covariance, is positive semidefinite. Without a prior (``prior=None``, then give ``points``)
    only these two conditions are looked at, and that the rows of a batch are not mixed. They are
    necessary, not sufficient, and a ``holds`` says so: the posterior mean ``max(y, 0)`` of nothing
    passes. A score whose ``tr(Σ J)`` is negative at none of the points is undecided: over draws of
    y its mean is ``-E|Σ^{1/2} score|²``.

    Parameters are those of `check_denoiser`; ``prediction`` defaults to ``"score"``.

    Returns
    -------
    Evidence of kind float. The error, the resolution and the ``tolerance`` are relative, coordinate
    by coordinate, to the largest score over draws of y (at a point where it is larger still, or
    between two data, to as much more); where cov is not diagonal also in the directions of
    ``Σ^{1/2} score``. Without a prior they are the Jacobian's asymmetry and the negative part of
    ``Σ + Σ J Σ``, in units of the noise. In more than 64 dimensions the Jacobian is seen in 64
    random directions only, a sample: an asymmetry between two coordinates shows in them (the
    resolution counts how much), one that lies outside of them does not, nor need a variance that is
    negative in a few coordinates only.

    The callable is called 3 times on the points (the second call must repeat the first, the third
    asks half of the rows again in another order), once more where a coarser type comes back than
    went in, once more without a prior; and for the Jacobian at p points (16, without a prior all)
    in k = min(d, 64) directions: once with ``4 p k`` rows (NumPy, differences whose error is
    measured along the way) or k times with ``2 p`` rows (PyTorch and JAX, forward mode; as for
    NumPy where an operation lacks it, after the one call that showed this; without a prior also
    once with ``4 p`` rows, and where these show that a part is detached, as for NumPy).

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
    request = make_request(
        prior,
        cov,
        prediction=prediction,
        sigma_data=sigma_data,
        rates=rates,
        alpha=alpha,
        points=points,
        n=n,
        tolerance=tolerance,
        seed=seed,
    )
    guard = guarded(score, "score", framework, dtype)
    answers = asked(guard, request)
    allowed = request.problem.tolerance
    if prior is None:
        noise, found = moved(guard, request, answers), slopes(guard, request, answers)
        assert found is not None
        return necessary(found, answers, request, noise, guard.eps, guard.calls)
    jacobian = slopes(guard, request, answers)
    broken = None if jacobian is None else possible(jacobian, allowed, guard.calls)
    evidence = verdict(answers, request, jacobian, guard.eps, guard.calls)
    if broken is not None and jacobian is not None and evidence.verdict != "refuted":
        return broken.with_diagnosis(no_gradient(jacobian, request.problem.noise))
    evidence = explained(evidence, answers, request, guard.eps, again=guard.raw)
    known = evidence.diagnosis is not None and bool(evidence.diagnosis.names)
    if broken is not None and jacobian is not None and not known:
        return evidence.with_diagnosis(no_gradient(jacobian, request.problem.noise))
    return evidence
