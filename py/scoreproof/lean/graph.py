"""The dependency graph of the Lean declarations as SVG, drawn from the receipt alone.

Columns from left to right: a declaration stands one column after the last of those it uses. An edge
that a path already implies is
left out. The same receipt gives the same bytes. ``python -m scoreproof.lean.graph >
docs/lean-graph.svg`` renews the committed one.
"""

from __future__ import annotations

import html
import sys
from dataclasses import dataclass

from scoreproof.lean.receipt import Receipt, project_root, read_receipt

__all__ = ["draw", "layers", "reduced"]

CHARACTER, HEIGHT, GAP, COLUMN_GAP, MARGIN = 7.3, 26, 14, 44, 24
Graph = dict[str, tuple[str, ...]]

STYLE = """
svg { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; }
.page { fill: #ffffff; } text { fill: #1f2328; } .legend { font-family: system-ui, sans-serif; }
.edge { fill: none; stroke: #8c959f; stroke-width: 1; }
rect.theorem { fill: #ddf4ff; stroke: #0969da; }
rect.definition { fill: #f6f8fa; stroke: #8c959f; }
rect.main { fill: #1a7f37; stroke: #1a7f37; }
text.main { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  .page { fill: #0d1117; } text { fill: #e6edf3; } .edge { stroke: #6e7681; }
  rect.theorem { fill: #0c2d6b; stroke: #58a6ff; }
  rect.definition { fill: #21262d; stroke: #6e7681; }
}"""


@dataclass(frozen=True, slots=True)
class Box:
    """Where a declaration stands."""

    x: float
    y: float
    width: float


def layers(graph: Graph) -> dict[str, int]:
    """The column of each declaration: 0 for one that uses none, else one more than the last it
    uses.

    >>> layers({"a": (), "b": ("a",), "c": ("a", "b")})
    {'a': 0, 'b': 1, 'c': 2}
    """
    found: dict[str, int] = {}

    def column(name: str, path: tuple[str, ...]) -> int:
        if name in path:
            raise ValueError(
                "the receipt's declarations use each other in a circle:"
                f" {' → '.join((*path, name))}"
            )
        if name not in found:
            found[name] = 1 + max((column(used, (*path, name)) for used in graph[name]), default=-1)
        return found[name]

    for name in graph:
        column(name, ())
    return {name: found[name] for name in graph}


def reduced(graph: Graph) -> Graph:
    """Without the edges that a longer path implies.

    >>> reduced({"a": (), "b": ("a",), "c": ("a", "b")})
    {'a': (), 'b': ('a',), 'c': ('b',)}
    """
    order = layers(graph)
    below: dict[str, set[str]] = {}  # everything a declaration rests on
    for name in sorted(graph, key=lambda n: order[n]):
        below[name] = set(graph[name]).union(*(below[used] for used in graph[name]))
    return {
        name: tuple(u for u in used if not any(u in below[other] for other in used))
        for name, used in graph.items()
    }


def _lanes(edges: Graph, order: dict[str, int]) -> tuple[Graph, dict[tuple[str, str], list[str]]]:
    """Every edge over several columns gets a lane through each column between, so that it crosses
    no box.
    """
    graph: dict[str, list[str]] = {name: [] for name in edges}
    routes: dict[tuple[str, str], list[str]] = {}
    for name, uses in edges.items():
        for used in uses:
            route = [
                f"{used}|{column}" for column in range(order[used] + 1, order[name])
            ]  # edges from one box share their lanes
            stops = [used, *route, name]
            for left, right in zip(stops, stops[1:], strict=False):
                graph.setdefault(right, [])
                if left not in graph[right]:
                    graph[right].append(left)
            routes[used, name] = stops
    return {name: tuple(used) for name, used in graph.items()}, routes


def _columns(graph: Graph) -> list[list[str]]:
    """Columns, each ordered by the mean position of its neighbours (a few sweeps; ties keep the
    file's order).
    """
    order = layers(graph)
    columns: list[list[str]] = [
        [n for n in graph if order[n] == c] for c in range(max(order.values(), default=-1) + 1)
    ]
    users: dict[str, list[str]] = {name: [n for n in graph if name in graph[n]] for name in graph}
    for sweep in range(24):
        place = {name: i - len(column) / 2 for column in columns for i, name in enumerate(column)}
        for column in columns if sweep % 2 == 0 else reversed(columns):
            near = {n: list(graph[n]) if sweep % 2 == 0 else users[n] for n in column}
            column.sort(
                key=lambda n: sum(place[m] for m in near[n]) / len(near[n]) if near[n] else place[n]
            )
            place.update({name: i - len(column) / 2 for i, name in enumerate(column)})
    return columns


