"""One place of a one-step sampler, read off: drift and noise in the limit of short steps.

Conventions: as in `asking`; each step width is one batched call. Every row has its own noise, and
from one width to the next the rows change places, so that what one row takes from another does not settle.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from scoreproof.claims.reverse_family.checks_gaussian import romberg
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.asking import ask_step
from scoreproof.public.reverse_sampler.noises import grid_error, normal_grid, probes, signs
from scoreproof.public.reverse_sampler.places import FINE, WIDE, Steps, short, steps_at
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.velocity import Found, around

__all__ = ["Place", "limit", "read_place"]

#: roundings of an entry of x_next, in halves of a unit: products, sums, and a division by α on the way
ROUNDINGS = 8
#: an extrapolation that still moves by this part of the velocity is tried once more with longer steps
LOOSE = 1e-3


@dataclass(frozen=True, eq=False)
class Place:
    """Where a step is read: its target, points, time and λ, and the span that steps stay in."""

    job: Job
    target: Diffused
    x: np.ndarray
    t: float
    lam: float
    exact: bool


def read_place(place: Place, rng: np.random.Generator) -> Found:
    """4 calls in double precision, 6 in others; 6 more where the limit does not settle, 2 more where
    the step is not linear in its noise.
    """
    eps = place.job.call.eps
    found = limit(place, FINE if short(eps) else WIDE, rng)
    if short(eps) and np.max(found.bound) > LOOSE and not np.all(found.jumps):
        # a schedule in single precision behind arrays in double: longer steps hide it less
        again = limit(place, WIDE, rng)
        found = again if np.max(again.bound) < np.max(found.bound) else found
    return found


@dataclass(frozen=True, eq=False)
class _Batch:
    """Rows of one call: the first point with every sign vector, the others with a pair of opposite
    ones, and the first point with the probes.
    """

    x: np.ndarray
    z: np.ndarray
    n: int
    nodes: int

    def split(self, out: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Mean image of each point; for the first, its images centred; noise matrix; how far the
        probes are from linear.
        """
        first, q, n = out[: self.nodes], self.nodes, self.n
        pairs = out[q : q + 2 * (n - 1)].reshape(2, n - 1, -1)
        means = np.concatenate([first.mean(axis=0)[None], pairs.mean(axis=0)])
        centred = first - means[0]
        matrix = centred.T @ self.z[:q] / q
        tail = q + 2 * (n - 1)
        off = np.abs(out[tail:] - means[0] - self.z[tail:] @ matrix.T)
        # the other points' noise must be the first one's
        elsewhere = np.abs((pairs[0] - pairs[1]) / 2 - self.z[q : q + n - 1] @ matrix.T)
        return means, centred, np.max(off, axis=1), np.max(elsewhere, axis=1, initial=0.0)


def _batch(x: np.ndarray, rng: np.random.Generator) -> _Batch:
    d, n = x.shape[1], len(x)
    nodes, tests = signs(d), probes(d, rng)
    pair = rng.choice([-1.0, 1.0], (n - 1, d))
    points = [np.repeat(x[:1], len(nodes), axis=0), x[1:], x[1:], np.repeat(x[:1], len(tests), 0)]
    return _Batch(
        np.concatenate(points), np.concatenate([nodes, pair, -pair, tests]), n, len(nodes)
    )


def _called(
    place: Place, batch: _Batch, steps: Steps, h: float, rng: np.random.Generator
) -> np.ndarray:
    order = rng.permutation(len(batch.x))
    out = np.empty_like(batch.x)
    out[order] = ask_step(
        place.job, place.target, batch.x[order], batch.z[order], steps.pair(h), place.lam
    )
    return out


def limit(place: Place, kind: tuple[float, int], rng: np.random.Generator) -> Found:
    """The limit of short steps, by extrapolation in h, h/2, h/4, …"""
    job, target, x = place.job, place.target, place.x
    steps = steps_at(target, job.span, place.t, kind, exact=place.exact)
    t, widths = steps.t, steps.widths
    batch = _batch(x, rng)
    slopes, covs, bends, elsewhere = [], [], [], []
    for h in widths:
        means, centred, off, other = batch.split(_called(place, batch, steps, h, rng))
        slopes.append((x - means) / h)
        covs.append(centred.T @ centred / (len(centred) * h))
        unit = target.diffusion(t) * h**0.5
        bends.append(float(np.max(off / (1 + np.max(np.abs(batch.z[-len(off) :]), axis=1)))) / unit)
        elsewhere.append(float(np.max(other, initial=0.0)) / unit)
    here = around(target, x, t)
    size = here.size
    reach = np.max(np.abs(x), axis=1) + float(np.max(target.spread(t)))
    rounding = ROUNDINGS / 2 * job.call.eps * reach
    noisy = float(np.max(rounding)) / (target.diffusion(t) * widths[-1] ** 0.5)
    bent, blur = None, 0.0
    if _stays(bends, noisy):
        covs, bent, blur = _by_grid(place, steps, covs, rng)
    values = [here.implied(s, c) for s, c in zip(slopes, covs, strict=True)]
    best = _best(values, widths, rounding, size)
    cov = best.of(covs)
    # noise that differs between points has no place in b + ½ C ∇log p
    uneven, g2 = (elsewhere[-1] if _stays(elsewhere, noisy) else 0.0), here.g2
    uneven = uneven * (uneven + 2 * max(float(np.trace(cov)) / (g2 * len(cov)), 0.0) ** 0.5) * g2
    score = np.max(np.abs(here.score), axis=1)
    left = best.open + (blur + uneven) / 2 * score
    jumps = _jumps(slopes, widths, size) | _noise_jumps(
        covs, widths, here.g2 * (1 + abs(place.lam))
    )
    return Found(
        x=x,
        t=t,
        lam=place.lam,
        b=best.of(slopes),
        cov=cov,
        excess=best.of(values) - here.due,
        open=left,
        size=size,
        jumps=jumps,
        bent=bent,
        clipped=bool(np.any(jumps)) and _clipped(x - widths[-1] * slopes[-1], x),
        uneven=uneven > 0,
    )


