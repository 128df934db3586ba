"""One call of a kernel, with its random draws served and what it asks of the law noted.

Conventions: states are rows ``(n, D)``: x flat, or x and v side by side. A script says what is
served to each draw; draws of a whole batch come in the order in which they are asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy, raised, remedy_for, unit_roundoff
from scoreproof.interop.draws import Draw, Log, intercepted
from scoreproof.interop.draws_jax import jax_key
from scoreproof.interop.jax_callback import finished
from scoreproof.interop.signatures import parameters
from scoreproof.interop.sources import KEYS, source_of
from scoreproof.public.called import RANDOM
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.counting import MOST, Counted, Endless, guarded
from scoreproof.public.corrector.handing import Given, handed
from scoreproof.public.corrector.law import Asked, Law
from scoreproof.public.corrector.names import BY_HAND, ONE_CHAIN
from scoreproof.public.corrector.target import Target
from scoreproof.public.sampler.asking import to_framework

__all__ = ["Answer", "Kernel", "Script", "zeros"]

Script = Callable[[Draw], np.ndarray]


def zeros(draw: Draw) -> np.ndarray:
    """No noise; a half for what is uniform."""
    return np.full(draw.shape, 0.5 if draw.kind == "uniform" else 0.0)


@dataclass(frozen=True, eq=False)
class Answer:
    """``state``: rows ``(n, D)`` that came back; the draws, and what was asked, in order."""

    state: np.ndarray
    draws: tuple[Draw, ...]
    asked: tuple[Asked, ...]
    notes: tuple[str, ...]


@dataclass(eq=False)
class Kernel:
    """The user's kernel; ``calls`` counts how often it ran, ``eps`` is its roundoff."""

    job: Job
    calls: int = 0
    eps: float = float(np.finfo(float).eps)
    #: the roundoff of constants and tables that went into doubled arithmetic
    coarse: float = 0.0
    #: what log p is raised by wherever a row moves to
    raised: float | None = None
    #: the draws of a call, and how those of another differed from them
    counted: Counted | None = None
    varied: str | None = None
    #: what is served where one uniform number is drawn for all rows
    held: float | None = None
    #: whether a time goes in as ``(n,)`` where a number was no answer
    times_in_rows: bool = False
    _seeds: int = 0
    _key: Any = None
    _jax: Log = field(default_factory=Log)
    _script: Script = zeros

    def rounded(self, state: np.ndarray) -> np.ndarray:
        """The states as they arrive, in the kernel's own floating type."""
        x = to_framework(state, state.shape[1:], self.job.framework, self.job.dtype)
        self.eps = max(self.eps, unit_roundoff(x))
        return np.asarray(as_numpy(x), dtype=float)

    def __call__(
        self, target: Target, state: np.ndarray, script: Script, h: float | None = None
    ) -> Answer:
        """Raises ``CallableError`` for what cannot be judged."""
        try:
            return self._called(target, state, script, h)
        except CallableError:
            if self.times_in_rows or "t" not in self.job.roles or self.calls > 1:
                raise
            self.times_in_rows = True
            try:
                return self._called(target, state, script, h)
            except CallableError:
                self.times_in_rows = False
            raise

    def _called(self, target: Target, state: np.ndarray, script: Script, h: float | None) -> Answer:
        job = self.job
        x = to_framework(state[:, : job.d], job.shape, job.framework, job.dtype)
        self.eps = max(self.eps, unit_roundoff(x))
        asked: list[Asked] = []
        most = MOST if self.counted is None else self.counted.most
        script = guarded(script, most, self.held)
        with intercepted(
            job.framework, script, double=job.framework == "torch" and job.dtype is None
        ) as log:
            if job.framework == "jax":
                log, self._jax.draws[:], self._jax.repeated[:] = self._jax, [], []
            raised_by = None if self.raised is None else (state[:, : job.d], self.raised)
            law = Law(job, target, log, asked, raised_by)
            kept = as_numpy(x).copy()
            given = Given(law, x, state, h, log, script, self.times_in_rows)
            arguments = [
                self._source(r, script, log) if r in RANDOM else handed(r, job, given)
                for r in job.roles
            ]
            more = self._random(script, log) | dict(job.options)
            self.calls += 1
            try:
                out = finished(job.function(*arguments, **more))
            except (CallableError, Endless):
                raise
            except (Exception, SystemExit) as error:
                raise CallableError(
                    "corrector",
                    "return normally",
                    raised(error, job.function, f" when called with ({', '.join(job.roles)})"),
                    remedy_for(error, ONE_CHAIN if "scalar-output" in str(error) else BY_HAND),
                ) from error
            if not np.array_equal(as_numpy(x), kept):
                raise CallableError(
                    "corrector",
                    "leave the x it is given unchanged",
                    "it wrote into it",
                    "make the update x = x + …, or start with x = x.clone() (NumPy: x.copy())",
                )
        if log.doubled and log.eps > self.eps:
            self.coarse = max(self.coarse, log.eps)
        if self.counted is not None and self.varied is None:
            self.varied = self.counted.other(log.draws, len(state))
        return Answer(
            self._state(out, len(state)),
            tuple(log.draws),
            tuple(asked),
            tuple(dict.fromkeys(log.notes)),
        )

    def _random(self, script: Script, log: Log) -> dict[str, Any]:
        """What it takes of a source of random numbers, by name."""
        job = self.job
        taken = [p.name for p in parameters(job.function) or ()]
        taken = [
            n for n in taken if n not in job.options and n not in job.positional[: len(job.roles)]
        ]
        found = {n: self._source(n, script, log) for n in taken if n in RANDOM}
        return {n: source for n, source in found.items() if source is not None}

    def _source(self, name: str, script: Script, log: Log) -> Any:
        """Of random numbers, as its name says; ``None`` where that is another library's."""
        self._seeds += 1
        if self.job.framework == "jax":
            return self._jax_key(script) if name in KEYS else None
        return source_of(self.job.framework, name, script, log, self._seeds)

    def _jax_key(self, script: Script) -> Any:
        """Another key in each call, of one kind: code that JAX compiled for it is not compiled
        again.
        """
        import jax

        self._script = script
        if self._key is None:
            self._key = jax_key(lambda draw: self._script(draw), self._jax)
        self._seeds += 1
        return jax.random.fold_in(self._key, self._seeds)

    def _state(self, out: Any, n: int) -> np.ndarray:
        job = self.job
        if job.two:
            if not isinstance(out, tuple) or len(out) < 2:
                raise CallableError(
                    "corrector",
                    "return x and v",
                    f"it returned {type(out).__name__}",
                    "return (x, v), as it takes both",
                )
            return np.concatenate([self._rows(out[0], n), self._rows(out[1], n)], axis=1)
        if hasattr(out, "prev_sample"):
            out = out.prev_sample
        elif isinstance(out, tuple) and out:
            out = out[0]
        elif isinstance(out, list) and out and np.ndim(as_numpy(out[0])) > len(job.shape):
            out = out[-1]  # all states, as annealed sampling returns them
        return self._rows(out, n)

    def _rows(self, out: Any, n: int) -> np.ndarray:
        try:
            value = as_numpy(out)
            self.eps = max(self.eps, unit_roundoff(value))
            rows = np.asarray(value, dtype=float)
        except (TypeError, ValueError, AttributeError) as error:
            raise CallableError(
                "corrector",
                "return the next x, one array",
                f"it returned {type(out).__name__}",
                "return x itself, or a tuple that begins with it",
            ) from error
        if rows.shape != (n, *self.job.shape):
            raise CallableError(
                "corrector",
                f"return x of shape {(n, *self.job.shape)}",
                f"it returned shape {rows.shape}",
                "one sample in, one sample out; name the shape of a sample by shape=, and map a"
                " kernel of one chain over the rows (jax.vmap, torch.vmap)",
            )
        if not np.all(np.isfinite(rows)):
            raise CallableError(
                "corrector",
                "return finite numbers",
                f"{int(np.sum(~np.isfinite(rows)))} of {rows.size} entries are nan or inf",
                "look for a division by a norm, or pass a smaller step_size",
            )
        return rows.reshape(n, -1)
