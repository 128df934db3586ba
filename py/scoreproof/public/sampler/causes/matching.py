"""The formula that the measured coefficients of the steps are, with one place mistaken.

Conventions: as in `coefficients`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.public.sampler.causes.coefficients import Question, but_an_end
from scoreproof.public.sampler.causes.confusions import OTHERS, VECTORS
from scoreproof.public.sampler.causes.etas import etas
from scoreproof.public.sampler.causes.formulas import Formula
from scoreproof.public.sampler.causes.language import Tree, places, shown, weight
from scoreproof.public.sampler.causes.mistakes import Mistake, factors, mistakes, noises, put
from scoreproof.public.sampler.causes.posterior import posteriors

__all__ = ["CLEAR", "Found", "Swap", "found", "plain"]

#: a deviation has to be so many times what is passed over
CLEAR = 30.0
#: a fitted constant this near to a simple one is that
NEAR = 1e-6
SIMPLE = (0.0, -1.0, 2.0, 0.5)
#: what the size of the noise is made of
SIZES = ("var", "std", "sigma_up")
#: between the ends of a step
MIDDLES = {"sigma_mid"}


@dataclass(frozen=True, eq=False)
class Swap:
    """``names`` that stand for others in all places; ``text`` says so. ``late``: what people do
    less than to mistake one place.
    """

    text: str
    names: Mapping[str, Any]
    late: bool = False


@dataclass(frozen=True, eq=False)
class Found:
    """A formula with one mistake that explains the steps: ``mistake`` in a statement, a ``factor``
    in front of a place of it, or names that stand for others throughout (``instead``).
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
    instead: Swap | None = None
    #: steps that are wrong as well, otherwise
    partly: np.ndarray = field(default_factory=lambda: np.zeros(0, bool))

    @property
    def rank(self) -> int:
        """Simpler ones first."""
        if np.sum(self.partly):
            return 6
        if self.instead is not None:
            return 4 if self.instead.late else 1
        if self.factor is None:
            return 2
        return 3 if self.factor in SIMPLE else 5


def everywhere(q: Question) -> list[Swap]:
    """One name that stands for something else in all places."""
    answers: list[Swap] = []
    with np.errstate(all="ignore"):
        for name, value in q.names.items():
            said = shown(("name", name))
            said = "h = λ_next - λ_t (λ = log α/σ)" if name == "h" else said
            changed = {f"{said}²": np.square(value), f"√{said}": np.sqrt(value)}
            changed |= {f"2·{said}": 2 * value, f"{said}/2": value / 2, f"-{said}": -value}
            changed |= {
                shown(("name", n)): q.names[n] for n in OTHERS.get(name, ()) if n in q.names
            }
            if name == "h":
                changed["σ_t - σ_next"] = q.names["sigma_t"] - q.names["sigma_next"]
            if name == "g2":
                changed["σ_t²"] = q.names["sigma_t"] ** 2
            answers += [
                Swap(f"{now} stands where {said} is due, in all places", {name: v}, late=True)
                for now, v in changed.items()
            ]
    return answers


def found(
    formulas: Sequence[Formula],
    q: Question,
    given: float | None,
    swaps: Sequence[Swap],
) -> list[Found]:
    """Every formula with one mistake that explains the steps, the simplest first."""
    answers: list[Found] = []
    for formula in formulas:
        own = q.of(formula)
        if own is None:
            continue
        for eta in etas(formula, own, given):
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
    swaps: Sequence[Swap],
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
        if size < CLEAR * q.tolerance or not but_an_end(wrong, told):
            return None
        misfit = float(np.max(off[told])) / size
        # tables of low precision round a step more that is off by many standard deviations
        far = np.where(np.isfinite(base), np.maximum(base, 1.0), 1.0)
        told = wrong & (off <= q.tolerance * far)
        return told, misfit, size, wrong & ~told

    for swap in (*swaps, *everywhere(q)):
        if not used & set(swap.names):
            continue
        fit = explains(q.off(q.made(formula.program, {**free, **swap.names})))
        if fit:
            yield Found(formula, eta, *fit[:3], instead=swap, partly=fit[3])
    for text, program in posteriors(formula):
        fit = explains(q.off(q.made(program, free)))
        if fit:
            yield Found(formula, eta, *fit[:3], instead=Swap(text, {}, late=True), partly=fit[3])
    for m in (*mistakes(formula.program, OTHERS, VECTORS), *noises(formula.program)):
        if not used & MIDDLES and any(p[-1] in MIDDLES for p, _ in places(m.now)):
            continue  # who does not form it does not put it in
        program = put(formula.program, m.statement, m.tree)
        try:
            for value in (eta, *_eta_of_the_noise(formula, program, m, q)):
                own = free if value is None else {"eta": value}
                fit = explains(q.off(q.made(program, own)))
                if fit:
                    yield Found(formula, value, *fit[:3], mistake=m, partly=fit[3])
                    break
        except KeyError:  # a name that this program does not have
            continue
    for m in factors(formula.program):
        yield from _fitted(formula, eta, q, free, m, explains)


def _eta_of_the_noise(formula: Formula, program: Any, m: Mistake, q: Question) -> list[float]:
    """The η that a mistaken size of the noise was taken with, as the noise tells it."""
    z = "x_next.z"
    if not formula.free or formula.program[m.statement][0] not in SIZES or z not in q.measured:
        return []
    with np.errstate(all="ignore"):
        ratio = (q.measured[z] / q.made(program, {"eta": 1.0})[z])[q.inner]
    if not ratio.size or not np.all(np.isfinite(ratio)) or not 0 < ratio[0] < 1 - NEAR:
        return []
    return [float(ratio[0])] if np.ptp(ratio) <= NEAR * ratio[0] else []


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
    top, bottom = np.zeros(len(wrong)), np.zeros(len(wrong))
    for n in q.measured:
        v = one[n]
        with np.errstate(all="ignore"):
            change = (v - none[n]) * q.sizes[n]
            top += change * (q.measured[n] - none[n]) * q.sizes[n]
            bottom += change**2
    wrong &= np.isfinite(top) & (bottom > 0)
    if not np.any(wrong):
        return
    # an end is often treated apart: the middle one of the steps' own factors
    middle = float(np.median(top[wrong] / bottom[wrong]))
    for c in (middle, -middle):
        c = next((s for s in SIMPLE if abs(c - s) < NEAR), c)
        fit = explains(q.off(q.made(program, {**free, "c": c})))
        if fit:
            yield Found(
                formula,
                eta,
                wrong=fit[0],
                misfit=fit[1],
                size=fit[2],
                mistake=m,
                factor=c,
                partly=fit[3],
            )
            return
