"""Which coefficient of a short step is wrong, where no cause is found: that of x, of the model's
answer, or of the noise.

Conventions: x_next = A x + B model + C z over a step of width h; to first order in h they are due
as the family's drift f - (1 - λ/2) g² ∇log p and noise √(1-λ) g say.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.places import FINE, MIDDLE, short, steps_at
from scoreproof.public.reverse_sampler.stepped import ANSWERS, stepped
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["which_coefficient"]

#: part of the change over the step that a coefficient may be off by: the terms of second order
LEFT = 0.03


def which_coefficient(job: Job, target: Diffused, found: Found) -> str:
    """A sentence, or nothing where the step is not of this form."""
    if job.form != "step" or job.prediction not in ANSWERS:
        return ""
    kind = FINE if short(job.call.eps) else MIDDLE
    steps = steps_at(target, job.span, found.t, kind, exact=True)
    h = steps.widths[-1]
    t, t_next = steps.pair(h)
    seen = stepped(job, target, (t, t_next), found.lam)
    if seen is None:
        return ""
    dues = _due(job, target, t, h, found.lam)
    if dues is None:
        return ""
    wrong, right = [], []
    for name, value, due, change in zip(
        ("x", "the model's answer", "the noise"),
        (seen.a, seen.b, seen.c),
        dues,
        (abs(dues[0] - 1), abs(dues[1]), abs(dues[2])),
        strict=True,
    ):
        if abs(value - due) <= LEFT * max(change, abs(dues[1])) + seen.tol:
            right.append(name)
        else:
            wrong.append(f"that of {name} is {value:.6g} where about {due:.6g} is due")
    if not wrong:
        return ""
    fine = f"; right: that of {' and of '.join(right)}" if right else ""
    return (
        f" In a short step, from t = {t:.6g} to {t_next:.6g} at λ = {found.lam:g}, of the factors"
        f" in x_next = A x + B model(x, t) + C z {'; '.join(wrong)}{fine}."
    )


def _due(
    job: Job, target: Diffused, t: float, h: float, lam: float
) -> tuple[float, float, float] | None:
    """A, B and C to first order in h."""
    alpha, shift, var = target.level(t)
    if np.any(shift) or lam > 1:
        return None
    g2, rate, sigma = target.diffusion(t) ** 2, target.rate(t), var**0.5
    weight = (1 - lam / 2) * g2
    # ∇log p as a multiple of x and one of the answer
    of_x, of_answer = {
        "score": (0.0, 1.0),
        "eps": (0.0, -1 / sigma),
        "x0": (-1 / var, alpha / var),
        "v": (-1.0, -alpha / sigma),
    }[job.prediction]
    return (
        1 - h * (rate - weight * of_x),
        h * weight * of_answer,
        float(np.sqrt((1 - lam) * g2 * h)),
    )
