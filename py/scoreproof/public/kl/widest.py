"""What nobody said of a function: the shape of its scales, which law is the first, what a number is
made σ of.

Conventions: where no form is said, scales have the shape of the means, one for each coordinate, if
the function takes them; else one for all, or matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.given import Given, options_of, said_by

__all__ = ["readings_of", "said", "widest"]

#: forms that are tried where none is said, and how scales were passed
WIDEST = ("diagonal", "isotropic")
WIDE, ONE = "scales (n, d), one for each coordinate", "scales (n, 1), one for all coordinates"
EITHER = (
    "it is right where scales are (n, 1), one for all coordinates, and wrong where they are (n, d),"
    ' one for each: pass form="isotropic" or form="diagonal", whichever it is to take'
)
MATRICES = "scales (n, d, d), matrices, as it takes no others"
#: of an error that is none of shapes
NUMBERS = "nan or inf"
#: what else a number is that σ is made of
OTHERWISE = {"logstd": "log standard deviations", "logvar": "log-variances"}


def widest(of: Callable[[Options, bool], Evidence], function: Any, given: Given) -> Evidence:
    """The verdict of the widest form that it takes, where none is said: what is right of one scale
    for all coordinates alone is undecided. ``of``: of some options, with a cause or without.
    """
    options = options_of(function, given)
    if given.form is not None or not _open(options):
        return of(options, True)
    wide, narrow = (options_of(function, given, f) for f in WIDEST)
    evidence = second = failed = None
    try:
        evidence = of(wide, False)
    except CallableError as error:
        if NUMBERS in error.got:  # it takes them
            raise
        failed = error
    if evidence is not None and evidence.verdict != "refuted":
        return _asked_with(evidence, WIDE)
    try:
        second = of(narrow, False)
    except CallableError as error:
        if failed is not None:
            return _matrices(of, function, given, failed if _telling(function, given) else error)
    if evidence is None:
        return _asked_with(of(narrow, True), f"{ONE}, as it takes none of (n, d)")
    if second is not None and second.verdict == "holds":
        return replace(
            second,
            verdict="undecided",
            sentence=f"{second.sentence}: {EITHER}",
            notes=(*second.notes, f"Of scales (n, d): {evidence.sentence}."),
        )
    ways = [(wide, WIDE)] if second is None else [(wide, WIDE), (narrow, ONE)]
    if options.form == "isotropic":
        ways.reverse()
    told = [_asked_with(of(ways[0][0], True), ways[0][1])]
    if not _named(told[0]) and len(ways) > 1:
        told.append(_asked_with(of(ways[1][0], True), ways[1][1]))
    return next((e for e in told if _named(e)), told[0])


def _matrices(
    of: Callable[[Options, bool], Evidence], function: Any, given: Given, failed: CallableError
) -> Evidence:
    """It takes neither of both: matrices, where they are standard deviations or precisions."""
    if given.parameterization is not None or _telling(function, given):
        raise failed
    try:
        full = options_of(function, given, "full")
        return _asked_with(of(full, True), MATRICES)
    except CallableError:
        raise failed from None


def _telling(function: Any, given: Given) -> bool:
    read = said_by(function, given)
    return read is not None and read.telling


def readings_of(function: Any, given: Given) -> Iterator[tuple[Given, str]]:
    """What is given, and what else the names may say, with words for each; nothing where they
    leave nothing open.
    """
    read = said_by(function, given)
    if read is None or given.parameterization is not None:
        return
    if read.raw:
        yield given, "scales are taken for what softplus makes σ of"
        for kind, words in OTHERWISE.items():
            yield replace(given, parameterization=kind), f"scales are taken for {words}"
    elif read.either is not None and given.quantity in ("kl", "cross_entropy", "renyi"):
        for turned in (False, True):
            first, second = read.either[::-1] if turned else read.either
            words = f"N_0 is the law that is marked {first}, N_1 the one marked {second}"
            yield (replace(given, turned=True) if turned else given), words


def said(evidence: Evidence, words: str) -> Evidence:
    """With a word on how the names were read."""
    return replace(evidence, sentence=f"{evidence.sentence.rstrip('.')}; {words}")


def _open(options: Options) -> bool:
    """Scales are passed whose shape nobody said, and that are no matrices."""
    layout, known = options.layout, {r for r, _ in options.layout.axes}
    passed = {r for r in layout.roles if r.startswith("scale")}
    return options.form != "full" and options.sides is None and bool(passed - known)


def _asked_with(evidence: Evidence, shape: str) -> Evidence:
    """With the shape of the scales in what it looked at, as nobody said it."""
    if evidence.coverage is None:
        return evidence
    span = f"{evidence.coverage.span}; {shape}"
    return replace(evidence, coverage=replace(evidence.coverage, span=span))


def _named(evidence: Evidence) -> bool:
    return evidence.diagnosis is not None and bool(evidence.diagnosis.names)
