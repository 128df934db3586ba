"""A Metropolis kernel that draws one number for all rows as well: a step size that is jittered,
or a choice between kernels.

Conventions: held at a value c, the number makes a kernel K_c of its own; all of them in balance, so
is the whole. One that is not says nothing yet: another may make up for it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.evidence import Evidence
from scoreproof.interop.draws import Draw
from scoreproof.public.corrector import balance
from scoreproof.public.corrector.asking import Kernel
from scoreproof.public.corrector.draws import ROWS, Drawn, noise_script
from scoreproof.public.corrector.target import gaussian
from scoreproof.public.rule import weakest

__all__ = ["at_each"]

VALUES = (0.5, 0.01, 0.3, 0.8, 0.99)
#: where it is looked for other values at which rows stay or move otherwise
GRID = (1e-12, *((np.arange(30) + 0.5) / 30), 1 - 2.0**-20)
LOW, HIGH = 1e-300, 1 - 2.0**-20
MORE = 3


def at_each(kernel: Kernel, drawn: Drawn, ones: list[Draw]) -> Evidence:
    """``ones``: the draws of one number for all rows."""
    job = kernel.job
    if len(ones) > 1:
        text = (
            f"{job.name} draws {len(ones)} numbers for the whole batch beside those to accept by"
            f" ({ones[0].where}): what they decide is not seen; pass a corrector in which they are"
            " fixed"
        )
        return Evidence.undecided("float", text)
    values = _values(kernel)
    judged = []
    try:
        for c in values:
            kernel.held = c
            evidence = balance.judge(kernel, drawn)
            if evidence.verdict != "holds":
                return _open(kernel, evidence, ones[0], c)
            judged.append(evidence)
    finally:
        kernel.held = None
    end = weakest(judged)
    listed = ", ".join(f"{c:.3g}" for c in sorted(values))
    note = (
        f"The uniform number that it draws for the whole batch ({ones[0].where}) is held at"
        f" {listed}, one after the other; what it decides for others alone is not seen."
    )
    return replace(end, notes=(*end.notes, note))


def _open(kernel: Kernel, found: Evidence, one: Draw, c: float) -> Evidence:
    text = (
        f"{kernel.job.name} draws one {one.kind} number for the whole batch ({one.where}); with it"
        f" held at {c:.3g}: {found.sentence}. What other values make up for is not judged: pass a"
        " corrector in which it is fixed"
    )
    return Evidence.undecided("float", text)


def _values(kernel: Kernel) -> tuple[float, ...]:
    """With those at which rows stay or move otherwise than at 1/2."""
    job = kernel.job
    k = np.arange(ROWS * job.d).reshape(ROWS, -1)
    state, z = kernel.rounded(1.5 * np.sin(1.3 * k + 0.7)), np.cos(0.9 * k + 0.2)

    def at(c: float) -> list[np.ndarray]:
        kernel.held = c
        return [
            kernel(
                gaussian(job.shape),
                state,
                noise_script(job, z[None], lambda _, u=u: np.full(ROWS, u)),  # type: ignore[misc]
                job.h,
            ).state
            for u in (LOW, HIGH)
        ]

    try:
        middle = at(0.5)
        seen = {c: at(c) for c in GRID}
    finally:
        kernel.held = None

    def stays(found: list[np.ndarray]) -> tuple[bool, ...]:
        ends = (np.all(v == state, axis=1) for v in found)
        return tuple(bool(b) for rows in ends for b in rows)

    known = {stays(middle)}
    more: list[float] = []
    for c, v in seen.items():
        if stays(v) not in known and len(more) < MORE:
            known.add(stays(v))
            more.append(c)
    return (*VALUES, *more)
