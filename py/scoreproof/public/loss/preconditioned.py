"""EDM's c_skip and c_out as a loss has them, read off its target for F, and what is wrong in them.

Conventions: ``x_t = x_0 + σ ε``, ``D = c_skip x_t + c_out F``: the target of F is ``p x_0 + q ε``
with ``p c_out = 1 - c_skip`` and ``q c_out = -c_skip σ``.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.limits import off_bound
from scoreproof.public.loss.matched import apart
from scoreproof.public.loss.reading import Found

__all__ = ["cause_of_factors"]

#: σ at which consistency models begin
LEAST = 0.002


def cause_of_factors(found: Found, p: np.ndarray, q: np.ndarray) -> str:
    """Words; empty where α is not 1, or where both are right. ``p``, ``q``: ``(B,)``."""
    v = found.v
    sigma, spread = v.sigma, v.sigma_data
    if np.max(np.abs(v.alpha - 1)) > 1e-9:
        return ""
    with np.errstate(all="ignore"):
        out = 1 / (p - q / sigma)
        skip = -q * out / sigma
    if not np.all(np.isfinite(skip)) or not np.all(np.isfinite(out)):
        return ""
    blur = 64 * off_bound(found) * (1 + np.abs(skip)) + 1e-9
    total = sigma**2 + spread**2
    due = {"c_skip": spread**2 / total, "c_out": sigma * spread / np.sqrt(total)}
    words = []
    for name, read, forms in (
        ("c_skip", skip, _skips(sigma, spread)),
        ("c_out", out, _outs(sigma, spread)),
    ):
        size = np.abs(due[name])
        if np.all(np.abs(read - due[name]) <= blur * (size if name == "c_out" else 1)):
            continue
        for what, form in forms.items():
            if np.all(np.abs(read - form) <= blur * (np.abs(form) if name == "c_out" else 1)):
                words.append(f"{name} is wrong: {what}")
                break
        else:
            k = int(np.argmax(np.abs(read / due[name] - 1)))
            is_, as_due = apart(float(read[k]), float(due[name][k]))
            words.append(f"{name} is {is_} at σ = {sigma[k]:.4g}, where {as_due} is due")
    return "; ".join(words)


def _skips(sigma: np.ndarray, spread: float) -> dict[str, np.ndarray]:
    total = sigma**2 + spread**2
    known = "σ_data²/(σ² + σ_data²) is due"
    return {
        f"it is 0, x_t is left out; {known}": 0 * sigma,
        f"it is 1, x_t is added as it is; {known}": 0 * sigma + 1,
        f"σ_data is not squared in its numerator; {known}": spread / total,
        f"σ_data² is missing in its numerator, which is 1; {known}": 1 / total,
        f"σ² is its numerator; {known}": sigma**2 / total,
        f"a root is taken of its denominator; {known}": spread**2 / np.sqrt(total),
        f"a root is taken of it; {known}": spread / np.sqrt(total),
        f"σ_data is not squared in its denominator; {known}": spread**2 / (sigma**2 + spread),
        f"its denominator is (σ + σ_data)²; {known}": spread**2 / (sigma + spread) ** 2,
        f"σ and σ_data are not squared in it; {known}": spread / (sigma + spread),
        f"it has 1 for σ_data, 1/(σ² + 1); {known}": 1 / (sigma**2 + 1),
        f"it is the formula of c_out; {known}": sigma * spread / np.sqrt(total),
        f"it is that of a consistency model, σ - {LEAST:g} for σ; {known}": spread**2
        / ((sigma - LEAST) ** 2 + spread**2),
    }


def _outs(sigma: np.ndarray, spread: float) -> dict[str, np.ndarray]:
    root = np.hypot(sigma, spread)
    known = "σ σ_data/√(σ² + σ_data²) is due"
    right = sigma * spread / root
    return {
        f"the root of its denominator is missing; {known}": sigma * spread / root**2,
        f"σ_data is missing in its numerator; {known}": sigma / root,
        f"σ is missing in its numerator; {known}": spread / root,
        f"σ_data is squared in its numerator; {known}": sigma * spread**2 / root,
        f"σ is squared in its numerator; {known}": sigma**2 * spread / root,
        f"its denominator is missing; {known}": sigma * spread,
        f"its denominator is σ + σ_data; {known}": sigma * spread / (sigma + spread),
        f"σ_data is not squared under the root; {known}": sigma
        * spread
        / np.sqrt(sigma**2 + spread),
        f"it is σ; {known}": sigma,
        f"it is 1; {known}": 0 * sigma + 1,
        f"it is minus what is due; {known}": -right,
        f"it divides where it is to multiply, or the other way round; {known}": 1 / right,
        f"it has 1 for σ_data, σ/√(σ² + 1); {known}": sigma / np.hypot(sigma, 1),
        f"it is the formula of c_skip; {known}": (spread / root) ** 2,
        f"it is that of a consistency model, σ - {LEAST:g} for σ; {known}": (sigma - LEAST)
        * spread
        / root,
    }
