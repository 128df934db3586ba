"""How every x that a sampler asks its model at, and its end, depend on all that went in: on the x
it starts from, on each x_0 that its model predicts, and on each draw of noise.

Conventions: the model's answers are prescribed, so that they do not react. All are 0 but one in
each row, which is `SMALL`: a sampler that is affine there is known exactly, and one that clips does
not clip there. Rows ``(sources, d)``: the start, the calls of the model, the draws.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.interop.draws import Draw
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.asking import Tape, passed
from scoreproof.public.sampler.data import Data, Level
from scoreproof.public.sampler.rows import Law

__all__ = ["SMALL", "Prescribed", "Tableau", "measured", "never_asked", "steps_looked_at"]

SMALL = 2.0**-20
#: calls and draws of a run that are told apart
MOST = 2500
#: steps of a scheduler that are looked at
LOOKED_AT = 60


@dataclass(frozen=True, eq=False)
class Tableau:
    """``asked`` ``(calls, sources, d)`` and ``end`` ``(sources, d)``; ``states``: x after each step
    of a scheduler or step; ``told``: the level that the model is told at each call; ``levels``: of
    the grid, the last where the chain ends; ``calls`` and ``draws`` count the sources;
    ``constants``: asked, states and end where all that goes in is 0.
    """

    asked: np.ndarray
    states: np.ndarray
    end: np.ndarray
    told: tuple[Level, ...]
    levels: tuple[Level, ...]
    calls: int
    draws: tuple[Draw, ...]
    steps: int
    constants: tuple[np.ndarray, np.ndarray, np.ndarray]
    stepwise: bool


@dataclass(frozen=True, eq=False)
class Prescribed(Data):
    """The model's answers: x_0 is 0, but `SMALL` in the row of its call."""

    count: int = 0
    by_eps: bool = False
    #: what the model returns is prescribed, whatever that is
    raw: bool = False
    #: what all answers are multiplied by
    scale: float = 1.0
    #: the row of the first call
    first: int = 2
    asked: list[tuple[np.ndarray, float, float]] = field(default_factory=list)
    #: dα/dt and dσ/dt at each call for a velocity
    rates: list[tuple[float, float]] = field(default_factory=list)

    def predicted(
        self, x: np.ndarray, alpha: np.ndarray, sigma: np.ndarray, kind: str, **more: Any
    ) -> np.ndarray:
        if kind == "velocity":
            a, s = (float(more[n][0, 0]) for n in ("alpha_dot", "sigma_dot"))
            self.rates.append((a, s))
        if self.raw:
            return self.denoised(x, alpha, sigma)
        return self.scale * super().predicted(x, alpha, sigma, kind, **more)

    def denoised(self, x: np.ndarray, alpha: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """The prescribed x_0, twice where a call is for twice the batch."""
        whole = len(x) // self.count if self.count and len(x) % self.count == 0 else 0
        answer = np.zeros((self.count, x.shape[1]))
        row = self.first + len(self.asked)
        if row < self.count:
            answer[row] = SMALL
        self.asked.append((x[: self.count].copy(), float(alpha[0, 0]), float(sigma[0, 0])))
        if self.by_eps and self.count:
            with np.errstate(all="ignore"):
                answer = (x[: self.count] - sigma[:1] * answer) / alpha[:1]
        return np.tile(answer, (whole, 1)) if whole else np.zeros_like(x)

    def denoises(self, x: np.ndarray, level: Level, out: np.ndarray) -> bool:
        return True


@dataclass(eq=False)
class _Rows:
    """In the place of `Rows`: a row for the start, and one a draw after those of the calls."""

    calls: int
    draws: int
    own: np.ndarray | None = None
    drawn: list[Draw] = field(default_factory=list)

    @property
    def count(self) -> int:
        return 2 + self.calls + self.draws

    def begin(self) -> None:
        """Before every run."""
        self.own, self.drawn = None, []

    def start(self, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
        """0, and `SMALL` in the row of the start."""
        x = np.zeros((self.count, len(mean)))
        x[1] = SMALL
        return x

    def noise(self, draw: Draw) -> np.ndarray:
        """What stands in for a draw."""
        if draw.kind != "normal":
            return np.full(draw.shape, 0.5)
        if self.own is not None and draw.shape[:1] == (self.count,):
            own, self.own = self.own, None
            return own.reshape(draw.shape)
        z = np.zeros(draw.shape)
        row = 2 + self.calls + len(self.drawn)
        self.drawn.append(draw)
        if draw.shape[:1] == (self.count,) and row < self.count:
            z[row] = SMALL
        return z

    def law(self, x: np.ndarray) -> Law:
        """The rows themselves."""
        zero = np.zeros(x.shape[1])
        return Law(x.copy(), zero, None, 0.0, 0.0, 0.0, zero, 0.0, 0.0)


def measured(job: Job, n: int, by: str = "x_0", scale: float = 1.0) -> Tableau | None:
    """The tableau of about n steps; ``None`` where a run is too long, or does not take its batch as
    a whole. ``by``: what is prescribed, ``"x_0"``, ``"eps"``, or ``"out"``, what the model returns.
    ``scale``: of all that the model returns.
    """
    data, tape, rows, _ = _run(job, n, (0, 0), (by, scale))
    calls, draws = len(data.asked), len(rows.drawn)
    if calls == 0 or not 2 <= calls + draws <= MOST:
        return None
    data, tape, rows, end = _run(job, n, (calls, draws), (by, scale))
    whole = {len(x) for x, _, _ in data.asked} == {rows.count}
    if len(data.asked) != calls or len(rows.drawn) != draws or not whole:
        return None
    asked = np.stack([x for x, _, _ in data.asked])
    states = np.stack([s.law.mean for s in tape.states])
    everything = (asked, states, end)
    base = (asked[:, 0, :], states[:, 0, :], end[0])
    asked, states, end = ((v[..., 1:, :] - v[..., :1, :]) / SMALL for v in everything)
    rates: list[tuple[float, float] | None] = [*data.rates] or [None] * len(data.asked)
    told = tuple(
        Level(w, a, s, r)
        for w, (_, a, s), r in zip(_whens(job, data), data.asked, rates, strict=True)
    )
    return Tableau(
        asked,
        states,
        end,
        told,
        _levels(job, n, tape),
        calls,
        tuple(rows.drawn),
        tape.steps,
        base,
        job.kind != "sample",
    )


def never_asked(job: Job, n: int) -> bool:
    """Whether the model is not called at all."""
    return not _run(job, n, (0, 0), ("x_0", 1.0))[0].asked


def steps_looked_at(job: Job) -> int:
    """With how many steps the sampler's steps are read off."""
    n = int(job.steps)
    if job.kind != "scheduler":
        return n
    return n if n <= LOOKED_AT else next((k for k in (50, 40, 60, 25) if n % k == 0), 50)


def _run(
    job: Job, n: int, sources: tuple[int, int], answers: tuple[str, float]
) -> tuple[Prescribed, Tape, _Rows, np.ndarray]:
    rows = _Rows(*sources)
    d = int(np.prod(job.shape))
    by, scale = answers
    data = Prescribed(np.zeros(d), np.ones(d), rows.count, by == "eps", by == "out", scale)
    source: Any = rows
    tape, law = passed(job.form, n, data, source)
    return data, tape, rows, law.mean


def _whens(job: Job, data: Prescribed) -> list[float]:
    """What the model was told at each call: known where the form keeps it."""
    seen = getattr(job.form, "asked", None)
    if seen is not None and len(seen) == len(data.asked):
        return [level.when for _, level in seen]
    return [float("nan")] * len(data.asked)


def _levels(job: Job, n: int, tape: Tape) -> tuple[Level, ...]:
    if job.kind == "scheduler":
        return (*(s.level for s in tape.states), tape.last or Level(0.0, 1.0, 0.0))
    return tuple(job.form.level_of(t) for t in job.form.grid.times(n))
