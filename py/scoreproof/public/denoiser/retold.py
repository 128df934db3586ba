"""What would make a wrong network right: asked again at other times, of x in other units, and its
answer read as another kind of prediction.

Conventions: a question is a change of the time, of the scale of x, or none; an answer to it is read
in every way. Of what explains the deviation the one with the fewest changes is named.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import guarded
from scoreproof.public.denoiser.questions import questions
from scoreproof.public.denoiser.retold_words import kind_words
from scoreproof.public.denoiser.sweep import AtLevel, Sweep
from scoreproof.public.denoiser.verdict import measured
from scoreproof.public.network.calling import TimeForm
from scoreproof.public.network.levels import NoiseLevel
from scoreproof.public.posterior.causes import told
from scoreproof.words import enumerated, percent

__all__ = ["AT", "Tried", "asked_at", "beyond_table", "off_at", "retold", "tried_levels"]

#: levels that an explanation has to explain
AT = 3
#: what it may leave of the deviation, and at most of the size that errors are relative to
LEFT = NEARLY = 0.05
#: what a time that is searched for may leave of the deviation
EXACT = 1e-6
#: what is right stays so within this
STAYS = 2e-3


@dataclass(frozen=True)
class _Found:
    names: tuple[str, ...]
    words: tuple[str, ...]
    left: float
    error: float
    beyond: str = ""


def retold(sweep: Sweep, wrong: list[AtLevel]) -> Diagnosis | None:
    """The change that makes the network right at every wrong level that is tried, and leaves it so
    at two where it is right, if there is one.

    Calls the network once a question and level, about 30 times at the first level and seldom at
    the others.
    """
    spread = np.unique(np.linspace(0, len(wrong) - 1, min(AT, len(wrong))).round().astype(int))
    tried = tried_levels(sweep, [wrong[k] for k in spread])
    # what is right already has to stay right
    right = [a for a in sweep.at if a.evidence.verdict == "holds"]
    tried += [_tried(a, sweep) for a in (right[:1] + right[-1:])[: AT - 1]]
    best: _Found | None = None
    for names, words, when, scale in questions(sweep.told, sweep.levels.total):
        if names and all(_same(sweep, a.at.level, when, scale) for a in tried):
            continue
        open_: dict[str, _Found] | None = None
        skipped: list[NoiseLevel] = []
        for a in tried:
            level = a.at.level
            answer = asked_at(sweep, a.y, when(level), scale(level))
            here = {} if answer is None else _read(a, answer)
            if not here and names and beyond_table(sweep, when(level)):
                skipped.append(level)
                continue
            open_ = here if open_ is None else _both(open_, here)
            if not open_:
                break
        # a level is evidence only if it was wrong and the question is another one there
        another = [a.at.level for a in tried if not a.right and a.at.level not in skipped]
        another = [level for level in another if not _same(sweep, level, when, scale)]
        if names and len(another) < 2:
            continue
        for name, found in (open_ or {}).items():
            kinds = () if name == sweep.prediction else (name,)
            if not names and not kinds:
                continue
            all_names = (*names, *_kind_names(kinds))
            all_words = (*words, *kind_words(kinds, sweep))
            full = _Found(all_names, all_words, found.left, found.error, _beyond(sweep, skipped))
            best = full if best is None or _better(full, best) else best
    if best is None:
        return None
    return Diagnosis(best.names, best.left, None, _sentence(best))


def _same(
    sweep: Sweep,
    level: NoiseLevel,
    when: Callable[[NoiseLevel], float],
    scale: Callable[[NoiseLevel], float],
) -> bool:
    """Whether the question is the one that was asked already."""
    return bool(np.isclose(when(level), sweep.told(level)) and np.isclose(scale(level), 1.0))


def _better(one: _Found, other: _Found) -> bool:
    if len(one.names) != len(other.names):
        return len(one.names) < len(other.names)
    return one.left < other.left


def _both(one: dict[str, _Found], other: dict[str, _Found]) -> dict[str, _Found]:
    return {
        k: _Found((), (), max(v.left, other[k].left), max(v.error, other[k].error))
        for k, v in one.items()
        if k in other
    }


@dataclass(frozen=True, eq=False)
class Tried:
    """The rows of a wrong level that tell most: what is due, what passes, how wrong it was."""

    at: AtLevel
    y: np.ndarray
    due: np.ndarray
    size: np.ndarray
    passes: np.ndarray
    old: float
    right: bool
    readings: list[tuple[str, int]]

    def off(self, sweep: Sweep, answer: np.ndarray) -> float:
        """The largest error of an answer, read as the kind of prediction that was said."""
        return float(np.max(np.abs(self.mean(sweep, answer) - self.due) / self.size))

    def mean(self, sweep: Sweep, answer: np.ndarray) -> np.ndarray:
        """E[alpha x_0 | x] as an answer says it."""
        return _mean(self.at, answer, sweep.prediction, self.y)

    def passes_at(self, off: float) -> bool:
        """Whether so small an error is as good as none: to the check's own resolution."""
        return off <= max(float(np.max(self.passes / self.size)), EXACT * self.old)


