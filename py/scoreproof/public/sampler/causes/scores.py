"""The score that the drift of a step with noise is formed of, where the model returns the velocity
of a straight path: which formula the steps show for it.

Conventions: ``x = α x_0 + σ ε``, α + σ = 1, v = ε - x_0; the score is ``-(x + α v)/σ``. A step with
noise w is ``x + (σ_next - σ) v + w²/2 score + w z``: read off are the factors of x and v in it.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.noise_sizes import sized
from scoreproof.public.sampler.causes.question import shape_of
from scoreproof.public.sampler.causes.steps import Steps
from scoreproof.public.sampler.causes.words import place

__all__ = ["formed"]

#: relative: a factor is that in all steps
NEAR = 1e-6
#: noise of a step that is no noise
NOTHING = 1e-9
#: steps without which nothing is said
FEW = 4

_Factor = tuple[str, np.ndarray]


def formed(kind: str, steps: Steps, q: Question) -> str:
    """A score that is formed by a formula that is not due, of a model of that ``kind``; empty where
    it is not read off.
    """
    w = q.measured.get("x_next.z")
    known = kind in ("flow", "velocity") and shape_of(steps) == "flow"
    if not known or w is None or steps.stages > 1 or "x_next.z_2" in q.measured:
        return ""
    at = q.inner & (w > NOTHING)
    u, v0 = q.outs[0]
    if np.sum(at) < FEW or np.any(v0[at] == 0):
        return ""
    a, s, gap = (q.names[n] for n in ("a_t", "sigma_t", "sigma_next"))
    gap = gap - s
    with np.errstate(all="ignore"):
        of_v = (q.measured["x_next.c1"] / v0 - gap) / (w**2 / 2)
        of_x = (q.measured["x_next.x"] - 1 - (q.measured["x_next.c1"] / v0) * u) / (w**2 / 2)
    if not np.all(np.isfinite([of_x[at], of_v[at]])):
        return ""
    one = next((t for t, v in _factors(a, s) if _same(of_x, v, at)), "")
    two = next((t for t, v in _factors(a, s) if _same(of_v, v, at)), "")
    if not one or not two or (one, two) == ("-1/σ", "-α/σ"):
        return ""
    time = all(abs(v.when - v.sigma) <= NEAR for v in steps.before)
    here = " (here σ = t and α = 1 - t)" if time else ""
    k = int(np.argmax(at))
    size = sized(q, w) or f"{w[k]:.4g} in the step from {place(steps.before[k])}"
    return (
        f"the steps are those of Euler's method with noise of standard deviation w = {size}, but"
        f" the score in their drift is {_said(one, two)}, where -(x + α v)/σ is due{here};"
        " right: x_next = x + (σ_next - σ_t)·v + w²/2·score + w·z, with v what the model returns"
    )


def _same(found: np.ndarray, value: np.ndarray, at: np.ndarray) -> bool:
    size = 1.0 if not np.any(value) else np.abs(value[at])
    return bool(np.all(np.abs(found - value)[at] <= NEAR * size))


def _factors(a: np.ndarray, s: np.ndarray) -> Iterator[_Factor]:
    """What may stand in front of x, or of v, the plainest first; of each its negative as well."""
    yield "0", 0 * a
    with np.errstate(all="ignore"):
        for text, value in (
            ("1/σ", 1 / s),
            ("α/σ", a / s),
            ("1/α", 1 / a),
            ("σ/α", s / a),
            ("1", 1 + 0 * a),
            ("α", a),
            ("σ", s),
            ("1/σ²", 1 / s**2),
            ("α/σ²", a / s**2),
            ("1/α²", 1 / a**2),
            ("σ/α²", s / a**2),
            ("1/√σ", 1 / np.sqrt(s)),
            ("α/√σ", a / np.sqrt(s)),
        ):
            yield f"-{text}", -value
            yield text, value


#: what people write, as they write it
_WRITTEN = {
    ("-1/α", "σ/α"): "-(x - σ v)/α, the formula of the other convention of time (noise at t = 0)",
    ("1/α", "-σ/α"): "(x - σ v)/α",
    ("-1/σ", "α/σ"): "-(x - α v)/σ (the sign of v)",
    ("-1/σ", "-1"): "-(x + σ v)/σ (σ for α in front of v)",
    ("-1/α", "-1"): "-(x + α v)/α (α for σ under the line)",
    ("-1/α", "-σ/α"): "-(x + σ v)/α (α and σ exchanged)",
    ("-1", "-α"): "-(x + α v), which is -ε (not divided by σ)",
    ("-1/σ²", "-α/σ²"): "-(x + α v)/σ² (σ² for σ)",
    ("1/σ", "α/σ"): "(x + α v)/σ (the sign)",
    ("0", "-1/σ"): "-v/σ (v for ε)",
    ("0", "-1"): "-v (v for the score)",
    ("0", "1"): "v (v for the score)",
}


def _said(one: str, two: str) -> str:
    known = _WRITTEN.get((one, two))
    if known:
        return f"formed as {known}"
    each = [f"{c} in front of {n}" for c, n in ((one, "x"), (two, "v"))]
    return f"formed with {' and '.join(each)}"
