"""What a wrong gradient looks like, in words: of one node's rule, or of the whole function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from scoreproof.claims.backprop.faults import REASONS
from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.backward.slots import SlotFinding

if TYPE_CHECKING:
    from scoreproof.public.backward.seen import Seen

__all__ = ["entry", "listed", "node_diagnosis"]

STRAIGHT_THROUGH = (
    "the function does not change with this argument, yet a gradient is passed on: a"
    " straight-through estimator"
)


def listed(labels: Sequence[str]) -> str:
    """Three of them, and how many more."""
    more = f" and {len(labels) - 3} more" if len(labels) > 3 else ""
    return "; ".join(labels[:3]) + more


def node_diagnosis(findings: Sequence[SlotFinding], node: int) -> Diagnosis:
    """What the wrong rule of one node looks like: its pairings against those of simple mistakes."""
    mine = [(f.argument, p) for f in findings if f.node == node for p in f.probes if p.usable]
    left = np.array([p.back for _, p in mine])
    right = np.array([p.value for _, p in mine])
    slack = np.array([p.slack for _, p in mine])
    if np.all(np.abs(right) <= slack):
        text = f"It looks like straight_through: {STRAIGHT_THROUGH}."
        return Diagnosis(("straight_through",), 0.0, None, text)
    mistakes = {"minus": -1.0, "factor_2": 2.0, "factor_half": 0.5, "gradient_missing": 0.0}
    candidates, reasons = {name: c * right for name, c in mistakes.items()}, dict(REASONS)
    arguments = sorted({k for k, _ in mine})
    for k in arguments if len(arguments) > 1 else ():
        at = np.array([a == k for a, _ in mine])
        for mistake, c in mistakes.items():
            name = f"{mistake}_argument_{k + 1}"
            candidates[name] = np.where(at, c * right, right)
            reasons[name] = f"for argument {k + 1} alone, {REASONS[mistake]}"
    return diagnose(left, right, candidates, reasons=reasons)


def entry(seen: Seen, i: int, wrong: int) -> str:
    """``at entry [3, 5] of `x`: 0 where 0.37 is due (1 of 8 entries is off)``."""
    entries = seen.entries
    p = int(entries.source[i])
    first = int(np.searchsorted(entries.source, p))
    source = seen.sources[p] if seen.sources is not None else p
    where = seen.due[source].where(i - first)
    at = "" if where == "[]" else f"entry {where} of "
    verb = "is" if wrong == 1 else "are"
    place = ", a little off the inputs, where it is not zero" if seen.nearby else ""
    return (
        f"at {at}`{seen.program.nodes[seen.at[source]].label}`{place}: {entries.found[i]:.6g} where"
        f" {entries.due[i]:.6g} is due ({wrong} of {entries.due.size} entries {verb} off)"
    )


def along(seen: Seen, findings: Sequence[SlotFinding]) -> str:
    """What a rule gives along a direction, and how the values change there; of the worst slot."""
    worst = max(findings, key=lambda f: f.error(None)[0])
    probe = worst.worst
    if probe is None:
        return ""
    node = seen.program.nodes[worst.node]
    name = seen.program.nodes[node.arguments[worst.argument]].name
    return (
        f": along a random direction of `{name}` its values change at the rate {probe.value:.4g},"
        f" and its backward gives {probe.back:.4g}"
    )
