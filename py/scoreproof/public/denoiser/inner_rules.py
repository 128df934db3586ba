"""How the noise levels that a network is told follow from those that are due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.public.network.levels import Levels, NoiseLevel

__all__ = ["Told", "rounded_levels", "rule_of"]

#: relative: what is found by a fit is known to this
NEAR = 1e-5
#: parts of the time to whole numbers of which it may be rounded
STEPS = (10, 20, 25, 50, 100, 128, 200, 250, 256, 500, 512, 1000, 1024, 2000, 4000)
#: a table's next level is no more than this part away
NEXT = 0.5


@dataclass(frozen=True)
class Told:
    """``ratio``: σ/α that the network answers for, at a level."""

    level: NoiseLevel
    ratio: float

    @property
    def due(self) -> float:
        return self.level.ratio


def rule_of(found: Sequence[Told], levels: Levels, inside: str) -> str:
    """In words; empty if no rule is seen."""
    own, due = np.array([v.ratio for v in found]), np.array([v.due for v in found])
    if _same(own, own[0]):
        return "its level stands still, whatever it is told"
    return _of_sigma(own, due, inside) or _of_time(found, own, levels) or _beside(own, due)


def _same(value: np.ndarray, other: np.ndarray | float) -> bool:
    return bool(np.all(np.abs(value / other - 1) <= NEAR))


def _of_sigma(own: np.ndarray, due: np.ndarray, inside: str) -> str:
    if _same(own, 1 + due):
        return "log(1 + σ) stands where log σ is due"
    if _same(np.log(own), due):
        return "σ stands where log σ is due"
    if _same(own, own[0] / due[0] * due):
        return f"its level is {own[0] / due[0]:.6g} times σ"
    if len(own) < 3:
        return ""
    power, shift = np.polyfit(np.log(due), np.log(own), 1)
    if np.max(np.abs(np.log(own) - power * np.log(due) - shift)) > NEAR or abs(shift) > NEAR:
        return ""
    if abs(power - 1 / np.log(10)) <= NEAR:
        return "log₁₀ σ stands where log σ is due"
    if inside == "F" and abs(power - 4) <= NEAR:
        return "c_noise is log σ, where log(σ)/4 is due: it is not divided by 4"
    if inside == "F":
        return f"c_noise is {power / 4:.4g} log σ, where log(σ)/4 is due"
    return f"its level is σ to the power {power:.4g}"


def _of_time(found: Sequence[Told], own: np.ndarray, levels: Levels) -> str:
    """Another time of the schedule: so many steps away, the other way, or rounded."""
    times = np.sort(levels.when)
    ratios = np.array([levels.of(float(t)).ratio for t in times])
    usable = np.isfinite(ratios) & (ratios > 0)
    if np.any(np.diff(ratios[usable]) <= 0):
        return ""
    mine = np.array([_inverse(r, times[usable], ratios[usable], levels) for r in own])
    asked = np.array([v.level.when for v in found])
    if np.any(~np.isfinite(mine)):
        return ""
    if levels.whole or levels.name == "σ":
        steps = np.array([int(np.argmin(np.abs(times - t))) for t in mine]) - np.array(
            [int(np.argmin(np.abs(times - t))) for t in asked]
        )
        exact = np.all(np.min(np.abs(mine[:, None] - times), axis=1) <= 1e-3 * (1 + np.abs(mine)))
        if levels.whole and exact and np.ptp(steps) == 0:
            side = "later" if steps[0] > 0 else "earlier"
            return f"its timestep is {abs(steps[0])} {side} than that of x (an index off by one?)"
        if levels.whole and exact and np.ptp(mine + asked) == 0:
            return f"its time runs the other way, {mine[0] + asked[0]:g} - t"
        return ""
    return _rounded(mine, asked)


def _inverse(ratio: float, times: np.ndarray, ratios: np.ndarray, levels: Levels) -> float:
    """The time at which the schedule has that σ/α; nan beyond its ends."""
    if not ratios[0] * (1 - NEAR) <= ratio <= ratios[-1] * (1 + NEAR):
        return np.nan
    k = int(np.clip(np.searchsorted(ratios, ratio), 1, len(ratios) - 1))
    low, high = float(times[k - 1]), float(times[k])
    if levels.whole or levels.name == "σ":
        part = np.log(ratio / ratios[k - 1]) / np.log(ratios[k] / ratios[k - 1])
        return low + float(part) * (high - low)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if levels.of(middle).ratio < ratio else (low, middle)
    return (low + high) / 2


def _rounded(mine: np.ndarray, asked: np.ndarray) -> str:
    """Times that are whole numbers of a step, each next to the one that is due."""
    for n in STEPS:
        whole = np.round(mine * n)
        if np.any(np.abs(mine * n - whole) > 1e-3):
            continue
        ways = {"down": np.floor(asked * n), "to the nearest": np.round(asked * n)}
        ways["up"] = np.ceil(asked * n)
        for way, due in ways.items():
            if np.all((whole == due) | (whole == np.maximum(due, 1))):
                return f"its time is rounded {way}, to multiples of 1/{n} (an integer cast?)"
    return ""


def _beside(own: np.ndarray, due: np.ndarray) -> str:
    """Every level a little larger, or a little smaller, by no one factor."""
    gap = np.log(own / due)
    if np.max(np.abs(gap)) > NEXT or len(own) < 3:
        return ""
    if np.any(np.sign(gap) != np.sign(gap[0])):
        return rounded_levels(own, due)
    side = "next larger" if gap[0] > 0 else "next smaller"
    way = "up" if gap[0] > 0 else "down"
    return (
        f"everywhere a {side} level, as by an index of its table of σ that is off by one, or by"
        f" rounding {way} to a list of levels"
    )


def rounded_levels(own: np.ndarray, due: np.ndarray) -> str:
    """Some levels a little larger, others a little smaller than is due; empty if not."""
    gap = np.log(own / due)
    above, below = np.max(gap, initial=0.0), -np.min(gap, initial=0.0)
    if len(own) < 3 or max(above, below) > NEXT or min(above, below) <= NEAR:
        return ""
    return (
        f"up to {100 * np.expm1(above):.2g} % more at some levels, and up to"
        f" {-100 * np.expm1(-below):.2g} % less at others, as by rounding to the nearest of a list"
        " of levels (interpolate between them)"
    )
