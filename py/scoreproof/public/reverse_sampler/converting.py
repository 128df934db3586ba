"""How a sampler converts what its model predicts into ε, x0 or the score, read off its drift.

Conventions: K = A x + B m, m the model's answer and K read off the drift with the weight that
belongs to the noise; A and B are functions of t.
"""

from __future__ import annotations

import numpy as np

from scoreproof.objects.parameterizations import convert
from scoreproof.public.laws import Law, law
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.terms import Told
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["converted"]

KINDS = {"eps": "ε", "x0": "x0", "score": "∇log p"}
SYMBOLS = {"eps": "ε", "x0": "x0", "v": "v", "velocity": "v"}
LEFT = 1e-6


def converted(target: Diffused, places: list[Found], prediction: str) -> Told | None:
    """The conversion, as it is and as it is due."""
    if prediction == "F":
        return _data_deviation(target, places)
    if prediction not in SYMBOLS:
        return None
    t = np.array([f.t for f in places])
    # a velocity is turned into a score, and that is put beside it
    kinds = {"score": "∇log p"} if prediction == "velocity" else KINDS
    for kind, name in kinds.items():
        if kind == prediction:
            continue
        rows = [_multiples(target, f, prediction, kind) for f in places]
        known = [r for r in rows if r is not None]
        if len(known) < len(rows):
            continue
        found, due = np.array(known).swapaxes(0, 1)
        levels = _levels(target, t)
        parts = [law(v, levels, LEFT) for v in (*found.T, *due.T)]
        if None in parts or np.max(np.abs(found - due)) <= LEFT * np.max(np.abs(due)):
            continue
        is_, must = (_formula(pair, name, SYMBOLS[prediction]) for pair in (parts[:2], parts[2:]))
        return Told(
            "conversion",
            f"from the model's {SYMBOLS[prediction]} {is_} is made where {must} is due",
        )
    return None


def _levels(target: Diffused, t: np.ndarray) -> dict[str, np.ndarray]:
    level = [target.level(u) for u in t]
    sigma, alpha = np.array([v[2] ** 0.5 for v in level]), np.array([v[0] for v in level])
    both = {"σ(t)": sigma, "α(t)": alpha}
    return {name: v for name, v in both.items() if np.ptp(v) > 0}


def _data_deviation(target: Diffused, places: list[Found]) -> Told | None:
    """The σ_data of EDM's c_skip = σ_data²/(σ² + σ_data²), where it is another than 0.5."""
    values = []
    for f in places:
        row = _multiples(target, f, "F", "x0")
        alpha, _, var = target.level(f.t)
        if row is None or not 0 < row[0][0] * alpha < 1:
            return None
        skip, out = row[0] * np.array([alpha, alpha])
        level = var / alpha**2
        square = skip * level / (1 - skip)
        if abs(out - (level * square / (level + square)) ** 0.5) > 1e-4 * abs(out):
            return None
        values.append(square**0.5)
    middle = float(np.median(values))
    if np.max(np.abs(np.array(values) - middle)) > 1e-4 * middle or abs(middle - 0.5) < 1e-3:
        return None
    return Told(
        "data_deviation",
        f"c_skip and c_out are those of σ_data = {middle:.4g}, the model's are of σ_data = 0.5",
    )


def _formula(parts: list[Law | None], name: str, symbol: str) -> str:
    terms = []
    for part, of in zip(parts, ("x", symbol), strict=True):
        assert part is not None
        if part.constant == 0 or part.text == "0":
            continue
        text = part.text.replace("(t)", "")
        sign, size = ("-", text[1:]) if text.startswith("-") else ("+", text)
        if size == "1":
            term = of
        elif size.startswith("1/"):
            term = f"{of}/{size[2:]}"
        else:
            term = f"{size} {of}"
        terms.append((sign, term))
    first, *rest = terms or [("+", "0")]
    text = ("-" if first[0] == "-" else "") + first[1]
    return f"{name} = {text}" + "".join(f" {sign} {term}" for sign, term in rest)


def _multiples(
    target: Diffused, f: Found, prediction: str, kind: str
) -> tuple[np.ndarray, np.ndarray] | None:
    """A and B as found and as due."""
    x, g2 = f.x[~f.jumps], target.diffusion(f.t) ** 2
    w = (1 + float(np.trace(f.cov)) / (len(f.cov) * g2)) / 2
    alpha, shift, var = target.level(f.t)
    u, score = x - shift, target.score(x, f.t)
    implied = (target.drift(x, f.t) - f.b[~f.jumps]) / (w * g2)
    velocity = target.drift(x, f.t) - g2 / 2 * score
    if prediction == "velocity":
        # what is left of v - ½ c² ∇log p: the score that is made of v
        if w <= 0.5:
            return None
        implied = (velocity - f.b[~f.jumps]) / ((w - 0.5) * g2)
    with np.errstate(all="ignore"):
        found, due = (convert(s, u, "score", kind, alpha, var**0.5) for s in (implied, score))
        model = velocity
        if prediction != "velocity":
            model = convert(score, u, "score", prediction, alpha, var**0.5)
    design = np.stack([u.ravel(), model.ravel()], axis=1)
    fits = []
    for values in (found.ravel(), due.ravel()):
        if not np.all(np.isfinite(values)):
            return None
        fit, *_ = np.linalg.lstsq(design, values, rcond=None)
        left = np.max(np.abs(values - design @ fit))
        if left > LEFT * np.max(np.abs(values)):
            return None
        small = np.abs(fit) * np.max(np.abs(design), axis=0) <= 10 * LEFT * np.max(np.abs(values))
        fits.append(np.where(small, 0.0, fit))
    return fits[0], fits[1]
