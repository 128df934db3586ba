"""The formula that the measured coefficients of the steps are, with one place mistaken.

Conventions: as in `steps`; what a formula makes of a step is read off by putting in 1 for one source
and 0 for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from scoreproof.public.sampler.causes.formulas import Formula
from scoreproof.public.sampler.causes.language import (
    Mistake,
    Program,
    Tree,
    evaluated,
    mistakes,
    parsed,
    places,
    shown,
    weight,
)
from scoreproof.public.sampler.causes.steps import MIDS
from scoreproof.public.sampler.causes.texts import NOISES, OTHERS, VECTORS

__all__ = ["Found", "Question", "etas", "factors", "found", "halves", "plain", "put", "right"]

#: what comes in: x, what is predicted at each call, what was, the noises
SOURCES = ("x", "c1", "c2", "c3", "c4", "o1", "o2", "o3", "z", "z_2", "nothing")
#: a deviation has to be so many times what is passed over
CLEAR = 30.0
#: a fitted constant this near to a simple one is that
NEAR = 1e-6
SIMPLE = (0.0, -1.0, 2.0, 0.5)


@dataclass(frozen=True, eq=False)
class Question:
    """``measured`` ``(steps,)`` by source; ``sizes`` what deviations are relative to; ``names``:
    the numbers that a formula speaks of; ``outs``: what the model returns is
    ``out[0] x + out[1] x_0``, of each call; ``inner``: the steps that are compared.
    """

    measured: Mapping[str, np.ndarray]
    sizes: Mapping[str, np.ndarray]
    names: Mapping[str, Any]
    outs: tuple[tuple[np.ndarray, np.ndarray], ...]
    inner: np.ndarray
    tolerance: float
    by_eps: Question | None = None

    def made(self, program: Program, names: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The coefficients that a program makes."""
        unit: dict[str, Any] = dict(zip(SOURCES, np.eye(len(SOURCES))[:, :, None], strict=True))
        unit.pop("nothing")
        given = {**self.names, **names, **unit}

        def returned(j: int) -> Callable[[Any], dict[str, Any]]:
            u, w = self.outs[j]
            name = "out" if j == 0 else f"out_{j + 1}"
            return lambda y: {name: u * y + w * unit[f"c{j + 1}"]}

        given |= returned(0)(unit["x"])
        then = {MIDS[j - 1]: returned(j) for j in range(1, len(self.outs))}
        values = evaluated(program, given, then)
        k = len(self.inner)
        rows = {t: np.broadcast_to(values[t], (len(SOURCES), k)) for t in self.targets if t in values}
        if any(np.any(np.nan_to_num(row[-1]) != 0) for row in rows.values()):  # a number where a vector is due
            rows = {}
        found = {}
        for key in self.measured:
            target, source = key.split(".")
            row = rows[target][SOURCES.index(source)] if target in rows else np.full(k, np.nan)
            found[key] = np.abs(row) if source in ("z", "z_2") else row
        return found

    def off(self, made: Mapping[str, np.ndarray]) -> np.ndarray:
        """By how much each step is off, as `steps.Steps.sizes` weighs it."""
        with np.errstate(all="ignore"):
            if not self.measured:
                return np.zeros(len(self.inner))
            parts = [
                np.abs(v - made[n]) * self.sizes[n] for n, v in self.measured.items() if n in made
            ]
            return np.nan_to_num(np.max(parts, axis=0), nan=np.inf)

    @property
    def targets(self) -> set[str]:
        return {key.split(".")[0] for key in self.measured}

    def of(self, formula: Formula) -> Question | None:
        """Of a formula whose numbers are known: all steps, but the first where it looks back."""
        if formula.by == "eps":
            return None if self.by_eps is None else self.by_eps.of(replace(formula, by="x_0"))
        used = {p[1] for _, t in formula.program for p, _ in places(t) if p[0] == "name"}
        made = {target for target, _ in formula.program}
        outs = {"out", *(f"out_{j + 1}" for j in range(1, len(self.outs)))}
        mids = set(MIDS) & {key.split(".")[0] for key in self.measured}
        if not used <= {*self.names, *made, *SOURCES, *outs, "eta"} or not mids <= made:
            return None
        late = np.arange(len(self.inner)) >= formula.start
        measured = self.measured
        if "z_2" not in used and "x_next.z_2" in measured:  # two draws where one is due
            measured = dict(measured)
            for target in self.targets:
                second = measured.pop(f"{target}.z_2")
                measured[f"{target}.z"] = np.hypot(measured[f"{target}.z"], second)
        return replace(self, inner=self.inner & late, measured=measured)

    def worst(self, off: np.ndarray) -> float:
        """The largest of the steps that are compared."""
        return float(np.max(off[self.inner], initial=0.0))


