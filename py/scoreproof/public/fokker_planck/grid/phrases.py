"""What is said of a solution on a grid: what was compared, where it is off, what may explain it."""

from __future__ import annotations

import numpy as np

from scoreproof.public.fokker_planck.grid.coefficients import Process
from scoreproof.public.fokker_planck.grid.found import Found
from scoreproof.words import part_of, percent

__all__ = ["CLOSER", "first_order", "off", "sentence", "span", "within"]

CLOSER = "save more times, take a finer grid, or accept more with tolerance="


def _grid(found: Found) -> str:
    return " × ".join(str(n) for n in found.grid)


def sentence(found: Found, process: Process) -> str:
    """What was compared."""
    reading = f", read as {process.reading.said}" if process.of_state else ""
    solution = found.measure.solution
    what = "cells" if solution.cells else "points"
    return (
        f"the solution on {_grid(found)} {what} in weak form{reading}: what smooth test functions"
        f" gain between saved times, against what drift and noise bring"
    )


def within(text: str, found: Found, accepted: float) -> str:
    """With what was found, of what is accepted of a solver."""
    worst = float(np.max(found.error[found.seen]))
    return (
        f"{text} (at most {percent(worst)} of the terms apart, which is less than coefficients off"
        f" by {percent(accepted)} would leave)"
    )


def span(found: Found) -> str:
    """Which part of the grid, and of its times."""
    t = found.ends
    names = found.measure.solution.names
    box = ", ".join(
        f"{n} from {lo:.3g} to {hi:.3g}"
        for n, (lo, hi) in zip(names, found.measure.windows.box, strict=True)
    )
    return f"t from {t[0]:.3g} to {t[-1]:.3g}; {box}, where the density is not negligible"


def off(found: Found, place: tuple[int, ...], wrong: np.ndarray) -> str:
    """What is wrong, by how much, and where."""
    a, j = place
    names = found.measure.solution.names
    box = " and ".join(
        f"{n} from {w.middle - w.half:.3g} to {w.middle + w.half:.3g}"
        for n, w in zip(names, found.measure.windows.functions[j], strict=True)
    )
    gained, due = (float(v[a, j]) for v in (found.parts.gained, found.parts.brought))
    return (
        "the solution does not change in time as drift and diffusion say: worst from t ="
        f" {found.ends[a]:.3g} to {found.ends[a + 1]:.3g} for {box}, where a test function gains"
        f" {gained:.4g} and {due:.4g} is due, {part_of(float(found.error[a, j]), 'the terms')}"
        f" apart ({int(wrong.sum())} of {int(found.seen.sum())} integrals are off)"
    )


def first_order(text: str, sizes: tuple[float, float], most: float) -> str:
    """Why a deviation may be no mistake."""
    value, accepted = sizes
    return (
        f"{text}: the two are up to {percent(value)} of the terms apart, more than the"
        f" {percent(accepted)} that is accepted; a correct solver of first order may leave up to"
        f" {percent(most)} on this grid: pass tolerance= if you accept that, or solutions on two"
        " grids or more, coarse to fine, of which the order is seen"
    )
