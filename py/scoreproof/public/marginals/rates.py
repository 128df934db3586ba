"""A constant factor of the variance that is made of the two rates of drift and diffusion.

Conventions: f = -θ x + …, and g grows as e^(L t); they imply the variance g(0)² (e^(2 L t) -
e^(-2 θ t))/(2 (θ + L)), so a factor of it is one of the law's own denominators or numerators.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.laws import number, same
from scoreproof.public.marginals.reading import Declaration

__all__ = ["of_rates"]

#: to what the factor has to be a form of the rates, and the rates constant
SHARP, STEADY = 1e-6, 1e-7
#: factors that have nothing to do with the rates
PLAIN = (1 / 4, 1 / 3, 1 / 2, 1.0, 2.0, 3.0, 4.0)


def of_rates(d: Declaration, square: float) -> str:
    """What a factor of the variance is in θ and L, and what is left out; empty if it is neither."""
    if any(abs(square / plain - 1) <= SHARP for plain in PLAIN):
        return ""
    theta, growth = _rates(d)
    said = {"θ": (theta, "the rate of the drift"), "L": (growth, "the growth rate of g")}
    for form, value, what in _forms(theta, growth):
        if value > 0 and np.isfinite(value) and abs(square / value - 1) <= SHARP:
            legend = ", ".join(
                f"{name} = {number(float(f'{rate:.6g}'))} {of}"
                for name, (rate, of) in said.items()
                if name in form
            )
            return f"{form}, {legend}: {what}"
    return ""


def _forms(theta: float, growth: float) -> list[tuple[str, float, str]]:
    """The form, its value, and which slip leads to it: in the law, or in g."""
    if theta and growth:
        total = theta + growth
        return [
            ("(θ + L)/L", total / growth, "θ is left out of the denominator θ + L"),
            ("(θ + L)/θ", total / theta, "L is left out of the denominator θ + L"),
            ("(θ + L)", total, "the denominator θ + L is left out"),
            ("2 (θ + L)", 2 * total, "the denominator 2 (θ + L) is left out"),
            ("1/(θ + L)", 1 / total, "it is divided by θ + L twice"),
            ("1/(2 (θ + L))", 1 / (2 * total), "it is divided by 2 (θ + L) twice"),
            ("1/L", 1 / growth, "a factor L is left out (in g² = 2 L σ², of g = σ √(2 L))"),
            ("1/(2 L)", 1 / (2 * growth), "a factor 2 L is left out (of g = σ √(2 L))"),
            ("L", growth, "it has a factor L too much"),
            ("2 L", 2 * growth, "it has a factor 2 L too much, or g lacks √(2 L)"),
            ("θ/L", theta / growth, "θ stands where L is due"),
            ("L/θ", growth / theta, "L stands where θ is due"),
            (
                "(θ + L)/(L - θ)",
                total / (growth - theta) if growth != theta else np.nan,
                "the denominator has L - θ where θ + L is due",
            ),
            ("(θ + L)/(θ + 2 L)", total / (theta + 2 * growth), "2 L stands for L below"),
            ("(θ + L)/(2 θ + L)", total / (2 * theta + growth), "2 θ stands for θ below"),
        ]
    name, rate = ("θ", theta) if theta else ("L", growth)
    if not rate:
        return []
    return [
        (f"2 {name}", 2 * rate, f"the denominator 2 {name} is left out"),
        (name, rate, f"the denominator has 2 where 2 {name} is due"),
        (
            f"1/(2 {name})",
            1 / (2 * rate),
            f"it is divided by 2 {name} twice, or g has a √(2 {name}) that is not in the law",
        ),
        (f"1/{name}", 1 / rate, f"it is divided by {name} twice"),
    ]


def _rates(d: Declaration) -> tuple[float, float]:
    """θ and L, 0 where there is none; both 0 where one of them is no constant."""
    c, moments = d.context.coordinate, d.context.moments
    with np.errstate(all="ignore"):
        a = moments.value(moments.a, d.t)[:, c]
        log = np.log(d.context.g2_at(d.t)) / 2
    if len(d.t) < 4 or not np.all(np.isfinite(log)) or not same(a, float(np.median(a)), STEADY):
        return 0.0, 0.0
    slope, start = np.polyfit(d.t, log, 1)
    if np.max(np.abs(log - start - slope * d.t)) > STEADY * max(1.0, float(np.max(np.abs(log)))):
        return 0.0, 0.0
    theta, growth = -float(np.median(a)), float(slope)
    least = STEADY / float(d.t[-1])
    return (theta if abs(theta) > least else 0.0), (growth if abs(growth) > least else 0.0)
