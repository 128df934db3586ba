"""A small number that is added to the noise before the drifts are divided by it, or below which the
noise is not let fall.

Conventions: the number is found where it shows most, by bisection, and has to explain all the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.path_kl.alongside import Alongside
from scoreproof.public.path_kl.tracks import Track

__all__ = ["crossing", "floored"]

Way = Callable[[Track, float], np.ndarray]


def _added(track: Track, c: float) -> np.ndarray:
    return _apart(track) / (_size(track) + c)


def _clamped(track: Track, c: float) -> np.ndarray:
    return _apart(track) / np.maximum(_size(track), c)


def _square(track: Track, c: float) -> np.ndarray:
    """So that |u|² is |a - b|²/(g² + c)."""
    return _apart(track) / np.sqrt(_size(track) ** 2 + c)


def _clipped(track: Track, c: float) -> np.ndarray:
    return np.clip(track.u[:-1], -c, c)


WAYS: tuple[tuple[str, Way, str], ...] = (
    ("added_to_noise", _added, "{c:.4g} is added to g before it divides: divide by g itself"),
    ("added_to_square", _square, "{c:.4g} is added to g² before it divides: divide by g² itself"),
    ("clamped_noise", _clamped, "g is not let fall below {c:.4g}: divide by g itself"),
    ("clipped", _clipped, "u is clipped to [-{c:.4g}, {c:.4g}]: leave it as it is"),
)


def _apart(track: Track) -> np.ndarray:
    return np.asarray((track.both[0] - track.both[1])[:-1])


def _size(track: Track) -> np.ndarray:
    return np.asarray(np.einsum("...ii->...i", track.g[:-1]))


def floored(found: Alongside, c: float) -> Diagnosis | None:
    """The way and the number that explain all, if there is one."""
    if found.looks[0].problem.noise in ("full", "matrix") or found.looks[0].job.kind == "scores":
        return None

    def value(way: Way, number: float) -> np.ndarray:
        parts = []
        for look in found.looks:
            assert look.track is not None
            track, ends = look.track, sum(look.ends().values())
            u = way(track, number)
            energy = 0.5 * np.sum(u**2, axis=-1) * track.dt
            ito = np.sum(u * track.dw, axis=-1)
            parts.append(look.reduced((energy + c * ito).sum(0) + ends))
        return np.concatenate(parts)

    for name, way, words in WAYS:
        number = crossing(found, partial(value, way), np.geomspace(1e-9, 10, 101))
        if number is None:
            continue
        left = np.abs(found.returned - value(way, number))
        if np.all(left <= found.blur + 1e-9 * found.error):
            return Diagnosis.cause(name, f"Cause: {words.format(c=number)}.")
    return None


def crossing(
    found: Alongside, value: Callable[[float], np.ndarray], grid: np.ndarray
) -> float | None:
    """Where the value that is farthest off comes out right."""
    k = int(np.argmax(found.error / found.blur))
    off = np.array([value(v)[k] - found.returned[k] for v in grid])
    changes = np.flatnonzero(np.sign(off[1:]) != np.sign(off[:-1]))
    if len(changes) == 0:
        return None
    low, high, sign = grid[changes[0]], grid[changes[0] + 1], np.sign(off[changes[0]])
    for _ in range(60):
        middle = (low + high) / 2
        if np.sign(value(middle)[k] - found.returned[k]) == sign:
            low = middle
        else:
            high = middle
    return float((low + high) / 2)
