"""``check_denoiser`` and ``check_score``: is it the posterior mean, is it the score, could it be one at all?

Conventions: ``y = alpha x_0 + z`` with ``z ~ N(0, cov)``; ``cov`` is a covariance ``(d, d)`` (or a number: that times I), never
a standard deviation. Points are rows. The denoiser returns ``E[x_0 | y]``, the score ``∇_y log p_Y(y)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.claims.tweedie.faults import FAULTS
from scoreproof.claims.tweedie.statement import mean_formula
from scoreproof.diagnosis import diagnose
from scoreproof.errors import ArgumentError, ScoreproofError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded, to_float
from scoreproof.interop.derivatives import row_jacobian
from scoreproof.interop.frameworks import guarded
from scoreproof.numerics.complex_step import gradient
from scoreproof.numerics.linear import check_covariance
from scoreproof.objects.empirical import Atoms, NoisyAtoms
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.objects.parameterizations import PREDICTIONS, convert
from scoreproof.streams import stream

__all__ = ["check_denoiser", "check_score"]

Prior = GaussianMixture | Atoms | Any


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
    problem = _problem(prior, cov, alpha, points, n, seed, "check_denoiser")
    guard = guarded(denoiser, "denoiser", framework, dtype)
    returned = guard.deterministic(problem.y, shape=problem.y.shape)
    kind = _Kind(prediction, problem, sigma_data, rates)
    measured = kind.to_x0(returned) * alpha
    truth = problem.mean()
    evidence = _judge(measured, truth, problem, guard, tolerance, f"the denoiser against E[x_0 | y] {problem.where}", alpha)
    if evidence.verdict != "refuted":
        return evidence
    score = gradient(problem.law.log_density, problem.y)
    return evidence.with_diagnosis(diagnose(measured, truth, _denoiser_candidates(problem, score, kind), resolution=1e-6))


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

    >>> prior = GaussianMixture([0.5, 0.5], [[-1.0, 0.0], [1.0, 1.0]], [np.eye(2), 0.5 * np.eye(2)])
    >>> cov = np.array([[1.0, 0.3], [0.3, 0.5]])
    >>> bool(check_score(prior.noised(cov).score, prior, cov))
    True
    >>> check_score(prior.score, prior, cov).diagnosis.names       # the score of x_0, not of y
    ('score_of_the_prior',)
    """
    if prior is None and points is None:
        raise ArgumentError("points", "given when prior is None", None, "pass the rows at which to look at the Jacobian")
    problem = _problem(prior, cov, alpha, points, n, seed, "check_score")
    guard = guarded(score, "score", framework, dtype)
    kind = _Kind(prediction, problem, sigma_data, rates)
    returned = guard.deterministic(problem.y, shape=problem.y.shape)
    jacobian = _jacobian_evidence(guard, kind, problem, framework, tolerance)
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
    from dataclasses import replace

    return replace(evidence, notes=notes, diagnosis=diagnose(measured, truth, _score_candidates(problem, truth, kind), resolution=1e-6))


@dataclass(frozen=True)
class Problem:
    """The prior of ``alpha x_0``, the noise and the points; ``law`` is that of y."""

    prior: GaussianMixture | Atoms | None
    cov: np.ndarray
    y: np.ndarray
    alpha: float
    where: str
    decisive: bool  # False where every point has one effective atom

    @property
    def law(self) -> Any:
        assert self.prior is not None
        return self.prior.noised(self.cov)

    def mean(self) -> np.ndarray:
        """E[alpha x_0 | y], by a softmax average or a Kalman update."""
        assert self.prior is not None
        return self.prior.posterior_mean(self.y, self.cov)


