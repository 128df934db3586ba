"""Why the invariant law of an affine kernel is another one.

Conventions: a Langevin step is x + G score(x) + N(0, 2 G), G = h in the plainest. G is read as
(I - A) Σ, the covariance of the noise as B Bᵀ, both in x's own coordinates and at the smallest step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.corrector.affine import Affine
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.refining import Law, Sequence

__all__ = ["cause_of"]

#: relative: what is read at the smallest step, against numbers that it should be
SAME = 3e-3


@dataclass(frozen=True, eq=False)
class Step:
    """``drift`` G and ``noise``, the covariance, ``(d, d)`` in x's coordinates."""

    drift: np.ndarray
    noise: np.ndarray

    @classmethod
    def of(cls, one: Affine, d: int) -> Step:
        root = one.target.root
        pull, cov = one.pull[:d, :d], one.covariance[:d, :d]
        return cls(root @ pull @ root.T, root @ cov @ root.T)

    @property
    def a(self) -> float:
        return float(np.trace(self.drift) / len(self.drift))

    @property
    def q(self) -> float:
        return float(np.trace(self.noise) / len(self.noise))


def cause_of(job: Job, seen: Sequence, end: Law, blur: float) -> Diagnosis | None:
    """``end``: the law in the limit, or as it is."""
    asked = _other_time(job, seen)
    if asked is not None:
        return asked
    if job.two:
        return _of_two(job, end)
    step = Step.of(seen.finest, job.d)
    small = 64 * seen.finest.blur
    if np.max(np.abs(seen.finest.covariance)) <= small**2:
        return _cause(
            "no_noise",
            "its noise is 0: x runs to the mode. A Langevin step ends in + √(2h) z",
        )
    if seen.finest.rate <= small:
        return _cause(
            "no_drift",
            "x is not moved by the score, only by noise: add + h · score(x)",
        )
    if _alike(step.drift, -step.noise / 2) or (step.a < 0 and _isotropic(step.drift)):
        return _sign(job, step)
    both = _isotropic(step.drift), _isotropic(step.noise)
    if all(both):
        return _sizes(job, seen, step)
    return _preconditioned(step, both)


def _cause(name: str, text: str) -> Diagnosis:
    return Diagnosis.cause(name, f"Cause: {text}.")


def _isotropic(m: np.ndarray) -> bool:
    return _alike(m, np.eye(len(m)) * np.trace(m) / len(m))


def _alike(m: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.max(np.abs(m - other)) <= SAME * max(np.max(np.abs(other)), 1e-300))


def _is(value: float, other: float) -> bool:
    return abs(value - other) <= SAME * abs(other)


def _other_time(job: Job, seen: Sequence) -> Diagnosis | None:
    told = [a.t for a in seen.finest.answer.asked if a.t is not None]
    other = next((t for t in told if abs(t - job.t) > 1e-6 * (1 + abs(job.t))), None)
    if other is None:
        return None
    return _cause(
        "another_time",
        f"it asks its model at t = {other:.6g}, where it was given t = {job.t:.6g}: the score is that"
        " of another law",
    )


def _sign(job: Job, step: Step) -> Diagnosis:
    why = "x + h · score(x) goes up the density"
    if job.prediction == "eps":
        why = "the score is -ε/σ, so that ε is subtracted: x - h · ε/σ"
    elif any(r in ("potential", "grad_potential") for r in job.roles):
        why = "the force is -∇U: x - h · ∇U(x)"
    return _cause("sign", f"the drift has the wrong sign, x moves away from the mode: {why}")


