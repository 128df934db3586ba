"""Every node's backward rule against the values of the node's own function, slot by slot.

At a kink (ReLU at 0, a tie in a maximum) any slope between the two one-sided ones is right; what
the rule does elsewhere is seen at nearby arguments, where there is no kink. A user's own rule is
looked at entry by entry as well.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scoreproof.interop.traced import Local, Program
from scoreproof.public.backward.probes import Probe, jittered, longer, probe, single_entries

__all__ = ["NEARBY", "SlotFinding", "look"]

NEARBY = 0.01  # how far the nearby arguments are, relative
SEEN = 0.1  # a deviation shows by this part of its size in one of the pairings at least
FINE = 1e-3  # a resolution that is good enough not to try longer steps
PROBES = 2  # random pairings at the given arguments; a third one nearby
PROBES_FOR_TOLERANCE = 6


@dataclass
class SlotFinding:
    """What was seen at one slot; ``node`` is its head. ``probes`` pair all entries, ``singles`` one
    entry or few.
    """

    slot: int
    node: int
    argument: int
    probes: list[Probe] = field(default_factory=list)
    singles: list[Probe] = field(default_factory=list)
    identical: bool = False  # the node passes its argument on, number by number

    @property
    def usable(self) -> list[Probe]:
        return [p for p in (*self.probes, *self.singles) if p.usable]

    def error(self, tolerance: float | None) -> tuple[float, float]:
        """``(relative error, bound)`` where the two are furthest apart, or with a tolerance the
        root mean square over the probes, or the worst entry relative to a typical one.
        """
        if not self.usable:
            return 0.0, 0.0
        if tolerance:
            wide = [p for p in self.probes if p.usable and not p.kinked and p.scale > 0]
            if not wide:
                return 0.0, 0.0
            off = np.array([p.off / p.scale for p in wide])
            slack = np.array([p.slack / p.scale for p in wide])
            whole = float(np.sqrt(np.mean(off**2))), float(np.max(slack))
            typical = float(np.mean([p.scale / max(p.terms, 1) ** 0.5 for p in wide]))
            parts = [
                (p.off / size, p.slack / size)
                for p in self.singles
                if p.usable and not p.kinked and (size := max(p.scale, typical)) > 0
            ]
            return max([whole, *parts], key=lambda part: part[0] - part[1])
        worst = self.worst
        assert worst is not None
        scale = worst.scale or max(abs(worst.back), abs(worst.value), 1e-300)
        return worst.off / scale, worst.slack / scale

    @property
    def worst(self) -> Probe | None:
        """The pairing that is off most, as rounding goes."""
        return max(
            self.usable,
            key=lambda p: p.off / p.slack if p.slack > 0 else p.off * np.inf if p.off > 0 else 0.0,
            default=None,
        )

    @property
    def resolution(self) -> float:
        """The smallest relative deviation of a typical entry that the pairings see; infinite where
        none of them sees anything, 0 where there is nothing to see (the node does not depend on
        it).
        """
        open_ = [p for p in self.probes if p.usable and not p.kinked]
        if not open_:
            return np.inf
        if all(p.scale <= p.slack for p in open_):
            return 0.0
        return min(2 * p.slack * p.terms**0.5 / (SEEN * p.scale) for p in open_ if p.scale > 0)

    @property
    def passes_nothing(self) -> bool:
        """The rule returns zeros."""
        return all(p.back == 0 for p in self.probes)

    @property
    def flat(self) -> bool:
        """Neither the values nor the rule depend on this argument here."""
        open_ = [p for p in self.probes if p.usable and not p.kinked]
        return bool(open_) and all(p.scale <= p.slack for p in open_)


def look(
    program: Program, rng: np.random.Generator, tolerance: float | None = None
) -> list[SlotFinding]:
    """One finding a slot, in the order of ``program.graph.edges``. Slots of constants, into which
    no gradient is wanted, are passed over, except in a user's own rule.
    """
    out: list[SlotFinding] = []
    first = 0
    for v, node in enumerate(program.nodes):
        number, first = first, first + len(node.slots)
        if not node.slots or v not in program.moving:
            continue
        here = program.local(v)
        near = _nearby(program, v, here, rng)
        for k, u in enumerate(node.arguments):
            if u not in program.moving and not node.custom:
                continue
            found = SlotFinding(number + k, v, k)
            found.identical = len(node.slots) == 1 and np.array_equal(
                here.value.flat(), here.arguments[0].flat()
            )
            count = PROBES_FOR_TOLERANCE if tolerance else PROBES
            for i in range(count):
                found.probes.append(probe(here, k, program.unit, rng, relative=i % 2 == 0))
            if near is not None:
                found.probes.append(probe(near, k, program.unit, rng, relative=True))
            if found.flat or found.resolution > FINE:
                found.probes += longer(here, k, program.unit, rng)
            if node.custom:
                found.singles = single_entries(near or here, k, program.unit, rng)
            out.append(found)
    return out


def _nearby(program: Program, v: int, here: Local, rng: np.random.Generator) -> Local | None:
    """The node at arguments nearby, at which its value is finite wherever it is here."""
    finite = np.isfinite(here.value.flat())
    for amount in (NEARBY, NEARBY / 100):
        moved = [jittered(x, rng, amount) for x in here.arguments]
        try:
            near = program.local(v, moved)
        except Exception:  # an argument that it refuses
            continue
        value = near.value.flat()
        if value.shape == finite.shape and np.all(np.isfinite(value[finite])):
            return near
    return None
