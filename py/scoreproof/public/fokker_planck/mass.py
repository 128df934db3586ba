"""The mass of the density, which the equation is linear in and does not see, and what flows out
through infinity.

Conventions: as in `asking`; a `Mass` is the integral over all of R^d with its error. For d <= 2
panels are halved until the integral stands; for d up to `MOST` the density is compared with
Gaussians fitted to its modes, at random points, with the Gaussians' own masses as controls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import qmc

from scoreproof.errors import CallableError
from scoreproof.public.fokker_planck.arguments import Box
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.followed import COUNT
from scoreproof.public.fokker_planck.modes import Mode, completed, highest, modes
from scoreproof.public.fokker_planck.whole import no_mass, whole
from scoreproof.streams import stream

__all__ = ["FITTED", "MOST", "Mass", "flux", "mass"]

#: dimensions above this are not looked at: the fit would cost more than the equation
MOST = 64
DRAWS = 4096
#: dimensions above this are looked at with the Gaussians at the modes only
FITTED = 10
#: rounds of drawing, steps of a fit between two of them, and components of a fit
ROUNDS, STEPS, PARTS = 4, 6, 8
#: part and width of the wide component that catches what the fit has too thin
WIDE_PART, WIDE, FREEDOM = 0.15, 2.0, 4.0


@dataclass(frozen=True)
class Mass:
    """The integral of the density at t, its error, and whether the search may have missed some of
    it; points ``(n, d)`` drawn from the part that was found, where it was drawn from.
    """

    t: float
    value: float
    error: float
    whole: bool
    drawn: np.ndarray | None = None


def mass(
    s: Subject, box: Box, t: float, seed: int, points: np.ndarray | None = None
) -> Mass | None:
    """The mass at time t, or ``None`` where it cannot be had; ``points``: where it may be too."""
    d = box.dimension
    if d > MOST:
        return None
    found = modes(s, box, t, seed, points=points)
    if not found and d <= 2:
        found = highest(s, box, t, seed)
    if not found:
        return None
    rng = stream(seed, "fokker_planck", "mass")
    found = completed(s, box, t, found, rng, points)
    if d <= 2:
        known = whole(s, box, t, found, seed)
        if known is not None:
            return Mass(t, known.value, known.error, known.sure, known.means)
        if d == 1:
            return None
    return _sampled(s, found, t, rng)


@dataclass(frozen=True, eq=False)
class _Mixture:
    """Gaussians, each with a wide Student part beside it."""

    weights: np.ndarray
    means: np.ndarray
    roots: np.ndarray  # Cholesky factors

    def draws(self, n: int, rng: np.random.Generator) -> np.ndarray:
        k, d = self.means.shape
        u = np.clip(qmc.Sobol(d, scramble=True, seed=rng).random(n), 1e-12, 1 - 1e-12)
        from scipy.special import ndtri

        z = ndtri(u)
        wide = rng.random(n) < WIDE_PART
        stretch = np.where(wide, WIDE / np.sqrt(rng.chisquare(FREEDOM, n) / FREEDOM), 1.0)
        which = rng.choice(k, n, p=self.weights)
        moved = np.einsum("nij,nj->ni", self.roots[which], z * stretch[:, None])
        return self.means[which] + moved

    def logs(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log densities of the Gaussian and of the wide part of each component ``(n, k)``."""
        from scipy.special import gammaln

        d = x.shape[1]
        thin, wide = [], []
        for mean, root in zip(self.means, self.roots, strict=True):
            r = np.linalg.solve(root, (x - mean).T)
            square = (r * r).sum(axis=0)
            volume = np.log(np.diag(root)).sum()
            thin.append(-0.5 * square - volume - d / 2 * np.log(2 * np.pi))
            wide.append(
                gammaln((FREEDOM + d) / 2)
                - gammaln(FREEDOM / 2)
                - d / 2 * np.log(FREEDOM * np.pi * WIDE**2)
                - volume
                - (FREEDOM + d) / 2 * np.log1p(square / WIDE**2 / FREEDOM)
            )
        return np.stack(thin, axis=1), np.stack(wide, axis=1)


