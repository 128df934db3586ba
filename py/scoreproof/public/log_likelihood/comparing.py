"""The answers of all runs against what is due, with what is told of them beside.

Conventions: errors relative to what a run's own errors are, `Run.gain`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.log_likelihood.arguments import Job
from scoreproof.public.log_likelihood.cutoffs import said_of_start
from scoreproof.public.log_likelihood.law import OUT
from scoreproof.public.log_likelihood.made import Made
from scoreproof.public.log_likelihood.runs import Run
from scoreproof.public.log_likelihood.spans import Span
from scoreproof.public.log_likelihood.steps import last_of_table
from scoreproof.public.rule import compared

__all__ = ["POINTS", "answers"]

#: draws of each law
POINTS = 5


def answers(job: Job, runs: list[Run], span: Span, ways: list[Any]) -> Evidence:
    """One evidence of all points."""
    scales = [r.gain for r in runs]
    error = np.concatenate([r.error / g for r, g in zip(runs, scales, strict=True)])
    bound = np.repeat([r.bound / g for r, g in zip(runs, scales, strict=True)], POINTS)
    excuse = np.repeat([r.excuse / g for r, g in zip(runs, scales, strict=True)], POINTS)
    worst = int(np.argmax(np.abs(error)))
    told = np.concatenate([r.values for r in runs])[worst]
    due = np.concatenate([job.units.told(r.due.value) for r in runs])[worst]
    names = [r.due.law.name for r in runs if not r.far]
    where = " and ".join([", ".join(names[:-1]), names[-1]])
    text = (
        f"{job.name}: {job.units.words} of {where} in {job.d} coordinates, from t ="
        f" {span.start:.3g} to {span.end:.3g}: {told:.6g} came back where {due:.6g} is due at the"
        " worst point"
    )
    if any(r.growth is not None for r in runs):
        text += f", and more comes back the finer it is solved ({', '.join(job.taken.finer)})"
    fine = all(r.refined for r in runs)
    if fine:
        remedy = (
            "more refinements did not bring it nearer: use float64, or a solver of higher order"
        )
    elif last_of_table(job.process) is not None:
        # the steps of a table are given: what they leave open is accepted, or solved for
        off = float(np.max(np.abs(error))) * 1.1
        remedy = (
            f"it goes from index to index of its table, whose steps are that coarse: tolerance="
            f"{off:.2g} accepts what came back, as far as a slip of that size would pass with it;"
            " or let it take n_steps or times, to stand between the indices as well"
        )
    else:
        remedy = "let it take n_steps, or rtol and atol, so that it can be solved more finely"
    return compared(
        error,
        bound,
        text,
        coverage=_coverage(runs),
        excuse=excuse,
        tolerance=job.tolerance,
        remedy=remedy,
        kind="convergent" if fine else "float",
        labels=("point", "error of log p, relative to its smaller part"),
        notes=_notes(job, runs, span, ways),
    )


def _coverage(runs: list[Run]) -> Coverage:
    tails = "none in the tails"
    if any(r.far for r in runs):
        tails = f"and {POINTS} of the first one {OUT:.3g} standard deviations from its middle"
    laws, points = sum(not r.far for r in runs), POINTS * len(runs)
    return Coverage({"laws": laws, "points": points}, (), f"{POINTS} draws of each law, {tails}")


def _notes(job: Job, runs: list[Run], span: Span, ways: list[Any]) -> tuple[str, ...]:
    notes = []
    if job.prior is None:
        notes.append("The prior is the exact law at the end.")
    elif isinstance(job.prior, float) and not job.said:
        law = "N(0, I)" if job.prior == 1 else f"N(0, {job.prior:.4g}² I)"
        notes.append(f"The prior is taken to be {law}; prior= says another.")
    if began := said_of_start(job, runs, span.start):
        notes.append(began)
    if job.guessed:
        notes.append(f"The model is taken to return the {job.kind}; prediction= says another.")
    affine = ways[0]
    if isinstance(affine, Made):
        notes.append(
            "x is no scaling of what it was where the ODE begins: log|dy/dx| is due in log p, from"
            f" {np.min(affine.log_det):.4g} to {np.max(affine.log_det):.4g} at the points."
        )
    elif not affine.same:
        notes.append(
            "x is scaled before the ODE begins, by up to"
            f" {np.max(np.abs(affine.scale)):.4g} and {np.max(np.abs(affine.shift)):.4g}:"
            f" log|dy/dx| = {affine.log_det:.4g} is due in log p."
        )
    if any(r.end is not None and r.end.extrapolated for r in runs):
        notes.append(
            "Its solver is of order 1: what it tends to is extrapolated from its last refinements."
        )
    off = max(float(np.max(np.abs(job.units.nats(r.coarse) - r.due.value))) for r in runs)
    if all(r.refined for r in runs):
        notes.append(
            f"Solved as finely as it is by itself, log p is off by up to {off:.2g} nats;"
            f" {', '.join(job.taken.finer)} was made finer {max(r.refined for r in runs)} times."
        )
    else:
        what = "takes nothing that makes" if not job.taken.finer else "does not use what would make"
        notes.append(
            f"It {what} its solver finer: log p is off by up to {off:.2g} nats, which is not told"
            " from its solver's error."
        )
    return tuple(notes)
