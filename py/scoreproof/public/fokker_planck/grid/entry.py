"""A density that was given by its values on a grid: from the arguments to the verdict.

Conventions: as in `given`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck.general.given import Given, Probe, subject
from scoreproof.public.fokker_planck.grid.coefficients import Process
from scoreproof.public.fokker_planck.grid.given import solutions
from scoreproof.public.fokker_planck.grid.judged import one
from scoreproof.public.fokker_planck.grid.orders import several
from scoreproof.public.fokker_planck.grid.solution import Solution
from scoreproof.public.fokker_planck.networks import coefficients
from scoreproof.public.fokker_planck.readings import ITO

__all__ = ["NOTHING", "OnGrid", "on_grid"]


def NOTHING(x: Any, t: Any) -> Any:
    """Stands for a density that is asked nowhere."""
    return 0 * x[:, 0]


@dataclass(frozen=True)
class OnGrid:
    """What was said beside the array: its axes, its ends, whether values are averages of cells."""

    axes: Any
    boundary: str | None
    cells: bool
    tolerance: float | None
    normalized: bool
    inputs: str | None = None


def on_grid(a: Given, said: OnGrid) -> Evidence:
    """The verdict of one solution, or of several."""
    name = "log_density" if a.is_log else "density"
    if a.score is not None:
        raise ArgumentError(
            "score",
            "left out with an array, and a function without axes=",
            "a score and axes=" if a.law is None else "a score and an array",
            "of arrays only a density is judged; pass score= alone, as a function of (x, t)",
        )
    grids: Sequence[Solution] = solutions(
        a.law, said.axes, (a.is_log, said.boundary, said.cells), name
    )
    circle = grids[0].sides if grids[0].boundary == "periodic" else ()
    probe = Probe.of(grids[0].span[1], np.array(grids[0].sides))
    how, where = (a.framework, a.dtype, said.inputs), (grids[0].dimension, probe.t)
    drift, diffusion = coefficients((a.drift, a.diffusion), how, where, a.of_state)
    s = subject(replace(a, drift=drift, diffusion=diffusion, law=NOTHING), probe)
    process = Process(s, a.read or ITO, circle=circle)
    if len(grids) == 1:
        evidence = one(grids[0], process, said.tolerance, said.normalized)
    else:
        evidence = several(grids, process, said.tolerance, said.normalized)
    calls = {name: n for name, n in s.calls.items() if name != "density"}
    return replace(evidence, cost=calls)
