"""The coefficients that were measured, and those that a formula makes.

Conventions: as in `steps`; what a formula makes of a step is read off by putting in 1 for one
source and 0 for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.public.sampler.causes.formulas import Formula
from scoreproof.public.sampler.causes.language import Program, evaluated, places
from scoreproof.public.sampler.causes.steps import MIDS

__all__ = ["Question", "SOURCES"]

#: what comes in: x, what is predicted at each call, what was, the noises
SOURCES = ("x", "c1", "c2", "c3", "c4", "o1", "o2", "o3", "z", "z_2", "nothing")


@dataclass(frozen=True, eq=False)
class Question:
    """``measured`` ``(steps,)`` by source; ``sizes`` what deviations are relative to; ``names``:
    the numbers that a formula speaks of; ``outs``: what the model returns is
    ``out[0] x + out[1] x_0``, of each call; ``inner``: the steps that are compared.
    """

    measured: Mapping[str, np.ndarray]
    sizes: Mapping[str, np.ndarray]
    names: Mapping[str, Any]
    outs: tuple[tuple[np.ndarray, np.ndarray], ...]
    inner: np.ndarray
    tolerance: float
    by_eps: Question | None = None
    by_out: Question | None = None

    def made(self, program: Program, names: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The coefficients that a program makes."""
        unit: dict[str, Any] = dict(zip(SOURCES, np.eye(len(SOURCES))[:, :, None], strict=True))
        unit.pop("nothing")
        given = {**self.names, **names, **unit}

        def returned(j: int) -> Callable[[Any], dict[str, Any]]:
            u, w = self.outs[j]
            name = "out" if j == 0 else f"out_{j + 1}"
            return lambda y: {name: u * y + w * unit[f"c{j + 1}"]}

        given |= returned(0)(unit["x"])
        then = {MIDS[j - 1]: returned(j) for j in range(1, len(self.outs))}
        values = evaluated(program, given, then)
        k = len(self.inner)
        rows = {
            t: np.broadcast_to(values[t], (len(SOURCES), k)) for t in self.targets if t in values
        }
        if any(
            np.any(np.nan_to_num(row[-1]) != 0) for row in rows.values()
        ):  # a number where a vector is due
            rows = {}
        found = {}
        for key in self.measured:
            target, source = key.split(".")
            row = rows[target][SOURCES.index(source)] if target in rows else np.full(k, np.nan)
            found[key] = np.abs(row) if source in ("z", "z_2") else row
        return found

    def off(self, made: Mapping[str, np.ndarray]) -> np.ndarray:
        """By how much each step is off, as `steps.Steps.sizes` weighs it."""
        with np.errstate(all="ignore"):
            if not self.measured:
                return np.zeros(len(self.inner))
            parts = [
                np.abs(v - made[n]) * self.sizes[n] for n, v in self.measured.items() if n in made
            ]
            return np.nan_to_num(np.max(parts, axis=0), nan=np.inf)

    @property
    def targets(self) -> set[str]:
        return {key.split(".")[0] for key in self.measured}

    def of(self, formula: Formula) -> Question | None:
        """Of a formula whose numbers are known: all steps, but the first where it looks back."""
        if formula.by != "x_0":
            other = self.by_eps if formula.by == "eps" else self.by_out
            return None if other is None else other.of(replace(formula, by="x_0"))
        used = {p[1] for _, t in formula.program for p, _ in places(t) if p[0] == "name"}
        made = {target for target, _ in formula.program}
        outs = {"out", *(f"out_{j + 1}" for j in range(1, len(self.outs)))}
        mids = set(MIDS) & {key.split(".")[0] for key in self.measured}
        if not used <= {*self.names, *made, *SOURCES, *outs, "eta"} or not mids <= made:
            return None
        late = np.arange(len(self.inner)) >= formula.start
        measured = self.measured
        if "z_2" not in used and "x_next.z_2" in measured:  # two draws where one is due
            measured = dict(measured)
            for target in self.targets:
                second = measured.pop(f"{target}.z_2")
                measured[f"{target}.z"] = np.hypot(measured[f"{target}.z"], second)
        return replace(self, inner=self.inner & late, measured=measured)

    def worst(self, off: np.ndarray) -> float:
        """The largest of the steps that are compared."""
        return float(np.max(off[self.inner], initial=0.0))


def but_an_end(wrong: np.ndarray, told: np.ndarray) -> bool:
    """Whether all that is wrong is explained, but for a step or two at one end: starts and ends are
    often treated apart.
    """
    at, known = np.flatnonzero(wrong), np.flatnonzero(told)
    if len(known) == len(at):
        return True
    most = 1 + len(at) // 20
    inside = len(known) == known[-1] - known[0] + 1 if len(known) else False
    return inside and len(known) >= 5 and len(at) - len(known) <= most
