"""Why the invariant law of an affine kernel is another one.

Conventions: a Langevin step is x + G score(x) + N(0, 2 G), G = h in the plainest. G is read as
(I - A) Σ, the covariance of the noise as B Bᵀ, in x's own coordinates and at the smallest step.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.matrices import (
    SAME,
    Step,
    alike,
    isotropic,
    of_two,
    preconditioned,
    same,
    told,
)
from scoreproof.public.corrector.noises import exact, reused
from scoreproof.public.corrector.refining import Law, Sequence
from scoreproof.public.corrector.times import another, where_due

__all__ = ["cause_of"]


def cause_of(job: Job, seen: Sequence, end: Law, blur: float) -> Diagnosis | None:
    """``end``: the law in the limit, or as it is."""
    asked = _other_time(job, seen)
    if asked is not None:
        return asked
    if job.two:
        return of_two(job, end)
    step = Step.of(seen.finest, job.d)
    small = 64 * seen.finest.blur
    if np.max(np.abs(seen.finest.covariance)) <= small**2:
        return told(
            "no_noise",
            "its noise is 0: x runs to the mode. A Langevin step ends in + √(2h) z",
        )
    if seen.finest.rate <= small:
        return told(
            "no_drift",
            "x is not moved by the score, only by noise: add + h · score(x)",
        )
    if job.exactly:
        return exact(seen.finest)
    if alike(step.drift, -step.noise / 2) or (step.a < 0 and isotropic(step.drift)):
        return _sign(job, step)
    beside = _beside_the_score(step, seen)
    if beside is not None:
        return beside
    both = isotropic(step.drift), isotropic(step.noise)
    moved = (
        float(np.max(np.abs(end.mean))) > max(1e-6, blur)
        if np.all(np.isfinite(end.mean))
        else False
    )
    if all(both) and (not moved or abs(step.q / (2 * step.a) - 1) <= SAME):
        return reused(job, seen, step) or _sizes(job, seen, step, moved)
    return None if moved else preconditioned(step, both)


def _beside_the_score(step: Step, seen: Sequence) -> Diagnosis | None:
    """A drift a · score(x) - b x: G = a I + b Σ."""
    cov = seen.finest.target.covariance
    columns = np.stack([np.eye(len(cov)).ravel(), cov.ravel()], axis=1)
    (a, b), *_ = np.linalg.lstsq(columns, step.drift.ravel(), rcond=None)
    # the drift is read to rounding: a part of that size is none
    grain = 64 * seen.finest.blur * np.max(np.abs(cov))
    small = abs(b) * np.max(cov) <= SAME * abs(a) + grain or abs(a) <= grain
    if len(cov) < 2 or small or not alike(a * np.eye(len(cov)) + b * cov, step.drift):
        return None
    sign, size = ("-", b / a) if b > 0 else ("+", -b / a)
    return told(
        "linear_drift",
        f"beside the score the drift has a multiple of x: {sign} {size:.4g} x for each score(x),"
        " as of a"
        " forward process or of weight decay; a corrector moves by the score alone",
    )


def _other_time(job: Job, seen: Sequence) -> Diagnosis | None:
    other = another(job, seen.finest.answer)
    if other is None:
        return None
    return told(
        "another_time",
        f"it asks its model at t = {other:.6g}, {where_due(job)}: the score is that of another law",
    )


def _sign(job: Job, step: Step) -> Diagnosis:
    why = "x + h · score(x) goes up the density"
    if job.prediction == "eps":
        why = "the score is -ε/σ, so that ε is subtracted: x - h · ε/σ"
    elif any(r in ("potential", "grad_potential") for r in job.roles):
        why = "the force is -∇U: x - h · ∇U(x)"
    return told("sign", f"the drift has the wrong sign, x moves away from the mode: {why}")


def _sizes(job: Job, seen: Sequence, step: Step, moved: bool) -> Diagnosis | None:
    """Drift a · score, noise √q z."""
    c = step.q / (2 * step.a)
    if seen.by_step and not seen.fixed:
        first, last = Step.of(seen.found[0], job.d), step
        quotient = len(seen.found) - 1
        slope = np.log((last.q / last.a) / (first.q / first.a)) / -np.log(seen.ratio) / quotient
        of_drift = np.log(last.a / first.a) / -np.log(seen.ratio) / quotient
        if abs(of_drift) < 0.1:
            return told(
                "constant_drift",
                "the drift does not get smaller with the step size: a multiple of the score that"
                " is not"
                " the step's is added to x (a denoising step, say)",
            )
        if abs(slope) > 0.1:
            return _powers(seen, slope)
    level = job.level_of(float(job.t))
    named = _by_level(job, c, level.alpha, level.sigma)
    if named is not None:
        return named
    if abs(c - 1) <= SAME and moved:
        return told(
            "offset",
            "drift and noise go together, but something that is not the score is added to x in each"
            " step: the mean moves by it",
        )
    drift, noise = _in_words(seen, step)
    count = max(seen.finest.noise.shape[1] // job.d, 1)  # steps in one call
    h, q = step.a / count, step.q / count
    if same(c, 0.5):
        return told(
            "root_two",
            f"the noise is {noise} where the drift is {drift}: √2 is missing"
            f" in the noise, or the drift wants the factor 1/2",
        )
    if same(c, 2.0):
        return told(
            "half",
            f"the noise is {noise} where the drift is {drift}: a drift of h/2 · score"
            " goes with noise √h, a drift of h · score with √(2h)",
        )
    if any(same(q, v) for v in (4 * h * h, 2 * h * h, h * h)):
        return told(
            "no_root",
            f"the noise has variance {q:.4g} where the drift is {h:.4g} · score: it is multiplied"
            " by the step itself, where the root is due: √(2h) z",
        )
    return told(
        "noise_size",
        f"the noise is {noise} where the drift is {drift}: its variance is {c:.4g} times what"
        " goes with that drift, 2h for h · score",
    )


def _in_words(seen: Sequence, step: Step) -> tuple[str, str]:
    """Drift and noise by the step size, where there is one."""
    h = seen.finest.h
    if h is None or seen.fixed:
        return f"{step.a:.4g} · score", f"√{step.q:.4g} z"
    a, q = step.a / h, step.q / h
    return f"{_times(a)}h · score", (f"√({_times(q)}h) z" if not same(q, 1) else "√h z")


def _times(c: float) -> str:
    return "" if same(c, 1) else f"{c:.4g} "


def _powers(seen: Sequence, slope: float) -> Diagnosis:
    """The noise's variance over the drift goes as h^slope."""
    if abs(slope - 1) < 0.05:
        return told(
            "no_root",
            "the noise is multiplied by the step size, or the drift by its root: with a drift of"
            " h · score the noise is √(2h) z",
        )
    if abs(slope + 1) < 0.05:
        return told(
            "unscaled_noise",
            "the noise does not get smaller as the drift does: with a drift of h · score it is"
            " √(2h) z,"
            " with h² · score it is √2 h z",
        )
    return told(
        "powers",
        f"the noise's variance goes as the drift to the power {1 + slope:.2g}; both go as h in a"
        " Langevin step, x + h · score(x) + √(2h) z",
    )


