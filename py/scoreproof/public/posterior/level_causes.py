"""The answer for another noise level, or another alpha, than the one there is.

Conventions: ``factor`` multiplies the noise's variance; ``α'`` is what the callable takes for
alpha.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from scoreproof.public.posterior.cases import Case, Cause, stated
from scoreproof.public.posterior.fitted import fitted, misfit, searched
from scoreproof.public.posterior.level_words import level_and_alpha_words, level_words
from scoreproof.public.posterior.means import mean_under

__all__ = [
    "other_covariances",
    "other_variances",
    "other_level",
    "other_level_and_alpha",
    "rescaled_mean",
]

#: coordinates up to which each has a variance fitted
FEW = 8
GRID = np.linspace(-12, 12, 49)


def rescaled_mean(
    case: Case, alpha: float, factor: float, y: np.ndarray | None = None
) -> np.ndarray:
    """E[x_0 | y] for ``y = alpha x_0 + z``, z with ``factor`` times the variance; times the alpha
    that there is.
    """
    problem, y = case.due.problem, case.y if y is None else y
    # for alpha x_0 it is the prior's own law at y in other units
    ratio = problem.alpha / alpha
    cov = problem.noise.least * (factor * ratio**2)
    return mean_under(problem.known, y * ratio, cov)


def other_level(case: Case) -> Iterator[Cause]:
    """Another noise variance."""
    if case.very_heavy:
        return
    few, own = case.few, case.due.problem.noise
    for converted in (False, True):
        if converted and case.kind.name == "x0":
            return

        def predicted(at: Case, p: np.ndarray, converted: bool = converted) -> np.ndarray:
            factor = float(np.exp(p[0]))
            return _converted(
                at, rescaled_mean(at, at.due.problem.alpha, factor), factor, converted
            )

        def residual(p: np.ndarray, predicted: Callable[..., np.ndarray] = predicted) -> np.ndarray:
            return misfit(predicted(few, p), few.value, few.limit)

        found = searched(residual, GRID)
        if found is None:
            continue
        factor = float(np.exp(found[0]))
        variance = own.variance
        params = {"factor": factor}
        if variance is not None:
            params["σ"] = float(np.sqrt(variance * factor))
        yield Cause(
            "noise_variance", predicted(case, found), level_words(case, factor, converted), params
        )


def _converted(case: Case, mean: np.ndarray, factor: float, own: bool) -> np.ndarray:
    """``mean`` as the callable returns it, with the right noise in the conversion or its own."""
    if not own or case.kind.name == "x0":
        return case.told(mean)
    noise = case.due.problem.noise.cov * factor
    if case.kind.name == "score":
        return case.told(mean, noise=noise)
    if case.kind.name == "eps":
        return (case.y - mean) / float(np.sqrt(noise[0, 0]))
    return case.told(mean)


def other_level_and_alpha(case: Case) -> Iterator[Cause]:
    """Another alpha; another of both, as of another timestep."""
    problem = case.due.problem
    if case.very_heavy or problem.noise.variance is None:
        return
    few, alpha, variance = case.few, problem.alpha, problem.noise.variance
    paths: dict[str, Callable[[np.ndarray], tuple[float, float]]] = {
        "alpha": lambda p: (alpha * float(np.exp(p[0])), 1.0),
        "both": lambda p: (alpha * float(np.exp(p[0])), float(np.exp(p[1]))),
    }
    if case.heavy:
        del paths["both"]
    if abs(alpha**2 + variance - 1) < 1e-9:
        paths = {"preserving": lambda p: _preserving(p[0], variance)} | paths
    for name, path in paths.items():
        for converted in (False, True):
            if converted and case.kind.name == "x0":
                continue

            def predicted(
                at: Case,
                p: np.ndarray,
                path: Callable[[np.ndarray], tuple[float, float]] = path,
                converted: bool = converted,
            ) -> np.ndarray:
                a, k = path(p)
                mean = rescaled_mean(at, a, k)
                if not converted:
                    return at.told(mean)
                return _by_own(at, mean / at.due.problem.alpha, a, np.sqrt(k * variance))

            def residual(
                p: np.ndarray, predicted: Callable[..., np.ndarray] = predicted
            ) -> np.ndarray:
                return misfit(predicted(few, p), few.value, few.limit)

            if name == "both":
                starts = [np.array([a, k]) for a in (-0.7, 0.0, 0.7) for k in (-1.5, 0.1, 1.5)]
                found = fitted(residual, starts)
            else:
                found = searched(residual, np.linspace(-4, 4, 33))
            if found is None:
                continue
            a, k = path(found)
            sigma = float(np.sqrt(k * variance))
            params = {"α": a, "σ": sigma}
            if name == "alpha":
                params = {"α": a}
            yield Cause(
                "level", predicted(case, found), level_and_alpha_words(case, a, sigma), params
            )


def _preserving(p: float, variance: float) -> tuple[float, float]:
    """α² + σ² = 1 with another ratio of the two."""
    ratio = variance / (1 - variance) * float(np.exp(p)) if variance < 1 else float(np.exp(p))
    alpha = float(np.sqrt(1 / (1 + ratio)))
    return alpha, (1 - alpha**2) / variance


def _by_own(case: Case, x0: np.ndarray, alpha: float, sigma: float) -> np.ndarray:
    """x_0 converted with the callable's own α and σ."""
    eps = (case.y - alpha * x0) / sigma
    made = {"eps": eps, "score": -eps / sigma, "v": alpha * eps - sigma * x0}
    return made.get(case.kind.name, case.told(x0 * case.due.problem.alpha))


