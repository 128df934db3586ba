"""One run of a loss, and the runs of its rows, each asked by itself, as one of the whole batch.

Conventions: rows are flat. A loss that draws one t for the whole batch is asked with batches of
one, whose t is another each; its answer for the batch is the sum.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.interop.draws import Log
from scoreproof.public.loss.given import Given
from scoreproof.public.loss.served import Served
from scoreproof.public.loss.standin import Asked

__all__ = ["Run", "joined", "of_row"]


@dataclass(frozen=True, eq=False)
class Run:
    """``calls``: of the model, with gradients where the loss depends on the answer; ``blur``: what
    rounding may leave in an entry of a gradient, beyond its own, perhaps for each sample.
    """

    calls: list[Asked]
    value: float
    served: Served
    log: Log
    blur: float | np.ndarray = 0.0
    #: which call is judged, where there are several
    only: int | None = None

    @property
    def asked(self) -> Asked:
        """The call that the loss depends on."""
        calls = self.calls
        if self.only is not None and self.only < len(calls):
            calls = [calls[self.only], *calls]
        return next(c for c in calls if c.gradient is not None)

    @property
    def gradient(self) -> np.ndarray:
        found = self.asked.gradient
        assert found is not None
        return found


def of_row(given: Given, k: int) -> Given:
    """What one row is asked with."""
    row = slice(k, k + 1)
    times = None if given.times is None else given.times[row]
    return replace(
        given,
        x0=given.x0[row],
        noise=given.noise[row],
        extra=given.extra[:, row],
        answers=given.answers[row],
        times=times,
        others=tuple(a[row] for a in given.others),
    )


def joined(runs: Sequence[Run]) -> Run:
    """The runs of the rows as one; calls go by the order in which they were made."""
    count = min(len(r.calls) for r in runs)
    # the call that is trained comes last, whatever was asked before it
    calls = [_call([r.calls[k - count] for r in runs]) for k in range(count)]
    blur = np.concatenate([np.ravel(r.blur) for r in runs])
    return Run(calls, sum(r.value for r in runs), _served(runs), runs[0].log, blur, runs[0].only)


def _call(calls: Sequence[Asked]) -> Asked:
    labels = [c.label for c in calls if c.label is not None]
    gradients = [c.gradient for c in calls if c.gradient is not None]
    return Asked(
        np.concatenate([c.x for c in calls]),
        np.concatenate(labels) if len(labels) == len(calls) else None,
        gradient=np.concatenate(gradients) if len(gradients) == len(calls) else None,
    )


def _served(runs: Sequence[Run]) -> Served:
    """All that was drawn, as if for the whole batch."""
    each = [r.served for r in runs]
    first = each[0]

    def stacked(name: str) -> list[np.ndarray]:
        lists = [getattr(s, name) for s in each]
        return [np.concatenate(rows) for rows in zip(*lists, strict=False)]

    small = [
        (rows[0][0], np.concatenate([np.ravel(v) for _, v in rows]))
        for rows in zip(*(s.small for s in each), strict=False)
    ]
    raw = [
        (rows[0][0], np.concatenate([np.ravel(v) for _, v in rows]))
        for rows in zip(*(s.raw for s in each), strict=False)
    ]
    return replace(
        first,
        noise=np.concatenate([s.noise for s in each]),
        noises=stacked("noises"),
        whole=stacked("whole"),
        small=small,
        raw=raw,
        single=False,
        alone=None,
    )
