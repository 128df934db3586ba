"""What explains a wrong answer: its summands, readings and clamps, known faults, other measures.

Conventions: the known faults of the claim are of the plain divergence of two laws of one form; what
is said of the first law and the second is said in the order in which they were passed.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.asking import Answer
from scoreproof.public.kl.coordinates import of_one_term, weighted
from scoreproof.public.kl.distances import instead
from scoreproof.public.kl.enclosed import enclosed
from scoreproof.public.kl.explained import explained
from scoreproof.public.kl.fit import Places
from scoreproof.public.kl.others import other_quantity
from scoreproof.public.kl.thresholds import distance_clamped
from scoreproof.public.kl.told import told
from scoreproof.public.kl.truth import Due
from scoreproof.public.kl.verdict import Found
from scoreproof.public.kl.wanted import mirrored
from scoreproof.public.kl.where import REMEDY, added, wrong_part
from scoreproof.public.kl.words import REASONS, candidates

__all__ = ["diagnosis"]

#: more changes than a measure of another name has
MANY = 4
#: of the known faults, those that explain every value as no sum of terms does
THRESHOLDS = (
    "free_bits",
    "free_bits_of_batch_means",
    "floor",
    "ceiling",
    "capacity",
    "one_row_is_zero",
)
UNKNOWN = "No known mistake explains every value."
#: Batches that the known faults are tried on: every fault shows there, at little cost.
SMALL = 7
#: and how many of them, where there is one for each scale or coordinate
MOST = 16


def diagnosis(
    found: Found, answers: list[Answer], dues: list[Due], options: Options, eps: float
) -> Diagnosis:
    """The cause, or what comes nearest."""
    said = _diagnosis(found, answers, dues, options, eps)
    return replace(said, sentence=mirrored(said.sentence)) if options.wanted.mirrored else said


def _diagnosis(
    found: Found, answers: list[Answer], dues: list[Due], options: Options, eps: float
) -> Diagnosis:
    beyond = found.beyond(None)
    few = _small(found, answers, options)
    plain = bool(np.any(beyond[np.isin(found.batch, few)] > 1))
    few = few if plain else list(range(len(answers)))
    laws, truth = [answers[k].laws for k in few], [dues[k].value for k in few]
    here = np.isin(found.batch, few)
    places = Places(
        laws, options, found.returned[here], found.value[here], found.rounding[here], eps
    )
    predictions = {}
    if options.classic and options.wanted.dims == "sum":
        predictions = added(found, answers, options, laws, truth)
        if plain:
            predictions |= candidates(laws, options)
    if np.any(found.returned):  # nothing is near to everything that is small
        predictions.pop("zero_everywhere", None)
    known = _known(places, found.size[here], predictions) if predictions else None
    if not options.wanted.kl and (one := other_quantity(places)) is not None:
        return Diagnosis.cause(one[0], f"Cause: {one[1]}.")
    if known is not None and known.names and known.names[0].split()[0] in THRESHOLDS:
        return known  # no sum of terms has a threshold: none is looked for
    if plain and options.classic and (text := distance_clamped(places)):
        sentence = f"Cause: {text}. With this mended every value agrees, to rounding."
        return Diagnosis.cause("distance_clamped", sentence)
    cause = explained(places) if plain else None
    many = options.wanted.kl and cause is not None and cause.cost > MANY
    if many and (other := instead(places)) is not None:
        return Diagnosis.cause(other[0], f"Cause: {other[1]}.")
    if cause is not None:
        names, sentence = told(cause, options)
        names = known.names if known is not None and known.names else names
        return (
            Diagnosis.cause(names[0], sentence)
            if known is None
            else replace(known, names=names, sentence=sentence)
        )
    if known is not None and known.names:
        return known
    if not options.wanted.kl:
        return Diagnosis.unknown(UNKNOWN)
    if (other := _shaped_otherwise(places) or other_quantity(places)) is not None:
        return Diagnosis.cause(other[0], f"Cause: {other[1]}.")
    if text := weighted(places) or of_one_term(places):
        sentence = f"Cause: {text}. With this mended every value agrees, to rounding."
        return Diagnosis.cause("coordinates", sentence)
    if known is None:
        return Diagnosis.unknown(UNKNOWN)
    return replace(known, sentence=f"{known.sentence}{wrong_part(beyond, found, answers)}")


def _shaped_otherwise(places: Places) -> tuple[str, str] | None:
    """Functions around a part of the sum, or around all of it; other distances."""
    return (enclosed(places) if places.options.classic else None) or instead(places)


def _small(found: Found, answers: list[Answer], options: Options) -> list[int]:
    """Batches on which many explanations can be tried, some of the wrong ones among them."""
    if options.layout.d is not None:
        few = [k for k, a in enumerate(answers) if a.laws.shape[0] <= 2 * SMALL]
        return sorted(sorted(few, key=lambda k: answers[k].laws.m0.size)[:MOST])
    few = [k for k, a in enumerate(answers) if max(a.laws.shape[1], a.laws.shape[0] / 2) <= SMALL]
    if not options.pointwise:
        return few
    wrong = {int(k) for k in found.batch[found.beyond(None) > 1]}
    few = few or sorted(range(len(answers)), key=lambda k: answers[k].laws.m0.size)
    return sorted(sorted(few, key=lambda k: (k not in wrong, k))[:MOST])


def _known(places: Places, unit: np.ndarray, predictions: dict[str, np.ndarray]) -> Diagnosis:
    """The known fault that it looks like; the nearest, if that leaves more than rounding."""
    reasons = REASONS | {n: REMEDY[n.split()[0]] for n in predictions if n.split()[0] in REMEDY}
    # each law by its size, so that no single one outweighs the others
    known = diagnose(
        places.returned / unit,
        places.value / unit,
        {name: value / unit for name, value in predictions.items()},
        reasons=reasons,
        read=False,  # factors of all or a part of it are found by `explained`
    )
    if known.names and not places.explained(predictions[known.names[0]], unit):
        return replace(
            known,
            names=(),
            sentence=f"Nothing known explains it to rounding; the nearest, {known.names[0]}, leaves"
            f" {100 * known.misfit:.2g} % of it.",
        )
    return known
