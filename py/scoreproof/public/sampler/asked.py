"""What a whole sampler asked its model, put together where it asked for a part of the batch at a
time.

Conventions: rows ``(n, d)`` in the order of the batch; a call for twice the batch is one with and
one without a condition.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scoreproof.public.sampler.data import Level

__all__ = ["Asked"]


@dataclass(eq=False)
class Asked:
    """Called with every x that the model is asked at; ``count`` rows are a batch. ``parts``: the
    sizes of calls for less than that.
    """

    count: int
    whole: list[tuple[np.ndarray, Level]] = field(default_factory=list)
    parts: set[int] = field(default_factory=set)
    _open: list[np.ndarray] = field(default_factory=list)
    _small: list[tuple[np.ndarray, Level]] = field(default_factory=list)
    _at: float = float("nan")

    def __call__(self, x: np.ndarray, level: Level) -> None:
        if len(x) in (self.count, 2 * self.count):
            self.whole.append((x[: self.count].copy(), level))
            self._open = []
            return
        self.parts.add(len(x))
        self._small.append((x.copy(), level))
        if level.when != self._at:
            self._open, self._at = [], level.when
        self._open.append(x.copy())
        if sum(map(len, self._open)) == self.count:
            self.whole.append((np.concatenate(self._open), level))
            self._open = []

    def found(self) -> list[tuple[np.ndarray, Level]]:
        """Every x of the whole batch, in the order in which they were asked at."""
        return self.whole or self._one_part_after_the_other()

    def _one_part_after_the_other(self) -> list[tuple[np.ndarray, Level]]:
        """Where each part of the batch goes through all levels before the next part starts."""
        runs: list[list[tuple[np.ndarray, Level]]] = []
        for k, (x, level) in enumerate(self._small):
            first = self._small[0][1].when
            if level.when == first and (k == 0 or self._small[k - 1][1].when != first):
                runs.append([])
            runs[-1].append((x, level))
        sizes = [len(r[0][0]) for r in runs]
        if sum(sizes) != self.count or len({len(r) for r in runs}) != 1:
            return []
        return [
            (np.concatenate([x for x, _ in together]), together[0][1])
            for together in zip(*runs, strict=True)
        ]
