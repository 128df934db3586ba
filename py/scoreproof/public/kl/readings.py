"""Other laws than those that were passed: scales read as what they are not, a law ignored, rows
mixed.

Conventions: a reading maps the laws that were passed to those that the function then worked with;
scales go through ``Options.scale`` first, for what people mistake is what they are handed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws

__all__ = ["CALLED", "Reading", "changed", "readings"]

Change = Callable[[np.ndarray], np.ndarray]
CALLED = {
    "std": "standard deviations",
    "variance": "variances",
    "logvar": "log-variances",
    "logstd": "log standard deviations",
    "precision": "precisions, 1/σ²",
}
SOFTPLUS = {
    "softplus": "go through softplus, and what it gives is taken for σ",
    "softplus_var": "go through softplus, and what it gives is taken for σ²",
}
#: what a reader makes of a number: its variance
READ_AS: dict[str, Change] = {
    "std": lambda s: s**2,
    "variance": lambda s: s,
    "logvar": np.exp,
    "logstd": lambda s: np.exp(2 * s),
    "precision": lambda s: 1 / s,
    "softplus": lambda s: np.logaddexp(0, s) ** 2,
    "softplus_var": lambda s: np.logaddexp(0, s),
}


@dataclass(frozen=True)
class Reading:
    """``name`` for a program, ``words`` for a person, ``of`` the laws that are read."""

    name: str
    words: str
    of: Callable[[Laws], Laws]


def readings(options: Options) -> list[Reading]:
    """The likeliest first."""
    found = [*_scales(options), *_orders(options)]
    if not options.standard:
        found += _second(options)
    if options.reduction == "none" and not options.standard:
        found += _rows()
    return [*found, *_coordinates(options)]


def _orders(options: Options) -> Iterator[Reading]:
    """Means and scales in each other's place, where their shapes allow it."""
    if options.form != "diagonal" or options.parameterization == "variance":
        return  # a mean that is negative is no variance
    mean, scale = options.variances, options.scale
    if options.standard:
        yield Reading(
            "arguments_swapped",
            "the arguments are taken in the order scale, mean, where mean, scale are passed",
            lambda b: replace(b, m0=scale(b.v0), v0=mean(b.m0)),
        )
        return
    yield Reading(
        "arguments_means_first",
        "the arguments are taken in the order mean, mean, scale, scale, where mean, scale, mean,"
        " scale are passed",
        lambda b: replace(b, m1=scale(b.v0), v0=mean(b.m1)),
    )
    yield Reading(
        "arguments_swapped",
        "the arguments are taken in the order scale, mean, scale, mean, where mean, scale, mean,"
        " scale are passed",
        lambda b: replace(b, m0=scale(b.v0), v0=mean(b.m0), m1=scale(b.v1), v1=mean(b.m1)),
    )


def changed(laws: Laws, change: Change, options: Options, which: str = "both") -> Laws:
    first, second = which in ("both", "first"), which in ("both", "second")
    second = second and not options.standard
    return replace(
        laws,
        v0=change(laws.v0) if first else laws.v0,
        v1=change(laws.v1) if second else laws.v1,
    )


def _scales(options: Options) -> Iterator[Reading]:
    if options.form == "full":
        yield from _covariances(options)
        return
    own = options.parameterization
    sides = [("both", "")]
    if not options.standard:
        sides += [("first", " of the first law"), ("second", " of the second law")]
    for which, where in sides:
        for read, variance in READ_AS.items():
            if read == own or own == "logvar" and read in ("variance", "precision"):
                continue  # a log-variance that is negative is no variance
            change = _reread(options, variance)
            words = f"{CALLED[own]}{where} " + (
                f"are read as {CALLED[read]}" if read in CALLED else SOFTPLUS[read]
            )
            name = f"{own}_as_{read}" + ("" if which == "both" else f"_{which}")
            yield Reading(name, words, _bind(change, options, which))
        if own == "std":
            words = f"{CALLED[own]}{where} are squared twice"
            yield Reading("std_squared", words, _bind(lambda v: v**2, options, which))


def _reread(options: Options, variance: Change) -> Change:
    return lambda v: variance(options.scale(v))


def _bind(change: Change, options: Options, which: str) -> Callable[[Laws], Laws]:
    return lambda laws: changed(laws, change, options, which)


