"""An estimator that draws its own ν: is it drawn anew, for each row, and is the mean the trace?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.checks_random import LEVEL
from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.evidence import Evidence, worst
from scoreproof.interop.frameworks import guarded
from scoreproof.public.trace_estimator.arguments import Given
from scoreproof.public.trace_estimator.asking import asked
from scoreproof.public.trace_estimator.draws import (
    CHANCE,
    COPIES,
    Draw,
    by_draws,
    shares_one_nu,
)
from scoreproof.public.trace_estimator.fields import Mirrored, RationalField, Trial
from scoreproof.public.trace_estimator.fixed import FIXED, fixed_nu
from scoreproof.public.trace_estimator.law import law_of_nu
from scoreproof.public.trace_estimator.repeats import never_differs, seems_deterministic, seen_as
from scoreproof.public.trace_estimator.rows import Rows, rows_for
from scoreproof.public.trace_estimator.verdict import against, judged
from scoreproof.public.trace_estimator.words import refuted
from scoreproof.streams import stream

__all__ = ["in_the_mean_of_gaussians", "own_nu", "uses_nu", "with_more_of_its_own"]

SHARED = (
    "equal points in one call get the same estimate, and another one at the next call, so that the"
    " mean over a batch does not average its noise"
)
SHARES = Diagnosis.cause(
    "one_nu_for_all_rows",
    "Cause: all rows of a batch share one ν, or are averaged (one_nu_for_all_rows). Draw ν of shape"
    " (n, D), a row of it for each row of z.",
)
MORE = (
    "Two calls with the same ν differ: it draws more than ν, and was judged in the mean over both;"
    " where ν is held fixed along a flow, hold that fixed too."
)
#: ν this much longer shows in every estimate that uses it
STRETCHED = 64.0
#: D up to which a correlation is looked for in each pair of coordinates by itself
PAIRS = 8


def own_nu(given: Given) -> Evidence:
    """The verdict over the dimensions asked for."""
    found: list[Evidence] = []
    factors: dict[int, float] = {}  # of tr J, by dimension
    for d in given.dimensions:
        rng = stream(given.seed, "ffjord", "trace", "own", str(d))
        rows = rows_for(given, d, rng)
        evidence = _undrawn(given, rows, rng)
        if evidence is not None:
            pass
        elif shares_one_nu(given, rows):
            text = f"estimates that draw their own ν: {SHARED}"
            seen = f"1 against one draw for {COPIES} rows"
            cost = {"calls": given.guard.calls}
            evidence = Evidence.statistical(CHANCE, LEVEL, seen, text, cost=cost)
            evidence = evidence.with_diagnosis(SHARES)
        else:
            evidence = by_draws(given, rows, _drawing(given, rows, rng))
            if evidence.verdict == "refuted" and evidence.diagnosis is None:
                cause = safely(partial(law_of_nu, given, d, rng, factors))
                evidence = evidence.with_diagnosis(cause)
        found.append(evidence)
    holding = [e for e in found if e.verdict == "holds"]
    if len(holding) == len(found):
        return max(found, key=lambda e: e.resolution or 0.0)
    named = [e.diagnosis for e in found if e.diagnosis is not None and e.diagnosis.names]
    if len(factors) == len(found) == len(named) > 1:  # what all say together leaves least open
        return worst(found).with_diagnosis(named[-1])
    return worst(found)


def _undrawn(given: Given, rows: Rows, rng: np.random.Generator) -> Evidence | None:
    """The verdict on one that draws nothing anew; ``None``: it draws."""
    if not seems_deterministic(given, rows):
        return None
    answers = asked(given, rows)
    forms = {"tr J": [against(given, rows, answers, "tr J")]}
    evidence = judged(given, forms["tr J"], "tr J")
    if evidence.verdict != "refuted":
        return evidence
    if not never_differs(given, rows):
        return None
    evidence = refuted(given, evidence, forms, "tr J")
    evidence = replace(evidence, notes=(*evidence.notes, seen_as(rows.dimension)))
    if evidence.diagnosis is None or not evidence.diagnosis.names:
        cause = safely(partial(fixed_nu, given, rows.dimension, rng))
        evidence = evidence.with_diagnosis(cause if cause and cause.names else FIXED)
    return evidence


def uses_nu(given: Given, rows: Rows) -> bool:
    """Whether an estimator that draws something of its own depends on the ν it is given at all."""
    live = np.argsort(-np.count_nonzero(rows.z, axis=1), kind="stable")[:8]
    z, nu = rows.z[live], rows.nu[live]
    f, shape = rows.trial.function, (len(z),)
    near = np.median(np.abs(given.guard(f, z, nu, shape=shape)))
    far = np.median(np.abs(given.guard(f, z, STRETCHED * nu, shape=shape)))
    return bool(far > 10 * near)


def with_more_of_its_own(given: Given) -> Evidence:
    """It uses ν and draws more (a sketch, say): in the mean over both, ν Gaussian."""
    evidence = in_the_mean_of_gaussians(given)
    return replace(evidence, notes=(*evidence.notes, MORE))


def in_the_mean_of_gaussians(given: Given) -> Evidence:
    """The mean of estimates that are given Gaussian ν."""
    rng = stream(given.seed, "ffjord", "trace", "ν for it")
    estimator = given.guard.function

    def both(f: Any, z: Any) -> Any:
        return estimator(f, z, given.convert(rng.standard_normal(tuple(z.shape))))

    guard = guarded(both, "estimator", given.framework, given.dtype)
    guard.eps = max(guard.eps, given.guard.eps)
    return own_nu(replace(given, guard=guard, takes_nu=False))


def _drawing(given: Given, rows: Rows, rng: np.random.Generator) -> Draw:
    """A field, points, and features that would show an error confined to a part of them.

    On our own fields (another cycle of couplings at each call, f and -f in turn), any number of
    points; features are each coordinate's share of the trace, and the couplings, whose ν must be
    uncorrelated. Else the points at hand, over and over; each of the first few is a feature.
    """
    trial, d = rows.trial, rows.dimension
    if isinstance(trial, RationalField) and trial.floor == 1:
        calls = count()
        usual = (1, d // 2, 2, 3, d // 4, d // 3)
        shifts = [0, *dict.fromkeys(s for s in usual if 0 < s < d)]

        def own(m: int) -> tuple[Trial, np.ndarray, np.ndarray]:
            call = next(calls)
            shift = shifts[call // 2 % len(shifts)]
            field = RationalField(rng, d, given.convert, given.rounded, shift=shift)
            signs = rng.choice([-1.0, 1.0], (m, d))
            # with all z of one sign the couplings do not cancel
            signs[::2] = signs[::2, :1]
            z = given.rounded(signs * rng.uniform(0.6, 3.0, (m, d)))
            share, coupled = field.entries(z)[:2]
            trace = share.sum(axis=1, keepdims=True)
            features = [share / trace, np.maximum(z, 0), coupled.sum(axis=1, keepdims=True) / trace]
            kinds = _kinds(d, field.neighbour)
            features += [(coupled / trace) @ np.eye(d * d if d <= PAIRS else d // 2 + 1)[kinds]]
            return Mirrored(field) if call % 2 else field, z, np.concatenate(features, axis=1)

        return own
    points = np.unique(rows.z, axis=0)
    full = np.count_nonzero(points, axis=1)
    points = points[full == full.max()]
    k = min(len(points), 32)

    def theirs(m: int) -> tuple[Trial, np.ndarray, np.ndarray]:
        pick = rng.integers(0, len(points), m)
        return trial, points[pick], (pick[:, None] == np.arange(k)).astype(float)

    return theirs


def _kinds(d: int, neighbour: np.ndarray) -> np.ndarray:
    """To which feature each coupling k, π(k) belongs: the pair itself, or (beyond `PAIRS`) its
    distance along the ring.
    """
    k = np.arange(d)
    if d <= PAIRS:
        return np.minimum(k, neighbour) * d + np.maximum(k, neighbour)
    return np.minimum((neighbour - k) % d, (k - neighbour) % d)
