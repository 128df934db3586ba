"""The exact model that is handed over: what it predicts, its divergence, and what it was asked.

Conventions: called ``(x, t)`` or ``(t, x)``, with a batch or, under ``vmap``, one sample; t is a
number, or one a row. ``asked`` lists the times in order, ``first`` the x of the first call.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.public.log_likelihood.clocks import Clock
from scoreproof.public.log_likelihood.law import Law, Parts, library

__all__ = ["Model", "predicted"]


def predicted(kind: str, parts: Any, levels: Any) -> Any:
    """What a model of that kind answers."""
    alpha, sigma, alpha_dot, sigma_dot = levels
    if kind == "score":
        return parts.score
    if kind == "eps":
        return parts.eps
    if kind == "x0":
        return parts.x0
    if kind == "flow":
        return parts.eps - parts.x0
    if kind == "v":
        return (alpha * parts.eps - sigma * parts.x0) / (alpha**2 + sigma**2) ** 0.5
    return alpha_dot * parts.x0 + sigma_dot * parts.eps


@dataclass(eq=False)
class Model:
    law: Law
    clock: Clock
    kind: str
    shape: tuple[int, ...]
    calls: int = 0
    asked: list[float] = field(default_factory=list)
    first: np.ndarray | None = None
    last: tuple[float, np.ndarray] | None = None
    #: the width of the differences by which NumPy code takes its derivatives, where it does
    width: float = 0.0
    #: a shift and the log of a scale of x_0, where they are differentiated
    theta: Any = None

    #: what code reads off an EDM network
    sigma_min = 0.0
    sigma_max = float("inf")
    label_dim = 0
    training = False

    def __call__(self, a: Any, b: Any = None, *more: Any, **named: Any) -> Any:
        if b is None:
            b = next((named[n] for n in ("t", "time", "sigma") if n in named), None)
            a = named.get("x", a)
        x, t = (a, b) if self._is_x(a) else (b, a)
        if t is None or not self._is_x(x):
            raise CallableError(
                "log_likelihood",
                f"ask its model at x of shape (n, {', '.join(map(str, self.shape))}) and a time",
                f"it passed shapes {tuple(np.shape(a))} and {tuple(np.shape(b))}",
                "the first axis is the batch; name the shape of one sample by shape=",
            )
        self._note(x, t)
        flat = x.reshape(tuple(x.shape[: x.ndim - len(self.shape)]) + (self.law.d,))
        levels = self.clock.levels(flat, t)
        out = predicted(self.kind, self.law.parts(flat, levels[0], levels[1], self.theta), levels)
        return out.reshape(x.shape)

    forward = __call__

    def eval(self) -> Model:
        return self

    def train(self, mode: bool = True) -> Model:
        return self

    def divergence(self, a: Any, b: Any) -> Any:
        """``(n,)``: the trace of the derivative of the prediction in x, for NumPy code."""
        x, t = (a, b) if self._is_x(a) else (b, a)
        flat = np.asarray(x, float).reshape(-1, self.law.d)
        if np.size(t) == 1:
            levels = [float(v) for v in self.clock.at(np.ravel(t)[0])]
            return of_prediction(self.kind, self.law, flat, levels)
        when = np.broadcast_to(np.ravel(np.asarray(t, float)), (len(flat),))
        return np.array([
            of_prediction(self.kind, self.law, row[None], [float(v) for v in self.clock.at(u)])[0]
            for row, u in zip(flat, when, strict=True)
        ])  # fmt: skip

    def _moved(self, when: float, rows: np.ndarray) -> None:
        if self.last is not None and self.last[0] == when and self.last[1].shape == rows.shape:
            change = np.abs(rows - self.last[1])
            moved = float(np.max(change))
            one = rows.shape[1] > 1 and bool(np.all(np.sum(change > 0, axis=1) == 1))
            if one and 0 < moved < 0.05:
                self.width = max(self.width, moved)
        self.last = (when, rows)

    def _is_x(self, value: Any) -> bool:
        shape = tuple(np.shape(value))
        k = len(self.shape)
        return shape[-k:] == self.shape and len(shape) in (k, k + 1)

    def _note(self, x: Any, t: Any) -> None:
        self.calls += 1
        lib = library(x)
        if lib is np or lib.__name__ == "torch":
            self._noted(x, t)
            return
        jax = sys.modules["jax"]
        if isinstance(x, jax.core.Tracer) or isinstance(t, jax.core.Tracer):
            jax.debug.callback(self._noted, x, t)
        else:
            self._noted(x, t)

    def _noted(self, x: Any, t: Any) -> None:
        try:
            when = float(np.ravel(as_numpy(t))[0])
            self.asked.append(when)
            if np.ndim(x) > len(self.shape):
                rows = np.array(as_numpy(x), float).reshape(len(x), -1)
                self._moved(when, rows)
                if self.first is None:
                    self.first = rows
        except (RuntimeError, TypeError, ValueError):
            return  # inside torch.func, whose values are not to be had


def of_prediction(kind: str, law: Law, x: np.ndarray, levels: Any) -> np.ndarray:
    """The divergence of what a model of that kind answers, rows at one level."""
    of_x0, of_score = law.divergences(x, levels[0], levels[1])
    parts = Parts(of_x0, -levels[1] * of_score, of_score, None)
    return np.asarray(predicted(kind, parts, levels))
