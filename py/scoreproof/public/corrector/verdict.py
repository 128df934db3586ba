"""Which way a kernel is judged: by its draws, and by whether it is affine."""

from __future__ import annotations

from dataclasses import replace

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.corrector import balance, stepwise, unadjusted
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.asking import Kernel
from scoreproof.public.corrector.constant import endless, inconstant, varied
from scoreproof.public.corrector.counting import Counted, Endless
from scoreproof.public.corrector.draws import Drawn, drawn, refused
from scoreproof.public.corrector.held import at_each
from scoreproof.public.corrector.refining import sequence
from scoreproof.public.corrector.sized import of_the_batch
from scoreproof.public.corrector.times import at_its_own, of_several, own_note

__all__ = ["judge"]


def judge(job: Job) -> Evidence:
    """The kernel under judgement."""
    kernel = Kernel(job)
    notes: tuple[str, ...] = ()
    try:
        found = drawn(kernel, job.h)
        own = at_its_own(job, found.answer)
        if own is not None:
            kernel = Kernel(own, calls=kernel.calls)
            found = drawn(kernel, job.h)
            notes = (own_note(own),)
        chain = of_several(job, found.answer) if own is None else None
        evidence = _of(kernel, found) if chain is None else chain
    except Endless:
        evidence, notes = endless(kernel), ()
    if kernel.varied is not None and evidence.verdict != "undecided":
        evidence, notes = varied(kernel), ()
    return replace(evidence, notes=(*evidence.notes, *notes), cost={"calls": kernel.calls})


def _of(kernel: Kernel, found: Drawn) -> Evidence:
    early = refused(kernel, found)
    if early is None:
        kernel.counted = Counted.of(found.answer.draws, found.rows)
    # a kernel that is no map has no cause: that comes first where there is doubt
    other = inconstant(kernel, True) if early is None and found.accepts else None
    if other is not None:
        return other
    if kernel.varied is not None:
        return varied(kernel)
    evidence = _judged(kernel, found) if early is None else early
    if evidence.verdict == "refuted" and not found.accepts:
        other = inconstant(kernel)
    return evidence if other is None else other


def _judged(kernel: Kernel, found: Drawn) -> Evidence:
    job = kernel.job
    if found.accepts:
        return at_each(kernel, found, found.ones) if found.ones else balance.judge(kernel, found)
    if "uniform" in found.noise:
        text = (
            f"{job.name} draws uniform noise and accepts nothing: its law is no Gaussian one, so"
            " that it is not read off; draw normal noise (standard_normal, randn_like): a uniform"
            " number from 0 to 1 has the mean ½ and the variance 1/12"
        )
        return Evidence.undecided("float", text)
    seen = sequence(kernel, len(found.noise))
    steps = len(found.noise) if found.whole else 0
    worst = max(seen.found, key=lambda a: a.mixed)
    if unadjusted.is_affine(seen):
        return unadjusted.judge(kernel, seen)
    other = inconstant(kernel)
    if other is not None:
        return other
    straight = all(a.straight for a in seen.found)
    if straight and not stepwise.along_the_score(kernel, steps):
        role = of_the_batch(kernel, len(found.noise))
        if isinstance(role, Evidence):
            return role
        text = (
            f"{job.name}: what becomes of a row depends on the other rows of its batch, by"
            f" {worst.mixed:.2g} standard deviations"
        )
        cause = Diagnosis.cause(
            "rows_mixed",
            "Cause: the rows of a batch are mixed. Keep means, norms and noise to each sample's own"
            " axes.",
        )
        if role is not None:
            cause = role
            text = f"{job.name}: a step is no multiple of the score and noise: more is added to x"
        return Evidence(
            "float",
            "refuted",
            worst.mixed,
            worst.loose,
            text,
            diagnosis=cause,
            coverage=Coverage({"rows": len(worst.matrix)}),
        )
    return stepwise.judge(kernel, steps, worst.mixed)
