"""Whether a kernel does the same again: with the same x, the same numbers, and as many of them.

Conventions: a kernel that keeps something from one call to the next, or draws numbers that are not
seen, is no map of x and its noise: nothing that rests on several calls says anything of it.
"""

from __future__ import annotations

import numpy as np

from scoreproof.evidence import Evidence
from scoreproof.interop.draws import Draw
from scoreproof.public.corrector.asking import Kernel, Script
from scoreproof.public.corrector.draws import ROWS, _some, accepts
from scoreproof.public.corrector.target import gaussian

__all__ = ["endless", "inconstant", "varied"]

LOW, HIGH = 1e-300, 1 - 2.0**-20
ROUNDINGS = 256


def inconstant(kernel: Kernel, accepting: bool = False) -> Evidence | None:
    """One call twice, with another between; where it accepts, then one in which all rows do and
    one in which none does, so that `Kernel.varied` says whether it draws more there.
    """
    job = kernel.job
    target = gaussian(job.shape)
    k = np.arange(ROWS * (2 if job.two else 1) * job.d).reshape(ROWS, -1)
    state = 1.5 * np.sin(1.3 * k + 0.7)
    first = kernel(target, state, _spread(kernel), job.h).state
    kernel(target, 0.4 * state + 0.3, _spread(kernel), job.h)
    again = kernel(target, state, _spread(kernel), job.h).state
    reach = max(float(np.max(np.abs(first))), float(np.max(np.abs(state))))
    off = float(np.max(np.abs(again - first)))
    if off > ROUNDINGS * kernel.eps * reach:
        text = (
            f"{job.name}, called again with the same x and the same random numbers, returns another"
            f" x, by up to {off:.2g}: it keeps something from call to call (a step size that"
            " adapts, a log p of the last call), or draws from a generator that it makes itself;"
            " pass a corrector in which the first is fixed or computed anew, and the generator is"
            " an argument"
        )
        return Evidence.undecided("float", text)
    if accepting:
        try:
            for u, by in ((LOW, 80.0), (HIGH, -80.0)):
                kernel.raised = by
                kernel(target, state, _spread(kernel, u), job.h)
        finally:
            kernel.raised = None
    return None


def _spread(kernel: Kernel, u: float | None = None) -> Script:
    """Numbers that differ from row to row; ``u`` to all that is to accept by."""

    def script(draw: Draw) -> np.ndarray:
        if not accepts(draw, ROWS, kernel.job):
            return _some(draw)
        values = (np.arange(ROWS) + 0.5) / ROWS if u is None else np.full(ROWS, u)
        values = np.clip(values, kernel.eps, 1 - kernel.eps) if u is None else values
        if draw.kind == "exponential":
            values = -np.log(values)
        elif draw.kind == "normal":
            from scipy.special import ndtri

            values = ndtri(np.clip(values, 1e-12, HIGH))
        return np.asarray(values).reshape(draw.shape)

    return script


def varied(kernel: Kernel) -> Evidence:
    """How often it draws depends on x or on what was drawn before."""
    text = (
        f"{kernel.job.name} does not always draw alike: {kernel.varied}, so that not all that it"
        " does is seen; let it draw the same numbers in each call, used or not (a proposal that"
        " is drawn anew until it is accepted keeps another law than p: a row that rejects stays)"
    )
    return Evidence.undecided("float", text)


def endless(kernel: Kernel) -> Evidence:
    text = (
        f"{kernel.job.name} draws again and again in one call, as one that draws anew until it"
        " accepts does: only a number of draws that is always the same is judged; a Metropolis step"
        " makes one proposal, and a row that rejects it stays"
    )
    return Evidence.undecided("float", text)
