"""What the callable predicts, and how that becomes E[alpha x_0 | y] or the score of y.

Conventions: ``y = alpha x_0 + σ ε``; a prediction is linear in x_0 and y, see
``scoreproof.objects.parameterizations``.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

import numpy as np

from scoreproof.claims.tweedie.statement import mean_formula
from scoreproof.errors import ArgumentError
from scoreproof.objects.parameterizations import PREDICTIONS, convert
from scoreproof.public.posterior.problem import Problem, positive

__all__ = ["Prediction"]

#: how libraries call them
OTHER_NAMES = {
    "epsilon": "eps",
    "noise": "eps",
    "sample": "x0",
    "x_0": "x0",
    "v_prediction": "v",
    "flow_prediction": "flow",
}


@dataclass(frozen=True, eq=False)
class Prediction:
    """A kind of prediction; ``rates`` = (dα/dt, dσ/dt) for a velocity, ``sigma_data`` for F."""

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
                f"{self.name!r} is {OTHER_NAMES[self.name]!r} here"
                if self.name in OTHER_NAMES
                else "name what the callable returns",
            )
        if self.name in ("x0", "score"):
            return
        if self.problem.noise.variance is None:
            raise ArgumentError(
                "cov",
                f"σ² I for prediction={self.name!r}",
                "another covariance",
                "convert to x0 or score in your own code",
            )
        if self.name == "F":
            positive(
                "sigma_data",
                self.sigma_data,
                "it is the standard deviation of the data in EDM's preconditioning",
            )
        if self.name == "velocity":
            self._check_rates()

    @property
    def sigma(self) -> float:
        return float(np.sqrt(self.problem.noise.diagonal[0]))

    def _check_rates(self) -> None:
        given = self.rates if isinstance(self.rates, tuple | list | np.ndarray) else ()
        rates = [float(r) for r in given if isinstance(r, Real) and np.isfinite(float(r))]
        if len(rates) != 2 or len(given) != 2:
            raise ArgumentError(
                "rates",
                "(dα/dt, dσ/dt) for a velocity",
                self.rates,
                "pass rates=(alpha_dot, sigma_dot)",
            )
        determinant = self.problem.alpha * rates[1] - self.sigma * rates[0]
        if abs(determinant) <= 1e-12 * self.sigma * abs(rates[0]):
            raise ArgumentError(
                "rates",
                "such that α σ' - σ α' is not 0",
                self.rates,
                "where σ/α stands still a velocity does not tell x_0",
            )

    def convert(self, value: np.ndarray, y: np.ndarray, source: str, target: str) -> np.ndarray:
        """Between any two kinds, at points y, for noise σ² I."""
        rates = self.rates or (None, None)
        return convert(
            value,
            y,
            source,
            target,
            self.problem.alpha,
            self.sigma,
            sigma_data=self.sigma_data,
            alpha_dot=rates[0],
            sigma_dot=rates[1],
        )

    def to_mean(self, value: np.ndarray, y: np.ndarray) -> np.ndarray:
        """E[alpha x_0 | y]."""
        if self.name == "score":
            return mean_formula(y, value, self.problem.noise.cov)
        if self.name == "x0":
            return self.problem.alpha * value
        return self.problem.alpha * self.convert(value, y, self.name, "x0")

    def to_score(self, value: np.ndarray, y: np.ndarray) -> np.ndarray:
        """∇ log p_Y(y)."""
        if self.name == "score":
            return value
        if self.name == "x0":
            return self.problem.noise.times(self.problem.alpha * value - y, -1.0)
        return self.convert(value, y, self.name, "score")

    def linear(self) -> tuple[float, float, float, float]:
        """``(p, q, P, Q)``: the prediction is ``p alpha x_0 + q y``, computed from terms whose
        sizes add up to ``P |alpha x_0| + Q |y|``.
        """
        if self.name == "x0":
            return 1 / self.problem.alpha, 0.0, 1 / self.problem.alpha, 0.0
        one, zero = np.ones((1, 1)), np.zeros((1, 1))
        p = float(self.convert(one / self.problem.alpha, zero, "x0", self.name)[0, 0])
        q = float(self.convert(zero, one, "x0", self.name)[0, 0])
        if self.name != "velocity" or self.rates is None:
            return p, q, abs(p), abs(q)
        # the two terms of p cancel where σ/α hardly moves
        parts = abs(self.rates[0]) / self.problem.alpha + abs(self.rates[1]) / self.sigma
        return p, q, parts, abs(q)
