"""Which form of the equation a verdict rests on: the strong one at points, the weak one on a box.

Conventions: as in `strong` and `weak`; of a noise of any kind as in `general`.
"""

from __future__ import annotations

from dataclasses import replace

from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck import breaks, stepped, strong, verdict
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.general import look, loops, segments, skew
from scoreproof.public.fokker_planck.general import verdict as general
from scoreproof.public.fokker_planck.general.consistency import with_score
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.integrals import integrated
from scoreproof.public.fokker_planck.judged import with_lines
from scoreproof.public.fokker_planck.learned import flat, with_kinks, with_share
from scoreproof.public.fokker_planck.stepped import with_steps
from scoreproof.public.fokker_planck.strong import Found

__all__ = ["any_noise", "of_a_score", "plain", "weakly", "with_score"]


def plain(s: Subject, place: Place, method: str, tolerance: float | None) -> Evidence:
    """A noise that is one number at each time: the strong form, else the weak one."""
    found = strong.look(s, place)
    may_weakly = method == "auto" and place.dimension <= 2
    if not found.terms:
        why = (
            "its terms are all 0, or not known to 0.5 % at any point (float64 knows more)"
            if found.unresolved
            else "the density vanishes at every point"
        )
        if may_weakly:
            return weakly(s, place, tolerance, f"The weak form was used, since {why}.")
        return _not_evaluated(s, found, place, why)
    evidence = with_share(verdict.pointwise(s, found, place, tolerance), found, tolerance)
    if evidence.verdict == "refuted":
        if not flat(s, found):
            return evidence
        return with_kinks(evidence, weakly(s, place, tolerance) if may_weakly else None)
    lines = breaks.look(s, place)
    evidence = with_lines(evidence, lines, tolerance)
    evidence = with_steps(evidence, stepped.look(s, place), tolerance)
    if evidence.verdict == "refuted":
        return evidence
    if evidence.verdict == "undecided" and may_weakly:
        why = (
            "the density is 0 at some of the points"
            if found.empty
            else "the strong form does not decide"
        )
        other = weakly(s, place, tolerance, f"The weak form was used, since {why}.")
        return other if other.verdict != "undecided" else evidence
    if may_weakly and not lines.lines and evidence.verdict == "holds" and place.seen is not None:
        # without noise a density may jump if the jump moves with the flow: integrals tell
        confirmed = integrated(s, place, tolerance)
        if confirmed.verdict == "refuted":
            return confirmed
        if confirmed.verdict == "holds":
            text = evidence.sentence.split("; at these points only")[0] + ", and in weak form"
            evidence = replace(evidence, sentence=text)
    return evidence


def _not_evaluated(s: Subject, found: Found, place: Place, why: str) -> Evidence:
    remedy = "pass points= of yours" if s.is_log else "pass log_density=, or points= of yours"
    text = f"the strong form could not be evaluated: {why}; {remedy}"
    return replace(Evidence.undecided("float", text), coverage=verdict.coverage(found, place))


def weakly(s: Subject, place: Place, tolerance: float | None, note: str = "") -> Evidence:
    """The weak form, in one or two dimensions."""
    if place.dimension > 2:
        text = (
            f"the weak form needs d <= 2 (here {place.dimension}), and method='weak' was asked for;"
            " use method='auto' or 'strong'"
        )
        return Evidence.undecided("float", text)
    evidence = integrated(s, place, tolerance, s.reading if isinstance(s, General) else None)
    return replace(evidence, notes=(*evidence.notes, note)) if note else evidence


def any_noise(g: General, place: Place, method: str, tolerance: float | None) -> Evidence:
    """A density, with a noise that is no number: of x in one or two dimensions by the weak form,
    which asks for no smoothness, else by the strong one.
    """
    if method == "weak" or (method == "auto" and g.of_state and place.dimension <= 2):
        return weakly(g, place, tolerance)
    found = look.look(g, place)
    if not found.terms:
        why = (
            "its terms are all 0, or not known to 0.5 % at any point (float64 knows more)"
            if found.unresolved
            else "the density vanishes at every point"
        )
        if method == "auto" and place.dimension <= 2:
            return weakly(g, place, tolerance, f"The weak form was used, since {why}.")
        return _not_evaluated(g, found, place, why)
    evidence = with_share(general.pointwise(g, found, place, tolerance), found, tolerance)
    if evidence.verdict == "refuted":
        return evidence
    if g.rho(place.box.times[1]) == 0:
        text = (
            f"{evidence.sentence}; at these points only: the noise does not reach every direction,"
            " and a jump between them is not looked for"
        )
        return replace(evidence, sentence=text)
    evidence = with_lines(evidence, breaks.look(g, place), tolerance)
    return with_steps(evidence, stepped.look(g, place), tolerance)


def of_a_score(g: General, place: Place, tolerance: float | None) -> Evidence:
    """A score alone: between points, and whether it is a gradient."""
    found, skews = segments.between(g, place)
    evidence = skew.judged(g, skews, place, tolerance)
    if evidence is not None and evidence.verdict == "refuted":
        return evidence
    if not found.terms:
        text = (
            "the strong form could not be evaluated: its terms are all 0, or not known to 0.5 % on"
            " any segment (float64 knows more); pass points= of yours"
        )
        return replace(
            Evidence.undecided("float", text), coverage=general.coverage(g, found, place)
        )
    of_time = with_share(general.pointwise(g, found, place, tolerance), found, tolerance)
    of_time = with_steps(of_time, stepped.look(g, place), tolerance)
    around = loops.loops(g, place)
    turned = loops.circulates(of_time, around, tolerance)
    if of_time.verdict != "refuted" and turned is not None:
        return replace(turned, cost=g.calls)
    return skew.both(of_time, evidence, tolerance, len(around))
