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
from scoreproof.interop.callables import as_numpy, unit_roundoff
from scoreproof.interop.frameworks import require
from scoreproof.public.preconditioning.arguments import Request
from scoreproof.public.preconditioning.forms import COEFFICIENTS

__all__ = ["Found", "Runs", "Standin", "around"]


@dataclass(frozen=True, eq=False)
class Found:
    """Each coefficient at each σ ``(n,)``, and the spacing at 1 of the type it was read in.

    ``uneven``: the largest relative deviation from a multiple of x (of F's answer) that a sample
    shows, ``apart``: of the sum of both from D, in units of what it is made of; ``clip``: where D
    stops, if it does; ``mixed``: the relative deviation of a sample asked among others, each with
    its own σ; ``reach``: the largest |D|.
    """

    values: dict[str, np.ndarray]
    eps: dict[str, float]
    uneven: dict[str, np.ndarray]
    apart: np.ndarray
    clip: float | None = None
    mixed: dict[str, float] = field(default_factory=dict)
    form: str = ""
    reach: float = 0.0
    calls: int = 0


@dataclass(eq=False)
class Standin:
    """The inner network: it answers ``answer`` (0 where that is ``None``), and notes its input."""

    answer: np.ndarray | None = None
    given: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)
    eps: dict[str, float] = field(default_factory=lambda: dict.fromkeys(COEFFICIENTS, 0.0))

    def __call__(self, x: Any, noise: Any = None, *args: Any, **kwargs: Any) -> Any:
        if noise is None:
            noise = next((v for v in kwargs.values() if hasattr(v, "shape")), np.nan)
        # the caller's scalings are in these types, and F's answer is in that of x
        for name, value in (("c_in", x), ("c_out", x), ("c_noise", noise)):
            if hasattr(value, "dtype"):
                self.eps[name] = max(self.eps[name], unit_roundoff(value))
        self.given.append((np.asarray(as_numpy(x), float), np.asarray(as_numpy(noise), float)))
        if self.answer is None:
            return 0 * x
        value = np.resize(self.answer, tuple(x.shape))
        if type(x).__module__.split(".")[0] == "torch":
            return require("torch").as_tensor(value, dtype=x.dtype)
        return value.astype(x.dtype) if isinstance(x, np.ndarray) else value


def around(given: Request, inner: str | None, network: Standin) -> Callable[..., Any]:
    """The user's denoiser around the stand-in: made by his function, or a copy of his module."""
    if inner is None:
        try:
            made = given.precondition(network)
        except Exception as error:
            raise CallableError(
                "precondition",
                "return a denoiser (x, σ) for a network",
                f"it raised {type(error).__name__}: {error}",
                "name where its network is by inner=, or pass lambda network: denoiser",
            ) from error
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
    """What the denoiser answered, level by level; ``ask(x, sigma)`` calls it with the stand-in."""

    network: Standin
    ask: Callable[[np.ndarray, Any], np.ndarray]
    values: dict[str, list[float]] = field(default_factory=lambda: {n: [] for n in COEFFICIENTS})
    uneven: dict[str, list[float]] = field(default_factory=lambda: {n: [] for n in COEFFICIENTS})
    apart: list[float] = field(default_factory=list)
    clip: float | None = None
    reach: float = 0.0

    def level(self, x: np.ndarray, answer: np.ndarray, sigma: float) -> None:
        """D(x; 0), D(0; G) and D(x; G) at one level."""
        found, (skipped, out, both) = self._read(x, answer, sigma)
        for name, entries in found.items():
            middle = float(np.median(entries))
            self.values[name].append(middle)
            size = abs(middle) if middle != 0 else 1.0
            self.uneven[name].append(float(np.max(np.abs(entries - middle))) / size)
        size = float(np.max(np.abs(skipped)) + np.max(np.abs(out)))
        self.apart.append(float(np.max(np.abs(both - skipped - out))) / (size or 1.0))
        sizes = np.abs(both).ravel()
        top = float(np.max(sizes))
        self.reach = max(self.reach, top)
        if np.sum(sizes == top) > 2 and len(np.unique(sizes)) > 2:
            self.clip = top

    def _read(
        self, x: np.ndarray, answer: np.ndarray, sigma: Any
    ) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
        answers = []
        for at, reply in ((x, None), (0 * x, answer), (x, answer)):
            self.network.given.clear()
            self.network.answer = reply
            answers.append(self.ask(at, sigma))
        if not self.network.given:
            raise CallableError(
                "precondition",
                "call the network inside",
                "it never did",
                "name where the network is by inner=, or pass lambda network: denoiser",
            )
        inner = [g.reshape(-1, x.shape[1]) for g, _ in self.network.given]
        if any(len(g) % len(x) for g in inner):
            raise CallableError(
                "precondition",
                "call the network at all samples",
                f"it was called at {[len(g) for g in inner]} where there are {len(x)}",
                "look at it without splitting the batch",
            )
        noise = [np.resize(v, len(x)) for _, v in self.network.given]
        into = [g / np.tile(x, (len(g) // len(x), 1)) for g in inner]
        return {
            "c_skip": answers[0] / x,
            "c_out": answers[1] / answer,
            "c_in": np.concatenate(into),
            "c_noise": np.concatenate(noise),
        }, answers

    def among_others(
        self, x: np.ndarray, answer: np.ndarray, sigmas: np.ndarray
    ) -> dict[str, float]:
        """By how much the coefficients of samples that each have their own σ differ from those of a
        batch with that σ: ``x`` has a row for each.
        """
        found, _ = self._read(x, answer, sigmas)
        gaps = {}
        for name, entries in found.items():
            alone = np.array(self.values[name])
            one = entries.reshape(-1, len(sigmas), *entries.shape[1:])
            due = alone.reshape(1, -1, *([1] * (entries.ndim - 1)))
            size = np.maximum(np.abs(due), 1e-6 * np.max(np.abs(alone)) or 1.0)
            # entries that differ at one σ already are no others' σ
            uneven = np.array(self.uneven[name]).reshape(due.shape)
            gaps[name] = float(np.max(np.abs(one - due) / size - 2 * uneven))
        return gaps
