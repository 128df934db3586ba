"""What the limit of many steps does not see in a method that looks back at earlier predictions:
more steps make neighbouring ones alike, and a wrong ratio of their widths fades.
"""

from __future__ import annotations

from dataclasses import replace

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.explain import earlier, read
from scoreproof.public.sampler.causes.steps import steps_of
from scoreproof.public.sampler.causes.tableau import measured, steps_looked_at

__all__ = ["noted"]


def noted(evidence: Evidence, job: Job, eps: float) -> Evidence:
    """With a note, where an order was asked for and holds, or where nothing is decided."""
    falls = evidence.verdict == "undecided" and evidence.coverage is not None
    if not falls and (evidence.verdict != "holds" or not job.order or job.order < 2):
        return evidence
    try:
        text = _of_the_undecided(job, eps) if falls else _text(job, eps)
    except (CallableError, ArgumentError, ArithmeticError, LookupError, TypeError, ValueError):
        return evidence  # a note costs no verdict
    return replace(evidence, notes=(*evidence.notes, text)) if text else evidence


def _of_the_undecided(job: Job, eps: float) -> str:
    """What is wrong with the steps at the times that are given, where the limit does not tell."""
    table = measured(job, steps_looked_at(job))
    steps = None if table is None else steps_of(table)
    if table is None or steps is None:
        return ""
    for name, text in read(job, table, steps, eps, earlier(job, steps)):
        if name == "right":  # up to what is asked where a law is off
            return f"{text.split(': why')[0]}."
        if name and text:
            return f"With the times that it is given {text}."
    return ""


def _text(job: Job, eps: float) -> str:
    table = measured(job, steps_looked_at(job))
    steps = None if table is None else steps_of(table)
    by_eps = None if steps is None or steps.stages > 1 else earlier(job, steps)
    if table is None or steps is None or by_eps is None:
        return ""
    fades = (
        "It looks back at earlier predictions. More steps make neighbouring ones alike: a mistake"
        " that needs them to differ in width fades from the order that is measured"
    )
    for name, text in read(job, table, steps, eps, by_eps):
        if name == "right":
            return ""
        if name and text:
            return f"{fades}. With the times that it is given {text}."
    return f"{fades}, and its steps are of no formula that is known here."
