"""Mean and variance of ``dX = (a(t) X + b(t)) dt + g(t) dW`` from its coefficients alone, by
adaptive Gauss quadrature.

Conventions
-----------
- ``a``, ``b`` and ``g2 = g²`` act on each coordinate by itself: arrays ``(..., d)`` at times
  ``(...)``.
- ``X_t = M X_0 + S + noise`` with ``M = exp ∫_0^t a``, noise of *variance* V; ``log_mean`` is ``∫
  a``.
- Time runs from 0 up. The coefficients are never asked at 0 or at a requested time itself (Gauss
  nodes are interior), so an integrable singularity at an end is welcome; kinks and jumps are found
  by bisection.

On a panel with n nodes the integral of ``a`` up to each node is that of the interpolating
polynomial; the panel's part of the variance is ``∫ exp(2 ∫_s^end a) g² ds``. A panel is split until
the last coefficients of its integrands' Legendre series, which estimate the truncation error, are
below some roundings of the whole segment's integral. What is left is reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.numerics.affine_panels import (
    Coefficients,
    Panels,
    State,
    diverges,
    evaluate,
    excess,
    propagate,
    splits,
    totals,
)
from scoreproof.numerics.collocation import gauss_legendre
from scoreproof.numerics.legendre import NODES, antiderivatives, expansion

__all__ = ["NODES", "Coefficients", "Moments", "moments"]


@dataclass(frozen=True, eq=False)
class Moments:
    """M (as its logarithm), S and V at ``times`` ``(m,)``, arrays ``(m, d)``; and what their
    accuracy depends on.

    - ``log_mean_error``, ``shift_error``, ``variance_error``: estimates of what the quadrature
      leaves.
    - ``log_size``: ∫|a|. ``variance_log_size``: ``∫ (∫_s^t |a|) dV_s``, how much of V hangs on the
      rounding of a (V/2 for a stationary process however large its rate, where ∫|a| grows on).
    - ``sensitivity``, ``log_sensitivity``: how far a rounding of the time inside the coefficients
      moves V and ∫a, in units of eps: ∫ e^{2∫_s^t a} s |dg²| and ∫ s |da|.
    - ``converged`` ``(m,)``: the error estimates are below 1e-6 of what they belong to (1e-2 for
      coarse numbers), and nothing diverges at 0. ``diverges``: something does.
    - The panels, with the coefficients at their nodes, for integrals of one's own.
    """

    times: np.ndarray
    log_mean: np.ndarray
    shift: np.ndarray
    variance: np.ndarray
    log_mean_error: np.ndarray
    shift_error: np.ndarray
    variance_error: np.ndarray
    log_size: np.ndarray
    variance_log_size: np.ndarray
    sensitivity: np.ndarray
    log_sensitivity: np.ndarray
    converged: np.ndarray
    diverges: bool
    panels: int
    tried: int  # panels evaluated, those that were split included
    edges: np.ndarray  # (panels + 1,)
    nodes: np.ndarray  # (panels, n)
    weights: np.ndarray  # (panels, n)
    a: np.ndarray  # (panels, n, d)
    g2: np.ndarray
    log_at_nodes: np.ndarray  # ∫_0^node a
    log_at_edges: np.ndarray  # (panels + 1, d)

    def at(self, t: np.ndarray) -> np.ndarray:
        """``∫_0^t a`` at any times within the span, from the panels' polynomials: ``(m, d)``."""
        return self.log_at_edges[self._panel(t)] + self._partial(self.a, t)

    def integral(self, values: np.ndarray, t: np.ndarray) -> np.ndarray:
        """``∫_0^t`` of values given at the nodes ``(panels, n, d)``, at any times within the span:
        ``(m, d)``.
        """
        whole = np.concatenate(
            [
                np.zeros((1, values.shape[2])),
                np.cumsum(np.einsum("pn,pnd->pd", self.weights, values), axis=0),
            ]
        )
        return whole[self._panel(t)] + self._partial(values, t)

    def value(self, values: np.ndarray, t: np.ndarray) -> np.ndarray:
        """Values given at the nodes, interpolated to times within the span (or a panel's end):
        ``(m, d)``.
        """
        p = np.clip(np.searchsorted(self.edges, t, side="left") - 1, 0, self.panels - 1)
        series = np.einsum("kn,mnd->mkd", expansion(), values[p])
        u = (np.asarray(t) - self.edges[p]) / (self.edges[p + 1] - self.edges[p])
        return np.einsum(
            "mk,mkd->md", np.polynomial.legendre.legvander(2 * u - 1, NODES - 1), series
        )

    def _panel(self, t: np.ndarray) -> np.ndarray:
        return np.clip(np.searchsorted(self.edges, t, side="right") - 1, 0, self.panels - 1)

    def _partial(self, values: np.ndarray, t: np.ndarray) -> np.ndarray:
        p = self._panel(t)
        low, width = self.edges[p], self.edges[p + 1] - self.edges[p]
        series = np.einsum("kn,mnd->mkd", expansion(), values[p])
        return width[:, None] * np.einsum(
            "mk,mkd->md", antiderivatives((np.asarray(t) - low) / width), series
        )


