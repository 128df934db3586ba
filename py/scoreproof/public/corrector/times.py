"""The times at which a kernel asks its model, beside the one of p_t.

Conventions: a kernel that takes no t, and whose caller names none, says which law it is for by the
one time at which it asks.
"""

from __future__ import annotations

from dataclasses import replace

from scoreproof.evidence import Evidence
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.asking import Answer

__all__ = ["another", "at_its_own", "of_several", "own_note", "where_due"]


def _times(answer: Answer) -> list[float]:
    return list(dict.fromkeys(a.t for a in answer.asked if a.t is not None))


def another(job: Job, answer: Answer) -> float | None:
    """A time that is not p_t's."""
    return next((t for t in _times(answer) if abs(t - job.t) > 1e-6 * (1 + abs(job.t))), None)


def where_due(job: Job) -> str:
    """``where it was given t = 0.6``."""
    if any(r in job.roles for r in ("t", "t_batch")):
        return f"where it was given t = {job.t:.6g}"
    return f"where p_t is that of t = {job.t:.6g} (another one is named by t=)"


def at_its_own(job: Job, answer: Answer) -> Job | None:
    """The job at the one time at which it asks, where nobody says another."""
    times = _times(answer)
    if not job.any_t or len(times) != 1 or another(job, answer) is None:
        return None
    return replace(job, t=times[0])


def own_note(job: Job) -> str:
    return (
        f"It takes no t, and asks its model at t = {job.t:.6g} alone: p_t is taken to be the law of"
        " that time (another one is named by t=)."
    )


def of_several(job: Job, answer: Answer) -> Evidence | None:
    """A chain of levels, as annealed sampling runs them."""
    times = _times(answer)
    if not job.any_t or len(times) < 2:
        return None
    text = (
        f"{job.name} takes no t, and asks its model at t = {times[0]:.6g}, at t = {times[1]:.6g}"
        + (f" and at {len(times) - 2} more" if len(times) > 2 else "")
        + ": each level of such a chain keeps a law of its own. Pass a kernel of one level (sigmas="
        "[sigma], or the body of the loop)"
    )
    return Evidence.undecided("float", text)
