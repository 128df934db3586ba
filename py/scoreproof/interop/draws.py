"""Random draws of somebody else's code, replaced: what was asked for, and what is served instead.

Conventions: a source returns standard numbers of the kind and shape asked for, in float64 (normal:
mean 0 and variance 1, before the code's own scaling; uniform: on [0, 1)). Draws are numbered in the
order in which they are asked for. Nobody's module is patched: PyTorch offers a dispatch mode, NumPy
and JAX nothing, so that there the code is handed a generator, or its noise, as an argument.
"""

from __future__ import annotations

import pickle
import random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from scoreproof.errors import ScoreproofError

__all__ = ["Draw", "Kept", "Log", "Source", "asked_in", "intercepted", "serve"]

#: packages whose frames are not the user's
LIBRARIES = (
    "torch",
    "torchsde",
    "trampoline",
    "numpy",
    "jax",
    "scoreproof",
    "contextlib",
    "functools",
)


@dataclass(frozen=True)
class Draw:
    """One draw: its number, the shape and ``kind`` ("normal", "uniform", …) asked for, the line of
    the user's code, the type asked for, and whether a generator was passed.
    """

    index: int
    shape: tuple[int, ...]
    kind: str
    where: str
    dtype: str
    seeded: bool


Source = Callable[[Draw], np.ndarray]


@dataclass
class Log:
    """What was seen: every draw; whether arithmetic ran in double precision; what could not be done
    to that end. ``repeated``: draws that got an earlier one's numbers again, with that one, because
    their generator was in the same state again; they have no place among ``draws``, and their index
    is that of the next of these. ``eps``: the spacing at 1 of the coarsest numbers that went into
    doubled arithmetic. ``coins``: what is served, zeros and ones, where one of two numbers is drawn
    with even chances, as Rademacher's signs are; without it they are the library's own.
    """

    draws: list[Draw] = field(default_factory=list)
    doubled: bool = False
    notes: list[str] = field(default_factory=list)
    repeated: list[tuple[Draw, Draw]] = field(default_factory=list)
    eps: float = float(np.finfo(float).eps)
    #: tables of double precision that were looked at: where they are, and how long
    tables: set[tuple[int, int]] = field(default_factory=set)
    coins: Callable[[Draw], np.ndarray] | None = None

    def note(self, text: str) -> None:
        """Once, however often it happens."""
        if text not in self.notes:
            self.notes.append(text)


class Kept:
    """A draw and its numbers; only the entries that are not zero, of which a source that serves one
    row at a time has few.
    """

    def __init__(self, draw: Draw, value: np.ndarray) -> None:
        self.draw = draw
        flat = np.asarray(value).ravel()
        self._at = np.flatnonzero(flat)
        self._entries = flat[self._at]

    def value(self) -> np.ndarray:
        """The numbers again."""
        flat = np.zeros(int(np.prod(self.draw.shape)))
        flat[self._at] = self._entries
        return flat.reshape(self.draw.shape)


@contextmanager
def intercepted(framework: str, source: Source, *, double: bool = False) -> Iterator[Log]:
    """While it lasts, draws of ``"torch"`` code come from ``source``, and with ``double`` its
    arithmetic runs in double precision. Of the global generators of NumPy and Python only the use
    is noted; their states, and torch's, are as before afterwards. A generator that NumPy code makes
    for itself is not seen: hand it one of `draws_numpy`; JAX code gets a key of `draws_jax`.

    >>> with intercepted("numpy", lambda draw: np.zeros(draw.shape)) as log:
    ...     _ = np.random.randn(2)
    >>> log.notes
    ["draws from NumPy's global generator"]
    """
    log = Log()
    numpys, pythons = _numpy_state(), random.getstate()
    try:
        if framework == "torch":
            from scoreproof.interop.draws_torch import replaced

            with replaced(source, log, double):
                yield log
        else:
            yield log
    finally:
        if pickle.dumps(_numpy_state()) != pickle.dumps(numpys):
            log.note("draws from NumPy's global generator")
            np.random.set_state(numpys)
        if random.getstate() != pythons:
            log.note("draws from Python's global generator (the module random)")
            random.setstate(pythons)


def serve(source: Source, log: Log, draw: Draw) -> np.ndarray:
    """The source's numbers for a draw, which is logged."""
    log.draws.append(draw)
    value = np.asarray(source(draw), dtype=float)
    if value.shape != draw.shape:
        raise ScoreproofError(
            f"the source of draw {draw.index} must have shape {draw.shape} (got {value.shape}); "
            "this is a mistake of scoreproof's, please report it"
        )
    return value


def asked_in() -> str:
    """``"file.py:12 in step"`` of the innermost frame that is neither ours nor a library's that
    only hands draws on.
    """
    frame = sys._getframe(1)
    while frame is not None:
        name = str(frame.f_globals.get("__name__", ""))
        if name.split(".")[0] not in LIBRARIES and not name.startswith("diffusers.utils"):
            code = frame.f_code
            return f"{Path(code.co_filename).name}:{frame.f_lineno} in {code.co_name}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return "an unknown place"


def _numpy_state() -> Any:
    return np.random.get_state(legacy=False)
