"""Planted wrong versions of the reverse SDE, each an edit of one template in named slots, so that
pairs compose.

Conventions: as in `statement`; a subject is ``(process, x, t, lam) -> (b, c²)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from scoreproof.core import Fault, merge_slots

__all__ = ["EDITS", "FAULTS", "Variant", "compose", "perturbations"]


@dataclass(frozen=True, slots=True)
class Variant:
    """``clock * (f_sign f - score_sign C(λ) g^power s)`` and ``N(λ, g)``: the formula with its
    parts exchangeable.

    ``Variant()`` is the formula. The three ``…_factor`` multiply f, the score term's λ/2 and so on
    for the sharpness probe.
    """

    f_sign: int = 1
    score_sign: int = 1
    clock: int = 1
    weight: Callable[[Any], Any] = lambda lam: 1 - lam / 2
    g_power: int = 2
    noise: Callable[[Any, Any], Any] = lambda lam, g: (1 - lam) * (g * g)
    score_of: Callable[[Any, Any, Any], Any] = lambda process, x, t: process.score(x, t)
    g_of: Callable[[Any, Any], Any] = lambda process, t: process.diffusion(t)
    f_factor: Any = 1
    score_factor: Any = 1
    noise_factor: Any = 1

    def __call__(self, process: Any, x: Any, t: Any, lam: Any) -> tuple[Any, Any]:
        g = self.g_of(process, t)
        power = g if self.g_power == 1 else g * g
        f, s = process.drift(x, t) * self.f_factor, self.score_of(process, x, t)
        b = self.f_sign * f - self.score_sign * (self.score_factor * self.weight(lam)) * power * s
        return self.clock * b, self.noise(lam, g) * self.noise_factor


def _reversed_score(process: Any, x: Any, t: Any) -> Any:
    return process.score(x, process.horizon - t)


def _density_gradient(process: Any, x: Any, t: Any) -> Any:
    return process.score(x, t) * process.density(x, t)


def _reversed_g(process: Any, t: Any) -> Any:
    return process.diffusion(process.horizon - t)


#: name -> (the slots it edits, why people write it)
EDITS: dict[str, tuple[dict[str, Any], str]] = {
    "score_sign": (
        {"score_sign": -1},
        "the sign of the score term: a reverse drift copied from a text with the other clock",
    ),
    "one_minus_lambda": (
        {"weight": lambda lam: 1 - lam},
        "(1-λ) for (1-λ/2): the noise's factor put on the score as well",
    ),
    "half_lambda_missing": (
        {"weight": lambda lam: lam * 0 + 1},
        "Anderson's drift kept while the noise is scaled by λ",
    ),
    "half_lambda_added": ({"weight": lambda lam: 1 + lam / 2}, "the sign of λ/2"),
    "always_half": (
        {"weight": lambda lam: (lam * 0 + 1) / 2},
        "the ODE's drift kept while noise is added",
    ),
    "weight_doubled": (
        {"weight": lambda lam: 2 - lam},
        "g² taken for g²/2 in the ODE, so that the score counts twice",
    ),
    "g_not_squared": ({"g_power": 1}, "g in place of g² in front of the score"),
    "noise_lambda_squared": (
        {"noise": lambda lam, g: (1 - lam * lam) * (g * g)},
        "√(1-λ²) for √(1-λ), as if λ were DDIM's η complement",
    ),
    "noise_without_root": (
        {"noise": lambda lam, g: (1 - lam) * (1 - lam) * (g * g)},
        "(1-λ) g: the root forgotten",
    ),
    "noise_without_g": ({"noise": lambda lam, g: 1 - lam + g * 0}, "√(1-λ) dW: g forgotten"),
    "noise_g_without_square": (
        {"noise": lambda lam, g: (1 - lam) * g},
        "√((1-λ) g): the variance rate taken for g",
    ),
    "noise_variance_for_coefficient": (
        {"noise": lambda lam, g: (1 - lam) * (1 - lam) * (g * g) * (g * g)},
        "(1-λ) g² dW: the variance rate handed over as coefficient, its root √(1-λ) g is due",
    ),
    "noise_full": (
        {"noise": lambda lam, g: g * g},
        "g dW at every λ: only the drift was interpolated",
    ),
    "noise_half": (
        {"noise": lambda lam, g: (1 - lam / 2) * (g * g)},
        "√(1-λ/2) g: the score's factor put on the noise",
    ),
    "noise_sign": (
        {"noise": lambda lam, g: (1 + lam) * (g * g)},
        "√(1+λ) g: the sign of λ in the noise",
    ),
    "score_of_reversed_time": (
        {"score_of": _reversed_score},
        "the score taken at T-t: index reversed once too often",
    ),
    "g_of_reversed_time": ({"g_of": _reversed_g}, "g taken at T-t: the schedule array flipped"),
    "density_gradient": ({"score_of": _density_gradient}, "∂_x p for ∂_x log p"),
    "f_sign": ({"f_sign": -1}, "f negated for the reverse clock, the score term not"),
    "reversed_clock": (
        {"clock": -1},
        "the drift of the clock s = T-t handed to a solver with dt < 0",
    ),
}

FAULTS = tuple(Fault(name, Variant(**slots), why) for name, (slots, why) in EDITS.items())


def compose(names: tuple[str, ...]) -> Variant | None:
    """The subject that carries all named faults; ``None`` where two of them edit the same slot."""
    slots = merge_slots(EDITS[name][0] for name in names)
    return None if slots is None else Variant(**slots)


def perturbations() -> Mapping[str, Callable[[Any], Variant]]:
    """Each coefficient of the formula off by the relative error ``eps``."""
    return {
        "drift": lambda eps: replace(Variant(), f_factor=1 + eps),
        "score": lambda eps: replace(Variant(), score_factor=1 + eps),
        "half_lambda": lambda eps: replace(Variant(), weight=lambda lam: 1 - lam * (1 + eps) / 2),
        "noise": lambda eps: replace(Variant(), noise_factor=1 + eps),
        "noise_lambda": lambda eps: replace(
            Variant(), noise=lambda lam, g: (1 - lam * (1 + eps)) * (g * g)
        ),
    }
