"""The drift and the diffusion that the declared law would need, beside yours.

Conventions: of mean α x0 + shift and std S they are a = α'/α and g² = (S²)' - 2 a S²; derivatives
are central differences of the declared law, good to six digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.families import Sides, of_families
from scoreproof.public.laws import Law, law, of_time, same
from scoreproof.public.marginals.clocks import Asked, of_a_fitted_time, of_another_time
from scoreproof.public.marginals.constants import LEFT, constant
from scoreproof.public.marginals.reading import Declaration, Told
from scoreproof.public.marginals.schedules import TOGETHER, of_cosines, two_schedules
from scoreproof.public.marginals.verdict import Case

__all__ = ["Needed", "needs"]

#: the step of the differences, as a part of t and of T - t; times
STEP, TIMES = 2e-3, 12
#: the step in single precision, and roundings that differences are off by
COARSE_STEP, ROUNDINGS, SINGLE = 1e-2, 16.0, 1e-10
SYMBOLS = {"α": "factor of x0", "σ": "standard deviation"}


@dataclass(eq=False)
class Needed:
    """What the declared law of one coordinate needs: asked for when it is first wanted, and once
    (60 calls of the marginal).
    """

    case: Case
    d: Declaration
    c: int

    @cached_property
    def read(self) -> tuple[np.ndarray, ...] | None:
        """Times; α and std as declared, the a and g² that they need; those that are."""
        return _read(self.case, self.d, self.c)

    @cached_property
    def told(self) -> Told | None:
        """What drift or diffusion are of those that the declared law needs."""
        return None if self.read is None else _required(self, self.read)

    def at(self, t: np.ndarray) -> tuple[np.ndarray, ...] | None:
        """The same as ``read``, without its times, at other times before the end."""
        if self.case.implied.origin or not self.d.straight:
            return None
        try:
            due = _needed(self.case, t, self.c, float(self.d.t[-1]))
        except CallableError:
            return None
        found = self.case.said.probe.coefficients(t)
        return *due, found[0][:, self.c], found[2][:, self.c]

    @property
    def left(self) -> float:
        """What rounding leaves in the differences."""
        return max(LEFT, ROUNDINGS * self.case.said.law.eps / _step(self.case))


def _step(case: Case) -> float:
    return STEP if case.said.law.eps < SINGLE else COARSE_STEP


def _required(needed: Needed, read: tuple[np.ndarray, ...]) -> Told | None:
    case, d, c, left = needed.case, needed.d, needed.c, needed.left
    t, alpha, std, a, g2, rate, noise = read
    still = np.max(np.abs(a)) <= left * max(1.0, float(np.max(np.abs(rate))))
    if still and np.any(rate):
        return Told("drift_extra", "the declared mean is x0 at all times: there must be no drift")
    with np.errstate(all="ignore"):
        of_drift = np.ones_like(t) if still else rate / a
        of_noise = noise / g2
        logs = {"log α/(log α)'": np.log(alpha) / a, "t": t} if not still else {"t": t}
        first = {
            "(1 - α²)": 1 - alpha**2,
            "(1 - α)": 1 - alpha,
            "1/(1 + α²)": 1 / (1 + alpha**2),
            "(1 + α²)": 1 + alpha**2,
            "1/(1 + α)": 1 / (1 + alpha),
            "(1 - α⁴)": 1 - alpha**4,
            "1/√t": t**-0.5,
        }
    parts = {"α": alpha, "σ": std, "t": t} if not still else {"σ": std, "t": t}
    drift_right, noise_right = same(of_drift, 1, left), same(of_noise, 1, left)
    # a wrong rate moves the factor of x0, and with it a shift that is due; nothing else
    if (drift_right and (d.mean_wrong or d.shift_wrong)) or (
        d.shift_wrong and not np.any(d.shift_due)
    ):
        return None
    if np.any(g2 < -left * np.max(np.abs(g2))):
        return None  # no noise does that
    if drift_right and noise_right:
        return None

    def at(u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = case.said.probe.coefficients(u)
        return found[0][:, c], found[2][:, c]

    end = float(case.implied.times[-1])
    # f = -½ β x and g² = β on both sides, whatever β is
    preserving = same(noise, -2 * rate, left) and same(g2, -2 * a, left)
    cosines = of_cosines(t, noise, g2, left) if preserving else None
    known = None if case.implied.quadrature.diverges else d.context.log_at(t)
    families = of_families(Sides(t, alpha, std, rate, known, noise, left, drift_right))
    if families is not None and not still:
        return Told(*families)
    drift = law(of_drift, parts, left, first=logs | (first if not still else {}))
    both = law(of_noise, parts, left, first=logs | (first if not still else {}))
    alone = drift if noise_right else both if drift_right else None
    besides = (
        "" if alone is None else f" (it is {alone.text} times the one needed{_symbols(alone)})"
    )
    asked = Asked(t, end, (a, g2), at, (drift_right, noise_right), left)
    clock = of_another_time(asked, besides)
    if cosines is not None or clock is not None:
        return cosines or clock
    if not drift_right and drift is not None and "log α" in drift.text:
        text = "the drift's rate is log α, an integral, where its derivative (log α)' is due"
        if noise_right:
            return Told("drift_integral", text)
    forms = [of_time(v, t, left) for v in (noise, g2)]
    if drift_right and both is not None:
        mine, due = ("" if v is None else f", {v}," for v in forms)
        times, why = constant(both, case.at_zero, float(d.std[-1]), c, left)
        if due == "" and both.constant is None and (form := law(g2, parts, left)) is not None:
            due = f", {form.text}"
        # with a base that is told to a few digits, two formulas mislead
        if both.constant is not None and left > LEFT:
            mine = due = ""
        return Told(
            "diffusion_required",
            f"drift and mean agree; your g²{mine} is {times} times the one that the declared"
            f" standard deviation needs{due.rstrip(',')}{_symbols(both)}{why}",
        )
    if noise_right and drift is not None:
        return Told(
            "drift_required",
            f"g is the one that the declared law needs; your drift is {drift.text} times the one it"
            f" needs{_symbols(drift)}",
        )
    if drift is not None and both is not None:
        text = f"your drift is {drift.text} times, and your g² {both.text} times"
        if same(of_drift, of_noise, left):
            text = f"your drift and g² are {drift.text} times"
        return Told(
            "coefficients_required",
            f"{text} those that the declared law needs{_symbols(drift, both)}",
        )
    texts = []
    for name, right, own, need in (
        ("the drift's rate", drift_right, rate, a),
        ("g²", noise_right, noise, g2),
    ):
        one, other = (of_time(v, t, left) for v in (own, need))
        if not right and (one is None or other is None):
            two = two_schedules(t, noise, g2, left) if preserving else None
            return two or of_a_fitted_time(asked)
        if not right:
            texts.append(f"{name} is {one}, and must be {other} for the declared law")
    return Told("schedule", "; ".join(texts))


def _symbols(*laws: Law) -> str:
    """What α and σ are, where they are named."""
    named = [(k, v) for k, v in SYMBOLS.items() if any(k in found.text for found in laws)]
    if not named:
        return ""
    return f" ({' and '.join(f'{k} is the declared {what}' for k, what in named)})"


def _read(case: Case, d: Declaration, c: int) -> tuple[np.ndarray, ...] | None:
    """Times; α and std as declared, the a and g² that they need; those that are."""
    if case.implied.origin or not d.straight or len(d.t) < 4:
        return None
    end = float(d.t[-1])
    inner = d.t[(d.t > 0.02 * end) & (d.t < 0.98 * end)]
    if len(inner) < 4:
        return None
    t = inner[np.unique(np.linspace(0, len(inner) - 1, TIMES).round().astype(int))]
    try:
        needed = _needed(case, t, c, end)
    except CallableError:
        return None
    found = case.said.probe.coefficients(t)
    return t, *needed, found[0][:, c], found[2][:, c]


def needs(needed: Needed) -> str:
    """What drift and diffusion would have to be, at two times: a sentence, or nothing."""
    if needed.read is None:
        return ""
    t, _, _, a, g2, rate, noise = needed.read
    parts = []
    for name, own, due in (("the drift's rate", rate, a), ("g²", noise, g2)):
        k = int(np.argmax(np.abs(own - due) / np.maximum(np.abs(own), np.abs(due))))
        if not same(own, due, needed.left):
            parts.append(f"{name} must be {due[k]:.4g} at t = {t[k]:.3g} (it is {own[k]:.4g})")
    if len(parts) == 2 and same(noise, -2 * rate, needed.left) and same(g2, -2 * a, needed.left):
        parts[1] += f"; {TOGETHER} of two different β"
    return f" For the declared law {' and '.join(parts)}." if parts else ""


def _needed(
    case: Case, t: np.ndarray, c: int, end: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """α and std as declared, and the a and g² that they need."""
    h = _step(case) * np.minimum(t, end - t)
    values = []
    x0 = case.said.rows[:, c]
    for k in (-2, -1, 0, 1, 2):
        means, stds = zip(*(case.said.alone(u) for u in t + k * h), strict=True)
        mean, std = np.array(means)[:, :, c], np.array(stds)[:, :, c]
        centred = x0 - x0.mean() if np.ptp(x0) else x0
        values.append((mean @ centred / (centred @ x0), std.mean(axis=1) ** 2))
    alphas, squares = (np.array(v) for v in zip(*values, strict=True))

    def slope(v: np.ndarray) -> np.ndarray:
        return (v[0] - 8 * v[1] + 8 * v[3] - v[4]) / (12 * h)

    a = slope(np.log(np.abs(alphas)))
    return alphas[2], np.sqrt(squares[2]), a, slope(squares) - 2 * a * squares[2]
