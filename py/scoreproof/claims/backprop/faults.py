"""Wrong backward passes that people write.

Each is one edit of the two loops; edits of different places compose. Some are made in both
versions, which then still
agree with one another: only the sum over paths sees them. The others concern one version.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from scoreproof.claims.backprop.statement import Loops
from scoreproof.core import Fault
from scoreproof.objects.graphs import BackwardPass

__all__ = ["COMMON", "FAULTS", "REASONS", "Edit", "assemble", "compose", "version_of"]


@dataclass(frozen=True)
class Edit:
    """Where a wrong pass departs from the printed one; the defaults are the truth. One field is one
    place in the code.
    """

    zeroed: bool = True
    seeds: int = 1
    reverse: bool = True
    live: bool = True  # grad is read as it stands, not as it stood before the loop
    product: str = "grad @ partial"
    sign: int = 1
    slots: str = "each"  # or "once per pair", "total each time", "next argument"
    skip_out: bool = False
    pull: str = ""  # of version 1 only
    push: str = ""  # of version 2 only


def _prepare(edit: Edit, run: BackwardPass, grad: list[Any]) -> list[Any]:
    if edit.zeroed:
        for v in run.order:
            grad[v] = run.zeros[v]
    if edit.seeds:
        grad[run.v_out] = run.one if edit.seeds == 1 else run.one + run.one
    return grad


def _order(edit: Edit, run: BackwardPass) -> Iterator[int]:
    return reversed(run.order) if edit.reverse else iter(run.order)


def _term(edit: Edit, run: BackwardPass, gradient: Any, u: int, v: int, slot: int) -> Any:
    """What one edge u → v adds; ``None`` where this edit visits it no more."""
    used = run.partials[slot]
    if edit.slots != "each":
        beside = sorted(
            s for w, s in run.predecessors[v] if w == u or edit.slots == "next argument"
        )
        if edit.slots == "once per pair" and slot != beside[0]:
            return None
        if edit.slots == "total each time":
            used = run.partials[beside[0]]
            for s in beside[1:]:
                used = used + run.partials[s]
        if edit.slots == "next argument":
            used = run.partials[beside[(beside.index(slot) + 1) % len(beside)]]
    if edit.product == "partial @ grad":
        return used @ gradient
    return gradient if edit.product == "grad" else gradient @ used


def _add(edit: Edit, old: Any, term: Any) -> Any:
    return old + term if edit.sign == 1 else old - term


def _pull(edit: Edit, run: BackwardPass, grad: list[Any]) -> list[Any]:
    read = grad if edit.live else list(grad)
    for v in _order(edit, run):
        backwards = edit.pull == "from predecessors"
        for w, slot in run.predecessors[v] if backwards else run.successors[v]:
            if edit.skip_out and w == run.v_out:
                continue
            term = _term(edit, run, read[w], *((w, v) if backwards else (v, w)), slot)
            if term is not None:
                grad[v] = term if edit.pull == "overwrites" else _add(edit, grad[v], term)
                if edit.pull == "one successor":
                    break
    return grad


def _push(edit: Edit, run: BackwardPass, grad: list[Any]) -> list[Any]:
    read = grad if edit.live else list(grad)
    reached: set[int] = set()
    queue = [run.v_out]
    for v in queue if edit.push == "breadth first" else _order(edit, run):
        if edit.skip_out and v == run.v_out:
            continue
        forwards = edit.push == "to successors"
        for u, slot in run.successors[v] if forwards else run.predecessors[v]:
            if edit.push == "breadth first" and u not in reached and u != run.v_out:
                reached.add(u)
                queue.append(u)
            if edit.push == "once per node":
                if u in reached:
                    continue
                reached.add(u)
            term = _term(edit, run, read[v], *((v, u) if forwards else (u, v)), slot)
            if term is not None:
                grad[u] = term if edit.push == "overwrites" else _add(edit, grad[u], term)
    return grad


def assemble(edit: Edit) -> Loops:
    """The two loops with this edit."""
    return Loops(partial(_prepare, edit), partial(_pull, edit), partial(_push, edit))


_BOTH = {
    "operands_swapped": (
        Edit(product="partial @ grad"),
        "partial @ grad: column and row conventions mixed; invisible where partials commute",
    ),
    "partial_forgotten": (Edit(product="grad"), "the gradient is passed on without the partial"),
    "order_not_reversed": (
        Edit(reverse=False),
        "the loop runs in topological order, not in reverse: only edges into v_out count",
    ),
    "reads_stale_copy": (
        Edit(live=False),
        (
            "a sweep reads the gradients as they stood before the loop (a Jacobi sweep in place of"
            " Gauss-Seidel)"
        ),
    ),
    "minus": (Edit(sign=-1), "-= for +=, as when a descent step is folded into the pass"),
    "seed_missing": (Edit(seeds=0), "v_out.grad = 1 is missing: every gradient is zero"),
    "seed_twice": (
        Edit(seeds=2),
        "the seed is added twice, once by zero_grad and once by the pass",
    ),
    "no_zero_grad": (Edit(zeroed=False), "gradients of an earlier pass are not cleared"),
    "multiplicity_lost": (
        Edit(slots="once per pair"),
        "edges kept as a set with one partial per slot: u * u counts once",
    ),
    "multiplicity_doubled": (
        Edit(slots="total each time"),
        "a visit per slot, each with the total partial: u * u counts twice over",
    ),
    "wrong_slot": (
        Edit(slots="next argument"),
        "the partial of another argument of the same node is used",
    ),
    "v_out_skipped": (
        Edit(skip_out=True),
        "v_out is left out of the loop because its gradient is known: nothing leaves it",
    ),
}
_PULL = {
    "pull_overwrites": (Edit(pull="overwrites"), "= for +=: the last successor wins"),
    "pull_one_successor": (
        Edit(pull="one successor"),
        "the inner loop stops after its first successor",
    ),
    "pull_from_predecessors": (
        Edit(pull="from predecessors"),
        "the inner loop runs over u → v in place of v → w",
    ),
}
_PUSH = {
    "push_overwrites": (Edit(push="overwrites"), "= for +=: the last consumer wins"),
    "push_once_per_node": (
        Edit(push="once per node"),
        "a node marked as visited takes no further contribution",
    ),
    "push_to_successors": (
        Edit(push="to successors"),
        "the inner loop runs over v → w in place of u → v",
    ),
    "push_breadth_first": (
        Edit(push="breadth first"),
        "nodes are taken from a queue as they are reached, before their gradient is complete",
    ),
}
_EDITS = {name: edit for group in (_BOTH, _PULL, _PUSH) for name, (edit, _) in group.items()}

#: The faults made in both versions alike: comparing the versions with one another does not see
#: them.
COMMON = tuple(_BOTH)

FAULTS = tuple(
    Fault(name, assemble(edit), why)
    for group in (_BOTH, _PULL, _PUSH)
    for name, (edit, why) in group.items()
)

#: what each name of a diagnosis means, in words: the faults, and what only a real model's gradient
#: can have
REASONS = {f.name: f.why for f in FAULTS} | {
    "minus": "the backward rule has the wrong sign",
    "factor_2": "the backward rule is twice what it should be",
    "factor_half": "it is half of what it should be",
    "gradient_missing": "no gradient comes back: a detach, or a rule that returns zero",
    "whole_gradient_negated": "the whole gradient has the wrong sign",
}


def version_of(name: str) -> str:
    """``"pull"``, ``"push"`` or ``"both"``: which version a fault (or several, joined by `` + ``)
    concerns.
    """
    parts = name.split(" + ")
    return (
        "pull"
        if any(p in _PULL for p in parts)
        else "push"
        if any(p in _PUSH for p in parts)
        else "both"
    )


def compose(names: tuple[str, ...]) -> Loops | None:
    """The loops with several faults at once; ``None`` where two edit the same place, or no single
    version would have both.
    """
    if any(n in _PULL for n in names) and any(n in _PUSH for n in names):
        return None
    whole, truth = Edit(), Edit()
    for name in names:
        changed = {
            f.name: getattr(_EDITS[name], f.name)
            for f in fields(Edit)
            if getattr(_EDITS[name], f.name) != getattr(truth, f.name)
        }
        if any(getattr(whole, place) != getattr(truth, place) for place in changed):
            return None
        whole = replace(whole, **changed)
    return assemble(whole)
