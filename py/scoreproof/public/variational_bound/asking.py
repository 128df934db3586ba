"""How a bound is asked: with data on a grid, known noise, and a model that answers what is known.

Conventions: rows are flat ``(n, d)`` here, and ``(n, *shape)`` for the bound. Timesteps go in as
whole numbers, one for each row or, where that cannot be, one for all.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import CallableError, ScoreproofError
from scoreproof.interop.callables import raised, remedy_for, unit_roundoff
from scoreproof.interop.draws import Log, intercepted
from scoreproof.interop.frameworks import guarded, require
from scoreproof.public.jax_keys import Keys
from scoreproof.public.loss.served import Served, integers_served
from scoreproof.public.loss.whole_numbers_numpy import whole_numbers_generator
from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.decoder import grid
from scoreproof.public.variational_bound.standin import Script, jax_model, numpy_model
from scoreproof.public.variational_bound.tables import Tables

__all__ = ["ROWS", "Asking", "Batch", "Run", "batch_of"]

DOUBLE = float(np.finfo(float).eps)
#: of a batch: no size that samples often have
ROWS = 7
#: how many different noises there are
NOISES = 7
#: the level beside the last, whose bin has two ends
NEXT = 253 / 255


@dataclass(frozen=True, eq=False)
class Batch:
    """x_0 on the grid of 256 numbers, both ends and what is next to them among them; what is drawn;
    how the model is off.
    """

    x0: np.ndarray
    noise: np.ndarray
    moves: np.ndarray
    second: np.ndarray

    def tiled(self, rows: int) -> Batch:
        """With so many rows, the same again and again."""
        k = np.arange(rows) % len(self.x0)
        return Batch(self.x0[k], self.noise[:, k], self.moves[k], self.second[k])


def _by_hand(job: Job) -> str:
    size = f"({', '.join(map(str, (ROWS, *job.shape)))})"
    return f"call it once by hand with these arguments, x of {size}; shape= says another, shape=784"


def batch_of(job: Job) -> Batch:
    """Seeded."""
    rng = np.random.default_rng([19, job.seed])
    shape = (ROWS, job.d)
    x0 = grid(rng.uniform(-0.95, 0.95, shape))
    x0[::3, 0], x0[1::3, 0] = 1.0, -1.0
    x0[::3, 1], x0[1::3, 1] = NEXT, -NEXT
    moves = rng.uniform(0.2, 1.0, shape) * rng.choice([-1.0, 1.0], shape)
    second = rng.uniform(0.2, 1.0, shape) * rng.choice([-1.0, 1.0], shape)
    return Batch(x0, rng.standard_normal((NOISES, *shape)), moves, second)


@dataclass(frozen=True, eq=False)
class Run:
    """What came back, what the model was asked, and what was drawn; ``xt``: what was handed over,
    or the x_t of the noise that was.
    """

    value: Any
    script: Script
    served: Served
    log: Log
    t: np.ndarray | None
    xt: np.ndarray | None
    out: np.ndarray | None


@dataclass(eq=False)
class Asking:
    """``calls``: how often the bound was called; ``eps``: of the coarsest numbers it computed with;
    ``alone``: whether t goes in as one number.
    """

    job: Job
    tb: Tables | None
    batch: Batch
    calls: int = 0
    eps: float = DOUBLE
    alone: bool = False
    notes: list[str] = field(default_factory=list)
    _keys: Keys = field(default_factory=Keys)

    def script(self, t: np.ndarray | None) -> Script:
        """A stand-in's, which is told nothing yet."""
        job, b = self.job, self.batch
        variance = job.variance if isinstance(job.variance, str) else "fixed"
        return Script(b.x0, job.shape, self.tb, job.prediction, variance, b.moves, b.second, t)

    def at(self, values: dict[str, Any], script: Script, turn: int = 0) -> Run:
        """The bound of what goes by its roles: flat rows, timesteps; ``turn``: of what else it
        draws. Raises ``CallableError``.
        """
        job = self.job
        noise = self.batch.noise
        ends = self.tb.steps if self.tb is not None else job.steps or 0
        low = self.tb is None and bool(job.steps)
        served = Served(noise[0], noise[1:], turn, "noise" in job.roles, ends, low)
        run = {"torch": self._torch, "jax": self._jax, "numpy": self._numpy}[job.framework]
        value, log = run(values, script, served)
        self.notes += [n for n in log.notes if n not in self.notes]
        self.eps = max(self.eps, log.eps)
        return Run(value, script, served, log, values.get("t"), values.get("xt"), values.get("out"))

    def _arguments(
        self, values: dict[str, Any], model: Any, key: Any, convert: Any
    ) -> tuple[list[Any], dict[str, Any]]:
        positional, named = [], {}
        for role, keyword in self.job.takes:
            if role == "model":
                passed = model
            elif role == "rng":
                passed = key
            elif role == "clip":
                passed = False
            elif role == "t":
                passed = self._time(values["t"], convert)
            else:
                array = values[role]
                wide = array.shape[-1] // self.job.d if role in ("out", "x0", "xt", "noise") else 1
                passed = convert(self._shaped(array, wide))
            if keyword is None:
                positional.append(passed)
            else:
                named[keyword] = passed
        return positional, named

    def _time(self, t: np.ndarray, convert: Any) -> Any:
        if self.alone:
            return float(t[0]) if t.dtype.kind == "f" else int(t[0])
        return convert(t)

    def _shaped(self, array: np.ndarray, wide: int) -> np.ndarray:
        shape = self.job.shape
        if array.shape[-1] not in (self.job.d, 2 * self.job.d):
            return array
        parts = [p.reshape(len(array), *shape) for p in np.split(array, max(wide, 1), axis=1)]
        return np.concatenate(parts, axis=1)

    def _called(self, positional: list[Any], named: dict[str, Any]) -> Any:
        self.calls += 1
        try:
            return self.job.bound(*positional, **named)
        except (ScoreproofError, KeyboardInterrupt):
            raise
        except (Exception, SystemExit) as error:
            how = ", ".join(self.job.roles)
            raise CallableError(
                "bound",
                "return normally",
                raised(error, self.job.bound, f" when called with ({how})"),
                remedy_for(error, _by_hand(self.job), self.eps),
            ) from error

    # -- one for each framework --------------------------------------------------------------------

    def _torch(self, values: Any, script: Script, served: Served) -> tuple[Any, Log]:
        torch = require("torch")
        from scoreproof.public.variational_bound.standin_torch import TorchModel

        double = self.job.dtype is None
        convert = guarded(lambda x: x, "bound", "torch", self.job.dtype).prepare
        with (
            intercepted("torch", served, double=double) as log,
            integers_served("torch", served),
            torch.enable_grad(),
        ):
            model = TorchModel(script)
            positional, named = self._arguments(values, model, torch.Generator(), convert)
            if self.job.dtype is not None and convert is not None:
                self.eps = max(self.eps, unit_roundoff(convert(np.zeros(1))))
            return self._called(positional, named), log

    def _jax(self, values: Any, script: Script, served: Served) -> tuple[Any, Log]:
        jax = require("jax")
        convert = guarded(lambda x: x, "bound", "jax", self.job.dtype).prepare
        assert convert is not None
        with intercepted("jax", served) as log:
            key = self._keys.of(served, self.calls)
            self.eps = max(self.eps, unit_roundoff(convert(np.zeros(1))))
            arguments = self._arguments(values, jax_model(script), key, convert)
            return jax.block_until_ready(self._called(*arguments)), log

    def _numpy(self, values: Any, script: Script, served: Served) -> tuple[Any, Log]:
        convert = guarded(lambda x: x, "bound", "numpy", self.job.dtype).prepare or np.array
        with intercepted("numpy", served) as log:
            rng = whole_numbers_generator(served)
            if served.turn:  # choices with chances are NumPy's own
                rng.bit_generator.advance(1000 * served.turn)
            self.eps = max(self.eps, unit_roundoff(convert(np.zeros(1))))
            arguments = self._arguments(values, numpy_model(script), rng, convert)
            return self._called(*arguments), log
