"""Which timesteps these are, if they are not those of their spacing.

Conventions: as in `spacing`; clauses after "they …".
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.schedule.spacing import SPACINGS, exact, mistakes, variants

__all__ = ["visited"]


def visited(falling: np.ndarray, spacing: str, total: int, offset: int) -> str:
    """A clause, empty if nothing is known."""
    n = len(falling)
    due = exact(spacing, n, total) + (offset if spacing == "leading" else 0)
    for text, likely in _lists(falling, spacing, total, offset):
        if len(likely) == n and np.all(np.abs(falling - likely) <= 1e-6 * np.maximum(1, likely)):
            return text
    for likely in (variants(spacing, n, total, offset)[f"{spacing} spacing"], due):
        if text := _moved(falling, likely) or _scaled(falling, likely, total):
            return text
    return _near(falling, due)


def _lists(
    falling: np.ndarray, spacing: str, total: int, offset: int
) -> Iterator[tuple[str, np.ndarray]]:
    n = len(falling)
    for name, likely in variants(spacing, n, total, 0).items():
        if offset and spacing == "leading":
            yield f"have {name} without the steps_offset of {offset}", likely
    for other in (spacing, *(s for s in SPACINGS if s != spacing)):
        for add in (0, 1) if other == "leading" else (0,):
            for name, likely in variants(other, n, total, add).items():
                yield f"have {name}" + (f" and steps_offset {add}" if add else ""), likely
    for name, likely in mistakes(n, total).items():
        yield f"have {name}", likely
    for of in (n + 1, n - 1):
        for name, likely in variants(spacing, of, total, offset).items() if of > 1 else ():
            if len(likely) > n:
                yield f"have {name} of {of} steps, without the last", likely[:-1]
                yield f"have {name} of {of} steps, without the first", likely[1:]
    for of in (total + 1, total - 1, 1000):
        if of != total and of >= n:
            for name, likely in variants(spacing, n, of, offset).items():
                yield f"have {name} of a table of {of} timesteps, not {total}", likely
    for top in (total, total - 1, 0.8 * total):
        quad = (np.linspace(0, np.sqrt(top), n) ** 2)[::-1]
        yield "are spaced by squares ('quad' of DDIM)", np.floor(quad)
        yield "are spaced by squares ('quad' of DDIM)", np.round(quad)
        yield "are spaced by squares ('quad' of DDIM), with steps_offset 1", np.floor(quad) + 1


def _moved(falling: np.ndarray, due: np.ndarray) -> str:
    by = falling - due
    if np.ptp(by) > 1e-6 or not by[0]:
        return ""
    size, way = abs(float(by[0])), "more" if by[0] > 0 else "less"
    why = ""
    if by[0] == 1:
        why = " (is an offset added twice?)"
    if by[0] == -1:
        why = " (is 1 subtracted twice?)"
    return f"are each {size:g} {way} than is due{why}"


def _scaled(falling: np.ndarray, due: np.ndarray, total: int) -> str:
    seen = due > 0
    ratio = falling[seen] / due[seen]
    if seen.sum() < 3 or np.ptp(ratio) > 1e-5 * abs(ratio[0]) or np.any(falling[~seen]):
        return ""
    factor = float(np.median(ratio))
    if abs(factor - 1) < 1e-6:
        return ""
    for words, likely in (("T", total), ("(T - 1)", total - 1)):
        if abs(factor * likely - 1) < 1e-5:
            return f"are t / {words}, fractions, where indices of the table are due"
    return f"are {factor:.6g} times what is due"


def _near(falling: np.ndarray, due: np.ndarray) -> str:
    off = np.abs(falling - np.round(due))
    for words, likely in (("down", np.floor(due)), ("up", np.ceil(due))):
        if np.all(falling == likely):
            return f"are rounded {words}, where rounding to the nearest is due"
    wrong = np.flatnonzero(off > 0.5)
    if 0 < wrong.size <= 2 and len(falling) > 3:
        listed = " and ".join(map(str, wrong))
        return f"are wrong at {'entry' if wrong.size == 1 else 'entries'} {listed} alone"
    return ""
