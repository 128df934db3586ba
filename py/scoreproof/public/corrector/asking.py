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
from scoreproof.interop.draws import Draw, Log, intercepted, serve
from scoreproof.interop.draws_jax import jax_key
from scoreproof.interop.draws_numpy import numpy_generator, numpy_random_state
from scoreproof.interop.jax_callback import finished, traced
from scoreproof.objects.parameterizations import convert
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.target import Target
from scoreproof.public.sampler.asking import to_framework
from scoreproof.public.sampler.functions import GENERATORS, KEYS, SEED, STATES, needed

__all__ = ["Answer", "Asked", "Kernel", "Script", "zeros"]

Script = Callable[[Draw], np.ndarray]


def zeros(draw: Draw) -> np.ndarray:
    """No noise; a half for what is uniform."""
    return np.full(draw.shape, 0.5 if draw.kind == "uniform" else 0.0)


@dataclass(frozen=True, eq=False)
class Asked:
    """What a score, gradient or density was asked for: where, at which time (``None``: not told),
    and how many draws there had been.
    """

    role: str
    x: np.ndarray
    t: float | None
    drawn: int


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
    notes: list[str] = field(default_factory=list)
    _seeds: int = 0

    def __call__(
        self, target: Target, state: np.ndarray, script: Script, h: float | None = None
    ) -> Answer:
        """Raises ``CallableError`` for what cannot be judged."""
        job = self.job
        x = to_framework(state[:, : job.d], job.shape, job.framework, job.dtype)
        self.eps = max(self.eps, unit_roundoff(x))
        asked: list[Asked] = []
        with intercepted(
            job.framework, script, double=job.framework == "torch" and job.dtype is None
        ) as log:
            law = _Law(job, target, log, asked)
            kept = as_numpy(x).copy()
            arguments = [self._argument(r, law, x, state, h, log, script) for r in job.roles]
            more = self._random(script, log) | dict(job.options)
            self.calls += 1
            try:
                out = finished(job.function(*arguments, **more))
            except CallableError:
                raise
            except (Exception, SystemExit) as error:
                raise CallableError(
                    "corrector",
                    "return normally",
                    raised(error, job.function, f" when called with ({', '.join(job.roles)})"),
                    remedy_for(error, "call it once by hand; name its arguments by given="),
                ) from error
            if not np.array_equal(as_numpy(x), kept):
                raise CallableError(
                    "corrector",
                    "leave the x it is given unchanged",
                    "it wrote into it",
                    "make the update x = x + …, or start with x = x.clone() (NumPy: x.copy())",
                )
        self.eps = max(self.eps, log.eps if log.doubled else 0.0)
        return Answer(self._state(out, len(state)), tuple(log.draws), tuple(asked), _said(log))

    def _argument(
        self,
        role: str,
        law: _Law,
        x: Any,
        state: np.ndarray,
        h: float | None,
        log: Log,
        script: Script,
    ) -> Any:
        job = self.job
        if role == "x":
            return x
        if role == "v":
            return to_framework(state[:, job.d :], job.shape, job.framework, job.dtype)
        if role == "step_size":
            return h
        if role in ("t", "t_batch"):
            if role == "t":
                return job.t
            times = np.full(len(state), job.t)
            whole = job.framework == "torch" and isinstance(job.t, int)
            return times if job.framework == "numpy" else to_framework(
                times, (), job.framework, "int64" if whole else job.dtype
            )
        if role == "snr":
            return job.snr
        if role in ("noise", "uniform"):
            shape = (len(state), *job.shape) if role == "noise" else (len(state),)
            kind = "normal" if role == "noise" else "uniform"
            draw = Draw(len(log.draws), shape, kind, f"the argument {role}", "float64", False)
            value = serve(script, log, draw).reshape(len(state), -1)
            return to_framework(value, shape[1:], job.framework, job.dtype)
        if role in ("mean", "cov", "precision"):
            value = {
                "mean": law.target.mean,
                "cov": law.target.covariance,
                "precision": law.target.precision,
            }[role]
            return to_framework(value[None], value.shape, job.framework, job.dtype)[0]
        return getattr(law, role)

    def _random(self, script: Script, log: Log) -> dict[str, Any]:
        """What it takes of a source of random numbers, by name."""
        job = self.job
        taken = needed(job.function)[1]
        taken = [n for n in taken if n not in job.options and n not in job.names[: len(job.roles)]]
        if job.framework == "jax":
            return {n: jax_key(script, log) for n in taken if n in KEYS}
        if job.framework == "numpy":
            found = {n: numpy_generator(script, log) for n in taken if n in GENERATORS}
            return found | {n: numpy_random_state(script, log) for n in taken if n in STATES}
        if taken := [n for n in taken if n in GENERATORS]:
            import torch

            self._seeds += 1
            return {n: torch.Generator().manual_seed(SEED + self._seeds) for n in taken}
        return {}

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
        return rows.reshape(n, -1)


def _said(log: Log) -> tuple[str, ...]:
    return tuple(dict.fromkeys(log.notes))


class _Law:
    """What a kernel is handed of the law, in its own library."""

    def __init__(self, job: Job, target: Target, log: Log, asked: list[Asked]) -> None:
        self.job, self.target, self.log, self.asked = job, target, log, asked

    def score(self, x: Any, t: Any = None, *args: Any, **kwargs: Any) -> Any:
        when = self.note("score", x, t)
        value = self.target.score(x)
        if t is not None and not _is(when, self.job.t):
            # another time's score is another one
            u = t if np.ndim(as_numpy(t) if not traced(t) else t) == 0 else t.reshape(
                (-1,) + (1,) * (x.ndim - 1)
            )
            value = value * ((1 + self.job.t) / (1 + u))
        if self.job.prediction == "score":
            return value
        level = self.job.level_of(self.job.t if when is None else when)
        kind = self.job.prediction
        return convert(value, x, "score", kind, level.alpha, level.sigma)

    def grad_log_prob(self, x: Any, *args: Any) -> Any:
        self.note("grad_log_prob", x, None)
        return self.target.score(x)

    def grad_potential(self, x: Any, *args: Any) -> Any:
        self.note("grad_potential", x, None)
        return -self.target.score(x)

    def log_prob(self, x: Any, *args: Any) -> Any:
        self.note("log_prob", x, None)
        return self.target.log_density(x)

    def potential(self, x: Any, *args: Any) -> Any:
        self.note("potential", x, None)
        return -self.target.log_density(x)

    def note(self, role: str, x: Any, t: Any) -> float | None:
        """The time that it is told, if that is a number by now."""
        when = None
        if t is not None and not traced(t):
            times = np.ravel(np.asarray(as_numpy(t), dtype=float))
            when = float(times[0]) if len(times) else None
        if not traced(x) and np.ndim(as_numpy(x)) > len(self.job.shape):
            rows = np.asarray(as_numpy(x), dtype=float).reshape(len(x), -1)
            self.asked.append(Asked(role, rows, when, len(self.log.draws)))
        return when


def _is(when: float | None, t: float) -> bool:
    return when is not None and abs(when - t) <= 1e-6 * (1 + abs(t))
