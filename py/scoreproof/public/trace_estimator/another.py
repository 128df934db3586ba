"""An estimate that is neither νᵀJν nor tr J: right if its mean over the law of ν is the trace."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.trace_estimator.arguments import LEAST_DRAWS, Given
from scoreproof.public.trace_estimator.designs import LARGEST, in_the_mean
from scoreproof.public.trace_estimator.own_nu import in_the_mean_of_gaussians
from scoreproof.public.trace_estimator.rows import COARSE, Rows
from scoreproof.streams import stream

__all__ = ["mean_of_another"]

#: numbers that go through the estimator for the Gaussian mean, at most
NUMBERS = 1 << 21
NEITHER = "the estimates at given ν are neither νᵀJν nor tr J, and their mean over Gaussian ν"
UNSEEN = (
    "the estimates at given ν are neither νᵀJν nor tr J, and whether their mean is tr J cannot be"
    " seen, as the estimator fails at a ν that the mean asks for (signs, long and short ν):"
)
LAW = (
    "is not seen to be off, but over another law of ν with E[νν^T] = I it is (as with the signs of"
    " ν in place of ν): where ν is always Gaussian or ±1, draw it inside, as estimator(f, z)"
)
FINER = (
    "is not seen to be off; its exact mean is taken for D up to 1024 in float32 or float64 only:"
    " pass such a dimension and dtype"
)


def mean_of_another(given: Given, parts: list[Rows], rows: Evidence) -> Evidence:
    """Refuted or not; it holds by the exact designs only. Undecided where the estimator fails at
    the ν of a mean: ``rows``, the verdict row by row, says that it is another kind of estimate.
    """
    try:
        return _mean(given, parts)
    except CallableError as error:
        text = f"{UNSEEN} {error.got}: {error.remedy}"
        return replace(rows, verdict="undecided", sentence=text)


def _mean(given: Given, parts: list[Rows]) -> Evidence:
    exact = max(given.dimensions) <= LARGEST and given.eps <= COARSE
    why: str = FINER
    off: Evidence | None = None
    if exact:
        rng = stream(given.seed, "ffjord", "trace", "designs")
        means = []
        for rows in parts:
            evidence, signs_fit = in_the_mean(given, rows, rng)
            if evidence.verdict == "refuted" and not signs_fit:
                return evidence
            means.append(evidence)
            if evidence.verdict == "refuted":
                break
        if all(e.verdict != "refuted" for e in means):
            return max(means, key=lambda e: (e.verdict != "holds", e.resolution or 0.0))
        why, off = LAW, evidence
    draws = int(np.clip(NUMBERS // max(given.dimensions), LEAST_DRAWS, given.draws))
    found = in_the_mean_of_gaussians(replace(given, draws=draws))
    if found.verdict == "refuted":
        return found
    if off is not None and found.verdict != "holds":  # no law but signs for which it is seen right
        return off
    return replace(found, verdict="undecided", sentence=f"{NEITHER} {why}")
