"""Rows of several noise levels in one batch, as in training: each is to be answered for its own.

Conventions: times are what the network is told; only a network that takes one for each row is
asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import guarded
from scoreproof.public.denoiser.arguments import Request
from scoreproof.public.denoiser.asking import Asked
from scoreproof.public.denoiser.verdict import measured
from scoreproof.public.network.calling import Network

__all__ = ["Among", "Level", "among_others"]

#: levels that are mixed, and rows of each
LEVELS, ROWS = 4, 4


@dataclass(frozen=True, eq=False)
class Level:
    """What was asked at one level, and told; ``eps``: the spacing at 1 of what came back."""

    request: Request
    asked: Asked
    eps: float
    when: float


@dataclass(frozen=True)
class Among:
    """What is wrong with a batch of several times: in a clause, and why."""

    text: str
    cause: Diagnosis


def among_others(network: Network, levels: Sequence[Level]) -> Among | None:
    """``None`` where nothing is wrong, or where it refuses such a batch."""
    if not network.form.by_row or len(levels) < 2:
        return None
    picked = np.unique(np.linspace(0, len(levels) - 1, min(LEVELS, len(levels))).round())
    chosen = [levels[int(k)] for k in picked]
    # neither the least nor the largest time is told to the first row
    order = [1, *(k for k in range(len(chosen)) if k not in (1, 2)), 2]
    chosen = [chosen[k] for k in order if k < len(chosen)]
    rows = np.concatenate([level.asked.answers.points.y[:ROWS] for level in chosen])
    alone = np.concatenate([level.asked.answers.values[:ROWS] for level in chosen])
    times = np.concatenate([np.full(len(v.asked.answers.points.y[:ROWS]), v.when) for v in chosen])
    found = _answers(network, times, rows)
    if found is None:
        return None
    gaps, start = [], 0
    for level in chosen:
        part = slice(start, start + len(level.asked.answers.points.y[:ROWS]))
        start = part.stop
        gaps.append(_beyond(level, rows[part], found[part], alone[part]))
    gap = np.concatenate(gaps)
    if not np.any(gap > 0):
        return None
    k, j = np.unravel_index(int(np.argmax(gap)), gap.shape)
    text = (
        "takes a time for each row, but a row's answer depends on the times of other rows: row"
        f" {k} of a batch, told {times[k]:.4g}, gets {found[k, j]:.6g} in coordinate {j}, and"
        f" {alone[k, j]:.6g} where all rows are told the same, which is right"
    )
    return Among(text, Diagnosis.cause("one_time_for_all", _why(network, times, rows, found)))


def _beyond(level: Level, y: np.ndarray, found: np.ndarray, alone: np.ndarray) -> np.ndarray:
    """By how much two answers differ more than rounding and the tolerance explain."""
    measure, kind = measured(level.asked, level.request, level.eps), level.request.kind
    m, tolerance = len(y), level.request.problem.tolerance or 0.0
    gap = np.abs(kind.to_mean(found, y) - kind.to_mean(alone, y))
    return np.asarray(gap - 2 * measure.rounding[:m] - tolerance * measure.size[:m])


def _answers(network: Network, when: np.ndarray | float, rows: np.ndarray) -> np.ndarray | None:
    guard = guarded(network.at(when), "denoiser", network.framework, network.dtype)
    try:
        with np.errstate(all="ignore"):
            found = np.real(np.asarray(as_numpy(guard.raw(rows)))).astype(float)
    except (Exception, SystemExit):  # it refuses a batch of several times: nothing wrong is said
        return None
    return found if np.all(np.isfinite(found)) else None


def _why(network: Network, times: np.ndarray, rows: np.ndarray, found: np.ndarray) -> str:
    for whose, when in _one_time(times):
        same = _answers(network, float(when), rows)
        if same is not None and np.allclose(found, same, rtol=1e-6, atol=1e-9):
            return (
                f"Cause: {whose} is used for the whole batch: each row has its own in training; if"
                " one time for all is meant, take it as a number."
            )
    return "Cause: a row's answer depends on the times of other rows: keep each row's own."


def _one_time(times: np.ndarray) -> Iterator[tuple[str, float]]:
    ways: dict[str, Callable[[np.ndarray], float]] = {
        "the time of the first row": lambda t: t[0],
        "the time of the last row": lambda t: t[-1],
        "the average of the rows' times": lambda t: t.mean(),
        "the largest of the rows' times": lambda t: t.max(),
        "the smallest of the rows' times": lambda t: t.min(),
    }
    for whose, take in ways.items():
        yield whose, float(take(times))
