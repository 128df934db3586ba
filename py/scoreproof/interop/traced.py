"""A computation graph read from a framework: real values, and per slot the real products with its
Jacobian both ways.

Conventions
-----------
- A gradient or tangent of a node is a tuple of NumPy arrays, one per floating array the node
  returns (``Leaves``), in the dtype of the framework's value.
- ``gradient @ slot`` is the framework's vector-Jacobian product (what its backward pass runs);
  ``slot @ tangent`` is a Jacobian-vector product by forward mode through the *function* of the
  node, never through its backward rule.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.objects.graphs import BackwardPass, Graph

__all__ = ["Leaves", "SlotMap", "TracedGraph", "difference_jvp"]


class Leaves:
    """An element of a node's gradient space: a tuple of arrays with ``+``, ``-``, ``k *`` and ``@
    slot``.
    """

    __slots__ = ("arrays",)

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self.arrays = tuple(arrays)

    def _pairs(self, other: Leaves) -> list[tuple[np.ndarray, np.ndarray]]:
        if [a.shape for a in self.arrays] != [
            b.shape for b in other.arrays
        ]:  # no broadcasting between gradient spaces
            raise ValueError(
                f"shapes {[a.shape for a in self.arrays]} and {[b.shape for b in other.arrays]}"
                " differ"
            )
        return list(zip(self.arrays, other.arrays, strict=True))

    def __add__(self, other: Leaves) -> Leaves:
        return Leaves([a + b for a, b in self._pairs(other)])

    def __sub__(self, other: Leaves) -> Leaves:
        return Leaves([a - b for a, b in self._pairs(other)])

    def __neg__(self) -> Leaves:
        return Leaves([-a for a in self.arrays])

    def __rmul__(self, factor: float) -> Leaves:
        return Leaves([factor * a for a in self.arrays])

    def __matmul__(self, slot: SlotMap) -> Leaves:
        return slot.pull(self) if isinstance(slot, SlotMap) else NotImplemented

    def dot(self, other: Leaves) -> float:
        """The pairing of a gradient with a tangent, summed in double precision."""
        return float(
            sum(np.vdot(np.asarray(a, float), np.asarray(b, float)) for a, b in self._pairs(other))
        )

    def norm(self) -> float:
        return self.dot(self) ** 0.5

    def flat(self) -> np.ndarray:
        return np.concatenate([np.zeros(0), *[np.asarray(a, float).ravel() for a in self.arrays]])


def _no_error(tangent: Leaves) -> float:
    return 0.0


@dataclass(frozen=True)
class SlotMap:
    """The Jacobian of one argument slot, as its two products. ``error(t)``: the relative error of
    ``push(t)`` (0 by forward mode).
    """

    pull: Callable[[Leaves], Leaves]
    push: Callable[[Leaves], Leaves]
    error: Callable[[Leaves], float] = _no_error

    def __matmul__(self, tangent: Leaves) -> Leaves:
        return self.push(tangent)

    def __add__(self, other: SlotMap) -> SlotMap:
        return SlotMap(
            lambda g: self.pull(g) + other.pull(g),
            lambda t: self.push(t) + other.push(t),
            lambda t: max(self.error(t), other.error(t)),
        )


@dataclass(frozen=True)
class TracedGraph:
    """What a framework ran: the graph (names and readable labels), the maps of its slots, and its
    own gradient.

    ``sources`` are the nodes whose gradients ``gradient(seed)`` returns (inputs, then parameters);
    ``eps`` is the unit roundoff of the coarsest floating type in it.
    """

    graph: Graph
    labels: tuple[str, ...]
    slots: tuple[SlotMap, ...]
    values: tuple[Leaves, ...]
    sources: tuple[int, ...]
    inputs: tuple[int, ...]
    v_out: int
    eps: float
    gradient: Callable[[Leaves], list[Leaves]]
    notes: tuple[str, ...] = ()

    def zeros(self) -> list[Leaves]:
        return [Leaves([np.zeros_like(a) for a in v.arrays]) for v in self.values]

    def random(self, rng: np.random.Generator, node: int) -> Leaves:
        """A standard normal element of a node's space, in its dtype."""
        return Leaves(
            [rng.standard_normal(a.shape).astype(a.dtype) for a in self.values[node].arrays]
        )

    def backward_pass(self, seed: Leaves) -> BackwardPass:
        return BackwardPass.of(self.graph, self.slots, self.zeros(), self.v_out, seed)


def difference_jvp(
    function: Callable[[Leaves], Leaves], x: Leaves, t: Leaves, eps: float
) -> tuple[Leaves, float]:
    """``J t`` by central differences with one Richardson step, and an estimate of its relative
    error.

    With D(h) exact to O(h²), ``(4 D(h) - D(2h)) / 3`` is exact to O(h⁴). The estimate is ``|D(h) -
    D(2h)|``, which where the function is smooth is larger by a factor 1/h² and where steps cross
    kinks is of the error's own size, plus the rounding of the function, ``3 eps |f| / h``. It is an
    estimate and no bound: judges leave a margin. For functions that have no forward mode only.
    """
    size, length = max(x.norm(), 1.0), max(t.norm(), 1e-300)
    h = eps**0.25 * size / length

    def central(step: float) -> Leaves:
        shifted = [
            function(
                Leaves(
                    [
                        (a + s * step * b).astype(a.dtype)
                        for a, b in zip(x.arrays, t.arrays, strict=True)
                    ]
                )
            )
            for s in (1, -1)
        ]
        return (0.5 / step) * (shifted[0] - shifted[1])

    near, far = central(h), central(2 * h)
    best = (4 / 3) * near - (1 / 3) * far
    rounding = 3 * eps * function(x).norm() / h
    return best, ((near - far).norm() + rounding) / max(best.norm(), rounding, 1e-300)


def same_value(name: str, first: Leaves, second: Leaves, eps: float) -> None:
    """Raise ``CallableError`` when two evaluations of a node with the same arguments differ by more
    than rounding could.
    """
    size = first.norm()
    if not np.isfinite(size):
        raise CallableError(
            name,
            "return finite numbers",
            "its value holds nan or inf",
            "pass inputs at which the function is finite",
        )
    gap = (first - second).norm()
    if gap > eps**0.5 * max(size, 1e-300):
        raise CallableError(
            name,
            "be deterministic",
            f"two evaluations differ by {gap:.3g}",
            "switch off dropout (model.eval()) and fix its random seed",
        )
