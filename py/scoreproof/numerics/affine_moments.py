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
below a few roundings of the whole segment's integral. What is left is reported.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import lru_cache

import numpy as np

from scoreproof.numerics.collocation import gauss_legendre

__all__ = ["NODES", "Moments", "moments"]

NODES = 16
Coefficients = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Moments:
    """M (as its logarithm), S and V at ``times`` ``(m,)``, arrays ``(m, d)``; and what their
    accuracy depends on.

    - ``log_mean_error``, ``shift_error``, ``variance_error``: estimates of what the quadrature
      leaves.
    - ``log_size``: ∫|a|. ``sensitivity``: ∫ e^{2∫_s^t a} s |dg²|, ``log_sensitivity``: ∫ s |da|:
      how far a rounding of the time inside the coefficients moves V and ∫a, in units of eps.
    - ``converged`` ``(m,)``: the error estimates are below 1e-6 of what they belong to (1e-2 for
      coarse numbers), and nothing diverges at 0.
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
    sensitivity: np.ndarray
    log_sensitivity: np.ndarray
    converged: np.ndarray
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
        series = np.einsum("kn,mnd->mkd", _legendre()[0], values[p])
        u = (np.asarray(t) - self.edges[p]) / (self.edges[p + 1] - self.edges[p])
        return np.einsum(
            "mk,mkd->md", np.polynomial.legendre.legvander(2 * u - 1, NODES - 1), series
        )

    def _panel(self, t: np.ndarray) -> np.ndarray:
        return np.clip(np.searchsorted(self.edges, t, side="right") - 1, 0, self.panels - 1)

    def _partial(self, values: np.ndarray, t: np.ndarray) -> np.ndarray:
        p = self._panel(t)
        low, width = self.edges[p], self.edges[p + 1] - self.edges[p]
        series = np.einsum("kn,mnd->mkd", _legendre()[0], values[p])
        return width[:, None] * np.einsum(
            "mk,mkd->md", _antiderivatives((np.asarray(t) - low) / width), series
        )


@lru_cache(maxsize=1)
def _legendre() -> tuple[np.ndarray, np.ndarray]:
    """Values at the nodes to Legendre coefficients ``(n, n)``, and the nodes on [0, 1]."""
    x, w = np.polynomial.legendre.leggauss(NODES)
    k = np.arange(NODES)
    return (2 * k + 1)[:, None] / 2 * np.polynomial.legendre.legvander(x, NODES - 1).T * w, (
        x + 1
    ) / 2


def _antiderivatives(u: np.ndarray) -> np.ndarray:
    """``∫_0^u P_k(2v - 1) dv`` for k < n: ``(m, n)``."""
    x = 2 * np.asarray(u, dtype=float) - 1
    p = np.polynomial.legendre.legvander(x, NODES)
    k = np.arange(NODES)
    low = np.concatenate([np.zeros((len(x), 1)), p[:, : NODES - 1]], axis=1)
    out = (p[:, 1:] - low) / (2 * k + 1)
    out[:, 0] = x + 1
    return out / 2


def _tail(values: np.ndarray) -> np.ndarray:
    """Size of the last three Legendre coefficients on each panel ``(panels, d)``: the truncation
    error of an integral per unit length, at most.
    """
    return np.abs(np.einsum("kn,pnd->pkd", _legendre()[0][-3:], values)).max(axis=1)


def _hidden(values: np.ndarray, width: np.ndarray, smooth: np.ndarray) -> np.ndarray:
    """What a kink or jump between a panel's end and its outermost node could contribute to its
    integral: ``(panels, d)``.

    The nodes do not see it; but then the polynomials of two neighbours do not join smoothly at
    their common edge. ``smooth`` ``(panels - 1,)``: the edges where they should (not at a known
    break).
    """
    series = np.einsum("kn,pnd->pkd", _legendre()[0], values)
    k = np.arange(NODES)
    sign, rise = (-1.0) ** k, k * (k + 1) / 2
    ends = [np.einsum("k,pkd->pd", w, series) for w in (np.ones(NODES), sign)]
    slopes = [np.einsum("k,pkd->pd", w, series) * 2 / width for w in (rise, -sign * rise)]
    jump, bend = np.abs(ends[1][1:] - ends[0][:-1]), np.abs(slopes[1][1:] - slopes[0][:-1])
    out = np.zeros_like(ends[0])
    for side in (slice(None, -1), slice(1, None)):
        blind = _legendre()[1][0] * width[side]
        out[side] += np.where(smooth[:, None], jump * blind + bend * blind**2 / 2, 0.0)
    return out


@dataclass(eq=False)
class _Panels:
    """Panels in order of time, with the coefficients at their nodes and the local integrals."""

    low: np.ndarray
    high: np.ndarray
    a: np.ndarray
    b: np.ndarray
    g2: np.ndarray
    twin: (
        np.ndarray
    )  # 2j and 2j + 1 for the two halves made from one panel in the last round, -1 for older panels
    before: np.ndarray  # the parent's error per unit length, in units of what is allowed
    noisy: np.ndarray

    def merge(self, keep: np.ndarray, new: _Panels) -> _Panels:
        old = replace(self, twin=np.full_like(self.twin, -1))
        joined = [
            np.concatenate([getattr(old, f.name)[keep], getattr(new, f.name)]) for f in fields(self)
        ]
        order = np.argsort(joined[0], kind="stable")
        return _Panels(*[j[order] for j in joined])

    def mark_noise(self, excess: np.ndarray, eps: float) -> None:
        """Halving helped neither half, and what is left is of the size of roundings: then it is
        rounding (1 - exp(-x) at small x), no feature.
        """
        new = np.flatnonzero(self.twin >= 0)
        pairs = new[np.argsort(self.twin[new])].reshape(-1, 2)
        stuck = (excess >= 0.25 * self.before)[pairs].all(axis=1)
        small = np.logical_and.reduce(
            [
                (_tail(v) <= 256 * eps * np.max(np.abs(v), axis=(0, 1))).all(axis=1)
                for v in (self.a, self.b, self.g2)
            ]
        )
        self.noisy[pairs[stuck]] |= small[pairs[stuck]]


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

    >>> m = moments(lambda t: (-np.ones((len(t), 1)), np.zeros((len(t), 1)), 2 * np.ones((len(t), 1))), np.array([1.0]), eps=2.2e-16)
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
    panels = _evaluate(coefficients, edges[:-1], edges[1:])
    tried = len(panels.low)
    while True:
        state = _propagate(panels, times)
        # not below what floats resolve, nor (towards a singularity at 0) below where even t^(-1/2)
        # holds nothing any more
        splittable = panels.high - panels.low > np.maximum(
            64 * np.finfo(float).eps * panels.high, 1e-36 * times[-1]
        )
        excess = _excess(panels, state, times, eps, breaks)
        panels.mark_noise(excess / (panels.high - panels.low), eps)
        poor = ~(excess <= 1) & splittable & ~panels.noisy
        if not poor.any() or tried + 2 * int(poor.sum()) > max_panels:
            break
        middle = (panels.low[poor] + panels.high[poor]) / 2
        halves = _evaluate(
            coefficients,
            np.concatenate([panels.low[poor], middle]),
            np.concatenate([middle, panels.high[poor]]),
        )
        number = np.arange(len(middle))
        halves.twin = np.concatenate([2 * number, 2 * number + 1])
        halves.before = np.tile((excess / (panels.high - panels.low))[poor], 2)
        tried += len(halves.low)
        panels = panels.merge(~poor, halves)
    return _collect(panels, state, times, eps, tried, breaks)


def _evaluate(coefficients: Coefficients, low: np.ndarray, high: np.ndarray) -> _Panels:
    nodes = low[:, None] + (high - low)[:, None] * _legendre()[1]
    values = coefficients(nodes.ravel())
    n = len(low)
    a, b, g2 = (np.asarray(v).reshape(n, NODES, -1) for v in values)
    return _Panels(low, high, a, b, g2, np.full(n, -1), np.full(n, np.inf), np.zeros(n, dtype=bool))


@dataclass(eq=False)
class _State:
    """Running integrals at the panels' edges, and the panels' parts."""

    log: np.ndarray  # ∫a at the edges (P+1, d)
    log_nodes: np.ndarray  # at the nodes
    shift: np.ndarray  # e^{-∫a}-weighted sums are avoided: these are S and V at the edges
    variance: np.ndarray
    noise: np.ndarray  # exp(2∫_s^high a) g² at the nodes
    push: np.ndarray  # exp(∫_s^high a) b


def _propagate(panels: _Panels, times: np.ndarray) -> _State:
    _, matrix, weights = gauss_legendre(NODES)
    width = (panels.high - panels.low)[:, None]
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        part = width * np.einsum("n,pnd->pd", weights, panels.a)
        local = width[:, :, None] * np.einsum("ij,pjd->pid", matrix, panels.a)
        rest = part[:, None, :] - local  # ∫ from the node to the panel's end
        noise, push = np.exp(2 * rest) * panels.g2, np.exp(rest) * panels.b
        variances = width * np.einsum("n,pnd->pd", weights, noise)
        shifts = width * np.einsum("n,pnd->pd", weights, push)
        log = np.concatenate([np.zeros((1, part.shape[1])), np.cumsum(part, axis=0)])
        shift, variance = [np.zeros(part.shape[1])], [np.zeros(part.shape[1])]
        for step, s, v in zip(np.exp(part), shifts, variances, strict=True):
            shift.append(step * shift[-1] + s)
            variance.append(step * step * variance[-1] + v)
    return _State(log, log[:-1, None, :] + local, np.array(shift), np.array(variance), noise, push)


def _errors(
    panels: _Panels, state: _State, breaks: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truncation errors of each panel's ∫a, S and V, at the panel's end."""
    width = (panels.high - panels.low)[:, None]
    smooth = ~np.isin(panels.high[:-1], breaks)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        growth = np.exp(np.maximum(np.diff(state.log, axis=0), 0.0))
        hidden = [_hidden(v, width, smooth) for v in (panels.a, panels.b, panels.g2)]
        return (
            width * _tail(panels.a) + hidden[0],
            width * _tail(state.push) + growth * hidden[1],
            width * _tail(state.noise) + growth**2 * hidden[2],
        )


