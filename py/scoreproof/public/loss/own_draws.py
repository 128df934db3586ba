"""Losses that draw what cannot be served: from a global generator, or from one of their own.

Conventions: rows ``(B, d)``. Asked twice with the same data, noise and times, such a loss asks its
model at another x each time.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.given import Given
from scoreproof.public.loss.reading import Found

__all__ = ["GLOBAL", "drawn_elsewhere", "noise_is_ignored"]

GLOBAL = "global generator"
REMEDY = {
    "numpy": "let it take an argument rng (a numpy.random.Generator), and draw all from that",
    "torch": "draw it by torch, or let the loss take it as an argument",
    "jax": "let it take a key, and draw all from that",
}


def noise_is_ignored(job: Job) -> bool:
    """Whether a loss asks its model at the same x, and returns the same, whatever noise it is
    given.
    """
    rng = np.random.default_rng([job.seed, 53])
    x0, one, other, answers = rng.standard_normal((4, job.rows, job.d))
    extra = rng.standard_normal((3, job.rows, job.d))
    times = None if job.draws_times else np.resize(job.process.times(job.rows), job.rows)
    runs = [Asking(job).run(Given(x0, e, extra, answers, times)) for e in (one, other)]
    same = len(runs[0].calls) == len(runs[1].calls)
    return (
        same
        and all(np.array_equal(a.x, b.x) for a, b in zip(runs[0].calls, runs[1].calls, strict=True))
        and runs[0].value == runs[1].value
    )


def drawn_elsewhere(job: Job, found: Found, asking: Asking) -> str | None:
    """Why it cannot be told whether an x is x_t; ``None`` where it is always the same x."""
    note = next((n for n in asking.notes if GLOBAL in n), None)
    # states of global generators are put back: other code than NumPy's is asked once for each
    foreign = np.max(found.rest / found.v.sigma) > 1e-3 and note is not None and "NumPy" in note
    if note is not None and (job.framework == "numpy" or foreign):
        return f"it {note}, which cannot be replaced: {REMEDY[job.framework]}"
    times = None if job.draws_times else found.v.times
    pairs, first = found.given, found.runs[0].asked.x
    again = asking.run(Given(pairs.x0[0], pairs.noise[0], found.extra, found.answer, times)).asked.x
    if np.array_equal(first, again):
        return None
    return (
        "it asks its model at another x each time, of the same data, noise and t: it draws from a"
        f" generator that it has, which cannot be replaced: {REMEDY[job.framework]}"
    )