def _problem(prior: Prior | None, cov: Any, alpha: float, points: Any, n: int, seed: int, name: str) -> Problem:
    if not (np.isfinite(alpha) and alpha > 0):
        raise ArgumentError("alpha", "finite and > 0", alpha, "it multiplies x_0 in y = alpha x_0 + z")
    if n < 1:
        raise ArgumentError("n", ">= 1", n, "it is the number of points")
    y = None if points is None else to_float("points", points, shape=(None, None))
    known = prior if prior is None or isinstance(prior, GaussianMixture | Atoms) else Atoms(to_float("prior", prior, shape=(None, None)))
    d = known.dimension if known is not None else y.shape[1]  # type: ignore[union-attr]
    matrix = to_float("cov", cov)
    matrix = float(matrix) * np.eye(d) if matrix.ndim == 0 else to_float("cov", matrix, shape=(d, d))
    check_covariance("cov", matrix)
    if y is not None and y.shape[1] != d:
        raise ArgumentError("points", f"of shape (m, {d})", f"shape {y.shape}", "points have the prior's dimension")
    if known is not None and alpha != 1.0:
        known = Atoms(alpha * known.points, known.weights) if isinstance(known, Atoms) else known.affine(alpha * np.eye(d))
    if known is None:
        assert y is not None
        return Problem(None, matrix, y, alpha, f"at {len(y)} points in R^{d}", True)
    rng = stream(seed, name, "points")
    decisive, note = True, ""
    if isinstance(known, Atoms):
        law = known.noised(matrix)
        if y is None:
            try:
                y = law.noisy(rng, n)
            except ScoreproofError:
                y = known.sample(rng, n) + rng.standard_normal((n, d)) @ np.linalg.cholesky(matrix).T
        perplexity = law.perplexity(y)
        # nearest atom = nearest atom: such points cannot tell a right denoiser from many wrong ones
        decisive = known.size < 4 or bool(np.max(perplexity) >= 1.5)
        note = f" (softmax perplexity {perplexity.min():.2g} to {perplexity.max():.2g} of {known.size} data)"
    elif y is None:
        y = known.noised(matrix).sample(rng, n)
    return Problem(known, matrix, y, alpha, f"at {len(y)} points in R^{d}{note}", decisive)