def _sizes(job: Job, seen: Sequence, step: Step) -> Diagnosis | None:
    """Drift a · score, noise √q z."""
    c = step.q / (2 * step.a)
    if seen.by_step and not seen.fixed:
        first, last = Step.of(seen.found[0], job.d), step
        quotient = len(seen.found) - 1
        slope = np.log((last.q / last.a) / (first.q / first.a)) / np.log(0.25) / quotient
        if abs(slope) > 0.1:
            return _powers(seen, slope)
    level = job.level_of(float(job.t))
    named = _by_level(job, c, level.alpha, level.sigma)
    if named is not None:
        return named
    drift, noise = _told(seen, step)
    count = max(seen.finest.noise.shape[1] // job.d, 1)  # steps in one call
    h, q = step.a / count, step.q / count
    if _is(c, 0.5):
        return _cause("root_two", f"the noise is {noise} where the drift is {drift}: √2 is missing"
                      f" in the noise, or the drift wants the factor 1/2")  # fmt: skip
    if _is(c, 2.0):
        return _cause("half", f"the noise is {noise} where the drift is {drift}: a drift of h/2 · score"
                      " goes with noise √h, a drift of h · score with √(2h)")  # fmt: skip
    if any(_is(q, v) for v in (4 * h * h, 2 * h * h, h * h)):
        return _cause(
            "no_root",
            f"the noise has variance {q:.4g} where the drift is {h:.4g} · score: it is multiplied"
            " by the step itself, where the root is due: √(2h) z",
        )
    return _cause(
        "noise_size",
        f"the noise is {noise} where the drift is {drift}: its variance is {c:.4g} times what"
        " goes with that drift, 2h for h · score",
    )


def _told(seen: Sequence, step: Step) -> tuple[str, str]:
    """Drift and noise by the step size, where there is one."""
    h = seen.finest.h
    if h is None or seen.fixed:
        return f"{step.a:.4g} · score", f"√{step.q:.4g} z"
    a, q = step.a / h, step.q / h
    return f"{_times(a)}h · score", (f"√({_times(q)}h) z" if not _is(q, 1) else "√h z")


def _times(c: float) -> str:
    return "" if _is(c, 1) else f"{c:.4g} "


def _powers(seen: Sequence, slope: float) -> Diagnosis:
    """The noise's variance over the drift goes as h^slope."""
    if abs(slope - 1) < 0.05:
        return _cause(
            "no_root",
            "the noise is multiplied by the step size, or the drift by its root: with a drift of"
            " h · score the noise is √(2h) z",
        )
    if abs(slope + 1) < 0.05:
        return _cause(
            "unscaled_noise",
            "the noise does not get smaller as the drift does: with a drift of h · score it is √(2h) z,"
            " with h² · score it is √2 h z",
        )
    return _cause(
        "powers",
        f"the noise's variance goes as the drift to the power {1 + slope:.2g}; both go as h in a"
        " Langevin step, x + h · score(x) + √(2h) z",
    )


def _by_level(job: Job, c: float, alpha: float, sigma: float) -> Diagnosis | None:
    """A factor that is one of the level's."""
    if job.prediction == "score" and "t" not in job.roles and "t_batch" not in job.roles:
        return None
    if _is(sigma, 1) or any(_is(c, v) for v in (1.0, 0.5, 2.0)):
        return None
    for value, words in (
        (1 / sigma, "σ: the score is -ε/σ, and the drift is not divided by it"),
        (sigma, "1/σ: the drift is divided by σ once too often"),
        (sigma**2, "1/σ²: the drift is multiplied by it, and the noise is not by 1/σ"),
        (1 / sigma**2, "σ²: the drift is multiplied by it, and the noise is not by σ"),
    ):
        if _is(c, value):
            return _cause("sigma", f"the drift is h · score times {words} (σ = {sigma:.4g})")
    if not _is(alpha, 1) and (_is(c, alpha) or _is(c, 1 / alpha)):
        return _cause("alpha", f"α = {alpha:.4g} stands in the drift alone, or in the noise alone")
    return None


def _preconditioned(step: Step, both: tuple[bool, bool]) -> Diagnosis | None:
    drift, noise = step.drift, step.noise
    size = np.trace(noise) / np.trace(drift)
    if both[1] and not both[0] and _alike(drift, drift.T):
        return _cause(
            "noise_not_preconditioned",
            "the drift is multiplied by a matrix and the noise is not: with a drift of h P score the"
            " noise is √(2h) P^½ z",
        )
    if both[0]:
        return _cause(
            "drift_not_preconditioned",
            "the noise is multiplied by a matrix and the drift is not: with noise √(2h) P^½ z the"
            " drift is h P score",
        )
    if _alike(noise, drift * size):
        return _cause(
            "noise_size",
            f"the noise has {size / 2:.4g} times the covariance that goes with its drift: 2 G for"
            " G score",
        )
    square = drift @ drift.T
    if _alike(noise, square * (np.trace(noise) / np.trace(square))):
        return _cause(
            "root_of_the_preconditioner",
            "the noise is multiplied by the preconditioner P itself, where its root is due:"
            " √(2h) P^½ z with the drift h P score (a Cholesky factor of P will do)",
        )
    return None


def _of_two(job: Job, end: Law) -> Diagnosis | None:
    """Of x and v: a temperature, or one that only v has."""
    d = job.d
    if not np.all(np.isfinite(end.cov)):
        return None
    x, v = end.cov[:d, :d], end.cov[d:, d:]
    cx, cv = float(np.trace(x)) / d, float(np.trace(v)) / d
    if _alike(x, cx * np.eye(d)) and _alike(v, cv * np.eye(d)) and abs(cx - cv) <= SAME * cv:
        friction = "√(1 - c²) for v ← c v + … (√(2 γ h) in an Euler step)"
        return _cause(
            "temperature",
            f"x and v have {cv:.4g} times the variance that is due: the noise of the velocity does not"
            f" go with its friction; it is {friction}",
        )
    if abs(cv - 1) <= SAME and _alike(x, cx * np.eye(d)):
        return _cause(
            "force",
            f"v has the right law and x has {cx:.4g} times its variance: the force is {1 / cx:.4g}"
            " times the score in v's steps, beside x ← x + h v",
        )
    return None