def moments(
    coefficients: Coefficients,
    times: np.ndarray,
    *,
    eps: float,
    breaks: tuple[float, ...] = (),
    max_panels: int = 3000,
) -> Moments:
    """Moments at increasing ``times > 0``. ``coefficients(t)`` takes times ``(m,)`` and returns a,
    b, g² as ``(m, d)``.

    ``eps`` is the unit roundoff of the coefficients; ``breaks`` are times where they are known not
    to be smooth. ``coefficients`` is asked at ``NODES`` times for each panel tried, at most
    ``max_panels`` panels.

    >>> def coefficients(t):
    ...     one = np.ones((len(t), 1))
    ...     return -one, 0 * one, 2 * one
    >>> m = moments(coefficients, np.array([1.0]), eps=2.2e-16)
    >>> bool(abs(m.variance[0, 0] - (1 - np.exp(-2))) < 1e-15)
    True
    """
    times = np.asarray(times, dtype=float)
    inner = [b for b in breaks if 0 < b < times[-1]]
    # the first and last panels have no neighbour that would betray a kink next to the ends: a few
    # short ones shelter them
    shelter = [
        times[0] * 1e-2,
        times[0] * 1e-4,
        times[0] * 1e-6,
        times[-1] * (1 - 1e-2),
        times[-1] * (1 - 1e-4),
    ]
    edges = np.unique(np.concatenate([[0.0], times, inner, shelter]))
    panels = evaluate(coefficients, edges[:-1], edges[1:])
    tried = len(panels.low)
    while True:
        state = propagate(panels, times)
        # not below what floats resolve, nor (towards a singularity at 0) below where even t^(-1/2)
        # holds nothing any more
        splittable = panels.high - panels.low > np.maximum(
            64 * np.finfo(float).eps * panels.high, 1e-36 * times[-1]
        )
        over = excess(panels, state, times, eps, breaks)
        with np.errstate(over="ignore"):
            density = over / (panels.high - panels.low)
        panels.mark_noise(density, eps)
        poor = ~(over <= 1) & splittable & ~panels.noisy
        if not poor.any() or tried + 2 * int(poor.sum()) > max_panels:
            break
        middle = splits(panels, state)[poor]
        halves = evaluate(
            coefficients,
            np.concatenate([panels.low[poor], middle]),
            np.concatenate([middle, panels.high[poor]]),
        )
        number = np.arange(len(middle))
        halves.twin = np.concatenate([2 * number, 2 * number + 1])
        halves.before = np.tile(density[poor], 2)
        tried += len(halves.low)
        panels = panels.merge(~poor, halves)
    return _collect(panels, state, times, eps, tried, breaks)


def _collect(
    panels: Panels,
    state: State,
    times: np.ndarray,
    eps: float,
    tried: int,
    breaks: tuple[float, ...],
) -> Moments:
    edges = np.append(panels.low, panels.high[-1])
    width = (panels.high - panels.low)[:, None]
    weights = gauss_legendre(NODES)[2]
    where = np.searchsorted(edges, times)
    gathered = totals(panels, state, breaks)[where]
    log, shift, variance = state.log[where], state.shift[where], state.variance[where]
    allowed = 1e-2 if eps > 1e-10 else 1e-6
    settled = (
        (gathered[:, 0] <= allowed)
        & (gathered[:, 1] <= allowed * (np.exp(log) + np.abs(shift)))
        & (gathered[:, 2] <= allowed * variance)
    )
    endless = diverges(panels, state)
    settled = (settled & np.isfinite(variance)).all(axis=1) & np.full(len(times), not endless)
    return Moments(
        times,
        log,
        shift,
        variance,
        gathered[:, 0],
        gathered[:, 1],
        gathered[:, 2],
        gathered[:, 3],
        gathered[:, 4],
        gathered[:, 5],
        gathered[:, 6],
        settled,
        endless,
        len(panels.low),
        tried,
        edges,
        panels.low[:, None] + width * gauss_legendre(NODES)[0],
        width * weights,
        panels.a,
        panels.g2,
        state.log_nodes,
        state.log,
    )
