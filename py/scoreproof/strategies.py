"""Hypothesis strategies for the objects that the claims talk about; failing examples shrink to
readable ones.

Everything is built from explicit numbers on a grid of sixteenths (no seeds, no arrays of raw
floats), so that a minimal
example reads like one made by hand: a mean of zero, an identity covariance, an edge from 0 to 1.
Needs Hypothesis (``pip install hypothesis``).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, MissingExtraError
from scoreproof.objects.fields import LogisticField, TanhNetwork
from scoreproof.objects.graphs import Graph
from scoreproof.objects.h_transform import HTransform
from scoreproof.objects.linear_sde import LinearSDE
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.objects.schedules import EDM, VE, FlowMatching, Schedule, SubVP, VPCosine, VPLinear

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise MissingExtraError("test", "hypothesis") from error

__all__ = [
    "covariances",
    "graphs",
    "linear_sdes",
    "mixtures",
    "nonlinear_sdes",
    "numbers",
    "schedules",
    "smooth_fields",
]


def numbers(low: float, high: float) -> st.SearchStrategy[float]:
    """Multiples of 1/16 in [low, high], shrinking towards the one nearest to zero."""
    first, last = int(np.ceil(16 * low)), int(np.floor(16 * high))
    if first > last:
        raise ArgumentError(
            "low, high", "an interval that holds a multiple of 1/16", (low, high), "widen it"
        )
    return st.integers(first, last).map(lambda k: k / 16)


def _vectors(d: int, size: float) -> st.SearchStrategy[np.ndarray]:
    return st.lists(numbers(-size, size), min_size=d, max_size=d).map(np.array)


@st.composite
def covariances(draw: Any, d: int | None = None, condition: float = 100.0) -> np.ndarray:
    """Symmetric positive definite ``(d, d)`` with a condition number of at most ``condition``;
    shrinks to the identity.

    Rotations in the coordinate planes turn a diagonal of powers of two; d is between 1 and 4 unless
    it is given.
    """
    if not condition >= 1:
        raise ArgumentError(
            "condition", ">= 1", condition, "it is the largest eigenvalue over the smallest"
        )
    d = draw(st.integers(1, 4)) if d is None else d
    levels = int(np.log2(condition))
    exponents = np.array(
        draw(st.lists(st.integers(0, levels), min_size=d, max_size=d)), dtype=float
    )
    cov = np.diag(2.0 ** (exponents - exponents.min()))
    for i in range(d - 1):
        angle = draw(numbers(0, 3)) if draw(st.booleans()) else 0.0
        turn = np.eye(d)
        turn[i : i + 2, i : i + 2] = [
            [np.cos(angle), -np.sin(angle)],
            [np.sin(angle), np.cos(angle)],
        ]
        cov = turn @ cov @ turn.T
    return (cov + cov.T) / 2


@st.composite
def mixtures(
    draw: Any, d: int | None = None, components: int = 3, condition: float = 20.0
) -> GaussianMixture:
    """Gaussian mixtures in R^d (d from 1 to 3 unless given); shrinks to one standard normal."""
    d = draw(st.integers(1, 3)) if d is None else d
    k = draw(st.integers(1, components))
    weights = np.array(draw(st.lists(st.integers(1, 8), min_size=k, max_size=k)), dtype=float)
    means = np.stack([draw(_vectors(d, 3)) for _ in range(k)])
    return GaussianMixture(
        weights / weights.sum(),
        means,
        np.stack([draw(covariances(d, condition)) for _ in range(k)]),
    )


def schedules() -> st.SearchStrategy[Schedule]:
    """VP (linear, cosine with its clip), sub-VP, VE, EDM and flow matching, with constants around
    the usual ones; shrinks to linear VP with the usual ones, VPLinear().
    """
    # first what draws no number: Hypothesis takes the fewest choices before the first alternative
    return st.one_of(
        st.just(VPLinear()),
        st.builds(VPLinear, numbers(0.0625, 1), numbers(2, 20)),
        st.builds(SubVP, numbers(0.0625, 1), numbers(2, 20)),
        st.builds(VE, numbers(0.0625, 0.5), numbers(2, 50)),
        st.just(VPCosine()),
        st.just(EDM()),
        st.just(FlowMatching()),
    )


@st.composite
def linear_sdes(draw: Any, d: int | None = None) -> LinearSDE:
    """``dX = (A X + b) dt + ρ(t) dW`` with ρ a polynomial that stays positive on [0, 1]; A of any
    sign and symmetry.
    """
    d = draw(st.integers(1, 3)) if d is None else d
    rows = [draw(_vectors(d, 1)) for _ in range(d)]
    rho = [draw(numbers(0.5, 2)), draw(numbers(0, 1))]
    return LinearSDE(np.stack(rows), draw(_vectors(d, 1)), rho)


@st.composite
def nonlinear_sdes(draw: Any, d: int | None = None) -> HTransform:
    """``dX = ρ² ∇log h dt + ρ dW`` with h a sum of exponentials: a nonlinear drift with a
    closed-form density.
    """
    d = draw(st.integers(1, 2)) if d is None else d
    terms, atoms = draw(st.integers(1, 3)), draw(st.integers(1, 2))
    return HTransform(
        c=[draw(numbers(0.25, 2)) for _ in range(terms)],
        a=[draw(_vectors(d, 1.5)).tolist() for _ in range(terms)],
        rho2=[draw(numbers(0.5, 2)), draw(numbers(0, 1))],
        weights=[1 / atoms] * atoms,
        means=[draw(_vectors(d, 1)).tolist() for _ in range(atoms)],
        variances=[draw(numbers(0.25, 1)) for _ in range(atoms)],
    )


@st.composite
def smooth_fields(draw: Any, d: int | None = None) -> tuple[Any, np.ndarray]:
    """A vector field and its parameters: a tanh network, or a conjugated-logistic field with a
    closed-form flow.
    """
    d = draw(st.integers(1, 3)) if d is None else d
    if draw(st.booleans()):
        basis = np.eye(d) + np.tril(np.full((d, d), draw(numbers(0, 0.5))), -1)
        rates, capacities = (
            draw(st.lists(numbers(0.25, 2), min_size=d, max_size=d)),
            draw(st.lists(numbers(1, 3), min_size=d, max_size=d)),
        )
        return LogisticField(basis, np.linalg.inv(basis), draw(numbers(0, 1))), np.array(
            rates + capacities
        )
    net = TanhNetwork(d, (draw(st.integers(1, 4)),))
    return net, draw(_vectors(net.parameters, 1))


@st.composite
def graphs(draw: Any, size: int = 6, parallel: bool = True) -> Graph:
    """Acyclic graphs with edges i → j, i < j; several between the same nodes when ``parallel``.
    Shrinks to two nodes, no edge.
    """
    n = draw(st.integers(2, size))
    pairs = [(i, j) for i in range(n) for j in range(i + 1, n)]
    counts = draw(
        st.lists(st.integers(0, 2 if parallel else 1), min_size=len(pairs), max_size=len(pairs))
    )
    return Graph(
        n, tuple(pair for pair, count in zip(pairs, counts, strict=True) for _ in range(count))
    )
