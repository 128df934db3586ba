"""The acceptance of a Metropolis kernel, read to rounding: by sections of the uniform number.

Conventions: a is the probability that a row moves to its proposal: the part of (0, 1) in which the
uniform number leads there, below or above a threshold. What a kernel returns where it does not
accept is to be x.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scoreproof.public.corrector.asking import Kernel
from scoreproof.public.corrector.draws import noise_script
from scoreproof.public.corrector.law import Asked
from scoreproof.public.corrector.target import Target

__all__ = ["PARTS", "Accepts", "Metropolis"]

#: each call cuts the stretch in which the threshold lies by so much
PARTS = 32
CALLS = 11
LOW = 1e-300
#: what log p is raised by to see a proposal; its exponential is still a number
RAISED, RAISED_COARSE = 300.0, 80.0
#: roundoff from which a type is coarse
COARSE = 1e-10


@dataclass(frozen=True, eq=False)
class Accepts:
    """``a`` ``(n,)``. ``ordered``: one threshold each; ``alone``: what a kernel does in a batch of
    other rows is the same.
    """

    a: np.ndarray
    ordered: bool
    alone: bool


@dataclass(eq=False)
class Metropolis:
    """A kernel with a target and a step size; ``below``: it accepts below a threshold; ``by``: how
    its proposals are seen, 0 where they are not seen so; ``most``: rows of the largest batch;
    ``asked``: what the last call asked for.
    """

    kernel: Kernel
    target: Target
    h: float | None
    below: bool = True
    high: float = field(default=1.0)
    most: int = 0
    by: float = 0.0
    asked: tuple[Asked, ...] = ()

    def __post_init__(self) -> None:
        self.high = 1 - self.kernel.eps

    def run(self, x: np.ndarray, z: np.ndarray, u: np.ndarray) -> np.ndarray:
        """One call. JAX compiles code anew for every size of a batch: its batches are filled up."""
        n = len(x)
        if self.kernel.job.framework == "jax":
            more = max(self.most - n, 0)
            x, z, u = (np.concatenate([v, np.repeat(v[:1], more, axis=0)]) for v in (x, z, u))
        script = noise_script(self.kernel.job, z[None], lambda k: u)
        answer = self.kernel(self.target, x, script, self.h)
        self.asked = answer.asked
        return answer.state[:n]

    def proposed(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """What it returns where it accepts most gladly: with log p raised wherever x moves to, if
        that makes it move.
        """
        if not self.by:
            return self.run(x, z, np.full(len(x), LOW if self.below else self.high))
        return self._raised(x, z, self.by)

    def _raised(self, x: np.ndarray, z: np.ndarray, by: float) -> np.ndarray:
        self.kernel.raised = by
        try:
            with np.errstate(over="ignore"):
                return self.run(x, z, np.full(len(x), 0.5))
        finally:
            self.kernel.raised = None

    def rejected(self, x: np.ndarray, z: np.ndarray) -> np.ndarray:
        """What it returns where it accepts least."""
        return self.run(x, z, np.full(len(x), self.high if self.below else LOW))

    def oriented(self, x: np.ndarray, z: np.ndarray) -> None:
        """Finds out on which side it accepts."""
        low, high = (np.any(self.run(x, z, np.full(len(x), u)) != x, axis=1)
                     for u in (LOW, self.high))  # fmt: skip
        self.below = bool(np.sum(low) >= np.sum(high))
        most = RAISED if self.kernel.eps < COARSE else RAISED_COARSE
        for by in (most, -most):
            if np.all(np.any(self._raised(x, z, by) != x, axis=1)):
                self.by = by
                return

    def alone(self, x: np.ndarray, z: np.ndarray, gain: np.ndarray) -> bool:
        """Whether rows are accepted or not among copies of themselves as they are among the
        others: a ratio that is summed over a batch is another one there. ``gain``: of log p, by
        which rows and a number are chosen that would tell. 5 calls.
        """
        a = float(np.exp(np.clip((np.mean(gain) + np.min(gain)) / 2, -3, -0.02)))
        u = np.full(len(x), a if self.below else 1 - a)
        among = np.any(self.run(x, z, u) != x, axis=1)
        order = np.argsort(gain)
        for k in (*order[:2], *order[-2:]):
            own, noise = np.tile(x[k], (len(x), 1)), np.tile(z[k], (len(x), 1))
            if np.any(np.any(self.run(own, noise, u) != own, axis=1) != among[k]):
                return False
        return True

    def acceptance(
        self, x: np.ndarray, z: np.ndarray, y: np.ndarray, rounding: np.ndarray
    ) -> Accepts:
        """``rounding``: of y from one call to another. 11 calls of 32 rows a pair, and 2 of one."""
        n = len(x)
        near = np.maximum(1e-6 * np.max(np.abs(y - x), axis=1), rounding)

        def accepted(u: np.ndarray, rows: np.ndarray) -> np.ndarray:
            out = self.run(x[rows], z[rows], u)
            hit = np.max(np.abs(out - y[rows]), axis=1) <= near[rows]
            return hit if self.below else ~hit

        low, high, ordered = np.zeros(n), np.ones(n), True
        ends = accepted(np.full(n, self.high), np.arange(n))
        start = accepted(np.full(n, LOW), np.arange(n))
        rows = np.repeat(np.arange(n), PARTS - 1)
        for _ in range(CALLS):
            cuts = low[:, None] + (high - low)[:, None] * np.arange(1, PARTS) / PARTS
            hits = accepted(np.clip(cuts, LOW, self.high).ravel(), rows).reshape(n, -1)
            count = hits.sum(axis=1)
            ordered &= bool(np.all(hits == (np.arange(PARTS - 1) < count[:, None])))
            width = (high - low) / PARTS
            low, high = low + count * width, low + (count + 1) * width
        threshold = np.where(ends, 1.0, np.where(start, (low + high) / 2, 0.0))
        inner = (threshold > 1e-9) & (threshold < 1)
        every = np.arange(n)
        sure = accepted(np.where(inner, threshold * (1 - 1e-3), LOW), every)[inner]
        never = accepted(np.where(inner, np.minimum(threshold * (1 + 1e-3), self.high), LOW), every)
        edge = inner & (threshold * (1 + 1e-3) < self.high)
        alone = bool(np.all(sure) and not np.any(never[edge]))
        a = threshold if self.below else 1 - threshold
        return Accepts(a, ordered, alone)
