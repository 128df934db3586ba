"""Which rule of which node, replaced by which wrong one, gives the wrong gradient?

The pass is linear in what one slot sends: the asked gradients are a right part plus the effect of
that slot. So each candidate costs one run of what is behind the slot, and a factor is solved for.
Only slots behind which exactly the wrong gradients lie can be at fault alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from scoreproof.causes.closed_forms import closed_form, number
from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local
from scoreproof.public.backward.compared import Compared
from scoreproof.public.backward.sites import Part, Site
from scoreproof.public.backward.tape import Rule, Tape
from scoreproof.public.backward.uses import used
from scoreproof.public.backward.wrong_parts import wrong_parts
from scoreproof.words import enumerated

__all__ = ["searched", "suspects"]

MOST, ENTRIES = 4000, 3e7  # candidates, and entries of all of them
MOST_HELD = 30  # nodes of which two are held at once
SHOWN = 4


@dataclass(frozen=True)
class _Hit:
    node: int
    slot: int
    part: Part
    factor: float
    within: float


def searched(tape: Tape, c: Compared) -> Diagnosis | None:
    """One slot's rule, else one rule of all nodes of a kind."""
    wrong = frozenset(c.wrong)
    slots = [(v, k) for v, k in tape.slots if _behind(tape, v, k) == wrong]
    entries = sum(x.size for x in tape.program.values)
    budget = [int(min(MOST, ENTRIES / max(entries, 1)))]
    factors = [hit for v, k in slots if (hit := _factor(tape, c, v, k)) is not None]
    if factors:
        return _factor_told(tape, c, factors)
    uses = used(tape, c)
    if uses is not None:
        return uses
    for v, k in slots:
        g = tape.grads[v]
        assert g is not None
        base = c.all_due - tape.slot_effect(v, k, tape.parts[v][k])
        for part in wrong_parts(Site(tape.program, v, k, tape.locals[v], g)):
            budget[0] -= 1
            if budget[0] < 0:
                return None
            hit = _tried(tape, c, base, v, k, part)
            if hit is not None:
                return _told(tape, c, [hit])
    return _held(tape, c, wrong) or _kinds(tape, c, wrong, budget)


def _held(tape: Tape, c: Compared, wrong: frozenset[int]) -> Diagnosis | None:
    """One node, or two, held constant: nothing goes back through them."""
    nodes = [
        v
        for v in sorted(tape.parts, reverse=True)
        if v != tape.program.v_out
        and any(_behind(tape, v, k) for k in range(len(tape.parts[v])))
        and frozenset().union(*(_behind(tape, v, k) for k in range(len(tape.parts[v])))) <= wrong
    ]

    def nothing(local: Local, g: Leaves) -> list[Leaves]:
        return [x.zeros() for x in local.arguments]

    pairs = combinations(nodes, 2) if len(nodes) <= MOST_HELD else ()
    for held in (*((v,) for v in nodes), *pairs):
        effect = tape.effect({}, dict.fromkeys(held, nothing))
        if np.any(effect) and c.explained(c.all_due + effect):
            shown = enumerated([f"[{tape.program.nodes[v].shown}]" for v in held])
            verb = "is" if len(held) == 1 else "are"
            text = (
                f"Cause: {shown} {verb} held constant: the paths through"
                f" {'it' if len(held) == 1 else 'them'} are missing (a detach, or a rule that takes"
                f" a statistic for a number). Wrong by it: {c.called(sorted(wrong))}."
                f"{c.rest(sorted(wrong))}"
            )
            return Diagnosis.cause("held_constant", text)
    return None


def suspects(tape: Tape, c: Compared) -> list[int]:
    """The nodes of which one may be at fault alone, from v_out on."""
    wrong = frozenset(c.wrong)
    return list(dict.fromkeys(v for v, k in tape.slots if _behind(tape, v, k) == wrong))


def _behind(tape: Tape, v: int, k: int) -> frozenset[int]:
    return tape.reaches(tape.program.nodes[v].arguments[k])


def _factor(tape: Tape, c: Compared, v: int, k: int) -> _Hit | None:
    """What the slot sends, times a number."""
    sent = tape.parts[v][k]
    base = c.all_due - tape.slot_effect(v, k, sent)
    return _tried(tape, c, base, v, k, Part("factor", "", sent))


def _tried(tape: Tape, c: Compared, base: np.ndarray, v: int, k: int, part: Part) -> _Hit | None:
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
    if not c.explained(base + factor * effect):
        return None
    at = np.abs(effect) > 4 * limit
    told = np.unique(np.round(effect[at] / np.max(np.abs(effect)), 9)).size
    within = max(float(np.linalg.norm(limit) / np.linalg.norm(effect)) / max(abs(factor), 1), 1e-12)
    plain = factor == 0 or closed_form(factor, within, c.known) is not None
    if told < (4 if not plain else 1 if within < 1e-6 and np.sum(at) > 2 else 2):
        return None
    if part.name not in ("factor",) and not plain:
        return None  # another rule and an odd number: a coincidence
    return _Hit(v, k, part, factor, within)


