"""DDIM's and DDPM's step with one coefficient wrong, held against the steps that were read off.

Conventions: x_t = α_t x_0 + σ_t ε; r = α_t/α_next; β = σ_t² - r² σ_next² is the noise that the
process adds on the way from t_next to t (VP: 1 - ᾱ_t/ᾱ_next); η = √(1-λ); s = η (σ_next/σ_t) √β is
the deviation of the noise of a DDIM step. A slip: one slot of one form has another value.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.reverse_sampler.step_forms import forms
from scoreproof.public.reverse_sampler.step_levels import Array, Form
from scoreproof.public.reverse_sampler.stepped import Stepped
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.terms import Told

__all__ = ["is_one_of", "slipped"]

#: what can be read off, at the most, besides the first reading
OTHERS = 1


def slipped(target: Diffused, prediction: str, steps: list[Stepped]) -> Told | None:
    """The one slip that explains all steps; ``None`` if there is none, or if they are right."""
    with np.errstate(all="ignore"):
        told: list[tuple[str, str]] = []
        known = list(forms(target, prediction, steps))
        if any(_agree(form.made(form.right), steps) for form in known):
            return None
        for form in known:
            for text, changed in _changes(form):
                if _agree(form.made(form.right | changed), steps):
                    told.append((text, form.words))
    if not told:
        return None
    text, words = told[0]
    also = [other for other, _ in dict.fromkeys(told[1:]) if other != text][:OTHERS]
    more = "".join(f" (or, which comes to the same numbers, {other})" for other in also)
    return Told("step_coefficient", f"{text}{more}. Right: {words}{_legend(target, steps, words)}")


def is_one_of(target: Diffused, prediction: str, steps: list[Stepped]) -> bool:
    """Whether the steps are those of one of the formulas."""
    with np.errstate(all="ignore"):
        return any(_agree(f.made(f.right), steps) for f in forms(target, prediction, steps))


def _legend(target: Diffused, steps: list[Stepped], words: str) -> str:
    parts = ["x_t = α_t x_0 + σ_t ε"]
    levels = [target.level(s.t) for s in steps]
    if all(abs(a * a + v - 1) < 1e-9 for a, _, v in levels):
        parts.append("α = √ᾱ, σ = √(1-ᾱ)")
    if " s " in words or "s²" in words:
        parts.append("s = η (σ_next/σ_t) √β")
    if "β" in words or len(parts) == 3:
        parts.append("β = σ_t² - (α_t/α_next)² σ_next²")
    if "e^" in words:
        parts.append("h = log(α_next/σ_next) - log(α_t/σ_t)")
    return f", with {', '.join(parts)}"


def _agree(made: tuple[Array, Array, Array], steps: list[Stepped]) -> bool:
    """Whether the coefficients are those that were read off; each relative to itself, or to the
    largest it is, of the three, where it is small.
    """
    for found, values in zip(
        (np.array([getattr(s, n) for s in steps]) for n in "abc"), made, strict=True
    ):
        tol = np.array([s.tol for s in steps])
        size = np.maximum(np.abs(found), np.abs(values)) + 1e-3
        if not np.all(np.abs(found - values) <= 8 * tol * size):
            return False
    return True


def _changes(form: Form) -> Iterator[tuple[str, dict[str, Array]]]:
    """Each slip in words, and the slots that it changes."""
    for name, slot in form.slots.items():
        for other, value in slot.others.items():
            if other == "":
                text = f"{slot.due} is left out {slot.where}"
            else:
                text = f"{other} stands where {slot.due} is due, {slot.where}"
            yield text, {name: value}
    if {"c0", "cx"} <= set(form.slots):
        of_x0, of_x = form.slots["c0"].value, form.slots["cx"].value
        yield (
            "the coefficients of x_0 and of x are exchanged",
            {"c0": of_x, "cx": of_x0},
        )
