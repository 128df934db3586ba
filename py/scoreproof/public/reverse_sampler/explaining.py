"""The cause of a refutation: what was measured is explained, cheapest first, and the sampler is
asked again with another model where that tells more.

Conventions: a cause is claimed only if it leaves no more of the deviation than the check can see;
what is said otherwise is where it is, and which part of the sampler is wrong.
"""

from __future__ import annotations

import numpy as np

from scoreproof.claims.reverse_family.faults import FAULTS
from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.public.reverse_sampler.added import added
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.causes import explain_deviation
from scoreproof.public.reverse_sampler.converting import converted
from scoreproof.public.reverse_sampler.coordinates import by_coordinate, of_noise
from scoreproof.public.reverse_sampler.first_order import which_coefficient
from scoreproof.public.reverse_sampler.growing import beyond_which, part_wrong, rows_wrong
from scoreproof.public.reverse_sampler.implied import of_another_score
from scoreproof.public.reverse_sampler.listening import heard
from scoreproof.public.reverse_sampler.passing import passed_on
from scoreproof.public.reverse_sampler.retyping import asked_again, is_right, multiplied, retyped
from scoreproof.public.reverse_sampler.shrinking import shrinking, shrunk
from scoreproof.public.reverse_sampler.slips import is_one_of, slipped
from scoreproof.public.reverse_sampler.stepped import clipped, long_steps
from scoreproof.public.reverse_sampler.sweeping import Span, again
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.telling import told
from scoreproof.public.reverse_sampler.terms import Told, within
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["does_not_settle", "explained", "step_slip", "unsettled"]

#: times at which a cause is looked for, and members; places at which the sampler is asked again
TIMES, MEMBERS, AGAIN = 6, 4, 6
#: places whose bound is so many times that of others are left out
LOOSER = 30
#: what asking the sampler once more may end in: then nothing is said of the cause
UNANSWERED = (CallableError, np.linalg.LinAlgError)


def explained(job: Job, span: Span, worst: list[Found]) -> Diagnosis:
    """The cause, or the nearest that can be said."""
    times = {f.t for f in worst}
    wrong = _told_best([row for row in span.places if row[0].t in times])
    known = _to_the_resolution(explain_deviation(span.target, wrong), wrong)
    try:
        claimed = _claims(job, span, worst, wrong)
    except UNANSWERED:
        claimed = []
    if len(claimed) == 1 and len(known.names) == 1:  # one cause: by its name in the list of faults
        return Diagnosis(known.names, known.misfit, known.runner_up, _sentence(claimed))
    if claimed:
        return Diagnosis.cause(" + ".join(c.name for c in claimed), _sentence(claimed))
    if known.names:
        return known
    sentence = part_wrong(span.target, [f for row in wrong for f in row], known)
    sentence += _coefficient(job, span.target, worst[0])
    return Diagnosis((), known.misfit, known.runner_up, sentence)


def does_not_settle(job: Job, span: Span, first: Found) -> Diagnosis | None:
    """Why x_next does not tend to x."""
    jumping = [f for f in span.all if np.any(f.jumps)][:AGAIN]
    slip = step_slip(job, span.target)
    if slip is not None:
        return Diagnosis.cause(slip.name, _sentence([slip]))
    try:
        seen = [shrinking(job, span.target, f) for f in jumping]
        powers = shrunk(span.target, first, shrinking(job, span.target, first))
    except UNANSWERED:
        return None
    where = beyond_which(span.target, jumping, [s.stays for s in seen])
    if where and not any(abs(s.noise_power) < 0.2 for s in seen):
        powers = Told(
            "clip",
            f"x_next does not tend to x only {where}: from there on x is changed before the step,"
            " as by a clip",
        )
    if powers is not None and powers.name:
        return Diagnosis.cause(powers.name, _sentence([powers]))
    what = "" if powers is None else f" {powers.text[0].upper()}{powers.text[1:]}."
    return Diagnosis.unknown(
        f"No known fault explains it.{what}{_coefficient(job, span.target, first)}"
    )


def _coefficient(job: Job, target: Diffused, found: Found) -> str:
    try:
        return which_coefficient(job, target, found)
    except UNANSWERED:
        return ""


def step_slip(job: Job, target: Diffused) -> Told | None:
    """One wrong coefficient of a DDIM or DDPM step."""
    try:
        steps = long_steps(job, target)
    except UNANSWERED:
        return None
    if steps is None:
        return None
    found = slipped(target, job.prediction, steps)
    if found is None and is_one_of(target, job.prediction, steps):
        return clipped(target, steps)
    return found


def unsettled(job: Job, target: Diffused, loose: Found) -> str:
    """Where the limit of short steps cannot be told: why, as far as one place shows it."""
    try:
        powers = shrunk(target, loose, shrinking(job, target, loose))
    except UNANSWERED:
        powers = None
    where = f"at t = {loose.t:.3g} "
    if powers is not None:
        return where + powers.text
    return (
        f"{where}drift and noise of the step, (x_next - x)/h and its spread, still change as"
        " h = t - t_next goes to 0; a step is judged by their limit, so it must be smooth in t and"
        " t_next (a schedule read from a table is not: interpolate it, or use check_sampler)"
    )


