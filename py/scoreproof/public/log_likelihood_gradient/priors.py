"""A gradient that is right but for the prior: which score a(0) it was started with.

Conventions: rows z(0) ``(n, D)``; the prior's part of a row's gradient is ``a(0) ∂z(0)/∂θ``, so
that a(0) can be read off where the other parts are right.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.causes.answers import Answer, reading
from scoreproof.diagnosis import Diagnosis
from scoreproof.numerics.adjoint import advance
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.log_likelihood_gradient.entries import integrated
from scoreproof.public.log_likelihood_gradient.flows import Wanted
from scoreproof.public.log_likelihood_gradient.parts import Multiples
from scoreproof.words import point

__all__ = ["another_prior", "power_of_std"]

MOST = 8
#: what is said of a function of z(0) that is none of the usual penalties
SOME = ", such as a regulariser"


def another_prior(field: BlackBoxField, prepared: Any, wanted: Wanted) -> Diagnosis | None:
    """The score that a(0) was, if everything else is right; rows by themselves only."""
    n, d = wanted.x.shape
    mix, columns = wanted.how
    if d > MOST or len(wanted.nus) != 1 or len(mix) != n or wanted.found.shape[1] < d + 2:
        return None
    basis = []
    for k in range(d):
        unit = np.zeros((n, d))
        unit[:, k] = 1.0
        stages = advance(lambda j, a: -prepared.here[j].vjp(a), unit, prepared.path.grid)[1]
        none = np.zeros((1, n, d))
        basis.append(integrated(field, prepared, stages[:, :, None], none, (mix, columns))[0])
    start = prepared.path.start
    due = wanted.latent.score(start)
    gap = wanted.found - wanted.due
    found, blur = np.zeros((n, d)), np.zeros((n, d))
    for i in range(n):
        design = np.stack([b[i] for b in basis], axis=1)
        fit, _, rank, singular = np.linalg.lstsq(design, gap[i], rcond=1e-8)
        limit = wanted.limit[i]
        if rank < d or np.any(np.abs(gap[i] - design @ fit) > limit * (1 + np.abs(fit).max())):
            return None
        found[i] = due[i] + fit
        blur[i] = 4 * float(np.linalg.norm(limit)) / singular[-1]
    if np.all(np.abs(found - wanted.latent.score(wanted.x)) <= blur):
        return Diagnosis.cause(
            "latent_at_x",
            "Cause: the prior's score is taken at x, not at z(0) (latent_at_x). Evaluate log p_Z at"
            " z(0).",
        )
    return _said(start, found, due, blur)


def power_of_std(m: Multiples, latent: Any, start: np.ndarray) -> Diagnosis | None:
    """The prior's part, multiplied by a power of the standard deviation of the caller's normal
    log_latent: a(0) is divided by another power of σ than by σ².
    """
    std = _std(latent, start)
    p, within = float(m.values[0]), float(m.within[0])
    if std is None or not (m.alike(1, 2) and abs(m.values[2] - 1) <= m.within[2]):
        return None
    if abs(std - 1) <= 1e-6 or abs(p - 1) <= within:
        return None
    for factor, what in (
        (std, "it is divided by σ, once"),
        (std**2, "it is not divided by σ² at all, as for a standard normal"),
        (1 / std, "it is divided by σ³"),
        (1 / std**2, "it is divided by σ² twice"),
    ):
        if abs(p - factor) <= within:
            twice = ""
            if abs(p - 2) <= within:
                twice = "; it may be counted twice as well, which gives the same here"
            return Diagnosis.cause(
                "another_power_of_std",
                f"Cause: the prior's score a(0) is {p:.5g} times ∂ log p_Z of your log_latent, a"
                f" normal law with σ = {std:.5g}: {what}, where -(z - m)/σ² is due{twice}"
                " (another_power_of_std).",
            )
    return None


def _std(latent: Any, start: np.ndarray) -> float | None:
    """σ, if the latent law is a normal one with the same σ in every coordinate."""
    d = start.shape[1]
    probes = np.concatenate([np.zeros((1, d)), np.eye(d), -2 * np.eye(d), start[:1]])
    score = latent.score(probes)
    slope = float((score[0] - score[1])[0])
    if slope <= 0 or np.any(np.abs(score - score[0] + slope * probes) > 1e-6 * (1 + slope)):
        return None
    return float(slope**-0.5)


def _said(start: np.ndarray, found: np.ndarray, due: np.ndarray, blur: np.ndarray) -> Diagnosis:
    shown = (
        f"at z(0) = {point(start[0])} it is {point(found[0], form='.4g')}, where"
        f" {point(due[0], form='.4g')} is due"
    )
    gap = found - due
    simple = reading(Answer.of(found, due, blur))
    prior, added = "", _regulariser(start, gap, blur)
    if np.all(np.abs(found + np.sign(start)) <= blur):
        prior = " (a(0) is -sign(z), the score of a Laplace prior)"
    elif simple is not None and simple.name == "offset":
        shift = float(np.mean(gap))
        prior = f" (a(0) is off by {shift:.5g} everywhere, as of a prior of mean {shift:.5g})"
    elif simple is not None:
        prior = f" ({simple.words})"
    use = "Use the log_latent that was given, by default a standard normal, or pass the one meant"
    if simple is not None and simple.name == "factor_by_row":  # true of any function of |z(0)|
        prior = ""
    either = f"the prior is another{prior}"
    # the two add the same to the gradient: any function of z(0) may be in the loss as well
    other = f"something of z(0) is in the loss{added}, which is no log-likelihood then"
    first, then = (other, either) if added != SOME and not prior else (either, other)
    told = f"Either {first}; or {then}"
    return Diagnosis(
        ("another_prior", "added_at_z0"),
        0.0,
        None,
        f"Cause: all is right but a(0), with which the way back starts: {shown}. {told}"
        f" (another_prior, added_at_z0). {use}; keep a regulariser out of what is checked.",
    )


def _regulariser(start: np.ndarray, gap: np.ndarray, blur: np.ndarray) -> str:
    """What is added to log p, if its derivative at z(0) is that of a usual penalty."""
    length = np.sum(start**2, axis=1, keepdims=True)
    for text, slope in (
        ("|z(0)|²", 2 * start),
        ("Σ|z_k(0)|", np.sign(start)),
        ("|z(0)|", start / np.sqrt(length)),
        ("|z(0)|⁴", 4 * length * start),
        ("Σ z_k(0)⁴", 4 * start**3),
    ):
        weight = float(np.sum(slope * gap) / np.sum(slope * slope))
        if np.all(np.abs(gap - weight * slope) <= blur + 1e-6 * np.abs(gap)):
            what = "taken from" if weight < 0 else "added to"
            return f", a regulariser: {abs(weight):.4g} {text} is {what} log p"
    return SOME
