"""How the object's forward process is asked: each timestep with x_0 alone, with noise alone, and
with both.

Conventions: ``add_noise(x_0, noise, t)`` with integer timesteps, one a row; guided-diffusion's
``q_sample(x_start, t, noise)`` is told by the names of its arguments. Errors are the largest entry
of a sample.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy, unit_roundoff
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.libraries import WHEN, libraries, names_of
from scoreproof.public.schedule.rounding import SINGLE, in_single

__all__ = ["Asked", "Levels", "levels"]

#: numbers in one call
BLOCK = 2**18


@dataclass(frozen=True, eq=False)
class Levels:
    """At ``times`` ``(n,)``: α and σ ``(n, d)`` of each entry of a sample; how far x_t of both is
    from α x_0 + σ noise, relative to what is added up ``(n,)``; the unit roundoff of what came
    back.
    """

    times: np.ndarray
    alpha: np.ndarray
    sigma: np.ndarray
    mixed: np.ndarray
    eps: float
    shape: tuple[int, ...]


def levels(given: Given, times: np.ndarray, shape: tuple[int, ...]) -> Levels | None:
    """What ``add_noise`` does at these timesteps, ``None`` if it says that it has no answer; raises
    ``CallableError``.
    """
    size = int(np.prod(shape, dtype=int))
    rows = max(1, BLOCK // size)
    failed: Exception | None = None
    for make in libraries(given.forward):
        ask = Asked(given, make, shape)
        try:
            parts = [ask.block(times[k : k + rows]) for k in range(0, len(times), rows)]
        except CallableError:
            raise
        except NotImplementedError:
            return None
        except Exception as error:
            # the first failure is the function's own, later ones are of a guessed library
            failed = failed or error
            if "Tensor" not in str(failed):
                continue
            failed = error if "Tensor" not in str(error) else failed
            continue
        alpha, sigma, mixed = (np.concatenate(p) for p in zip(*parts, strict=True))
        # factors of single precision, in a product of double precision
        coarse = in_single(alpha) and in_single(sigma)
        eps = max(ask.eps, SINGLE if coarse else 0.0)
        return Levels(times, alpha, sigma, mixed, eps, shape)
    assert failed is not None
    raise CallableError(
        "add_noise",
        "return x_t for add_noise(x_0, noise, t)",
        f"it raised {type(failed).__name__}: {failed}",
        "t are timesteps, one for each sample; name the shape of a sample by shape=",
    ) from failed


class Asked:
    """One function in one array library."""

    def __init__(
        self, given: Given, make: Callable[[np.ndarray], Any], shape: tuple[int, ...]
    ) -> None:
        assert given.forward is not None
        self.function, self.make, self.eps = given.forward, make, 0.0
        names = names_of(given.forward)
        second, third = ([*names, "", "", ""])[1:3]
        self.noise_last = given.noise_last or third == "noise" or second in WHEN
        self.shape = shape
        self.asked = 0

    def block(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        shape = (len(times), *self.shape)
        one, zero = np.ones(shape), np.zeros(shape)
        alpha = self(one, zero, times)
        if self.asked == 1 and not np.array_equal(alpha, self(one, zero, times), equal_nan=True):
            raise CallableError(
                "add_noise",
                "be a function of x_0, noise and t",
                "two calls with the same arguments differ",
                "let it take the noise as an argument",
            )
        sigma = self(zero, one, times)
        # exact in single precision, and beyond [-1, 1]
        rng = np.random.default_rng(0)
        x, z = (np.round(64 * rng.standard_normal(shape)) / 32 for _ in range(2))
        got, d = self(x, z, times), (len(times), -1)
        parts = alpha * x.reshape(d), sigma * z.reshape(d)
        with np.errstate(all="ignore"):
            size = np.max(np.abs(parts[0]) + np.abs(parts[1]), axis=1)
            mixed = np.max(np.abs(got - parts[0] - parts[1]), axis=1) / np.where(size > 0, size, 1)
        return alpha, sigma, mixed

    def __call__(self, x: np.ndarray, noise: np.ndarray, times: np.ndarray) -> np.ndarray:
        a, b, t = given = [self.make(v) for v in (x, noise, times)]
        kept = [np.array(as_numpy(v), copy=True) for v in given]
        out = self.function(a, t, b) if self.noise_last else self.function(a, b, t)
        self.asked += 1
        for before, after in zip(kept, given, strict=True):
            if not np.array_equal(before, as_numpy(after)):
                raise CallableError(
                    "add_noise",
                    "leave its input unchanged",
                    "it wrote into the array it was given",
                    "work on a copy",
                )
        out = out[0] if isinstance(out, tuple) else out
        found = np.asarray(as_numpy(out), dtype=float)
        if found.shape != x.shape:
            raise CallableError(
                "add_noise",
                f"return shape {x.shape}",
                f"it returned shape {found.shape}",
                "√ᾱ_t and √(1 - ᾱ_t) must be broadcast to the shape of x_0; shape= names the shape"
                " of a sample that your code expects",
            )
        self.eps = max(self.eps, unit_roundoff(out) if hasattr(out, "dtype") else 0.0)
        return found.reshape(len(found), -1)
