"""One cause for several noise levels: what explains the worst, held against the others.

Conventions: a cause is claimed for the sweep if the same mechanism explains the levels that are
looked at; a number that it fits at each is told as a formula of the level, if it is one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import guarded
from scoreproof.public.denoiser.clamped import clamped
from scoreproof.public.denoiser.inner import of_the_network_inside
from scoreproof.public.denoiser.neighbours import of_neighbours
from scoreproof.public.denoiser.own_level import NO_RULE, own_levels
from scoreproof.public.denoiser.sweep import AtLevel, Sweep
from scoreproof.public.denoiser.sweep_words import when
from scoreproof.public.denoiser.words import candidates_of, case_of, mixing
from scoreproof.public.denoiser.wrapped import wrapped
from scoreproof.public.posterior.batch_causes import of_mixed_rows
from scoreproof.public.posterior.cases import Case, Cause, said
from scoreproof.public.posterior.closed import Examples, common
from scoreproof.public.posterior.explaining import causes_of, unexplained
from scoreproof.public.posterior.mixture_causes import LINEAR
from scoreproof.public.posterior.outside import steady

__all__ = ["across"]

#: wrong levels that are looked at
MOST = 4
#: an error that is this part of the largest one says nothing of the cause
SMALL = 1e-8
#: nor is one worth a clause that is no more than this part
SLIGHT = 0.1
Found = list[tuple[AtLevel, Case, list[Cause]]]


def across(
    sweep: Sweep, wrong: list[AtLevel], otherwise: Callable[[], Diagnosis | None]
) -> Diagnosis | None:
    """What explains the wrong levels, or the worst of them; ``otherwise`` is asked before what says
    less: a cause at one level alone, levels by no rule, an answer that is linear in x.
    """
    worst = max(wrong, key=lambda a: a.largest)
    # what is small beside the worst may be rounding alone, of a formula that loses digits
    wrong = [a for a in wrong if a.largest > SMALL * worst.largest]
    spread = np.linspace(0, len(wrong) - 1, min(MOST - 1, len(wrong))).round().astype(int)
    picked = list(dict.fromkeys([worst, *(wrong[k] for k in spread)]))
    mixed = mixing(worst.answers, worst.request, worst.eps)
    if mixed:
        return of_mixed_rows(_case(worst, sweep), worst.answers.answers, mixed)
    found: list[tuple[AtLevel, Case, list[Cause]]] = []
    for a in picked:
        case = _case(a, sweep)
        faults = candidates_of(case)
        found.append((a, case, causes_of(case, faults)))
        if a is worst and not found[0][2]:
            cases = [(a, case), *((b, _case(b, sweep)) for b in picked[1:])]
            inside = otherwise() or of_the_network_inside(cases, sweep)
            return inside or _nothing(unexplained(case, faults), sweep, a)
    whole = (
        wrapped(found)
        or of_neighbours(found, sweep)
        or clamped(found, sweep, wrong)
        or own_levels(found, sweep)
    )
    if whole is not None and whole.names != (NO_RULE,):
        return whole
    whole = whole or _shared(found)
    if whole is not None and not {NO_RULE, LINEAR} & set(whole.names):
        return whole
    more = otherwise()
    if more is not None or whole is not None:
        return more or whole
    _, case, causes = found[0]
    there = said(case, causes)
    if len(found) == 1:
        return there
    text = f"{there.sentence.rstrip('.')} ({when(worst, sweep)}; not at every other level)."
    return replace(there, sentence=text)


def _nothing(there: Diagnosis, sweep: Sweep, worst: AtLevel) -> Diagnosis:
    """Without a cause: with what is seen where there is most noise, and x says least."""
    last = sweep.at[-1]
    slight = last.largest < SLIGHT * worst.largest
    if there.names or last is worst or slight or last.evidence.verdict != "refuted":
        return there
    more = steady(_case(last, sweep), f"{when(last, sweep)} ")
    return replace(there, sentence=f"{there.sentence.rstrip('.')}{more}.") if more else there


def _case(a: AtLevel, sweep: Sweep) -> Case:
    guard = guarded(
        sweep.network.at(sweep.told(a.level)),
        "denoiser",
        sweep.network.framework,
        sweep.network.dtype,
    )

    def again(y: np.ndarray) -> np.ndarray:
        return np.real(np.asarray(as_numpy(guard.raw(y)))).astype(float)

    return case_of(a.answers, a.request, a.eps, shape=sweep.network.shape, again=again)


def _shared(found: Found) -> Diagnosis | None:
    """The cause whose mechanism explains all of them."""
    _, case, causes = found[0]
    for cause in causes:
        same = [next((c for c in other if _alike(cause, c)), None) for _, _, other in found]
        if any(c is None for c in same):
            continue
        each = [c for c in same if c is not None]
        words = each[0].say(_texts(each, [c for _, c, _ in found], [a for a, _, _ in found]))
        names = each[0].names or (each[0].key,)
        left = max(case.left(c.prediction) for (_, case, _), c in zip(found, each, strict=True))
        return Diagnosis(names, left, None, f"Cause: {words}.")
    return None


def _alike(one: Cause, other: Cause) -> bool:
    if one.key != other.key or set(one.params) != set(other.params):
        return False
    return bool(one.params) or one.names == other.names


def _texts(causes: list[Cause], cases: list[Case], at: list[AtLevel]) -> Mapping[str, str]:
    """Each parameter: a number or a formula that is the same at all levels, or two examples."""
    texts = {}
    for name in causes[0].params:
        values = [c.params[name] for c in causes]
        symbols = [{k: v for k, v in c.known.items() if k != name} for c in cases]
        text = common(values, symbols)
        if not text:
            low, high = sorted(zip(at, values, strict=True), key=lambda p: p[0].level.ratio)[
                :: max(len(at) - 1, 1)
            ][:2]
            text = Examples(
                f"{low[1]:.6g} at σ/α = {low[0].level.ratio:.4g} and {high[1]:.6g} at σ/α ="
                f" {high[0].level.ratio:.4g}"
            )
        texts[name] = text
    return texts
