"""Random operators of PyTorch, replaced by a dispatch mode.

Conventions: as in `draws`. Whatever carries PyTorch's tag for seeded randomness and is not in the
table below is left alone and logged under its own name: nothing escapes unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from scoreproof.interop.doubled import LOW, doubled
from scoreproof.interop.draws import Draw, Log, Source, asked_in, serve

__all__ = ["replaced"]

#: operators that make a new tensor of that shape, or of the shape of their first argument
FRESH = {
    "randn": "normal",
    "randn_like": "normal",
    "rand": "uniform",
    "rand_like": "uniform",
}
#: operators that fill their first argument
FILLING = {"normal_": "normal", "uniform_": "uniform", "exponential_": "exponential"}
KIND_OF = {
    "randint": "integers",
    "randint_like": "integers",
    "random_": "integers",
    "bernoulli": "bernoulli",
    "bernoulli_": "bernoulli",
    "native_dropout": "dropout",
    "randperm": "permutation",
    "multinomial": "choice",
}


@contextmanager
def replaced(source: Source, log: Log, double: bool) -> Iterator[None]:
    """The mode, entered; the global generator is as before afterwards."""
    log.doubled = double
    with torch.random.fork_rng(devices=[]), _Mode(source, log, double):
        yield


class _Mode(TorchDispatchMode):
    def __init__(self, source: Source, log: Log, double: bool) -> None:
        super().__init__()
        self.source, self.log, self.double = source, log, double

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if torch.Tag.nondeterministic_seeded in func.tags:
            return self._random(func, args, kwargs)
        if self.double:
            return doubled(func, args, kwargs, self.log)
        return func(*args, **kwargs)

    def _random(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        name = func._schema.name.removeprefix("aten::")
        generator = kwargs.get("generator")
        if generator is None:
            generator = next((a for a in args if isinstance(a, torch.Generator)), None)
        named = {a.name: v for a, v in zip(func._schema.arguments, args, strict=False)} | kwargs
        if name in FRESH:
            like = named.get("self")
            shape = tuple(named["size"]) if like is None else tuple(like.shape)
            dtype = kwargs.get("dtype") or (
                torch.get_default_dtype() if like is None else like.dtype
            )
            return self._served(shape, FRESH[name], dtype, generator)
        if name in FILLING:
            target = args[0]
            z = self._served(tuple(target.shape), FILLING[name], torch.float64, generator)
            return target.copy_(_FILL[name](z, named))
        if name in ("normal", "normal_functional"):
            mean, std = named.get("mean", 0.0), named.get("std", 1.0)
            if name == "normal_functional":
                mean = torch.full_like(args[0], float(mean))
            size = named.get("size")
            shape = (
                tuple(size)
                if size is not None
                else torch.broadcast_shapes(*(v.shape for v in (mean, std) if _tensor(v)))
            )
            like = next((v for v in (mean, std) if _tensor(v)), None)
            dtype = kwargs.get("dtype") or (
                torch.get_default_dtype() if like is None else like.dtype
            )
            return mean + std * self._served(tuple(shape), "normal", dtype, generator)
        out = func(*args, **kwargs)
        first = out[0] if isinstance(out, tuple) else out
        shape = tuple(first.shape) if _tensor(first) else ()
        self.log.draws.append(
            Draw(
                len(self.log.draws),
                shape,
                KIND_OF.get(name, name),
                asked_in(),
                str(getattr(first, "dtype", "")).removeprefix("torch."),
                generator is not None,
            )
        )
        return out

    def _served(self, shape: tuple[int, ...], kind: str, dtype: Any, generator: Any) -> Any:
        name = str(dtype).removeprefix("torch.")
        draw = Draw(len(self.log.draws), shape, kind, asked_in(), name, generator is not None)
        value = serve(self.source, self.log, draw)
        wide = torch.float64 if self.double and dtype in LOW else dtype
        return torch.from_numpy(np.ascontiguousarray(value)).to(wide)


def _tensor(value: Any) -> bool:
    return isinstance(value, torch.Tensor)


def _normal(z: Any, named: dict[str, Any]) -> Any:
    return named.get("mean", 0.0) + named.get("std", 1.0) * z


def _uniform(z: Any, named: dict[str, Any]) -> Any:
    low = named.get("from", 0.0)
    return low + (named.get("to", 1.0) - low) * z


def _exponential(z: Any, named: dict[str, Any]) -> Any:
    return z / named.get("lambd", 1.0)


_FILL: dict[str, Callable[[Any, dict[str, Any]], Any]] = {
    "normal_": _normal,
    "uniform_": _uniform,
    "exponential_": _exponential,
}
