"""The four frozen types that a claim is made of: Statement, Check, Fault, Claim.

A check is a pure function ``(subject, instance, rng) -> Evidence``. The *subject* is the claim's
formula as a
callable: the truth, a planted fault, the truth with one coefficient off by ε, or a user's own code.
All have the same
signature, so one set of checks serves verification, the kill matrix, the sharpness probe and the
public functions.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scoreproof.evidence import Evidence, Kind

__all__ = ["PROFILES", "Check", "Claim", "Fault", "Instance", "Statement", "check", "merge_slots"]

Subject = Any  # a callable, or a small frozen dataclass of callables where a claim has two formulas

#: ``faults`` is the lowest resolution at which the truth passes; the kill matrix runs there.
PROFILES = ("faults", "quick", "default", "deep")


@dataclass(frozen=True, slots=True)
class Statement:
    """What a claim says, in words and formulas, with everything a reader must know before citing
    it.

    ``hypotheses``: what must hold for it. ``errata``: what the source prints wrongly or leaves
    unsaid. ``blind_spots``: where a naive check sees nothing. ``not_covered``: what the exact
    algebraic core does not cover, in analysis or in dimensions.
    """

    name: str
    title: str
    formula: str  # plain text, as printed on a terminal
    latex: str
    source: str
    hypotheses: tuple[str, ...]
    errata: tuple[str, ...]
    blind_spots: tuple[str, ...]
    not_covered: tuple[str, ...]
    conventions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """A named wrong version of the formula: the truth's signature, and why people write it."""

    name: str
    subject: Subject
    why: str


@dataclass(frozen=True, slots=True)
class Instance:
    """A named input of a check. ``build(rng)`` makes it; it must not be degenerate (see the claim's
    blind spots).
    """

    name: str
    build: Callable[[Any], Any]


Instances = Callable[[str], tuple[Instance, ...]]  # profile -> instances


@dataclass(frozen=True, slots=True)
class Check:
    """One way to test a claim.

    ``blind`` maps the names of the faults this check cannot see to the reason; every other fault of
    the claim is declared visible. ``probes`` names the coefficients (see ``Claim.perturbations``)
    whose smallest refuted relative error is reported for this check.
    """

    name: str
    kind: Kind
    run: Callable[[Subject, Any, Any], Evidence]
    instances: Instances
    blind: Mapping[str, str] = field(default_factory=dict)
    probes: tuple[str, ...] = ()
    requires: str | None = None  # the extra this check needs, e.g. "data"
    real_input: bool = (
        False  # runs on data or code from outside: what it found is printed below the table
    )

    @property
    def doc(self) -> str:
        """How the check works: the first paragraph of its function's docstring."""
        return (inspect.getdoc(self.run) or "").split("\n\n")[0].replace("\n", " ")


def check(
    *,
    kind: Kind,
    instances: Instances,
    blind: Mapping[str, str] | None = None,
    probes: tuple[str, ...] = (),
    requires: str | None = None,
    real_input: bool = False,
) -> Callable[[Callable[[Subject, Any, Any], Evidence]], Check]:
    """Make a function ``(subject, instance, rng) -> Evidence`` a ``Check`` of the same name."""

    def wrap(run: Callable[[Subject, Any, Any], Evidence]) -> Check:
        return Check(
            run.__name__, kind, run, instances, dict(blind or {}), probes, requires, real_input
        )

    return wrap


@dataclass(frozen=True, slots=True)
class Claim:
    """A statement, its formula (``truth``), the checks, the planted faults, and the perturbations.

    ``perturbations`` maps the name of a coefficient to ``eps -> subject``: the truth with that
    coefficient multiplied by ``1 + eps``. ``eps`` comes as float for float and convergent checks,
    as ``fmpq`` for certified ones. ``compose`` gives the subject that carries several faults at
    once (``None`` where they exclude each other); diagnosis tries single faults and pairs.
    """

    statement: Statement
    truth: Subject
    checks: tuple[Check, ...]
    faults: tuple[Fault, ...]
    perturbations: Mapping[str, Callable[[Any], Subject]]
    compose: Callable[[tuple[str, ...]], Subject | None] | None = None

    @property
    def name(self) -> str:
        return self.statement.name

    def check(self, name: str) -> Check:
        """The check called ``name``; raises ``KeyError`` with the known names."""
        return _named(self.checks, name, "check")

    def fault(self, name: str) -> Fault:
        """The fault called ``name``; raises ``KeyError`` with the known names."""
        return _named(self.faults, name, "fault")


def merge_slots(edits: Iterable[Mapping[str, Any]]) -> dict[str, Any] | None:
    """The union of several faults' edits, each a mapping from the slot of a formula to what stands
    there instead.

    ``None`` when two of them edit the same slot: such faults exclude each other.

    >>> merge_slots([{"sign": -1}, {"half": 1}]), merge_slots([{"sign": -1}, {"sign": 0}])
    ({'sign': -1, 'half': 1}, None)
    """
    merged: dict[str, Any] = {}
    for edit in edits:
        if merged.keys() & edit.keys():
            return None
        merged |= edit
    return merged


def _named(things: tuple[Any, ...], name: str, what: str) -> Any:
    for thing in things:
        if thing.name == name:
            return thing
    raise KeyError(f"{what} must be one of {', '.join(t.name for t in things)} (got {name})")
