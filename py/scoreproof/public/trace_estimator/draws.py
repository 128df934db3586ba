"""Estimates that draw their own ν: a test of their mean, with as many draws as 1 % needs.

Conventions: the level is shared by all looks at the growing number of draws and all questions asked
at one. Why it is cheap: whole batches of rows, each with a draw of its own, go through in one call;
on our field J is nearly diagonal, so that signs have little spread, and Gaussian ν that of √(2/D).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from statistics import NormalDist

import numpy as np
from scipy.special import chdtri

from scoreproof.claims.ffjord.checks_random import LEVEL
from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.evidence import Evidence
from scoreproof.public.rule import COARSEST, settled
from scoreproof.public.trace_estimator.arguments import Given
from scoreproof.public.trace_estimator.fields import Trial
from scoreproof.public.trace_estimator.residuals import CALLS, Residuals
from scoreproof.public.trace_estimator.rows import Rows

__all__ = ["CHANCE", "COPIES", "Draw", "by_draws", "deterministic", "shares_one_nu"]

#: numbers that go through the estimator in one call
BLOCK = 1 << 18
FIRST_LOOK, LOOKS = 1 << 10, 10
#: jax compiles every size of a batch anew
FIRST_COMPILED = 1 << 15
HOPELESS = 1 << 16
#: rows of a call that is repeated, to see whether they are drawn independently
ROWS = 1 << 11
#: equal points in one call, and a bound on the chance that each of four calls with this many rows
#: has one value, and not all have the same
COPIES, CHANCE = 16, 6 * 2.0**-32
POWER = NormalDist().inv_cdf(0.99)
DEPENDENT = (
    "the rows of one batch are not drawn independently, so that its mean does not average the"
    " noise; draw a ν for each row"
)
SHARED_DRAWS = Diagnosis.cause(
    "dependent_rows",
    "Cause: something that is drawn is shared by rows of a batch: the means of batches spread more"
    " than those of independent rows do (dependent_rows). Draw ν of shape (n, D), a row of it for"
    " each row of z.",
)


#: points ``(m, D)`` on a field, and the features ``(m, K)`` of `Residuals`
Draw = Callable[[int], tuple[Trial, np.ndarray, np.ndarray]]


def _call(given: Given, trial: Trial, z: np.ndarray) -> np.ndarray:
    return np.real(given.guard(trial.function, z, shape=z.shape[:1]))


def deterministic(given: Given, rows: Rows) -> bool:
    """Whether two calls with the same points agree to rounding: then nothing is drawn anew."""
    z = rows.z[np.argsort(-np.count_nonzero(rows.z, axis=1), kind="stable")[:8]]
    first, second = _call(given, rows.trial, z), _call(given, rows.trial, z)
    size = rows.trial.trace(z)[1]
    return bool(np.all(np.abs(first - second) <= given.eps * (8 + z.shape[1]) * size))


def shares_one_nu(given: Given, rows: Rows) -> bool:
    """Whether all rows of a batch get the same draw: equal points then give equal estimates in
    one call, and others in another.
    """
    i = int(np.argmax(np.count_nonzero(rows.z, axis=1)))
    z = np.repeat(rows.z[i][None], COPIES, axis=0)
    values = np.stack([_call(given, rows.trial, z) for _ in range(4)])
    rounding = 16 * given.eps * float(np.max(np.abs(values)))
    return bool(np.all(np.ptp(values, axis=1) <= rounding) and np.ptp(values) > 4 * rounding)


def _shared(given: Given, draw: Draw) -> bool:
    """Whether the mean over the rows of a call differs from call to call, at the same points, by
    more than rows that are drawn independently do.
    """
    trial, z, _ = draw(ROWS)
    values = np.stack([_call(given, trial, z) for _ in range(CALLS)])
    values = values - values.mean(axis=0)
    of_rows = float((values**2).sum()) / ROWS**2
    of_calls = float((values.mean(axis=1) ** 2).sum())
    return of_calls > of_rows * float(chdtri(CALLS - 1, LEVEL)) / (CALLS - 1)


def _off(mean: float, error: float) -> str:
    """The relative deviation of the mean in words; ``error``: its standard error."""
    if abs(mean) < 3 * error:
        return "right on the whole, and wrong in a part of the points or coordinates"
    return f"too {'large' if mean > 0 else 'small'} by {100 * abs(mean):.3g} %"


def by_draws(given: Given, rows: Rows, draw: Draw) -> Evidence:
    """The verdict over as many draws as it takes, or as are allowed."""
    d, found = rows.dimension, Residuals()
    worst, accepted = given.tolerance or COARSEST, given.tolerance or 0.0
    first = FIRST_LOOK if given.framework != "jax" else FIRST_COMPILED
    target, budget, blur = min(first, given.draws), 0, 0.0
    for look in range(LOOKS):
        if look == LOOKS - 1:
            target = max(target, budget)
        # batches of odd and of even size: an estimator may pair its rows
        batch = 1 << (-(-target // CALLS) - 1).bit_length()
        while found.n < target:
            m = min(batch + len(found.means) % 2, max(1, BLOCK // d), given.draws - found.n)
            trial, z, features = draw(m)
            due, size = trial.trace(z)
            values = _call(given, trial, z)
            roundings = trial.roundings + np.count_nonzero(z, axis=1) / 2
            blur = max(blur, given.eps * float(np.max(roundings * size / np.abs(due))))
            found.add((values - due) / due, features)
        questions = 2 * LOOKS * (1 + features.shape[1])
        critical = -NormalDist().inv_cdf(LEVEL / questions)
        score = found.score(blur + accepted)
        seen = (critical + POWER) * found.error + 2 * blur
        needed = found.n * ((critical + POWER) * found.error / max(worst - 2 * blur, 1e-9)) ** 2
        # where no budget would do, a mistake of gross size is still looked for
        budget = given.draws if needed < 2 * given.draws else min(given.draws, HOPELESS)
        if score > critical or seen <= worst or found.n >= budget:
            break
        target = min(int(np.clip(1.1 * needed, 2 * found.n, 32 * found.n)), budget)
    sentence = f"the mean of {found.n} estimates that draw their own ν against the trace (D = {d})"
    p_value = min(1.0, questions * NormalDist().cdf(-min(score, 37.0)))
    evidence = Evidence.statistical(
        p_value,
        LEVEL,
        f"0.99 against a shift of {100 * seen:.2g} %",
        sentence,
        cost={"calls": given.guard.calls, "draws": found.n},
    )
    if evidence.verdict == "refuted":
        # a user's estimator that fails when it is asked again stays refuted
        cause = None
        if found.dependent(LEVEL):
            cause = safely(lambda: SHARED_DRAWS if _shared(given, draw) else None)
        shared = cause is not None and bool(cause.names)
        small = abs(found.mean) <= critical * found.error + blur + accepted
        what = DEPENDENT if shared and small else _off(found.mean, found.error)
        evidence = replace(evidence, sentence=f"{evidence.sentence}: {what}")
        # no mean over rows is then known well enough to name a law
        return evidence.with_diagnosis(SHARED_DRAWS) if shared else evidence
    if accepted and abs(found.mean) > accepted - critical * found.error - blur:
        off = f"{100 * abs(found.mean):.2g} % off"
        near = f"{sentence}: {off}, which noise does not tell from the tolerance"
        evidence = replace(evidence, verdict="undecided", sentence=near)
    elif found.dependent(LEVEL):
        evidence = replace(evidence, verdict="undecided", sentence=f"{sentence}: {DEPENDENT}")
    return settled(
        evidence,
        resolution=seen,
        coverage=Coverage(
            {"draws": found.n, "batches": len(found.means)},
            span=f"D = {d}; the mean over their points, no coordinate by itself",
        ),
        tolerance=given.tolerance,
        remedy=f"pass more draws (it takes about {needed:.1g}), or e.g. tolerance=0.05",
    )
