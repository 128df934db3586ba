"""Other laws than those that were passed: scales read as what they are not, a law ignored, rows
mixed.

Conventions: a reading maps the laws that were passed to those that the function then worked with;
scales that are misread are in a room of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.misread import Change, Reading, bound, scales_misread

__all__ = ["readings"]


def readings(options: Options) -> list[Reading]:
    """The likeliest first."""
    found = [*scales_misread(options), *_orders(options)]
    if not options.standard:
        found += _second(options)
    if options.reduction == "none" and not options.standard:
        found += _rows()
    return [*found, *_coordinates(options)]


def _orders(options: Options) -> Iterator[Reading]:
    """Means and scales in each other's place, where their shapes allow it."""
    positive = ("variance", "precision")  # a mean that is negative is none
    if options.form != "diagonal" or options.sides or options.side().kind in positive:
        return
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
                yield Reading(f"coordinates_{name}_{which}", text, bound(take, options, which))
