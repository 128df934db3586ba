"""Planted wrong versions of the Fokker–Planck equation, each an edit of one template in named
slots, so that pairs compose.

Conventions: as in `statement`; a subject maps `Jets` to ∂_t p.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from scoreproof.claims.fokker_planck.statement import Jets, total
from scoreproof.core import Fault, merge_slots

__all__ = ["EDITS", "FAULTS", "Operator", "compose", "perturbations"]


def _product_rule(j: Jets, gradient: Any = 1, divergence: Any = 1) -> Any:
    return total(
        [
            fi * pi * gradient + dfi * j.p * divergence
            for fi, dfi, pi in zip(j.f, j.df, j.dp, strict=True)
        ]
    )


def _along(j: Jets) -> Any:
    return total([fi * pi for fi, pi in zip(j.f, j.dp, strict=True)])


def _compression(j: Jets) -> Any:
    return total([dfi * j.p for dfi in j.df])


def _without_p(j: Jets) -> Any:
    return total([fi * pi + dfi for fi, dfi, pi in zip(j.f, j.df, j.dp, strict=True)])


def _weyl(j: Jets) -> Any:
    return _along(j) + _compression(j) / 2


def _square(j: Jets) -> Any:
    return j.rho * j.rho


def _laplacian(j: Jets) -> Any:
    return total(j.d2p)


@dataclass(frozen=True, slots=True)
class Operator:
    """``clock · (sign · transport + rate · rho2 · laplacian)`` with every part exchangeable;
    ``Operator()`` is the formula.
    """

    clock: int = 1
    sign: int = -1
    transport: Callable[[Jets], Any] = _product_rule
    half: tuple[int, int] = (1, 2)
    rho2: Callable[[Jets], Any] = _square
    laplacian: Callable[[Jets], Any] = _laplacian
    diffusion_factor: Any = 1

    def __call__(self, j: Jets) -> Any:
        numerator, denominator = self.half
        spread = self.rho2(j) * numerator / denominator * self.laplacian(j) * self.diffusion_factor
        return self.clock * (self.sign * self.transport(j) + spread)


#: name -> (the slots it edits, why people write it)
EDITS: dict[str, tuple[dict[str, Any], str]] = {
    "drift_sign": ({"sign": 1}, "the sign of the drift term: copied from the backward equation"),
    "gradient_outside": (
        {"transport": _along},
        "f·∇p for ∇·(f p): the transport equation of an incompressible flow",
    ),
    "divergence_only": (
        {"transport": _compression},
        "p ∇·f for ∇·(f p): the continuous normalizing flow's log-density rule along paths",
    ),
    "p_missing": ({"transport": _without_p}, "∇·f without its p: from an equation for log p"),
    "symmetric_ordering": (
        {"transport": _weyl},
        "half of p ∇·f: a Stratonovich-like (midpoint) correction where none is due",
    ),
    "half_missing": ({"half": (1, 1)}, "ρ² Δp: the ½ of Itô's formula left out"),
    "half_twice": (
        {"half": (1, 4)},
        "ρ²/4: the ½ taken both in the diffusivity and in the equation",
    ),
    "rho_not_squared": (
        {"rho2": lambda j: j.rho},
        "ρ/2 for ρ²/2: the coefficient taken for the rate of variance",
    ),
    "rho_of_start": (
        {"rho2": lambda j: j.rho_start * j.rho_start},
        "ρ(0) for ρ(t): the schedule frozen at its first value",
    ),
    "rho_missing": ({"rho2": lambda j: j.rho * 0 + 1}, "½ Δp: a standard Brownian motion assumed"),
    "laplacian_sign": (
        {"laplacian": lambda j: -total(j.d2p)},
        "the sign of the Laplacian: the heat equation backward in time",
    ),
    "laplacian_times_d": (
        {"laplacian": lambda j: total(j.d2p) * len(j.d2p)},
        "a factor d, as in E|dW|² = d dt",
    ),
    "laplacian_over_d": (
        {"laplacian": lambda j: total(j.d2p) / len(j.d2p)},
        "the mean of the second derivatives for their sum",
    ),
    "first_coordinate": (
        {"laplacian": lambda j: j.d2p[0]},
        "only the first coordinate's second derivative",
    ),
    "squared_gradient": (
        {"laplacian": lambda j: total([pi * pi for pi in j.dp])},
        "|∇p|² for Δp: from the Hamilton–Jacobi form",
    ),
    "backward_operator": (
        {"sign": 1, "transport": _along},
        "the generator f·∇p + (ρ²/2) Δp: backward Kolmogorov for forward",
    ),
    "reversed_clock": ({"clock": -1}, "the whole right side negated: time counted downward"),
}

FAULTS = tuple(Fault(name, Operator(**slots), why) for name, (slots, why) in EDITS.items())


def compose(names: tuple[str, ...]) -> Operator | None:
    """The subject that carries all named faults; ``None`` where two of them edit the same slot."""
    slots = merge_slots(EDITS[name][0] for name in names)
    return None if slots is None else Operator(**slots)


def perturbations() -> Mapping[str, Callable[[Any], Operator]]:
    """Each term of the formula off by the relative error ``eps``."""
    return {
        "f_grad_p": lambda eps: Operator(transport=lambda j: _product_rule(j, gradient=1 + eps)),
        "p_div_f": lambda eps: Operator(transport=lambda j: _product_rule(j, divergence=1 + eps)),
        "diffusion": lambda eps: Operator(diffusion_factor=1 + eps),
    }