def tried_levels(sweep: Sweep, wrong: list[AtLevel]) -> list[Tried]:
    """The most wrong first."""
    return [_tried(a, sweep) for a in sorted(wrong, key=lambda a: -a.largest)]


def off_at(sweep: Sweep, a: Tried, when: float) -> float | None:
    """What is left of the error when it is told ``when``; ``None`` if that does not explain it."""
    answer = asked_at(sweep, a.y, when)
    off = np.inf if answer is None else a.off(sweep, answer)
    return off if a.passes_at(off) else None


def _tried(a: AtLevel, sweep: Sweep) -> Tried:
    tolerance = a.request.problem.tolerance
    measure, m = measured(a.answers, a.request, a.eps), len(a.answers.due.y)
    rows = told(np.any(measure.excessive(tolerance)[:m], axis=1))
    size, due = measure.size[rows], a.answers.due.mean[rows]
    passes = (measure.granted(tolerance) + measure.rounding)[rows] + (tolerance or 0.0) * size
    old = float(np.max(np.abs(a.answers.found[rows] - due) / size))
    right = a.evidence.verdict == "holds"
    return Tried(a, a.answers.due.y[rows], due, size, passes, old, right, _readings(a, sweep))


def beyond_table(sweep: Sweep, when: float) -> bool:
    """Whether a table has no such timestep, so that a network cannot be told it."""
    known = sweep.levels.when
    return sweep.levels.whole and not np.min(known) <= when <= np.max(known)


def _beyond(sweep: Sweep, skipped: list[NoiseLevel]) -> str:
    if not skipped:
        return ""
    which = enumerated([f"{level.when:g}" for level in skipped])
    return f"; {sweep.levels.name} {which} aside, where that is no timestep of the table"


def asked_at(sweep: Sweep, rows: np.ndarray, when: float, scale: float = 1.0) -> np.ndarray | None:
    """The network's answers; ``None`` where it has none."""
    if not (np.isfinite(when) and np.isfinite(scale)):
        return None
    network, y = sweep.network, rows * scale
    whole = network.form.whole and float(when).is_integer()
    for form in dict.fromkeys((TimeForm(network.form.rank, whole), network.form)):
        if form.whole and not float(when).is_integer():
            continue
        guard = guarded(network.at(when, form), "denoiser", network.framework, network.dtype)
        try:
            with np.errstate(all="ignore"):
                out = np.asarray(as_numpy(guard.raw(y)))
            if np.iscomplexobj(out):
                return None
            out = out.astype(float)
        except Exception:
            continue
        if np.all(np.isfinite(out)):
            return out
    return None


def _read(a: Tried, answer: np.ndarray) -> dict[str, _Found]:
    """The ways to read the answer in which it is right: by kind of prediction, and its negative."""
    found = {}
    for name, sign in a.readings:
        error = np.abs(_mean(a.at, sign * answer, name, a.y) - a.due)
        largest = float(np.max(error / a.size))
        left = largest / a.old if a.old > 0 else np.inf
        if a.right:  # nothing to explain there, and nothing may break
            left = 0.0 if largest <= STAYS else np.inf
        near = left <= LEFT and largest <= NEARLY
        if np.all(error <= a.passes) and left < 1 or near:
            found[("-" if sign < 0 else "") + name] = _Found((), (), left, largest)
    return found


def _readings(a: AtLevel, sweep: Sweep) -> list[tuple[str, int]]:
    kinds = ["x0", "eps", "score", "v", "F"] + ["velocity"] * (a.request.kind.rates is not None)
    kinds.sort(key=lambda k: k != sweep.prediction)
    return [(k, s) for k in kinds for s in (1, -1)]


def _mean(a: AtLevel, value: np.ndarray, name: str, y: np.ndarray) -> np.ndarray:
    kind, problem = a.request.kind, a.request.problem
    if name == kind.name:
        return kind.to_mean(value, y)
    with np.errstate(all="ignore"):
        return np.asarray(problem.alpha * kind.convert(value, y, name, "x0"))


def _kind_names(kinds: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(
        f"returns_{k}" if not k.startswith("-") else f"returns_minus_{k[1:]}" for k in kinds
    )


def _sentence(found: _Found) -> str:
    text = "; ".join(found.words)
    return f"Cause: {text} (what is left of the error: {percent(found.error)}{found.beyond})."
