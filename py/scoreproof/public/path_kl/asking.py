"""One call of the user's function, with its random draws served, and what came back.

Conventions: paths are ``(K + 1, n, d)`` here whatever the user's layout; ``z (K, n, d)`` is
standard normal noise, dW is √dt z.
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
from scoreproof.interop.sources import source_of
from scoreproof.public.called import RANDOM
from scoreproof.public.path_kl.arguments import Job
from scoreproof.public.path_kl.handing import SDE, Handed
from scoreproof.public.path_kl.outputs import Output, read
from scoreproof.public.path_kl.problem import Problem

__all__ = ["Answer", "Batch", "Unseen", "User"]

CONSTANT = ("number", "matrix")
BY_HAND = "call it once by hand; say what its arguments are by given="


class Unseen(Exception):
    """Why the expectation is not seen."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What is handed over: times, paths or starts ``(n, d)``, noise where it is an argument."""

    t: np.ndarray
    start: np.ndarray
    x: np.ndarray | None = None
    z: np.ndarray | None = None

    @property
    def n(self) -> int:
        return len(self.start)

    def row(self, i: int) -> Batch:
        """One row."""
        cut = (None if v is None else v[:, i : i + 1] for v in (self.x, self.z))
        return Batch(self.t, self.start[i : i + 1], *cut)


@dataclass(frozen=True, eq=False)
class Answer:
    """What came back, and the draws with their numbers, in order; of one path at a time, a list of
    them for each.
    """

    output: Output
    draws: tuple[tuple[Draw, np.ndarray], ...]
    notes: tuple[str, ...]


