"""The gradient of log p that is due, of its prior and of its trace: in x, in parameters, in t.

Conventions: ``(P, k)``, nats, k coordinates of what is varied; by differences of fourth order of
the exact flow. Parameters are a shift ``(d,)`` and the log of a scale of x_0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.log_likelihood.due import Due, due_at, prior_at
from scoreproof.public.log_likelihood.model import of_prediction, predicted
from scoreproof.public.log_likelihood.spans import Affine
from scoreproof.public.log_likelihood.variables import early

__all__ = ["GOOD", "Slope", "slope_of"]

#: of the differences, and what they are good for: the flow is solved to about 1e-10
STEP, GOOD = 3e-3, 1e-7


@dataclass(frozen=True, eq=False)
class Slope:
    """``held``: the same of prior and trace where z does not carry the gradient from one step to
    the next; ``places``: what each of the k is called; ``blocks``: which of them are of one kind.
    """

    prior: np.ndarray
    trace: np.ndarray
    held: tuple[np.ndarray, np.ndarray] | None
    places: tuple[str, ...]
    blocks: np.ndarray

    @property
    def value(self) -> np.ndarray:
        return np.asarray(self.prior + self.trace)

    @property
    def sizes(self) -> np.ndarray:
        """``(k,)``: root mean square over points, and over the coordinates of one kind."""
        square = np.mean(self.value**2, axis=0)
        return np.array([np.sqrt(np.mean(square[self.blocks == b])) for b in self.blocks])


def slope_of(due: Due, affine: Affine, x: np.ndarray, of: str) -> Slope:
    if of == "x":
        return _in_x(due, affine, x)
    return _in_params(due, affine, x) if of == "params" else _in_t(due, affine, x)


def _stencil(k: int, step: float) -> np.ndarray:
    """``(4 k, k)``."""
    steps = step * np.array([2.0, 1.0, -1.0, -2.0])
    return np.asarray((steps[:, None, None] * np.eye(k)).reshape(-1, k))


def _difference(values: np.ndarray, k: int, n: int, step: float) -> np.ndarray:
    far, near, back, least = np.reshape(values, (4, k, n))
    return np.asarray(((8 * (near - back) - (far - least)) / (12 * step)).T)


def _in_x(due: Due, affine: Affine, x: np.ndarray) -> Slope:
    n, d = x.shape
    rows = (x[None] + _stencil(d, STEP)[:, None]).reshape(-1, d)
    moved = due_at(due.job, due.law, due.span, affine, rows)
    prior, trace = (_difference(v, d, n, STEP) for v in (moved.log_prior, moved.trace))
    places = tuple(f"coordinate {j + 1}" for j in range(d))
    return Slope(prior, trace, None, places, np.zeros(d, int))


def _in_params(due: Due, affine: Affine, x: np.ndarray) -> Slope:
    n, d = x.shape
    k = d + 1
    theta = np.repeat(_stencil(k, STEP), n, axis=0)
    law = due.law.moved(theta)
    rows = np.tile(x, (4 * k, 1))
    moved = due_at(due.job, law, due.span, affine, rows)
    prior, trace = (_difference(v, k, n, STEP) for v in (moved.log_prior, moved.trace))
    z, sums = _held(due, theta)
    of_prior = prior_at(due.job, law, due.span, z)
    held = _difference(of_prior, k, n, STEP), _difference(sums, k, n, STEP)
    places = (*(f"shift[{j}]" for j in range(d)), "log_scale")
    return Slope(prior, trace, held, places, np.array([0] * d + [1]))


def _held(due: Due, theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """z and ∫ tr of the moved laws, summed along the path of the law that is not moved."""
    from scipy.integrate import solve_ivp

    job, span = due.job, due.span
    n, d = due.y.shape
    law, many = due.law.moved(theta), len(theta)
    whole = span.end - span.start
    inside = 0.0 if job.clock.native else 1e-9

    def rate(tau: float, state: np.ndarray) -> np.ndarray:
        rows = state[: n * d].reshape(n, d)
        t = span.start + whole * float(np.clip(tau, inside, 1 - inside))
        levels = [float(v) for v in job.clock.at(t)]
        alpha, sigma = levels[:2]
        all_rows = np.tile(rows, (many // n, 1))
        moves = [
            predicted("velocity", p.parts(r, alpha, sigma), levels)
            for p, r in ((due.law, rows), (law, all_rows))
        ]
        trace = of_prediction("velocity", law, all_rows, levels)
        return np.asarray(whole * np.concatenate([*(m.ravel() for m in moves), trace]))

    begin = np.concatenate([due.y.ravel(), np.tile(due.y, (many // n, 1)).ravel(), np.zeros(many)])
    out = solve_ivp(rate, (0.0, 1.0), begin, "DOP853", rtol=1e-9, atol=1e-10).y[:, -1]
    z = out[n * d : n * d + many * d].reshape(many, d)
    return z, out[n * d + many * d :]


def _in_t(due: Due, affine: Affine, x: np.ndarray) -> Slope:
    n = len(x)
    start = early(due.job.clock)
    step = STEP * abs(start - due.job.clock.data)
    dues = [
        due_at(due.job, due.law, replace(due.span, start=start + float(s)), affine, x)
        for s in _stencil(1, step)[:, 0]
    ]
    prior, trace = (
        _difference(np.concatenate(v), 1, n, step)
        for v in ([m.log_prior for m in dues], [m.trace for m in dues])
    )
    return Slope(prior, trace, None, (f"t = {start:.4g}",), np.zeros(1, int))
