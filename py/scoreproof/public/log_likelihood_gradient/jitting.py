"""What jax.jit would do for a gradient that is asked many times: measured on that gradient, and
said in a note.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.interop.frameworks import require
from scoreproof.public.log_likelihood_gradient.asking import Measurement, Question

__all__ = ["note_on_jit"]

#: seconds that all calls together must have taken, and the gain that is worth a word
LONG, GAIN = 2.0, 2.0
#: the answers of both must agree to this: a function with a state of its own is not wrapped
ALIKE = 1e-2


def note_on_jit(measure: Measurement, question: Question, tol: float | None) -> tuple[str, ...]:
    """A note, or none: nothing is said that was not measured."""
    given = measure.given
    if given.framework != "jax" or len(measure.seconds) < 2:
        return ()
    # the second call has the shapes of the first: what it took is neither import nor first tracing
    plain, calls = measure.seconds[1], measure.calls
    if plain * calls < LONG:
        return ()
    guard = measure.guard_of_gradient(tol)
    prepare = guard.prepare or np.asarray
    x, nu = (prepare(v[question.rows]) for v in (given.x, question.nu))
    params = prepare(given.params)
    more = {} if tol is None else {"tol": tol}

    def asked(x: Any, p: Any, nu: Any) -> Any:
        return given.held.under(p, lambda held: given.gradient.handed(x, held, nu, **more))

    with measure.as_before():
        try:
            fast = require("jax").jit(asked)
            compiled, found = _timed(lambda: fast(x, params, nu))
            quick, found = _timed(lambda: fast(x, params, nu))
            rows = given.gradient.flattened(found, len(x))
            due = measure.ask(question, tol).gradient
        except Exception:  # it asks for values, or returns what is no array: not to be wrapped
            return ()
    size = float(np.max(np.abs(due))) or 1.0
    apart = float(np.max(np.abs(np.asarray(rows, float).reshape(due.shape) - due))) / size
    if plain < GAIN * quick or apart > ALIKE:
        return ()
    pays = math.ceil(compiled / (plain - quick))
    return (
        f"the gradient took {plain:.2g} s a call as it is, and under jax.jit {quick:.2g} s,"
        f" {plain / quick:.2g} times less, after {compiled:.2g} s of compilation, which pays from"
        f" {pays} call{'s' * (pays != 1)} on (measured here, on {len(x)} rows; the two agree to"
        f" {max(apart, 1e-16):.1g}): wrap it in jax.jit, once",
    )


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    begin = time.perf_counter()
    found = require("jax").block_until_ready(call())
    return time.perf_counter() - begin, found
