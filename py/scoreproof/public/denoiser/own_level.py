"""A network that answers for other noise levels than it is asked at: which, and by what rule."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.denoiser.inner_rules import NEXT
from scoreproof.public.denoiser.retold import asked_at
from scoreproof.public.denoiser.sweep import AtLevel, Sweep
from scoreproof.public.network.levels import NoiseLevel
from scoreproof.public.posterior.cases import Case, Cause
from scoreproof.public.posterior.closed import common
from scoreproof.public.posterior.level_words import reason
from scoreproof.words import enumerated

__all__ = ["NO_RULE", "own_levels"]

#: the name of other levels that follow from those that are due in no way that is known
NO_RULE = "noise_level_by_no_rule"
#: relative: two levels this near are the same
SAME = 1e-5
#: what a level is multiplied by to see whether the answer stands still
MOVED = 1.0001


def own_levels(
    found: Sequence[tuple[AtLevel, Case, list[Cause]]], sweep: Sweep
) -> Diagnosis | None:
    """``None`` unless other levels explain every level that was looked at."""
    own = []
    for a, _, causes in found:
        best = next((c for c in causes if c.key in ("noise_variance", "level")), None)
        if best is None or "σ" not in best.params:
            return None
        alpha = best.params.get("α", a.level.alpha)
        own.append((a.level, alpha, best.params["σ"]))
    own.sort(key=lambda t: t[0].ratio)
    ratios = np.array([s / a for _, a, s in own])
    due = np.array([level.ratio for level, _, _ in own])
    rule = _rule(own, ratios, due, sweep)
    level, alpha, sigma = own[-1]
    name = sweep.levels.name
    shown = (
        f"at {name} {level.when:.4g} it is the answer for σ/α = {sigma / alpha:.6g} where σ/α ="
        f" {level.ratio:.6g} is due"
    )
    name_of_it = "noise_level" if rule else NO_RULE
    if not rule:
        rule = "it answers for other noise levels, by no rule that is known (another schedule?)"
        shown += f", at {name} {own[0][0].when:.4g} for {ratios[0]:.6g} where {due[0]:.6g} is due"
    text = f"Cause: {rule}: {shown}."
    return Diagnosis.cause(name_of_it, text)


def _rule(
    own: list[tuple[NoiseLevel, float, float]], ratios: np.ndarray, due: np.ndarray, sweep: Sweep
) -> str:
    """How its levels follow from those that are due; empty if no rule is seen."""
    if len(own) < 2:
        return ""
    if np.ptp(ratios) <= SAME * np.max(ratios):
        return (
            f"its noise level stands still: it answers as at σ/α = {ratios[0]:.6g} whatever it is"
            " told there (a clamped or ignored time)"
        )
    factor = ratios / due
    # as many digits as the levels are known to: a factor that prints as 1 is none
    if np.ptp(factor) <= SAME * np.max(factor) and abs(factor[0] - 1) > 10 * SAME:
        return _times(float(factor[0]), sweep)
    more = ratios - due
    if np.ptp(more) <= SAME * np.max(np.abs(more)):
        return f"its noise levels σ/α are {abs(more[0]):.6g} {'more' if more[0] > 0 else 'less'}"
    symbols = [{"σ": v.sigma, "α": v.alpha} for v, _, _ in own]
    of_sigma = common([s for _, _, s in own], symbols)
    of_alpha = common([a for _, a, _ in own], symbols)
    shifted = _shift(own, sweep)
    if of_sigma and of_alpha and (of_sigma, of_alpha) != ("σ", "α"):
        taken = [f"{of_sigma} for σ"] * (of_sigma != "σ") + [f"{of_alpha} for α"] * (
            of_alpha not in ("α", "1")
        )
        return f"it takes {enumerated(taken)}" if taken else ""
    if shifted:
        return shifted
    power = np.polyfit(np.log(due), np.log(ratios), 1) if np.ptp(np.log(due)) > 0 else (1.0, 0.0)
    left = np.log(ratios) - np.polyval(power, np.log(due))
    if len(own) > 2 and np.max(np.abs(left)) <= SAME * 10:
        return (
            f"its noise levels are a power of those that are due, σ/α to the {power[0]:.4g} times"
            f" {np.exp(power[1]):.4g}"
        )
    return _of_a_list(own, ratios / due, sweep)


def _of_a_list(own: list[tuple[NoiseLevel, float, float]], factor: np.ndarray, sweep: Sweep) -> str:
    """Levels that stand still where what the network is told moves a little."""
    near = np.max(np.abs(np.log(factor))) <= NEXT
    if sweep.network.form.whole or sweep.levels.whole or not near:
        return ""
    for at in sweep.at:
        if not any(level is at.level for level, _, _ in own):
            continue
        rows, when = at.answers.due.y[:4], sweep.told(at.level)
        first, second = (asked_at(sweep, rows, when * c) for c in (1.0, MOVED))
        if first is None or second is None or not np.array_equal(first, second):
            return ""
    return (
        "its noise levels are rounded to a list: it answers the same where the level that it is"
        f" told is {MOVED:g} times as large (interpolate between the levels of the list)"
    )


def _times(factor: float, sweep: Sweep) -> str:
    """One factor of all levels: its form, and what makes such a factor of σ²."""
    d = float(np.prod(sweep.network.shape))
    shown = number(factor, SAME, {"d": d})
    # levels are fitted: their square is known to half the digits
    square = _rounded(factor**2)
    why = reason(square, tuple(sweep.network.shape))
    of = f" (σ² is {number(square, SAME, {'d': d})} times what is due{why})"
    return f"its noise levels are {shown} times those that are due{of}"


def _rounded(square: float) -> float:
    """A square, or its inverse, that is a short number to the digits that are known."""
    for value, back in ((square, 1.0), (1 / square, -1.0)):
        short = float(f"{value:.4g}")
        if abs(value / short - 1) <= 2 * SAME:
            return float(short**back)
    return square


def _shift(own: list[tuple[NoiseLevel, float, float]], sweep: Sweep) -> str:
    """Levels of the schedule's own at another time."""
    levels = sweep.levels
    every = [levels.of(float(t)) for t in levels.when]
    times = np.array([v.when for v in every])
    ratio = np.array([v.ratio for v in every])
    usable = np.isfinite(ratio) & (ratio > 0)
    order = np.argsort(ratio[usable])
    rising, at = ratio[usable][order], times[usable][order]
    # beyond the ends of the table is no timestep: another step of it may lie there
    inside = [o for o in own if rising[0] * (1 - SAME) <= o[2] / o[1] <= rising[-1] * (1 + SAME)]
    beyond = [o for o in own if o not in inside]
    if len(inside) < 2:
        return ""
    own = inside
    mine = np.array([np.interp(np.log(s / a), np.log(rising), at) for _, a, s in own])
    asked = np.array([v.when for v, _, _ in own])
    exact = [
        abs(levels.of(t).ratio / (s / a) - 1)
        for t, (_, a, s) in zip(np.round(mine) if levels.whole else mine, own, strict=True)
    ]
    if max(exact) > (1e-4 if levels.whole else 1e-2):
        return ""
    mine = np.round(mine) if levels.whole else mine
    gap = mine - asked
    if np.ptp(gap) <= 1e-6 * np.max(np.abs(asked)) and levels.whole:
        side = "later" if gap[0] > 0 else "earlier"
        ends = [v.when + gap[0] for v, _, _ in beyond]
        if any(np.min(times) <= end <= np.max(times) for end in ends):
            return ""
        return (
            f"it answers for the {levels.name} that is {abs(gap[0]):g} {side} than what it is told"
        )
    if beyond:
        return ""
    if levels.whole and np.ptp(mine / np.maximum(asked, 1)) <= 1e-6:
        return f"it answers for {mine[-1] / asked[-1]:.4g} times the {levels.name} that it is told"
    pairs = enumerated(
        [f"{b:.4g} where it is asked at {a:.4g}" for a, b in zip(asked, mine, strict=True)]
    )
    return f"it answers for other times of the schedule: {levels.name} {pairs}"
