"""A gradient that is wrong because of a module's buffers: written in forward and read as constants,
or written once more while a checkpointed block is run again.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.leaves import Leaves
from scoreproof.public.backward.entries import Entries, flat
from scoreproof.public.backward.seen import Seen
from scoreproof.words import enumerated

__all__ = ["buffer_diagnosis", "written_besides"]

SAME = 1e3  # roundoffs within which two runs of the same operations agree


def buffer_diagnosis(seen: Seen) -> Diagnosis | None:
    """Claimed where putting the buffers in order gives another gradient, or the very same one. Two
    calls, or three.
    """
    if seen.question.gradient is not None or seen.nearby:
        return None
    program, moves = seen.program, SAME * seen.program.eps
    held = program.buffers_held(seen.seed)
    if held is None:
        return None
    names, value, grads = held
    now = program.values[program.v_out]
    reads = value.size == now.size and _near(value.flat(), now.flat(), moves)
    if reads and _near(flat(grads), flat(seen.found), moves):
        return _held_constant(names)
    back = program.buffers_put_back(seen.seed)
    if back is None or _near(flat(back), flat(seen.found), moves):
        return None
    if _due(seen, back) or (reads and _near(flat(back), flat(grads), moves)):
        return _run_again(names)
    return None


def _due(seen: Seen, gradients: list[Leaves]) -> bool:
    e = seen.entries
    other = Entries(flat(gradients), e.due, e.again, e.rounding, e.source, e.eps, e.unit, e.stored)
    return not np.any(other.wrong(seen.question.tolerance))


def _held_constant(names: tuple[str, ...]) -> Diagnosis:
    shown = enumerated([f"`{n}`" for n in names])
    text = (
        f"Cause: {shown} {_are(names)} written in forward, without a gradient, and the value reads"
        " what was written (a power iteration, a running mean): the gradient holds"
        f" {_it(names)} constant. It is right for eval mode, where nothing is written; for the"
        " derivative in train mode read the buffers before they are written, or compute what is"
        " read with a gradient."
    )
    return Diagnosis.cause("buffers_held_constant", text)


def _run_again(names: tuple[str, ...]) -> Diagnosis:
    shown = enumerated([f"`{n}`" for n in names])
    text = (
        f"Cause: {shown} {_are(names)} written in a block that is run again while the gradient is"
        " taken (checkpoint): the second run reads what the first one wrote, so that its partials"
        " belong to other activations. Write buffers outside of what is checkpointed, or only in"
        " the first run."
    )
    return Diagnosis.cause("buffers_of_a_block_run_again", text)


def written_besides(seen: Seen) -> tuple[str, ...]:
    """Notes on what is written besides, right as the gradient may be."""
    again, notes = seen.program.written_twice, []
    if seen.question.gradient is not None:
        return ()
    for node in seen.program.nodes:
        if node.name in seen.program.overwrites:
            notes.append(
                f"The backward of [{node.label}] writes into the gradient that arrives, in place;"
                " where another path shares that gradient it will be wrong."
            )
    if not again:
        return tuple(notes)
    shown = enumerated([f"`{n}`" for n in again])
    return (
        *notes,
        f"{shown} {_are(again)} written a second time while the gradient is taken (a checkpointed"
        " block is run again): running statistics count each batch twice.",
    )


def _near(a: np.ndarray, b: np.ndarray, relative: float) -> bool:
    return bool(a.size == b.size and np.linalg.norm(a - b) <= relative * np.linalg.norm(b))


def _are(names: tuple[str, ...]) -> str:
    return "is" if len(names) == 1 else "are"


def _it(names: tuple[str, ...]) -> str:
    return "it" if len(names) == 1 else "them"
