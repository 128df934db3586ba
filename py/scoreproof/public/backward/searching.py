"""Which rule of which node, replaced by which wrong one, gives the wrong gradient?

The pass is linear in what one slot sends: the asked gradients are a right part plus the effect of
that slot. So each candidate costs one run of what is behind the slot, and a factor is solved for.
Only slots behind which exactly the wrong gradients lie can be at fault alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local
from scoreproof.public.backward.budget import Budget
from scoreproof.public.backward.compared import Compared
from scoreproof.public.backward.engine_rules import engine_rules, operation
from scoreproof.public.backward.held import held
from scoreproof.public.backward.hits import Hit, factor_told, same, told, tried
from scoreproof.public.backward.operands import mixed, other_operand
from scoreproof.public.backward.sites import Part, Site
from scoreproof.public.backward.tape import Rule, Tape
from scoreproof.public.backward.uses import used
from scoreproof.public.backward.wrong_parts import GROUPS, wrong_parts

__all__ = ["searched", "sites_of"]

MOST, ENTRIES = 2500, 3e7  # candidates, and entries of all of them
#: groups of mistakes of which several may look the same
LIKELY = ("turned", "same size", "other arguments", "sums")


def searched(tape: Tape, c: Compared) -> Diagnosis | None:
    """One slot's rule, else one rule of all nodes of a kind."""
    wrong = frozenset(c.wrong)
    sites = sites_of(tape, c)
    entries = sum(x.size for x in tape.program.values)
    most = int(min(MOST, ENTRIES / max(entries, 1)))
    budget = Budget(most)
    factors = [hit for v, k in sites if (hit := _factor(tape, c, v, k)) is not None]
    if factors:
        return factor_told(tape, c, factors)
    uses = used(tape, c)
    if uses is not None:
        return uses
    bases = {(v, k): c.all_due - tape.slot_effect(v, k, tape.parts[v][k]) for v, k in sites}
    # the simplest mistakes of all nodes before the less likely ones of any
    for group in GROUPS:
        for (v, k), site in sites.items():
            parts = wrong_parts(site, group)
            for part in parts:
                if budget.spent():
                    break
                hit = tried(tape, c, bases[v, k], v, k, part)
                if hit is not None:
                    others = same(hit, parts) if group in LIKELY else []
                    return told(tape, c, [hit], others=others)
    more = Budget(max(budget.left, 0) + most // 2)
    return (
        engine_rules(tape, c)
        or held(tape, c, wrong, more)
        or mixed(tape, c, sites, bases)
        or _kinds(tape, c, wrong, more)
        or other_operand(tape, c, sites, bases)
    )


def sites_of(tape: Tape, c: Compared) -> dict[tuple[int, int], Site]:
    """The slots that may be at fault alone, with what arrives there, from v_out on."""
    wrong = frozenset(c.wrong)
    sites = {}
    for v, k in tape.slots:
        g = tape.grads[v]
        if g is not None and wrong <= tape.behind(v, k) <= wrong | c.quiet:
            sites[v, k] = Site(tape.program, v, k, tape.locals[v], g)
    return sites


def _factor(tape: Tape, c: Compared, v: int, k: int) -> Hit | None:
    """What the slot sends, times a number."""
    sent = tape.parts[v][k]
    base = c.all_due - tape.slot_effect(v, k, sent)
    return tried(tape, c, base, v, k, Part("factor", "", sent))


def _kinds(tape: Tape, c: Compared, wrong: frozenset[int], budget: Budget) -> Diagnosis | None:
    """One mistake at all nodes of an operation, or at all slots of a node."""
    groups: dict[str, list[int]] = {}
    for v in sorted(tape.parts, reverse=True):
        groups.setdefault(operation(tape, v), []).append(v)
    singles = [[v] for v in sorted(tape.parts, reverse=True) if len(tape.parts[v]) > 1]
    # an engine has one rule for all nodes of an operation; that of a sum is seldom wrong
    several = (g for g in groups.values() if len(g) > 1)
    kinds = sorted(several, key=lambda g: (_is_sum(tape, g[0]), len(g)))
    for nodes in (*kinds, *singles):
        arguments = len(tape.parts[nodes[0]])
        each = [[k] for k in range(arguments)] if len(nodes) > 1 else []
        for slots in (*each, *([list(range(arguments))] if arguments > 1 else [])):
            reached = [tape.behind(v, k) for v in nodes for k in slots if k < len(tape.parts[v])]
            if not wrong <= frozenset().union(*reached) <= wrong | c.quiet:
                continue
            found = _rule(tape, c, nodes, slots, budget)
            if found is not None:
                return found
    return None


def _is_sum(tape: Tape, v: int) -> bool:
    return operation(tape, v) in ("add", "sub", "neg", "sum", "iadd", "isub")


def _rule(
    tape: Tape, c: Compared, nodes: Sequence[int], slots: Sequence[int], budget: Budget
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
        if budget.spent():
            return None
        rules = {w: _replaced(tape, w, slots, key) for w in nodes}
        try:
            effect = tape.effect({}, rules)
        except Exception:  # a shape that this mistake does not fit
            continue
        if c.explained(c.all_due + effect):
            hits = [Hit(w, slots[0], Part(key[1], key[2], Leaves([])), 1.0, 1e-9) for w in nodes]
            return told(tape, c, hits, every=len(slots) > 1 or len(nodes) > 1)
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
