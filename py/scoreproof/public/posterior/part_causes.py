"""Components' gains and responsibilities, each for other noise or covariances than the other has.

Conventions: r = y - μ; ``C + Σ = L Lᵀ`` of each component, L lower triangular.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from scoreproof.numerics.linear import softmax
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.public.posterior.cases import Case, Cause
from scoreproof.public.posterior.fitted import misfit, searched
from scoreproof.public.posterior.total_causes import other_totals

__all__ = ["other_level_of_a_part", "other_means", "other_shares"]

GRID = np.linspace(-8, 8, 33)


def other_shares(case: Case) -> Iterator[tuple[str, np.ndarray]]:
    """Responsibilities for other covariances than the gains have, or other normalising
    constants.
    """
    problem = case.due.problem
    known, total = problem.known, problem.law.covariances
    assert isinstance(known, GaussianMixture)
    logs = np.log(np.asarray(known.weights))
    gaps = case.y[:, None, :] - known.means

    def squares(inverse: np.ndarray) -> np.ndarray:
        return np.asarray(np.einsum("mki,kij,mkj->mk", gaps, inverse, gaps))

    right, dets = squares(np.linalg.inv(total)), np.linalg.slogdet(total)[1]
    for words, cov in other_totals(case).items():
        there, own = squares(np.linalg.inv(cov)), np.linalg.slogdet(cov)[1]
        yield f"in the responsibilities {words}", softmax(logs - there / 2 - own / 2)
        yield (
            f"in the responsibilities' squared distance {words}",
            softmax(logs - there / 2 - dets / 2),
        )
        if np.ptp(own) > 1e-9 * (1 + np.max(np.abs(own))):  # else it is as good as none
            yield (
                f"in the responsibilities' determinant {words}",
                softmax(logs - right / 2 - own / 2),
            )
    factor = np.linalg.cholesky(total)
    swapped = np.linalg.inv(np.swapaxes(factor, -1, -2) @ factor)
    size = 1e-9 * float(np.max(np.abs(swapped)))
    if np.max(np.abs(swapped - np.linalg.inv(total))) > size:
        yield (
            "the responsibilities' squared distance is |L⁻ᵀ r|² where |L⁻¹ r|² is due: the factor"
            " of C + Σ was transposed",
            softmax(logs - squares(swapped) / 2 - dets / 2),
        )
    away = np.sqrt(right)
    options = {
        "the distance is not squared in the responsibilities": logs - away / 2 - dets / 2,
        "the factor 1/2 is missing before the squared distance in the responsibilities": (
            logs - right - dets / 2
        ),
        "the responsibilities are divided by the determinant, not by its square root": (
            logs - right / 2 - dets
        ),
        "the responsibilities are divided by the determinant's fourth root: log det of the factor"
        " L, halved again": logs - right / 2 - dets / 4,
        "the responsibilities are multiplied by the root of the determinant, not divided by it": (
            logs - right / 2 + dets / 2
        ),
        "the weights stand in the responsibilities' exponent without their logarithm": (
            np.asarray(known.weights) - right / 2 - dets / 2
        ),
        "the weights are counted twice in the responsibilities": (2 * logs - right / 2 - dets / 2),
        "the sign of the exponent is wrong in the responsibilities": logs + right / 2 - dets / 2,
    }
    for words, exponent in options.items():
        yield words, softmax(exponent)


def _wrong_inverses(case: Case) -> Iterator[tuple[str, np.ndarray]]:
    """What may stand for ``(C + Σ)⁻¹`` in the gain or in a component's score, in words."""
    problem = case.due.problem
    known, total, d = problem.known, problem.law.covariances, problem.dimension
    assert isinstance(known, GaussianMixture)
    factor = np.linalg.cholesky(total)
    transposed = np.swapaxes(factor, -1, -2)
    inverse, half = np.linalg.inv(total), np.linalg.inv(factor)
    values, vectors = np.linalg.eigh(total)
    root = (vectors / np.sqrt(values)[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    diagonal, eye = np.einsum("kii->ki", total), np.eye(d)
    options = {
        "L⁻¹ r stands where (C + Σ)⁻¹ r = L⁻ᵀ L⁻¹ r is due: the second triangular solve, with Lᵀ,"
        " is missing": half,
        "L⁻ᵀ r stands where (C + Σ)⁻¹ r = L⁻ᵀ L⁻¹ r is due: the first triangular solve, with L, is"
        " missing": np.swapaxes(half, -1, -2),
        "L⁻¹ L⁻ᵀ r stands where L⁻ᵀ L⁻¹ r is due: the triangular solves are in the wrong order": (
            np.linalg.inv(transposed @ factor)
        ),
        "L⁻¹ L⁻¹ r stands where L⁻ᵀ L⁻¹ r is due: the second triangular solve is not transposed": (
            half @ half
        ),
        "L⁻ᵀ L⁻ᵀ r stands where L⁻ᵀ L⁻¹ r is due: the first triangular solve is transposed": (
            np.swapaxes(half @ half, -1, -2)
        ),
        "L r stands where (C + Σ)⁻¹ r is due: multiplied by the factor, not solved": factor,
        "Lᵀ r stands where (C + Σ)⁻¹ r is due: multiplied by the factor, not solved": transposed,
        "(C + Σ)^(-1/2) r stands where (C + Σ)⁻¹ r is due": root,
        "(C + Σ)⁻² r stands where (C + Σ)⁻¹ r is due: it is solved twice": inverse @ inverse,
        "(C + Σ) r stands where (C + Σ)⁻¹ r is due: the covariance is not inverted": total,
        "r is divided by the diagonal of C + Σ where (C + Σ)⁻¹ r is due": (
            eye / diagonal[:, :, None]
        ),
        "r is divided by the roots of the diagonal of C + Σ where (C + Σ)⁻¹ r is due": (
            eye / np.sqrt(diagonal)[:, :, None]
        ),
        "r is multiplied by the diagonal of (C + Σ)⁻¹ where (C + Σ)⁻¹ r is due": (
            eye * np.einsum("kii->ki", inverse)[:, :, None]
        ),
    }
    options |= {words: np.linalg.inv(cov) for words, cov in other_totals(case).items()}
    size = 1e-9 * float(np.max(np.abs(inverse)))
    yield from ((k, v) for k, v in options.items() if np.max(np.abs(v - inverse)) > size)


def other_means(case: Case) -> Iterator[tuple[str, np.ndarray]]:
    """Means of the components ``(m, k, d)`` with a wrong ``(C + Σ)⁻¹`` in them."""
    problem = case.due.problem
    known, noise = problem.known, problem.noise.cov
    assert isinstance(known, GaussianMixture)
    gaps = np.swapaxes(case.y[:, None, :] - known.means, 0, 1)
    eye = np.eye(problem.dimension)
    score = case.kind.name in ("score", "eps")
    rest = "; the responsibilities are right" if len(known.weights) > 1 else ""
    for words, inverse in _wrong_inverses(case):
        by_score = ("each component's score, -(C + Σ)⁻¹ r,", eye - noise @ inverse)
        by_gain = ("each component's gain, C (C + Σ)⁻¹,", known.covariances @ inverse)
        words += " (r = y - μ)" if " r " in words else ""
        if not score and "Σ" not in words:  # C (C + Σ)⁻¹ = 1 - Σ (C + Σ)⁻¹
            by_score = ("each component's gain, C (C + Σ)⁻¹, in both places", by_score[1])
        for of, gain in (by_score, by_gain) if score else (by_gain, by_score):
            moved = gaps @ np.swapaxes(gain, -1, -2)
            yield f"in {of} {words}{rest}", known.means + np.swapaxes(moved, 0, 1)


def other_level_of_a_part(case: Case) -> Iterator[Cause]:
    """Another noise variance in the gains alone, or in the responsibilities alone."""
    known = case.due.problem.known
    if not isinstance(known, GaussianMixture) or len(known.weights) > 32 or case.very_heavy:
        return
    if len(known.weights) == 1:
        return
    few = case.few
    for say, part in (
        (_say("gains", "responsibilities"), _gains),
        (_say("responsibilities", "gains"), _shares),
        (_tempered, _temperature),
    ):

        def predicted(
            at: Case, p: np.ndarray, part: Callable[[Case, float], np.ndarray] = part
        ) -> np.ndarray:
            return at.told(part(at, float(np.exp(p[0]))))

        def residual(p: np.ndarray, predicted: Callable[..., np.ndarray] = predicted) -> np.ndarray:
            return misfit(predicted(few, p), few.value, few.limit)

        found = searched(residual, GRID)
        if found is not None:
            yield Cause(
                "noise_of_a_part",
                predicted(case, found),
                say,
                {"factor": float(np.exp(found[0]))},
            )


def _tempered(t: Mapping[str, str]) -> str:
    return (
        f"the logarithms of the responsibilities are multiplied by {t['factor']} before the"
        " softmax, as by a temperature or a mean; the gains are right"
    )


def _temperature(case: Case, factor: float) -> np.ndarray:
    logs = case.due.problem.law.log_components(case.y)
    return np.asarray(np.einsum("mk,mkd->md", softmax(factor * logs), case.due.shares[1]))


def _say(part: str, other: str) -> Callable[[Mapping[str, str]], str]:
    return lambda t: (
        f"the components' {part} are those for {t['factor']} times the noise variance, and the"
        f" {other} are right"
    )


def _gains(case: Case, factor: float) -> np.ndarray:
    problem = case.due.problem
    known, (r, _) = problem.known, case.due.shares
    assert isinstance(known, GaussianMixture)
    total = known.covariances + factor * problem.noise.cov
    gaps = np.swapaxes(case.y[:, None, :] - known.means, 0, 1)
    moved = gaps @ np.linalg.solve(total, known.covariances)
    return np.asarray(np.einsum("mk,mkd->md", r, known.means + np.swapaxes(moved, 0, 1)))


def _shares(case: Case, factor: float) -> np.ndarray:
    problem = case.due.problem
    known, (_, means) = problem.known, case.due.shares
    assert isinstance(known, GaussianMixture)
    r = known.noised(factor * problem.noise.cov).responsibilities(case.y)
    return np.asarray(np.einsum("mk,mkd->md", r, means))
