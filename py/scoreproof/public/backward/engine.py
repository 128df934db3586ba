"""An engine: how a pass over a graph walks, adds, clears and starts.

Conventions: as in `engines`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.objects.graphs import BackwardPass
from scoreproof.public.backward.walks import RIGHT
from scoreproof.public.backward.work_lists import Walk

__all__ = ["Engine", "walked"]

PRODUCTS: dict[str, Callable[[Any, Any], Any]] = {
    "right": lambda g, p: g @ p,
    "swapped": lambda g, p: p @ g,
    "transposed": lambda g, p: g @ p.T,
    "transposed_and_swapped": lambda g, p: p.T @ g,
}


@dataclass(frozen=True)
class Engine:
    """``assigns``: = in place of +=. ``zeroed``: which gradients are cleared before a run.
    ``seed``: where the seed is put, or what it is.
    """

    walk: Walk = RIGHT
    assigns: bool = False
    product: str = "right"
    zeroed: str = "all"  # or "none", "leaves"
    seed: str = "v_out"  # or "last", "everywhere", "sinks", "ones", "identity"


def walked(engine: Engine, run: BackwardPass, grad: list[Any]) -> list[Any]:
    """One run from the gradients that the run before left."""
    grad, product = list(grad), PRODUCTS[engine.product]
    for v in run.order:
        leaf = not run.predecessors[v]
        if engine.zeroed == "all" or (engine.zeroed == "leaves" and leaf):
            grad[v] = run.zeros[v]
    for v, one in _seeds(engine.seed, run):
        grad[v] = one
    for v, u, slot in engine.walk(run):
        term = product(grad[v], run.partials[slot])
        grad[u] = term if engine.assigns else grad[u] + term
    return grad


def _seeds(kind: str, run: BackwardPass) -> Iterator[tuple[int, Any]]:
    if kind == "last":
        yield run.order[-1], run.one
    elif kind == "everywhere":
        yield from ((v, run.one) for v in run.order)
    elif kind == "sinks":
        yield from ((v, run.one) for v in run.order if not run.successors[v])
    else:
        one = run.one
        if kind == "ones":
            one = np.ones_like(one)
        elif kind == "identity":
            one = np.eye(len(one))
        yield run.v_out, one
