"""Values between the points of a grid, and integrals between saved times, by polynomials through
the nearest of them.

Conventions: a `Stencil` is a linear map of the values along one axis: at each new place the values
at ``index`` with ``weight``, ``(m, q)`` each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["DEGREE", "Stencil", "between", "in_time", "integrals", "of_averages"]

#: of the polynomials, where there are points enough
DEGREE = 5


@dataclass(frozen=True, eq=False)
class Stencil:
    """A linear map of the values along an axis."""

    index: np.ndarray
    weight: np.ndarray

    def __call__(self, values: np.ndarray, axis: int) -> np.ndarray:
        moved = np.moveaxis(values, axis, -1)
        out = np.zeros((*moved.shape[:-1], len(self.index)))
        for q in range(self.index.shape[1]):
            out += moved[..., self.index[:, q]] * self.weight[:, q]
        return np.moveaxis(out, -1, axis)


def between(x: np.ndarray, at: np.ndarray, degree: int = DEGREE) -> Stencil:
    """Interpolation of point values at x (increasing) to the places ``at``.

    >>> x = np.array([0.0, 1.0, 2.5, 3.0])
    >>> bool(np.allclose(between(x, np.array([0.3, 2.7]))(x**3, 0), [0.027, 2.7**3]))
    True
    """
    index = _nearest(x, at, min(degree, len(x) - 1) + 1)
    return Stencil(index, _lagrange(x[index], at))


def of_averages(edges: np.ndarray, at: np.ndarray, degree: int = DEGREE) -> Stencil:
    """Point values of what has the given averages over the cells between ``edges``.

    >>> e = np.array([0.0, 1.0, 2.5, 3.0, 4.0])
    >>> averages = np.diff(e**3 / 3) / np.diff(e)
    >>> bool(np.allclose(of_averages(e, np.array([0.3, 2.7]))(averages, 0), [0.09, 2.7**2]))
    True
    """
    nodes = _nearest(edges, at, min(degree + 1, len(edges) - 1) + 1)
    x, q = edges[nodes], nodes.shape[1]
    # p is the derivative of the polynomial through the masses to the left of the edges
    slope = np.zeros(x.shape)
    for e in range(q):
        for s in range(q):
            if s == e:
                continue
            term = 1 / (x[:, e] - x[:, s])
            for r in range(q):
                if r not in (e, s):
                    term = term * (at - x[:, r]) / (x[:, e] - x[:, r])
            slope[:, e] += term
    above = np.cumsum(slope[:, ::-1], axis=1)[:, ::-1]
    return Stencil(nodes[:, :-1], above[:, 1:] * np.diff(x, axis=1))


def integrals(t: np.ndarray, ends: np.ndarray, degree: int = DEGREE) -> np.ndarray:
    """Weights ``(stretches, len(t))`` of the integrals between consecutive ``ends``, which are
    indices of t.

    >>> t = np.array([0.0, 0.2, 0.5, 0.6, 1.0])
    >>> bool(np.allclose(integrals(t, np.array([0, 2, 4])) @ t**3, [0.5**4 / 4, (1 - 0.5**4) / 4]))
    True
    """
    nodes, weights = np.polynomial.legendre.leggauss(4)
    out = np.zeros((len(ends) - 1, len(t)))
    for a in range(len(ends) - 1):
        k = np.arange(ends[a], ends[a + 1])
        half = np.diff(t)[k] / 2
        at = (t[k] + half)[:, None] + half[:, None] * nodes
        s = between(t, at.ravel(), degree)
        w = (half[:, None] * weights).ravel()[:, None] * s.weight
        np.add.at(out[a], s.index.ravel(), w.ravel())
    return out


def _nearest(x: np.ndarray, at: np.ndarray, q: int) -> np.ndarray:
    """The indices of q consecutive nodes around each place."""
    cell = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    start = np.clip(cell - (q - 2) // 2, 0, len(x) - q)
    return start[:, None] + np.arange(q)


def _lagrange(x: np.ndarray, at: np.ndarray) -> np.ndarray:
    out = np.ones(x.shape)
    for e in range(x.shape[1]):
        for r in range(x.shape[1]):
            if r != e:
                out[:, e] *= (at - x[:, r]) / (x[:, e] - x[:, r])
    return out


def in_time(times: np.ndarray, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights ``(stretches, times)`` of integrals by all times, and by every second one."""
    fine = integrals(times, ends)
    half = np.unique([*range(0, len(times), 2), *ends, len(times) - 1])
    coarse = np.zeros_like(fine)
    coarse[:, half] = integrals(times[half], np.searchsorted(half, ends))
    return fine, coarse
