"""What is drawn of the chains: the errors that decide, of the data that they are of.

Conventions: as in `convergence`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.sampler import end
from scoreproof.public.sampler.convergence import errors_of, inner
from scoreproof.public.sampler.runs import Runs

__all__ = ["View", "drawn"]

Curves = dict[str, tuple[list[float], list[float]]]


@dataclass(frozen=True)
class View:
    """Gaussian data (``spread``) or data at one point; the laws between the levels, or the ends of
    the chains.
    """

    spread: bool = True
    ends: bool = False


def drawn(runs: Runs, view: View) -> tuple[Curves, tuple[str, str]]:
    """The curves, and what their axes are."""
    data = "Gaussian data" if view.spread else "data at one point"
    if not runs.counts:
        return {}, ("σ/α", f"deviation of mean and std (in std), {data}")
    chains = runs.chains(view.spread)
    if view.ends:
        pair = [float(c.steps) for c in chains], end.largest(chains)
        unit = end.unit_of(view.spread)
        return {"where the chain ends": pair}, ("steps", f"deviation (in {unit}), {data}")
    curves = {}
    for c in chains:
        states = inner(c)
        worst = np.abs(errors_of(c)).max(axis=(1, 2))
        at = [s.level.sigma / s.level.alpha for s in states]
        curves[f"{c.steps} steps"] = at, worst.tolist()
    return curves, ("σ/α", f"deviation of mean and std (in std), {data}")
