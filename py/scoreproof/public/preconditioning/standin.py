"""A stand-in for the network inside a wrapper, and what a wrapper does around it.

The stand-in notes what it is given and answers what it is told to: with 0 the denoiser is c_skip x;
at x = 0 with G it is c_out G; with both it has to be their sum.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import require
from scoreproof.public.preconditioning.arguments import Request
from scoreproof.public.preconditioning.forms import COEFFICIENTS

__all__ = ["ROWS", "Found", "Runs", "Standin", "around"]

ROWS = 6


@dataclass(frozen=True, eq=False)
class Found:
    """Each coefficient at each σ ``(n,)``; ``uneven``: the largest relative deviation from a
    multiple of x (of F's answer) that a sample shows, ``apart``: of the sum of both from D, in
    units of what it is made of; ``clip``: where D stops, if it does; ``eps``: the spacing at 1 of
    what came back.
    """

    values: dict[str, np.ndarray]
    uneven: dict[str, np.ndarray]
    apart: np.ndarray
    clip: float | None
    eps: float
    calls: int


@dataclass(eq=False)
class Standin:
    """The inner network: it answers ``answer`` (0 where that is ``None``), and notes its input."""

    answer: np.ndarray | None = None
    given: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)

    def __call__(self, x: Any, noise: Any = None, *args: Any, **kwargs: Any) -> Any:
        if noise is None:
            noise = next((v for v in kwargs.values() if hasattr(v, "shape")), np.nan)
        self.given.append((np.asarray(as_numpy(x), float), np.asarray(as_numpy(noise), float)))
        if self.answer is None:
            return 0 * x
        value = self.answer.reshape(tuple(x.shape))
        if type(x).__module__.split(".")[0] == "torch":
            return require("torch").as_tensor(value, dtype=x.dtype)
        return value.astype(x.dtype) if isinstance(x, np.ndarray) else value


def around(given: Request, inner: str | None, network: Standin) -> Callable[..., Any]:
    """The user's denoiser around the stand-in: made by his function, or a copy of his module."""
    if inner is None:
        made = given.precondition(network)
        if not callable(made):
            raise CallableError(
                "precondition",
                "return a denoiser (x, σ) for a network",
                f"it returned {type(made).__name__}",
                "pass lambda network: …, or a function of σ whose argument is called sigma",
            )
        found: Callable[..., Any] = made
        return found
    if not hasattr(given.precondition, inner):
        raise ArgumentError(
            "inner",
            "an attribute of the module",
            repr(inner),
            "name where its network is, e.g. inner='model'",
        )
    other = copy.copy(given.precondition)
    if hasattr(other, "_modules"):  # a module of PyTorch holds its parts in a mapping
        other._modules = dict(other._modules)
        other._modules.pop(inner, None)
        object.__setattr__(other, inner, network)
    else:
        setattr(other, inner, network)
    return other


@dataclass(eq=False)
class Runs:
    """What the denoiser answered, level by level."""

    network: Standin
    rows: np.ndarray
    other: np.ndarray
    values: dict[str, list[float]] = field(default_factory=lambda: {n: [] for n in COEFFICIENTS})
    uneven: dict[str, list[float]] = field(default_factory=lambda: {n: [] for n in COEFFICIENTS})
    apart: list[float] = field(default_factory=list)
    clip: float | None = None

    def add(self, answers: list[np.ndarray]) -> None:
        """D(x; 0), D(0; G) and D(x; G) at one level."""
        if not self.network.given:
            raise CallableError(
                "precondition",
                "call the network inside",
                "it never did",
                "name where the network is by inner=, or pass lambda network: denoiser",
            )
        x, noise = self.network.given[-1]
        skipped, out, both = answers
        found = {
            "c_skip": skipped / self.rows,
            "c_out": out / self.other,
            "c_in": x.reshape(ROWS, -1) / self.rows,
            "c_noise": np.ravel(noise),
        }
        for name, entries in found.items():
            middle = float(np.median(entries))
            self.values[name].append(middle)
            size = abs(middle) if middle != 0 else 1.0
            self.uneven[name].append(float(np.max(np.abs(entries - middle))) / size)
        size = float(np.max(np.abs(skipped)) + np.max(np.abs(out)))
        self.apart.append(float(np.max(np.abs(both - skipped - out))) / (size or 1.0))
        sizes = np.abs(both).ravel()
        top = float(np.max(sizes))
        if np.sum(sizes == top) > len(sizes) // 8 and len(sizes) >= 8:
            self.clip = top

    def found(self, eps: float, calls: int) -> Found:
        values = {k: np.array(v) for k, v in self.values.items()}
        uneven = {k: np.array(v) for k, v in self.uneven.items()}
        return Found(values, uneven, np.array(self.apart), self.clip, eps, calls)
