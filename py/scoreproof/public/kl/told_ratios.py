"""Factors of a divergence, or of one of its terms, in words.

Conventions: a ratio is to what is due.
"""

from __future__ import annotations

import math

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.averages import AVERAGED
from scoreproof.public.kl.fit import CLOSED

__all__ = ["RATIOS", "closed", "times", "whole"]

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
    if abs(ratio / math.log(2) - 1) < 1e-6 and options.wanted.units == "bits":
        return "nats_for_bits", "it is in nats where bits are due: divide by ln 2, or log₂ for log"
    if abs(ratio * math.log(2) - 1) < 1e-6:
        return "bits_for_nats", "it is in bits where nats are due: divided by ln 2, or log₂ for log"
    return (
        f"times_{ratio:.6g}",
        f"the whole divergence is {ratio:.6g} times what is due{closed(ratio)}",
    )


def times(ratio: float) -> str:
    """What follows the name of a term."""
    return RATIOS.get(ratio, f"is {ratio:.6g} times what is due{closed(ratio)}")


def closed(ratio: float) -> str:
    for value, words in CLOSED.items():
        if abs(ratio / value - 1) < 1e-5:
            return f" ({words})"
    return ""