def _covariances(options: Options) -> Iterator[Reading]:
    for name, words, change in (
        ("precision", "{} are read as precisions", np.linalg.inv),
        (
            "diagonal",
            "only the diagonals of {} are used",
            lambda c: c * np.eye(c.shape[1]),
        ),
        (
            "cholesky",
            "{} are read as Cholesky factors",
            lambda c: np.tril(c) @ np.swapaxes(np.tril(c), 1, 2),
        ),
        (
            "squared",
            "{} are read as factors: C Cᵀ for C",
            lambda c: c @ np.swapaxes(c, 1, 2),
        ),
    ):
        text = words.format("covariances" if name != "diagonal" else "the covariances")
        yield Reading(f"covariance_as_{name}", text, _bind(change, options, "both"))
        for which in () if options.standard else ("first", "second"):
            text = words.format(f"the {which} law's covariances")
            yield Reading(f"covariance_as_{name}_{which}", text, _bind(change, options, which))


def _second(options: Options) -> Iterator[Reading]:
    unit = 1.0

    def one(v: np.ndarray) -> np.ndarray:
        return np.broadcast_to(np.eye(v.shape[-1]) if v.ndim == 3 else unit, v.shape).copy()

    yield Reading(
        "swapped_arguments",
        "the two laws are exchanged: KL(N_1 ‖ N_0) in place of KL(N_0 ‖ N_1)",
        lambda b: replace(b, m0=b.m1, v0=b.v1, m1=b.m0, v1=b.v0),
    )
    yield Reading(
        "second_ignored",
        "the second law is ignored: N(0, I) stands for it",
        lambda b: replace(b, m1=0 * b.m1, v1=one(b.v1)),
    )
    yield Reading(
        "second_mean_ignored",
        "the second law's mean is ignored: 0 stands for it",
        lambda b: replace(b, m1=0 * b.m1),
    )
    yield Reading(
        "second_scale_ignored",
        "the second law's scale is ignored: 1 stands for it",
        lambda b: replace(b, v1=one(b.v1)),
    )
    yield Reading(
        "first_mean_ignored",
        "the first law's mean is ignored: 0 stands for it",
        lambda b: replace(b, m0=0 * b.m0),
    )
    yield Reading(
        "first_scale_ignored",
        "the first law's scale is ignored: 1 stands for it",
        lambda b: replace(b, v0=one(b.v0)),
    )
    yield Reading(
        "mean_sign", "the means are added, not subtracted", lambda b: replace(b, m1=-b.m1)
    )
    yield Reading(
        "same_scale", "the first law's scale stands for both", lambda b: replace(b, v1=b.v0)
    )


def _rows() -> Iterator[Reading]:
    for name, words, take in (
        ("before", "each row is held against the second law of the row before it", _roll(1)),
        ("after", "each row is held against the second law of the row after it", _roll(-1)),
        ("first", "every row is held against the second law of the first row", _every(0)),
        ("last", "every row is held against the second law of the last row", _every(-1)),
        ("reversed", "rows are held against the second laws in reverse order", lambda a: a[::-1]),
        ("mean", "every row is held against the average of all second laws", _average),
    ):
        yield Reading(f"rows_mixed_{name}", f"rows are mixed: {words}", _of_second(take))


def _of_second(take: Change) -> Callable[[Laws], Laws]:
    return lambda b: replace(b, m1=take(b.m1), v1=take(b.v1))


def _roll(by: int) -> Change:
    return lambda a: np.roll(a, by, axis=0)


def _every(row: int) -> Change:
    return lambda a: np.broadcast_to(a[row], a.shape)


def _average(a: np.ndarray) -> np.ndarray:
    return np.broadcast_to(a.mean(axis=0), a.shape)


def _coordinates(options: Options) -> Iterator[Reading]:
    """Coordinates of the scales in another order than those of the means, or one for all."""
    if options.form != "diagonal":
        return
    off = "off by one place: each coordinate gets that of the one"
    for name, words, take in (
        ("reversed", "taken in reverse order", lambda v: v[:, ::-1]),
        ("before", f"{off} before it", lambda v: np.roll(v, 1, axis=1)),
        ("after", f"{off} after it", lambda v: np.roll(v, -1, axis=1)),
        ("first", "all that of the first coordinate", lambda v: 0 * v + v[:, :1]),
        ("mean", "all their average over the coordinates", lambda v: 0 * v + v.mean(1)[:, None]),
    ):
        for which, whose in (("first", "first law's"), ("second", "second law's"), ("both", "")):
            # the sum against N(0, I) is the same in whatever order
            if not options.standard or (which == "both" and name in ("first", "mean")):
                text = f"the {whose} scales are {words}".replace("  ", " ")
                yield Reading(f"coordinates_{name}_{which}", text, _bind(take, options, which))
