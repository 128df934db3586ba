"""How a flow is asked: NumPy rows go in and come out, calls are counted, random numbers held fixed.

Conventions: rows x ``(n, d)``; a sample's shape, the library and the precision are the flow's.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded
from scoreproof.interop.frameworks import guarded, require
from scoreproof.public.normalizing_flow.arguments import Job
from scoreproof.public.normalizing_flow.forms import Form, recognised
from scoreproof.public.normalizing_flow.frameworks import steady
from scoreproof.public.normalizing_flow.reading import Answer, pair, parts_of

__all__ = ["Flow"]


class Flow:
    """A flow, the job's or a copy of it. ``seed``: where global generators start at each call."""

    def __init__(self, job: Job, flow: Any, calls: dict[str, int] | None = None) -> None:
        self.job, self.object, self.seed = job, flow, job.seed
        self.calls = {"forward": 0, "inverse": 0, "log_prob": 0} if calls is None else calls
        self.eps = float(np.finfo(float).eps)
        #: rows of one batch of points: larger batches are several of them, context by context
        self.rows = 0
        #: autodiff says what differences say; it cannot make several passes at once
        self.trusted = self.singly = False
        #: it draws random numbers, other ones for another number of rows
        self.noisy = False
        #: the shapes of z, one for each scale; and why there is no inverse, where it says so
        self.shapes: tuple[tuple[int, ...], ...] = ()
        self.no_inverse = ""
        #: the inverse returns the log_det that it is handed
        self.through = False
        #: log_prob returns numbers without gradients
        self.ungraded = False
        #: what has a gradient that differences are too coarse for
        self.unseen: list[str] = []
        self._forms: dict[int, Form] = {}

    def form(self, n: int) -> Form:
        """For a batch of n rows, of which each has its context."""
        key = n if self.job.context is not None else 0
        if key not in self._forms:
            self._forms[key] = recognised(self.object, self.job, self._context(n))
        return self._forms[key]

    def _context(self, n: int) -> Any:
        rows = self.job.context
        if rows is None:
            return None
        tiled = rows[(np.arange(n) % (self.rows or n)) % len(rows)]
        prepare = self.guard(lambda x: x, "context").prepare
        return tiled if prepare is None else prepare(tiled)

    def guard(self, function: Callable[..., Any], what: str) -> Guarded:
        job = self.job
        return guarded(function, f"{job.name}'s {what}", job.framework, job.dtype)

    def precise(self) -> AbstractContextManager[None]:
        """New tensors are of double precision too, where the flow is asked in it."""
        if self.job.framework != "torch" or str(self.job.dtype).endswith("float32"):
            return nullcontext()
        from scoreproof.interop.default_type import default_type

        return default_type(require("torch").float64)

    def shaped(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(len(x), *(self.job.shape or x.shape[1:]))

    def ask(self, what: str, function: Callable[..., Any], *given: np.ndarray) -> Any:
        """The native result of one call, counted."""
        guard = self.guard(function, what)
        self.calls[what] += 1
        with steady(self.seed), self.precise():
            result = guard.raw(*given)
        self.eps = max(self.eps, guard.eps)
        return result, guard

    def forward(self, x: np.ndarray) -> Answer:
        result, guard = self.ask("forward", self.form(len(x)).forward, self.shaped(x))
        answer = pair(result, len(x), x.shape[1], guard, self.job.returns)
        self.shapes = answer.shapes
        self.eps = max(self.eps, guard.eps)
        return answer

    def tried(self, x: np.ndarray) -> np.ndarray | None:
        """z, where forward takes x and it is finite: x need not be of its domain."""
        try:
            z = self.forward(x).z
        except CallableError:
            return None
        return z if np.all(np.isfinite(z)) else None

    def of_z(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function of z as forward returned it, of rows."""
        shapes = self.shapes
        if len(shapes) == 1:
            return lambda z: function(z.reshape(z.shape[0], *shapes[0]))
        ends = np.cumsum([0, *(int(np.prod(s)) for s in shapes)])

        def split(z: Any) -> Any:
            parts = zip(ends[:-1], ends[1:], shapes, strict=True)
            return function([z[:, a:b].reshape(z.shape[0], *s) for a, b, s in parts])

        return split if shapes else function

    def adding(self, x: np.ndarray, sums: np.ndarray) -> Answer | None:
        """Forward, handed a log_det to add to; ``None`` where it takes none."""
        form = self.form(len(x))
        if form.adding is None:
            return None
        result, guard = self.ask("forward", form.adding, self.shaped(x), sums)
        return pair(result, len(x), x.shape[1], guard, self.job.returns)

    def inverse(self, z: np.ndarray) -> Answer | None:
        """x for z, with the inverse's log_det where it returns one; ``None`` without an inverse."""
        form = self.form(len(z))
        if form.inverse is None or self.no_inverse:
            return None
        try:
            result, guard = self.ask("inverse", self.of_z(form.inverse), z)
        except CallableError as error:
            if not isinstance(error.__cause__, NotImplementedError | KeyError):
                raise
            self.no_inverse = f"{type(error.__cause__).__name__}: {error.__cause__}"
            return None
        if isinstance(result, tuple | list) and len(result) > 2 and self.job.returns is None:
            result = (result[0], result[1])
        answer = pair(result, len(z), z.shape[1], guard, self.job.returns)
        if form.handed is None or answer.log_det is None or np.any(answer.log_det):
            return answer
        # it may hand through what it is handed: sampling needs none
        sums, handed = 1.75 + np.arange(len(z)) / 8, form.handed
        again = self.ask("inverse", lambda z, s: self.of_z(lambda y: handed(y, s))(z), z, sums)
        other = pair(again[0], len(z), z.shape[1], again[1], self.job.returns)
        self.through = other.log_det is not None and np.array_equal(other.log_det, sums)
        return replace(answer, log_det=None, how="none") if self.through else answer

    def log_prob(self, x: np.ndarray) -> np.ndarray | None:
        """``(n,)``, or what came of another shape."""
        form = self.form(len(x))
        if form.log_prob is None:
            return None
        result, guard = self.ask("log_prob", form.log_prob, self.shaped(x))
        if isinstance(result, tuple | list):
            if not result:
                raise CallableError(
                    guard.name, "return numbers", "it returned nothing", "return log p, shape (n,)"
                )
            result = result[0]
        return np.real(guard.accept(result, None, "log p", finite=False))

    def native(self, x: Any) -> tuple[Any, Any]:
        """z and log_det as the library's own arrays, for its autodiff; not counted."""
        return parts_of(self.form(len(x)).forward(x), self.job.returns)

    def within(self, shape: tuple[int, ...]) -> Flow:
        """The same flow for samples of another shape."""
        units = replace(self.job.units, d=int(np.prod(shape)))
        other = Flow(replace(self.job, shape=shape, units=units), self.object, self.calls)
        other.seed, other.eps, other.rows = self.seed, self.eps, self.rows
        other.shapes = self.shapes
        return other
