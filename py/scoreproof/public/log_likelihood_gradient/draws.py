"""A gradient that draws its own ν: a test of the mean, parameter by parameter.

Conventions: one sample is the mean over a call's copies of each row; the samples of calls are
independent, whatever the rows of one call share.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from scipy.special import stdtr, stdtrit

from scoreproof.claims.ffjord.checks_random import LEVEL
from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.drawing import by_place
from scoreproof.public.log_likelihood_gradient.arguments import LEAST_DRAWS, Given
from scoreproof.public.log_likelihood_gradient.asking import Measurement
from scoreproof.public.log_likelihood_gradient.due import Due, Layout
from scoreproof.public.log_likelihood_gradient.words import without_use
from scoreproof.public.rule import settled
from scoreproof.words import part_of

__all__ = ["by_draws"]

COPIES = 16
REMEDY = (
    "let the gradient take the ν that it is given (then its expectation is exact), pass more draws,"
    " or the relative error that you accept, e.g. tolerance=0.5"
)


def by_draws(
    given: Given,
    measure: Measurement,
    truth: Due,
    how: Layout,
    rng: np.random.Generator,
    idle: np.ndarray,
) -> Evidence:
    """``truth``: the mean due, row by row or summed; ``idle``: parameters that the field does not
    use, whose entries were 0, ``(P,)``.
    """
    copies = max(1, min(COPIES, given.draws // LEAST_DRAWS))
    calls = given.draws // copies
    n = len(given.x)
    samples = []
    for _ in range(calls):
        x = np.tile(given.x, (copies, 1))
        answer = how.of(measure(x, rng.choice([-1.0, 1.0], x.shape), given.tols[-1]).gradient)
        rows = 1 if measure.summed else n
        samples.append(
            answer.ravel() / copies
            if measure.summed
            else answer.reshape(copies, rows, -1).mean(axis=0).ravel()
        )
    found = np.array(samples)
    expected = truth.gradient.ravel()
    own = np.max(np.abs(truth.gradient), axis=0)
    if how.least is not None:
        own = np.where(np.isnan(how.least), own, how.least)
    own = np.broadcast_to(own, truth.gradient.shape).ravel()
    floor = (
        given.accuracy * float(np.max(np.abs(expected)))
        + np.broadcast_to(truth.floor, truth.gradient.shape).ravel()
    )
    spread = found.std(axis=0, ddof=1) / math.sqrt(calls)
    accepted = (given.tolerance or 0.0) * own
    off = np.maximum(np.abs(found.mean(axis=0) - expected) - accepted - floor, 0.0)
    score = float(np.max(off / np.maximum(spread, 1e-300)))
    p_value = min(1.0, 2 * expected.size * float(stdtr(calls - 1, -score)))
    critical = float(-stdtrit(calls - 1, LEVEL / (2 * expected.size)))
    # the sharper of an entry's rows, but the least favourable of all parameters
    seen = ((critical + 2.33) * spread + 2 * floor).reshape(truth.gradient.shape)
    size = own.reshape(truth.gradient.shape)[0]
    nought = np.zeros(size.shape, dtype=bool)
    if how.columns is None:
        nought = idle & (size == 0) & np.all(found.reshape(-1, size.size) == 0, axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = (np.min(seen, axis=0) / size)[~nought]
    resolution = float(np.max(parts, initial=0.0)) if parts.size else math.inf
    sentence = f"the mean of {calls * copies} gradients that draw their own ν"
    cost = {"gradient_calls": measure.calls}
    shift = f"a shift of {part_of(float(f'{resolution:.2g}'), 'its size')}"
    away = np.abs(found.mean(axis=0) - expected)
    drawn = by_place(away, accepted + floor + critical * spread, ("entry", np.arange(away.size)))
    if drawn:
        drawn["labels"] = ("entry of the gradient", "deviation of the mean")
    power = f"0.99 against {shift}"
    evidence = Evidence.statistical(p_value, LEVEL, power, sentence, cost=cost, **drawn)
    i = int(np.argmax(off / np.maximum(spread, 1e-300)))
    if evidence.verdict == "refuted" and how.columns is None:
        k = i % truth.gradient.shape[1]
        entry = f"{given.leaves.name(k)}, {found.mean(axis=0)[i]:.4g} for {expected[i]:.4g}"
        text = f"{evidence.sentence}: {entry}"
        evidence = replace(evidence, sentence=text)
    return settled(
        evidence,
        resolution=resolution if np.isfinite(resolution) else math.inf,
        coverage=Coverage(
            {"parameters": given.params.size, "rows": n, "draws": calls * copies},
            (without_use(nought, given.leaves),) if np.any(nought) else (),
            span="each parameter in its own size",
        ),
        tolerance=given.tolerance,
        remedy=REMEDY,
    )
