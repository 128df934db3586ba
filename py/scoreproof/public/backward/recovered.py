"""What a slot sent, solved for from the wrong gradients behind it, and read against what is due."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from scoreproof.causes.answers import Answer, reading
from scoreproof.causes.places import which_entries
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.backward.compared import Compared
from scoreproof.public.backward.tape import Tape

__all__ = ["recovered"]

LARGEST = 128  # entries of what is sent
SURE = 1e-9  # of the largest singular value
SHARP = 1e-3  # what an entry must be known to, of their size

Found = tuple[np.ndarray, np.ndarray]


def recovered(
    tape: Tape, c: Compared, sites: Collection[tuple[int, int]]
) -> tuple[Diagnosis | None, str]:
    """A cause, or a sentence on what was sent, if it can be told at one of the slots."""
    said = ""
    for v, k in sites:
        sent = tape.parts[v][k]
        if len(sent.arrays) != 1 or not 3 < sent.size <= LARGEST:
            continue
        found = _solved(tape, c, v, k)
        if found is None:
            continue
        shape = sent.arrays[0].shape
        got, due = found[0].reshape(shape), sent.arrays[0]
        blur = found[1].reshape(shape)
        node = tape.program.nodes[v]
        to = tape.program.nodes[node.arguments[k]].name
        read = reading(Answer.of(got, due, blur, c.known))
        if read is not None:
            text = (
                f"Cause: what node [{node.shown}] sends to `{to}` is wrong: {read.words}:"
                f" {read.remedy}. Wrong by it: {c.called(c.wrong)}.{c.rest(c.wrong)}"
            )
            return Diagnosis.cause(read.name, text), ""
        said = said or _said(f"[{node.shown}]", to, got, due, blur)
    return None, said


def _solved(tape: Tape, c: Compared, v: int, k: int) -> Found | None:
    """``(what was sent, how well it is known)``, entry by entry, if the rest of the pass is right
    and it can be told.
    """
    sent = tape.parts[v][k]
    units = [sent.like(e) for e in np.eye(sent.size)]
    columns = np.stack([tape.slot_effect(v, k, e) for e in units], axis=1)
    base = c.all_due - columns @ sent.flat()
    at = np.abs(columns).max(axis=1) > 0
    if np.sum(at) < sent.size + 3:
        return None
    weights = 1 / np.maximum(c.limit, 1e-300)
    with np.errstate(all="ignore"):
        matrix = columns[at] * weights[at, None]
        if not np.all(np.isfinite(matrix)):
            return None
        inverse = np.linalg.pinv(matrix, rcond=1e-14)
        singular = np.linalg.svd(matrix, compute_uv=False)
    if singular[-1] <= SURE * singular[0]:
        return None
    solution = inverse @ ((c.all_found - base)[at] * weights[at])
    if not c.explained(base + columns @ solution):
        return None
    blur = 2 * np.abs(inverse).sum(axis=1)
    if np.median(blur) > SHARP * np.max(np.abs(solution)):
        return None
    return solution, blur


def _said(node: str, to: str, got: np.ndarray, due: np.ndarray, blur: np.ndarray) -> str:
    """How far off, and where, what was sent is."""
    off = np.abs(got - due) > blur + 1e-9 * np.abs(due)
    sure = off & (np.abs(due) > 1e-6 * np.max(np.abs(due)))
    where = which_entries(off, "row", "column")
    ratio = (got[sure] / due[sure]) if np.any(sure) else np.zeros(0)
    how = f"{ratio.min():.6g} to {ratio.max():.6g} times what is due" if ratio.size else "not 0"
    return (
        f"If the nodes behind it are right, what {node} sends to `{to}` is {how}, off in"
        f" {np.count_nonzero(off)} of {off.size} entries{f', {where}' if where else ''}."
    )
