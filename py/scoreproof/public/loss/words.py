"""What is said of a loss: that it holds and with which weight, or what is wrong and why."""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.idle import cause_of_idle
from scoreproof.public.loss.limits import across_bound, off_bound, weight_bound
from scoreproof.public.loss.matched import apart
from scoreproof.public.loss.noised import cause_of_input
from scoreproof.public.loss.other_weights import cause_of_weight, name_of_weight
from scoreproof.public.loss.reading import Found
from scoreproof.public.loss.shapes import cause_of_shape
from scoreproof.public.loss.targets import SYMBOLS, cause_of_target
from scoreproof.public.loss.untrained import of_nothing, untrained
from scoreproof.public.loss.weights import WORDS
from scoreproof.words import part_of

__all__ = [
    "holds_words",
    "input_words",
    "minimiser_words",
    "told_words",
    "weight_words",
]

Told = tuple[str, Diagnosis | None]


def _caused(pair: tuple[str, str]) -> Diagnosis | None:
    name, text = pair
    if not text:
        return Diagnosis.unknown("No known fault explains it.")
    if not name:
        return Diagnosis.unknown(f"No known fault explains it; {text.strip()}.")
    return Diagnosis.cause(name, f"Cause: {text.strip()}.")


def _at(found: Found, error: np.ndarray) -> int:
    return int(np.argmax(np.where(np.isfinite(error), error, np.inf)))


def input_words(job: Job, found: Found) -> Told:
    """The model is asked at another x than x_t."""
    v = found.v
    a, b = found.a[0], found.b[0]
    k = _at(
        found,
        np.maximum(
            np.abs(a - v.alpha) / np.maximum(v.alpha, 1e-3 * v.sigma), np.abs(b - v.sigma) / v.sigma
        ),
    )
    rest = found.rest[0] / v.sigma
    (of_x0, alpha), (of_noise, sigma) = (
        apart(float(p[k]), float(q[k]), 5) for p, q in ((a, v.alpha), (b, v.sigma))
    )
    text = (
        f"the model is asked at {of_x0} x_0 + {of_noise} ε at t = {v.times[k]:.4g}, where"
        f" x_t = {alpha} x_0 + {sigma} ε is due"
    )
    if np.max(rest) > 1e-3:
        k = int(np.argmax(rest))
        text = (
            f"the model is asked at an x that is not made of x_0 and ε alone: at t ="
            f" {v.times[k]:.4g} {part_of(float(rest[k]), 'the noise')} is something else"
        )
    return text, safely(lambda: _caused(cause_of_input(job, found)))


def told_words(job: Job, found: Found, wrong: str) -> Told:
    """The model is told another time than that of its x."""
    v, label = found.v, found.label
    assert label is not None
    k = int(np.argmax(np.abs(label - v.times)))
    text = f"where x is that of t = {v.times[k]:.5g} the model is told {label[k]:.5g}"
    how = "" if job.label is not None else "; if it is meant so, say label=lambda t: …"
    return text, Diagnosis.cause(
        "label", f"Cause: {wrong}: pass it the t that x_t is made with{how}."
    )


