"""Does an excess velocity keep the law? In several dimensions it may: a flow along the levels of p.

Conventions: w is the excess velocity ``(n, d)`` at draws of p; the law is kept when ∇·(p w) = 0,
that is E[w·∇φ] = 0 for every test function φ. No derivative of w is needed.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.reverse_sampler.targets import Diffused

__all__ = ["DRAWS", "moves_the_law"]

DRAWS = 2048
#: standard errors that a mean of at most 80 test functions has to be away from zero: by chance once
#: in 1e9
FAR = 7.0


def moves_the_law(
    target: Diffused,
    x: np.ndarray,
    t: float,
    excess: np.ndarray,
    left: np.ndarray,
    rng: np.random.Generator,
) -> bool:
    """Whether E[w·∇φ] ≠ 0 for some φ: linear, quadratic, log p, or a wave in a random direction.

    ``x``: draws of the marginal at t; ``left``: (n,), what of each entry of w may be rounding.
    """
    mean, spread = target.moments(t)[0], target.spread(t)
    u = (x - mean) / spread
    d, score = x.shape[1], target.score(x, t)
    gradients = [score, *_polynomials(u, spread, rng), *_waves(u, spread, rng)]
    if any(_is_away(excess, gradient, left) for gradient in gradients):
        return True
    # the quadratic φ that one half of the draws shows to move most, tried on the other half
    half = len(x) // 2
    slope = excess[:half].T @ u[:half] / half
    quadratic = (u[half:] @ (slope + slope.T)) / spread
    if _is_away(excess[half:], quadratic, left[half:]):
        return True
    return d == 1 and bool(np.any(np.abs(excess[:, 0]) > left))


def _is_away(excess: np.ndarray, gradient: np.ndarray, left: np.ndarray) -> bool:
    """Whether E[w·∇φ] is away from zero by more than rounding and chance explain."""
    part = np.einsum("ni,ni->n", excess, gradient)
    known = float(np.mean(left * np.sum(np.abs(gradient), axis=1)))
    error = float(np.std(part)) / len(part) ** 0.5
    return abs(float(np.mean(part))) > known + FAR * error


def _polynomials(u: np.ndarray, spread: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Gradients of u_i, and of products u_i u_j, of at most 12 and 24 pairs of coordinates."""
    n, d = u.shape
    gradients = []
    for i in range(d) if d <= 12 else rng.choice(d, 12, replace=False):
        gradients.append(np.repeat((np.arange(d) == i)[None] / spread, n, axis=0))
    pairs = [(i, j) for i in range(min(d, 40)) for j in range(i + 1)]
    chosen = range(len(pairs)) if len(pairs) <= 24 else rng.choice(len(pairs), 24, replace=False)
    shuffled = rng.permutation(d)
    for k in chosen:
        i, j = (shuffled[m] for m in pairs[k])
        gradient = np.zeros((n, d))
        gradient[:, i] += u[:, j] / spread[i]
        gradient[:, j] += u[:, i] / spread[j]
        gradients.append(gradient)
    # all coordinates at once: |u|²
    gradients.append(2 * u / spread)
    return gradients


def _waves(u: np.ndarray, spread: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
    """Gradients of sines of random directions, wave numbers and phases."""
    gradients = []
    for _ in range(24):
        direction = rng.standard_normal(u.shape[1])
        k = direction / np.linalg.norm(direction) * rng.uniform(0.5, 3)
        gradients.append(np.cos(u @ k + rng.uniform(0, 2 * np.pi))[:, None] * k / spread)
    return gradients
