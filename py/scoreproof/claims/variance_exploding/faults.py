"""Wrong versions of the statement, each an edit of one or two slots of one template, so that pairs
compose.

Conventions: as in `statement`. A subject is ``(y, Sigma) -> Law``; the slots are ``mean``,
``spread``, ``root`` and ``rate``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scoreproof.claims.variance_exploding.statement import Law, Sigma, formula
from scoreproof.core import Fault, merge_slots

__all__ = ["EDITS", "FAULTS", "Variant", "compose"]

Part = Callable[[Any, Sigma], Any]


def _part(name: str) -> Part:
    return lambda y, sigma: getattr(formula(y, sigma), name)


@dataclass(frozen=True)
class Variant:
    """The formula with its four parts exchangeable; the ``…_factor`` multiply them for the
    sharpness probe.
    """

    mean: Part = _part("mean")
    spread: Part = _part("spread")
    root: Part = _part("root")
    rate: Part = _part("rate")
    spread_factor: Any = 1
    root_factor: Any = 1
    rate_factor: Any = 1

    def __call__(self, y: Any, sigma: Sigma) -> Law:
        return Law(
            self.mean(y, sigma),
            self.spread(y, sigma) * self.spread_factor,
            self.root(y, sigma) * self.root_factor,
            self.rate(y, sigma) * self.rate_factor,
        )


def _both(variance: Callable[[Sigma], Any]) -> dict[str, Part]:
    """A variance that is wrong in the exponent and in the normaliser alike."""
    return {"spread": lambda y, s: variance(s), "root": lambda y, s: variance(s)}


def _rate(rate: Callable[[Sigma], Any]) -> dict[str, Part]:
    return {"rate": lambda y, s: rate(s)}


def _spread(y: Any, s: Sigma) -> Any:
    return formula(y, s).spread


EDITS: dict[str, tuple[dict[str, Part], str]] = {
    # -- the kernel
    "root_sigma": ({"root": lambda y, s: s.now}, "√(2π σ_t) for √(2π σ_t²): the source's misprint"),
    "exponent_sigma": (
        {"spread": lambda y, s: s.now},
        "2σ for 2σ² under (x-y)²: the standard deviation taken for the variance in the exponent",
    ),
    "exponent_no_half": (
        {"spread": lambda y, s: _spread(y, s) / 2},
        "exp(-(x-y)²/σ²): the 2 of the exponent forgotten",
    ),
    "exponent_sign": (
        {"spread": lambda y, s: -_spread(y, s)},
        "exp(+(x-y)²/2σ²): the sign of the exponent",
    ),
    "std_as_variance": (_both(lambda s: s.now), "N(X_0, σ_t): σ passed where a variance is due"),
    "mean_shrunk": (
        {"mean": lambda y, s: y / (1 + _spread(y, s))},
        "the posterior mean under N(0, 1) for the mean: a VE kernel has mean X_0",
    ),
    # -- σ_0
    "sigma0_missing": (
        _both(lambda s: s.now * s.now),
        (
            "N(X_0, σ_t²) read literally with σ_0 ≠ 0: the hidden hypothesis, and the VE class's"
            " convention"
        ),
    ),
    "sigma0_added": (
        _both(lambda s: s.now * s.now + s.start * s.start),
        "σ_t² + σ_0²: the sign of σ_0²",
    ),
    "sigma0_not_squared": (_both(lambda s: s.now * s.now - s.start), "σ_t² - σ_0 for σ_t² - σ_0²"),
    "difference_squared": (
        _both(lambda s: (s.now - s.start) * (s.now - s.start)),
        "(σ_t - σ_0)²: standard deviations do not subtract",
    ),
    # -- time of the kernel
    "variance_reversed": (
        _both(lambda s: s.mirror * s.mirror - s.start * s.start),
        "σ at T - t: the sampler's clock in the forward kernel",
    ),
    "variance_remaining": (
        _both(lambda s: s.end * s.end - s.now * s.now),
        "σ_T² - σ_t²: the variance still to come, that of X_T given X_t",
    ),
    # -- ρ²
    "rate_slope_squared": (
        _rate(lambda s: s.slope * s.slope),
        "ρ = dσ/dt: the slope of the standard deviation taken for the coefficient of dW",
    ),
    "rate_slope": (_rate(lambda s: s.slope), "ρ² = dσ/dt for d(σ²)/dt"),
    "rate_no_two": (
        _rate(lambda s: s.now * s.slope),
        "ρ² = σ σ': the 2 of the chain rule forgotten",
    ),
    "rate_twice": (
        _rate(lambda s: 4 * s.now * s.slope),
        "ρ² = 4 σ σ': the ½ of the generator put into ρ²",
    ),
    "rate_over_t": (
        _rate(lambda s: s.now * s.now / s.time),
        "ρ² = σ²/t: the mean rate for the rate (right for Brownian motion only)",
    ),
    "rate_sigma_squared": (
        _rate(lambda s: s.now * s.now),
        "ρ = σ: the noise level taken for the diffusion coefficient",
    ),
    "rate_squared_again": (
        _rate(lambda s: (2 * s.now * s.slope) * (2 * s.now * s.slope)),
        "the diffusion returns ρ² where ρ is due",
    ),
    "rate_reversed": (
        _rate(lambda s: 2 * s.mirror * s.mirror_slope),
        "ρ at T - t: the sampler's clock in the forward SDE",
    ),
    "rate_negative": (
        _rate(lambda s: -2 * s.now * s.slope),
        "ρ² with the sign of the reverse clock",
    ),
}

FAULTS = tuple(Fault(name, Variant(**edits), why) for name, (edits, why) in EDITS.items())


def compose(names: tuple[str, ...]) -> Variant | None:
    """The subject with all the named faults, or ``None`` when two of them edit the same slot."""
    slots = merge_slots(EDITS[name][0] for name in names)
    return None if slots is None else Variant(**slots)
