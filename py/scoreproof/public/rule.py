"""The rule of a verdict, once for all public checks: what was found, of what could be seen.

Conventions
-----------
- ``error`` is the relative deviation found at each place, ``bound`` the part of it that rounding,
  quadrature or extrapolation may explain there, ``gain`` the error that a relative deviation of one
  would have shown there (1 where both are relative to the same size).
- ``tolerance`` is the relative deviation that the caller accepts; ``None`` accepts none.
- Resolution: a deviation δ shows as an error of at least ``gain δ - bound``, so δ > 2 bound/gain
  cannot pass. With a tolerance the resolution is the tolerance, if rounding leaves room for it.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.errors import CallableError, ScoreproofError
from scoreproof.evidence import Evidence, Kind, worst
from scoreproof.public.drawing import by_place
from scoreproof.public.in_its_library import asked_in_its_library
from scoreproof.public.subjects import called_of
from scoreproof.words import MANY, percent

__all__ = ["COARSEST", "WITHIN_ROUNDING", "compared", "public_check", "settled", "weakest"]

#: A check that would have missed a deviation of this size says nothing, unless the caller
#: accepts it.
COARSEST = 0.01
FINER = "use float64"
#: an error too near to what is accepted to be told from it
WITHIN_ROUNDING = "is within rounding of"

F = TypeVar("F", bound=Callable[..., Evidence])


def compared(
    error: Any,
    bound: Any,
    sentence: str,
    *,
    coverage: Coverage,
    gain: Any = 1.0,
    excuse: Any = 0.0,
    resolution: float | None = None,
    tolerance: float | None = None,
    remedy: str = FINER,
    kind: Kind = "float",
    along: tuple[str, Any] | None = None,
    **more: Any,
) -> Evidence:
    """Errors at places against their bounds, by the rule.

    Parameters
    ----------
    error, bound, gain: arrays that broadcast to one shape, one entry a place (see the conventions).
    excuse: more error, beyond ``bound``, that the subject's own rounding may explain: it keeps a
        place from being refuted and grants nothing, an error that needs it is undecided.
    resolution: what the check sees, if that is not ``2 bound / gain`` at the worst place: an answer
        made of parts has to be seen part by part.
    coverage: what the places are, and what is missing among them.
    remedy: what the caller can do where the resolution does not suffice ("use float64, or a larger
        t_min").
    along: what the places lie along in a plot, ``("t", times)``, one value each.
    more: further fields of `Evidence` (``cost``, ``curves``, ``labels``, ``notes``, ``diagnosis``).

    Refuted: an error above ``tolerance * gain + bound + excuse`` at some place, whatever is not
    finite at others. Holds: every error below it, with room to spare, at a resolution of 1 % or of
    the tolerance, and nothing left out. Undecided otherwise. Raises ``ValueError`` for a negative
    bound: it is the check's mistake.

    >>> seen = Coverage({"points": 3})
    >>> e = compared([1e-15, 0.0, 2e-15], 1e-14, "f against its formula", coverage=seen)
    >>> e.verdict, e.resolution
    ('holds', 2e-14)
    >>> compared([1e-3, 0.0, 0.0], 0.02, "f in bfloat16", coverage=seen).verdict
    'undecided'
    >>> compared([1e-3, 0.0, 0.0], 0.02, "f in bfloat16", coverage=seen, tolerance=0.1).verdict
    'holds'
    """
    found, blur, size, spare = (
        a.ravel()
        for a in np.broadcast_arrays(*(np.asarray(v, float) for v in (error, bound, gain, excuse)))
    )
    found, size = np.abs(found), np.abs(size)
    for name, part in (("bound", blur), ("excuse", spare)):
        if np.any(part < 0):
            raise ValueError(f"{name} must be >= 0 (got {np.min(part):g})")
    accepted = tolerance or 0.0
    if found.size == 0:
        return settled(
            Evidence.undecided(kind, f"{sentence}: nothing was compared", **more),
            resolution=math.inf,
            coverage=coverage,
        )
    with np.errstate(all="ignore"):
        limit = accepted * size + blur + spare
        if "curves" not in more:
            more |= by_place(found, limit, along)
        known = np.isfinite(found) & np.isfinite(limit)
        ratio = np.where((found > 0) & known, found / limit, 0.0)
        seen = np.where(known & (size > 0), 2 * blur / size, np.inf)
    if not np.all(known) and not np.any(ratio > 1):
        k = int(np.argmin(known))
        text = f"{sentence}: the error or its bound is not finite"
        return settled(
            replace(Evidence.undecided(kind, text, **more), value=float(found[k])),
            resolution=math.inf,
            coverage=coverage,
        )
    k = int(np.argmax(ratio))
    evidence = Evidence.measured(found[k], limit[k], sentence, kind=kind, **more)
    if evidence.verdict == "holds":  # not by an excuse
        evidence = replace(evidence, bound=float(limit[k] - spare[k]))
    # an error between what is surely accepted and what surely is not
    close = (found > blur) & (found > accepted * size - blur)
    if evidence.verdict == "holds" and np.any(close):
        k = int(np.argmax(np.where(close, ratio, 0.0)))
        near = f"the tolerance {accepted:g}" if accepted else "what could be passed over"
        text = f"{sentence}: the error {found[k]:.3g} {WITHIN_ROUNDING} {near}: {remedy}"
        evidence = replace(Evidence.undecided(kind, text, **more), value=float(found[k]))
    return settled(
        evidence,
        resolution=float(np.max(seen)) if resolution is None else resolution,
        coverage=coverage,
        tolerance=tolerance,
        remedy=remedy,
    )


def settled(
    evidence: Evidence,
    *,
    resolution: float,
    coverage: Coverage,
    tolerance: float | None = None,
    remedy: str = FINER,
) -> Evidence:
    """``evidence`` with its resolution and coverage; a ``holds`` that they do not carry becomes
    undecided.

    ``resolution`` is what the check alone can see, without the tolerance; 0 in exact arithmetic.
    """
    stated = max(resolution, tolerance or 0.0)
    evidence = replace(evidence, resolution=stated, coverage=coverage)
    if evidence.verdict != "holds":
        return evidence
    most = tolerance if tolerance else COARSEST
    if coverage.nothing is not None:
        return _undecided(evidence, f"there are no {coverage.nothing} to judge")
    if coverage.gaps:
        what = "; ".join(o.describe() for o in coverage.gaps)
        return _undecided(
            evidence, f"no error is seen, but what was left out is not judged: {what}"
        )
    if not resolution <= most:
        what = "the tolerance is" if tolerance else "a verdict needs"
        seen = percent(resolution)
        if MANY <= resolution < np.inf:
            seen = f"{resolution:.3g} times the size"
        text = (
            f"no error is seen, but a relative deviation below {seen} would not "
            f"have been seen ({what} {percent(most)}): {remedy}"
        )
        return _undecided(evidence, text)
    return evidence


def _undecided(evidence: Evidence, why: str) -> Evidence:
    return replace(
        evidence, verdict="undecided", sentence=f"{evidence.sentence.rstrip('.')}: {why}"
    )


def weakest(judged: Sequence[Evidence]) -> Evidence:
    """What decides for several that must all hold: the worst that does not, else the one that would
    have missed the largest deviation.

    >>> fine, rough = (
    ...     compared([0.0], b, "f", coverage=Coverage({"points": 1})) for b in (1e-9, 1e-3)
    ... )
    >>> weakest([fine, rough]).resolution
    0.002
    """
    # not `all(judged)`: under pytest an evidence that is asked for its truth is shown
    if all(e.verdict == "holds" for e in judged):
        return max(judged, key=lambda e: math.inf if e.resolution is None else e.resolution)
    return worst(judged)


def public_check(function: F) -> F:
    """Decorates a public check: no ``holds`` leaves it without a resolution and a coverage, no
    ``sys.exit()`` of a user's callable, wherever it is called, ends the process unheard, and what
    is written in PyTorch or JAX is asked in it where NumPy arrays were no answer.
    """
    signature = inspect.signature(function)

    @functools.wraps(function)
    def judge(*args: Any, **kwargs: Any) -> Evidence:
        try:
            evidence = asked_in_its_library(function, signature, args, kwargs)
        except SystemExit as error:
            raise CallableError(
                f"the object given to {function.__name__}",
                "come to a verdict",
                f"it called sys.exit({'' if error.code is None else error.code})",
                "leave the process running",
            ) from error
        given = signature.bind_partial(*args, **kwargs).arguments
        if evidence.verdict == "holds" and (
            evidence.coverage is None
            or evidence.resolution is None
            or evidence.coverage.gaps
            or evidence.coverage.nothing is not None
            or not evidence.resolution <= (given.get("tolerance") or COARSEST)
        ):
            raise ScoreproofError(
                f"{function.__name__} returned `holds` without saying what it looked at and would"
                " have seen; this is a mistake of scoreproof's, please report it"
            )
        called = called_of(given, next(iter(signature.parameters)))
        title = f"{function.__name__} of {called}" if called else function.__name__
        return replace(evidence, title=title)

    return judge  # type: ignore[return-value]
