"""Noise that is added to the steps of an equation without noise.

Conventions: clauses without a full stop; empty where there is no such mistake.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.etas import halves, right
from scoreproof.public.sampler.causes.formulas import Formula
from scoreproof.public.sampler.causes.language import places
from scoreproof.public.sampler.causes.noise_sizes import sized
from scoreproof.public.sampler.causes.scores import formed
from scoreproof.public.sampler.causes.steps import Steps
from scoreproof.public.sampler.causes.words import constant, place

__all__ = ["kept", "shared"]

NEAR = 1e-6
#: a factor further from 1 is none that somebody gives a drift: the noise is of another size
MOST = 4.0


def kept(steps: Steps, q: Question, same: Sequence[Formula]) -> str:
    """The drift of a step without noise, kept while noise is added."""
    noise = q.measured.get("x_next.z")
    if noise is None or "x_next.z_2" in q.measured or not np.any(noise[q.inner] > NEAR):
        return ""
    silent = [
        f for f in same if not any(p == ("name", "z") for _, t in f.program for p, _ in places(t))
    ]
    good = right(silent, halves(q)[0], None)
    if not good:
        return ""
    at = q.inner & (noise > NEAR)
    k = int(np.argmax(at))
    some = f" in {np.sum(at)} of {steps.count} steps" if np.any(q.inner & ~at) else ""
    churn = _churn(steps, q, at)
    size = sized(q, noise) or f"{noise[k]:.4g} in the step from {place(steps.before[k])}"
    return (
        f"the steps are those of {good[0][0].name}, which draw no noise, but noise of standard"
        f" deviation w = {size} is added to them{some}, and the drift that belongs to it is not."
        f" {'Three' if churn else 'Two'} mends fit: {churn}leave the noise away (an ODE step), or"
        " keep it (an SDE step): for noise w the ε that is kept has to fall from σ_next to"
        " √(σ_next² - w²) (that is w²/(2 σ_next)·ε less, or w²/2·score more, for a small w)"
    )


def _churn(steps: Steps, q: Question, at: np.ndarray) -> str:
    """What the mend is if the noise is EDM's churn, put in before the next step: in front of the
    numbers of a step that begins there, γ is the same in all of them.
    """
    with np.errstate(all="ignore"):
        ratio = (q.measured["x_next.z"] / q.names["sigma_next"])[at]
    if not np.all(q.names["a_t"] == 1) or np.ptp(ratio) > NEAR * ratio[0]:
        return ""
    gamma = float(np.hypot(1, ratio[0]) - 1)
    if not NEAR < gamma <= 2**0.5 - 1 + NEAR:
        return ""
    total = gamma * steps.count
    of = f" = {round(total)}/{steps.count}" if abs(total - round(total)) < NEAR * total else ""
    of = " = √2 - 1" if abs(gamma - 2**0.5 + 1) < NEAR else of
    if not of and not np.any(q.inner & ~at):
        return ""  # neither S_churn/n nor a range from S_min to S_max: it may be any noise
    return (
        f"if it is EDM's churn, from σ_t to σ̂ = (1 + γ)·σ_t with γ = {gamma:.4g}{of}, tell"
        " the model σ̂, divide by it and step from it, where σ_t stands; or "
    )


def shared(steps: Steps, q: Question, same: Sequence[Formula]) -> str:
    """The part of a drift that belongs to the noise, with a factor that is not due: a step of an
    equation without noise, less κ w²/(2 σ) ε for its noise w; or a score that is formed wrongly.
    """
    w = q.measured.get("x_next.z")
    if w is None or steps.stages > 1 or not np.any(w[q.inner] > NEAR):
        return ""
    at = q.inner & (w > NEAR)
    for f in same:
        own = q.of(f)
        if own is None or any(p == ("name", "z") for _, t in f.program for p, _ in places(t)):
            continue
        made = own.made(f.program, {"eta": 0.0})
        x, x0 = (q.measured[n] - made[n] for n in ("x_next.x", "x_next.c1"))
        alpha, sigma = q.names["a_t"], q.names["sigma_t"]
        moved = np.abs(x * sigma)[at]
        if not np.all(np.isfinite(moved)) or np.any(np.abs(x * alpha + x0)[at] > NEAR * moved):
            continue  # it is not along ε
        factor = (-2 * x * sigma**2 / np.where(at, w, 1.0) ** 2)[at]
        if np.ptp(factor) <= NEAR * np.max(np.abs(factor)) and NEAR < abs(factor[0] - 1) < MOST:
            k = int(np.argmax(at))
            first = f"{w[k]:.4g} in the step from {place(steps.before[k])}"
            due = f"{constant(float(factor[0]))} times what is due"
            due = "of the wrong sign" if abs(factor[0] + 1) < NEAR else due
            return (
                f"the steps are those of {f.name} with noise of standard deviation w ="
                f" {sized(q, w) or first}, but the drift that belongs to the noise is {due}:"
                " for noise w, w²/(2 σ_t)·ε is to be taken off x (or w²/2·score added)"
            )
    return formed(next((f.kind for f in same), ""), steps, q)
