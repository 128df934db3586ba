"""What a bound returned beside what it is of: the calls, and the terms that are in each answer.

Conventions: an answer is a weighted sum of terms; a part with more rows than the batch is summed
over its blocks of a batch each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.asking import Asking, Run
from scoreproof.public.variational_bound.formula import Formula, Problem, entries, own_blur
from scoreproof.public.variational_bound.reading import layouts, picked
from scoreproof.public.variational_bound.standin import replied
from scoreproof.public.variational_bound.tables import Tables
from scoreproof.public.variational_bound.terms import Answered

__all__ = ["Observed", "Part", "of_the_prior", "of_the_steps", "problem_of", "x_of"]


@dataclass(frozen=True, eq=False)
class Part:
    """A term, or a block of them, with its weight."""

    problem: Problem
    weight: float | np.ndarray = 1.0

    def blocks(self, value: np.ndarray, rows: int) -> np.ndarray:
        """Entries ``(blocks, rows, d)``, weighted."""
        return np.asarray((self.weight * value).reshape(-1, rows, value.shape[1]))

    def summed(self, value: np.ndarray, rows: int) -> np.ndarray:
        """Entries as those of one batch."""
        return np.asarray(self.blocks(value, rows).sum(axis=0))


@dataclass(frozen=True, eq=False)
class Observed:
    """``value``: flat, as it was returned with ``shape``; ``where``: of which times, in words;
    ``seen``: where the model was asked, and where it should have been, if that is known.
    """

    name: str
    where: str
    parts: tuple[Part, ...]
    value: np.ndarray
    shape: tuple[int, ...]
    rows: int
    run: Run | None = None

    @property
    def summed(self) -> bool:
        """Whether it is of several terms."""
        many = any(len(p.problem.g.t) > self.rows for p in self.parts)
        return many or len(self.parts) > 1

    def due(self, how: Mapping[str, Formula]) -> np.ndarray:
        """Entries ``(rows, d)``; the formulas go by the kind of a part, "prior" or "step"."""
        return np.asarray(
            sum(p.summed(entries(p.problem, how[kind(p)]), self.rows) for p in self.parts)
        )

    def blur(self, how: Mapping[str, Formula], eps: float, table: float) -> np.ndarray:
        """The same of what rounding may leave."""
        return np.asarray(
            sum(
                p.summed(own_blur(p.problem, how[kind(p)], eps, table), self.rows)
                for p in self.parts
            )
        )

    def gain(self, which: str, how: Mapping[str, Formula]) -> list[np.ndarray]:
        """The terms of a kind, entries each: what a deviation of one of them does is its size."""
        mine = [p for p in self.parts if kind(p) == which]
        found = [p.blocks(entries(p.problem, how[which]), self.rows) for p in mine]
        return [block for blocks in found for block in blocks]

    def reweighted(self, weights: Mapping[str, float]) -> Observed:
        """With other weights of the parts."""
        parts = tuple(replace(p, weight=p.weight * weights.get(kind(p), 1.0)) for p in self.parts)
        return replace(self, parts=tuple(p for p in parts if np.any(p.weight)))

    def weighted(self, weight: float) -> Observed:
        """With the weight of every step that."""
        parts = (replace(p, weight=weight) if kind(p) == "step" else p for p in self.parts)
        return replace(self, parts=tuple(parts))


def kind(part: Part) -> str:
    """Which formula a part goes by."""
    return "prior" if part.problem.term == "L_T" else "step"


def problem_of(job: Job, tb: Tables, term: str, g: Answered) -> Problem:
    """Of the declared model."""
    variance = job.variance if isinstance(job.variance, str) else "fixed"
    return Problem(term, tb, g, job.prediction, variance, job.decoder)


def x_of(tb: Tables, x0: np.ndarray, noise: np.ndarray, t: np.ndarray) -> np.ndarray:
    """x_t."""
    return np.asarray(tb.a[t][:, None] * x0 + tb.s[t][:, None] * noise)


def of_the_prior(job: Job, asking: Asking, tb: Tables) -> Observed:
    """L_T."""
    last = np.full(len(asking.batch.x0), tb.steps - 1)
    values = {"x0": asking.batch.x0, "t": last, "noise": asking.batch.noise[0]}
    values["xt"] = x_of(tb, values["x0"], values["noise"], last)
    run = asking.at(values, asking.script(last))
    g = Answered(asking.batch.x0, values["xt"], last, 0 * values["xt"])
    return told(job, run, "L_T", "", (Part(problem_of(job, tb, "L_T", g)),))


def told(job: Job, run: Run, name: str, where: str, parts: tuple[Part, ...]) -> Observed:
    """Raises ``CallableError`` where there is no number."""
    value = picked(run.value, "")
    if value is None:
        raise CallableError(
            "bound",
            "return numbers, or a dictionary or tuple with them",
            f"it returned {type(run.value).__name__}",
            "return the term, one number for each sample",
        )
    rows = len(run.script.x0)
    layouts(job, value.shape, rows)
    return Observed(name, where, parts, value.ravel(), value.shape, rows, run)


def of_the_steps(job: Job, asking: Asking, tb: Tables) -> list[Observed]:
    """L_{t-1}, L_0 or both, at times over the whole table and, where each row has its own number,
    at every time of it in one batch.
    """
    times = times_of(job, tb.steps)
    found = [_at(job, asking, tb, np.full(len(asking.batch.x0), t)) for t in times]
    each = found[0].shape != () and found[0].value.size >= len(asking.batch.x0)
    if each and not asking.alone and "t" in job.roles and len(times) > 1:
        every = np.arange(times[0], tb.steps)
        asking = replace(asking, batch=asking.batch.tiled(len(every)))
        found.append(_once(job, asking, tb, every))
    return found


def times_of(job: Job, steps: int) -> np.ndarray:
    """Both ends, closer together where the terms change."""
    if job.term == "L_0":
        return np.array([0])
    some = np.concatenate([[0, 1, 2, 3], np.geomspace(4, steps - 1, 7), [steps - 2, steps - 1]])
    times = np.unique(np.clip(np.round(some), 0, steps - 1).astype(int))
    return times[times > 0] if job.term == "L_t" else times


def _at(job: Job, asking: Asking, tb: Tables, t: np.ndarray) -> Observed:
    if asking.calls or "t" not in job.roles:
        return _once(job, asking, tb, t)
    try:  # a time for each row or, where that cannot be, one for all
        return _once(job, asking, tb, t)
    except CallableError as error:
        first = error
    asking.alone = True
    try:
        return _once(job, asking, tb, t)
    except CallableError:
        raise first from None


def _once(job: Job, asking: Asking, tb: Tables, t: np.ndarray) -> Observed:
    batch = asking.batch
    noise = batch.noise[0]
    xt = x_of(tb, batch.x0, noise, t)
    script = asking.script(t)
    values = {"x0": batch.x0, "t": t, "noise": noise, "xt": xt, "out": replied(script, xt, t)}
    run = asking.at(values, script)
    if "model" in job.roles:
        if not script.calls:
            raise CallableError(
                "bound",
                "call the model that it is given",
                "it never did",
                "pass lambda model, x0, x_t, t: … in which model is your network",
            )
        out = script.calls[-1].out
    elif "out" in job.roles:
        out = values["out"]
    else:
        raise CallableError(
            "bound",
            "take the model, or what it answered",
            f"it takes {', '.join(job.roles)}",
            'say what its arguments are: given=("model", "x0", "xt", "t")',
        )
    g = Answered(batch.x0, xt, t, out)
    same = bool(np.all(t == t[0]))
    where = f"t = {t[0]}" if same else f"t = {t[0]} … {t[-1]} in one batch"
    name = {"vb": "L_0" if same and t[0] == 0 else "L_{t-1}", "L_t": "L_{t-1}"}.get(job.term, "L_0")
    return told(job, run, name, where, (Part(problem_of(job, tb, job.term, g)),))
