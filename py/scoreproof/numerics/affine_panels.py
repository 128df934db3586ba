"""Panels in time for the moment equations of an affine SDE: the coefficients at their nodes, the
running integrals, the truncation errors, and where to split.

Conventions: as in `affine_moments`; arrays over panels ``(p, …)``, over their edges ``(p + 1, …)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from scoreproof.numerics.collocation import gauss_legendre
from scoreproof.numerics.legendre import NODES, hidden, tail, unit_nodes

__all__ = [
    "Coefficients",
    "Panels",
    "State",
    "diverges",
    "errors",
    "evaluate",
    "excess",
    "propagate",
    "splits",
    "totals",
]

Coefficients = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]
#: exp(-2 FORGOTTEN) is nothing beside 1: noise that far back in a contracting drift left no trace
FORGOTTEN = 20.0
#: roundings of the whole that one panel's truncation error may have
ROUNDINGS = 32


@dataclass(eq=False)
class Panels:
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

    def merge(self, keep: np.ndarray, new: Panels) -> Panels:
        old = replace(self, twin=np.full_like(self.twin, -1))
        joined = [
            np.concatenate([getattr(old, f.name)[keep], getattr(new, f.name)]) for f in fields(self)
        ]
        order = np.argsort(joined[0], kind="stable")
        return Panels(*[j[order] for j in joined])

    def moved(self, values: np.ndarray) -> np.ndarray:
        """By how much a rounding of the time moves values, over eps: what a singularity leaves."""
        slope = np.ptp(values, axis=1) / (self.high - self.low)[:, None]
        return self.high[:, None] * slope

    def mark_noise(self, excess: np.ndarray, eps: float) -> None:
        """Halving helped neither half, and what is left is of the size of roundings: then it is
        rounding (1 - exp(-x) at small x), no feature.
        """
        new = np.flatnonzero(self.twin >= 0)
        pairs = new[np.argsort(self.twin[new])].reshape(-1, 2)
        stuck = (excess >= 0.25 * self.before)[pairs].all(axis=1)
        small = np.logical_and.reduce(
            [
                (tail(v) <= 256 * eps * (np.max(np.abs(v), axis=(0, 1)) + self.moved(v))).all(
                    axis=1
                )
                for v in (self.a, self.b, self.g2)
            ]
        )
        self.noisy[pairs[stuck]] |= small[pairs[stuck]]


def evaluate(coefficients: Coefficients, low: np.ndarray, high: np.ndarray) -> Panels:
    nodes = low[:, None] + (high - low)[:, None] * unit_nodes()
    values = coefficients(nodes.ravel())
    n = len(low)
    a, b, g2 = (np.asarray(v).reshape(n, NODES, -1) for v in values)
    return Panels(low, high, a, b, g2, np.full(n, -1), np.full(n, np.inf), np.zeros(n, dtype=bool))


@dataclass(eq=False)
class State:
    """Running integrals at the panels' edges, and the panels' parts."""

    log: np.ndarray  # ∫a at the edges (P+1, d)
    log_nodes: np.ndarray  # at the nodes
    rest: np.ndarray  # from the nodes to the panel's end
    shift: np.ndarray  # e^{-∫a}-weighted sums are avoided: these are S and V at the edges
    variance: np.ndarray
    noise: np.ndarray  # exp(2∫_s^high a) g² at the nodes
    push: np.ndarray  # exp(∫_s^high a) b


def propagate(panels: Panels, times: np.ndarray) -> State:
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
    return State(
        log, log[:-1, None, :] + local, rest, np.array(shift), np.array(variance), noise, push
    )


def errors(
    panels: Panels, state: State, breaks: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Truncation errors of each panel's ∫a, S and V, at the panel's end."""
    width = (panels.high - panels.low)[:, None]
    smooth = ~np.isin(panels.high[:-1], breaks)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        growth = np.exp(np.maximum(np.diff(state.log, axis=0), 0.0))
        unseen = [hidden(v, width, smooth) for v in (panels.a, panels.b, panels.g2)]
        # noise and push that are forgotten before the outermost node: there the nodes see nothing
        blind = np.where(state.rest[:, -1] < -1, width * unit_nodes()[0], 0.0)
        unseen[1] = unseen[1] + blind * np.max(np.abs(panels.b), axis=1)
        unseen[2] = unseen[2] + blind * np.max(panels.g2, axis=1)
        return (
            width * tail(panels.a) + unseen[0],
            width * tail(state.push) + growth * unseen[1],
            width * tail(state.noise) + growth**2 * unseen[2],
        )


