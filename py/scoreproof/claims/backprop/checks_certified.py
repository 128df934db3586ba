"""Real node functions in ball arithmetic: the loops' gradients are the derivatives of what the
graph computes.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx, fmpq

from scoreproof.claims.backprop.statement import Loops
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics import functions as fn
from scoreproof.numerics.balls import ball, decide
from scoreproof.numerics.flint_matrices import FlintMatrix
from scoreproof.numerics.jets import Jet
from scoreproof.objects.graphs import BackwardPass, Graph

__all__ = ["jacobians"]

RADIUS = 1e-55


class Network:
    """A graph whose nodes compute ``sin(Σ B_s u_s) + (Σ C_s u_s)²`` of their arguments u_s (slots
    s), weights rational.
    """

    def __init__(self, graph: Graph, dims: list[int], rng: np.random.Generator) -> None:
        self.graph, self.dims = graph, dims

        def weights(rows: int, columns: int) -> list[list[fmpq]]:
            return [
                [fmpq(int(k), 16) for k in row]
                for row in rng.integers(1, 12, (rows, columns))
                * rng.choice([-1, 1], (rows, columns))
            ]

        self.B = [weights(dims[v], dims[u]) for u, v in graph.edges]
        self.C = [weights(dims[v], dims[u]) for u, v in graph.edges]
        self.sources = [
            [q[0] for q in weights(d, 1)] for d in dims
        ]  # used at nodes without arguments
        self.v_out = graph.order[-1]
        self.at = cache(self._at)

    def _inner(self, weights: list[Any], v: int, values: list[Any]) -> list[Any]:
        """``Σ_s weights_s u_s`` as a list of scalars (balls or jets)."""
        out: list[Any] = [0] * self.dims[v]
        for u, slot in self.graph.predecessors[v]:
            for i in range(self.dims[v]):
                for j in range(self.dims[u]):
                    out[i] = out[i] + values[u][j] * arb(weights[slot][i][j])
        return out

    def values(self, at: int | None = None, component: int = 0) -> list[Any]:
        """All node values; with ``at``, node ``at`` is moved by ε in one component and later nodes
        are jets in ε.
        """
        out: list[Any] = [None] * self.graph.size
        for v in self.graph.order:
            if self.graph.predecessors[v]:
                a, c = self._inner(self.B, v, out), self._inner(self.C, v, out)
                out[v] = [fn.sin(x) + y * y for x, y in zip(a, c, strict=True)]
            else:
                out[v] = [ball(q) for q in self.sources[v]]
            if v == at:
                out[v] = [Jet.variable(x, 1) if i == component else x for i, x in enumerate(out[v])]
        return out

    def _at(self, bits: int) -> tuple[BackwardPass, list[arb_mat]]:
        """The backward pass (partials by hand) and the derivatives of v_out (by jets) at this
        precision.
        """
        plain = self.values()
        partials: list[Any] = [None] * len(self.graph.edges)
        for v in range(self.graph.size):
            a, c = self._inner(self.B, v, plain), self._inner(self.C, v, plain)
            for u, slot in self.graph.predecessors[v]:
                entries = [
                    a[i].cos() * arb(self.B[slot][i][j]) + 2 * c[i] * arb(self.C[slot][i][j])
                    for i in range(self.dims[v])
                    for j in range(self.dims[u])
                ]
                partials[slot] = FlintMatrix(arb_mat(self.dims[v], self.dims[u], entries))
        rows = self.dims[self.v_out]
        zeros = [FlintMatrix(arb_mat(rows, d)) for d in self.dims]
        one = FlintMatrix(
            arb_mat(rows, rows, [int(i == j) for i in range(rows) for j in range(rows)])
        )
        targets = []
        for v, d in enumerate(self.dims):
            columns = [
                [self._derivative(x) for x in self.values(v, j)[self.v_out]] for j in range(d)
            ]
            targets.append(arb_mat(rows, d, [columns[j][i] for i in range(rows) for j in range(d)]))
        return BackwardPass.of(self.graph, partials, zeros, self.v_out, one), targets

    @staticmethod
    def _derivative(x: Any) -> arb:
        return x.derivative(1) if isinstance(x, Jet) else arb(0)


#: u * u from 0 to 1, a node with three consumers, one with three arguments; 4 takes 2 before 3, so
#: a queue is too early.
_FIXED = Graph(5, ((0, 1), (0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (2, 4), (3, 4), (0, 4)))


def _networks(profile: str) -> tuple[Instance, ...]:
    square = Instance("5 nodes in R², u * u included", lambda rng: Network(_FIXED, [2] * 5, rng))
    mixed = Instance("5 nodes in R¹, R², R³", lambda rng: Network(_FIXED, [3, 1, 2, 3, 2], rng))
    return {"faults": (square,), "quick": (mixed,)}.get(profile, (square, mixed))


@check(kind="certified", instances=_networks, probes=("partial", "seed"))
def jacobians(subject: Loops, network: Network, rng: Any) -> Evidence:
    """A graph of real functions of vectors with rational weights, in ball arithmetic. The partials
    are written by hand; the gradient of v_out with respect to every node is also taken by moving
    that node by ε and evaluating the graph in power series, without any partial. The difference of
    the two must contain zero.
    """

    def residuals() -> list[Any]:
        run, targets = network.at(ctx.prec)
        out = []
        for version in (subject.pull, subject.push):
            left_over = [
                run.zeros[v]
                + FlintMatrix(arb_mat(t.nrows(), t.ncols(), [1] * (t.nrows() * t.ncols())))
                for v, t in enumerate(targets)
            ]
            grad = version(run, subject.prepare(run, left_over))
            out += [
                x for g, t in zip(grad, targets, strict=True) for x in (g.parts[0] - t).entries()
            ]
        return out

    slots = len(network.graph.edges)
    return decide(
        residuals,
        f"gradients against derivatives by power series on a graph of {slots} slots",
        radius=RADIUS,
    )
