"""The noise as it was given: a number, a diagonal or a matrix, constant, of t or of (x, t).

Conventions: ``g`` ``(n, d, m)`` is the coefficient of dW, rows of x first; ``diffusion_is`` says
what ``diffusion`` returns: ``"g"``, ``"covariance"`` (Σ = g gᵀ) or ``"diffusivity"`` (D = ½ g gᵀ).
A diagonal stays one, ``(n, d)``, so that only d of its entries are asked for their slopes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.callables import Guarded, as_numpy, to_float

__all__ = ["MEANINGS", "Noise", "constant", "shaped"]

MEANINGS = ("g", "covariance", "diffusivity")
#: what each is, in the words of a sentence
MEANS = {"g": "g", "covariance": "Σ = g gᵀ", "diffusivity": "D = ½ g gᵀ"}
#: asymmetry and negative eigenvalues of a covariance up to this part of it are rounding
ROUNDING = 1e-6

Array = np.ndarray


def constant(diffusion: Any) -> Callable[[Any], Any]:
    """A number, a list or an array in place of a callable, as a function of t."""
    if callable(diffusion):
        return diffusion
    try:
        value = to_float("diffusion", diffusion)
    except ArgumentError as error:
        raise ArgumentError(
            "diffusion",
            "callable, or finite numbers that do not depend on t",
            type(diffusion).__name__,
            "pass a function, e.g. lambda t: …, a number, or an array (d,), (d, d) or (d, m)",
        ) from error
    if value.ndim > 2:
        raise ArgumentError(
            "diffusion",
            "a number, or an array (d,), (d, d) or (d, m)",
            f"shape {value.shape}",
            "pass a function of (x, t) if it depends on x",
        )
    # rounded to the type that it came in, so that the rounding is seen
    kind = as_numpy(diffusion).dtype
    value = value.astype(kind) if kind.kind == "f" else value
    return lambda t: value


def shaped(value: Array, n: int, d: int, of_state: bool, what: str) -> Array:
    """A diagonal ``(n, d)`` or a matrix ``(n, d, m)``; raises where it is neither. ``n`` is not
    ``d``, so that shapes tell.
    """
    if value.size == 1 and value.ndim <= 3:
        return np.broadcast_to(value.reshape(1, 1), (n, d))
    if of_state and (value.shape in ((n,), (n, 1)) or value.shape == (n, 1, 1)):
        return np.broadcast_to(value.reshape(n, 1), (n, d))
    if value.shape in ((d,), (1, d)) or (of_state and value.shape == (n, d)):
        return np.broadcast_to(value, (n, d))
    square = what != "g"
    wide = value.ndim in (2, 3) and value.shape[-2] == d
    if wide and not (square and value.shape[-1] != d):
        if value.ndim == 2 and not (of_state and value.shape[0] == n):
            return np.broadcast_to(value, (n, *value.shape))
        if value.ndim == 3 and value.shape[0] in ((1, n) if of_state else (1,)):
            return np.broadcast_to(value, (n, *value.shape[1:]))
    name = MEANS[what]
    matrix = f"({d}, {d})" if square else f"({d}, {d}) or ({d}, m)"
    if of_state:
        rows = f"(n, {d}, {d})" if square else f"(n, {d}, {d}) or (n, {d}, m)"
        shapes = f"shape (n,), (n, {d}) or {rows}"
    else:
        shapes = f"one number, a diagonal ({d},) or a matrix {matrix}"
    turned = value.ndim >= 2 and value.shape[-1] == d and value.shape[-2] != d
    remedy = (
        f"the first index of {name} is that of X: transpose it"
        if turned and not square
        else "points are rows"
        if of_state
        else "the dimension is that of points=, domain= or dimension="
    )
    raise CallableError("diffusion", f"return {shapes}", f"it returned {value.shape}", remedy)


@dataclass(frozen=True, eq=False)
class Noise:
    """What ``diffusion`` returned, and for candidates another that is made of it: ``of`` maps what
    it returned, as a matrix ``(n, d, m)``, to a Σ ``(n, d, d)``, ``at`` the time, and ``only``
    ``(d,)`` multiplies the rows.
    """

    guard: Guarded
    of_state: bool
    what: str
    d: int
    of: Callable[[Array], Array] | None = None
    at: Callable[[float], float] | None = None
    only: Array | None = None

    @property
    def is_g(self) -> bool:
        return self.what == "g" and self.of is None

    def when(self, t: float) -> float:
        return t if self.at is None else self.at(t)

    def value(self, x: Array, t: float) -> Array:
        """``(n, d)`` or ``(n, d, m)``: g, or Σ; held to what it must be."""
        t = self.when(t)
        when = t if self.guard.framework == "numpy" else np.asarray(t)
        n = len(x)
        rows = np.concatenate([x, x[-1:]]) if n == self.d else x
        given = (rows, when) if self.of_state else (when,)
        raw = self.guard(*given)
        if np.iscomplexobj(raw):
            raise CallableError(
                "diffusion", "return real numbers", "they are complex", "return its real part"
            )
        value = shaped(raw, len(rows), self.d, self.of_state, self.what)[:n]
        if self.what != "g":
            self._covariance(value)
        return self._meant(value)

    def field(self, z: Array, t: float, tail: tuple[int, ...]) -> Array:
        """The same at points that may be complex ``(n, *tail)``; nan where it cannot be asked."""
        t, (n, d) = self.when(t), z.shape
        when: Any = t if self.guard.framework == "numpy" else np.asarray(t)
        rows = np.concatenate([z, z[-1:]]) if n == d else z.copy()
        prepare = self.guard.prepare
        self.guard.calls += 1
        try:
            given = [
                a if prepare is None or isinstance(a, float) else prepare(a) for a in (rows, when)
            ]
            raw = np.asarray(as_numpy(self.guard.function(*given)))
            raw = raw.astype(complex if raw.dtype.kind == "c" else float)
            return self._meant(shaped(raw, len(rows), d, True, self.what)[:n])
        except (Exception, SystemExit):
            return np.full((n, *tail), np.nan)

    def linear(self, raw: Array, n: int) -> Array:
        """A tangent of what ``diffusion`` returned for n rows, flat."""
        return self._meant(shaped(raw, n, self.d, True, self.what)).reshape(n, -1)

    def _meant(self, value: Array) -> Array:
        if self.only is not None:
            value = value * (self.only if value.ndim == 2 else self.only[:, None])
        if self.of is None:
            return 2 * value if self.what == "diffusivity" else value
        return self.of(value[:, :, None] * np.eye(self.d) if value.ndim == 2 else value)

    def _covariance(self, value: Array) -> None:
        """Symmetric and nowhere negative, or it is no covariance."""
        name = MEANS[self.what]
        whole = value[:, :, None] * np.eye(self.d) if value.ndim == 2 else value
        size = float(np.max(np.abs(whole), initial=0.0))
        skew = float(np.max(np.abs(whole - np.swapaxes(whole, 1, 2)), initial=0.0))
        if skew > ROUNDING * size:
            raise CallableError(
                "diffusion",
                f"return a symmetric {name} with diffusion_is={self.what!r}",
                f"two entries that are to be equal differ by {skew:.3g}",
                "pass diffusion_is='g' if it is the coefficient of dW",
            )
        least = float(np.min(np.linalg.eigvalsh(whole), initial=0.0))
        if least < -ROUNDING * size:
            raise CallableError(
                "diffusion",
                f"return a {name} without negative eigenvalues with diffusion_is={self.what!r}",
                f"one is {least:.3g}",
                "pass diffusion_is='g' if it is the coefficient of dW",
            )
