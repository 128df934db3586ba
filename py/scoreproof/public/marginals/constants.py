"""What a constant factor of g² is of the constants that a process is made of.

Conventions: as in `required`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.laws import Law, is_plain

__all__ = ["LEFT", "constant"]

#: what differences of the declared law leave; a schedule in discrete time has this many steps
LEFT, STEPS = 1e-5, 50


def constant(
    found: Law, own: np.ndarray | None, high: float, c: int, left: float
) -> tuple[str, str]:
    """The factor, and what it is of the constants that the process is made of: ``own`` and
    ``high`` are the first and the last standard deviation.
    """
    k = found.constant
    if k is None:
        return found.text, ""
    shown = f"{k:.6g}" if left <= LEFT else f"{k:.3g}"
    for base, name in ((10.0, "10"), (2.0, "2")):
        if abs(k * np.log(base) - 1) <= left:
            why = f": a base-{name} logarithm stands where the natural one is due"
            return f"{shown} = 1/ln {name}", why
    for steps, way in ((k, "divide"), (1 / k if k else 0.0, "multiply")):
        if steps >= STEPS and round(steps) % 10 == 0 and abs(steps / round(steps) - 1) <= left:
            why = f": is it counted by steps, of which a unit of time has {round(steps)}? {way} it"
            return found.text if left <= LEFT else shown, why
    if is_plain(k) or own is None or not 0 < own[c] < high:
        return found.text if left <= LEFT else shown, ""
    low = float(own[c])
    for words, value in (
        ("2 log(σ(T)/σ(0))", 2 * np.log(high / low)),
        ("log(σ(T)/σ(0))", np.log(high / low)),
        ("2 log₁₀(σ(T)/σ(0))", 2 * np.log10(high / low)),
        ("σ(T) - σ(0)", high - low),
        ("2 (σ(T) - σ(0))", 2 * (high - low)),
        ("σ(T)² - σ(0)²", high**2 - low**2),
        ("σ(T)/σ(0)", high / low),
        ("σ(T)", high),
        ("σ(0)", low),
    ):
        for power, text in (
            (-1, f"1/({words})"),
            (1, words),
            (-2, f"1/({words})²"),
            (2, f"({words})²"),
        ):
            if abs(k / value**power - 1) <= 4 * left:
                why = f"; σ(0) = {low:.6g}, σ(T) = {high:.6g}"
                if power == -1:
                    why += f": a factor {words} = {value:.4g} is missing"
                return f"{shown} = {text}", why
    return found.text if left <= LEFT else shown, ""
