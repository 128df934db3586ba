"""Whether the model is told the time, or the level, that x is at; and if not, what it is told.

Conventions: as in `steps`; ``when`` is the time, timestep or σ by which the model names a level.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scoreproof.public.sampler.causes.steps import Steps
from scoreproof.public.sampler.causes.words import constant, place

__all__ = ["mistold"]

NEAR = 1e-6


def mistold(steps: Steps, given: tuple[float, ...], seconds: Sequence[np.ndarray] = ()) -> str:
    """What the model is told where it is told another time than the one that x is at; empty where
    it is told right, or where nothing simple describes it. ``given``: the times of the grid;
    ``seconds``: of the later calls of a step.
    """
    due = np.array([v.when for v in steps.before])
    after = np.array([v.when for v in steps.after])
    dues = [due, *seconds]
    for stage in range(min(steps.stages, len(dues))):
        pairs = [
            (c[stage].when, dues[stage][k]) for k, c in enumerate(steps.told) if len(c) > stage
        ]
        if not pairs:
            continue
        told, right = (np.array(v) for v in zip(*pairs, strict=True))
        if not np.all(np.isfinite(told)) or _same(told, right):
            continue
        where = "" if steps.stages == 1 else (" in the first call", " in the second call")[stage]
        n = len(told)
        for text, value in _relations(due[:n], after[:n], right, given):
            kept = np.isfinite(value)
            if np.sum(kept) > n / 2 and _same(told[kept], value[kept]):
                k = int(np.argmax(np.abs(told - right) > NEAR * np.abs(right)))
                first = f"at step {k} it is told {told[k]:.4g} where x is at {right[k]:.4g}"
                return f"the model is told {text}{where} ({first})"
        ratio = told / np.where(right == 0, np.nan, right)
        ratio = ratio[np.isfinite(ratio)]
        if ratio.size > 2 and np.ptp(ratio) < NEAR * abs(ratio[0]):
            return (
                f"the model is told {constant(float(ratio[0]))} times the time that x is at{where}"
            )
        if seconds:
            k = int(np.argmax(np.abs(told - right) > NEAR * np.abs(right)))
            return (
                f"the model is told another time than the one that x is at{where} (at step {k} it"
                f" is told {told[k]:.4g} where x is at {right[k]:.4g})"
            )
    return ""


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.all(np.abs(a - b) <= NEAR * np.maximum(np.abs(b), 1e-12)))


def _relations(
    due: np.ndarray, after: np.ndarray, right: np.ndarray, given: tuple[float, ...]
) -> list[tuple[str, np.ndarray]]:
    """What people tell a model by mistake."""
    with np.errstate(all="ignore"):
        index = np.arange(len(right), dtype=float)
        top = float(given[0])
        maps: list[tuple[str, Callable[[np.ndarray], np.ndarray]]] = [
            ("the square of it (the variance σ² for σ)", np.square),
            ("the root of it (a standard deviation σ for the variance σ²)", np.sqrt),
            ("1 - t for t", lambda v: 1 - v),
            (f"T - t for t, with T = {top:.4g}", lambda v: top - v),
            ("log t", np.log),
            (
                "log(t)/4, the c_noise of EDM, which is for its network only",
                lambda v: np.log(v) / 4,
            ),
            ("t + 1", lambda v: v + 1),
            ("t - 1", lambda v: v - 1),
            ("-t", np.negative),
            ("1/t", np.reciprocal),
            ("(T - 1) - t", lambda v: top - 1 - v),
        ]
        if np.array_equal(right, due):
            ends = [("the next time, t_next, while x is at the step's start", after)]
        elif np.array_equal(right, after):
            ends = [("t, the step's start, while x is at its end", due)]
        else:
            between = "while x is between the two ends of the step"
            ends = [(f"t, the step's start, {between}", due)]
            ends += [(f"t_next, the step's end, {between}", after)]
        found = [(text, np.asarray(v, float)) for text, v in ends]
        middle = (due + after) / 2
        if not np.array_equal(right, middle):
            found += [("the time in the middle of the step", middle)]
        found += [(text, f(right)) for text, f in maps]
        found += [
            ("the index of the step, k, not the time of it", index),
            ("the index of the step counted down", index[::-1]),
            ("the index of the step + 1", index + 1),
            ("the time of the step before, of index k - 1", np.append(np.nan, right[:-1])),
            ("the times of the grid in reversed order", np.array(given[::-1])[: len(right)]),
            ("the times of the grid in reversed order", np.array(given[::-1])[1 : len(right) + 1]),
            ("the first time in every step", np.full(len(right), given[0])),
        ]
    return [(text, np.asarray(v, float)) for text, v in found if len(v) == len(right)]


def shown(steps: Steps, k: int) -> str:
    """From where to where the k-th step leads."""
    return f"from {place(steps.before[k])} to {place(steps.after[k])}"
