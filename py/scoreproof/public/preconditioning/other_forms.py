"""One coefficient of another published form, where the others are those of the form that is due.

Conventions: EDM's σ_data is read off the values; it is believed where all levels agree on it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoreproof.public.preconditioning.forms import FORMS, spread_in

__all__ = ["of_another_form"]

TEXTS = {
    ("edm", "c_skip"): "σ_data²/(σ² + σ_data²)",
    ("edm", "c_out"): "σ σ_data/√(σ² + σ_data²)",
    ("edm", "c_in"): "1/√(σ² + σ_data²)",
    ("ve", "c_skip"): "1",
    ("ve", "c_out"): "σ",
    ("ve", "c_in"): "1",
    ("eps", "c_skip"): "1",
    ("eps", "c_out"): "-σ",
    ("eps", "c_in"): "1/√(σ² + 1)",
    ("v", "c_skip"): "1/(σ² + 1)",
    ("v", "c_out"): "-σ/√(σ² + 1)",
    ("v", "c_in"): "1/√(σ² + 1)",
}
#: where EDM's σ_data² is 1
UNIT = {("eps", "c_in"), ("v", "c_in"), ("v", "c_skip")}
Same = Callable[[np.ndarray], bool]


def of_another_form(name: str, value: np.ndarray, form: str, sigmas: np.ndarray, same: Same) -> str:
    """In words; empty if it is none. ``same``: whether values are those that came back."""
    if (form, name) not in TEXTS:
        return ""
    due = TEXTS[form, name]
    for other, published in FORMS.items():
        formula = published.of(name)
        if other == form or other == "edm" or formula is None or TEXTS[other, name] == due:
            continue
        if same(formula(sigmas, 1.0)):
            return f"it is {TEXTS[other, name]}, {published.words}: {due} is due"
    if form == "edm":
        return ""
    for sign, mark in ((1.0, ""), (-1.0, "minus ")):

        def signed(v: np.ndarray, sign: float = sign) -> bool:
            return same(sign * v)

        own = _spread(name, sign * value, sigmas, signed)
        if own:
            of = f"{mark}EDM's c_{name[2:]} {TEXTS['edm', name]}"
            wanted = (
                f"in this form 1 is due in the place of σ_data², {due}"
                if (form, name) in UNIT and not mark
                else f"in this form {due} is due"
            )
            return f"it is {of} with σ_data = {own:.6g} (σ_data² = {own**2:.6g}): {wanted}"
    return ""


def _spread(name: str, value: np.ndarray, sigmas: np.ndarray, same: Same) -> float:
    """EDM's σ_data in it; 0 if there is none."""
    formula = FORMS["edm"].of(name)
    fits = spread_in(name, sigmas, value)
    good = fits[np.isfinite(fits) & (fits > 0)]
    if formula is None or len(good) == 0:
        return 0.0
    # a level next to σ_data keeps most digits of it
    nearest = int(np.argmin(np.abs(np.log(sigmas / np.median(good)))))
    for own in (fits[nearest], float(np.median(good))):
        if np.isfinite(own) and own > 0 and same(formula(sigmas, float(own))):
            return float(own)
    return 0.0
