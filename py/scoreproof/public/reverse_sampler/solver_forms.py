"""The first-order steps of SDE-DPM-Solver++ (in x_0) and SDE-DPM-Solver (in ε), written in
h = log(α_next/σ_next) - log(α_t/σ_t), with what is left of the ODE's steps where noise is added.

Conventions: as in `step_forms`; λ = 0. The first is DDPM's posterior in other letters.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.reverse_sampler.step_levels import Array, Form, Levels, Slot, Split

__all__ = ["solver_forms"]


def solver_forms(
    v: Levels, prediction: str, slots: dict[str, Slot], split: Split
) -> Iterator[Form]:
    """The steps that this prediction is used in."""
    yield _in_x0(v, slots, split)
    if prediction == "eps":
        yield _in_eps(v)


def _in_x0(v: Levels, slots: dict[str, Slot], split: Split) -> Form:
    q, b, u, s = v.q, v.b, v.u, v.s
    of_x0 = {
        "α_next (1 - e^-h) (that of the ODE; with noise it is another)": b * (1 - q),
        "α_next (e^h - 1)": b * (1 / q - 1),
        "α_next (1 - e^(-h/2))": b * (1 - np.sqrt(q)),
        "1 - e^-2h (α_next is left out)": 1 - q**2,
        "σ_next (1 - e^-2h)": u * (1 - q**2),
        "α_t (1 - e^-2h)": v.a * (1 - q**2),
        "2 α_next (1 - e^-2h)": 2 * b * (1 - q**2),
        "2 α_next (1 - e^-h)": 2 * b * (1 - q),
        "-α_next (1 - e^-2h)": b * (q**2 - 1),
    }
    of_x = {
        "σ_next/σ_t (that of the ODE; with noise e^-h belongs to it)": u / s,
        "e^-h": q,
        "(σ_next/σ_t) e^h": u / s / q,
        "(σ_next/σ_t) e^-2h": u / s * q**2,
        "(σ_t/σ_next) e^-h": s / u * q,
    }
    of_z = {
        "σ_next √(1 - e^-h)": u * np.sqrt(1 - q),
        "σ_next √(e^2h - 1) (that of the step in ε)": u * np.sqrt(q**-2 - 1),
        "σ_next (1 - e^-2h) (the root is missing)": u * (1 - q**2),
        "σ_t √(1 - e^-2h)": s * np.sqrt(1 - q**2),
        "α_next √(1 - e^-2h)": b * np.sqrt(1 - q**2),
        "√(1 - e^-2h) (σ_next is left out)": np.sqrt(1 - q**2),
    }
    own = {
        **slots,
        "c0": Slot("α_next (1 - e^-2h)", "before x_0", b * (1 - q**2), of_x0),
        "cx": Slot("(σ_next/σ_t) e^-h", "before x", u / s * q, of_x),
        "c": Slot("σ_next √(1 - e^-2h)", "before z", u * np.sqrt(1 - q**2), of_z),
    }

    def made(k: dict[str, Array]) -> tuple[Array, Array, Array]:
        px, pm, _, _ = split(k)
        return k["c0"] * px + k["cx"], k["c0"] * pm, k["c"]

    words = (
        "x_next = (σ_next/σ_t) e^-h x + α_next (1 - e^-2h) x_0 + σ_next √(1 - e^-2h) z"
        " (SDE-DPM-Solver++)"
    )
    return Form(words, own, made)


def _in_eps(v: Levels) -> Form:
    q, u = v.q, v.u
    of_eps = {
        "σ_next (e^h - 1) (that of the ODE; with noise it is twice that)": u * (1 / q - 1),
        "2 σ_next (1 - e^-h)": 2 * u * (1 - q),
        "2 σ_t (e^h - 1)": 2 * v.s * (1 / q - 1),
        "2 α_next (e^h - 1)": 2 * v.b * (1 / q - 1),
        "2 (e^h - 1) (σ_next is left out)": 2 * (1 / q - 1),
        "-2 σ_next (e^h - 1)": -2 * u * (1 / q - 1),
    }
    of_x = {"α_t/α_next": v.r, "1": np.ones_like(q), "σ_next/σ_t": u / v.s}
    of_z = {
        "σ_next √(1 - e^-2h) (that of the step in x_0)": u * np.sqrt(1 - q**2),
        "σ_next √(e^h - 1)": u * np.sqrt(1 / q - 1),
        "σ_next (e^2h - 1) (the root is missing)": u * (q**-2 - 1),
        "σ_next (e^h - 1)": u * (1 / q - 1),
        "σ_t √(e^2h - 1)": v.s * np.sqrt(q**-2 - 1),
        "√(e^2h - 1) (σ_next is left out)": np.sqrt(q**-2 - 1),
    }
    own = {
        "f": Slot("α_next/α_t", "before x", 1 / v.r, of_x),
        "n": Slot("2 σ_next (e^h - 1)", "before -ε", 2 * u * (1 / q - 1), of_eps),
        "c": Slot("σ_next √(e^2h - 1)", "before z", u * np.sqrt(q**-2 - 1), of_z),
    }
    words = "x_next = (α_next/α_t) x - 2 σ_next (e^h - 1) ε + σ_next √(e^2h - 1) z (SDE-DPM-Solver)"
    return Form(words, own, lambda k: (k["f"], -k["n"], k["c"]))
