"""What is wrong in some coordinates only, and noise whose covariance is no multiple of the
identity.

Conventions: coordinates count from 0.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.places import indices
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.telling import told
from scoreproof.public.reverse_sampler.terms import Terms, Told, within
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["by_coordinate", "of_noise"]


def by_coordinate(target: Diffused, places: list[Found], job: Job) -> Told | None:
    """The coordinates that are wrong, and what is wrong in them, if it is the same in all."""
    d = target.dimension
    if d == 1:
        return None
    wrong, causes = np.zeros(d, bool), set()
    for i in range(d):
        terms = within(target, places, job, i)
        if terms is None:
            return None
        if _is_right(terms):
            continue
        wrong[i], cause = True, told(terms)
        causes.add(None if cause is None else cause.text)
    where = indices(wrong, "coordinate")
    if not where or None in causes or len(causes) != 1:
        return None
    return Told("some_coordinates", f"in {where} only: {causes.pop()}; the rest is right")


def _is_right(s: Terms) -> bool:
    return s.same(s.a, 1) and s.same(s.w, s.own)


def of_noise(target: Diffused, places: list[Found]) -> Told | None:
    """The covariance of the noise, where the drift is that of the λ asked for."""
    d, uneven = target.dimension, False
    if d == 1:
        return None
    for f in places:
        g2, allowed = target.diffusion(f.t) ** 2, max(1e-7, 256 * float(np.max(f.bound)))
        due = target.drift(f.x, f.t) - (1 - f.lam / 2) * g2 * target.score(f.x, f.t)
        if np.any(f.jumps) or np.any(np.max(np.abs(f.b - due), axis=1) > allowed * f.size):
            return None
        off = f.cov / g2 - (1 - f.lam) * np.eye(d)
        level = float(np.trace(off)) / d
        uneven = uneven or bool(np.max(np.abs(off - level * np.eye(d))) > allowed * (2 - f.lam))
    if not uneven:
        return None
    f = max(places, key=lambda f: float(np.max(f.error)))
    return Told(
        "noise_covariance", f"the drift is right, the noise is not: {_covariance(target, f)}"
    )


def _covariance(target: Diffused, f: Found) -> str:
    """The variances and the largest correlation."""
    cov, due = f.cov / target.diffusion(f.t) ** 2, 1 - f.lam
    variances = np.diag(cov)
    across = np.abs(cov - np.diag(variances))
    i, j = (int(k) for k in np.unravel_index(int(np.argmax(across)), cov.shape))
    if across[i, j] > 1e-3 * float(np.max(variances)):
        return (
            f"it is correlated between coordinates (those of {min(i, j)} and {max(i, j)} have"
            f" covariance {cov[i, j]:.3g} g²), and must be independent: draw it in x's shape"
        )
    wrong = np.abs(variances - due) > 1e-6
    shown = ", ".join(f"{v:.3g}" for v in variances[:6])
    where = indices(wrong, "coordinate") or "all coordinates"
    return (
        f"its variance is ({shown}{', …' if len(variances) > 6 else ''}) g² where {due:.3g} g² is"
        f" due in each: {where} of it {'is' if wrong.sum() == 1 else 'are'} wrong"
    )
