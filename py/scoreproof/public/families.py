"""Which known process drift and g² are those of, and which a law is that of.

Conventions: β = -2 f/x; α is the factor of x0, σ the standard deviation. A process has σ as a
function of α, and so g² as β times a function of α.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.laws import is_plain, law, number, same

__all__ = ["FAMILIES", "Sides", "discount", "family_of", "of_families"]

FAMILIES = {
    "vp": ("the variance-preserving SDE", "σ² = 1 - α²", "g² = β"),
    "sub-VP": ("the sub-VP SDE", "σ = 1 - α²", "g² = β (1 - α⁴) = β (1 - e^(-2∫β))"),
    "straight": ("a straight path", "σ = 1 - α", "g² = β (1 - α)"),
}


@dataclass(frozen=True, eq=False)
class Sides:
    """At times t: α and σ as declared; the drift's rate, its ∫ (where it is known), and g²."""

    t: np.ndarray
    alpha: np.ndarray
    std: np.ndarray
    rate: np.ndarray
    log: np.ndarray | None
    noise: np.ndarray
    left: float
    drift_right: bool

    @property
    def own(self) -> str:
        """The family of drift and g²."""
        if self.log is None or np.any(self.rate >= 0):
            return ""
        share, alpha = self.noise / (-2 * self.rate), np.exp(self.log)
        due = {"vp": np.ones_like(alpha), "sub-VP": 1 - alpha**4, "straight": 1 - alpha}
        return next((n for n, v in due.items() if _same(share, v, self.left)), "")


def family_of(alpha: np.ndarray, std: np.ndarray, left: float) -> str:
    """The family of a law; empty where it is none, or may be several."""
    if np.min(alpha) > 1 - 1e-3 or np.any(alpha <= 0):
        return ""
    due = {"vp": np.sqrt(np.maximum(1 - alpha**2, 0)), "sub-VP": 1 - alpha**2}
    due["straight"] = 1 - alpha
    return next((n for n, v in due.items() if _same(std, v, left)), "")


def _same(values: np.ndarray, due: np.ndarray, left: float) -> bool:
    told = due > 1e-3
    return bool(np.sum(told) >= 4 and same(values[told], due[told], left))


def of_families(sides: Sides) -> tuple[str, str] | None:
    """Two processes, or a g² that is not quite that of the law's."""
    law_is = family_of(sides.alpha, sides.std, sides.left)
    if not law_is:
        return None
    own, (name, std, needs) = sides.own, FAMILIES[law_is]
    if own and own != law_is:
        other, has, makes = FAMILIES[own]
        text = f"drift and g² are those of {other} ({makes}), whose law has {has}; the declared law"
        return "two_families", (f"{text} has {std}, that of {name}, which needs {needs}")
    if law_is == "sub-VP" and sides.drift_right and (wrong := discount(sides)):
        said = f"the declared law is that of {name} ({std}), which needs {needs}"
        return "discount", f"the drift is right; {said}; {wrong}"
    return None


def discount(sides: Sides) -> str:
    """What g²/β is in place of 1 - α⁴."""
    share, alpha = sides.noise / (-2 * sides.rate), sides.alpha
    found = law(share, {"(1 - α⁴)": 1 - alpha**4, "(1 - α²)": 1 - alpha**2}, sides.left)
    if found is not None:
        hint = ": the root does not cover the discount" if "(1 - α⁴)²" in found.text else ""
        return f"in your g² it is {found.text}, not 1 - α⁴, that multiplies β{hint}"
    if np.any(share >= 1) or np.any(share <= 0):
        return ""
    own, due = -np.log1p(-share), -4 * np.log(alpha)
    told = (own < 20) & (due < 20)  # beyond, 1 - e^… is 1 but for rounding
    if np.sum(told) < 3:
        return ""
    ratio = own[told] / due[told]
    k = float(np.median(ratio))
    if same(ratio, k, 1e-4) and is_plain(float(f"{k:.4g}")):
        return f"in your g² the exponent is {number(float(f'{-2 * k:.4g}'))} ∫β, not -2 ∫β"
    t = sides.t[told]
    lines = [_squares(t, v[told]) for v in (own, due)] if len(t) > 3 else [None, None]
    if lines[0] is None or lines[1] is None:
        return ""
    return f"in your g² the exponent is -({lines[0]}), where 2 ∫β = {lines[1]} is due"


def _squares(t: np.ndarray, values: np.ndarray) -> str | None:
    powers = np.stack([t, t**2], axis=1)
    fit, *_ = np.linalg.lstsq(powers, values, rcond=None)
    if np.max(np.abs(powers @ fit - values)) > 1e-4 * np.max(np.abs(values)):
        return None
    return f"{fit[0]:.4g} t {'-' if fit[1] < 0 else '+'} {abs(fit[1]):.4g} t²"
