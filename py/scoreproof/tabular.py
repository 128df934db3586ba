"""The rows behind a verdict, as a table that a person reads and a program takes.

Conventions: a cell is a number or a short text; numbers are shown with three digits, whole ones
with six.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scoreproof.errors import ArgumentError

__all__ = ["Table", "jsonable", "shown"]

Cell = float | int | str


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` of cells under ``columns``.

    >>> table = Table(("σ", "error"), ((0.5, 0.01234), (80.0, "none")))
    >>> print(table)
    | σ   | error  |
    |-----|--------|
    | 0.5 | 0.0123 |
    | 80  | none   |
    >>> table.column("σ")
    (0.5, 80.0)
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("every row must have one cell for each column")

    def column(self, name: str) -> tuple[Cell, ...]:
        """The cells under ``name``; raises ``ArgumentError`` where there is no such column."""
        if name not in self.columns:
            known = ", ".join(self.columns)
            raise ArgumentError("name", f"one of {known}", repr(name), "print(table) shows them")
        return tuple(row[self.columns.index(name)] for row in self.rows)

    def __str__(self) -> str:
        cells = [list(self.columns), *([_cell(c) for c in row] for row in self.rows)]
        widths = [max(len(line[j]) for line in cells) for j in range(len(self.columns))]
        lines = [
            "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |"
            for line in cells
        ]
        rule = "|" + "|".join("-" * (w + 2) for w in widths) + "|"
        return "\n".join([lines[0], rule, *lines[1:]])

    def to_dict(self) -> dict[str, object]:
        """JSON-ready: a number that is not finite is null."""
        return {
            "columns": list(self.columns),
            "rows": [[jsonable(c) for c in row] for row in self.rows],
        }


def jsonable(value: Any) -> float | int | str | None:
    """A number or a text as JSON has them, of NumPy's kinds too; not finite is null.

    >>> import numpy as np
    >>> jsonable(np.float32(0.5)), jsonable(np.int64(3)), jsonable(float("nan")), jsonable("none")
    (0.5, 3, None, 'none')
    """
    plain: float | int | str = value.item() if hasattr(value, "item") else value
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain


def shown(value: Cell) -> str:
    """The text of a cell.

    >>> shown(0.012345), shown(1000), shown("none")
    ('0.0123', '1000', 'none')
    """
    if isinstance(value, str):
        return value
    return f"{value:.3g}" if value % 1 else f"{value:.6g}"


def _cell(value: Cell) -> str:
    return shown(value).replace("|", "\\|")
