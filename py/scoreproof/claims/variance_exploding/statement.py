"""The variance-exploding SDE: Brownian motion with a clock has a Gaussian kernel whose variance is
the clock's increment.

Conventions
-----------
- σ(t) is a *standard deviation*, smooth and non-decreasing on [0, T]; ρ is the diffusion
  coefficient, ``rate`` = ρ² = d(σ²)/dt.
- Time runs forward; the kernel is that of X_t given X_0 = y. The variance is ``σ_t² - σ_0²``: with
  σ_0 = 0 it is σ_t².
- A `Law` keeps apart what stands in the exponent (``spread``) and what stands under the root of the
  normaliser (``root``), because people get them wrong separately: the source prints √(2π σ_t) for
  √(2π σ_t²).
- One dimension; in R^d with scalar σ the kernel is a product.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from scoreproof.core import Statement
from scoreproof.numerics import functions as fn
from scoreproof.numerics.jets import Jet

__all__ = ["STATEMENT", "Law", "Sigma", "formula"]


@dataclass(frozen=True)
class Sigma:
    """What a formula may know of σ at a time: σ_t, σ'_t, σ_0, σ_T, and σ, σ' at the mirrored time T
    - t (for the wrong ones).
    """

    now: Any
    slope: Any
    start: Any
    end: Any
    mirror: Any
    mirror_slope: Any
    time: Any

    @classmethod
    def at(cls, sigma: Callable[[Any], Any], t: Any, horizon: Any, start: Any = 0) -> Sigma:
        """σ and its derivative at ``t`` by power series, as jets in t of order 1 (their value is
        ``coefficients[0]``).
        """
        here, there = (
            sigma(Jet.variable(t, 2)).coefficients,
            sigma(horizon - Jet.variable(t, 2)).coefficients,
        )
        zero = t * 0
        return cls(
            now=Jet(here[:2]),
            slope=Jet([here[1], 2 * here[2]]),
            start=sigma(zero + start),
            end=sigma(zero + horizon),
            mirror=Jet(there[:2]),
            mirror_slope=Jet([-there[1], -2 * there[2]]),
            time=Jet.variable(t, 1),
        )

    def values(self) -> Sigma:
        """The same without derivatives: plain numbers."""
        return Sigma(
            *[
                getattr(v, "coefficients", [v])[0]
                for v in (getattr(self, f.name) for f in fields(self))
            ]
        )


@dataclass(frozen=True)
class Law:
    """The kernel ``exp(-(x - mean)²/(2 spread)) / √(2π root)`` and the rate ρ² of the SDE that
    should have it.
    """

    mean: Any
    spread: Any
    root: Any
    rate: Any

    def kernel(self, x: Any) -> Any:
        """The density at ``x`` in the arithmetic of x and of the law."""
        gap = x - self.mean
        return fn.exp(-(gap * gap) / (2 * self.spread)) / fn.sqrt(
            2 * fn.pi_like(self.root) * self.root
        )


def formula(y: Any, sigma: Sigma) -> Law:
    """The law of X_t given X_0 = y, and ρ²: the only place the statement is written.

    >>> formula(0.5, Sigma(now=3.0, slope=1.0, start=1.0, end=0, mirror=0, mirror_slope=0, time=0))
    Law(mean=0.5, spread=8.0, root=8.0, rate=6.0)
    """
    variance = sigma.now * sigma.now - sigma.start * sigma.start
    return Law(mean=y, spread=variance, root=variance, rate=2 * sigma.now * sigma.slope)


STATEMENT = Statement(
    name="variance_exploding",
    title="The kernel of the variance-exploding SDE",
    formula=(
        "ρ² = d(σ_t²)/dt, dX = ρ dW:  X_t | X_0 ~ N(X_0, σ_t² - σ_0²), which is N(X_0, σ_t²) iff"
        " σ_0 = 0"
    ),
    latex=r"\rho(t)^2 = \tfrac{d}{dt}\sigma_t^2,\quad dX_t = \rho(t)\,dW_t \;\Longrightarrow\; "
    r"p_{t|0}(x\,|\,y) ="
    r" \frac{1}{\sqrt{2\pi(\sigma_t^2-\sigma_0^2)}}"
    r"\exp\Bigl[-\frac{(x-y)^2}{2(\sigma_t^2-\sigma_0^2)}\Bigr]",
    source="Homework 1, problem 6 (generative models, spring 2024)",
    hypotheses=(
        "σ is non-decreasing and absolutely continuous on [0, T] (smooth is more than enough)",
        "σ_0 = 0, or the variance is σ_t² - σ_0²",
        "X_0 is independent of W",
    ),
    errata=(
        (
            "Printed √(2π σ_t) in the normaliser; it is √(2π σ_t²), and the printed kernel has mass"
            " √σ_t."
        ),
        "Left unsaid: σ_0 = 0. Otherwise the variance of X_t given X_0 is σ_t² - σ_0².",
        (
            "Verifying the Fokker–Planck equation alone does not identify the law: the initial"
            " trace and uniqueness are needed too."
        ),
        (
            "The remark (absolutely continuous suffices) is right, and sharp: for σ² the Cantor"
            " function ρ is zero almost everywhere and X does not move."
        ),
        (
            "The widely copied VE class declares σ(t)² with σ(0) = σ_min, while its SDE started at"
            " X_0 has variance σ(t)² - σ_min²: the declared one is right if the data are first"
            " blurred by σ_min (a jump of σ at 0⁺)."
        ),
    ),
    blind_spots=(
        "The PDE residual is blind to σ_0: σ_t² plus any constant solves the equation.",
        "σ_0 = 0 hides every fault in how σ_0 enters.",
        "σ_t = 1 hides σ for σ²; σ_t = 1/2 hides dσ/dt for d(σ²)/dt; σ' = 2σ hides (σ')² for 2σσ'.",
        "The normalisation sees no fault that the exponent and the normaliser share.",
        "Sampling the SDE and looking at its variance needs 1e6 particles to see 0.3 %.",
    ),
    not_covered=(
        (
            "Uniqueness for the heat equation in the class of densities: the exact core shows that"
            " the kernel is a solution with the right initial trace."
        ),
        "Passing from the kernel to p_t = ∫ p_{t|0} p_0 (differentiation under the integral).",
    ),
    conventions=(
        (
            "VP, sub-VP and straight paths are this claim in the coordinate X/α: σ/α explodes, and"
            " (g/α)² = d(σ²/α²)/dt."
        ),
        "EDM: σ_t = t, so ρ = √(2t).",
    ),
)
