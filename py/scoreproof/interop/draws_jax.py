"""A key whose random bits are ours, for JAX code that takes a key as an argument.

Conventions: as in `draws`. ``jax.random`` cannot be intercepted without patching it; but JAX lets
anybody define a generator (``jax.extend.random.define_prng_impl``), and a key carries its own. Keys
are split and folded as JAX's default keys are, and the bits of each are such that
``jax.random.normal`` makes of them the numbers that are served, to the last bit of a uniform
number: the spacing at 1 times √(π/2) exp(z²/2). A key that is used twice gives the same numbers
twice, as everywhere. It works in ``jax.jit``, ``vmap``, ``scan`` and ``fori_loop``.

JAX does not say inside ``jax.jit`` what bits are for; they are then taken to be for normal numbers,
and what is made of them is still right: a uniform number is Φ(z).
"""

from __future__ import annotations

import importlib
import math
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.draws import Draw, Kept, Log, Source, asked_in, serve
from scoreproof.interop.frameworks import require

__all__ = ["jax_key", "jax_normal"]

#: bits of an unsigned number, and those of them that JAX makes a floating number of
MANTISSA = {8: 3, 16: 10, 32: 23, 64: 52}
#: functions of jax.random, and what they are called; what is not here is taken to be normal
KIND_OF = {
    "uniform": "uniform",
    "randint": "integers",
    "bits": "integers",
    "bernoulli": "bernoulli",
    "permutation": "permutation",
    "choice": "choice",
    "categorical": "choice",
    "gumbel": "gumbel",
    "exponential": "exponential",
    "laplace": "laplace",
    "gamma": "gamma",
    "poisson": "poisson",
    "truncated_normal": "truncated_normal",
    "rademacher": "rademacher",
}

Integers = Callable[[Draw, int], np.ndarray]


def jax_key(
    source: Source, log: Log | None = None, seed: int = 0, integers: Integers | None = None
) -> Any:
    """A key to hand to code that draws by ``jax.random``: its normal numbers come from ``source``,
    and the bits that it makes whole numbers of from ``integers(draw, width)``, if that is given.

    >>> import jax
    >>> key = jax_key(lambda draw: np.full(draw.shape, 0.5))
    >>> [round(float(z), 6) for z in jax.random.normal(key, (2,))]
    [0.5, 0.5]
    """
    jax = require("jax")
    bits = _Bits(source, Log() if log is None else log, integers)

    def inner(data: Any) -> Any:
        return jax.random.wrap_key_data(data, impl="threefry2x32")

    def data(key: Any) -> Any:
        return jax.random.key_data(key)

    made = importlib.import_module("jax.extend.random").define_prng_impl(
        key_shape=(2,),
        seed=lambda s: data(jax.random.key(s, impl="threefry2x32")),
        split=lambda d, shape: data(jax.random.split(inner(d), shape)),
        fold_in=lambda d, m: data(jax.random.fold_in(inner(d), m)),
        random_bits=bits.traced,
        name="scoreproof",
        tag="sp",
    )
    return jax.random.key(seed, impl=made)


def jax_normal(source: Source, log: Log | None = None) -> Callable[..., Any]:
    """``normal(key, shape, dtype)`` for code that takes its noise function as an argument. Inside
    ``jax.jit`` it would be asked once for all steps; there it raises ``CallableError``.

    >>> jax_normal(lambda draw: np.ones(draw.shape))(None, (2,)).tolist()
    [1.0, 1.0]
    """
    jax = require("jax")
    seen = Log() if log is None else log

    def normal(key: Any = None, shape: Any = (), dtype: Any = None) -> Any:
        if isinstance(key, jax.core.Tracer):
            raise CallableError(
                "sampler",
                "call its noise function outside of jax.jit, vmap and scan",
                "the function was traced",
                "draw by jax.random with the key that the sampler is given",
            )
        kind = np.dtype(dtype or jax.numpy.zeros(0).dtype).name
        draw = Draw(len(seen.draws), tuple(shape), "normal", asked_in(), kind, key is not None)
        return jax.numpy.asarray(serve(source, seen, draw), dtype=dtype)

    return normal


