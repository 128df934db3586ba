"""Scales that are changed by a number nobody knows: clamped, added to, multiplied.

Conventions: the number is found where the deviation is largest, on a grid and by bisection; whether
it explains all the rest is for the caller to see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.numerics.minimum import least
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.misread import CALLED, SIGNED, changed

__all__ = ["Clamp", "clamps", "moved", "roots"]


#: what is as good as 0, of what is beside it
TOUCHED = 1e-6
#: a number below this is 0 there
FLAT = 1e-6


@dataclass(frozen=True)
class Clamp:
    """A change of the scales with a number that is not known: a clamp, a summand, a factor.
    ``part``: whether it is everywhere ("all"), in the logarithms ("log") or in the rest ("rest").
    """

    name: str
    words: str
    of: Callable[[Laws, float], Laws]
    grid: np.ndarray
    part: str = "all"


def clamps(options: Options) -> Iterator[Clamp]:
    """What is looked for, with the numbers between which it is."""
    if options.form == "full":
        grid = np.geomspace(1e-14, 10, 61)
        for which in ("both",) if options.standard else ("both", "second", "first"):
            law = "" if which == "both" else f" of the {which} law"
            words = "{c:.4g} I is added to the covariances" + law
            yield from _parts(f"jitter_{which}", words, _jitter(options, which), grid)
        return
    if options.standard:
        yield from _priors()
    kinds, own = ("logvar", "std", "variance"), options.side().kind
    for kind in (own, *(k for k in kinds if k != own)):
        called = CALLED.get(kind, "numbers before softplus")
        for name, words, move, grid in _moves(kind, kind == own):
            as_kind = Options(options.form, kind)
            change = moved(as_kind, move, options)
            yield from _parts(name, words.replace("{called}", called), change, grid)
            if name in ("epsilon", "clamp_below") and not options.standard:
                for which in ("second", "first"):
                    change = moved(as_kind, move, options, which)
                    text = words.replace("{called}", f"{called} of the {which} law")
                    yield from _parts(f"{name}_{which}", text, change, grid)


def _jitter(options: Options, which: str) -> Callable[[Laws, float], Laws]:
    def change(laws: Laws, c: float) -> Laws:
        return changed(laws, lambda v: v + c * np.eye(v.shape[1]), options, which)

    return change


def _priors() -> Iterator[Clamp]:
    """Another mean than 0 of the second law, where that is not passed; another variance is seen
    in the factors of the summands.
    """

    def mean(laws: Laws, c: float) -> Laws:
        return replace(laws, m1=0 * laws.m1 + c)

    grid = np.geomspace(1e-4, 1e4, 81)
    for sign in (1, -1):
        yield Clamp("prior_mean", "the prior has the mean {c:.6g}, not 0", mean, sign * grid)


Move = Callable[[np.ndarray, float], np.ndarray]


def _moves(kind: str, own: bool) -> Iterator[tuple[str, str, Move, np.ndarray]]:
    """``own``: scales are passed as this; clamped as another they are the same."""
    logs = kind in SIGNED
    grid = np.linspace(-14, 14, 113) if logs else np.geomspace(1e-7, 1e4, 120)
    if own:
        yield "clamp_above", "{called} are clamped to at most {c:.4g}", np.minimum, grid
        yield "clamp_below", "{called} are clamped to at least {c:.4g}", np.maximum, grid
    if not logs:  # a factor of these is one of the summands
        small = np.geomspace(1e-16, 10, 69)
        yield "epsilon", "{c:.4g} is added to the {called}", np.add, small
        return
    words = "{called} are clamped to [-{c:.4g}, {c:.4g}]"
    yield "clamp", words, lambda s, c: np.clip(s, -c, c), np.linspace(0.1, 14, 112)
    factors = np.geomspace(1e-2, 1e2, 41)
    yield "scaled", "the {called} are multiplied by {c:.6g}", np.multiply, factors


def moved(
    kind: Options, move: Move, options: Options, which: str = "both"
) -> Callable[[Laws, float], Laws]:
    """Scales as ``kind`` has them, moved by a number."""

    def change(laws: Laws, c: float) -> Laws:
        return changed(laws, lambda v: kind.variances(move(kind.scale(v), c)), options, which)

    return change


def _parts(
    name: str, words: str, of: Callable[[Laws, float], Laws], grid: np.ndarray
) -> Iterator[Clamp]:
    yield Clamp(name, words, of, grid)
    yield Clamp(f"{name}_in_log", f"{words} in the logarithm alone", of, grid, "log")
    yield Clamp(f"{name}_outside_log", f"{words} everywhere but in the logarithm", of, grid, "rest")


def _touched(
    gap: Callable[[float], float], grid: np.ndarray, values: list[float]
) -> Iterator[float]:
    """Where it is 0 without a change of sign, as at σ = 1, where the divergence is least."""
    size = np.abs(values)
    for k in range(1, len(grid) - 1):
        if not np.all(np.isfinite(size[k - 1 : k + 2])) or size[k] > min(size[k - 1], size[k + 1]):
            continue
        if size[k] == size[k - 1] == size[k + 1]:  # the number changes nothing here
            continue
        low, high = float(grid[k - 1]), float(grid[k + 1])
        c = least(lambda v: abs(gap(v)), low, high, 1e-9 * max(abs(low), abs(high)))
        if abs(gap(c)) <= TOUCHED * max(size[k - 1], size[k + 1]):
            # where it is flat it is known to half the digits
            short = 0.0 if abs(c) <= FLAT else float(f"{c:.3g}")
            yield short if abs(short - c) <= 1e-4 * abs(c) + FLAT else c


def roots(gap: Callable[[float], float], grid: np.ndarray) -> Iterator[float]:
    """Where it changes its sign, to the last digit."""
    values = [gap(float(c)) for c in grid]
    for a, b, fa, fb in zip(grid, grid[1:], values, values[1:], strict=False):
        if fa == 0:
            yield float(a)
        if not (np.isfinite(fa) and np.isfinite(fb)) or np.sign(fa) * np.sign(fb) >= 0:
            continue
        low, high = float(a), float(b)
        for _ in range(70):
            middle = (low + high) / 2
            f = gap(middle)
            low, high = (middle, high) if np.sign(f) == np.sign(fa) else (low, middle)
        # somebody wrote a number of few digits
        middle = (low + high) / 2
        for digits in (1, 2, 3, 4):
            short = float(f"{middle:.{digits}g}")
            if abs(short - middle) <= 1e-6 * abs(middle):
                middle = short
                break
        yield middle
    yield from _touched(gap, grid, values)