@dataclass(frozen=True)
class _Kind:
    """What the callable predicts, and how that becomes E[x_0 | y] or the score of y."""

    prediction: str
    problem: Problem
    sigma_data: float
    rates: tuple[float, float] | None

    def __post_init__(self) -> None:
        if self.prediction not in PREDICTIONS:
            raise ArgumentError("prediction", f"one of {', '.join(PREDICTIONS)}", repr(self.prediction), "name what the callable returns")
        if self.prediction not in ("x0", "score"):
            cov = self.problem.cov
            if not np.allclose(cov, cov[0, 0] * np.eye(len(cov)), rtol=1e-12, atol=0):
                raise ArgumentError("cov", f"σ² I for prediction={self.prediction!r}", "another covariance", "convert to x0 or score in your own code")
            if self.prediction == "velocity" and self.rates is None:
                raise ArgumentError("rates", "(dα/dt, dσ/dt) for a velocity", None, "pass rates=(alpha_dot, sigma_dot)")

    def _convert(self, value: np.ndarray, y: np.ndarray, source: str, target: str) -> np.ndarray:
        rates = self.rates or (None, None)
        sigma = float(np.sqrt(self.problem.cov[0, 0]))
        return convert(value, y, source, target, self.problem.alpha, sigma, sigma_data=self.sigma_data, alpha_dot=rates[0], sigma_dot=rates[1])

    def to_x0(self, value: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        y = self.problem.y if y is None else y
        if self.prediction == "score":
            return mean_formula(y, value, self.problem.cov) / self.problem.alpha
        return self._convert(value, y, self.prediction, "x0")

    def to_score(self, value: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        y = self.problem.y if y is None else y
        if self.prediction == "score":
            return value
        return np.linalg.solve(self.problem.cov, (self.problem.alpha * self.to_x0(value, y) - y).T).T


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


def _denoiser_candidates(problem: Problem, score: np.ndarray, kind: _Kind) -> dict[str, np.ndarray]:
    """What the claim's faults, a wrong noise level, a wrong scale and another prediction type would have returned, times alpha."""
    found = {f.name: np.asarray(f.subject.mean(problem.y, score, problem.cov)) for f in FAULTS if f.subject.mean is not mean_formula}
    levels = {
        "noise_variance_squared": problem.cov @ problem.cov,
        "noise_variance_rooted": _root(problem.cov),
        "noise_variance_halved": problem.cov / 2,
        "noise_variance_doubled": problem.cov * 2,
    }
    assert problem.prior is not None
    for name, cov in levels.items():
        found[name] = problem.prior.posterior_mean(problem.y, cov)
        other = gradient(problem.prior.noised(cov).log_density, problem.y)
        for fault in FAULTS:
            if fault.subject.mean is not mean_formula:
                found[f"{fault.name} + {name}"] = np.asarray(fault.subject.mean(problem.y, other, problem.cov))
    truth = problem.mean()
    if problem.alpha != 1.0:
        found["alpha_not_divided_out"] = problem.alpha * truth
        found["alpha_divided_twice"] = truth / problem.alpha
    sigma2 = problem.cov[0, 0]
    if np.allclose(problem.cov, sigma2 * np.eye(len(problem.cov))):
        x0 = truth / problem.alpha
        for other_kind in ("score", "eps", "v"):
            if other_kind != kind.prediction:
                actual = convert(x0, problem.y, "x0", other_kind, problem.alpha, np.sqrt(sigma2))
                found[f"returns_{other_kind}"] = kind.to_x0(actual) * problem.alpha
    return found


def _score_candidates(problem: Problem, score: np.ndarray, kind: _Kind) -> dict[str, np.ndarray]:
    inverse = np.linalg.inv(problem.cov)
    assert problem.prior is not None
    mean = problem.mean()
    found = {
        "minus": -score,
        "half": score / 2,
        "twice": 2 * score,
        "scaled_by_cov": score @ problem.cov,
        "scaled_by_inverse_cov": score @ inverse,
        "scaled_by_std": score @ _root(problem.cov),
        "minus_scaled_by_std": -score @ _root(problem.cov),
        "posterior_mean_returned": mean / problem.alpha,
        "residual_not_divided_by_cov": mean - problem.y,
        "residual_divided_by_std": (mean - problem.y) @ np.linalg.inv(_root(problem.cov)),
    }
    if isinstance(problem.prior, GaussianMixture):
        found["score_of_the_prior"] = problem.prior.score(problem.y)
    for name, cov in (("noise_variance_squared", problem.cov @ problem.cov), ("noise_variance_rooted", _root(problem.cov)), ("noise_variance_doubled", 2 * problem.cov)):
        other = gradient(problem.prior.noised(cov).log_density, problem.y)
        found[name] = other
        found[f"minus + {name}"] = -other
    return found


def _root(cov: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh(cov)
    return (vectors * np.sqrt(values)) @ vectors.T


def _jacobian_evidence(guard: Guarded, kind: _Kind, problem: Problem, framework: str, tolerance: float | None) -> Evidence:
    """Whether the score's Jacobian is symmetric and ``Σ + Σ J Σ`` positive semidefinite, at the points."""
    y, cov = problem.y, problem.cov
    scale = float(np.sqrt(np.min(np.diagonal(cov))))
    raw, inaccuracy = row_jacobian(guard, y, framework, scale)
    jacobian = _score_jacobian(raw, kind, problem)
    # in whitened coordinates: a root of Σ on both sides, so that the identity is the size to compare with
    root = _root(cov)
    white = root @ jacobian @ root
    size = 1 + np.max(np.abs(white))
    skew = float(np.max(np.abs(white - np.swapaxes(white, 1, 2)))) / 2 / size
    posterior = np.eye(len(cov)) + (white + np.swapaxes(white, 1, 2)) / 2
    negative = float(max(0.0, -np.min(np.linalg.eigvalsh(posterior)))) / size
    # what the conversion from another prediction divides by
    amplification = 1.0 if kind.prediction == "score" else float(np.linalg.cond(cov)) * (1 + 1 / float(np.min(np.diagonal(cov))))
    bound = (tolerance or 0.0) + len(cov) * amplification * (inaccuracy + 64 * guard.eps * float(np.max(np.abs(raw)) / max(1.0, np.max(np.abs(white)))))
    what = f"the score's Jacobian at {len(y)} points: asymmetry {skew:.2g}, negative part of Cov = Σ + Σ J Σ {negative:.2g} (relative)"
    sentence = f"{what}; a posterior mean has neither, which is necessary and not sufficient"
    return Evidence.measured(max(skew, negative), bound, sentence, cost={"calls": guard.calls})


def _score_jacobian(raw: np.ndarray, kind: _Kind, problem: Problem) -> np.ndarray:
    """The Jacobian of the score from that of the prediction, both ``(n, d, d)``: every conversion is affine in (value, y)."""
    if kind.prediction == "score":
        return raw
    d = raw.shape[1]
    zero, one = np.zeros((1, d)), np.ones((1, d))
    # the conversion acts entrywise (σ² I): read its two coefficients off
    per_value = kind.to_score(one, zero)[0, 0] if kind.prediction != "x0" else None
    if per_value is not None:
        return per_value * raw + kind.to_score(zero, one)[0, 0] * np.eye(d)
    return np.linalg.solve(problem.cov, problem.alpha * raw - np.eye(d))
