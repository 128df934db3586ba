"""Both backward passes on a small graph, node by node: what every gradient is after each step.

The graph is that of the Lean file: b = a·a, c = 3 a, d = b·c at a = 5.
"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from scoreproof.objects.graphs import Graph

__all__ = ["passes"]

GRAPH = Graph(4, ((0, 1), (0, 1), (0, 2), (1, 3), (2, 3)), ("a", "b", "c", "d"))
PARTIALS = (5, 5, 3, 15, 25)
OUT = 3
PLACES = {0: (40, 70), 1: (150, 30), 2: (150, 110), 3: (260, 70)}
TITLES = {"pull": "v collects from what uses it", "push": "v gives to what it uses"}


def passes() -> str:
    """A figure for each step of each pass, and a slider that shows one step at a time; where
    scripts do not run all steps are there, one below the other.
    """
    columns = []
    for kind, title in TITLES.items():
        steps = list(_steps(kind))
        frames = "".join(
            f'<li class="frame" data-step="{k}">{_frame(values, visited, used, kind)}</li>'
            for k, (values, visited, used) in enumerate(steps)
        )
        columns.append(f"<div><h4>{escape(title)}</h4><ol class=frames>{frames}</ol></div>")
    last = len(steps) - 1
    return (
        '<div class="walk"><label class="slider" hidden>step <input type="range" min="0"'
        f' max="{last}" value="{last}"> <output>{last} of {last}</output></label>'
        f'<div class="both">{"".join(columns)}</div></div>'
    )


def _steps(kind: str) -> Iterator[tuple[list[int], int | None, list[int]]]:
    """The gradients, the node that was visited, and the slots used, from the seed on."""
    grad = [0] * GRAPH.size
    grad[OUT] = 1
    yield list(grad), None, []
    for v in reversed(GRAPH.order):
        used = []
        if kind == "pull":
            for w, slot in GRAPH.successors[v]:
                grad[v] += grad[w] * PARTIALS[slot]
                used.append(slot)
        else:
            for u, slot in GRAPH.predecessors[v]:
                grad[u] += grad[v] * PARTIALS[slot]
                used.append(slot)
        yield list(grad), v, used


def _frame(values: list[int], visited: int | None, used: list[int], kind: str) -> str:
    names = GRAPH.names
    told = ", ".join(f"{n} {v}" for n, v in zip(names, values, strict=True))
    at = "the seed" if visited is None else f"at {names[visited]}"
    lines = []
    for slot, (u, v) in enumerate(GRAPH.edges):
        (x1, y1), (x2, y2) = PLACES[u], PLACES[v]
        bend = (slot - 0.5) * 22 if (u, v) == (0, 1) else 0
        mark = ' class="used"' if slot in used else ""
        lines.append(
            f'<path{mark} d="M{x1} {y1} Q{(x1 + x2) / 2} {(y1 + y2) / 2 + bend} {x2} {y2}"/>'
            f'<text class="partial" x="{(x1 + x2) / 2}" y="{(y1 + y2) / 2 + bend * 0.9 - 4}">'
            f"{PARTIALS[slot]}</text>"
        )
    nodes = []
    for v, (x, y) in PLACES.items():
        mark = ' class="visited"' if v == visited else ""
        nodes.append(
            f'<circle{mark} cx="{x}" cy="{y}" r="17"/><text x="{x}" y="{y + 4}">{values[v]}</text>'
            f'<text class="name" x="{x}" y="{y + 30}">{names[v]}</text>'
        )
    return (
        f'<svg viewBox="0 0 300 150" role="img" aria-label="{at}: gradients {told}">'
        f"{''.join(lines)}{''.join(nodes)}</svg><span>{at}</span>"
    )