def _excess(
    panels: _Panels, state: _State, times: np.ndarray, eps: float, breaks: tuple[float, ...]
) -> np.ndarray:
    """Each panel's error over four roundings of what there is at the next requested time:
    ``(panels,)``, the worst of ∫a, S and V.
    """
    log, shift, variance = _errors(panels, state, breaks)
    edges = np.append(panels.low, panels.high[-1])
    # breaks may lie beyond the panel; the next requested time closes the segment
    goal = np.searchsorted(
        edges, times[np.minimum(np.searchsorted(times, panels.low, side="right"), len(times) - 1)]
    )
    with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
        carry = np.exp(state.log[goal] - state.log[1:])
        mean = np.exp(state.log[goal])
        parts = (
            (log, np.maximum(1.0, np.abs(state.log[goal]))),
            (carry**2 * variance, state.variance[goal]),
            (carry * shift, mean + np.abs(state.shift[goal])),
        )
        ratios = [np.where(error == 0, 0.0, error / (4 * eps * size)) for error, size in parts]
    out = np.max(ratios, axis=(0, 2))
    return np.where(np.isnan(out), np.inf, out)


def _diverges(panels: _Panels, state: _State) -> bool:
    """Whether a vanishingly short first panel still holds a noticeable part of ∫|a| or of V: then
    the integral from 0 does not exist.
    """
    if panels.high[0] > 1e-30 * panels.high[-1]:
        return False
    soon = min(int(np.searchsorted(panels.low, 1e-12 * panels.high[-1])), len(panels.low))
    return bool(
        np.any(np.abs(state.log[1]) > 1e-9)
        or np.any(state.variance[1] > 1e-9 * state.variance[soon])
    )


