"""The verdict on an affine kernel without acceptance: its law in the limit of small steps.

Conventions: as in `affine` and `refining`. A kernel whose step cannot be made small beside the
target is judged as it is: it keeps the law exactly, or its drift and noise match at that step.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import safely
from scoreproof.evidence import Evidence
from scoreproof.public.corrector.affine import REACH
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.asking import Kernel
from scoreproof.public.corrector.causes import cause_of
from scoreproof.public.corrector.refining import Law, Sequence, invariant, settled
from scoreproof.public.corrector.words import of_the_law, steps_words, target_words
from scoreproof.public.rule import compared

__all__ = ["is_affine", "judge"]

#: a drift that is off by δ moves a standard deviation by δ/2
GAIN = 0.5
#: what constants in single precision leave, √(2h) say
SINGLE = 4 * 2.0**-23
#: a deviation below so many roundings is none to take an order from
ORDERLESS = 100.0
#: an eigenvalue so near to 1, in roundings, may lie on either side
NEAR = 64.0


def judge(kernel: Kernel, seen: Sequence) -> Evidence:
    """Refuted, held or left open, with the cause."""
    job = kernel.job
    laws = [invariant(a.matrix, a.shift, a.covariance) for a in seen.found]
    if seen.fixed:
        return _as_it_is(kernel, seen, laws[0])
    finest, last = seen.finest, laws[-1]
    if last.gap <= NEAR * finest.blur:
        return _no_law(kernel, seen, last)
    start = next(k for k in range(len(laws)) if all(v.gap > 0 for v in laws[k:]))
    laws, found = laws[start:], seen.found[start:]
    if len(laws) < 3:
        text = (
            f"{job.name}: its steps lead away from the target but for {len(laws)} of the smallest"
        )
        return Evidence.undecided("convergent", text)
    off = [v.off(job.d) for v in laws]
    roundings = [a.blur / v.gap for a, v in zip(found, laws, strict=True)]
    at, left, fits, doubt = settled(off, roundings, seen.ratio)
    sizes = [float(np.max(np.abs(v))) for v in off]
    order = _order(sizes, roundings, seen.ratio)
    # what does not get smaller tends to nothing that is 0
    if not fits and sizes[-1] < sizes[-2]:
        text = (
            f"{job.name}: as its steps get smaller ({steps_words(seen, found)}) its law is off by"
            f" {sizes[0]:.3g} to {sizes[-1]:.3g} standard deviations, and does not go to a limit as"
            " powers of h or of √h do, so that the limit is not seen: write drift and noise in"
            " powers of the step size"
        )
        return Evidence.undecided("convergent", text)
    evidence = compared(
        np.abs(at),
        np.full(len(at), left + 4 * kernel.coarse),
        f"{job.name}: as its steps get smaller ({steps_words(seen, found)}) its invariant law tends"
        f" to p_t ({target_words(job)})",
        coverage=_coverage(seen, len(found), job),
        gain=GAIN,
        excuse=SINGLE + doubt,
        tolerance=job.tolerance,
        remedy="use float64, or a larger step_size",
        kind="convergent",
        order=order,
        curves={"deviation": ([a.rate for a in found], sizes)},
        labels=("step, beside the width", "deviation of the law"),
        notes=_notes(seen, sizes, order, job),
    )
    if evidence.verdict != "refuted":
        return evidence
    size = len(last.mean)
    cov = np.eye(size) if not job.two else last.cov.copy()
    cov[: job.d, : job.d] = np.eye(job.d)
    rows, columns = np.triu_indices(size)
    rows, columns = rows[rows < job.d], columns[rows < job.d]
    cov[rows, columns] = (rows == columns) + 2 * at[size:]
    cov[columns, rows] = cov[rows, columns]
    end = Law(at[:size], cov, 1.0)
    text = (
        f"{job.name}: as its steps get smaller ({steps_words(seen, found)}) its invariant law does"
        f" not tend to p_t: {of_the_law(end, job)}"
    )
    cause = safely(lambda: cause_of(job, seen, end, left))
    notes = seen.found[0].answer.notes
    return replace(evidence, sentence=text, diagnosis=cause, order=None, notes=notes)


def _order(sizes: list[float], roundings: list[float], ratio: float) -> float:
    usable = [k for k in range(1, len(sizes)) if sizes[k] > ORDERLESS * roundings[k]]
    if not usable:
        return float("inf")
    k = usable[-1]
    return float(np.log(sizes[k - 1] / sizes[k]) / np.log(ratio))


def _notes(seen: Sequence, sizes: list[float], order: float, job: Job) -> tuple[str, ...]:
    notes = list(seen.found[0].answer.notes)
    first = seen.found[0]
    if np.isinf(order):
        notes.append("Its law is p_t at every step size: there is no bias.")
    else:
        by = f"step_size {first.h:.3g}" if first.h is not None else "the largest of these steps"
        notes.append(
            f"Its bias is of order {order:.2f} in the step: at {by} (x moves by up to"
            f" {first.rate:.2g} of its distance to the mean) the law is off by {sizes[0]:.2g}"
            " standard"
            " deviations; no Metropolis step takes that away."
        )
    return tuple(notes)


def _coverage(seen: Sequence, levels: int, job: Job) -> Coverage:
    how = f"step_size by {seen.ratio:g}"
    if not seen.by_step:
        how = f"a fixed step, the target wider by {seen.ratio**0.5:.3g}"
    return Coverage(
        {"steps": levels, "coordinates": job.d},
        span=f"{how} from one to the next; a Gaussian target, where the kernel is affine"
        f" (up to {REACH:g} standard deviations)",
    )


def _no_law(kernel: Kernel, seen: Sequence, last: Law) -> Evidence:
    job, finest = kernel.job, seen.finest
    if last.gap > -NEAR * finest.blur and finest.rate > NEAR * finest.blur:
        text = (
            f"{job.name}: some direction is pulled back by no more than rounding, so that its law"
            " there cannot be told: use float64, or a larger step_size"
        )
        return Evidence.undecided("convergent", text)
    text = (
        f"{job.name}: it has no invariant law, at however small a step: in some direction the"
        f" distance to the mean is multiplied by {1 - last.gap:.6g} in each"
    )
    cause = safely(lambda: cause_of(job, seen, last, finest.blur))
    return Evidence(
        "convergent",
        "refuted",
        float(max(-last.gap, 0.0) / max(finest.rate, 1e-300)),
        0.0,
        text,
        diagnosis=cause,
        coverage=_coverage(seen, len(seen.found), job),
    )


def _as_it_is(kernel: Kernel, seen: Sequence, law: Law) -> Evidence:
    """A step that is the same beside every target."""
    job, one = kernel.job, seen.found[0]
    size = len(one.shift)
    upper = np.triu_indices(size)
    kept = one.matrix @ one.matrix.T + one.covariance - np.eye(size)
    exact = np.concatenate([one.shift, kept[upper] / 2])
    pulled = one.pull + one.pull.T
    matched = np.concatenate([one.shift, (one.covariance - pulled)[upper] / 2])
    grain = 4 * one.blur
    seen_as = Coverage(
        {"steps": 1, "coordinates": job.d},
        span="one step; a Gaussian target, where the kernel is affine"
        f" (up to {REACH:g} standard deviations)",
    )
    more: dict[str, Any] = {
        "coverage": seen_as,
        "gain": max(one.rate, 1e-300) / 2,
        "tolerance": job.tolerance,
    }
    one_step = f"{job.name}: one step"
    if np.max(np.abs(exact)) <= grain:
        text = f"{one_step} from p_t ({target_words(job)}) leads to p_t"
        notes = (
            ()
            if law.gap > NEAR * one.blur
            else ("Other laws are kept as well: it does not reach all of the space by itself.",)
        )
        return compared(np.abs(exact), np.full(len(exact), grain), text, notes=notes, **more)
    exactly = job.exactly
    bias = f"{np.max(np.abs(law.off(job.d))):.3g}" if law.gap > 0 else "no finite number of"
    # a step that leads to the mean, or beyond, is no small one of anything
    langevin = not (job.two or exactly) and law.gap > 0 and one.rate < 1 - grain
    if langevin and np.max(np.abs(matched)) <= grain:
        text = (
            f"{one_step}: its noise has the covariance 2 M that its drift M · score asks for; at"
            f" this size its own law is {bias} standard deviations off p_t; it takes no step size,"
            " so that smaller ones are not looked at"
        )
        return compared(np.abs(matched), np.full(len(matched), grain), text, **more)
    if law.gap <= NEAR * one.blur:
        return _no_law(kernel, replace(seen, found=(one,)), law)
    if job.tolerance is not None or exactly:
        off = law.off(job.d)
        text = f"{one_step} has the invariant law p_t"
        found = compared(
            np.abs(off), np.full(len(off), one.blur / law.gap), text, **(more | {"gain": 1.0})
        )
        if found.verdict != "refuted":
            return found
        cause = safely(lambda: cause_of(job, seen, law, one.blur))
        text = f"{one_step} has another invariant law than p_t: {of_the_law(law, job)}"
        if exactly:
            text += "; told mean and covariance, and no step size, it has to keep p_t as it is"
        return replace(found, sentence=text, diagnosis=cause)
    text = (
        f"{one_step} has the invariant law in which {of_the_law(law, job)}; whether that goes away"
        " with smaller steps is not seen, because its step cannot be made smaller: let it take an"
        " argument step_size, or accept the deviation by tolerance="
    )
    return Evidence.undecided("float", text)


def is_affine(seen: Sequence) -> bool:
    """At every step that was looked at."""
    return all(a.affine for a in seen.found)
