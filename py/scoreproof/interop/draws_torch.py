"""Random operators of PyTorch, replaced by a dispatch mode.

Conventions: as in `draws`. Every operator that PyTorch tags as random is run as it is, so that its
generator moves on as it would, and its numbers are then overwritten. Where a generator comes back
to a state it was in, the code gets the numbers that it got then. What is not in the table below
keeps PyTorch's own numbers and is logged under its name: nothing escapes unseen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from scoreproof.interop.default_type import default_type
from scoreproof.interop.doubled import doubled
from scoreproof.interop.doubled_constants import Constants
from scoreproof.interop.draws import Draw, Kept, Log, Source, asked_in, serve

__all__ = ["replaced"]


def _standard(z: Any, given: dict[str, Any]) -> Any:
    return z


def _normal(z: Any, given: dict[str, Any]) -> Any:
    return given.get("mean", 0.0) + given.get("std", 1.0) * z


def _uniform(z: Any, given: dict[str, Any]) -> Any:
    low = given.get("from", 0.0)
    return low + (given.get("to", 1.0) - low) * z


#: the kind of what is served, and what the operator makes of it
SERVED: dict[str, tuple[str, Callable[[Any, dict[str, Any]], Any]]] = {
    "randn": ("normal", _standard),
    "randn_like": ("normal", _standard),
    "normal": ("normal", _normal),
    "normal_functional": ("normal", _normal),
    "log_normal": ("normal", lambda z, a: torch.exp(a.get("mean", 1.0) + a.get("std", 2.0) * z)),
    "rand": ("uniform", _standard),
    "rand_like": ("uniform", _standard),
    "uniform": ("uniform", _uniform),
    "exponential": ("exponential", lambda z, a: z / a.get("lambd", 1.0)),
}
#: what the others are called
KIND_OF = {
    "randint": "integers",
    "randint_like": "integers",
    "random": "integers",
    "native_dropout": "dropout",
    "randperm": "permutation",
    "multinomial": "choice",
}
#: a state that no one else's generator is in
SEED = 0x7C3A91E5D2B6


@contextmanager
def replaced(source: Source, log: Log, double: bool) -> Iterator[None]:
    """The mode, entered; the global generator and the default type are as before afterwards."""
    log.doubled = double
    default = torch.get_default_dtype()
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=[]))
        torch.default_generator.manual_seed(SEED)  # what is not replaced is the same in every run
        if double:
            stack.enter_context(default_type(torch.float64))  # quotients of integers are of it
            stack.enter_context(Constants())
        stack.enter_context(_Mode(source, log, double, default))
        yield


class _Mode(TorchDispatchMode):
    def __init__(self, source: Source, log: Log, double: bool, default: Any) -> None:
        super().__init__()
        self.source, self.log, self.double, self.default = source, log, double, default
        self.seen: dict[Any, Kept] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if _is_random(func):
            return self._random(func, args, kwargs or {})
        return self._run(func, args, kwargs or {})

    def _run(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        return doubled(func, args, kwargs, self.log) if self.double else func(*args, **kwargs)

    def _random(self, func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        arguments = func._schema.arguments
        given = {a.name: v for a, v in zip(arguments, args, strict=False)} | kwargs
        generator = given.get("generator")
        asked = self._type(given)
        if given.get("out") is not None:  # which may be the mean at the same time
            given = {k: v.clone() if _tensor(v) else v for k, v in given.items()}
        before = _state(generator)
        out = self._run(func, args, kwargs)
        if _state(generator) == before:  # dropout that drops nothing, a tensor without entries
            return out
        name = func._schema.name.partition("::")[2].removesuffix("_")
        kind, made = SERVED.get(name, (KIND_OF.get(name, name), None))
        if name == "randint" and given.get("high", 0) >= 2**31 - 1 and out.numel() == 1:
            kind = "seed"  # of a generator that is made next
        first = out[0] if isinstance(out, tuple) else out
        shape = tuple(first.shape) if _tensor(first) else ()
        draw = Draw(len(self.log.draws), shape, kind, asked_in(), asked, generator is not None)
        key = (before, kind, shape)
        earlier = self.seen.get(key)
        if earlier is not None:
            self.log.repeated.append((draw, earlier.draw))
        coins = self.log.coins
        two = None if coins is None or made is not None else _two(name, given)
        if coins is not None and two is not None:
            self.log.draws.append(draw)
            sides = torch.from_numpy(np.ascontiguousarray(coins(draw))).reshape(shape)
            out.copy_(two[0] + (two[1] - two[0]) * sides)
            return out
        if made is None:
            if earlier is None:
                self.log.draws.append(draw)
                self.seen[key] = Kept(draw, np.zeros(0))
            return out
        if earlier is None:
            value = serve(self.source, self.log, draw)
            self.seen[key] = Kept(draw, value)
        else:
            value = earlier.value()
        z = torch.from_numpy(np.ascontiguousarray(value)).reshape(shape)  # of one number too
        wide = {k: v.to(torch.float64) if _tensor(v) else v for k, v in given.items()}
        out.copy_(made(z, wide))
        return out

    def _type(self, given: dict[str, Any]) -> str:
        """The type asked for."""
        like = next((v for v in given.values() if _tensor(v) and v.is_floating_point()), None)
        kind = given.get("dtype") or (self.default if like is None else like.dtype)
        return str(kind).removeprefix("torch.")


def _two(name: str, given: dict[str, Any]) -> tuple[float, float] | None:
    """The two numbers that a draw is one of, with even chances."""
    if name in ("randint", "randint_like"):
        low, high = given.get("low", 0), given.get("high", 0)
        return (low, high - 1) if not _tensor(high) and high - low == 2 else None
    if name == "bernoulli":
        p = given.get("p", given.get("self"))
        if p is None or (_tensor(p) and not bool((p == 0.5).all())):
            return None
        return (0, 1) if _tensor(p) or p == 0.5 else None
    return None


@lru_cache(maxsize=4096)
def _is_random(func: Any) -> bool:
    return torch.Tag.nondeterministic_seeded in func.tags


def _state(generator: Any) -> bytes:
    """The state of a generator, or of the global one."""
    state = (torch.default_generator if generator is None else generator).get_state()
    return hashlib.blake2b(state.numpy().data, digest_size=16).digest()


def _tensor(value: Any) -> bool:
    return isinstance(value, torch.Tensor)
