"""A wrong rule that explains a wrong gradient: tried to the bound, and told."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.causes.closed_forms import closed_form, number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.backward.compared import NO_FACTOR, Compared
from scoreproof.public.backward.sites import TIMES, Part
from scoreproof.public.backward.tape import Tape
from scoreproof.words import enumerated

__all__ = ["Hit", "factor_told", "same", "told", "tried"]

SHOWN = 4
SHARP, FAIR = 1e-9, 1e-4  # how well a factor is known that one number, or one size, shows


@dataclass(frozen=True)
class Hit:
    node: int
    slot: int
    part: Part
    factor: float
    within: float


def tried(tape: Tape, c: Compared, base: np.ndarray, v: int, k: int, part: Part) -> Hit | None:
    """Whether the slot sends a multiple of this."""
    effect = tape.slot_effect(v, k, part.sent)
    limit = c.limit
    weight = 1 / np.maximum(limit, 1e-300)
    with np.errstate(all="ignore"):
        rest, column = (c.all_found - base) * weight, effect * weight
        size = float(column @ column)
        if not np.isfinite(size) or size == 0:
            return None
        factor = float(rest @ column) / size if part.scaled else 1.0
    if part.name == "factor" and abs(factor - 1) <= NO_FACTOR:
        return None
    if not c.explained(base + factor * effect):
        return None
    at = np.abs(effect) > 4 * limit
    told = np.unique(np.round(effect[at] / np.max(np.abs(effect)), 9)).size
    within = max(float(np.linalg.norm(limit) / np.linalg.norm(effect)) / max(abs(factor), 1), 1e-12)
    plain = factor == 0 or closed_form(factor, within, c.known) is not None
    one = part.name == "factor" or abs(factor - 1) <= 2 * within
    least = 4
    if plain and one:
        whole = within < SHARP and abs(factor - round(factor)) <= 4 * within and abs(factor) <= 2
        least = 1 if whole or (within < FAIR and np.sum(at) > 2) else 2
    if told < least:
        return None
    if part.name != "factor" and not plain:
        return None  # another rule and an odd number: a coincidence
    return Hit(v, k, part, factor, within)


def same(hit: Hit, parts: Iterable[Part]) -> list[str]:
    """Other likely mistakes that send the same, in words."""
    sent = hit.part.sent.flat()
    return [
        p.words
        for p in parts
        if p.sent.size == sent.size
        and np.all(np.abs(p.sent.flat() - sent) <= 1e-9 * np.max(np.abs(sent)))
    ][:2]


def argument(tape: Tape, hit: Hit) -> str:
    node = tape.program.nodes[hit.node]
    name = tape.program.nodes[node.arguments[hit.slot]].name
    return f"`{name}`" + (f" (argument {hit.slot + 1})" if len(node.arguments) > 1 else "")


def factor_told(tape: Tape, c: Compared, hits: Sequence[Hit]) -> Diagnosis:
    """All these slots lie on one way back, and the factor may enter at any of them."""
    first = hits[0]
    nodes = tape.program.nodes
    here = f"node [{nodes[first.node].shown}]"
    wrong = sorted(c.wrong)
    if abs(first.factor) <= first.within:
        what = f"the path through {here} to {argument(tape, first)} is missing"
        why = "a term left out of a gradient by hand, or a detach"
        if all(x.size <= 1 for x in tape.program.values):  # an engine of scalars adds with +=
            why = "it is left out, or overwritten by = for +="
        remedy = f"add what it sends there ({why})"
        name = "path_missing"
    elif abs(first.factor + 1) <= 2 * first.within:
        what = f"the contribution of {here} to {argument(tape, first)} has the wrong sign"
        remedy, name = "flip it", "sign"
    else:
        shown = number(first.factor, first.within, c.known)
        what = f"the contribution of {here} to {argument(tape, first)} is counted {shown} times"
        remedy, name = f"it counts once{_reduced(tape, hits)}", "factor"
    alike = [
        f"[{nodes[v].label}]"
        for v in dict.fromkeys(h.node for h in hits)
        if v != first.node
        and any(
            h.node == v and abs(h.factor - first.factor) <= 2 * (h.within + first.within)
            for h in hits
        )
    ]
    along = ""
    if alike:
        at = alike if len(alike) <= SHOWN else [*alike[:SHOWN], f"{len(alike) - SHOWN} more"]
        along = (
            f" (The same mistake further on this way back, at {enumerated(at, 'or')}, would return"
            " the same.)"
        )
    text = f"Cause: {what}: {remedy}. Wrong by it: {c.called(wrong)}.{c.rest(wrong)}{along}"
    return Diagnosis.cause(name, text)


def _reduced(tape: Tape, hits: Sequence[Hit]) -> str:
    """A factor m, or 1/m, where m entries are reduced to one: the sum and the mean exchanged."""
    values, nodes = tape.program.values, tape.program.nodes
    for h in hits:
        x, y = values[nodes[h.node].arguments[h.slot]], values[h.node]
        m = x.size // max(y.size, 1)
        for factor, got, due in ((m, "a sum", "mean"), (1 / max(m, 1), "a mean", "sum")):
            if m > 1 and abs(h.factor / factor - 1) <= 2 * h.within:
                return f" ({got} over the {m} entries, where their {due} is due?)"
    return ""


def told(
    tape: Tape,
    c: Compared,
    hits: Sequence[Hit],
    every: bool = False,
    others: Sequence[str] = (),
) -> Diagnosis:
    hit = hits[0]
    nodes = [f"[{tape.program.nodes[h.node].shown}]" for h in hits]
    plain = abs(hit.factor - 1) <= 2 * hit.within
    shown = number(hit.factor, hit.within, c.known)
    words = hit.part.told("" if plain else shown.split(" = ")[-1])
    words += "".join(
        f"; or, which is the same here, {other.replace(TIMES, '')}" for other in others
    )
    where = f"node {nodes[0]}" if len(nodes) == 1 else f"nodes {enumerated(nodes[:SHOWN])}"
    whose = "its arguments" if len(nodes) == 1 else "their arguments"
    to = whose if every else argument(tape, hit)
    verb = "sends" if len(nodes) == 1 else "send"
    wrong = sorted(c.wrong)
    text = f"Cause: {where} {verb} to {to} {words}. Wrong by it: {c.called(wrong)}.{c.rest(wrong)}"
    return Diagnosis.cause(hit.part.name, text)
