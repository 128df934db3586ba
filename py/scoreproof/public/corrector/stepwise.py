"""The verdict on a kernel that is not affine and has no acceptance: SNR rules, tamed scores.

Conventions: as in `steps` and `rules`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.evidence import Evidence
from scoreproof.public.corrector.asking import Kernel
from scoreproof.public.corrector.confined import confined
from scoreproof.public.corrector.rules import RULE, alpha_unsaid, constant_factor, due
from scoreproof.public.corrector.spread import (
    FARTHEST,
    beside,
    farther,
    of_the_rows,
    uneven_steps,
    without_a_size,
)
from scoreproof.public.corrector.step_causes import cause_of, saturates
from scoreproof.public.corrector.steps import Steps, in_the_limit, read_steps
from scoreproof.public.corrector.target import gaussian
from scoreproof.public.corrector.times import another, where_due
from scoreproof.public.rule import compared

__all__ = ["along_the_score", "judge"]

#: what a score in single precision leaves, where it is nearly the noise's direction
SINGLE = 1e-4
COARSE = 'if it computes in single precision inside, say so with dtype="float32" or tolerance=0.01'


def along_the_score(kernel: Kernel, draws: int) -> bool:
    """Whether its steps are score and noise of the row, by whatever factors: what a row takes from
    its batch is their size alone.
    """
    if kernel.job.two:
        return False
    found = read_steps(kernel, gaussian(kernel.job.shape), draws, kernel.job.h)
    return found is not None and bool(np.max(found.left) <= 1e3 * np.max(found.blur))


def judge(kernel: Kernel, draws: int, mixed: float) -> Evidence:
    """``mixed``: how much a row depends on its batch."""
    job = kernel.job
    target = gaussian(job.shape)
    found = read_steps(kernel, target, draws, job.h)
    if found is None or job.d < 3 or job.two:
        text = (
            f"{job.name} is not affine in x and its noise for a Gaussian target, and its steps"
            " cannot"
            " be told apart: it is judged where it asks its model once for each draw of noise, with"
            " the whole batch and outside of jax.jit, for samples of 3 numbers or more"
        )
        return Evidence.undecided("float", text)
    if not np.all(np.isfinite(found.unmatched)) and mixed > 1e-3:
        text = f"{job.name}: what becomes of a row depends on where in its batch it stands"
        cause = Diagnosis.cause(
            "rows_mixed", "Cause: some rows stay where they are: move them all."
        )
        seen = Coverage({"rows": found.a.shape[1]})
        return Evidence("float", "refuted", mixed, 0.0, text, diagnosis=cause, coverage=seen)
    blur = float(np.max(found.blur))
    seen = Coverage(
        {"rows": found.a.shape[1], "steps": found.a.shape[0]},
        span="drift against noise at the step sizes that it took; its own law is not looked at",
    )
    more: dict[str, Any] = {
        "tolerance": job.tolerance,
        "coverage": seen,
    }
    inside = confined(kernel, target, seen)
    if inside is not None:
        return inside
    late = another(job, found.answer)
    if late is not None:
        text = f"{job.name} asks its model at t = {late:.6g}, {where_due(job)}"
        cause = Diagnosis.cause("another_time", "Cause: the score is that of another time's law.")
        return Evidence("float", "refuted", 1.0, 0.0, text, diagnosis=cause, coverage=seen)
    along = np.max(found.left) <= 1e3 * blur
    if job.h is not None and not job.rule:
        limiting = in_the_limit(kernel, target, draws, job.h)
        if limiting is not None:
            if limiting.noisy and np.max(np.abs(limiting.left)) > limiting.open + SINGLE:
                return beside(kernel, seen)
            if np.max(np.abs(limiting.unmatched)) <= limiting.open + SINGLE:
                uneven = of_the_rows(kernel, target, draws, limiting, seen)
                if uneven is not None:
                    return uneven
            text = (
                f"{job.name}: as step_size gets smaller its steps tend to"
                f" {limiting.words()}, drift and noise matched"
            )
            errors = np.abs(np.concatenate([limiting.unmatched, limiting.left]))
            span = (
                "the limit of small steps, at places up to"
                f" {FARTHEST:g} standard deviations from the mean; its own law is not looked at"
            )
            more["coverage"] = replace(seen, span=span)
            finest = limiting.finest
            evidence = compared(
                errors,
                np.full(len(errors), limiting.open + 4 * kernel.coarse),
                text,
                excuse=SINGLE,
                remedy=COARSE,
                **more,
            )
            if evidence.verdict == "holds":
                return farther(kernel, target, draws, evidence)
            if evidence.verdict != "refuted":
                return evidence
            return _refuted(kernel, evidence, finest, Known(mixed, blur, draws))
    errors, bounds = found.unmatched, 2 * found.blur + 4 * kernel.coarse
    text = (
        f"{job.name}: in each of its steps the noise is √(2ε) z for a drift of ε · score(x), at"
        " the ε"
        f" that it used ({found.a.min():.3g} to {found.a.max():.3g})"
    )
    size = None
    if job.rule and job.snr is not None and along:
        alphas = [job.alpha] + ([job.own_alpha] if job.own_alpha is not None else [])
        rules = {(n, a): e for a in alphas for n, e in due(found, job.snr, a).items()}
        off = {n: found.a / e - 1 for n, e in rules.items()}
        best = min(off, key=lambda n: float(np.max(np.abs(off[n]))))
        size = off[best]
        factor = constant_factor(found, job)
        if factor is not None and np.max(np.abs(size)) > 4 * float(np.max(bounds)):
            return alpha_unsaid(job, seen, factor)
        errors, bounds = np.stack([errors, size / 2]), np.stack([bounds, bounds])
        text += f", and {RULE} with snr = {job.snr:g}"
        if best[1] != 1:
            text += f", α = {best[1]:.4g}" + (" of the process" if job.any_alpha else "")
        elif job.any_alpha:
            text += ", α = 1 (none was named: that of a VP process is 1 - β_t, by alpha=)"
    if not along:
        errors = np.stack([errors, found.left]) if errors.ndim == 2 else errors
        bounds = np.stack([bounds, bounds])
        if _tamed(found, blur) and job.h is None and not saturates(kernel, draws):
            return _undecided_tamed(kernel, seen)
    elif _tamed(found, blur) and job.h is None:
        return _undecided_tamed(kernel, seen)
    bias = (
        "p_t itself is not kept at these steps: ε depends on x and z, and is not small. What is"
        " judged"
        " is that drift and noise go together."
    )
    evidence = compared(
        errors,
        bounds,
        text,
        excuse=SINGLE if not along else 4 * 2.0**-23,
        remedy=COARSE,
        notes=(bias,),
        **more,
    )
    if evidence.verdict == "holds" and uneven_steps(found, blur):
        return without_a_size(kernel, seen)
    if evidence.verdict == "holds":
        return farther(kernel, target, draws, evidence)
    if evidence.verdict != "refuted":
        return evidence
    return _refuted(kernel, evidence, found, Known(mixed, blur, draws, size))


def _tamed(found: Steps, blur: float) -> bool:
    """The noise is the same in all rows and the drift is not: that may be right in the limit."""
    spread = [
        float(np.max(np.abs(v / np.median(v, axis=1, keepdims=True) - 1)))
        for v in (found.a, found.b)
    ]
    return spread[0] > 1e3 * blur >= spread[1]


def _undecided_tamed(kernel: Kernel, seen: Coverage) -> Evidence:
    text = (
        f"{kernel.job.name}: its drift is the score times another factor in each row (a tamed or"
        " truncated score), while its noise is the same; whether that goes away with smaller steps"
        " is"
        " not seen, because it takes no step size: let it take an argument step_size"
    )
    return Evidence.undecided("float", text, coverage=seen)


@dataclass(frozen=True, eq=False)
class Known:
    """What is known beside the steps: how much a row depends on its batch, their blur, the draws of
    a call, and how far ε is from a rule of its size.
    """

    mixed: float
    blur: float
    draws: int
    size: np.ndarray | None = None


def _refuted(kernel: Kernel, evidence: Evidence, found: Steps, known: Known) -> Evidence:
    job, size = kernel.job, known.size
    k, i = np.unravel_index(int(np.argmax(np.abs(found.unmatched))), found.a.shape)
    along = np.max(found.left) <= 1e-3
    if not along:
        part = float(np.median(found.left))
        text = (
            f"{job.name}: a step is not a · score(x) + b z: {part:.3g} times the drift are left in"
            " the"
            " middle row"
        )
    elif np.max(np.abs(found.unmatched)) > 1e-4:
        text = (
            f"{job.name}: drift and noise do not match: a step is {found.a[k, i]:.4g} · score +"
            f" {found.b[k, i]:.4g} z, where noise √(2 · {found.a[k, i]:.4g}) ="
            f" {abs(2 * found.a[k, i]) ** 0.5:.4g} is due"
        )
    else:
        assert size is not None and job.snr is not None
        text = (
            f"{job.name}: drift and noise match, but the step size is"
            f" {1 + float(np.ravel(size)[np.argmax(np.abs(size))]):.4g} times {RULE} with snr ="
            f" {job.snr:g}" + (f", α = {job.alpha:g}" if job.alpha != 1 else "")
        )
    cause = safely(lambda: cause_of(kernel, found, known.mixed, known.blur, known.draws))
    return replace(evidence, sentence=text, diagnosis=cause, notes=())