@dataclass(frozen=True, eq=False)
class Found:
    """A formula with one mistake that explains the steps: ``mistake`` in a statement, a ``factor``
    in front of a place of it, or ``names`` that stand for others throughout (``instead`` says so).
    ``wrong``: the steps at which it differs from the formula; ``misfit``: what it leaves there, in
    parts of what is wrong.
    """

    formula: Formula
    eta: float | None
    wrong: np.ndarray
    misfit: float
    size: float
    mistake: Mistake | None = None
    factor: float | None = None
    instead: str = ""
    #: steps that are wrong as well, otherwise
    partly: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))

    @property
    def rank(self) -> int:
        """Simpler ones first."""
        if np.sum(self.partly):
            return 6
        if self.instead:
            late = self.instead.startswith("the two ends") or self.instead.endswith("all places")
            return 4 if late else 1
        if self.factor is None:
            return 2
        return 3 if self.factor in SIMPLE else 5


def etas(formula: Formula, q: Question, given: float | None) -> list[float | None]:
    """The η that the formula may have been meant with."""
    if not formula.free:
        return [None]
    if given is not None:
        return [given]
    z = "x_next.z"
    if z not in q.measured:
        return [1.0]
    made = q.made(formula.program, {"eta": 1.0})[z]
    with np.errstate(all="ignore"):
        ratio = (q.measured[z] / made)[q.inner]
        ratio = ratio[np.isfinite(ratio)]
    found: list[float | None] = [1.0]  # its noise may be forgotten, then
    if ratio.size and 0 < ratio[0] <= 1 + 1e-9 and np.ptp(ratio) <= 1e-6 * np.max(ratio):
        found = [float(ratio[0]), 1.0]
    by_mean = _of_the_mean(formula, q)
    return list(dict.fromkeys([*found, *([by_mean] if by_mean else [])]))


def _of_the_mean(formula: Formula, q: Question) -> float | None:
    """The η that the mean of the steps has."""
    half = halves(q)[0]

    def off(eta: float) -> float:
        value = half.worst(half.off(half.made(formula.program, {"eta": eta})))
        return value if np.isfinite(value) else 1e300

    grid = np.linspace(0.02, 1.0, 50)
    best = grid[int(np.argmin([off(e) for e in grid]))]
    low, high = max(best - 0.02, 1e-3), min(best + 0.02, 1.0)
    for _ in range(60):
        one, two = high - 0.618 * (high - low), low + 0.618 * (high - low)
        low, high = (low, two) if off(one) < off(two) else (one, high)
    eta = (low + high) / 2
    near = round(eta, 6)
    return float(near) if off(near) <= q.tolerance else None


def right(
    formulas: Sequence[Formula], q: Question, given: float | None
) -> list[tuple[Formula, float | None]]:
    """The formulas that all compared steps are, as they should be."""
    return [
        (f, eta)
        for f in formulas
        if (own := q.of(f)) is not None and 2 * np.sum(own.inner) >= max(4, np.sum(q.inner))
        for eta in etas(f, own, given)
        if own.worst(own.off(own.made(f.program, {"eta": eta}))) <= q.tolerance
    ]


