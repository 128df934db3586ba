"""From arguments to evidence: where to look, what is declared and implied there, and the rule.

Conventions: as in `verdict`. Times are those that the callables are given: rounded to their type.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.public import sweep
from scoreproof.public.marginals import words
from scoreproof.public.marginals.arguments import Given
from scoreproof.public.marginals.asking import TINY, NotAffine, Probe
from scoreproof.public.marginals.batches import mixed
from scoreproof.public.marginals.declared import Declared
from scoreproof.public.marginals.diagnosis import by_coefficients, diagnosed
from scoreproof.public.marginals.implied import Implied, implied
from scoreproof.public.marginals.looking import times_to_look_at
from scoreproof.public.marginals.remarking import digits_lost, remarks
from scoreproof.public.marginals.verdict import ALLOWED, Case, Errors, errors
from scoreproof.public.rule import COARSEST, compared

__all__ = ["judged"]

#: Times that the numbers' type cannot resolve may be passed over up to this part of the horizon
UNRESOLVED = 0.1


def judged(given: Given, probe: Probe, said: Declared) -> Evidence:
    """The evidence of `check_marginals`."""
    span = given.sweep
    first = float(span.times[len(span.times) // 2])
    said.settle(first)
    try:
        probe.settle(first / 2)  # inside: the ends may be singular
        span = times_to_look_at(given, probe, said)
        eps = max(probe.drift.eps, probe.diffusion.eps)
        law = implied(
            probe,
            span.times,
            eps=eps,
            breaks=given.breaks,
            max_panels=given.max_panels,
            chosen=span.chosen,
        )
    except NotAffine as found:
        return Evidence.undecided("float", str(found), cost=_cost(probe, said))
    if probe.underflowed and bool(np.any(law.variance < TINY)):
        why = (
            "the square of the diffusion underflows: the variance is too small for a float;"
            " rescale x"
        )
        return Evidence.undecided("float", why, cost=_cost(probe, said))
    said = said.part(slice(0, len(law.times)))
    at_zero = said.at_zero()
    start = _start(given, at_zero, said.rows.shape[1])
    case = Case(law, said, start, at_zero, eps, given.tolerance or COARSEST)
    if law.quadrature.diverges:
        return _from_first_time(case, given, span)
    return _compare(case, given, span)


def _cost(probe: Probe, said: Declared, *laws: Implied) -> dict[str, int]:
    return {
        **({"panels": sum(law.quadrature.tried for law in laws)} if laws else {}),
        "drift calls": probe.drift.calls,
        "diffusion calls": probe.diffusion.calls,
        "marginal calls": said.law.calls,
    }


def _start(given: Given, at_zero: np.ndarray | None, d: int) -> np.ndarray:
    if given.initial_std is not None:
        return np.full(d, given.initial_std)
    if given.reading == "literal":
        return np.zeros(d)
    if at_zero is None:
        raise ArgumentError(
            "reading",
            "'literal' where the marginal cannot be evaluated at t = 0",
            "'blurred'",
            "give the blur as initial_std=…",
        )
    return at_zero


def _compare(case: Case, given: Given, span: sweep.Sweep) -> Evidence:
    found = errors(case, case.start)
    early = None
    if not span.chosen:
        skip = _unresolved_first(case, found, given.tolerance)
        if skip:
            early = _early(case, skip)
            case = case.later(skip)
            found = errors(case, case.start)
    probe, said = case.said.probe, case.said
    batch = mixed(probe, said, case.implied.times) if given.batched_time else None
    times = case.implied.times
    _, std = case.law(case.start)
    more: dict[str, Any] = {
        "curves": {
            "implied": (times.tolist(), std[:, 0].tolist()),
            "declared": (times.tolist(), said.std[:, 0, 0].tolist()),
        },
        "labels": ("t", "standard deviation"),
    }
    # further places: how far the drift is from affine, and batches of different times
    places = [(probe.misfit, probe.affine_bound), *([batch[:2]] if batch else [])]
    extra = np.array(places).T
    allowed = np.minimum(extra[1], ALLOWED * case.seen)
    wrong_batch = batch is not None and batch[0] > batch[1]
    wrong = wrong_batch or bool(np.any(found.ratio(given.tolerance) > 1))
    sentence = (
        batch[2]
        if batch is not None and wrong_batch
        else words.refuting(case, found, given.tolerance)
        if wrong
        else words.holding(case, early)
    )
    evidence = compared(
        np.concatenate([found.error.ravel(), extra[0]]),
        np.concatenate([found.bound.ravel(), allowed]),
        sentence,
        excuse=np.concatenate([found.excuse.ravel(), extra[1] - allowed]),
        coverage=_coverage(case, found, span, early),
        tolerance=given.tolerance,
        remedy=words.unresolved(case, found),
        cost=_cost(probe, said, case.implied),
        **more,
    )
    if evidence.verdict == "refuted" and not wrong_batch:
        mistake = diagnosed(case)
        cost = _cost(probe, said, case.implied)
        return replace(evidence, diagnosis=mistake, notes=remarks(case, mistake), cost=cost)
    if evidence.verdict == "holds":
        return replace(evidence, notes=digits_lost(case))
    return evidence


def _unresolved_first(case: Case, found: Errors, tolerance: float | None) -> int:
    """How many of the first times the numbers' type cannot resolve: no error, but rounding."""
    times = case.implied.times
    early = times < UNRESOLVED * times[-1]
    wrong = (found.ratio(tolerance) > 1).any(axis=(0, 2, 3)) & early
    passes = np.maximum(found.bound, (tolerance or 0.0) - found.bound)
    vague = (found.error > passes) | (found.bound > case.seen / 2)
    at = np.flatnonzero(vague.any(axis=(0, 2, 3)) & early)
    return 0 if wrong.any() or at.size == 0 else int(at[-1]) + 1


