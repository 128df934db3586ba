"""All that was seen of a function of PyTorch or JAX, for the verdict and its words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Program
from scoreproof.objects.graphs import BackwardPass
from scoreproof.public.backward import words
from scoreproof.public.backward.asking import Question
from scoreproof.public.backward.entries import Entries
from scoreproof.public.backward.slots import SlotFinding

__all__ = ["Seen"]


@dataclass(frozen=True, eq=False)
class Seen:
    """``findings``: the slots; ``bad``: those whose rule is not the derivative of the node's values
    (a detached path apart). ``entries``: ``found`` against ``due``, of the asked ``sources`` (all
    by default), ``nearby`` the inputs or at them. ``value_moves``: the rounding of the value.
    """

    program: Program
    question: Question
    seed: Leaves
    run: BackwardPass
    found: tuple[Leaves, ...]
    due: tuple[Leaves, ...]
    findings: list[SlotFinding]
    bad: list[SlotFinding]
    entries: Entries
    value_moves: float
    sources: tuple[int, ...] | None = None
    nearby: bool = False

    @property
    def at(self) -> tuple[int, ...]:
        """The nodes of the asked gradients."""
        return self.question.at(self.program)

    @property
    def notes(self) -> tuple[str, ...]:
        """The reader's notes, what the function holds constant, and where it has kinks."""
        notes = list(self.program.notes)
        held = [self.program.nodes[v].label for v in sorted(self.program.held)]
        if held:
            notes.append(
                "Held constant by the function, and counted in its derivative here:"
                f" {words.listed(held)}."
            )
        kinked = {f.node for f in self.findings if any(p.kinked for p in f.probes)}
        if kinked:
            labels = words.listed([self.program.nodes[v].label for v in sorted(kinked)])
            notes.append(
                f"At a kink here, where any slope between the one-sided ones is right, and judged"
                f" nearby: {labels}."
            )
        return tuple(notes)

    @property
    def remedy(self) -> str:
        """What decides it: the next tolerance, if one does."""
        coarse = self.program.eps > np.finfo(float).eps
        suggested = max(1.2 * self.entries.suggested(), 0.01)
        if not suggested < 0.7:  # never of float64, whose entries cancel to zero before that
            return "use float64"
        size = 10.0 ** np.floor(np.log10(suggested))
        tolerance = float(np.ceil(suggested / size) * size)
        return f"{'use float64, or ' if coarse else ''}pass tolerance={tolerance:.2g}"

    def coverage(self, lost: int = 0) -> Coverage:
        """Nodes, slots and entries; ``lost`` of the entries are hidden by rounding."""
        program = self.program
        left = []
        if lost:
            reason = "too small for their type: rounding hides 1 % of them"
            left.append(Omission("entries", lost, reason, scattered=True))
        blind = [f for f in self.findings if not np.isfinite(f.resolution)]
        if blind:
            labels = words.listed(sorted({program.nodes[f.node].label for f in blind}))
            left.append(
                Omission("slots", len(blind), "where the values cannot be differentiated", labels)
            )
        asked = {
            "nodes": sum(bool(n.slots) for n in program.nodes),
            "slots": len(self.findings),
            "entries": self.entries.due.size,
        }
        span = "the entries of the gradient, each by itself"
        if self.question.tolerance:
            span += ", against the sum over paths; each node's rule against its values as a whole,"
            span += " a rule of your own at single entries too"
        return Coverage(asked, tuple(left), span)

    def more(self, notes: Sequence[str] | None = None) -> dict[str, Any]:
        """Fields of the evidence."""
        x = [float(f.slot) for f in self.findings]
        errors = [f.error(None) for f in self.findings]
        return {
            "cost": {"nodes": len(self.program.nodes), "slots": len(self.findings)},
            "notes": tuple(self.notes if notes is None else notes),
            "curves": {
                "measured": (x, [e for e, _ in errors]),
                "bound": (x, [b for _, b in errors]),
            },
            "labels": ("slot", "relative difference of ⟨g J, t⟩ and the values"),
        }
