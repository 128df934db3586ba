"""Data that are averaged wrongly: another kernel, other weights, some of them only."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.numerics.linear import softmax
from scoreproof.objects.empirical import Atoms
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.public.posterior.cases import Case, Cause, stated
from scoreproof.public.posterior.fitted import fitted, misfit
from scoreproof.words import listed

__all__ = ["kernel", "nearest", "weights_of_the_prior"]

#: of more data than these the weights are not fitted one by one
WEIGHED = 256
#: a weight below this part of what is due is none
NONE = 1e-4


def _squares(case: Case) -> np.ndarray:
    """Squared distances from the data in units of the noise ``(m, n)``."""
    problem = case.due.problem
    assert isinstance(problem.known, Atoms)
    gaps = case.y[:, None, :] - problem.known.points
    flat = gaps.reshape(-1, problem.dimension)
    return np.asarray(np.sum(problem.noise.times(flat, -0.5) ** 2, axis=1).reshape(gaps.shape[:2]))


def _light(case: Case) -> bool:
    problem = case.due.problem
    return isinstance(problem.known, Atoms) and (
        len(case.y) * problem.components * problem.dimension <= 1 << 24
    )


def kernel(case: Case) -> Iterator[Cause]:
    """Weights ``exp(-c distance^p)`` with another power or another factor."""
    if not _light(case):
        return
    known, few = case.due.problem.known, case.few
    assert isinstance(known, Atoms)
    logs = np.log(np.asarray(known.weights))

    def predicted(at: Case, squares: np.ndarray, p: np.ndarray) -> np.ndarray:
        exponent = np.exp(p[0]) * squares ** (np.exp(p[1]) / 2)
        return at.told(softmax(logs - exponent) @ known.points)

    squares, every = _squares(few), _squares(case)

    def residual(p: np.ndarray) -> np.ndarray:
        return misfit(predicted(few, squares, p), few.value, few.limit)

    starts = [np.array([c, np.log(p)]) for p in (1.0, 2.0, 4.0) for c in (-2.0, -0.5, 1.0)]
    found = fitted(residual, starts)
    if found is None:
        return
    scale, power = float(np.exp(found[0])), float(np.exp(found[1]))
    if abs(power - 2) <= 1e-6:
        return  # another noise variance, which is looked at by itself
    sigma = float(np.sqrt(case.due.problem.noise.variance or 1.0))
    words = "the distance is not squared in the exponent" if abs(power - 1) <= 1e-6 else ""
    words = words or f"the distance has the power {power:.6g} in the exponent, not 2"
    yield Cause(
        "kernel",
        predicted(case, every, found),
        lambda t: f"{words}: the weights are exp(-distance^{power:.3g} / c) with c = {t['c']}",
        {"c": sigma**power / scale},
        ("distance_not_squared",) if abs(power - 1) <= 1e-6 else ("kernel",),
    )


def nearest(case: Case) -> Iterator[Cause]:
    """Only the k nearest data, or those with the largest weights, are averaged."""
    if not _light(case):
        return
    known = case.due.problem.known
    assert isinstance(known, Atoms)
    squares = _squares(case)
    logs = np.log(np.asarray(known.weights)) - squares / 2
    for least in (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 1e-3, 1e-4, 1e-5, 1e-6):
        r = softmax(logs)
        r = np.where(r >= least, r, 0.0)
        mean = r @ known.points / np.sum(r, axis=1, keepdims=True)
        yield stated(
            "sparse",
            case.told(mean),
            f"weights below {least:g} are set to 0, and the rest divided by its sum",
        )
    away = softmax(np.log(np.asarray(known.weights)) + squares / 2)
    yield stated(
        "exponent_sign",
        case.told(away @ known.points),
        "the sign of the exponent is wrong: the data far away weigh most",
    )
    plain = softmax(np.asarray(known.weights) - squares / 2)
    yield stated(
        "weights_not_logged",
        case.told(plain @ known.points),
        "the data's weights are added to the exponent without their logarithm",
    )
    order = np.argsort(-logs, axis=1)
    for k in (*range(2, min(32, known.size)), 50, 64, 100, 128, 200, 256, 500, 512, 1000):
        if k >= known.size:
            return
        kept = order[:, :k]
        r = softmax(np.take_along_axis(logs, kept, axis=1))
        mean = np.einsum("mk,mkd->md", r, known.points[kept])
        words = f"only the {k} nearest data are averaged, of {known.size}"
        yield stated("nearest", case.told(mean), words, f"nearest_{k}")
        plain = np.mean(known.points[kept], axis=1)
        equal = f"the {k} nearest data are averaged with equal weights"
        yield stated("nearest", case.told(plain), equal, f"equal_{k}")


def weights_of_the_prior(case: Case) -> Iterator[Cause]:
    """Other weights of the data or of the components: those under which the answers are posterior
    means, found as the null vector of ``Σ_k t_k r_k(y) (μ_k(y) - answer)``.
    """
    problem, (m, d) = case.due.problem, case.value.shape
    n = problem.components
    if n < 2 or n > WEIGHED or m * d < 3 * n:
        return
    if isinstance(problem.known, Atoms):
        r = np.concatenate([w for _, w in problem.law.weights(case.y)])
        means = np.broadcast_to(problem.known.points, (m, n, d))
    else:
        r, means = case.due.shares
    answer = case.mean_of(case.value)
    rows = (r[:, :, None] * (means - answer[:, None, :])).transpose(0, 2, 1).reshape(m * d, n)
    size = np.linalg.norm(rows, axis=0)
    seen = size > 1e-9 * np.max(size)
    if np.sum(seen) < 2:
        return
    scaled = rows[:, seen] / size[seen]
    gram = np.linalg.eigvalsh(scaled.T @ scaled)
    if gram[0] > 1e-6 * gram[1]:  # cheap; a null vector shows in it to half of the digits
        return
    _, values, turned = np.linalg.svd(scaled, full_matrices=False)
    if values[-1] > 1e-3 * values[-2]:
        return
    t = np.ones(n)
    t[seen] = turned[-1] / size[seen]
    t[seen] /= t[seen][np.argmax(np.abs(t[seen]))]
    t[~seen] = np.median(t[seen])
    if np.min(t) < -1e-3:
        return
    t = np.where(np.abs(t) < NONE * np.median(t[t > NONE * np.max(t)]), 0.0, np.abs(t))
    total = r * t
    mean = np.einsum("mk,mkd->md", total, means) / np.sum(total, axis=1, keepdims=True)
    yield stated("weights", case.told(mean), _weights_in_words(case, t), *_names(case, t))


def _names(case: Case, t: np.ndarray) -> tuple[str, ...]:
    return ("data_left_out",) if np.any(t == 0) else ("weights",)


def _weights_in_words(case: Case, t: np.ndarray) -> str:
    problem = case.due.problem
    weights = np.asarray(problem.known.weights)
    one = "datum" if problem.kind == "data" else "component"
    none = np.flatnonzero(t == 0)
    rest = t[t > 0]
    if none.size and np.ptp(rest) <= 1e-3 * np.max(rest):
        run = none.size > 2 and np.all(np.diff(none) == 1)
        which = f"{none[0]} to {none[-1]}" if run else listed(none, 6)
        what = problem.kind if none.size > 1 else one
        return f"{what} {which} (of {len(t)}) have no weight in it: they are left out"
    if not isinstance(problem.known, Atoms):
        found = _by_determinants(case, t)
        if found:
            return found
    if isinstance(problem.known, Atoms):
        size = np.sum(problem.noise.times(problem.known.points, -0.5) ** 2, axis=1) / 2
        logs = np.log(np.maximum(t, 1e-300))
        if np.ptp(size) > 1e-9 and np.allclose(logs - logs[0], size - size[0], atol=1e-4):
            return "the term -|x_0|²/(2σ²) is left out of the exponent: only x·x_0/σ² is in it"
    for other, words in (
        (1 / weights, f"the {problem.kind}'s weights were taken as equal"),
        (weights, f"the {problem.kind}'s weights are counted twice"),
    ):
        if np.ptp(weights) > 1e-9 and np.allclose(
            t / np.max(t), other / np.max(other), rtol=1e-4, atol=1e-7
        ):
            return words
    shifted = _by_a_shift(case, t)
    if shifted:
        return shifted
    own = t * weights / np.sum(t * weights)
    worst = int(np.argmax(np.abs(np.log(np.maximum(own, 1e-300) / weights))))
    if len(t) <= 6:
        shown = ", ".join(f"{v:.4g}" for v in own)
        due = ", ".join(f"{v:.4g}" for v in weights)
        return f"it is the answer for the weights {shown} where {due} are due"
    return (
        f"the {problem.kind} have other weights in it, {one} {worst} {own[worst]:.3g} where"
        f" {weights[worst]:.3g} is due"
    )


def _by_a_shift(case: Case, t: np.ndarray) -> str:
    """Data whose weights are multiplied by ``exp(b·x_0)`` are those for x plus ``Σ b``."""
    problem = case.due.problem
    known, d = problem.known, problem.dimension
    if not isinstance(known, Atoms) or len(t) < d + 4 or np.min(t) <= 0:
        return ""
    basis, logs = np.hstack([known.points, np.ones((len(t), 1))]), np.log(t)
    slopes = np.linalg.lstsq(basis, logs, rcond=None)[0]
    # a weight that is nearly 0 is known by fewer digits
    left = np.abs(basis @ slopes - logs) * np.minimum(t / np.max(t), 1.0)
    if np.max(left) > 1e-6 * np.ptp(logs):
        return ""
    shift, mean = problem.noise.times(slopes[None, :-1], 1.0)[0], known.mean()
    for sign, words in ((1, "plus"), (-1, "minus")):
        if np.allclose(sign * shift, mean, rtol=1e-3, atol=1e-4 * np.max(np.abs(mean))):
            return f"it is the answer for x {words} the data's mean"
    shown = ", ".join(f"{v:.4g}" for v in shift[:4]) + (", …" if d > 4 else "")
    return f"it is the answer for another x: {shown} is added to it"


def _by_determinants(case: Case, t: np.ndarray) -> str:
    """The normalising constants of the components, left out or of the wrong power."""
    problem, known = case.due.problem, case.due.problem.known
    assert isinstance(known, GaussianMixture)
    _, noisy = np.linalg.slogdet(problem.law.covariances)
    _, own = np.linalg.slogdet(known.covariances)
    logs = np.log(t) - np.log(t[0])
    for power, dets, words in (
        (0.5, noisy, "the components' normalising constants, 1/√det(C + Σ), are left out"),
        (-0.5, noisy, "the components are divided by det(C + Σ), not by its square root"),
        (0.5, noisy - own, "the components' normalising constants are those without the noise"),
    ):
        if np.ptp(dets) > 1e-9 and np.allclose(logs, power * (dets - dets[0]), atol=1e-5):
            return words
    return ""
