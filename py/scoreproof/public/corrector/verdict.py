"""Which way a kernel is judged: by its draws, and by whether it is affine."""

from __future__ import annotations

from dataclasses import replace

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.corrector import balance, stepwise, unadjusted
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.asking import Kernel
from scoreproof.public.corrector.draws import Drawn, drawn, refused
from scoreproof.public.corrector.refining import sequence
from scoreproof.public.corrector.times import at_its_own, of_several, own_note

__all__ = ["judge"]


def judge(job: Job) -> Evidence:
    """The kernel under judgement."""
    kernel = Kernel(job)
    found = drawn(kernel, job.h)
    own = at_its_own(job, found.answer)
    if own is None:
        chain = of_several(job, found.answer, kernel.calls)
        return _judge(kernel, found) if chain is None else chain
    kernel = Kernel(own, calls=kernel.calls)
    evidence = _judge(kernel, drawn(kernel, job.h))
    return replace(evidence, notes=(*evidence.notes, own_note(own)))


def _judge(kernel: Kernel, found: Drawn) -> Evidence:
    job = kernel.job
    early = refused(kernel, found)
    if early is not None:
        return replace(early, cost={"calls": kernel.calls})
    if found.accepts:
        return balance.judge(kernel, found)
    if "uniform" in found.noise:
        text = (
            f"{job.name} draws uniform noise and accepts nothing: its law is no Gaussian one, so"
            " that it"
            " is not read off; draw normal noise, of which the limit of small steps is the same"
        )
        return Evidence.undecided("float", text, cost={"calls": kernel.calls})
    seen = sequence(kernel, len(found.noise))
    steps = len(found.noise) if found.whole else 0
    worst = max(seen.found, key=lambda a: a.mixed)
    if unadjusted.is_affine(seen):
        return unadjusted.judge(kernel, seen)
    straight = all(a.straight for a in seen.found)
    if straight and not stepwise.along_the_score(kernel, steps):
        text = (
            f"{job.name}: what becomes of a row depends on the other rows of its batch, by"
            f" {worst.mixed:.2g} standard deviations"
        )
        cause = Diagnosis.cause(
            "rows_mixed",
            "Cause: the rows of a batch are mixed. Keep means, norms and noise to each sample's own"
            " axes.",
        )
        return Evidence(
            "float",
            "refuted",
            worst.mixed,
            worst.loose,
            text,
            diagnosis=cause,
            coverage=Coverage({"rows": len(worst.matrix)}),
            cost={"calls": kernel.calls},
        )
    return stepwise.judge(kernel, steps, worst.mixed)
