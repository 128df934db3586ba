"""What known mistakes would have returned at the points looked at, as far as both checks share
them.

The scores used here come from posterior means, at a price that does not grow with the dimension:
they explain a failure that was found by other means, and decide nothing.
"""

from __future__ import annotations

import numpy as np

from scoreproof.claims.tweedie.faults import FAULTS
from scoreproof.objects.empirical import Atoms
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.public.posterior.due import Due
from scoreproof.public.posterior.prediction import Prediction
from scoreproof.public.posterior.rounding import DOUBLE

__all__ = [
    "REASONS",
    "SINGLE",
    "TOLD",
    "coarse",
    "levels",
    "other_predictions",
    "other_priors",
    "score_at",
    "told",
]

SINGLE = 2.0**-23  # the spacing of float32 at 1

#: as many points as it takes to tell explanations apart
TOLD = 16

#: what each name means, in words: the claim's own faults, and those that only a user's callable can
#: have
REASONS = {f.name: f.why for f in FAULTS} | {
    "noise_variance_squared": (
        "it is the answer for the noise covariance Σ²: a variance was squared again"
    ),
    "noise_variance_rooted": (
        "it is the answer for the noise covariance √Σ: a standard deviation stands where a variance"
        " is due"
    ),
    "noise_variance_halved": (
        "it is the answer for half the noise variance: a factor 2 is missing in the exponent,"
        " -|y - x|²/(2σ²)"
    ),
    "noise_variance_doubled": (
        "it is the answer for twice the noise variance: a factor 2 too many in the exponent"
    ),
    "nearest_component": (
        "the datum or component with the largest weight answers alone, where the mean over all of"
        " them is due"
    ),
    "weights_ignored": "the prior's weights were taken as equal",
    "prior_mean": "the prior's mean was returned whatever y is",
    "alpha_not_divided_out": "E[alpha x_0 | y] was returned where E[x_0 | y] is due",
    "alpha_divided_twice": "it was divided by alpha twice",
    "alpha_forgotten": "it is the answer for y = x_0 + z: alpha was left out",
    "returns_score": "the score is returned",
    "returns_eps": "E[ε | y] is returned",
    "returns_x0": "E[x_0 | y] is returned",
    "returns_v": "v is returned",
    "returns_F": "EDM's F is returned",
    "returns_velocity": "the velocity is returned",
    "scaled_by_cov": "the score was multiplied by Σ: that is E[x|y] - y",
    "scaled_by_inverse_cov": "the score was divided by Σ once too often",
    "scaled_by_std": "the score was multiplied by a root of Σ: that is -E[ε|y]",
    "posterior_mean_returned": "the posterior mean was returned where the score is due",
    "residual_not_divided_by_cov": "E[x|y] - y was not divided by Σ",
    "residual_multiplied_by_cov": "E[x|y] - y was multiplied by Σ where it is to be divided",
    "residual_divided_by_std": (
        "E[x|y] - y was divided by a standard deviation where a variance is due"
    ),
    "residual_divided_by_factor": (
        "E[x|y] - y was divided by the Cholesky factor L of Σ once, where L Lᵀ is due"
    ),
    "residual_divided_by_transposed_factor": (
        "E[x|y] - y was divided by the Cholesky factor of Σ once, where it is due twice"
    ),
    "residual_divided_by_swapped_factor": (
        "E[x|y] - y was divided by LᵀL where L Lᵀ is due: the factor was transposed"
    ),
    "residual_divided_by_diagonal": "E[x|y] - y was divided by the diagonal of Σ alone",
    "residual_times_precision_diagonal": (
        "E[x|y] - y was multiplied by the diagonal of Σ⁻¹ alone: what is off the diagonal of Σ⁻¹ is"
        " dropped"
    ),
    "residual_times_lower_precision": (
        "E[x|y] - y was multiplied by the lower triangle of Σ⁻¹ alone, where all of Σ⁻¹ is due"
    ),
    "residual_times_upper_precision": (
        "E[x|y] - y was multiplied by the upper triangle of Σ⁻¹ alone, where all of Σ⁻¹ is due"
    ),
    "y_not_subtracted": "y was not subtracted: it is Σ⁻¹ E[x|y]",
    "mean_not_subtracted": "E[x|y] was left out: it is -Σ⁻¹ y",
    "minus_scaled_by_std": "it is E[ε | y], the noise: divide it by σ and change its sign",
    "score_of_the_prior": "it is the score of x_0, not of the noisy y",
}


def told(bad: np.ndarray) -> np.ndarray:
    """The points from which a cause is read: wrong ones first ``(points,)`` of true or false."""
    return np.argsort(~bad, kind="stable")[:TOLD]


def coarse(error: np.ndarray, rounding: np.ndarray, eps: float) -> tuple[str, ...]:
    """A note where rounding in single precision would explain the error: ``rounding`` is for
    that.
    """
    if eps > DOUBLE or not np.all(error <= rounding):
        return ()
    return (
        "Rounding in float32 would explain it: if it computes in float32, pass dtype='float32'; "
        "what is allowed then follows that type.",
    )


def score_at(due: Due, cov: np.ndarray) -> np.ndarray:
    """∇ log p_Y for another noise, from the posterior mean."""
    return np.linalg.solve(cov, (due.problem.known.posterior_mean(due.y, cov) - due.y).T).T


def levels(due: Due) -> dict[str, np.ndarray]:
    """The noise with another variance than it has."""
    noise, cov = due.problem.noise, due.problem.noise.cov
    root = noise.power(0.5)
    return {
        "noise_variance_squared": cov @ cov,
        "noise_variance_rooted": np.diag(root) if noise.plain else root,
        "noise_variance_halved": cov / 2,
        "noise_variance_doubled": cov * 2,
    }


def other_predictions(due: Due, kind: Prediction) -> dict[str, np.ndarray]:
    """``returns_<kind>`` -> what a callable of another kind of prediction returns (for noise σ²
    I).
    """
    if due.problem.noise.variance is None:
        return {}
    kinds = ["score", "eps", "x0", "v", "F"] + ["velocity"] * (kind.rates is not None)
    x0 = due.mean / due.problem.alpha
    return {f"returns_{k}": kind.convert(x0, due.y, "x0", k) for k in kinds if k != kind.name}


def other_priors(due: Due) -> dict[str, np.ndarray]:
    """The answer of the likeliest component alone, with equal weights, and without y; times
    alpha.
    """
    problem, known, y = due.problem, due.problem.known, due.y
    found = {"prior_mean": np.broadcast_to(known.mean(), y.shape)}
    if problem.components == 1:
        return found
    if isinstance(known, Atoms):
        best = np.concatenate([np.argmax(r, axis=1) for _, r in problem.law.weights(y)])
        found["nearest_component"] = known.points[best]
        equal: Atoms | GaussianMixture = Atoms(known.points)
    else:
        r, means, _ = known.component_posteriors(y, problem.noise.cov)
        found["nearest_component"] = means[np.arange(len(y)), np.argmax(r, axis=1)]
        weights = np.full(len(known.weights), 1 / len(known.weights))
        equal = GaussianMixture(weights, known.means, known.covariances)
    found["weights_ignored"] = equal.posterior_mean(y, problem.noise.cov)
    if problem.alpha != 1.0:
        plain = (
            Atoms(known.points / problem.alpha, known.weights)
            if isinstance(known, Atoms)
            else known.affine(np.eye(problem.dimension) / problem.alpha)
        )
        found["alpha_forgotten"] = plain.posterior_mean(y, problem.noise.cov)
    return found
