"""The stand-in for JAX: its answers are moved by a perturbation, in which the loss is
differentiated.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.custom_derivatives import SymbolicZero

from scoreproof.interop.jax_callback import traced
from scoreproof.public.loss.standin import (
    MOST,
    Asked,
    DifferentiatedError,
    Script,
    recorded,
    shaped,
    told,
)

__all__ = ["JaxModel"]


class JaxModel:
    """``model(x, t, …)``, or a sample at a time under ``jax.vmap``. ``moves``: ``(MOST, B, …)``."""

    def __init__(self, script: Script, moves: Any) -> None:
        self._script, self._moves, self._count = script, moves, 0
        for name, value in script.attributes().items():
            setattr(self, name, value)

    def apply(self, _variables: Any, *args: Any, **kwargs: Any) -> Any:
        """As flax's modules are called."""
        return self(*args, **kwargs)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        x, when = told(args, kwargs)
        index = min(self._count, MOST - 1)
        self._count += 1
        answer = self._script.answer_of(index)
        answers = jnp.asarray(answer, dtype=self._moves.dtype) + self._moves[index]
        if np.shape(x) == () and tuple(np.shape(when)) == self._script.shape:
            x, when = when, x
        alone = tuple(np.shape(x)) == self._script.shape
        if not alone:
            x, when = shaped(self._script, x, when)
        answers = _watched(x, when, answers)
        if not traced(x, when):
            recorded(self._script, x, when)
            return answers.astype(x.dtype)
        which = self._asked(index, x, when, alone)
        rows = answers[which] if alone else answers + 0 * which.astype(answers.dtype)
        return rows.astype(x.dtype)

    def _asked(self, index: int, x: Any, when: Any, alone: bool) -> Any:
        """The row that is asked for, once the numbers are there; the call is kept meanwhile."""
        script = self._script
        told_time = jnp.zeros(()) if when is None else when

        def run(rows: Any, times: Any) -> np.ndarray:
            rows, times = np.asarray(rows), np.asarray(times)
            count = len(script.answers)
            asked = Script(script.answers, script.shape)
            call = recorded(asked, rows.reshape(count, -1), None if when is None else times)
            while len(script.calls) <= index:
                script.calls.append(Asked(call.x, call.label))
            script.calls[index] = call
            return np.arange(count, dtype=np.int32) if alone else np.zeros((), np.int32)

        out = jax.ShapeDtypeStruct((), np.int32)
        given = (jax.lax.stop_gradient(x), jax.lax.stop_gradient(told_time))
        return jax.pure_callback(run, out, *given, vmap_method="broadcast_all")


def _watched(x: Any, when: Any, answers: Any) -> Any:
    """The answers; raises where what the model is asked at is differentiated in."""
    inputs = [a for a in (x, when) if hasattr(a, "dtype")]

    @jax.custom_jvp
    def answered(out: Any, *given: Any) -> Any:
        return out

    def rule(primals: Any, tangents: Any) -> Any:
        if not all(isinstance(t, SymbolicZero) for t in tangents[1:]):
            raise DifferentiatedError(True)
        moved = tangents[0]
        if isinstance(moved, SymbolicZero):
            moved = jnp.zeros_like(primals[0])
        return primals[0], moved

    answered.defjvp(rule, symbolic_zeros=True)
    return answered(answers, *inputs)
