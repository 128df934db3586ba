"""DDIM's and DDPM's step as formulas in the levels of its two ends, each coefficient by itself,
with what people write in its place.

Conventions: as in `slips`; arrays have an entry for each step.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.reverse_sampler.solver_forms import solver_forms
from scoreproof.public.reverse_sampler.step_levels import (
    Array,
    Form,
    Levels,
    Slot,
    Split,
    answers,
    level,
)
from scoreproof.public.reverse_sampler.stepped import Stepped
from scoreproof.public.reverse_sampler.targets import Diffused

__all__ = ["forms"]


def forms(target: Diffused, prediction: str, steps: list[Stepped]) -> Iterator[Form]:
    """The formulas of a right step, for this prediction and these λ."""
    ends = [[target.level(u) for u in v] for v in ([s.t for s in steps], [s.t_next for s in steps])]
    (a, s), (b, u) = ((np.array([v[0] for v in end]), np.sqrt([v[2] for v in end])) for end in ends)
    v = Levels(a, s, b, u, np.sqrt([1 - one.lam for one in steps]))
    slots, split = answers(prediction, v.named)
    for noise in (_noise(v), _large_noise(v)):
        yield _ddim(v, slots, split, noise)
        if np.all(v.eta == 1):
            yield _posterior(v, slots, split, noise)
            if prediction in ("eps", "score"):
                yield _ddpm(v, prediction, noise)
    if np.all(v.eta == 1):
        yield from solver_forms(v, prediction, slots, split)


def _ddim(v: Levels, slots: dict[str, Slot], split: Split, noise: Slot) -> Form:
    own = {"d": _direction(v), **slots, "k": level("α_next", "before x_0", v.named), "c": noise}

    def made(k: dict[str, Array]) -> tuple[Array, Array, Array]:
        px, pm, ex, em = split(k)
        return k["k"] * px + k["d"] * ex, k["k"] * pm + k["d"] * em, k["c"]

    words = f"x_next = α_next x_0 + √(σ_next² - s²) ε + {noise.due} z"
    return Form(words, own, made)


def _direction(v: Levels) -> Slot:
    """The coefficient of ε."""
    u2, s2, std2 = v.u**2, v.s**2, v.std**2
    unit = np.where(v.eta > 0, v.eta, 1.0)
    others = {
        "σ_next (the ODE's direction, - s² left out while noise is added)": v.u,
        "√(σ_t² - s²)": np.sqrt(s2 - std2),
        "σ_next² - s²": u2 - std2,
        "√(σ_next² + s²)": np.sqrt(u2 + std2),
        "√(σ_next² - s)": np.sqrt(u2 - v.std),
        "√(σ_next² - s²/η²) (η is left out)": np.sqrt(u2 - std2 / unit**2),
        "√(σ_next² - s²/η) (η for η²)": np.sqrt(u2 - std2 / unit),
        "√(σ_next² - η s²) (η³ for η²)": np.sqrt(u2 - std2 * unit),
        "√(σ_next - s²)": np.sqrt(v.u - std2),
        "√(1 - α_next - s²)": np.sqrt(1 - v.b - std2),
        "√(σ_next² - η² β)": np.sqrt(u2 - v.eta**2 * v.beta),
        "√(σ_next² - η²)": np.sqrt(u2 - v.eta**2),
        "σ_next - s": v.u - v.std,
        "σ_t": v.s,
        "σ_next²": u2,
        "α_next": v.b,
        "-√(σ_next² - s²)": -np.sqrt(u2 - std2),
        "0": 0 * v.u,
        "": np.ones_like(v.u),
    }
    return Slot("√(σ_next² - s²)", "before ε", np.sqrt(u2 - std2), others)


def _noise(v: Levels) -> Slot:
    """The coefficient of z."""
    return Slot("s", "before z", v.std, _noises(v, {"√β": np.sqrt(v.beta)}))


def _large_noise(v: Levels) -> Slot:
    """The larger of DDPM's two: it is as right in the limit of short steps."""
    return Slot("η √β", "before z", v.eta * np.sqrt(v.beta), _noises(v, {}))


def _noises(v: Levels, more: dict[str, Array]) -> dict[str, Array]:
    unit = np.where(v.eta > 0, v.eta, 1.0)
    return {
        "s² (its root is missing)": v.std**2,
        "s/η (η is left out)": v.std / unit,
        "η s (η² for η)": v.std * v.eta,
        "-s": -v.std,
        "0": 0 * v.std,
        "η β (the root is missing)": v.eta * v.beta,
        "η (σ_next/σ_t) β": v.eta * v.u / v.s * v.beta,
        "η (σ_next/σ_t)² √β": v.eta * (v.u / v.s) ** 2 * np.sqrt(v.beta),
        "η (σ_t/σ_next) √β": v.eta * v.s / v.u * np.sqrt(v.beta),
        "η √(σ_next/σ_t) √β": v.eta * np.sqrt(v.u / v.s * v.beta),
        "η √(1 - α_t/α_next)": v.eta * np.sqrt(1 - v.r),
        "η (σ_next/σ_t) √(1 - α_t/α_next)": v.eta * v.u / v.s * np.sqrt(1 - v.r),
        "η σ_next": v.eta * v.u,
        "η σ_t": v.eta * v.s,
        "": np.ones_like(v.s),
        **more,
    }


