"""Coordinates that are left out of a divergence, or count otherwise than once.

Conventions: the divergence of an entrywise form is a sum over coordinates; weights of 1 are due.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoreproof.public.kl.fit import Places
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.summands import LOGS, due_summands

__all__ = ["by_coordinate", "of_one_term", "weighted"]

_NAMES = {"mean": "the mean term", "trace": "the trace term", "one": "the constant"}

#: rows for one weight
ROWS = 2


def by_coordinate(laws: Laws) -> np.ndarray:
    """The divergence ``(n, d)`` of each coordinate."""
    v0, v1 = (np.broadcast_to(v, laws.m0.shape) for v in (laws.v0, laws.v1))
    return np.asarray(((laws.m1 - laws.m0) ** 2 / v1 + v0 / v1 - 1 - np.log(v0 / v1)) / 2)


#: which coordinates count, by d
RULES: tuple[tuple[str, Callable[[int], np.ndarray]], ...] = (
    ("the last coordinate is left out", lambda d: np.arange(d) < d - 1),
    ("the first coordinate is left out", lambda d: np.arange(d) > 0),
    ("only the first coordinate counts", lambda d: np.arange(d) == 0),
    ("only the last coordinate counts", lambda d: np.arange(d) == d - 1),
    ("only every second coordinate counts", lambda d: np.arange(d) % 2 == 0),
    ("only the first half of the coordinates counts", lambda d: np.arange(d) < d // 2),
    ("only the second half of the coordinates counts", lambda d: np.arange(d) >= d // 2),
    ("the last coordinate counts twice", lambda d: 1.0 + (np.arange(d) == d - 1)),
    ("the first coordinate counts twice", lambda d: 1.0 + (np.arange(d) == 0)),
)


def _rule(weights: Callable[[int], np.ndarray], d: int, alone: bool) -> np.ndarray:
    """``alone``: a vector of one entry is counted as it is due."""
    return np.ones(1) if alone and d == 1 else weights(d) * 1.0


def weighted(places: Places) -> str:
    """A clause, empty if weights of the coordinates do not explain what was returned."""
    if places.options.form == "full":
        return ""
    each = [by_coordinate(b) for b in places.laws]
    for words, weights in RULES:
        for alone in (True, False):  # a vector of one entry is often an exception
            made = [v @ _rule(weights, v.shape[1], alone) for v in each]
            prediction = np.concatenate([places.options.reduce(v) for v in made])
            if places.explained(prediction, prediction):
                return words
    return _fitted(places, each) if places.options.reduction == "none" else ""


def of_one_term(places: Places) -> str:
    """A clause, empty unless one term alone is taken over some of the coordinates."""
    if places.options.form == "full":
        return ""
    due = due_summands(places.options)
    with np.errstate(all="ignore"):
        each = [[s.of(b) * s.factor for b in places.laws] for s in due]
    if any(v.ndim != 2 for rows in each for v in rows):
        return ""
    whole = [np.sum([rows[k] for rows in each], axis=0) for k in range(len(places.laws))]
    slots: list[tuple[tuple[int, ...], str]] = [
        ((k,), _NAMES[s.slot]) for k, s in enumerate(due) if s.slot in _NAMES
    ]
    logs = tuple(k for k, s in enumerate(due) if s.slot.startswith(LOGS))
    slots.append((logs, "the log term"))
    firsts = [
        (f"only the first {n} coordinates count", lambda d, n=n: np.arange(d) < n) for n in (2, 3)
    ]
    for which, name in slots:
        part = [np.sum([each[k][b] for k in which], axis=0) for b in range(len(places.laws))]
        for words, weights in (*RULES, *firsts):
            for alone in (True, False):
                made = [
                    v.sum(axis=1) - p @ (1.0 - _rule(weights, p.shape[1], alone))
                    for v, p in zip(whole, part, strict=True)
                ]
                prediction = np.concatenate([places.options.reduce(v) for v in made])
                if places.explained(prediction, np.abs(prediction)):
                    return f"in {name} {words}, in the other terms all of them"
    return ""


def _fitted(places: Places, each: list[np.ndarray]) -> str:
    """One weight a coordinate, whatever d is."""
    most = max(v.shape[1] for v in each)
    columns = np.concatenate([np.pad(v, ((0, 0), (0, most - v.shape[1]))) for v in each])
    if len(columns) < ROWS * most:
        return ""
    unit = 1 / places.rounding
    weights = np.linalg.lstsq(columns * unit[:, None], places.returned * unit, rcond=None)[0]
    near = min(max(1e-6, 1e3 * places.eps), 0.05)
    whole = np.where(np.abs(weights - np.round(weights)) < near, np.round(weights), weights)
    for w in (whole, weights):
        off = np.flatnonzero(np.abs(w - 1) > near)
        if off.size and off.size < most and places.explained(columns @ w, columns @ np.abs(w)):
            listed = ", ".join(f"coordinate {k} counts {w[k]:.6g} times" for k in off[:3])
            return f"{listed}{', …' if off.size > 3 else ''} (counted from 0), the others once"
    return ""