def draw(receipt: Receipt) -> str:
    """The SVG of every declaration in the receipt."""
    recorded = {d["name"]: d for entry in receipt.data["files"] for d in entry["declarations"]}
    main = {entry["main_theorem"] for entry in receipt.data["files"]}
    graph: Graph = {
        name: tuple(u for u in d["uses"] if u in recorded) for name, d in recorded.items()
    }
    order = layers(graph)
    edges = reduced(graph)
    laned, routes = _lanes(edges, order)
    columns = _columns(laned)
    prefix = (
        receipt.data["files"][0]["main_theorem"].rpartition(".")[0] + "."
        if len(receipt.data["files"]) == 1
        else "ScoreProof."
    )
    label = {name: name.removeprefix(prefix) for name in recorded}
    tall = [sum(_room(name, recorded) for name in column) for column in columns]
    tallest = max(tall, default=0)
    boxes: dict[str, Box] = {}
    x = float(MARGIN)
    for column, own in zip(columns, tall, strict=True):
        width = max(len(label[name]) for name in column if name in label) * CHARACTER + 18
        y = MARGIN + (tallest - own) / 2
        for name in column:
            boxes[name] = Box(
                x, y if name in label else y + (_room(name, recorded) - HEIGHT) / 2, width
            )
            y += _room(name, recorded)
        x += width + COLUMN_GAP
    width, height = x - COLUMN_GAP + MARGIN, 2 * MARGIN + tallest + 24
    theorems = sum(d["kind"] == "theorem" for d in recorded.values())
    title = (
        f"{theorems} theorems and {len(recorded) - theorems} definitions of the Lean half, and"
        " which uses which"
    )
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}"'
            f' viewBox="0 0 {width:.0f} {height:.0f}" role="img">'
        ),
        f"<title>{title}</title>",
        f"<style>{STYLE}\n</style>",
        f'<rect class="page" width="{width:.0f}" height="{height:.0f}"/>',
    ]
    lines += [
        _edge([boxes[stop] for stop in routes[used, name]])
        for name in graph
        for used in edges[name]
    ]
    lines += [_node(label[name], recorded[name], name in main, boxes[name]) for name in graph]
    legend = (
        f"Names without {prefix} A line leads from what is used (left) to what uses it; one that a"
        " path implies is left out. Blue: theorem; grey: definition; green: the theorem that a"
        " claim cites."
    )
    lines += [
        f'<text class="legend" x="{MARGIN}" y="{height - MARGIN / 2:.0f}">{legend}</text>',
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _room(name: str, recorded: dict[str, object]) -> float:
    """Height a box or a lane takes in its column."""
    return HEIGHT + GAP if name in recorded else GAP


def _edge(stops: list[Box]) -> str:
    """From the right side of the first box through the lanes to the left side of the last."""
    x, y = stops[0].x + stops[0].width, stops[0].y + HEIGHT / 2
    path = f"M{x:.1f} {y:.1f}"
    for stop in stops[1:]:
        to = stop.y + HEIGHT / 2
        middle = (x + stop.x) / 2
        path += f"C{middle:.1f} {y:.1f} {middle:.1f} {to:.1f} {stop.x:.1f} {to:.1f}"
        x, y = stop.x, to
        if stop is not stops[-1]:
            x += stop.width
            path += f"H{x:.1f}"
    return f'<path class="edge" d="{path}"/>'


def _node(label: str, recorded: dict[str, object], main: bool, box: Box) -> str:
    kind = "main" if main else "theorem" if recorded["kind"] == "theorem" else "definition"
    statement = html.escape(str(recorded["statement"]), quote=False)
    return (
        f'<g><title>{statement}</title><rect class="{kind}" x="{box.x:.1f}" y="{box.y:.1f}"'
        f' width="{box.width:.1f}" height="{HEIGHT}" rx="5"/><text class="{kind}"'
        f' x="{box.x + 9:.1f}" y="{box.y + 17:.1f}">{html.escape(label)}</text></g>'
    )


if __name__ == "__main__":
    sys.stdout.write(draw(read_receipt(project_root())))