def _sampled(s: Subject, found: list[Mode], t: float, rng: np.random.Generator) -> Mass | None:
    found = found[:12]
    means = np.stack([m.mean for m in found])
    covariances = np.stack([m.covariance for m in found])
    d = means.shape[1]
    signs, volumes = np.linalg.slogdet(covariances)
    if np.any(signs <= 0):
        return None
    heights = np.array([m.log for m in found]) + 0.5 * volumes
    weights = np.exp(heights - heights.max())
    weights = np.maximum(weights / weights.sum(), 0.02)
    weights /= weights.sum()
    best: Mass | None = None
    for k in range(ROUNDS):
        draws = DRAWS if k < ROUNDS - 1 else 4 * DRAWS
        try:
            roots = np.linalg.cholesky(covariances)
        except np.linalg.LinAlgError:
            return best
        mixture = _Mixture(weights, means, roots)
        x = mixture.draws(draws, rng)
        logs = no_mass(s.change(x, t, np.zeros(len(x))))
        if not np.any(np.isfinite(logs)):
            return best
        thin, wide = mixture.logs(x)
        parts = np.concatenate(
            [thin + np.log(weights * (1 - WIDE_PART)), wide + np.log(weights * WIDE_PART)], axis=1
        )
        top = parts.max(axis=1)
        drawn = top + np.log(np.exp(parts - top[:, None]).sum(axis=1))
        scale = float(np.max(logs - drawn))
        ratio = np.exp(logs - drawn - scale)
        # each component integrates to 1: its ratio to what is drawn from is a control without error
        controls = np.exp(np.concatenate([thin, wide], axis=1) - drawn[:, None]) - 1
        design = np.column_stack([np.ones(draws), controls])
        fit, *_ = np.linalg.lstsq(design, ratio, rcond=1e-10)
        rest = ratio - design @ fit
        value = float(fit[0]) * np.exp(min(scale, 700.0))
        noise = 5 * float(np.std(rest)) / np.sqrt(draws) * np.exp(min(scale, 700.0))
        height = float(np.median(np.abs(logs[np.isfinite(logs)])))
        error = noise + s.law.eps * (16 + 2 * height) * abs(value) + 1e-9 * abs(value)
        if best is None or error < best.error:
            kept = rng.choice(draws, COUNT, p=ratio / ratio.sum())
            best = Mass(t, value, error, False, x[kept])
        if error < 1e-5 * abs(value) or d > FITTED:
            break
        weights, means, covariances = _fitted(x, ratio, weights, means, covariances)
    return best


def _fitted(
    x: np.ndarray,
    ratio: np.ndarray,
    weights: np.ndarray,
    means: np.ndarray,
    covariances: np.ndarray,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A mixture fitted to points that count by ``ratio``, with each component in two if they are
    few.
    """
    d = x.shape[1]
    if len(weights) <= PARTS // 2:
        values, vectors = np.linalg.eigh(covariances)
        shift = 0.5 * np.sqrt(values[:, -1:]) * vectors[:, :, -1]
        means = np.concatenate([means + shift, means - shift])
        covariances = np.concatenate([covariances, covariances])
        weights = np.concatenate([weights, weights]) / 2
    for _ in range(STEPS):
        try:
            mixture = _Mixture(weights, means, np.linalg.cholesky(covariances))
        except np.linalg.LinAlgError:
            break
        parts = mixture.logs(x)[0] + np.log(weights)
        share = np.exp(parts - parts.max(axis=1, keepdims=True))
        share = share / share.sum(axis=1, keepdims=True) * ratio[:, None]
        counts = share.sum(axis=0)
        kept = counts > 1e-6 * counts.sum()
        share, counts = share[:, kept], counts[kept]
        means = (share.T @ x) / counts[:, None]
        centred = x[None] - means[:, None]
        weighted = np.swapaxes(centred * share.T[:, :, None], 1, 2)
        covariances = weighted @ centred / counts[:, None, None]
        covariances = covariances + 1e-9 * np.trace(covariances[0]) / d * np.eye(d)
        weights = counts / counts.sum()
    weights = np.maximum(weights, 1e-3)
    return weights / weights.sum(), means, covariances


def flux(s: Subject, box: Box) -> str:
    """A sentence on mass that leaves through ±∞ in d = 1, or an empty one: the limit of f p, read
    at two distances.
    """
    centre = float(box.sides.mean())
    x = centre + np.array([[-1e6], [-1e3], [1e3], [1e6]])
    found = 0.0
    try:
        for t in box.times:
            with np.errstate(all="ignore"):
                p = np.exp(s.logs(x, t))
                carried = s.drift(x, t)[:, 0] * p
            for far, near in ((carried[0], carried[1]), (carried[3], carried[2])):
                if abs(far) > 1e-6 and abs(far - near) < 0.1 * abs(far):
                    found = max(found, abs(float(far)))
    except CallableError:
        return ""  # far points are outside of what the callables promise
    if not found:
        return ""
    return (
        f"Hypothesis: the flux f p does not vanish at infinity (about {found:.3g} in a unit of"
        " time), so p need not be the law of a solution."
    )
