"""Which batches of laws are asked, for a form and a precision.

No batch has as many rows as dimensions. Shapes vary, for code may know one by heart, and recur, for
jax compiles each anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.fitting import fitted
from scoreproof.public.kl.laws import MILD, Apart, Draw, Laws, alternate

__all__ = ["EQUAL", "HALF", "NARROW", "NEAR", "SAME_MEANS", "SAME_SPREADS", "asked", "extremes"]

#: Types with a larger spacing at 1 are half precision: no room for wide scales and long sums.
HALF = 1e-4
#: rows of one that takes a pair of laws at a time, and numbers in a batch of a fixed dimension
FEW, MOST = 14, 20000
#: standard deviation where softplus makes it of a number
WIDEST = 80.0
NEAR, EQUAL = "nearly equal laws", "equal and all but equal laws"
SAME_MEANS = "laws with equal means"
SAME_SPREADS = {
    form: f"laws with equal {'covariances' if form == 'full' else 'variances'}"
    for form in ("full", "diagonal", "isotropic")
}
NARROW = "first laws far narrower than the second"


def asked(
    options: Options, precision: Callable[[], float], rng: np.random.Generator
) -> Iterator[Laws]:
    """The batches for a function whose floating type has the spacing ``precision()`` at 1, known
    once the first has come back. Where half precision sums over a batch, it is a short one.
    """
    for laws in _asked(options, precision, rng):
        short = options.reduction != "none" and precision() > HALF
        for one in _each(laws, options):
            yield _short(one) if short else one


def _each(laws: Laws, options: Options) -> Iterator[Laws]:
    """As the function can be handed them; of one that takes a pair at a time not all the rows."""
    if options.layout.unbatched and laws.shape[0] > FEW:
        laws = _first(laws, FEW)
    for one in fitted(laws, options, laws.each):
        yield _reached(one, options)


def _reached(laws: Laws, options: Options) -> Laws:
    """No wider than what softplus makes of a number whose exponential is one in float32."""
    widths = {}
    for which, role, v in (("first", "scale0", laws.v0), ("second", "scale1", laws.v1)):
        passed = {role, "scale"} & {*options.layout.roles}
        if passed and options.side(which).kind == "softplus" and np.max(v) > WIDEST**2:
            widths[f"v{role[-1]}"] = np.minimum(v, WIDEST**2)
    return replace(laws, **widths)


def _sizes(options: Options, sizes: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Rows and dimensions; where the dimension is fixed, that, and not as many rows."""
    d = options.layout.d
    if d is None:
        return sizes
    rows = [1 if n == 1 else min(n, max(2, MOST // d)) for n, _ in sizes]
    return [(n + (n == d and n > 1), d) for n in dict.fromkeys(rows)]


def _short(laws: Laws) -> Laws:
    return _first(laws, 2 if laws.shape[1] != 2 else 3)


def _first(laws: Laws, n: int) -> Laws:
    """The first rows."""
    m0, v0, m1, v1 = (a[:n] for a in (laws.m0, laws.v0, laws.m1, laws.v1))
    return replace(laws, m0=m0, v0=v0, m1=m1, v1=v1)


def _asked(
    options: Options, precision: Callable[[], float], rng: np.random.Generator
) -> Iterator[Laws]:
    draw = Draw(options, rng)
    own = options.layout.d
    for n, d in _sizes(options, [(6 if options.reduction == "none" else 2, 3)]):
        yield draw.random(f"random laws in d = {d}", n, d, strict=True)
    eps = precision()
    half = eps > HALF
    draw.spread = 0.2 if half else 0.5
    # in the full form large batches cost too much, and in a sum over the batch no row is seen
    many = 65 if options.form != "full" and options.reduction == "none" and not half else 3
    sizes = [(9, 2), (14, 5 if half else 7), (1, 4), (7, 1), *(() if half else ((130, 4),))]
    for n, d in _sizes(options, sizes):
        what = f"random laws in d = {d}" if n > 1 else "a batch of one row"
        yield draw.random(what, n, d, strict=half)
    # no multiple of what code may cut the dimensions into
    large = 2 * int(rng.integers(96, 128)) + 1
    long = [(many, 64), *(() if half or options.form == "full" else ((2, large),))]
    for n, d in long if own is None else ():
        yield draw.random(f"laws in d = {d}", n, d, strict=half, sharp=not half)
    ratio = alternate(6, 0.5, 4.0)
    if half:  # where v0 is far below v1, log1p(v0/v1 - 1) loses too much
        ratio = np.linspace(2.5, 4.0, 6)
    d = own or 3
    yield draw.apart(SAME_MEANS, 6, d, Apart(0 * ratio, ratio, -ratio / 2))
    if not options.standard:
        gap = alternate(6, *((5.0, 6.0) if half else (3.0, 4.0)))
        yield draw.apart(SAME_SPREADS[options.form], 6, d, Apart(gap, 0 * gap))
    for n, d in _sizes(options, [(6, 3)] if half else [(14, 7), (65, 64)]):
        if d < 64 or many == n or own is not None:
            yield draw.one_coordinate(n, d, 6.0 if half else 4.0)
    if not half:
        closest = eps * (MILD if options.form == "full" else 1)
        gaps = np.geomspace(0.3, closest ** (1 / 6), 14)
        ratio = 2 * gaps * np.resize([1, -1], 14)
        yield draw.apart("close laws", 14, own or 7, Apart(gaps, ratio, close=True))
    # no powers of two: they would be lucky with their roundings, and one alone may be lucky too
    gaps = 1.37 * 2.0 ** round(np.log2(eps) / 2) * (1 + np.arange(6) / 6)
    near = partial(Apart, sharp=False, close=True, condition=1)
    yield draw.apart(NEAR, 6, own or 3, near(gaps, 2 * np.log1p(gaps)))
    gaps = eps ** (1 / 3) * np.array([1.0, 0.0, 0.5, 0.0, 0.2, 0.0, 0.1, 0.0, 0.05])
    yield draw.apart(EQUAL, 9, own or 2, near(gaps, -gaps))


def extremes(
    options: Options, precision: Callable[[], float], rng: np.random.Generator
) -> Iterator[Laws]:
    """Wide scales and distant means, asked when the rest is right: wrong code may overflow."""
    for laws in _extremes(options, precision, rng):
        short = precision() > HALF and options.reduction != "none"
        for one in _each(laws, options):
            yield _short(one) if short else one


def _extremes(
    options: Options, precision: Callable[[], float], rng: np.random.Generator
) -> Iterator[Laws]:
    draw = Draw(options, rng)
    d = options.layout.d or 2
    if precision() > HALF:
        draw.spread = 0.2
        yield draw.scaled(1.5, 2.5, gap=5.0, d=d)
        return
    deepest = 7.0 if precision() > 1e-10 else 14.0
    yield draw.scaled(12.0, deepest, gap=2.0, d=d)
    # log1p(v0/v1 - 1) has few digits there, and so much is granted
    ratio = np.linspace(-deepest, -21 if deepest > 7 and not options.standard else -12, 9)
    gap = alternate(9, 1.0, 3.0)
    yield draw.apart(NARROW, 9, d, Apart(gap, ratio, -12 - ratio, sharp=False))
    far = 30.0 * (1 + np.arange(9))
    yield draw.apart("means far apart", 9, d, Apart(far, alternate(9, 0.5, 1.0)))