def excess(
    panels: Panels, state: State, times: np.ndarray, eps: float, breaks: tuple[float, ...]
) -> np.ndarray:
    """Each panel's error over ``ROUNDINGS`` roundings of what there is at the next requested time:
    ``(panels,)``, the worst of ∫a, S and V.
    """
    log, shift, variance = errors(panels, state, breaks)
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
        ratios = [
            np.where(error == 0, 0.0, error / (ROUNDINGS * eps * size)) for error, size in parts
        ]
    out = np.max(ratios, axis=(0, 2))
    return np.where(np.isnan(out), np.inf, out)


def diverges(panels: Panels, state: State) -> bool:
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


def splits(panels: Panels, state: State) -> np.ndarray:
    """Where to split each panel ``(panels,)``: its middle, or, where the drift contracts by more
    than what a float remembers, just before the stretch whose noise is still there at the end.
    """
    at = (panels.low + panels.high) / 2
    part = np.diff(state.log, axis=0)
    for p in np.flatnonzero(np.min(part, axis=1) < -1.25 * FORGOTTEN):
        rest = state.rest[p][:, int(np.argmin(part[p]))]
        nodes = panels.low[p] + (panels.high[p] - panels.low[p]) * unit_nodes()
        if np.all(np.diff(rest) > 0):
            # beyond the outermost node the coefficient is taken as constant
            end = panels.high[p] - FORGOTTEN * (panels.high[p] - nodes[-1]) / max(-rest[-1], 1e-300)
            near = (
                float(np.interp(-FORGOTTEN, rest, nodes)) if rest[-1] > -FORGOTTEN else float(end)
            )
            at[p] = max(at[p], min(near, panels.high[p] - (panels.high[p] - panels.low[p]) * 1e-9))
    return at


def totals(panels: Panels, state: State, breaks: tuple[float, ...]) -> np.ndarray:
    """At the edges ``(p + 1, 7, d)``: the errors of ∫a, S and V, ∫|a|, and V's and
    ∫a's conditioning, in the order of `Moments`. What has gathered before a panel is carried
    through it as S and V are.
    """
    log_error, shift_error, variance_error = errors(panels, state, breaks)
    width = (panels.high - panels.low)[:, None]
    _, matrix, weights = gauss_legendre(NODES)

    def variation(values: np.ndarray) -> np.ndarray:
        return np.abs(np.diff(values, axis=1)).sum(axis=1) * panels.high[:, None]

    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        largest = np.exp(2 * np.max(state.log[1:, None, :] - state.log_nodes, axis=1))
        moved, log_moved = largest * variation(panels.g2), variation(panels.a)
        size = np.abs(panels.a)
        part = width * np.einsum("n,pnd->pd", weights, size)
        rest = part[:, None] - width[:, :, None] * np.einsum("ij,pjd->pid", matrix, size)
        inside = width * np.einsum("n,pnd->pd", weights, state.noise * np.maximum(rest, 0.0))
        growth = np.exp(np.diff(state.log, axis=0))
        # an error of ∫a is a relative error of everything that was there before
        once, twice = (np.expm1(np.minimum(k * log_error, 50.0)) for k in (1, 2))
        own = np.maximum(state.variance[1:] - growth**2 * state.variance[:-1], 0.0)
        added = np.abs(state.shift[1:] - growth * state.shift[:-1])
        shift_error = shift_error + once * (growth * np.abs(state.shift[:-1]) + added)
        before = growth**2 * state.variance[:-1]
        variance_error = variance_error + twice * (before + own)
        moved = moved + 2 * log_moved * (before + own)
        inside = inside + part * before
        gathered = np.zeros((len(width) + 1, 7, panels.a.shape[2]))
        for i, k in enumerate(growth):
            old, new = gathered[i], gathered[i + 1]
            new[0] = old[0] + log_error[i]
            new[1] = k * old[1] + shift_error[i]
            new[2] = k * k * old[2] + variance_error[i]
            new[3] = old[3] + part[i]
            new[4] = k * k * old[4] + inside[i]
            new[5] = k * k * old[5] + moved[i]
            new[6] = old[6] + log_moved[i]
    return gathered
