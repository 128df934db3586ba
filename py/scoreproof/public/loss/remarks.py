"""What is right or wrong of a loss without a number: the time told, the law of t, the notes.

Conventions: as in `verdict`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.labels import labelled
from scoreproof.public.loss.other_weights import due_weight
from scoreproof.public.loss.pairing import PAIRED
from scoreproof.public.loss.reading import Found
from scoreproof.public.loss.words import told_words

#: relative to the largest weight: nothing
ZERO = 1e-30

__all__ = ["notes_of", "without_a_number"]


def without_a_number(job: Job, found: Found) -> tuple[str, str, Diagnosis | None] | None:
    """What is wrong without a number: before which part it is said, the sentence, the cause."""
    alone = len(np.unique(found.v.times)) == 1
    if found.label is None:
        if alone:
            return None
        text = "the model is not told t, and is asked at several levels of noise"
        cause = Diagnosis.cause("no_label", "Cause: t is not passed to the model: model(x_t, t).")
        return "minimiser", text, cause
    _, wrong = labelled(job, found.v, found.label)
    if wrong is not None:
        sentence, diagnosis = told_words(job, found, wrong)
        return "minimiser", sentence, diagnosis
    law, steps = found.law, job.process.steps
    if law is not None and steps is not None and law.low is not None and law.high is not None:
        missing = [t for t in (0, steps - 1) if not law.low <= t <= law.high]
        if missing:
            never = " and ".join(f"t = {t}" for t in missing)
            text = f"it draws t as {law.words}, of a table with {steps}: it never trains {never}"
            due = f"randint(0, {steps})"
            if law.bent:
                cause = Diagnosis.cause("range", f"Cause: draw it by {due}, and use it as it is.")
                return "law", text, cause
            ends = f"randint({law.low}, {law.high + 1}) draws {law.low} to {law.high}"
            text_due = f"Cause: {ends}, its upper end not among them; {due} draws every t."
            cause = Diagnosis.cause("range", text_due)
            return "law", text, cause
    return None


def notes_of(job: Job, found: Found, asking: Asking) -> tuple[str, ...]:
    notes = list(asking.notes)
    with np.errstate(all="ignore"):
        shape = found.weights[0] / found.curvature[0][:, None]
    if np.any(np.abs(shape - 1) > 1e-3):
        notes.append("The entries of a sample have weights of their own, or are mixed by a metric.")
    if job.prediction == "F" and np.all(np.abs(found.b[0] / found.v.sigma - 1) < 1e-6):
        notes.append("The network is given x_t as it is, without c_in.")
    due = due_weight(job, found.v)
    if due is not None and np.any(due <= ZERO * np.max(due)):
        none = ", ".join(f"{t:.4g}" for t in found.v.times[due <= ZERO * np.max(due)])
        notes.append(
            f"The weight that is claimed is 0 at t = {none}: the model is not trained there."
        )
    if found.near:
        notes.append("It is a square near the exact model only: far outputs or errors are clipped.")
    if found.coupling is not None and found.coupling.by_value:
        notes.append(PAIRED)
    if found.law is not None:
        notes.append(f"It draws t: {found.law.words}.")
    name, _ = labelled(job, found.v, found.label) if found.label is not None else (None, None)
    if name not in (None, "t"):
        notes.append(f"The model is told {name}.")
    return tuple(n if n.endswith(".") else f"It {n}." for n in notes)
