"""The chains that a verdict needs: ever more steps, for data at one point and for Gaussian data.

Conventions: the numbers of steps are the caller's times 1, 2, 4, … up to `FINEST`, or, where his
sampler takes no more than he named, his over 4, 2 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.frameworks import require
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.asking import Noise, chain
from scoreproof.public.sampler.chain import Chain
from scoreproof.public.sampler.convergence import Limit, limit, width
from scoreproof.public.sampler.data import Data, gaussian, point

__all__ = ["Runs"]

#: at most so many times the caller's number of steps, or so many where he has few, or so many
FINEST, FEW, MOST = 40, 640, 1000
#: numbers that the draws of one chain hold together
NUMBERS = 2e8
#: laws that two choices of signs tell apart by more are of coordinates that mix
MIXED = 1e-6
#: coordinates up to which each is asked by itself where they mix
FULL = 64


@dataclass(eq=False)
class Runs:
    """Chains of a job, made when asked for; ``full``: each coordinate of each draw by itself."""

    job: Job
    full: bool = False
    counts: list[int] = field(default_factory=list)
    made: dict[tuple[bool, int], Chain] = field(default_factory=dict)

    @property
    def eps(self) -> float:
        """The unit roundoff of the arithmetic."""
        return float(np.finfo(float).eps) if self._doubled else self.table

    @property
    def table(self) -> float:
        """That of the coarsest numbers that the sampler works with."""
        if self._doubled:
            return max(self.first().eps, float(np.finfo(float).eps))
        return max(self._type, self.job.form.eps)

    @property
    def _doubled(self) -> bool:
        return self.job.form.double or (
            self.job.form.framework != "jax" and self.job.form.dtype is None
        )

    @property
    def _type(self) -> float:
        kind = self.job.form.dtype or "float32"
        name = str(kind).removeprefix("torch.")
        eps = 2.0**-7 if name == "bfloat16" else float(np.finfo(np.dtype(kind)).eps)
        if self.job.form.framework == "jax" and not require("jax").config.jax_enable_x64:
            return max(eps, float(np.finfo(np.float32).eps))  # whatever type it is asked for
        return eps

    def of(self, spread: bool, n: int) -> Chain:
        """The chain of n steps for Gaussian data, or for one point."""
        if (spread, n) not in self.made:
            d = int(np.prod(self.job.shape))
            data: Data = gaussian(d) if spread else point(d)
            like = next(iter(self.made.values()), None)
            self.made[spread, n] = chain(
                self.job.form, n, data, self.job.shape, Noise(self.job.seed, self.full), like
            )
        return self.made[spread, n]

    def otherwise(self, others: float) -> Chain:
        """The caller's own run again, with all uniform numbers that number."""
        one = self.first()
        job = self.job
        noise = Noise(job.seed, others=others)
        return chain(job.form, one.n, one.data, job.shape, noise, like=one)

    def first(self) -> Chain:
        """The caller's own run, with data at one point."""
        return self.of(False, self.job.steps)

    def ladder(self) -> list[int]:
        """Three numbers of steps or more, each about twice the one before."""
        if self.counts:
            return self.counts
        n = self.job.steps
        upward = [n, self.job.form.finer(n)]
        upward.append(self.job.form.finer(upward[-1]))
        downward = [n // 4, n // 2, n]
        try:
            fine = self._affordable(upward[-1])
            widths = [width(self.of(False, k)) for k in upward] if fine else []
        except CallableError:
            widths = []
        # a table has no more steps than entries
        falling = len(widths) == 3 and widths[1] < 0.7 * widths[0] and widths[2] < 0.7 * widths[1]
        self.counts = upward if falling else downward
        if not falling:
            self._refines(downward)
        return self.counts

    def _refines(self, counts: list[int]) -> None:
        """Raises where the chains of all these numbers of steps are the same."""
        chains = [self.of(False, k) for k in counts]
        if len({round(width(c), 12) for c in chains}) > 1:
            return
        raise CallableError(
            "sampler",
            "take as many steps as the times it is given",
            f"it asks its model {chains[0].calls} times, at the same levels, for"
            f" {', '.join(str(k) for k in counts)} steps",
            "let it run through its argument times, not through a grid of its own",
        )

    def _affordable(self, n: int) -> bool:
        """A row for each draw, and that often: what n steps cost."""
        one = self.first()
        draws = len(one.draws) * n / one.n
        return n <= MOST and draws**2 * int(np.prod(self.job.shape)) <= NUMBERS

    def chains(self, spread: bool, back: int = 0) -> list[Chain]:
        """The last three chains, or those ``back`` before."""
        counts = self.ladder()
        return [self.of(spread, n) for n in counts[len(counts) - 3 - back : len(counts) - back]]

    def limit(self, spread: bool, back: int = 0) -> Limit:
        """What the errors tend to."""
        return limit(self.chains(spread, back), self.eps, self.table)

    def refined(self, spread: bool) -> bool:
        """Three chains with more steps, if the sampler takes them."""
        n = self.job.form.finer(self.ladder()[-1])
        if n > max(FINEST * self.job.steps, FEW) or not self._affordable(n):
            return False
        try:
            finer = self.of(spread, n)
        except CallableError:
            return False
        if not width(finer) < 0.7 * width(self.of(spread, self.counts[-1])):
            return False
        self.counts.append(n)
        return True

    def mixes(self, n: int = 0) -> bool:
        """Whether the coordinates of a sample, or of its noise, do not each answer for itself; with
        ``n`` steps, or with the fewest.
        """
        n, job = n or self.ladder()[0], self.job
        one = self.of(False, n)
        if any(s.law.mixed > MIXED for s in one.states):
            return True
        d = int(np.prod(self.job.shape))
        if any(d != int(np.prod(w.shape[1:])) for w in one.draws if w.kind == "normal"):
            return True
        for code in range(1, d.bit_length() + 1):
            noise = Noise(job.seed, code=code)
            other = chain(job.form, n, one.data, job.shape, noise, like=one)
            for a, b in zip(one.states, other.states, strict=True):
                gap = np.abs(a.law.std - b.law.std) + np.abs(a.law.signed - b.law.signed)
                if float(np.max(gap / np.maximum(a.law.std, 1e-12))) > MIXED + 1e3 * self.eps:
                    return True
            if not any(w.kind == "normal" for w in one.draws):
                break
        return False
