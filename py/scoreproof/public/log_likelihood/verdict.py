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
from scoreproof.public.log_likelihood.comparing import POINTS, answers
from scoreproof.public.log_likelihood.cutoffs import as_it_runs, cut_off
from scoreproof.public.log_likelihood.drawn import TOGETHER, doubted, given_the_others
from scoreproof.public.log_likelihood.fields import affine_field, bent_field
from scoreproof.public.log_likelihood.law import gaussian, mixture
from scoreproof.public.log_likelihood.made import made_of
from scoreproof.public.log_likelihood.probed import of_probes
from scoreproof.public.log_likelihood.runs import Question, Run, run, scouted
from scoreproof.public.log_likelihood.spans import Affine, affine_of, span_of
from scoreproof.public.log_likelihood.words import IN_WORDS
from scoreproof.public.rule import weakest
from scoreproof.streams import stream

__all__ = ["judge"]

#: of the smaller part of log p: what a cutoff may change, as a verdict would not have seen it
NO_WORSE = 0.01


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
    asked += _far(asker, asked[0])
    runs = [run(asker, q, None if k else known) for k, q in enumerate(asked)]
    evidence = answers(job, runs, span, ways)
    if evidence.verdict != "undecided":
        why = doubted(asker, (scout, design), runs, asked[0].x)
        if why == TOGETHER:
            parted = given_the_others(asker, asked, runs)
            if parted is not None:
                runs, why = parted, ""
                evidence = answers(job, runs, span, ways)
        if not why and evidence.verdict == "refuted" and any(not way.known for way in ways):
            why = "what it asks its model at first is no smooth function of x"
        if why:
            return _counted(_open(job, why), asker)
    as_run: list[Run] = []
    other = cut_off(job, span) if evidence.verdict == "refuted" else None
    if other is not None:
        as_run = as_it_runs(asked, runs, other)
        evidence = _of_cutoffs(evidence, answers(job, as_run, other, ways))
    if evidence.verdict == "refuted":
        named = safely(lambda: explained(runs))
        if as_run and not (named and named.names):  # a mistake of another kind, beside a cutoff
            beside = safely(lambda: explained(as_run))
            named = beside if beside and beside.names else named
        named = safely(lambda: of_probes(named, asker, runs[0], (scout, design))) or named
        evidence = replace(evidence, diagnosis=named)
    elif job.gradients:
        slopes = [
            gradients.judged(asker, r, way, of)
            for of in job.gradients
            for r, way in zip(runs[:2], ways, strict=False)
        ]
        evidence = _with_slopes(job, evidence, slopes)
    return _counted(evidence, asker)


def _far(asker: Asker, near: Question) -> list[Question]:
    """The first law in its tails, where it can be asked there."""
    x = near.law.far(POINTS)
    if near.way.known and isinstance(near.way, Affine):
        return [replace(near, x=near.way.back(x), far=True)]
    way = made_of(asker, near.law, x)  # a logit, say, has no value there
    return [] if way is None else [replace(near, way=way, x=x, far=True)]


def _of_cutoffs(evidence: Evidence, other: Evidence) -> Evidence:
    """``other``: between the ends that it goes to itself, of which no word was said."""
    if other.verdict != "holds":
        return evidence
    off = float(evidence.value)
    if off <= max(NO_WORSE, other.bound):
        return other
    text = (
        f"{evidence.sentence}; it is right between the times at which it begins and stops itself:"
        f" these cutoffs alone make {off:.2g} of the smaller part of log p. Let it go nearer to the"
        f" ends, or accept it by tolerance={off * 1.1:.2g}"
    )
    return Evidence.undecided("float", text)


def _with_slopes(job: Job, evidence: Evidence, slopes: list[Evidence]) -> Evidence:
    found = weakest([evidence, *slopes])
    if found.verdict != "holds":
        return found
    seen = max(e.resolution or 0.0 for e in slopes)
    where = " and in ".join(IN_WORDS[of] for of in job.gradients)
    note = f"Its gradient in {where} is right too: {seen:.2g} of it would have been seen."
    return replace(found, notes=(*found.notes, note))


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
