"""The algebraic core over Q: the heat equation of the kernel as one polynomial identity, and its
initial trace.

Conventions: as in `statement`. σ, σ', σ'', σ_0, σ_T and σ, σ', σ'' at T - t are independent
symbols, so the identity holds for every σ.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from scoreproof.claims.variance_exploding.faults import EDITS
from scoreproof.claims.variance_exploding.statement import Law, Sigma
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.rational_functions import Ratio, symbols

__all__ = ["CONSTANT_SHIFT", "RATE_ONLY", "initial_trace", "polynomial"]

NAMES = ("x", "y", "t", "s", "ds", "dds", "s0", "sT", "m", "dm", "ddm")

CONSTANT_SHIFT = dict.fromkeys(
    ("sigma0_missing", "sigma0_added", "sigma0_not_squared"),
    "the variance is off by a constant, and the equation holds for σ_t² plus any constant",
)
RATES = tuple(name for name in EDITS if name.startswith("rate_"))
RATE_ONLY = dict.fromkeys(RATES, "only the kernel is looked at here; ρ does not enter")


def _symbols() -> tuple[dict[str, Ratio], Sigma]:
    by_name = dict(zip(NAMES, symbols(*NAMES), strict=True))
    g = by_name
    return by_name, Sigma(g["s"], g["ds"], g["s0"], g["sT"], g["m"], g["dm"], g["t"])


def _in_time(value: Ratio, g: dict[str, Ratio]) -> Ratio:
    """d/dt by the chain rule; σ at T - t runs the other way."""
    chain = {"t": 1, "s": g["ds"], "ds": g["dds"], "m": -g["dm"], "dm": -g["ddm"]}
    return sum((value.derivative(g[name]) * speed for name, speed in chain.items()), g["t"] * 0)


@check(
    kind="exact",
    instances=lambda profile: (Instance("every σ at once", lambda rng: None),),
    blind=CONSTANT_SHIFT,
)
def polynomial(subject: Any, instance: None, rng: Any) -> Evidence:
    """The heat equation ∂_t log p = ρ²/2 (∂_xx log p + (∂_x log p)²) for the logarithm of the
    kernel, as a rational function over Q in the symbols x, X_0, σ, σ', σ_0, …: its numerator must
    vanish, for every σ, point and start at once.
    """
    g, sigma = _symbols()
    law: Law = subject(g["y"], sigma)
    r, w = g["x"] - law.mean, law.spread
    # log p = -r²/(2w) - log(root)/2 + constant
    rate = (
        r * _in_time(law.mean, g) / w
        + r * r * _in_time(w, g) / (2 * w * w)
        - _in_time(law.root, g) / (2 * law.root)
    )
    score, curvature = -1 * r / w, -1 / w
    residual = rate - law.rate / 2 * (curvature + score * score)
    terms = 0 if residual.is_zero() else residual.terms()
    return Evidence.exact(
        terms, f"{terms} terms of the heat equation of the kernel remain, for every σ at once"
    )


@check(
    kind="exact",
    instances=lambda profile: (Instance("t = 0, every σ at once", lambda rng: None),),
    blind={
        **RATE_ONLY,
        **dict.fromkeys(
            ("exponent_no_half", "exponent_sign"),
            "a multiple of a variance that is 0 at t = 0 is 0 there too",
        ),
        "mean_shrunk": "the shrinkage is by 1 + variance, which is 1 at t = 0",
        "difference_squared": "(σ_t - σ_0)² vanishes at t = 0 as well",
    },
)
def initial_trace(subject: Any, instance: None, rng: Any) -> Evidence:
    """At t = 0 the kernel must be the point mass at X_0: mean X_0, and variance zero in the
    exponent and in the normaliser, as polynomials in σ_0. This is where N(X_0, σ_t²) with σ_0 ≠ 0
    is refuted, to which the heat equation is blind.
    """
    g, sigma = _symbols()
    law: Law = subject(g["y"], replace(sigma, now=sigma.start, mirror=sigma.end))
    parts = (law.mean - g["y"], law.spread, law.root)
    terms = sum(0 if p.is_zero() else p.terms() for p in parts)
    return Evidence.exact(
        terms,
        f"mean - X_0 and variance of the kernel at t = 0 have {terms} terms that do not vanish, σ_0"
        " being free",
    )
