"""Which x the noises of encode are made of: the one that its model is asked at, the one that the
mean is formed of, and the one that the mean is taken off.

Conventions: as in `noises`, but what the model returns is prescribed, whatever that is; ``xs[k]``
is x where the k-th step begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

__all__ = ["Side", "elsewhere"]

#: relative: a noise is made of these x
NEAR = 1e-7
#: how far from a step its x are sought
FAR = (0, 1, -1, 2)


@dataclass(frozen=True, eq=False)
class Side:
    """Of each step: which x enter it, a, b and s, and the level that the model is told; of encode
    also how its noise answers to each x, ``z`` ``(steps, times)``, and at which x its model is
    ``asked``.
    """

    entering: list[list[int]]
    a: np.ndarray
    b: np.ndarray
    s: np.ndarray
    told: list[tuple[float, float]]
    z: np.ndarray = field(default_factory=lambda: np.zeros((0, 0)))
    asked: list[list[int]] = field(default_factory=list)


def elsewhere(up: Side, down: Side, times: Sequence[float]) -> str:
    """Where encode's noises are made of other x than decode's steps are; empty where they are not,
    or where it is not told.
    """
    n = len(times) - 1
    asked = _asked(up, n)
    made = _made(up, down, n)
    if made is None or asked is None or (*made, asked) == (0, 1, 0):
        return ""
    mean, whole = made
    first = f"in the first step, from {times[0]:g} to {times[1]:g}"

    def at(j: int) -> str:
        return f"x at {times[min(max(j, 0), n)]:g}"

    parts = []
    if mean == asked != 0:
        parts.append(
            f"the model is asked at, and the mean is formed of, {_index(mean)} ({first}, of"
            f" {at(mean)}), where xs[k] is due, x at the time where the step begins"
        )
    elif asked:
        parts.append(
            f"the model is asked at {_index(asked)} ({first}, at {at(asked)}), where it is to be"
            " asked at xs[k], x at the time where the step begins"
        )
    if mean and mean != asked:
        parts.append(f"the mean is formed of {_index(mean)} ({first}, of {at(mean)}), not of xs[k]")
    if whole != 1:
        parts.append(
            f"the mean is taken off {_index(whole)} ({first}, off {at(whole)}), where xs[k + 1] is"
            " due, x at the time where the step ends"
        )
    return f"in encode's step k {', and '.join(parts)}: z_k = (xs[k + 1] - mean(xs[k]))/σ"


def _index(j: int) -> str:
    return f"xs[k{f' {chr(43) if j > 0 else chr(45)} {abs(j)}' if j else ''}]"


def _asked(up: Side, n: int) -> int | None:
    """How far from its step the x is that each step's model is asked at."""
    if len(up.asked) != n:
        return None
    return next((i for i in FAR if all(up.asked[k] == [_at(k + i, n)] for k in range(n))), None)


def _made(up: Side, down: Side, n: int) -> tuple[int, int] | None:
    """How far from its step the x are that the mean is formed of, and that it is taken off."""
    for whole, mean in product((1, 0, 2, -1), FAR):
        due = np.zeros_like(up.z)
        for k in (int(j) for j in np.flatnonzero(down.s)):
            due[k, _at(k + whole, n)] += 1 / down.s[k]
            due[k, _at(k + mean, n)] -= down.a[k] / down.s[k]
        if np.all(np.abs(up.z - due) <= NEAR * np.max(np.abs(due), axis=1, keepdims=True)):
            return mean, whole
    return None


def _at(j: int, n: int) -> int:
    return min(max(j, 0), n)
