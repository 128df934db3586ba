"""Whether what a model answers for its variance changes how its mean is trained, as the terms of
the variational bound do where the mean is not detached in them.

Conventions: as in `reading`. At t = 0 of a table the bound's term is a decoder, which is no square.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.given import Given
from scoreproof.public.loss.reading import Found
from scoreproof.public.loss.standin import SPARE

__all__ = ["BOUND", "DECODER", "at_the_decoder", "bent_at_the_decoder", "variance_words", "varied"]

#: relative: what another variance may change of a gradient that does not look at it
NOTHING = 1e-6
BOUND = (
    "the terms of the variational bound train the mean too, and at t = 0 that is a decoder, which"
    " is no square: if it is L_simple + λ L_vlb, detach the mean in L_vlb, and weight='eps' holds;"
    " the bound itself is judged by check_variational_bound"
)


DECODER = (
    "at t = 0, and there alone, it is no square in its model's answer (a decoder, as"
    " the variational bound has): elsewhere the exact model is its minimiser; the bound itself is"
    " judged by check_variational_bound"
)


def varied(job: Job, asking: Asking, found: Found) -> Found:
    """The same, with whether it is so."""
    if not job.learned_variance:
        return found
    pairs, times = found.given, None if job.draws_times else found.v.times
    given = Given(pairs.x0[0], pairs.noise[0], found.extra, found.answer, times)
    other = asking.run(replace(given, spare=SPARE - 0.5)).gradient
    size = np.max(np.abs(found.gradients[0]))
    return replace(found, varied=bool(np.max(np.abs(other - found.gradients[0])) > NOTHING * size))


def at_the_decoder(found: Found, wrong: np.ndarray) -> bool:
    """Whether all that is wrong is at t = 0."""
    return found.varied and bool(np.all(found.v.times[wrong] == 0))


def bent_at_the_decoder(found: Found, wrong: np.ndarray) -> bool:
    """Whether all that is wrong, and all that is no square, is at t = 0 of a table."""
    if found.v.process.steps is None:
        return False
    bent = found.bend > found.line
    first = found.v.times == 0
    return bool(np.any(bent) and np.all(first[bent]) and np.all(first[wrong]))


def variance_words(found: Found) -> tuple[str, Diagnosis | None]:
    """Of a loss that is said to have another weight."""
    text = (
        "the gradient in the model's mean depends on what it answers for its variance: the mean is"
        " trained by the variational bound's terms too, with weights of their own"
    )
    cause = (
        "Cause: the mean is not detached in L_vlb: L_simple + λ L_vlb (improved DDPM) trains the"
        " mean by L_simple alone: out_mean.detach() in the term of the bound."
    )
    return text, Diagnosis.cause("not_detached", cause)