def _of_one_step(v: Levels) -> dict[str, Array]:
    """What is written for σ_t where the step's own is taken for the cumulative one."""
    one = np.sqrt(v.beta)
    found = {"√β (of the one step, where σ_t is cumulative)": one}
    if np.allclose(v.a**2 + v.s**2, 1):
        text = "√β = √(1 - ᾱ_t/ᾱ_next) (that of the one step, where √(1 - ᾱ_t) is cumulative)"
        found = {text: one}
    return found | {"β": v.beta, "√(1 - α_t/α_next)": np.sqrt(1 - v.r)}


def _posterior(v: Levels, slots: dict[str, Slot], split: Split, noise: Slot) -> Form:
    r, beta, b, u, s = v.r, v.beta, v.b, v.u, v.s
    one = {
        "β/σ_t² (α_next is left out)": beta / s**2,
        "α_next² β/σ_t²": b**2 * beta / s**2,
        "√α_next β/σ_t²": np.sqrt(b) * beta / s**2,
        "α_t β/σ_t²": v.a * beta / s**2,
        "(α_t/α_next) β/σ_t²": r * beta / s**2,
        "α_next β/σ_t": b * beta / s,
        "α_next √β/σ_t²": b * np.sqrt(beta) / s**2,
        "α_next β/σ_next²": b * beta / u**2,
        "α_next β": b * beta,
        "α_next (1 - α_t/α_next)/σ_t²": b * (1 - r) / s**2,
        "α_next": b,
        "0": 0 * b,
    }
    other = {
        "σ_next²/σ_t² (α_t/α_next is left out)": u**2 / s**2,
        "(α_t/α_next)² σ_next²/σ_t²": r**2 * u**2 / s**2,
        "√(α_t/α_next) σ_next²/σ_t²": np.sqrt(r) * u**2 / s**2,
        "(α_next/α_t) σ_next²/σ_t²": u**2 / s**2 / r,
        "α_t σ_next²/σ_t²": v.a * u**2 / s**2,
        "α_next σ_next²/σ_t²": b * u**2 / s**2,
        "(α_t/α_next) σ_next/σ_t": r * u / s,
        "(α_t/α_next) σ_t²/σ_next²": r * s**2 / u**2,
        "(α_t/α_next) σ_next²": r * u**2,
        "α_t/α_next": r,
        "0": 0 * r,
    }
    own = {
        **slots,
        "c0": Slot("α_next β/σ_t²", "before x_0", b * beta / s**2, one),
        "cx": Slot("(α_t/α_next) σ_next²/σ_t²", "before x", r * u**2 / s**2, other),
        "c": noise,
    }

    def made(k: dict[str, Array]) -> tuple[Array, Array, Array]:
        px, pm, _, _ = split(k)
        return k["c0"] * px + k["cx"], k["c0"] * pm, k["c"]

    words = f"x_next = (α_next β/σ_t²) x_0 + (α_t/α_next) (σ_next²/σ_t²) x + {noise.due} z"
    return Form(words, own, made)


def _ddpm(v: Levels, prediction: str, noise: Slot) -> Form:
    r, beta = v.r, v.beta
    front = {
        "1 (the division by α_t/α_next is left out)": np.ones_like(r),
        "(α_next/α_t)²": r**-2.0,
        "√(α_next/α_t)": r**-0.5,
        "α_t/α_next": r,
        "1/α_t": 1 / v.a,
        "1/α_next": 1 / v.b,
    }
    sizes = {
        "β²": beta**2,
        "√β": np.sqrt(beta),
        "2 β": 2 * beta,
        "½ β": beta / 2,
        "-β": -beta,
        "1 - α_t/α_next": 1 - r,
        "σ_t²": v.s**2,
        "σ_next²": v.u**2,
        "": np.ones_like(beta),
        "0": 0 * beta,
    }
    score = prediction == "score"
    words = "β score" if score else "(β/σ_t) ε"
    own = {
        "f": Slot("α_next/α_t", "in front", 1 / r, front),
        "n": Slot("β", f"in {words}", beta, sizes),
        "c": noise,
    }
    if not score:
        own["m"] = level("σ_t", f"in {words}", v.named)
        own["m"].others.update(_of_one_step(v))

    def made(k: dict[str, Array]) -> tuple[Array, Array, Array]:
        return k["f"], k["f"] * (k["n"] if score else -k["n"] / k["m"]), k["c"]

    sign = "+" if score else "-"
    return Form(f"x_next = (α_next/α_t) (x {sign} {words}) + {noise.due} z", own, made)
