"""Which coefficient of the steps is wrong, where no single slip explains them: the one formula whose
others are all met, and how the rest deviates.

Conventions: as in `steps`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.public.sampler.causes.formulas import Formula
from scoreproof.public.sampler.causes.language import shown
from scoreproof.public.sampler.causes.matching import Question, etas
from scoreproof.public.sampler.causes.words import constant

__all__ = ["Part", "nearest"]

#: a power of a number is told if all steps lie on it so far
ON_IT = 1e-6
SPOKEN = {
    "x": "x",
    "x_0": "the predicted x_0",
    "old": "the previous x_0",
    "z": "the noise z",
    "x_2": "the x_0 of the second call",
    "mid_x": "x in the second call's x",
    "mid_x_0": "the x_0 in the second call's x",
}
POWERS = {
    "dt": "t - t_next",
    "sigma_t": "σ_t",
    "sigma_next": "σ_next",
    "a_t": "α_t",
    "a_next": "α_next",
    "beta_t": "β_t",
    "h": "h",
}


@dataclass(frozen=True)
class Part:
    """``exact``: whether ``text`` explains all steps."""

    text: str
    exact: bool


def nearest(formulas: Sequence[Formula], q: Question, given: float | None) -> Part | None:
    """The formula of which all coefficients but one are met."""
    best: tuple[int, Formula, float | None, str, np.ndarray] | None = None
    for f in formulas:
        own = q.of(f)
        for eta in etas(f, own, given) if own is not None else ():
            assert own is not None
            made = own.made(f.program, {} if eta is None else {"eta": eta})
            odd, met = [], 0
            for n, v in own.measured.items():
                with np.errstate(all="ignore"):
                    off = np.abs(v - made[n]) * own.sizes[n]
                if np.max(np.nan_to_num(off[own.inner], nan=np.inf), initial=0.0) > own.tolerance:
                    odd.append(n)
                elif np.any(np.abs(made[n][own.inner]) > 0):
                    met += 1
            if len(odd) == 1 and met >= 1 and (best is None or met > best[0]):
                with np.errstate(all="ignore"):
                    ratio = (own.measured[odd[0]] / made[odd[0]])[own.inner]
                best = (met, f, eta, odd[0], ratio)
    if best is None or not np.all(np.isfinite(best[4])):
        return None
    _, f, eta, odd, ratio = best
    name = f.name + ("" if eta is None else f" (η = {eta:g})")
    head = f"the steps have the coefficients of {name}, but for that of {SPOKEN[odd]}"
    power = _power(ratio, q)
    target, tree = f.program[-1]
    due = f"right: {shown(('name', target))} = {shown(tree)}"
    if power:
        return Part(f"{head}, which is {power} times what is due; {due}", True)
    lo, hi = float(np.min(ratio)), float(np.max(ratio))
    return Part(
        f"{head}, which is from {lo:.4g} to {hi:.4g} times what is due (first step {ratio[0]:.4g},"
        f" last {ratio[-1]:.4g}); {due}",
        False,
    )


def _power(ratio: np.ndarray, q: Question) -> str:
    """``0.5·(t - t_next)^-0.5``, where the ratio is a power of one number of each step."""
    if len(ratio) < 4 or np.any(ratio <= 0):
        return ""
    if np.ptp(ratio) <= ON_IT * ratio[0]:
        return constant(float(ratio[0]))
    for n, said in POWERS.items():
        values = q.names.get(n)
        values = None if values is None else np.asarray(values)[q.inner]
        if values is None or len(values) != len(ratio) or np.any(~(values > 0)):
            continue
        if np.ptp(np.log(values)) < 1e-3:
            continue
        slope = np.polyfit(np.log(values), np.log(ratio), 1)[0]
        p = round(2 * slope) / 2
        rest = ratio / values**p
        if p and np.ptp(rest) <= ON_IT * abs(rest[0]):
            c = "" if abs(rest[0] - 1) < ON_IT else f"{constant(float(rest[0]))}·"
            return f"{c}({said})^{p:g}" if len(said) > 2 else f"{c}{said}^{p:g}"
    return ""
