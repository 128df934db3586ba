"""Drift and noise as multiples of the terms of the formula, in all coordinates or in one.

Conventions: b = A f - W g² ∇log p and noise of variance C g² per unit of time. The member λ has
A = 1, W = 1 - λ/2, C = 1 - λ; so a noise C belongs to the weight W = (1 + C)/2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.laws import Law, law, same, share
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["Terms", "Told", "within"]


@dataclass(frozen=True)
class Told:
    """A cause: a short name, and a sentence without a full stop."""

    name: str
    text: str


@dataclass(frozen=True, eq=False)
class Terms:
    """``a``, ``w``, ``c`` at each place (time and λ), as far as they are told to ``tol``."""

    target: Diffused
    job: Job
    t: np.ndarray
    lam: np.ndarray
    a: np.ndarray
    w: np.ndarray
    c: np.ndarray
    tol: float

    @property
    def own(self) -> np.ndarray:
        """The weight that belongs to the noise that was found."""
        return (1 + self.c) / 2

    def law(
        self, values: np.ndarray, where: np.ndarray | None = None, *, reverse: bool = True
    ) -> Law | None:
        """The values, at some of the places, as a number or a function of t."""
        t = self.t if where is None else self.t[where]
        return law(values, t, self.target, self.tol, reverse=reverse)

    def share(self, values: np.ndarray) -> str | None:
        return share(values, self.lam, self.job.parameter, self.tol)

    def same(self, values: np.ndarray, others: np.ndarray | float) -> bool:
        return same(values, others, self.tol)


def within(
    target: Diffused, places: list[Found], job: Job, coordinate: int | None = None
) -> Terms | None:
    """The multiples, if drift and noise are multiples of the terms everywhere; of all coordinates
    together, or of one.
    """
    one = slice(None) if coordinate is None else slice(coordinate, coordinate + 1)
    rows, blur, off = [], 0.0, 0.0
    for f in places:
        keep = ~f.jumps
        if not np.any(keep):
            return None
        x = f.x[keep]
        g2, drift = target.diffusion(f.t) ** 2, target.drift(x, f.t)
        score, weight = target.score(x, f.t), 1 / f.size[keep][:, None]
        blur = max(blur, float(np.max(f.bound)))
        off = max(off, float(np.max(f.error[keep])))
        cov = f.cov[one, one]
        c = float(np.trace(cov)) / (len(cov) * g2)
        allowed = max(1e-8, 64 * float(np.max(f.bound)))
        if np.max(np.abs(cov - c * g2 * np.eye(len(cov)))) > allowed * g2 * (1 + c):
            return None
        terms = [(part * weight)[:, one].ravel() for part in (drift, -g2 * score)]
        plain = [p for p in terms if np.any(p)]
        due = (f.b[keep] * weight)[:, one].ravel()
        found, *_ = np.linalg.lstsq(np.stack(plain, axis=1), due, rcond=None)
        left = due - np.stack(plain, axis=1) @ found
        if np.max(np.abs(left)) > allowed:
            return None
        a, w = found if len(plain) == 2 else (1.0, found[0])
        rows.append((f.t, f.lam, float(a), float(w), c))
    t, lam, a, w, c = np.array(rows).T
    # however coarse the check is: nothing is right that leaves a part of the deviation to explain
    tol = max(1e-7, 8 * blur, min(1e3 * blur, off / 30))
    return Terms(target, job, t, lam, a, w, c, tol)
