"""``check_kl``: a KL divergence of Gaussians against the integral that it stands for.

Conventions: points are rows; the expectation is under the first law; parameters come as the user's
function takes them (``parameterization``), and are standard deviations, variances or log-variances
accordingly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose, safely
from scoreproof.evidence import Evidence
from scoreproof.interop.frameworks import guarded
from scoreproof.public.arguments import accepted, seeded
from scoreproof.public.kl.again import asked_again
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.asking import Answer, ask, passed
from scoreproof.public.kl.batches import asked, extremes
from scoreproof.public.kl.coordinates import of_one_term, weighted
from scoreproof.public.kl.distances import instead
from scoreproof.public.kl.enclosed import enclosed
from scoreproof.public.kl.explained import explained
from scoreproof.public.kl.fit import Places
from scoreproof.public.kl.told import told
from scoreproof.public.kl.truth import Due, due
from scoreproof.public.kl.verdict import Found, digits_lost, judged, places
from scoreproof.public.kl.where import REMEDY, added, place, wrong_part
from scoreproof.public.kl.words import REASONS, candidates
from scoreproof.public.rule import public_check
from scoreproof.streams import stream

__all__ = ["check_kl"]


@public_check
def check_kl(
    kl: Callable[..., Any],
    *,
    form: str = "isotropic",
    parameterization: str = "std",
    against: str = "pair",
    reduction: str = "none",
    framework: str = "numpy",
    dtype: Any = None,
    tolerance: float | None = None,
    seed: int = 0,
) -> Evidence:
    """Check a function that returns ``KL(N_0 ‖ N_1)`` in nats for batches of Gaussians.

    Parameters
    ----------
    kl: ``kl(mu0, scale0, mu1, scale1)``, or ``kl(mu, scale)`` when ``against="standard"`` (the
        VAE's regulariser). Means are ``(n, d)``. Scales are ``(n, 1)`` for the isotropic form,
        ``(n, d)`` for the diagonal one; for the full form they are covariances ``(n, d, d)``.
    form: ``"isotropic"``, ``"diagonal"`` or ``"full"``.
    parameterization: what the scales are: ``"std"``, ``"variance"`` or ``"logvar"`` (not used by
        the full form).
    against: ``"pair"`` or ``"standard"`` (the second law is N(0, I) and is not passed).
    reduction: what ``kl`` does over the batch: ``"none"`` returns ``(n,)`` (or ``(n, 1)``),
        ``"sum"`` and ``"mean"`` one number. Dimensions are always summed.
    framework, dtype: ``"numpy"``, ``"torch"`` or ``"jax"``, and the floating type it is called
        with.
    tolerance: the relative error of the divergence that you accept, in (0, 1); ``None`` accepts
        rounding only. In bfloat16 and float16 rounding alone takes several percent: there is no
        verdict ``holds`` without it.

    Returns
    -------
    Evidence: kind float; the error is relative to the divergence, and where the laws nearly agree
    to the sum of the absolute terms of the printed form, whose rounding is all that is granted
    there: a floor, a clamp or a summand inside a logarithm beyond it is refuted. The bound counts
    the roundings of the printed form in whatever order it is summed. ``kl`` is called once for each
    of at most 18 batches of 1 to 130 laws in 1 to 256 dimensions (64 for the full form; 7 in half
    precision, where longer sums can only show large errors), with log-variances from about
    -12 to 9 (from -14 against the standard normal law). That digits are lost near equal laws,
    within rounding, is a note and no verdict. Where it is refuted the first batch is asked again,
    and ``diagnosis`` says which summands of the divergence of which laws were returned, if they
    make up every value.

    Raises
    ------
    ArgumentError: an option is not one of the above. CallableError: ``kl`` raises, returns NaN or
    another shape (a single number for a batch: pass ``reduction="sum"`` or ``"mean"``).

    Source: homework problem 2; Kingma and Welling 2013, appendix B.

    >>> def kl(mu, logvar):                       # a VAE's regulariser, with the 1/2 forgotten
    ...     return (mu**2 + np.exp(logvar) - 1 - logvar).sum(axis=1)
    >>> evidence = check_kl(kl, form="diagonal", parameterization="logvar", against="standard")
    >>> evidence.verdict
    'refuted'
    >>> halved = lambda mu, logvar: kl(mu, logvar) / 2
    >>> vae = {"form": "diagonal", "parameterization": "logvar", "against": "standard"}
    >>> bool(check_kl(halved, **vae))
    True
    """
    options = Options(form, parameterization, against, reduction)
    tolerance = accepted(tolerance)
    rng = stream(seeded(seed), "check_kl")
    guard = guarded(kl, "kl", framework, dtype)
    before = guard.calls
    given = passed(guard, np.ones(1))[1]

    def precision() -> float:
        return max(guard.eps, given)

    answers: list[Answer] = []
    dues: list[Due] = []
    for batches in (asked, extremes):
        more = [ask(guard, laws, options) for laws in batches(options, precision, rng)]
        answers += more
        dues += [due(a, options, guard.eps, guard.eps > given, rng) for a in more]
        found = places(answers, dues, options)
        evidence = judged(found, answers, options, tolerance)
        if evidence.verdict == "refuted":
            break
    if evidence.verdict == "refuted":
        evidence = replace(
            evidence, sentence=place(found, answers, options, tolerance)
        ).with_diagnosis(
            safely(
                lambda: (
                    asked_again(guard, answers[0], options)
                    or _diagnosis(found, answers, dues, options, max(guard.eps, given))
                )
            )
        )
    else:
        evidence = replace(evidence, notes=digits_lost(answers, options, guard.eps))
    return replace(
        evidence,
        cost={"calls": guard.calls - before},
        curves=_curves(found),
        labels=("divergence that is due", "relative error"),
    )


def _curves(found: Found) -> dict[str, tuple[list[float], list[float]]]:
    """The error and what rounding explains of it, in the order of the divergence; where the laws
    nearly agree relative to the sum of the terms.
    """
    order = np.argsort(found.value)
    order = order[found.value[order] > 0]
    unit = np.where(found.sharp, found.value, found.size)[order]
    due, error = found.value[order], np.abs(found.returned - found.value)[order]
    return {
        "error": (due.tolist(), (error / unit).tolist()),
        "bound": (due.tolist(), (found.rounding[order] / unit).tolist()),
    }


#: Batches that the known faults are tried on: every fault shows there, at little cost.
SMALL = 7


def _diagnosis(
    found: Found, answers: list[Answer], dues: list[Due], options: Options, eps: float
) -> Diagnosis:
    beyond = found.beyond(None)
    few = [k for k, a in enumerate(answers) if max(a.laws.shape[1], a.laws.shape[0] / 2) <= SMALL]
    plain = bool(np.any(beyond[np.isin(found.batch, few)] > 1))
    few = few if plain else list(range(len(answers)))
    laws, truth = [answers[k].laws for k in few], [dues[k].value for k in few]
    here = np.isin(found.batch, few)
    places = Places(
        laws, options, found.returned[here], found.value[here], found.rounding[here], eps
    )
    predictions = added(found, answers, options, laws, truth)
    if plain:
        predictions |= candidates(laws, options)
    if np.any(found.returned):  # nothing is near to everything that is small
        predictions.pop("zero_everywhere", None)
    known = _known(places, found.size[here], predictions)
    if plain and (cause := explained(places)) is not None:
        names, sentence = told(cause, options)
        return replace(known, names=known.names or names, sentence=sentence)
    if known.names:
        return known
    if (other := enclosed(places) or instead(places)) is not None:
        return Diagnosis.cause(other[0], f"Cause: {other[1]}.")
    if text := weighted(places) or of_one_term(places):
        sentence = f"Cause: {text}. With this mended every value agrees, to rounding."
        return Diagnosis.cause("coordinates", sentence)
    return replace(known, sentence=f"{known.sentence}{wrong_part(beyond, found, answers)}")


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
