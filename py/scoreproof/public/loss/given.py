"""What a loss is called with, by the names that it takes, and what of its answer is minimised.

Conventions: rows are flat ``(B, d)`` until they are handed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.standin import SPARE

__all__ = ["Given", "arguments_of", "moved", "otherwise", "picked"]

#: how dictionaries of losses call the one that is minimised
NAMES = ("loss", "total_loss", "total", "mse", "train_loss")


@dataclass(frozen=True, eq=False)
class Given:
    """What a run is made with: all ``(B, d)``, times ``(B,)`` or ``None`` where the loss draws
    them; ``extra``: what further draws of noise get; ``turn``: another moves on what it draws;
    ``others``: what is added to the answers of each call of the model, ``(B, d)`` each; ``spare``:
    what is answered for a learned variance.
    """

    x0: np.ndarray
    noise: np.ndarray
    extra: np.ndarray
    answers: np.ndarray
    times: np.ndarray | None = None
    turn: int = 0
    others: tuple[np.ndarray, ...] = ()
    spare: float = SPARE


def arguments_of(
    job: Job, given: Given, model: Any, rng: Any, convert: Any
) -> tuple[list[Any], dict[str, Any]]:
    rows = len(given.x0)
    whole = (rows, *job.shape)
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for role, keyword in job.takes:
        if role == "model":
            value = model
        elif role == "rng":
            value = rng
        elif role == "t":
            assert given.times is not None
            whole_number = job.process.discrete
            value = convert(given.times.astype(int) if whole_number else given.times)
        else:
            value = convert((given.x0 if role == "x0" else given.noise).reshape(whole))
        if keyword is None:
            positional.append(value)
        else:
            named[keyword] = value
    return positional, named


def moved(base: np.ndarray, place: tuple[int, ...], by: float) -> np.ndarray:
    out = base.copy()
    out[place] += by
    return out


def picked(value: Any) -> Any:
    """The loss itself, of a dictionary of losses, or of (loss, more), of which what is logged may
    come first.
    """
    if isinstance(value, Mapping):
        name = next((n for n in NAMES if n in value), next(iter(value), None))
        return value[name]
    if isinstance(value, tuple | list) and value:
        plain = [v for v in value if not isinstance(v, Mapping)]
        named = isinstance(value[0], Mapping) and any(n in value[0] for n in NAMES)
        value = picked(value[0]) if named or not plain else plain[0]
    if not (hasattr(value, "dtype") or isinstance(value, Real)):
        raise CallableError(
            "loss",
            "return a number, one for each sample, a dictionary with 'loss', or a tuple with one",
            f"it returned {type(value).__name__}",
            "return the loss that is minimised",
        )
    return value


def otherwise(error: Exception, job: Job) -> str:
    """What helps where nothing in the error says it."""
    if isinstance(error, IndexError) and not job.process.discrete:
        return "where t is an index of a table, pass the table: process={'betas': betas}"
    if "double" in str(error).lower() and "float" in str(error).lower():
        return (
            "it runs in double precision, and holds a network, or a table, in float32: pass"
            " dtype='float32', or make it double"
        )
    size = ", ".join(map(str, (job.rows, *job.shape)))
    return f"call it once by hand with x0 of ({size}), t of ({job.rows},), which wants a view"