def halves(q: Question) -> tuple[Question, Question]:
    """The question about the mean of a step, and that about its noise."""
    noises = {n: v for n, v in q.measured.items() if n.split(".")[1] in ("z", "z_2")}
    mean = {n: v for n, v in q.measured.items() if n not in noises}
    return replace(q, measured=mean), replace(q, measured=noises)


def everywhere(q: Question) -> list[tuple[str, Mapping[str, Any]]]:
    """One name that stands for something else in all places."""
    answers: list[tuple[str, Mapping[str, Any]]] = []
    with np.errstate(all="ignore"):
        for name, value in q.names.items():
            said = shown(("name", name))
            changed = {f"{said}²": np.square(value), f"√{said}": np.sqrt(value)}
            changed |= {f"2·{said}": 2 * value, f"{said}/2": value / 2, f"-{said}": -value}
            changed |= {shown(("name", n)): q.names[n] for n in OTHERS.get(name, ()) if n in q.names}
            if name == "g2":
                changed["σ_t²"] = q.names["sigma_t"] ** 2
            answers += [
                (f"{now} stands where {said} is due, in all places", {name: v})
                for now, v in changed.items()
            ]
    return answers


def found(
    formulas: Sequence[Formula],
    q: Question,
    given: float | None,
    swaps: Sequence[tuple[str, Mapping[str, Any]]],
) -> list[Found]:
    """Every formula with one mistake that explains the steps, the simplest first."""
    answers: list[Found] = []
    for formula in formulas:
        own = q.of(formula)
        for eta in etas(formula, own, given) if own is not None else ():
            base = own.off(own.made(formula.program, {"eta": eta}))
            if np.any(np.isfinite(base[own.inner])):
                answers += _of(formula, eta, own, base, swaps)
    return sorted(answers, key=lambda a: (a.rank, _whole(a, q), *plain(a, formulas)))


def plain(answer: Found, formulas: Sequence[Formula]) -> tuple[int, int, int]:
    """Of mistakes that make the same numbers, which is said: a factor of the noise, of what the
    model returned or of a term; else what adds the least.
    """
    m, at = answer.mistake, formulas.index(answer.formula)
    if m is None:
        return 0, at, 0
    more = weight(m.tree) - weight(answer.formula.program[m.statement][1])
    if answer.factor is None:
        return max(more, 0) // 6, at, more
    last = m.statement == len(answer.formula.program) - 1
    order: list[Tree] = [("name", "z"), ("name", "out")]
    if answer.formula.kind == "score":
        order.pop()
    if m.was in order:
        return 0, at, order.index(m.was)
    return 1, at, 0 if last else weight(m.was)


def _whole(answer: Found, q: Question) -> bool:
    """Whether only some steps are wrong: a mistake that is everywhere goes first."""
    return bool(np.sum(answer.wrong & q.inner) < np.sum(q.inner))


def _of(
    formula: Formula,
    eta: float | None,
    q: Question,
    base: np.ndarray,
    swaps: Sequence[tuple[str, Mapping[str, Any]]],
) -> Iterator[Found]:
    free: dict[str, Any] = {} if eta is None else {"eta": eta}
    used = {p[1] for _, t in formula.program for p, _ in places(t) if p[0] == "name"}

    def explains(off: np.ndarray) -> tuple[np.ndarray, float, float, np.ndarray] | None:
        off = np.where(np.isfinite(off), off, np.inf)
        wrong = q.inner & ~(base <= q.tolerance)
        if not np.any(wrong):
            return None
        size = float(np.max(np.where(np.isfinite(base), base, 0.0)[wrong]))
        told = wrong & (off <= q.tolerance)
        if size < CLEAR * q.tolerance or not _but_an_end(wrong, told):
            return None
        return told, float(np.max(off[told])) / size, size, wrong & ~told

    for text, names in (*swaps, *everywhere(q)):
        if not used & set(names):
            continue
        told = explains(q.off(q.made(formula.program, {**free, **names})))
        if told:
            yield Found(formula, eta, *told[:3], instead=text, partly=told[3])
    for m in (*mistakes(formula.program, OTHERS, VECTORS), *_noises(formula.program)):
        program = put(formula.program, m.statement, m.tree)
        try:
            told = explains(q.off(q.made(program, free)))
        except KeyError:  # a name that this program does not have
            continue
        if told:
            yield Found(formula, eta, *told[:3], mistake=m, partly=told[3])
    for m in factors(formula.program):
        yield from _fitted(formula, eta, q, free, m, explains)


