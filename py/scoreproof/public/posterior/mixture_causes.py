"""Parts of a mixture's posterior that are mistaken: who answers, with what weight, and how."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.numerics.linear import softmax
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.public.posterior.cases import Case, Cause, stated
from scoreproof.public.posterior.part_causes import other_means, other_shares

__all__ = ["LINEAR", "affine_in_y", "parts_of_a_mixture"]

#: an answer with a matrix of its own, which many are near to
LINEAR = "linear_in_x"
#: coordinates up to which the parts are looked at with other covariances
WIDE = 256


def parts_of_a_mixture(case: Case) -> Iterator[Cause]:
    """Wrong responsibilities, wrong means of the components, and both."""
    problem = case.due.problem
    known = problem.known
    if not isinstance(known, GaussianMixture) or len(known.weights) > 32:
        return
    r, means = case.due.shares
    weights = dict(_responsibilities(case)) if len(known.weights) > 1 else {}
    # covariances that commute hide a transposition
    size = 1e-9 * (1 + np.max(np.abs(means)))
    updates = {k: v for k, v in _updates(case) if np.max(np.abs(v - means)) > size}
    for w_words, w in {"": r, **weights}.items():
        for m_words, mu in {"": means, **updates}.items():
            words = "; ".join(part for part in (w_words, m_words) if part)
            if not words:
                continue
            mean = np.einsum("mk,mkd->md", w, mu)
            key = "responsibilities" if w_words else "updates"
            names = (key,) if not (w_words and m_words) else ("responsibilities", "updates")
            yield stated(key, case.told(mean), words, *names)
    # one part alone: with a wrong other part the pairs would be hundreds
    if problem.dimension <= WIDE:
        for words, w in other_shares(case) if weights else ():
            mean = np.einsum("mk,mkd->md", w, means)
            yield stated("responsibilities", case.told(mean), words)
        for words, mu in other_means(case):
            yield stated("updates", case.told(np.einsum("mk,mkd->md", r, mu)), words)
    yield from _expected(case, r, means)


def _responsibilities(case: Case) -> Iterator[tuple[str, np.ndarray]]:
    problem, y = case.due.problem, case.y
    known = problem.known
    assert isinstance(known, GaussianMixture)
    k = len(known.weights)
    weights = np.asarray(known.weights)
    row = np.ones((len(y), 1))
    logs = problem.law.log_components(y)
    yield (
        "the prior's weights stand where the posterior responsibilities are due",
        row * weights,
    )
    yield "every component has the same weight, whatever x is", np.full((len(y), k), 1 / k)
    yield (
        "the responsibilities are those of the prior, without the noise: N(x; μ, C) where N(x; μ, C"
        " + Σ) is due",
        softmax(known.log_components(y)),
    )
    noise = problem.noise.cov
    points = GaussianMixture(weights, known.means, np.broadcast_to(noise, (k, *noise.shape)))
    yield (
        "the responsibilities are those of the noise alone: N(x; μ, Σ) where N(x; μ, C + Σ) is due",
        softmax(points.log_components(y)),
    )
    _, dets = np.linalg.slogdet(problem.law.covariances)
    yield (
        "the responsibilities are without the components' normalising constants (determinants)",
        softmax(logs + dets / 2),
    )
    yield "the responsibilities are without the prior's weights", softmax(logs - np.log(weights))
    yield (
        "the responsibilities have no factor 1/2 in the exponent",
        softmax(2 * (logs - np.log(weights) + dets / 2) + np.log(weights) - dets / 2),
    )
    for j in range(min(k, 8)):
        alone = np.zeros((len(y), k))
        alone[:, j] = 1.0
        yield f"only component {j} (of {k}, counted from 0) answers", alone


def _updates(case: Case) -> Iterator[tuple[str, np.ndarray]]:
    problem, y = case.due.problem, case.y
    known, noise = problem.known, problem.noise.cov
    assert isinstance(known, GaussianMixture)
    gaps = np.swapaxes(y[:, None, :] - known.means, 0, 1)
    total = problem.law.covariances
    gains = problem.gains
    own, d = known.covariances, problem.dimension
    mu = np.broadcast_to(known.means, (len(y), *known.means.shape))
    yield "each component answers with its mean, whatever x is", mu

    def updated(gain: np.ndarray) -> np.ndarray:
        return known.means + np.swapaxes(gaps @ np.swapaxes(gain, -1, -2), 0, 1)

    inverse = np.linalg.inv(total)
    options = {
        "the gain is Σ (C + Σ)⁻¹ where C (C + Σ)⁻¹ is due": noise @ inverse,
        "the gain is (C + Σ)⁻¹: C is missing": inverse,
        "the gain is C: (C + Σ)⁻¹ is missing": own,
        "the gain is transposed, (C + Σ)⁻¹ C": np.swapaxes(gains, -1, -2),
        "the gain is C Σ⁻¹: C is missing in the denominator": own @ np.linalg.inv(noise),
        "the gain has the wrong sign": -gains,
        "the gain is C (C - Σ)⁻¹": own @ np.linalg.pinv(own - noise),
    }
    for words, gain in options.items():
        yield words, updated(np.broadcast_to(gain, own.shape))
    if case.kind.name == "score":
        one = np.eye(d)
        alone = one - noise @ np.linalg.inv(own)
        yield "each component's score is -C⁻¹ (x - μ): the noise is left out", updated(alone)
        words = "each component's score is -(C + Σ) (x - μ): the covariance is not inverted"
        yield words, updated(one - noise @ total)
    moved = np.swapaxes(gaps @ np.swapaxes(gains, -1, -2), 0, 1)
    yield "μ is not added again: it is the gain times (x - μ)", moved
    plain = np.swapaxes(y[None] @ np.swapaxes(gains, -1, -2), 0, 1)
    yield "μ is not subtracted from x: it is μ + the gain times x", known.means + plain
    yield "μ is left out: it is the gain times x", plain


def _expected(case: Case, r: np.ndarray, means: np.ndarray) -> Iterator[Cause]:
    """The gradient of ``Σ r_k log p_k`` with the responsibilities r differentiated too."""
    problem = case.due.problem
    logs = problem.law.log_components(case.y)
    centre = np.sum(r[:, :, None] * means, axis=1, keepdims=True)
    more = np.einsum("mk,mkd->md", r * logs, means - centre)
    yield stated(
        "expected_log",
        case.told(case.due.mean + more),
        "it is the gradient of Σ_k r_k log p_k with the responsibilities r_k differentiated"
        " too: detach them, or differentiate log Σ_k p_k",
    )


def affine_in_y(case: Case) -> Iterator[Cause]:
    """An answer that is affine in x, where what is due is not."""
    problem, (m, d) = case.due.problem, case.value.shape
    if problem.components == 1 or m < d + 6 or d > 512:
        return
    mean, noise = problem.known.mean(), problem.noise.cov
    cov = problem.known.covariance()
    for words, own in (
        ("of the prior's mean and covariance (a Wiener filter)", cov),
        ("of the prior's mean and variances, coordinate by coordinate", np.diag(np.diagonal(cov))),
        (
            "of the prior's mean and average variance",
            np.eye(d) * float(np.mean(np.diagonal(cov))),
        ),
    ):
        gain = np.linalg.solve(own + noise, own)
        yield stated(
            "linear",
            case.told(mean + (case.y - mean) @ gain),
            f"it is linear in x: the answer for one Gaussian {words}",
        )
    basis = np.hstack([case.y, np.ones((m, 1))])
    solved = np.linalg.lstsq(basis, case.value, rcond=None)[0]
    yield Cause(
        LINEAR,
        basis @ solved,
        lambda _: "it is linear in x, as if the data were one Gaussian; what is due is not",
        {"matrix": float(solved[0, 0]), "more": 0.0},
    )
