"""Whether every sample of a batch answers for itself, and only to what it was handed.

Conventions: three samples; in the first run all are the same and get the same noise, in the second
one the middle one is another. What the outer two become must be the same four times.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.evidence import Evidence
from scoreproof.interop.draws import Draw
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.asking import passed
from scoreproof.public.sampler.chain import Chain
from scoreproof.public.sampler.data import Data, gaussian
from scoreproof.public.sampler.rows import Law
from scoreproof.streams import stream

__all__ = ["mixed"]

#: a difference, in standard deviations, beyond rounding
APART, ROUNDINGS = 1e-9, 1e3


@dataclass(eq=False)
class Three:
    """The batch, in the place of `Rows`."""

    shape: tuple[int, ...]
    seed: int
    other: bool
    own: np.ndarray | None = field(default=None, init=False)
    count: int = field(default=3, init=False)

    def begin(self) -> None:
        """Before every run."""
        self.own = None
        self._streams = [stream(self.seed, "sampler", "batch", name) for name in ("one", "other")]

    def _rows(self, shape: tuple[int, ...]) -> np.ndarray:
        one, other = (s.standard_normal(shape) for s in self._streams)
        return np.stack([one, other if self.other else one, one])

    def start(self, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
        """Three places of that law."""
        return np.asarray(mean + 0.5 * std * self._rows(mean.shape))

    def noise(self, draw: Draw) -> np.ndarray:
        """What stands in for a draw."""
        if draw.kind != "normal" or draw.shape[:1] != (self.count,):
            return np.full(draw.shape, 0.5)
        if self.own is not None:
            own, self.own = self.own, None
            return own.reshape(draw.shape)
        return 0.5 * self._rows(draw.shape[1:])

    def law(self, x: np.ndarray) -> Law:
        """The three rows themselves."""
        zero = np.zeros(x.shape[1])
        return Law(x.copy(), zero, None, 0.0, 0.0, 0.0, zero, 0.0, 0.0)


def mixed(job: Job, first: Chain, eps: float) -> Evidence | None:
    """Samples that get what was not handed in, or what another one of the batch got; ``first``: the
    chain whose mean row gets no noise.
    """
    data = gaussian(int(np.prod(job.shape)))
    same, asked = _run(job, data, other=False)
    again, asked_again = _run(job, data, other=True)
    near = APART + ROUNDINGS * eps
    if _off(same, 0, same, 1) > near or _off(same, 0, same, 2) > near:
        text = (
            "samples that start from the same x and get the same noise become different: it draws"
            " from a generator of its own (np.random.default_rng() inside), which cannot be"
            " replaced; let it take an argument rng (a numpy.random.Generator)"
        )
        return Evidence.undecided("convergent", text)
    silent = all(np.all(np.isfinite(s.law.mean)) for s in first.states)
    if not silent and all(np.all(np.isfinite(x)) for _, x in same):
        text = (
            "where the noise is 0 x is not finite: it divides by the size of the noise (z / z.std()"
            " over a sample), so that x is no affine function of it; add the noise as drawn"
        )
        return Evidence.undecided("convergent", text)
    if asked != asked_again:
        text = (
            "it chooses its times by x (an adaptive solver): more times handed in make no finer"
            " steps, and a sample depends on the others of its batch; pass a solver of fixed steps"
        )
        return Evidence.undecided("convergent", text)
    off = max(_off(same, 0, again, 0), _off(same, 2, again, 2))
    if not off <= near:
        text = (
            f"what becomes of a sample depends on the others of its batch (off by {off:.2g}"
            " standard deviations): a norm, mean or std is taken over the batch (a step size as in"
            " the Langevin corrector, z / z.std()), or rows are exchanged, so that a sample has no"
            " law of its own; take it over each sample by itself"
        )
        return Evidence.undecided("convergent", text)
    return None


def _run(job: Job, data: Data, other: bool) -> tuple[list[tuple[Any, np.ndarray]], list[float]]:
    """Every state with its standard deviation, and the times that the model was asked for."""
    three: Any = Three(job.shape, job.seed, other)
    tape, end = passed(job.form, job.steps, data, three)
    states = [(data.moments(s.level)[1], s.law.mean) for s in tape.states]
    asked = [level.when for _, level in getattr(job.form, "asked", [])]
    return [*states, (data.width, end.mean)], asked


def _off(
    one: list[tuple[Any, np.ndarray]], i: int, two: list[tuple[Any, np.ndarray]], j: int
) -> float:
    """The largest difference of two rows, in standard deviations; infinite where only one is
    finite.
    """
    worst = 0.0
    for (std, x), (_, y) in zip(one, two, strict=False):
        a, b = x[i], y[j]
        known = np.isfinite(a) & np.isfinite(b)
        if np.any(np.isfinite(a) != np.isfinite(b)):
            return float("inf")
        worst = max(worst, float(np.max(np.abs(a - b)[known] / std[known], initial=0.0)))
    return worst
