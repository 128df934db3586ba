"""A computation graph read from a framework: what its nodes compute, and the framework's own
products with their Jacobians, in double precision wherever the function can be run in it.

Conventions
-----------
- ``gradient @ slot`` is the framework's vector-Jacobian product (what its backward pass runs).
- ``sources`` are the floating inputs, then the parameters.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.leaves import Leaves, finite
from scoreproof.objects.graphs import Graph

__all__ = ["Local", "Node", "Program", "Pull"]

Pull = Callable[[Leaves], list[Leaves]]


@dataclass(frozen=True)
class Node:
    """``where``: the nodes of its arguments, in order; ``slots``: which of them are floating and
    get a gradient. ``run`` computes it in the framework's own objects.

    ``custom``: its backward rule is the user's own (``autograd.Function``, ``custom_vjp``, …).
    ``inner``: about how many operations it makes, if many: they round as well. ``eps``: the spacing
    of numbers at 1 in its own type (0: as the coarsest of the function). ``line``: what the user
    wrote there, if it is known.
    """

    name: str
    label: str
    where: tuple[int, ...] = ()
    slots: tuple[int, ...] = ()  # places in ``where``
    run: Callable[[Sequence[Any]], Any] | None = None
    custom: bool = False
    inner: int = 1
    eps: float = 0.0
    line: str = ""

    @property
    def shown(self) -> str:
        """Its label, and the user's line that made it."""
        return f"{self.label}, in `{self.line}`" if self.line else self.label

    @property
    def arguments(self) -> tuple[int, ...]:
        """The nodes at the tails of its slots."""
        return tuple(self.where[k] for k in self.slots)


@dataclass(frozen=True)
class Local:
    """One node at given arguments: its function of them, its value there, and ``pull(g)``, the
    framework's products of g with the Jacobian of each argument. ``elsewhere``: the same node at
    other arguments.
    """

    arguments: tuple[Leaves, ...]
    function: Callable[[Sequence[Leaves]], Leaves]
    value: Leaves
    pull: Callable[[Leaves], list[Leaves]]
    elsewhere: Callable[[Sequence[Leaves]], Local]


