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
from scoreproof.public.trace_estimator.repeats import BLOCK, call, enough
from scoreproof.public.trace_estimator.residuals import CALLS, Residuals
from scoreproof.public.trace_estimator.rows import Rows
from scoreproof.words import MANY, part_of, percent

__all__ = ["CHANCE", "COPIES", "Draw", "by_draws", "shares_one_nu"]

FIRST_LOOK, LOOKS = 1 << 10, 10
#: jax compiles every size of a batch anew
FIRST_COMPILED = 1 << 15
HOPELESS = 1 << 16
#: fewer estimates than these, if they carry the mean, do not refute: of a Poisson number of them,
#: 400 where 518 are due has about the chance of the level
CARRYING = 400
#: rows of a call that is repeated, to see whether they are drawn independently
ROWS = 1 << 11
#: equal points in one call, and a bound on the chance that each of four calls with this many rows
#: has one value, and not all have the same
COPIES, CHANCE = 16, 6 * 2.0**-32
POWER = NormalDist().inv_cdf(0.99)
#: as many calls more, where nothing was drawn in the first
REPEATED = 1 << 9
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


def shares_one_nu(given: Given, rows: Rows) -> bool:
    """Whether all rows of a batch get the same draw: equal points then give equal estimates in
    one call, and others in another.
    """
    i = int(np.argmax(np.count_nonzero(rows.z, axis=1)))
    z = np.repeat(rows.z[i][None], COPIES, axis=0)
    values = [call(given, rows.trial, z) for _ in range(4)]
    # all may be the 0 that a shared ν rarely is not: until one call differs from the first
    for _ in range(REPEATED):
        rounding = 16 * given.eps * float(np.max(np.abs(values)))
        if np.max(np.ptp(np.stack(values), axis=1)) > rounding:
            return False
        if np.ptp(np.stack(values)) > 4 * rounding:
            return True
        values = [values[0], call(given, rows.trial, z)]
    return False


def _shared(given: Given, draw: Draw) -> bool:
    """Whether the mean over the rows of a call differs from call to call, at the same points, by
    more than rows that are drawn independently do.
    """
    trial, z, _ = draw(ROWS)
    values = np.stack([call(given, trial, z) for _ in range(CALLS)])
    values = values - values.mean(axis=0)
    of_rows = float((values**2).sum()) / ROWS**2
    of_calls = float((values.mean(axis=1) ** 2).sum())
    return of_calls > of_rows * float(chdtri(CALLS - 1, LEVEL)) / (CALLS - 1)


def _off(mean: float, error: float) -> str:
    """The relative deviation of the mean in words; ``error``: its standard error."""
    if abs(mean) < 3 * error:
        return "right on the whole, and wrong in a part of the points or coordinates"
    size = percent(abs(mean)) if abs(mean) < MANY else part_of(abs(mean), "the trace")
    return f"too {'large' if mean > 0 else 'small'} by {size}"


def _shift(part: float) -> str:
    return percent(float(f"{part:.2g}")) if part < MANY else f"{part:.2g} times the trace"


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
            values = call(given, trial, z)
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
        # what is rarely not 0, or rarely large, looks too small until it comes
        few = found.n < enough(d) or found.carried_by < CARRYING
        if score > critical and few and found.n < given.draws:
            budget = given.draws
            target = min(max(enough(d), 4 * found.n), budget)
            continue
        if score > critical or seen <= worst or found.n >= budget:
            break
        target = min(int(np.clip(1.1 * needed, 2 * found.n, 32 * found.n)), budget)
    sentence = f"the mean of {found.n} estimates that draw their own ν against the trace (D = {d})"
    p_value = min(1.0, questions * NormalDist().cdf(-min(score, 37.0)))
    evidence = Evidence.statistical(
        p_value,
        LEVEL,
        f"0.99 against a shift of {_shift(seen)}",
        sentence,
        cost={"calls": given.guard.calls, "draws": found.n},
    )
    few = found.carried_by < CARRYING
    thin = few and evidence.verdict == "refuted"
    if thin:
        near = (
            f"{sentence}: about {found.carried_by:.0f} of them carry it (the others are 0 or small"
            " beside these), too few to tell a bias from chance"
        )
        evidence = replace(evidence, verdict="undecided", sentence=near)
    elif evidence.verdict == "refuted":
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
    if not thin and accepted and abs(found.mean) > accepted - critical * found.error - blur:
        off = f"{_shift(abs(found.mean))} off"
        near = f"{sentence}: {off}, which noise does not tell from the tolerance"
        evidence = replace(evidence, verdict="undecided", sentence=near)
    elif not few and found.dependent(LEVEL):
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
