"""One call of the user's function: what it is handed, and the numbers that came back.

Conventions: rows are points ``(n, d)``; ``values`` ``(n,)`` are what was returned, in its own
units. ``finer``: how many times the number of steps is doubled, or the tolerance divided by 100.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy, raised, remedy_for, unit_roundoff
from scoreproof.interop.draws import Log, intercepted
from scoreproof.interop.draws_jax import jax_key
from scoreproof.interop.jax_callback import finished
from scoreproof.interop.sources import KEYS, source_of
from scoreproof.public.called import RANDOM
from scoreproof.public.log_likelihood.arguments import Job
from scoreproof.public.log_likelihood.handed import handed_over, normal_log_density
from scoreproof.public.log_likelihood.law import Law
from scoreproof.public.log_likelihood.model import Model
from scoreproof.public.log_likelihood.probes import Design
from scoreproof.public.sampler.asking import to_framework

__all__ = ["Answer", "Asker", "log_p_of"]

BY_HAND = "call it once by hand; name its arguments by given=, drop from options= what it takes not"
STEPS, TOLERANCE, STEP = 100, 1e-5, 1e-2


@dataclass(frozen=True, eq=False)
class Answer:
    """``values`` ``(n,)``, or one number for the whole batch (``reduced``). ``times``: at which the
    model was asked, in order; ``first``: x of its first call.
    """

    values: np.ndarray
    reduced: bool
    times: tuple[float, ...]
    first: np.ndarray | None
    log: Log
    calls: int
    width: float


@dataclass(eq=False)
class Asker:
    """``calls`` of the user's function; ``asked``: of the model; ``eps``: the roundoff."""

    job: Job
    calls: int = 0
    asked: int = 0
    eps: float = float(np.finfo(float).eps)
    seeds: int = 0
    notes: list[str] = field(default_factory=list)
    #: uniform numbers are held at a half
    held: bool = False
    #: every other draw is held at numbers of its own
    given: tuple[int, int] | None = None
    #: role -> what is handed over in place of the check's own
    instead: dict[str, Any] = field(default_factory=dict)

    def __call__(self, law: Law, rows: np.ndarray, design: Design, finer: int = 0) -> Answer:
        job = self.job
        x = to_framework(rows, job.shape, job.framework, job.dtype)
        self.eps = max(self.eps, unit_roundoff(x))
        model = Model(law, job.clock, job.kind, job.shape)
        design.held, design.given = self.held, self.given
        double = job.framework == "torch" and job.dtype is None
        with intercepted(job.framework, design.served, double=double) as log:
            log.coins = design.coins
            handed = handed_over(job, model, x)
            arguments, named = self.arguments(handed, x, design, finer, log)
            out = self.run(arguments, named)
            values, reduced = self._values(out, len(rows))
        self.asked += model.calls
        if log.doubled and log.eps > self.eps:
            self.eps = max(self.eps, log.eps)
        self.notes += [n for n in log.notes if n not in self.notes]
        if not model.calls:
            raise CallableError(
                "log_likelihood",
                "ask the model that it is handed",
                "it asked nothing",
                "let it use its argument, not a model of its own",
            )
        return Answer(
            values, reduced, tuple(model.asked), model.first, log, model.calls, model.width
        )

    def arguments(
        self, model: Any, x: Any, design: Design, finer: int, log: Log
    ) -> tuple[list[Any], dict[str, Any]]:
        job, taken = self.job, self.job.taken
        context = (model, x, design, finer, log)
        positional = [self._argument(r, *context) for r in taken.positional]
        named = {}
        for role, name in taken.named.items():
            if role in self.instead:
                named[name] = self.instead[role]
            elif role in taken.defaults and role in ("n_steps", "rtol", "atol", "tol", "step_size"):
                named[name] = self._finer(role, finer, taken.defaults[role])
            elif role in ("times",) and taken.defaults.get(role) is not None:
                continue
            elif role in ("t_min", "t_max", "t") and role in taken.defaults:
                continue  # a cutoff of its own, read off the times at which it asks
            elif role in taken.defaults and role == "nu":
                continue
            else:
                value = self._argument(role, *context)
                if value is not None or role not in taken.defaults:
                    named[name] = value
        return positional, named | dict(job.options)

    def run(self, arguments: list[Any], named: dict[str, Any]) -> Any:
        self.calls += 1
        try:
            return finished(self.job.function(*arguments, **named))
        except CallableError:
            raise
        except (Exception, SystemExit) as error:
            said = f" when called with ({', '.join(self.job.taken.positional)})"
            raise CallableError(
                "log_likelihood",
                "return normally",
                raised(error, self.job.function, said),
                remedy_for(error, BY_HAND),
            ) from error

    def _argument(self, role: str, model: Any, x: Any, design: Design, finer: int, log: Log) -> Any:
        job = self.job
        start, end = job.clock.data, job.clock.noise
        if role in self.instead:
            return self.instead[role]
        if role == "x":
            return x
        if role == "model":
            return model
        if role == "div":
            return model.divergence
        if role == "process":
            return job.process
        if role == "log_prior":
            return normal_log_density(job)
        if role == "nu":
            return to_framework(design.nu(), job.shape, job.framework, job.dtype)
        if role == "t":
            return start
        if role == "t_min":
            return min(start, end)
        if role == "t_max":
            return max(start, end)
        if role == "times":
            grid = np.linspace(start, end, STEPS * 2**finer + 1)
            return self._vector(grid)
        if role in RANDOM:
            return self._source(role, design, log)
        return self._finer(role, finer, None)

    def _vector(self, values: np.ndarray) -> Any:
        job = self.job
        return (
            values
            if job.framework == "numpy"
            else to_framework(values, (), job.framework, job.dtype)
        )

    def _finer(self, role: str, finer: int, default: Any) -> Any:
        """How finely it is solved."""
        base: float
        if role == "n_steps":
            steps = STEPS if not isinstance(default, int) or default < 1 else default
            return steps * 2**finer
        if role == "step_size":
            base = STEP * self.job.clock.span if not default else float(default)
            return base / 2**finer
        base = TOLERANCE if not default else float(default)
        return max(base * 100.0**-finer, 1e-12 if self.eps < 1e-10 else 1e-7)

    def _source(self, name: str, design: Design, log: Log) -> Any:
        self.seeds += 1
        if self.job.framework == "jax":
            if name not in KEYS:
                return None
            import jax

            return jax.random.fold_in(jax_key(design.served, log), self.seeds)
        return source_of(self.job.framework, name, design.served, log, self.seeds)

    def _values(self, out: Any, n: int) -> tuple[np.ndarray, bool]:
        """The numbers, and whether they are one of the whole batch."""
        parts = list(out) if isinstance(out, (tuple, list)) else [out]
        if isinstance(out, dict):
            parts = list(out.values())
        found = []
        for part in parts:
            try:
                value = np.asarray(as_numpy(part))
                number = np.asarray(value, dtype=float)
            except (TypeError, ValueError, AttributeError, RuntimeError):
                continue
            found.append(number)
            if number.shape in ((n,), (n, 1)):
                self.eps = max(self.eps, unit_roundoff(value))
                if not np.all(np.isfinite(number)):
                    raise CallableError(
                        "log_likelihood",
                        "return finite numbers",
                        f"{int(np.sum(~np.isfinite(number)))} of {n} are nan or inf",
                        "look at the ends of the time: a division by σ = 0 or α = 0 there wants"
                        " t_min or t_max",
                    )
                return number.reshape(n), False
        if found and found[0].size == 1:
            return found[0].reshape(1), True
        shape = found[0].shape if found else type(out).__name__
        raise CallableError(
            "log_likelihood",
            f"return log p of shape ({n},), or a tuple that has it",
            f"it returned shape {shape}",
            "a term of shape (n, 1) was added to one of (n,): squeeze(-1) it first"
            if shape == (n, n)
            else "sum the squares of the prior and ν·Jν over all axes but the batch:"
            " x.flatten(1).sum(1); name the shape of one sample by shape=",
        )


def log_p_of(out: Any, n: int) -> Any:
    """The array of n numbers in what came back, as it is."""
    parts = list(out.values()) if isinstance(out, dict) else out
    parts = list(parts) if isinstance(parts, (tuple, list)) else [parts]
    return next(p for p in parts if tuple(np.shape(p)) in ((n,), (n, 1)))