@dataclass(eq=False)
class User:
    """The user's function; ``calls`` counts how often it ran, ``eps`` is its roundoff."""

    job: Job
    calls: int = 0
    eps: float = float(np.finfo(float).eps)
    #: whether drifts, and noise, were asked without a time
    still: list[bool] = field(default_factory=lambda: [False, False])
    _seeds: int = field(default=0)

    def rounded(self, values: np.ndarray) -> np.ndarray:
        """Numbers as they arrive in the user's type."""
        return np.asarray(as_numpy(self._array(values)), dtype=float)

    def __call__(
        self, problem: Problem, batch: Batch, script: Callable[[Draw], np.ndarray]
    ) -> Answer:
        """Raises ``CallableError`` for what cannot be judged."""
        if not self.job.single:
            return self._one(problem, batch, script)
        answers = [self._one(problem, batch.row(i), _of_row(script, i)) for i in range(batch.n)]
        values = np.array([float(a.output.values) for a in answers])
        paths = [a.output.path for a in answers]
        known = all(p is not None for p in paths)
        path = np.concatenate([p for p in paths if p is not None], axis=1) if known else None
        draws = tuple(d for a in answers for d in a.draws)
        return Answer(Output(values, path, answers[0].output.steps), draws, answers[0].notes)

    def _one(self, problem: Problem, batch: Batch, script: Callable[[Draw], np.ndarray]) -> Answer:
        job = self.job
        served: list[tuple[Draw, np.ndarray]] = []

        def source(draw: Draw) -> np.ndarray:
            value = np.asarray(script(draw), dtype=float)
            served.append((draw, value))
            return value

        double = job.framework == "torch" and job.dtype is None
        with intercepted(job.framework, source, double=double) as log:
            handed = Handed(problem, batch.t, job.flat)
            values = {
                name: self._argument(role, name, handed, batch, source, log)
                for name, role in job.roles.items()
            }
            values = {n: v for n, v in values.items() if v is not None}
            self.calls += 1
            try:
                if job.keyword:
                    out = finished(job.function(**values, **job.options))
                else:
                    out = finished(job.function(*values.values(), **job.options))
            except (CallableError, Unseen):
                raise
            except (Exception, SystemExit) as error:
                how = f" when called with ({', '.join(job.roles.values())})"
                raise CallableError(
                    "path_kl",
                    "return normally",
                    raised(error, job.function, how),
                    remedy_for(error, BY_HAND, self.eps),
                ) from error
        self.still = [a or b for a, b in zip(self.still, handed.still, strict=True)]
        self.eps = max(self.eps, log.eps if log.doubled else 0.0)
        output = read(out, job, batch.n, len(batch.t) - 1)
        if not log.doubled:
            self.eps = max(self.eps, output.eps)
        return Answer(output, tuple(served), tuple(log.notes))

    def _array(self, values: np.ndarray) -> Any:
        job = self.job
        if job.framework == "torch":
            import torch

            wanted = getattr(torch, job.dtype) if isinstance(job.dtype, str) else job.dtype
            array: Any = torch.tensor(np.array(values), dtype=wanted or torch.float64)
        elif job.framework == "jax":
            import jax.numpy as jnp

            array = jnp.asarray(values, dtype=job.dtype)
        else:
            array = np.array(values, dtype=job.dtype or float)
        self.eps = max(self.eps, unit_roundoff(array))
        return array

    def _laid(self, path: np.ndarray) -> Any:
        """A path, or noise, in the user's layout."""
        layout = self.job.said["layout"]
        path = path[..., 0] if self.job.flat else path
        path = path[:, 0] if layout == "one path" else path
        return self._array(path.swapaxes(0, 1) if layout == "batch first" else path)

    def _argument(
        self,
        role: str,
        name: str,
        handed: Handed,
        batch: Batch,
        source: Callable[[Draw], np.ndarray],
        log: Log,
    ) -> Any:
        problem = handed.problem
        callables: dict[str, Callable[[], Any]] = {
            "drift0": lambda: handed.net(0, name),
            "drift1": lambda: handed.net(1, name),
            "score0": lambda: handed.net(0, name),
            "score1": lambda: handed.net(1, name),
            "control": lambda: handed.net(0, name),
            "sde": lambda: SDE(handed),
            "diffusion": lambda: (
                self._constant(problem) if problem.noise in CONSTANT else handed.diffusion
            ),
            "cov": lambda: self._array(problem.base @ problem.base.T),
            "log_p0": lambda: handed.initial(0),
            "log_q0": lambda: handed.initial(1),
            "terminal": lambda: handed.terminal,
            "boundary": lambda: problem.boundary,
        }
        if role in callables:
            return callables[role]()
        if role == "batch_size":
            return batch.n
        if role in RANDOM:
            return self._random(role, source, log)
        steps = np.diff(batch.t)
        if role in ("x", "dW", "z"):
            scaled = np.sqrt(steps)[:, None, None]
            noise = np.zeros(0) if batch.z is None else batch.z
            array = {"x": batch.x, "z": noise, "dW": noise if batch.z is None else noise * scaled}
            return self._laid(np.asarray(array[role]))
        if role == "x0":
            start = batch.start[:, 0] if self.job.flat else batch.start
            return self._array(start[0] if self.job.single else start)
        if role in ("mean0", "std0", "mean1", "std1"):
            both = problem.mean if role.startswith("mean") else problem.std
            one = both[int(role[-1])]
            return self._array(one[0] if self.job.flat else one)
        if role == "t":
            return self._array(batch.t)
        numbers = {"dt": float(steps[0]), "t0": float(batch.t[0]), "t1": float(batch.t[-1])}
        return len(steps) if role == "steps" else numbers[role]

    def _constant(self, problem: Problem) -> Any:
        number = float(problem.base[0, 0])
        return number if problem.noise == "number" else self._array(problem.base)

    def _random(self, role: str, source: Callable[[Draw], np.ndarray], log: Log) -> Any:
        framework = self.job.framework
        self._seeds += 1
        if framework == "jax":
            return jax_key(source, log, self._seeds)
        return source_of(framework, role, source, log, self._seeds)


def _of_row(script: Callable[[Draw], np.ndarray], row: int) -> Callable[[Draw], np.ndarray]:
    """The numbers that a row of its own gets: those of its row, one at a time."""
    of_row: Callable[[int], Callable[[Draw], np.ndarray]] | None = getattr(script, "of_row", None)
    return script if of_row is None else of_row(row)
