"""A sampler as a function: one step, or the whole of it.

Conventions: times run down; what the model is told (t, a timestep or σ) names the level. A whole
sampler's states are what its model is asked at, the last time at each level of its grid.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy, raised, remedy_for
from scoreproof.interop.draws import Draw, serve
from scoreproof.interop.draws_jax import jax_key
from scoreproof.interop.jax_callback import finished, not_there
from scoreproof.interop.signatures import needed, parameters
from scoreproof.interop.sources import KEYS, source_of
from scoreproof.public.sampler.asked import Asked
from scoreproof.public.sampler.asking import Tape, to_framework
from scoreproof.public.sampler.data import Data, Level
from scoreproof.public.sampler.grid import Grid
from scoreproof.public.sampler.model import ExactModel
from scoreproof.public.sampler.start import Began, answers, near, scale_of

__all__ = ["StepForm", "WholeForm"]


@dataclass(eq=False)
class _Function:
    """What both forms share."""

    function: Callable[..., Any]
    shape: tuple[int, ...]
    prediction: str
    framework: str
    double: bool
    dtype: Any
    level_of: Callable[[float], Level]
    grid: Grid
    more: dict[str, float] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    eps = float(np.finfo(float).eps)

    def fresh(self) -> Any:
        """Nothing: a function has no state."""

    def finer(self, n: int) -> int:
        """The next number of steps."""
        return self.grid.finer(n)

    def model(self, data: Data) -> ExactModel:
        return ExactModel(data, self.level_of, self.prediction, self.shape, more=self.more)

    def array(self, rows: np.ndarray) -> Any:
        return to_framework(rows, self.shape, self.framework, self.dtype)

    def flat(self, value: Any, count: int, what: str) -> np.ndarray:
        """What came back, as rows; held to the shape that went in."""
        try:
            rows = np.asarray(as_numpy(value), dtype=float)
        except (TypeError, ValueError) as error:
            raise CallableError(
                "sampler",
                f"return {what}, one array",
                f"it returned {type(value).__name__}",
                "return x itself, or a tuple that begins with it",
            ) from error
        if rows.shape != (count, *self.shape):
            raise CallableError(
                "sampler",
                f"return {what} of shape {(count, *self.shape)}",
                f"it returned shape {rows.shape}",
                "one sample in, one sample out; name the shape of a sample by shape=",
            )
        return rows.reshape(count, -1)

    def call(self, *arguments: Any, **more: Any) -> Any:
        try:
            return finished(self.function(*arguments, **more))
        except CallableError:
            raise
        except (Exception, SystemExit) as error:
            raise CallableError(
                "sampler",
                "return normally",
                raised(error, self.function),
                not_there(error)
                or remedy_for(error, "call it once by hand, or pass framework=, dtype="),
            ) from error


@dataclass(eq=False)
class StepForm(_Function):
    """``step(x, t, t_next, noise, model)``, or ``step(x, t, t_next, model)`` without noise."""

    asked: list[tuple[np.ndarray, Level]] = field(default_factory=list)

    def run(self, fresh: Any, n: int, data: Data, tape: Tape) -> np.ndarray:
        times = self.grid.times(n)
        levels = [self.level_of(t) for t in times]
        takes_noise = len(needed(self.function)) != 4
        rows = tape.rows.start(*data.moments(levels[0]))
        tape.reached(rows, levels[0], -1)
        model, self.asked = self.model(data), []
        model.seen = lambda x, level: self.asked.append((x, level))
        for k, (t, t_next) in enumerate(zip(times[:-1], times[1:], strict=True)):
            noise = [self.noise(tape, k, len(rows))] if takes_noise else []
            x = self.call(self.array(rows), t, t_next, *noise, model, **self.options)
            rows = self.flat(x, len(rows), "the next x")
            if k + 2 < len(times):
                tape.reached(rows, levels[k + 1], k)
        tape.calls, tape.steps = model.calls, len(times) - 1
        tape.before, tape.last = levels[-2:]
        return rows

    def noise(self, tape: Tape, k: int, rows: int) -> Any:
        """The noise that is handed to the k-th step."""
        shape = (rows, *self.shape)
        draw = Draw(len(tape.log.draws), shape, "normal", f"step {k}", "float64", False)
        return self.array(serve(tape.rows.noise, tape.log, draw).reshape(rows, -1))


@dataclass(eq=False)
class WholeForm(_Function):
    """``sample(model, x, times)``; ``scale``: what it multiplies its x with before it asks its
    model first (σ_max, where it wants unit noise); ``own``: it draws that x itself.
    """

    scale: float | None = None
    seeds: int = 0
    own: bool = False
    asked: list[tuple[np.ndarray, Level]] = field(default_factory=list)

    def run(self, fresh: Any, n: int, data: Data, tape: Tape) -> np.ndarray:
        times = self.grid.times(n)
        rows = tape.rows.start(*data.moments(start := self.level_of(times[0])))
        if self.scale is None:  # in the run that counts the draws, where all noise is 0
            self._through(times, data, tape, rows)
            self.own = bool(self.asked and tape.log.draws) and not answers(self.asked[0][0], rows)
            if self.own:  # x is what it drew
                tape.rows.begin()
                tape.rows.own = rows
                self._through(times, data, tape, rows)
            self.scale = scale_of(rows, self.asked[0][0], start, self.own) if self.asked else 1.0
            tape.rows.begin()
            tape.log.draws.clear()
        if self.own:
            tape.rows.own = rows / self.scale
        # where it scales what it is given, it is given what comes out right
        out = self._through(times, data, tape, rows / self.scale)
        if self.own:
            self._started(tape, start)
        tape.reached(rows, start, -1)
        on_grid = {round(t, 12): k for k, t in enumerate(times)}
        last: dict[int, tuple[np.ndarray, Level]] = {}
        for exact in (False, True):  # a churned level may lie beside one of the grid by chance
            for x, level in self.asked:
                k = on_grid.get(round(level.when, 12)) if exact else near(times, level.when)
                if k is not None:
                    last[k] = (x, level)
        if len(last) < (len(times) - 1) / 2:  # it has a grid of its own, or asks elsewhere
            falling = sorted({level.when: x for x, level in self.asked}.items(), reverse=True)
            last = {k: (x, self.level_of(t)) for k, (t, x) in enumerate(falling)}
        end = len(times) - 1
        if (
            end in last
            and self.level_of(times[end]).sigma > 0
            and not data.denoises(*last[end], out)
        ):
            del last[end]  # a stage of the last step was asked there, x itself is what came back
        for k in sorted(last):
            if k > 0:
                tape.reached(*last[k], k - 1)
        tape.steps, (tape.before, tape.last) = end, (self.level_of(t) for t in times[-2:])
        tape.told_last = self.asked[-1][1] if self.asked else None
        return out

    def _started(self, tape: Tape, level: Level) -> None:
        """The draw that x starts from is no noise of a step."""
        draws = tape.log.draws
        k = next((k for k, d in enumerate(draws) if d.shape[:1] == (tape.rows.count,)), None)
        if k is not None:
            draws[k] = replace(draws[k], kind="start")
            tape.began = Began(float(self.scale or 1.0), level, draws[k].where)
            tape.notes.append(tape.began.note())

    def _through(self, times: list[float], data: Data, tape: Tape, rows: np.ndarray) -> np.ndarray:
        model = self.model(data)
        model.seen = asked = Asked(len(rows))
        given, kept = self.array(rows), self.array(rows)
        out = self.call(model, given, self._times(times), **(self._random(tape) | self.options))
        if not np.array_equal(as_numpy(given), as_numpy(kept)):
            raise CallableError(
                "sampler",
                "leave the x it is given unchanged",
                "it wrote into it",
                "make the first update x = x + …, or start with x = x.clone() (NumPy: x.copy())",
            )
        tape.calls, tape.parts = model.calls, asked.parts
        self.asked = asked.found()
        return self.flat(out[0] if isinstance(out, tuple) else out, len(rows), "samples")

    def _times(self, times: list[float]) -> Any:
        values = np.array(times)
        if self.framework == "numpy":
            return values
        whole = self.grid.whole and np.all(values == np.round(values))
        return to_framework(values, (), self.framework, "int64" if whole else None)

    def _random(self, tape: Tape) -> dict[str, Any]:
        """What the function takes of a source of random numbers, by the names of its arguments."""
        source, log = tape.rows.noise, tape.log
        every = [p.name for p in parameters(self.function) or ()]
        taken = [n for n in every if n not in self.options]
        if self.framework == "jax":
            return {n: jax_key(source, log) for n in taken if n in KEYS}
        self.seeds += 1
        served = {n: source_of(self.framework, n, source, log, self.seeds) for n in taken}
        found = {n: made for n, made in served.items() if made is not None}
        tape.seeded = tape.seeded or self.framework == "torch" and bool(found)
        return found
