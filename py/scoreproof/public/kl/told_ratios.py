"""Factors of a divergence, or of one of its terms, in words.

Conventions: a ratio is to what is due.
"""

from __future__ import annotations

import math

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.averages import AVERAGED
from scoreproof.public.kl.fit import CLOSED

__all__ = ["RATIOS", "closed", "times", "whole"]

#: a ratio this near to 1 is told by its distance from it
NEAR = 1e-4
#: ratios to what is due, in words
RATIOS = {
    0.0: "is left out",
    -1.0: "has the wrong sign",
    2.0: "is doubled: its 1/2 is missing",
    0.5: "is halved: it has a factor 1/2 too many",
    4.0: "is four times what is due",
    0.25: "is a quarter of what is due",
    -2.0: "is doubled and has the wrong sign",
    -0.5: "is halved and has the wrong sign",
}
WHOLE = {
    0.5: ("half_of_everything", "the whole divergence is halved"),
    2.0: ("twice_everything", "the whole divergence is doubled: a factor 1/2 is missing"),
    -1.0: ("minus_everything", "the whole divergence has the wrong sign"),
    0.0: ("zero_everywhere", "it returns nothing but zero"),
}


def whole(ratio: float, options: Options) -> tuple[str, str]:
    """A name and a clause for a factor of all of it."""
    name, text = _whole(ratio, options)
    noun = "divergence" if options.wanted.kl or options.wanted.overlap else options.wanted.name
    return name, text.replace("the whole divergence", f"the whole {noun}")


def _whole(ratio: float, options: Options) -> tuple[str, str]:
    d = options.layout.d
    if d is not None and d > 1 and options.wanted.dims == "sum" and abs(ratio * d - 1) < 1e-6:
        return "mean_over_dimensions", AVERAGED["mean_over_dimensions"]
    if d is not None and d > 1 and options.wanted.dims == "mean" and abs(ratio / d - 1) < 1e-6:
        return "sum_over_dimensions", AVERAGED["sum_over_dimensions"]
    if ratio in WHOLE:
        return WHOLE[ratio]
    if axes := _over_axes(ratio, options):
        text = f"it is an average over {axes} where the sum is due ({ratio:.6g} times what is due)"
        return "mean_over_an_axis", text
    if abs(ratio / math.log(2) - 1) < 1e-6 and options.wanted.units == "bits":
        return "nats_for_bits", "it is in nats where bits are due: divide by ln 2, or log₂ for log"
    if abs(ratio * math.log(2) - 1) < 1e-6:
        return "bits_for_nats", "it is in bits where nats are due: divided by ln 2, or log₂ for log"
    return (
        f"times_{ratio:.6g}",
        f"the whole divergence is {number(ratio)} times what is due{closed(ratio)}",
    )


def times(ratio: float) -> str:
    """What follows the name of a term."""
    return RATIOS.get(ratio, f"is {number(ratio)} times what is due{closed(ratio)}")


def number(ratio: float) -> str:
    """A ratio in as many digits as tell it from 1."""
    if ratio != 1 and abs(ratio - 1) < NEAR:
        return f"(1 {'+' if ratio > 1 else '-'} {abs(ratio - 1):.2g})"
    return f"{ratio:.6g}"


def _over_axes(ratio: float, options: Options) -> str:
    """Axes of a sample whose lengths are divided by, in words."""
    sample = options.layout.sample or ()
    if len(sample) < 2 or options.wanted.dims != "sum":
        return ""
    for length in sample:
        for many, words in (
            (length, "the axis"),
            (math.prod(sample) // length, "all but the axis"),
        ):
            if many > 1 and abs(ratio * many - 1) < 1e-6:
                return f"{words} of length {length} of a sample {sample}"
    return ""


def closed(ratio: float) -> str:
    for value, words in CLOSED.items():
        if abs(ratio / value - 1) < 1e-5:
            return f" ({words})"
    return ""
