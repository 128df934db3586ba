"""Lists of σ whose ramp, or whose integral of β, is another than their form's.

Conventions: as in `sigma_likeness`; r runs from 0 to 1 along the list.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from scoreproof.public.schedule.forms import made

__all__ = ["of_a_ramp", "of_an_integral"]

Likely = Iterator[tuple[str, np.ndarray]]


def of_a_ramp(form: str, options: Mapping[str, Any], values: np.ndarray, rho: float) -> Likely:
    """Karras' list with an end that has not its root, or a ramp that is bent."""
    name = f"the form {form!r}"
    for end in ("sigma_min", "sigma_max"):
        if end in options:
            symbol = end.replace("sigma", "σ")
            text = f"are {name} with {symbol} in the place of {symbol}^(1/ρ)"
            yield text, made(form, {**options, end: options[end] ** rho}, values, True)[0][1]
    if len(values) < 5:
        return
    roots = values ** (1 / rho)
    r, u = (roots - roots[0]) / (roots[-1] - roots[0]), np.linspace(0, 1, len(values))
    power = float(np.log(r[len(r) // 2]) / np.log(u[len(u) // 2]))
    power = float(f"{power:.4g}")
    if power == 1:
        return
    bent = (roots[0] + u**power * (roots[-1] - roots[0])) ** rho
    yield f"are {name} with its ramp r to the power {power:g}, where r itself is due", bent


def of_an_integral(options: Mapping[str, Any], values: np.ndarray, due: np.ndarray) -> Likely:
    """√(e^L - 1) with an L that has other coefficients than ½ β_d t² + β_min t."""
    slope, least = float(options.get("beta_d", 19.9)), float(options.get("beta_min", 0.1))
    if slope <= 0 or len(values) < 5:
        return
    t = (np.sqrt(least**2 + 2 * slope * np.log1p(due**2)) - least) / slope
    powers = np.stack([t**2, t], axis=1)
    fit, *_ = np.linalg.lstsq(powers, np.log1p(values**2), rcond=None)
    square, first = (float(f"{v:.6g}") for v in fit)
    near = 1e-6 * max(slope, least)
    for words, pair in (
        ("β_d t² + β_min t, the ½ before β_d is missing", (slope, least)),
        ("¼ β_d t² + ½ β_min t, half of it (log α for log ᾱ)", (slope / 4, least / 2)),
        ("β_d t² + 2 β_min t, twice of it", (slope, 2 * least)),
    ):
        if abs(square - pair[0]) <= near and abs(first - pair[1]) <= near:
            text = f"are √(e^L - 1) of L = {words}; ½ β_d t² + β_min t is due"
            yield text, np.sqrt(np.expm1(powers @ np.array(pair)))
    text = f"are √(e^L - 1) of L = {square:g} t² + {first:g} t, where {slope / 2:g} t² +"
    yield f"{text} {least:g} t is due", np.sqrt(np.expm1(powers @ np.array([square, first])))
