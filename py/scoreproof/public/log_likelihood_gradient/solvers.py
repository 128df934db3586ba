"""Solvers of fixed steps that people write, and their slips.

Conventions: a stage of node c is at s - c h, for the time falls from 1 to 0; stages, weights.
"""

from __future__ import annotations

__all__ = ["METHODS", "STRAYED", "SUMS"]

#: nodes and coefficients (a, b) of each method, with its order
Method = tuple[int, tuple[float, ...], tuple[tuple[float, ...], ...], tuple[float, ...]]
METHODS: dict[str, Method] = {
    "Euler": (1, (0.0,), ((),), (1.0,)),
    "midpoint": (2, (0.0, 0.5), ((), (0.5,)), (0.0, 1.0)),
    "Heun": (2, (0.0, 1.0), ((), (1.0,)), (0.5, 0.5)),
    "RK4": (
        4,
        (0.0, 0.5, 0.5, 1.0),
        ((), (0.5,), (0.0, 0.5), (0.0, 0.0, 1.0)),
        (1 / 6, 1 / 3, 1 / 3, 1 / 6),
    ),
    "RK4 (3/8 rule)": (
        4,
        (0.0, 1 / 3, 2 / 3, 1.0),
        ((), (1 / 3,), (-1 / 3, 1.0), (1.0, -1.0, 1.0)),
        (1 / 8, 3 / 8, 3 / 8, 1 / 8),
    ),
}
#: times that a stage may be told in place of its own, as nodes
TOLD = {-1.0: "s + h", -0.5: "s + h/2", 0.0: "s", 0.5: "s - h/2", 1.0: "s - h"}


def _told_wrongly() -> dict[str, Method]:
    """Methods of which one stage is told another time, or both of the middle are: of order 1."""
    found: dict[str, Method] = {}
    for name in ("midpoint", "Heun", "RK4"):
        _, nodes, a, b = METHODS[name]
        many = len(nodes)
        stages: list[tuple[int, ...]] = [(k,) for k in range(1, many)]
        for which in [*stages, (1, 2)] if many > 2 else stages:
            for node, at in TOLD.items():
                # half a step belongs to a stage in the middle, a whole one to one at the end
                if node == nodes[which[0]] or (node and abs(node) != nodes[which[0]]):
                    continue
                other = tuple(node if k in which else c for k, c in enumerate(nodes))
                of = " and ".join(STAGES[k] for k in which)
                one = len(which) == 1
                text = (
                    f"its {of} stage{'' if one else 's'} {'is' if one else 'are'} told {at}, where"
                    f" {TOLD[nodes[which[0]]]} is due"
                )
                found[f"{name}: {text}"] = (1, other, a, b)
    return found


STAGES = ("first", "second", "third", "fourth")
STRAYED = _told_wrongly()
#: sums over the steps for the integral of νᵀJν, z by RK4: weights of the steps' starts and ends
SUMS = {
    "left sums": (1, (1.0, 0.0)),
    "right sums": (1, (0.0, 1.0)),
    "the trapezoid rule": (2, (0.5, 0.5)),
}