def other_covariances(case: Case) -> Iterator[Cause]:
    """A correlated noise taken for another: inverted, without what is off its diagonal, rooted."""
    noise, problem = case.due.problem.noise, case.due.problem
    if noise.plain and noise.variance is not None or case.very_heavy:
        return
    d = problem.dimension
    factor = np.linalg.cholesky(noise.cov)
    inverse = np.linalg.inv(noise.cov)
    options = {
        "noise_inverted": (inverse, "Σ⁻¹ stands where Σ is due, in the exponent or the gain"),
        "noise_diagonal": (np.diag(noise.diagonal), "only the diagonal of Σ was used"),
        "noise_identity": (np.eye(d), "Σ was taken for the identity"),
        "noise_averaged": (
            np.eye(d) * float(np.mean(noise.diagonal)),
            "Σ was taken for a multiple of the identity, tr(Σ)/d",
        ),
        "noise_swapped": (factor.T @ factor, "LᵀL in place of L Lᵀ: the factor was transposed"),
        "noise_stds": (
            np.diag(np.sqrt(noise.diagonal)),
            "only the diagonal of Σ was used, its square roots for variances",
        ),
    }
    for name, (cov, words) in options.items():
        mean = np.asarray(problem.known.posterior_mean(case.y, cov))
        yield stated(name, case.told(mean), words)
        if case.kind.name == "score":
            yield stated(name, case.told(mean, noise=cov), words)


def other_variances(case: Case) -> Iterator[Cause]:
    """A noise variance of its own for each coordinate."""
    problem = case.due.problem
    d = problem.dimension
    if not 2 <= d <= FEW or not problem.noise.plain or case.heavy:
        return
    few, own = case.few, problem.noise.diagonal
    for converted in (True, False) if case.kind.name == "score" else (False,):

        def predicted(at: Case, p: np.ndarray, converted: bool = converted) -> np.ndarray:
            variances = own * np.exp(p)
            mean = mean_under(problem.known, at.y, variances)
            return at.told(mean, noise=np.diag(variances)) if converted else at.told(mean)

        def residual(p: np.ndarray, predicted: Callable[..., np.ndarray] = predicted) -> np.ndarray:
            return misfit(predicted(few, p), few.value, few.limit)

        found = fitted(residual, [np.full(d, v) for v in (0.0, -0.7, 0.7)], tries=1)
        if found is None:
            continue
        variances = own * np.exp(found)
        off = np.abs(np.exp(found) - 1) > 1e-5
        shown = ", ".join(
            f"{variances[j]:.6g} in coordinate {j} where {own[j]:.6g} is due"
            for j in np.flatnonzero(off)[:4]
        )
        words = f"it is the answer for other noise variances: {shown}"
        yield stated("noise_variances", predicted(case, found), words)
