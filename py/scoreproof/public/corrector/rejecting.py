"""What a Metropolis kernel does to rows that it rejects, where that is wrong whatever its ratio."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.corrector.asking import Kernel
from scoreproof.public.rule import settled
from scoreproof.words import point

__all__ = ["mixed_proposals", "no_way_back", "not_kept", "together"]


def not_kept(
    kernel: Kernel, name: str, points: tuple[np.ndarray, np.ndarray, np.ndarray], lost: np.ndarray
) -> Evidence:
    """``points``: x, what came back where it rejects, and y."""
    x, refused, y = points
    k = int(np.flatnonzero(lost)[0])
    text = (
        f"{kernel.job.name} does not stay at x where it rejects, for {name}: at"
        f" {int(np.sum(lost))} of"
        f" {len(x)} points it returns another state, {point(refused[k])} from x = {point(x[k])}"
        " with the"
        f" proposal {point(y[k])}"
    )
    cause = Diagnosis.cause(
        "rejected_not_kept",
        "Cause: what is returned on rejection is not the x that it started from: return"
        " where(accept, y, x), with x from before the step.",
    )
    return _refuted(kernel, text, cause)


def mixed_proposals(kernel: Kernel, name: str) -> Evidence:
    called = kernel.job.name
    text = f"{called}: where a row moves to depends on the other rows of its batch, for {name}"
    cause = Diagnosis.cause(
        "rows_mixed",
        "Cause: the rows of a batch are mixed in the proposal. Keep means, norms and noise to each"
        " sample's own axes.",
    )
    return _refuted(kernel, text, cause)


def together(kernel: Kernel, name: str) -> Evidence:
    text = (
        f"{kernel.job.name}: whether a row is accepted depends on the other rows of its batch, for"
        f" {name}"
    )
    cause = Diagnosis.cause(
        "accepted_together",
        "Cause: the acceptance is that of the batch and not of each row: sum over the axes of a"
        " sample only, so that log p and the ratio have shape (n,).",
    )
    return _refuted(kernel, text, cause)


def no_way_back(
    kernel: Kernel, name: str, points: tuple[np.ndarray, np.ndarray], which: np.ndarray
) -> Evidence:
    """``points``: x and y, from which x is never proposed."""
    x, y = (p[np.flatnonzero(which)[0]] for p in points)
    text = (
        f"{kernel.job.name} moves from x = {point(x)} to y = {point(y)}, for {name}, and from there"
        f" never back, at {int(np.sum(which))} of {len(which)} pairs: no noise leads there"
    )
    cause = Diagnosis.cause(
        "one_sided",
        "Cause: the proposal goes one way only: its noise has to be symmetric about 0, as"
        " uniform(-1, 1), or its density stands in the ratio.",
    )
    return _refuted(kernel, text, cause)


def _refuted(kernel: Kernel, text: str, cause: Diagnosis) -> Evidence:
    found = Evidence("float", "refuted", 1.0, 0.0, text, diagnosis=cause)
    return settled(
        replace(found),
        resolution=0.0,
        coverage=Coverage({"points": 1}),
    )
