"""A factor that was read off, and the constant of the dimension D that it is.

Conventions: one factor a part; parts of one dimension share theirs. ``words``: what stands before
the thing that is multiplied, empty for the factor 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.causes.closed_forms import number

__all__ = ["ONE", "Constant", "constant"]

#: a factor that was read through differences is this near to the one that was meant
NEAR = 2e-3
#: numbers of draws that are looked for
DRAWS = 64


@dataclass(frozen=True, eq=False)
class Constant:
    """``at(D)``, its names, and what it tells: ``reason`` and ``mend`` may be empty."""

    names: tuple[str, ...]
    words: str
    at: Callable[[int], float]
    reason: str = ""
    mend: str = ""

    @property
    def name(self) -> str:
        return self.names[0]


def _of(value: float) -> Callable[[int], float]:
    return lambda d: value


ONE = Constant(("one",), "", _of(1.0))
_FORMS: list[Constant] = [
    ONE,
    Constant(("nothing",), "0 times", _of(0.0), "it returns 0", "Let f and ν reach the result"),
    Constant(
        ("ell_sign",),
        "minus",
        _of(-1.0),
        "the sign is that of d log p/dt = -tr J",
        "Return it with the other sign, or call it by what it is",
    ),
    Constant(
        ("ell_doubled",),
        "twice",
        _of(2.0),
        "as a central difference divided by h, not by 2h, or J + Jᵀ not halved",
        "Halve it",
    ),
    Constant(
        ("halved",),
        "half of",
        _of(0.5),
        "as a one-sided difference divided by 2h, or a symmetric part halved twice",
        "Double it",
    ),
    Constant(
        ("mean_for_sum",),
        "1/D times",
        lambda d: 1 / d,
        "an average over the dimensions where a sum is due, or a ν of length 1",
        "Sum over the D coordinates",
    ),
    Constant(("times_D",), "D times", lambda d: d, "a factor D", "Leave it out"),
    Constant(("times_root_D",), "√D times", math.sqrt, "a factor √D", "Leave it out"),
    Constant(
        ("over_root_D",),
        "1/√D times",
        lambda d: 1 / math.sqrt(d),
        "a division by √D, as in an rms",
        "Leave it out",
    ),
    Constant(
        ("unbiased_variance",),
        "D/(D-1) times",
        lambda d: d / (d - 1),
        "divided by D - 1 as a variance is, and multiplied by D",
        "",
    ),
    Constant(("one_less",), "(D-1)/D times", lambda d: (d - 1) / d, "", ""),
    Constant(
        ("mean_over_D_less_one",),
        "1/(D-1) times",
        lambda d: 1 / (d - 1),
        "an average over D - 1, as of a variance, where a sum is due",
        "Sum over the D coordinates",
    ),
    Constant(
        ("uniform_nu",),
        "1/3 of",
        _of(1 / 3),
        "ν uniform on [-1, 1], which has E[νν^T] = I/3",
        "Draw ν Gaussian or ±1, or multiply by 3",
    ),
    Constant(
        ("narrow_uniform_nu",),
        "1/12 of",
        _of(1 / 12),
        "ν uniform on an interval of length 1, which has the variance 1/12",
        "Draw ν Gaussian or ±1, or multiply by 12",
    ),
    Constant(
        ("bits",),
        "1/log 2 times",
        _of(1 / math.log(2)),
        "bits, in base 2, where nats, in base e, are due",
        "Do not divide by log 2",
    ),
    Constant(("nats_of_bits",), "log 2 times", _of(math.log(2)), "", "Leave that factor out"),
    Constant(
        ("bits_per_dimension",),
        "1/(D log 2) times",
        lambda d: 1 / (d * math.log(2)),
        "bits per dimension",
        "Return nats: no division by D log 2",
    ),
    Constant(
        ("base_ten",),
        "1/log 10 times",
        _of(1 / math.log(10)),
        "logarithms in base 10",
        "Use natural logarithms",
    ),
    *(
        Constant(
            ("not_divided_by_a_step",),
            f"{10.0**-k:g} times",
            _of(10.0**-k),
            f"as a difference with the step h = {10.0**-k:g} that is not divided by it",
            f"Divide by h = {10.0**-k:g}",
        )
        for k in range(1, 13)
    ),
    *(
        Constant(
            ("divided_by_a_step",),
            f"{10.0**k:g} times",
            _of(10.0**k),
            f"a division by {10.0**-k:g}, as by the step of a difference, too many",
            f"Multiply by {10.0**-k:g}",
        )
        for k in range(1, 13)
    ),
    *(
        Constant(
            ("draws_not_averaged",),
            f"{k} times",
            _of(float(k)),
            f"as a sum over {k} draws of ν that is not divided by their number",
            f"Divide by {k}",
        )
        for k in range(3, DRAWS)
    ),
    *(
        Constant(
            ("divided_by_a_number",),
            f"1/{k} times",
            _of(1 / k),
            f"a division by {k}, as by a number of draws, too many",
            f"Multiply by {k}",
        )
        for k in range(3, DRAWS)
    ),
]


def constant(factors: list[float], dims: list[int], slack: float) -> Constant | None:
    """What the factors have in common; ``None`` where the same form does not give all of them.

    >>> constant([0.25, 0.2], [4, 5], 1e-9).names
    ('mean_for_sum',)
    >>> constant([-2.0], [3], 1e-9).words
    'minus twice'
    """
    if not np.all(np.isfinite(factors)):
        return None
    for near in (slack, max(slack, NEAR)):
        for sign in (1, -1):
            alike = [f for f in _FORMS if _fits(f, sign, factors, dims, near)]
            if alike:
                return _signed(_together(alike), sign)
        if np.ptp(factors) <= near * max(abs(f) for f in factors):
            value = float(np.median(factors))
            told = number(value, near, {"D": dims[0]} if len(set(dims)) == 1 else None)
            return Constant(("factor",), f"{told} times", _of(value), "", f"Divide it by {told}")
    return None


def _fits(form: Constant, sign: int, factors: list[float], dims: list[int], near: float) -> bool:
    due = [sign * form.at(d) for d in dims]
    return all(abs(c - v) <= near * max(abs(v), 1e-12) for c, v in zip(factors, due, strict=True))


def _together(alike: list[Constant]) -> Constant:
    """In one dimension several forms may give the same number: all are named."""
    first, *rest = alike
    if not rest or first.name in ("one", "nothing"):
        return first
    names = tuple(dict.fromkeys(f.name for f in alike))
    number, same = first.words.split()[0], rest[0].words.removesuffix(" of")
    words = first.words
    if same.split()[0] != number:
        words += f" (here the same as {same})"
    told = [f for f in alike[:3] if f.reason]
    if len(told) < 2:
        return Constant(names, words, first.at, first.reason or "", first.mend)
    mend = ""
    for f in told:
        if f.mend.lower() not in mend.lower():
            mend += f", or {f.mend[0].lower()}{f.mend[1:]}" if mend else f.mend
    either = f"either {', or '.join(f.reason for f in told)}"
    return Constant(names, words, first.at, either, mend)


def _signed(found: Constant, sign: int) -> Constant:
    if sign > 0:
        return found
    names = tuple(f"ell_sign + {n}" for n in found.names)
    words = f"minus {found.words}" if found.words else "minus"
    mend = f"{found.mend}, and return" if found.mend else "Return"
    mend += " it with the other sign"
    return Constant(names, words, lambda d: -found.at(d), found.reason, mend)
