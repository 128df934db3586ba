"""One pairing of a rule with the values of its function, ⟨g J, t⟩ against ⟨g, D⟩, with its error.

D, the derivative of the values along t, comes from differences in double precision
(`numerics.differences`). Both sides are sums over entries; the left is rounded by a few units per
entry, the right has the error of D entry by entry. No entry is thinned out: float64 leaves ten
digits, and a typical entry among 10⁵ shows in the fifth.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local
from scoreproof.numerics.differences import directional

__all__ = ["Probe", "jittered", "longer", "probe", "single_entries"]

WIDE = 0.01  # kinks that leave more than this part of the pairing open decide nothing
SINGLE_ENTRIES = 32  # entries of a user's own rule that are looked at one by one


@dataclass(frozen=True)
class Probe:
    """⟨g J, t⟩ (``back``) against the interval ⟨g, D⟩ ± ``slack`` of the values.

    ``scale``: root of the sum of squares of the terms; ``terms``: how many are not 0.
    """

    back: float
    low: float
    high: float
    slack: float
    scale: float
    terms: int

    @property
    def off(self) -> float:
        return max(self.low - self.back, self.back - self.high, 0.0)

    @property
    def value(self) -> float:
        return (self.low + self.high) / 2

    @property
    def kinked(self) -> bool:
        return self.high - self.low > WIDE * self.scale

    @property
    def usable(self) -> bool:
        return bool(np.isfinite(self.slack))


def jittered(x: Leaves, rng: np.random.Generator, amount: float) -> Leaves:
    """``x`` with each number moved by about ``amount`` of its size (a zero: of its array's)."""
    out = []
    for a in x.arrays:
        finite = a[np.isfinite(a)]
        typical = float(np.sqrt(np.mean(finite**2))) if finite.size else 1.0
        size = np.where(a == 0, typical or 1.0, np.where(np.isfinite(a), np.abs(a), 0.0))
        out.append(
            np.where(np.isfinite(a), a, 0.0)
            + np.where(np.isfinite(a), 0.0, a)
            + amount * size * rng.uniform(0.3, 1.0, a.shape) * rng.choice([-1, 1], a.shape)
        )
    return Leaves(out)


def _signed(size: int, rng: np.random.Generator) -> np.ndarray:
    """Random numbers none of which is small: no entry is thinned out."""
    return rng.uniform(0.7, 1.3, size) * rng.choice([-1.0, 1.0], size)


def _normal(like: Leaves, rng: np.random.Generator) -> Leaves:
    return like.like(rng.standard_normal(like.size))


def probe(
    local: Local,
    k: int,
    unit: float,
    rng: np.random.Generator,
    *,
    relative: bool,
    at: np.ndarray | None = None,
    length: float = 0.0,
) -> Probe:
    """One pairing. ``relative``: each entry moves in proportion to its size; otherwise all alike.
    ``at``: the entries that move (all by default); ``length``: how far, if not by their own size.
    """
    g = _normal(local.value, rng)
    x = local.arguments[k].flat()
    size = np.where(np.isfinite(x), np.abs(x), 0.0)
    typical = float(np.sqrt(np.mean(size**2))) if size.size else 0.0
    typical = length or typical
    step = np.where(size > 0, size, typical or 1.0) if relative else np.full(x.size, typical or 1.0)
    t = np.where(np.isfinite(x), step * rng.standard_normal(x.size), 0.0)
    if at is not None:
        t = np.where(np.isin(np.arange(x.size), at), t, 0.0)
    back = local.pull(g)[k].flat()
    return _paired(local, k, unit, g.flat(), back, t)


def longer(local: Local, k: int, unit: float, rng: np.random.Generator) -> list[Probe]:
    """Probes by steps as long as the value is large: a small term of a large sum shows by them."""
    value, x = local.value.flat(), local.arguments[k].flat()
    value, x = value[np.isfinite(value)], x[np.isfinite(x)]
    if value.size == 0 or x.size == 0:
        return []
    size, old = float(np.sqrt(np.mean(value**2))), float(np.sqrt(np.mean(x**2)))
    g = _normal(local.value, rng)
    slope = float(np.linalg.norm(local.pull(g)[k].flat())) / max(g.norm(), 1e-300)
    lengths = {size, size / slope if slope > 0 else 0.0}
    return [
        probe(local, k, unit, rng, relative=False, length=s)
        for s in sorted(lengths)
        if np.isfinite(s) and s > 3 * old
    ]


def _paired(
    local: Local, k: int, unit: float, g: np.ndarray, back: np.ndarray, t: np.ndarray
) -> Probe:
    x = local.arguments[k]
    flat = x.flat()
    finite = np.where(np.isfinite(flat), flat, 0.0)

    def along(s: float) -> np.ndarray:
        arguments = list(local.arguments)
        arguments[k] = x.like(flat + s * t) if s else x
        return local.function(arguments).flat()

    # terms that cancel in the node's sums are rounded by their own size
    with np.errstate(invalid="ignore"):
        moved = float(np.linalg.norm(back * finite))
    cancelling = moved / max(float(np.linalg.norm(g)), 1e-300)
    values = local.value.flat()
    cancelling = max(
        cancelling,
        float(np.sqrt(np.mean(values[np.isfinite(values)] ** 2)))
        if np.any(np.isfinite(values))
        else 0.0,
    )
    d = directional(along, unit, size=cancelling)
    low, high, slack = d.paired(g)
    terms = back * t
    slack += 8 * unit * (float(np.sum(np.abs(terms))) + float(np.sum(np.abs(g * d.value))))
    scale = max(
        float(np.linalg.norm(terms)),
        float(np.linalg.norm(np.where(d.kinked, 0, g * d.value)))
        if terms.size == d.value.size
        else 0.0,
    )
    if scale == 0:
        scale = float(np.linalg.norm(np.where(d.kinked, 0, g * d.value)))
    count = max(int(np.count_nonzero(terms)), 1)
    return Probe(float(np.sum(terms)), low, high, slack, scale, count)


def single_entries(local: Local, k: int, unit: float, rng: np.random.Generator) -> list[Probe]:
    """A user's own rule, entry by entry: all of an elementwise function, else single ones."""
    n = local.arguments[k].size
    if n == local.value.size and n > SINGLE_ENTRIES:
        found = _elementwise(local, k, unit, rng)
        if found is not None:
            return found
    chosen: Sequence[int] = range(n)
    if n > SINGLE_ENTRIES:
        chosen = [int(i) for i in rng.choice(n, SINGLE_ENTRIES, replace=False)]
    return [probe(local, k, unit, rng, relative=True, at=np.array([i])) for i in chosen]


def _elementwise(local: Local, k: int, unit: float, rng: np.random.Generator) -> list[Probe] | None:
    """One probe an entry, if entry i of the value depends on entry i of the argument alone."""
    x = local.arguments[k]
    flat = x.flat()
    t = np.where(flat != 0, np.abs(flat), 1.0) * _signed(flat.size, rng)
    half = np.where(rng.random(flat.size) < 0.5, t, 0.0)

    def moved(direction: np.ndarray) -> Leaves:
        arguments = list(local.arguments)
        arguments[k] = x.like(flat + 1e-3 * direction)
        return local.function(arguments)

    whole, part, none = moved(t).flat(), moved(half).flat(), local.value.flat()
    if not np.array_equal(part, np.where(half != 0, whole, none)):
        return None

    def along(s: float) -> np.ndarray:
        arguments = list(local.arguments)
        arguments[k] = x.like(flat + s * t) if s else x
        return local.function(arguments).flat()

    g = _signed(flat.size, rng)
    back = local.pull(local.value.like(g))[k].flat()
    # the argument is rounded as well, by a unit of its own size
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.nan_to_num(np.abs(back * flat / g), posinf=0.0)
    d = directional(along, unit, size=size)
    low = np.where(d.kinked, np.minimum(g * d.lower, g * d.upper), g * d.value)
    high = np.where(d.kinked, np.maximum(g * d.lower, g * d.upper), g * d.value)
    left = back * t
    slack = np.abs(g) * d.error + 16 * unit * (np.abs(left) + np.abs(g * d.value))
    ratio = np.maximum(np.maximum(low - left, left - high), 0) / np.maximum(slack, 1e-300)
    ratio = np.where(np.isfinite(slack), ratio, 0)
    worst = np.argsort(-ratio)[:4]
    return [
        Probe(
            float(left[i]),
            float(low[i]),
            float(high[i]),
            float(slack[i]),
            float(max(abs(left[i]), abs(g[i] * d.value[i]))),
            1,
        )
        for i in worst
    ]
