"""With batched times: does each row get the answer of its own time?

Conventions: t is an array ``(n,)``, one entry for each row of x or x0. All other questions of
`check_marginals` pass the same time for all rows, and would not notice ``t[0]`` or ``t.mean()``.
"""

from __future__ import annotations

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.marginals.asking import Probe
from scoreproof.public.marginals.declared import Declared

__all__ = ["mixed"]

#: roundings by which one row may depend on the size and layout of its batch
ROUNDINGS = 64


def mixed(probe: Probe, said: Declared, times: np.ndarray) -> tuple[float, float, str]:
    """The largest relative error of a row in a batch of different times, its bound, a sentence."""
    worst = (0.0, 0.0, "")
    # not as many rows as coordinates: an entry for each is not to be taken for the other
    few = probe.near[: -1 if len(probe.near) == probe.d else None]
    for name, rows, ask, eps in (
        ("drift", probe.near, _drift(probe), probe.drift.eps),
        ("diffusion", few, _diffusion(probe), probe.diffusion.eps),
        ("marginal's mean", said.rows, _marginal(said, 0), said.law.eps),
        ("marginal's std", said.rows, _marginal(said, 1), said.law.eps),
    ):
        n = len(rows)
        inner = times[len(times) // 4 : -1] if len(times) > 4 else times
        some = inner[np.linspace(0, len(inner) - 1, n).round().astype(int)]
        if len(np.unique(some)) < 2:
            continue
        try:
            together = ask(rows, some)
        except CallableError as error:
            raise CallableError(
                error.name,
                error.expected,
                f"{error.got}, with a different time for each row",
                "give each row the value at its own t, or leave out batched_time=True",
            ) from error
        alone = np.array([ask(rows, np.full(n, t))[k] for k, t in enumerate(some.tolist())])
        size = np.maximum(np.abs(alone), np.abs(together))
        gap = np.abs(alone - together)
        error_here = float(np.max(np.where(gap == 0, 0.0, gap / np.where(size > 0, size, 1.0))))
        bound = ROUNDINGS * eps
        if error_here / bound > (worst[0] / worst[1] if worst[1] else -1.0):
            k = int(np.argmax(np.max(gap, axis=1)))
            worst = (
                error_here,
                bound,
                f"in a batch of different times your {name} at t = {some[k]:.3g} is not what it is"
                " for that time alone: a row must get the value at its own t, not at t[0] or at the"
                " mean of t",
            )
    return worst


def _drift(probe: Probe):  # type: ignore[no-untyped-def]
    return lambda rows, t: probe.drift(rows, t, shape=rows.shape)


def _diffusion(probe: Probe):  # type: ignore[no-untyped-def]
    def ask(rows: np.ndarray, t: np.ndarray) -> np.ndarray:
        g = probe.diffusion(t)
        if g.ndim and g.shape[0] == len(rows):
            return np.broadcast_to(g.reshape(len(rows), -1), (len(rows), g[0].size))
        return np.broadcast_to(g.ravel()[:1], (len(rows), 1))

    return ask


def _marginal(said: Declared, part: int):  # type: ignore[no-untyped-def]
    return lambda rows, t: said.rows_at(t)[part]