def _stays(parts: list[float], noisy: float) -> bool:
    """Whether something relative to the noise stays as the step gets shorter; what comes from a
    model that is asked at noised points falls with √h at least.
    """
    return parts[-1] > 16 * noisy and parts[-1] > 0.6 * parts[0]


@dataclass(frozen=True, eq=False)
class _Limit:
    """An extrapolation: the weights of the widths, and what it leaves open in each row."""

    weights: np.ndarray
    open: np.ndarray

    def of(self, values: list[np.ndarray]) -> np.ndarray:
        return np.tensordot(self.weights, np.stack(values), axes=1)


@lru_cache(maxsize=32)
def _weights(first: int, count: int) -> np.ndarray:
    """``(count - first, count)``: how the widths from ``first`` on are weighed, with ever more of them."""
    rows = np.zeros((count - first, count))
    rows[:, first:] = np.stack(romberg(list(np.eye(count - first))))
    return rows


def _best(
    values: list[np.ndarray], widths: tuple[float, ...], rounding: np.ndarray, size: np.ndarray
) -> _Limit:
    """From which widths to extrapolate, and for each row what rounding and the last one leave open.

    What the last width changed bounds what the next would. It is taken relative to each row's size
    and the largest counts: in one row it may be small by chance. In all rows it may be, once; so
    three widths are the least, and the change before, which was of lower order, counts as well.
    """
    stack, inverse, count = np.stack(values) / size[:, None], 1 / np.array(widths), len(widths)
    largest = float(np.max(rounding / size))
    best, least = _Limit(np.eye(count)[-1], np.full(len(size), np.inf)), np.inf
    for first in range(count - 2):
        weights = _weights(first, count)
        table = np.tensordot(weights, stack, axes=1)
        changes = np.max(np.abs(np.diff(table, axis=0)), axis=(1, 2))
        for k in range(2, len(table)):
            amplified = float(np.abs(weights[k]) @ inverse)
            change = 4 * max(float(changes[k - 1]), float(changes[k - 2]) / 2 ** (k + 1))
            if largest * amplified + change < least:
                least = largest * amplified + change
                best = _Limit(weights[k], rounding * amplified + change * size)
    return best


def _jumps(slopes: list[np.ndarray], widths: tuple[float, ...], size: np.ndarray) -> np.ndarray:
    """Rows whose image does not come closer as the step gets shorter."""
    first, last = (
        np.max(np.abs(s), axis=1) * h for s, h in ((slopes[0], widths[0]), (slopes[-1], widths[-1]))
    )
    return (last > 20 * size * widths[-1]) & (last > 0.5 * first)


def _noise_jumps(covs: list[np.ndarray], widths: tuple[float, ...], rate: float) -> bool:
    """Whether the noise does not shrink with the step, as √h."""
    first, last = (
        float(np.trace(c)) / len(c) * h for c, h in ((covs[0], widths[0]), (covs[-1], widths[-1]))
    )
    return last > 20 * rate * widths[-1] and last > 0.5 * first


def _clipped(images: np.ndarray, x: np.ndarray) -> bool:
    """Whether images are equal to each other where the points were not."""
    return (
        any(np.unique(images[:, i]).size < np.unique(x[:, i]).size for i in range(x.shape[1]))
        and len(x) > 1
    )


def _by_grid(
    place: Place, steps: Steps, covs: list[np.ndarray], rng: np.random.Generator
) -> tuple[list[np.ndarray], float, float]:
    """The covariances for a step that is not linear in its noise: the sign vectors give what unit
    noise makes, the grid what normal noise makes. Also the ratio of the two, and the grid's error.
    """
    z = normal_grid(place.target.dimension, rng)
    x = np.repeat(place.x[:1], len(z), axis=0)
    found, error = [], 0.0
    for h in steps.widths[-2:]:
        out = ask_step(place.job, place.target, x, z, steps.pair(h), place.lam)
        centred = out - out.mean(axis=0)
        found.append(centred.T @ centred / (len(z) * h))
        error = grid_error(centred) / h
    right = 2 * found[1] - found[0]
    unit = float(np.trace(romberg(covs)[-1]))
    return [right] * len(covs), float(np.trace(right)) / unit if unit else np.inf, error
