"""Keys of JAX for one check's calls: each another, of one kind, whose draws are served.

Conventions: what a draw gets depends on its number within a call alone, for it is the same in each.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from scoreproof.interop.draws import Draw, Log
from scoreproof.interop.draws_jax import jax_key
from scoreproof.interop.frameworks import require

__all__ = ["Keys"]


class Source(Protocol):
    """What draws get: normal and uniform numbers, and the bits of whole ones."""

    def __call__(self, draw: Draw) -> np.ndarray: ...

    def bits(self, draw: Draw, width: int) -> np.ndarray: ...


@dataclass(eq=False)
class Keys:
    """One kind of key for all calls: what JAX compiles for it is compiled once."""

    _source: Any = None
    _made: Any = None
    _drawn: Log = field(default_factory=Log)

    def of(self, source: Source, number: int) -> Any:
        """The key of a call that has that number, which no other has."""
        self._source = source
        if self._made is None:
            self._made = jax_key(
                lambda draw: self._source(draw),
                self._drawn,
                integers=lambda draw, width: self._source.bits(draw, width),
            )
        self._drawn.draws.clear()
        return require("jax").random.fold_in(self._made, number)