def _argument(tape: Tape, hit: _Hit) -> str:
    node = tape.program.nodes[hit.node]
    name = tape.program.nodes[node.arguments[hit.slot]].name
    return f"`{name}`" + (f" (argument {hit.slot + 1})" if len(node.arguments) > 1 else "")


def _factor_told(tape: Tape, c: Compared, hits: Sequence[_Hit]) -> Diagnosis:
    """All these slots lie on one way back, and the factor may enter at any of them."""
    first, last = hits[0], hits[-1]
    nodes = tape.program.nodes
    here = f"node [{nodes[first.node].shown}]"
    wrong = sorted(c.wrong)
    if abs(first.factor) <= first.within:
        what = f"the path through {here} to {_argument(tape, first)} is missing"
        remedy = "add its contribution (a detach, .data or no_grad() there leaves it out)"
        name = "path_missing"
    elif abs(first.factor + 1) <= 2 * first.within:
        what = f"the contribution of {here} to {_argument(tape, first)} has the wrong sign"
        remedy, name = "flip it", "sign"
    else:
        shown = number(first.factor, first.within, c.known)
        what = f"the contribution of {here} to {_argument(tape, first)} is counted {shown} times"
        remedy, name = "it counts once", "factor"
    along = ""
    if last.node != first.node:
        along = f", or that of one of the nodes from there to [{nodes[last.node].label}]"
    text = f"Cause: {what}{along}: {remedy}. Wrong by it: {c.called(wrong)}.{c.rest(wrong)}"
    return Diagnosis.cause(name, text)


def _told(tape: Tape, c: Compared, hits: Sequence[_Hit], every: bool = False) -> Diagnosis:
    hit = hits[0]
    nodes = [f"[{tape.program.nodes[h.node].shown}]" for h in hits]
    plain = abs(hit.factor - 1) <= 2 * hit.within
    shown = number(hit.factor, hit.within, c.known)
    words = hit.part.told("" if plain else shown.split(" = ")[-1])
    where = f"node {nodes[0]}" if len(nodes) == 1 else f"nodes {enumerated(nodes[:SHOWN])}"
    to = "their arguments" if every else _argument(tape, hit)
    verb = "sends" if len(nodes) == 1 else "send"
    wrong = sorted(c.wrong)
    text = f"Cause: {where} {verb} to {to} {words}. Wrong by it: {c.called(wrong)}.{c.rest(wrong)}"
    return Diagnosis.cause(hit.part.name, text)


def _kinds(tape: Tape, c: Compared, wrong: frozenset[int], budget: list[int]) -> Diagnosis | None:
    """One mistake at all nodes of an operation, or at all slots of a node."""
    groups: dict[str, list[int]] = {}
    for v in sorted(tape.parts, reverse=True):
        groups.setdefault(_operation(tape, v), []).append(v)
    singles = [[v] for v in sorted(tape.parts, reverse=True) if len(tape.parts[v]) > 1]
    for nodes in (*singles, *(g for g in groups.values() if len(g) > 1)):
        arguments = len(tape.parts[nodes[0]])
        each = [[k] for k in range(arguments)] if len(nodes) > 1 else []
        for slots in (*each, *([list(range(arguments))] if arguments > 1 else [])):
            reached = [_behind(tape, v, k) for v in nodes for k in slots if k < len(tape.parts[v])]
            if frozenset().union(*reached) != wrong:
                continue
            found = _rule(tape, c, nodes, slots, budget)
            if found is not None:
                return found
    return None


def _operation(tape: Tape, v: int) -> str:
    label = tape.program.nodes[v].label
    return label.partition(" = ")[2].partition("(")[0].lstrip(".")


def _rule(
    tape: Tape, c: Compared, nodes: Sequence[int], slots: Sequence[int], budget: list[int]
) -> Diagnosis | None:
    v = nodes[0]
    g = tape.grads[v]
    assert g is not None
    keys = dict.fromkeys(
        (part.group, part.name, part.words)
        for k in slots
        if k < len(tape.parts[v])
        for part in wrong_parts(Site(tape.program, v, k, tape.locals[v], g, others=False))
    )
    for key in keys:
        budget[0] -= len(nodes)
        if budget[0] < 0:
            return None
        rules = {w: _replaced(tape, w, slots, key) for w in nodes}
        try:
            effect = tape.effect({}, rules)
        except Exception:  # a shape that this mistake does not fit
            continue
        if c.explained(c.all_due + effect):
            hits = [_Hit(w, slots[0], Part(key[1], key[2], Leaves([])), 1.0, 1e-9) for w in nodes]
            return _told(tape, c, hits, every=len(slots) > 1 or len(nodes) > 1)
    return None


def _replaced(tape: Tape, v: int, slots: Sequence[int], key: tuple[str, str, str]) -> Rule:
    def rule(local: Local, g: Leaves) -> list[Leaves]:
        sent = list(local.pull(g))
        for k in slots:
            if k < len(sent):
                site = Site(tape.program, v, k, local, g, others=False)
                alike = (p for p in wrong_parts(site, key[0]) if (p.name, p.words) == key[1:])
                part = next(alike, None)
                if part is not None:
                    sent[k] = part.sent
        return sent

    return rule
