"""Gauss rules in the cells of a grid, and how well they integrate the test functions.

Conventions: as in `windows`; cells end at the points of the grid and where windows end.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.fokker_planck.grid.solution import Solution
from scoreproof.public.fokker_planck.grid.windows import Window, Windows

__all__ = ["GAUSS", "cells_of", "nodes_of", "rule_error"]

#: nodes in a cell, by dimension
GAUSS = {1: 5, 2: 3}
#: nodes of the rule that it is held against, on polynomials in place of the solution
MORE = 10


def cells_of(solution: Solution, i: int, windows: Windows, box: tuple[float, float]) -> np.ndarray:
    """The ends of the cells of a coordinate, cut where windows end."""
    ends = solution.edges[i] if solution.cells else solution.axes[i]
    cuts = [w[i].middle + side * w[i].half for w in windows.functions for side in (-1, 1)]
    inner = np.concatenate([ends, cuts])
    inner = np.unique(np.concatenate([inner[(inner > box[0]) & (inner < box[1])], box]))
    wide = np.diff(inner) > 1e-9 * (box[1] - box[0])
    return np.concatenate([inner[:-1][wide], inner[-1:]])


def nodes_of(ends: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss nodes in every cell, and their weights."""
    at, w = np.polynomial.legendre.leggauss(count)
    half = np.diff(ends) / 2
    x = (ends[:-1] + half)[:, None] + half[:, None] * at
    return x.ravel(), (half[:, None] * w).ravel()


def rule_error(w: Window, cells: np.ndarray, nodes: tuple[np.ndarray, np.ndarray]) -> float:
    """Of integrals of ∂φ and ∂²φ times 1, u, u², u³, beside a rule of more nodes."""
    worst = 0.0
    finer = nodes_of(cells, MORE)
    for power in range(4):
        rows = [
            (w.derivatives(x)[1:3] * ((x - w.middle) / w.half) ** power * weights)
            for x, weights in (nodes, finer)
        ]
        size = np.abs(rows[1]).sum(axis=1)
        worst = max(worst, float(np.max(np.abs(rows[0].sum(axis=1) - rows[1].sum(axis=1)) / size)))
    return 4 * worst