def _claims(job: Job, span: Span, worst: list[Found], wrong: list[tuple[Found, ...]]) -> list[Told]:
    """One cause, or where the model is asked and one cause besides."""
    target = span.target
    if job.form == "step":
        slip = step_slip(job, target)
        if slip is not None:
            return [slip]
        powers = shrunk(target, worst[0], shrinking(job, target, worst[0]))
        if powers is not None and powers.name:
            return [powers]
    places = [f for row in _some(wrong) for f in row[:MEMBERS]]
    asked = heard(job, target, places)
    if asked is not None and asked.calls == 0:
        return [Told("model_unused", "the model is never called: use model(x, t)")]
    if asked is None or not asked.wrong:
        cause = _cause(job, span, places, wrong)
        return [] if cause is None else [cause]
    corrected = asked.corrected(job)
    asked_right = asked_again(corrected, target, places)
    where = asked.words()
    if is_right(asked_right, places):
        return [Told("model_argument", f"{where}; asked there it is right")]
    if asked_right is None or any(np.any(f.jumps) for f in asked_right):
        return []
    cause = _cause(corrected, span, asked_right, [(f,) for f in asked_right])
    # a question elsewhere may be meant: without a cause besides it is none
    return [] if cause is None else [Told("model_argument", where), cause]


def _cause(
    job: Job, span: Span, places: list[Found], wrong: list[tuple[Found, ...]]
) -> Told | None:
    """One cause of what was found at these places."""
    target = span.target
    off = [f for row in wrong for f in row if np.any(f.error > f.bound)]
    rows = rows_wrong(off, lambda f: again(job, target, f, f.x[::-1].copy()))
    if rows is not None:
        return rows
    bent = passed_on(job, target, places)
    if bent is not None:
        return bent
    terms = within(target, places, job)
    if terms is not None:
        found = told(terms)
        if found is not None:
            return found
    found = of_noise(target, places)
    if found is not None:
        return found
    few = _few(places)
    found = retyped(job, target, few)
    if found is not None:
        return found
    every = [f for row in wrong for f in row]
    if _noise_as_asked(target, few):
        found = multiplied(job, target, few, 100 * max(float(np.max(f.bound)) for f in few))
    if found is None:
        found = converted(target, few, job.prediction)
    for look in (of_another_score, added):
        if found is None:
            found = look(target, every)
    return by_coordinate(target, places, job) if found is None else found


def _told_best(rows: list[tuple[Found, ...]]) -> list[tuple[Found, ...]]:
    """Without the places that are told much worse than the others: what they leave open would be
    allowed everywhere.
    """
    middle = float(np.median([float(np.max(f.bound)) for row in rows for f in row]))
    kept = [tuple(f for f in row if np.max(f.bound) <= LOOSER * middle) for row in rows]
    return [row for row in kept if row]


def _few(places: list[Found]) -> list[Found]:
    """Some of those that are wrong, of different times and members."""
    off = [f for f in places if np.any((f.error > f.bound) & ~f.jumps)] or places
    order = np.random.default_rng(0).permutation(len(off))[:AGAIN]
    return [off[k] for k in sorted(order)]


def _noise_as_asked(target: Diffused, places: list[Found]) -> bool:
    for f in places:
        share = float(np.trace(f.cov)) / (len(f.cov) * target.diffusion(f.t) ** 2)
        if abs(share - (1 - f.lam)) > max(1e-6, 100 * float(np.max(f.bound))) * (2 - f.lam):
            return False
    return True


def _some(rows: list[tuple[Found, ...]]) -> list[tuple[Found, ...]]:
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(TIMES, len(rows))).astype(int))
    return [rows[k] for k in chosen]


def _to_the_resolution(known: Diagnosis, rows: list[tuple[Found, ...]]) -> Diagnosis:
    """A known fault only if it leaves no more than the check can see of the deviation."""
    found = [f for row in rows for f in row if not np.any(f.jumps)]
    if not known.names or not found:
        return known
    error, bound = (max(float(np.max(getattr(f, n))) for f in found) for n in ("error", "bound"))
    if known.misfit <= max(1e-6, 100 * bound / error):
        return known
    nearest = (known.names[0], known.misfit)
    text = (
        f"No known fault explains it; the nearest, {_why(known.names[0])}, leaves"
        f" {100 * known.misfit:.2g} % of it open."
    )
    return Diagnosis((), known.misfit, nearest, text)


def _why(name: str) -> str:
    """A known fault, or a pair, in words."""
    why = {f.name: f.why.rstrip(".") for f in FAULTS}
    return " and ".join(why[part] for part in name.split(" + "))


def _sentence(causes: list[Told]) -> str:
    return f"Cause: {'; and '.join(c.text for c in causes)}."
