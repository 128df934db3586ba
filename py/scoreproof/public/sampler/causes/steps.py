"""The coefficients of every step: of x before it, of the x_0 that its model predicts, of the x_0
predicted a step earlier, and of the noise.

Conventions: arrays ``(steps, d)``; a step with two calls of the model has a ``mid`` as well, the x
of its second call. ``z`` is the root of the sum of squares of the noises that enter with the step.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.sampler.causes.tableau import Tableau
from scoreproof.public.sampler.data import Level

__all__ = ["Steps", "steps_of"]

#: relative: a coefficient of less than this is 0
NOTHING = 1e-11


@dataclass(frozen=True, eq=False)
class Steps:
    """``before`` and ``after``: the levels of the grid at both ends; ``told``: of each call, for
    each step; ``stale``: draws that enter a step although they entered an earlier one, with their
    coefficients; ``rest``: what no coefficient explains (another model output, further back);
    ``short``: how many steps of the grid are not taken.
    """

    before: tuple[Level, ...]
    after: tuple[Level, ...]
    told: tuple[tuple[Level, ...], ...]
    coefficients: dict[str, np.ndarray]
    sizes: dict[str, np.ndarray]
    stale: tuple[int, ...]
    rest: np.ndarray
    stages: int
    short: int

    @property
    def count(self) -> int:
        return len(self.before)

    def column(self, name: str, i: int = 0) -> np.ndarray:
        """The coefficients of one source in coordinate i, a number a step."""
        return self.coefficients[name][:, i]


def steps_of(found: Tableau) -> Steps | None:
    """The steps of a tableau; ``None`` where calls and steps do not go together."""
    n, m = found.steps, found.calls
    if len(found.levels) != n + 1:
        return None
    short = n - m if 3 <= m < n - 1 and not found.stepwise and found.asked.shape[0] == m else 0
    levels = found.levels[: m + 1] if short else found.levels
    n -= short
    if m in (n, n - 1):
        stages = 1
    elif m in (2 * n, 2 * n - 1, 2 * n - 2):
        stages = 2
    else:
        return None
    if found.stepwise and len(found.states) == n:
        x = [*found.states, found.end]  # a step may ask its model elsewhere
    else:
        x = [*found.asked[::stages][:n], found.end]
    if len(x) != n + 1:
        return None
    d = found.end.shape[-1]
    names = (
        ("x", "x_0", "old", "z") if stages == 1 else ("mid_x", "mid_x_0", "x", "x_0", "x_2", "z")
    )
    coefficients = {name: np.zeros((n, d)) for name in names}
    rest = np.zeros((n, d))
    stale: list[int] = []
    for k in range(n):
        now, then = x[k], x[k + 1]
        fresh = [c for c in range(stages * k, min(stages * (k + 1), m))]
        row = {c: 1 + c for c in range(m)}
        noise = slice(1 + m, len(now))
        old = [row[stages * k - 1]] if stages == 1 and k > 0 else []
        past = [0, *(row[c] for c in range(stages * k) if row[c] not in old)]
        a, off = _slope(now[past], then[past])
        coefficients["x"][k], rest[k] = a, off
        for name, c in zip(("x_0", "x_2"), fresh, strict=False):
            coefficients[name][k] = then[row[c]]
        for r in old:
            coefficients["old"][k] = _nothing(then[r] - a * now[r], a * now[r])
        if stages == 2 and len(fresh) == 2:
            mid = found.asked[fresh[1]]
            coefficients["mid_x"][k], off = _slope(now[past], mid[past])
            rest[k] = np.maximum(rest[k], off)
            coefficients["mid_x_0"][k] = mid[row[fresh[0]]]
        z = _nothing(then[noise] - a * now[noise], a * now[noise])
        entered = np.abs(now[noise]).max(axis=1) > 0
        entered &= np.isfinite(z).all(axis=1)
        stale += [int(j) for j in np.flatnonzero(entered & (np.abs(z).max(axis=1) > 1e-6))]
        coefficients["z"][k] = np.sqrt((z**2).sum(axis=0))
    before, after = levels[:-1], levels[1:]
    told = tuple(found.told[stages * k : stages * (k + 1)] for k in range(n))
    sizes = _sizes(before, after)
    return Steps(before, after, told, coefficients, sizes, tuple(stale), rest, stages, short)


def _slope(now: np.ndarray, then: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The factor ``(d,)`` from the one to the other, and by how much it is none."""
    weight = (now**2).sum(axis=0)
    size = np.abs(then).max(axis=0)
    with np.errstate(all="ignore"):
        # rows fade over many steps: those that are largest now decide
        strong = np.abs(now).argmax(axis=0)
        d = np.arange(now.shape[1])
        a = np.where(weight > 0, then[strong, d] / now[strong, d], 0.0)
        off = np.abs(then - a * now).max(axis=0) / np.maximum(size, 1e-300)
    return a, np.where(size > 0, off, 0.0)


def _nothing(value: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """0 where a difference is rounding of its parts."""
    return np.where(np.abs(value) <= NOTHING * np.abs(parts), 0.0, value)


def _sizes(before: tuple[Level, ...], after: tuple[Level, ...]) -> dict[str, np.ndarray]:
    """What a deviation of each coefficient is relative to: what it does to x after the step, in
    standard deviations of the noise there.
    """
    noise = np.array(
        [max(v.sigma, 1e-3 * u.sigma, 1e-12) for u, v in zip(before, after, strict=True)]
    )
    x = np.array([np.hypot(v.alpha, v.sigma) for v in before])
    one = {name: 1 / noise for name in ("x_0", "old", "x_2", "mid_x_0", "z")}
    return {**one, "x": x / noise, "mid_x": x / noise}
