"""Wrong numbers in a right rule: another operand of a product, or a mixture of two rules.

What a slot sends is linear in the other operand of a product, and in the weights of a mixture: they
are solved for. An answer with so many free numbers is believed only if it leaves nothing and there
are many more equations.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scoreproof.causes.answers import Answer, reading
from scoreproof.causes.closed_forms import closed_form
from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.leaves import Leaves
from scoreproof.public.backward.compared import Compared
from scoreproof.public.backward.sites import Site
from scoreproof.public.backward.tape import Tape

__all__ = ["mixed", "other_operand"]

LARGEST = 100  # entries of an operand
MORE = 2.0  # times as many equations as unknowns
SURE = 1e-10  # of the largest singular value
Sites = Mapping[tuple[int, int], Site]
Bases = Mapping[tuple[int, int], np.ndarray]


def _solved(
    c: Compared, base: np.ndarray, columns: np.ndarray, without: int | None = None
) -> tuple[np.ndarray, float] | None:
    """``(solution, how well it is known)`` where it explains what was found, in all arrays or in
    all but one.
    """
    kept = np.ones(base.size, bool)
    if without is not None:
        c.part(kept, without)[:] = False
    changed = (np.abs(columns).max(axis=1) > 4 * c.limit) & kept
    if np.sum(changed) < MORE * columns.shape[1] + 3:
        return None
    weights = kept / np.maximum(c.limit, 1e-300)
    with np.errstate(all="ignore"):
        solution, _, rank, _ = np.linalg.lstsq(
            columns * weights[:, None], (c.all_found - base) * weights, rcond=SURE
        )
        gap = np.abs(c.all_found - base - columns @ solution)
    if rank < columns.shape[1] or np.any((gap > c.limit) & kept):
        return None
    size = max(float(np.linalg.norm(columns @ solution)), 1e-300)
    return solution, max(float(np.linalg.norm(c.limit)) / size, 1e-12)


def mixed(tape: Tape, c: Compared, sites: Sites, bases: Bases) -> Diagnosis | None:
    """A part of what is due and a part of the gradient as it arrives: another slope."""
    for (v, k), site in sites.items():
        if site.d is None or site.x.size < 6 or np.ptp(site.d) == 0:
            continue
        parts = site.right[k], site.x.like(site.g.flat())
        columns = np.stack([tape.slot_effect(v, k, sent) for sent in parts], axis=1)
        found = _solved(c, bases[v, k], columns)
        if found is None:
            continue
        (a, b), within = found
        if closed_form(float(a), 4 * within) is None or closed_form(float(b), 4 * within) is None:
            continue
        node = tape.program.nodes[v]
        shown = [f"{float(s):.4g}" for s in (a, b)]
        text = (
            f"Cause: node [{node.shown}] sends to `{tape.program.nodes[node.arguments[k]].name}`"
            f" {shown[0]} times what is due and {shown[1]} times the gradient as it arrives: its"
            f" slopes are others in the backward than in the forward.{c.rest(c.wrong)}"
        )
        return Diagnosis.cause("other_slopes", text)
    return None


def other_operand(tape: Tape, c: Compared, sites: Sites, bases: Bases) -> Diagnosis | None:
    """The other factor of a product has other numbers in the backward than in the forward."""
    for (v, k), site in sites.items():
        local = site.local
        for j, x in enumerate(local.arguments):
            if j == k or not 1 < x.size <= LARGEST or len(x.arrays) != 1:
                continue
            sent = _linear(site, j)
            if sent is None:
                continue
            columns = np.stack([tape.slot_effect(v, k, s) for s in sent], axis=1)
            for without in (None, *(c.wrong if len(c.wrong) > 2 else ())):
                found = _solved(c, bases[v, k], columns, without)
                if found is not None:
                    return _told(tape, c, (v, k, j), x, found, without)
    return None


def _linear(site: Site, j: int) -> list[Leaves] | None:
    """What the slot sends for each unit operand j; None if it is no product with it."""
    local, x = site.local, site.local.arguments[j]

    def sent(operand: np.ndarray) -> Leaves:
        moved = list(local.arguments)
        moved[j] = x.like(operand)
        return local.elsewhere(moved).pull(site.g)[site.k]

    try:
        units = [sent(e) for e in np.eye(x.size)]
    except Exception:  # it refuses zeros, say
        return None
    whole = sum(a * u.flat() for a, u in zip(x.flat(), units, strict=True))
    right = site.right[site.k].flat()
    if np.linalg.norm(whole - right) > 1e-9 * np.linalg.norm(right):
        return None
    return units


def _told(
    tape: Tape,
    c: Compared,
    where: tuple[int, int, int],
    x: Leaves,
    found: tuple[np.ndarray, float],
    without: int | None,
) -> Diagnosis:
    (v, k, j), (solution, within) = where, found
    more = "" if without is None else f" `{c.names[without]}` is wrong by more than that."
    nodes = tape.program.nodes
    node, name = nodes[v], nodes[nodes[v].arguments[j]].name
    size = float(np.sqrt(np.mean(x.flat() ** 2)))
    array = x.arrays[0]
    read = reading(Answer.of(solution.reshape(array.shape), array, 1e3 * within * size))
    i = int(np.argmax(np.abs(solution - x.flat())))
    how = (
        read.words
        if read is not None
        else (f"at entry {x.where(i)} it is {solution[i]:.6g} for {x.flat()[i]:.6g}")
    )
    text = (
        f"Cause: node [{node.shown}] sends to `{nodes[node.arguments[k]].name}` the product with"
        f" other numbers than those of `{name}` ({how}): a copy of it that is older, or was"
        f" changed.{more}{c.rest(c.wrong)}"
    )
    return Diagnosis.cause("other_operand", text)