def _but_an_end(wrong: np.ndarray, told: np.ndarray) -> bool:
    """Whether all that is wrong is explained, but for a step or two at one end: starts and ends are
    often treated apart.
    """
    at, known = np.flatnonzero(wrong), np.flatnonzero(told)
    if len(known) == len(at):
        return True
    most = 1 + len(at) // 20
    inside = len(known) == known[-1] - known[0] + 1 if len(known) else False
    return inside and len(known) >= 5 and len(at) - len(known) <= most


def _fitted(
    formula: Formula,
    eta: float | None,
    q: Question,
    free: dict[str, Any],
    m: Mistake,
    explains: Any,
) -> Iterator[Found]:
    """A constant in front of a place, as the steps that are wrong tell it."""
    program = put(formula.program, m.statement, m.tree)
    none, one = (q.made(program, {**free, "c": c}) for c in (0.0, 1.0))
    base = q.off(one)
    wrong = q.inner & ~(base <= q.tolerance) & np.isfinite(base)
    top = bottom = 0.0
    for n in q.measured:
        v = one[n]
        with np.errstate(all="ignore"):
            change = ((v - none[n]) * q.sizes[n])[wrong]
            due = ((q.measured[n] - none[n]) * q.sizes[n])[wrong]
            top += float(np.sum(change * due))
            bottom += float(np.sum(change**2))
    if not (np.isfinite(top) and bottom > 0):
        return
    for c in (top / bottom, -top / bottom):
        c = next((s for s in SIMPLE if abs(c - s) < NEAR), c)
        told = explains(q.off(q.made(program, {**free, "c": c})))
        if told:
            yield Found(formula, eta, *told[:3], mistake=m, factor=c, partly=told[3])
            return


def factors(program: Program) -> Iterator[Mistake]:
    """A factor c in front of each vector of each statement."""
    vectors = set(VECTORS) - {"x_next"}
    for k, (_, tree) in enumerate(program):
        for part, put in places(tree):
            if any(p[0] == "name" and p[1] in vectors for p, _ in places(part)):
                now: Tree = ("*", ("name", "c"), part)
                yield Mistake(k, put(now), part, now)


def _noises(program: Program) -> Iterator[Mistake]:
    """Another size of the noise."""
    k = len(program) - 1
    tree = program[k][1]
    table = any(p == ("name", "abar_t") for _, t in program for p, _ in places(t))
    for part, put in places(tree):
        if part[0] == "*" and part[2] == ("name", "z"):
            for _, size in _SIZES:
                names = {p[1] for p, _ in places(size) if p[0] == "name"}
                if names & (
                    {"sigma_t", "sigma_next"} if table else {"abar_t", "abar_prev", "beta_t"}
                ):
                    continue
                now: Tree = ("*", size, part[2])
                if now != part:
                    yield Mistake(k, put(now), part, now)


_SIZES = parsed("\n".join(f"s = {text}" for text in NOISES))


def put(program: Program, k: int, tree: Tree) -> Program:
    """The program with another k-th statement."""
    return (*program[:k], (program[k][0], tree), *program[k + 1 :])


def narrowed(q: Question, inner: np.ndarray) -> Question:
    """The same question about other steps."""
    return replace(q, inner=inner)
