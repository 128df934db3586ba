"""Jets of a density and a drift at a point, in any arithmetic: truncated series in one coordinate
at a time.

Conventions: as in `statement`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from scoreproof.claims.fokker_planck.statement import Jets
from scoreproof.numerics.jets import Jet

__all__ = ["jets_at"]


def jets_at(
    density: Callable[[list[Any]], Any],
    drift: Callable[[list[Any]], Sequence[Any]],
    x: Sequence[Any],
    rho: Any,
    rho_start: Any,
) -> Jets:
    """`Jets` at the point x (a list of coordinates in any arithmetic) by a second-order series in
    each coordinate.
    """
    columns = []
    for i in range(len(x)):
        moved = [Jet.variable(c, 2) if k == i else c for k, c in enumerate(x)]
        f = drift(moved)[i]
        f = f if isinstance(f, Jet) else Jet([f, f * 0, f * 0])
        columns.append((density(moved), f))
    return Jets(
        columns[0][0].derivative(0),
        [p.derivative(1) for p, _ in columns],
        [p.derivative(2) for p, _ in columns],
        [f.derivative(0) for _, f in columns],
        [f.derivative(1) for _, f in columns],
        rho,
        rho_start,
    )
