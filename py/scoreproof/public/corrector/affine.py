"""A kernel without acceptance, read off as an affine map of its state and its noise.

Conventions: whitened coordinates: w = L⁻¹ (x - μ) for the target N(μ, L Lᵀ), and v as it is (unit
mass), so that the law that is due is N(0, I). ``w' = A w + b + Σ_j B_j z_j``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.corrector.asking import Answer, Kernel
from scoreproof.public.corrector.draws import noise_script
from scoreproof.public.corrector.target import Target
from scoreproof.streams import stream

__all__ = ["Affine", "read", "unwhitened", "whitened"]

#: rows at random places with random noise, which say whether it is affine
RANDOM_ROWS = 8
#: roundings beyond which a deviation is none of rounding
MANY = 100.0
#: units of roundoff, in the larger of x and its widths, of one step
ROUNDINGS = 4
#: how far out A and B are read: the rounding of their entries is the smaller
REACH = 4.0
#: roundoff from which a type is coarse
SINGLE = 1e-10


@dataclass(frozen=True, eq=False)
class Affine:
    """``matrix`` A ``(D, D)``, ``shift`` b, ``noise`` ``(D, m)`` of all draws side by side.

    ``curved``: the largest deviation from an affine map at random rows; ``mixed``: how much a row
    changes with the batch; ``blur``: what rounding explains of an entry of A, b or B; ``loose``:
    of w'.
    """

    h: float | None
    target: Target
    matrix: np.ndarray
    shift: np.ndarray
    noise: np.ndarray
    curved: float
    mixed: float
    loose: float
    blur: float
    answer: Answer

    @property
    def covariance(self) -> np.ndarray:
        return np.asarray(self.noise @ self.noise.T)

    @property
    def pull(self) -> np.ndarray:
        """I - A."""
        return np.eye(len(self.matrix)) - self.matrix

    @property
    def rate(self) -> float:
        return float(np.linalg.norm(self.pull, 2))

    @property
    def straight(self) -> bool:
        """Affine in each row by itself."""
        return self.curved <= MANY * self.loose

    @property
    def affine(self) -> bool:
        return self.straight and self.mixed <= MANY * self.loose


def whitened(target: Target, state: np.ndarray) -> np.ndarray:
    d = target.d
    w = np.linalg.solve(target.root, (state[:, :d] - target.mean).T).T
    return np.concatenate([w, state[:, d:]], axis=1)


def unwhitened(target: Target, w: np.ndarray) -> np.ndarray:
    d = target.d
    return np.concatenate([target.mean + w[:, :d] @ target.root.T, w[:, d:]], axis=1)


def read(kernel: Kernel, target: Target, draws: int, h: float | None) -> Affine:
    """Two calls: all rows, and half of them twice, in another order."""
    job = kernel.job
    d, size = job.d, job.d * (2 if job.two else 1)
    rng = stream(job.seed, "corrector", "rows")
    wild = rng.standard_normal((RANDOM_ROWS, size)) * 1.5
    # and as far out on the other side as A is read on the one
    wild = np.concatenate([wild, -REACH * np.eye(size)])
    others = len(wild)
    count = 1 + size + draws * d + others
    # not at the mean, nor without noise: somebody's code may divide by the size of either
    base = 0.3 * np.cos(np.arange(size) + 0.5)
    w = np.tile(base, (count, 1))
    w[1 : 1 + size] += REACH * np.eye(size)
    w[-others:] = wild
    # a normal number that JAX makes of a uniform one in single precision is the coarser the larger
    far, off = (REACH, 0.4) if kernel.eps < SINGLE else (1.0, 0.1)
    aside = off * np.cos(1.7 * np.arange(draws * d) + 0.2).reshape(draws, 1, d)
    noise = np.tile(aside, (1, count, 1))
    for j in range(draws):
        first = 1 + size + j * d
        noise[j, first : first + d] += far * np.eye(d)
    noise[:, -others:] = rng.standard_normal((draws, others, d))
    order = rng.permutation(count)
    state = unwhitened(target, w)
    out = np.empty_like(w)
    answer = kernel(target, state[order], noise_script(job, noise[:, order]), h)
    out[order] = whitened(target, answer.state)
    matrix = (out[1 : 1 + size] - out[0]).T / REACH
    columns = (out[1 + size : count - others] - out[0]).T / far
    origin = out[0] - matrix @ base - columns @ aside.ravel()
    flat = noise[:, -others:].transpose(1, 0, 2).reshape(others, -1)
    due = origin + wild @ matrix.T + flat @ columns.T
    part = np.resize(rng.permutation(count)[: max(count // 2, 2)], count)
    again = kernel(target, state[part], noise_script(job, noise[:, part]), h)
    narrow = float(np.min(np.linalg.svd(target.root, compute_uv=False)))
    steps = max(draws, len(answer.asked), 1) ** 0.5
    reach = max(float(np.max(np.abs(state))), float(np.max(np.abs(answer.state))))
    unit = ROUNDINGS * kernel.eps * steps / narrow
    return Affine(
        h,
        target,
        matrix,
        origin,
        columns,
        float(np.max(np.abs(out[-others:] - due))),
        float(np.max(np.abs(whitened(target, again.state) - out[part]))),
        unit * reach,
        max(unit * reach / REACH, unit * float(np.max(np.abs(state[0])))),
        answer,
    )