class _Bits:
    """The random bits of a key; ``seen``: of which draw, and which row of it, a key was."""

    def __init__(self, source: Source, log: Log, integers: Integers | None = None) -> None:
        self.source, self.log, self.integers = source, log, integers
        self.seen: dict[Any, tuple[Kept, int]] = {}

    def traced(self, data: Any, width: int, shape: tuple[int, ...]) -> Any:
        """An array of unsigned numbers, which is asked for whenever the code is run."""
        jax = require("jax")
        kind, where = _kind(), asked_in()
        out = jax.ShapeDtypeStruct(tuple(shape), np.dtype(f"uint{width}"))

        def run(keys: Any) -> np.ndarray:
            return self.bits(np.asarray(keys), width, tuple(shape), kind, where)

        return jax.pure_callback(run, out, data, vmap_method="broadcast_all")

    def bits(
        self, keys: np.ndarray, width: int, shape: tuple[int, ...], kind: str, where: str
    ) -> np.ndarray:
        """Those of keys ``(*batch, 2)``, whose numbers are one draw."""
        batch = keys.shape[:-1]
        rows = [(key.tobytes(), width, shape) for key in keys.reshape(-1, keys.shape[-1])]
        name = f"float{max(width, 16)}"
        draw = Draw(len(self.log.draws), (*batch, *shape), kind, where, name, True)
        if kind == "integers" and self.integers is not None:
            self.log.draws.append(draw)
            whole = np.asarray(self.integers(draw, width))
            return whole.astype(f"uint{width}").reshape((*batch, *shape))
        if kind == "integers" and self.log.coins is not None:
            self.log.draws.append(draw)
            coins = np.asarray(self.log.coins(draw))
            return coins.astype(f"uint{width}").reshape((*batch, *shape))
        again = [i for i, row in enumerate(rows) if row in self.seen]
        if again:
            self.log.repeated.append((draw, self.seen[rows[again[0]]][0].draw))
        if again and len(again) == len(rows):
            uniform = np.zeros((len(rows), math.prod(shape)))
        else:
            uniform = self.uniform(draw).reshape(len(rows), math.prod(shape))
        for i in again:
            earlier, place = self.seen[rows[i]]
            uniform[i] = earlier.value().reshape(-1, math.prod(shape))[place]
        kept = Kept(draw, uniform)
        for i, row in enumerate(rows):
            first, at = self.seen.setdefault(row, (kept, i))
            if first is kept and at != i:  # the same key twice in one batch
                uniform[i] = uniform[at]
                self.log.repeated.append((draw, draw))
        return _as_bits(uniform, width).reshape((*batch, *shape))

    def uniform(self, draw: Draw) -> np.ndarray:
        """Numbers on [0, 1) of which JAX makes what is served."""
        from scipy.special import erf

        if draw.kind == "uniform":
            return serve(self.source, self.log, draw)
        if draw.kind == "normal":
            # JAX: √2 erfinv(v), v = low + (1 - low) u, low the number after -1
            low = float(np.nextafter(np.array(-1, draw.dtype), np.array(0, draw.dtype)))
            v = erf(serve(self.source, self.log, draw) / np.sqrt(2))
            return np.asarray((v - low) / (1 - low))
        self.log.draws.append(draw)
        if draw.kind in ("rademacher", "bernoulli") and self.log.coins is not None:
            return 0.75 - 0.5 * np.asarray(self.log.coins(draw), float)  # true below a half
        return np.random.default_rng(draw.index).random(draw.shape)


def _as_bits(uniform: np.ndarray, width: int) -> np.ndarray:
    digits = MANTISSA[width]
    whole = np.clip(np.rint(uniform * 2.0**digits), 0, 2.0**digits - 1).astype(np.uint64)
    return (whole << np.uint64(width - digits)).astype(f"uint{width}")


def _kind() -> str:
    """What the bits are for, as far as the calls on the way here say."""
    frame: Any = sys._getframe(1)
    found = "normal"
    while frame is not None:
        code = frame.f_code
        if str(frame.f_globals.get("__name__", "")).startswith("jax._src.random"):
            found = KIND_OF.get(code.co_name, found)  # the outermost is the one that was called
            if code.co_name == "normal":
                found = "normal"
        frame = frame.f_back
    return found
