"""The weak form of the equation on a grid: what each test function gained between saved times, and
what drift and noise brought.

Conventions: as in `windows`; ``∫ φ p(b) - ∫ φ p(a) = ∫_a^b ∫ p (f·∇φ + ½ Σ D_ij ∂_i ∂_j φ) dx dt``.
Arrays end in ``(stretches, functions)``. Values between the points of the grid are interpolated,
and integrals taken by Gauss rules in every cell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.fokker_planck.grid.coefficients import Local, Process, local
from scoreproof.public.fokker_planck.grid.rules import GAUSS, cells_of, nodes_of, rule_error
from scoreproof.public.fokker_planck.grid.solution import Solution
from scoreproof.public.fokker_planck.grid.stencils import between, in_time, of_averages
from scoreproof.public.fokker_planck.grid.windows import Window, Windows

__all__ = ["Measure", "Parts", "Term"]

#: what multiplies p: of the value, of each first derivative, of each second one
Term = Callable[[Local], tuple[np.ndarray | None, np.ndarray | None, np.ndarray | None]]


@dataclass(frozen=True, eq=False)
class Parts:
    """``drift`` and ``noise`` by coordinate ``(d, …)``; ``cross``: the noise of two coordinates
    together; ``size``: with the absolute value of every integrand; ``ends``: of p at both ends;
    ``mass`` in each window; ``first_order``: what a solver of first order would leave.
    """

    gained: np.ndarray
    drift: np.ndarray
    noise: np.ndarray
    cross: np.ndarray
    size: np.ndarray
    ends: np.ndarray
    mass: np.ndarray
    first_order: np.ndarray

    @property
    def brought(self) -> np.ndarray:
        """By all together."""
        return self.drift.sum(axis=0) + self.noise.sum(axis=0) + self.cross

    @property
    def residual(self) -> np.ndarray:
        return self.gained - self.brought


class Measure:
    """Integrals of one solution against fixed test functions, between the times of indices
    ``ends``.
    """

    def __init__(self, solution: Solution, windows: Windows, ends: np.ndarray) -> None:
        self.solution, self.windows, self.ends = solution, windows, ends
        box = _reach(solution, windows)
        cells = [cells_of(solution, i, windows, box[i]) for i in range(solution.dimension)]
        nodes = [nodes_of(ends, GAUSS[solution.dimension]) for ends in cells]
        self.axes = [x for x, _ in nodes]
        self.weights = [w for _, w in nodes]
        self.x = np.stack(np.meshgrid(*self.axes, indexing="ij"), axis=-1).reshape(
            -1, solution.dimension
        )
        self.sides = np.array([hi - lo for lo, hi in box])
        self.time, self.coarse_time = in_time(solution.times, ends)
        self.stencils = [_stencil(solution, i, self.axes[i]) for i in range(solution.dimension)]
        other = solution.halved()
        self.coarse = other, [_stencil(other, i, self.axes[i]) for i in range(solution.dimension)]
        # windows are few, and shared by the functions of the plane
        kinds = [dict.fromkeys(f[i] for f in windows.functions) for i in range(solution.dimension)]
        self.which = [
            np.array([list(kinds[i]).index(f[i]) for f in windows.functions])
            for i in range(solution.dimension)
        ]
        self.values = [
            _values(list(kinds[i]), self.axes[i], self.weights[i])
            for i in range(solution.dimension)
        ]
        #: of the rule itself, relative to the size of the terms ``(functions,)``
        self.rule = sum(
            np.array([rule_error(w, cells[i], nodes[i]) for w in kinds[i]])[self.which[i]]
            for i in range(solution.dimension)
        )

    def density(self, k: int, coarse: bool = False) -> np.ndarray:
        """p of the k-th time at all nodes, shaped as the axes."""
        solution, stencils = self.coarse if coarse else (self.solution, self.stencils)
        p = solution.p[k]
        for i, s in enumerate(stencils):
            p = s(p, i)
        return p

    def against(
        self, field: np.ndarray, orders: tuple[int, ...], signed: bool = True
    ) -> np.ndarray:
        """``∫ field ∂^orders φ`` for every φ ``(functions,)``; without signs: ``∫ |…|``."""
        shaped = field.reshape([len(x) for x in self.axes])
        rows = [v[o] if signed else np.abs(v[o]) for v, o in zip(self.values, orders, strict=True)]
        if not signed:
            shaped = np.abs(shaped)
        if len(rows) == 1:
            return np.asarray(rows[0] @ shaped)
        return np.asarray((rows[0] @ shaped @ rows[1].T)[self.which[0], self.which[1]])

    def parts(self, process: Process) -> tuple[Parts, Parts, Parts]:
        """By the grid, by every second point of it, and by every second of its times."""
        d, n = self.solution.dimension, len(self.windows.functions)
        T = len(self.solution.times)
        rows: list[dict[str, np.ndarray]] = []
        values: list[dict[str, np.ndarray]] = []
        for _ in (False, True):
            rows.append({"drift": np.zeros((T, d, n)), "noise": np.zeros((T, d, n))})
            rows[-1] |= {key: np.zeros((T, n)) for key in ("cross", "size", "first")}
            values.append({key: np.zeros((T, n)) for key in ("value", "mass")})
        zero = (0,) * d
        steps = self.solution.steps
        for k, t in enumerate(self.solution.times):
            here = local(process, self.x, float(t), self.sides)
            f, D = here.f + here.reading, here.D
            for row, value, coarse in zip(rows, values, (False, True), strict=True):
                p = self.density(k, coarse).ravel()
                value["value"][k] = self.against(p, zero)
                value["mass"][k] = self.against(p, zero, False)
                for i in range(d):
                    one, two = _orders(d, i), _orders(d, i, i)
                    row["drift"][k, i] = self.against(p * f[:, i], one)
                    row["noise"][k, i] = self.against(p * D[:, i, i] / 2, two)
                    if coarse:
                        continue
                    row["size"][k] += self.against(p * f[:, i], one, False)
                    row["size"][k] += self.against(p * D[:, i, i] / 2, two, False)
                    row["first"][k] += _first_order(self, p, f[:, i], D[:, i, i], (i, steps[i]))
                if d == 2 and np.any(D[:, 0, 1]):
                    row["cross"][k] = self.against(p * D[:, 0, 1], (1, 1))
                    row["size"][k] += self.against(p * D[:, 0, 1], (1, 1), False)
        self.rows, self.values_at = rows, values
        return self.summed()

    def regrouped(self, kept: np.ndarray, ends: np.ndarray) -> Measure:
        """Of some of the saved times only, between others of them; nothing is asked again."""
        other, whole = copy(self), self.solution
        other.solution = replace(whole, p=whole.p[kept], times=whole.times[kept])
        other.ends = ends
        other.time, other.coarse_time = in_time(other.solution.times, ends)
        other.rows, other.values_at = (
            [{key: v[kept] for key, v in row.items()} for row in rows]
            for rows in (self.rows, self.values_at)
        )
        return other

    def summed(self) -> tuple[Parts, Parts, Parts]:
        """What `parts` returns, of what it asked."""
        rows, values = self.rows, self.values_at
        fine = self._made(rows[0], rows[0], values[0], self.time)
        space = self._made(rows[1], rows[0], values[1], self.time)
        return fine, space, self._made(rows[0], rows[0], values[0], self.coarse_time)

    def _made(
        self,
        row: Mapping[str, np.ndarray],
        sizes: Mapping[str, np.ndarray],
        value: Mapping[str, np.ndarray],
        w: np.ndarray,
    ) -> Parts:
        a, b = self.ends[:-1], self.ends[1:]
        gained = value["value"][b] - value["value"][a]
        rate = row["drift"].sum(axis=1) + row["noise"].sum(axis=1) + row["cross"]
        step = np.array(
            [np.max(np.diff(self.solution.times[i : k + 1])) for i, k in zip(a, b, strict=True)]
        )
        late = step[:, None] / 2 * np.abs(rate[b] - rate[a])
        t = self.solution.times
        return Parts(
            gained,
            np.einsum("sk,kin->isn", w, row["drift"]),
            np.einsum("sk,kin->isn", w, row["noise"]),
            w @ row["cross"],
            np.abs(gained) + np.abs(w) @ sizes["size"],
            value["mass"][a] + value["mass"][b],
            (np.abs(w) @ value["mass"]) / (t[b] - t[a])[:, None],
            np.abs(w) @ sizes["first"] + late,
        )

    def integrated(self, process: Process, terms: Mapping[str, Term]) -> dict[str, np.ndarray]:
        """``∫∫ p (c φ + v·∇φ + Σ m_i ∂_i² φ)`` for each term ``(c, v, m)``: for the causes."""
        d, n = self.solution.dimension, len(self.windows.functions)
        T = len(self.solution.times)
        found = {name: np.zeros((T, n)) for name in terms}
        for k, t in enumerate(self.solution.times):
            here = local(process, self.x, float(t), self.sides)
            p = self.density(k).ravel()
            for name, term in terms.items():
                c, v, m = term(here)
                total = np.zeros(n)
                if c is not None:
                    total += self.against(p * c, (0,) * d)
                for i in range(d):
                    if v is not None:
                        total += self.against(p * v[:, i], _orders(d, i))
                    if m is not None:
                        total += self.against(p * m[:, i], _orders(d, i, i))
                found[name][k] = total
        return {name: self.time @ rows for name, rows in found.items()}


def _first_order(
    m: Measure, p: np.ndarray, f: np.ndarray, D: np.ndarray, where: tuple[int, float]
) -> np.ndarray:
    """The leading errors of upwind and of central differences with the steps of this grid."""
    i, h = where
    d = m.solution.dimension
    two, four = _orders(d, i, i), _orders(d, i, i, i, i)
    third = _orders(d, i, i, i)
    return (
        h / 2 * m.against(p * f, two, False)
        + h**2 / 6 * m.against(p * f, third, False)
        + h**2 / 24 * m.against(p * D, four, False)
    )


def _orders(d: int, *along: int) -> tuple[int, ...]:
    return tuple(along.count(i) for i in range(d))


def _reach(solution: Solution, windows: Windows) -> list[tuple[float, float]]:
    """The box that all windows look at, within the solution."""
    out = []
    for i, x in enumerate(solution.axes):
        ends = (solution.edges[i] if solution.cells else x)[[0, -1]]
        low = min(f[i].middle - f[i].half for f in windows.functions)
        high = max(f[i].middle + f[i].half for f in windows.functions)
        out.append((max(low, float(ends[0])), min(high, float(ends[1]))))
    return out


def _stencil(solution: Solution, i: int, at: np.ndarray) -> Callable[[np.ndarray, int], np.ndarray]:
    if solution.cells:
        return of_averages(solution.edges[i], at)
    return between(solution.axes[i], at)


def _values(kinds: list[Window], x: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """``(5, windows, n)``: derivatives of the windows times the weights of the nodes."""
    return np.stack([w.derivatives(x) for w in kinds], axis=1) * weights
