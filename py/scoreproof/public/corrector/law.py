"""What a kernel is handed of the law: score, density and their relatives, in its own library.

Conventions: the score is ∇ log p, the potential U is -log p. A model that is told another time than
the kernel was given answers with another score: nothing else would show it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.interop.callables import as_numpy
from scoreproof.interop.draws import Log
from scoreproof.interop.jax_callback import traced
from scoreproof.objects.parameterizations import convert
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.target import Target, like

__all__ = ["Asked", "Law"]


@dataclass(frozen=True, eq=False)
class Asked:
    """What a score, gradient or density was asked for: where, at which time (``None``: not told),
    and how many draws there had been.
    """

    role: str
    x: np.ndarray
    t: float | None
    drawn: int


class Law:
    """What a kernel is handed of the law, in its own library."""

    def __init__(
        self,
        job: Job,
        target: Target,
        log: Log,
        asked: list[Asked],
        raised: tuple[np.ndarray, float] | None = None,
    ) -> None:
        self.job, self.target, self.log, self.asked = job, target, log, asked
        self.raised = raised

    def score(self, x: Any, t: Any = None, *args: Any, **kwargs: Any) -> Any:
        when = self.note("score", x, t)
        value = self.target.score(x)
        if t is not None and not _is(when, self.job.t):
            # another time's score is another one
            u = (
                t
                if np.ndim(as_numpy(t) if not traced(t) else t) == 0
                else t.reshape((-1,) + (1,) * (x.ndim - 1))
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
        return self._raised(x, self.target.log_density(x))

    def potential(self, x: Any, *args: Any) -> Any:
        self.note("potential", x, None)
        return -self._raised(x, self.target.log_density(x))

    def _raised(self, x: Any, value: Any) -> Any:
        """log p, higher by a constant wherever x is not where its row started: every proposal is
        seen then, and no gradient is another one.
        """
        rows = None if self.raised is None else _numbers(x)
        if self.raised is None or rows is None:
            return value
        start, by = self.raised
        if rows.shape != (len(start), *self.job.shape):
            return value
        gone = np.any(rows.reshape(len(start), -1) != start, axis=1)
        return value + like(np.where(gone, by, 0.0), value)

    def note(self, role: str, x: Any, t: Any) -> float | None:
        """The time that it is told, if that is a number by now."""
        told = None if t is None else _numbers(t)
        when = float(np.ravel(told)[0]) if told is not None and told.size else None
        rows = _numbers(x)
        if rows is not None and rows.ndim > len(self.job.shape):
            kept = np.array(rows).reshape(len(rows), -1)
            self.asked.append(Asked(role, kept, when, len(self.log.draws)))
        return when


def _numbers(value: Any) -> np.ndarray | None:
    """As an array; ``None`` where it stands for numbers that are not known yet, in transforms."""
    if traced(value):
        return None
    try:
        return np.asarray(as_numpy(value), dtype=float)
    except RuntimeError:  # a tensor inside torch.func
        return None


def _is(when: float | None, t: float) -> bool:
    return when is not None and abs(when - t) <= 1e-6 * (1 + abs(t))
