"""What came back against Girsanov's terms along the very paths, number by number.

Conventions: ``c`` is how often the stochastic integral is added; in an estimate of KL it may be any
number, as the integral's mean is 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.path_kl.faults import consistent, predictions
from scoreproof.public.path_kl.looks import Look

__all__ = ["GROWS", "ROUNDINGS", "Alongside", "alongside"]

#: roundings of a term on its way into the sum, and how the rounding of a path grows along it
ROUNDINGS, GROWS = 8, 16


@dataclass(frozen=True, eq=False)
class Alongside:
    """``returned``, ``energy`` and ``ito`` with what is added at the ends, ``(N,)``; ``blur``: what
    rounding explains; ``c``: as it was found. ``seen``: the smallest relative deviation of one
    term of one step that could not have passed.
    """

    looks: tuple[Look, ...]
    returned: np.ndarray
    energy: np.ndarray
    ito: np.ndarray
    ends: np.ndarray
    blur: np.ndarray
    c: float
    seen: float

    @property
    def due(self) -> np.ndarray:
        return self.energy + self.c * self.ito + self.ends

    @property
    def error(self) -> np.ndarray:
        return np.abs(self.returned - self.due)

    @property
    def right(self) -> bool:
        return bool(np.all(self.error <= self.blur))

    def rule(self) -> str | None:
        """Another rule for the integral over time that explains all."""
        for name in consistent(self.looks[0], self.c):
            parts = [k.reduced(consistent(k, self.c)[name]) for k in self.looks]
            if np.all(np.abs(self.returned - np.concatenate(parts)) <= self.blur):
                return name
        return None

    def predicted(self, c: float) -> dict[str, np.ndarray]:
        """The known faults' values."""
        parts = [predictions(k, c) for k in self.looks]
        common = [n for n in parts[0] if all(n in p for p in parts)]
        return {
            n: np.concatenate([k.reduced(p[n]) for k, p in zip(self.looks, parts, strict=True)])
            for n in common
        }


def alongside(looks: list[Look], eps: float) -> Alongside | None:
    """``None`` where a path is not known."""
    if any(k.track is None for k in looks):
        return None
    job = looks[0].job
    returned = np.concatenate([np.atleast_1d(k.answer.output.values) for k in looks])
    tracks = [k.track for k in looks if k.track is not None]
    energy, ito, ends, size, direct, plain = (
        np.concatenate([k.reduced(v) for k, v in zip(looks, values, strict=True)])
        for values in (
            [t.energy.sum(0) for t in tracks],
            [t.ito.sum(0) for t in tracks],
            [_total(k) for k in looks],
            [t.size + _size(k) for k, t in zip(looks, tracks, strict=True)],
            [t.direct_size + _size(k) for k, t in zip(looks, tracks, strict=True)],
            [t.energy_size + _size(k) for k, t in zip(looks, tracks, strict=True)],
        )
    )
    rounding = ROUNDINGS * (GROWS if job.simulates else 1) * eps
    blur, rest = rounding * size, returned - energy - ends
    c = 1.0
    if not job.ratio:
        c = _multiple(rest, ito, blur)
        if np.all(np.abs(rest) <= rounding * plain):  # no increment of a path went into it
            c, blur = 0.0, rounding * plain
    if c and np.all(np.abs(rest - c * ito) <= rounding * direct):  # nor a density of a step
        blur = np.minimum(blur, rounding * direct)
    found = Alongside(tuple(looks), returned, energy, ito, ends, blur, c, np.inf)
    return replace(found, seen=_seen(found))


def _total(look: Look) -> np.ndarray:
    return np.asarray(sum(look.ends().values()) + np.zeros(look.n))


def _size(look: Look) -> np.ndarray:
    return np.asarray(sum(np.abs(v) + 1 for v in look.ends().values()) + np.zeros(look.n))


def _multiple(rest: np.ndarray, ito: np.ndarray, blur: np.ndarray) -> float:
    """How often the stochastic integral is added, if that explains the rest; else 0."""
    weight = 1 / blur**2  # nobody's paths are all as well known
    best = float(np.sum(weight * rest * ito) / np.sum(weight * ito**2))
    for c in (0.0, 1.0, best):
        if np.all(np.abs(rest - c * ito) <= blur):
            return c
    return 0.0


def _seen(found: Alongside) -> float:
    """Every term of every step, and of the ends, shows in some number."""
    kinds = [[k.track.energy for k in found.looks if k.track is not None]]
    if found.c:
        kinds.append([k.track.ito for k in found.looks if k.track is not None])
    kinds += [[k.ends()[name][None] for k in found.looks] for name in found.looks[0].ends()]
    worst = 0.0
    for parts in kinds:
        steps = [
            np.concatenate([k.reduced(p[s]) for k, p in zip(found.looks, parts, strict=True)])
            for s in range(len(parts[0]))
        ]
        worst = max(worst, *(2 / float(np.max(np.abs(s) / found.blur)) for s in steps))
    return worst
