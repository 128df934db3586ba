"""What a user's denoiser or score is held against: the prior, the noise, the points, and what the
callable predicts.

Conventions: ``y = alpha x_0 + z`` with ``z ~ N(0, cov)``; a covariance, never a standard deviation.
Points are rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from scoreproof.claims.tweedie.statement import mean_formula
from scoreproof.errors import ArgumentError, ScoreproofError
from scoreproof.interop.callables import to_float
from scoreproof.numerics.complex_step import gradient
from scoreproof.numerics.linear import check_covariance
from scoreproof.objects.empirical import Atoms
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.objects.parameterizations import PREDICTIONS, convert
from scoreproof.streams import stream

__all__ = ["Prediction", "Prior", "Problem", "make_problem"]

Prior = GaussianMixture | Atoms | Any
WORK = 1 << 27  # exponentials that the exact score may take


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

    def score(self) -> np.ndarray | None:
        """∇ log p_Y by the complex step; ``None`` where that would take more than ``WORK``
        exponentials.
        """
        terms = self.prior.size if isinstance(self.prior, Atoms) else 1
        return gradient(self.law.log_density, self.y) if self.y.size * terms <= WORK else None

    def score_at(self, cov: np.ndarray) -> np.ndarray:
        """∇ log p_Y for another noise, from the posterior mean: good enough to explain a failure,
        never to find one.
        """
        assert self.prior is not None
        return np.linalg.solve(cov, (self.prior.posterior_mean(self.y, cov) - self.y).T).T


def _number(argument: str, value: Any, remedy: str) -> float:
    if not (isinstance(value, Real) and np.isfinite(float(value)) and float(value) > 0):
        raise ArgumentError(argument, "finite and > 0", value, remedy)
    return float(value)


def make_problem(
    prior: Prior | None,
    cov: Any,
    alpha: float,
    points: Any,
    n: int,
    tolerance: float | None,
    seed: int,
    name: str,
) -> Problem:
    alpha = _number("alpha", alpha, "it multiplies x_0 in y = alpha x_0 + z")
    if not isinstance(n, Integral) or n < 1:
        raise ArgumentError("n", "an integer >= 1", n, "it is the number of points")
    if tolerance is not None and not (
        isinstance(tolerance, Real) and np.isfinite(float(tolerance)) and float(tolerance) >= 0
    ):
        raise ArgumentError(
            "tolerance",
            "finite and >= 0",
            tolerance,
            "it is a relative error; leave it out to allow rounding only",
        )
    if prior is None and points is None:
        raise ArgumentError(
            "points",
            "given when prior is None",
            None,
            "pass the rows at which to look at the Jacobian",
        )
    y = None if points is None else to_float("points", points, shape=(None, None))
    if y is not None and len(y) == 0:
        raise ArgumentError(
            "points", "at least one row", f"shape {y.shape}", "pass the rows at which to look"
        )
    known = (
        prior
        if prior is None or isinstance(prior, GaussianMixture | Atoms)
        else Atoms(to_float("prior", prior, shape=(None, None)))
    )
    d = known.dimension if known is not None else y.shape[1]
    matrix = to_float("cov", cov)
    matrix = (
        float(matrix) * np.eye(d) if matrix.ndim == 0 else to_float("cov", matrix, shape=(d, d))
    )
    check_covariance("cov", matrix)
    if y is not None and y.shape[1] != d:
        raise ArgumentError(
            "points", f"of shape (m, {d})", f"shape {y.shape}", "points have the prior's dimension"
        )
    if known is not None and alpha != 1.0:
        known = (
            Atoms(alpha * known.points, known.weights)
            if isinstance(known, Atoms)
            else known.affine(alpha * np.eye(d))
        )
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
                y = (
                    known.sample(rng, n)
                    + rng.standard_normal((n, d)) @ np.linalg.cholesky(matrix).T
                )
        perplexity = law.perplexity(y)
        # nearest atom = nearest atom: such points cannot tell a right denoiser from many wrong ones
        decisive = known.size < 4 or bool(np.max(perplexity) >= 1.5)
        note = (
            f" (softmax perplexity {perplexity.min():.2g} to {perplexity.max():.2g} of {known.size}"
            " data)"
        )
    elif y is None:
        y = known.noised(matrix).sample(rng, n)
    return Problem(known, matrix, y, alpha, f"at {len(y)} points in R^{d}{note}", decisive)


@dataclass(frozen=True)
class Prediction:
    """What the callable predicts, and how that becomes E[x_0 | y] or the score of y."""

    name: str
    problem: Problem
    sigma_data: float
    rates: tuple[float, float] | None

    def __post_init__(self) -> None:
        if self.name not in PREDICTIONS:
            raise ArgumentError(
                "prediction",
                f"one of {', '.join(PREDICTIONS)}",
                repr(self.name),
                "name what the callable returns",
            )
        if self.name not in ("x0", "score"):
            cov = self.problem.cov
            if not np.allclose(cov, cov[0, 0] * np.eye(len(cov)), rtol=1e-12, atol=0):
                raise ArgumentError(
                    "cov",
                    f"σ² I for prediction={self.name!r}",
                    "another covariance",
                    "convert to x0 or score in your own code",
                )
            if self.name == "F":
                _number(
                    "sigma_data",
                    self.sigma_data,
                    "it is the standard deviation of the data in EDM's preconditioning",
                )
            if self.name == "velocity":
                self._check_rates(float(np.sqrt(cov[0, 0])))

    def _check_rates(self, sigma: float) -> None:
        given = self.rates if isinstance(self.rates, tuple | list | np.ndarray) else ()
        rates = [float(r) for r in given if isinstance(r, Real) and np.isfinite(float(r))]
        if len(rates) != 2 or len(given) != 2:
            raise ArgumentError(
                "rates",
                "(dα/dt, dσ/dt) for a velocity",
                self.rates,
                "pass rates=(alpha_dot, sigma_dot)",
            )
        if abs(self.problem.alpha * rates[1] - sigma * rates[0]) <= 1e-12 * sigma * abs(rates[0]):
            raise ArgumentError(
                "rates",
                "such that α σ' - σ α' is not 0",
                self.rates,
                "where σ/α stands still a velocity does not tell x_0",
            )

    def _convert(self, value: np.ndarray, y: np.ndarray, source: str, target: str) -> np.ndarray:
        rates = self.rates or (None, None)
        sigma = float(np.sqrt(self.problem.cov[0, 0]))
        return convert(
            value,
            y,
            source,
            target,
            self.problem.alpha,
            sigma,
            sigma_data=self.sigma_data,
            alpha_dot=rates[0],
            sigma_dot=rates[1],
        )

    def to_x0(self, value: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        y = self.problem.y if y is None else y
        if self.name == "score":
            return mean_formula(y, value, self.problem.cov) / self.problem.alpha
        return self._convert(value, y, self.name, "x0")

    def to_score(self, value: np.ndarray, y: np.ndarray | None = None) -> np.ndarray:
        y = self.problem.y if y is None else y
        if self.name == "score":
            return value
        return np.linalg.solve(
            self.problem.cov, (self.problem.alpha * self.to_x0(value, y) - y).T
        ).T
