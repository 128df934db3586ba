"""Which integral ``dW`` means: where in a step the noise is evaluated.

Conventions: g ``(d, m)`` stands in front of dW, Σ = g gᵀ. Each reading is Itô's equation with
another drift: ``f + α C + φ ½ ∇·Σ``, where ``C_i = Σ_jk g_jk ∂_j g_ik`` and ``(∇·Σ)_i = Σ_j ∂_j
Σ_ij``. α is the place in a step: 0 its start (Itô), ½ its middle (Stratonovich), 1 its end. Fick's
law, ``∂_t p = -∇·(f p) + ½ ∇·(Σ ∇p)``, has φ = 1. It is α = 1 where g is a number or a diagonal;
for a matrix g they differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scoreproof.errors import ArgumentError

__all__ = ["EXPECTED", "FICK", "ITO", "READINGS", "STRATONOVICH", "Reading", "reading"]


@dataclass(frozen=True)
class Reading:
    """A reading of dW: its name in a cause, in a sentence, and its two coefficients."""

    name: str
    said: str
    alpha: float
    fick: float

    @property
    def option(self) -> str:
        """What to pass for it."""
        return f"interpretation={self.alpha:g}" if self.name == "alpha" else repr_of(self.name)


def repr_of(name: str) -> str:
    """``interpretation='ito'``."""
    return f"interpretation={name!r}"


ITO = Reading("ito", "Itô", 0.0, 0.0)
STRATONOVICH = Reading("stratonovich", "Stratonovich", 0.5, 0.0)
FICK = Reading("fick", "Fick", 0.0, 1.0)
READINGS = (ITO, STRATONOVICH, FICK)

ALIASES = {
    "ito": ITO,
    "itô": ITO,
    "stratonovich": STRATONOVICH,
    "fick": FICK,
    "hanggi-klimontovich": FICK,
    "hänggi-klimontovich": FICK,
    "klimontovich": FICK,
    "isothermal": FICK,
    "anti-ito": FICK,
    "anti-itô": FICK,
    "kinetic": FICK,
}
EXPECTED = "'ito' or 'stratonovich' or 'fick', or an α from 0 to 1"


def reading(interpretation: Any) -> Reading | None:
    """The reading that an argument names; ``None`` stays ``None``.

    >>> reading("anti-Ito").name, reading(0.5).name, reading(0.25).alpha, reading(None)
    ('fick', 'stratonovich', 0.25, None)
    """
    if interpretation is None:
        return None
    if isinstance(interpretation, str):
        plain = interpretation.strip().lower().replace("_", "-").replace(" ", "-")
        if plain in ALIASES:
            return ALIASES[plain]
    elif isinstance(interpretation, (int, float)) and not isinstance(interpretation, bool):
        alpha = float(interpretation)
        if math.isfinite(alpha) and 0 <= alpha <= 1:
            for known in (ITO, STRATONOVICH):
                if alpha == known.alpha:
                    return known
            return Reading("alpha", f"α = {alpha:g}", alpha, 0.0)
    raise ArgumentError(
        "interpretation", EXPECTED, repr(interpretation), "say which integral your dW means"
    )
