"""One rule of a small engine, wrong wherever the engine uses it: in its products and powers, and in
what it makes of them.

Conventions: engines of scalars, as micrograd, write -x as x * (-1), x - y as x + (-y) and x / y as
x * y**-1, so that a wrong rule of * or ** is one of these as well. Entry by entry: a node whose
argument has another shape than its value is left as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local
from scoreproof.public.backward.compared import Compared
from scoreproof.public.backward.tape import Rule, Tape

__all__ = ["engine_rules", "operation"]

#: (values of the arguments that move, the derivative that is due, the node's value): another one
Entry = Callable[[list[np.ndarray], np.ndarray, np.ndarray], np.ndarray]

OWN = (
    "products give each operand its own value where the other's is due: self.grad += other.data *"
    " out.grad"
)
HIGH = "powers have n · x**n where n · x**(n - 1) is due: the exponent is not lowered"
BARE = "powers have x**(n - 1) where n · x**(n - 1) is due: the factor n is missing"
#: how an engine may write what it has no rule for
WRITTEN = ("", ", also where -x and x - y are written by products with -1",
           ", also where x / y is written as x * y**-1")  # fmt: skip


def operation(tape: Tape, v: int) -> str:
    label = tape.program.nodes[v].label
    return label.partition(" = ")[2].partition("(")[0].lstrip(".").strip("_")


def _own(k: int) -> Entry:
    return lambda x, d, y: x[k]


# a product with a number that is no node: its own value, once
_MUL = {("mul", 0): _own(0), ("mul", 1): _own(1)}
_NEG = {("neg", 0): _own(0), ("sub", 1): _own(-1)}
_DIV = {
    ("div", 0): _own(0),
    ("truediv", 0): _own(0),
    ("div", 1): lambda x, d, y: -(x[-1] ** -3.0),
    ("truediv", 1): lambda x, d, y: -(x[-1] ** -3.0),
}
_HIGH = {("pow", 0): lambda x, d, y: d * x[0]}
_HIGH_DIV = {(n, 1): lambda x, d, y: d * x[-1] for n in ("div", "truediv")}
_BARE = {("pow", 0): lambda x, d, y: y / x[0]}
_BARE_DIV = {(n, 1): lambda x, d, y: -d for n in ("div", "truediv")}

Table = Mapping[tuple[str, int], Entry]
#: name, words, and what is wrong in ever more operations
RULES: tuple[tuple[str, str, tuple[Table, ...]], ...] = (
    ("own_operand", OWN, (_MUL, _MUL | _NEG, _MUL | _NEG | _DIV)),
    ("power_not_lowered", HIGH, (_HIGH, _HIGH, _HIGH | _HIGH_DIV)),
    ("power_without_factor", BARE, (_BARE, _BARE, _BARE | _BARE_DIV)),
)


def engine_rules(tape: Tape, c: Compared) -> Diagnosis | None:
    """At most nine runs of the pass."""
    for name, words, tables in RULES:
        before: Table | None = None
        for table, written in zip(tables, WRITTEN, strict=True):
            if table == before:
                continue
            before = table
            nodes = [v for v in tape.parts if any(op == operation(tape, v) for op, _ in table)]
            if len(nodes) < 2:
                continue
            with np.errstate(all="ignore"):
                effect = tape.effect({}, {v: _rule(tape, v, table) for v in nodes})
            if np.any(effect) and np.all(np.isfinite(effect)) and c.explained(c.all_due + effect):
                text = f"Cause: {words}{written}. Wrong by it: {c.called(sorted(c.wrong))}."
                return Diagnosis.cause(name, text)
    return None


def _rule(tape: Tape, v: int, table: Table) -> Rule:
    kind = operation(tape, v)

    def rule(local: Local, g: Leaves) -> list[Leaves]:
        sent = list(local.pull(g))
        due = local.pull(local.value.like(np.ones(g.size)))
        x, y = [a.flat() for a in local.arguments], local.value.flat()
        for k in range(len(sent)):
            entry = table.get((kind, k))
            if entry is not None and local.arguments[k].size == g.size == y.size:
                other = entry(x, due[k].flat(), y)
                if np.shape(other) == np.shape(y):
                    sent[k] = sent[k].like(g.flat() * other)
        return sent

    return rule