def _by_level(job: Job, c: float, alpha: float, sigma: float) -> Diagnosis | None:
    """A factor that is one of the level's."""
    if job.prediction == "score" and "t" not in job.roles and "t_batch" not in job.roles:
        return None
    if same(sigma, 1) or same(c, 1):
        return None
    for value, words in (
        (1 / sigma, "σ: the score is -ε/σ, and the drift is not divided by it"),
        (sigma, "1/σ: the drift is divided by σ once too often"),
        (sigma**2, "1/σ²: the drift is multiplied by it, and the noise is not by 1/σ"),
        (1 / sigma**2, "σ²: the drift is multiplied by it, and the noise is not by σ"),
    ):
        if same(c, value):
            text = f"the drift is h · score times {words} (σ = {sigma:.4g})"
            if any(same(c, v) for v in (0.5, 2.0)):
                other = (
                    "√2 is missing in the noise" if c < 1 else "the drift has a factor ½ too much"
                )
                both = f"Cause: one of these, which cannot be told apart here: {text}; or {other}."
                return Diagnosis(("sigma", "root_two" if c < 1 else "half"), 0.0, None, both)
            return told("sigma", text)
    if not same(alpha, 1) and (same(c, alpha) or same(c, 1 / alpha)):
        return told("alpha", f"α = {alpha:.4g} stands in the drift alone, or in the noise alone")
    return None
