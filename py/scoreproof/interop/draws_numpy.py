"""Stand-ins for NumPy's generators, for code that takes one as an argument.

Conventions: as in `draws`. Normal, uniform and exponential numbers come from the source; other
kinds are drawn by NumPy, from a fixed seed, and logged.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.interop.draws import Draw, Log, Source, asked_in, serve

__all__ = ["numpy_generator", "numpy_random_state"]

#: what the kinds that are not replaced are called; others go by their method's name
KIND_OF = {"randint": "integers", "random_integers": "integers", "shuffle": "permutation"}
#: methods that draw nothing
SILENT = ("spawn", "get_state", "set_state", "seed")


class _Served:
    """The methods that both kinds of generator have."""

    _source: Source
    _log: Log

    def _served(self, size: Any, kind: str, dtype: Any = np.float64, out: Any = None) -> Any:
        if out is not None:
            out[...] = self._served(out.shape, kind, out.dtype)
            return out
        shape = () if size is None else tuple(np.atleast_1d(size).tolist())
        draw = Draw(len(self._log.draws), shape, kind, asked_in(), np.dtype(dtype).name, True)
        value = serve(self._source, self._log, draw).astype(dtype)
        return value if size is not None else value.reshape(())[()]

    def _scaled(self, kind: str, loc: Any, scale: Any, size: Any) -> Any:
        if size is None:
            size = np.broadcast_shapes(np.shape(loc), np.shape(scale)) or None
        return np.asarray(loc)[()] + np.asarray(scale)[()] * self._served(size, kind)

    def standard_normal(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        return self._served(size, "normal", dtype, out)

    def normal(self, loc: Any = 0.0, scale: Any = 1.0, size: Any = None) -> Any:
        return self._scaled("normal", loc, scale, size)

    def lognormal(self, mean: Any = 0.0, sigma: Any = 1.0, size: Any = None) -> Any:
        return np.exp(self.normal(mean, sigma, size))

    def multivariate_normal(
        self, mean: Any, cov: Any, size: Any = None, *args: Any, **kwargs: Any
    ) -> Any:
        rows = () if size is None else tuple(np.atleast_1d(size).tolist())
        values, vectors = np.linalg.eigh(np.asarray(cov, dtype=float))
        factor = vectors * np.sqrt(np.maximum(values, 0))
        z = self._served((*rows, len(factor)), "normal")
        return np.asarray(mean) + z @ (factor @ vectors.T)  # the symmetric square root

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        return self._served(size, "uniform", dtype, out)

    def uniform(self, low: Any = 0.0, high: Any = 1.0, size: Any = None) -> Any:
        return self._scaled("uniform", low, np.subtract(high, low), size)

    def standard_exponential(
        self, size: Any = None, dtype: Any = np.float64, method: str = "zig", out: Any = None
    ) -> Any:
        return self._served(size, "exponential", dtype, out)

    def exponential(self, scale: Any = 1.0, size: Any = None) -> Any:
        return self._scaled("exponential", 0.0, scale, size)

    # as a RandomState has them

    def randn(self, *shape: int) -> Any:
        return self.standard_normal(shape or None)

    def rand(self, *shape: int) -> Any:
        return self.random(shape or None)

    def random_sample(self, size: Any = None) -> Any:
        return self.random(size)

    def _logged(self, kind: str, value: Any) -> Any:
        shape, name = np.shape(value), np.asarray(value).dtype.name
        self._log.draws.append(Draw(len(self._log.draws), shape, kind, asked_in(), name, True))
        return value

    def __deepcopy__(self, memo: Any) -> Any:  # a copy would draw unseen
        return self

    def __copy__(self) -> Any:
        return self


class _Generator(_Served, np.random.Generator):  # type: ignore[misc]
    def __init__(self, source: Source, log: Log) -> None:
        super().__init__(np.random.PCG64(0))
        self._source, self._log = source, log

    def spawn(self, n_children: int) -> Any:
        return [self] * n_children


class _RandomState(_Served, np.random.RandomState):  # type: ignore[misc]
    def __init__(self, source: Source, log: Log) -> None:
        super().__init__(0)
        self._source, self._log = source, log

    def seed(self, *args: Any) -> None:
        """Nothing: numbers come from the source."""


def _watched(base: type, name: str) -> Callable[..., Any]:
    original = getattr(base, name)

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        value = self._logged(KIND_OF.get(name, name), original(self, *args, **kwargs))
        two = None if self._log.coins is None else _two(name, args, kwargs)
        if two is None:
            return value
        coins = np.asarray(self._log.coins(self._log.draws[-1]))
        made = (two[0] + (two[1] - two[0]) * coins).astype(np.asarray(value).dtype)
        return made if np.ndim(value) else made[()]

    method.__name__ = name
    return method


def _two(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Any] | None:
    """The two numbers that a draw is one of, with even chances."""
    given = dict(zip(("low", "high") if name != "choice" else ("a", "size"), args, strict=False))
    given |= kwargs
    if name == "choice":
        values = given.get("a", ())
        pair = np.arange(values) if np.ndim(values) == 0 else np.asarray(values)
        return (pair[0], pair[1]) if pair.shape == (2,) and given.get("p") is None else None
    if name not in ("integers", "randint"):
        return None
    low, high = given.get("low", 0), given.get("high")
    low, high = (0, low) if high is None else (low, high)
    high = high + bool(given.get("endpoint", False))
    return (low, high - 1) if np.ndim(high) == 0 and high - low == 2 else None


def _watch(stand_in: type, base: type) -> None:
    """Every other method of a generator is logged."""
    for name in dir(base):
        mine = name.startswith("_") or name in SILENT or hasattr(_Served, name)
        if not mine and callable(getattr(base, name)):
            setattr(stand_in, name, _watched(base, name))


_watch(_Generator, np.random.Generator)
_watch(_RandomState, np.random.RandomState)


def numpy_generator(source: Source, log: Log | None = None) -> Any:
    """A ``numpy.random.Generator`` whose normal and uniform numbers come from ``source``.

    >>> numpy_generator(lambda draw: np.ones(draw.shape)).normal(3.0, 2.0, size=2).tolist()
    [5.0, 5.0]
    """
    return _Generator(source, Log() if log is None else log)


def numpy_random_state(source: Source, log: Log | None = None) -> Any:
    """The same for code that asks for a ``numpy.random.RandomState``.

    >>> numpy_random_state(lambda draw: np.ones(draw.shape)).randn(2).tolist()
    [1.0, 1.0]
    """
    return _RandomState(source, Log() if log is None else log)
