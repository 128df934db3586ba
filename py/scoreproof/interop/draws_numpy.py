"""A stand-in for NumPy's generators, for code that takes one as an argument.

Conventions: as in `draws`; also the names of the legacy ``RandomState`` (``randn``, ``rand``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.interop.draws import Draw, Log, Source, asked_in, serve

__all__ = ["numpy_generator"]


class _StandIn(np.random.Generator):
    """Normal and uniform numbers come from the source; other kinds are logged and drawn."""

    def __init__(self, source: Source, log: Log) -> None:
        super().__init__(np.random.PCG64(0))
        self._source, self._log = source, log

    def _served(self, size: Any, kind: str, dtype: Any = np.float64) -> Any:
        shape = () if size is None else tuple(np.atleast_1d(size).tolist())
        draw = Draw(len(self._log.draws), shape, kind, asked_in(), np.dtype(dtype).name, True)
        value = serve(self._source, self._log, draw).astype(dtype)
        return value if shape else value.reshape(())[()]

    def standard_normal(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        if out is None:
            return self._served(size, "normal", dtype)
        out[...] = self._served(out.shape, "normal", dtype)
        return out

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        shape = np.broadcast_shapes(np.shape(loc), np.shape(scale)) if size is None else size
        return loc + scale * self._served(shape or None, "normal")

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        return self._served(size, "uniform", dtype)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        shape = np.broadcast_shapes(np.shape(low), np.shape(high)) if size is None else size
        return low + (high - low) * self._served(shape or None, "uniform")

    def integers(self, *args: Any, **kwargs: Any) -> Any:
        return self._logged("integers", super().integers(*args, **kwargs))

    def choice(self, *args: Any, **kwargs: Any) -> Any:
        return self._logged("choice", super().choice(*args, **kwargs))

    def permutation(self, *args: Any, **kwargs: Any) -> Any:
        return self._logged("permutation", super().permutation(*args, **kwargs))

    def _logged(self, kind: str, value: Any) -> Any:
        shape, name = np.shape(value), np.asarray(value).dtype.name
        self._log.draws.append(Draw(len(self._log.draws), shape, kind, asked_in(), name, True))
        return value

    # as a RandomState has them

    def randn(self, *shape: int) -> Any:
        return self.standard_normal(shape or None)

    def rand(self, *shape: int) -> Any:
        return self.random(shape or None)


def numpy_generator(source: Source, log: Log | None = None) -> Any:
    """A ``numpy.random.Generator`` whose normal and uniform numbers come from ``source``.

    >>> numpy_generator(lambda draw: np.ones(draw.shape)).normal(3.0, 2.0, size=2).tolist()
    [5.0, 5.0]
    """
    return _StandIn(source, Log() if log is None else log)
