"""Why an answer is wrong: everything that could explain it, the simplest and cheapest first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.posterior.argument_causes import (
    other_arguments,
    parts_of_x,
    scaled_argument,
)
from scoreproof.public.posterior.cases import Case, Cause, Maker, accepted, said, stated
from scoreproof.public.posterior.causes import REASONS
from scoreproof.public.posterior.chunk_causes import by_chunks
from scoreproof.public.posterior.data_causes import kernel, nearest, weights_of_the_prior
from scoreproof.public.posterior.difference_causes import finite_differences
from scoreproof.public.posterior.entry_causes import as_bytes, by_row, clipped_inside
from scoreproof.public.posterior.kind_words import KINDS, of_kind
from scoreproof.public.posterior.level_causes import (
    other_covariances,
    other_level,
    other_level_and_alpha,
    other_variances,
)
from scoreproof.public.posterior.linear_causes import by_the_data, in_x_and_mean
from scoreproof.public.posterior.mixture_causes import affine_in_y, parts_of_a_mixture
from scoreproof.public.posterior.order_causes import orders, turned
from scoreproof.public.posterior.outside import seen
from scoreproof.public.posterior.part_causes import other_level_of_a_part
from scoreproof.public.posterior.precision_causes import coarser
from scoreproof.public.posterior.prior_causes import other_components
from scoreproof.public.posterior.readings import LAST, MATRIX, PLAIN, SOME
from scoreproof.public.posterior.rotation_causes import rotated
from scoreproof.public.posterior.total_causes import in_all_places
from scoreproof.public.posterior.unit_causes import standardised, units

__all__ = ["GROUPS", "causes_of", "explanation", "unexplained"]

#: of causes in one group the best is named; a later group is asked where none explains
GROUPS: tuple[tuple[Maker, ...], ...] = (
    (orders, by_the_data),
    (PLAIN,),
    (in_x_and_mean, by_row),
    (clipped_inside, as_bytes, SOME),
    (parts_of_a_mixture, nearest, parts_of_x),
    (other_level, other_covariances),
    (rotated, by_chunks, other_level_of_a_part),
    (weights_of_the_prior, kernel, other_components, finite_differences),
    (in_all_places,),
    (affine_in_y, standardised, turned),
    (scaled_argument, other_arguments),
    (other_level_and_alpha, units),
    (other_variances,),
    (MATRIX,),
)

#: groups that are asked before pairs of known faults are
CHEAP = 7
#: wrong points from which a cause is read that explains them alone
SOME_POINTS = 6


def known_faults(candidates: Mapping[str, np.ndarray], *, pairs: bool) -> Maker:
    """The single ones of known faults, by their names, or the pairs."""

    def make(case: Case) -> Iterator[Cause]:
        for name, prediction in candidates.items():
            if (" + " in name) == pairs:
                words = " and ".join(_told(part, case) for part in name.split(" + "))
                yield stated(name, prediction, f"two at once: {words}" if pairs else words, name)

    return make


def _told(name: str, case: Case) -> str:
    kind = name.removeprefix("returns_")
    if kind != name and kind in KINDS:
        return f"{of_kind(kind, case.kind)} ({name})"
    return f"{REASONS[name].rstrip('.')} ({name})" if name in REASONS else name.replace("_", " ")


def causes_of(case: Case, candidates: Mapping[str, np.ndarray]) -> list[Cause]:
    """What explains it, the best first; empty if nothing does."""
    single, pairs = (known_faults(candidates, pairs=p) for p in (False, True))
    # pairs have no number to fit: they cost nothing, and fit to the last digit or not at all
    return (
        accepted(case, ((single,), *GROUPS[:CHEAP], (pairs,), *GROUPS[CHEAP:]))
        or _where_wrong(case, candidates)
        or accepted(case, ((LAST,),))
    )


def _where_wrong(case: Case, candidates: Mapping[str, np.ndarray]) -> list[Cause]:
    """What explains the points at which it is wrong, where it is right at others."""
    wrong = case.wrong
    if not SOME_POINTS <= np.sum(wrong) < len(wrong):
        return []
    part = case.rows(wrong)
    faults = known_faults({n: v[wrong] for n, v in candidates.items()}, pairs=False)
    found = []
    for cause in accepted(part, ((faults,), *GROUPS[:CHEAP])):
        whole = case.right.copy()
        whole[wrong] = cause.prediction

        def say(texts: Mapping[str, str], cause: Cause = cause) -> str:
            return f"where it is wrong, {cause.say(texts)}"

        found.append(replace(cause, prediction=whole, say=say))
    return found


def explanation(case: Case, candidates: Mapping[str, np.ndarray]) -> Diagnosis:
    """In words: what explains it, or what comes nearest."""
    found = causes_of(case, candidates)
    return said(case, found) if found else unexplained(case, candidates)


def unexplained(case: Case, candidates: Mapping[str, np.ndarray]) -> Diagnosis:
    """Where nothing explains it: a coarser type, or what comes nearest."""
    rounded = coarser(case)
    if rounded:
        return Diagnosis.cause("coarser_type", rounded)
    nearest = diagnose(
        case.value,
        case.right,
        candidates,
        reasons=REASONS,
        limit=case.answer.limit,
        known=case.known,
        read=False,
    )
    more = seen(case)
    if nearest.names or not more:
        return nearest
    return replace(nearest, sentence=f"{nearest.sentence.rstrip('.')}{more}.")