def minimiser_words(
    job: Job, found: Found, trained: np.ndarray, idle: np.ndarray | None = None
) -> Told:
    """The exact model is no minimiser."""
    v, weight = found.v, found.weight
    if not np.any(trained) and not np.any(weight > 1e-30 * np.max(np.abs(weight))):
        return (
            "the loss does not depend on the model's answer, or pushes it away from its target: its"
            f" second derivative is {weight.min():.3g}",
            _caused(of_nothing(found, job.learned_variance)),
        )
    if idle is not None and np.any(idle):
        k = int(np.argmax(np.sum(idle, axis=1)))
        text = (
            f"at t = {v.times[k]:.4g} the loss has no gradient in {int(idle[k].sum())} of the"
            f" {idle.shape[1]} entries of the answer, whatever its error: other answers are as good"
            " as the exact model's"
        )
        return text, safely(lambda: _caused(cause_of_idle(found)))
    quadratic = found.straight
    if not np.all(trained) and (quadratic or np.all(found.off <= off_bound(found))):
        text, pair = untrained(found, trained)
        return text, _caused(pair)
    off = found.off
    k = _at(found, off)
    what = SYMBOLS[job.prediction]
    if np.all(off <= off_bound(found)) and np.any(found.across > across_bound(found)):
        k = int(np.argmax(found.across))
        text = (
            f"the gradient at one sample depends on the model's answers at others: by"
            f" {part_of(float(found.across[k]), 'itself')} at t = {v.times[k]:.4g}"
        )
        cause = cause_of_shape(found, found.eps)
        return text, _caused(cause if cause[0] == "root" else ("across", ACROSS))
    text = (
        f"the exact model is not the minimiser: at t = {v.times[k]:.4g} the minimiser is"
        f" {part_of(float(off[k]), 'its size')} away from E[{what.partition(' = ')[0]} | x_t]"
    )
    if not quadratic:
        left = part_of(float(off[k]), "its size")
        text = (
            f"the exact model is not the minimiser: at t = {v.times[k]:.4g} the gradient there is"
            f" not 0 on average over what leads to x_t, {left} are left"
        )
        shape = safely(lambda: _caused(cause_of_shape(found, found.eps)))
        return text, shape
    return text, safely(lambda: _caused(_of_target(job, found)))


ACROSS = (
    "the errors of different samples are mixed before they are squared or weighted ((B,) met"
    " (B, 1), or a statistic of the batch divides): keep one error for each"
    " sample, and take the mean last"
)


def _of_target(job: Job, found: Found) -> tuple[str, str]:
    cause = cause_of_target(job, found)
    if cause[0]:
        return cause
    # the right target, weighted pair by pair
    with np.errstate(all="ignore"):  # entry by entry, of a weight that looks at each
        entries = found.answer - found.gradients / found.weights
    gaps = [np.abs(t - found.due) / found.size[None, :, None] for t in (found.targets, entries)]
    if any(np.all(gap <= 8 * off_bound(found)[None, :, None]) for gap in gaps):
        return "sample_weight", (
            "the weight depends on the sample, not on t alone (on x_0, on the noise, or on the"
            " error): pairs of data and noise that lead to the same x_t must count alike"
        )
    return cause


def weight_words(
    job: Job, found: Found, due: np.ndarray, apart: np.ndarray, spread: np.ndarray
) -> Told:
    """The minimiser is right, the weight is not the one that is claimed."""
    v = found.v
    claimed = job.weight if isinstance(job.weight, str) else "weight(t)"
    words = WORDS.get(claimed, claimed)
    if np.all(apart <= 8 * weight_bound(found)) and np.any(spread > 8 * weight_bound(found)):
        k = int(np.argmax(spread))
        text = (
            f"the weight differs between the entries of a sample, and in another way at"
            f" t = {v.times[k]:.4g} than elsewhere, by {part_of(float(spread[k]), 'the largest')}"
        )
        return text, None
    k = _at(found, apart)
    unit = float(np.median(found.weight / due))
    text = (
        f"the exact model is the minimiser, but the weight is not {words}: at t = {v.times[k]:.4g}"
        f" it is {found.weight[k] / unit:.4g} where {due[k]:.4g} is due (both up to one factor)"
    )
    return text, safely(lambda: _caused(cause_of_weight(job, found, due)))


def holds_words(job: Job, found: Found) -> str:
    """What is true of it."""
    times = np.unique(found.v.times)
    what = SYMBOLS[job.prediction]
    name = name_of_weight(found)
    text = (
        f"the exact model ({what}) is the minimiser of the loss at {len(times)} times from"
        f" {times[0]:.4g} to {times[-1]:.4g}"
        if len(times) > 1
        else f"the exact model ({what}) is the minimiser of the loss at t = {times[0]:.4g}"
    )
    if job.weight is not None:
        claimed = job.weight if isinstance(job.weight, str) else "weight(t)"
        return f"{text}, with the weight that is claimed, {WORDS.get(claimed, claimed)}"
    if name is not None:
        return f"{text}; its weight is {name}"
    return f"{text}; its weight is none of the known ones (see the table)"
