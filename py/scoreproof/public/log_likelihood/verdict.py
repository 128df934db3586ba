"""What came back against what is due: on a Gaussian and on a mixture, at points of each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.evidence import Evidence
from scoreproof.public.log_likelihood import gradients
from scoreproof.public.log_likelihood.arguments import Job
from scoreproof.public.log_likelihood.asking import Answer, Asker
from scoreproof.public.log_likelihood.causes import explained
from scoreproof.public.log_likelihood.drawn import TOGETHER, doubted, given_the_others
from scoreproof.public.log_likelihood.fields import affine_field, bent_field
from scoreproof.public.log_likelihood.law import gaussian, mixture
from scoreproof.public.log_likelihood.made import Made, made_of
from scoreproof.public.log_likelihood.runs import Question, Run, run, scouted
from scoreproof.public.log_likelihood.spans import Span, affine_of, span_of
from scoreproof.public.log_likelihood.words import IN_WORDS
from scoreproof.public.rule import compared, weakest
from scoreproof.streams import stream

__all__ = ["judge"]

POINTS = 5


def judge(job: Job) -> Evidence:
    """The function under judgement."""
    asker = Asker(job)
    laws: list[Any] = [gaussian(job.d), mixture(job.d)]
    if job.kind == "field" and job.clock.name.startswith("the straight"):
        laws += [bent_field(job.d), affine_field(job.d)]
    rng = stream(job.seed, "log_likelihood", "points")
    points = [law.points(POINTS, rng) for law in laws]
    scout, design = scouted(asker, laws[0], points[0])
    if scout.reduced:
        return _counted(_reduced(job, scout), asker)
    if not scout.times:
        text = f"{job.name}: at which times it asks its model is not seen; ask it outside of vmap"
        return _counted(Evidence.undecided("float", text), asker)
    span = span_of(job, scout)
    rows = np.repeat(points[0], design.m, axis=0)
    affine = affine_of(rows, scout.first)
    if not affine.known and any(draw.kind == "uniform" for draw in scout.log.draws):
        asker.held = True  # noise of dequantisation
        scout, design = scouted(asker, laws[0], points[0])
        affine = affine_of(rows, scout.first)
    many = design.drawn > 0 or "nu" in job.taken.all
    known = None
    if affine.same and not design.shared:
        known = scout.values.reshape(POINTS, design.m).mean(axis=1), scout
    ways: list[Any] = [affine] * len(laws)
    if not affine.known:
        ways = [made_of(asker, law, x) or affine for law, x in zip(laws, points, strict=True)]
    asked = [
        Question(law, span, way, way.back(x), many)
        for law, x, way in zip(laws, points, ways, strict=True)
    ]
    runs = [run(asker, q, None if k else known) for k, q in enumerate(asked)]
    evidence = _compared(job, runs, span, ways)
    if evidence.verdict != "undecided":
        why = doubted(asker, (scout, design), runs, asked[0].x)
        if why == TOGETHER:
            parted = given_the_others(asker, asked, runs)
            if parted is not None:
                runs, why = parted, ""
                evidence = _compared(job, runs, span, ways)
        if not why and evidence.verdict == "refuted" and any(not way.known for way in ways):
            why = "what it asks its model at first is no smooth function of x"
        if why:
            return _counted(_open(job, why), asker)
    if evidence.verdict == "refuted":
        evidence = replace(evidence, diagnosis=safely(lambda: explained(runs)))
    elif job.gradients:
        slopes = [
            gradients.judged(asker, r, way, of)
            for of in job.gradients
            for r, way in zip(runs[:2], ways, strict=False)
        ]
        evidence = _with_slopes(job, evidence, slopes)
    return _counted(evidence, asker)


def _compared(job: Job, runs: list[Run], span: Span, ways: list[Any]) -> Evidence:
    scales = [r.due.gain for r in runs]
    error = np.concatenate([r.error / g for r, g in zip(runs, scales, strict=True)])
    bound = np.repeat([r.bound / g for r, g in zip(runs, scales, strict=True)], POINTS)
    excuse = np.repeat([r.excuse / g for r, g in zip(runs, scales, strict=True)], POINTS)
    worst = int(np.argmax(np.abs(error)))
    told = np.concatenate([r.values for r in runs])[worst]
    due = np.concatenate([job.units.told(r.due.value) for r in runs])[worst]
    names = [r.due.law.name for r in runs]
    where = " and ".join([", ".join(names[:-1]), names[-1]])
    text = (
        f"{job.name}: {job.units.words} of {where} in {job.d} coordinates, from t ="
        f" {span.start:.3g} to {span.end:.3g}: {told:.6g} came back where {due:.6g} is due at the"
        " worst point"
    )
    fine = all(r.refined for r in runs)
    if fine:
        remedy = (
            "more refinements did not bring it nearer: use float64, or a solver of higher order"
        )
    else:
        remedy = "let it take n_steps, or rtol and atol, so that it can be solved more finely"
    return compared(
        error,
        bound,
        text,
        coverage=Coverage({"laws": len(runs), "points": len(error)}),
        excuse=excuse,
        tolerance=job.tolerance,
        remedy=remedy,
        kind="convergent" if fine else "float",
        labels=("point", "error of log p, relative to its smaller part"),
        notes=_notes(job, runs, span, ways),
    )


def _with_slopes(job: Job, evidence: Evidence, slopes: list[Evidence]) -> Evidence:
    found = weakest([evidence, *slopes])
    if found.verdict != "holds":
        return found
    seen = max(e.resolution or 0.0 for e in slopes)
    where = " and in ".join(IN_WORDS[of] for of in job.gradients)
    note = f"Its gradient in {where} is right too: {seen:.2g} of it would have been seen."
    return replace(found, notes=(*found.notes, note))


def _notes(job: Job, runs: list[Run], span: Span, ways: list[Any]) -> tuple[str, ...]:
    notes = []
    if job.prior is None:
        notes.append("The prior is the exact law at the end.")
    elif isinstance(job.prior, float) and not job.said:
        law = "N(0, I)" if job.prior == 1 else f"N(0, {job.prior:.4g}² I)"
        notes.append(f"The prior is taken to be {law}; prior= says another.")
    if job.guessed:
        notes.append("The model is taken to return the score; prediction= says another.")
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


def _open(job: Job, why: str) -> Evidence:
    text = (
        f"{job.name}: log p as the mean over its draws is not to be had exactly: {why}; let it"
        " take ν as an argument nu, or a generator rng (in jax a key), and make ν of it as normal"
        " numbers, signs or coins"
    )
    if why.startswith("what it asks"):
        text = f"{job.name}: {why}, so that log p there is not known; pass x on as it is"
    return Evidence.undecided("float", text)


def _reduced(job: Job, scout: Answer) -> Evidence:
    text = (
        f"{job.name}: one number came back for a whole batch, {float(scout.values[0]):.6g}:"
        " log p is one of each sample"
    )
    cause = Diagnosis.cause(
        "batch_reduced",
        "Cause: log p is summed or averaged over the batch, or log|det| over it. Sum over the axes"
        " of a sample only, x.flatten(1).sum(1), and average last, outside.",
    )
    return Evidence("float", "refuted", 1.0, 0.0, text, diagnosis=cause,
                    coverage=Coverage({"points": POINTS}))  # fmt: skip


def _counted(evidence: Evidence, asker: Asker) -> Evidence:
    notes = (*evidence.notes, *(f"It {n}." for n in asker.notes if n.startswith("draws")))
    return replace(evidence, notes=notes, cost={"calls": asker.calls, "model": asker.asked})
