"""What stands for the covariance C + Σ of the noisy components, in a part of their formulas or in
all.

Conventions: C is a component's covariance, Σ the noise's; the score of a component is
``-(C + Σ)⁻¹ (y - μ)``, its gain ``C (C + Σ)⁻¹ = 1 - Σ (C + Σ)⁻¹``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.numerics.linear import softmax
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.public.posterior.cases import Case, Cause, stated

__all__ = ["in_all_places", "other_totals"]

#: coordinates up to which they are looked at
WIDE = 256


def _rooted(matrices: np.ndarray) -> np.ndarray:
    """The symmetric roots of ``(k, d, d)``."""
    values, vectors = np.linalg.eigh(matrices)
    return np.asarray((vectors * np.sqrt(values)[:, None, :]) @ np.swapaxes(vectors, 1, 2))


def other_totals(case: Case) -> dict[str, np.ndarray]:
    """What may stand for ``C + Σ`` ``(k, d, d)``, by what it is in words."""
    problem = case.due.problem
    known, noise = problem.known, problem.noise
    assert isinstance(known, GaussianMixture)
    own, cov, d = known.covariances, noise.cov, problem.dimension
    root = noise.power(0.5)
    rooted = np.diag(root) if noise.plain else root
    own_root = _rooted(own)
    eye = np.eye(d)
    total = own + cov
    options = {
        "√Σ stands where Σ is due, a standard deviation for a variance (σ for σ²)": own + rooted,
        "Σ² stands where Σ is due, a variance squared again (σ⁴ for σ²)": own + cov @ cov,
        "2 Σ stands where Σ is due": own + 2 * cov,
        "Σ/2 stands where Σ is due": own + cov / 2,
        "the identity stands where Σ is due": own + eye,
        "C alone stands where C + Σ is due: the noise is left out": own,
        "Σ alone stands where C + Σ is due: C is left out": np.broadcast_to(cov, own.shape),
        "the identity stands where C + Σ is due": np.broadcast_to(eye, own.shape),
        "(√C + √Σ)² stands where C + Σ is due: standard deviations are added, not variances": (
            (own_root + rooted) @ np.swapaxes(own_root + rooted, 1, 2)
        ),
        "√C + √Σ stands where C + Σ is due: standard deviations for variances": own_root + rooted,
        "√C √Σ stands where C + Σ is due: a product for a sum": own_root @ rooted,
        "C Σ stands where C + Σ is due: a product for a sum": own @ cov,
        "(C + Σ)/2 stands where C + Σ is due": total / 2,
        "√(C + Σ) stands where C + Σ is due: a standard deviation for a variance": (_rooted(total)),
        "(C + Σ)² stands where C + Σ is due: a variance squared again": total @ total,
        "C - Σ stands where C + Σ is due": own - cov,
        "√C stands where C is due, standard deviations for variances": own_root + cov,
        "C² stands where C is due": own @ own + cov,
        "only the diagonal of C + Σ is used": np.einsum("kii->ki", total)[:, :, None] * eye,
        "the covariance of component 0 is used for all": np.broadcast_to(total[0], total.shape),
        "the components' average covariance is used for all": np.broadcast_to(
            np.einsum("k,kij->ij", known.weights, total), total.shape
        ),
        "the covariances are in reverse order": total[::-1],
    }
    if problem.alpha != 1.0:
        alpha = problem.alpha
        options["C is not multiplied by α²"] = own / alpha**2 + cov
        options["C is multiplied by α, not α²"] = own / alpha + cov
    size = 1e-9 * float(np.max(np.abs(total)))
    return {k: v for k, v in options.items() if np.max(np.abs(v - total)) > size}


def in_all_places(case: Case) -> Iterator[Cause]:
    """Another covariance for ``C + Σ`` in the responsibilities and in the components' answers."""
    problem, y = case.due.problem, case.y
    known, noise = problem.known, problem.noise.cov
    if not isinstance(known, GaussianMixture) or len(known.weights) > 32:
        return
    if problem.dimension > WIDE:
        return
    gaps, logs = y[:, None, :] - known.means, np.log(np.asarray(known.weights))
    score = case.kind.name in ("score", "eps")
    for words, total in other_totals(case).items():
        if np.min(np.linalg.eigvalsh((total + np.swapaxes(total, 1, 2)) / 2)) <= 0:
            continue
        inverse = np.linalg.inv(total)
        squares = np.einsum("mki,kij,mkj->mk", gaps, inverse, gaps)
        r = softmax(logs - squares / 2 - np.linalg.slogdet(total)[1] / 2)
        by_score = ("scores", np.eye(problem.dimension) - noise @ inverse)
        by_gain = ("gains", known.covariances @ inverse)
        for of, gain in (by_score, by_gain) if score else (by_gain, by_score):
            moved = np.swapaxes(np.swapaxes(gaps, 0, 1) @ np.swapaxes(gain, -1, -2), 0, 1)
            mean = np.einsum("mk,mkd->md", r, known.means + moved)
            where = f"in the responsibilities and in the components' {of} alike"
            yield stated("components", case.told(mean), f"{where} {words}")