def _early(case: Case, skip: int) -> Omission:
    """The first times, which the numbers' type cannot resolve."""
    times = case.implied.times
    first, last = float(times[skip]), float(times[-1])
    return Omission(
        "times", skip, words.drowned(case), f"t < {first:.2g}", part=(first - times[0]) / last
    )


def _coverage(case: Case, found: Errors, span: sweep.Sweep, early: Omission | None) -> Coverage:
    times = case.implied.times
    left_out = [*case.said.left_out, *([early] if early else [])]
    if found.blank.any():
        bad = times[found.blank]
        why = "where mean and standard deviation are both 0 in floating point"
        left_out.append(Omission("times", len(bad), why, f"t from {bad[0]:.3g}"))
    missing = span.times[span.times > times[-1]]
    if missing.size:
        why = "which drift and diffusion cannot be integrated up to"
        left_out.append(Omission("times", missing.size, why, f"t = {missing[-1]:.6g}"))
    count = len(times) + missing.size + sum(o.count for o in case.said.left_out)
    count += early.count if early else 0
    n, d = case.said.rows.shape
    asked = {"times": count, "starting points": n, "coordinates": d}
    seen = replace(span, times=times)
    return Coverage(asked, tuple(left_out), f"{seen.describe()}; {words.about(case, found)}")


def _from_first_time(case: Case, given: Given, span: sweep.Sweep) -> Evidence:
    """Where the coefficients cannot be integrated from 0: what they imply from the first time on,
    started from what is declared there.
    """
    probe, said = case.said.probe, case.said
    origin = float(case.implied.times[0])
    plain = (
        "∫g² (or ∫ of the drift's rate) from t = 0 does not converge: the SDE cannot start there"
    )
    singular = f"{plain}{_hint(case)}"
    if len(case.implied.times) < 2:
        return Evidence.undecided("float", singular, cost=_cost(probe, said, case.implied))
    rest = implied(
        probe,
        case.implied.times[1:] - origin,
        eps=case.eps,
        breaks=tuple(b - origin for b in given.breaks if b > origin),
        max_panels=given.max_panels,
        chosen=True,
        origin=origin,
    )
    moved = replace(
        case.later(1),
        implied=rest,
        said=said.part(slice(1, None), rows=said.mean[0]),
        start=np.max(said.std[0], axis=0),
        at_zero=None,
    )
    cost = _cost(probe, said, case.implied, rest)
    found = errors(moved, moved.start)
    if not np.any(found.ratio() > 1):
        why = f"{singular}; from t = {origin:.3g} on the declared marginal agrees"
        return Evidence.undecided("float", why, cost=cost)
    cause = by_coefficients(case, moved)
    note = singular if cause is None or not cause.names else plain
    note = f"{note[0].upper()}{note[1:]}."
    return replace(_compare(moved, given, span), diagnosis=cause, notes=(note,), cost=cost)


def _hint(case: Case) -> str:
    """g² = σ²/t is the usual reason for a divergence at 0: then g² t settles there."""
    q = case.implied.quadrature
    if len(q.times) < 2:
        return ""
    with np.errstate(all="ignore"):
        level = (q.value(q.g2, q.times[:2]) * q.times[:2, None])[:, 0]
    return (
        " (like the known fault rate_over_t: g² = σ²/t with σ(0) ≠ 0)"
        if np.isclose(level[0], level[1], rtol=0.05)
        else ""
    )
