"""The answer for another prior: covariances taken for roots, squares or inverses, or simplified."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.public.posterior.cases import Case, Cause, stated

__all__ = ["other_components"]


def other_components(case: Case) -> Iterator[Cause]:
    """A mixture whose covariances are misread, or whose weights and means are in another order."""
    problem = case.due.problem
    known = problem.known
    if not isinstance(known, GaussianMixture) or len(known.weights) > 32 or case.very_heavy:
        return
    own, k, d = known.covariances, len(known.weights), problem.dimension
    values, vectors = np.linalg.eigh(own)
    root = (vectors * np.sqrt(values)[:, None, :]) @ np.swapaxes(vectors, 1, 2)
    diagonal = np.einsum("kii->ki", own)
    average = np.mean(diagonal, axis=1)
    options = {
        "the components' covariances are squared: C² where C is due": own @ own,
        "the components' covariances are rooted: √C where C is due": root,
        "the components' precisions stand where their covariances are due": np.linalg.inv(own),
        "only the diagonals of the components' covariances are used": (
            diagonal[:, :, None] * np.eye(d)
        ),
        "the components' covariances are taken for multiples of the identity": (
            average[:, None, None] * np.eye(d)
        ),
        "the components' covariances are taken for the identity": np.broadcast_to(
            np.eye(d), own.shape
        ),
        "of the components' covariances only the diagonals are used, rooted: standard deviations"
        " stand where variances are due": np.sqrt(diagonal)[:, :, None] * np.eye(d),
        "the components' covariances are halved": own / 2,
        "the components' covariances are doubled": 2 * own,
        "all components have the covariance of component 0": np.broadcast_to(own[0], own.shape),
        "all components have the average covariance": np.broadcast_to(
            np.einsum("k,kij->ij", known.weights, own), own.shape
        ),
    }
    size = 1e-9 * float(np.max(np.abs(own)))
    for words, covariances in options.items():
        if np.max(np.abs(covariances - own)) > size:
            yield from _answer(
                case, GaussianMixture(known.weights, known.means, covariances), words
            )
    for words, other in (
        ("the components' means are negated", -known.means),
        ("the components' means are in reverse order", known.means[::-1]),
    ):
        yield from _answer(case, GaussianMixture(known.weights, other, own), words)
    if k > 1:
        words = "the components' weights are in reverse order"
        yield from _answer(case, GaussianMixture(known.weights[::-1], known.means, own), words)
        words = "the components' covariances are in reverse order"
        yield from _answer(case, GaussianMixture(known.weights, known.means, own[::-1]), words)


def _answer(case: Case, prior: GaussianMixture, words: str) -> Iterator[Cause]:
    mean = np.asarray(prior.posterior_mean(case.y, case.due.problem.noise.cov))
    yield stated("components", case.told(mean), words)
