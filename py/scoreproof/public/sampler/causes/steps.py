"""The coefficients of every step: of x before it, of what its model predicts at each call, of what
was predicted in earlier steps, and of its noises.

Conventions: keys ``target.source``. Targets: ``x_next``, and ``mid``, ``mid_2``, ``mid_3``, the x
of the second to fourth call. Sources: ``x``; ``c1`` … ``c4``, what is predicted at the calls;
``o1`` … ``o3``, at the last calls of steps before; ``z`` and ``z_2``, the noises, in absolute
value. Arrays ``(steps, d)``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise as pairs

import numpy as np

from scoreproof.public.sampler.causes.patterns import regular
from scoreproof.public.sampler.causes.tableau import Tableau
from scoreproof.public.sampler.data import Level

__all__ = ["MIDS", "Steps", "given_steps", "relevelled", "steps_of"]

#: relative: a coefficient of less than this is 0
NOTHING = 1e-11
MIDS = ("mid", "mid_2", "mid_3")
CALLS = ("c1", "c2", "c3", "c4")
#: earlier predictions that a step may look back at
MEMORY = 3


@dataclass(frozen=True, eq=False)
class Steps:
    """``before`` and ``after``: the levels of the grid at both ends; ``told``: of each call, for
    each step; ``stale``: draws that enter a step although they entered an earlier one; ``stages``:
    calls of a step; ``short``: how many steps of the grid are not taken; ``offset``:
    what is added in each step where all that goes in is 0; ``lasting``: the one call whose
    prediction enters all steps long after its own.
    """

    before: tuple[Level, ...]
    after: tuple[Level, ...]
    told: tuple[tuple[Level, ...], ...]
    coefficients: dict[str, np.ndarray]
    sizes: dict[str, np.ndarray]
    stale: tuple[int, ...]
    stages: int
    short: int
    offset: np.ndarray
    lasting: int | None = None

    @property
    def count(self) -> int:
        return len(self.before)


def steps_of(found: Tableau) -> Steps | None:
    """The steps of a tableau; ``None`` where calls and steps do not go together."""
    found = regular(found)
    n, m = found.steps, found.calls
    if len(found.levels) != n + 1:
        return None
    short = n - m if 3 <= m < n - 1 and not found.stepwise else 0
    levels = found.levels[: m + 1] if short else found.levels
    n -= short
    stages = next((s for s in (1, 2, 3, 4) if s * (n - 1) <= m <= s * n), None)
    if stages is None:
        return None
    if found.stepwise and len(found.states) == n:
        x = [*found.states, found.end]  # a step may ask its model elsewhere
    else:
        x = [*found.asked[::stages][:n], found.end]
        if len(x) == n and m == stages * (n - 1) and not found.stepwise:  # no call in the last step
            short, n, levels = 1, n - 1, levels[:-1]
    if len(x) != n + 1:
        return None
    bare = [*found.constants[1], found.constants[2]]
    if not (found.stepwise and len(found.states) == n):
        bare = [*found.constants[0][::stages][:n], found.constants[2]]
    read = _Read(found, x, stages)
    for k in range(n):
        read.step(k)
    told = tuple(found.told[stages * k : stages * (k + 1)] for k in range(n))
    before, after = levels[:-1], levels[1:]
    merged = _merged(read.noises, n, found.end.shape[-1])
    coefficients = {**read.coefficients, **merged}
    return Steps(
        before,
        after,
        told,
        coefficients,
        _sizes(before, after, coefficients),
        tuple(read.stale),
        stages,
        short,
        np.stack([b - coefficients["x_next.x"][k] * a for k, (a, b) in enumerate(pairs(bare))]),
        read.lasting(),
    )


def relevelled(steps: Steps, before: tuple[Level, ...], after: tuple[Level, ...]) -> Steps:
    """The same steps, taken to lead between other levels."""
    sizes = _sizes(before, after, steps.coefficients)
    return replace(steps, before=before, after=after, sizes=sizes)


def given_steps(
    before: tuple[Level, ...],
    after: tuple[Level, ...],
    told: tuple[tuple[Level, ...], ...],
    numbers: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> Steps:
    """Steps with one call and one draw, whose coefficients of x, x_0 and z are known."""
    x, x0, z = (v[:, None] for v in numbers)
    known = {"x_next.x": x, "x_next.c1": x0, "x_next.z": np.abs(z)}
    sizes = _sizes(before, after, known)
    return Steps(before, after, told, known, sizes, (), 1, 0, np.zeros_like(x))


class _Read:
    """Reads off the steps, one after the other."""

    def __init__(self, found: Tableau, x: list[np.ndarray], stages: int) -> None:
        self.found, self.x, self.stages = found, x, stages
        self.n, self.m, self.d = len(x) - 1, found.calls, found.end.shape[-1]
        self.coefficients: dict[str, np.ndarray] = {}
        self.noises: dict[str, list[list[np.ndarray]]] = {}
        self.stale: list[int] = []
        self.old: list[set[int]] = []

    def lasting(self) -> int | None:
        """The one call of an early step that the later steps answer to."""
        late = self.old[3 * MEMORY :]
        each = [o for o in late if o]
        if len(each) < max(4, len(late) - 2) or len(set().union(*each)) != 1:
            return None
        return next(iter(each[0]))

    def step(self, k: int) -> None:
        """All targets of the k-th step."""
        s, now = self.stages, self.x[k]
        self.old.append(_old(now, self.x[k + 1], s * (k - MEMORY)))
        calls = list(range(s * k, min(s * (k + 1), self.m)))
        targets = [("x_next", self.x[k + 1], len(calls))]
        targets += [(MIDS[j - 1], self.found.asked[c], j) for j, c in enumerate(calls) if j > 0]
        for memory in range(MEMORY if s == 1 else 0, -1, -1):
            back = list(range(s * k - 1, max(s * k - 1 - memory, -1), -1))
            past = [0, *(1 + c for c in range(s * k) if c not in back)]
            if np.all(np.any(now[past] != 0, axis=0)):
                break  # x before the step answers to something that the step does not look back at
        for target, then, known in targets:
            a = _slope(now[past], then[past])
            self._put(target, "x", k, a)
            for name, c in zip(CALLS, calls[:known], strict=False):
                self._put(target, name, k, then[1 + c])
            for j, c in enumerate(back):
                self._put(
                    target, f"o{j + 1}", k, _nothing(then[1 + c] - a * now[1 + c], then[1 + c])
                )
            self._noise(target, k, now[1 + self.m :], then[1 + self.m :], a)

    def _noise(self, target: str, k: int, now: np.ndarray, then: np.ndarray, a: np.ndarray) -> None:
        z = _nothing(then - a * now, a * now)
        entered = (np.abs(now).max(axis=1, initial=0.0) > 0) & np.isfinite(z).all(axis=1)
        again = entered & (np.abs(z).max(axis=1, initial=0.0) > 1e-6)
        if target == "x_next":
            self.stale += [int(j) for j in np.flatnonzero(again)]
        fresh = [np.abs(v) for v, old in zip(z, entered, strict=True) if not old and np.any(v)]
        self.noises.setdefault(target, [[] for _ in range(self.n)])[k] = fresh

    def _put(self, target: str, source: str, k: int, value: np.ndarray) -> None:
        key = f"{target}.{source}"
        self.coefficients.setdefault(key, np.zeros((self.n, self.d)))[k] = value


def _merged(noises: dict[str, list[list[np.ndarray]]], n: int, d: int) -> dict[str, np.ndarray]:
    """One noise or two of each step; more of them together."""
    most = [len(z) for z in noises.get("x_next", [])]
    two = bool(most) and max(most) == 2 and sum(v == 2 for v in most) >= n - 2
    found = {}
    for target, each in noises.items():
        one, other = np.zeros((n, d)), np.zeros((n, d))
        for k, z in enumerate(each):
            if two and len(z) == 2:
                one[k], other[k] = z
            elif z:
                one[k] = np.sqrt(np.sum([v**2 for v in z], axis=0))
        found[f"{target}.z"] = one
        if two:
            found[f"{target}.z_2"] = other
    return found


def _slope(now: np.ndarray, then: np.ndarray) -> np.ndarray:
    """The factor ``(d,)`` from the one to the other: rows fade over many steps, those that are
    largest now decide.
    """
    strong, d = np.abs(np.nan_to_num(now)).argmax(axis=0), np.arange(now.shape[1])
    with np.errstate(all="ignore"):
        a = then[strong, d] / now[strong, d]
    return np.where(now[strong, d] == 0, 0.0, a)


def _old(now: np.ndarray, then: np.ndarray, before: int) -> set[int]:
    """The calls before that one which enter a step otherwise than by x, as most of them do."""
    if before < 2 * MEMORY:
        return set()
    past = slice(0, 1 + before)
    with np.errstate(all="ignore"):
        usual = np.median(then[past] / now[past], axis=0)
        left = np.abs(then[past] - usual * now[past])
        odd = left > 1e-7 * np.abs(then[past]).max(axis=0)
    return {int(j) for j in np.flatnonzero(odd[1:].all(axis=1))}


def _nothing(value: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """0 where a difference is rounding of its parts."""
    return np.where(np.abs(value) <= NOTHING * np.abs(parts), 0.0, value)


def _sizes(
    before: tuple[Level, ...], after: tuple[Level, ...], keys: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """What a deviation of each coefficient is relative to: what it does to x after the step, in
    standard deviations of the noise there.
    """
    pairs = list(zip(before, after, strict=True))
    noise = np.array([max(v.sigma, 1e-3 * u.sigma, 1e-12) for u, v in pairs])
    x = np.array([np.hypot(v.alpha, v.sigma) for v in before])
    return {key: (x if key.endswith(".x") else 1.0) / noise for key in keys}