def _collect(
    panels: _Panels,
    state: _State,
    times: np.ndarray,
    eps: float,
    tried: int,
    breaks: tuple[float, ...],
) -> Moments:
    log_error, shift_error, variance_error = _errors(panels, state, breaks)
    edges = np.append(panels.low, panels.high[-1])
    width = (panels.high - panels.low)[:, None]
    weights = gauss_legendre(NODES)[2]

    def variation(values: np.ndarray) -> np.ndarray:
        return np.abs(np.diff(values, axis=1)).sum(axis=1) * panels.high[:, None]

    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        largest = np.exp(2 * np.max(state.log[1:, None, :] - state.log_nodes, axis=1))
        moved, log_moved = largest * variation(panels.g2), variation(panels.a)
        growth = np.exp(np.diff(state.log, axis=0))
        totals = [np.zeros((4, panels.a.shape[2]))]
        for i in range(len(panels.low)):
            previous = totals[-1]
            totals.append(
                np.stack(
                    [
                        previous[0] + log_error[i],
                        growth[i] * previous[1] + shift_error[i],
                        growth[i] ** 2 * previous[2] + variance_error[i],
                        growth[i] ** 2 * previous[3] + moved[i],
                    ]
                )
            )
        size = np.concatenate(
            [
                np.zeros((1, panels.a.shape[2])),
                np.cumsum(width * np.einsum("n,pnd->pd", weights, np.abs(panels.a)), axis=0),
            ]
        )
        moved_log = np.concatenate([np.zeros((1, panels.a.shape[2])), np.cumsum(log_moved, axis=0)])
    where = np.searchsorted(edges, times)
    running = np.array(totals)[where]
    log, shift, variance = state.log[where], state.shift[where], state.variance[where]
    allowed = 1e-2 if eps > 1e-10 else 1e-6
    settled = (
        (running[:, 0] <= allowed)
        & (running[:, 1] <= allowed * (np.exp(log) + np.abs(shift)))
        & (running[:, 2] <= allowed * variance)
    )
    settled = (settled & np.isfinite(variance)).all(axis=1) & np.full(
        len(times), not _diverges(panels, state)
    )
    return Moments(
        times,
        log,
        shift,
        variance,
        running[:, 0],
        running[:, 1],
        running[:, 2],
        size[where],
        running[:, 3],
        moved_log[where],
        settled,
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