@dataclass
class Program(ABC):
    """What a framework runs: the nodes in topological order, and how to run them.

    ``natives``: the nodes' values in the framework's own objects. ``unit``: the spacing of numbers
    at 1 in the type in which the nodes are run here (float64, unless ``notes`` say otherwise);
    ``eps``: that of the coarsest type of the function itself, ``stored``: of its sources;
    ``attempt``: which way it was read; ``floor``: the type of a gradient by hand. ``held``: nodes
    that pass their argument on but no gradient; for the sum over paths they are the identity that
    they compute. ``coarse``: the same nodes run in a coarser type, whose rounding shows in it.
    ``lengths``: how many terms the sums of a node have, as far as they were asked for; ``rules``:
    what is known of nodes whose backward may be written in their output; ``written_twice``: the
    buffers of a module that the last backward wrote as well (a block that is run again in it);
    ``overwrites``: the nodes whose backward writes into the gradient that it gets.
    """

    nodes: tuple[Node, ...]
    natives: tuple[Any, ...]
    inputs: tuple[int, ...]
    parameters: tuple[int, ...]
    v_out: int
    eps: float
    unit: float
    stored: float
    notes: tuple[str, ...] = ()
    attempt: int = 0
    floor: float = 0.0
    coarse: Program | None = None
    held: set[int] = field(default_factory=set)
    lengths: dict[int, float] = field(default_factory=dict)
    rules: Any = None
    written_twice: tuple[str, ...] = ()
    overwrites: set[str] = field(default_factory=set)

    # -- what a framework provides
    @abstractmethod
    def read(self, native: Any) -> Leaves:
        """The floating arrays of a value."""

    @abstractmethod
    def write(self, native: Any, leaves: Leaves) -> Any:
        """A value with other floating arrays."""

    @abstractmethod
    def taped(self, node: Node, arguments: Sequence[Any]) -> tuple[Any, Pull]:
        """``(value, pull)``: a node's value and its products by the framework's rule."""

    @abstractmethod
    def untaped(self, node: Node, arguments: Sequence[Any]) -> Any:
        """The node's value alone."""

    @abstractmethod
    def own(
        self, seed: Leaves, sources: Sequence[Leaves] | None = None
    ) -> tuple[Leaves, list[Leaves]]:
        """``(value, gradients)`` of the user's function itself, in its own type (called once)."""

    def buffers_held(self, seed: Leaves) -> tuple[tuple[str, ...], Leaves, list[Leaves]] | None:
        """The names of the buffers that a call writes, and value and gradients with these held at
        what they become; None where no buffer is written.
        """
        return None

    def buffers_put_back(self, seed: Leaves) -> list[Leaves] | None:
        """The gradients with the buffers put back between the value and the backward."""
        return None

    # -- what follows from it
    def rounded_to(self, floor: float) -> None:
        """What is judged was computed in a type that is at least as coarse as this."""
        self.floor = floor
        self.eps, self.stored = max(self.eps, floor), max(self.stored, floor)

    def examine(self) -> None:
        """Raise ``CallableError`` where the value is not finite, or a node is random."""
        for v, node in enumerate(self.nodes):
            if node.run is not None and node.slots:
                first, second = finite(self.values[v].flat()), finite(self.local(v).value.flat())
                gap = float(np.linalg.norm(first - second))
                if gap > self.eps**0.5 * max(float(np.linalg.norm(first)), 1e-300):
                    raise CallableError(
                        node.label,
                        "be deterministic",
                        f"two evaluations differ by {gap:.3g}",
                        "switch off dropout (model.eval()) and fix its random seed",
                    )
        if not np.all(np.isfinite(self.values[self.v_out].flat())):
            # a mask's -inf inside is no accident; in the value it is
            first_bad = next(
                n
                for n, x in zip(self.nodes, self.values, strict=True)
                if not np.all(np.isfinite(x.flat()))
            )
            raise CallableError(
                first_bad.label,
                "return finite numbers",
                "its value holds nan or inf",
                "pass inputs at which the function is finite",
            )

    @cached_property
    def values(self) -> tuple[Leaves, ...]:
        """The floating arrays of every node."""
        return tuple(self.read(native) for native in self.natives)

    @property
    def sources(self) -> tuple[int, ...]:
        """The nodes at which a gradient is wanted."""
        return self.inputs + self.parameters

    @cached_property
    def moving(self) -> frozenset[int]:
        """The nodes that depend on a source; the others are constants of the function."""
        found = set(self.sources)
        for v, node in enumerate(self.nodes):
            if not found.isdisjoint(node.arguments):
                found.add(v)
        return frozenset(found)

    def point(self) -> list[Leaves]:
        """The values of the sources."""
        return [self.values[v] for v in self.sources]

    @cached_property
    def graph(self) -> Graph:
        """The multigraph of the slots, numbered node by node."""
        edges = [(u, v) for v, node in enumerate(self.nodes) for u in node.arguments]
        return Graph(len(self.nodes), tuple(edges), tuple(n.name for n in self.nodes))

    def local(self, v: int, arguments: Sequence[Leaves] | None = None) -> Local:
        """Node v at these arguments, or at those that it has in the function."""
        node = self.nodes[v]
        given = [self.natives[u] for u in node.where]

        def filled(leaves: Sequence[Leaves]) -> list[Any]:
            natives = list(given)
            for k, x in zip(node.slots, leaves, strict=True):
                natives[k] = self.write(given[k], x)
            return natives

        at = (
            tuple(arguments)
            if arguments is not None
            else tuple(self.values[u] for u in node.arguments)
        )
        value, pull = self.taped(node, filled(at))
        return Local(
            at,
            lambda leaves: self.read(self.untaped(node, filled(leaves))),
            self.read(value),
            pull,
            lambda leaves: self.local(v, leaves),
        )
