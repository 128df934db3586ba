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
from scoreproof.words import point

__all__ = ["another_prior"]

MOST = 8


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


def _said(start: np.ndarray, found: np.ndarray, due: np.ndarray, blur: np.ndarray) -> Diagnosis:
    shown = (
        f"at z(0) = {point(start[0])} its score is {point(found[0], form='.4g')}, where"
        f" {point(due[0], form='.4g')} is due"
    )
    simple = reading(Answer.of(found, due, blur))
    what = ""
    if np.all(np.abs(found + np.sign(start)) <= blur):
        what = ": it is -sign(z), the score of a Laplace prior"
    elif simple is not None and simple.name == "offset":
        shift = float(np.mean(found - due))
        what = f": the score is off by {shift:.5g} everywhere, as of a prior of mean {shift:.5g}"
    elif simple is not None:
        what = f": {simple.words}"
    return Diagnosis.cause(
        "another_prior",
        f"Cause: everything is right but the prior: {shown}{what} (another_prior). Use the"
        f" log_latent"
        " that was given, by default a standard normal, or pass the one that you mean.",
    )
