"""The model that a bound is given: it answers what is known, of known x_0, and keeps the call.

Conventions: rows are flat ``(n, d)``. What it says of x_0 is off by up to `WIDTHS` standard
deviations of p(x_{t-1} | x_t), seen there, so that no part of a term drowns in the others; by
another part of it at each t, so that no two terms are alike.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.public.loss.standin import label_of, told
from scoreproof.public.variational_bound.tables import Tables

__all__ = ["Call", "Script", "jax_model", "numpy_model", "replied"]

WIDTHS = 2.0
GOLDEN = (5**0.5 - 1) / 2
#: what a learned variance is said to be: of a range (in -1 … 1), or of logs beside log β̃
RANGE, LOGS = 0.8, 0.7


@dataclass(frozen=True, eq=False)
class Call:
    """One call of the model: where, what it was told, and what it answered, flat."""

    x: np.ndarray
    label: np.ndarray | None
    out: np.ndarray


@dataclass(eq=False)
class Script:
    """``t``: the timesteps that are asked for, ``None`` where they are told by the label; ``tb``:
    ``None`` in continuous time, where the answers are ``moves``.
    """

    x0: np.ndarray
    shape: tuple[int, ...]
    tb: Tables | None
    prediction: str
    variance: str
    moves: np.ndarray
    second: np.ndarray
    t: np.ndarray | None = None
    calls: list[Call] = field(default_factory=list)

    @property
    def learned(self) -> bool:
        return self.variance.startswith("learned")

    def out(self, x: np.ndarray, label: np.ndarray | None) -> np.ndarray:
        """The answer at x, flat; the call is kept."""
        if self.tb is None:
            out = self.moves.copy()
        else:
            t = self.t if self.t is not None else _timesteps(label, self.tb.steps, len(x))
            out = replied(self, x, t)
        self.calls.append(Call(np.array(x), label, out))
        return out

    def asked(self, x: Any, when: Any) -> np.ndarray:
        """The answer in the shape that a network has it. Raises ``CallableError``."""
        whole = (len(self.x0), *self.shape)
        if tuple(np.shape(x)) != whole and tuple(np.shape(when)) == whole:
            x, when = when, x
        if x is None or tuple(np.shape(x)) != whole:
            got = "nothing" if x is None else f"shape {tuple(np.shape(x))}"
            raise CallableError(
                "bound",
                f"ask its model at x_t of the shape of the data, {whole}",
                f"it asked at {got}",
                "call model(x_t, t) with the whole batch; shape= is that of one sample",
            )
        flat = np.array(as_numpy(x), dtype=float).reshape(len(self.x0), -1)
        out = self.out(flat, label_of(when, len(flat)))
        parts = [p.reshape(whole) for p in np.split(out, 1 + self.learned, axis=1)]
        return np.concatenate(parts, axis=1)


def replied(script: Script, x: np.ndarray, t: np.ndarray) -> np.ndarray:
    """What the model says of x at the timesteps ``t``, flat."""
    tb = script.tb
    assert tb is not None
    column = (lambda table: table[t][:, None]) if len(t) else None
    assert column is not None
    a, s = column(tb.a), column(tb.s)
    if script.variance == "learned":
        second = column(tb.low) + LOGS * script.second
        logvar = second
    elif script.variance == "learned_range":
        second = RANGE * script.second
        logvar = (1 + second) / 2 * column(tb.high) + (1 - second) / 2 * column(tb.low)
    else:
        second, logvar = script.second, column(tb.fixed)
    width = WIDTHS * np.exp(logvar / 2) * script.moves * _part_of(t)[:, None]
    guess = script.x0 + width / column(tb.c0)
    first = {
        "eps": lambda: (x - a * guess) / s,
        "x0": lambda: guess,
        "v": lambda: (a * x - guess) / s,
        "score": lambda: (a * guess - x) / s**2,
        "mean": lambda: column(tb.c0) * guess + column(tb.ct) * x,
    }[script.prediction]()
    return np.concatenate([first, second], axis=1) if script.learned else np.asarray(first)


def _part_of(t: np.ndarray) -> np.ndarray:
    """Of every time another number in (½, 1]: terms that are alike could be weighed otherwise."""
    return np.asarray(1.0 - 0.5 * np.mod(GOLDEN * t, 1.0))


def _timesteps(label: np.ndarray | None, steps: int, rows: int) -> np.ndarray:
    """The indices that a label is most probably of; of what it answers there is kept anyway."""
    if label is None:
        return np.full(rows, steps // 2)
    if np.all(label == np.round(label)) and np.max(label) < steps:
        guess = label
    else:
        guess = label * (steps if np.max(label) <= 1 else steps / 1000.0)
    return np.asarray(np.clip(np.round(guess), 0, steps - 1).astype(int))


def numpy_model(script: Script) -> Any:
    """For NumPy code."""

    def model(*args: Any, **kwargs: Any) -> Any:
        x, when = told(args, kwargs)
        out = script.asked(x, when)
        kind = np.asarray(x).dtype
        return out.astype(kind if kind.kind == "f" else float)

    return model


def jax_model(script: Script) -> Any:
    """For JAX code; under ``jit`` it is called back when the code is run."""
    import jax
    import jax.numpy as jnp

    from scoreproof.interop.jax_callback import traced

    def model(*args: Any, **kwargs: Any) -> Any:
        x, when = told(args, kwargs)
        if not traced(x, when):
            return jnp.asarray(script.asked(x, when), dtype=x.dtype)
        from jax.experimental import io_callback

        channels = script.shape[0] * (1 + script.learned)
        out = jax.ShapeDtypeStruct((len(script.x0), channels, *script.shape[1:]), x.dtype)
        when = jnp.zeros(()) if when is None else when

        def run(rows: Any, time: Any) -> np.ndarray:
            return np.asarray(script.asked(np.asarray(rows), np.asarray(time)), dtype=x.dtype)

        return io_callback(run, out, x, when, ordered=True)

    return model
